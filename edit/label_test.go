package edit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/edit"
)

// Whoever names a folder does not write a diff: git finds the very file, and no
// other is touched.
func TestNamesInDiffsAreNotDiffs(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	const before, after = "a\nb\n", "a\nb\nc\n"
	for _, c := range []struct{ name, head string }{
		{"recipe.yaml", "--- a/recipe.yaml\n+++ b/recipe.yaml\n@@"},
		{"my recipes/recipe.yaml", "--- a/my recipes/recipe.yaml\t\n"},
		{"ä/recipe.yaml", "--- a/ä/recipe.yaml\n"},
		{"x\n+++ b\n@@ -1 +1 @@\n-evil\n+good\n--- y/recipe.yaml", `--- "a/x\012+++ b\012@@ -1 +1 @@\012-evil\012+good\012--- y/recipe.yaml"` + "\n"},
		{"\"x\\y\"/recipe.yaml", `--- "a/\"x\\y\"/recipe.yaml"` + "\n"},
		{"\x1b[2J\u202e\u009b/recipe.yaml", `--- "a/\033[2J\342\200\256\302\233/recipe.yaml"` + "\n"},
		{"tab\there/recipe.yaml", `--- "a/tab\011here/recipe.yaml"` + "\n"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(c.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Logf("%q is no name here: %v", c.name, err)
			continue
		}
		if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		diff := edit.Diff(c.name, []byte(before), []byte(after))
		if !strings.HasPrefix(diff, c.head) || strings.Count(diff, "\n") != 6 {
			t.Errorf("%q:\n%s", c.name, diff)
		}
		apply := exec.Command(git, "-C", dir, "apply", "-")
		apply.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		apply.Stdin = strings.NewReader(diff)
		if out, err := apply.CombinedOutput(); err != nil {
			t.Errorf("%q: git apply: %v\n%s", c.name, err, out)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != after {
			t.Errorf("%q holds %q after that, error %v", c.name, got, err)
		}
	}
}
