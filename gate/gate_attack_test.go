package gate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/report"
)

// Whatever becomes of a source, what is secret in its addresses is neither in
// the library's results nor in a report.
func TestSecretsAreNotReported(t *testing.T) {
	u := newUpstream(t)
	u.files["/html"] = []byte("<html>")
	sum := sha256.Sum256(archive)
	const address = "https://user:sesame@pypi.org/x/a.tar.gz?token=sesame"
	attested := func(more string) string {
		return fmt.Sprintf("url: %q\n  sha256: %x\n  attestation: {publishers: 'github:a/b'%s}\n", address, sum, more)
	}
	for name, source := range map[string]string{
		"no evidence address": attested(""),
		"no evidence":         attested(", bundle_url: 'https://u:sesame@pypi.org/absent?sig=sesame'"),
		"evidence malformed":  attested(", bundle_url: 'https://u:sesame@pypi.org/html?sig=sesame'"),
		"evidence refused":    attested(", bundle_url: 'https://u:sesame@169.254.169.254/?sig=sesame'"),
		"no block":            fmt.Sprintf("url: %q\n  sha256: %x\n", address, sum),
		"git":                 "git: 'https://user:sesame@example.org/a.git?token=sesame'\n",
	} {
		path := u.write(t, strings.ReplaceAll(name, " ", "-")+".yaml", "package: {name: x, version: 1}\nsource:\n  "+source)
		o := u.options()
		o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://other.example.org/", To: "https://user:sesame@mirror.example.org/"})
		var text, document bytes.Buffer
		handlers := []report.Handler{&report.Text{W: &text, Verbose: true}, &report.JSON{W: &document}}
		for _, h := range handlers {
			if err := h.Start(o.Demands()); err != nil {
				t.Fatal(err)
			}
		}
		summary, err := gate.Run(context.Background(), []string{path}, o, func(r audit.Result) error {
			if strings.Contains(r.Message+r.Hint+r.Other, "sesame") {
				t.Errorf("%s: the result holds a secret: %q %q %q", name, r.Message, r.Hint, r.Other)
			}
			return errors.Join(handlers[0].Result(r), handlers[1].Result(r))
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range []*bytes.Buffer{&text, &document} {
			if err := handlers[i].End(summary); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "sesame") {
				t.Errorf("%s: the report holds a secret:\n%s", name, b)
			}
		}
	}
}

// Eight sources with evidence of 16 MiB each took 1 GiB, all at a time; they are
// taken one after the other, and judged as any other.
func TestLargeEvidenceIsJudgedAsAnyOther(t *testing.T) {
	u := newUpstream(t)
	signed := func(repository string) []byte {
		s := sigstoretest.Attest("harbour_lights-2.4.1.tar.gz", archive)
		s.Predicate = strings.Repeat("x", 2<<20)
		return u.sigstore.Sign(s, sigstoretest.GitHub(repository), sigstoretest.RekorV1).JSON()
	}
	u.files["/good.json"], u.files["/evil.json"] = signed(repository), signed("evil/x")
	u.files["/endless.json"] = bytes.Repeat([]byte{' '}, 17<<20)
	var sources strings.Builder
	sum := sha256.Sum256(archive)
	names := []string{"good", "evil", "endless", "good", "evil", "good"}
	for i, name := range names {
		fmt.Fprintf(&sources, "  - {url: 'https://pypi.org%s?%d', sha256: %x, attestation: {publishers: 'github:%s', bundle_url: 'https://pypi.org/%s.json'}}\n",
			sdist, i, sum, repository, name)
	}
	path := u.write(t, "recipe.yaml", "package: {name: x, version: 1}\nsource:\n"+sources.String())
	o := u.options()
	o.Timeout = 10 * time.Second
	report, err := gate.Verify(context.Background(), path, o)
	var refusal *gate.Refusal
	if !errors.As(err, &refusal) || refusal.Status != audit.StatusError || len(report.Results) != len(names) {
		t.Fatalf("%d results, error %v", len(report.Results), err)
	}
	want := map[string]audit.Verdict{"good": audit.Verified, "evil": audit.Mismatch, "endless": audit.Error}
	for i, r := range report.Results {
		if r.Verdict != want[names[i]] {
			t.Errorf("%s: %s, %s", names[i], r.Verdict, r.Message)
		}
		if r.Verdict == audit.Error && (r.Code != audit.CodeTooLarge || strings.Contains(r.Hint, "--max-archive-size")) {
			t.Errorf("%s: code %s, hint %q", names[i], r.Code, r.Hint)
		}
	}
}

// Reading many recipes takes time too, and ends when it is told to.
func TestInterruptWhileRecipesAreRead(t *testing.T) {
	u := newUpstream(t)
	path := u.recipe(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	var paths []string
	for range 1000 {
		paths = append(paths, path)
	}
	cancel()
	results := 0
	summary, err := gate.Run(ctx, paths, u.options(), func(audit.Result) error { results++; return nil })
	if !errors.Is(err, context.Canceled) || summary.Status != audit.StatusInterrupted || results > 0 {
		t.Errorf("status %d, error %v, %d results", summary.Status, err, results)
	}
}

// A list of recipes that came out empty verifies nothing.
func TestNoRecipesAreAnError(t *testing.T) {
	u := newUpstream(t)
	summary, err := gate.Run(context.Background(), nil, u.options(), func(audit.Result) error { return nil })
	if err == nil || summary.Status == audit.StatusOK {
		t.Errorf("status %d, error %v", summary.Status, err)
	}
}
