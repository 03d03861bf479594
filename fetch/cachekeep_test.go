package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// change alters each file of a cache below one of its folders.
func change(t *testing.T, dir, folder string, f func(path string, data []byte)) {
	t.Helper()
	n := 0
	for _, name := range files(t, dir) {
		if !strings.HasPrefix(name, folder+"/") {
			continue
		}
		n++
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f(path, data)
	}
	if n == 0 {
		t.Fatalf("no file below %s", folder)
	}
}

// damages are what can happen to a file that still has a name of the cache.
func damages(t *testing.T) map[string]func(path string, data []byte) {
	write := func(path string, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Error(err)
		}
	}
	replace := func(path string, with func() error) {
		if err := errors.Join(os.Remove(path), with()); err != nil {
			t.Error(err)
		}
	}
	return map[string]func(string, []byte){
		"a flipped bit at the end": func(path string, data []byte) {
			data[len(data)-1] ^= 1
			write(path, data)
		},
		"a flipped bit at the beginning": func(path string, data []byte) {
			data[0] ^= 1
			write(path, data)
		},
		"cut":    func(path string, data []byte) { write(path, data[:len(data)/2]) },
		"empty":  func(path string, _ []byte) { write(path, nil) },
		"longer": func(path string, data []byte) { write(path, append(data, '\n')) },
		"huge":   func(path string, _ []byte) { write(path, bytes.Repeat([]byte("x"), maxEntry+1)) },
		"other text": func(path string, _ []byte) {
			write(path, []byte("something else, of a program that means well\n"))
		},
		"a folder": func(path string, _ []byte) {
			replace(path, func() error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) })
		},
		"a link to itself": func(path string, _ []byte) {
			replace(path, func() error { return os.Symlink(filepath.Base(path), path) })
		},
		"a link out of the cache": func(path string, data []byte) {
			outside := filepath.Join(t.TempDir(), "outside")
			write(outside, data)
			replace(path, func() error { return os.Symlink(outside, path) })
		},
		"gone": func(path string, _ []byte) { replace(path, func() error { return nil }) },
	}
}

func TestDamagedFileIsAMiss(t *testing.T) {
	for _, folder := range []string{entriesFolder, blobsFolder} {
		for name, damage := range damages(t) {
			t.Run(folder+": "+name, func(t *testing.T) {
				s, dir := serve(t, tagged("the document")), t.TempDir()
				mustGet(t, cached(t, dir), s.URL)
				change(t, dir, folder, damage)

				c := cached(t, dir)
				c.Offline = true
				if _, err := c.Document(t.Context(), s.URL, DocumentOptions{}); outcomeOf(err) != "refused" {
					t.Errorf("offline: found %v, wanted a refusal", err)
				}
				if got := c.Stats().CacheProblem; (got == nil) != (name == "gone") {
					t.Errorf("the problem is %v", got)
				}
				// The same once more, from the server, and then it is mended.
				for _, conditional := range []int64{0, 1} {
					c := cached(t, dir)
					if got := mustGet(t, c, s.URL); string(got.Body) != "the document" {
						t.Errorf("found %q", got.Body)
					}
					if got := c.Stats(); got.Conditional != conditional {
						t.Errorf("%d conditional requests, wanted %d", got.Conditional, conditional)
					}
				}
			})
		}
	}
}

// An entry is good in its own place only: else absence of one document could
// be made to stand for that of another.
func TestEntryOfAnotherRequestIsAMiss(t *testing.T) {
	s, dir := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/absent" {
			http.NotFound(w, r)
			return
		}
		tagged("body")(w, r)
	}), t.TempDir()
	c := cached(t, dir)
	if _, err := c.Document(t.Context(), s.URL+"/absent", DocumentOptions{}); outcomeOf(err) != "not found" {
		t.Fatal(err)
	}
	absent := files(t, dir)[0]
	mustGet(t, c, s.URL+"/d")
	data, err := os.ReadFile(filepath.Join(dir, absent))
	if err != nil {
		t.Fatal(err)
	}
	change(t, dir, entriesFolder, func(path string, _ []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Error(err)
		}
	})
	if got := mustGet(t, cached(t, dir), s.URL+"/d"); string(got.Body) != "body" {
		t.Errorf("found %q", got.Body)
	}
}

