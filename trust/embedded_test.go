package trust

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/recipe-verify/recipe-verify/internal/shared"
)

func TestEmbedded(t *testing.T) {
	roots, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	snap, err := EmbeddedSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	embedded().check(t, roots, err)
	d := roots.Domains[0]
	if d.Name != PublicGood || d.Date != snap.Published || d.Date.IsZero() {
		t.Errorf("found %q of %s", d.Name, d.Date)
	}
	// The 2025 shard of Rekor v2, and the authority whose stamps it needs.
	if !slices.Contains(logURLs(d.Root), "https://log2025-1.rekor.sigstore.dev") {
		t.Errorf("found logs %q, wanted the Rekor v2 shard log2025-1", logURLs(d.Root))
	}
	if len(d.Root.TimestampingAuthorities()) == 0 {
		t.Error("found no time-stamp authority")
	}
}

func logURLs(tr *root.TrustedRoot) []string {
	var urls []string
	for _, l := range tr.RekorLogs() {
		urls = append(urls, l.BaseURL)
	}
	return urls
}

// TestProvenance checks the record beside the snapshot, and that the TUF root
// is one that the keys in sigstore-go, which came by another way, vouch for.
func TestProvenance(t *testing.T) {
	s, err := EmbeddedSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	if sum(embeddedTrustedRoot) != s.TrustedRootSHA256 || sum(embeddedTUFRoot) != s.TUFRootSHA256 {
		t.Error("the files are not those that snapshot.json records; run: go generate ./trust")
	}
	if s.Package != "@sigstore/tuf" || s.Version == "" || s.License != "Apache-2.0" || s.Instance != tuf.DefaultMirror {
		t.Errorf("found %+v", s)
	}
	older, err := metadata.Root().FromBytes(tuf.DefaultRoot())
	if err != nil {
		t.Fatal(err)
	}
	found, err := metadata.Root().FromBytes(embeddedTUFRoot)
	if err != nil {
		t.Fatal(err)
	}
	if found.Signed.Version != s.TUFRootVersion || !found.Signed.Expires.Equal(s.TUFRootExpires) {
		t.Errorf("found TUF root %d until %s", found.Signed.Version, found.Signed.Expires)
	}
	if found.Signed.Version < older.Signed.Version {
		t.Errorf("found TUF root %d, sigstore-go has %d; run: go generate ./trust", found.Signed.Version, older.Signed.Version)
	}
	if err := older.VerifyDelegate(metadata.ROOT, found); err != nil {
		t.Error(err)
	}
}

// TestSnapshotIsCurrent compares with a root taken from the instance itself:
// the snapshot has the same content, or more.
func TestSnapshotIsCurrent(t *testing.T) {
	data, err := os.ReadFile(shared.Path(t, "trust", "public-good.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(data, embeddedTrustedRoot) {
		return
	}
	want, err := root.NewTrustedRootFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	found, err := root.NewTrustedRootFromJSON(embeddedTrustedRoot)
	if err != nil {
		t.Fatal(err)
	}
	for _, logs := range [][2]map[string]*root.TransparencyLog{{want.RekorLogs(), found.RekorLogs()}, {want.CTLogs(), found.CTLogs()}} {
		for _, id := range slices.Collect(maps.Keys(logs[0])) {
			if logs[1][id] == nil {
				t.Errorf("the snapshot lacks the log %s; run: go generate ./trust", id)
			}
		}
	}
	if len(found.FulcioCertificateAuthorities()) < len(want.FulcioCertificateAuthorities()) ||
		len(found.TimestampingAuthorities()) < len(want.TimestampingAuthorities()) {
		t.Error("the snapshot lacks an authority; run: go generate ./trust")
	}
}
