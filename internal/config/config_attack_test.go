package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/config"
)

func read(t testing.TB, text string) (*config.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), config.FileName)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return config.Read(path)
}

// A rule that is written is enforced, or the file is refused: nothing of it is
// passed over.
func TestNothingOfTheFileIsPassedOver(t *testing.T) {
	for name, text := range map[string]string{
		"second document":      "offline: true\n---\nrequire_attestations: true\n",
		"empty first document": "---\n---\nrequire_attestations: true\n",
		"unknown key":          "require_attestation: true\n",
		"key in other case":    "Require_Attestations: true\n",
		"key twice":            "require_attestations: true\nrequire_attestations: false\n",
		"merge key":            "<<: {require_attestations: true}\n",
		"alias":                "offline: &a true\nrequire_attestations: *a\n",
		"unknown key of trust": "trust: {root: [x]}\n",
		"yes":                  "require_attestations: yes\n",
		"list":                 "- require_attestations: true\n",
		"roots as a string":    "trust: {roots: x}\n",
		"empty root":           "trust: {roots: ['']}\n",
		"match of none":        "match: none\n",
		"half a mirror":        "mirrors: [{from: 'https://x'}]\n",
		"not YAML after it":    "require_attestations: true\n---\n}\n",
		"nested":               strings.Repeat("[", 20000),
		"too large":            "#" + strings.Repeat("x", 1<<20),
		"null":                 "null\n",
	} {
		_, err := read(t, text)
		var fault *config.Error
		if !errors.As(err, &fault) {
			t.Errorf("%s: error %v, wanted *config.Error", name, err)
		}
	}
	f, err := read(t, "# why\n---\nrequire_attestations: true\n")
	if err != nil || !f.RequireAttestations {
		t.Errorf("one document: %+v, error %v", f, err)
	}
	if _, err := read(t, "# nothing but words\n"); err != nil {
		t.Errorf("no document: error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "---", "--- \n...", "%YAML 1.1\n---\n", "trust: {roots: [a]}", "? a\n: b", "!!binary x", "&a [*a]", "a: &a {<<: *a}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		_, _ = read(t, text)
	})
}
