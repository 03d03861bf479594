package pypi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/pypi"
)

const oldFlask = "https://pypi.org/packages/source/F/Flask/Flask-3.1.1.tar.gz"

func paths(asked []string) (list []string) {
	for _, a := range asked {
		path, _, _ := strings.Cut(a, " ")
		list = append(list, path)
	}
	return list
}

func TestDiscover(t *testing.T) {
	file := func(provenance string) string {
		return simplePage(fmt.Sprintf(`{"filename":"flask-3.1.1.tar.gz","hashes":{"sha256":%q}%s}`, pinned, provenance))
	}
	linked := file(`,"provenance":"https://pypi.org` + integrity + `"`)
	for _, c := range []struct {
		name, url string
		answers   map[string]string
		asked     []string
		found     int
		kind      any // what the error must be; nil for none
	}{
		{"there is", flask, map[string]string{integrity: provenance()}, []string{integrity}, 1, nil},
		{"there is none", flask, map[string]string{simple: linked}, []string{integrity}, 0, nil},
		{"switched off", flask, map[string]string{integrity: "403"}, []string{integrity}, 0, new(*fetch.UnavailableError)},
		{"broken", flask, map[string]string{integrity: "<html>"}, []string{integrity}, 0, new(*attestation.FormatError)},

		{"old name", oldFlask, map[string]string{simple: linked, integrity: provenance()}, []string{simple, integrity}, 1, nil},
		{"old name, no provenance", oldFlask, map[string]string{simple: file(`,"provenance":null`)}, []string{simple}, 0, nil},
		{"old name, no key", oldFlask, map[string]string{simple: file("")}, []string{simple}, 0, nil},
		{"old name, other digest", oldFlask, map[string]string{simple: strings.Replace(linked, pinned, strings.Repeat("0", 64), 1), integrity: provenance()}, []string{simple}, 0, nil},
		{"old name, link to nothing", oldFlask, map[string]string{simple: linked}, []string{simple, integrity}, 0, nil},
		{"old name, no project", oldFlask, nil, []string{simple, "/integrity/flask/3.1.1/Flask-3.1.1.tar.gz/provenance"}, 0, nil},
		{"old name, project only by name", oldFlask, map[string]string{"/integrity/flask/3.1.1/Flask-3.1.1.tar.gz/provenance": provenance()}, []string{simple, "/integrity/flask/3.1.1/Flask-3.1.1.tar.gz/provenance"}, 1, nil},
		{"old name, link to another host", oldFlask, map[string]string{simple: file(`,"provenance":"https://evil.org/provenance"`)}, []string{simple}, 0, new(*fetch.RefusedError)},
		{"old name, link without https", oldFlask, map[string]string{simple: file(`,"provenance":"http://pypi.org/x"`)}, []string{simple}, 0, new(*fetch.RefusedError)},
		{"old name, link to a file", oldFlask, map[string]string{simple: file(`,"provenance":"file:///etc/passwd"`)}, []string{simple}, 0, new(*fetch.RefusedError)},
		{"old name, index is switched off", oldFlask, map[string]string{simple: "403"}, []string{simple}, 0, new(*fetch.UnavailableError)},
		{"old name, broken index", oldFlask, map[string]string{simple: `{"files":[{}`}, []string{simple}, 0, new(*attestation.FormatError)},
		{"elsewhere", "https://example.org/flask-3.1.1.tar.gz", nil, nil, 0, new(error)},
	} {
		t.Run(c.name, func(t *testing.T) {
			resolver, asked := index(t, c.answers)
			d, err := resolver.Discover(context.Background(), query(t, c.url))
			switch {
			case c.name == "elsewhere":
				if !errors.Is(err, attestation.ErrNotMine) {
					t.Errorf("error %v", err)
				}
			case c.kind == nil && err != nil:
				t.Fatal(err)
			case c.kind != nil && !errors.As(err, c.kind):
				t.Fatalf("error %T %v, wanted %T", err, err, c.kind)
			}
			if diff := cmp.Diff(c.asked, paths(*asked)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if len(d.Candidates) != c.found || len(d.Addresses) != len(c.asked) {
				t.Errorf("%d candidates of %v", len(d.Candidates), d.Addresses)
			}
			if len(d.BundleURLs) > 0 || d.Pooled {
				t.Errorf("%v %v", d.BundleURLs, d.Pooled)
			}
			for _, candidate := range d.Candidates {
				if candidate.MatchSubject == nil || candidate.Pooled {
					t.Error("the candidate is taken for one of a pool, or of any name")
				}
			}
		})
	}
}

// Which names are taken for PyPI's own spelling.
func TestDiscoverByNameOrByDigest(t *testing.T) {
	hex := "ab/cd/0123456789012345678901234567890123456789012345678901234567ef/"
	for _, c := range []struct {
		url    string
		byName bool
	}{
		{"source/f/foo-bar/foo_bar-1.0.tar.gz", true},
		{"source/f/foo-bar/foo-bar-1.0.tar.gz", false},
		{"source/f/foo.bar/foo.bar-1.0.tar.gz", false},
		{"source/F/Foo/Foo-1.0.tar.gz", false},
		{"source/f/foo/foo-1.0.zip", true},
		{"source/f/foo/foo-1.0-beta.tar.gz", false},
		{"source/f/foo/foo-1.0.post1.tar.gz", true},
		{hex + "foo_bar-1.0.tar.gz", true},
		{hex + "foo-bar-1.0.tar.gz", false},
		{"py3/f/foo-bar/foo_bar-1.0-py3-none-any.whl", true},
		{"py3/f/foo-bar/Foo_Bar-1.0-py3-none-any.whl", false},
	} {
		resolver, asked := index(t, nil)
		if _, err := resolver.Discover(context.Background(), query(t, "https://pypi.org/packages/"+c.url)); err != nil {
			t.Errorf("%s: %v", c.url, err)
		}
		if byName := strings.HasPrefix((*asked)[0], "/integrity/"); byName != c.byName {
			t.Errorf("%s: asked %v", c.url, *asked)
		}
	}
}

// A project is a PyPI with one project of many files.
type project struct {
	*pypi.Resolver
	mu    sync.Mutex
	asked []string
}

// newProject serves files 0 to n-1, of which every third has provenance, and the
// index as it is given.
func newProject(t *testing.T, n int, serve func(w http.ResponseWriter) bool) *project {
	t.Helper()
	p := &project{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.URL.Path)
		p.mu.Unlock()
		switch {
		case strings.HasPrefix(r.URL.Path, "/simple/"):
			if serve != nil && serve(w) {
				return
			}
			var files []string
			for i := range n {
				link := ""
				if i%3 == 0 {
					link = fmt.Sprintf(`,"provenance":"https://pypi.org/integrity/foo/%d.0/foo-%d.0.tar.gz/provenance"`, i, i)
				}
				files = append(files, fmt.Sprintf(`{"filename":"foo-%d.0.tar.gz","hashes":{"sha256":"%064d"}%s}`, i, i, link))
			}
			fmt.Fprintf(w, `{"versions":[],"files":[%s],"meta":{}}`, strings.Join(files, ","))
		default:
			var i int
			if _, err := fmt.Sscanf(r.URL.Path, "/integrity/foo/%d.0/", &i); err != nil || i%3 != 0 {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, provenance())
		}
	}))
	t.Cleanup(server.Close)
	client := &fetch.Client{Mirrors: []fetch.Mirror{{From: "https://pypi.org/", To: server.URL + "/"}}, Timeout: 5 * time.Second, Retries: -1}
	t.Cleanup(client.Close)
	p.Resolver = &pypi.Resolver{Client: client}
	return p
}

