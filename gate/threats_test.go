package gate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// outside has the recipe's source lie at a host of its own, with its evidence
// beside it.
func (u *upstream) outside(t *testing.T, o *gate.Options, bundle []byte) string {
	t.Helper()
	o.Mirrors = append(o.Mirrors, mirror(t, "https://example.org/", u.URL+"/example/"))
	u.files["/example/a.tar.gz"], u.files["/example/b.json"] = archive, bundle
	return u.write(t, "outside.yaml", fmt.Sprintf(`package: {name: harbour-lights, version: 2.4.1}
source:
  url: https://example.org/a.tar.gz
  sha256: %x
  attestation: {bundle_url: 'https://example.org/b.json', publishers: 'github:harbour-lights/harbour-lights'}
`, sha256.Sum256(archive)))
}

// What somebody can put in the evidence's place, with the verdict that a run
// ends with (spec/threats.md, "Evidence").
func TestEvidenceOfAttackers(t *testing.T) {
	const name = "harbour_lights-2.4.1.tar.gz"
	own := sigstoretest.GitHub(repository)
	sign := func(u *upstream, c sigstoretest.Content, knobs ...sigstoretest.Knob) *sigstoretest.Bundle {
		return u.sigstore.Sign(c, own, sigstoretest.RekorV1, knobs...)
	}
	kind := func(predicate string) sigstoretest.Statement {
		s := sigstoretest.Attest(name, archive)
		s.PredicateType = predicate
		return s
	}
	payload := func(from, to string) sigstoretest.Payload {
		return sigstoretest.Payload(strings.Replace(string(sigstoretest.Attest(name, archive).JSON()), from, to, 1))
	}
	million := `"subject":[` + strings.Repeat(`{},`, 1_000_000)
	old := []sigstoretest.Knob{sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithoutCheckpoint()}
	unproven := []sigstoretest.Knob{sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithoutProof()}
	for _, c := range []struct {
		name     string
		outside  bool // the source is not PyPI's
		document func(u *upstream) []byte
		verdict  audit.Verdict
		code     verify.Code
	}{
		{"publish attestation", false, func(u *upstream) []byte { return sigstoretest.Provenance(sign(u, kind(""))) }, audit.Verified, verify.Code(audit.CodeVerified)},
		{"SBOM", false, func(u *upstream) []byte { return sigstoretest.Provenance(sign(u, kind(sigstoretest.SPDX))) }, audit.Mismatch, verify.CodePredicate},
		{"test result", false, func(u *upstream) []byte { return sigstoretest.Provenance(sign(u, kind(sigstoretest.TestResult))) }, audit.Mismatch, verify.CodePredicate},
		{"digest in one bundle, identity in another", false, func(u *upstream) []byte {
			return sigstoretest.Provenance(
				u.sigstore.Sign(kind(""), sigstoretest.GitHub("evil/x"), sigstoretest.RekorV1),
				sign(u, sigstoretest.Attest("other", []byte("other"))))
		}, audit.Mismatch, verify.CodeIdentity},
		{"a broken bundle beside a good one", false, func(u *upstream) []byte {
			return sigstoretest.Provenance(sign(u, kind("")), sign(u, kind(""), sigstoretest.ForgedCheckpoint()))
		}, audit.Invalid, verify.CodeLogEntry},
		{"another instance, of the same names", false, func(*upstream) []byte {
			s := sigstoretest.New(sigstoretest.Options{})
			return sigstoretest.Provenance(s.Sign(kind(""), own, sigstoretest.RekorV1))
		}, audit.Invalid, verify.CodeUnknownAuthority},
		{"the subject of another file of the project", false, func(u *upstream) []byte {
			return sigstoretest.Provenance(sign(u, sigstoretest.Attest("harbour_lights-9.9.tar.gz", archive)))
		}, audit.Mismatch, verify.CodeSubjectName},
		{"two signatures", true, func(u *upstream) []byte { return sign(u, kind(""), sigstoretest.ExtraSignatures(1)).JSON() }, audit.Invalid, verify.CodeMalformed},
		{"no subject", true, func(u *upstream) []byte { return sign(u, sigstoretest.Statement{}).JSON() }, audit.Invalid, verify.CodeMalformed},
		{"10⁶ subjects", true, func(u *upstream) []byte { return sign(u, payload(`"subject":[`, million)).JSON() }, audit.Invalid, verify.CodeMalformed},
		{"statement of unknown type", true, func(u *upstream) []byte { return sign(u, payload("Statement/v1", "Statement/v9")).JSON() }, audit.Invalid, verify.CodeMalformed},
		{"payload that is no statement", true, func(u *upstream) []byte { return sign(u, sigstoretest.Payload("{")).JSON() }, audit.Invalid, verify.CodeMalformed},
		{"entry of another bundle", true, func(u *upstream) []byte {
			return sign(u, kind(""), sigstoretest.EntryOf(sign(u, sigstoretest.Attest("other", []byte("other"))))).JSON()
		}, audit.Invalid, verify.CodeLogEntry},
		{"time in the future", true, func(u *upstream) []byte {
			return u.sigstore.Sign(kind(""), own, sigstoretest.RekorV2, sigstoretest.At(time.Now().Add(24*time.Hour))).JSON()
		}, audit.Invalid, verify.CodeTimestamp},

		{"CPython's kind", true, func(u *upstream) []byte { return sign(u, sigstoretest.Message(archive), old...).JSON() }, audit.Verified, verify.Code(audit.CodeVerified)},
		{"CPython's kind, for PyPI", false, func(u *upstream) []byte { return sign(u, sigstoretest.Message(archive), old...).JSON() }, audit.Invalid, verify.CodeLogEntry},
		{"PEP 740 object without a checkpoint", false, func(u *upstream) []byte { return sigstoretest.Provenance(sign(u, kind(""), old...)) }, audit.Invalid, verify.CodeMalformed},
		{"PEP 740 object without a proof", false, func(u *upstream) []byte {
			return sigstoretest.Provenance(sign(u, kind(""), sigstoretest.WithoutProof()))
		}, audit.Invalid, verify.CodeLogEntry},
		{"PEP 740 object relabelled as an old bundle without checkpoint", true, func(u *upstream) []byte { return sign(u, kind(""), old...).JSON() }, audit.Invalid, verify.CodeLogEntry},
		{"PEP 740 object relabelled as an old bundle without proof", true, func(u *upstream) []byte { return sign(u, kind(""), unproven...).JSON() }, audit.Invalid, verify.CodeLogEntry},
		{"PEP 740 object relabelled as an old bundle without proof, for PyPI", false, func(u *upstream) []byte { return sign(u, kind(""), unproven...).JSON() }, audit.Invalid, verify.CodeLogEntry},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			o := u.options()
			o.Timeout = 30 * time.Second // of a busy machine; what documents may cost is tested in package attestation
			document := c.document(u)
			path := u.recipe(t, block)
			if u.files[integrity] = document; c.outside {
				path = u.outside(t, &o, document)
			}
			r := results(t, o, path)[0]
			if r.Verdict != c.verdict || r.Code != audit.Code(c.code) {
				t.Errorf("%s, %s: %s\nwanted %s, %s", r.Verdict, r.Code, r.Message, c.verdict, c.code)
			}
		})
	}
}

