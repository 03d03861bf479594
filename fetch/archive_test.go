package fetch

import (
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/digest"
)

// sample is text that differs at every offset.
func sample(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return b.String()[:n]
}

func measured(rawURL, address, content string, withMD5 bool) *Archive {
	a := &Archive{URL: rawURL, Address: address, SHA256: digest.SHA256(sha256.Sum256([]byte(content))), Size: int64(len(content))}
	if withMD5 {
		a.MD5, a.HasMD5 = digest.MD5(md5.Sum([]byte(content))), true
	}
	return a
}

func TestArchiveDigests(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content string
		chunked bool
		md5     bool
	}{
		{"empty", "", false, false},
		{"small", "abc", false, false},
		{"with MD5", "abc", false, true},
		{"several buffers", sample(3*bufferSize + 17), false, true},
		{"several buffers, chunked", sample(3*bufferSize + 17), true, true},
	} {
		for _, scheme := range []string{"http", "https", "h2"} {
			t.Run(tt.name+" over "+scheme, func(t *testing.T) {
				h := func(w http.ResponseWriter, _ *http.Request) {
					if tt.chunked {
						w.(http.Flusher).Flush()
					} else {
						w.Header().Set("Content-Length", strconv.Itoa(len(tt.content)))
					}
					io.WriteString(w, tt.content)
				}
				c := quick(t)
				var s *counter
				if scheme == "http" {
					s = serve(t, h)
				} else {
					s = startTLS(t, scheme == "h2", h)
					c.RootCAs = s.roots()
				}
				got, err := c.Archive(t.Context(), []string{s.URL + "/a"}, ArchiveOptions{MD5: tt.md5})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(measured(s.URL+"/a", s.URL+"/a", tt.content, tt.md5), got); diff != "" {
					t.Errorf("archive (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// hijack answers with the bytes that it is given, and closes the connection.
func hijack(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, answer)
	}
}

func TestArchiveFailures(t *testing.T) {
	for _, tt := range []struct {
		name     string
		handler  http.HandlerFunc
		want     string
		requests int
	}{
		{"no such archive", http.NotFound, "not found", 1},
		{"a body shorter than announced", hijack("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), "unavailable", 5},
		{"chunks that break off", hijack("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"), "unavailable", 5},
		{"a malformed chunk", hijack("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n12345\r\n"), "unavailable", 5},
		{"two lengths", hijack("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345"), "unavailable", 5},
		{"no HTTP", hijack("220 ftp\r\n"), "unavailable", 5},
		{"nothing", hijack(""), "unavailable", 5},
		{"more than the limit, announced", hijack("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), "too large", 1},
		{"more than the limit, chunked", func(w http.ResponseWriter, _ *http.Request) {
			for range 200 {
				io.WriteString(w, sample(10000))
			}
		}, "too large", 1},
		{"gzip", hijack("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345"), "unavailable", 1},
		{"gzip under another name", hijack("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: x-gzip\r\nContent-Length: 5\r\n\r\n12345"), "unavailable", 1},
		{"a part that was not asked for", hijack("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/5\r\nContent-Length: 5\r\n\r\n12345"), "unavailable", 1},
		{"503 with a body that never ends", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "unavailable", 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.handler)
			c := quick(t)
			c.MaxArchive = 1 << 20
			_, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if got := len(s.requests()); got != tt.requests {
				t.Errorf("%d requests, wanted %d: %v", got, tt.requests, err)
			}
		})
	}
}

func TestArchiveAtItsLimit(t *testing.T) {
	s := serve(t, chunked(sample(500), sample(500)))
	c := quick(t)
	c.MaxArchive = 1000
	if _, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{}); err != nil {
		t.Error(err)
	}
	c = quick(t)
	c.MaxArchive = 999
	_, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
	if got := outcomeOf(err); got != "too large" {
		t.Errorf("one byte over the limit: %v", err)
	}
	if h := (&TooLargeError{}).Hint(); h != "" {
		t.Errorf("hint %q of a document", h)
	}
}

func TestArchiveTriesMirrorsInOrder(t *testing.T) {
	good := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "good") }
	refusing := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	}
	unavailable := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }
	large := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "too large") }
	for _, tt := range []struct {
		name     string
		handlers []http.HandlerFunc
		want     string // outcome, or the number of the one that worked
		asked    []int
	}{
		{"the first", []http.HandlerFunc{good, good}, "0", []int{1, 0}},
		{"after an absent one", []http.HandlerFunc{http.NotFound, good}, "1", []int{1, 1}},
		{"after one that refuses", []http.HandlerFunc{unavailable, good, good}, "1", []int{1, 1, 0}},
		{"after a refused redirect", []http.HandlerFunc{refusing, good}, "1", []int{1, 1}},
		{"absent everywhere", []http.HandlerFunc{http.NotFound, http.NotFound}, "not found", []int{1, 1}},
		{"absent, after one that may have it", []http.HandlerFunc{unavailable, http.NotFound}, "unavailable", []int{1, 1}},
		{"absent, before one that may have it", []http.HandlerFunc{http.NotFound, unavailable}, "unavailable", []int{1, 1}},
		{"refused and absent", []http.HandlerFunc{refusing, http.NotFound}, "refused", []int{1, 1}},
		{"unavailable and refused", []http.HandlerFunc{unavailable, refusing}, "unavailable", []int{1, 1}},
		{"too large and absent", []http.HandlerFunc{large, http.NotFound}, "too large", []int{1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var urls []string
			var servers []*counter
			for _, h := range tt.handlers {
				s := serve(t, h)
				servers, urls = append(servers, s), append(urls, s.URL)
			}
			c := quick(t)
			c.MaxArchive = 4
			archive, err := c.Archive(t.Context(), urls, ArchiveOptions{})
			got := outcomeOf(err)
			if err == nil {
				for i, u := range urls {
					if archive.URL == u {
						got = strconv.Itoa(i)
					}
				}
			}
			var asked []int
			for _, s := range servers {
				asked = append(asked, len(s.requests()))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if diff := cmp.Diff(tt.asked, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			var missing *NotFoundError
			if tt.want != "not found" && errors.As(err, &missing) {
				t.Errorf("%v passes for %v", err, missing)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if _, err := quick(t).Archive(t.Context(), nil, ArchiveOptions{}); err == nil {
			t.Error("no error without an address")
		}
	})
	t.Run("too many", func(t *testing.T) {
		s := serve(t, good)
		_, err := quick(t).Archive(t.Context(), make([]string, MaxURLs+1), ArchiveOptions{})
		if outcomeOf(err) != "refused" || len(s.requests()) != 0 {
			t.Errorf("%v after %d requests", err, len(s.requests()))
		}
	})
}

func TestProgress(t *testing.T) {
	content := sample(1 << 20)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		for i := range 64 {
			io.WriteString(w, content[i<<14:(i+1)<<14])
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	var all []Progress
	var done []string
	began := time.Now()
	_, err := quick(t).Archive(t.Context(), []string{s.URL + "/a?k=v"}, ArchiveOptions{
		Progress: func(p Progress) { all = append(all, p) },
		Done:     func(u string) { done = append(done, u) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if most := int(time.Since(began)/progressEvery) + 2; len(all) < 3 || len(all) > most {
		t.Errorf("%d reports, wanted 3 to %d", len(all), most)
	}
	asked, address := s.URL+"/a?k=v", s.URL+"/a?k=xxxxx"
	size := int64(len(content))
	if diff := cmp.Diff(Progress{URL: asked, Address: address, Bytes: 0, Total: size}, all[0]); diff != "" {
		t.Errorf("first report (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Progress{URL: asked, Address: address, Bytes: size, Total: size}, all[len(all)-1]); diff != "" {
		t.Errorf("last report (-want +got):\n%s", diff)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Bytes < all[i-1].Bytes {
			t.Errorf("report %d falls from %d to %d bytes", i, all[i-1].Bytes, all[i].Bytes)
		}
	}
	if diff := cmp.Diff([]string{asked}, done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var opened atomic.Int32
	const clients, rounds = 16, 5
	var gate sync.WaitGroup
	s := start(t, func(http.ResponseWriter, *http.Request) {
		gate.Done()
		gate.Wait() // all at once, so that each needs a connection
	}, nil)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	c := quick(t)
	for range rounds {
		gate.Add(clients)
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				if _, err := c.Document(t.Context(), s.URL, DocumentOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	// A connection that is handed back late costs another, now and then.
	if got := opened.Load(); got > clients*2 {
		t.Errorf("%d connections for %d rounds of %d requests, wanted about %d", got, rounds, clients, clients)
	}
}

// TestMemoryDoesNotGrow fetches a large archive and looks at what was allocated
// for it in all, server included.
func TestMemoryDoesNotGrow(t *testing.T) {
	block := make([]byte, 1<<20)
	const blocks = 128
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range blocks {
			w.Write(block)
		}
	})
	c := quick(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{MD5: true})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got.Size != blocks<<20 {
		t.Errorf("%d bytes", got.Size)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes allocated for %d", n, got.Size)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat(r.URL.Path, 10000)) })
	c := quick(t)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			path := fmt.Sprintf("/%d", i)
			got, err := c.Archive(t.Context(), []string{s.URL + path}, ArchiveOptions{MD5: i%2 == 0})
			if err != nil {
				t.Error(err)
				return
			}
			want := measured(s.URL+path, s.URL+path, strings.Repeat(path, 10000), i%2 == 0)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("archive %d (-want +got):\n%s", i, diff)
			}
		})
	}
	all.Wait()
}
