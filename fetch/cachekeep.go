package fetch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

const (
	// After a share of the limit was written, the cache is looked through, and
	// what is above the other share removed: one look for many writes.
	trimAfter = 16 // a sixteenth
	trimTo    = 8  // all but an eighth

	lockRetry = 50 * time.Millisecond
)

// CacheInfo says what a cache holds, or what was removed from it.
type CacheInfo struct {
	Entries int   // answers
	Blobs   int   // bodies of answers; the same one is kept once
	Bytes   int64 // of the files
	// Oldest and Newest are times of last use, a minute exactly; zero for none.
	Oldest, Newest time.Time
}

func (i *CacheInfo) add(f cacheFile) {
	switch f.folder {
	case entriesFolder:
		i.Entries++
	case blobsFolder:
		i.Blobs++
	}
	i.Bytes += f.size
	if i.Oldest.IsZero() || f.used.Before(i.Oldest) {
		i.Oldest = f.used
	}
	if f.used.After(i.Newest) {
		i.Newest = f.used
	}
}

// cacheFile is a file of a cache.
type cacheFile struct {
	folder  string // entriesFolder, blobsFolder or tempFolder
	name    [sha256.Size]byte
	temp    string // the name of a temporary file
	size    int64
	used    time.Time
	regular bool
}

func (f *cacheFile) path() string {
	if f.folder == tempFolder {
		return tempFolder + "/" + f.temp
	}
	return namedPath(f.folder, f.name)
}

// walk calls f for each file that the cache has written; files of other names
// are not the cache's.
func (c *Cache) walk(ctx context.Context, root *os.Root, f func(cacheFile) error) error {
	for _, folder := range []string{entriesFolder, blobsFolder} {
		subs, err := names(root, folder)
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if err := c.walkFolder(ctx, root, folder, sub.Name(), f); err != nil {
				return err
			}
		}
	}
	return c.walkFolder(ctx, root, tempFolder, "", f)
}

func (c *Cache) walkFolder(ctx context.Context, root *os.Root, folder, sub string, f func(cacheFile) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := folder
	if sub != "" {
		if len(sub) != 2 {
			return nil
		}
		path += "/" + sub
	}
	files, err := names(root, path)
	if err != nil {
		return err
	}
	for _, file := range files {
		found := cacheFile{folder: folder, temp: file.Name()}
		if folder != tempFolder {
			ok := false
			if found.name, ok = nameOf(sub, file.Name()); !ok {
				continue
			}
		}
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process was faster
		}
		if err != nil {
			return err
		}
		found.size, found.used, found.regular = info.Size(), info.ModTime(), info.Mode().IsRegular()
		if err := f(found); err != nil {
			return err
		}
	}
	return nil
}

// names lists a folder; one that is none is empty.
func names(root *os.Root, path string) ([]fs.DirEntry, error) {
	info, err := root.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.ReadDir(-1)
}

// account notes that so many bytes were written, by any process since the last
// look: the length of a file that all append to, a byte a block.
func (c *Cache) account(root *os.Root, written int64) error {
	f, err := root.OpenFile(writtenName, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(bytes.Repeat([]byte{'.'}, int(written/cacheBlock)))
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return err
	}
	if info.Size()*cacheBlock > c.maxBytes()/trimAfter {
		return c.trim(root)
	}
	return nil
}

// trim removes what was not used for longest, where the cache holds too much.
// It looks at each name once; there are at most MaxBytes/cacheBlock of them. If
// another process does so already, it does nothing.
func (c *Cache) trim(root *os.Root) error {
	if !c.trimmer.TryLock() {
		return nil
	}
	defer c.trimmer.Unlock()
	lock := c.lock()
	if ok, err := lock.TryLock(); err != nil || !ok {
		return err
	}
	defer lock.Close()
	var all []cacheFile
	total := int64(0)
	err := c.walk(context.Background(), root, func(f cacheFile) error {
		if f.folder == tempFolder && c.time().Sub(f.used) > staleTemp {
			return remove(root, &f)
		}
		total += blocks(f.size)
		all = append(all, f)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b cacheFile) int {
		return cmp.Or(a.used.Compare(b.used), bytes.Compare(a.name[:], b.name[:]))
	})
	for i := range all {
		if total <= c.maxBytes()-c.maxBytes()/trimTo {
			break
		}
		if err := remove(root, &all[i]); err != nil {
			return err
		}
		total -= blocks(all[i].size)
	}
	return c.forgetWritten(root)
}