// Who may have signed, without a policy and with one that minds (spec/threats.md,
// "Identity").
func TestSignersOfAttackers(t *testing.T) {
	const (
		ghes   = "https://ghes.example.org/_services/token"
		minds  = "rules: [{triggers: [release, push], refs: [refs/tags/*], hosted_runners_only: true, repository_ids: ['596532921'], owner_ids: ['16748505']}]"
		allows = "reusable_workflows: [{publishers: ['github:harbour-lights/*'], workflow: 'github:pier/ci/.github/workflows/release.yml@refs/tags/v*'}]"
	)
	by := func(signer, ref string) func(*sigstoretest.GitHubRun) {
		return func(r *sigstoretest.GitHubRun) {
			r.SignerRepository, r.SignerWorkflow, r.SignerRef = signer, ".github/workflows/release.yml", ref
		}
	}
	for _, c := range []struct {
		name, repository string
		change           func(*sigstoretest.GitHubRun)
		policy           string
		want             string // code, and then the codes of warnings
	}{
		{"release", repository, nil, minds, "verified"},
		{"pull_request_target", repository, func(r *sigstoretest.GitHubRun) { r.Trigger = "pull_request_target" }, "", "verified signed-from-pull-request"},
		{"pull_request_target, and the policy minds", repository, func(r *sigstoretest.GitHubRun) { r.Trigger = "pull_request_target" }, minds, "trigger-mismatch"},
		{"branch", repository, func(r *sigstoretest.GitHubRun) { r.Ref = "refs/heads/main" }, "", "verified signed-from-branch"},
		{"branch, and the policy minds", repository, func(r *sigstoretest.GitHubRun) { r.Ref = "refs/heads/main" }, minds, "ref-mismatch"},
		{"self-hosted runner", repository, func(r *sigstoretest.GitHubRun) { r.Runner = "self-hosted" }, "", "verified self-hosted-runner"},
		{"self-hosted runner, and the policy minds", repository, func(r *sigstoretest.GitHubRun) { r.Runner = "self-hosted" }, minds, "runner-mismatch"},
		{"registered again", repository, func(r *sigstoretest.GitHubRun) { r.RepositoryID = "1" }, minds, "repository-id-mismatch"},
		{"owner registered again", repository, func(r *sigstoretest.GitHubRun) { r.OwnerID = "1" }, minds, "owner-id-mismatch"},
		{"enterprise server's issuer", repository, func(r *sigstoretest.GitHubRun) { r.Issuer = ghes }, "", "issuer-mismatch"},
		{
			"enterprise server's issuer, accepted for its own host", repository, func(r *sigstoretest.GitHubRun) { r.Issuer = ghes },
			"issuers: [{host: ghes.example.org, issuers: ['" + ghes + "']}]", "issuer-mismatch",
		},
		{
			"enterprise's issuer, accepted", repository, func(r *sigstoretest.GitHubRun) { r.Issuer = ghes },
			"issuers: [{host: github.com, issuers: ['" + ghes + "']}]", "verified",
		},
		{"issuer with a slash", repository, func(r *sigstoretest.GitHubRun) { r.Issuer = "https://token.actions.githubusercontent.com/" }, "", "issuer-mismatch"},
		{"own reusable workflow, run by another", "evil/x", by(repository, "refs/tags/v1"), "", "reusable-workflow"},
		{"own reusable workflow, run by another, with a policy", "evil/x", by(repository, "refs/tags/v1"), allows, "reusable-workflow"},
		{"somebody else's reusable workflow", repository, by("pier/ci", "refs/tags/v1"), "", "reusable-workflow"},
		{"somebody else's reusable workflow that the policy names", repository, by("pier/ci", "refs/tags/v1"), allows, "verified"},
		{"the named reusable workflow at another ref", repository, by("pier/ci", "refs/heads/main"), allows, "reusable-workflow"},
		{"a reusable workflow beside the named one", repository, by("pier/ci-evil", "refs/tags/v1"), allows, "reusable-workflow"},
		{"a longer name", repository + "-evil", nil, allows, "publisher-mismatch"},
		{"another owner", "evil/harbour-lights", nil, allows, "publisher-mismatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			change := func(r *sigstoretest.GitHubRun) {
				if r.Ref = "refs/tags/v2.4.1"; c.change != nil {
					c.change(r)
				}
			}
			u.files[integrity] = sigstoretest.Provenance(u.sigstore.Sign(
				sigstoretest.Attest("harbour_lights-2.4.1.tar.gz", archive), sigstoretest.GitHub(c.repository, change), sigstoretest.RekorV1))
			o := u.options()
			o.Policy = parsePolicy(t, c.policy)
			r := results(t, o, u.recipe(t, block))[0]
			got := []string{string(r.Code)}
			for _, w := range r.Warnings {
				got = append(got, string(w.Code))
			}
			for _, b := range r.Evidence.Bundles() {
				for _, w := range b.Warnings {
					got = append(got, string(w.Code))
				}
			}
			if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, r.Message)
			}
			want := audit.Mismatch
			if got[0] == string(audit.CodeVerified) {
				want = audit.Verified
			}
			if r.Verdict != want {
				t.Errorf("%s, wanted %s", r.Verdict, want)
			}
		})
	}
}

