package gate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/trust"
)

func parsePolicy(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// results runs recipes through a gate.
func results(t *testing.T, o gate.Options, paths ...string) []audit.Result {
	t.Helper()
	var all []audit.Result
	if _, err := gate.Run(t.Context(), paths, o, func(r audit.Result) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func mirror(t *testing.T, from, to string) fetch.Mirror {
	t.Helper()
	m, err := fetch.NewMirror(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A policy decides about sources with and without a block, all the way.
func TestPolicies(t *testing.T) {
	ahead := time.Now().AddDate(0, 1, 0).UTC().Format(time.DateOnly)
	today := time.Now().UTC().Format(time.DateOnly)
	const named = "publishers: [{package: harbour-lights, publishers: [github:harbour-lights/harbour-lights]}]\n"
	for _, row := range []struct {
		name, policy, more string
		broken             bool // the evidence has another publisher's archive
		verdict            audit.Verdict
		code               audit.Code
		message            string
	}{
		{"nothing demanded", "", "", false, audit.Unattested, audit.CodeNoBlock, "names no publisher"},
		{"required", "require: [{kind: pypi}]", "", false, audit.Missing, audit.CodeNoBlock, "evidence is required of kind pypi (p.yaml:1:11)"},
		{"required, with a block", "require: [{kind: pypi}]", block, false, audit.Verified, audit.CodeVerified, ""},
		{"required of others", "require: [{package: flask}]", "", false, audit.Unattested, audit.CodeNoBlock, ""},
		{
			"excepted", "require: [{all: true}]\nexceptions: [{package: harbour-*, reason: because, until: " + ahead + "}]", "", false,
			audit.Unattested, audit.CodeExcepted, "excepted until " + ahead + ": because (p.yaml:2:14)",
		},
		{
			"excepted until today", "require: [{all: true}]\nexceptions: [{package: harbour-*, reason: because, until: " + today + "}]", "", false,
			audit.Unattested, audit.CodeExcepted, "excepted until " + today,
		},
		{
			"no more excepted", "require: [{all: true}]\nexceptions: [{package: harbour-*, reason: because, until: 2026-01-01}]", "", false,
			audit.Missing, audit.CodeNoBlock, "an exception ended on 2026-01-01: because (p.yaml:2:14)",
		},
		{
			"an exception silences no evidence of the recipe's", "exceptions: [{package: harbour-*, reason: because, until: " + ahead + "}]\nrequire: [{all: true}]",
			"  attestation: {publishers: github:octo/cat}\n", false, audit.Mismatch, "publisher-mismatch", "",
		},
		{
			"an exception silences no broken evidence", "exceptions: [{package: harbour-*, reason: because, until: " + ahead + "}]\nrequire: [{all: true}]",
			block, true, audit.Invalid, "signature-invalid", "",
		},
		{
			"an exception silences no evidence of the policy's", strings.Replace(named, "github:harbour-lights", "github:octo", 1) +
				"exceptions: [{package: harbour-*, reason: because, until: " + ahead + "}]\nrequire: [{all: true}]",
			"", false, audit.Mismatch, "publisher-mismatch", "",
		},
		{"named", named, "", false, audit.Verified, audit.CodeVerified, ""},
		{"named, broken", named, "", true, audit.Invalid, "signature-invalid", ""},
		{"named, and the recipe names another", named, "  attestation: {publishers: github:octo/cat}\n", false, audit.Mismatch, "publisher-mismatch", ""},
		{"bound", "publishers: [{package: harbour-lights, publishers: [github:octo/cat], enforce: true}]", block, false, audit.Mismatch, "policy-publisher-mismatch", ""},
		{
			"bound twice", "publishers: [{package: harbour-lights, publishers: [github:octo/cat], enforce: true}, {kind: pypi, publishers: [github:octo/cat], enforce: true}]",
			block, false, audit.Error, audit.CodePolicy, "two entries with enforce fit one source",
		},
		{"all of the named", "match: all\npublishers: [{package: harbour-lights, publishers: [github:harbour-lights/harbour-lights, github:octo/cat]}]", "", false, audit.Mismatch, "publisher-missing", ""},
		{"predicate type", "predicate_types: [https://slsa.dev/provenance/v1]", block, false, audit.Mismatch, "predicate-mismatch", ""},
		{
			"predicate type of the entry", "predicate_types: [https://slsa.dev/provenance/v1]\n" + strings.Replace(named, "publishers: [git", "predicate_types: [https://docs.pypi.org/attestations/publish/v1], publishers: [git", 1),
			"", false, audit.Verified, audit.CodeVerified, "",
		},
		{
			"predicate type of the recipe", "predicate_types: [https://slsa.dev/provenance/v1]",
			"  attestation: {publishers: github:harbour-lights/harbour-lights, predicate_type: https://docs.pypi.org/attestations/publish/v1}\n", false, audit.Verified, audit.CodeVerified, "",
		},
		{"issuers of the host", "issuers: [{host: github.com, issuers: ['https://token.actions.githubusercontent.com/acme']}]", block, false, audit.Verified, audit.CodeVerified, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			u := newUpstream(t)
			if row.broken {
				u.files[integrity] = u.provenance(repository, archive, sigstoretest.ForgedSignature())
			}
			o := u.options()
			o.Policy = parsePolicy(t, row.policy)
			r := results(t, o, u.recipe(t, row.more))[0]
			if r.Verdict != row.verdict || r.Code != row.code || !strings.Contains(r.Message, row.message) {
				t.Errorf("%s, %s: %s\nwanted %s, %s: %s", r.Verdict, r.Code, r.Message, row.verdict, row.code, row.message)
			}
		})
	}
}

// What has no archive cannot carry evidence, and a recipe may have no source.
func TestRequiredWhereThereIsNothingToAttest(t *testing.T) {
	u := newUpstream(t)
	o := u.options()
	o.Policy = parsePolicy(t, "require: [{all: true}]\npublishers: [{package: '*', publishers: [github:octo/cat], enforce: true}]")
	for name, want := range map[string]audit.Code{
		"source: {path: .}": audit.CodeNotAURL, "source: {git: 'https://example.org/a.git', tag: v1}": audit.CodeNotAURL, "source: []": audit.CodeNoSources,
	} {
		path := u.write(t, "nothing.yaml", "package: {name: a, version: 1.0.0}\n"+name+"\n")
		if r := results(t, o, path)[0]; r.Verdict != audit.Unattested || r.Code != want {
			t.Errorf("%s: %s, %s: %s", name, r.Verdict, r.Code, r.Message)
		}
	}
}

// What a policy says about a whole run holds for a program that sets nothing
// else.
func TestPolicyForTheWholeRun(t *testing.T) {
	u := newUpstream(t)
	path := u.recipe(t, block)
	text := fmt.Sprintf("trust: {roots: [%q]}\nmirrors: [{from: 'https://pypi.org/', to: %q}]\ntimeout: 1s\n", u.root, u.URL+"/")
	if r := results(t, gate.Options{Policy: parsePolicy(t, text)}, path)[0]; r.Verdict != audit.Verified {
		t.Errorf("%s: %s", r.Verdict, r.Message)
	}
	if r := results(t, gate.Options{Policy: parsePolicy(t, text+"max_archive_size: 8B\n")}, path)[0]; r.Code != audit.CodeTooLarge {
		t.Errorf("limit: %s: %s", r.Code, r.Message)
	}
	if r := results(t, gate.Options{Policy: parsePolicy(t, text+"offline: true\n")}, path)[0]; r.Verdict == audit.Verified {
		t.Error("an offline run reached a server")
	}
	o := gate.Options{Policy: parsePolicy(t, text), Trust: trust.Config{Roots: trust.RootFiles(u.write(t, "other.json", string(sigstoretest.New(sigstoretest.Options{}).TrustedRootJSON())))}}
	if r := results(t, o, path)[0]; r.Verdict != audit.Invalid {
		t.Errorf("with another root in the options: %s: %s", r.Verdict, r.Message)
	}
}

// A policy that cannot be carried out is not carried out in part.
func TestPolicyThatCannotBeCarriedOut(t *testing.T) {
	for name, text := range map[string]string{
		"exception for ever": "exceptions: [{package: a, reason: x, until: 9999-12-31}]",
		"mirror":             "mirrors: [{from: 'ftp://x/', to: 'https://y/'}]",
		"waiver":             "trust: {roots: [{file: x.json, insecure_without: [log]}]}",
	} {
		_, err := gate.Verify(context.Background(), "recipe.yaml", gate.Options{Policy: parsePolicy(t, text)})
		var fault *policy.Error
		if !errors.As(err, &fault) || !strings.HasPrefix(err.Error(), "p.yaml:1:") {
			t.Errorf("%s: error %v, wanted *policy.Error with a place", name, err)
		}
	}
}

// Two recipes name the same source; the policy means one of them.
func TestPolicyOfOneOfTwoRecipes(t *testing.T) {
	u := newUpstream(t)
	sum := sha256.Sum256(archive)
	var paths []string
	for _, name := range []string{"harbour-lights", "other"} {
		paths = append(paths, u.write(t, name+".yaml", fmt.Sprintf("package: {name: %s, version: 2.4.1}\nsource: {url: 'https://pypi.org%s', sha256: %x}\n", name, sdist, sum)))
	}
	o := u.options()
	o.Policy = parsePolicy(t, "publishers: [{package: harbour-lights, publishers: [github:harbour-lights/harbour-lights]}, {package: other, publishers: [github:octo/cat]}]")
	var got []audit.Verdict
	for _, r := range results(t, o, paths...) {
		got = append(got, r.Verdict)
	}
	if diff := cmp.Diff([]audit.Verdict{audit.Verified, audit.Mismatch}, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// What is unusual is said without any policy.
func TestWarnings(t *testing.T) {
	u := newUpstream(t)
	const asset = "https://github.com/tidewater/elsewhere/releases/download/v2.4.1/harbour.tar.gz"
	sum := sha256.Sum256(archive)
	u.files["/bundle"] = u.sigstore.Sign(sigstoretest.Attest("harbour.tar.gz", archive), sigstoretest.GitHub(repository), sigstoretest.RekorV1).JSON()
	u.files["/tidewater/elsewhere/releases/download/v2.4.1/harbour.tar.gz"] = archive
	o := u.options()
	o.Mirrors = append(o.Mirrors, mirror(t, "https://github.com/", u.URL+"/"))
	recipe := func(url, version string) string {
		return u.write(t, "w.yaml", fmt.Sprintf("package: {name: harbour-lights, version: %s}\nsource:\n  url: %s\n  sha256: %x\n  attestation: {bundle_url: 'https://pypi.org/bundle', publishers: github:harbour-lights/harbour-lights}\n", version, url, sum))
	}
	r := results(t, o, recipe(asset, "2.4.1"))[0]
	if r.Verdict != audit.Verified || len(r.Warnings) != 1 || r.Warnings[0].Code != audit.WarnMoved {
		t.Errorf("another repository: %s: %s, warnings %v", r.Verdict, r.Message, r.Warnings)
	}
	r = results(t, o, recipe("https://pypi.org"+sdist, "2.4.1"))[0]
	if r.Verdict != audit.Verified || len(r.Warnings) != 0 {
		t.Errorf("PyPI: %s: %s, warnings %v", r.Verdict, r.Message, r.Warnings)
	}
}

// Rules about a real signature, one a row.
func TestRulesOfRealEvidence(t *testing.T) {
	o := gate.Options{
		Trust:   trust.Config{Roots: trust.RootFiles(shared.Path(t, "trust", "public-good.json"))},
		Offline: true, NoDownload: true,
	}
	o.Mirrors = append(o.Mirrors, mirror(t, "https://", shared.Path(t, "internet")))
	u := newUpstream(t)
	path := u.write(t, "real.yaml", `package: {name: pypi-attestations, version: 0.0.19}
source:
  url: https://pypi.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz
  sha256: 9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3
  attestation: {publishers: github:trailofbits/pypi-attestations}
`)
	old := u.write(t, "old.yaml", `package: {name: pypi-attestations, version: 0.0.18}
source:
  url: https://pypi.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz
  sha256: 9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3
  attestation: {publishers: github:trailofbits/pypi-attestations}
`)
	for _, row := range []struct{ rule, recipe, want string }{
		{"workflows: [.github/workflows/release.yml]", path, "verified"},
		{"workflows: [.github/workflows/Release.yml]", path, "workflow-mismatch"},
		{"workflows: [workflows/release.yml]", path, "workflow-mismatch"},
		{"refs: [refs/tags/v*]", path, "verified"},
		{"refs: [refs/heads/*]", path, "ref-mismatch"},
		{"refs: [refs/tags/v0.0.1]", path, "ref-mismatch"},
		{"tag_is_version: true", path, "verified"},
		{"tag_is_version: true", old, "version-mismatch"},
		{"triggers: [release]", path, "verified"},
		{"triggers: [push]", path, "trigger-mismatch"},
		{"hosted_runners_only: true", path, "verified"},
		{"environments: [release]", path, "environment-mismatch"},
		{"repository_ids: ['772247423']", path, "verified"},
		{"repository_ids: ['772247424']", path, "repository-id-mismatch"},
		{"owner_ids: ['2314423']", path, "verified"},
		{"owner_ids: ['1']", path, "owner-id-mismatch"},
		{"owner_ids: ['1'], publishers: [github:pypi/*]", path, "verified"},
		{"owner_ids: ['1'], publishers: [github:trailofbits/*]", path, "owner-id-mismatch"},
		{"owner_ids: ['1'], package: numpy", path, "verified"},
		{"owner_ids: ['1'], kind: pypi", path, "owner-id-mismatch"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			o := o
			o.Policy = parsePolicy(t, "rules: [{"+row.rule+"}]")
			r := results(t, o, row.recipe)[0]
			got := string(r.Code)
			if r.Verdict == audit.Verified {
				got = "verified"
			}
			if got != row.want {
				t.Errorf("%s: %s, wanted %s", got, r.Message, row.want)
			}
			if r.Verdict != audit.Verified && !strings.Contains(r.Message, "p.yaml:1:9") {
				t.Errorf("the message does not name the rule: %s", r.Message)
			}
		})
	}
	r := results(t, o, old)[0]
	if r.Verdict != audit.Verified || len(r.Evidence.Bundles()[0].Warnings) != 1 {
		t.Errorf("a tag of another version, without a rule: %s, %+v", r.Verdict, r.Evidence.Bundles())
	}
}
