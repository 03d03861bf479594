package prepare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A place is where a folder is to be, and where it is made until it is whole: a
// staging folder beside it, which a run holds by a lock in it.
type place struct {
	dir     string // absolute
	staging string // beside it
	content string // in that, what becomes dir
	lock    *flock.Flock
	replace bool
}

// stagingMark stands in the names of staging folders.
const stagingMark = ".recipe-verify-prepare-"

// replacedName is where a folder that is replaced lies until the new one is in its
// place.
const replacedName = "replaced"

// abandoned is how old a staging folder without a lock is when its run is taken
// for killed.
const abandoned = time.Minute

// openPlace looks whether a folder may be put at dir, removes what killed runs
// have left beside it, and makes a staging folder.
func openPlace(dir string, replace bool) (*place, error) {
	if dir == "" {
		return nil, &Error{Problem: "no folder is named that is to be made"}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &place{dir: abs, replace: replace}
	parent, base := filepath.Split(abs)
	if base == "" {
		return nil, &Error{Path: dir, Problem: "it is the top of a file system, and cannot be made"}
	}
	p.sweep(parent, base)
	if err := p.free(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	if p.staging, err = os.MkdirTemp(parent, "."+base+stagingMark); err != nil {
		return nil, err
	}
	p.lock = flock.New(filepath.Join(p.staging, "lock"))
	held, err := p.lock.TryLock()
	if err == nil && !held {
		err = errors.New("it is held by somebody else")
	}
	p.content = filepath.Join(p.staging, "content")
	if err = errors.Join(err, os.Mkdir(p.content, 0o777)); err != nil {
		p.close()
		return nil, &Error{Path: p.staging, Problem: "cannot be used", Err: err}
	}
	return p, nil
}

// free tells whether dir may be made: there is nothing, or an empty folder, or a
// prepared one that is to be replaced.
func (p *place) free() error {
	info, err := os.Lstat(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &Error{Path: p.dir, Problem: "it is there already, and is no folder", Mend: "name another folder"}
	}
	entries, err := os.ReadDir(p.dir)
	switch {
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	case !p.replace:
		return &Error{Path: p.dir, Problem: "the folder is there already, and not empty", Mend: "name another folder, or replace one that was prepared before with --replace"}
	case !IsPrepared(p.dir):
		return &Error{Path: p.dir, Problem: "the folder is not empty, and was not prepared by recipe-verify, so that it is not replaced", Mend: "name another folder"}
	}
	return nil
}

// sweep removes the staging folders of runs that were killed: nobody holds their
// locks.
func (p *place) sweep(parent, base string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return // a litter is no reason to fail
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "."+base+stagingMark) {
			continue
		}
		left := filepath.Join(parent, e.Name())
		lock := filepath.Join(left, "lock")
		if info, err := os.Lstat(lock); err != nil || !info.Mode().IsRegular() {
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
				os.RemoveAll(left)
			}
			continue
		}
		l := flock.New(lock)
		if held, err := l.TryLock(); err == nil && held {
			p.restore(filepath.Join(left, replacedName))
			os.RemoveAll(left)
		}
		l.Close()
	}
}

// restore puts a folder back that a run had moved aside to replace it when it was
// killed.
func (p *place) restore(aside string) {
	if _, err := os.Lstat(p.dir); errors.Is(err, fs.ErrNotExist) && IsPrepared(aside) {
		_ = os.Rename(aside, p.dir) // if it fails there is none, as before
	}
}

// owns tells whether a path is the folder that is made, or a staging folder.
func (p *place) owns(path string) bool {
	abs, err := filepath.Abs(path)
	return err == nil && (abs == p.dir || strings.HasPrefix(filepath.Base(abs), "."+filepath.Base(p.dir)+stagingMark))
}

// commit puts the folder in its place, by one rename.
func (p *place) commit() error {
	if err := p.free(); err != nil { // somebody else may have been faster
		return err
	}
	aside := filepath.Join(p.staging, replacedName)
	moved := false
	if err := os.Remove(p.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if !p.replace {
			return &Error{Path: p.dir, Problem: "it cannot be made", Err: err}
		}
		if err := os.Rename(p.dir, aside); err != nil {
			return &Error{Path: p.dir, Problem: "it cannot be replaced", Err: err}
		}
		moved = true
	}
	if err := os.Rename(p.content, p.dir); err != nil {
		if moved {
			err = errors.Join(err, os.Rename(aside, p.dir))
		}
		return &Error{Path: p.dir, Problem: "it cannot be put in its place", Err: err}
	}
	syncFolder(filepath.Dir(p.dir))
	return nil
}

// close removes what is left of the staging folder.
func (p *place) close() {
	os.RemoveAll(p.content)
	os.RemoveAll(filepath.Join(p.staging, replacedName))
	p.lock.Close()
	os.RemoveAll(p.staging)
}

// IsPrepared tells whether a folder holds a prepared.json, as prepared folders do.
// Whether it is good is for [Verify] to say.
func IsPrepared(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, manifestName))
	return err == nil && info.Mode().IsRegular()
}

// FolderOf gives the prepared folder that a path names: the folder itself, or a
// file in it, such as its recipe. A folder counts that has any trace of having
// been prepared, for one whose prepared.json is gone must not pass for an
// ordinary recipe, whose sources nobody has to sign.
func FolderOf(path string) (dir string, ok bool) {
	dir = path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	for _, trace := range []string{manifestName, originalName, verifiedName} {
		if _, err := os.Lstat(join(dir, trace)); err == nil {
			return dir, true
		}
	}
	return "", false
}

// String names the place, for messages.
func (p *place) String() string { return fmt.Sprintf("%q", p.dir) }
