// Package repository finds the recipes of a recipe repository: below folders, as
// git sees them, or those that changed since a revision.
package repository

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// RecipeName is the name of a recipe's file (rattler-build's v1 format).
const RecipeName = "recipe.yaml"

// Limits of one search.
const (
	maxRecipes   = 1 << 20
	maxDepth     = 64
	maxIgnore    = 1 << 20 // bytes of a .gitignore
	maxPatterns  = 4096    // lines of one, each of which is compared with every path
	maxListBytes = 64 << 20
)

// Options narrow a search. The zero value finds every recipe.
type Options struct {
	// Include and Exclude are globs over paths relative to the folder that was
	// named, with "/" and "**" (doublestar). A recipe is taken if its path, or a
	// folder above it, fits some of Include (or there is none) and none of
	// Exclude.
	Include, Exclude []string
	// ChangedSince is a git revision: only recipes are taken that have changed
	// since it and the checkout parted, with their folders. "" for all.
	ChangedSince string
}

// A PatternError says which glob cannot be read.
type PatternError struct{ Pattern string }

// Error implements error.
func (e *PatternError) Error() string { return fmt.Sprintf("%q is no glob", e.Pattern) }

// Hint says what to write.
func (e *PatternError) Hint() string {
	return `write for example "recipes/*/recipe.yaml" or "archived/**"`
}

