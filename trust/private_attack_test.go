package trust

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/recipe-verify/recipe-verify/internal/tuftest"
)

// private1 is a configuration with one private repository.
func private1(t testing.TB, repo *tuftest.Repo) Config {
	t.Helper()
	return Config{
		TUF:      []TUFRepository{{URL: repo.Server.URL, RootPath: rootFile(t, "root.json", repo.Get("1.root.json"))}},
		CacheDir: t.TempDir(), Timeout: 20 * time.Second,
		Now: func() time.Time { return born.Add(25 * time.Hour) }, // when the cache of born is too old not to ask
	}
}

func answer(f http.HandlerFunc) func(*tuftest.Repo) {
	return func(r *tuftest.Repo) { r.Server.Config.Handler = f }
}

// targets changes the published trusted root, and none of the metadata.
func targets(change func([]byte) []byte) func(*tuftest.Repo) {
	return func(r *tuftest.Repo) {
		for name, data := range r.State() {
			if strings.HasPrefix(name, "targets/") {
				r.Set(name, change(slices.Clone(data)))
			}
		}
	}
}

// hazards are what a private repository, or somebody on the way to it, does
// after it was asked once.
var hazards = []struct {
	name string
	do   func(*tuftest.Repo)
	// unavailable is true where the repository said nothing, whole.
	unavailable bool
	message     string
	// cached is true where only who asked before can know.
	cached bool
}{
	{"unreachable", func(r *tuftest.Repo) { r.Server.Close() }, true, "2.root.json: dial tcp", false},
	{"hangs before the header", answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), true, "no answer within 300ms", false},
	{"hangs in the body", answer(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}), true, "no answer within 300ms", false},
	{"drips", answer(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}), true, "no answer within 300ms", false},
	{"endless", answer(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 1<<16))
		}
	}), false, "2.root.json has more than 512000 bytes", false},
	{"cut", answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
	}), true, "2.root.json: unexpected EOF", false},
	{"503", answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }), true, "http status code: 503", false},
	{"nothing there", func(r *tuftest.Repo) { r.Restore(nil) }, true, "failed to download timestamp.json, http status code: 404", false},
	{"timestamp without the rest", func(r *tuftest.Repo) {
		r.Restore(map[string][]byte{"timestamp.json": r.Get("timestamp.json")})
	}, true, "failed to download 2.snapshot.json, http status code: 404", false},
	{"redirect to another host", answer(http.RedirectHandler("http://other.example/", http.StatusFound).ServeHTTP), true, `redirected to another host, "http://other.example"`, false},
	{"login page", answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }), false, "invalid character '<'", false},
	{"wrong hash", targets(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), false, "hash verification failed", false},
	{"too short", targets(func(b []byte) []byte { return b[1:] }), false, "length/hash verification error", false},
	{"too long", targets(func(b []byte) []byte { return append(b, ' ') }), false, "trusted_root.json has more than", false},
	{"other keys", func(r *tuftest.Repo) {
		other := tuftest.New(r.TB(), born)
		other.Publish(private(), born.Add(lifetime))
		other.Publish(private(), born.Add(lifetime))
		other.Publish(private(), born.Add(lifetime))
		r.Restore(other.State())
	}, false, "Verifying timestamp failed", false},
	{"another repository's next root", func(r *tuftest.Repo) {
		other := tuftest.New(r.TB(), born)
		other.Rotate(metadata.ROOT)
		r.Set("2.root.json", other.Get("2.root.json"))
	}, false, "Verifying root failed", false},
	{"expired", func(r *tuftest.Repo) { r.Publish(private(), born.Add(time.Hour)) }, false, "timestamp.json is expired", false},
	{"expired snapshot below a new timestamp", func(r *tuftest.Repo) {
		r.PublishSnapshot(2, born.Add(time.Hour))
		r.PublishTimestamp(3, born.Add(lifetime))
	}, false, "snapshot.json is expired", false},
	{"old timestamp replayed", func(r *tuftest.Repo) { r.Set("timestamp.json", r.Get("old")) }, false, "rolled back: found version 1 of timestamp, wanted at least 2", true},
	{"old snapshot below a new timestamp", func(r *tuftest.Repo) { r.PublishTimestamp(1, born.Add(lifetime)) }, false, "rolled back: found version 1 of snapshot, wanted at least 2", true},
	{"root without logs", func(r *tuftest.Repo) { r.Publish(private(noLog), born.Add(lifetime)) }, false, "found no transparency log", false},
	{"two roots", func(r *tuftest.Repo) { r.Publish(append(private(), private()...), born.Add(lifetime)) }, false, "found 2 trusted roots, wanted one", false},
}

