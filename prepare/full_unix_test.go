//go:build unix

package prepare_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// childLimit is how many bytes a file of the child may have, as if the disk were
// full then.
const childLimit = "RECIPE_VERIFY_PREPARE_LIMIT"

func init() {
	text := os.Getenv(childLimit)
	if text == "" {
		return
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: n, Max: n}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}

// A disk that is full at any moment leaves nothing.
func TestDiskFull(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	failed, made := 0, 0
	for _, limit := range []int{0, 1, 100, 300, 500, 1000, 2000, 4000, 8000, 16000, 1 << 20} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "prepared")
		c := exec.Command(self)
		c.Env = append(os.Environ(), child+"="+dir, childLimit+"="+strconv.Itoa(limit))
		out, err := c.CombinedOutput()
		if _, there := os.Lstat(dir); (err == nil) == errors.Is(there, fs.ErrNotExist) {
			t.Errorf("limit %d: found %v, and the folder: %v; %s", limit, err, there, out)
		}
		if err == nil {
			made++
			continue
		}
		failed++
		empty(t, parent)
	}
	if failed == 0 || made == 0 {
		t.Errorf("%d failed, %d made", failed, made)
	}
}
