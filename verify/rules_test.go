package verify_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

func pattern(t testing.TB, s string) publishers.Pattern {
	t.Helper()
	p, err := publishers.ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each demand of a policy that does not hold has a code of its own.
func TestTermsHaveCodes(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	all := []publishers.Pattern{pattern(t, "github:pallets/*")}
	run := func(change func(*sigstoretest.GitHubRun)) sigstoretest.Identity {
		return sigstoretest.GitHub("pallets/flask", change)
	}
	released := run(func(r *sigstoretest.GitHubRun) { r.Environment = "release" })
	for _, c := range []struct {
		name string
		id   sigstoretest.Identity
		rule publishers.Rule
		want verify.Code
	}{
		{"environment", released, publishers.Rule{Environments: []string{"release"}}, ""},
		{"other environment", run(func(r *sigstoretest.GitHubRun) { r.Environment = "releases" }), publishers.Rule{Environments: []string{"release"}}, verify.CodeEnvironment},
		{"no environment", flask, publishers.Rule{Environments: []string{"release"}}, verify.CodeEnvironment},
		{"workflow", flask, publishers.Rule{Workflows: []string{".github/workflows/release.yml"}}, ""},
		{"other workflow", flask, publishers.Rule{Workflows: []string{".github/workflows/build.yml"}}, verify.CodeWorkflow},
		{"trigger", flask, publishers.Rule{Triggers: []string{"release"}}, ""},
		{"other trigger", run(func(r *sigstoretest.GitHubRun) { r.Trigger = "pull_request_target" }), publishers.Rule{Triggers: []string{"release"}}, verify.CodeTrigger},
		{"hosted runner", flask, publishers.Rule{HostedOnly: true}, ""},
		{"self-hosted runner", run(func(r *sigstoretest.GitHubRun) { r.Runner = "self-hosted" }), publishers.Rule{HostedOnly: true}, verify.CodeRunner},
		{"ref", flask, publishers.Rule{Refs: []string{"refs/tags/v*"}}, ""},
		{"other ref", flask, publishers.Rule{Refs: []string{"refs/heads/main"}}, verify.CodeRef},
		{"tag is version", flask, publishers.Rule{TagIsVersion: true}, ""},
		{"tag of another version", run(func(r *sigstoretest.GitHubRun) { r.Ref = "refs/tags/v1.0.1" }), publishers.Rule{TagIsVersion: true}, verify.CodeVersion},
		{"repository", flask, publishers.Rule{RepositoryIDs: []string{"596532921"}}, ""},
		{"registered again", run(func(r *sigstoretest.GitHubRun) { r.RepositoryID = "999" }), publishers.Rule{RepositoryIDs: []string{"596532921"}}, verify.CodeRepositoryID},
		{"owner registered again", run(func(r *sigstoretest.GitHubRun) { r.OwnerID = "999" }), publishers.Rule{OwnerIDs: []string{"16748505"}}, verify.CodeOwnerID},
		{"rule about others", flask, publishers.Rule{Publishers: []publishers.Pattern{pattern(t, "github:evil/*")}, Triggers: []string{"push"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.rule.Publishers == nil {
				c.rule.Publishers = all
			}
			rules := flaskRules(t)
			rules.Terms = publishers.Terms{Rules: []publishers.Rule{c.rule}, Version: []string{"1.0.0"}}
			if got := w.judgeRules(t, w.Sign(provenance, c.id, sigstoretest.RekorV1).JSON(), rules); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
			rules.Match = verify.All
			if got := w.judgeRules(t, w.Sign(provenance, c.id, sigstoretest.RekorV1).JSON(), rules); got != c.want {
				t.Errorf("all: code %q, wanted %q", got, c.want)
			}
		})
	}
}

// A bundle counts only if it is of a publisher that the policy accepts, too.
func TestBoundPublishers(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	b := w.Sign(provenance, flask, sigstoretest.RekorV1)
	elsewhere := w.Sign(provenance, sigstoretest.GitHub("evil/flask"), sigstoretest.RekorV1)
	list := func(names ...string) (found []publishers.Publisher) {
		for _, n := range names {
			found = append(found, publisherOf(t, n))
		}
		return found
	}
	for _, c := range []struct {
		name              string
		document          []byte
		publishers, bound []publishers.Publisher
		want              verify.Code
	}{
		{"none", b.JSON(), list("github:pallets/flask"), nil, ""},
		{"the same", b.JSON(), list("github:pallets/flask"), list("github:pallets/flask"), ""},
		{"one of two", b.JSON(), list("github:pallets/flask"), list("github:pallets/click", "github:pallets/flask"), ""},
		{"another", b.JSON(), list("github:pallets/flask"), list("github:pallets/click"), verify.CodeBound},
		{"two others", b.JSON(), list("github:pallets/flask"), list("github:pallets/click", "github:pallets/jinja"), verify.CodeBound},
		{"of another issuer", b.JSON(), list("github:pallets/flask"), list("gitlab:pallets/flask"), verify.CodeBound},
		{"at another ref", b.JSON(), list("github:pallets/flask"), list("github:pallets/flask@refs/tags/v2.*"), verify.CodeRef},
		{"the recipe names somebody else", elsewhere.JSON(), list("github:evil/flask"), list("github:pallets/flask"), verify.CodeBound},
		{"one of each", sigstoretest.JSONLines(b, elsewhere), list("github:evil/flask"), list("github:pallets/flask"), verify.CodeBound},
		{"bound alone is no publisher", b.JSON(), list("github:evil/flask"), list("github:pallets/flask"), verify.CodeIdentity},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := verify.Rules{Publishers: c.publishers, Bound: c.bound, Match: verify.Any}
			if got := w.judgeRules(t, c.document, rules); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

// Terms that could not be meant are refused before anything is verified.
func TestUnusableTermsAreRefused(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	candidate := candidateOf(t, w.Sign(provenance, flask, sigstoretest.RekorV1))
	for name, change := range map[string]func(*verify.Rules){
		"empty bound publisher":   func(r *verify.Rules) { r.Bound = []publishers.Publisher{{}} },
		"rule without publishers": func(r *verify.Rules) { r.Terms.Rules = []publishers.Rule{{HostedOnly: true}} },
		"empty rule":              func(r *verify.Rules) { r.Terms.Rules = []publishers.Rule{{}} },
	} {
		rules := flaskRules(t)
		change(&rules)
		evidence, bundles, err := w.verifier.Examine([]attestation.Candidate{candidate}, archiveDigest).Judge(rules)
		var wrong *verify.RulesError
		if evidence.Verified() || bundles != nil || !errors.As(err, &wrong) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	var wrong *verify.RulesError
	if evidence, _, err := (verify.Examined{}).Judge(flaskRules(t)); evidence.Verified() || !errors.As(err, &wrong) {
		t.Errorf("nothing examined: error %v", err)
	}
}

// One examination serves the rules of several recipes, in any order.
func TestExaminedIsJudgedAgain(t *testing.T) {
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	w := worldOf(t, github, github.TrustedRootJSON(), nil)
	const asset = "https://github.com/pallets/flask/releases/download/3.1.1/flask-3.1.1.tar.gz"
	released := candidateOf(t, github.Sign(release("3.1.1").Statement(), sigstoretest.GitHubRelease(), sigstoretest.NoLog))
	examined := w.verifier.Examine([]attestation.Candidate{released}, archiveDigest)
	forbidden := flaskRules(t, asset)
	forbidden.NoImmutableReleases = true
	numbered := flaskRules(t, asset)
	numbered.Terms.Rules = []publishers.Rule{{Publishers: []publishers.Pattern{pattern(t, "github:pallets/flask")}, RepositoryIDs: []string{"1"}}}
	known := flaskRules(t, asset)
	known.Terms.Rules = []publishers.Rule{{Publishers: []publishers.Pattern{pattern(t, "github:pallets/flask")}, RepositoryIDs: []string{"596532921"}, OwnerIDs: []string{"16748505"}}}
	for range 2 {
		for name, c := range map[string]struct {
			rules verify.Rules
			want  verify.Code
		}{
			"asset":              {flaskRules(t, asset), ""},
			"elsewhere":          {flaskRules(t, elsewhere), verify.CodeRelease},
			"not allowed":        {forbidden, verify.CodeReleaseNotAllowed},
			"another repository": {numbered, verify.CodeRepositoryID},
			"known repository":   {known, ""},
		} {
			_, bundles, err := examined.Judge(c.rules)
			if bundles[0].Code != c.want || (err == nil) != (c.want == "") {
				t.Errorf("%s: code %q, wanted %q; error %v", name, bundles[0].Code, c.want, err)
			}
		}
	}
}

// Warnings come from the policy's terms, with bundles that count and no others.
func TestWarnings(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	id := sigstoretest.GitHub("pallets/flask", func(r *sigstoretest.GitHubRun) {
		r.Ref, r.Trigger, r.Runner = "refs/heads/main", "pull_request_target", "self-hosted"
	})
	candidate := candidateOf(t, w.Sign(provenance, id, sigstoretest.RekorV1))
	codes := func(rules verify.Rules) (found []publishers.WarningCode) {
		_, bundles, _ := w.verifier.Verify([]attestation.Candidate{candidate}, archiveDigest, rules)
		for _, w := range bundles[0].Warnings {
			found = append(found, w.Code)
		}
		return found
	}
	want := []publishers.WarningCode{publishers.WarnPullRequest, publishers.WarnBranch, publishers.WarnRunner}
	if diff := cmp.Diff(want, codes(flaskRules(t))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	stranger := verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, "github:evil/flask")}, Match: verify.Any}
	if got := codes(stranger); got != nil {
		t.Errorf("a bundle that does not count has warnings %v", got)
	}
}

// A release has warnings of its own: its tag is all that it says.
func TestReleaseWarnings(t *testing.T) {
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	w := worldOf(t, github, github.TrustedRootJSON(), nil)
	rules := flaskRules(t, "https://github.com/pallets/flask/releases/download/3.1.1/flask-3.1.1.tar.gz")
	for version, want := range map[string]int{"3.1.1": 0, "3.1.0": 1} {
		rules.Terms.Version = []string{version}
		candidate := candidateOf(t, github.Sign(release("3.1.1").Statement(), sigstoretest.GitHubRelease(), sigstoretest.NoLog))
		evidence, _, err := w.verifier.Verify([]attestation.Candidate{candidate}, archiveDigest, rules)
		if err != nil || len(evidence.Bundles()[0].Warnings) != want {
			t.Errorf("%s: error %v, warnings %v", version, err, evidence.Bundles())
		}
	}
}

// A release that its statement does not name is nobody's.
func TestReleaseWithoutName(t *testing.T) {
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	w := worldOf(t, github, github.TrustedRootJSON(), nil)
	for name, predicate := range map[string]any{
		"no predicate": nil, "no tag": map[string]string{"repository": "pallets/flask"}, "no repository": map[string]string{"tag": "3.1.1"},
		"no text":         map[string]any{"repository": 1, "tag": "3.1.1"},
		"no identifier":   map[string]any{"repository": "pallets/flask", "tag": "3.1.1", "repositoryId": "x"},
		"a list of names": []string{"pallets/flask"},
	} {
		s := release("3.1.1").Statement()
		s.Predicate = predicate
		b := github.Sign(s, sigstoretest.GitHubRelease(), sigstoretest.NoLog)
		if got := w.judgeRules(t, b.JSON(), flaskRules(t, "https://github.com/pallets/flask/releases/download/3.1.1/flask-3.1.1.tar.gz")); got != verify.CodeIssuer {
			t.Errorf("%s: code %q, wanted %q", name, got, verify.CodeIssuer)
		}
	}
}

// Foreign text neither floods a message nor acts on a terminal.
func TestMessagesOfForeignText(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	name := "\x1b[31m\u202e" + strings.Repeat("x", 10_000)
	s := sigstoretest.Statement{}
	for range 50 {
		s.Subjects = append(s.Subjects, sigstoretest.File(name, []byte("x")))
	}
	_, bundles, _ := w.verifier.Verify([]attestation.Candidate{candidateOf(t, w.Sign(s, flask, sigstoretest.RekorV1))}, archiveDigest, flaskRules(t))
	if r := bundles[0].Reason; len(r) > 2000 || strings.ContainsAny(r, "\x1b\u202e") || !strings.Contains(r, "and 47 more") {
		t.Errorf("a reason of %d bytes: %.300q", len(r), r)
	}
}

// What is said where nothing counts, to the letter.
func TestMismatchMessages(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	two := flaskRules(t)
	two.Publishers = append(two.Publishers, publisherOf(t, "github:pallets/click"))
	listed := flaskRules(t)
	listed.PredicateTypes = []string{sigstoretest.SPDX}
	for name, c := range map[string]struct {
		content       sigstoretest.Content
		id            sigstoretest.Identity
		rules         verify.Rules
		message, hint string
	}{
		"predicate": {
			predicate(sigstoretest.SPDX), flask, flaskRules(t), `its predicate type is "https://spdx.dev/Document/v2.3", wanted one of https://slsa.dev/provenance/v0.2, `,
			`if this statement is meant, add to the attestation block: predicate_type: "https://spdx.dev/Document/v2.3"`,
		},
		"other predicate than the listed": {provenance, flask, listed, `its predicate type is "https://docs.pypi.org/attestations/publish/v1", wanted https://spdx.dev/Document/v2.3`, ""},
		"message signature":               {sigstoretest.Message(archive), flask, listed, `it is a signature over the archive without a statement, wanted https://spdx.dev/Document/v2.3`, ""},
		"one of two publishers":           {provenance, sigstoretest.GitHub("evil/flask"), two, "signed by github:evil/flask, wanted one of github:pallets/flask, github:pallets/click", ""},
		"other file": {
			sigstoretest.Attest("x", []byte("x")), flask, flaskRules(t), `the evidence speaks of another file: it speaks of "x" sha256:`,
			"the archive may have been replaced since it was signed; compare the recipe's sha256 with the release",
		},
	} {
		_, _, err := w.verifier.Verify([]attestation.Candidate{candidateOf(t, w.Sign(c.content, c.id, sigstoretest.RekorV1))}, archiveDigest, c.rules)
		var mismatch *verify.MismatchError
		if !errors.As(err, &mismatch) || !strings.HasPrefix(mismatch.Message, c.message) || mismatch.Hint() != c.hint {
			t.Errorf("%s: %v\nhint %q", name, err, mismatch.Hint())
		}
	}
}

// Certificates whose environment could be read in two ways are no certificates.
func TestEnvironmentExtension(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	oid := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, sigstoretest.ExtEnvironment}
	utf8, err := asn1.MarshalWithParams("release", "utf8")
	if err != nil {
		t.Fatal(err)
	}
	printable, err := asn1.MarshalWithParams("release", "printable")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		value []byte
		want  verify.Code
	}{
		"UTF8String":       {utf8, ""},
		"more after it":    {append(utf8[:len(utf8):len(utf8)], 0), verify.CodeCertificate},
		"PrintableString":  {printable, verify.CodeCertificate},
		"raw text":         {[]byte("release"), verify.CodeCertificate},
		"nothing":          {nil, verify.CodeCertificate},
		"cut off":          {utf8[:len(utf8)-1], verify.CodeCertificate},
		"text of no UTF-8": {[]byte{asn1.TagUTF8String, 1, 0xff}, verify.CodeCertificate},
	} {
		id := flask
		id.Extra = []pkix.Extension{{Id: oid, Value: c.value}}
		rules := flaskRules(t)
		rules.Terms.Rules = []publishers.Rule{{Publishers: []publishers.Pattern{pattern(t, "github:*/*")}, Environments: []string{"release"}}}
		if got := w.judgeRules(t, w.Sign(provenance, id, sigstoretest.RekorV1).JSON(), rules); got != c.want {
			t.Errorf("%s: code %q, wanted %q", name, got, c.want)
		}
	}
}

// What a certificate calls critical has to be understood.
func TestUnknownCriticalExtension(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for critical, want := range map[bool]verify.Code{false: "", true: verify.CodeUnknownAuthority} {
		id := flask
		id.Extra = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 99}, Critical: critical, Value: []byte("x")}}
		if got := w.judge(t, w.Sign(provenance, id, sigstoretest.RekorV1).JSON(), "github:pallets/flask"); got != want {
			t.Errorf("critical %v: code %q, wanted %q", critical, got, want)
		}
	}
}

