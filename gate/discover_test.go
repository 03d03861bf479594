package gate_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// What is found for sources without a block verifies, once it is written down.
func TestDiscover(t *testing.T) {
	u := newUpstream(t)
	asset := func(name string) string { return "/anchor/anchor/releases/download/v1.0/" + name }
	lookup := func(name string) string {
		return fmt.Sprintf("/repos/anchor/anchor/attestations/sha256:%x", sha256.Sum256([]byte(name)))
	}
	stranger := sigstoretest.New(sigstoretest.Options{})
	sign := func(s *sigstoretest.Sigstore, name string) []byte {
		return s.Sign(sigstoretest.Attest(name, []byte(name)), sigstoretest.GitHub("anchor/anchor"), sigstoretest.RekorV1).JSON()
	}
	answer := func(bundles ...[]byte) []byte {
		var list []string
		for _, b := range bundles {
			list = append(list, fmt.Sprintf(`{"repository_id":1,"bundle":%s}`, b))
		}
		return fmt.Appendf(nil, `{"attestations":[%s]}`, strings.Join(list, ","))
	}
	u.files[lookup("pooled.tar.gz")] = answer(sign(stranger, "pooled.tar.gz"), sign(u.sigstore, "pooled.tar.gz"))
	u.files[lookup("strange.tar.gz")] = answer(sign(stranger, "strange.tar.gz"))
	u.files[asset("beside.tar.gz")+".sigstore.json"] = sign(u.sigstore, "beside.tar.gz")
	u.files["/repos/anchor/anchor/releases/tags/v1.0"] = []byte(`{"assets":[{"name":"anchor-1.0.tar.gz","state":"uploaded"}]}`)
	u.status[lookup("down.tar.gz")] = 403

	options := func() gate.Options {
		o := u.options()
		o.NoDownload, o.Discover, o.GitHubToken = true, true, " sesame\n"
		for _, host := range []string{"github.com", "api.github.com"} {
			o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://" + host + "/", To: u.URL + "/"})
		}
		return o
	}
	source := func(url, content, block string) string {
		return fmt.Sprintf("  - {url: %q, sha256: %x%s}\n", url, sha256.Sum256([]byte(content)), block)
	}
	names := []string{"pooled.tar.gz", "strange.tar.gz", "beside.tar.gz", "down.tar.gz", "none.tar.gz"}
	text := "package: {name: x, version: 1}\nsource:\n" + source("https://pypi.org"+sdist, string(archive), "")
	for _, name := range names {
		text += source("https://github.com"+asset(name), name, "")
	}
	text += source("https://github.com/anchor/anchor/archive/v1.0.tar.gz", "x", "") + source("https://example.org/x.tar.gz", "x", "")
	findings := map[string]*audit.Finding{}
	var got []string
	_, err := gate.Run(context.Background(), []string{u.write(t, "found.yaml", text)}, options(), func(r audit.Result) error {
		f := r.Finding
		if f == nil || r.Verdict != audit.Unattested {
			t.Fatalf("%s: %s, finding %v", r.URLs, r.Verdict, f)
		}
		findings[r.URLs[0]] = f
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %t %s %d %s", r.Resolver, f.Kind, f.Genuine, f.Publisher, len(f.BundleURLs), f.Replacement)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"pypi attestable true github:harbour-lights/harbour-lights 0",
		"ghrelease attestable true github:anchor/anchor 1",
		"ghrelease attestable false  1",
		"ghrelease attestable true github:anchor/anchor 1",
		"ghrelease unknown false  0",
		"ghrelease no-evidence false  0",
		"ghrelease not-attestable false  0 https://github.com/anchor/anchor/releases/download/v1.0/anchor-1.0.tar.gz",
		"not-asked false  0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	text = "package: {name: x, version: 1}\nsource:\n"
	for _, name := range []string{"pooled.tar.gz", "beside.tar.gz", "strange.tar.gz"} {
		f := findings["https://github.com"+asset(name)]
		text += source("https://github.com"+asset(name), name, fmt.Sprintf(", attestation: {bundle_url: %q, publishers: [%q]}", f.BundleURLs[0], "github:anchor/anchor"))
	}
	got = nil
	_, err = gate.Run(context.Background(), []string{u.write(t, "written.yaml", text)}, options(), func(r audit.Result) error {
		got = append(got, fmt.Sprintf("%s %s", r.Verdict, r.Code))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"verified verified-metadata-only", "verified verified-metadata-only", "invalid unknown-authority"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
