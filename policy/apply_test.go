package policy_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
)

var today = time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC)

const (
	flaskPyPI   = "https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz"
	flaskGitHub = "https://github.com/pallets/flask/releases/download/3.1.1/flask-3.1.1.tar.gz"
	other       = "https://example.org/flask-3.1.1.tar.gz"
)

func source(urls ...string) policy.Source {
	return policy.Source{
		Recipe: filepath.Join("dir", "recipes", "flask", "recipe.yaml"), Packages: []string{"flask"},
		Versions: []string{"3.1.1"}, URLs: urls,
	}
}

// What requires evidence fits if anything of a source fits, loosely.
func TestRequire(t *testing.T) {
	for _, row := range []struct {
		name, require string
		source        policy.Source
		want          bool
	}{
		{"all", "{all: true}", source(other), true},
		{"kind", "{kind: pypi}", source(flaskPyPI), true},
		{"another kind", "{kind: pypi}", source(flaskGitHub), false},
		{"one of several kinds", "{kind: [pypi, github-release]}", source(flaskGitHub), true},
		{"kind of a second address", "{kind: pypi}", source(other, flaskPyPI), true},
		{"kind with a user", "{kind: pypi}", source(strings.Replace(flaskPyPI, "://", "://x:y@", 1)), true},
		{"kind with a dot at its host", "{kind: pypi}", source(strings.Replace(flaskPyPI, ".org", ".org.", 1)), true},
		{"kind with a port", "{kind: pypi}", source(strings.Replace(flaskPyPI, ".org", ".org:443", 1)), true},
		{"kind by http", "{kind: pypi}", source(strings.Replace(flaskPyPI, "https", "http", 1)), true},
		{"kind with dots", "{kind: pypi}", source(strings.Replace(flaskPyPI, "/f/", "/f/../f/", 1)), true},
		{"address that cannot be read", "{kind: pypi}", source("https://pypi.org/%zz"), true},
		{"package", "{package: flask}", source(other), true},
		{"package by a pattern", "{package: 'f*k'}", source(other), true},
		{"package of a name that is not known", "{package: flask}", policy.Source{Packages: []string{"${{ git.latest_tag('x') }}"}, URLs: []string{other}}, true},
		{"package with white space", "{package: flask}", policy.Source{Packages: []string{" flask"}, URLs: []string{other}}, true},
		{"package in letters that fold to others", "{package: flask}", policy.Source{Packages: []string{"ﬂask"}, URLs: []string{other}}, true},
		{"package in capital letters", "{package: FLASK}", source(other), true},
		{"part of a package's name", "{package: fla}", source(other), false},
		{"package's name as a beginning", "{package: flask}", policy.Source{Packages: []string{"flask-docs"}, URLs: []string{other}}, false},
		{"package of another output", "{package: flask}", policy.Source{Packages: []string{"build"}, Siblings: []string{"flask"}, URLs: []string{other}}, true},
		{"one of several packages", "{package: flask}", policy.Source{Packages: []string{"docs", "flask"}, URLs: []string{other}}, true},
		{"url", "{url: 'https://github.com/pallets/**'}", source(flaskGitHub), true},
		{"url of a second address", "{url: 'https://github.com/pallets/**'}", source(other, flaskGitHub), true},
		{"url of somebody else", "{url: 'https://github.com/pallets/**'}", source("https://github.com/pallets2/flask/releases/download/1/f"), false},
		{"url below another host", "{url: 'https://github.com/pallets/**'}", source("https://github.com.example/pallets/flask/releases/download/1/f"), false},
		{"url with the host in the path", "{url: 'https://github.com/pallets/**'}", source("https://example.org/github.com/pallets/f"), false},
		{"a star does not cross a slash", "{url: 'https://github.com/pallets/*/releases/*'}", source(flaskGitHub), false},
		{"stars for each part", "{url: 'https://github.com/pallets/*/releases/download/*/*'}", source(flaskGitHub), true},
		{"url exactly", "{url: '" + flaskGitHub + "'}", source(flaskGitHub), true},
		{"url anchored at its end", "{url: 'https://example.org/flask'}", source(other), false},
		{"url by http", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "https", "http", 1)), true},
		{"url in other letters", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "pallets", "PALLETS", 1)), true},
		{"url with escapes", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "pallets", "p%61llets", 1)), true},
		{"url with a user", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "://", "://x:y@", 1)), true},
		{"url with a port", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, ".com", ".com:443", 1)), true},
		{"url with a dot at its host", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, ".com", ".com.", 1)), true},
		{"url with www", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "github.com", "WWW.github.com", 1)), true},
		{"pattern with www", "{url: 'https://www.github.com/pallets/**'}", source(flaskGitHub), true},
		{"url below another name", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "github.com", "www2.github.com", 1)), false},
		{"url with empty parts", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "/pallets", "//pallets", 1)), true},
		{"url with dots", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, "/pallets", "/x/../pallets", 1)), true},
		{"url with a query", "{url: 'https://github.com/pallets/**'}", source(flaskGitHub + "?x=/../y#z"), true},
		{"url with another port", "{url: 'https://github.com/pallets/**'}", source(strings.Replace(flaskGitHub, ".com", ".com:8443", 1)), false},
		{"pattern of another port", "{url: 'https://github.com:8443/pallets/**'}", source(strings.Replace(flaskGitHub, ".com", ".com:8443", 1)), true},
		{"both criteria", "{package: flask, kind: pypi}", source(flaskPyPI), true},
		{"one criterion of two", "{package: flask, kind: pypi}", source(flaskGitHub), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := parse(t, "require: ["+row.require+"]\n")
			d := p.Apply(row.source, today)
			if d.Required != row.want || len(d.Because) > 0 != row.want {
				t.Errorf("required %v because of %v, wanted %v", d.Required, d.Because, row.want)
			}
		})
	}
}

