package repository_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/repository"
)

// tree writes files, each with its name as content.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, content, ok := strings.Cut(f, "=")
		if !ok {
			content = name
		}
		write(t, filepath.Join(dir, name), content)
	}
	return dir
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
}

func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
}

// find gives what is found, relative to dir.
func find(t *testing.T, dir string, o repository.Options) []string {
	t.Helper()
	found, err := repository.Find(t.Context(), []string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range found {
		rel, err := filepath.Rel(dir, f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, filepath.ToSlash(rel))
	}
	return list
}

func TestFind(t *testing.T) {
	layout := []string{
		"recipe.yaml", "a/recipe.yaml", "b-feedstock/recipe/recipe.yaml", "recipes/x/recipe.yaml", "recipes/deep/er/y/recipe.yaml",
		"recipes/x/build.sh", "old/meta.yaml", ".git/recipe.yaml", ".github/recipe.yaml",
	}
	for _, c := range []struct {
		name  string
		files []string
		o     repository.Options
		want  []string
	}{
		{"every layout", layout, repository.Options{}, []string{
			".github/recipe.yaml", "a/recipe.yaml", "b-feedstock/recipe/recipe.yaml", "recipe.yaml", "recipes/deep/er/y/recipe.yaml", "recipes/x/recipe.yaml",
		}},
		{"include by file", layout, repository.Options{Include: []string{"recipes/*/recipe.yaml"}}, []string{"recipes/x/recipe.yaml"}},
		{"include by folder", layout, repository.Options{Include: []string{"recipes/", "a"}}, []string{"a/recipe.yaml", "recipes/deep/er/y/recipe.yaml", "recipes/x/recipe.yaml"}},
		{"exclude", layout, repository.Options{Exclude: []string{"recipes/deep", ".*", "**/x/*"}}, []string{"a/recipe.yaml", "b-feedstock/recipe/recipe.yaml", "recipe.yaml"}},
		{"exclude wins", layout, repository.Options{Include: []string{"recipes/**"}, Exclude: []string{"recipes/x"}}, []string{"recipes/deep/er/y/recipe.yaml"}},
		{"ignored", []string{".gitignore=/out/\n*.tmp", "out/recipe.yaml", "in/recipe.yaml", "in/out/recipe.yaml", "x.tmp/recipe.yaml"}, repository.Options{}, []string{"in/out/recipe.yaml", "in/recipe.yaml"}},
		{"ignored by a nested file, and taken back", []string{"a/.gitignore=*\n!keep\n!keep/**", "a/x/recipe.yaml", "a/keep/recipe.yaml", "b/x/recipe.yaml"}, repository.Options{}, []string{"a/keep/recipe.yaml", "b/x/recipe.yaml"}},
		{"nothing", []string{"readme"}, repository.Options{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, find(t, tree(t, c.files...), c.o)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A line in .gitignore must not hide a recipe from the audit that git tracks,
// and that is built.
func TestTrackedRecipesAreNotHidden(t *testing.T) {
	needGit(t)
	dir := tree(t, "evil/recipe.yaml", "good/recipe.yaml", "stray/recipe.yaml", "deep/a/b/recipe.yaml")
	git(t, dir, "init", "-q")
	git(t, dir, "add", "evil", "good", "deep")
	write(t, filepath.Join(dir, ".gitignore"), "evil\nstray\nrecipe.yaml\ndeep/")
	want := []string{"deep/a/b/recipe.yaml", "evil/recipe.yaml", "good/recipe.yaml"}
	if diff := cmp.Diff(want, find(t, dir, repository.Options{})); diff != "" {
		t.Error(diff)
	}
	below, err := repository.Find(t.Context(), []string{filepath.Join(dir, "deep", "a")}, repository.Options{})
	if err != nil || len(below) != 1 {
		t.Errorf("below an ignored folder: %v, %v", below, err)
	}
}

func TestIgnoreFilesAboveTheFolder(t *testing.T) {
	needGit(t)
	dir := tree(t, ".gitignore=out", "recipes/out/recipe.yaml", "recipes/in/recipe.yaml", "recipes/x/recipe.yaml")
	git(t, dir, "init", "-q")
	write(t, filepath.Join(dir, ".git", "info", "exclude"), "x")
	if diff := cmp.Diff([]string{"in/recipe.yaml"}, find(t, filepath.Join(dir, "recipes"), repository.Options{})); diff != "" {
		t.Error(diff)
	}
}

func TestChangedSince(t *testing.T) {
	needGit(t)
	dir := tree(t, "a/recipe.yaml", "b/recipe.yaml", "c/recipe.yaml", "d/recipe.yaml", "group/e/recipe.yaml", "group/f/recipe/recipe.yaml", "readme", ".gitignore=ignored")
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "one")
	git(t, dir, "branch", "base")
	since := func(rev string) []string { return find(t, dir, repository.Options{ChangedSince: rev}) }
	if got := since("base"); got != nil {
		t.Errorf("nothing changed, and found %v", got)
	}
	write(t, filepath.Join(dir, "a", "recipe.yaml"), "changed")
	git(t, dir, "commit", "-qam", "two")
	write(t, filepath.Join(dir, "b", "variants.yaml"), "new, untracked")
	write(t, filepath.Join(dir, "ignored", "recipe.yaml"), "ignored")
	write(t, filepath.Join(dir, "readme"), "changed")
	git(t, dir, "rm", "-q", "--cached", "c/recipe.yaml")
	if diff := cmp.Diff([]string{"a/recipe.yaml", "b/recipe.yaml", "c/recipe.yaml"}, since("base")); diff != "" {
		t.Error(diff)
	}
	write(t, filepath.Join(dir, "group", "recipe-verify.yaml"), "offline: true")
	want := []string{"a/recipe.yaml", "b/recipe.yaml", "c/recipe.yaml", "group/e/recipe.yaml", "group/f/recipe/recipe.yaml"}
	if diff := cmp.Diff(want, since("base")); diff != "" {
		t.Error(diff)
	}
	got, err := repository.Find(t.Context(), []string{filepath.Join(dir, "d", "recipe.yaml"), filepath.Join(dir, "a", "recipe.yaml")}, repository.Options{ChangedSince: "base"})
	if want := []string{filepath.Join(dir, "a", "recipe.yaml")}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("files that are named themselves: %v, %v", got, err)
	}
}

// What happened on the other branch since they parted is not a change.
func TestChangedSinceTheBranchesParted(t *testing.T) {
	needGit(t)
	dir := tree(t, "a/recipe.yaml", "b/recipe.yaml")
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "one")
	git(t, dir, "checkout", "-qb", "topic")
	write(t, filepath.Join(dir, "a", "recipe.yaml"), "mine")
	git(t, dir, "commit", "-qam", "mine")
	git(t, dir, "checkout", "-q", "main")
	write(t, filepath.Join(dir, "b", "recipe.yaml"), "theirs")
	git(t, dir, "commit", "-qam", "theirs")
	git(t, dir, "checkout", "-q", "topic")
	if diff := cmp.Diff([]string{"a/recipe.yaml"}, find(t, dir, repository.Options{ChangedSince: "main"})); diff != "" {
		t.Error(diff)
	}
}

func TestGitErrors(t *testing.T) {
	needGit(t)
	dir := tree(t, "a/recipe.yaml")
	outside := tree(t, "a/recipe.yaml")
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "one")
	for _, c := range []struct{ name, dir, rev, want string }{
		{"unknown revision", dir, "nosuch", "git cannot tell what has changed"},
		{"option as revision", dir, "--output=/dev/null", "git cannot tell what has changed"},
		{"no work tree", outside, "HEAD", "lies in no git work tree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := repository.Find(t.Context(), []string{c.dir}, repository.Options{ChangedSince: c.rev})
			var g *repository.GitError
			if !errors.As(err, &g) || !strings.Contains(err.Error(), c.want) || g.Hint() == "" {
				t.Errorf("got %v, wanted %q and a hint", err, c.want)
			}
		})
	}
	write(t, filepath.Join(dir, ".git", "index"), "damaged")
	if _, err := repository.Find(t.Context(), []string{dir}, repository.Options{}); err == nil {
		t.Error("a damaged index hides what git tracks, and is no error")
	}
}

