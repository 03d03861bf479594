package lock_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

const (
	actions = "https://token.actions.githubusercontent.com"
	publish = "https://docs.pypi.org/attestations/publish/v1"
	slsa    = "https://slsa.dev/provenance/v1"
)

func by(repository string, predicates ...string) (list []signer.Signer) {
	for _, p := range predicates {
		list = append(list, signer.Signer{
			Publisher: "https://github.com/" + repository, Issuer: actions, Workflow: ".github/workflows/release.yml",
			RepositoryID: "596892", OwnerID: "16748505", PredicateType: p,
		})
	}
	return list
}

// at is a source at a line of the recipe.
func at(line int, urls ...string) lock.Source {
	return lock.Source{Pos: recipe.Position{File: "recipe.yaml", Line: line, Column: 5}, URLs: urls}
}

func sdist(name, version string) string {
	return fmt.Sprintf("https://pypi.org/packages/source/%c/%s/%s-%s.tar.gz", name[0], name, name, version)
}

func asset(version, file string) string {
	return fmt.Sprintf("https://github.com/cli/cli/releases/download/v%s/%s", version, file)
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		sources []lock.Source
		want    []string
	}{
		"one source": {[]lock.Source{at(3, sdist("flask", "3.1.1"))}, []string{"pypi flask"}},
		"two projects": {
			[]lock.Source{at(3, sdist("flask", "3.1.1")), at(9, asset("2", "gh_2_linux.tar.gz"))},
			[]string{"pypi flask", "github cli/cli"},
		},
		"files of one project": {
			[]lock.Source{at(3, asset("2", "gh_2_linux.tar.gz")), at(9, asset("2", "gh_2_macOS.zip"))},
			[]string{"github cli/cli gh_#_linux.tar.gz", "github cli/cli gh_#_macOS.zip"},
		},
		"files that differ in numbers": {
			[]lock.Source{at(9, asset("2", "gh_2_x86.zip")), at(3, asset("2", "gh_2_x64.zip")), at(20, asset("2", "gh_2_mac.zip"))},
			[]string{"github cli/cli (2)", "github cli/cli (1)", "github cli/cli gh_#_mac.zip"},
		},
		"renderings of one place": {
			[]lock.Source{at(3, sdist("flask", "3.1.1")), at(3, sdist("flask", "3.0.9"))},
			[]string{"pypi flask", "pypi flask"},
		},
		"renderings of one place that are several projects": {
			[]lock.Source{at(3, sdist("flask", "3.1.1")), at(3, sdist("jinja2", "3.0.9"))},
			[]string{"pypi flask", "pypi jinja2"},
		},
		"a place with several files, and another": {
			[]lock.Source{at(3, asset("2", "gh_2_linux.tar.gz")), at(3, asset("2", "gh_2_macOS.zip")), at(9, asset("2", "extra.zip"))},
			[]string{"github cli/cli (1)", "github cli/cli (1)", "github cli/cli extra.zip"},
		},
		"the same twice": {
			[]lock.Source{at(9, sdist("flask", "3.1.1")), at(3, sdist("flask", "3.1.1"))},
			[]string{"pypi flask (2)", "pypi flask (1)"},
		},
		"columns in one line": {
			[]lock.Source{
				{Pos: recipe.Position{Line: 1, Column: 90}, URLs: []string{sdist("flask", "1")}},
				{Pos: recipe.Position{Line: 1, Column: 9}, URLs: []string{sdist("flask", "1")}},
			},
			[]string{"pypi flask (2)", "pypi flask (1)"},
		},
		"mirrors":       {[]lock.Source{at(3, "https://example.org/f-1.tar.gz", sdist("flask", "1"))}, []string{"pypi flask"}},
		"another place": {[]lock.Source{at(3, "https://example.org/1.0/f-1.tar.gz")}, []string{"url example.org/#/f-#.tar.gz"}},
		"none":          {nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lock.Names(c.sources)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			// The order does not matter.
			reversed, wanted := slices.Clone(c.sources), slices.Clone(c.want)
			slices.Reverse(reversed)
			slices.Reverse(wanted)
			if got, err = lock.Names(reversed); err != nil || !slices.Equal(got, wanted) {
				t.Errorf("reversed: %v, %v", got, err)
			}
		})
	}
}

