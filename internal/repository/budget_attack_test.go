package repository_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the checksum of git's own format
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/internal/repository"
)

// indexOf gives a git index of version 2 that says it has claimed entries, and
// has those of the names.
func indexOf(claimed uint32, names ...string) []byte {
	var b bytes.Buffer
	b.WriteString("DIRC")
	_ = binary.Write(&b, binary.BigEndian, []uint32{2, claimed})
	for _, name := range names {
		entry := make([]byte, 62, 72+len(name))
		binary.BigEndian.PutUint32(entry[24:], 0o100644)
		binary.BigEndian.PutUint16(entry[60:], uint16(min(len(name), 0xfff)))
		entry = append(append(entry, name...), make([]byte, 8-(62+len(name))%8)...)
		b.Write(entry)
	}
	sum := sha1.Sum(b.Bytes()) //nolint:gosec // see above
	b.Write(sum[:])
	return b.Bytes()
}

// A repository may be a stranger's: what its ignore files and its index hold
// costs little, and hides no recipe that git tracks.
func TestHostileRepositoriesAreCheap(t *testing.T) {
	budget.SkipWithRace(t)
	const most = 1<<20 - 100
	repeat := strings.Repeat
	deep := repeat("d/", 40) + "recipe.yaml"
	long := repeat("a", 200) + "/" + repeat("a", 200) + "/recipe.yaml"
	var numbered []string
	for i := range 200_000 {
		numbered = append(numbered, fmt.Sprintf("recipes/%06d/recipe.yaml", i))
	}
	short := slices.Repeat([]string{"a"}, 460_000)
	for _, c := range []struct {
		name, ignore string
		index        []byte // nil for none
		refused      bool
	}{
		{"stars", repeat("*", most), nil, false},
		{"double stars", repeat("**/", most/3), nil, false},
		{"double stars and letters", repeat("**/d/", most/5), nil, false},
		{"patterns of stars", repeat("*a*a*a*a*a*a*a*a*b\n", most/19), nil, false},
		{"patterns of double stars", repeat("**/d/**/d/**/d/**/x\n", most/20), nil, false},
		{"open brackets", repeat("[", most), nil, false},
		{"patterns of brackets", repeat("[a-z]*[a-z]*[a-z]*x\n", most/20), nil, false},
		{"letters", repeat("a\n", most/2), nil, false},
		{"one line", repeat("a", 2*most), nil, false},
		{"exclamation marks", repeat("!", most), nil, false},
		{"backslashes", repeat(`\`, most), nil, false},
		{"slashes", repeat("/", most), nil, false},
		{"NUL", repeat("\x00", most), nil, false},
		{"index of 200,000 recipes", "", indexOf(200_000, numbered...), false},
		{"index of as many files as may be", "", indexOf(460_000, short...), false},
		{"index that claims 4·10⁹", "", indexOf(1<<32-1, "a"), true},
		{"index that claims more than it has", "", indexOf(1000, "a"), true},
		{"index of nothing", "", []byte{}, true},
		{"index of zeros", "", make([]byte, 16<<20), true},
		{"index above the limit", "", indexOf(530_000, slices.Repeat([]string{"a"}, 530_000)...), true},
		{"index with a long name", "", indexOf(1, repeat("a", 16<<20)), false},
		{"index without a checksum", "", indexOf(0)[:12], true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, deep, long)
			write(t, filepath.Join(dir, ".gitignore"), c.ignore)
			if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
				t.Fatal(err)
			}
			if c.index != nil {
				write(t, filepath.Join(dir, ".git", "index"), string(c.index))
			}
			budget.Check(t, func() {
				_, err := repository.Find(t.Context(), []string{dir}, repository.Options{})
				if _, none := err.(interface{ Hint() string }); c.refused != (err != nil) && c.ignore == "" || err != nil && !none && !strings.Contains(err.Error(), "no recipe") {
					t.Errorf("error %v", err)
				}
			})
		})
	}
	for name, list := range map[string]string{
		"one line":    repeat("a", most),
		"lines":       repeat("a\n", most+1),
		"empty lines": repeat("\n", 64<<20),
		"endless":     repeat("recipe.yaml\n", 6<<20),
	} {
		t.Run("list/"+name, func(t *testing.T) {
			r := strings.NewReader(list)
			budget.Check(t, func() { _, _ = repository.List(r) })
		})
	}
}

func FuzzIgnore(f *testing.F) {
	for _, s := range []string{"*", "**/a", "!a", "[", `\`, "a/**/b\n!/recipes", "/recipes/*\n", "recipes/**/"} {
		f.Add(s)
	}
	index := indexOf(1, "recipes/a/recipe.yaml")
	f.Fuzz(func(t *testing.T, ignore string) {
		dir := tree(t, "recipes/a/recipe.yaml", "recipes/b/recipe.yaml")
		write(t, filepath.Join(dir, ".gitignore"), ignore)
		if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, ".git", "index"), string(index))
		// Whatever is ignored, what git tracks is found.
		found, err := repository.Find(t.Context(), []string{dir}, repository.Options{})
		if err != nil || len(found) == 0 || !strings.HasSuffix(filepath.ToSlash(found[0]), "recipes/a/recipe.yaml") {
			t.Errorf("%q: found %v, error %v", ignore, found, err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add(indexOf(1, "recipes/a/recipe.yaml"))
	f.Add(indexOf(1<<32 - 1))
	f.Add([]byte("DIRC"))
	f.Fuzz(func(t *testing.T, index []byte) {
		dir := tree(t, "recipes/a/recipe.yaml")
		if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, ".git", "index"), string(index))
		// An index that is not understood is an error, and never "nothing".
		if found, err := repository.Find(t.Context(), []string{dir}, repository.Options{}); err == nil && len(found) != 1 {
			t.Errorf("found %v", found)
		}
	})
}

// A file above the limits is not read in part: it ignores nothing.
func TestIgnoreFilesAboveTheLimitsIgnoreNothing(t *testing.T) {
	for name, c := range map[string]struct {
		ignore string
		want   int
	}{
		"as many lines as may be": {"*\n" + strings.Repeat("a\n", 4095), 0},
		"one more":                {"*\n" + strings.Repeat("a\n", 4096), 1},
		"comments do not count":   {"*\n" + strings.Repeat("#\n\n", 5000), 0},
		"too large":               {"*\n#" + strings.Repeat("a", 1<<20), 1},
	} {
		dir := tree(t, "recipes/a/recipe.yaml")
		write(t, filepath.Join(dir, ".gitignore"), c.ignore)
		found, _ := repository.Find(t.Context(), []string{dir}, repository.Options{}) // nothing found is an error
		if len(found) != c.want {
			t.Errorf("%s: found %v, wanted %d", name, found, c.want)
		}
	}
}
