package publishers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/publishers"
)

func TestParse(t *testing.T) {
	type parts struct{ Issuer, Repository, Ref string }
	github := func(repo, ref string) parts { return parts{publishers.GitHubIssuer, "github.com/" + repo, ref} }
	gitlab := func(repo, ref string) parts { return parts{publishers.GitLabIssuer, "gitlab.com/" + repo, ref} }
	for _, c := range []struct {
		name, text string
		want       parts
		problem    string // part of the error
	}{
		{"github", "github:pallets/flask", github("pallets/flask", ""), ""},
		{"case is kept out of comparison", "github:Pallets/Flask", github("pallets/flask", ""), ""},
		{"dot repository", "github:bazel-contrib/.github", github("bazel-contrib/.github", ""), ""},
		{"ref", "github:a/b@refs/tags/v1.*", github("a/b", "refs/tags/v1.*"), ""},
		{"ref with an at sign", "github:a/b@refs/tags/@s/p@1", github("a/b", "refs/tags/@s/p@1"), ""},
		{"commit", "github:a/b@" + strings.Repeat("0a", 20), github("a/b", strings.Repeat("0a", 20)), ""},
		{"gitlab project", "gitlab:g/p", gitlab("g/p", ""), ""},
		{"gitlab subgroups", "gitlab:g/s/t/p@refs/heads/main", gitlab("g/s/t/p", "refs/heads/main"), ""},

		{"empty", "", parts{}, "is empty"},
		{"white space", "  ", parts{}, "is empty"},
		{"no provider", "pallets/flask", parts{}, "names no provider"},
		{"unknown provider", "bitbucket:a/b", parts{}, "unknown provider"},
		{"provider in another case", "GitHub:a/b", parts{}, "unknown provider"},
		{"URL without issuer", "https://github.com/a/b", parts{}, "its issuer is missing"},
		{"owner alone", "github:pallets", parts{}, "does not name one repository"},
		{"too many parts", "github:a/b/c", parts{}, "does not name one repository"},
		{"no repository", "github:a/", parts{}, "empty part"},
		{"no owner", "github:/b", parts{}, "empty part"},
		{"dot segment", "github:a/..", parts{}, "which is no name"},
		{"percent", "github:a/b%2f", parts{}, "names hold letters"},
		{"space", "github:a/b c", parts{}, "names hold letters"},
		{"foreign letter", "github:a/\u212a", parts{}, "names hold letters"},
		{"pattern in the repository", "github:a/*", parts{}, "names hold letters"},
		{"empty ref", "github:a/b@", parts{}, "an empty ref"},
		{"short ref", "github:a/b@v1", parts{}, "neither a full ref"},
		{"star alone", "github:a/b@*", parts{}, "neither a full ref"},
		{"ref with a space", "github:a/b@refs/tags/v 1", parts{}, "control character"},
		{"too long", "github:a/" + strings.Repeat("b", 3000), parts{}, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := publishers.Parse(c.text)
			if c.problem != "" {
				var syntax *publishers.SyntaxError
				if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.problem) {
					t.Fatalf("error %v, wanted one with %q", err, c.problem)
				}
				if syntax.Hint() == "" {
					t.Error("the error has no hint")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, parts{p.Issuer(), p.Repository(), p.Ref()}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if p.String() != c.text {
				t.Errorf("String() = %q, wanted the text as it was written", p)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct{ name, identity, issuer, problem string }{
		{"no identity", "", "https://i", "empty identity"},
		{"no issuer", "a@b", "", "no issuer"},
		{"white space", "a@b ", "https://i", "white space"},
		{"host of a provider alone", "https://github.com", "https://i", "names no repository"},
		{"owner alone", "https://github.com/pallets", "https://i", "names no repository"},
		{"dot segment", "https://github.com/a/../b", "https://i", "path segment"},
		{"percent escape", "https://github.com/a%2fb", "https://i", "holds the character"},
		{"user information", "https://github.com@evil.org/a/b", "https://i", "in its host"},
		{"port", "https://github.com:443/a/b", "https://i", "in its host"},
		{"query", "https://github.com/a/b?c", "https://i", "holds the character"},
		{"no host", "https:///a", "https://i", "no host"},
		{"short ref", "https://github.com/a/b@v1", "https://i", "neither a full ref"},
		{"short ref of a workflow", "https://github.com/a/b/.github/workflows/x.yml@v1", "https://i", "neither a full ref"},
		{"pattern in a ref", "https://github.com/a/b@refs/tags/v*", "https://i", "compared exactly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := publishers.New(c.identity, c.issuer); err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("error %v, wanted one with %q", err, c.problem)
			}
		})
	}
}

// actions is the identity of a GitHub workflow in its own repository.
func actions(repo, ref string) publishers.Identity {
	return publishers.Identity{
		SAN:     "https://github.com/" + repo + "/.github/workflows/release.yml@" + ref,
		SANKind: publishers.URIName, Issuer: publishers.GitHubIssuer,
		SourceRepository: "https://github.com/" + repo, SourceRef: ref,
	}
}

func with(id publishers.Identity, change func(*publishers.Identity)) publishers.Identity {
	change(&id)
	return id
}

type matchCase struct {
	name, publisher string
	id              publishers.Identity
	want            publishers.Field // "" for a match
}

// matchCases are the names of spec/threats.md, "Identity", and their verdicts.
func matchCases() []matchCase {
	const tag = "refs/tags/v1"
	flask := actions("pallets/flask", tag)
	san := func(s string) publishers.Identity {
		return with(flask, func(id *publishers.Identity) { id.SAN = s })
	}
	issuer := func(s string) publishers.Identity {
		return with(flask, func(id *publishers.Identity) { id.Issuer = s })
	}
	source := func(s string) publishers.Identity {
		return with(flask, func(id *publishers.Identity) { id.SourceRepository = s })
	}
	gitlab := publishers.Identity{
		SAN:     "https://gitlab.com/group/sub/project//.gitlab-ci.yml@" + tag,
		SANKind: publishers.URIName, Issuer: publishers.GitLabIssuer,
		SourceRepository: "https://gitlab.com/group/sub/project", SourceRef: tag,
	}
	return []matchCase{
		{"same", "github:pallets/flask", flask, ""},
		{"other case", "github:Pallets/FLASK", flask, ""},
		{"SAN in other case", "github:pallets/flask", actions("Pallets/Flask", tag), ""},
		{"repository with a longer name", "github:pallets/flask", actions("pallets/flask-cors", tag), publishers.FieldRepository},
		{"repository with a shorter name", "github:pallets/flask", actions("pallets/flas", tag), publishers.FieldRepository},
		{"other owner", "github:pallets/flask", actions("evil/flask", tag), publishers.FieldRepository},
		{"owner before the owner", "github:pallets/flask", san("https://github.com/evil/pallets/flask@" + tag), publishers.FieldSourceRepository},
		{"host with a longer name", "github:pallets/flask", san("https://github.com.evil.org/pallets/flask/.github/workflows/r.yml@" + tag), publishers.FieldIdentity},
		{"host as user information", "github:pallets/flask", san("https://github.com@evil.org/pallets/flask/.github/workflows/r.yml@" + tag), publishers.FieldIdentity},
		{"user information", "github:pallets/flask", san("https://x@github.com/pallets/flask/.github/workflows/r.yml@" + tag), publishers.FieldIdentity},
		{"port", "github:pallets/flask", san("https://github.com:443/pallets/flask/.github/workflows/r.yml@" + tag), publishers.FieldIdentity},
		{"http", "github:pallets/flask", san("http://github.com/pallets/flask/.github/workflows/r.yml@" + tag), publishers.FieldIdentity},
		{"encoded slash", "github:pallets/flask", san("https://github.com/pallets%2fflask/x@" + tag), publishers.FieldIdentity},
		{"encoded letter", "github:pallets/flask", san("https://github.com/pallets/fl%61sk/x@" + tag), publishers.FieldIdentity},
		{"dot segments", "github:pallets/flask", san("https://github.com/evil/x/../../pallets/flask/r.yml@" + tag), publishers.FieldIdentity},
		{"empty segment", "github:pallets/flask", san("https://github.com//pallets/flask/r.yml@" + tag), publishers.FieldIdentity},
		{"double slash", "github:pallets/flask", san("https://github.com/pallets/flask//r.yml@" + tag), publishers.FieldIdentity},
		{"backslash", "github:pallets/flask", san(`https://github.com/pallets\flask/r.yml@` + tag), publishers.FieldIdentity},
		{"query", "github:pallets/flask", san("https://github.com/pallets/flask?/r.yml@" + tag), publishers.FieldIdentity},
		{"Kelvin sign", "github:pallets/flask", san("https://github.com/pallets/flas\u212a/r.yml@" + tag), publishers.FieldIdentity},
		{"NUL", "github:pallets/flask", san("https://github.com/pallets/flask\x00/r.yml@" + tag), publishers.FieldIdentity},
		{"SAN in an e-mail field", "github:pallets/flask", with(flask, func(id *publishers.Identity) { id.SANKind = publishers.EmailName }), publishers.FieldIdentity},
		{"empty SAN", "github:pallets/flask", san(""), publishers.FieldIdentity},
		{"zero identity", "github:pallets/flask", publishers.Identity{}, publishers.FieldIssuer},

		{"other issuer", "github:pallets/flask", issuer("https://accounts.google.com"), publishers.FieldIssuer},
		{"enterprise issuer", "github:pallets/flask", issuer(publishers.GitHubIssuer + "/acme"), publishers.FieldIssuer},
		{"issuer with a slash", "github:pallets/flask", issuer(publishers.GitHubIssuer + "/"), publishers.FieldIssuer},
		{"issuer in other case", "github:pallets/flask", issuer(strings.ToUpper(publishers.GitHubIssuer)), publishers.FieldIssuer},
		{"no issuer", "github:pallets/flask", issuer(""), publishers.FieldIssuer},

		{"reusable workflow of the publisher, run by another", "github:pallets/flask", source("https://github.com/evil/x"), publishers.FieldSourceRepository},
		{"source with a longer name", "github:pallets/flask", source("https://github.com/pallets/flask-cors"), publishers.FieldSourceRepository},
		{"source on another host", "github:pallets/flask", source("https://github.com.evil.org/pallets/flask"), publishers.FieldSourceRepository},
		{"no source", "github:pallets/flask", source(""), publishers.FieldIdentity},
		{"through somebody else's workflow", "github:pallets/flask", san("https://github.com/evil/ci/.github/workflows/r.yml@" + tag), publishers.FieldSourceRepository},
		{"somebody else's workflow, named as publisher", "github:evil/ci", san("https://github.com/evil/ci/.github/workflows/r.yml@" + tag), publishers.FieldSourceRepository},

		{"ref", "github:pallets/flask@refs/tags/v1", flask, ""},
		{"branch of the same name", "github:pallets/flask@refs/tags/v1", actions("pallets/flask", "refs/heads/v1"), publishers.FieldRef},
		{"ref in other case", "github:pallets/flask@refs/tags/V1", flask, publishers.FieldRef},
		{"longer ref", "github:pallets/flask@refs/tags/v1", actions("pallets/flask", "refs/tags/v10"), publishers.FieldRef},
		{"pattern", "github:pallets/flask@refs/tags/v*", actions("pallets/flask", "refs/tags/v1.2.3"), ""},
		{"pattern against nothing", "github:pallets/flask@refs/tags/v*", actions("pallets/flask", "refs/tags/v"), ""},
		{"pattern against a slash", "github:pallets/flask@refs/tags/v1.*", actions("pallets/flask", "refs/tags/v1.0/x"), publishers.FieldRef},
		{"two stars, the text between them missing", "github:pallets/flask@refs/tags/v*x*0", actions("pallets/flask", "refs/tags/v10"), publishers.FieldRef},
		{"stars for nothing", "github:pallets/flask@refs/tags/v*.*", actions("pallets/flask", "refs/tags/v.1"), ""},
		{
			"commit of the workflow", "github:pallets/flask@" + strings.Repeat("ab", 20),
			san("https://github.com/pallets/flask/.github/workflows/r.yml@" + strings.Repeat("ab", 20)), "",
		},
		{
			"other commit of the workflow", "github:pallets/flask@" + strings.Repeat("ab", 20),
			san("https://github.com/pallets/flask/.github/workflows/r.yml@" + strings.Repeat("ac", 20)), publishers.FieldRef,
		},
		{"two stars", "github:pallets/flask@refs/tags/v*.*.0", actions("pallets/flask", "refs/tags/v1.2.0"), ""},
		{"two stars that overlap", "github:pallets/flask@refs/tags/ab*ba", actions("pallets/flask", "refs/tags/aba"), publishers.FieldRef},
		{"ref hidden in a tag's name", "github:pallets/flask@refs/tags/v1", actions("pallets/flask", "refs/tags/x@refs/tags/v1"), publishers.FieldRef},
		{"SAN without a ref", "github:pallets/flask@refs/tags/v1", san("https://github.com/pallets/flask"), publishers.FieldRef},
		{"workflow called at the tag, built from a branch", "github:pallets/flask@refs/tags/v1", with(flask, func(id *publishers.Identity) { id.SourceRef = "refs/heads/evil" }), publishers.FieldRef},

		{"gitlab", "gitlab:group/sub/project", gitlab, ""},
		{"gitlab ref", "gitlab:group/sub/project@refs/tags/v*", gitlab, ""},
		{"gitlab group alone", "gitlab:group/sub", gitlab, publishers.FieldRepository},
		{"gitlab project below", "gitlab:group/sub/project/x", gitlab, publishers.FieldRepository},
		{"gitlab other ref", "gitlab:group/sub/project@refs/heads/main", gitlab, publishers.FieldRef},
		{"gitlab against github", "gitlab:pallets/flask", flask, publishers.FieldIssuer},
	}
}

func TestMatch(t *testing.T) {
	for _, c := range matchCases() {
		t.Run(c.name, func(t *testing.T) {
			p, err := publishers.Parse(c.publisher)
			if err != nil {
				t.Fatal(err)
			}
			checkMatch(t, p, c.id, c.want)
		})
	}
}

func checkMatch(t *testing.T, p publishers.Publisher, id publishers.Identity, want publishers.Field) {
	t.Helper()
	err := p.Match(id)
	var mismatch *publishers.MismatchError
	got := publishers.Field("")
	if errors.As(err, &mismatch) {
		got = mismatch.Field
	} else if err != nil {
		t.Fatalf("error of type %T", err)
	}
	if got != want {
		t.Errorf("mismatch in %q (%v), wanted %q", got, err, want)
	}
}

func TestMatchMapping(t *testing.T) {
	const google = "https://accounts.google.com"
	mail := publishers.Identity{SAN: "release@example.org", SANKind: publishers.EmailName, Issuer: google}
	spiffe := publishers.Identity{SAN: "spiffe://example.org/ci", SANKind: publishers.URIName, Issuer: google}
	buildkite := publishers.Identity{SAN: "https://buildkite.com/acme/pipe", SANKind: publishers.URIName, Issuer: google}
	flask := actions("pallets/flask", "refs/tags/v1")
	for _, c := range []struct {
		name, identity, issuer string
		id                     publishers.Identity
		want                   publishers.Field
	}{
		{"e-mail", "release@example.org", google, mail, ""},
		{"e-mail in other case", "Release@example.org", google, mail, publishers.FieldIdentity},
		{"e-mail with more before it", "release@example.org", google, with(mail, func(id *publishers.Identity) { id.SAN = "x-release@example.org" }), publishers.FieldIdentity},
		{"e-mail as URI", "release@example.org", google, with(mail, func(id *publishers.Identity) { id.SANKind = publishers.URIName }), publishers.FieldIdentity},
		{"e-mail of another issuer", "release@example.org", "https://github.com/login/oauth", mail, publishers.FieldIssuer},
		{"other URI", "spiffe://example.org/ci", google, spiffe, ""},
		{"other URI, beginning alone", "spiffe://example.org", google, spiffe, publishers.FieldIdentity},
		{"URL, whole", "https://buildkite.com/acme/pipe", google, buildkite, ""},
		{"URL, above", "https://buildkite.com/acme", google, buildkite, ""},
		{"URL, prefix within a name", "https://buildkite.com/acm", google, buildkite, publishers.FieldIdentity},
		{"URL in an e-mail field", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SANKind = publishers.EmailName }), publishers.FieldIdentity},
		{"URL by http", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SAN = "http://buildkite.com/acme/pipe" }), publishers.FieldIdentity},
		{"URL on another host", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SAN = "https://buildkite.org/acme/pipe" }), publishers.FieldIdentity},
		{"URL of less", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SAN = "https://buildkite.com/acme" }), publishers.FieldIdentity},
		{"URL of the host", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SAN = "https://buildkite.com" }), publishers.FieldIdentity},
		{"URL with a query", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SAN = "https://buildkite.com/acme/pipe?x" }), publishers.FieldIdentity},
		{"no URL", "https://buildkite.com/acme/pipe", google, with(buildkite, func(id *publishers.Identity) { id.SAN = "" }), publishers.FieldIdentity},
		{
			"repository, its owner as the source", "https://github.com/pallets/flask", publishers.GitHubIssuer,
			with(flask, func(id *publishers.Identity) { id.SourceRepository = "https://github.com/pallets" }), publishers.FieldSourceRepository,
		},
		{"URL, host alone", "https://buildkite.com", google, buildkite, publishers.FieldIdentity},
		{"repository", "https://github.com/pallets/flask", publishers.GitHubIssuer, flask, ""},
		{"repository in other case", "HTTPS://GitHub.com/Pallets/Flask", publishers.GitHubIssuer, flask, ""},
		{"repository with a longer name", "https://github.com/pallets/fla", publishers.GitHubIssuer, flask, publishers.FieldRepository},
		{"workflow", "https://github.com/pallets/flask/.github/workflows/release.yml", publishers.GitHubIssuer, flask, ""},
		{"workflow and ref", "https://github.com/pallets/flask/.github/workflows/release.yml@refs/tags/v1", publishers.GitHubIssuer, flask, ""},
		{"workflow and other ref", "https://github.com/pallets/flask/.github/workflows/release.yml@refs/tags/v", publishers.GitHubIssuer, flask, publishers.FieldIdentity},
		{"other workflow", "https://github.com/pallets/flask/.github/workflows/test.yml", publishers.GitHubIssuer, flask, publishers.FieldIdentity},
		{"repository and ref", "https://github.com/pallets/flask@refs/tags/v1", publishers.GitHubIssuer, flask, ""},
		{"repository and other ref", "https://github.com/pallets/flask@refs/tags/v2", publishers.GitHubIssuer, flask, publishers.FieldRef},
		{"repository and branch of that name", "https://github.com/pallets/flask@refs/heads/v1", publishers.GitHubIssuer, flask, publishers.FieldRef},
		{
			"repository and ref, another one built", "https://github.com/pallets/flask@refs/tags/v1", publishers.GitHubIssuer,
			with(flask, func(id *publishers.Identity) { id.SourceRef = "refs/heads/main" }), publishers.FieldRef,
		},
		{
			"repository and ref, run by another", "https://github.com/pallets/flask@refs/tags/v1", publishers.GitHubIssuer,
			with(flask, func(id *publishers.Identity) { id.SourceRepository = "https://github.com/evil/x" }), publishers.FieldSourceRepository,
		},
		{
			"reusable workflow run by another", "https://github.com/pallets/flask/.github/workflows/release.yml", publishers.GitHubIssuer,
			with(flask, func(id *publishers.Identity) { id.SourceRepository = "https://github.com/evil/x" }), publishers.FieldSourceRepository,
		},
		{
			"source of another host's project", "https://buildkite.com/acme", google,
			with(buildkite, func(id *publishers.Identity) { id.SourceRepository = "https://buildkite.com/evil/pipe" }), publishers.FieldSourceRepository,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := publishers.New(c.identity, c.issuer)
			if err != nil {
				t.Fatal(err)
			}
			checkMatch(t, p, c.id, c.want)
		})
	}
}

