package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/cli"
)

// suggest runs the command over the demonstration's internet.
func runSuggest(ctx context.Context, t *testing.T, terminal bool, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	env := cli.OS()
	env.Getenv = func(string) string { return "" }
	env.IsTerminal = func(any) bool { return terminal }
	var out, errs bytes.Buffer
	args = append([]string{"suggest", "--quiet", "--no-cache", "--policy", filepath.Join("..", "..", "testdata", "recipe-verify.yaml")}, args...)
	status = cli.Main(ctx, env, strings.NewReader(""), &out, &errs, args)
	return status, out.String(), errs.String()
}

// noBlock gives the demonstration's recipe without a block, with a first line.
func noBlock(t *testing.T, line string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "recipes", "no-block", "recipe.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return line + string(data)
}

func recipeIn(t *testing.T, text string, elem ...string) string {
	t.Helper()
	path := filepath.Join(append(elem, "recipe.yaml")...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Skip(err) // no name on this system
	}
	writeFile(t, path, text)
	return path
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What stands in a recipe, and what a folder is called, acts on no terminal, in no
// form; a diff that is not shown on one holds the bytes as they are.
func TestSuggestPrintsNothingOfStrangersAsItIs(t *testing.T) {
	const hostile = "source:\n  # turned \u202e around, ##[error]x\n"
	text := strings.Replace(noBlock(t, ""), "source:\n", hostile, 1)
	path := recipeIn(t, text, t.TempDir(), "a\x1b[2J\u202e\nproposed     evil")
	for _, args := range [][]string{{path}, {"--verbose", path}, {"--format", "json", path}, {"--diff", path}, {"--write", path}, {filepath.Dir(path)}} {
		status, stdout, stderr := runSuggest(t.Context(), t, true, args...)
		if status != 0 || stdout == "" {
			t.Errorf("%q: status %d\n%s", args, status, stderr)
		}
		for _, r := range stdout + stderr {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%q: the output holds %+q", args, r)
			}
		}
		if strings.Contains(stdout+stderr, "##[") || strings.Contains(stdout+stderr, "\nproposed     evil") {
			t.Errorf("%q:\n%s%s", args, stdout, stderr)
		}
	}
	writeFile(t, path, text)
	_, diff, stderr := runSuggest(t.Context(), t, false, "--diff", path)
	if !strings.Contains(diff, "turned \u202e around, ##[error]x\n") || strings.Contains(diff, "\x1b") || strings.Contains(diff, "\nproposed") {
		t.Errorf("the diff is\n%q", diff)
	}
	for _, r := range stderr {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("the standard error holds %+q", r)
		}
	}
}

// Of several recipes all are written or none.
func TestSuggestWritesAllOrNone(t *testing.T) {
	dir := t.TempDir()
	text := noBlock(t, "")
	first, second, third := recipeIn(t, text, dir, "a"), recipeIn(t, text, dir, "b"), recipeIn(t, text, dir, "c")
	if err := os.Chmod(second, 0o444); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := runSuggest(t.Context(), t, false, "--write", dir)
	if status != 2 || strings.Contains(stdout, "written") || !strings.HasPrefix(stderr, "error: ") || !strings.Contains(stderr, "recipe.yaml") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	for _, path := range []string{first, second, third} {
		if diff := cmp.Diff(text, contentOf(t, path)); diff != "" {
			t.Errorf("%s was written:\n%s", path, diff)
		}
	}
	entries, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(entries) != 3 {
		t.Errorf("the folders hold %q", entries)
	}
	if err := os.Chmod(second, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, stdout, _ = runSuggest(t.Context(), t, false, "--write", dir); status != 0 || !strings.Contains(stdout, "\nwritten: 3 blocks in 3 recipes\n") {
		t.Errorf("status %d\n%s", status, stdout)
	}
	want := strings.Replace(text, "\n\nbuild:", "\n  attestation:\n    publishers:\n      - github:harbour-lights/harbour-lights\n\nbuild:", 1)
	for _, path := range []string{first, second, third} {
		if diff := cmp.Diff(want, contentOf(t, path)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
}

func TestSuggestThatIsInterruptedWritesNothing(t *testing.T) {
	text := noBlock(t, "")
	path := recipeIn(t, text, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, _, stderr := runSuggest(ctx, t, false, "--write", path)
	if status != 130 || !strings.Contains(stderr, "interrupted") || contentOf(t, path) != text {
		t.Errorf("status %d\n%s\n%s", status, stderr, contentOf(t, path))
	}
}

// Recipes keep what they are: line ends, and the byte order mark.
func TestSuggestKeepsBytes(t *testing.T) {
	plain := noBlock(t, "")
	for name, text := range map[string]string{
		"CR LF":           strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte order mark": "\ufeff" + plain,
		"no last line feed, and the source last": strings.TrimRight(strings.Replace(plain, plain[strings.Index(plain, "source:"):strings.Index(plain, "build:")], "", 1), "\n") +
			"\n" + strings.TrimRight(plain[strings.Index(plain, "source:"):strings.Index(plain, "build:")], "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			path := recipeIn(t, text, t.TempDir())
			if status, stdout, stderr := runSuggest(t.Context(), t, false, "--write", path); status != 0 {
				t.Fatalf("status %d\n%s%s", status, stdout, stderr)
			}
			got := contentOf(t, path)
			end := "\n"
			if strings.Contains(text, "\r\n") {
				end = "\r\n"
			}
			block := strings.ReplaceAll("\n  attestation:\n    publishers:\n      - github:harbour-lights/harbour-lights", "\n", end)
			if diff := cmp.Diff(text, strings.Replace(got, block, "", 1)); diff != "" || !strings.Contains(got, block) {
				t.Errorf("(-before +after, without the block):\n%s", diff)
			}
		})
	}
}
