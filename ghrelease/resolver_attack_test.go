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

func resolverOf(t *testing.T, serve http.HandlerFunc) (*ghrelease.Resolver, string) {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	client := &fetch.Client{Timeout: 5 * time.Second}
	t.Cleanup(client.Close)
	return &ghrelease.Resolver{Client: client}, server.URL
}

// All documents of a source are held at a time, so they are bounded together:
// 64 addresses of 16 MiB would be 1 GiB.
func TestDocumentsAreBoundedTogether(t *testing.T) {
	long := `{"mediaType":"m","payload":"` + strings.Repeat("x", 40<<10) + `"}`
	asked := 0
	resolver, server := resolverOf(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, long)
	})
	q := attestation.Query{URLs: []string{"https://example.org/a"}, MaxBytes: 100 << 10}
	for range 2 {
		q.BundleURLs = append(q.BundleURLs, server+"/b")
	}
	if answer, err := resolver.Resolve(context.Background(), q); err != nil || len(answer.Candidates) != 2 {
		t.Fatalf("%d candidates, error %v", len(answer.Candidates), err)
	}
	for range 20 {
		q.BundleURLs = append(q.BundleURLs, server+"/b")
	}
	asked = 0
	_, err := resolver.Resolve(context.Background(), q)
	var large *fetch.TooLargeError
	if !errors.As(err, &large) || large.Limit != q.MaxBytes {
		t.Errorf("error %v", err)
	}
	if asked != 3 {
		t.Errorf("%d documents were asked for, wanted 3", asked)
	}
}

// Errors end up in reports and logs.
func TestErrorsKeepSecrets(t *testing.T) {
	resolver, server := resolverOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/html" {
			fmt.Fprint(w, "<html>")
			return
		}
		http.NotFound(w, r)
	})
	server = strings.Replace(server, "http://", "http://user:sesame@", 1)
	for _, path := range []string{"/html", "/absent"} {
		_, err := resolver.Resolve(context.Background(), attestation.Query{
			URLs:       []string{"https://user:sesame@example.org/a.tar.gz?token=sesame"},
			BundleURLs: []string{server + path + "?sig=sesame"},
		})
		if err == nil || strings.Contains(err.Error(), "sesame") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}
