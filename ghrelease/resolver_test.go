package ghrelease_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/ghrelease"
)

const bundle = `{"mediaType":"m"}`

func TestResolve(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/one.sigstore.json":
			fmt.Fprint(w, bundle)
		case "/lines.intoto.jsonl":
			fmt.Fprintln(w, bundle+"\n"+bundle)
		case "/array.json":
			fmt.Fprint(w, "["+bundle+","+bundle+","+bundle+"]")
		case "/full.jsonl":
			fmt.Fprint(w, strings.Repeat(bundle, attestation.MaxBundles))
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/html":
			fmt.Fprint(w, "<html>")
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	client := &fetch.Client{Timeout: 5 * time.Second}
	defer client.Close()
	resolver := &ghrelease.Resolver{Client: client}
	for _, c := range []struct {
		name, paths string
		want        int
		kind        any
	}{
		{"bundle", "/one.sigstore.json", 1, nil},
		{"lines", "/lines.intoto.jsonl", 2, nil},
		{"array", "/array.json", 3, nil},
		{"pooled", "/one.sigstore.json /lines.intoto.jsonl /array.json", 6, nil},
		{"one of two is absent", "/absent /one.sigstore.json", 1, nil},
		{"all absent", "/absent /other", 0, new(*attestation.NoneError)},
		{"one of two is forbidden", "/one.sigstore.json /forbidden", 0, new(*fetch.UnavailableError)},
		{"one of two is no evidence", "/one.sigstore.json /html", 0, new(*attestation.FormatError)},
		{"too many together", "/full.jsonl /one.sigstore.json", 0, new(*attestation.FormatError)},
		{"endless", "/endless", 0, new(*fetch.TooLargeError)},
		{"too many addresses", strings.Repeat("/one.sigstore.json ", ghrelease.MaxBundleURLs+1), 0, new(*attestation.FormatError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := attestation.Query{URLs: []string{"https://example.org/a.tar.gz"}}
			for _, p := range strings.Fields(c.paths) {
				q.BundleURLs = append(q.BundleURLs, server.URL+p)
			}
			answer, err := resolver.Resolve(context.Background(), q)
			if c.kind != nil {
				if !errors.As(err, c.kind) {
					t.Fatalf("error %T %v, wanted %T", err, err, c.kind)
				}
				return
			}
			if err != nil || len(answer.Candidates) != c.want {
				t.Errorf("%d candidates and error %v, wanted %d", len(answer.Candidates), err, c.want)
			}
		})
	}
}

func TestResolveIsNotMine(t *testing.T) {
	_, err := (&ghrelease.Resolver{}).Resolve(context.Background(), attestation.Query{URLs: []string{"https://github.com/a/b"}})
	if !errors.Is(err, attestation.ErrNotMine) {
		t.Errorf("error %v, wanted ErrNotMine", err)
	}
}
