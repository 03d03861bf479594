package lock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// A Writing is a lock file that is to be written.
type Writing struct {
	Path string
	Data []byte // nil to remove the file
}

// Store writes lock files, each whole or not at all. Everything is on disk
// before the first file is put in its place, so that a full disk changes
// nothing. It writes through no symbolic link. Errors are *[Error].
func Store(files []Writing) (err error) {
	staged := make([]string, len(files))
	defer func() {
		for _, temp := range staged {
			if temp != "" {
				os.Remove(temp) //nolint:errcheck // gone already if all went well
			}
		}
	}()
	fail := func(w Writing, err error) error {
		return &Error{Pos: recipe.Position{File: w.Path}, Problem: cause(err)}
	}
	for i, w := range files {
		if info, err := os.Lstat(w.Path); err == nil && !info.Mode().IsRegular() {
			return &Error{recipe.Position{File: w.Path}, "the lock file is no regular file", "remove it"}
		}
		if w.Data == nil {
			continue
		}
		if staged[i], err = stage(w); err != nil {
			return fail(w, err)
		}
	}
	for i, w := range files {
		if w.Data == nil {
			err = os.Remove(w.Path)
		} else {
			err = os.Rename(staged[i], w.Path)
		}
		if err != nil {
			if i > 0 {
				err = fmt.Errorf("%w; %d other lock files were written before", err, i)
			}
			return fail(w, err)
		}
	}
	return nil
}

// stage writes a file beside the place that it is for.
func stage(w Writing) (name string, err error) {
	temp, err := os.CreateTemp(filepath.Dir(w.Path), "."+filepath.Base(w.Path)+".*")
	if err != nil {
		return "", err
	}
	_, err = temp.Write(w.Data)
	if err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		os.Remove(temp.Name()) //nolint:errcheck // the first error counts
		return "", err
	}
	return temp.Name(), nil
}