func TestZeroPublisherMatchesNobody(t *testing.T) {
	for _, id := range []publishers.Identity{{}, actions("a/b", "refs/tags/v1")} {
		if err := (publishers.Publisher{}).Match(id); err == nil {
			t.Errorf("the zero publisher matched %v", id)
		}
	}
	if err := (publishers.Publisher{}).MatchRelease(publishers.Release{}); err == nil {
		t.Error("the zero publisher matched the zero release")
	}
}

func TestMatchRelease(t *testing.T) {
	release := publishers.Release{Repository: "jdx/communique", Tag: "v0.1.9"}
	for _, c := range []struct {
		name, publisher string
		release         publishers.Release
		want            publishers.Field
	}{
		{"repository", "github:jdx/Communique", release, ""},
		{"tag", "github:jdx/communique@refs/tags/v0.*", release, ""},
		{"other tag", "github:jdx/communique@refs/tags/v1.*", release, publishers.FieldRef},
		{"other repository", "github:jdx/mise", release, publishers.FieldRepository},
		{"gitlab", "gitlab:jdx/communique", release, publishers.FieldRepository},
		{"odd repository", "github:jdx/communique", publishers.Release{Repository: "jdx/communique/", Tag: "v1"}, publishers.FieldRepository},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := publishers.Parse(c.publisher)
			if err != nil {
				t.Fatal(err)
			}
			var mismatch *publishers.MismatchError
			got := publishers.Field("")
			if errors.As(p.MatchRelease(c.release), &mismatch) {
				got = mismatch.Field
			}
			if got != c.want {
				t.Errorf("mismatch in %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestMismatchSaysBothNames(t *testing.T) {
	p, err := publishers.Parse("github:pypi/pypi-attestations")
	if err != nil {
		t.Fatal(err)
	}
	got := p.Match(actions("trailofbits/pypi-attestations", "refs/tags/v0.0.19")).Error()
	want := "signed by github:trailofbits/pypi-attestations, wanted github:pypi/pypi-attestations"
	if got != want {
		t.Errorf("got %q, wanted %q", got, want)
	}
}

func TestMismatchQuotesForeignText(t *testing.T) {
	p, err := publishers.Parse("github:a/b")
	if err != nil {
		t.Fatal(err)
	}
	id := actions("a/b", "refs/tags/v1")
	id.SAN = "https://github.com/\x1b[31mred\u202e"
	if got := p.Match(id).Error(); strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("the message %q holds control characters", got)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("github:pallets/flask@refs/tags/v*", "https://github.com/pallets/flask/.github/workflows/r.yml@refs/tags/v1", "https://github.com/pallets/flask")
	f.Add("gitlab:g/p", "https://gitlab.com/g/p//.gitlab-ci.yml@refs/heads/main", "https://gitlab.com/g/p")
	f.Fuzz(func(t *testing.T, publisher, san, source string) {
		p, err := publishers.Parse(publisher)
		if err != nil {
			return
		}
		id := publishers.Identity{SAN: san, SANKind: publishers.URIName, Issuer: p.Issuer(), SourceRepository: source}
		if p.Match(id) != nil {
			return
		}
		// Whatever matches begins, but for case, with the repository and a boundary.
		for name, text := range map[string]string{"SAN": san, "source repository": source} {
			rest, ok := strings.CutPrefix(strings.ToLower(text), "https://"+p.Repository())
			if !ok || rest != "" && rest[0] != '/' && rest[0] != '@' {
				t.Errorf("%s %q matches %s", name, text, publisher)
			}
		}
	})
}

func TestMismatchSaysThatThereIsNone(t *testing.T) {
	p, err := publishers.Parse("github:a/b@refs/tags/v*")
	if err != nil {
		t.Fatal(err)
	}
	for want, id := range map[string]publishers.Identity{
		"signed with the issuer (none), wanted https://token.actions.githubusercontent.com for github:a/b@refs/tags/v*": {},
		"signed with the ref refs/heads/main, wanted refs/tags/v* for github:a/b@refs/tags/v*":                          actions("a/b", "refs/heads/main"),
	} {
		if got := p.Match(id).Error(); got != want {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
}
