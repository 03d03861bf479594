package trust

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// at makes a source with a cache folder and a clock.
func at(dir string, now time.Time) *Source {
	return &Source{CacheDir: dir, Timeout: 2 * time.Second, Now: func() time.Time { return now }}
}

// outcome is what a test compares: where the root came from, which it is, and
// for each warning the words that it must have.
type outcome struct {
	origin, sum string
	warnings    []string
}

func (o outcome) check(t *testing.T, roots *Roots, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(roots.Domains) != 1 {
		t.Fatalf("found %d domains, wanted 1", len(roots.Domains))
	}
	d := roots.Domains[0]
	if d.Origin != o.origin {
		t.Errorf("origin: found %q, wanted %q", d.Origin, o.origin)
	}
	if d.SHA256.String() != o.sum || sum(d.JSON) != o.sum {
		t.Errorf("trusted root: found %s, wanted %s", d.SHA256, o.sum)
	}
	if diff := cmp.Diff(full, d.Require); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	if len(roots.Warnings) != len(o.warnings) {
		t.Fatalf("warnings: found %q, wanted %d", roots.Warnings, len(o.warnings))
	}
	for i, w := range o.warnings {
		if !strings.Contains(roots.Warnings[i], w) {
			t.Errorf("warning %d: found %q, wanted %q in it", i, roots.Warnings[i], w)
		}
		if strings.ContainsAny(roots.Warnings[i], "\n\x1b") {
			t.Errorf("warning %d is not one printable line: %q", i, roots.Warnings[i])
		}
	}
}

func embedded(warnings ...string) outcome {
	return outcome{originEmbedded, sum(embeddedTrustedRoot), warnings}
}

func TestLoadFreshThenCached(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	first, second := trustedRoot(t, "1"), trustedRoot(t, "2")
	repo.Publish(first, born.Add(lifetime))
	in := instanceOf(repo, t, true)

	roots, err := at(dir, born).load(t.Context(), in)
	outcome{originTUF, sum(first), nil}.check(t, roots, err)
	want := &Metadata{Repository: repo.Server.URL, Root: 1, Timestamp: 1, Snapshot: 1, Targets: 1, Expires: born.Add(lifetime)}
	if diff := cmp.Diff(want, roots.Domains[0].TUF); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}

	repo.Publish(second, born.Add(2*lifetime))
	before := snapshotOf(t, dir)
	asked := repo.Requests.Load()
	roots, err = at(dir, born.Add(23*time.Hour)).load(t.Context(), in)
	outcome{originCache, sum(first), nil}.check(t, roots, err)
	if n := repo.Requests.Load() - asked; n != 0 {
		t.Errorf("the second run within a day made %d requests", n)
	}
	if diff := cmp.Diff(before, snapshotOf(t, dir)); diff != "" {
		t.Errorf("a cache hit wrote to the folder (-before +after):\n%s", diff)
	}
	if age := roots.Domains[0].Age(born.Add(23 * time.Hour)); age != 23*time.Hour {
		t.Errorf("age: found %s, wanted 23h", age)
	}

	roots, err = at(dir, born.Add(25*time.Hour)).load(t.Context(), in)
	outcome{originTUF, sum(second), nil}.check(t, roots, err)
}

// snapshotOf tells names, sizes and times of the files in a folder.
func snapshotOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		m[e.Name()] = info.Mode().String() + info.ModTime().String()
	}
	return m
}

func TestCacheFile(t *testing.T) {
	repo, dir := newRepo(t), filepath.Join(t.TempDir(), "new", "folder")
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	if _, err := at(dir, born).load(t.Context(), instanceOf(repo, t, true)); err != nil {
		t.Fatal(err)
	}
	files := snapshotOf(t, dir)
	if len(files) != 1 {
		t.Fatalf("found %v, wanted one file", files)
	}
	for _, mode := range files {
		if runtime.GOOS != "windows" && !strings.HasPrefix(mode, "-rw-------") {
			t.Errorf("found mode %s, wanted it to be the user's alone", mode)
		}
	}
}

