package repository_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/repository"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// commit makes a repository of the files, and commits them.
func commit(t *testing.T, files ...string) string {
	t.Helper()
	needGit(t)
	dir := tree(t, files...)
	git(t, dir, "init", "-q")
	git(t, dir, "add", "-A", "-f")
	git(t, dir, "commit", "-q", "-m", "one")
	return dir
}

func open(t *testing.T, dir, revision string) (*repository.Checkout, *repository.Tree) {
	t.Helper()
	c, err := repository.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := c.Tree(t.Context(), revision)
	if err != nil {
		t.Fatal(err)
	}
	return c, tree
}

// object writes an object as no honest git would, and gives its name.
func object(t *testing.T, dir, kind, content string) string {
	t.Helper()
	cmd := exec.Command("git", "-C", dir, "hash-object", "-t", kind, "-w", "--stdin", "--literally")
	cmd.Stdin = strings.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// A folder of a revision is written as it was committed, whatever the checkout
// holds now and whatever the repository would have git do with it.
func TestExtract(t *testing.T) {
	dir := commit(t, "r/recipe.yaml=committed", "r/sub/data.json={}", "r/big", "other/recipe.yaml", "recipe.yaml", ".gitattributes=* filter=evil diff=evil text eol=crlf", "r2/recipe.yaml")
	if err := os.WriteFile(filepath.Join(dir, "r", "big"), make([]byte, recipe.MaxSize+10), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "r", "link")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "two")
	ran := filepath.Join(dir, "ran")
	for _, key := range []string{"filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv", "core.fsmonitor", "core.sshCommand", "core.pager"} {
		git(t, dir, "config", key, "sh -c 'touch "+ran+"'")
	}
	write(t, filepath.Join(dir, "r", "recipe.yaml"), "not committed")
	_, now := open(t, dir, "HEAD")
	into := t.TempDir()
	if err := now.Extract(t.Context(), "r", into, "recipe.yaml"); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := filepath.WalkDir(into, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		rel, _ := filepath.Rel(into, file)
		if got[filepath.ToSlash(rel)] = string(data); len(data) > 100 {
			got[filepath.ToSlash(rel)] = fmt.Sprint(len(data))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"recipe.yaml": "committed\n", "sub/data.json": "{}\n", "big": fmt.Sprint(recipe.MaxSize + 1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if now.SameOnDisk("r") {
		t.Error("a folder that differs is said to be the same")
	}
	if err := now.Extract(t.Context(), "r", t.TempDir(), "link"); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a wanted link: %v", err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program was run that the repository's settings name")
	}
}

// Objects that git was told to take in the place of others are not taken.
func TestReplacedObjectsAreNotTaken(t *testing.T) {
	dir := commit(t, "recipe.yaml=genuine")
	_, first := open(t, dir, "HEAD")
	write(t, filepath.Join(dir, "recipe.yaml"), "forged")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "two")
	git(t, dir, "replace", "HEAD~1", "HEAD")
	git(t, dir, "replace", "HEAD~1:recipe.yaml", "HEAD:recipe.yaml")
	_, again := open(t, dir, "HEAD~1")
	if !again.SameFolder(first, ".") {
		t.Error("the commit has other files than before")
	}
	into := t.TempDir()
	if err := again.Extract(t.Context(), ".", into, "recipe.yaml"); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(filepath.Join(into, "recipe.yaml")); string(data) != "genuine\n" {
		t.Errorf("got %q", data)
	}
}

// Names that lead out of the folder are refused, and nothing is written anywhere.
func TestHostileTrees(t *testing.T) {
	raw := func(hex string) string {
		b := make([]byte, len(hex)/2)
		_, _ = fmt.Sscanf(hex, "%x", &b)
		return string(b)
	}
	for _, name := range []string{"..", ".", "/abs", "a//b", "../../escaped", "x/../../y"} {
		t.Run(name, func(t *testing.T) {
			dir := commit(t, "readme")
			blob := object(t, dir, "blob", "evil")
			inner := object(t, dir, "tree", "100644 "+name+"\x00"+raw(blob)+"100644 recipe.yaml\x00"+raw(blob))
			outer := object(t, dir, "tree", "40000 r\x00"+raw(inner))
			made := object(t, dir, "commit", "tree "+outer+"\nauthor n <e> 1 +0000\ncommitter n <e> 1 +0000\n\nx\n")
			c, err := repository.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			top := t.TempDir()
			into := filepath.Join(top, "in", "to")
			if err := os.MkdirAll(into, 0o700); err != nil {
				t.Fatal(err)
			}
			hostile, err := c.Tree(t.Context(), made)
			if err == nil {
				err = hostile.Extract(t.Context(), "r", into, "recipe.yaml")
			}
			var gitError *repository.GitError
			if !errors.As(err, &gitError) {
				t.Errorf("got %v, wanted a refusal", err)
			}
			for _, left := range []string{filepath.Join(top, "in", "escaped"), filepath.Join(top, "escaped"), filepath.Join(top, "in", "y"), filepath.Join(into, "recipe.yaml")} {
				if _, err := os.Stat(left); err == nil {
					t.Errorf("%s was written", left)
				}
			}
		})
	}
}

// What is no revision is refused before git could take it for an option.
func TestRevisions(t *testing.T) {
	dir := commit(t, "recipe.yaml")
	git(t, dir, "tag", "v1")
	c, err := repository.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, revision := range []string{"HEAD", "v1", "main", "HEAD^{commit}", "HEAD^0"} {
		if _, err := c.Tree(t.Context(), revision); err != nil {
			t.Errorf("%s: %v", revision, err)
		}
	}
	for _, revision := range []string{"", "-", "--output=x", "--all", "nowhere", "HEAD\n", "HEAD~9", "HEAD:recipe.yaml", "HEAD^{tree}", "HEAD..HEAD", "recipe.yaml", strings.Repeat("x", 2000)} {
		_, err := c.Tree(t.Context(), revision)
		var gitError *repository.GitError
		if !errors.As(err, &gitError) || gitError.Hint() == "" {
			t.Errorf("%.20q: %v, wanted an error with a hint", revision, err)
		}
	}
	if _, err := repository.Open(t.TempDir()); err == nil {
		t.Error("a folder outside of any checkout was opened")
	}
}

// A folder is the same if no file of it is other, more or less.
func TestSameOnDisk(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string) error
		same   bool
	}{
		"nothing":        {func(string) error { return nil }, true},
		"another folder": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "s", "x"), nil, 0o600) }, true},
		"other content": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "r", "recipe.yaml"), []byte("y"), 0o600)
		}, false},
		"one more": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "r", "variants.yaml"), nil, 0o600) }, false},
		"one less": {func(dir string) error { return os.Remove(filepath.Join(dir, "r", "sub", "x")) }, false},
		"a link in its place": {func(dir string) error {
			return relink(filepath.Join(dir, "r", "recipe.yaml"), filepath.Join(dir, "s", "recipe.yaml"))
		}, false},
		"the folder is a link": {func(dir string) error { return relink(filepath.Join(dir, "r"), filepath.Join(dir, "s")) }, false},
		"the folder is gone":   {func(dir string) error { return os.RemoveAll(filepath.Join(dir, "r")) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := commit(t, "r/recipe.yaml", "r/sub/x", "s/recipe.yaml", "s/sub/x")
			_, now := open(t, dir, "HEAD")
			if err := c.change(dir); err != nil {
				t.Fatal(err)
			}
			if got := now.SameOnDisk("r"); got != c.same {
				t.Errorf("got %t, wanted %t", got, c.same)
			}
		})
	}
}

func relink(name, to string) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return os.Symlink(to, name)
}