func (p *project) count(prefix string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// discover asks for a file, and says what was found and whom the answer names.
func (p *project) discover(t *testing.T, i int, format string) string {
	t.Helper()
	d, err := digest.ParseSHA256(fmt.Sprintf("%064d", i))
	if err != nil {
		t.Fatal(err)
	}
	q := attestation.Query{SHA256: d, URLs: []string{"https://pypi.org/packages/source/f/foo/" + fmt.Sprintf(format, i)}, MaxBytes: 1 << 20}
	found, err := p.Discover(t.Context(), q)
	return fmt.Sprint(len(found.Candidates), found.Addresses, err)
}

// Many files of a project cost one answer of its index, and what is found does
// not depend on how many were asked for before, nor on who was first.
func TestDiscoverManyFilesOfAProject(t *testing.T) {
	const n = 60
	alone := make([]string, n)
	for i := range n {
		alone[i] = newProject(t, n, nil).discover(t, i, "foo-%d.0.tar.gz")
	}
	many := newProject(t, n, nil)
	got := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { got[i] = many.discover(t, i, "foo-%d.0.tar.gz") })
	}
	wg.Wait()
	if diff := cmp.Diff(alone, got); diff != "" {
		t.Errorf("(-asked for alone +among others):\n%s", diff)
	}
	if simple, all := many.count("/simple/"), many.count("/"); simple != 1 || all > 1+2+n/3 {
		t.Errorf("%d requests, %d of them for the index", all, simple)
	}
	if !strings.HasPrefix(alone[0], "1 ") || !strings.HasPrefix(alone[1], "0 ") {
		t.Errorf("found %s and %s", alone[0], alone[1])
	}
}