func (c *Cache) forgetWritten(root *os.Root) error {
	f, err := root.OpenFile(writtenName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func remove(root *os.Root, f *cacheFile) error {
	if err := root.RemoveAll(f.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lock is held by those who remove files, so that no two of them remove more
// than one would. Readers and writers need none.
func (c *Cache) lock() *flock.Flock {
	return flock.New(filepath.Join(c.Dir, lockName), flock.SetPermissions(0o600))
}

// Info says what the cache holds. A folder that is not there holds nothing.
func (c *Cache) Info(ctx context.Context) (CacheInfo, error) {
	var info CacheInfo
	root, err := c.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return info, nil
	}
	if err != nil {
		return info, err
	}
	err = c.walk(ctx, root, func(f cacheFile) error {
		info.add(f)
		return nil
	})
	return info, err
}

// Clean removes what was not used for the given time, everything if that is 0,
// and says what that was. Runs that use the cache meanwhile go on.
func (c *Cache) Clean(ctx context.Context, unused time.Duration) (CacheInfo, error) {
	var removed CacheInfo
	root, unlock, err := c.exclusively(ctx)
	if root == nil {
		return removed, err
	}
	defer unlock()
	err = c.walk(ctx, root, func(f cacheFile) error {
		if c.time().Sub(f.used) < unused {
			return nil
		}
		if err := remove(root, &f); err != nil {
			return err
		}
		removed.add(f)
		return nil
	})
	if err == nil && unused <= 0 {
		err = c.forgetWritten(root)
	}
	return removed, err
}

// exclusively waits for the lock. A nil root without an error stands for a
// folder that is not there.
func (c *Cache) exclusively(ctx context.Context) (*os.Root, func(), error) {
	root, err := c.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	lock := c.lock()
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return nil, nil, err
	}
	return root, func() { lock.Close() }, nil
}

// CacheCheck is what Verify found.
type CacheCheck struct {
	CacheInfo           // of the good files
	Bad       []BadFile // were removed
}

// BadFile is a file that is not what the cache has written.
type BadFile struct {
	Path    string // below the cache's folder
	Problem string
	Removed bool
}

// Verify reads every file, and removes those that do not have the digest that
// they were written with. A nil error means that all were read; whether all are
// good is for Bad to say. An entry whose body was removed is good for nothing
// and removed too, but not bad.
func (c *Cache) Verify(ctx context.Context) (CacheCheck, error) {
	var check CacheCheck
	root, unlock, err := c.exclusively(ctx)
	if root == nil {
		return check, err
	}
	defer unlock()
	err = c.walk(ctx, root, func(f cacheFile) error {
		if f.folder == tempFolder {
			if c.time().Sub(f.used) > staleTemp {
				return remove(root, &f)
			}
			return nil
		}
		err := c.examine(root, &f)
		switch damaged, ok := errors.AsType[*damagedError](err); {
		case err == nil:
			check.add(f)
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return remove(root, &f)
		case ok:
			check.Bad = append(check.Bad, BadFile{f.path(), damaged.problem, remove(root, &f) == nil})
			return nil
		}
		return err
	})
	return check, err
}

// examine reads one file. The error is a *damagedError if it is not what was
// written, and an fs.ErrNotExist for an entry without body.
func (c *Cache) examine(root *os.Root, f *cacheFile) error {
	path := f.path()
	if f.folder == blobsFolder {
		return examineBlob(root, path, f)
	}
	data, err := readCached(root, path, maxEntry)
	if err != nil {
		return err
	}
	e, err := parseEntry(data, f.name)
	if err != nil {
		return &damagedError{path, err.Error()}
	}
	if e.Blob != "" {
		_, err = root.Lstat(blobPath(e.blob))
	}
	return err
}

// examineBlob hashes a body, of whatever size somebody has put there.
func examineBlob(root *os.Root, path string, f *cacheFile) error {
	if !f.regular {
		return &damagedError{path, "found no regular file"}
	}
	file, err := root.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != f.name {
		return &damagedError{path, "found other bytes than were written"}
	}
	return nil
}
