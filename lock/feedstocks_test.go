package lock_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/recipe"
)

var version = regexp.MustCompile(`(?m)^(  version: )["']?[0-9][0-9A-Za-z.]*["']?[ \t]*$`)

// A bump leaves the names of real recipes' sources as they are, if that of every
// URL source were locked.
func TestNamesOfRealRecipesOutliveVersions(t *testing.T) {
	// A version of tzdata has a letter (2025b) and the bumped one has none; the
	// sources of jupyterlab_widgets are others from version 2 on.
	exceptions := []string{"jupyterlab_widgets", "tzdata"}
	paths, err := filepath.Glob(filepath.Join(shared.Path(t, "recipes", "feedstocks"), "*", "recipe.yaml"))
	if err != nil || len(paths) < 2000 {
		t.Fatalf("%d recipes, %v", len(paths), err)
	}
	var compared, sources atomic.Int64
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		if raceEnabled && i%10 != 0 { // every tenth: there the detector has seen all of the code
			continue
		}
		group.Go(func() error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			before := names(t, path, data)
			sources.Add(int64(len(before)))
			bumped := version.ReplaceAll(data, []byte(`${1}"987.65.4"`))
			if bytes.Equal(bumped, data) {
				return nil
			}
			compared.Add(1)
			after := names(t, path, bumped)
			if name := filepath.Base(filepath.Dir(path)); !slices.Equal(before, after) && !slices.Contains(exceptions, name) {
				t.Errorf("%s: before %q, bumped %q", name, before, after)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if least := int64(len(paths) - 100); !raceEnabled && (compared.Load() < least || sources.Load() < least) {
		t.Errorf("compared %d recipes, %d sources", compared.Load(), sources.Load())
	}
}

// names are those of all URL sources of a recipe, each once.
func names(t *testing.T, path string, data []byte) []string {
	r, err := recipe.Parse(path, data, recipe.Options{TargetPlatforms: []string{recipe.AllPlatforms}})
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return nil
	}
	var list []lock.Source
	for _, s := range r.Sources() {
		if s.Kind != recipe.URLSource {
			continue
		}
		l := lock.Source{Pos: s.Pos}
		for _, u := range s.URLs {
			l.URLs = append(l.URLs, u.Value)
		}
		list = append(list, l)
	}
	got, err := lock.Names(list)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return slices.Compact(slices.Sorted(slices.Values(got)))
}
