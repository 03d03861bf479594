package jinja

import (
	"slices"
	"strings"
	"testing"
)

func TestVersionOrder(t *testing.T) {
	// From conda's documentation of its version order; versions of one line
	// are equal.
	order := []string{
		"0.4 0.4.0", "0.4.1.rc", "0.4.1.RC", "0.4.1", "0.5a1", "0.5b3", "0.5C1", "0.5", "0.9.6", "0.960923", "1.0",
		"1.1dev1", "1.1_", "1.1a1", "1.1.0dev1 1.1.dev1", "1.1.a1", "1.1.0rc1", "1.1.0 1.1", "1.1.0post1 1.1.post1",
		"1.1post1", "1996.07.12", "1!0.4.1", "1!3.1.1.6", "2!0.4.1",
	}
	for i := range order {
		// The documentation lists equal spellings of rc on lines of their own.
		for j := i; j < len(order); j++ {
			for _, a := range strings.Fields(order[i]) {
				for _, b := range strings.Fields(order[j]) {
					v, err := parseVersion(a)
					if err != nil {
						t.Fatal(err)
					}
					w, err := parseVersion(b)
					if err != nil {
						t.Fatal(err)
					}
					equal := i == j || strings.EqualFold(a, b)
					if c := v.compare(w); equal && c != 0 || !equal && c >= 0 {
						t.Errorf("%s and %s compare as %d", a, b, c)
					}
				}
			}
		}
	}
}

func TestVersionSyntax(t *testing.T) {
	for _, s := range []string{"", " ", "1..2", "1.", "a b", "1!2!3", "!1", "x!1", "1+", "1+2+3", "1/2", "1*", strings.Repeat("1", 300)} {
		if _, err := parseVersion(s); err == nil {
			t.Errorf("%q is read as a version", s)
		}
	}
}

func TestMatchSpec(t *testing.T) {
	tests := []struct {
		version, spec string
		want          bool
	}{
		{"3.10", "3.10", true},
		{"3.10", "3.10.*", true},
		{"3.10.4", "3.10.*", true},
		{"3.1", "3.10.*", false},
		{"3.10", "3.1.*", false},
		{"3.10", "3.1*", false},
		{"3.10", "3.10.0", true},
		{"3.10.1", "3.10", false},
		{"3.10.1", "=3.10", true},
		{"3.10.1", "==3.10", false},
		{"3.10.1", "==3.10.1", true},
		{"3.10", "!=3.10", false},
		{"3.10.1", "!=3.10.*", false},
		{"3.11", "!=3.10.*", true},
		{"3.10", ">=3.9,<3.11", true},
		{"3.11", ">=3.9,<3.11", false},
		{"3.11", ">= 3.9 , < 3.12", true},
		{"3.8", "<3.9|>3.10", true},
		{"3.10", "<3.9|>3.10", false},
		{"3.10", "<3.9|>3.9,<3.11", true},
		{"3.12", "(<3.9|>3.9),<3.11", false},
		{"1.4.5", "~=1.4.2", true},
		{"1.5", "~=1.4.2", false},
		{"1.4.1", "~=1.4.2", false},
		{"1.5", "~=1.4", true},
		{"2.0", "~=1.4", false},
		{"3.10", "*", true},
		{"3.10", ">=3.10.*", true},
		{"3.9", ">3.10.*", false},
		{"1.0a1", "1.0a*", true},
		{"1!1.0", "1.0", false},
		{"1.0+local", "1.0", false},
		{"3.13", ">3.9", true},
		{"12.9", ">=12", true},
	}
	for _, tt := range tests {
		t.Run(tt.version+" "+tt.spec, func(t *testing.T) {
			v, err := parseVersion(tt.version)
			if err != nil {
				t.Fatal(err)
			}
			got, err := matchSpec(v, tt.spec)
			if err != nil || got != tt.want {
				t.Errorf("match %v, error %v, wanted %v", got, err, tt.want)
			}
		})
	}
	bad := []string{"", ">=", ">=3,", "|3", "3|", "(3", "3)", "3 4", "~=3", "~=3.1.*", "=>3", "3,,4", "a b"}
	for _, spec := range bad {
		v, err := parseVersion("3.10")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := matchSpec(v, spec); err == nil {
			t.Errorf("%q is read as a specification", spec)
		}
	}
}

