package fetch

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recipe-verify/recipe-verify/digest"
)

// Defaults and limits of a cache on disk.
const (
	DefaultCacheBytes = int64(2) << 30
	DefaultAbsence    = 10 * time.Minute

	maxEntry      = 64 << 10       // bytes of a file below entries
	cacheBlock    = int64(4) << 10 // bytes that a file takes at least
	staleTemp     = time.Hour      // age of a temporary file whose writer is gone
	touchEvery    = time.Minute    // how exactly the time of last use is kept
	recheckEvery  = time.Hour      // how exactly the time of the last question is kept
	maxCacheFails = 3              // writes in a row, after which no more are tried
	cacheFolder   = "evidence"     // below the user's cache folder
	cacheTagName  = "CACHEDIR.TAG" // see bford.info/cachedir
	cacheTag      = "Signature: 8a477f597d28d172789f06886806bc55\n# Evidence fetched by recipe-verify; see recipe-verify cache --help.\n"
	entriesFolder = "entries"
	blobsFolder   = "blobs"
	tempFolder    = "tmp"
	writtenName   = "written"
	lockName      = "lock"
)

// Cache keeps documents on disk, for later runs and for runs at the same time.
//
// What it keeps is bytes, by their SHA-256 (blobs), and what was said about
// them in answer to which request (entries): never verdicts, credentials,
// values of a query, or answers other than 200, 404 and 410. Nothing in it is
// trusted: files are checked against their digests when they are read, and
// whoever can change both digest and file can still make no evidence verify.
//
// No operation of a Client fails because of its cache. What cannot be read is a
// miss, what is damaged is removed, and what cannot be written is left out; the
// first problem is in [Stats] and in Client.Logger.
//
// Files appear whole, by renaming, and are not synced: what a crash of the
// system leaves of one is found out by its digest. A Cache may be used by any
// number of clients and goroutines; its fields must not change after the first
// use.
type Cache struct {
	// Dir is the folder, which is made when it is first written to.
	Dir string
	// MaxBytes is about how much the cache may take, DefaultCacheBytes if 0.
	// What was not used for longest is removed, before the limit is reached.
	// Writers that write at the same time can go over it by what they write at
	// that moment.
	MaxBytes int64
	// Absence is how long "it does not exist" is taken for an answer without
	// asking again: DefaultAbsence if 0, not at all if negative.
	Absence time.Duration
	// FreshFor is how long a document is used without asking whether it has
	// changed; 0 for always asking.
	FreshFor time.Duration

	mu      sync.Mutex
	root    *os.Root
	made    bool // the folders below root
	fails   atomic.Int32
	first   atomic.Pointer[error]
	trimmer sync.Mutex

	now func() time.Time // for tests
}

// CacheDir gives the folder for a Cache below the folder that the user named
// for caches, or below the user's own where base is empty.
func CacheDir(base string) (string, error) {
	if base == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(dir, "recipe-verify")
	}
	return filepath.Join(base, cacheFolder), nil
}

// Close closes the folder. The cache can still be used.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root == nil {
		return nil
	}
	err := c.root.Close()
	c.root, c.made = nil, false
	return err
}

// note keeps the first problem.
func (c *Cache) note(err error) {
	c.first.CompareAndSwap(nil, &err)
}

func (c *Cache) problem() error {
	if err := c.first.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *Cache) time() time.Time {
	if c.now != nil {
		return c.now()
	}
	return time.Now()
}

func (c *Cache) maxBytes() int64 {
	if c.MaxBytes <= 0 {
		return DefaultCacheBytes
	}
	return c.MaxBytes
}

func (c *Cache) absence() time.Duration {
	if c.Absence == 0 {
		return DefaultAbsence
	}
	return c.Absence
}

// open gives the folder. All paths below it go through os.Root: whatever lies
// there, nothing outside is read, written or removed.
func (c *Cache) open(create bool) (*os.Root, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root != nil && (c.made || !create) {
		return c.root, nil
	}
	if create {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return nil, err
		}
	}
	if c.root == nil {
		root, err := os.OpenRoot(c.Dir)
		if err != nil {
			return nil, err
		}
		c.root = root
	}
	if create {
		if err := populate(c.root); err != nil {
			return nil, err
		}
		c.made = true
	}
	return c.root, nil
}

// populate makes what every cache has.
func populate(root *os.Root) error {
	for _, name := range []string{tempFolder, entriesFolder, blobsFolder} {
		if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if _, err := root.Lstat(cacheTagName); err == nil {
		return nil
	}
	return root.WriteFile(cacheTagName, []byte(cacheTag), 0o600)
}

// held is a document, or its absence, as the cache has it.
type held struct {
	entry
	body []byte
}

// load gives what the cache has in answer to a request, of at most limit
// bytes, or nil.
func (c *Cache) load(id requestID, limit int64) *held {
	h, err := c.find(id, limit)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			c.note(err)
		}
		return nil
	}
	return h
}

