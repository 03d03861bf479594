package recipe

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Find gives the path of a recipe: path itself if it is a file, and recipe.yaml
// or recipe/recipe.yaml in it if it is a folder. Errors are of type *[Error].
func Find(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fileError(path, err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range []string{"recipe.yaml", filepath.Join("recipe", "recipe.yaml")} {
		candidate := filepath.Join(path, name)
		info, err := os.Stat(candidate)
		if err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fileError(candidate, err)
		}
	}
	return "", &Error{
		Pos: Position{File: path}, Message: "folder holds neither recipe.yaml nor recipe/recipe.yaml",
		Hint: "name the recipe file",
	}
}

// Read reads a recipe file and evaluates it. A nil error means that every
// source is in the result; sources that could not be evaluated have Err set
// (see the package comment). Errors are of type *[Error] or [Faults].
func Read(path string, o Options) (*Recipe, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return Parse(path, data, o)
}

// readAtMost reads up to limit bytes.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit))
}