// A stranger's repository must not have programs started.
func TestGitStartsNoPrograms(t *testing.T) {
	needGit(t)
	dir := tree(t, "a/recipe.yaml", ".gitattributes=* diff=evil filter=evil")
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "one")
	mark := filepath.Join(t.TempDir(), "started")
	evil := filepath.Join(t.TempDir(), "evil.sh")
	if err := os.WriteFile(evil, []byte("#!/bin/sh\ntouch '"+mark+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager", "core.sshCommand", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"} {
		git(t, dir, "config", key, evil)
	}
	git(t, dir, "config", "filter.evil.required", "true")
	write(t, filepath.Join(dir, "a", "recipe.yaml"), "changed")
	if got := find(t, dir, repository.Options{ChangedSince: "HEAD"}); len(got) != 1 {
		t.Errorf("found %v", got)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("git started a program of the repository's")
	}
}

func TestWhatCannotBeReadIsInTheList(t *testing.T) {
	dir := tree(t, "a/recipe.yaml")
	missing := filepath.Join(dir, "missing")
	got, err := repository.Find(t.Context(), []string{missing, dir, filepath.Join(dir, "a"), dir}, repository.Options{})
	want := []string{filepath.Join(dir, "a", "recipe.yaml"), missing}
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("got %v, %v, wanted %v", got, err, want)
	}
	deep := filepath.Join(dir, strings.Repeat("d/", 70))
	write(t, filepath.Join(deep, "recipe.yaml"), "too deep")
	if got, err = repository.Find(t.Context(), []string{dir}, repository.Options{}); err != nil || len(got) != 2 {
		t.Errorf("a folder that is too deep is not in the list: %v, %v", got, err)
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	dir := tree(t, "a/recipe.yaml")
	outside := tree(t, "x/recipe.yaml")
	for from, to := range map[string]string{"loop": dir, "out": outside} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Skip(err)
		}
	}
	if diff := cmp.Diff([]string{"a/recipe.yaml"}, find(t, dir, repository.Options{})); diff != "" {
		t.Error(diff)
	}
}

func TestPatternErrors(t *testing.T) {
	for _, o := range []repository.Options{{Include: []string{"[a"}}, {Exclude: []string{""}}} {
		_, err := repository.Find(t.Context(), []string{t.TempDir()}, o)
		var p *repository.PatternError
		if !errors.As(err, &p) {
			t.Errorf("%v: got %v", o, err)
		}
	}
}

func TestList(t *testing.T) {
	got, err := repository.List(strings.NewReader("a/recipe.yaml\r\n\nb c/recipe.yaml\nlast"))
	want := []string{filepath.FromSlash("a/recipe.yaml"), filepath.FromSlash("b c/recipe.yaml"), "last"}
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := repository.List(strings.NewReader(strings.Repeat("x", 1<<20))); err == nil {
		t.Error("an endless line is no error")
	}
}
