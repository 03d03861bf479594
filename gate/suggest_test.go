package gate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/suggest"
)

const projectLinks = "/pypi/harbour-lights/2.4.1/json"

// links has PyPI show links beside the release.
func (u *upstream) links(labelled ...string) {
	var list []string
	for i := 0; i < len(labelled); i += 2 {
		list = append(list, fmt.Sprintf("%q:%q", labelled[i], labelled[i+1]))
	}
	u.files[projectLinks] = fmt.Appendf(nil, `{"info":{"project_urls":{%s}}}`, strings.Join(list, ","))
}

// before has the release before signed by somebody.
func (u *upstream) before(id sigstoretest.Identity) {
	content := []byte("the archive of harbour-lights 2.4.0")
	u.files[earlierProvenance] = sigstoretest.Provenance(u.sigstore.Sign(sigstoretest.Attest(earlierFile, content), id, sigstoretest.RekorV1))
	u.files[simple] = fmt.Appendf(nil, `{"meta":{"api-version":"1.3"},"name":"harbour-lights","files":[
		{"filename":"harbour_lights-2.4.1.tar.gz","hashes":{"sha256":"%x"},"upload-time":"2026-01-01T00:00:00Z","provenance":"https://pypi.org%s"},
		{"filename":"%s","hashes":{"sha256":"%x"},"upload-time":"2025-01-01T00:00:00Z","provenance":"https://pypi.org%s"}]}`,
		sha256.Sum256(archive), integrity, earlierFile, sha256.Sum256(content), earlierProvenance)
}

// signed has the archive signed by somebody.
func (u *upstream) signed(id sigstoretest.Identity, knobs ...sigstoretest.Knob) {
	b := u.sigstore.Sign(sigstoretest.Attest("harbour_lights-2.4.1.tar.gz", archive), id, sigstoretest.RekorV1, knobs...)
	u.files[integrity] = sigstoretest.Provenance(b)
}

func about(lines ...string) string { return "about:\n  " + strings.Join(lines, "\n  ") + "\n" }

