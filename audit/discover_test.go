package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// A finder discovers what a world has.
type finder struct{ *world }

func (f finder) Discover(ctx context.Context, q attestation.Query) (attestation.Discovery, error) {
	switch {
	case strings.Contains(q.URLs[0], "foreign"):
		return attestation.Discovery{}, attestation.ErrNotMine
	case strings.Contains(q.URLs[0], "large") && q.MaxBytes < attestation.MaxDocument:
		return attestation.Discovery{}, &fetch.TooLargeError{URL: q.URLs[0], Limit: q.MaxBytes, Size: -1}
	case strings.Contains(q.URLs[0], "tag-archive"):
		return attestation.Discovery{Unattestable: "it is made anew on each request", Replacement: "https://example.org/asset"}, nil
	}
	answer, err := f.Resolve(ctx, q)
	var none *attestation.NoneError
	if errors.As(err, &none) {
		err = nil
	}
	return attestation.Discovery{Answer: answer, BundleURLs: answer.Addresses}, err
}

// without takes the attestation block out of a source.
func without(line string) string {
	before, _, _ := strings.Cut(line, ", attestation")
	return before + "}\n"
}

func TestDiscover(t *testing.T) {
	w := newWorld(t)
	other := sigstoretest.New(sigstoretest.Options{})
	address := func(name string) string { return "https://example.org/" + name + ".tar.gz" }
	attest := func(name string, id sigstoretest.Identity, knobs ...sigstoretest.Knob) []byte {
		return w.sigstore.Sign(sigstoretest.Attest(name+".tar.gz", []byte(name)), id, sigstoretest.RekorV1, knobs...).JSON()
	}
	w.evidence[address("forged")] = attest("forged", sigstoretest.GitHub("acme/forged"), sigstoretest.ForgedSignature())
	w.evidence[address("unknown-instance")] = other.Sign(sigstoretest.Attest("unknown-instance.tar.gz", []byte("unknown-instance")), sigstoretest.GitHub("acme/x"), sigstoretest.RekorV1).JSON()
	w.evidence[address("person")] = attest("person", sigstoretest.Email("release@example.org", "https://accounts.google.com"))
	w.evidence[address("reusable")] = attest("reusable", sigstoretest.GitHub("acme/reusable", func(r *sigstoretest.GitHubRun) { r.SignerRepository = "ci/workflows" }))
	w.evidence[address("unreadable")] = []byte("<html>")
	names := []string{"plain", "forged", "unknown-instance", "person", "reusable", "unreadable", "none", "down", "tag-archive", "foreign", "large"}
	lines := make([]string, len(names))
	for i, name := range names {
		lines[i] = without(w.source(name, "x"))
	}
	delete(w.evidence, address("none"))
	w.broken[address("down")] = errors.New("the network is down")
	w.recipe(t, lines...)
	w.recipe(t, lines[0], "  - {url: https://example.org/unpinned.tar.gz}\n")

	auditor := w.auditor(audit.Options{Discover: true})
	auditor.Discoverers = []attestation.Discoverer{finder{w}}
	var got []string
	summary, err := auditor.Run(t.Context(), w.recipes, func(r audit.Result) error {
		if r.Verdict != audit.Unattested || r.Code != audit.CodeNoBlock {
			t.Errorf("%s: %s %s", r.URLs, r.Verdict, r.Code)
		}
		if r.Finding == nil {
			got = append(got, "nobody looked")
			return nil
		}
		got = append(got, fmt.Sprintf("%s genuine=%t %s %s", r.Finding.Kind, r.Finding.Genuine, r.Finding.Publisher, r.Finding.Replacement))
		return nil
	})
	if err != nil || summary.Status != audit.StatusOK {
		t.Fatal(err, summary)
	}
	want := []string{
		"attestable genuine=true github:acme/plain ",
		"attestable genuine=false  ",
		"attestable genuine=false  ",
		"attestable genuine=true release@example.org (https://accounts.google.com) ",
		"attestable genuine=false  ",
		"attestable genuine=false  ",
		"no-evidence genuine=false  ",
		"unknown genuine=false  ",
		"not-attestable genuine=false  https://example.org/asset",
		"not-asked genuine=false  ",
		"attestable genuine=true github:acme/large ",
		"attestable genuine=true github:acme/plain ",
		"nobody looked",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := w.asked[address("plain")]; n != 1 {
		t.Errorf("asked %d times for one source", n)
	}
}

// Nobody is asked, and no trust is loaded, unless the run is to discover.
func TestNothingIsDiscoveredUnasked(t *testing.T) {
	w := newWorld(t)
	w.recipe(t, without(w.source("a", "x")))
	auditor := w.auditor(audit.Options{})
	auditor.Discoverers = []attestation.Discoverer{finder{w}}
	auditor.Roots = func(context.Context) (*trust.Roots, error) {
		t.Error("trusted roots were loaded")
		return nil, errors.New("no")
	}
	_, err := auditor.Run(t.Context(), w.recipes, func(r audit.Result) error {
		if r.Finding != nil {
			t.Errorf("found %v", r.Finding)
		}
		return nil
	})
	if err != nil || len(w.asked) > 0 {
		t.Errorf("%v, asked %v", err, w.asked)
	}
}