func TestSingle(t *testing.T) {
	tests := []struct {
		template, want string
		single         bool
	}{
		{"${{ a }}", " a ", true},
		{"${{- a -}}\n", " a ", true},
		{" ${{ a }}", "", false},
		{"${{ a }} ", "", false},
		{`${{ "}}" }}`, ` "}}" `, true},
		{"${{ a }}${{ b }}", "", false},
		{"x${{ a }}", "", false},
		{"${{ a }}x", "", false},
		{"${{ a", "", false},
		{"a", "", false},
		{`${{ "a }}`, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.template, func(t *testing.T) {
			got, ok := Single(tt.template)
			if ok != tt.single || ok && got != tt.want {
				t.Errorf("%q, %v, wanted %q, %v", got, ok, tt.want, tt.single)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	e := New(Config{Budget: 10_000})
	renders := 0
	for {
		if _, err := e.Render("${{ 1 + 1 }}", variables{}); err != nil {
			if kind := err.(*Error).Kind; kind != Limit { //nolint:errorlint // Render's own type
				t.Fatalf("kind %d, wanted Limit", kind)
			}
			break
		}
		renders++
	}
	if renders < 50 || renders > 500 {
		t.Errorf("%d templates were rendered with 10,000 steps", renders)
	}
	if e.Left() != 0 {
		t.Errorf("%d steps are left", e.Left())
	}
	loops := New(Config{Budget: 1_000_000})
	const template = "${{ 1 }}{% for a in \"aaaaaaaaaaaaaaaaaaaa\" %}{% for b in \"bbbbbbbbbbbbbbbbbbbb\" %}${{ a ~ b }}{% endfor %}{% endfor %}"
	if _, err := loops.Render(template, variables{}); err != nil {
		t.Fatal(err)
	}
	if used := 1_000_000 - loops.Left(); used < 400 {
		t.Errorf("loops of 400 rounds took %d steps", used)
	}
}

// Nothing stays behind of an evaluation that failed.
func TestAfterFailure(t *testing.T) {
	e := New(Config{Budget: 10_000})
	if _, err := e.Render("${{ nope }}", variables{}); err == nil {
		t.Fatal("no error")
	}
	got, err := e.Render("${{ 1 }}", variables{})
	if err != nil || got != "1" {
		t.Errorf("%q, error %v", got, err)
	}
}

func fuzzSeeds() []string {
	seeds := []string{
		"${{ a", "}}", "${{ {% }}", "${{ 1 }}{% for a in b %}", "{# ${{ }}", "${{ a[::0] }}", "${{ -9223372036854775808 // -1 }}",
		"${{ 1 }}{% set a = 1 %}{% set a = a %}", "${{ (1,) }}", "${{ 'a'|join }}", "${{ a.b.c[1].d }}", "${{ 1e400 }}", "${{ a is not b c }}",
		"${{ 1 }}{% raw %}{% endraw %}{% endraw %}", "${{ loop }}", "${{ {1: 2} }}", "${{ [] < {} }}", "${{ true ** true }}",
	}
	return seeds
}

// FuzzRender looks for panics, for output above the limit, and for templates
// that render differently the second time.
func FuzzRender(f *testing.F) {
	for _, s := range fuzzSeeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, template string) {
		e := New(testConfig())
		first, err := e.Render(template, testVariables())
		if len(first) > MaxOutput && IsTemplate(template) {
			t.Errorf("%d bytes", len(first))
		}
		second, again := e.Render(template, testVariables())
		if (err == nil) != (again == nil) || first != second {
			t.Errorf("first %q, %v, then %q, %v", first, err, second, again)
		}
	})
}

// FuzzMatchSpec looks for panics, and for versions that do not equal themselves.
func FuzzMatchSpec(f *testing.F) {
	f.Add("1.2.3", ">=1,<2|3.*")
	f.Add("1!2post1+a_", "~=1.2")
	f.Add("0.5C1", "(1)")
	f.Fuzz(func(t *testing.T, version, spec string) {
		v, err := parseVersion(version)
		if err != nil {
			return
		}
		if v.compare(v) != 0 || !v.startsWith(v) {
			t.Errorf("%q does not equal itself", version)
		}
		_, _ = matchSpec(v, spec) //nolint:errcheck // most specifications are wrong
	})
}

// The names that templates can use are exactly those of the specification.
func TestNames(t *testing.T) {
	e := New(Config{})
	e.prepare()
	keys := func(m map[string]bool) string {
		var list []string
		for k := range m {
			list = append(list, k)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	want := "abs bool default first int join last length list lower max min replace reverse sort split trim unique upper version_to_buildstring"
	if got := keys(e.names.filters); got != want {
		t.Errorf("filters %s, wanted %s", got, want)
	}
	want = "boolean defined endingwith eq escaped even false float ge gt in int integer le lt ne none number odd safe sequence startingwith string true undefined"
	if got := keys(e.names.tests); got != want {
		t.Errorf("tests %s, wanted %s", got, want)
	}
	want = "cdt compiler is_android is_ios is_linux is_osx is_unix is_windows load_from_file match pin_compatible pin_subpackage stdlib"
	if got := keys(e.names.functions); got != want {
		t.Errorf("functions %s, wanted %s", got, want)
	}
}
