// Package demo makes the demonstration in testdata: recipes of fictional
// projects, the archives and the evidence that they need, and the trusted root
// of the Sigstore instance that signed it. The instance's keys are thrown away
// with the process, so each run makes a new set.
//
// The package is for the generator and its test alone; it must not get into the
// command.
package demo

//go:generate go run ./gen ../../testdata

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

//go:embed files
var templates embed.FS

// Dates of the fictional instance and its bundles. They lie in the past of
// whoever runs the demonstration.
var (
	instanceStart = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	// lifetime of the authorities' certificates. Evidence is judged at the
	// time when it was signed, so it needn't cover today.
	lifetime = 50 * 365 * 24 * time.Hour
)

// Files makes the demonstration: the content of each file by its slash-separated
// path below testdata.
func Files() (map[string][]byte, error) {
	s := sigstoretest.New(sigstoretest.Options{
		Now:      func() time.Time { return instanceStart },
		Start:    instanceStart,
		Lifetime: lifetime,
		Domain:   "sigstore.demonstration.example",
	})
	out := map[string][]byte{"trusted-root.json": s.TrustedRootJSON()}
	pins := map[string]string{}
	for _, r := range releases() {
		content, err := r.files.archive(r.prefix())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		served := content
		if r.replaced != nil {
			if served, err = r.replaced.archive(r.prefix()); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
		pins[r.name] = digest.SHA256(sha256.Sum256(content)).String()
		for _, address := range r.addresses {
			out["internet/"+address] = served
		}
		if r.evidence != "" {
			out["internet/"+r.evidence] = r.sign(s, r.name, content)
		}
	}
	return out, expand(out, pins)
}

// expand adds the files that are written by hand, with the pins filled in.
func expand(out map[string][]byte, pins map[string]string) error {
	pin := func(name string) (string, error) {
		if p, ok := pins[name]; ok {
			return p, nil
		}
		return "", fmt.Errorf("found no archive %q, wanted one of %q", name, slices.Sorted(maps.Keys(pins)))
	}
	return fs.WalkDir(templates, "files", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		// Recipes have braces of their own.
		t, err := template.New(path.Base(name)).Delims("<<", ">>").Funcs(template.FuncMap{"sha256": pin}).Parse(string(text))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		out[strings.TrimPrefix(name, "files/")] = b.Bytes()
		return nil
	})
}

// owned are the parts of testdata that the generator makes, and empties before
// it does.
var owned = []string{"recipes", "internet", "trusted-root.json", "recipe-verify.yaml", "organisation.yaml", "README.md"}

// Write replaces the demonstration in a folder, and leaves everything else in
// it alone.
func Write(dir string) error {
	files, err := Files()
	if err != nil {
		return err
	}
	for _, name := range owned {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