// An exception holds only where everything of a source fits, exactly.
func TestExceptions(t *testing.T) {
	atWork := func(s policy.Source, recipe string) policy.Source { s.Recipe = recipe; return s }
	for _, row := range []struct {
		name, exception string
		source          policy.Source
		holds           bool
	}{
		{"package", "package: flask", source(other), true},
		{"package by a pattern", "package: 'fl*'", source(other), true},
		{"another package", "package: flask2", source(other), false},
		{"one of two packages", "package: flask", policy.Source{Packages: []string{"flask", "docs"}, URLs: []string{other}}, false},
		{"both packages", "package: [flask, docs]", policy.Source{Packages: []string{"flask", "docs"}, URLs: []string{other}}, true},
		{"the package of another output", "package: docs", policy.Source{Packages: []string{"flask"}, Siblings: []string{"docs"}, URLs: []string{other}}, false},
		{"no package", "package: '*'", policy.Source{URLs: []string{other}}, false},
		{"package of a name that is not known", "package: flask", policy.Source{Packages: []string{"${{ git.latest_tag('x') }}"}, URLs: []string{other}}, false},
		{"kind", "kind: pypi", source(flaskPyPI), true},
		{"kind of one of two addresses", "kind: pypi", source(flaskPyPI, other), false},
		{"url", "url: 'https://example.org/*'", source(other), true},
		{"one of two addresses", "url: 'https://example.org/*'", source(other, flaskPyPI), false},
		{"both addresses", "url: ['https://example.org/*', 'https://pypi.org/**']", source(other, flaskPyPI), true},
		{"url by http", "url: 'https://example.org/*'", source("http://example.org/flask-3.1.1.tar.gz"), false},
		{"url in other letters", "url: 'https://example.org/a/*'", source("https://example.org/A/f"), false},
		{"url with a user", "url: 'https://example.org/**'", source("https://example.org@example.org/f"), false},
		{"url with a query", "url: 'https://example.org/**'", source(other + "?x"), false},
		{"url with a fragment", "url: 'https://example.org/**'", source(other + "#x"), false},
		{"url with escaped slashes", "url: 'https://example.org/a/*'", source("https://example.org/a/..%2fb"), false},
		{"url with an escaped backslash", "url: 'https://example.org/a/*'", source("https://example.org/a/..%5cb"), false},
		{"url with dots", "url: 'https://example.org/a/**'", source("https://example.org/a/../b/f"), false},
		{"recipe", "recipe: recipes/flask/*", source(other), true},
		{"recipe in another folder", "recipe: recipes/flask/*", atWork(source(other), "dir/recipes/flask2/recipe.yaml"), false},
		{"recipe by dots", "recipe: recipes/flask/**", atWork(source(other), "dir/recipes/flask/../evil/recipe.yaml"), false},
		{"recipe above the policy", "recipe: '**'", atWork(source(other), "recipe.yaml"), false},
		{"no recipe", "recipe: '**'", atWork(source(other), ""), false},
		{"two criteria", "recipe: recipes/flask/*, package: flask", source(other), true},
		{"one criterion of two", "recipe: recipes/flask/*, package: numpy", source(other), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := parse(t, "require: [{all: true}]\nexceptions: [{"+row.exception+", reason: why, until: 2026-06-15}]\n")
			d := p.Apply(row.source, today)
			if d.Required == row.holds || (d.Exception != nil) != row.holds {
				t.Errorf("required %v, exception %v, wanted the exception to hold: %v", d.Required, d.Exception, row.holds)
			}
		})
	}
}