// The cache keeps bytes and no verdicts: whatever a run has verified, a later
// one with the same cache judges anew.
func TestCacheKeepsNoVerdicts(t *testing.T) {
	verified := string(audit.CodeVerified)
	strangers := sigstoretest.New(sigstoretest.Options{})
	for _, c := range []struct {
		name   string
		change func(t *testing.T, u *upstream, o *gate.Options, dir string)
		recipe string
		want   string
	}{
		{"the same again", nil, block, verified},
		{"the same again, its server silent", func(_ *testing.T, u *upstream, _ *gate.Options, _ string) { u.status[integrity] = 503 }, block, verified},
		{"other publishers", nil, "  attestation: {publishers: github:octo/cat}\n", "publisher-mismatch"},
		{"another predicate type", nil, "  attestation: {publishers: 'github:harbour-lights/harbour-lights', predicate_type: 'https://slsa.dev/provenance/v1'}\n", "predicate-mismatch"},
		{"another root", func(t *testing.T, u *upstream, o *gate.Options, _ string) {
			o.Trust = trust.Config{Roots: trust.RootFiles(u.write(t, "other.json", string(strangers.TrustedRootJSON())))}
		}, block, "unknown-authority"},
		{"another bundle, after the first is no longer fresh", func(_ *testing.T, u *upstream, o *gate.Options, _ string) {
			o.Evidence.FreshFor = 0
			u.files[integrity] = u.provenance("evil/x", archive)
		}, block, "publisher-mismatch"},
		{"a policy", func(t *testing.T, _ *upstream, o *gate.Options, _ string) {
			o.Policy = parsePolicy(t, "rules: [{repository_ids: ['1']}]")
		}, block, "repository-id-mismatch"},
		{"evil bytes in the cache, its server silent", func(t *testing.T, u *upstream, _ *gate.Options, dir string) {
			u.status[integrity] = 503
			replaceBlobs(t, dir, u.provenance("evil/x", archive))
		}, block, string(audit.CodeFetchFailed)},
		{"evil bytes in the cache", func(t *testing.T, u *upstream, _ *gate.Options, dir string) {
			replaceBlobs(t, dir, u.provenance("evil/x", archive))
		}, block, verified},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			dir := filepath.Join(u.dir, "cache")
			options := func() gate.Options {
				o := u.options()
				o.Evidence = &fetch.Cache{Dir: dir, FreshFor: time.Hour}
				return o
			}
			o := options()
			if r := results(t, o, u.recipe(t, block))[0]; r.Verdict != audit.Verified {
				t.Fatalf("the first run: %s: %s", r.Verdict, r.Message)
			}
			asked := u.asked[integrity]
			o = options()
			if c.change != nil {
				c.change(t, u, &o, dir)
			}
			r := results(t, o, u.recipe(t, c.recipe))[0]
			if string(r.Code) != c.want {
				t.Errorf("%s, %s: %s\nwanted %s", r.Verdict, r.Code, r.Message, c.want)
			}
			if c.change == nil && u.asked[integrity] != asked {
				t.Error("the cache was not used, so that nothing was shown")
			}
		})
	}
}

