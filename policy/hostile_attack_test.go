package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/policy"
)

// Policies of the largest size cost bounded memory and time, to read and to
// apply; those that say nothing sensible are refused.
func TestHostilePoliciesAreCheap(t *testing.T) {
	const most = policy.MaxSize - 200
	repeat := strings.Repeat
	fill := func(before, text, after string) string { return before + repeat(text, most/len(text)) + after }
	var bomb, merging strings.Builder
	bomb.WriteString("a0: &a0 x\n")
	merging.WriteString("a0: &a0 {x: 1}\n")
	for i := range 60 {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s*a%d]\n", i+1, i+1, repeat(fmt.Sprintf("*a%d,", i), 9), i)
		fmt.Fprintf(&merging, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	source := policy.Source{
		Recipe: "recipe.yaml", Packages: []string{repeat("a", 200)},
		URLs: []string{"https://github.com/" + repeat("a/", 500) + "b", "https://pypi.org/" + repeat("a", 1000)},
	}
	for _, c := range []struct {
		name, text string
		accepted   bool
	}{
		{"alias bomb", bomb.String(), false},
		{"alias bomb by merging", merging.String(), false},
		{"nested lists", "require: " + repeat("[", 10_000) + repeat("]", 10_000), false},
		{"nested lists below what is counted first", "require: " + repeat("[", 900) + repeat("]", 900), false},
		{"nested blocks", repeat("- ", most/2) + "a", false},
		{"explicit keys", repeat("? ", most/2) + "a", false},
		{"open braces", fill("", "{a: ", ""), false},
		{"colons", fill("", "a: ", ""), false},
		{"keys", fill("", "a: 1\n", ""), false},
		{"wide list", fill("require: [", "x,", "x]"), false},
		{"empty lists", fill("require: [", "[],", "[]]"), false},
		{"empty lines", fill("", "\n", ""), true},
		{"comments", fill("", "#\n", ""), true},
		{"documents", fill("", "---\n", ""), false},
		{"directives", fill("", "%A\n", ""), false},
		{"long value", fill("cache_dir: ", "x", ""), true},
		{"escapes", fill(`cache_dir: "`, `\u202e`, `"`), true},
		{"tabs", fill("", "\t", ""), false},
		{"NUL", fill("", "\x00", ""), false},
		{"requirements", fill("require: [", "{package: 'a*a*'},", "{all: true}]"), true},
		{"patterns of a requirement", fill("require: [{package: [", "'*a*a*a*a*a*a*b',", "'*']}]"), true},
		{"patterns of addresses", fill("require: [{url: [", "'https://github.com/a/**/a/**/a/**/c',", "'https://github.com/a/**']}]"), true},
		{"rules", fill("rules: [", "{refs: ['refs/tags/*a*a*a*'], publishers: ['github:a/*']},", "{refs: [refs/tags/*]}]"), true},
		{"one value, often", fill("rules: [{triggers: [", "a,", "b]}]"), false},
		{"many values of a rule", "rules: [{triggers: [" + numbers(most/8) + "b]}]", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			budget.Check(t, func() {
				var p *policy.Policy
				if p, err = policy.Parse("p.yaml", []byte(c.text)); err == nil {
					p.Apply(source, time.Now())
				}
			})
			if (err == nil) != c.accepted {
				t.Errorf("error %v", err)
			}
			if err != nil && len(err.Error()) > 4000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%06d,", i)
	}
	return b.String()
}
