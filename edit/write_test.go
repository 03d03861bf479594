package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder makes a folder with files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// content reads all files below a folder, links by where they lead.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		if d.Type()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(path)
			files[name] = "-> " + to
			return err
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func file(path, before, after string) File { return File{path, []byte(before), []byte(after)} }

// demand compares a folder, temporary files included.
func demand(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if d := cmp.Diff(want, content(t, dir)); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

func TestWrite(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1", "b/b": "2", "c": "3"})
	a := filepath.Join(dir, "a")
	if err := os.Chmod(a, 0o751); err != nil {
		t.Fatal(err)
	}
	if err := Write([]File{file(a, "1", "one"), file(filepath.Join(dir, "b", "b"), "2", ""), file(filepath.Join(dir, "c"), "3", "3")}); err != nil {
		t.Fatal(err)
	}
	demand(t, dir, map[string]string{"a": "one", "b/b": "", "c": "3"})
	if info, err := os.Stat(a); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o751 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := Write(nil); err != nil {
		t.Error(err)
	}
}

func TestWriteFindsFilesThatAreOthers(t *testing.T) {
	for _, tt := range []struct {
		name, path, before, want string
		changed                  bool
	}{
		{"changed", "a", "other", "a: the file has changed since it was read\nhint: run the command again", true},
		{"longer", "a", "", "the file has changed", true},
		{"shorter", "a", "1\n", "the file has changed", true},
		{"not there", "x", "1", "x: no such file", false},
		{"a folder", "dir", "1", "dir: not a regular file", false},
		{"a folder that is none", "a/b", "1", "a/b: not a directory", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"a": "1", "dir/b": "2"}
			dir := folder(t, files)
			// Neither a file before it nor one behind it is written.
			other := file(filepath.Join(dir, "dir", "b"), "2", "two")
			bad := file(filepath.Join(dir, filepath.FromSlash(tt.path)), tt.before, "one")
			for _, list := range [][]File{{other, bad}, {bad, other}} {
				err := Write(list)
				if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), tt.want) {
					t.Errorf("got %v, wanted %q", err, tt.want)
				}
				if errors.Is(err, ErrChanged) != tt.changed {
					t.Errorf("%v: is it ErrChanged? Wanted %v", err, tt.changed)
				}
				demand(t, dir, files)
			}
		})
	}
}

func TestWriteTheSameFileTwice(t *testing.T) {
	files := map[string]string{"a": "1"}
	dir := folder(t, files)
	err := Write([]File{file(filepath.Join(dir, "a"), "1", "2"), file(filepath.Join(dir, ".", "x", "..", "a"), "1", "3")})
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
	demand(t, dir, files)
}

// find gives targets as Write makes them.
func targets(t *testing.T, files ...File) []*target {
	t.Helper()
	var list []*target
	for _, f := range files {
		found, err := find(f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found)
	}
	return list
}

// What happens to the last of three files after they were looked at is found,
// and the two that are written already are what they were: the same files.
func TestWritePutsBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(path string) error
		want string // of c; "" for gone
	}{
		{"written to", func(p string) error { return os.WriteFile(p, []byte("theirs"), 0o600) }, "theirs"},
		{"replaced by the same", func(p string) error {
			if err := os.WriteFile(p+"~", []byte("3"), 0o600); err != nil {
				return err
			}
			return os.Rename(p+"~", p)
		}, "3"},
		{"removed", os.Remove, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"a": "1", "x/b": "2", "c": "3"})
			a := filepath.Join(dir, "a")
			was, err := os.Stat(a)
			if err != nil {
				t.Fatal(err)
			}
			list := targets(t, file(a, "1", "one"), file(filepath.Join(dir, "x", "b"), "2", "two"), file(filepath.Join(dir, "c"), "3", "three"))
			if err := tt.do(filepath.Join(dir, "c")); err != nil {
				t.Fatal(err)
			}
			if err := commit(list); err == nil {
				t.Error("no error")
			}
			if !list[0].replaced || !list[1].replaced || list[2].replaced {
				t.Error("the first two were not written, so that nothing had to be put back")
			}
			want := map[string]string{"a": "1", "x/b": "2", "c": tt.want}
			if tt.want == "" {
				delete(want, "c")
			}
			demand(t, dir, want)
			if is, err := os.Stat(a); err != nil || !os.SameFile(was, is) || is.Mode() != was.Mode() || !is.ModTime().Equal(was.ModTime()) {
				t.Errorf("not the file that was there: %v", err)
			}
		})
	}
}

// A folder that another one stands in for by now is not written to.
func TestWriteFolderExchanged(t *testing.T) {
	dir := folder(t, map[string]string{"a/r": "1", "b/r": "1"})
	list := targets(t, file(filepath.Join(dir, "a", "r"), "1", "2"))
	for _, move := range [][2]string{{"a", "c"}, {"b", "a"}} {
		if err := os.Rename(filepath.Join(dir, move[0]), filepath.Join(dir, move[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := commit(list); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	demand(t, dir, map[string]string{"a/r": "1", "c/r": "1"})
}

// What somebody has put in the place of a written file stays when all is put
// back, and the error says so.
func TestWriteDoesNotPutBackOverOthers(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1"})
	path := filepath.Join(dir, "a")
	list := targets(t, file(path, "1", "2"))
	if err := replaceAll(list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
	err := finish(list, errors.New("cause"))
	if err == nil || !strings.Contains(err.Error(), "cause") || !strings.Contains(err.Error(), "could not be restored") {
		t.Errorf("got %v", err)
	}
	demand(t, dir, map[string]string{"a": "theirs"})
}

// A file that was written to through a descriptor until the moment in which it
// is replaced is put back.
func TestWriteSeesLateWriters(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1"})
	list := targets(t, file(filepath.Join(dir, "a"), "1", "2"))
	if err := replaceAll(list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, list[0].backup), []byte("late"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := list[0].folder((*target).unchanged)
	if !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	if err := finish(list, err); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	demand(t, dir, map[string]string{"a": "late"})
}

// Of many at once one writes, and the others find that it did.
func TestWriteRaces(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files are not locked on Windows")
	}
	for range 20 {
		dir := folder(t, map[string]string{"a": "1", "b": "2"})
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				after := string(rune('A' + i))
				list := []File{file(a, "1", after), file(b, "2", after)}
				if i%2 == 1 {
					list[0], list[1] = list[1], list[0]
				}
				errs[i] = Write(list)
			})
		}
		wg.Wait()
		want := map[string]string{"a": "1", "b": "2"} // all may have been in each other's way
		for i, err := range errs {
			if err == nil {
				after := string(rune('A' + i))
				if want["a"] != "1" {
					t.Error("two have written")
				}
				want = map[string]string{"a": after, "b": after}
			}
		}
		demand(t, dir, want)
	}
}
