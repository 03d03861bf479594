package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/internal/cli"
)

func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	env := cli.Env{
		Getenv:     func(string) string { return "" },
		LookupEnv:  func(string) (string, bool) { return "", false },
		IsTerminal: func(any) bool { return false },
	}
	status = cli.Main(context.Background(), env, strings.NewReader(""), &out, &err, args)
	return status, out.String(), err.String()
}

// A checkout of somebody else's holds files with names and contents that are
// not meant for a terminal, and errors quote both.
func TestErrorsAreSafeOnATerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x\x1b]0;t\x07\u202e\u009b1A\nverified     evil.tar.gz")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skip("this file system does not have such names:", err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	recipe := write("recipe.yaml", "package: {name: x, version: 1}\n")
	root := write("root.json", "{\"mediaType\": \"\x1b[2J\u202e\"}")
	write("recipe-verify.yaml", "\"\\e[2J\\u202E\": 1\n")
	for name, args := range map[string][]string{
		"configuration":         {"verify", recipe},
		"absent policy":         {"verify", "--policy", filepath.Join(dir, "none"), recipe},
		"trusted root":          {"verify", "--no-policy", "--trusted-root", root, recipe},
		"absent trusted root":   {"verify", "--no-policy", "--trusted-root", filepath.Join(dir, "none"), recipe},
		"output":                {"verify", "--no-policy", "--output", filepath.Join(dir, "none", "x"), recipe},
		"recipe":                {"verify", "--no-policy", filepath.Join(dir, "none.yaml")},
		"recipe for sources":    {"sources", filepath.Join(dir, "none.yaml")},
		"value of a flag":       {"verify", "--format", dir},
		"name of a flag":        {"verify", "--" + dir},
		"name of a command":     {dir},
		"mirror":                {"verify", "--mirror", dir},
		"variants":              {"verify", "--variant", dir, recipe},
		"absent variants":       {"verify", "--no-policy", "--variant-config", filepath.Join(dir, "none"), recipe},
		"platform":              {"verify", "--no-policy", "--target-platform", dir, recipe},
		"json of what is wrong": {"verify", "--no-policy", "--format", "json", filepath.Join(dir, "none.yaml")},
	} {
		status, stdout, stderr := command(t, args...)
		if status != audit.StatusError {
			t.Errorf("%s: status %d", name, status)
		}
		for _, r := range stdout + stderr {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s: the output holds %+q: %+q", name, r, stdout+stderr)
				break
			}
		}
	}
}

// A script's variable that is not set must not switch rules off.
func TestEmptyPolicyIsAnError(t *testing.T) {
	status, _, stderr := command(t, "verify", "--policy", "", "../../testdata/recipes/no-block")
	if status != audit.StatusError || !strings.Contains(stderr, "--policy") {
		t.Errorf("status %d, %q", status, stderr)
	}
}