// Find gives the recipes below the given paths: each path that is a file, and
// every recipe.yaml in folders and those below them. What .gitignore excludes is
// left out, unless git tracks it all the same: a line in .gitignore must not
// hide a recipe that is built. Symbolic links are not followed, and .git is not
// entered.
//
// The list is without duplicates and in the order of the bytes of the paths. A
// folder that cannot be read stands in the list itself, so that reading it fails
// where recipes are read; nothing is left out in silence. Errors are a
// *[PatternError], a *[GitError] and the context's.
func Find(ctx context.Context, paths []string, o Options) ([]string, error) {
	for _, glob := range slices.Concat(o.Include, o.Exclude) {
		if glob == "" || !doublestar.ValidatePattern(glob) {
			return nil, &PatternError{glob}
		}
	}
	var found []string
	for _, p := range paths {
		s := &search{Options: o, root: filepath.Clean(p)}
		if err := s.path(ctx); err != nil {
			return nil, err
		}
		found = append(found, s.found...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// List reads recipe paths from r, one a line, for --files-from. Empty lines are
// passed over; a line may end in CR LF.
func List(r io.Reader) ([]string, error) {
	var list []string
	lines := bufio.NewScanner(io.LimitReader(r, maxListBytes+1))
	lines.Buffer(nil, 64<<10)
	read := 0
	for lines.Scan() {
		read += len(lines.Bytes()) + 1
		if line := strings.TrimSuffix(lines.Text(), "\r"); line != "" {
			list = append(list, filepath.FromSlash(line))
		}
		if len(list) > maxRecipes {
			return nil, fmt.Errorf("the list has more than the limit of %d lines", maxRecipes)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the list cannot be read: %w", err)
	}
	if read > maxListBytes {
		return nil, fmt.Errorf("the list has more than the limit of %d bytes", maxListBytes)
	}
	return list, nil
}

// A search is about one path.
type search struct {
	Options
	root  string // as it was named, clean
	found []string
	// repo is the work tree that root lies in, nil if it lies in none.
	repo    *workTree
	changed *changes // nil for all
}

func (s *search) path(ctx context.Context) error {
	info, err := os.Stat(s.root)
	if err != nil || !info.IsDir() {
		s.found = []string{s.root} // a file, or what cannot be read
		return s.onlyChanged(ctx)
	}
	if s.repo, err = findWorkTree(s.root); err != nil {
		return err
	}
	if s.ChangedSince != "" {
		if s.changed, err = s.changes(ctx); err != nil {
			return err
		}
	}
	var patterns []gitignore.Pattern
	if s.repo != nil {
		patterns = s.repo.patternsAbove()
	}
	if err := s.walk(ctx, "", patterns, 0, false); err != nil {
		return err
	}
	return nil
}

// onlyChanged applies --changed-since to a recipe that was named itself.
func (s *search) onlyChanged(ctx context.Context) error {
	if s.ChangedSince == "" {
		return nil
	}
	file := s.root
	s.root = filepath.Dir(file)
	var err error
	if s.repo, err = findWorkTree(s.root); err != nil {
		return err
	}
	if s.changed, err = s.changes(ctx); err != nil {
		return err
	}
	if !s.changed.touches(s.repo.path(filepath.Base(file))) {
		s.found = nil
	}
	return nil
}

// walk looks into the folder at rel, a path with "/" relative to root. ignored
// tells that git ignores the folder; only what it tracks is taken then.
func (s *search) walk(ctx context.Context, rel string, patterns []gitignore.Pattern, depth int, ignored bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir := filepath.Join(s.root, filepath.FromSlash(rel))
	entries, err := os.ReadDir(dir)
	if err != nil || depth > maxDepth {
		s.found = append(s.found, dir) // reading it as a recipe says why
		return nil
	}
	patterns = slices.Clip(append(patterns, s.ignoreFile(dir, rel, entries)...))
	matcher := gitignore.NewMatcher(patterns)
	for _, e := range entries {
		name := path.Join(rel, e.Name())
		switch {
		case e.IsDir() && e.Name() == ".git", s.excluded(name):
		case e.IsDir():
			hidden := ignored || matcher.Match(s.segments(name), true)
			if hidden && !s.repo.tracksBelow(s.repo.path(name)) {
				continue
			}
			if err := s.walk(ctx, name, patterns, depth+1, hidden); err != nil {
				return err
			}
		case e.Name() == RecipeName && s.included(name):
			hidden := ignored || matcher.Match(s.segments(name), false)
			if hidden && !s.repo.tracks(s.repo.path(name)) || s.changed != nil && !s.changed.touches(s.repo.path(name)) {
				continue
			}
			if s.found = append(s.found, filepath.Join(dir, e.Name())); len(s.found) > maxRecipes {
				return fmt.Errorf("%s holds more than the limit of %d recipes", s.root, maxRecipes)
			}
		}
	}
	return nil
}

// ignoreFile reads the .gitignore of a folder.
func (s *search) ignoreFile(dir, rel string, entries []fs.DirEntry) []gitignore.Pattern {
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ".gitignore" && e.Type().IsRegular() }) {
		return nil
	}
	var domain []string
	if rel != "" {
		domain = s.segments(rel)
	} else {
		domain = s.repo.prefix()
	}
	return readIgnore(filepath.Join(dir, ".gitignore"), domain)
}

// readIgnore reads a file of patterns that hold below domain. One that cannot be
// read, or is above the limits, ignores nothing: it costs time, and hides none.
func readIgnore(file string, domain []string) []gitignore.Pattern {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxIgnore+1))
	if err != nil || len(data) > maxIgnore {
		return nil
	}
	var patterns []gitignore.Pattern
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		if patterns = append(patterns, gitignore.ParsePattern(line, domain)); len(patterns) > maxPatterns {
			return nil
		}
	}
	return patterns
}

// segments gives a path's parts from the top of the work tree on.
func (s *search) segments(rel string) []string {
	return append(s.repo.prefix(), strings.Split(rel, "/")...)
}

func (s *search) included(name string) bool {
	return len(s.Include) == 0 || fits(s.Include, name)
}

func (s *search) excluded(name string) bool { return fits(s.Exclude, name) }

// fits tells whether a path, or a folder above it, fits one of the globs.
func fits(globs []string, name string) bool {
	for _, g := range globs {
		g = strings.TrimSuffix(g, "/")
		for p := name; p != "." && p != "/"; p = path.Dir(p) {
			if ok, _ := doublestar.Match(g, p); ok {
				return true
			}
		}
	}
	return false
}

// A GitError says what git could not tell.
type GitError struct {
	Problem string
	Mend    string
	err     error
}

// Error implements error.
func (e *GitError) Error() string { return e.Problem }

// Hint says what to do, or "".
func (e *GitError) Hint() string { return e.Mend }

// Unwrap gives the cause.
func (e *GitError) Unwrap() error { return e.err }

var errNotTracked = errors.New("not tracked")
