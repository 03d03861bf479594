package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/lock"
)

// lockedDemo is the demonstration's recipe of PyPI in a folder of its own, and a
// function that runs commands on it.
func lockedDemo(t *testing.T) (dir string, run func(status int, args ...string) string) {
	t.Helper()
	dir = t.TempDir()
	recipe, err := os.ReadFile("../../testdata/recipes/pypi/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "recipe.yaml"), string(recipe))
	return dir, func(status int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "--policy", "../../testdata/recipe-verify.yaml", dir)
		if got := cli.Main(context.Background(), env(), nil, &out, &errs, args); got != status {
			t.Fatalf("%q: status %d, wanted %d: %s%s", args, got, status, out.String(), errs.String())
		}
		return out.String()
	}
}

// What lock --format json writes is of its schema, in every state.
func TestLockIsOfItsSchema(t *testing.T) {
	dir, run := lockedDemo(t)
	path := filepath.Join(dir, lock.Name)
	recipe := filepath.Join(dir, "recipe.yaml")
	whole, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func()
		check  bool
		status int
		state  string
	}{
		{"missing", func() {}, true, 1, "missing"},
		{"written", func() {}, false, 0, "missing"},
		{"current", func() {}, true, 0, "current"},
		{"with the line ends of Windows", func() {
			data, _ := os.ReadFile(path)
			writeFile(t, path, strings.ReplaceAll(string(data), "\n", "\r\n"))
		}, true, 0, "current"},
		{"unreadable", func() { writeFile(t, path, "version: 9\n") }, true, 1, "outdated"},
		{"of others", func() {
			writeFile(t, path, "version: 1\nsources:\n  pypi x:\n    - {identity: a, issuer: b, predicate_types: [c]}\n")
		}, false, 0, "outdated"},
		{"obsolete", func() {
			block, _, _ := strings.Cut(string(whole), "  attestation:")
			writeFile(t, recipe, block)
		}, true, 1, "obsolete"},
		{"broken", func() { writeFile(t, recipe, "nonsense") }, false, 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change()
			args := []string{"lock", "--format", "json"}
			if c.check {
				args = append(args, "--check")
			}
			document := validateAs(t, "lock.schema.json", []byte(run(c.status, args...)))
			if written := document["written"].(bool); written != (!c.check && c.status == 0) {
				t.Errorf("written: %v", written)
			}
			files := document["files"].([]any)
			if c.state == "" {
				if len(files) != 0 || len(document["failed"].([]any)) != 1 {
					t.Errorf("%v", document)
				}
				return
			}
			if len(files) != 1 || files[0].(map[string]any)["state"] != c.state {
				t.Errorf("wanted %s: %v", c.state, files)
			}
		})
	}
}

// The file that is there may be a stranger's: nothing of it acts on a terminal.
func TestOldLockIsShownSafely(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		status int // of verify
	}{
		"names": {"version: 1\nsources:\n  \"\\e[31m\\u202e\\n::error::x\":\n    - {identity: \"\\e]0;x\\a\", issuer: \"\\u2028\", predicate_types: [\"\\r\"]}\n", 1},
		"bytes": {"\x1b[31m\u202e\r::error::x\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir, run := lockedDemo(t)
			path := filepath.Join(dir, lock.Name)
			writeFile(t, path, c.text)
			safe(t, run(0, "lock", "--diff")+run(1, "lock", "--check")+run(c.status, "verify", "--locked"))
		})
	}
}

func safe(t *testing.T, out string) {
	t.Helper()
	for _, r := range out {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%q is printed in %q", r, out)
		}
	}
	if strings.Contains(out, "\n::error::") {
		t.Errorf("a command for the workflow is printed: %q", out)
	}
}

func TestLockInterrupted(t *testing.T) {
	dir, _ := lockedDemo(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	if status := cli.Main(ctx, env(), nil, &out, &errs, []string{"lock", "--policy", "../../testdata/recipe-verify.yaml", dir}); status != 130 {
		t.Errorf("status %d: %s%s", status, out.String(), errs.String())
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// Each recipe is locked by the policy that verify takes for it, whichever recipes
// are named beside it.
func TestLockTakesThePolicyOfEachRecipe(t *testing.T) {
	dir := t.TempDir()
	demo, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := os.ReadFile(filepath.Join(demo, "recipes", "pypi", "recipe.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	bare, _, _ := strings.Cut(string(recipe), "  attestation:")
	run := "trust: {roots: ['" + filepath.Join(demo, "trusted-root.json") + "']}\nmirrors: [{from: 'https://', to: '" + filepath.Join(demo, "internet") + "'}]\noffline: true\n"
	for name, policy := range map[string]string{
		"plain": "", "named": "publishers: [{package: harbour-lights, publishers: [github:harbour-lights/harbour-lights]}]\n",
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name, "recipe.yaml"), bare)
		writeFile(t, filepath.Join(dir, name, "recipe-verify.yaml"), run+policy)
	}
	var out, errs bytes.Buffer
	if status := cli.Main(context.Background(), env(), nil, &out, &errs, []string{"lock", dir}); status != 0 {
		t.Fatalf("status %d: %s%s", status, out.String(), errs.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "plain", lock.Name)); err == nil {
		t.Error("the recipe whose policy names nobody is locked")
	}
	if f, err := lock.Read(filepath.Join(dir, "named", lock.Name)); err != nil || len(f.Entries) != 1 {
		t.Errorf("%v, %v", f, err)
	}
	for name, status := range map[string]int{"plain": 0, "named": 0} {
		if got := cli.Main(context.Background(), env(), nil, &out, &errs, []string{"verify", "--locked", filepath.Join(dir, name)}); got != status {
			t.Errorf("%s: status %d: %s%s", name, got, out.String(), errs.String())
		}
	}
}
