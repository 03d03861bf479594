package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/recipe-verify/recipe-verify/digest"
)

// committed is the demonstration in the repository.
const committed = "../../testdata"

// load reads the demonstration's files below a folder.
func load(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, name := range owned {
		err := filepath.WalkDir(filepath.Join(dir, name), func(p string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			out[filepath.ToSlash(rel)], err = os.ReadFile(p)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// bundles gives the bundles in an evidence file, as JSON.
func bundles(t *testing.T, name string, content []byte) [][]byte {
	t.Helper()
	switch {
	case strings.HasSuffix(name, ".intoto.jsonl"):
		return bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	case strings.HasSuffix(name, ".sigstore.json"):
		return [][]byte{content}
	}
	var document struct {
		AttestationBundles []struct {
			Attestations []struct {
				Material struct {
					Certificate string
					Entries     json.RawMessage `json:"transparency_entries"`
				} `json:"verification_material"`
				Envelope struct{ Statement, Signature string }
			}
		} `json:"attestation_bundles"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out [][]byte
	for _, group := range document.AttestationBundles {
		for _, a := range group.Attestations {
			b, err := json.Marshal(map[string]any{
				"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
				"verificationMaterial": map[string]any{
					"certificate": map[string]any{"rawBytes": a.Material.Certificate},
					"tlogEntries": a.Material.Entries,
				},
				"dsseEnvelope": map[string]any{
					"payload": a.Envelope.Statement, "payloadType": "application/vnd.in-toto+json",
					"signatures": []any{map[string]any{"sig": a.Envelope.Signature}},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
	}
	return out
}

// verified verifies a bundle with full options for an archive and a signer.
func verified(tr *root.TrustedRoot, document, archive []byte, signer, issuer string) error {
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(document); err != nil {
		return err
	}
	v, err := verify.NewVerifier(tr, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	if err != nil {
		return err
	}
	id, err := verify.NewShortCertificateIdentity(issuer, "", signer, "")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(archive)
	result, err := v.Verify(b, verify.NewPolicy(verify.WithArtifactDigest("sha256", sum[:]), verify.WithCertificateIdentity(id)))
	if err != nil {
		return err
	}
	for _, stamp := range result.VerifiedTimestamps {
		if stamp.Timestamp.After(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
			return errors.New("signed later than the demonstration says")
		}
	}
	return nil
}

const (
	gitHubIssuer = "https://token.actions.githubusercontent.com"
	workflow     = "/.github/workflows/release.yml@"
)

// evidence is what the demonstration's evidence says, file by file.
var evidence = []struct {
	name    string // below internet
	archive string // the archive as the project released it, in releases
	signer  string
	issuer  string
	entries []string // the log entries' kinds of the bundles that list it
}{
	{
		"pypi.org/integrity/harbour-lights/2.4.1/harbour_lights-2.4.1.tar.gz/provenance", "harbour_lights-2.4.1.tar.gz",
		"https://github.com/harbour-lights/harbour-lights" + workflow + "refs/tags/v2.4.1", gitHubIssuer,
		[]string{"dsse 0.0.1", "dsse 0.0.1"},
	},
	{
		"pypi.org/integrity/lagoon/0.7.2/lagoon-0.7.2.tar.gz/provenance", "lagoon-0.7.2.tar.gz",
		"https://github.com/lagoon-project/lagoon" + workflow + "refs/tags/v0.7.2", gitHubIssuer,
		[]string{"dsse 0.0.1"},
	},
	{
		"pypi.org/integrity/lagoon-tides/0.7.2/lagoon_tides-0.7.2.tar.gz/provenance", "lagoon_tides-0.7.2.tar.gz",
		"https://gitlab.com/lagoon/tools/tides//.gitlab-ci.yml@refs/tags/v0.7.2", "https://gitlab.com",
		[]string{"dsse 0.0.1"},
	},
	{
		"pypi.org/integrity/breakwater/1.1.0/breakwater-1.1.0.tar.gz/provenance", "breakwater-1.1.0.tar.gz",
		"https://github.com/tidewater/breakwater" + workflow + "refs/tags/v1.1.0", gitHubIssuer,
		[]string{"dsse 0.0.1"},
	},
	{
		"github.com/tidewater/anchor/releases/download/v1.9.0/anchor-1.9.0.tar.gz.sigstore.json", "anchor-1.9.0.tar.gz",
		"https://github.com/tidewater/anchor" + workflow + "refs/tags/v1.9.0", gitHubIssuer,
		[]string{"hashedrekord 0.0.2"},
	},
	{
		"github.com/lagoon-project/charts/releases/download/v3.1.0/charts-3.1.0.intoto.jsonl", "charts-3.1.0.tar.gz",
		"https://github.com/lagoon-project/charts" + workflow + "refs/tags/v3.1.0", gitHubIssuer,
		[]string{"hashedrekord 0.0.2"},
	},
}

// original is an archive as its project released it, read from the folder, or
// made anew where the one that is served was replaced.
func original(t *testing.T, files map[string][]byte, name string) []byte {
	t.Helper()
	for _, r := range releases() {
		if r.name != name {
			continue
		}
		if r.replaced == nil {
			return files["internet/"+r.addresses[0]]
		}
		content, err := r.files.archive(r.prefix())
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	t.Fatalf("found no release %q", name)
	return nil
}

func TestEvidenceVerifies(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "fresh")
	if err := Write(fresh); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"committed": committed, "fresh": fresh} {
		files := load(t, dir)
		tr, err := root.NewTrustedRootFromJSON(files["trusted-root.json"])
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range evidence {
			t.Run(name+"/"+e.archive, func(t *testing.T) {
				archive := original(t, files, e.archive)
				var entries []string
				var last error
				for _, b := range bundles(t, e.name, files["internet/"+e.name]) {
					if last = verified(tr, b, archive, e.signer, e.issuer); last == nil {
						entries = append(entries, kind(t, b))
					}
				}
				if diff := cmp.Diff(e.entries, entries); diff != "" {
					t.Errorf("bundles that verify (-want +got):\n%s\nlast error: %v", diff, last)
				}
			})
		}
	}
}

func kind(t *testing.T, document []byte) string {
	t.Helper()
	var b struct {
		VerificationMaterial struct {
			TlogEntries []struct {
				KindVersion struct{ Kind, Version string }
			}
		}
	}
	if err := json.Unmarshal(document, &b); err != nil {
		t.Fatal(err)
	}
	k := b.VerificationMaterial.TlogEntries[0].KindVersion
	return k.Kind + " " + k.Version
}

// TestEvidenceIsComplete: no evidence lies in the folder without a row above,
// and the root's windows have no end.
func TestEvidenceIsComplete(t *testing.T) {
	files := load(t, committed)
	var want, got []string
	for _, e := range evidence {
		want = append(want, "internet/"+e.name)
	}
	for name := range files {
		if strings.HasPrefix(name, "internet/") && !strings.HasSuffix(name, ".tar.gz") {
			got = append(got, name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if bytes.Contains(files["trusted-root.json"], []byte(`"end"`)) {
		t.Error("a window of the trusted root has an end, want the demonstration to be good for ever")
	}
}

var pinned = regexp.MustCompile(`sha256: ([0-9a-f]{64})`)

// TestPins compares each recipe's pins with the archives that are served.
func TestPins(t *testing.T) {
	files := load(t, committed)
	served := map[string]bool{}
	for name, content := range files {
		if strings.HasPrefix(name, "internet/") {
			served[hex(content)] = true
		}
	}
	tests := map[string]struct {
		pins   int
		served bool
	}{
		"pypi": {1, true}, "github-release": {1, true}, "several": {4, true},
		"wrong-publisher": {1, true}, "no-block": {1, true},
		"tampered": {1, false},
	}
	recipes := 0
	for name := range files {
		if path.Base(name) == "recipe.yaml" {
			recipes++
		}
	}
	if recipes != len(tests) {
		t.Errorf("got %d recipes, want %d", recipes, len(tests))
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pins := pinned.FindAllSubmatch(files["recipes/"+name+"/recipe.yaml"], -1)
			if len(pins) != tt.pins {
				t.Errorf("got %d pins, want %d", len(pins), tt.pins)
			}
			for _, pin := range pins {
				if served[string(pin[1])] != tt.served {
					t.Errorf("an archive of %s is served: %t, want %t", pin[1], !tt.served, tt.served)
				}
			}
		})
	}
	breakwater := original(t, files, "breakwater-1.1.0.tar.gz")
	if pin := pinned.FindSubmatch(files["recipes/tampered/recipe.yaml"]); string(pin[1]) != hex(breakwater) {
		t.Errorf("the tampered recipe pins %s, want the archive that the project released, %s", pin[1], hex(breakwater))
	}
	if now := files["internet/pypi.org/packages/source/b/breakwater/breakwater-1.1.0.tar.gz"]; len(now) == 0 || bytes.Equal(now, breakwater) {
		t.Error("the tampered archive is the one that the project released")
	}
}

func hex(content []byte) string { return digest.SHA256(sha256.Sum256(content)).String() }

// TestCommittedIsCurrent: what is committed has the files that the generator
// makes, and their hand-written text. Keys differ, and pins may, since another
// release of Go may compress otherwise.
func TestCommittedIsCurrent(t *testing.T) {
	made, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	files := load(t, committed)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files: run go generate ./internal/demo (-generator +committed):\n%s", diff)
	}
	for name, content := range made {
		if ext := path.Ext(name); ext != ".yaml" && ext != ".md" {
			continue
		}
		want := pinned.ReplaceAllString(string(content), "sha256: PIN")
		got := pinned.ReplaceAllString(string(files[name]), "sha256: PIN")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: run go generate ./internal/demo (-generator +committed):\n%s", name, diff)
		}
	}
}

// TestWriteKeepsOthers: the generator empties its own parts of testdata alone.
func TestWriteKeepsOthers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"other/file", "internet/old.example/file"} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "other", "file")); err != nil {
		t.Errorf("a file that is not the generator's: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "internet", "old.example")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an old file of the generator's: got %v, want it to be gone", err)
	}
}

func TestArchivesAreReproducible(t *testing.T) {
	for _, r := range releases() {
		one, err := r.files.archive(r.prefix())
		if err != nil {
			t.Fatal(err)
		}
		two, err := r.files.archive(r.prefix())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%s differs between two runs", r.name)
		}
		if len(one) > 1000 {
			t.Errorf("%s has %d bytes, want a few hundred", r.name, len(one))
		}
	}
}
