package publishers_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/publishers"
)

const ruleset = "github:bazel-contrib/.github/.github/workflows/release_ruleset.yaml"

// rulesLint is an identity as aspect-build/rules_lint v1.3.1 has it.
func rulesLint() publishers.Identity {
	return publishers.Identity{
		SAN:     "https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v7.1.0",
		SANKind: publishers.URIName, Issuer: publishers.GitHubIssuer,
		SourceRepository: "https://github.com/aspect-build/rules_lint", SourceRef: "refs/heads/publish-to-bcr",
		BuildConfigURI: "https://github.com/aspect-build/rules_lint/.github/workflows/release.yml@refs/heads/publish-to-bcr",
		Trigger:        "workflow_dispatch", RunnerEnvironment: "github-hosted",
		SourceRepositoryID: "631710741", SourceOwnerID: "60951090",
	}
}

func reusable(t *testing.T, workflow string, forWhom ...string) publishers.Terms {
	t.Helper()
	w, err := publishers.ParseWorkflow(workflow)
	if err != nil {
		t.Fatal(err)
	}
	return publishers.Terms{Reusable: []publishers.ReusableWorkflow{{Publishers: patterns(t, forWhom...), Workflow: w}}}
}

type reusableCase struct {
	name, publisher, workflow, forWhom string
	want                               publishers.Field
	message                            string // part of it
}

// reusableCases are about the identity of rulesLint.
var reusableCases = []reusableCase{
	{"named", "github:aspect-build/rules_lint", ruleset + "@refs/tags/v*", "github:aspect-build/*", "", ""},
	{"named in another case", "github:Aspect-Build/rules_lint", "github:Bazel-Contrib/.GitHub/.github/workflows/release_ruleset.yaml@refs/tags/v*", "github:ASPECT-build/*", "", ""},
	{"for everybody", "github:aspect-build/rules_lint", ruleset + "@refs/tags/v7.1.0", "*", "", ""},
	{"source ref of the publisher", "github:aspect-build/rules_lint@refs/heads/publish-*", ruleset + "@refs/tags/v*", "*", "", ""},
	{"other ref", "github:aspect-build/rules_lint", ruleset + "@refs/tags/v6.*", "*", publishers.FieldSourceRepository, "the policy allows that workflow at refs/tags/v6.*"},
	{"branch", "github:aspect-build/rules_lint", ruleset + "@refs/heads/v7.1.0", "*", publishers.FieldSourceRepository, "the policy allows that workflow at refs/heads/v7.1.0"},
	{"commit", "github:aspect-build/rules_lint", ruleset + "@eeb03fb7518fb0036e4bb0713134c3b6531c68ba", "*", publishers.FieldSourceRepository, "allows that workflow at eeb03fb"},
	{"other workflow", "github:aspect-build/rules_lint", "github:bazel-contrib/.github/.github/workflows/release.yaml@refs/tags/v*", "*", publishers.FieldSourceRepository, "of that repository the policy allows github:bazel-contrib/.github/.github/workflows/release.yaml@refs/tags/v*"},
	{"workflow in another case", "github:aspect-build/rules_lint", "github:bazel-contrib/.github/.github/workflows/Release_ruleset.yaml@refs/tags/v*", "*", publishers.FieldSourceRepository, "of that repository"},
	{"beginning of the workflow", "github:aspect-build/rules_lint", "github:bazel-contrib/.github/.github/workflows@refs/tags/v*", "*", publishers.FieldSourceRepository, "of that repository"},
	{"other repository", "github:aspect-build/rules_lint", "github:bazel-contrib/github/.github/workflows/release_ruleset.yaml@refs/tags/v*", "*", publishers.FieldSourceRepository, "the policy allows github:bazel-contrib/github/"},
	{"other owner", "github:aspect-build/rules_lint", "github:bazel/.github/.github/workflows/release_ruleset.yaml@refs/tags/v*", "*", publishers.FieldSourceRepository, "the policy allows github:bazel/.github/"},
	{"other host", "github:aspect-build/rules_lint", "gitlab:bazel-contrib/.github//.github/workflows/release_ruleset.yaml@refs/tags/v*", "*", publishers.FieldSourceRepository, "the policy allows gitlab:bazel-contrib/.github//"},
	{"for another owner", "github:aspect-build/rules_lint", ruleset + "@refs/tags/v*", "github:aspect/*", publishers.FieldSourceRepository, ""},
	{"for the workflow's own repository", "github:aspect-build/rules_lint", ruleset + "@refs/tags/v*", "github:bazel-contrib/.github", publishers.FieldSourceRepository, ""},
	{"other ref was built", "github:aspect-build/rules_lint@refs/tags/v*", ruleset + "@refs/tags/v*", "*", publishers.FieldRef, "signed with the ref refs/heads/publish-to-bcr, wanted refs/tags/v*"},
	{"the workflow's repository as publisher", "github:bazel-contrib/.github", ruleset + "@refs/tags/v*", "*", publishers.FieldSourceRepository, ""},
	{"other publisher", "github:aspect-build/rules_js", ruleset + "@refs/tags/v*", "*", publishers.FieldRepository, "signed by github:aspect-build/rules_lint"},
}