func TestUnreachable(t *testing.T) {
	root1 := trustedRoot(t, "1")
	for _, tc := range []struct {
		name   string
		cached bool
		later  time.Duration
		want   outcome
	}{
		{"no cache", false, 0, embedded("published on 2026-11-01, 30 days ago: ")},
		{"cache of two days", true, 50 * time.Hour, outcome{originCache, sum(root1), []string{"confirmed 2 days ago: "}}},
		{"cache expired", true, lifetime + time.Hour, embedded("the cached metadata is not used: expired metadata error")},
		{"old snapshot", false, SnapshotOld, embedded("210 days ago: ", "older than 180 days: update recipe-verify")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo, dir := newRepo(t), t.TempDir()
			repo.Publish(root1, born.Add(lifetime))
			in := instanceOf(repo, t, true)
			if tc.cached {
				if _, err := at(dir, born).load(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			repo.Server.Close()
			roots, err := at(dir, born.Add(tc.later)).load(t.Context(), in)
			tc.want.check(t, roots, err)
		})
	}
}

func TestNewerSnapshotThanCache(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	in := instanceOf(repo, t, true)
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	repo.Server.Close()
	in.snapshot.Date = born.Add(24 * time.Hour) // the program was updated since
	roots, err := at(dir, born.Add(72*time.Hour)).load(t.Context(), in)
	embedded("2 days ago").check(t, roots, err)
}

func TestOffline(t *testing.T) {
	root1 := trustedRoot(t, "1")
	for _, tc := range []struct {
		name   string
		cached bool
		later  time.Duration
		want   outcome
	}{
		{"with a cache", true, 30 * time.Hour, outcome{originCache, sum(root1), []string{"confirmed 30 hours ago: offline"}}},
		{"without a cache", false, 0, embedded("30 days ago: offline")},
		{"with an expired cache", true, 2 * lifetime, embedded("offline; the cached metadata is not used")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo, dir := newRepo(t), t.TempDir()
			repo.Publish(root1, born.Add(lifetime))
			in := instanceOf(repo, t, true)
			if tc.cached {
				if _, err := at(dir, born).load(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			asked := repo.Requests.Load()
			s := at(dir, born.Add(tc.later))
			s.Offline = true
			roots, err := s.load(t.Context(), in)
			tc.want.check(t, roots, err)
			if n := repo.Requests.Load() - asked; n != 0 {
				t.Errorf("made %d requests", n)
			}
		})
	}
}

// TestHanging uses servers that never come to an end. The attempt must, and
// must leave nothing running.
func TestHanging(t *testing.T) {
	for _, tc := range []struct {
		name string
		hang http.HandlerFunc
	}{
		{"before the header", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"in the body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
		{"byte by byte", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo := newRepo(t)
			in := instanceOf(repo, t, true)
			repo.Server.Config.Handler = tc.hang
			s := at(t.TempDir(), born)
			s.Timeout = 150 * time.Millisecond
			begin, running := time.Now(), runtime.NumGoroutine()
			roots, err := s.load(t.Context(), in)
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("took %s with a time-out of %s", took, s.Timeout)
			}
			embedded("could not be used: no answer within 150ms").check(t, roots, err)
			settle(t, running)
		})
	}
	t.Run("before accepting", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		in := instanceOf(newRepo(t), t, true)
		in.url = "http://" + l.Addr().String()
		s := at(t.TempDir(), born)
		s.Timeout = 150 * time.Millisecond
		roots, err := s.load(t.Context(), in)
		embedded("could not be used: no answer within 150ms").check(t, roots, err)
	})
}

// settle waits until no more goroutines run than before.
func settle(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines run, %d before", runtime.NumGoroutine(), before)
}

func TestCancelled(t *testing.T) {
	repo := newRepo(t)
	in := instanceOf(repo, t, true)
	ctx, cancel := context.WithCancel(t.Context())
	repo.Server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	s := at(t.TempDir(), born)
	s.Timeout = time.Minute
	begin := time.Now()
	roots, err := s.load(ctx, in)
	if !errors.Is(err, context.Canceled) || roots != nil {
		t.Errorf("found %v, %v, wanted context.Canceled", roots, err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %s to stop", took)
	}
	if _, err := s.load(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that was done before: found error %v", err)
	}
}

func TestExpired(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	first, second := trustedRoot(t, "1"), trustedRoot(t, "2")
	repo.Publish(first, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	later := born.Add(lifetime + time.Hour)

	roots, err := at(t.TempDir(), later).load(t.Context(), in)
	embedded("timestamp.json is expired").check(t, roots, err)

	// The program's root stays expired before its own day, whatever the clock.
	in.snapshot.Date = later
	roots, err = at(t.TempDir(), born).load(t.Context(), in)
	embedded("is it right?", "timestamp.json is expired").check(t, roots, err)
	in.snapshot.Date = born

	// An expired cache is no hindrance to a new answer.
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	repo.Publish(second, later.Add(lifetime))
	roots, err = at(dir, later).load(t.Context(), in)
	outcome{originTUF, sum(second), nil}.check(t, roots, err)

	for _, role := range []string{metadata.TARGETS, metadata.SNAPSHOT, metadata.ROOT} {
		t.Run(role, func(t *testing.T) {
			repo := newRepo(t)
			expires := map[string]time.Time{role: born.Add(-time.Hour)}
			by := func(r string) time.Time {
				if e, ok := expires[r]; ok {
					return e
				}
				return born.Add(lifetime)
			}
			repo.Root.Signed.Expires = by(metadata.ROOT)
			repo.PutRoot(repo.Keys[metadata.ROOT])
			repo.PublishTargets(first, by(metadata.TARGETS))
			repo.PublishSnapshot(1, by(metadata.SNAPSHOT))
			repo.PublishTimestamp(1, born.Add(lifetime))
			roots, err := at(t.TempDir(), born).load(t.Context(), instanceOf(repo, t, true))
			embedded("expired").check(t, roots, err)
		})
	}
}

func TestConcurrentLoads(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	root1 := trustedRoot(t, "1")
	repo.Publish(root1, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			roots, err := at(dir, born).load(t.Context(), in)
			if err != nil || len(roots.Warnings) > 0 || roots.Domains[0].SHA256.String() != sum(root1) {
				t.Errorf("found %v, %v", roots, err)
			}
		})
	}
	wg.Wait()
	repo.Server.Close()
	roots, err := at(dir, born).load(t.Context(), in)
	outcome{originCache, sum(root1), nil}.check(t, roots, err)
	if files := snapshotOf(t, dir); len(files) != 1 {
		t.Errorf("found %v in the cache folder, wanted one file", files)
	}
}