func TestUnusableCacheIsNoFailure(t *testing.T) {
	file := func(t *testing.T, path string) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
	}{
		{"a file in the place of the folder", func(t *testing.T, dir string) { file(t, dir) }},
		{"a file in the place of the folder above", func(t *testing.T, dir string) {
			os.Remove(filepath.Dir(dir))
			file(t, filepath.Dir(dir))
		}},
		{"a file in the place of entries", func(t *testing.T, dir string) { os.Mkdir(dir, 0o700); file(t, filepath.Join(dir, entriesFolder)) }},
		{"a file in the place of blobs", func(t *testing.T, dir string) { os.Mkdir(dir, 0o700); file(t, filepath.Join(dir, blobsFolder)) }},
		{"a file in the place of tmp", func(t *testing.T, dir string) { os.Mkdir(dir, 0o700); file(t, filepath.Join(dir, tempFolder)) }},
		{"a folder in the place of the count", func(t *testing.T, dir string) { os.MkdirAll(filepath.Join(dir, writtenName), 0o700) }},
		{"a link that leads out", func(t *testing.T, dir string) {
			os.Mkdir(dir, 0o700)
			if err := os.Symlink(t.TempDir(), filepath.Join(dir, tempFolder)); err != nil {
				t.Fatal(err)
			}
		}},
		{"no folder named", func(*testing.T, string) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tagged("body"))
			dir := filepath.Join(t.TempDir(), "above", "cache")
			if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			tt.prepare(t, dir)
			var logged bytes.Buffer
			c := cached(t, dir)
			if tt.name == "no folder named" {
				c.Cache.Dir = ""
			}
			c.Logger = slog.New(slog.NewTextHandler(&logged, nil))
			for i := range 10 {
				if got := mustGet(t, c, fmt.Sprintf("%s/%d", s.URL, i)); string(got.Body) != "body" {
					t.Errorf("found %q", got.Body)
				}
			}
			if got := strings.Count(logged.String(), "cache"); c.Stats().CacheProblem == nil || strings.Count(logged.String(), "\n") != 1 {
				t.Errorf("problem %v, and %d log lines: %s", c.Stats().CacheProblem, got, &logged)
			}
		})
	}
}

// fill stores documents that are told apart by a number.
func fill(c *Cache, from, to, size int) {
	for i := from; i < to; i++ {
		body := numbered(i, size)
		c.store(numberedID(i), entry{Status: http.StatusOK, ETag: `"x"`, Checked: c.time()}, body)
	}
}

func numberedID(i int) requestID {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("id"), uint64(i)))
}

// numbered is a body that repeats the digest of its number.
func numbered(i, size int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return bytes.Repeat(sum[:], size/len(sum))
}

func TestCacheStaysBelowItsLimit(t *testing.T) {
	const limit, size = 4 << 20, 16 << 10
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := &Cache{Dir: t.TempDir(), MaxBytes: limit, now: func() time.Time { return now }}
	defer c.Close()
	const kept = 7 // is used all the time
	for i := range 600 {
		now = now.Add(2 * touchEvery)
		fill(c, i, i+1, size)
		if i >= kept {
			if got := c.load(numberedID(kept), 1<<20); got == nil || !bytes.Equal(got.body, numbered(kept, size)) {
				t.Fatalf("after %d documents the one that is used is gone", i)
			}
		}
		if i%50 != 0 {
			continue
		}
		info, err := c.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info.Bytes > limit {
			t.Errorf("after %d documents %d bytes, wanted at most %d", i, info.Bytes, limit)
		}
	}
	if err := c.problem(); err != nil {
		t.Error(err)
	}
	// The last ones are there, and the cache is not much smaller than it may be.
	for i := 500; i < 600; i++ {
		if c.load(numberedID(i), 1<<20) == nil {
			t.Errorf("document %d is gone", i)
		}
	}
	if c.load(numberedID(0), 1<<20) != nil {
		t.Error("the document that was not used for longest is there")
	}
	info, err := c.Info(t.Context())
	if err != nil || info.Bytes < limit/2 {
		t.Errorf("%d bytes of %d are used (%v)", info.Bytes, limit, err)
	}
}

