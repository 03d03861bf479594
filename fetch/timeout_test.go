package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// drip sends n pieces, one an interval, all of it announced.
func drip(piece string, n int, interval time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for range n {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(interval):
			case <-r.Context().Done():
				return
			}
		}
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// dripHeader sends a header that never ends.
func dripHeader(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
	for {
		if _, err := io.WriteString(conn, "X-A: b\r\n"); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestTimeouts(t *testing.T) {
	const timeout = 600 * time.Millisecond
	for _, tt := range []struct {
		name     string
		handler  http.HandlerFunc
		document string
		archive  string
	}{
		{"no answer", hang, "unavailable", "unavailable"},
		{"a header without end", dripHeader, "unavailable", "unavailable"},
		{"a header and nothing more", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			hang(w, r)
		}, "unavailable", "unavailable"},
		{"a stall after the first bytes", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			hang(w, r)
		}, "unavailable", "unavailable"},
		// Longer in all than the time-out, but never without news.
		{"slow and steady", drip(strings.Repeat("x", 1000), 6, 150*time.Millisecond), "unavailable", "ok"},
		{"a byte now and then", drip("x", 1<<30, 50*time.Millisecond), "unavailable", "unavailable"},
		{"redirects without end, slowly", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(100 * time.Millisecond)
			http.Redirect(w, r, "/", http.StatusFound)
		}, "unavailable", "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.handler)
			c := quick(t)
			c.Timeout = timeout
			began := time.Now()
			_, err := c.Document(t.Context(), s.URL, DocumentOptions{})
			if diff := cmp.Diff(tt.document, outcomeOf(err)); diff != "" {
				t.Errorf("document (-want +got):\n%s%v", diff, err)
			}
			if took := time.Since(began); took > timeout+time.Second {
				t.Errorf("document took %s, wanted at most about %s", took, timeout)
			}
			began = time.Now()
			_, err = c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
			if diff := cmp.Diff(tt.archive, outcomeOf(err)); diff != "" {
				t.Errorf("archive (-want +got):\n%s%v", diff, err)
			}
			if took := time.Since(began); took > (slowWindows+3)*timeout {
				t.Errorf("archive took %s", took)
			}
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is no context.DeadlineExceeded", err)
			}
		})
	}
}

func TestTimeoutCoversAllAttempts(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(400 * time.Millisecond)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c := quick(t)
	c.Timeout = 600 * time.Millisecond
	began := time.Now()
	_, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
	if outcomeOf(err) != "unavailable" {
		t.Errorf("found %v", err)
	}
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("took %s, wanted at most about %s", took, c.Timeout)
	}
}

func TestCallersDeadline(t *testing.T) {
	s := serve(t, hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := quick(t).Archive(ctx, []string{s.URL, s.URL}, ArchiveOptions{})
	if outcomeOf(err) != "unavailable" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("found %v, wanted unavailable with context.DeadlineExceeded", err)
	}
}

// deaf accepts connections and says nothing, not even TLS.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestCancellation(t *testing.T) {
	fill := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "more and more"); err != nil {
				return
			}
		}
	}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 8<<30); err != nil { // sparse
		t.Skipf("no sparse files: %v", err)
	}
	urls := map[string]string{
		"waiting for an answer": serve(t, hang).URL,
		"reading a body":        serve(t, fill).URL,
		"waiting for a body":    serve(t, func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); hang(w, r) }).URL,
		"between attempts":      serve(t, answer(503)).URL,
		"in Retry-After":        serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "30"); w.WriteHeader(429) }).URL,
		"in the TLS handshake":  "https://" + deaf(t),
		"reading a file":        "file://" + filepath.ToSlash(large),
	}
	for name, u := range urls {
		t.Run(name, func(t *testing.T) {
			c := quick(t)
			c.Timeout, c.FirstPause = time.Minute, 8*time.Second
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			began := time.Now()
			_, err := c.Archive(ctx, []string{u, u}, ArchiveOptions{})
			if took := time.Since(began); took < 50*time.Millisecond || took > 900*time.Millisecond {
				t.Errorf("took %s, wanted about 100ms", took)
			}
			if outcomeOf(err) != "cancelled" {
				t.Errorf("found %v, wanted context.Canceled", err)
			}
		})
	}
	t.Run("before it begins", func(t *testing.T) {
		s := serve(t, answer(200))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := quick(t).Document(ctx, s.URL, DocumentOptions{})
		if outcomeOf(err) != "cancelled" || len(s.requests()) != 0 {
			t.Errorf("%v after %d requests", err, len(s.requests()))
		}
	})
}

func TestNoGoroutineIsLeft(t *testing.T) {
	s := serve(t, flaky(answer(503), whole("abc", 1), hijack("garbage"), answer(200)))
	c := quick(t)
	before := runtime.NumGoroutine()
	for range 20 {
		if _, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	s.CloseClientConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestWatchdog(t *testing.T) {
	const limit = 30 * time.Second
	for _, tt := range []struct {
		name   string
		stream bool
		bytes  int           // each interval
		every  time.Duration // between bytes
		lives  bool          // for an hour
		most   time.Duration // otherwise
	}{
		{"a document", false, 1 << 20, time.Second, false, limit},
		{"nothing", true, 0, time.Second, false, limit},
		{"a fast stream", true, 1 << 20, time.Second, true, 0},
		{"a large piece just in time", true, 1 << 20, 29 * time.Second, true, 0},
		{"a large piece too late", true, 1 << 20, 31 * time.Second, false, limit},
		{"a byte now and then", true, 1, time.Second, false, (slowWindows + 1) * limit},
		{"just below the rate", true, 29 * (minRate - 1), 29 * time.Second, false, (slowWindows + 1) * limit},
		{"just at the rate", true, 29 * minRate, 29 * time.Second, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, dog := watch(t.Context(), limit, tt.stream)
				defer dog.stop()
				for ctx.Err() == nil && time.Since(began) < time.Hour {
					select {
					case <-time.After(tt.every):
						dog.progress(tt.bytes)
					case <-ctx.Done():
					}
				}
				var stalled *stalledError
				if dead := errors.As(context.Cause(ctx), &stalled); dead == tt.lives {
					t.Errorf("after %s: %v", time.Since(began), context.Cause(ctx))
				}
				if took := time.Since(began); !tt.lives && took > tt.most {
					t.Errorf("took %s, wanted at most %s", took, tt.most)
				}
			})
		})
	}
}
