// Package ci tests what this project offers to CI services: action.yml, the hooks
// for pre-commit, and every file and script in docs/ci.md. Each is read as its
// service reads it, and its scripts are run against the demonstration, once with
// recipes that verify and once with one that does not.
package ci_test

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/recipe-verify/recipe-verify/internal/cli"
)

// Scripts find recipe-verify on PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"recipe-verify": func() {
			os.Exit(cli.Main(context.Background(), cli.OS(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
		},
	})
}