func checkReusable(t *testing.T, c reusableCase, id publishers.Identity) {
	t.Helper()
	err := reusable(t, c.workflow, c.forWhom).Match(publisher(t, c.publisher), id)
	if got := fieldOf(t, err); got != c.want {
		t.Fatalf("mismatch in %q (%v), wanted %q", got, err, c.want)
	}
	switch {
	case err == nil:
	case c.message == "" && strings.Contains(err.Error(), "policy"):
		t.Errorf("the message %q speaks of a policy that says nothing of this", err)
	case !strings.Contains(err.Error(), c.message):
		t.Errorf("the message %q does not say %q", err, c.message)
	}
}

func TestReusableWorkflow(t *testing.T) {
	for _, c := range reusableCases {
		t.Run(c.name, func(t *testing.T) { checkReusable(t, c, rulesLint()) })
	}
}

// The same with the real certificate.
func TestReusableWorkflowOfRulesLint(t *testing.T) {
	data, err := os.ReadFile(shared.Path(t, "internet", "github.com", "aspect-build", "rules_lint", "releases", "download", "v1.3.1", "rules_lint-v1.3.1.tar.gz.intoto.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	var bundle struct {
		VerificationMaterial struct {
			Certificate struct{ RawBytes []byte }
			Chain       struct {
				Certificates []struct{ RawBytes []byte }
			} `json:"x509CertificateChain"`
		}
	}
	if err := json.Unmarshal([]byte(line), &bundle); err != nil {
		t.Fatal(err)
	}
	raw := bundle.VerificationMaterial.Certificate.RawBytes
	if raw == nil {
		raw = bundle.VerificationMaterial.Chain.Certificates[0].RawBytes
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	ext, err := certificate.ParseExtensions(cert.Extensions)
	if err != nil {
		t.Fatal(err)
	}
	id := publishers.Identity{
		SAN: cert.URIs[0].String(), SANKind: publishers.URIName, Issuer: ext.Issuer,
		SourceRepository: ext.SourceRepositoryURI, SourceRef: ext.SourceRepositoryRef,
		SourceRepositoryID: ext.SourceRepositoryIdentifier, SourceOwnerID: ext.SourceRepositoryOwnerIdentifier,
		BuildConfigURI: ext.BuildConfigURI, Trigger: ext.BuildTrigger, RunnerEnvironment: ext.RunnerEnvironment,
	}
	for _, c := range reusableCases {
		t.Run(c.name, func(t *testing.T) { checkReusable(t, c, id) })
	}
}

func TestReusableWorkflowAttacks(t *testing.T) {
	terms := reusable(t, ruleset+"@refs/tags/v*", "github:aspect-build/*")
	victim := publisher(t, "github:aspect-build/rules_lint")
	change := func(f func(*publishers.Identity)) publishers.Identity { return with(rulesLint(), f) }
	san := func(s string) publishers.Identity { return change(func(id *publishers.Identity) { id.SAN = s }) }
	for _, c := range []struct {
		name string
		p    publishers.Publisher
		id   publishers.Identity
		want publishers.Field
	}{
		{"run by somebody else", victim, change(func(id *publishers.Identity) { id.SourceRepository = "https://github.com/evil/x" }), publishers.FieldRepository},
		{"run by nobody known", victim, change(func(id *publishers.Identity) { id.SourceRepository = "" }), publishers.FieldRepository},
		{"run by a longer name", victim, change(func(id *publishers.Identity) {
			id.SourceRepository = "https://github.com/aspect-build/rules_lint-evil"
		}), publishers.FieldRepository},
		{"other issuer", victim, change(func(id *publishers.Identity) { id.Issuer = publishers.GitLabIssuer }), publishers.FieldIssuer},
		{"e-mail field", victim, change(func(id *publishers.Identity) { id.SANKind = publishers.EmailName }), publishers.FieldIdentity},
		{"workflow by http", victim, san("http://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v1"), publishers.FieldIdentity},
		{"workflow on another host", victim, san("https://github.com.evil.org/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v1"), publishers.FieldIdentity},
		{"workflow without a ref", victim, san("https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml"), publishers.FieldSourceRepository},
		{"ref with a slash more", victim, san("https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v1/x"), publishers.FieldSourceRepository},
		{"file name that holds the ref", victim, san("https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v1/x.yaml@refs/heads/evil"), publishers.FieldSourceRepository},
		{"workflow below a folder", victim, san("https://github.com/bazel-contrib/.github/x/.github/workflows/release_ruleset.yaml@refs/tags/v1"), publishers.FieldSourceRepository},
		{"mapping of a workflow", mapping(t, "https://github.com/aspect-build/rules_lint/.github/workflows/release.yml", publishers.GitHubIssuer), rulesLint(), publishers.FieldSourceRepository},
		{"mapping of the repository", mapping(t, "https://github.com/aspect-build/rules_lint", publishers.GitHubIssuer), rulesLint(), ""},
		{"mapping of the repository at the ref", mapping(t, "https://github.com/aspect-build/rules_lint@refs/heads/publish-to-bcr", publishers.GitHubIssuer), rulesLint(), ""},
		{"mapping of the repository at another ref", mapping(t, "https://github.com/aspect-build/rules_lint@refs/tags/v1", publishers.GitHubIssuer), rulesLint(), publishers.FieldRef},
		{"commit of the workflow as the publisher's ref", publisher(t, "github:aspect-build/rules_lint@eeb03fb7518fb0036e4bb0713134c3b6531c68ba"), san("https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v1"), publishers.FieldRef},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := terms.Match(c.p, c.id); fieldOf(t, err) != c.want {
				t.Errorf("mismatch in %q (%v), wanted %q", fieldOf(t, err), err, c.want)
			}
		})
	}
}

