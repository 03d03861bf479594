package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutation whose text is gone tests nothing, and nobody would know before the
// next run.
func TestEachMutationFitsTheCode(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutations {
		if names[m.name] {
			t.Errorf("two mutations have the name %q", m.name)
		}
		names[m.name] = true
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m.file)))
		if err != nil {
			t.Fatal(err)
		}
		mutant, err := m.apply(string(text))
		switch {
		case err != nil:
			t.Errorf("%s: %v; correct its text in mutations.go", m.name, err)
		case mutant == string(text):
			t.Errorf("%s: it changes nothing", m.name)
		}
		if len(m.packages) == 0 {
			t.Errorf("%s: no tests are named", m.name)
		}
	}
	if len(mutations) < 40 {
		t.Errorf("%d mutations are few", len(mutations))
	}
}

func TestFailureNamesTheTest(t *testing.T) {
	for out, want := range map[string]string{
		"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n        x_test.go:1: no\n    --- FAIL: TestA/c\n": "TestA/b",
		"x.go:1: undefined: y\nFAIL m [build failed]\n":                                                            "x.go:1: undefined: y | FAIL m [build failed]",
		"--- FAIL: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n":                                                       "TestA",
	} {
		if got := failure(out); got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	var out, errs strings.Builder
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"-list"}, 0},
		{[]string{"no such check"}, 2},
		{[]string{"-unknown"}, 2},
	} {
		if got := run(t.Context(), c.args, &out, &errs); got != c.want {
			t.Errorf("%q: status %d, wanted %d", c.args, got, c.want)
		}
	}
	if got := strings.Count(out.String(), "\n"); got != len(mutations) {
		t.Errorf("%d lines, wanted one for each of %d mutations", got, len(mutations))
	}
}
