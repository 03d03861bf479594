package audit_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A staging output is no package: its name must not bring a source under an
// exception, nor its version fit a tag, since its content ends up in packages of
// other names.
func TestPolicySourceOfStagingOutputs(t *testing.T) {
	const multi = "recipe: {name: numpy, version: 1.0.0}\n"
	for _, row := range []struct {
		name, recipe                 string
		packages, siblings, versions []string
	}{
		{
			"named like an excepted package",
			multi + "outputs:\n- staging: {name: leftpad}\n  source: {url: 'https://example.org/a.tar.gz'}\n- package: {name: numpy}\n  inherit: leftpad\n",
			[]string{"numpy"},
			[]string{"leftpad"},
			[]string{"1.0.0"},
		},
		{
			"with a version of its own",
			multi + "outputs:\n- staging: {name: build, version: 9.9.9}\n  source: {url: 'https://example.org/a.tar.gz'}\n- package: {name: numpy}\n  inherit: build\n",
			[]string{"numpy"},
			[]string{"build"},
			[]string{"1.0.0"},
		},
		{
			"used by a package, too",
			multi + "source: {url: 'https://example.org/a.tar.gz'}\noutputs:\n- package: {name: leftpad}\n- staging: {name: build}\n- package: {name: numpy}\n  inherit: build\n",
			[]string{"leftpad", "numpy"},
			[]string{"build"},
			[]string{"1.0.0"},
		},
		{
			"a package's own",
			multi + "outputs:\n- staging: {name: build}\n- package: {name: leftpad, version: 2.0.0}\n  source: {url: 'https://example.org/a.tar.gz'}\n- package: {name: numpy}\n",
			[]string{"leftpad"},
			[]string{"build", "numpy"},
			[]string{"2.0.0"},
		},
		{
			"legacy cache",
			"package: {name: numpy, version: 1.0.0}\ncache: {source: {url: 'https://example.org/a.tar.gz'}}\n",
			[]string{"numpy"},
			[]string{"cache"},
			[]string{"1.0.0"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "recipe.yaml")
			if err := os.WriteFile(path, []byte(row.recipe), 0o644); err != nil {
				t.Fatal(err)
			}
			rec, err := recipe.Read(path, recipe.Options{})
			if err != nil {
				t.Fatal(err)
			}
			sources := rec.Sources()
			if len(sources) != 1 {
				t.Fatalf("%d sources", len(sources))
			}
			got := audit.PolicySource(rec, sources[0])
			if diff := cmp.Diff([][]string{row.packages, row.siblings, row.versions}, [][]string{got.Packages, got.Siblings, got.Versions}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
