package gate_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
)

const pypiLinks = "/pypi/harbour-lights/2.4.1/json"

// proposing gives options for proposals, with PyPI and GitHub on the upstream.
func (u *upstream) proposing() gate.Options {
	o := u.options()
	o.NoDownload, o.Propose = true, true
	for _, host := range []string{"github.com", "api.github.com", "raw.githubusercontent.com", "codeload.github.com"} {
		o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://" + host + "/", To: u.URL + "/"})
	}
	return o
}

// What is proposed for each kind of source verifies, once it is written down with
// the one bundle_url that it needs.
func TestProposed(t *testing.T) {
	u := newUpstream(t)
	digestOf := func(name string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(name))) }
	lookup := func(repository, name string) string {
		return "/repos/" + repository + "/attestations/sha256:" + digestOf(name)
	}
	sign := func(name, repository string) []byte {
		return u.sigstore.Sign(sigstoretest.Attest(name, []byte(name)), sigstoretest.GitHub(repository), sigstoretest.RekorV1).JSON()
	}
	pool := func(name, repository string) []byte {
		return fmt.Appendf(nil, `{"attestations":[{"repository_id":1,"bundle":%s}]}`, sign(name, repository))
	}
	asset := func(name string) string { return "/anchor/anchor/releases/download/v1.0/" + name }
	stranger := sigstoretest.New(sigstoretest.Options{})
	sources := []struct{ name, url string }{
		{"both", "https://github.com" + asset("both")},
		{"pooled", "https://github.com" + asset("pooled")},
		{"unjudged", "https://github.com" + asset("unjudged")},
		{"tag", "https://github.com/anchor/anchor/archive/refs/tags/v1.0.tar.gz"},
		{"commit", "https://codeload.github.com/anchor/anchor/tar.gz/0123456789012345678901234567890123456789"},
		{"raw", "https://raw.githubusercontent.com/anchor/anchor/v1.0/raw"},
		{"elsewhere", "https://example.org/elsewhere"},
		{"unproven-1.0.tar.gz", "https://pypi.org/packages/source/u/unproven/unproven-1.0.tar.gz"},
	}
	u.files[asset("both")+".sigstore.json"] = sign("both", "anchor/anchor")
	u.files[lookup("anchor/anchor", "both")] = pool("both", "anchor/other")
	u.files[asset("unjudged")+".sigstore.json"] = stranger.Sign(sigstoretest.Attest("x", []byte("unjudged")), sigstoretest.GitHub("anchor/anchor"), sigstoretest.RekorV1).JSON()
	for _, name := range []string{"pooled", "unjudged", "tag", "commit", "raw"} {
		u.files[lookup("anchor/anchor", name)] = pool(name, "anchor/anchor")
	}
	u.files[lookup("anchor/stated", "elsewhere")] = pool("elsewhere", "anchor/stated")
	u.files[lookup("anchor/stated", "unproven-1.0.tar.gz")] = pool("unproven-1.0.tar.gz", "anchor/stated")

	const head = "package: {name: x, version: 1}\nabout: {repository: https://github.com/anchor/stated}\nsource:\n"
	text := head
	for _, s := range sources {
		text += fmt.Sprintf("  - {url: %q, sha256: %s}\n", s.url, digestOf(s.name))
	}
	written := head
	var got []string
	for i, r := range results(t, u.proposing(), u.write(t, "recipe.yaml", text)) {
		f := r.Finding
		if f == nil || !f.Genuine || len(f.Publishers) != 1 || f.Publishers[0].String() != f.Publisher {
			t.Fatalf("%v: %+v", r.URLs, f)
		}
		got = append(got, fmt.Sprintf("%s %s %s", r.Resolver, f.Publisher, strings.TrimSuffix(f.Way, digestOf(sources[i].name))))
		written += fmt.Sprintf("  - {url: %q, sha256: %s, attestation: {bundle_url: %q, publishers: [%q]}}\n", sources[i].url, digestOf(sources[i].name), f.Way, f.Publisher)
	}
	const api = "https://api.github.com/repos/anchor/"
	want := []string{
		"ghrelease github:anchor/anchor https://github.com" + asset("both") + ".sigstore.json",
		"ghrelease github:anchor/anchor " + api + "anchor/attestations/sha256:",
		"ghrelease github:anchor/anchor " + api + "anchor/attestations/sha256:",
		"ghrelease github:anchor/anchor " + api + "anchor/attestations/sha256:",
		"ghrelease github:anchor/anchor " + api + "anchor/attestations/sha256:",
		"ghrelease github:anchor/anchor " + api + "anchor/attestations/sha256:",
		"ghrelease github:anchor/stated " + api + "stated/attestations/sha256:",
		"ghrelease github:anchor/stated " + api + "stated/attestations/sha256:",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	o := u.proposing()
	o.Propose = false
	for _, r := range results(t, o, u.write(t, "written.yaml", written)) {
		if r.Verdict != audit.Verified {
			t.Errorf("%v: %s: %s", r.URLs, r.Verdict, r.Message)
		}
	}
}

