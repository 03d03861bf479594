package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// maxIndex is the most bytes of a git index that is read: that of some 300,000
// files, of which it keeps the recipes.
const maxIndex = 32 << 20

// maxChanged is the most bytes that git may say about changes.
const maxChanged = 64 << 20

// A workTree is the checkout that a folder lies in. Methods of a nil one are
// those of a folder outside of any.
type workTree struct {
	top string // its folder
	rel []string
	// tracked are the recipes that git tracks, paths from the top with "/",
	// sorted.
	tracked []string
}

// findWorkTree looks for the work tree that dir lies in; nil if there is none.
func findWorkTree(dir string) (*workTree, error) {
	w, err := locate(dir)
	if w == nil || err != nil {
		return nil, err
	}
	return w, w.readIndex()
}

// locate looks for the folder of the work tree that dir lies in.
func locate(dir string) (*workTree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for top := abs; ; top = filepath.Dir(top) {
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil {
			w := &workTree{top: top}
			if rel, err := filepath.Rel(top, abs); err == nil && rel != "." {
				w.rel = strings.Split(filepath.ToSlash(rel), "/")
			}
			return w, nil
		}
		if filepath.Dir(top) == top {
			return nil, nil
		}
	}
}

// prefix is the path from the top to the folder that was named.
func (w *workTree) prefix() []string {
	if w == nil {
		return nil
	}
	return slices.Clip(w.rel)
}

// path is a path relative to the folder that was named, from the top.
func (w *workTree) path(rel string) string {
	return path.Join(append(w.prefix(), rel)...)
}

// tracks tells whether git tracks a recipe.
func (w *workTree) tracks(name string) bool {
	if w == nil {
		return false
	}
	_, found := slices.BinarySearch(w.tracked, name)
	return found
}

// tracksBelow tells whether git tracks a recipe below a folder.
func (w *workTree) tracksBelow(dir string) bool {
	if w == nil {
		return false
	}
	at, _ := slices.BinarySearch(w.tracked, dir+"/")
	return at < len(w.tracked) && strings.HasPrefix(w.tracked[at], dir+"/")
}

// patternsAbove reads what git ignores by files above the folder that was named.
func (w *workTree) patternsAbove() []gitignore.Pattern {
	patterns := readIgnore(filepath.Join(w.top, ".git", "info", "exclude"), nil)
	dir := w.top
	for i, name := range w.rel {
		patterns = append(patterns, readIgnore(filepath.Join(dir, ".gitignore"), w.rel[:i])...)
		dir = filepath.Join(dir, name)
	}
	return patterns
}