// Files with old names share the answer too.
func TestDiscoverOldNamesOfAProject(t *testing.T) {
	p := newProject(t, 30, nil)
	for i := range 30 {
		got, want := p.discover(t, i, "Foo-%d.0.tar.gz"), "0 "
		if i%3 == 0 {
			want = "1 "
		}
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "<nil>") {
			t.Errorf("file %d: %s", i, got)
		}
	}
	if simple, all := p.count("/simple/"), p.count("/"); simple != 1 || all != 11 {
		t.Errorf("%d requests, %d of them for the index", all, simple)
	}
}

// An index that fails is no answer, and nothing is remembered of it. Files with a
// certain name do not need it.
func TestDiscoverWithoutAnIndex(t *testing.T) {
	failures := 0
	p := newProject(t, 30, func(w http.ResponseWriter) bool {
		if failures++; failures <= 2 {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	for range 2 {
		if got := p.discover(t, 3, "Foo-%d.0.tar.gz"); !strings.Contains(got, "unavailable") {
			t.Errorf("found %s", got)
		}
	}
	if got := p.discover(t, 3, "Foo-%d.0.tar.gz"); !strings.HasPrefix(got, "1 ") {
		t.Errorf("found %s", got)
	}
	p = newProject(t, 30, func(w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	for i := range 9 {
		want := "0 "
		if i%3 == 0 {
			want = "1 "
		}
		if got := p.discover(t, i, "foo-%d.0.tar.gz"); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "<nil>") {
			t.Errorf("file %d: %s", i, got)
		}
	}
}

// A large index is read all the same, and one above the limit is an error.
func TestDiscoverInALargeIndex(t *testing.T) {
	var padding int
	p := newProject(t, 30, func(w http.ResponseWriter) bool {
		fmt.Fprintf(w, `{"padding":%q,"files":[{"filename":"foo-3.0.tar.gz","hashes":{"sha256":"%064d"},"provenance":"https://pypi.org/integrity/foo/3.0/x"}]}`, strings.Repeat("x", padding), 3)
		return true
	})
	for _, c := range []struct {
		padding int
		want    string
	}{
		{pypi.MaxIndex, "too large"},
		{3 << 20, "1 ["},
	} {
		padding = c.padding
		if got := p.discover(t, 3, "Foo-%d.0.tar.gz"); !strings.Contains(got, c.want) {
			t.Errorf("%d bytes: %.200s", c.padding, got)
		}
	}
}

// Who gives up does not hold the others up, nor takes the answer from them.
func TestDiscoverCancelled(t *testing.T) {
	arrived, goOn := make(chan struct{}, 8), make(chan struct{})
	p := newProject(t, 30, func(http.ResponseWriter) bool {
		arrived <- struct{}{}
		<-goOn
		return false
	})
	first, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	q := query(t, "https://pypi.org/packages/source/f/foo/Foo-3.0.tar.gz")
	go func() {
		_, err := p.Discover(first, q)
		gone <- err
	}()
	<-arrived
	other := make(chan string)
	go func() { other <- p.discover(t, 3, "Foo-%d.0.tar.gz") }()
	waiting, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := p.Discover(waiting, q); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v of one who waited", err)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(goOn)
	if got := <-other; !strings.HasPrefix(got, "1 ") {
		t.Errorf("found %s", got)
	}
}