// TestPrivateRepository: each hazard, for a machine that asked a day before, for
// one that did not, and for who asks for an update.
func TestPrivateRepository(t *testing.T) {
	for _, h := range hazards {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			repo := newRepo(t)
			repo.Publish(private(), born.Add(lifetime))
			repo.Set("old", repo.Get("timestamp.json"))
			repo.Publish(private(), born.Add(lifetime))
			c := private1(t, repo)
			first := c
			first.Now = func() time.Time { return born }
			before, err := first.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			file := cacheFile(t, c.CacheDir)
			h.do(repo)
			if strings.Contains(h.message, "300ms") {
				c.Timeout = 300 * time.Millisecond
			}

			// Who asked before goes on with what it knows.
			roots, err := c.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := roots.Domains[0]; d.Origin != originCache || d.SHA256 != before.Domains[0].SHA256 {
				t.Errorf("found the root %s of %s, wanted the cache's", d.SHA256, d.Origin)
			}
			want := `using the cached trusted root of "127.0.0.1", confirmed 25 hours ago: the TUF repository could not be used: `
			if len(roots.Warnings) != 1 || !strings.HasPrefix(roots.Warnings[0], want) || !strings.Contains(roots.Warnings[0], h.message) {
				t.Errorf("found warnings %q, wanted one with %q", roots.Warnings, h.message)
			}

			// Who asks for an update is told, and the cache stays.
			updates, err := c.Update(t.Context())
			if err != nil || len(updates) != 1 {
				t.Fatalf("found %v, %v", updates, err)
			}
			u := updates[0]
			checkHazard(t, u.Err, h.unavailable, h.message)
			if u.After != nil || u.Before == nil || u.Before.SHA256 != before.Domains[0].SHA256 {
				t.Errorf("found before %v, after %v", u.Before, u.After)
			}
			if !bytes.Equal(file, cacheFile(t, c.CacheDir)) {
				t.Error("the cache was changed")
			}
			if h.cached {
				return
			}

			// Who never asked has no root, and nothing is cached.
			c.CacheDir = t.TempDir()
			_, err = c.Load(t.Context())
			var none *NoRootError
			if !errors.As(err, &none) || none.Name != "127.0.0.1" || !strings.Contains(err.Error(), h.message) {
				t.Errorf("found error %v, wanted a NoRootError with %q", err, h.message)
			} else {
				checkHazard(t, none.Err, h.unavailable, h.message)
			}
			if files := snapshotOf(t, c.CacheDir); len(files) > 0 {
				t.Errorf("what was refused was cached: %v", files)
			}
		})
	}
}

func checkHazard(t *testing.T, err error, unavailable bool, message string) {
	t.Helper()
	var e *UnavailableError
	if err == nil || errors.As(err, &e) != unavailable || !strings.Contains(strings.ReplaceAll(err.Error(), "\u00a0", " "), message) {
		t.Errorf("found error %v (unavailable: %t), wanted %q (unavailable: %t)", err, errors.As(err, &e), message, unavailable)
	}
	if strings.HasPrefix(message, "rolled back") {
		var back *RolledBackError
		if !errors.As(err, &back) {
			t.Errorf("found error %v, wanted a RolledBackError", err)
		}
	}
}

