package trust

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/recipe-verify/recipe-verify/internal/tuftest"
)

// rolledBack runs one load after the repository went back, a day later.
func rolledBack(t *testing.T, repo *tuftest.Repo, dir string, role string, want outcome) {
	t.Helper()
	in := instanceOf(repo, t, true)
	s := at(dir, born.Add(25*time.Hour))
	l := &loading{instance: in, now: s.now(), ref: s.now(), out: &Roots{}, path: filepath.Join(dir, in.cacheName())}
	l.readCache()
	_, err := s.refresh(t.Context(), l)
	var back *RolledBackError
	if !errors.As(err, &back) || back.Role != role || back.Found >= back.Wanted {
		t.Errorf("found error %v, wanted a RolledBackError of %s", err, role)
	}
	roots, err := s.load(t.Context(), in)
	want.check(t, roots, err)
}

func TestRolledBack(t *testing.T) {
	first, second := trustedRoot(t, "1"), trustedRoot(t, "2")
	expires := born.Add(lifetime)
	cached := outcome{originCache, sum(second), []string{"rolled back"}}

	// start leaves version 2 in the cache and returns the state of version 1.
	start := func(t *testing.T, expires2 time.Time) (*tuftest.Repo, string, map[string][]byte) {
		repo, dir := newRepo(t), t.TempDir()
		repo.Publish(first, expires)
		old := repo.State()
		repo.Publish(second, expires2)
		if _, err := at(dir, born).load(t.Context(), instanceOf(repo, t, true)); err != nil {
			t.Fatal(err)
		}
		return repo, dir, old
	}
	t.Run("everything", func(t *testing.T) {
		repo, dir, old := start(t, expires)
		repo.Restore(old)
		rolledBack(t, repo, dir, metadata.TIMESTAMP, cached)
	})
	t.Run("behind an expired cache", func(t *testing.T) {
		repo, dir, old := start(t, born.Add(time.Hour))
		repo.Restore(old)
		rolledBack(t, repo, dir, metadata.TIMESTAMP, embedded("rolled back"))
	})
	t.Run("old snapshot, new timestamp", func(t *testing.T) {
		repo, dir, _ := start(t, expires)
		repo.PublishTimestamp(1, expires)
		rolledBack(t, repo, dir, metadata.SNAPSHOT, cached)
	})
	t.Run("old targets, new snapshot", func(t *testing.T) {
		repo, dir, _ := start(t, expires)
		repo.PublishSnapshot(1, expires)
		repo.PublishTimestamp(3, expires)
		rolledBack(t, repo, dir, metadata.TARGETS, cached)
	})
	t.Run("a replaced key does not excuse targets", func(t *testing.T) {
		repo, dir, _ := start(t, expires)
		repo.Rotate(metadata.TARGETS)
		tuftest.Put(repo, "1.targets.json", func() *metadata.Metadata[metadata.TargetsType] {
			m := repo.Targets
			m.Signed.Version = 1
			return m
		}(), repo.Keys[metadata.TARGETS])
		repo.PublishSnapshot(1, expires)
		repo.PublishTimestamp(3, expires)
		rolledBack(t, repo, dir, metadata.TARGETS, cached)
	})
}

