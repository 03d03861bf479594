//go:build unix

package trust

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipeForCache: whoever waits for a pipe waits for good.
func TestPipeForCache(t *testing.T) {
	in, dir := instanceOf(newRepo(t), t, true), t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, in.cacheName()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := at(dir, born)
	s.Offline = true
	roots, err := s.load(t.Context(), in)
	embedded("not a regular file", "offline").check(t, roots, err)
}
