package publishers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/publishers"
)

func publisher(t *testing.T, text string) publishers.Publisher {
	t.Helper()
	p, err := publishers.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mapping(t *testing.T, identity, issuer string) publishers.Publisher {
	t.Helper()
	p, err := publishers.New(identity, issuer)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func patterns(t testing.TB, texts ...string) []publishers.Pattern {
	t.Helper()
	var list []publishers.Pattern
	for _, s := range texts {
		p, err := publishers.ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func fieldOf(t *testing.T, err error) publishers.Field {
	t.Helper()
	var m *publishers.MismatchError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &m):
		return m.Field
	}
	t.Fatalf("error of type %T: %v", err, err)
	return ""
}

// complete is the identity of a release workflow with everything that GitHub
// says in a certificate.
func complete(repo, ref string) publishers.Identity {
	id := actions(repo, ref)
	id.BuildConfigURI = id.SAN
	id.Trigger, id.RunnerEnvironment, id.Environment = "release", "github-hosted", "pypi"
	id.SourceRepositoryID, id.SourceOwnerID = "596892", "16748505"
	return id
}

// Terms that demand nothing change nothing, and terms that allow something
// allow nothing else.
func TestTermsAllowNothingElse(t *testing.T) {
	workflow, err := publishers.ParseWorkflow("github:trusted/ci/.github/workflows/r.yml@refs/tags/v*")
	if err != nil {
		t.Fatal(err)
	}
	everything := publishers.Rule{Publishers: patterns(t, "github:nobody/nothing"), Triggers: []string{"push"}}
	for name, terms := range map[string]publishers.Terms{
		"zero": {},
		"generous": {
			Reusable: []publishers.ReusableWorkflow{{Publishers: patterns(t, "*"), Workflow: workflow}},
			Issuers:  []publishers.HostIssuers{{Host: "github.com", Issuers: []string{publishers.GitHubIssuer + "/other"}}},
			Rules:    []publishers.Rule{everything},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range matchCases() {
				t.Run(c.name, func(t *testing.T) {
					if got := fieldOf(t, terms.Match(publisher(t, c.publisher), c.id)); got != c.want {
						t.Errorf("mismatch in %q, wanted %q", got, c.want)
					}
				})
			}
		})
	}
}

func TestZeroPublisherMatchesNobodyUnderTerms(t *testing.T) {
	terms := publishers.Terms{Issuers: []publishers.HostIssuers{{Host: "", Issuers: []string{""}}}}
	for _, id := range []publishers.Identity{{}, complete("a/b", "refs/tags/v1")} {
		if terms.Match(publishers.Publisher{}, id) == nil {
			t.Errorf("the zero publisher matched %v", id)
		}
	}
	if terms.MatchRelease(publishers.Publisher{}, publishers.Release{}) == nil {
		t.Error("the zero publisher matched the zero release")
	}
}

func TestRules(t *testing.T) {
	const own = ".github/workflows/release.yml"
	flask := complete("pallets/flask", "refs/tags/3.1.1")
	change := func(f func(*publishers.Identity)) publishers.Identity { return with(flask, f) }
	elsewhere := func(config string) publishers.Identity {
		return change(func(id *publishers.Identity) { id.BuildConfigURI = config })
	}
	const base = "https://github.com/pallets/flask/"
	rule := func(r publishers.Rule) publishers.Terms {
		r.Publishers = patterns(t, "github:pallets/*")
		return publishers.Terms{Rules: []publishers.Rule{r}, Version: []string{"3.1.1"}}
	}
	workflows := rule(publishers.Rule{Workflows: []string{own}})
	refs := rule(publishers.Rule{Refs: []string{"refs/tags/3.*", "refs/heads/stable"}})
	version := rule(publishers.Rule{TagIsVersion: true})
	triggers := rule(publishers.Rule{Triggers: []string{"release", "push"}})
	environments := rule(publishers.Rule{Environments: []string{"pypi"}})
	hosted := rule(publishers.Rule{HostedOnly: true})
	ids := rule(publishers.Rule{RepositoryIDs: []string{"596892", "1"}})
	owners := rule(publishers.Rule{OwnerIDs: []string{"16748505"}})
	for _, c := range []struct {
		name  string
		terms publishers.Terms
		id    publishers.Identity
		want  publishers.Field // "" for a match
	}{
		{"workflow", workflows, flask, ""},
		{"workflow in another case", workflows, elsewhere(base + ".github/workflows/Release.yml@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"repository in another case", workflows, elsewhere("https://github.com/Pallets/Flask/" + own + "@refs/tags/3.1.1"), ""},
		{"workflow of another name", workflows, elsewhere(base + ".github/workflows/test.yml@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow with a longer name", workflows, elsewhere(base + own + ".bak@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow below another folder", workflows, elsewhere(base + "x/" + own + "@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow of another repository", workflows, elsewhere("https://github.com/evil/x/" + own + "@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow on another host", workflows, elsewhere("https://github.com.evil.org/pallets/flask/" + own + "@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow by http", workflows, elsewhere("http://github.com/pallets/flask/" + own + "@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow with an escape", workflows, elsewhere(base + ".github%2fworkflows/release.yml@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow by dot segments", workflows, elsewhere(base + "x/../" + own + "@refs/tags/3.1.1"), publishers.FieldWorkflow},
		{"workflow in the ref", workflows, elsewhere(base + ".github/workflows/x.yml@refs/heads/" + own), publishers.FieldWorkflow},
		{"workflow without a ref", workflows, elsewhere(base + own), publishers.FieldWorkflow},
		{"workflow not said", workflows, elsewhere(""), publishers.FieldWorkflow},
		{"workflow that is no URL", workflows, elsewhere(own), publishers.FieldWorkflow},
		{"the right workflow was started, another one signed", workflows, change(func(id *publishers.Identity) {
			id.SAN = base + ".github/workflows/test.yml@refs/tags/3.1.1"
		}), publishers.FieldWorkflow},
		{"a certificate of the repository, of no workflow", workflows, change(func(id *publishers.Identity) {
			id.SAN = base[:len(base)-1] + "@refs/tags/3.1.1"
		}), publishers.FieldWorkflow},

		{"ref", refs, flask, ""},
		{"ref, second pattern", refs, complete("pallets/flask", "refs/heads/stable"), ""},
		{"branch of the tag's name", refs, complete("pallets/flask", "refs/heads/3.1.1"), publishers.FieldRef},
		{"ref below", refs, complete("pallets/flask", "refs/tags/3.1/x"), publishers.FieldRef},
		{"another ref was built", refs, change(func(id *publishers.Identity) { id.SourceRef = "refs/heads/main" }), publishers.FieldRef},
		{"ref not said", refs, change(func(id *publishers.Identity) { id.SourceRef = "" }), publishers.FieldRef},
		{"own workflow taken from another ref", refs, change(func(id *publishers.Identity) {
			id.SAN = base + own + "@refs/heads/main"
		}), publishers.FieldRef},
		{"own workflow taken from a commit", refs, change(func(id *publishers.Identity) {
			id.SAN = base + own + "@" + strings.Repeat("ab", 20)
		}), publishers.FieldRef},

		{"tag is the version", version, flask, ""},
		{"tag with a v", version, complete("pallets/flask", "refs/tags/v3.1.1"), ""},
		{"tag with the repository's name", version, complete("pallets/flask", "refs/tags/flask-3.1.1"), ""},
		{"tag with the repository's name in its owner's scope", version, complete("pallets/flask", "refs/tags/@pallets/flask@3.1.1"), ""},
		{"tag with the repository's name in another scope", version, complete("pallets/flask", "refs/tags/@evil/flask@3.1.1"), publishers.FieldVersion},
		{"tag of another version", version, complete("pallets/flask", "refs/tags/3.1.0"), publishers.FieldVersion},
		{"tag with another name", version, complete("pallets/flask", "refs/tags/werkzeug-3.1.1"), publishers.FieldVersion},
		{"branch of the version's name", version, complete("pallets/flask", "refs/heads/3.1.1"), publishers.FieldVersion},
		{"tag not said", version, change(func(id *publishers.Identity) { id.SourceRef = "" }), publishers.FieldVersion},
		{"version unknown", publishers.Terms{Rules: version.Rules}, flask, publishers.FieldVersion},
		{"version empty", publishers.Terms{Rules: version.Rules, Version: []string{""}}, complete("pallets/flask", "refs/tags/"), publishers.FieldVersion},

		{"trigger", triggers, flask, ""},
		{"pull_request_target", triggers, change(func(id *publishers.Identity) { id.Trigger = "pull_request_target" }), publishers.FieldTrigger},
		{"trigger in another case", triggers, change(func(id *publishers.Identity) { id.Trigger = "Release" }), publishers.FieldTrigger},
		{"trigger not said", triggers, change(func(id *publishers.Identity) { id.Trigger = "" }), publishers.FieldTrigger},

		{"environment", environments, flask, ""},
		{"other environment", environments, change(func(id *publishers.Identity) { id.Environment = "testpypi" }), publishers.FieldEnvironment},
		{"environment not said", environments, change(func(id *publishers.Identity) { id.Environment = "" }), publishers.FieldEnvironment},

		{"hosted runner", hosted, flask, ""},
		{"self-hosted runner", hosted, change(func(id *publishers.Identity) { id.RunnerEnvironment = "self-hosted" }), publishers.FieldRunner},
		{"runner of another host", hosted, change(func(id *publishers.Identity) { id.RunnerEnvironment = "gitlab-hosted" }), publishers.FieldRunner},
		{"runner not said", hosted, change(func(id *publishers.Identity) { id.RunnerEnvironment = "" }), publishers.FieldRunner},

		{"repository id", ids, flask, ""},
		{"registered again by somebody else", ids, change(func(id *publishers.Identity) { id.SourceRepositoryID = "999" }), publishers.FieldRepositoryID},
		{"repository id not said", ids, change(func(id *publishers.Identity) { id.SourceRepositoryID = "" }), publishers.FieldRepositoryID},
		{"owner id", owners, flask, ""},
		{"owner registered again", owners, change(func(id *publishers.Identity) { id.SourceOwnerID = "999" }), publishers.FieldOwnerID},
		{"owner id not said", owners, change(func(id *publishers.Identity) { id.SourceOwnerID = "" }), publishers.FieldOwnerID},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fieldOf(t, c.terms.Match(publisher(t, "github:pallets/flask"), c.id)); got != c.want {
				t.Errorf("mismatch in %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestRulesOfOtherHosts(t *testing.T) {
	gitlab := publishers.Identity{
		SAN:     "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/tags/v1",
		SANKind: publishers.URIName, Issuer: publishers.GitLabIssuer,
		SourceRepository: "https://gitlab.com/group/sub/project", SourceRef: "refs/tags/v1",
		BuildConfigURI: "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/tags/v1", RunnerEnvironment: "gitlab-hosted",
	}
	const ghes = "https://git.example.org"
	server := publishers.Identity{
		SAN: ghes + "/o/r/.github/workflows/r.yml@refs/tags/v1", SANKind: publishers.URIName, Issuer: ghes + "/_services/token",
		SourceRepository: ghes + "/o/r", SourceRef: "refs/tags/v1",
		BuildConfigURI: ghes + "/o/r/.github/workflows/r.yml@refs/tags/v1", RunnerEnvironment: "self-hosted",
	}
	mail := publishers.Identity{SAN: "a@example.org", SANKind: publishers.EmailName, Issuer: "https://accounts.google.com"}
	project, onServer := publisher(t, "gitlab:group/sub/project"), mapping(t, ghes+"/o", server.Issuer)
	person := mapping(t, "a@example.org", mail.Issuer)
	for _, c := range []struct {
		name string
		p    publishers.Publisher
		id   publishers.Identity
		rule publishers.Rule
		want publishers.Field
	}{
		{"gitlab's file", project, gitlab, publishers.Rule{Workflows: []string{".gitlab-ci.yml"}}, ""},
		{"gitlab's other file", project, gitlab, publishers.Rule{Workflows: []string{"ci.yml"}}, publishers.FieldWorkflow},
		{"gitlab's file without its double slash", project, with(gitlab, func(id *publishers.Identity) {
			id.BuildConfigURI = strings.Replace(id.BuildConfigURI, "//.gitlab", "/.gitlab", 1)
		}), publishers.Rule{Workflows: []string{".gitlab-ci.yml"}}, publishers.FieldWorkflow},
		{"gitlab's file of a project below", project, with(gitlab, func(id *publishers.Identity) {
			id.BuildConfigURI = strings.Replace(id.BuildConfigURI, "project//", "project/evil//", 1)
		}), publishers.Rule{Workflows: []string{".gitlab-ci.yml"}}, publishers.FieldWorkflow},
		{"gitlab's file whose name looks like a ref", project, with(gitlab, func(id *publishers.Identity) {
			id.BuildConfigURI = "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/evil/ci.yml@refs/tags/v1"
		}), publishers.Rule{Workflows: []string{".gitlab-ci.yml"}}, publishers.FieldWorkflow},
		{"gitlab's runner", project, gitlab, publishers.Rule{HostedOnly: true}, ""},
		{"gitlab with GitHub's runner", project, with(gitlab, func(id *publishers.Identity) { id.RunnerEnvironment = "github-hosted" }), publishers.Rule{HostedOnly: true}, publishers.FieldRunner},
		{"server's workflow", onServer, server, publishers.Rule{Workflows: []string{".github/workflows/r.yml"}}, ""},
		{"server's other workflow", onServer, server, publishers.Rule{Workflows: []string{"r.yml"}}, publishers.FieldWorkflow},
		{"server has no hosted runners", onServer, with(server, func(id *publishers.Identity) { id.RunnerEnvironment = "github-hosted" }), publishers.Rule{HostedOnly: true}, publishers.FieldRunner},
		{"server's runner that a missing name would make", onServer, with(server, func(id *publishers.Identity) { id.RunnerEnvironment = "-hosted" }), publishers.Rule{HostedOnly: true}, publishers.FieldRunner},
		{"server's ref", onServer, server, publishers.Rule{Refs: []string{"refs/tags/*"}}, ""},
		{"server without a source repository, workflow from another ref", onServer, with(server, func(id *publishers.Identity) {
			id.SourceRepository = ""
			id.SAN = ghes + "/o/r/.github/workflows/r.yml@refs/heads/main"
		}), publishers.Rule{Refs: []string{"refs/tags/*"}}, publishers.FieldRef},
		{"person without a rule's ref", person, mail, publishers.Rule{Refs: []string{"refs/tags/*"}}, publishers.FieldRef},
		{"person with a ref all the same", person, with(mail, func(id *publishers.Identity) { id.SourceRef = "refs/tags/v1" }), publishers.Rule{Refs: []string{"refs/tags/*"}}, publishers.FieldRef},
		{"person without a workflow", person, mail, publishers.Rule{Workflows: []string{"x.yml"}}, publishers.FieldWorkflow},
		{"person without a runner", person, mail, publishers.Rule{HostedOnly: true}, publishers.FieldRunner},
		{"person without an id", person, mail, publishers.Rule{OwnerIDs: []string{"1"}}, publishers.FieldOwnerID},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Publishers = patterns(t, "*")
			terms := publishers.Terms{Rules: []publishers.Rule{c.rule}}
			if got := fieldOf(t, terms.Match(c.p, c.id)); got != c.want {
				t.Errorf("mismatch in %q, wanted %q", got, c.want)
			}
		})
	}
}

// All rules that speak of a publisher must hold, whichever way it is spelled,
// and a rule that was never validated is not a rule that is not there.
func TestWhichRulesApply(t *testing.T) {
	id := complete("pallets/flask", "refs/tags/3.1.1")
	shorthand := publisher(t, "github:Pallets/Flask")
	push := func(texts ...string) publishers.Rule {
		return publishers.Rule{Publishers: patterns(t, texts...), Triggers: []string{"push"}}
	}
	release := publishers.Rule{Publishers: patterns(t, "github:pallets/flask"), Triggers: []string{"release"}}
	for _, c := range []struct {
		name  string
		p     publishers.Publisher
		rules []publishers.Rule
		want  publishers.Field
	}{
		{"of the repository", shorthand, []publishers.Rule{push("github:pallets/flask")}, publishers.FieldTrigger},
		{"of the owner", shorthand, []publishers.Rule{push("github:pallets/*")}, publishers.FieldTrigger},
		{"of everybody", shorthand, []publishers.Rule{push("*")}, publishers.FieldTrigger},
		{"second pattern", shorthand, []publishers.Rule{push("github:x/y", "github:*/flask")}, publishers.FieldTrigger},
		{"mapping of the repository", mapping(t, "https://github.com/pallets/flask", publishers.GitHubIssuer), []publishers.Rule{push("github:pallets/*")}, publishers.FieldTrigger},
		{"mapping of the workflow", mapping(t, "https://github.com/pallets/flask/.github/workflows/release.yml", publishers.GitHubIssuer), []publishers.Rule{push("github:pallets/*")}, publishers.FieldTrigger},
		{"of somebody else", shorthand, []publishers.Rule{push("github:pallets/flask-cors")}, ""},
		{"first holds, second does not", shorthand, []publishers.Rule{release, push("*")}, publishers.FieldTrigger},
		{"second holds, first does not", shorthand, []publishers.Rule{push("*"), release}, publishers.FieldTrigger},
		{"both hold", shorthand, []publishers.Rule{release, release}, ""},
		{"without publishers", shorthand, []publishers.Rule{push()}, publishers.FieldTrigger},
		{"with an empty pattern", shorthand, []publishers.Rule{{Publishers: []publishers.Pattern{{}}, Triggers: []string{"push"}}}, publishers.FieldTrigger},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fieldOf(t, publishers.Terms{Rules: c.rules}.Match(c.p, id)); got != c.want {
				t.Errorf("mismatch in %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestAcceptedIssuers(t *testing.T) {
	const (
		acme = publishers.GitHubIssuer + "/acme"
		ghes = "https://git.example.org"
	)
	flask := func(issuer string) publishers.Identity {
		return with(actions("pallets/flask", "refs/tags/v1"), func(id *publishers.Identity) { id.Issuer = issuer })
	}
	server := publishers.Identity{
		SAN: ghes + "/o/r/.github/workflows/r.yml@refs/tags/v1", SANKind: publishers.URIName, Issuer: ghes + "/_services/token",
		SourceRepository: ghes + "/o/r", SourceRef: "refs/tags/v1",
	}
	shorthand := publisher(t, "github:pallets/flask")
	onServer := mapping(t, ghes+"/o/r", ghes)
	person := mapping(t, "a@example.org", "https://accounts.google.com")
	terms := publishers.Terms{Issuers: []publishers.HostIssuers{
		{Host: "GitHub.com", Issuers: []string{"https://unused.example", acme}},
		{Host: "git.example.org", Issuers: []string{ghes + "/_services/token"}},
		{Host: "", Issuers: []string{"https://anybody.example"}},
		{Host: "gitlab.com", Issuers: []string{""}},
	}}
	for _, c := range []struct {
		name string
		p    publishers.Publisher
		id   publishers.Identity
		want publishers.Field
	}{
		{"the provider's own", shorthand, flask(publishers.GitHubIssuer), ""},
		{"enterprise", shorthand, flask(acme), ""},
		{"enterprise with a slash", shorthand, flask(acme + "/"), publishers.FieldIssuer},
		{"enterprise in another case", shorthand, flask(publishers.GitHubIssuer + "/Acme"), publishers.FieldIssuer},
		{"other enterprise", shorthand, flask(acme + "x"), publishers.FieldIssuer},
		{"another host's", shorthand, flask(ghes + "/_services/token"), publishers.FieldIssuer},
		{"none", shorthand, flask(""), publishers.FieldIssuer},
		{"none, where an empty one is listed", publisher(t, "gitlab:g/p"), publishers.Identity{
			SAN: "https://gitlab.com/g/p//.gitlab-ci.yml@refs/tags/v1", SANKind: publishers.URIName, SourceRepository: "https://gitlab.com/g/p",
		}, publishers.FieldIssuer},
		{"of no host, for an e-mail address", person, publishers.Identity{SAN: "a@example.org", SANKind: publishers.EmailName, Issuer: "https://anybody.example"}, publishers.FieldIssuer},
		{"for gitlab", publisher(t, "gitlab:pallets/flask"), flask(acme), publishers.FieldIssuer},
		{"for an e-mail address", mapping(t, "a@github.com", "https://accounts.google.com"), publishers.Identity{SAN: "a@github.com", SANKind: publishers.EmailName, Issuer: acme}, publishers.FieldIssuer},
		{"enterprise of another repository", shorthand, with(actions("evil/flask", "refs/tags/v1"), func(id *publishers.Identity) { id.Issuer = acme }), publishers.FieldRepository},
		{"own server", onServer, server, ""},
		{"own server, other repository", onServer, with(server, func(id *publishers.Identity) {
			id.SAN = ghes + "/evil/r/.github/workflows/r.yml@refs/tags/v1"
		}), publishers.FieldIdentity},
		{"own server, GitHub's issuer", onServer, with(server, func(id *publishers.Identity) { id.Issuer = acme }), publishers.FieldIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fieldOf(t, terms.Match(c.p, c.id)); got != c.want {
				t.Errorf("mismatch in %q, wanted %q", got, c.want)
			}
		})
	}
	if shorthand.Issuer() != publishers.GitHubIssuer {
		t.Error("matching under terms changed the publisher")
	}
}

func TestMatchReleaseUnderTerms(t *testing.T) {
	release := publishers.Release{Repository: "jdx/communique", Tag: "v0.1.9", RepositoryID: "1155542902", OwnerID: "216188"}
	for _, c := range []struct {
		name string
		p    string
		rule publishers.Rule
		r    publishers.Release
		want publishers.Field
	}{
		{"tag is the version", "github:jdx/communique", publishers.Rule{TagIsVersion: true}, release, ""},
		{"tag of another version", "github:jdx/communique", publishers.Rule{TagIsVersion: true}, publishers.Release{Repository: "jdx/communique", Tag: "v0.1.8"}, publishers.FieldVersion},
		{"ref", "github:jdx/communique", publishers.Rule{Refs: []string{"refs/tags/v*"}}, release, ""},
		{"ref alone, of another version", "github:jdx/communique", publishers.Rule{Refs: []string{"refs/tags/v*"}}, publishers.Release{Repository: "jdx/communique", Tag: "v7"}, ""},
		{"other ref", "github:jdx/communique", publishers.Rule{Refs: []string{"refs/heads/main", "refs/tags/1.*"}}, release, publishers.FieldRef},
		{"ids", "github:jdx/communique", publishers.Rule{RepositoryIDs: []string{"1155542902"}, OwnerIDs: []string{"216188"}}, release, ""},
		{"other repository id", "github:jdx/communique", publishers.Rule{RepositoryIDs: []string{"1"}}, release, publishers.FieldRepositoryID},
		{"other owner id", "github:jdx/communique", publishers.Rule{OwnerIDs: []string{"1"}}, release, publishers.FieldOwnerID},
		{"repository id not said", "github:jdx/communique", publishers.Rule{RepositoryIDs: []string{"1155542902"}}, publishers.Release{Repository: "jdx/communique", Tag: "v0.1.9"}, publishers.FieldRepositoryID},
		{"workflow", "github:jdx/communique", publishers.Rule{Workflows: []string{"x.yml"}}, release, publishers.FieldWorkflow},
		{"trigger", "github:jdx/communique", publishers.Rule{Triggers: []string{"release"}}, release, publishers.FieldTrigger},
		{"environment", "github:jdx/communique", publishers.Rule{Environments: []string{"release"}}, release, publishers.FieldEnvironment},
		{"runner", "github:jdx/communique", publishers.Rule{HostedOnly: true}, release, publishers.FieldRunner},
		{"other publisher", "github:jdx/mise", publishers.Rule{TagIsVersion: true}, release, publishers.FieldRepository},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Publishers = patterns(t, "github:jdx/*")
			fulfilled := publishers.Rule{Publishers: patterns(t, "*"), Refs: []string{"refs/tags/*"}}
			elsewhere := publishers.Rule{Publishers: patterns(t, "github:somebody/else"), HostedOnly: true}
			terms := publishers.Terms{Rules: []publishers.Rule{fulfilled, elsewhere, c.rule}, Version: []string{"0.1.9"}}
			err := terms.MatchRelease(publisher(t, c.p), c.r)
			if got := fieldOf(t, err); got != c.want {
				t.Errorf("mismatch in %q (%v), wanted %q", got, err, c.want)
			}
		})
	}
}

func TestRuleValidate(t *testing.T) {
	all := patterns(t, "*")
	for _, c := range []struct {
		name string
		rule publishers.Rule
		want string // part of the error, "" for none
	}{
		{"good", publishers.Rule{Publishers: all, Workflows: []string{".github/workflows/a.yml"}, Refs: []string{"refs/tags/*"}, RepositoryIDs: []string{"1"}}, ""},
		{"good, exact values", publishers.Rule{Publishers: all, Triggers: []string{"push"}, Environments: []string{"to production"}, OwnerIDs: []string{"9012", "0"}}, ""},
		{"flag alone", publishers.Rule{Publishers: all, HostedOnly: true}, ""},
		{"zero", publishers.Rule{}, "names no publishers"},
		{"no publishers", publishers.Rule{HostedOnly: true}, "names no publishers"},
		{"empty pattern", publishers.Rule{Publishers: []publishers.Pattern{{}}, HostedOnly: true}, "empty pattern"},
		{"nothing demanded", publishers.Rule{Publishers: all, Name: "x"}, "demands nothing"},
		{"short ref", publishers.Rule{Publishers: all, Refs: []string{"v1"}}, "neither a full ref"},
		{"commit as ref", publishers.Rule{Publishers: all, Refs: []string{strings.Repeat("ab", 20)}}, "is a commit"},
		{"empty ref", publishers.Rule{Publishers: all, Refs: []string{""}}, "empty ref"},
		{"workflow with a leading slash", publishers.Rule{Publishers: all, Workflows: []string{"/.github/workflows/a.yml"}}, "workflow path"},
		{"workflow with dot segments", publishers.Rule{Publishers: all, Workflows: []string{"../a.yml"}}, "workflow path"},
		{"workflow as a pattern", publishers.Rule{Publishers: all, Workflows: []string{".github/workflows/*.yml"}}, "workflow path"},
		{"workflow as a shorthand", publishers.Rule{Publishers: all, Workflows: []string{"github:a/b/x.yml"}}, "workflow path"},
		{"workflow with a ref", publishers.Rule{Publishers: all, Workflows: []string{"a.yml@refs/tags/v1"}}, "leave it out"},
		{"empty trigger", publishers.Rule{Publishers: all, Triggers: []string{""}}, "trigger"},
		{"environment with a space", publishers.Rule{Publishers: all, Environments: []string{"pypi "}}, "environment"},
		{"identifier that is a name", publishers.Rule{Publishers: all, OwnerIDs: []string{"pallets"}}, "decimal"},
		{"identifier with a zero before it", publishers.Rule{Publishers: all, RepositoryIDs: []string{"01"}}, "decimal"},
		{"empty identifier", publishers.Rule{Publishers: all, RepositoryIDs: []string{""}}, "decimal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.rule.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, wanted one with %q", err, c.want)
			}
		})
	}
}

func TestRuleMessages(t *testing.T) {
	id := complete("pallets/flask", "refs/heads/main")
	id.Trigger, id.RunnerEnvironment, id.SourceRepositoryID = "workflow_dispatch", "self-hosted", "\x1b[2J\u202e"
	got := map[string]string{}
	for name, r := range map[string]publishers.Rule{
		"trigger":    {Triggers: []string{"push", "release"}, Name: "recipe-verify.yaml:12:3"},
		"runner":     {HostedOnly: true},
		"workflow":   {Workflows: []string{"x.yml"}},
		"version":    {TagIsVersion: true},
		"repository": {RepositoryIDs: []string{"1"}},
	} {
		r.Publishers = patterns(t, "*")
		err := publishers.Terms{Rules: []publishers.Rule{r}, Version: []string{"3.1.1", "3.1"}}.Match(publisher(t, "github:pallets/flask"), id)
		got[name] = err.Error()
	}
	want := map[string]string{
		"trigger":    "signed in a run with the trigger workflow_dispatch, wanted push or release for github:pallets/flask (rule recipe-verify.yaml:12:3)",
		"runner":     "signed on the runner self-hosted, wanted github-hosted for github:pallets/flask",
		"workflow":   "signed by the workflow .github/workflows/release.yml, wanted x.yml for github:pallets/flask",
		"version":    "signed at refs/heads/main, wanted a tag of the version 3.1.1 or 3.1 for github:pallets/flask",
		"repository": `signed by the repository with the id "\x1b[2J\u202e", wanted 1 for github:pallets/flask`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Who reads that something is not right is told when the certificate does not
// even say it.
func TestRuleHints(t *testing.T) {
	const notSaid = "does not say it"
	full := complete("pallets/flask", "refs/tags/3.1.1")
	for _, c := range []struct {
		name string
		rule publishers.Rule
		id   publishers.Identity
		want string // part of the hint, "" for no hint
	}{
		{"other trigger", publishers.Rule{Triggers: []string{"push"}}, full, ""},
		{"no trigger", publishers.Rule{Triggers: []string{"push"}}, with(full, func(id *publishers.Identity) { id.Trigger = "" }), notSaid},
		{"other ref", publishers.Rule{Refs: []string{"refs/tags/v*"}}, full, ""},
		{"no ref", publishers.Rule{Refs: []string{"refs/tags/v*"}}, with(full, func(id *publishers.Identity) { id.SourceRef = "" }), notSaid},
		{"no workflow", publishers.Rule{Workflows: []string{"x.yml"}}, with(full, func(id *publishers.Identity) { id.BuildConfigURI = "" }), notSaid},
		{"no runner", publishers.Rule{HostedOnly: true}, with(full, func(id *publishers.Identity) { id.RunnerEnvironment = "" }), notSaid},
		{"other repository of that name", publishers.Rule{RepositoryIDs: []string{"1"}}, full, "registered again by somebody else"},
		{"version unknown", publishers.Rule{TagIsVersion: true}, full, "version is not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Publishers = patterns(t, "*")
			err := publishers.Terms{Rules: []publishers.Rule{c.rule}}.Match(publisher(t, "github:pallets/flask"), c.id)
			var m *publishers.MismatchError
			if !errors.As(err, &m) {
				t.Fatalf("error %v", err)
			}
			if c.want == "" && m.Hint() != "" || !strings.Contains(m.Hint(), c.want) {
				t.Errorf("the hint is %q, wanted %q", m.Hint(), c.want)
			}
		})
	}
}
