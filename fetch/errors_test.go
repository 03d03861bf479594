package fetch

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMessages holds what a user reads; HOST stands for the server, DIR for
// the folder mirror.
func TestMessages(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			http.NotFound(w, r)
		case "/moved":
			redirect("/404?signature=secret")(w, r)
		case "/403":
			w.WriteHeader(http.StatusForbidden)
		case "/429":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/302":
			w.WriteHeader(http.StatusFound)
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip\x7f")
			io.WriteString(w, "x")
		case "/short":
			whole("12345", 3)(w, r)
		case "/large":
			io.WriteString(w, "123456789")
		case "/endless":
			chunked("12345", "6789")(w, r)
		case "/metadata":
			redirect("http://169.254.169.254/")(w, r)
		case "/ftp":
			redirect("ftp://host/file")(w, r)
		}
	})
	root := tree(t, map[string]string{"a.example/dir/file": "x"})
	for _, tt := range []struct{ url, message, hint string }{
		{"HOST/404?q=secret", `"HOST/404?q=xxxxx" does not exist: found status 404 (Not Found), wanted status 200 (OK)`, "check the address"},
		{"HOST/moved", `"HOST/moved" (at "HOST/404?signature=xxxxx") does not exist: found status 404 (Not Found), wanted status 200 (OK)`, "check the address"},
		{"https://a.example/x", `"https://a.example/x" (at "DIR/a.example/x") does not exist: found no file, wanted a file`, "check the path, and that the folder holds host/path for https://host/path"},
		{"https://a.example/dir", `"https://a.example/dir" (at "DIR/a.example/dir") does not exist: found a folder, wanted a file`, "check the path, and that the folder holds host/path for https://host/path"},
		{"HOST/403", `"HOST/403" is unavailable: found status 403 (Forbidden), wanted status 200 (OK)`, "the server wants other credentials, or limits requests"},
		{"HOST/429", `"HOST/429" is unavailable: found status 429 (Too Many Requests), wanted status 200 (OK); not tried again: the pause that the server asks for (Retry-After) is 1h0m0s, wanted at most 5s`, "go on after TIME"},
		{"HOST/503", `"HOST/503" is unavailable: found status 503 (Service Unavailable), wanted status 200 (OK) (5 attempts)`, "the server has a problem: try again later"},
		{"HOST/302", `"HOST/302" is unavailable: found status 302 (Found), wanted status 200 (OK)`, ""},
		{"HOST/short", `"HOST/short" is unavailable: found an answer that broke off after 3 of 5 bytes (unexpected EOF), wanted all of it (5 attempts)`, "check the connection, or name a mirror with --mirror FROM=TO"},
		{"HOST/large", `"HOST/large" is too large: found 9 bytes, wanted at most 8 bytes`, "raise the limit with --max-archive-size"},
		{"HOST/endless", `"HOST/endless" is too large: found more, wanted at most 8 bytes`, "raise the limit with --max-archive-size"},
		{"HOST/metadata", `"HOST/metadata" (at "http://169.254.169.254/") is refused: found a link-local, unspecified or multicast address, wanted any but link-local, unspecified and multicast ones`, ""},
		{"HOST/ftp", `"HOST/ftp" (at "ftp://host/file") is refused: found a redirect to the scheme "ftp", wanted https`, ""},
		{"ftp://host/file", `"ftp://host/file" is refused: found an address with another scheme, wanted http, https or file`, ""},
		{"https://a.example/%2e%2e/x", `"https://a.example/%2e%2e/x" is refused: found the path segment "%2e%2e", wanted one that stays below the mirror`, ""},
		{"http://a b", `"(malformed URL)" is refused: found a malformed address, wanted scheme://host/path`, ""},
	} {
		t.Run(tt.url, func(t *testing.T) {
			c := quick(t)
			c.MaxArchive = 8
			c.Mirrors = []Mirror{{"https://", root}}
			_, err := c.Archive(t.Context(), []string{strings.Replace(tt.url, "HOST", s.URL, 1)}, ArchiveOptions{})
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.NewReplacer(s.URL, "HOST", filepath.ToSlash(root), "DIR").Replace(filepath.ToSlash(err.Error()))
			if diff := cmp.Diff(tt.message, got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			var h interface{ Hint() string }
			if !errors.As(err, &h) {
				t.Fatal("an error without a hint")
			}
			hint := regexp.MustCompile(`[0-9-]+T[0-9:]+Z`).ReplaceAllString(h.Hint(), "TIME")
			if diff := cmp.Diff(tt.hint, hint); diff != "" {
				t.Errorf("hint (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessageOfSeveral(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/403" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.NotFound(w, r)
	})
	_, err := quick(t).Archive(t.Context(), []string{s.URL + "/403", s.URL + "/404"}, ArchiveOptions{})
	want := `none of 2 addresses could be used: "HOST/403" is unavailable: found status 403 (Forbidden), wanted status 200 (OK); ` +
		`"HOST/404" does not exist: found status 404 (Not Found), wanted status 200 (OK)`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), s.URL, "HOST")); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	var h interface{ Hint() string }
	if !errors.As(err, &h) || h.Hint() != "the server wants other credentials, or limits requests" {
		t.Errorf("the hint of %v", err)
	}
}

