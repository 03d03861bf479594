package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Find looks for a policy file in a folder and in those above it, and gives ""
// if there is none. Where the folder's name leads through symbolic links, the
// folders above its real place are searched too, after those of the name.
//
// Only a file that does not exist is passed over. One that may be there and
// cannot be looked at, a link that leads nowhere and what is no regular file are
// errors: the policy would not be enforced.
func Find(dir string) (string, error) {
	path, err := findAbove(dir)
	if err != nil || path != "" {
		return path, err
	}
	real, err := filepath.EvalSymlinks(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil // nothing lies there; whoever reads the recipe says so
	case err != nil:
		return "", notSeen(err)
	}
	if real, err = filepath.Abs(real); err != nil {
		return "", err
	}
	return findAbove(real)
}

func findAbove(dir string) (string, error) {
	for {
		path := filepath.Join(dir, FileName)
		switch _, err := os.Lstat(path); {
		case err == nil:
			return path, checkFile(path)
		case !errors.Is(err, fs.ErrNotExist):
			return "", notSeen(err)
		}
		parent := filepath.Join(dir, "..")
		if parent == dir || sameFolder(parent, dir) {
			return "", nil
		}
		dir = parent
	}
}

// sameFolder tells whether a folder is its own parent, which only the topmost
// one is: a relative name doesn't show it.
func sameFolder(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

func notSeen(err error) error {
	return &Error{
		Problem:  fmt.Sprintf("it cannot be seen whether there is a policy: %v", err),
		Mend:     "name one with --policy FILE, or none with --no-policy",
		Position: Position{File: FileName},
	}
}

func checkFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return &Error{Position: Position{File: path}, Problem: fmt.Sprintf("it cannot be read: %v", err)}
	}
	if !info.Mode().IsRegular() {
		return &Error{Position: Position{File: path}, Problem: "it is no regular file", Mend: "a policy that is no regular file has to be named: --policy FILE"}
	}
	return nil
}

// Read reads a policy file. Relative paths in it are made relative to its
// folder. Errors about the content are *[Error].
func Read(path string) (*Policy, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}
