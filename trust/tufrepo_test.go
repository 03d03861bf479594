package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/internal/tuftest"
)

// born is when test repositories begin; their metadata lives for a week.
var born = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

const lifetime = tuftest.Lifetime

func newRepo(t testing.TB) *tuftest.Repo {
	t.Helper()
	return tuftest.New(t, born)
}

// trustedRoot makes distinguishable roots of the public-good instance.
func trustedRoot(t testing.TB, mark string) []byte {
	return edit(t, embeddedTrustedRoot, func(m map[string]any) {
		m["timestampAuthorities"].([]any)[0].(map[string]any)["uri"] = "https://tsa.example/" + mark
	})
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// instance of the repository, with a snapshot that was published a month
// before, or without one.
func instanceOf(r *tuftest.Repo, t testing.TB, snapshot bool) *instance {
	t.Helper()
	in := &instance{name: "private.example", url: r.Server.URL, root: r.Get("1.root.json")}
	if snapshot {
		roots, err := Embedded()
		if err != nil {
			t.Fatal(err)
		}
		d := roots.Domains[0]
		d.Date = born.AddDate(0, -1, 0)
		in.name, in.snapshot = PublicGood, &d
	}
	return in
}