func pattern(t *testing.T, text string) publishers.Pattern {
	t.Helper()
	p, err := publishers.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Who signed is held against what is said elsewhere; what does not verify, and
// what the policy does not take, is never proposed.
func TestSuggestJudgesTheSigner(t *testing.T) {
	same := func(r *sigstoretest.GitHubRun) {}
	id := func(n string) func(*sigstoretest.GitHubRun) {
		return func(r *sigstoretest.GitHubRun) { r.RepositoryID = n }
	}
	const home, source = "homepage: https://harbour.example", "repository: https://github.com/harbour-lights/harbour-lights"
	moved := about("repository: https://github.com/harbour/lights")
	for _, c := range []struct {
		name   string
		more   string // of the recipe
		change func(*testing.T, *upstream, *gate.Options, *suggest.Options)
		kind   suggest.Kind
		says   string // in reason, notes or statements
		status int
	}{
		{"nothing is said", "", nil, suggest.Doubtful, "nothing confirms", 0},
		{"the recipe agrees", about(home, source), nil, suggest.Proposed, "signed by github:harbour-lights/harbour-lights", 0},
		{"the recipe agrees, in other letters", about("repository: https://GitHub.com/Harbour-Lights/Harbour-Lights.git"), nil, suggest.Proposed, "", 0},
		{"pages of the repository", about("homepage: https://harbour-lights.github.io/harbour-lights/docs"), nil, suggest.Proposed, "", 0},
		{"dev_url agrees", about("dev_url: https://github.com/harbour-lights/harbour-lights/tree/main"), nil, suggest.Proposed, "", 0},
		{"the recipe names another repository", moved, nil, suggest.Doubtful, "the project's present repository is github.com/harbour/lights, and the signer's is github.com/harbour-lights/harbour-lights", 0},
		{"one that begins alike", about("repository: https://github.com/harbour-lights/harbour-lights-docs"), nil, suggest.Doubtful, "", 0},
		{"another host's repository of that name", about("repository: https://gitlab.com/harbour-lights/harbour-lights"), nil, suggest.Doubtful, "the signer's is github.com/", 0},
		{"userinfo", about("repository: https://github.com@evil.example/harbour-lights/harbour-lights"), nil, suggest.Doubtful, "", 0},
		{
			"PyPI's links agree, and the recipe says nothing", about(home),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.links("Source", "https://github.com/harbour-lights/harbour-lights", "Funding", "https://github.com/sponsors/x")
			}, suggest.Proposed, "", 0,
		},
		{
			"PyPI's links agree, and the recipe does not", moved,
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.links("Source", "https://github.com/harbour-lights/harbour-lights")
			}, suggest.Doubtful, "present repository is github.com/harbour/lights", 0,
		},
		{
			"PyPI's links name another repository", "",
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.links("Source", "https://github.com/harbour/lights")
			}, suggest.Doubtful, "present repository is github.com/harbour/lights", 0,
		},
		{
			"the recipe agrees, and PyPI's links do not", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.links("Source", "https://github.com/harbour/lights")
			}, suggest.Proposed, "differs PyPI's project link \"Source\"", 0,
		},
		{
			"the release before was signed by the same repository", "",
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.before(sigstoretest.GitHub(repository, same))
			}, suggest.Proposed, "", 0,
		},
		{
			"the release before was signed by one of that name, and nobody knows which", "",
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.before(sigstoretest.GitHub(repository).With(sigstoretest.ExtSourceRepositoryID, "").With(sigstoretest.ExtSourceOwnerID, ""))
			}, suggest.Doubtful, "", 0,
		},
		{
			"the release before was signed by another repository", "",
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.before(sigstoretest.GitHub("harbour/lights"))
			}, suggest.Doubtful, "", 0,
		},
		{
			"PyPI's links agree, and the release before was signed by another repository", about(home),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.links("Source", "https://github.com/harbour-lights/harbour-lights")
				u.before(sigstoretest.GitHub("harbour/lights"))
			}, suggest.Doubtful, "differs harbour_lights-2.4.0.tar.gz, the release before", 0,
		},
		{
			"the name was registered anew", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.before(sigstoretest.GitHub(repository, id("7")))
				u.links("Source", "https://github.com/harbour-lights/harbour-lights")
			}, suggest.Doubtful, "somebody registered the name anew", 0,
		},
		{
			"accepted", moved,
			func(t *testing.T, _ *upstream, _ *gate.Options, s *suggest.Options) {
				s.Accept = []publishers.Pattern{pattern(t, "github:harbour-lights/*")}
			}, suggest.Proposed, "which was accepted", 0,
		},
		{
			"another one is accepted", moved,
			func(t *testing.T, _ *upstream, _ *gate.Options, s *suggest.Options) {
				s.Accept = []publishers.Pattern{pattern(t, "github:harbour/*")}
			}, suggest.Doubtful, "", 0,
		},
		{
			"what PyPI writes beside the evidence is no evidence", about(source),
			func(t *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.signed(sigstoretest.GitHub("evil/lights"))
				lie := strings.ReplaceAll(string(u.files[integrity]), `"evil/lights"`, `"harbour-lights/harbour-lights"`)
				if lie == string(u.files[integrity]) {
					t.Error("there is no publisher beside the evidence")
				}
				u.files[integrity] = []byte(lie)
			}, suggest.Doubtful, "the signer's is github.com/evil/lights", 0,
		},
		{
			"forged", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.signed(sigstoretest.GitHub(repository), sigstoretest.ForgedSignature())
			}, suggest.Invalid, "", 1,
		},
		{
			"of nobody that is trusted", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				b := sigstoretest.New(sigstoretest.Options{}).Sign(sigstoretest.Attest("harbour_lights-2.4.1.tar.gz", archive), sigstoretest.GitHub(repository), sigstoretest.RekorV1)
				u.files[integrity] = sigstoretest.Provenance(b)
			}, suggest.Invalid, "", 1,
		},
		{
			"of another file", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.files[integrity] = u.provenance(repository, []byte("another"))
			}, suggest.Invalid, "", 1,
		},
		{
			"none", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) { delete(u.files, integrity) }, suggest.None, "no attestation", 0,
		},
		{
			"not to be had", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.status[integrity] = http.StatusForbidden
			}, suggest.Unavailable, "", 3,
		},
		{
			"a rule that does not hold", about(source),
			func(t *testing.T, _ *upstream, o *gate.Options, _ *suggest.Options) {
				o.Policy = parsePolicy(t, "rules: [{publishers: ['github:harbour-lights/*'], environments: [release]}]")
			}, suggest.Refused, "a block for it does not", 1,
		},
		{
			"the policy names somebody else", about(source),
			func(t *testing.T, _ *upstream, o *gate.Options, _ *suggest.Options) {
				o.Policy = parsePolicy(t, "publishers: [{package: harbour-lights, publishers: ['github:harbour/lights']}]")
			}, suggest.Refused, "the policy names github:harbour/lights", 1,
		},
		{
			"the policy names somebody else, and he is accepted", about(source),
			func(t *testing.T, _ *upstream, o *gate.Options, s *suggest.Options) {
				o.Policy = parsePolicy(t, "publishers: [{package: harbour-lights, publishers: ['github:harbour/lights']}]")
				s.Accept = []publishers.Pattern{pattern(t, "*")}
			}, suggest.Refused, "the policy names github:harbour/lights", 1,
		},
		{
			"the policy names him", "",
			func(t *testing.T, _ *upstream, o *gate.Options, _ *suggest.Options) {
				o.Policy = parsePolicy(t, "publishers: [{package: harbour-lights, publishers: ['github:harbour-lights/harbour-lights']}]")
			}, suggest.Proposed, "", 0,
		},
		{
			"the policy requires evidence", about(source),
			func(t *testing.T, _ *upstream, o *gate.Options, _ *suggest.Options) {
				o.Policy = parsePolicy(t, "require: [{all: true}]")
				o.RequireAttestations = true
			}, suggest.Proposed, "", 0,
		},
		{
			"a person", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, _ *suggest.Options) {
				u.signed(sigstoretest.Email("keeper@harbour.example", "https://accounts.example"))
			}, suggest.Impossible, "rattler-build of today", 0,
		},
		{
			"a person, as the draft CEP writes him", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, s *suggest.Options) {
				u.signed(sigstoretest.Email("keeper@harbour.example", "https://accounts.example"))
				s.CEP = true
			}, suggest.Doubtful, "the signer's is no repository", 0,
		},
		{
			"a person, who signed the release before", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, s *suggest.Options) {
				u.signed(sigstoretest.Email("keeper@harbour.example", "https://accounts.example"))
				u.before(sigstoretest.Email("keeper@harbour.example", "https://accounts.example"))
				s.CEP = true
			}, suggest.Proposed, "", 0,
		},
		{
			"a person of that name elsewhere, who signed the release before", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, s *suggest.Options) {
				u.signed(sigstoretest.Email("keeper@harbour.example", "https://accounts.example"))
				u.before(sigstoretest.Email("keeper@harbour.example", "https://other.example"))
				s.CEP = true
			}, suggest.Doubtful, "", 0,
		},
		{
			"a person whose name is a template", about(source),
			func(_ *testing.T, u *upstream, _ *gate.Options, s *suggest.Options) {
				u.signed(sigstoretest.Email("${{name}}@harbour.example", "https://accounts.example"))
				s.CEP = true
			}, suggest.Impossible, "cannot be written into a recipe", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t)
			o, s := u.options(), suggest.Options{}
			if c.change != nil {
				c.change(t, u, &o, &s)
			}
			path := u.recipe(t, c.more)
			result, err := gate.Suggest(t.Context(), []string{path}, o, s)
			if err != nil {
				t.Fatal(err)
			}
			rec := result.Recipes[0]
			if len(rec.Places) != 1 {
				t.Fatalf("%d places, faults %v", len(rec.Places), rec.Faults)
			}
			p := rec.Places[0]
			text := p.Reason + "\n" + strings.Join(p.Notes, "\n")
			if p.Proposal != nil {
				for _, st := range p.Proposal.Statements {
					word := "differs"
					if st.Agrees {
						word = "agrees"
					}
					text += "\n" + word + " " + st.String() + " " + st.Says
				}
			}
			if p.Kind != c.kind || !strings.Contains(text, c.says) || result.Status() != c.status {
				t.Errorf("%s with status %d, wanted %s with %d and %q:\n%s", p.Kind, result.Status(), c.kind, c.status, c.says, text)
			}
			if (p.Kind == suggest.Proposed) != (rec.After != nil) {
				t.Errorf("%s, and the change is\n%s", p.Kind, rec.After)
			}
			if rec.After != nil {
				u.verifies(t, o, rec.After)
			}
		})
	}
}