func TestNamesThatCannotBe(t *testing.T) {
	for name, sources := range map[string][]lock.Source{
		"too long":   {at(3, "https://example.org/"+strings.Repeat("x", lock.MaxText))},
		"no address": {at(3)},
		"not UTF-8":  {at(3, "https://example.org/\xff%ff")},
		"two with one name": {
			at(3, "https://github.com/o/r/releases/download/v/a"), at(5, "https://github.com/o/r/releases/download/v/x"),
			at(9, "https://github.com/o/r%20x/releases/download/v/a"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lock.Names(sources)
			var e *lock.Error
			if !errors.As(err, &e) || e.Pos.Line == 0 {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	flask := at(3, sdist("flask", "3.1.1"))
	older := at(3, sdist("flask", "2.0.0"))
	for name, c := range map[string]struct {
		sources []lock.Signed
		want    map[string][]signer.Signer
		err     string
	}{
		"a source": {
			[]lock.Signed{{flask, by("pallets/flask", slsa, publish, publish)}},
			map[string][]signer.Signer{"pypi flask": by("pallets/flask", publish, slsa)},
			"",
		},
		"renderings have signers in common": {
			[]lock.Signed{{flask, by("pallets/flask", publish, slsa)}, {older, by("Pallets/Flask", publish)}},
			map[string][]signer.Signer{"pypi flask": by("pallets/flask", publish)},
			"",
		},
		"renderings have no signer in common": {
			[]lock.Signed{{flask, by("pallets/flask", publish)}, {older, by("mitsuhiko/flask", publish)}},
			nil, "recipe.yaml:3:5: it stands for several archives",
		},
		"no signer":     {[]lock.Signed{{flask, nil}}, nil, "nobody has signed it"},
		"a nameless":    {[]lock.Signed{{flask, []signer.Signer{{Issuer: actions}}}}, nil, "neither repository nor identity"},
		"no issuer":     {[]lock.Signed{{flask, []signer.Signer{{Publisher: "a"}}}}, nil, "no issuer"},
		"too long":      {[]lock.Signed{{flask, []signer.Signer{{Publisher: strings.Repeat("a", 5000), Issuer: "b"}}}}, nil, "more than the limit of 4096 bytes"},
		"not UTF-8":     {[]lock.Signed{{flask, []signer.Signer{{Publisher: "a\xff", Issuer: "b"}}}}, nil, "not UTF-8"},
		"nothing":       {nil, map[string][]signer.Signer{}, ""},
		"too many":      {[]lock.Signed{{flask, many(65)}}, nil, "more than the limit of 64 signers"},
		"a huge recipe": {huge(), nil, "do not fit into a lock file"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := lock.New(c.sources, nil)
			var e *lock.Error
			if c.err != "" {
				if f != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, %v", f, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]signer.Signer{}
			for _, e := range f.Entries {
				got[e.Source] = e.Signers
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func many(n int) (list []signer.Signer) {
	for i := range n {
		list = append(list, by(fmt.Sprintf("o/r%d", i), publish)...)
	}
	return list
}

func huge() (list []lock.Signed) {
	for i := range 5000 {
		list = append(list, lock.Signed{Source: at(i+1, fmt.Sprintf("https://github.com/o/r%d/releases/download/v1/x", i)), Signers: by("o/r", publish)})
	}
	return list
}

func TestPlatforms(t *testing.T) {
	for _, c := range []struct{ given, want []string }{
		{nil, nil},
		{[]string{"all"}, nil},
		{[]string{"win-64", "linux-64", "win-64"}, []string{"linux-64", "win-64"}},
		{[]string{"emscripten-wasm32", "all"}, []string{"all", "emscripten-wasm32"}},
	} {
		f, err := lock.New(nil, c.given)
		if err != nil || !slices.Equal(f.Platforms, c.want) {
			t.Errorf("%v: got %v, %v", c.given, f.Platforms, err)
		}
		if again, err := lock.Parse("x", f.Bytes()); err != nil || !slices.Equal(again.Platforms, c.want) {
			t.Errorf("%v: read again %v, %v", c.given, again, err)
		}
	}
}

func TestPath(t *testing.T) {
	for _, c := range [][2]string{
		{"recipe.yaml", "recipe-verify.lock"},
		{"feedstocks/a/recipe/recipe.yaml", "feedstocks/a/recipe/recipe-verify.lock"},
		{"a/other.yaml", "a/other.yaml.recipe-verify.lock"},
		{"a/other.yml", "a/other.yml.recipe-verify.lock"},
	} {
		if got := lock.Path(c[0]); got != c[1] {
			t.Errorf("%s: got %s, wanted %s", c[0], got, c[1])
		}
	}
}

func TestCheck(t *testing.T) {
	e := lock.Entry{Source: "pypi flask", Signers: by("pallets/flask", publish, slsa)}
	for name, c := range map[string]struct {
		signers []signer.Signer
		want    string
	}{
		"the same":              {by("Pallets/Flask", slsa, publish), ""},
		"others beside them":    {slices.Concat(by("pallets/flask", slsa, publish), by("somebody/else", publish)), ""},
		"one of two":            {by("pallets/flask", publish), "evidence-disappeared"},
		"others in their place": {by("somebody/else", publish, slsa), "publisher-changed"},
		"nobody":                {nil, "evidence-disappeared evidence-disappeared"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, change := range e.Check(c.signers) {
				got = append(got, string(change.Kind))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, wanted %q", got, c.want)
			}
		})
	}
}

// An entry without signers, which somebody made by hand, lets nothing through.
func TestCheckOfNothing(t *testing.T) {
	for _, signers := range [][]signer.Signer{nil, by("pallets/flask", publish)} {
		if len(lock.Entry{}.Check(signers)) == 0 {
			t.Errorf("%v: fine", signers)
		}
	}
}

// Recipes are strangers'.
func TestNamesOfHugeRecipes(t *testing.T) {
	budget.SkipWithRace(t)
	var list []lock.Source
	for i := range lock.MaxSources {
		list = append(list, at(i+1, asset("1", "gh_1.zip")))
	}
	var names []string
	var err error
	budget.Check(t, func() { names, err = lock.Names(list) })
	if err != nil || names[0] != "github cli/cli (1)" || names[len(names)-1] != "github cli/cli (100000)" {
		t.Errorf("%v", err)
	}
	if _, err := lock.Names(append(list, list[0])); err == nil {
		t.Error("one more is let through")
	}
}

func TestDifferences(t *testing.T) {
	file := func(sources ...lock.Signed) *lock.File {
		f, err := lock.New(sources, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	flask, jinja := at(3, sdist("flask", "1")), at(9, sdist("jinja2", "1"))
	before := file(lock.Signed{Source: flask, Signers: by("pallets/flask", publish)})
	got := lock.Differences(before, file(lock.Signed{Source: flask, Signers: by("pallets/other", publish)}, lock.Signed{Source: jinja, Signers: by("pallets/jinja", publish)}))
	if len(got) != 2 || got[0].Source != "pypi flask" || len(got[0].Changes) != 1 || got[0].Changes[0].Kind != signer.PublisherChanged || !got[1].Added {
		t.Errorf("got %+v", got)
	}
	got = lock.Differences(before, file())
	if len(got) != 1 || !got[0].Gone || len(got[0].Signers) != 1 {
		t.Errorf("gone: %+v", got)
	}
	if got := lock.Differences(nil, before); len(got) != 1 || !got[0].Added {
		t.Errorf("from nothing: %+v", got)
	}
	if got := lock.Differences(before, before); len(got) != 0 {
		t.Errorf("the same: %+v", got)
	}
}