func TestExceptionsEnd(t *testing.T) {
	zone := time.FixedZone("far west", -12*3600)
	for _, row := range []struct {
		name, until string
		now         time.Time
		want        string // kinds and texts of the reasons
		tooLong     bool
	}{
		{"long before", "2026-06-15", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "exception excepted until 2026-06-15: why", false},
		{"its last second", "2026-06-15", time.Date(2026, 6, 15, 23, 59, 59, 999, time.UTC), "exception excepted until 2026-06-15: why", false},
		{"the next day", "2026-06-15", time.Date(2026, 6, 16, 0, 0, 0, 0, time.UTC), "exception-ended an exception ended on 2026-06-15: why", false},
		{"the next day, where it is still yesterday", "2026-06-15", time.Date(2026, 6, 15, 13, 0, 0, 0, zone), "exception-ended an exception ended on 2026-06-15: why", false},
		{"years after", "2020-01-01", today, "exception-ended an exception ended on 2020-01-01: why", false},
		{"two years ahead", "2028-06-15", today, "exception excepted until 2028-06-15: why", false},
		{"three years ahead", "2029-06-15", today, "exception-ended an exception until 2029-06-15 is too long to hold", true},
		{"for ever", "9999-12-31", today, "exception-ended an exception until 9999-12-31 is too long to hold", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := parse(t, "require_attestations: true\nexceptions: [{package: flask, reason: why, until: "+row.until+"}]\n")
			d := p.Apply(source(other), row.now)
			last := d.Because[len(d.Because)-1]
			if got := string(last.Kind) + " " + last.Text; got != row.want || d.Required == (last.Kind == policy.BecauseException) {
				t.Errorf("required %v, reason %q, wanted %q", d.Required, got, row.want)
			}
			if err := p.Check(row.now); (err != nil) != row.tooLong {
				t.Errorf("Check: %v", err)
			}
			if last.Position.String() != "dir/recipe-verify.yaml:2:14" {
				t.Errorf("position %s", last.Position)
			}
		})
	}
}

// An ended exception is spoken of where evidence is missing, and one that holds
// wins over it.
func TestRequiredBy(t *testing.T) {
	p := parse(t, "require: [{package: flask}]\nexceptions:\n- {package: flask, reason: old, until: 2026-01-01}\n")
	want := "evidence is required of package flask (dir/recipe-verify.yaml:1:11); an exception ended on 2026-01-01: old (dir/recipe-verify.yaml:3:3)"
	if got := p.Apply(source(other), today).RequiredBy(); got != want {
		t.Errorf("found %q, wanted %q", got, want)
	}
	p = parse(t, "require: [{package: flask}]\nexceptions:\n- {package: flask, reason: old, until: 2026-01-01}\n- {package: flask, reason: new, until: 2027-01-01}\n")
	if d := p.Apply(source(other), today); d.RequiredBy() != "" || d.Exception == nil || d.Exception.Reason != "new" {
		t.Errorf("required by %q, exception %v", d.RequiredBy(), d.Exception)
	}
}

const assignments = `publishers:
- {package: flask, publishers: [github:pallets/flask], bundle_url: "{url}.sigstore.json", predicate_types: [https://a.example/v1]}
- {url: "https://github.com/pallets/**", publishers: [github:pallets/any, github:pallets/more]}
- {kind: pypi, publishers: [github:pypi/upload]}
`

