package recipe_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// What lies beside a recipe that is not where its path says is read in
// Options.Folder, and nowhere else.
func TestFolder(t *testing.T) {
	named, held := t.TempDir(), t.TempDir()
	for dir, who := range map[string]string{named: "named", held: "held"} {
		for name, content := range map[string]string{"variants.yaml": "host: [" + who + "]\n", "data.json": `{"file": "` + who + `.tar.gz"}`} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := "context:\n  file: ${{ load_from_file('data.json').file }}\npackage: {name: x, version: 1}\n" +
		"source: {url: 'https://${{ host }}.example/${{ file }}'}\n"
	for _, c := range []struct{ name, folder, want string }{
		{"the path's own", "", "https://named.example/named.tar.gz"},
		{"another", held, "https://held.example/held.tar.gz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(named, "recipe.yaml")
			rec, err := recipe.Parse(path, []byte(text), recipe.Options{TargetPlatforms: []string{"linux-64"}, Folder: c.folder})
			if err != nil {
				t.Fatal(err)
			}
			s := rec.Sources()[0]
			if diff := cmp.Diff([]string{c.want, path}, []string{s.URLs[0].Value, s.Pos.File}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if err := os.WriteFile(filepath.Join(held, "variants.yaml"), []byte("host: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := recipe.Parse(filepath.Join(named, "recipe.yaml"), []byte(text), recipe.Options{Folder: held})
	if faults := recipe.AllFaults(err); len(faults) != 1 || faults[0].Pos.File != filepath.Join(named, "variants.yaml") {
		t.Errorf("a fault of a variant file: %v, wanted it to name the path's folder", err)
	}
}