// replaceBlobs puts other bytes in the place of all bodies that a cache holds,
// of which there is one at least.
func replaceBlobs(t *testing.T, dir string, body []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "blobs", "*", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d bodies in the cache, error %v", len(paths), err)
	}
	for _, path := range paths {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// Of the same length, so that nothing but the digest tells.
		same := append(bytes.TrimSpace(body), bytes.Repeat([]byte(" "), len(before))...)
		if err := os.WriteFile(path, same[:max(len(before), len(bytes.TrimSpace(body)))], 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A recipe that wants more than to be read is an error, and nobody is asked for
// anything on its behalf.
func TestRecipesOfAttackersSendNothing(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "sesame")
	t.Setenv("HOME_SECRET", "sesame")
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, template := range map[string]string{
		"env.get":            `${{ env.get("GITHUB_TOKEN") }}`,
		"env.get, a default": `${{ env.get("GITHUB_TOKEN", default="x") }}`,
		"env.exists":         `${{ env.exists("GITHUB_TOKEN") }}`,
		"environment":        `${{ environ["GITHUB_TOKEN"] }}`,
		"os.environ":         `${{ os.environ.GITHUB_TOKEN }}`,
		"file above":         `${{ load_from_file("../secret.txt") }}`,
		"absolute file":      `${{ load_from_file(` + jsonText(t, outside) + `) }}`,
		"git":                `${{ git.head_rev(".") }}`,
		"process":            `${{ cmd("env") }}`,
		"class walk":         `${{ "".__class__.__mro__ }}`,
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			var paths []string
			u.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				paths = append(paths, r.URL.String())
				u.ServeHTTP(w, r)
			})
			o := u.options()
			o.Recipe.LookupEnv = os.LookupEnv
			path := u.write(t, "evil.yaml", fmt.Sprintf("package: {name: x, version: 1}\nsource:\n  url: %q\n  sha256: %x\n%s",
				"https://pypi.org/x?"+template, sha256.Sum256(archive), block))
			report, err := gate.Verify(context.Background(), path, o)
			if err == nil || report.Summary.Status != audit.StatusError {
				t.Errorf("status %d, error %v", report.Summary.Status, err)
			}
			if len(paths) > 0 || strings.Contains(fmt.Sprint(err, report), "sesame") {
				t.Errorf("asked for %q; error %v", paths, err)
			}
		})
	}
}

