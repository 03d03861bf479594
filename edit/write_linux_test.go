package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFollowsLinks(t *testing.T) {
	dir := folder(t, map[string]string{"real/r": "1", "hard": "1"})
	for link, to := range map[string]string{"link": "real/r", "far": "link", "dir": "real", "nowhere": "gone", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	links := func(r string) map[string]string {
		return map[string]string{
			"real/r": r, "hard": "1", "link": "-> real/r", "far": "-> link", "dir": "-> real", "nowhere": "-> gone", "loop": "-> loop",
		}
	}
	for i, path := range []string{"link", "far", "dir/r"} {
		before, after := string(rune('1'+i)), string(rune('2'+i))
		if err := Write([]File{file(filepath.Join(dir, path), before, after)}); err != nil {
			t.Fatal(err)
		}
		demand(t, dir, links(after))
	}
	for _, path := range []string{"nowhere", "loop", "dir"} {
		if err := Write([]File{file(filepath.Join(dir, path), "4", "5")}); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
	// Two names of one file.
	err := Write([]File{file(filepath.Join(dir, "far"), "4", "5"), file(filepath.Join(dir, "real", "r"), "4", "6")})
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
	demand(t, dir, links("4"))
}

func TestWriteLeavesOtherHardLinks(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1"})
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := Write([]File{file(filepath.Join(dir, "a"), "1", "2")}); err != nil {
		t.Fatal(err)
	}
	demand(t, dir, map[string]string{"a": "2", "b": "1"})
	// Both names at once are two files from then on.
	dir = folder(t, map[string]string{"a": "1"})
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := Write([]File{file(filepath.Join(dir, "a"), "1", "2"), file(filepath.Join(dir, "b"), "1", "3")}); err != nil {
		t.Fatal(err)
	}
	demand(t, dir, map[string]string{"a": "2", "b": "3"})
}

// What is no file neither blocks nor is replaced.
func TestWriteRefusesPipes(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("pipe", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link, "/dev/null"} {
		if err := Write([]File{file(path, "", "a")}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestWriteRefusesReadOnlyFiles(t *testing.T) {
	files := map[string]string{"a": "1", "b": "2"}
	dir := folder(t, files)
	if err := os.Chmod(filepath.Join(dir, "b"), 0o444); err != nil {
		t.Fatal(err)
	}
	err := Write([]File{file(filepath.Join(dir, "a"), "1", "2"), file(filepath.Join(dir, "b"), "2", "3")})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "b: ") {
		t.Errorf("got %v", err)
	}
	demand(t, dir, files)
}

// asNobody runs a function without the rights of the superuser, for whom nothing
// is read-only: the file system's user is one of the thread on Linux.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Setfsuid(0) }()
	do()
}

func TestWriteInFoldersThatAreReadOnly(t *testing.T) {
	for _, tt := range []struct {
		name         string
		folder, file fs.FileMode
	}{
		{"the folder", 0o555, 0o666},
		{"the file", 0o777, 0o644}, // another user's, if the superuser runs this
		{"both", 0o555, 0o444},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "the file" && os.Geteuid() != 0 {
				t.Skip("needs a file of another user's")
			}
			files := map[string]string{"a/r": "1", "b/r": "2"}
			dir := folder(t, files)
			ro := filepath.Join(dir, "b")
			for path, mode := range map[string]fs.FileMode{
				filepath.Dir(dir): 0o755, dir: 0o755, filepath.Join(dir, "a"): 0o777, filepath.Join(dir, "a", "r"): 0o666,
				ro: tt.folder, filepath.Join(ro, "r"): tt.file,
			} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			defer os.Chmod(ro, 0o755) //nolint:errcheck // for the folder's removal
			var err error
			asNobody(t, func() {
				err = Write([]File{file(filepath.Join(dir, "a", "r"), "1", "one"), file(filepath.Join(ro, "r"), "2", "two")})
			})
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), filepath.Join(ro, "r")) {
				t.Errorf("got %v", err)
			}
			demand(t, dir, files)
		})
	}
}

// Where no hard link can be made the old file is put back by a copy.
func TestWriteWithoutHardLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs a file of another user's, to which no hard link may be made")
	}
	files := map[string]string{"a": "1", "b": "2"}
	dir := folder(t, files)
	for path, mode := range map[string]fs.FileMode{
		filepath.Dir(dir): 0o755, dir: 0o777, filepath.Join(dir, "a"): 0o666 | fs.ModeSetuid, filepath.Join(dir, "b"): 0o666,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	list := targets(t, file(filepath.Join(dir, "a"), "1", "one"), file(filepath.Join(dir, "b"), "2", "two"))
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	was := list[0].info
	asNobody(t, func() {
		if err := commit(list); !errors.Is(err, ErrChanged) {
			t.Errorf("got %v", err)
		}
	})
	demand(t, dir, map[string]string{"a": "1", "b": "theirs"})
	is, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(was, is) {
		t.Skip("this system lets everybody make hard links")
	}
	if is.Mode().Perm() != was.Mode().Perm() {
		t.Errorf("mode %v, was %v", is.Mode(), was.Mode())
	}
}
