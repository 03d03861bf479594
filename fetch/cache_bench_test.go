package fetch

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// BenchmarkCache measures one document of 12 KiB: fetched and kept, asked for
// again on condition, and taken without asking. The loopback server's share is
// in all but the last.
func BenchmarkCache(b *testing.B) {
	body := string(numbered(1, 12<<10))
	s := serve(b, func(w http.ResponseWriter, r *http.Request) { tagged(body+r.URL.Path)(w, r) })
	for _, bench := range []struct {
		name  string
		fresh time.Duration
		path  func(i int) string
	}{
		{"kept", 0, func(i int) string { return fmt.Sprint(i) }},
		{"confirmed", 0, func(int) string { return "same" }},
		{"fresh", time.Hour, func(int) string { return "same" }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := &Client{Env: env(), Cache: &Cache{Dir: b.TempDir(), FreshFor: bench.fresh}}
			defer c.Close()
			defer c.Cache.Close()
			for i := 0; b.Loop(); i++ {
				if _, err := c.Document(b.Context(), s.URL+"/"+bench.path(i), DocumentOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