// PyPI's own evidence needs no bundle_url, and what PyPI says beside it comes
// along.
func TestProposedOnPyPI(t *testing.T) {
	before := []byte("the archive of harbour-lights 2.4.0")
	for _, c := range []struct {
		name    string
		change  func(*upstream, *gate.Options)
		links   []attestation.Link
		earlier string
		unasked int
	}{
		{"all", func(*upstream, *gate.Options) {}, []attestation.Link{{Label: "Source", URL: "https://github.com/harbour/new"}}, earlierFile, 0},
		{"no history", func(_ *upstream, o *gate.Options) { o.NoHistory = true }, []attestation.Link{{Label: "Source", URL: "https://github.com/harbour/new"}}, "", 0},
		{"no links", func(u *upstream, _ *gate.Options) { delete(u.files, pypiLinks) }, nil, earlierFile, 0},
		{"links are refused", func(u *upstream, _ *gate.Options) { u.status[pypiLinks] = 403 }, nil, earlierFile, 1},
		{"links are huge", func(u *upstream, _ *gate.Options) { u.files[pypiLinks] = make([]byte, 5<<20) }, nil, earlierFile, 1},
		{"links are no JSON", func(u *upstream, _ *gate.Options) { u.files[pypiLinks] = []byte("<html>") }, nil, earlierFile, 1},
		{"nothing of it is to be had", func(u *upstream, _ *gate.Options) { u.status[pypiLinks], u.status[simple] = 500, 500 }, nil, "", 2},
		{"links hang", func(u *upstream, _ *gate.Options) { u.hang[pypiLinks] = true }, nil, earlierFile, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.files[earlierProvenance] = sigstoretest.Provenance(u.sigstore.Sign(sigstoretest.Attest(earlierFile, before), sigstoretest.GitHub("harbour/before"), sigstoretest.RekorV1))
			u.files[simple] = fmt.Appendf(nil, `{"files":[
				{"filename":"harbour_lights-2.4.1.tar.gz","hashes":{"sha256":"%x"},"upload-time":"2026-01-01T00:00:00Z","provenance":"https://pypi.org%s"},
				{"filename":"%s","hashes":{"sha256":"%x"},"upload-time":"2025-01-01T00:00:00Z","provenance":"https://pypi.org%s"}]}`,
				sha256.Sum256(archive), integrity, earlierFile, sha256.Sum256(before), earlierProvenance)
			u.files[pypiLinks] = []byte(`{"info":{"project_urls":{"Source":"https://github.com/harbour/new"}}}`)
			o := u.proposing()
			c.change(u, &o)
			begun := time.Now()
			res := results(t, o, u.recipe(t, ""))[0]
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			f := res.Finding
			if f == nil || !f.Genuine || f.Publisher != "github:"+repository || f.Way != "" || res.Verdict != audit.Unattested {
				t.Fatalf("%+v", f)
			}
			if diff := cmp.Diff(c.links, f.Links); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			earlier := ""
			if f.Earlier != nil {
				earlier = f.Earlier.Name
				if len(f.Earlier.Signers) != 1 || f.Earlier.Signers[0].Certificate.SourceRepository != "https://github.com/harbour/before" {
					t.Errorf("%v", f.Earlier)
				}
			}
			if earlier != c.earlier || len(f.Unasked) != c.unasked {
				t.Errorf("earlier %q, unasked %q", earlier, f.Unasked)
			}
		})
	}
}

// Discover asks for what it always asked for, and nothing that only a proposal
// needs.
func TestDiscoverAsksNoMoreThanBefore(t *testing.T) {
	u := newUpstream(t)
	o := u.proposing()
	o.Propose, o.Discover = false, true
	text := fmt.Sprintf(`package: {name: x, version: 1}
about: {repository: https://github.com/anchor/stated}
source:
  - {url: "https://pypi.org%s", sha256: %x}
  - {url: "https://pypi.org/packages/source/u/unproven/unproven-1.0.tar.gz", sha256: %[2]x}
  - {url: "https://raw.githubusercontent.com/anchor/anchor/v1.0/raw", sha256: %[2]x}
  - {url: "https://example.org/x", sha256: %[2]x}
  - {url: "https://github.com/anchor/anchor/archive/v1.0.tar.gz", sha256: %[2]x}
`, sdist, sha256.Sum256(archive))
	for _, r := range results(t, o, u.write(t, "recipe.yaml", text)) {
		if f := r.Finding; f == nil || f.Links != nil || f.Earlier != nil || f.Unasked != nil || f.Publishers != nil || f.Way != "" {
			t.Errorf("%v: %+v", r.URLs, f)
		}
	}
	want := map[string]int{integrity: 1, "/integrity/unproven/1.0/unproven-1.0.tar.gz/provenance": 1, "/repos/anchor/anchor/releases/tags/v1.0": 1}
	if diff := cmp.Diff(want, u.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// Real evidence, for real archives.
func TestProposedForReal(t *testing.T) {
	o := gate.Options{
		NoDownload: true, Propose: true, Offline: true,
		Trust: trust.Config{Roots: trust.RootFiles(shared.Path(t, "trust", "public-good.json"))},
	}
	o.Mirrors = append(o.Mirrors, mirror(t, "https://", shared.Path(t, "internet")))
	const asset = "https://github.com/aspect-build/rules_lint/releases/download/v1.3.1/rules_lint-v1.3.1.tar.gz"
	u := &upstream{dir: t.TempDir()}
	path := u.write(t, "recipe.yaml", `package: {name: x, version: 1}
about: {repository: https://github.com/pypi/pypi-attestations}
source:
  - {url: "https://pypi.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz", sha256: 9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3}
  - {url: "`+asset+`", sha256: 1636f443b01c9ee310ee5834956d0dce374c3d3bf8d4cebc9f6b86f8304b4982}
`)
	var got []string
	for _, r := range results(t, o, path) {
		if r.Finding == nil {
			t.Fatal(r.Message)
		}
		got = append(got, fmt.Sprintf("%t %s %q %v", r.Finding.Genuine, r.Finding.Publisher, r.Finding.Way, r.Finding.Unasked))
	}
	want := []string{
		`true github:trailofbits/pypi-attestations "" []`,
		`false  "` + asset + `.intoto.jsonl" []`, // by a reusable workflow, which no publisher of a recipe stands for
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
