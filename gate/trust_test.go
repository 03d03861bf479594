package gate_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/tuftest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// The time-out of a request is no default for an attempt to refresh trust, which
// has something to fall back on; one that was chosen is.
func TestTrustTimeout(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		0: 0, fetch.DefaultTimeout: 0, time.Second: time.Second, 2 * time.Minute: 2 * time.Minute,
	} {
		c := gate.Options{Timeout: given, Offline: true, CacheDir: "x", Trust: trust.Config{Timeout: time.Hour}}.TrustConfig()
		if c.Timeout != want || !c.Offline || c.CacheDir != "x" {
			t.Errorf("with %s: found %+v, wanted %s", given, c, want)
		}
	}
}

// privateTUF makes the instance that signed the archives one that publishes its
// root by TUF.
func (u *upstream) privateTUF(t *testing.T) (*tuftest.Repo, gate.Options) {
	t.Helper()
	root, err := os.ReadFile(u.root)
	if err != nil {
		t.Fatal(err)
	}
	repo := tuftest.New(t, time.Now().Add(-time.Hour))
	repo.Publish(root, time.Now().Add(tuftest.Lifetime))
	anchor := filepath.Join(t.TempDir(), "root.json")
	if err := os.WriteFile(anchor, repo.Get("1.root.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := u.options()
	o.CacheDir = t.TempDir()
	o.Trust = trust.Config{TUF: []trust.TUFRepository{{URL: repo.Server.URL, RootPath: anchor}}}
	return repo, o
}

func TestTrustByTUF(t *testing.T) {
	u := newUpstream(t)
	repo, o := u.privateTUF(t)
	path := u.recipe(t, block)
	if _, err := gate.Verify(context.Background(), path, o); err != nil {
		t.Error(err)
	}
	asked := repo.Requests.Load()
	if _, err := gate.Verify(context.Background(), path, o); err != nil || repo.Requests.Load() != asked {
		t.Errorf("the second run made %d requests, error %v", repo.Requests.Load()-asked, err)
	}
}

// A repository that hangs makes nothing verified, and nobody wait for long.
func TestTrustRepositoryHangs(t *testing.T) {
	u := newUpstream(t)
	repo, o := u.privateTUF(t)
	repo.Server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	o.Timeout = 300 * time.Millisecond
	begin := time.Now()
	report, err := gate.Verify(context.Background(), u.recipe(t, block), o)
	if err == nil || report.Results[0].Verdict != audit.Unavailable || report.Summary.Status != audit.StatusUnavailable {
		t.Errorf("found %+v, error %v", report.Results, err)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}