func TestPublishers(t *testing.T) {
	named := func(s policy.Source, name string) policy.Source { s.Packages = []string{name}; return s }
	blocked := func(s policy.Source) policy.Source {
		s.HasBlock, s.PredicateTypes = true, []string{"https://own.example/v1"}
		s.Publishers = []publishers.Publisher{mustPublisher(t, "github:its/own")}
		return s
	}
	for _, row := range []struct {
		name     string
		source   policy.Source
		want     []string
		required bool
		bundles  []string
		types    []string
	}{
		{"the first entry", source(flaskPyPI), []string{"github:pallets/flask"}, false, []string{flaskPyPI + ".sigstore.json"}, []string{"https://a.example/v1"}},
		{"another entry", named(source(flaskGitHub), "x"), []string{"github:pallets/any", "github:pallets/more"}, false, nil, nil},
		{"no entry", named(source(other), "x"), nil, false, nil, nil},
		{"all addresses by package", source(flaskPyPI, other), []string{"github:pallets/flask"}, false, []string{flaskPyPI + ".sigstore.json"}, []string{"https://a.example/v1"}},
		// An address more must not make a source one that asks for nothing, nor
		// add somebody to those who may sign.
		{"one of two addresses", named(source(flaskPyPI, other), "x"), nil, true, nil, nil},
		{"addresses of two entries", named(source(flaskPyPI, flaskGitHub), "x"), nil, true, nil, nil},
		{"with a block", blocked(source(flaskPyPI)), nil, false, nil, []string{"https://own.example/v1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := parse(t, assignments).Apply(row.source, today)
			if diff := cmp.Diff(row.want, publisherTexts(d.Publishers)); diff != "" {
				t.Errorf("publishers (-want +got):\n%s", diff)
			}
			if d.Required != row.required || d.Bound != nil || d.Err != nil {
				t.Errorf("required %v, bound %v, error %v", d.Required, d.Bound, d.Err)
			}
			if diff := cmp.Diff([][]string{row.bundles, row.types}, [][]string{d.BundleURLs, d.PredicateTypes}); diff != "" {
				t.Errorf("bundles and types (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnforcedPublishers(t *testing.T) {
	block := func(s policy.Source) policy.Source { s.HasBlock = true; return s }
	for _, row := range []struct {
		name, text string
		source     policy.Source
		own, bound []string
		fault      string
	}{
		{"a block is bound", "{package: flask, publishers: [github:a/b], enforce: true}", block(source(other)), nil, []string{"github:a/b"}, ""},
		{"no block", "{package: flask, publishers: [github:a/b], enforce: true}", source(other), []string{"github:a/b"}, []string{"github:a/b"}, ""},
		{"any address binds", "{kind: pypi, publishers: [github:a/b], enforce: true}", block(source(other, flaskPyPI)), nil, []string{"github:a/b"}, ""},
		{
			"the first entry counts, a later one binds", "{package: flask, publishers: [github:c/d]}, {package: 'f*', publishers: [github:a/b], enforce: true}",
			source(other),
			[]string{"github:c/d"},
			[]string{"github:a/b"},
			"",
		},
		{"not enforced", "{package: flask, publishers: [github:a/b], enforce: false}", block(source(other)), nil, nil, ""},
		{
			"two that bind", "{package: flask, publishers: [github:a/b], enforce: true}, {package: 'f*', publishers: [github:c/d], enforce: true}",
			block(source(other)), nil, nil, "dir/recipe-verify.yaml:1:73: two entries with enforce fit one source; the other is at dir/recipe-verify.yaml:1:14",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := parse(t, "publishers: ["+row.text+"]\n").Apply(row.source, today)
			fault := ""
			if d.Err != nil {
				fault = d.Err.Error()
			}
			if fault != row.fault {
				t.Fatalf("error %q, wanted %q", fault, row.fault)
			}
			if diff := cmp.Diff([][]string{row.own, row.bound}, [][]string{publisherTexts(d.Publishers), publisherTexts(d.Bound)}); diff != "" && row.fault == "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An exception lifts what is required, and not what a named publisher means.
func TestExceptionsDoNotLiftPublishers(t *testing.T) {
	p := parse(t, assignments+"exceptions: [{package: '*', reason: x, until: 2026-12-31}]\n")
	d := p.Apply(source(flaskPyPI), today)
	if len(d.Publishers) != 1 {
		t.Errorf("publishers %v", d.Publishers)
	}
	s := source(flaskPyPI, other)
	s.Packages = []string{"x"}
	if d := p.Apply(s, today); !d.Required {
		t.Error("a source of which entries fit one address asks for nothing")
	}
}

const ruled = `rules:
- publishers: [github:pallets/*]
  package: flask
  workflows: [.github/workflows/publish.yaml]
  refs: [refs/tags/*]
  tag_is_version: true
  environments: [pypi]
  triggers: [push, release]
  hosted_runners_only: true
  repository_ids: ["596892"]
  owner_ids: [16748505]
- url: https://github.com/pallets/**
  triggers: [push]
- publishers: [gitlab:group/**]
  hosted_runners_only: true
reusable_workflows:
- publishers: [github:aspect-build/*]
  workflow: github:bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v*
- publishers: [github:pallets/*]
  workflow: github:o/r/.github/workflows/x.yml@refs/tags/v*
issuers:
- {host: github.com, issuers: [https://token.actions.githubusercontent.com/acme]}
`

func TestRules(t *testing.T) {
	pallets := func(s policy.Source) policy.Source {
		s.HasBlock, s.Publishers = true, []publishers.Publisher{mustPublisher(t, "github:pallets/flask")}
		return s
	}
	elsewhere := pallets(source(flaskPyPI, flaskGitHub))
	elsewhere.Packages = []string{"werkzeug"}
	for _, row := range []struct {
		name   string
		source policy.Source
		rules  []string // all that are handed on
		said   []string // those that concern the publishers
	}{
		{"by package", pallets(source(flaskPyPI)), []string{":2:3", ":14:3"}, []string{
			"of github:pallets/* is demanded: workflow .github/workflows/publish.yaml, ref refs/tags/*, a tag that is the version, environment pypi, trigger push or release, a hosted runner, repository id 596892, owner id 16748505",
			"github:o/r/.github/workflows/x.yml@refs/tags/v* may sign for github:pallets/*",
			"issuers for github.com: https://token.actions.githubusercontent.com/acme",
		}},
		{"by any address", elsewhere, []string{":12:3", ":14:3"}, []string{
			"of * is demanded: trigger push",
			"github:o/r/.github/workflows/x.yml@refs/tags/v* may sign for github:pallets/*",
			"issuers for github.com: https://token.actions.githubusercontent.com/acme",
		}},
		{"without a publisher", source(flaskPyPI), []string{":2:3", ":14:3"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := parse(t, ruled).Apply(row.source, today)
			var rules, said []string
			for _, r := range d.Terms.Rules {
				rules = append(rules, strings.TrimPrefix(r.Name, "dir/recipe-verify.yaml"))
			}
			for _, b := range d.Because {
				said = append(said, b.Text)
			}
			if diff := cmp.Diff([][]string{row.rules, row.said}, [][]string{rules, said}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(d.Terms.Reusable) != 2 || len(d.Terms.Issuers) != 1 {
				t.Errorf("terms %+v", d.Terms)
			}
		})
	}
}

// Versions and names are for warnings, which need no policy.
func TestTermsWithoutAPolicy(t *testing.T) {
	s := source(flaskPyPI)
	s.Siblings = []string{"flask-docs"}
	for name, p := range map[string]*policy.Policy{"nil": nil, "zero": {}} {
		d := p.Apply(s, today)
		if diff := cmp.Diff([][]string{{"3.1.1"}, {"flask", "flask-docs"}}, [][]string{d.Terms.Version, d.Terms.Packages}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if d.Required || d.Publishers != nil || d.Bound != nil || len(d.Because) > 0 || d.NoImmutableReleases {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Decisions are made for tens of thousands of sources.
func TestPatternsDoNotTakeLong(t *testing.T) {
	p := parse(t, fmt.Sprintf("require: [{url: 'https://example.org/%s'}]\n", strings.Repeat("**a", 160)))
	start := time.Now()
	p.Apply(source("https://example.org/"+strings.Repeat("a", 8000)+"b"), today)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("a hostile address took %s", took)
	}
}

func mustPublisher(t testing.TB, s string) publishers.Publisher {
	t.Helper()
	p, err := publishers.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func publisherTexts(list []publishers.Publisher) []string {
	var all []string
	for _, p := range list {
		all = append(all, p.String())
	}
	return slices.Clip(all)
}