func (c *Cache) find(id requestID, limit int64) (*held, error) {
	root, err := c.open(false)
	if err != nil {
		return nil, err
	}
	e, err := c.readEntry(root, id)
	if err != nil {
		return nil, err
	}
	h := &held{entry: *e}
	switch {
	case e.Status != http.StatusOK:
		return h, nil
	case e.Size > limit:
		return nil, nil
	}
	if h.body, err = c.readBlob(root, e.blob, e.Size); err != nil {
		c.discard(root, entryPath(id), err)
		return nil, err
	}
	return h, nil
}

// discard removes a file that is not what it should be.
func (c *Cache) discard(root *os.Root, path string, why error) {
	if _, damaged := errors.AsType[*damagedError](why); damaged || errors.Is(why, fs.ErrNotExist) {
		_ = root.RemoveAll(path) // what stays is found again
	}
}

func (c *Cache) readEntry(root *os.Root, id requestID) (*entry, error) {
	path := entryPath(id)
	data, err := c.read(root, path, maxEntry)
	if err != nil {
		c.discard(root, path, err)
		return nil, err
	}
	e, err := parseEntry(data, id)
	if err != nil {
		err = &damagedError{path, err.Error()}
		c.discard(root, path, err)
		return nil, err
	}
	return e, nil
}

func (c *Cache) readBlob(root *os.Root, sum digest.SHA256, size int64) ([]byte, error) {
	path := blobPath(sum)
	data, err := c.read(root, path, size)
	if err == nil && (int64(len(data)) != size || sha256.Sum256(data) != sum) {
		err = &damagedError{path, "found other bytes than were written"}
	}
	if err != nil {
		c.discard(root, path, err)
		return nil, err
	}
	return data, nil
}

// damagedError says that a file is not what the cache has written.
type damagedError struct{ path, problem string }

func (e *damagedError) Error() string {
	return fmt.Sprintf("the cache file %q is damaged: %s", e.path, e.problem)
}

// read reads a file of at most limit bytes, and notes that it was used.
func (c *Cache) read(root *os.Root, path string, limit int64) ([]byte, error) {
	data, err := readCached(root, path, limit)
	if err != nil {
		return nil, err
	}
	now := c.time()
	if info, err := root.Lstat(path); err == nil && now.Sub(info.ModTime()).Abs() > touchEvery {
		_ = root.Chtimes(path, now, now) // else it is removed sooner than it must
	}
	return data, nil
}

func readCached(root *os.Root, path string, limit int64) ([]byte, error) {
	// Opening a pipe would wait for its writer.
	info, err := root.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &damagedError{path, "found a " + kind(info.Mode()) + ", wanted a file"}
	case info.Size() > limit:
		return nil, &damagedError{path, fmt.Sprintf("found %d bytes, wanted at most %d", info.Size(), limit)}
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			err = &damagedError{path, "found fewer bytes than there were"}
		}
		return nil, err
	}
	return data, nil
}

// store keeps an answer. A problem is noted, and after some in a row nothing
// more is written.
func (c *Cache) store(id requestID, e entry, body []byte) {
	if c.fails.Load() >= maxCacheFails {
		return
	}
	if int64(len(body)) > c.maxBytes()/4 {
		return
	}
	err := c.write(id, e, body)
	if err != nil {
		c.fails.Add(1)
		c.note(err)
		return
	}
	c.fails.Store(0)
}

func (c *Cache) write(id requestID, e entry, body []byte) error {
	root, err := c.open(true)
	if err != nil {
		return err
	}
	cost := int64(0)
	if e.Status == http.StatusOK {
		e.blob, e.Size = sha256.Sum256(body), int64(len(body))
		e.Blob = e.blob.String()
		path := blobPath(e.blob)
		// The blob goes first: an entry never speaks of what was not yet written.
		if info, err := root.Lstat(path); err != nil || info.Size() != e.Size || !info.Mode().IsRegular() {
			if err := c.place(root, path, body); err != nil {
				return err
			}
			cost += blocks(e.Size)
		}
	}
	data, err := e.marshal(id)
	if err != nil {
		return err
	}
	if len(data) > maxEntry {
		return fmt.Errorf("found an entry of %d bytes, wanted at most %d", len(data), maxEntry)
	}
	if err := c.place(root, entryPath(id), data); err != nil {
		return err
	}
	return c.account(root, cost+blocks(int64(len(data))))
}

// place puts a file in its place by renaming a finished one.
func (c *Cache) place(root *os.Root, path string, data []byte) (err error) {
	temp := tempFolder + "/" + rand.Text()
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temp, path)
		if errors.Is(err, fs.ErrNotExist) { // the first one of its folder
			if err = root.MkdirAll(filepath.ToSlash(filepath.Dir(path)), 0o700); err == nil {
				err = root.Rename(temp, path)
			}
		}
	}
	if err != nil {
		_ = root.Remove(temp)
		return err
	}
	if c.now != nil {
		return root.Chtimes(path, c.now(), c.now())
	}
	return nil
}

// blocks rounds a size up to what a file takes on disk.
func blocks(size int64) int64 {
	return max((size+cacheBlock-1)/cacheBlock, 1) * cacheBlock
}
