package publishers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/publishers"
)

func TestPatternMatches(t *testing.T) {
	short := func(s string) publishers.Publisher { return publisher(t, s) }
	url := func(s string) publishers.Publisher { return mapping(t, s, "https://issuer.example") }
	for _, c := range []struct {
		name, pattern string
		p             publishers.Publisher
		want          bool
	}{
		{"repository", "github:pallets/flask", short("github:pallets/flask"), true},
		{"case", "github:Pallets/flask", short("github:pallets/FLASK"), true},
		{"with a ref", "github:pallets/flask", short("github:pallets/flask@refs/tags/v1"), true},
		{"longer name", "github:pallets/flask", short("github:pallets/flask-cors"), false},
		{"owner", "github:pallets/*", short("github:pallets/flask"), true},
		{"owner with a longer name", "github:pallets/*", short("github:pallets-evil/flask"), false},
		{"beginning of a name", "github:pallets/flask*", short("github:pallets/flask-cors"), true},
		{"end of a name", "github:*/flask", short("github:evil/flask"), true},
		{"other provider", "github:pallets/*", short("gitlab:pallets/flask"), false},
		{"mapping", "github:pallets/*", url("https://github.com/pallets/flask"), true},
		{"mapping of a workflow", "github:pallets/flask", url("https://github.com/pallets/flask/.github/workflows/x.yml@refs/tags/v1"), true},
		{"URL of a provider", "https://github.com/pallets/*", short("github:pallets/flask"), true},
		{"gitlab, one part", "gitlab:group/*", short("gitlab:group/project"), true},
		{"gitlab, one part only", "gitlab:group/*", short("gitlab:group/sub/project"), false},
		{"gitlab, any depth", "gitlab:group/**", short("gitlab:group/sub/project"), true},
		{"gitlab, any depth, one", "gitlab:group/**", short("gitlab:group/project"), true},
		{"gitlab, any depth, longer name", "gitlab:group/**", short("gitlab:group-evil/project"), false},
		{"gitlab, any depth, none", "gitlab:group/sub/**", short("gitlab:group/sub"), false},
		{"server", "https://git.example.org/o/*", url("https://git.example.org/o/r"), true},
		{"server, in another case", "https://Git.Example.org/O/*", url("https://git.example.org/o/R"), true},
		{"server, workflow", "https://git.example.org/o/r", url("https://git.example.org/o/r/.github/workflows/x.yml@refs/tags/v1"), true},
		{"server, mapping that names more than the pattern", "https://git.example.org/o/r", url("https://git.example.org/o"), true},
		{"server, other owner", "https://git.example.org/o/*", url("https://git.example.org/evil/r"), false},
		{"server with a longer name", "https://git.example.org/o/*", url("https://git.example.org.evil/o/r"), false},
		{"everybody, repository", "*", short("gitlab:a/b/c"), true},
		{"everybody, person", "*", url("a@example.org"), true},
		{"person", "github:*/*", url("a@example.org"), false},
		{"nobody", "*", publishers.Publisher{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			pattern := patterns(t, c.pattern)[0]
			if got := pattern.Matches(c.p); got != c.want {
				t.Errorf("%s against %s: found %v, wanted %v", pattern, c.p, got, c.want)
			}
		})
	}
	if (publishers.Pattern{}).Matches(short("github:a/b")) {
		t.Error("the zero pattern matches somebody")
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, problem string }{
		{"empty", "", "is empty"},
		{"white space", " ", "is empty"},
		{"two stars", "**", "no known provider"},
		{"provider alone", "github:", "does not name"},
		{"owner alone", "github:pallets", "does not name"},
		{"star as owner alone", "github:*", "does not name"},
		{"too many parts", "github:a/b/c", "does not name"},
		{"any depth where nothing is nested", "github:a/**", "may only be the last part"},
		{"any depth in the middle", "gitlab:a/**/b", "may only be the last part"},
		{"unknown provider", "bitbucket:a/b", "no known provider"},
		{"star as provider", "*:a/b", "no known provider"},
		{"ref", "github:a/b@refs/tags/v1", "has a ref"},
		{"empty part", "github:a/", "empty part"},
		{"dot segments", "github:../b", "which is no name"},
		{"other metacharacter", "github:a/[bc]", "names hold letters"},
		{"question mark", "github:a/b?", "names hold letters"},
		{"http", "http://github.com/a/b", "no known provider"},
		{"no host", "https:///a/b", "no host"},
		{"star in the host", "https://*.example.org/a/b", "in its host"},
		{"port", "https://example.org:8443/a/b", "in its host"},
		{"user information", "https://github.com@evil.org/a/b", "in its host"},
		{"host alone", "https://example.org", "empty part"},
		{"dots alone as host", "https://../a/b", "which is no host"},
		{"owner on a provider's host", "https://github.com/a", "does not name"},
		{"too long", "github:a/" + strings.Repeat("b", 3000), "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := publishers.ParsePattern(c.text)
			var syntax *publishers.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.problem) || syntax.Hint() == "" || !p.IsZero() {
				t.Errorf("error %v, wanted one with %q and a hint", err, c.problem)
			}
		})
	}
}

// A pattern without a star matches the publisher of the same text alone.
func FuzzPattern(f *testing.F) {
	f.Add("github:pallets/*", "github:pallets/flask")
	f.Add("gitlab:group/**", "gitlab:group/sub/project")
	f.Add("https://git.example.org/o/*", "github:a/b")
	f.Fuzz(func(t *testing.T, text, who string) {
		pattern, err := publishers.ParsePattern(text)
		if err != nil {
			return
		}
		p, err := publishers.Parse(who)
		if err != nil || !pattern.Matches(p) {
			return
		}
		if strings.Contains(text, "*") || strings.HasPrefix(text, "https://") {
			return
		}
		if path, _, _ := strings.Cut(who, "@"); !strings.EqualFold(path, text) {
			t.Errorf("%q matches %q", text, who)
		}
	})
}
