//go:build unix

package lock_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/recipe-verify/recipe-verify/lock"
)

// The folder is a stranger's.
func TestReadRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("password: hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(string) error{
		"a symbolic link": func(p string) error { return os.Symlink(secret, p) },
		"a dangling link": func(p string) error { return os.Symlink(filepath.Join(dir, "nothing"), p) },
		"a FIFO":          func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"a folder":        func(p string) error { return os.Mkdir(p, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, lock.Name)
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			f, err := lock.Beside(filepath.Join(folder, "recipe.yaml"))
			var e *lock.Error
			if f != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), "no regular file") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, %v", f, err)
			}
			if err := lock.Store([]lock.Writing{{Path: path, Data: []byte("x")}}); err == nil {
				t.Error("it was written over")
			}
			if data, _ := os.ReadFile(secret); !strings.Contains(string(data), "hunter2") {
				t.Error("the link's target was written")
			}
			if left, _ := os.ReadDir(folder); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