// TestFastForwardRecovery: after somebody with stolen keys published a version
// that nobody can pass, the owner replaces the keys and counts anew.
func TestFastForwardRecovery(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	first, second := trustedRoot(t, "1"), trustedRoot(t, "2")
	repo.Snapshot.Signed.Version, repo.Timestamp.Signed.Version = 1<<40, 1<<40
	repo.Publish(first, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	repo.Rotate(metadata.SNAPSHOT, metadata.TIMESTAMP)
	repo.Snapshot.Signed.Version, repo.Timestamp.Signed.Version = 1, 1
	repo.Publish(second, born.Add(lifetime))
	roots, err := at(dir, born.Add(25*time.Hour)).load(t.Context(), in)
	outcome{originTUF, sum(second), nil}.check(t, roots, err)
}

// TestHiddenRotation: keys were stolen and replaced, and somebody on the way
// answers 404 for the root that says so, with metadata by the stolen keys.
func TestHiddenRotation(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	first, evil := trustedRoot(t, "1"), trustedRoot(t, "evil")
	stolen := maps.Clone(repo.Keys)
	repo.Rotate(metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP)
	repo.Publish(first, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	roots, err := at(dir, born).load(t.Context(), in)
	outcome{originTUF, sum(first), nil}.check(t, roots, err)

	// The root that verified before is remembered, so a 404 changes nothing.
	honest := repo.State()
	delete(honest, "2.root.json")
	repo.Restore(honest)
	roots, err = at(dir, born.Add(25*time.Hour)).load(t.Context(), in)
	outcome{originTUF, sum(first), nil}.check(t, roots, err)

	repo.Keys = stolen
	repo.Publish(evil, born.Add(lifetime))
	roots, err = at(dir, born.Add(50*time.Hour)).load(t.Context(), in)
	outcome{originCache, sum(first), []string{"using the cached trusted root"}}.check(t, roots, err)
	// Who never saw the rotation cannot know: that is the anchor's age.
	roots, err = at(t.TempDir(), born).load(t.Context(), in)
	outcome{originTUF, sum(evil), nil}.check(t, roots, err)
}

func TestRotatedKeys(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	first, second := trustedRoot(t, "1"), trustedRoot(t, "2")
	repo.Publish(first, born.Add(lifetime))
	in := instanceOf(repo, t, true)
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	repo.Rotate(metadata.ROOT)
	repo.Rotate(metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP)
	repo.Publish(second, born.Add(lifetime))
	roots, err := at(dir, born.Add(25*time.Hour)).load(t.Context(), in)
	outcome{originTUF, sum(second), nil}.check(t, roots, err)
	roots, err = at(dir, born.Add(26*time.Hour)).load(t.Context(), in)
	outcome{originCache, sum(second), nil}.check(t, roots, err)
	if v := roots.Domains[0].TUF.Root; v != 3 {
		t.Errorf("found root version %d, wanted 3", v)
	}
}

// TestTamperedCache changes each file in the cache, and the frame around them.
func TestTamperedCache(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	repo.Rotate(metadata.TIMESTAMP)
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	in := instanceOf(repo, t, true)
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, in.cacheName()))
	if err != nil {
		t.Fatal(err)
	}
	var whole record
	if err := json.Unmarshal(good, &whole); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(whole.Files))
	wanted := []string{"1.snapshot.json", "1.targets.json", "2.root.json", "targets/" + target, "timestamp.json"}
	if !slices.Equal(names, wanted) {
		t.Fatalf("found %q in the cache, wanted %q", names, wanted)
	}
	change := func(f func(*record)) []byte {
		r := whole
		r.Files = map[string][]byte{}
		for name, data := range whole.Files {
			r.Files[name] = slices.Clone(data)
		}
		f(&r)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cases := map[string][]byte{
		"empty":                nil,
		"not JSON":             []byte("\x1b[31m<html>"),
		"cut":                  good[:len(good)/2],
		"other schema":         change(func(r *record) { r.Schema++ }),
		"other repository":     change(func(r *record) { r.Repository += "x" }),
		"nothing in it":        change(func(r *record) { r.Files = nil }),
		"another trusted root": change(func(r *record) { r.Files["targets/"+target] = trustedRoot(t, "evil") }),
		"over the limit":       append(good, make([]byte, maxRecord)...),
	}
	for _, name := range names {
		cases["flipped byte in "+name] = change(func(r *record) {
			data := r.Files[name]
			i := strings.Index(string(data), `"signed"`)
			data[max(i, 0)+len(data[max(i, 0):])/2] ^= 1
		})
		if name != "2.root.json" {
			cases["without "+name] = change(func(r *record) { delete(r.Files, name) })
		}
	}
	// Somebody with keys of the own making.
	forger := newRepo(t)
	forger.Publish(trustedRoot(t, "evil"), born.Add(lifetime))
	cases["forged"] = change(func(r *record) {
		for name := range r.Files {
			r.Files[name] = forger.Get(name)
		}
		r.Files["targets/"+target] = trustedRoot(t, "evil")
	})
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, in.cacheName()), data, 0o600); err != nil {
				t.Fatal(err)
			}
			s := at(dir, born.Add(time.Hour))
			s.Offline = true
			roots, err := s.load(t.Context(), in)
			embedded("is not used: ", "offline").check(t, roots, err)
			// And the next answer mends it.
			s.Offline = false
			roots, err = s.load(t.Context(), in)
			outcome{originTUF, sum(trustedRoot(t, "1")), []string{"is not used: "}}.check(t, roots, err)
			roots, err = s.load(t.Context(), in)
			outcome{originCache, sum(trustedRoot(t, "1")), nil}.check(t, roots, err)
		})
	}
	t.Run("date in the future", func(t *testing.T) {
		dir := t.TempDir()
		data := change(func(r *record) { r.FetchedAt = born.AddDate(10, 0, 0) })
		if err := os.WriteFile(filepath.Join(dir, in.cacheName()), data, 0o600); err != nil {
			t.Fatal(err)
		}
		roots, err := at(dir, born).load(t.Context(), in)
		outcome{originTUF, sum(trustedRoot(t, "1")), nil}.check(t, roots, err)
	})
}

