//go:build unix

package fetch

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPipeForNetrc: whoever waits for a pipe waits for good, and no context
// ends it.
func TestPipeForNetrc(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netrc")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no pipes: %v", err)
	}
	result := make(chan error, 1)
	go func() {
		_, err := readNetrc(env("NETRC", path))
		result <- err
	}()
	select {
	case err := <-result:
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("found %v, wanted an error", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for the pipe")
	}
}
