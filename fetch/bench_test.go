package fetch

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// BenchmarkArchive measures the loopback server too; its ratios between buffer
// sizes are what counts.
func BenchmarkArchive(b *testing.B) {
	const size = 64 << 20
	block := make([]byte, 1<<20)
	s := serve(b, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for range size / len(block) {
			w.Write(block)
		}
	})
	for _, buffer := range []int{32 << 10, 256 << 10, bufferSize} {
		for _, withMD5 := range []bool{false, true} {
			b.Run(fmt.Sprintf("buffer=%dKiB/md5=%t", buffer>>10, withMD5), func(b *testing.B) {
				c := &Client{Timeout: 5 * time.Second, Env: env()}
				c.buffers.New = func() any { p := make([]byte, buffer); return &p }
				b.SetBytes(size)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Archive(b.Context(), []string{s.URL}, ArchiveOptions{MD5: withMD5}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