func TestDocumentTooLargeForTheCache(t *testing.T) {
	c := &Cache{Dir: t.TempDir(), MaxBytes: 1 << 20}
	defer c.Close()
	fill(c, 0, 1, 1<<19)
	if got := files(t, c.Dir); got != nil {
		t.Errorf("found %q, wanted no file of half the limit", got)
	}
}

func TestClean(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := &Cache{Dir: filepath.Join(t.TempDir(), "cache"), now: func() time.Time { return now }}
	defer c.Close()
	if got, err := c.Clean(t.Context(), 0); err != nil || got != (CacheInfo{}) {
		t.Errorf("no folder: found %+v, %v", got, err)
	}
	old := now
	fill(c, 0, 3, 1<<10)
	now = now.Add(time.Hour)
	fill(c, 3, 5, 1<<10)
	own := map[string]string{
		"notes.txt": "a", "entries/ab/note": "b", "blobs/abc/" + strings.Repeat("0", 62): "c", "entries/zz/" + strings.Repeat("0", 62): "d",
		"blobs/AB/" + strings.Repeat("0", 62): "e",
	}
	for name, text := range own {
		path := filepath.Join(c.Dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := c.Info(t.Context())
	if err != nil || info.Entries != 5 || info.Blobs != 5 || !info.Oldest.Equal(old) || !info.Newest.Equal(now) {
		t.Errorf("found %+v, %v", info, err)
	}
	got, err := c.Clean(t.Context(), time.Hour)
	if err != nil || got.Entries != 3 || got.Blobs != 3 || !got.Newest.Equal(old) {
		t.Errorf("removed %+v, %v; wanted the 3 old ones", got, err)
	}
	for i := range 5 {
		if there := c.load(numberedID(i), 1<<20) != nil; there != (i >= 3) {
			t.Errorf("document %d is there: %t", i, there)
		}
	}
	got, err = c.Clean(t.Context(), 0)
	if err != nil || got.Entries != 2 || got.Blobs != 2 {
		t.Errorf("removed %+v, %v; wanted the 2 others", got, err)
	}
	// What is not the cache's own stays.
	left := map[string]string{}
	for _, name := range files(t, c.Dir) {
		data, err := os.ReadFile(filepath.Join(c.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		left[name] = string(data)
	}
	if diff := cmp.Diff(own, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	for _, folder := range []string{entriesFolder, blobsFolder} {
		for name, damage := range damages(t) {
			t.Run(folder+": "+name, func(t *testing.T) {
				c := &Cache{Dir: t.TempDir()}
				defer c.Close()
				fill(c, 0, 1, 1<<10)
				change(t, c.Dir, folder, damage)
				hit := namedPath(entriesFolder, numberedID(0))
				if folder == blobsFolder {
					hit = namedPath(blobsFolder, sha256.Sum256(numbered(0, 1<<10)))
				}
				fill(c, 1, 3, 1<<10)
				check, err := c.Verify(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var bad []string
				for _, b := range check.Bad {
					bad = append(bad, b.Path)
					if !b.Removed || b.Problem == "" {
						t.Errorf("found %+v, wanted it removed with a reason", b)
					}
				}
				var want []string
				if name != "gone" {
					want = []string{hit}
				}
				if diff := cmp.Diff(want, bad); diff != "" {
					t.Errorf("bad files (-want +got):\n%s", diff)
				}
				again, err := c.Verify(t.Context())
				if err != nil || len(again.Bad) > 0 || again.Entries < 2 || again.Blobs < 2 {
					t.Errorf("the second time found %+v, %v", again, err)
				}
			})
		}
	}
}

// writerEnv names the folder of a cache, for a process that writes to it.
// It makes the file that readyEnv names before it begins.
const (
	writerEnv = "RECIPE_VERIFY_TEST_CACHE_WRITER"
	readyEnv  = "RECIPE_VERIFY_TEST_CACHE_READY"
)

const writerLimit, writerSize, writerDocuments = 1 << 20, 8 << 10, 200

// TestCacheWriter is the process of TestKilledWriters and TestTwoProcesses.
func TestCacheWriter(t *testing.T) {
	dir := os.Getenv(writerEnv)
	if dir == "" {
		t.Skip("is for processes that other tests start")
	}
	c := &Cache{Dir: dir, MaxBytes: writerLimit}
	if err := os.WriteFile(os.Getenv(readyEnv), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := range writerDocuments {
				n := (i*7 + w*31) % writerDocuments
				if h := c.load(numberedID(n), 1<<20); h != nil && !bytes.Equal(h.body, numbered(n, writerSize)) {
					t.Errorf("document %d is another one", n)
				}
				fill(c, n, n+1, writerSize)
			}
		})
	}
	group.Wait()
	if err := c.problem(); err != nil {
		t.Error(err)
	}
}

func startWriter(t *testing.T, dir string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCacheWriter$", "-test.count=1")
	ready := filepath.Join(t.TempDir(), "ready")
	cmd.Env = append(os.Environ(), writerEnv+"="+dir, readyEnv+"="+ready)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			return cmd, &output
		}
		if time.Since(began) > time.Minute {
			t.Fatal("the process does not begin")
		}
	}
}

// goodCache checks that all that a cache holds is what was written.
func goodCache(t *testing.T, dir string, most int64) {
	t.Helper()
	c := &Cache{Dir: dir}
	defer c.Close()
	check, err := c.Verify(t.Context())
	if err != nil || len(check.Bad) > 0 {
		t.Errorf("found %+v, %v; wanted no bad file", check.Bad, err)
	}
	if check.Bytes > most {
		t.Errorf("found %d bytes, wanted at most %d", check.Bytes, most)
	}
	hits := 0
	for i := range writerDocuments {
		if h := c.load(numberedID(i), 1<<20); h != nil {
			hits++
			if !bytes.Equal(h.body, numbered(i, writerSize)) {
				t.Errorf("document %d is another one", i)
			}
		}
	}
	if hits == 0 {
		t.Error("no document is there")
	}
	if err := c.problem(); err != nil {
		t.Error(err)
	}
}

func TestKilledWriters(t *testing.T) {
	dir := t.TempDir()
	for i := range 8 {
		cmd, _ := startWriter(t, dir)
		time.Sleep(time.Duration(i*i) * time.Millisecond) // at another point each time
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
	}
	c := &Cache{Dir: dir, MaxBytes: writerLimit}
	defer c.Close()
	fill(c, 0, writerDocuments, writerSize) // nobody holds a lock
	goodCache(t, dir, writerLimit)
	// What the killed ones left of temporary files does not stay for ever.
	later := time.Now().Add(2 * staleTemp)
	c.now = func() time.Time { return later }
	if _, err := c.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, dir) {
		if strings.HasPrefix(name, tempFolder+"/") {
			t.Errorf("found %s", name)
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	first, firstOutput := startWriter(t, dir)
	second, secondOutput := startWriter(t, dir)
	for _, p := range []struct {
		cmd    *exec.Cmd
		output *bytes.Buffer
	}{{first, firstOutput}, {second, secondOutput}} {
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.output)
		}
	}
	// Each of the eight goroutines may write a document while another removes.
	goodCache(t, dir, writerLimit+8*2*writerSize)
}
