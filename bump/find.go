package bump

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/internal/repository"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// An ArgumentError says what is wrong with what is to be compared.
type ArgumentError struct {
	Problem, Mend string
	err           error
}

// Error implements error.
func (e *ArgumentError) Error() string { return e.Problem }

// Hint says what to write instead, or "".
func (e *ArgumentError) Hint() string { return e.Mend }

// Unwrap gives the cause.
func (e *ArgumentError) Unwrap() error { return e.err }

// Find gives the recipes that two arguments name, in pairs. An argument is
//
//   - a recipe or folder on disk: "." or "..", a path that begins with "./", "../"
//     or "/", or one that ends in "/", ".yaml" or ".yml";
//   - REVISION:PATH, a recipe or folder in a git revision; the path is one from
//     the top of the repository, or begins with "./" or "../";
//   - anything else, a git revision. Whatever the checkout has of that name is not
//     looked at, for it may be there to be mistaken for the older version.
//
// A revision without a path stands for what the other argument names; of two such
// revisions all recipes are compared, or those below within, a path on disk. It is
// "" otherwise.
//
// Recipes in folders are paired by their paths below the folders; where one recipe
// is left over on both sides, it has been renamed. Of a folder in a revision and
// the same in another one or on disk, those recipes are left out whose own folders
// hold the same files. Errors are *[ArgumentError], and others that have a hint;
// no recipe on either side is one.
func Find(ctx context.Context, old, now, within string) ([]Pair, error) {
	f := &finder{sides: [2]*side{{text: old}, {text: now}}}
	if err := f.parse(within); err != nil {
		return nil, err
	}
	for _, s := range f.sides {
		if err := f.list(ctx, s); err != nil {
			return nil, err
		}
	}
	if len(f.sides[0].recipes)+len(f.sides[1].recipes) == 0 {
		return nil, &ArgumentError{
			Problem: fmt.Sprintf("there is no recipe.yaml in %s and in %s", f.sides[0], f.sides[1]),
			Mend:    "name the folder that holds the recipes; recipes in the older format (meta.yaml) are not read",
		}
	}
	return f.pairs(), nil
}

// A side is one of two arguments.
type side struct {
	text     string
	revision string
	bare     bool   // a revision without a path
	disk     string // the path on disk, "" for a revision
	name     string // the path in the repository, with "/"; "" if it is not known

	tree    *repository.Tree
	folder  bool
	recipes []found // in the order of their paths
}

// A found recipe is one of a side.
type found struct {
	key     string // its path below the folder that was named
	version *Version
}

// String names the side for messages.
func (s *side) String() string {
	switch {
	case s.disk != "":
		return fmt.Sprintf("%q", s.disk)
	case s.name == ".":
		return fmt.Sprintf("%q", s.revision)
	}
	return fmt.Sprintf("%q", s.revision+":"+s.name)
}

// A finder works on two arguments.
type finder struct {
	sides    [2]*side
	checkout *repository.Checkout
}

// onDisk tells whether an argument is a path on disk. No revision begins or ends
// in these ways (git-check-ref-format), but for branches with the name of a file.
func onDisk(text string) bool {
	slashed := filepath.ToSlash(text)
	ending := path.Ext(slashed)
	return filepath.IsAbs(text) || filepath.VolumeName(text) != "" || slashed == "." || slashed == ".." ||
		strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") || strings.HasPrefix(slashed, "/") ||
		!strings.Contains(text, ":") && (strings.HasSuffix(slashed, "/") || ending == ".yaml" || ending == ".yml")
}

// parse reads the arguments.
func (f *finder) parse(within string) error {
	revisions, bare := 0, 0
	near := "." // a path in the repository
	for _, s := range f.sides {
		switch {
		case s.text == "":
			return &ArgumentError{Problem: "a version is empty, wanted a recipe, folder or revision", Mend: "look whether a variable is set that should hold it"}
		case onDisk(s.text):
			s.disk = filepath.Clean(s.text)
			near = s.disk
		default:
			revisions++
			var name string
			var named bool
			if s.revision, name, named = strings.Cut(s.text, ":"); !named {
				s.bare = true
				bare++
			}
			s.name = name
		}
	}
	if within != "" && bare < 2 {
		return &ArgumentError{Problem: fmt.Sprintf("%q is one path too many: what is compared is named already", within), Mend: "give two revisions and a path, or two versions alone"}
	}
	if revisions == 0 {
		return nil
	}
	if within != "" {
		near = within
	}
	return f.locate(near, within)
}

