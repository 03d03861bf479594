package prepare_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/prepare"
)

// A run that replaces a folder and is killed leaves the old one, the new one, or
// none; then the next run puts the old one back before it begins.
func TestKilledWhileReplacing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes end otherwise there")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, before := mustPrepare(t, "pypi", prepare.Options{})
	old := content(t, before)
	_, after := mustPrepare(t, "several", prepare.Options{})
	fresh := content(t, after)
	dir := filepath.Join(t.TempDir(), "prepared")
	count := map[string]int{}
	for range 25 {
		begin := time.Now()
		if _, err := prepare.Prepare(context.Background(), demo+"/recipes/pypi", dir, prepare.Options{Gate: demoGate(), Replace: true}); err != nil {
			t.Fatal(err)
		}
		whole := time.Since(begin)
		c := exec.Command(self)
		c.Env = append(os.Environ(), child+"="+dir, childReplaces+"=1")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(2 * whole))
		c.Process.Kill() //nolint:errcheck // it may have ended
		c.Wait()         //nolint:errcheck // it was killed
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			count["none"]++
			refused(t, dir)
			if d := cmp.Diff(old, content(t, dir)); d != "" {
				t.Fatal(d)
			}
			continue
		}
		switch found := content(t, dir); {
		case cmp.Equal(old, found):
			count["old"]++
		case cmp.Equal(fresh, found):
			count["new"]++
		default:
			t.Fatal(cmp.Diff(old, found))
		}
	}
	t.Log(count)
}

// refused is a run that fails after it has looked after what was left.
func refused(t *testing.T, dir string) {
	t.Helper()
	_, err := prepare.Prepare(context.Background(), demo+"/recipes/tampered", dir, prepare.Options{Gate: demoGate(), Replace: true})
	if err == nil {
		t.Error("a tampered archive was prepared")
	}
}

// What a run had moved aside when it was killed between its two renames is put
// back by the next run, which fails here for another reason.
func TestMovedAside(t *testing.T) {
	_, made := mustPrepare(t, "pypi", prepare.Options{})
	want := content(t, made)
	parent := t.TempDir()
	dir := filepath.Join(parent, "prepared")
	left := filepath.Join(parent, ".prepared.recipe-verify-prepare-1234")
	err := errors.Join(
		os.Mkdir(left, 0o700), os.WriteFile(filepath.Join(left, "lock"), nil, 0o600), os.Mkdir(filepath.Join(left, "content"), 0o700),
		os.Rename(made, filepath.Join(left, "replaced")),
	)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, dir)
	if d := cmp.Diff(want, content(t, dir)); d != "" {
		t.Error(d)
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("found %v, %v", entries, err)
	}
}
