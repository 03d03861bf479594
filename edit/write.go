package edit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrChanged tells that a file does not hold what it is to be changed from.
var ErrChanged = errors.New("the file has changed since it was read")

// A File is a file that is there, with what it holds and what it is to hold.
type File struct {
	Path          string
	Before, After []byte
}

// Write writes several files, all or none. A nil error means that each file
// holds its After. After an error each file is what it was, the very same file,
// unless the error says for which one that failed; and no temporary file is
// left. If a file does not hold its Before the error is [ErrChanged].
//
// A file is replaced by a finished one with its permissions, and its owner where
// the system lets us; other hard links to it keep what they have. A symbolic
// link to a file stays, and the file that it leads to is written. What is no
// regular file, or is read-only, is an error. Of two calls at once for the same
// file one fails, on systems other than Windows; what another program puts in
// place in the very moment before the rename is lost. If the process is killed,
// some files may be written, and files whose names begin with ".recipe-verify-"
// may stay.
func Write(files []File) error {
	targets := make([]*target, 0, len(files))
	seen := map[string]bool{}
	for _, f := range files {
		t, err := find(f)
		if err != nil {
			return at(f.Path, err)
		}
		path := filepath.Join(t.dir, t.base)
		if seen[path] {
			return at(f.Path, errors.New("the file is to be written twice"))
		}
		seen[path] = true
		targets = append(targets, t)
	}
	return commit(targets)
}

// commit writes the files that were found, or puts back what was there.
func commit(targets []*target) error {
	return finish(targets, replaceAll(targets))
}

// finish puts back what was there if there was an error, and removes temporary
// files.
func finish(targets []*target, err error) error {
	for _, t := range targets {
		if err != nil && t.replaced {
			if failed := t.folder((*target).restore); failed != nil {
				err = errors.Join(err, at(t.Path, fmt.Errorf("could not be restored: %w", failed)))
			}
		}
	}
	for _, t := range targets {
		if failed := t.folder((*target).clean); failed != nil && err != nil {
			err = errors.Join(err, at(t.Path, fmt.Errorf("temporary files are left: %w", failed)))
		}
	}
	return err
}

func replaceAll(targets []*target) error {
	for _, step := range []func(*target, *os.Root) error{(*target).stage, (*target).replace} {
		for _, t := range targets {
			if bytes.Equal(t.Before, t.After) {
				continue
			}
			if err := t.folder(step); err != nil {
				return at(t.Path, err)
			}
		}
	}
	return nil
}

// at puts a file's path before an error, in the place of one that is relative to
// the file's folder.
func at(path string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.Is(err, ErrChanged):
		return fmt.Errorf("%s: %w\nhint: run the command again", path, err)
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// A target is a file that is being written, and the folder that it is in, which
// must be the same from the first step to the last.
type target struct {
	File
	dir, base      string
	dirInfo        fs.FileInfo
	info           fs.FileInfo // of the file as it was found
	staged, backup string      // temporary files in the folder, or ""
	ours           fs.FileInfo // of the staged file
	replaced       bool
}

// find follows symbolic links to a file, and checks that it may be written and
// holds what it should.
func find(f File) (*target, error) {
	path, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	t := &target{File: f, dir: filepath.Dir(path), base: filepath.Base(path)}
	if t.dirInfo, err = os.Stat(t.dir); err != nil {
		return nil, err
	}
	err = t.folder(func(t *target, root *os.Root) error {
		if t.info, err = root.Lstat(t.base); err != nil {
			return err
		}
		if !t.info.Mode().IsRegular() {
			return errors.New("not a regular file")
		}
		if t.info.Mode().Perm()&0o222 == 0 {
			return fmt.Errorf("the file is read-only: %w", fs.ErrPermission)
		}
		return t.holds(root, t.base, os.O_RDWR, t.info, t.Before)
	})
	return t, err
}

// folder does something in the file's folder, unless that is another one now.
func (t *target) folder(do func(*target, *os.Root) error) error {
	root, err := os.OpenRoot(t.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(info, t.dirInfo) {
		return fmt.Errorf("the folder is another one now: %w", ErrChanged)
	}
	return do(t, root)
}

// holds demands that a file is a certain one, and holds certain bytes.
func (t *target) holds(root *os.Root, name string, flag int, info fs.FileInfo, want []byte) error {
	f, err := root.OpenFile(name, flag, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	found, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(len(want))+1))
	if err != nil {
		return err
	}
	if !os.SameFile(found, info) || !bytes.Equal(data, want) {
		return ErrChanged
	}
	return nil
}

// temporary is a name that no other program uses.
func temporary() string { return ".recipe-verify-" + rand.Text() }

// stage writes the new file beside the old one.
func (t *target) stage(root *os.Root) error {
	name := temporary()
	info, err := create(root, name, t.After, t.info)
	if info != nil {
		t.staged, t.ours = name, info
	}
	return err
}

// create writes a file with the owner and the permissions of another one. The
// file is there if it gives its description.
func create(root *os.Root, name string, data []byte, like fs.FileInfo) (fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close(), root.Remove(name))
	}
	_, err = f.Write(data)
	keepOwner(f, like)
	return info, errors.Join(err, f.Chmod(like.Mode().Perm()), f.Sync(), f.Close())
}

// replace puts the new file in the old one's place, which stays at hand under
// another name.
func (t *target) replace(root *os.Root) error {
	unlock, err := lock(filepath.Join(t.dir, t.base))
	if err != nil {
		return err
	}
	defer unlock()
	name := temporary()
	if err := root.Link(t.base, name); err == nil {
		t.backup = name
		if err := t.holds(root, t.backup, os.O_RDONLY, t.info, t.Before); err != nil {
			return err
		}
	} else { // a file system without hard links
		if err := t.holds(root, t.base, os.O_RDONLY, t.info, t.Before); err != nil {
			return err
		}
		info, err := create(root, name, t.Before, t.info)
		if info != nil {
			t.backup = name
		}
		if err != nil {
			return err
		}
	}
	if err := root.Rename(t.staged, t.base); err != nil {
		return err
	}
	t.staged, t.replaced = "", true
	return t.unchanged(root)
}

// unchanged demands that the old file was not written to until it was replaced.
func (t *target) unchanged(root *os.Root) error {
	info, err := root.Lstat(t.backup)
	if err != nil {
		return err
	}
	return t.holds(root, t.backup, os.O_RDONLY, info, t.Before)
}

// restore puts the old file back, unless somebody has put another one there.
func (t *target) restore(root *os.Root) error {
	info, err := root.Lstat(t.base)
	if err == nil && !os.SameFile(info, t.ours) {
		return ErrChanged
	}
	if err := root.Rename(t.backup, t.base); err != nil {
		return err
	}
	t.backup = ""
	return nil
}

// clean removes what is temporary.
func (t *target) clean(root *os.Root) error {
	var errs []error
	for _, name := range []string{t.staged, t.backup} {
		if name != "" {
			errs = append(errs, root.Remove(name))
		}
	}
	return errors.Join(errs...)
}