func cacheFile(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("found %q, %v in the cache, wanted one file", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestUpdate asks whatever the age of the cache, and tells what was and what is.
func TestUpdate(t *testing.T) {
	repo := newRepo(t)
	one, two := private(), private()
	repo.Publish(one, born.Add(lifetime))
	c := private1(t, repo)
	c.Now = func() time.Time { return born }
	updates, err := c.Update(t.Context())
	if err != nil || len(updates) != 1 || updates[0].Err != nil {
		t.Fatalf("found %+v, %v", updates, err)
	}
	if u := updates[0]; u.Name != "127.0.0.1" || u.Repository != repo.Server.URL || u.Before != nil || u.After.SHA256.String() != sum(one) || u.After.TUF.Timestamp != 1 {
		t.Errorf("found %+v", u)
	}
	repo.Publish(two, born.Add(lifetime))
	updates, err = c.Update(t.Context()) // at the same second
	if err != nil || updates[0].Err != nil {
		t.Fatalf("found %+v, %v", updates, err)
	}
	if u := updates[0]; u.Before.SHA256.String() != sum(one) || u.Before.TUF.Timestamp != 1 || u.After.SHA256.String() != sum(two) || u.After.TUF.Timestamp != 2 {
		t.Errorf("found %+v", u)
	}
	asked := repo.Requests.Load()
	roots, err := c.Load(t.Context())
	if err != nil || roots.Domains[0].SHA256.String() != sum(two) || roots.Domains[0].Origin != originCache {
		t.Errorf("found %+v, %v", roots, err)
	}
	if n := repo.Requests.Load() - asked; n != 0 {
		t.Errorf("%d requests after the update", n)
	}
	// An expired cache is what was known before, and no hindrance.
	repo.Publish(one, born.Add(3*lifetime))
	c.Now = func() time.Time { return born.Add(2 * lifetime) }
	updates, err = c.Update(t.Context())
	if err != nil || updates[0].Err != nil || updates[0].Before == nil || updates[0].Before.SHA256.String() != sum(two) {
		t.Errorf("found %+v, %v", updates, err)
	}
}

func TestUpdateCannotBeKept(t *testing.T) {
	repo := newRepo(t)
	repo.Publish(private(), born.Add(lifetime))
	c := private1(t, repo)
	c.CacheDir = filepath.Join(rootFile(t, "file"), "cache")
	updates, err := c.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var e *CacheError
	if !errors.As(updates[0].Err, &e) || updates[0].After != nil {
		t.Errorf("found %+v, wanted a CacheError", updates[0])
	}
}

func TestUpdateOfNobody(t *testing.T) {
	file := Config{Roots: RootFiles(rootFile(t, "corp.json", private()))}
	if _, err := file.Update(t.Context()); err == nil || !strings.Contains(err.Error(), "come from files") {
		t.Errorf("files alone: found error %v", err)
	}
	if _, err := (Config{Offline: true}).Update(t.Context()); err == nil || !strings.Contains(err.Error(), "offline") {
		t.Errorf("offline: found error %v", err)
	}
}

// TestUpdatesAreIndependent: what is wrong with one repository is no reason not
// to ask the next; but a load that lacks one of them is an error.
func TestUpdatesAreIndependent(t *testing.T) {
	bad, good := newRepo(t), newRepo(t)
	bad.Publish(private(), born.Add(lifetime))
	good.Publish(private(), born.Add(lifetime))
	c := private1(t, bad)
	c.TUF = append(c.TUF, private1(t, good).TUF...)
	bad.Server.Close()
	updates, err := c.Update(t.Context())
	if err != nil || len(updates) != 2 || updates[0].Err == nil || updates[1].Err != nil {
		t.Errorf("found %+v, %v", updates, err)
	}
	if roots, err := c.Load(t.Context()); err == nil {
		t.Errorf("found %v, wanted an error: one instance is missing", names(roots))
	}
}