func jsonText(t *testing.T, s string) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// GitHub's statement of an immutable release counts unless the policy says no.
func TestReleasesThatAPolicyRefuses(t *testing.T) {
	const asset = "/harbour-lights/harbour-lights/releases/download/v2.4.1/a.tar.gz"
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	statement := sigstoretest.Release{Repository: repository, Tag: "v2.4.1", Assets: []sigstoretest.Subject{sigstoretest.File("a.tar.gz", archive)}}.Statement()
	u := newUpstream(t)
	u.files[asset] = archive
	u.files["/b.json"] = github.Sign(statement, sigstoretest.GitHubRelease(), sigstoretest.NoLog).JSON()
	path := u.write(t, "release.yaml", fmt.Sprintf(`package: {name: harbour-lights, version: 2.4.1}
source:
  url: https://github.com%s
  sha256: %x
  attestation: {bundle_url: 'https://pypi.org/b.json', publishers: 'github:harbour-lights/harbour-lights'}
`, asset, sha256.Sum256(archive)))
	for text, want := range map[string]audit.Code{
		"":                                     audit.CodeVerified,
		"immutable_releases: true":             audit.CodeVerified,
		"immutable_releases: false":            audit.Code(verify.CodeReleaseNotAllowed),
		"rules: [{hosted_runners_only: true}]": audit.Code(verify.CodeRunner),
	} {
		o := u.options()
		o.Mirrors = append(o.Mirrors, mirror(t, "https://github.com/", u.URL+"/"))
		o.Trust = trust.Config{Roots: trust.RootFiles(u.root, u.write(t, "github.json", string(github.TrustedRootJSON())))}
		o.Policy = parsePolicy(t, text)
		if r := results(t, o, path)[0]; r.Code != want {
			t.Errorf("%q: %s, %s: %s", text, r.Verdict, r.Code, r.Message)
		}
	}
}

// Publishers that a policy names are of no use to a source that pins nothing:
// its archive could be anything.
func TestPolicyForASourceWithoutADigest(t *testing.T) {
	u := newUpstream(t)
	path := u.write(t, "pinless.yaml", "package: {name: harbour-lights, version: 2.4.1}\nsource: {url: 'https://pypi.org"+sdist+"'}\n")
	o := u.options()
	o.Policy = parsePolicy(t, "publishers: [{package: harbour-lights, publishers: [github:harbour-lights/harbour-lights]}]")
	r := results(t, o, path)[0]
	if r.Verdict != audit.Error || r.Code != audit.CodeRecipe || !strings.Contains(r.Message, "it pins no sha256") || len(u.asked) > 0 {
		t.Errorf("%s, %s: %s; asked for %v", r.Verdict, r.Code, r.Message, u.asked)
	}
}
