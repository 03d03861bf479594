package architecture

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// docs/dependencies.md lists every direct dependency, and no others.
func TestEveryDependencyHasAReason(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(top, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) > 2 && strings.Contains(cells[1], "/") {
			listed[strings.Fields(cells[1])[0]] = true
		}
	}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		if !listed[r.Mod.Path] {
			t.Errorf("%s has no reason in docs/dependencies.md", r.Mod.Path)
		}
		delete(listed, r.Mod.Path)
	}
	for path := range listed {
		t.Errorf("docs/dependencies.md lists %s, which is no direct dependency", path)
	}
}
