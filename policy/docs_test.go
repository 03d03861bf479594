package policy_test

import (
	"os"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/policy"
)

// The example in docs/policy.md is a policy, with all keys that there are.
func TestExampleOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/policy.md has no example")
	}
	parse(t, example)
	_, err = policy.Parse("p.yaml", []byte("x: 1\n"))
	fault, ok := err.(*policy.Error)
	if !ok {
		t.Fatalf("error %v", err)
	}
	for _, key := range strings.Split(strings.TrimPrefix(fault.Hint(), "known keys: "), ", ") {
		if !strings.Contains(example, key+":") {
			t.Errorf("the example does not have the key %s", key)
		}
	}
}