// A reusable workflow of the publisher's own never signs for it when another
// repository runs it, whatever a policy allows.
func TestOwnReusableWorkflowRunByAnother(t *testing.T) {
	id := actions("pallets/flask", "refs/tags/v1")
	id.SourceRepository = "https://github.com/evil/x"
	terms := reusable(t, "github:pallets/flask/.github/workflows/release.yml@refs/tags/*", "*")
	if got := fieldOf(t, terms.Match(publisher(t, "github:pallets/flask"), id)); got != publishers.FieldSourceRepository {
		t.Errorf("mismatch in %q, wanted %q", got, publishers.FieldSourceRepository)
	}
}

// Rules speak of what was built, and so hold for it through another's workflow.
func TestRulesThroughAReusableWorkflow(t *testing.T) {
	for _, c := range []struct {
		name string
		rule publishers.Rule
		want publishers.Field
	}{
		{"workflow of the project", publishers.Rule{Workflows: []string{".github/workflows/release.yml"}}, ""},
		{"the reusable workflow is not the project's", publishers.Rule{Workflows: []string{".github/workflows/release_ruleset.yaml"}}, publishers.FieldWorkflow},
		{"ref that was built", publishers.Rule{Refs: []string{"refs/heads/publish-to-bcr"}}, ""},
		{"ref of the reusable workflow", publishers.Rule{Refs: []string{"refs/tags/v*"}}, publishers.FieldRef},
		{"tag of the reusable workflow", publishers.Rule{TagIsVersion: true}, publishers.FieldVersion},
		{"id of the project", publishers.Rule{RepositoryIDs: []string{"631710741"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms := reusable(t, ruleset+"@refs/tags/v*", "*")
			terms.Version = []string{"7.1.0"}
			c.rule.Publishers = patterns(t, "github:aspect-build/*")
			terms.Rules = []publishers.Rule{c.rule}
			if err := terms.Match(publisher(t, "github:aspect-build/rules_lint"), rulesLint()); fieldOf(t, err) != c.want {
				t.Errorf("mismatch in %q (%v), wanted %q", fieldOf(t, err), err, c.want)
			}
		})
	}
}

// hinted reads the policy that a hint proposes.
func hinted(t *testing.T, hint string) publishers.Terms {
	t.Helper()
	_, text, ok := strings.Cut(hint, "write in the policy: ")
	if !ok {
		t.Fatalf("the hint %q proposes no policy", hint)
	}
	var policy struct {
		ReusableWorkflows []struct {
			Publishers []string
			Workflow   string
		} `yaml:"reusable_workflows"`
	}
	if err := yaml.Unmarshal([]byte(text), &policy); err != nil || len(policy.ReusableWorkflows) != 1 {
		t.Fatalf("the hint %q is no policy: %v", text, err)
	}
	w := policy.ReusableWorkflows[0]
	return reusable(t, w.Workflow, w.Publishers...)
}

// Who writes what the hint says has allowed the workflow.
func TestReusableHintIsThePolicy(t *testing.T) {
	gitlab := publishers.Identity{
		SAN: "https://gitlab.com/ci/templates//release.yml@refs/heads/main", SANKind: publishers.URIName, Issuer: publishers.GitLabIssuer,
		SourceRepository: "https://gitlab.com/group/sub/project", SourceRef: "refs/tags/v1",
	}
	for _, c := range []struct {
		name string
		p    publishers.Publisher
		id   publishers.Identity
		want string
	}{
		{"shorthand", publisher(t, "github:aspect-build/rules_lint"), rulesLint(), `reusable_workflows: [{publishers: ["github:aspect-build/rules_lint"], workflow: "` + ruleset + `@refs/tags/v7.1.0"}]`},
		{"shorthand with a ref", publisher(t, "github:aspect-build/rules_lint@refs/heads/*"), rulesLint(), `["github:aspect-build/rules_lint"]`},
		{"mapping", mapping(t, "https://github.com/Aspect-build/rules_lint", publishers.GitHubIssuer), rulesLint(), `["github:Aspect-build/rules_lint"]`},
		{"gitlab", publisher(t, "gitlab:group/sub/project"), gitlab, `"gitlab:ci/templates//release.yml@refs/heads/main"`},
		{"spelling of the recipe", publisher(t, "github:Aspect-Build/rules_lint"), rulesLint(), `["github:Aspect-Build/rules_lint"]`},
		{"dash in the file's name", publisher(t, "github:aspect-build/rules_lint"), with(rulesLint(), func(id *publishers.Identity) {
			id.SAN = "https://github.com/ci/ci/.github/workflows/re-lease_2.yml@refs/tags/v1+a"
		}), "re-lease_2.yml@refs/tags/v1+a"},
		{"commit", publisher(t, "github:aspect-build/rules_lint"), with(rulesLint(), func(id *publishers.Identity) {
			id.SAN = "https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml@" + strings.Repeat("ab", 20)
		}), strings.Repeat("ab", 20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m *publishers.MismatchError
			if !errors.As(publishers.Terms{}.Match(c.p, c.id), &m) || !strings.Contains(m.Hint(), c.want) {
				t.Fatalf("the hint %q does not say %s", m.Hint(), c.want)
			}
			if err := hinted(t, m.Hint()).Match(c.p, c.id); err != nil {
				t.Errorf("the policy of the hint does not do: %v", err)
			}
		})
	}
}

// What a certificate names becomes no part of a proposed policy unless it is
// plain.
func TestReusableHintProposesPlainTextOnly(t *testing.T) {
	for _, rest := range []string{
		`/.github/workflows/x"],"publishers":["*"].yml@refs/tags/v1`,
		`/.github/workflows/x","y.yml@refs/tags/v1`,
		"/.github/workflows/x.yml@refs/tags/v*",
		"/.github/workflows/x.yml@refs/tags/v1'",
		"/.github/workflows/x.yml@v1",
		"/.github/workflows/x.yml",
		"@refs/tags/v1",
		"",
	} {
		id := rulesLint()
		id.SAN = "https://github.com/evil/ci" + rest
		var m *publishers.MismatchError
		if !errors.As(publishers.Terms{}.Match(publisher(t, "github:aspect-build/rules_lint"), id), &m) {
			t.Fatalf("%q matched", rest)
		}
		if strings.Contains(m.Hint(), "reusable_workflows:") {
			t.Errorf("%q: the hint proposes %s", rest, m.Hint())
		}
		if m.Hint() == "" {
			t.Errorf("%q: no hint", rest)
		}
	}
}

func TestParseWorkflow(t *testing.T) {
	const commit = "@eeb03fb7518fb0036e4bb0713134c3b6531c68ba"
	for _, c := range []struct{ name, text, problem string }{
		{"github", ruleset + "@refs/tags/v*", ""},
		{"github at a commit", ruleset + commit, ""},
		{"gitlab", "gitlab:g/s/p//ci/release.yml@refs/heads/main", ""},

		{"empty", "", "no workflow of a known provider"},
		{"unknown provider", "bitbucket:a/b/c.yml@refs/tags/v1", "no workflow of a known provider"},
		{"URL", "https://github.com/a/b/c.yml@refs/tags/v1", "no workflow of a known provider"},
		{"no ref", ruleset, "has no ref"},
		{"short ref", ruleset + "@v1", "neither a full ref"},
		{"star as ref", ruleset + "@*", "neither a full ref"},
		{"empty ref", ruleset + "@", "an empty ref"},
		{"no file", "github:a/b@refs/tags/v1", "does not name a workflow file"},
		{"empty file", "github:a/b/@refs/tags/v1", "workflow path"},
		{"pattern as owner", "github:*/b/c.yml@refs/tags/v1", "names hold letters"},
		{"pattern as file", "github:a/b/*.yml@refs/tags/v1", "compared exactly"},
		{"dot segments", "github:a/b/x/../c.yml@refs/tags/v1", "workflow path"},
		{"double slash of github", "github:a/b//c.yml@refs/tags/v1", "workflow path"},
		{"gitlab without a double slash", "gitlab:g/p/c.yml@refs/tags/v1", "does not name a workflow file"},
		{"gitlab group", "gitlab:g//c.yml@refs/tags/v1", "does not name a workflow file"},
		{"two double slashes", "gitlab:g/p//a//c.yml@refs/tags/v1", "workflow path"},
		{"escape", "github:a/b/c%2e.yml@refs/tags/v1", "compared exactly"},
		{"space", "github:a/b/c .yml@refs/tags/v1", "compared exactly"},
		{"foreign letter", "github:a/b/c\u0131.yml@refs/tags/v1", "compared exactly"},
		{"too long", "github:a/b/" + strings.Repeat("c", 3000) + "@refs/tags/v1", "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := publishers.ParseWorkflow(c.text)
			if c.problem == "" {
				if err != nil || w.String() != c.text || w.IsZero() {
					t.Errorf("found %q, %v", w, err)
				}
				return
			}
			var syntax *publishers.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.problem) || syntax.Hint() == "" || !w.IsZero() {
				t.Errorf("error %v, wanted one with %q and a hint", err, c.problem)
			}
		})
	}
}

// A workflow of one host never signs for a repository on another, even where a
// certificate authority could be made to say so.
func TestReusableWorkflowOfAnotherHost(t *testing.T) {
	id := with(rulesLint(), func(id *publishers.Identity) {
		id.SAN = "https://gitlab.com/ci/templates//release.yml@refs/tags/v1"
	})
	terms := reusable(t, "gitlab:ci/templates//release.yml@refs/tags/v1", "*")
	if got := fieldOf(t, terms.Match(publisher(t, "github:aspect-build/rules_lint"), id)); got != publishers.FieldSourceRepository {
		t.Errorf("mismatch in %q, wanted %q", got, publishers.FieldSourceRepository)
	}
}