// locate finds the repository, and which places in it are named.
func (f *finder) locate(near, within string) error {
	var err error
	if f.checkout, err = repository.Open(existing(near)); err != nil && near != "." {
		f.checkout, err = repository.Open(".") // a folder elsewhere is compared with a revision of this one
	}
	if err != nil {
		return err
	}
	for _, s := range f.sides {
		if s.disk != "" {
			s.name, _ = f.checkout.Name(s.disk)
		}
	}
	for i, s := range f.sides {
		if s.revision == "" && s.disk == "" {
			return &ArgumentError{Problem: fmt.Sprintf("%q names no revision", s.text), Mend: "write REVISION:PATH, such as HEAD:recipe/recipe.yaml"}
		}
		if other := f.sides[1-i]; s.bare {
			err = f.inherit(s, other, within)
		} else if s.disk == "" {
			s.name, err = f.named(s.name, s.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inherit gives a revision without a path the place of the other argument.
func (f *finder) inherit(s, other *side, within string) (err error) {
	switch {
	case within != "":
		ok := false
		if s.name, ok = f.checkout.Name(within); !ok {
			return &ArgumentError{Problem: fmt.Sprintf("%q lies outside of the checkout", within), Mend: "name a folder or recipe in " + f.checkout.Top()}
		}
	case other.bare:
		s.name = "."
	case other.disk == "":
		s.name, err = f.named(other.name, other.text)
	case other.name == "":
		return &ArgumentError{
			Problem: fmt.Sprintf("%q does not lie in the checkout, so that it is not known what to compare it with", other.disk),
			Mend:    fmt.Sprintf("say which recipe of the revision: %s:PATH", s.revision),
		}
	default:
		s.name = other.name
	}
	return err
}

// named is the path from the top that stands behind a revision's colon.
func (f *finder) named(name, text string) (string, error) {
	clean := path.Clean(filepath.ToSlash(name))
	if name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		if from, ok := f.checkout.Name(filepath.FromSlash(name)); ok {
			return from, nil
		}
		clean = ".."
	}
	if !filepath.IsLocal(clean) && clean != "." {
		return "", &ArgumentError{Problem: fmt.Sprintf("%q names no place in the repository", text), Mend: "write REVISION:PATH with a path from the top of the repository"}
	}
	return clean, nil
}

// existing is the folder that a path lies in, as far as there is one.
func existing(p string) string {
	for dir := p; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

// list finds the recipes of a side.
func (f *finder) list(ctx context.Context, s *side) error {
	if s.disk != "" {
		return f.listDisk(ctx, s)
	}
	var err error
	if s.tree, err = f.checkout.Tree(ctx, s.revision); err != nil {
		return err
	}
	switch {
	case s.tree.Has(s.name):
		s.recipes = []found{{version: f.version(s, s.name)}}
	case s.tree.HasFolder(s.name):
		s.folder = true
		for _, name := range s.tree.Recipes(s.name) {
			s.recipes = append(s.recipes, found{relative(s.name, name), f.version(s, name)})
		}
	case !s.bare:
		return &ArgumentError{Problem: fmt.Sprintf("the revision %q has no file or folder %q", s.revision, s.name), Mend: "paths begin at the top of the repository: git ls-tree -r --name-only " + s.revision}
	}
	return nil
}

func relative(dir, name string) string {
	if dir == "." {
		return name
	}
	return strings.TrimPrefix(name, dir+"/")
}

func (f *finder) version(s *side, name string) *Version {
	return &Version{Path: f.checkout.Path(name), Revision: s.revision, Name: name, checkout: f.checkout, tree: s.tree}
}

func (f *finder) listDisk(ctx context.Context, s *side) error {
	info, err := os.Stat(s.disk)
	if err != nil {
		return &ArgumentError{Problem: fmt.Sprintf("%q cannot be read: %v", s.disk, errors.Unwrap(err)), Mend: "name a recipe or a folder", err: err}
	}
	s.folder = info.IsDir()
	paths := []string{s.disk}
	if s.folder {
		if paths, err = repository.Find(ctx, paths, repository.Options{}); err != nil {
			return err
		}
	}
	for _, p := range paths {
		v := &Version{Path: p}
		if f.checkout != nil {
			v.Name, _ = f.checkout.Name(p)
		}
		key := ""
		if s.folder {
			rel, err := filepath.Rel(s.disk, p)
			if err != nil {
				return err
			}
			key = filepath.ToSlash(rel)
		}
		s.recipes = append(s.recipes, found{key, v})
	}
	return nil
}

// pairs puts the recipes of both sides together.
func (f *finder) pairs() []Pair {
	old, now := f.sides[0].recipes, f.sides[1].recipes
	paired := map[string]*Version{}
	for _, o := range old {
		paired[o.key] = o.version
	}
	var pairs, added, gone []Pair
	for _, n := range now {
		o := paired[n.key]
		delete(paired, n.key)
		switch {
		case o == nil:
			added = append(added, Pair{New: n.version})
		case !f.same(o, n.version):
			pairs = append(pairs, Pair{o, n.version})
		}
	}
	for _, o := range old {
		if paired[o.key] != nil {
			gone = append(gone, Pair{Old: o.version})
		}
	}
	if len(added) == 1 && len(gone) == 1 {
		added, gone = []Pair{{gone[0].Old, added[0].New}}, nil
	}
	pairs = slices.Concat(pairs, added, gone)
	slices.SortStableFunc(pairs, func(a, b Pair) int { return strings.Compare(a.place(), b.place()) })
	return pairs
}

// place orders pairs.
func (p Pair) place() string {
	v := p.New
	if v == nil {
		v = p.Old
	}
	return filepath.ToSlash(v.Path)
}

// same tells whether two versions are plainly the same: recipes in folders, of
// the same path in one repository, and all files of their folders alike.
func (f *finder) same(old, now *Version) bool {
	if !f.sides[0].folder || !f.sides[1].folder || old.Name == "" || old.Name != now.Name {
		return false
	}
	dir := path.Dir(now.Name)
	switch {
	case old.tree != nil && now.tree != nil:
		return old.tree.SameFolder(now.tree, dir)
	case old.tree != nil:
		return old.tree.SameOnDisk(dir)
	case now.tree != nil:
		return now.tree.SameOnDisk(dir)
	}
	return false
}

// Folder is the folder of the checkout or disk that the pair's policy is looked
// for in, and above.
func (p Pair) Folder() string {
	v := p.Old
	if v == nil || v.tree != nil && p.New != nil {
		v = p.New
	}
	if v.tree == nil {
		if found, err := recipe.Find(v.Path); err == nil {
			return filepath.Dir(found)
		}
	}
	return existing(filepath.Dir(v.Path))
}