// TestServersTextIsHarmless: what a server says may end up on a terminal.
func TestServersTextIsHarmless(t *testing.T) {
	evil := "\x1b[31m" + strings.Repeat("x", 10000)
	for name, text := range map[string]string{
		"a header line":  "HTTP/1.1 200 OK\r\n" + evil + "\r\n\r\n",
		"a status":       "HTTP/1.1 403 " + evil + "\r\n\r\n",
		"a coding":       "HTTP/1.1 200 OK\r\nContent-Encoding: " + strings.Repeat("\t;", 5000) + "x\r\n\r\n",
		"garbage":        evil,
		"a redirect":     "HTTP/1.1 302 Found\r\nLocation: ftp://\u202ehost/\r\n\r\n",
		"a chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + evil[5:] + "\r\n\r\n",
		"a length":       "HTTP/1.1 200 OK\r\nContent-Length: " + evil[5:] + "\r\n\r\n",
		"a status code":  "HTTP/1.1 " + evil + "\r\n\r\n",
		"a header value": "HTTP/1.1 200 OK\r\nA: " + evil + "\r\n\r\n",
	} {
		s := serve(t, hijack(text))
		c := quick(t)
		c.Retries = -1
		_, err := c.Document(t.Context(), s.URL, DocumentOptions{})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if m := err.Error(); strings.ContainsAny(m, "\x1b\x7f\r\n\t\u202e") || len(m) > 1000 {
			t.Errorf("%s: %.300q", name, m)
		}
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/x":                      "https://a.example/x",
		"https://me:secret@a.example/x":            "https://a.example/x",
		"https://secret@a.example/":                "https://a.example/",
		"https://a.example/x?a=secret&b=secret#f":  "https://a.example/x?a=xxxxx&b=xxxxx",
		"https://a.example/x?secret":               "https://a.example/x?xxxxx",
		"https://a.example/x?a=secret;b=secret":    "https://a.example/x?a=xxxxx",
		"https://a.example/x?a=secret=secret&=&b=": "https://a.example/x?a=xxxxx&=xxxxx&b=xxxxx",
		"https://a.example/x#secret":               "https://a.example/x",
		"mailto:secret@a.example":                  "mailto:xxxxx",
		"https://me:secret@a b/":                   "(malformed URL)",
		"":                                         "",
	} {
		if diff := cmp.Diff(want, Redact(in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o000); err != nil {
		t.Fatal(err)
	}
	_, err := quick(t).Document(t.Context(), "file://"+filepath.ToSlash(path), DocumentOptions{})
	if outcomeOf(err) != "unavailable" {
		t.Errorf("found %v", err)
	}
}
