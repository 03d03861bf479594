package bump

import (
	"context"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/internal/repository"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A Version is a recipe as a file, or as a git revision has it.
type Version struct {
	// Path is the recipe's file on disk. Of a revision it is where the checkout has
	// it, absolute; nothing is read there.
	Path string
	// Revision is as it was given, and Name the path in the repository, with "/".
	// They are set by [Find]; a file has no Revision, and a Name if it was compared
	// with one of a revision.
	Revision, Name string

	checkout *repository.Checkout
	tree     *repository.Tree // nil for a file
}

// String gives the path, or "REVISION:name" as git writes it.
func (v *Version) String() string {
	if v.tree == nil {
		return v.Path
	}
	return v.Revision + ":" + v.Name
}

// File is the path to show the version by where revisions are not known: Name, if
// there is one, and Path otherwise, with "/".
func (v *Version) File() string {
	if v.Name == "" {
		return filepath.ToSlash(v.Path)
	}
	return v.Name
}

// shown is a position as people find it.
func (v *Version) shown(p recipe.Position) recipe.Position {
	switch {
	case p.File == "":
		p.File = v.String()
	case v.tree != nil:
		if rel, err := filepath.Rel(filepath.Dir(v.Path), p.File); err == nil && filepath.IsLocal(rel) {
			p.File = v.Revision + ":" + path.Join(path.Dir(v.Name), filepath.ToSlash(rel))
		}
	}
	return p
}

// read reads the recipe. The folder of one in a revision is on disk as long as
// that takes.
func (v *Version) read(ctx context.Context, o recipe.Options) (*recipe.Recipe, error) {
	if v.tree == nil {
		return recipe.Read(v.Path, o)
	}
	dir, err := os.MkdirTemp("", "recipe-verify-bump-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := path.Base(v.Name)
	if err := v.tree.Extract(ctx, path.Dir(v.Name), dir, file, "variants.yaml", "conda_build_config.yaml"); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recipe.MaxSize+1)) // Parse says that more is too much
	if err != nil {
		return nil, err
	}
	o.Folder = dir
	rec, err := recipe.Parse(v.Path, data, o)
	if err == nil {
		for _, w := range rec.OtherWarnings() {
			w.Pos = v.shown(w.Pos)
		}
	}
	return rec, err
}