// readIndex reads which recipes git tracks. Without an index, as in a new
// repository, it tracks none; one that cannot be read is an error, since recipes
// that .gitignore hides would be passed over.
func (w *workTree) readIndex() error {
	gitDir := filepath.Join(w.top, ".git")
	if info, err := os.Stat(gitDir); err == nil && !info.IsDir() { // a linked work tree
		data, err := os.ReadFile(gitDir)
		linked, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: ")
		if err != nil || !ok {
			return nil
		}
		if gitDir = filepath.FromSlash(linked); !filepath.IsAbs(gitDir) {
			gitDir = filepath.Join(w.top, gitDir)
		}
	}
	f, err := os.Open(filepath.Join(gitDir, "index"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	unreadable := func(err error) error {
		return &GitError{
			Problem: fmt.Sprintf("which files git tracks in %s cannot be read: %v", w.top, err),
			Mend:    "run git status there, or name the recipes with --files-from",
			err:     err,
		}
	}
	if err != nil {
		return unreadable(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > maxIndex {
		return unreadable(fmt.Errorf("the index has more than %d bytes", maxIndex))
	}
	var idx index.Index
	if err := index.NewDecoder(f).Decode(&idx); err != nil {
		return unreadable(err)
	}
	for _, e := range idx.Entries {
		if path.Base(e.Name) == RecipeName {
			w.tracked = append(w.tracked, e.Name)
		}
	}
	slices.Sort(w.tracked)
	return nil
}

// changes are the files that changed since a revision.
type changes struct {
	dirs     map[string]bool // folders that hold a changed file, or are above one
	policies []string        // folders whose policy file changed
}

// touches tells whether a recipe may read otherwise than before: something in
// its folder changed, or a policy above it.
func (c *changes) touches(recipe string) bool {
	dir := path.Dir(recipe)
	if c.dirs[dir] {
		return true
	}
	return slices.ContainsFunc(c.policies, func(p string) bool {
		return p == "." || dir == p || strings.HasPrefix(dir, p+"/")
	})
}

// policyName is the file whose rules hold for the recipes below it.
const policyName = "recipe-verify.yaml"

// changes asks git. Its settings that would start other programs are switched
// off, since the repository may be a stranger's.
func (s *search) changes(ctx context.Context) (*changes, error) {
	if s.repo == nil {
		return nil, &GitError{
			Problem: fmt.Sprintf("%s lies in no git work tree, so nothing is known of changes", s.root),
			Mend:    "leave out --changed-since, or name a folder of a checkout", err: errNotTracked,
		}
	}
	off, err := s.repo.withoutFilters(ctx)
	if err != nil {
		return nil, err
	}
	committed, err := s.repo.git(ctx, off, "diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=dirty", "--merge-base", "--end-of-options", s.ChangedSince, "--")
	if err != nil {
		return nil, err
	}
	untracked, err := s.repo.git(ctx, nil, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil, err
	}
	c := &changes{dirs: map[string]bool{}}
	for _, name := range append(committed, untracked...) {
		if path.Base(name) == policyName {
			c.policies = append(c.policies, path.Dir(name))
		}
		for dir := path.Dir(name); !c.dirs[dir]; dir = path.Dir(dir) {
			c.dirs[dir] = true
			if dir == "." {
				break
			}
		}
	}
	return c, nil
}

// withoutFilters gives the variables with which git starts none of the filters
// that the repository's settings define and its attributes choose. A file whose
// filter is off may be listed although it has not changed, and none is left out.
func (w *workTree) withoutFilters(ctx context.Context) ([]string, error) {
	cmd := w.command(ctx, "config", "--null", "--name-only", "--list")
	var out, stderr limited
	out.most, stderr.most = maxChanged, 4<<10
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, gitFailed(err, stderr.String())
	}
	if out.over {
		return nil, &GitError{Problem: fmt.Sprintf("git has more than %d bytes of settings", maxChanged), Mend: "leave out --changed-since"}
	}
	var env []string
	n, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT")) // what the caller sets stays; git refuses what is no number
	n = max(n, 0)
	for key := range strings.SplitSeq(out.String(), "\x00") {
		value := ""
		switch {
		case !strings.HasPrefix(key, "filter."):
			continue
		case strings.HasSuffix(key, ".required"):
			value = "false"
		}
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, value))
		n++
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n)), nil
}

// git runs one command with further variables, and gives the names that it prints.
func (w *workTree) git(ctx context.Context, env []string, args ...string) ([]string, error) {
	cmd := w.command(ctx, args...)
	cmd.Env = append(cmd.Env, env...)
	var out, stderr limited
	out.most, stderr.most = maxChanged, 4<<10
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, gitFailed(err, stderr.String())
	}
	if out.over {
		return nil, &GitError{Problem: fmt.Sprintf("git lists more than %d bytes of changed files", maxChanged), Mend: "leave out --changed-since"}
	}
	return strings.FieldsFunc(out.String(), func(r rune) bool { return r == 0 }), nil
}

// command is a git command with the settings switched off that would start other
// programs or ask somebody, since the repository may be a stranger's.
func (w *workTree) command(ctx context.Context, args ...string) *exec.Cmd {
	safe := []string{
		"-C", w.top, "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull,
		"-c", "protocol.allow=never", "-c", "diff.external=", "-c", "core.pager=cat",
	}
	cmd := exec.CommandContext(ctx, "git", append(safe, args...)...)
	// Objects are those that a commit names: none is replaced, and none fetched.
	cmd.Env = append(os.Environ(), "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	return cmd
}

func gitFailed(err error, said string) error {
	if errors.Is(err, exec.ErrNotFound) {
		return &GitError{Problem: "git is not installed, and --changed-since asks it", Mend: "install git, or leave out --changed-since", err: err}
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(said), "fatal: "), "\n")
	if line == "" {
		line = err.Error()
	}
	return &GitError{
		Problem: fmt.Sprintf("git cannot tell what has changed: %q", line),
		Mend:    "name a revision that is in the checkout; in CI fetch its history (with actions/checkout: fetch-depth: 0)",
		err:     err,
	}
}

// limited keeps the first bytes that are written to it.
type limited struct {
	bytes.Buffer
	most int
	over bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > l.most {
		l.over = true
		l.Buffer.Write(p[:l.most-l.Len()])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}
