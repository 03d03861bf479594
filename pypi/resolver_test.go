package pypi_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/pypi"
)

const pinned = "284c7b8f2f58cb737f0cf1c30fd7eaf0ccfcde196099d24ecede3fc2005aa59e"

// provenance is a document that has the form of PyPI's, and was signed by
// nobody.
func provenance() string {
	statement := base64.StdEncoding.EncodeToString([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
	return fmt.Sprintf(`{"version":1,"attestation_bundles":[{"attestations":[{"version":1,"verification_material":{"certificate":"AA==","transparency_entries":[]},"envelope":{"statement":%q,"signature":"AA=="}}]}]}`, statement)
}

// index serves answers by path, and 404 for all else; an answer that is a
// number is a status.
func index(t *testing.T, answers map[string]string) (*pypi.Resolver, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Accept"))
		answer, ok := answers[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case len(answer) == 3:
			var status int
			fmt.Sscan(answer, &status)
			w.WriteHeader(status)
		default:
			fmt.Fprint(w, answer)
		}
	}))
	t.Cleanup(server.Close)
	client := &fetch.Client{
		Mirrors: []fetch.Mirror{{From: "https://pypi.org/", To: server.URL + "/"}},
		Timeout: 2 * time.Second,
	}
	t.Cleanup(client.Close)
	return &pypi.Resolver{Client: client}, &asked
}

func query(t *testing.T, urls ...string) attestation.Query {
	t.Helper()
	d, err := digest.ParseSHA256(pinned)
	if err != nil {
		t.Fatal(err)
	}
	return attestation.Query{URLs: urls, SHA256: d}
}

const (
	flask     = "https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz"
	integrity = "/integrity/flask/3.1.1/flask-3.1.1.tar.gz/provenance"
	simple    = "/simple/flask/"
)

func simplePage(file string) string {
	return `{"meta":{"api-version":"1.3"},"name":"flask","files":[{"filename":"flask-0.1.tar.gz","hashes":{"sha256":"00"}},` + file + `]}`
}

func TestResolve(t *testing.T) {
	file := func(provenance string) string {
		return fmt.Sprintf(`{"filename":"Flask-3.1.1.tar.gz","hashes":{"sha256":%q},"provenance":%s}`, pinned, provenance)
	}
	for _, c := range []struct {
		name    string
		answers map[string]string
		asked   []string
		want    string // "found", or part of the error
		kind    any    // what the error must be
	}{
		{"by the file's name", map[string]string{integrity: provenance()}, []string{integrity}, "found", nil},
		{
			"by digest",
			map[string]string{simple: simplePage(file(`"https://pypi.org/integrity/flask/3.1.1/Flask-3.1.1.tar.gz/provenance"`)), "/integrity/flask/3.1.1/Flask-3.1.1.tar.gz/provenance": provenance()},
			[]string{integrity, simple, "/integrity/flask/3.1.1/Flask-3.1.1.tar.gz/provenance"},
			"found", nil,
		},
		{"neither", nil, []string{integrity, simple}, "PyPI has no attestation for flask-3.1.1.tar.gz", new(*attestation.NoneError)},
		{"other digests only", map[string]string{simple: simplePage(`{"filename":"x","hashes":{"sha256":"11"}}`)}, []string{integrity, simple}, "no attestation", new(*attestation.NoneError)},
		{"file without provenance", map[string]string{simple: simplePage(file("null"))}, []string{integrity, simple}, "no attestation", new(*attestation.NoneError)},
		{"link to nothing", map[string]string{simple: simplePage(file(`"https://pypi.org/integrity/x"`))}, []string{integrity, simple, "/integrity/x"}, "no attestation", new(*attestation.NoneError)},
		{"link to another host", map[string]string{simple: simplePage(file(`"https://evil.org/provenance"`))}, []string{integrity, simple}, "lies elsewhere", new(*fetch.RefusedError)},
		{"link to a host with more after it", map[string]string{simple: simplePage(file(`"https://pypi.org.evil.org/x"`))}, []string{integrity, simple}, "lies elsewhere", new(*fetch.RefusedError)},
		{"link with user information", map[string]string{simple: simplePage(file(`"https://pypi.org@evil.org/x"`))}, []string{integrity, simple}, "lies elsewhere", new(*fetch.RefusedError)},
		{"link without https", map[string]string{simple: simplePage(file(`"http://pypi.org/x"`))}, []string{integrity, simple}, "lies elsewhere", new(*fetch.RefusedError)},
		{"link to a file", map[string]string{simple: simplePage(file(`"file:///etc/passwd"`))}, []string{integrity, simple}, "lies elsewhere", new(*fetch.RefusedError)},
		{"switched off", map[string]string{integrity: "403"}, []string{integrity}, "403", new(*fetch.UnavailableError)},
		{"index is switched off", map[string]string{simple: "403"}, []string{integrity, simple}, "403", new(*fetch.UnavailableError)},
		{"provenance that is no JSON", map[string]string{integrity: "<html>"}, []string{integrity}, "malformed", new(*attestation.FormatError)},
		{"index that is no JSON", map[string]string{simple: "<html>"}, []string{integrity, simple}, "malformed", new(*attestation.FormatError)},
		{"index of another form", map[string]string{simple: `{"files":{}}`}, []string{integrity, simple}, "malformed", new(*attestation.FormatError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			resolver, asked := index(t, c.answers)
			answer, err := resolver.Resolve(context.Background(), query(t, flask))
			if c.kind == nil && err != nil {
				t.Fatal(err)
			}
			if c.kind != nil && (!errors.As(err, c.kind) || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %T %v, wanted %T with %q", err, err, c.kind, c.want)
			}
			var paths []string
			for _, a := range *asked {
				path, accept, _ := strings.Cut(a, " ")
				paths = append(paths, path)
				if !strings.HasPrefix(accept, "application/vnd.pypi.") {
					t.Errorf("asked for %s with Accept: %s", path, accept)
				}
			}
			if diff := cmp.Diff(c.asked, paths); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if len(answer.Addresses) != len(c.asked) {
				t.Errorf("%d addresses are accounted for, %d were asked", len(answer.Addresses), len(c.asked))
			}
			for _, candidate := range answer.Candidates {
				if candidate.MatchSubject == nil || !candidate.MatchSubject("flask-3.1.1.tar.gz") || candidate.MatchSubject("flask_cors-3.1.1.tar.gz") {
					t.Error("the candidate does not tell its subject's name from others")
				}
			}
		})
	}
}

func TestResolveIsNotMine(t *testing.T) {
	resolver, asked := index(t, nil)
	withBundle := query(t, flask)
	withBundle.BundleURLs = []string{"https://example.org/b"}
	for name, q := range map[string]attestation.Query{
		"other host": query(t, "https://github.com/a/b/releases/download/v1/flask-3.1.1.tar.gz"),
		"bundle_url": withBundle,
		"nothing":    query(t),
	} {
		if _, err := resolver.Resolve(context.Background(), q); !errors.Is(err, attestation.ErrNotMine) {
			t.Errorf("%s: error %v, wanted ErrNotMine", name, err)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("asked for %v", *asked)
	}
}

// The second of two addresses is on PyPI.
func TestResolveTakesTheFirstAddressOnPyPI(t *testing.T) {
	resolver, _ := index(t, map[string]string{integrity: provenance()})
	answer, err := resolver.Resolve(context.Background(), query(t, "https://example.org/flask-3.1.1.tar.gz", flask))
	if err != nil || len(answer.Candidates) != 1 {
		t.Errorf("%d candidates, error %v", len(answer.Candidates), err)
	}
}