// verifies proves that a recipe that was proposed verifies as it stands.
func (u *upstream) verifies(t *testing.T, o gate.Options, data []byte) {
	t.Helper()
	path := u.write(t, "written.yaml", string(data))
	n := 0
	_, err := gate.Run(context.Background(), []string{path}, o, func(r audit.Result) error {
		if n++; r.Verdict != audit.Verified {
			t.Errorf("%s: %s: %s\n%s", r.Position, r.Verdict, r.Message, data)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d results, error %v", n, err)
	}
}

// A block stands only where it is right for every platform.
func TestSuggestForEveryPlatform(t *testing.T) {
	archives := map[string]string{} // by name
	source := func(name, signer string, u *upstream) string {
		archives[name] = fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
		if signer != "" {
			b := u.sigstore.Sign(sigstoretest.Attest(name, []byte(name)), sigstoretest.GitHub(signer), sigstoretest.RekorV1)
			u.files["/anchor/anchor/releases/download/v1.0/"+name+".sigstore.json"] = b.JSON()
		}
		return archives[name]
	}
	const text = `context:
  version: "1.0"
  os: ${{ "linux" if linux else "win" }}
  sha256: ${{ "%s" if linux else "%s" }}
package: {name: anchor, version: "${{ version }}"}
source:
  - url: https://github.com/anchor/anchor/releases/download/v${{ version }}/${{ os }}.tar.gz
    sha256: ${{ sha256 }}
`
	for _, c := range []struct {
		name       string
		linux, win string
		kind       suggest.Kind
		says       string
	}{
		{"the same publisher", "anchor/anchor", "anchor/anchor", suggest.Proposed, ""},
		{"different publishers", "anchor/anchor", "evil/anchor", suggest.Impossible, "github:evil/anchor (win-64, "},
		{"one without evidence", "anchor/anchor", "", suggest.Impossible, "one of them has no evidence: there is no attestation where it would be (win-64, https://github.com/anchor/anchor/releases/download/v1.0/win.tar.gz)"},
		{"none", "", "", suggest.None, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t)
			o := u.options()
			for _, host := range []string{"github.com", "api.github.com"} {
				o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://" + host + "/", To: u.URL + "/"})
			}
			o.Recipe = recipe.Options{TargetPlatforms: []string{"linux-64", "win-64"}}
			path := u.write(t, "recipe.yaml", fmt.Sprintf(text, source("linux.tar.gz", c.linux, u), source("win.tar.gz", c.win, u)))
			result, err := gate.Suggest(t.Context(), []string{path}, o, suggest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p := result.Recipes[0].Places[0]
			if p.Kind != c.kind || !strings.Contains(p.Reason, c.says) {
				t.Errorf("%s: %s, wanted %s with %q", p.Kind, p.Reason, c.kind, c.says)
			}
			if p.Kind != suggest.Proposed {
				return
			}
			const way = "https://github.com/anchor/anchor/releases/download/v${{ version }}/${{ os }}.tar.gz.sigstore.json"
			if p.Proposal.BundleURL != way || p.Proposal.Fixed || len(p.Proposal.BundleURLs) != 2 {
				t.Errorf("%+v", p.Proposal)
			}
			o.NoDownload = true
			u.verifies(t, o, result.Recipes[0].After)
		})
	}
}

// The bundle_url is written so that it follows the version, where that is possible.
func TestSuggestedAddressesFollowTheVersion(t *testing.T) {
	const folder = "/anchor/anchor/releases/download/v1.2.3/"
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("anchor")))
	for _, c := range []struct {
		name, context, url, sha256 string
		at                         string // where the evidence lies
		want                       string // the bundle_url
		fixed                      bool
	}{
		{
			"beside the asset", `version: "1.2.3"`, "https://github.com/anchor/anchor/releases/download/v${{ version }}/anchor-${{ version }}.tar.gz", sum,
			folder + "anchor-1.2.3.tar.gz.sigstore.json", "https://github.com/anchor/anchor/releases/download/v${{ version }}/anchor-${{ version }}.tar.gz.sigstore.json", false,
		},
		{
			"a filter in the address", `version: "1.2.3"`, "https://github.com/anchor/anchor/releases/download/v${{ version }}/anchor-${{ version | replace('.', '_') }}.tar.gz", sum,
			folder + "anchor-1_2_3.tar.gz.sigstore.json", "https://github.com/anchor/anchor/releases/download/v${{ version }}/anchor-${{ version | replace('.', '_') }}.tar.gz.sigstore.json", false,
		},
		{
			"one file for all assets", "name: anchor\n  version: 1.2.3", "https://github.com/anchor/${{ name }}/releases/download/v${{ version }}/${{ name }}-${{ version }}.tar.gz", sum,
			folder + "multiple.intoto.jsonl", "https://github.com/anchor/${{ name }}/releases/download/v${{ version }}/multiple.intoto.jsonl", false,
		},
		{
			"one file, and the version in the folder's template", "tag: v1.2.3\n  version: ${{ tag[1:] }}", "https://github.com/anchor/anchor/releases/download/${{ tag }}/anchor-${{ version }}.tar.gz", sum,
			folder + "multiple.intoto.jsonl", "https://github.com/anchor/anchor/releases/download/${{ tag }}/multiple.intoto.jsonl", true, // version is no plain value: nobody knows
		},
		{
			"nothing is templated", "unused: x", "https://github.com/anchor/anchor/releases/download/v1.2.3/anchor-1.2.3.tar.gz", sum,
			folder + "anchor-1.2.3.tar.gz.sigstore.json", "https://github.com/anchor/anchor/releases/download/v1.2.3/anchor-1.2.3.tar.gz.sigstore.json", true,
		},
		{
			"by digest", `version: "1.2.3"`, "https://github.com/anchor/anchor/releases/download/v${{ version }}/anchor-${{ version }}.tar.gz", sum,
			"/repos/anchor/anchor/attestations/sha256:" + sum, "https://api.github.com/repos/anchor/anchor/attestations/sha256:" + sum, true,
		},
		{
			"by a digest of the context", "version: 1.2.3\n  digest: " + sum, "https://github.com/anchor/anchor/releases/download/v${{ version }}/anchor-${{ version }}.tar.gz", "${{ digest }}",
			"/repos/anchor/anchor/attestations/sha256:" + sum, "https://api.github.com/repos/anchor/anchor/attestations/sha256:${{ digest }}", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t)
			o := u.options()
			for _, host := range []string{"github.com", "api.github.com"} {
				o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://" + host + "/", To: u.URL + "/"})
			}
			b := u.sigstore.Sign(sigstoretest.Attest("anchor-1.2.3.tar.gz", []byte("anchor")), sigstoretest.GitHub("anchor/anchor"), sigstoretest.RekorV1)
			if u.files[c.at] = b.JSON(); strings.Contains(c.at, "sha256:") {
				u.files[c.at] = fmt.Appendf(nil, `{"attestations":[{"repository_id":1,"bundle":%s}]}`, b.JSON())
			}
			path := u.write(t, "recipe.yaml", fmt.Sprintf("context:\n  %s\npackage:\n  name: anchor\n  version: 1.2.3\nsource:\n  url: %s\n  sha256: %q\n", c.context, c.url, c.sha256))
			result, err := gate.Suggest(t.Context(), []string{path}, o, suggest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p := result.Recipes[0].Places[0]
			if p.Proposal == nil {
				t.Fatalf("%s: %s", p.Kind, p.Reason)
			}
			if diff := cmp.Diff(c.want, p.Proposal.BundleURL); diff != "" || p.Proposal.Fixed != c.fixed {
				t.Errorf("fixed: %v (-want +got):\n%s", p.Proposal.Fixed, diff)
			}
			o.NoDownload = true
			u.verifies(t, o, result.Recipes[0].After)
		})
	}
}

