// Package shared finds the real data beside the checkout that some tests use.
// Nothing of it is copied into the project.
package shared

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// RequireVariable is the environment variable that makes absent data a failure
// when it is 1. Otherwise the test is skipped, with a message.
const RequireVariable = "RECIPE_VERIFY_REQUIRE_SHARED"

// Path returns the path of a file or folder in the shared data: elem below the
// folder "shared" beside the module's folder. Where it is absent the test is
// skipped, or fails if RequireVariable asks for that.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	top, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(append([]string{filepath.Dir(top), "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if !errors.Is(err, fs.ErrNotExist) || os.Getenv(RequireVariable) == "1" {
			t.Fatalf("shared data: %v", err)
		}
		t.Skipf("shared data is absent: %v", err)
	}
	return path
}

// moduleRoot walks up from the working directory, which "go test" sets to the
// package's folder, to the one that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("found no go.mod above the working directory")
		}
		dir = parent
	}
}