// TestSlowWriter has a process that asked earlier write later.
func TestSlowWriter(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	first, second := trustedRoot(t, "1"), trustedRoot(t, "2")
	repo.Publish(first, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	slow := &loading{instance: in, now: born, ref: born, out: &Roots{}, path: filepath.Join(dir, in.cacheName())}
	answer, err := at(dir, born).refresh(t.Context(), slow)
	if err != nil {
		t.Fatal(err)
	}
	repo.Publish(second, born.Add(lifetime))
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if err := slow.writeCache(answer.record); err != nil {
		t.Fatal(err)
	}
	roots, err := at(dir, born).load(t.Context(), in)
	outcome{originCache, sum(second), nil}.check(t, roots, err)
}

func TestUnwritableCache(t *testing.T) {
	repo := newRepo(t)
	root1 := trustedRoot(t, "1")
	repo.Publish(root1, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := at(filepath.Join(file, "cache"), born).load(t.Context(), in)
	outcome{originTUF, sum(root1), []string{"is not used", "could not write the TUF cache"}}.check(t, roots, err)

	// A folder in the cache file's place.
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, in.cacheName(), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	roots, err = at(dir, born).load(t.Context(), in)
	outcome{originTUF, sum(root1), []string{"not a regular file", "could not write the TUF cache"}}.check(t, roots, err)
}

func TestPrivateInstance(t *testing.T) {
	repo := newRepo(t)
	root1 := trustedRoot(t, "1")
	repo.Publish(root1, born.Add(lifetime))
	s := at(t.TempDir(), born)
	s.MirrorURL, s.Root = repo.Server.URL+"/", repo.Get("1.root.json")
	roots, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The content is that of the public-good instance, and says so.
	if d := roots.Domains[0]; d.Name != PublicGood || d.Origin != originTUF || d.SHA256.String() != sum(root1) {
		t.Errorf("found %q from %q, %s", d.Name, d.Origin, d.SHA256)
	}
	repo.Server.Close()
	s.CacheDir = t.TempDir()
	_, err = s.Load(t.Context())
	if err == nil || !strings.Contains(err.Error(), `no trusted root for "127.0.0.1": `) || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("found error %v, wanted one with a hint: the public-good snapshot is not this instance's", err)
	}
}

func TestConfiguration(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    Source
	}{
		{"root without address", Source{Root: []byte("{}")}},
		{"other scheme", Source{MirrorURL: "ftp://user:secret@tuf.example/"}},
		{"query", Source{MirrorURL: "https://user:secret@tuf.example/?token=secret"}},
		{"no host", Source{MirrorURL: "https:///x"}},
		{"not a URL", Source{MirrorURL: "https://user:secret@tuf.example/\x7f"}},
		{"root that is none", Source{MirrorURL: "https://tuf.example", Root: []byte("{}"), Offline: true, CacheDir: t.TempDir()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			roots, err := tc.s.Load(t.Context())
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("found %v, error %v; wanted an error without the secret", roots, err)
			}
		})
	}
}

// TestZeroSource is the public-good instance, without a network.
func TestZeroSource(t *testing.T) {
	snap, err := EmbeddedSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	s := &Source{Offline: true, CacheDir: t.TempDir(), Now: func() time.Time { return snap.Published.Add(72 * time.Hour) }}
	roots, err := s.Load(t.Context())
	embedded("3 days ago: offline").check(t, roots, err)
	if roots.Domains[0].Name != PublicGood {
		t.Errorf("found %q", roots.Domains[0].Name)
	}
}
