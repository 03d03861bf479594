package edit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// seedRecipes adds texts to begin with: forms of this package's tests, and real
// recipes where they are at hand.
func seedRecipes(f *testing.F) {
	for _, s := range []string{
		"source:\n  url: a\n  sha256: b # c\n\nbuild:\n",
		"source:\r\n- url:\r\n  - a\r\n  - 'b'\r\n- {url: \"c\", md5: }\r\n",
		"source: {\n url: [a, {b: c}], # d\n}\n",
		"source:\n  - if: unix\n    then:\n      url: |+\n\n       a\n\n    else:\n      - url: >2-\n          b\n        # c\n      # d\n...\n",
		"\ufeffsource:\n  ? url\n  : a\n",
		"\xff\xfes\x00:\x00\n\x00 \x00u\x00:\x00a\x00",
		"source: [url: a, {? b, c}]\n",
		"- # c\n -\n\n  a: 'b\n\n  c'\n  d: e\n\n   f\n# g\n---\n",
	} {
		f.Add([]byte(s), uint8(0))
	}
	root := filepath.Join("..", "..", "shared", "recipes", "feedstocks")
	if _, err := os.Stat(root); err != nil && os.Getenv(shared.RequireVariable) != "1" {
		return
	}
	paths, err := filepath.Glob(filepath.Join(shared.Path(f, "recipes", "feedstocks"), "*", "recipe.yaml"))
	if err != nil || len(paths) == 0 {
		f.Fatal("found no recipes", err)
	}
	for i := 0; i < len(paths); i += 40 {
		data, err := os.ReadFile(paths[i])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(i))
	}
}

// below gathers all mappings of a tree that hold something.
func below(n *yaml.Node) []*yaml.Node {
	var list []*yaml.Node
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		list = append(list, n)
	}
	for _, c := range n.Content {
		list = append(list, below(c)...)
	}
	return list
}

// subsequence tells whether some bytes are left of others when bytes are taken
// away.
func subsequence(part, whole []byte) bool {
	for _, c := range whole {
		if len(part) > 0 && part[0] == c {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// Whatever is in a file, and whichever of its mappings are added to: the result
// holds every byte of it in order, and in block style every line, or there is an
// error and no result. The same for what is taken away: nothing is added.
func FuzzApply(f *testing.F) {
	seedRecipes(f)
	f.Fuzz(func(t *testing.T, data []byte, pick uint8) {
		if len(data) > 64<<10 {
			return
		}
		root, err := recipe.Tree("r", data)
		if err != nil {
			if got, err := edit.Apply("r", data, nil); err == nil {
				t.Fatalf("no error for what cannot be read, but %q", got)
			}
			return
		}
		var changes, removals []edit.Change
		flow := false
		for i, n := range below(root) {
			if pick > 0 && i%int(pick) != 0 {
				continue
			}
			flow = flow || n.Style&yaml.FlowStyle != 0
			changes = append(changes, edit.Change{Source: pos(n), Add: []edit.Field{{"ADDED", []edit.Field{{"x", []any{"${{ a }}"}}}}}})
			if len(n.Content) > 2 && len(removals) == 0 {
				removals = append(removals, edit.Change{Source: pos(n), Remove: []string{n.Content[2*(int(pick)%(len(n.Content)/2))].Value}})
			}
		}
		got, err := edit.Apply("r", data, changes)
		if err == nil {
			checkAdded(t, data, got, len(changes), flow)
		} else if got != nil {
			t.Fatalf("an error and a result: %v", err)
		}
		if got, err := edit.Apply("r", data, removals); err == nil && !subsequence(got, data) {
			t.Fatalf("a key was removed, and something added:\n%q\n%q", data, got)
		}
	})
}

func checkAdded(t *testing.T, data, got []byte, changes int, flow bool) {
	t.Helper()
	if !subsequence(data, got) {
		t.Fatalf("bytes are gone:\n%q\n%q", data, got)
	}
	root, err := recipe.Tree("r", got)
	if err != nil {
		t.Fatalf("result cannot be read: %v", err)
	}
	found := 0
	for _, n := range below(root) {
		if last := n.Content[len(n.Content)-2]; last.Value == "ADDED" {
			found++
		}
	}
	if found < changes {
		t.Fatalf("%d of %d were added:\n%q", found, changes, got)
	}
	if flow || bytes.ContainsAny(data, "\r\x00") || len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		return // not of lines alone
	}
	if _, ok := onlyAdded(data, got); !ok {
		t.Fatalf("lines were changed:\n%q\n%q", data, got)
	}
	if d := edit.Diff("r", data, got); slices.ContainsFunc(strings.Split(d, "\n"), func(l string) bool {
		return strings.HasPrefix(l, "-") && l != "--- a/r"
	}) {
		t.Fatalf("the diff removes lines:\n%s", d)
	}
}

// Diff is of any bytes.
func FuzzDiff(f *testing.F) {
	f.Add("r", []byte("a\nb\n"), []byte("a\nc\nb"))
	f.Add("a\nb", []byte("\xff\xfea\x00"), []byte(""))
	f.Fuzz(func(t *testing.T, name string, before, after []byte) {
		d := edit.Diff(name, before, after)
		if bytes.Equal(before, after) && d != "" {
			t.Fatalf("equal texts differ: %q", d)
		}
		header, _, _ := strings.Cut(d, "\n@@")
		if d != "" && strings.Count(header, "\n") != 1 {
			t.Fatalf("header of %q: %q", name, header)
		}
	})
}
