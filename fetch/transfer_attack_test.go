package fetch

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/digest"
)

// TestRestFromElsewhere: an entity tag identifies the bytes of one resource
// (RFC 9110, section 8.8.3). Where a redirect leads to another one each time,
// the same tag may be that of another file, and the parts must not be joined.
func TestRestFromElsewhere(t *testing.T) {
	const size, half = 1 << 20, 1 << 19
	file, other := sample(size), strings.Repeat("z", size)
	for name, tag := range map[string][]string{
		"with an ETag": {"ETag", `"1048576"`},
		"with a date":  {"Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, flaky(
				func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/one", http.StatusFound) },
				whole(file, half, tag...),
				func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/two", http.StatusFound) },
				rest(other, half, size, half, tag...),
				func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/two", http.StatusFound) },
				whole(other, size, tag...),
			))
			got, err := quick(t).Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got.SHA256 != digest.SHA256(sha256.Sum256([]byte(other))) {
				t.Error("found the digest of neither file")
			}
		})
	}
}

// TestRestBehindSignature: the query of a redirect's target is often a
// signature that differs each time, and the resource is the same.
func TestRestBehindSignature(t *testing.T) {
	const size, half = 1 << 20, 1 << 19
	file := sample(size)
	to := func(query string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/blob?sig="+query, http.StatusFound)
		}
	}
	s := serve(t, flaky(to("1"), whole(file, half, "ETag", `"one"`), to("2"), rest(file, half, size, half, "ETag", `"one"`)))
	got, err := quick(t).Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256 != digest.SHA256(sha256.Sum256([]byte(file))) {
		t.Error("found another digest")
	}
	if n := len(s.requests()); n != 4 {
		t.Errorf("%d requests, wanted 4", n)
	}
}

// raw serves bytes as they are, and closes the connection.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					io.WriteString(conn, answer)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestCraftedAnswers: what two readers of HTTP could read differently is not
// read at all.
func TestCraftedAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
	for _, tt := range []struct{ name, answer, want string }{
		{"two lengths", ok + "Content-Length: 2\r\nContent-Length: 4\r\n\r\nabcd", "unavailable"},
		{"a negative length", ok + "Content-Length: -1\r\n\r\nabcd", "unavailable"},
		{"a length with a sign", ok + "Content-Length: +4\r\n\r\nabcd", "unavailable"},
		{"a length beyond 63 bits", ok + "Content-Length: 18446744073709551620\r\n\r\nabcd", "unavailable"},
		{"a length that is not reached", ok + "Content-Length: 5\r\n\r\nabcd", "unavailable"},
		{"chunks without an end", ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n", "unavailable"},
		{"a chunk cut", ok + "Transfer-Encoding: chunked\r\n\r\n8\r\nabcd", "unavailable"},
		{"a chunk of 2^64", ok + "Transfer-Encoding: chunked\r\n\r\n10000000000000004\r\nabcd\r\n0\r\n\r\n", "unavailable"},
		{"chunked twice", ok + "Transfer-Encoding: chunked, chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", "unavailable"},
		{"a coded transfer", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", "unavailable"},
		{"a part that was not asked for", "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: bytes 0-3/8\r\nContent-Length: 4\r\n\r\nabcd", "unavailable"},
		{"no content", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "unavailable"},
		{"not modified", "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", "unavailable"},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabcd", "unavailable"},
		{"HTTP/0.9", "abcd", "unavailable"},
		{"hints before the answer", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + "Content-Length: 4\r\n\r\nabcd", "ok"},
		{"more than the length", ok + "Content-Length: 4\r\n\r\nabcdefgh", "ok"},
		{"length and chunks", ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", "ok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := quick(t)
			c.Retries = -1
			url := raw(t, tt.answer)
			doc, err := c.Document(t.Context(), url, DocumentOptions{})
			if got := outcomeOf(err); got != tt.want {
				t.Errorf("document: found %s (%v), wanted %s", got, err, tt.want)
			}
			if err == nil && string(doc.Body) != "abcd" {
				t.Errorf("document: found %q, wanted \"abcd\"", doc.Body)
			}
			archive, err := c.Archive(t.Context(), []string{url}, ArchiveOptions{})
			if got := outcomeOf(err); got != tt.want {
				t.Errorf("archive: found %s (%v), wanted %s", got, err, tt.want)
			}
			if err == nil && (archive.Size != 4 || archive.SHA256 != digest.SHA256(sha256.Sum256([]byte("abcd")))) {
				t.Errorf("archive: found %d bytes, wanted 4", archive.Size)
			}
		})
	}
}

// TestFileErrorsAreHarmless: the path below a folder mirror is the recipe's,
// and the operating system's errors quote it as it is.
func TestFileErrorsAreHarmless(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "host.example"), 0o755); err != nil {
		t.Fatal(err)
	}
	odd := "\x1b[31m\n::error::\u202e"
	if err := os.Symlink("../..", filepath.Join(root, "host.example", odd)); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	c := quick(t)
	c.Mirrors = []Mirror{{From: "https://", To: root}}
	for name, path := range map[string]string{
		"a link that leads out": "%1b[31m%0a::error::%E2%80%AE/etc",
		"a name too long":       "%1b[31m%0a::error::%E2%80%AE" + strings.Repeat("a", 300),
		"no file":               "%1b[31m%0a::error::%E2%80%AE.txt",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Document(t.Context(), "https://host.example/"+path, DocumentOptions{})
			if err == nil {
				t.Fatal("no error")
			}
			if strings.ContainsAny(err.Error(), "\x1b\n\u202e") {
				t.Errorf("%q holds control characters", err)
			}
		})
	}
}

// TestFileURLOfAServer: on Windows a path that begins with two slashes names a
// server, to which the user's credentials would go, --offline or not.
func TestFileURLOfAServer(t *testing.T) {
	for _, url := range []string{
		"file:////server/share/x", "file://///server/share/x", "file:///%2Fserver/share/x", "file:///%5C%5Cserver/share/x",
		"file:///\\server\\share\\x", "file://localhost//server/share/x", "file:////?/UNC/server/share/x", "file:////./pipe/x",
		"file://server/share/x",
	} {
		c := quick(t)
		c.Offline = true
		_, err := c.Document(t.Context(), url, DocumentOptions{})
		if got := outcomeOf(err); got != "refused" {
			t.Errorf("%s: found %s (%v), wanted refused", url, got, err)
		}
	}
}

// TestHostileValidators: what a server says about its file is sent back to it,
// and must neither make another header of it nor stop the transfer.
func TestHostileValidators(t *testing.T) {
	const size, half = 1 << 20, 1 << 19
	file := sample(size)
	for _, tag := range []string{`"a"b"`, "\"a\tb\"", `"` + strings.Repeat("a", 100<<10) + `"`, "\"\x80\xff\"", `"a, W/"b"`} {
		s := serve(t, flaky(whole(file, half, "ETag", tag), whole(file, size)))
		got, err := quick(t).Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
		if err != nil {
			t.Errorf("the ETag %.20q: %v", tag, err)
			continue
		}
		if got.SHA256 != digest.SHA256(sha256.Sum256([]byte(file))) {
			t.Errorf("the ETag %.20q: another digest", tag)
		}
		for _, r := range s.requests() {
			if n := len(r.Header); n > 5 {
				t.Errorf("the ETag %.20q: %d headers: %s", tag, n, fmt.Sprint(r.Header))
			}
		}
	}
}
