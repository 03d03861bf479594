package fetch

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// counter is a server that keeps the requests that it got.
type counter struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func serve(t testing.TB, h http.HandlerFunc) *counter {
	t.Helper()
	return start(t, h, (*httptest.Server).Start)
}

// start makes a server, and starts it unless how is nil.
func start(t testing.TB, h http.HandlerFunc, how func(*httptest.Server)) *counter {
	t.Helper()
	c := &counter{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.seen = append(c.seen, r.Clone(context.Background()))
		c.mu.Unlock()
		h(w, r)
	}))
	if how != nil {
		how(c.Server)
	}
	t.Cleanup(func() {
		c.CloseClientConnections()
		c.Close()
	})
	return c
}

func (c *counter) requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[:len(c.seen):len(c.seen)]
}

// headers gives one header of each request.
func (c *counter) headers(name string) []string {
	var all []string
	for _, r := range c.requests() {
		all = append(all, r.Header.Get(name))
	}
	return all
}

// env makes Client.Env of name-value pairs.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// quick is a client that does not wait long, and sees nothing of the machine's
// environment.
func quick(t *testing.T) *Client {
	t.Helper()
	c := &Client{Timeout: 5 * time.Second, FirstPause: time.Millisecond, Env: env()}
	t.Cleanup(c.Close)
	return c
}

// startTLS serves over TLS with a certificate of its own authority.
func startTLS(t testing.TB, http2 bool, h http.HandlerFunc) *counter {
	t.Helper()
	return start(t, h, func(s *httptest.Server) {
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.EnableHTTP2 = http2
		s.StartTLS()
	})
}

func (c *counter) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.Certificate())
	return pool
}
