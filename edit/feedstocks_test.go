package edit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// wantedFeedstocks is how many real recipes there are, so that none is lost unnoticed.
const wantedFeedstocks = 2112

// feedstocks reads all real recipes.
func feedstocks(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(shared.Path(t, "recipes", "feedstocks"), "*", "recipe.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != wantedFeedstocks {
		t.Fatalf("found %d recipes, wanted %d", len(paths), wantedFeedstocks)
	}
	files := map[string][]byte{}
	for _, p := range paths {
		if files[p], err = os.ReadFile(p); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// urlSources finds the mappings of all URL sources that a recipe writes down,
// whether or not any platform uses them.
func urlSources(n *yaml.Node, inSource bool) []*yaml.Node {
	var list []*yaml.Node
	if n.Kind == yaml.MappingNode && inSource && value(n, "url") != nil {
		return append(list, n)
	}
	for i, c := range n.Content {
		below := inSource
		if n.Kind == yaml.MappingNode {
			key := n.Content[i&^1].Value
			below = i%2 == 1 && (key == "source" || inSource && (key == "then" || key == "else"))
		}
		list = append(list, urlSources(c, below)...)
	}
	return list
}

func value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func sourcesOf(t testing.TB, path string, data []byte) []*yaml.Node {
	t.Helper()
	root, err := recipe.Tree(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return urlSources(root, false)
}

func pos(n *yaml.Node) recipe.Position { return recipe.Position{Line: n.Line, Column: n.Column} }

// onlyAdded gives the lines that were added, and whether all others are there
// in their order, byte for byte.
func onlyAdded(before, after []byte) (added []string, ok bool) {
	rest := slices.Collect(bytes.Lines(before))
	for line := range bytes.Lines(after) {
		if len(rest) > 0 && bytes.Equal(rest[0], line) {
			rest = rest[1:]
			continue
		}
		added = append(added, string(line))
	}
	return added, len(rest) == 0
}

// A block is added to every URL source of every real recipe: line by line
// nothing else differs, and the evaluated sources are the same plus the block.
func TestBlocksInAllFeedstocks(t *testing.T) {
	total, unpinned := 0, 0
	for path, data := range feedstocks(t) {
		sources := sourcesOf(t, path, data)
		var changes []edit.Change
		pinned := true
		for _, n := range sources {
			pinned = pinned && value(n, "sha256") != nil
			changes = append(changes, edit.Change{Source: pos(n), Add: []edit.Field{{"attestation", []edit.Field{
				{"publishers", []any{"github:owner/repo"}},
				{"bundle_url", "https://example.org/${{ 'a' }}.sigstore.json"},
			}}}})
		}
		total += len(changes)
		after, err := edit.Apply(path, data, changes)
		if err != nil {
			t.Error(err)
			continue
		}
		added, ok := onlyAdded(data, after)
		if !ok {
			t.Errorf("%s: lines were changed:\n%s", path, edit.Diff("recipe.yaml", data, after))
			continue
		}
		if want := 4 * len(changes); len(added) != want {
			t.Errorf("%s: %d lines were added, wanted %d: %q", path, len(added), want, added)
		}
		if d := edit.Diff("recipe.yaml", data, after); strings.Contains(d, "\n-") {
			t.Errorf("%s: the diff shows more than added lines:\n%s", path, d)
		}
		if !pinned { // and a block demands a sha256 beside it
			unpinned++
			continue
		}
		sameSources(t, path, data, after)
	}
	t.Logf("%d sources; %d recipes have one without sha256", total, unpinned)
	if total < 2000 || unpinned > 20 {
		t.Errorf("%d URL sources, and %d recipes without sha256: those cannot be all", total, unpinned)
	}
}

// sameSources demands that two texts evaluate to the same sources, but for a
// block that each URL source of the second has.
func sameSources(t *testing.T, path string, before, after []byte) {
	t.Helper()
	o := recipe.Options{TargetPlatforms: []string{"linux-64", "win-64"}, BuildPlatform: "linux-64", Lenient: true}
	a, errA := recipe.Parse(path, before, o)
	b, errB := recipe.Parse(path, after, o)
	if errA != nil || errB != nil {
		if errA == nil || errB == nil {
			t.Errorf("%s: before %v, after %v", path, errA, errB)
		}
		return
	}
	var blocks int
	for i := range b.Outputs {
		for j := range b.Outputs[i].Sources {
			s := &b.Outputs[i].Sources[j]
			if s.Kind != recipe.URLSource || s.Attestation == nil {
				continue
			}
			blocks++
			if p := s.Attestation.Publishers; len(p) != 1 || p[0].Text != "github:owner/repo" || len(s.Attestation.BundleURLs) != 1 {
				t.Errorf("%s: block %+v", path, s.Attestation)
			}
			s.Attestation = nil
		}
	}
	for _, o := range a.Outputs {
		for _, s := range o.Sources {
			if s.Kind == recipe.URLSource {
				blocks--
			}
		}
	}
	if blocks != 0 {
		t.Errorf("%s: %d blocks more than URL sources", path, blocks)
	}
	places := cmpopts.IgnoreTypes(recipe.Position{})
	errors := cmpopts.IgnoreFields(recipe.Source{}, "Err")
	if d := cmp.Diff(a.Outputs, b.Outputs, places, errors, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s: sources differ:\n%s", path, d)
	}
}

// Every URL source of every real recipe becomes one of a path: nothing but lines
// of those sources goes.
func TestPathsInAllFeedstocks(t *testing.T) {
	gone := []string{"url", "sha256", "md5", "file_name", "attestation"}
	for path, data := range feedstocks(t) {
		sources := sourcesOf(t, path, data)
		var changes []edit.Change
		for _, n := range sources {
			changes = append(changes, edit.Change{Source: pos(n), Remove: gone, Add: []edit.Field{
				{"path", "archives/${{ version }}.tar.gz"}, {"sha256", strings.Repeat("0a", 32)},
			}})
		}
		after, err := edit.Apply(path, data, changes)
		if err != nil {
			t.Error(err)
			continue
		}
		// What goes is in the lines of the sources, from the first key to the
		// last value; below are the lines before the first and behind the last.
		if len(sources) == 0 {
			if !bytes.Equal(data, after) {
				t.Errorf("%s: changed without a change", path)
			}
			continue
		}
		lines, result := bytes.SplitAfter(data, []byte("\n")), bytes.SplitAfter(after, []byte("\n"))
		for i := range sources[0].Line - 1 {
			if !bytes.Equal(lines[i], result[i]) {
				t.Errorf("%s:%d: changed", path, i+1)
			}
		}
		comments := func(data []byte) int { return bytes.Count(data, []byte("#")) }
		if before, now := comments(data), comments(after); now > before {
			t.Errorf("%s: %d comments, were %d", path, now, before)
		}
		root, err := recipe.Tree(path, after)
		if err != nil {
			t.Error(err)
			continue
		}
		if left := urlSources(root, false); len(left) != 0 {
			t.Errorf("%s: %d sources with a URL are left", path, len(left))
		}
	}
}