// Real evidence: rules_lint is built by a reusable workflow of bazel-contrib,
// which counts where a policy names that workflow for that project.
func TestReusableWorkflowOfRealRelease(t *testing.T) {
	const folder = "../internet/github.com/aspect-build/rules_lint/releases/download/v1.3.1/rules_lint-v1.3.1.tar.gz"
	roots, err := trust.FromFiles(shared.Path(t, "trust", "public-good.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(roots.Domains, nil)
	if err != nil {
		t.Fatal(err)
	}
	candidates, d := realCandidates(t, folder+".intoto.jsonl"), realDigest(t, "file:"+folder)
	const workflow = "github:bazel-contrib/.github/.github/workflows/release_ruleset.yaml"
	for _, c := range []struct {
		name, publisher, from, workflow string
		rule                            publishers.Rule
		want                            verify.Code
	}{
		{name: "no policy", publisher: "github:aspect-build/rules_lint", want: verify.CodeReusableWorkflow},
		{name: "named", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v*"},
		{name: "named exactly", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/rules_lint", workflow: workflow + "@refs/tags/v7.1.0"},
		{name: "other ref pattern", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v6.*", want: verify.CodeReusableWorkflow},
		{name: "a branch", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: workflow + "@refs/heads/v*", want: verify.CodeReusableWorkflow},
		{name: "other projects", publisher: "github:aspect-build/rules_lint", from: "github:bazelbuild/*", workflow: workflow + "@refs/tags/v*", want: verify.CodeReusableWorkflow},
		{name: "other project of the owner", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/rules_js", workflow: workflow + "@refs/tags/v*", want: verify.CodeReusableWorkflow},
		{name: "other workflow", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: "github:bazel-contrib/.github/.github/workflows/release.yaml@refs/tags/v*", want: verify.CodeReusableWorkflow},
		{name: "other repository's workflow", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: "github:bazel-contrib/evil/.github/workflows/release_ruleset.yaml@refs/tags/v*", want: verify.CodeReusableWorkflow},
		{name: "other publisher", publisher: "github:aspect-build/rules_js", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v*", want: verify.CodeIdentity},
		{name: "the workflow's owner", publisher: "github:bazel-contrib/.github", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v*", want: verify.CodeReusableWorkflow},
		{
			name: "and a rule that holds", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v*",
			rule: publishers.Rule{Workflows: []string{".github/workflows/release.yml"}, RepositoryIDs: []string{"631710741"}, OwnerIDs: []string{"60951090"}, HostedOnly: true, Triggers: []string{"workflow_dispatch"}},
		},
		{
			name: "and a rule about refs", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v*",
			rule: publishers.Rule{Refs: []string{"refs/tags/v*"}}, want: verify.CodeRef,
		},
		{
			name: "and another repository of the name", publisher: "github:aspect-build/rules_lint", from: "github:aspect-build/*", workflow: workflow + "@refs/tags/v*",
			rule: publishers.Rule{RepositoryIDs: []string{"631710742"}}, want: verify.CodeRepositoryID,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, c.publisher)}, Match: verify.Any}
			if c.workflow != "" {
				parsed, err := publishers.ParseWorkflow(c.workflow)
				if err != nil {
					t.Fatal(err)
				}
				rules.Terms.Reusable = []publishers.ReusableWorkflow{{Publishers: []publishers.Pattern{pattern(t, c.from)}, Workflow: parsed}}
			}
			if c.rule.Workflows != nil || c.rule.Refs != nil || c.rule.RepositoryIDs != nil {
				c.rule.Publishers = []publishers.Pattern{pattern(t, "github:aspect-build/*")}
				rules.Terms.Rules = []publishers.Rule{c.rule}
			}
			evidence, bundles, err := v.Verify(candidates, d, rules)
			if got := bundles[0].Code; got != c.want || evidence.Verified() != (c.want == "") {
				t.Errorf("code %q, wanted %q; error %v", got, c.want, err)
			}
		})
	}
}