// TestHostileRepository serves what no honest repository does.
func TestHostileRepository(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect to another host was followed")
	}))
	defer elsewhere.Close()
	good := trustedRoot(t, "1")
	logless := gitHubRoot(t)
	for _, tc := range []struct {
		name string
		do   func(r *tuftest.Repo)
		want string
	}{
		{"login page", func(r *tuftest.Repo) {
			r.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "<html>\x1b[2J\u202elog in")
			})
		}, ""},
		{"503", func(r *tuftest.Repo) {
			r.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
		}, "503"},
		{"404 for all", func(r *tuftest.Repo) { r.Restore(nil) }, "404"},
		{"redirect to another host", func(r *tuftest.Repo) {
			r.Server.Config.Handler = http.RedirectHandler(elsewhere.URL, http.StatusFound)
		}, "redirected to another host"},
		{"redirect loop", func(r *tuftest.Repo) {
			r.Server.Config.Handler = http.RedirectHandler("/again", http.StatusFound)
		}, "more than 10 redirects"},
		{"endless body", func(r *tuftest.Repo) {
			r.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				for req.Context().Err() == nil {
					_, _ = w.Write(make([]byte, 1<<16))
				}
			})
		}, "has more than"},
		{"cut body", func(r *tuftest.Repo) {
			r.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "{")
			})
		}, "unexpected EOF"},
		{"another repository's root", func(r *tuftest.Repo) {
			other := newRepo(t)
			other.Rotate(metadata.ROOT)
			r.Set("2.root.json", other.Get("2.root.json"))
		}, ""},
		{"another repository", func(r *tuftest.Repo) {
			other := newRepo(t)
			other.Publish(good, born.Add(lifetime))
			r.Restore(other.State())
		}, ""},
		{"target changed", func(r *tuftest.Repo) {
			for name := range r.State() {
				if strings.HasPrefix(name, "targets/") {
					r.Set(name, append([]byte(" "), good[1:]...))
				}
			}
		}, "mismatch"},
		{"target over the limit", func(r *tuftest.Repo) {
			r.Publish(append(slices.Clone(good), make([]byte, MaxRootFile)...), born.Add(lifetime))
		}, "the limit is"},
		{"no target", func(r *tuftest.Repo) {
			delete(r.Targets.Signed.Targets, target)
			r.Targets.Signed.Version++
			tuftest.Put(r, "2.targets.json", r.Targets, r.Keys[metadata.TARGETS])
			r.PublishSnapshot(2, born.Add(lifetime))
			r.PublishTimestamp(2, born.Add(lifetime))
		}, "not found"},
		{"two roots in one", func(r *tuftest.Repo) { r.Publish(append(slices.Clone(good), good...), born.Add(lifetime)) }, "found 2 trusted roots"},
		{"root without logs", func(r *tuftest.Repo) { r.Publish(withoutLogs(t, good), born.Add(lifetime)) }, "found no transparency log"},
		{"GitHub's root for the public-good instance", func(r *tuftest.Repo) { r.Publish(logless, born.Add(lifetime)) }, "found no transparency log"},
		{"not a trusted root", func(r *tuftest.Repo) { r.Publish([]byte("{}"), born.Add(lifetime)) }, "media type"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo := newRepo(t)
			repo.Publish(good, born.Add(lifetime))
			in := instanceOf(repo, t, true)
			tc.do(repo)
			dir := t.TempDir()
			roots, err := at(dir, born).load(t.Context(), in)
			embedded(tc.want).check(t, roots, err)
			if files := snapshotOf(t, dir); len(files) > 0 {
				t.Errorf("what was refused was cached: %v", files)
			}
		})
	}
}
