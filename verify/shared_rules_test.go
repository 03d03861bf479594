package verify_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// No file of the shared evidence is forgotten.
func TestRealCasesAreAll(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range realCases {
		covered[filepath.Clean(c.file)] = true
		if archive, ok := strings.CutPrefix(c.sha256, "file:"); ok {
			covered[filepath.Clean(archive)] = true
		}
	}
	top := shared.Path(t, "attestations")
	for _, folder := range []string{"attestations", "internet"} {
		err := filepath.WalkDir(shared.Path(t, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(top, path)
			switch filepath.Ext(name) {
			case ".gz", ".conda", ".whl", ".tgz": // archives that the evidence is of
				return err
			}
			if !covered[filepath.ToSlash(name)] {
				t.Errorf("%s has no case", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func verifierOf(t testing.TB, roots ...string) *verify.Verifier {
	t.Helper()
	var files []string
	for _, r := range roots {
		files = append(files, shared.Path(t, "trust", r+".json"))
	}
	loaded, err := trust.FromFiles(files...)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(loaded.Domains, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// With all roots at once every file is judged by its own, and no other.
func TestRealEvidenceAmongAllRoots(t *testing.T) {
	v := verifierOf(t, "public-good", "staging", "github")
	for _, c := range realCases {
		candidates, d := realCandidates(t, c.file), realDigest(t, c.sha256)
		rules := verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, c.right)}, Match: verify.Any, URLs: c.urls}
		_, bundles, err := v.Verify(candidates, d, rules)
		found := ""
		for _, b := range bundles {
			if b.Status != verify.SetAside {
				found = string(b.Code)
				if b.Verified != nil && b.Domain != c.root {
					t.Errorf("%s: domain %q, wanted %q", c.file, b.Domain, c.root)
				}
				break
			}
			found = string(b.Code)
		}
		if found != string(c.want) || (err == nil) != (c.want == "") {
			t.Errorf("%s: code %q, wanted %q; error %v", c.file, found, c.want, err)
		}
		for _, candidate := range candidates {
			in := v.Inspect(candidate, &d)
			if want := c.want != verify.CodeMalformed; in.Genuine != want {
				t.Errorf("%s %d: genuine %v, wanted %v: %s", c.file, candidate.Index, in.Genuine, want, in.Reason)
			}
			if in.Genuine && (in.Domain != c.root || len(in.Domains) != 3) {
				t.Errorf("%s: inspected in %q among %d domains, wanted %q", c.file, in.Domain, len(in.Domains), c.root)
			}
		}
	}
}

// Real evidence under what a policy may demand.
func TestRealEvidenceUnderRules(t *testing.T) {
	const (
		slsa    = "pep740/pypi_attestations-0.0.19.tar.gz.slsa.attestation"
		gitlab  = "pep740/gitlab_oidc_project-0.0.3.tar.gz.publish.attestation"
		release = "github/immutable-release-v0.2.sigstore.json"
		private = "github/private-repository-2026.sigstore.json"
		google  = "pep740/sampleproject-3.0.0.tar.gz.publish.attestation"
	)
	cases := map[string]realCase{}
	for _, c := range realCases {
		if _, seen := cases[c.file]; !seen {
			cases[c.file] = c
		}
	}
	all := []publishers.Pattern{pattern(t, "github:*/*"), pattern(t, "gitlab:*/*")}
	for _, c := range []struct {
		name, file string
		rule       publishers.Rule
		version    string
		noReleases bool
		predicates []string
		want       verify.Code
		warnings   []publishers.WarningCode
	}{
		{name: "tag is version", file: slsa, rule: publishers.Rule{TagIsVersion: true}, version: "0.0.19"},
		{name: "tag of another version", file: slsa, rule: publishers.Rule{TagIsVersion: true}, version: "0.0.20", want: verify.CodeVersion},
		{name: "version unknown", file: slsa, rule: publishers.Rule{TagIsVersion: true}, want: verify.CodeVersion},
		{name: "tag of another version, no rule", file: slsa, version: "0.0.20", warnings: []publishers.WarningCode{publishers.WarnTagVersion}},
		{name: "tag of the version, no rule", file: slsa, version: "0.0.19"},
		{name: "hosted", file: slsa, rule: publishers.Rule{HostedOnly: true}},
		{name: "ref", file: slsa, rule: publishers.Rule{Refs: []string{"refs/tags/v*"}}},
		{name: "other ref", file: slsa, rule: publishers.Rule{Refs: []string{"refs/heads/*"}}, want: verify.CodeRef},
		{name: "other workflow", file: slsa, rule: publishers.Rule{Workflows: []string{".github/workflows/tests.yml"}}, want: verify.CodeWorkflow},
		{name: "other trigger", file: slsa, rule: publishers.Rule{Triggers: []string{"workflow_dispatch"}}, want: verify.CodeTrigger},
		{name: "environment, of before there were any", file: slsa, rule: publishers.Rule{Environments: []string{"release"}}, want: verify.CodeEnvironment},
		{name: "other repository of the name", file: slsa, rule: publishers.Rule{RepositoryIDs: []string{"1"}}, want: verify.CodeRepositoryID},
		{name: "other owner of the name", file: slsa, rule: publishers.Rule{OwnerIDs: []string{"1"}}, want: verify.CodeOwnerID},
		{name: "publish attestations alone", file: slsa, predicates: []string{"https://docs.pypi.org/attestations/publish/v1"}, want: verify.CodePredicate},
		{name: "from a branch", file: gitlab, rule: publishers.Rule{Refs: []string{"refs/tags/*"}}, want: verify.CodeRef},
		{name: "other project of the name", file: gitlab, rule: publishers.Rule{RepositoryIDs: []string{"1"}}, want: verify.CodeRepositoryID},
		{name: "release", file: release, rule: publishers.Rule{RepositoryIDs: []string{"1155542902"}, OwnerIDs: []string{"216188"}, TagIsVersion: true}, version: "0.1.9"},
		{name: "release of another version", file: release, rule: publishers.Rule{TagIsVersion: true}, version: "0.1.8", want: verify.CodeVersion},
		{name: "release of another repository of the name", file: release, rule: publishers.Rule{RepositoryIDs: []string{"1"}}, want: verify.CodeRepositoryID},
		{name: "release, and provenance is demanded", file: release, rule: publishers.Rule{HostedOnly: true}, want: verify.CodeRunner},
		{name: "releases do not count", file: release, noReleases: true, want: verify.CodeReleaseNotAllowed},
		{name: "releases do not count, and it is none", file: slsa, noReleases: true},
		{name: "reusable workflow stays one", file: private, rule: publishers.Rule{HostedOnly: true}, want: verify.CodeReusableWorkflow},
		{name: "no rule speaks of people", file: google, rule: publishers.Rule{HostedOnly: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			real, ok := cases[c.file]
			if !ok {
				t.Fatal("no such case")
			}
			rules := verify.Rules{
				Publishers: []publishers.Publisher{publisherOf(t, real.right)}, Match: verify.Any, URLs: real.urls,
				NoImmutableReleases: c.noReleases, PredicateTypes: c.predicates,
			}
			if c.version != "" {
				rules.Terms.Version = []string{c.version}
			}
			c.rule.Publishers = all
			if c.rule.Validate() == nil {
				rules.Terms.Rules = []publishers.Rule{c.rule}
			}
			var candidates []attestation.Candidate = realCandidates(t, c.file)
			_, bundles, err := verifierOf(t, real.root).Verify(candidates, realDigest(t, real.sha256), rules)
			if got := bundles[0].Code; got != c.want || (err == nil) != (c.want == "") {
				t.Fatalf("code %q, wanted %q; error %v", got, c.want, err)
			}
			var warnings []publishers.WarningCode
			for _, w := range bundles[0].Warnings {
				warnings = append(warnings, w.Code)
			}
			if diff := cmp.Diff(c.warnings, warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