// Several recipes, one of which is wrong: the others are looked at, and nothing is
// to be written.
func TestSuggestForSeveralRecipes(t *testing.T) {
	u := newUpstream(t)
	good := u.recipe(t, about("repository: https://github.com/harbour-lights/harbour-lights"))
	attested := u.write(t, "attested.yaml", fmt.Sprintf("package: {name: a, version: 1}\nsource:\n  url: https://pypi.org%s\n  sha256: %x\n%s", sdist, sha256.Sum256(archive), "  attestation: {publishers: github:evil/lights}\n"))
	bad := u.write(t, "bad.yaml", "source: [\n")
	unknown := u.write(t, "unknown.yaml", "package: {name: a, version: 1}\nsource:\n  - url: https://example.org/${{ git.head_rev('.') }}\n    sha256: "+strings.Repeat("1", 64)+"\n")
	result, err := gate.Suggest(t.Context(), []string{good, bad, "absent", attested, unknown, good}, u.options(), suggest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range result.Recipes {
		line := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
		for _, p := range r.Places {
			line += " " + string(p.Kind)
		}
		if len(r.Faults) > 0 {
			line += " unreadable"
		}
		got = append(got, line)
	}
	want := []string{"recipe.yaml proposed", "bad.yaml unreadable", "absent unreadable", "attested.yaml attested", "unknown.yaml error"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if result.Readable() || result.Status() != audit.StatusError {
		t.Errorf("readable: %v, status %d", result.Readable(), result.Status())
	}
	if u.asked[integrity] != 1 {
		t.Errorf("the evidence was asked for %d times", u.asked[integrity])
	}
	// A recipe that changes in between is not written.
	before, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	u.write(t, "recipe.yaml", string(before)+"# changed\n")
	if err := edit.Write(result.Files()); !errors.Is(err, edit.ErrChanged) {
		t.Errorf("error %v", err)
	}
	if now, err := os.ReadFile(good); err != nil || string(now) != string(before)+"# changed\n" {
		t.Errorf("it holds\n%s", now)
	}
	if cmp.Diff(string(before), string(result.Recipes[0].Before)) != "" {
		t.Errorf("what was read is not what is there")
	}
}
