package fetch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cached is a quick client with a cache in dir.
func cached(t *testing.T, dir string) *Client {
	t.Helper()
	c := quick(t)
	c.Cache = &Cache{Dir: dir}
	t.Cleanup(func() { c.Cache.Close() })
	return c
}

// tagged serves one body with an ETag, and 304 to whoever has it.
func tagged(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(body)))
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Type", "text/test")
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, body)
	}
}

// files lists the files below a folder, without those that every cache has.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if err == nil && !d.IsDir() && !strings.Contains("CACHEDIR.TAG written lock", rel) {
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func mustGet(t *testing.T, c *Client, url string) *Document {
	t.Helper()
	doc, err := c.Document(t.Context(), url, DocumentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSecondRunAsksOnCondition(t *testing.T) {
	modified := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	byTime := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", modified)
		if r.Header.Get("If-Modified-Since") == modified {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, "body")
	}
	young := func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now().UTC().Format(http.TimeFormat)
		w.Header().Set("Last-Modified", now)
		w.Header().Set("Date", now)
		io.WriteString(w, "body")
	}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    Stats // of the second run
		cached  bool
	}{
		{"by ETag", tagged("body"), Stats{Requests: 1, Conditional: 1, NotModified: 1}, true},
		{"by a weak ETag", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `W/"1"`)
			if r.Header.Get("If-None-Match") == `W/"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			io.WriteString(w, "body")
		}, Stats{Requests: 1, Conditional: 1, NotModified: 1}, true},
		{"by time of modification", byTime, Stats{Requests: 1, Conditional: 1, NotModified: 1}, true},
		{"modified in the second of the answer", young, Stats{Requests: 1}, false},
		{"without validators", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "body") }, Stats{Requests: 1}, false},
		{"a server that knows no conditions", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			io.WriteString(w, "body")
		}, Stats{Requests: 1, Conditional: 1}, false},
		{"no-store", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private, No-Store")
			tagged("body")(w, r)
		}, Stats{Requests: 1}, false},
		{"an answer that varies", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Accept, *")
			tagged("body")(w, r)
		}, Stats{Requests: 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := serve(t, tt.handler), t.TempDir()
			first := mustGet(t, cached(t, dir), s.URL+"/d")
			if first.Cached || !first.Checked.IsZero() {
				t.Errorf("the first answer is from the cache")
			}
			c := cached(t, dir)
			second := mustGet(t, c, s.URL+"/d")
			if string(second.Body) != "body" || second.Cached != tt.cached || second.Address != first.Address {
				t.Errorf("found %q from %s, cached %t; wanted the first answer, cached %t", second.Body, second.Address, second.Cached, tt.cached)
			}
			got := c.Stats()
			got.Hosts = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("statistics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangedDocumentReplacesTheCached(t *testing.T) {
	body := "old"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { tagged(body)(w, r) })
	dir := t.TempDir()
	mustGet(t, cached(t, dir), s.URL)
	body = "new"
	for i, want := range []Stats{{Requests: 1, Conditional: 1}, {Requests: 1, Conditional: 1, NotModified: 1}} {
		c := cached(t, dir)
		if got := mustGet(t, c, s.URL); string(got.Body) != "new" {
			t.Errorf("run %d: found %q, wanted the new document", i, got.Body)
		}
		got := c.Stats()
		got.Hosts = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("run %d: statistics (-want +got):\n%s", i, diff)
		}
	}
}

// Validators are unique within a resource only (RFC 9110, section 8.8.1): a
// "not modified" that a redirect's new target says is not about what is held.
func TestNotModifiedOfAnotherResource(t *testing.T) {
	target := "/old"
	same := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			io.WriteString(w, body)
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/d":
			redirect(target+"?signature="+fmt.Sprint(time.Now().UnixNano()))(w, r)
		default:
			same(r.URL.Path)(w, r)
		}
	})
	dir := t.TempDir()
	get := func(want string, notModified int64) {
		t.Helper()
		c := cached(t, dir)
		if got := mustGet(t, c, s.URL+"/d"); string(got.Body) != want {
			t.Errorf("found %q, wanted %q", got.Body, want)
		}
		if got := c.Stats(); got.NotModified != notModified {
			t.Errorf("%d answers of 304, wanted %d", got.NotModified, notModified)
		}
	}
	get("/old", 0)
	get("/old", 1) // the new signature makes no other resource
	warm := cached(t, dir)
	mustGet(t, warm, s.URL+"/d")
	if got := warm.Stats(); got.Requests != 2 || got.Conditional != 2 {
		t.Errorf("%d of %d requests were conditional, wanted 2 of 2, the redirect's too", got.Conditional, got.Requests)
	}
	target = "/new"
	get("/new", 1)
	get("/new", 1)
}

// A 304 with another tag than was asked for confirms nothing.
func TestNotModifiedWithAnotherTag(t *testing.T) {
	version := 1
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, version))
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, version)
	})
	dir := t.TempDir()
	mustGet(t, cached(t, dir), s.URL)
	version = 2
	if got := mustGet(t, cached(t, dir), s.URL); string(got.Body) != "2" {
		t.Errorf("found %q, wanted the new document", got.Body)
	}
}

func TestAbsenceIsBelievedForAWhile(t *testing.T) {
	for _, tt := range []struct {
		name     string
		absence  time.Duration
		later    time.Duration
		requests int
	}{
		{"within the default", 0, DefaultAbsence - time.Second, 1},
		{"after the default", 0, DefaultAbsence, 2},
		{"within the time that was given", time.Hour, time.Hour - time.Second, 1},
		{"never", -1, 0, 2},
		{"from a clock that was ahead", 0, -time.Second, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, answer(410).ServeHTTP)
			now := time.Now()
			dir := t.TempDir()
			for _, at := range []time.Time{now, now.Add(tt.later)} {
				c := cached(t, dir)
				c.Cache.Absence, c.Cache.now = tt.absence, func() time.Time { return at }
				_, err := c.Document(t.Context(), s.URL+"/d?q=1", DocumentOptions{})
				want := &NotFoundError{URL: s.URL + "/d?q=1", Address: s.URL + "/d?q=xxxxx", Status: 410, Found: status(410), Wanted: status(200)}
				if diff := cmp.Diff(error(want), err); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
			}
			if got := len(s.requests()); got != tt.requests {
				t.Errorf("%d requests, wanted %d", got, tt.requests)
			}
		})
	}
}

func TestWhatAppearsIsFound(t *testing.T) {
	there := false
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !there {
			http.NotFound(w, r)
			return
		}
		tagged("body")(w, r)
	})
	dir := t.TempDir()
	c := cached(t, dir)
	if _, err := c.Document(t.Context(), s.URL, DocumentOptions{}); outcomeOf(err) != "not found" {
		t.Fatal(err)
	}
	there = true
	c = cached(t, dir)
	c.Cache.now = func() time.Time { return time.Now().Add(DefaultAbsence) }
	mustGet(t, c, s.URL)
	// And what disappears is gone from the cache too.
	there = false
	if _, err := cached(t, dir).Document(t.Context(), s.URL, DocumentOptions{}); outcomeOf(err) != "not found" {
		t.Errorf("found %v, wanted that it does not exist", err)
	}
	c = cached(t, dir)
	c.Offline = true
	if _, err := c.Document(t.Context(), s.URL, DocumentOptions{}); outcomeOf(err) != "not found" {
		t.Errorf("offline: found %v, wanted that it does not exist", err)
	}
}

func TestWhatIsNotKept(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"403", answer(403)},
		{"429", answer(429)},
		{"500", answer(500)},
		{"503", answer(503)},
		{"204", answer(204)},
		{"a cut body", whole("12345", 3)},
		{"garbage", hijack("garbage")},
		{"too large", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 100)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := serve(t, tt.handler), t.TempDir()
			if _, err := cached(t, dir).Document(t.Context(), s.URL, DocumentOptions{MaxBytes: 50}); err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff([]string(nil), files(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFreshFor(t *testing.T) {
	s, dir := serve(t, tagged("body")), t.TempDir()
	now := time.Now()
	get := func(after time.Duration, requests int) {
		t.Helper()
		c := cached(t, dir)
		c.Cache.FreshFor, c.Cache.now = time.Hour, func() time.Time { return now.Add(after) }
		doc := mustGet(t, c, s.URL)
		if string(doc.Body) != "body" || len(s.requests()) != requests {
			t.Errorf("%s later: %q after %d requests, wanted %d", after, doc.Body, len(s.requests()), requests)
		}
	}
	get(0, 1)
	get(time.Hour-time.Second, 1)
	get(time.Hour, 2)
	get(2*time.Hour-time.Second, 2) // since it was confirmed
}

func TestOfflineFromTheCache(t *testing.T) {
	s, dir := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain" {
			w.Header().Set("Link", `</d?page=2>; rel="next"`)
			w.Header().Set("Set-Cookie", "secret=1")
			io.WriteString(w, "plain") // no validators: for this only
			return
		}
		tagged("body")(w, r)
	}), t.TempDir()
	before := time.Now()
	online := cached(t, dir)
	mustGet(t, online, s.URL+"/d")
	mustGet(t, online, s.URL+"/plain")
	requests := len(s.requests())

	c := cached(t, dir)
	c.Offline = true
	doc := mustGet(t, c, s.URL+"/plain")
	if string(doc.Body) != "plain" || !doc.Cached || doc.Checked.Before(before) || doc.Checked.After(time.Now()) {
		t.Errorf("found %q, cached %t, of %s", doc.Body, doc.Cached, doc.Checked)
	}
	if diff := cmp.Diff(http.Header{"Link": {`</d?page=2>; rel="next"`}, "Content-Type": {"text/plain; charset=utf-8"}}, doc.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	mustGet(t, c, s.URL+"/d")
	if _, err := c.Document(t.Context(), s.URL+"/other", DocumentOptions{}); outcomeOf(err) != "refused" {
		t.Errorf("found %v, wanted a refusal", err)
	}
	if got := c.Stats(); got.Requests != 0 || got.CacheHits != 2 {
		t.Errorf("%d requests and %d hits, wanted 0 and 2", got.Requests, got.CacheHits)
	}
	if got := len(s.requests()); got != requests {
		t.Errorf("%d requests offline", got-requests)
	}
}

// Requests that differ in what may change the answer share nothing.
func TestRequestsAreToldApart(t *testing.T) {
	s, dir := serve(t, tagged("body")), t.TempDir()
	host := strings.TrimPrefix(s.URL, "http://")
	token := map[string]string{host: "token"}
	mustGet(t, cached(t, dir), s.URL+"/d?a=1")
	with := cached(t, dir)
	with.Tokens = token
	mustGet(t, with, s.URL+"/private")
	for _, tt := range []struct {
		name    string
		url     string
		options DocumentOptions
		change  func(*Client)
		want    string
	}{
		{"the same", "/d?a=1", DocumentOptions{}, nil, "ok"},
		{"another fragment", "/d?a=1#x", DocumentOptions{}, nil, "ok"},
		{"another query", "/d?a=2", DocumentOptions{}, nil, "refused"},
		{"no query", "/d", DocumentOptions{}, nil, "refused"},
		{"another Accept", "/d?a=1", DocumentOptions{Accept: "a/b"}, nil, "refused"},
		{"with a token what was obtained without", "/d?a=1", DocumentOptions{}, func(c *Client) { c.Tokens = token }, "refused"},
		{"without a token what was obtained with one", "/private", DocumentOptions{}, nil, "refused"},
		{"anonymously what was obtained with a token", "/private", DocumentOptions{Anonymous: true}, func(c *Client) { c.Tokens = token }, "refused"},
		{"with a token what was obtained with one", "/private", DocumentOptions{}, func(c *Client) { c.Tokens = token }, "ok"},
		{"another mirror", "/d?a=1", DocumentOptions{}, func(c *Client) {
			c.Mirrors = []Mirror{{From: s.URL, To: "http://127.0.0.1:1/"}}
		}, "refused"},
		{"a smaller limit", "/d?a=1", DocumentOptions{MaxBytes: 3}, nil, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := cached(t, dir)
			c.Offline = true
			if tt.change != nil {
				tt.change(c)
			}
			_, err := c.Document(t.Context(), s.URL+tt.url, tt.options)
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

// A redirect that leads to a mirror may use credentials which the address that
// was asked for does not call for.
func TestCredentialsOfALaterMirrorAreNotLost(t *testing.T) {
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		tagged("secret document")(w, r)
	})
	s := serve(t, redirect("http://elsewhere.example/d"))
	dir := t.TempDir()
	c := cached(t, dir)
	c.Mirrors = []Mirror{{From: "http://elsewhere.example", To: "http://user:hunter2@" + mirror.Listener.Addr().String()}}
	if got := mustGet(t, c, s.URL); string(got.Body) != "secret document" {
		t.Fatalf("found %q", got.Body)
	}
	if diff := cmp.Diff([]string(nil), files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestNothingSecretIsWritten(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			redirect("/d?signature=hunter2")(w, r)
		case "/absent":
			http.NotFound(w, r)
		default:
			w.Header().Set("Set-Cookie", "session=hunter2")
			w.Header().Set("X-Token", "hunter2")
			tagged("body")(w, r)
		}
	})
	host := strings.TrimPrefix(s.URL, "http://")
	dir := t.TempDir()
	c := cached(t, dir)
	c.Tokens = map[string]string{host: "hunter2"}
	c.Mirrors = []Mirror{{From: "http://mirrored.example", To: "http://user:hunter2@" + host}}
	for _, u := range []string{
		s.URL + "/d?token=hunter2#hunter2", s.URL + "/moved?token=hunter2", s.URL + "/absent?token=hunter2",
		"http://mirrored.example/d", "http://user:hunter2@" + host + "/userinfo",
	} {
		_, err := c.Document(t.Context(), u, DocumentOptions{})
		if kind := outcomeOf(err); kind != "ok" && kind != "not found" {
			t.Fatal(err)
		}
	}
	found := files(t, dir)
	if len(found) != 5 { // four entries and one body
		t.Errorf("found the files %q, wanted 5", found)
	}
	for _, name := range found {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "hunter2") || strings.Contains(string(data), "userinfo") {
			t.Errorf("%s holds a secret: %s", name, data)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others", name)
		}
	}
}

func TestCancelledCallLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "12345")
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	if _, err := cached(t, dir).Document(ctx, s.URL, DocumentOptions{}); outcomeOf(err) != "cancelled" {
		t.Errorf("found %v", err)
	}
	if diff := cmp.Diff([]string(nil), files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
