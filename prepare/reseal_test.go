package prepare

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/trust"
)

// reseal makes prepared.json fit what the folder holds, as somebody would who can
// write all of it.
func reseal(t *testing.T, dir string, change func(*Manifest)) {
	t.Helper()
	path := filepath.Join(dir, manifestName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range m.Files {
		content, err := os.ReadFile(join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		s := sumOf(content)
		m.Files[i].SHA256, m.Files[i].Size = s.sha256.String(), s.size
	}
	change(&m)
	if data, err = m.encode(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Somebody who writes prepared.json too cannot have a recipe pass that is not what
// follows from the original and its evidence; and whoever rewrites all of it is
// found by the digest.
func TestResealed(t *testing.T) {
	const demo = "../testdata"
	mirror, err := fetch.NewMirror("https://", demo+"/internet")
	if err != nil {
		t.Fatal(err)
	}
	options := gate.Options{Offline: true, NoHistory: true, Mirrors: []fetch.Mirror{mirror}, Trust: trust.Config{Roots: trust.RootFiles(demo + "/trusted-root.json")}}
	edit := func(name, old, now string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			data, err := os.ReadFile(join(dir, name))
			if err != nil || !bytes.Contains(data, []byte(old)) {
				t.Fatalf("%q is not in %s, %v", old, name, err)
			}
			if err := os.WriteFile(join(dir, name), bytes.Replace(data, []byte(old), []byte(now), 1), 0o600); err != nil {
				t.Fatal(err)
			}
			reseal(t, dir, func(*Manifest) {})
		}
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		passes bool // without the digest
	}{
		"another source in the recipe": {change: edit("recipe.yaml", "path: archives/", "url: https://example.org/archives/")},
		"another script in the recipe": {change: edit("recipe.yaml", "number: 0", "number: 1")},
		"no source in the recipe":      {change: edit("recipe.yaml", "sha256: 72aa", "sha256: 82aa")},
		"another list of what was verified": {
			change: edit("attestations/verified.json", "github.com/harbour-lights", "github.com/harbour-nights"),
		},
		"another publisher in the manifest": {change: func(t *testing.T, dir string) {
			reseal(t, dir, func(m *Manifest) { m.Sources[0].Publishers = []string{"github:somebody/else"} })
		}},
		"a source less in the manifest": {change: func(t *testing.T, dir string) { reseal(t, dir, func(m *Manifest) { m.Sources = nil }) }},
		"a path that leads out": {change: func(t *testing.T, dir string) {
			reseal(t, dir, func(m *Manifest) { m.Files[0].Path = "../" + m.Files[0].Path })
		}},
		"another publisher in the original": {
			change: edit("attestations/original-recipe.yaml", "github:harbour-lights/", "github:harbour-nights/"),
		},
		"a file of the recipe's folder": {change: edit(".gitignore", "archives", "archive"), passes: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "x")
			p, err := Prepare(context.Background(), demo+"/recipes/pypi", dir, Options{Gate: options})
			if err != nil {
				t.Fatal(err)
			}
			c.change(t, dir)
			report, err := Verify(context.Background(), dir, VerifyOptions{Gate: options})
			if (err == nil) != c.passes || err != nil && report.Summary.Status == audit.StatusOK {
				t.Errorf("without the digest: found %v, status %d", err, report.Summary.Status)
			}
			_, err = Verify(context.Background(), dir, VerifyOptions{Gate: options, Digest: &p.Digest})
			if err == nil || !strings.Contains(err.Error(), "not the one that was made") {
				t.Errorf("with the digest: found %v", err)
			}
		})
	}
}
