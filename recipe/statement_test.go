package recipe_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/recipe"
)

func parse(t *testing.T, text string, o recipe.Options) *recipe.Recipe {
	t.Helper()
	if o.TargetPlatforms == nil {
		o.TargetPlatforms = []string{"linux-64"}
	}
	rec, err := recipe.Parse("recipe.yaml", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestStatements(t *testing.T) {
	const head = "context: {name: flask, owner: pallets}\npackage: {name: x, version: 1}\n"
	const outputs = "context: {name: flask}\nrecipe: {name: x, version: 1}\noutputs:\n"
	long := "https://example.org/" + strings.Repeat("a", recipe.MaxStatement)
	var many []string
	for i := range recipe.MaxStatements + 10 {
		many = append(many, fmt.Sprintf("https://example.org/%d", i))
	}
	for _, c := range []struct {
		name, text string
		platforms  []string
		want       []string
	}{
		{"none", head, nil, nil},
		{"no about", head + "about:\n", nil, nil},
		{"about is a list", head + "about: [homepage]\n", nil, nil},
		{
			"all, the one that says most first", head + "about:\n  homepage: https://h\n  dev_url: https://d\n  repository: https://r\n  summary: https://s\n", nil,
			[]string{"about.repository https://r 6:15", "about.dev_url https://d 5:12", "about.homepage https://h 4:13"},
		},
		{
			"rendered", head + "about: {repository: 'https://github.com/${{ owner }}/${{ name }}'}\n", nil,
			[]string{"about.repository https://github.com/pallets/flask 3:21 https://github.com/${{ owner }}/${{ name }}"},
		},
		{"list", head + "about:\n  homepage:\n    - https://a\n    - https://b\n", nil, []string{"about.homepage https://a 5:7", "about.homepage https://b 6:7"}},
		{"conditional", head + "about:\n  homepage:\n    - if: linux\n      then: https://a\n      else: https://b\n", nil, []string{"about.homepage https://a 6:13"}},
		{"same on several platforms once", head + "about: {homepage: https://h}\n", []string{"linux-64", "win-64"}, []string{"about.homepage https://h 3:19"}},
		{
			"other on other platforms", head + "about: {homepage: 'https://${{ target_platform }}'}\n",
			[]string{"linux-64", "win-64"},
			[]string{"about.homepage https://linux-64 3:19 https://${{ target_platform }}", "about.homepage https://win-64 3:19 https://${{ target_platform }}"},
		},
		{
			"of the top level and of outputs", outputs + "- package: {name: a}\n  about: {homepage: https://a}\n- package: {name: b}\n  about: {homepage: https://b}\nabout: {homepage: https://top}\n", nil,
			[]string{"about.homepage https://top 8:19", "about.homepage https://a 5:21", "about.homepage https://b 7:21"},
		},
		{"of a skipped output", outputs + "- package: {name: a}\n  build: {skip: true}\n  about: {homepage: https://a}\n", nil, nil},

		{"cannot be rendered", head + "about: {homepage: 'https://${{ nothing }}', repository: https://r}\n", nil, []string{"about.repository https://r 3:57"}},
		{"no template at all", head + "about: {homepage: 'https://${{ 1 +', repository: https://r}\n", nil, []string{"about.repository https://r 3:50", "about.homepage https://${{ 1 + 3:19"}},
		{"condition cannot be evaluated", head + "about:\n  homepage:\n  - {if: nothing, then: https://a}\n  - https://b\n", nil, []string{"about.homepage https://b 6:5"}},
		{"mapping", head + "about: {homepage: {url: https://a}}\n", nil, nil},
		{"empty", head + "about: {homepage: '  ', repository: }\n", nil, nil},
		{"too long", head + "about: {homepage: " + long + "}\n", nil, nil},
		{"rendered too long", head + "about: {homepage: \"${{ 'a' * " + fmt.Sprint(recipe.MaxStatement+1) + " }}\"}\n", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := parse(t, c.text, recipe.Options{Statements: true, TargetPlatforms: c.platforms})
			var got []string
			for _, s := range rec.Statements {
				line := fmt.Sprintf("%s %s %d:%d", s.Key, s.Value, s.Pos.Line, s.Pos.Column)
				if s.Text != s.Value {
					line += " " + s.Text
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(rec.Warnings) > 0 {
				t.Errorf("warned: %v", rec.Warnings)
			}
			if got := parse(t, c.text, recipe.Options{TargetPlatforms: c.platforms}).Statements; got != nil {
				t.Errorf("without being asked: %v", got)
			}
		})
	}
	rec := parse(t, head+"about:\n  homepage: ["+strings.Join(many, ", ")+"]\n", recipe.Options{Statements: true})
	if len(rec.Statements) != recipe.MaxStatements {
		t.Errorf("%d statements, wanted %d", len(rec.Statements), recipe.MaxStatements)
	}
}

// What only statements read of variants does not make more outputs.
func TestStatementsDoNotMultiplyOutputs(t *testing.T) {
	const text = `package: {name: x, version: 1}
source: {url: 'https://example.org/${{ blas }}.tar.gz'}
about: {homepage: 'https://example.org/${{ python }}'}
`
	variants := map[string][]string{"blas": {"mkl", "openblas"}, "python": {"3.12", "3.13"}}
	plain := parse(t, text, recipe.Options{Variants: variants})
	stating := parse(t, text, recipe.Options{Variants: variants, Statements: true})
	if len(plain.Outputs) != 2 {
		t.Fatalf("%d outputs", len(plain.Outputs))
	}
	if diff := cmp.Diff(plain.Outputs, stating.Outputs); diff != "" {
		t.Error(diff)
	}
	if len(stating.Statements) != 1 || stating.Statements[0].Value != "https://example.org/3.12" {
		t.Errorf("%v", stating.Statements)
	}
}

// A template that costs too much is nobody's statement; one that costs all that a
// recipe may ends the evaluation, and never hides a source.
func TestStatementsAreBounded(t *testing.T) {
	loop := "${% for a in range(900) %}${% for b in range(900) %}x${% endfor %}${% endfor %}"
	var lines []string
	for range 400 {
		lines = append(lines, "    - "+fmt.Sprintf("%q", "${{ 'a' * 60000 }}"+loop))
	}
	text := "package: {name: x, version: 1}\nsource: {url: 'https://example.org/a.tar.gz'}\nabout:\n  homepage:\n" + strings.Join(lines, "\n") + "\n"
	rec, err := recipe.Parse("recipe.yaml", []byte(text), recipe.Options{Statements: true, TargetPlatforms: []string{recipe.AllPlatforms}})
	if err == nil && len(rec.Sources()) != 1 {
		t.Errorf("%d sources", len(rec.Sources()))
	}
	if rec != nil && len(rec.Statements) > recipe.MaxStatements {
		t.Errorf("%d statements", len(rec.Statements))
	}
}

// The text of a value is what stands in the file, without YAML's quotes.
func TestTextAsItIsWritten(t *testing.T) {
	rec := parse(t, `context: {version: "1.0", sum: "`+strings.Repeat("ab", 32)+`"}
package: {name: x, version: 1}
source:
  - url:
      - "https://example.org/x-${{ version }}.tar.gz"
      - https://EXAMPLE.org/x.tar.gz
    sha256: '${{ sum }}'
    attestation:
      publishers: github:a/b
      bundle_url: >-
        https://example.org/x-${{ version }}.tar.gz.sigstore.json
      predicate_type: 'https://slsa.dev/provenance/v${{ 1 }}'
  - {git: 'https://example.org/${{ version }}', tag: v1}
  - {path: '${{ version }}'}
`, recipe.Options{})
	s := rec.Outputs[0].Sources
	got := [][2]string{
		{s[0].URLs[0].Text, s[0].URLs[0].Value},
		{s[0].URLs[1].Text, s[0].URLs[1].Value},
		{s[0].SHA256Text, s[0].SHA256.String()},
		{s[0].Attestation.BundleURLs[0].Text, s[0].Attestation.BundleURLs[0].Value},
		{s[0].Attestation.PredicateTypes[0].Text, s[0].Attestation.PredicateTypes[0].Value},
		{s[1].Git.URL.Text, s[1].Git.URL.Value},
		{s[2].Path.Text, s[2].Path.Value},
	}
	want := [][2]string{
		{"https://example.org/x-${{ version }}.tar.gz", "https://example.org/x-1.0.tar.gz"},
		{"https://EXAMPLE.org/x.tar.gz", "https://example.org/x.tar.gz"},
		{"${{ sum }}", strings.Repeat("ab", 32)},
		{"https://example.org/x-${{ version }}.tar.gz.sigstore.json", "https://example.org/x-1.0.tar.gz.sigstore.json"},
		{"https://slsa.dev/provenance/v${{ 1 }}", "https://slsa.dev/provenance/v1"},
		{"https://example.org/${{ version }}", "https://example.org/1.0"},
		{"${{ version }}", "1.0"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
