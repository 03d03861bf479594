// Package ci tests what this project offers to CI services: action.yml, the hooks
// for pre-commit, and every file and script in docs/ci.md. Each is read as its
// service reads it, and its scripts are run against the demonstration, once with
// recipes that verify and once with one that does not.
package ci_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Scripts find recipe-verify on PATH: the real program, since they start it some
// hundred times, and a test's binary with the race detector in it starts slowly.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "recipe-verify-ci-*")
		if err == nil {
			defer os.RemoveAll(dir)
			build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "recipe-verify"), "../../cmd/recipe-verify")
			build.Stderr = os.Stderr
			if runtime.GOOS != "windows" { // where there are no scripts to run
				err = build.Run()
			}
		}
		if err == nil {
			err = os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "recipe-verify cannot be built:", err)
			return 1
		}
		return m.Run()
	}())
}
