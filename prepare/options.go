package prepare

import (
	"fmt"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/gate"
)

// Limits of a prepared folder. Going over one is an error.
const (
	// MaxFiles is how many files a recipe's folder may hold.
	MaxFiles = 10_000
	// MaxFolder is how many bytes these may have together.
	MaxFolder = int64(1) << 30
	// MaxManifest is the largest prepared.json, in bytes.
	MaxManifest = int64(64) << 20
)

// A Target is the kind of build tool that a recipe is written for.
type Target string

// The targets.
const (
	// RattlerBuild is rattler-build as it is: sources become path sources, and
	// what was verified is written to a file beside the recipe.
	RattlerBuild Target = "rattler-build"
	// CEP is the draft CEP: sources keep their blocks, with a list of what was
	// verified, and get file: addresses, so that the folder must stay where it is.
	CEP Target = "cep"
)

// Options say what is demanded of sources, and how the folder is made. The zero
// value is the strict default, for rattler-build and for this machine's platform.
type Options struct {
	// Gate is what [gate.Verify] is given. What it says about downloads, several
	// recipes and looking for evidence is not heeded.
	Gate gate.Options
	// Target is RattlerBuild if it is "".
	Target Target
	// KeepURLs leaves the sources' URLs as they are: the build fetches archives
	// again, and compares their digests.
	KeepURLs bool
	// Replace puts the folder in the place of one that was prepared before.
	Replace bool
	// Exclude are globs of files and folders of the recipe's folder that are left
	// out (see internal/repository), beside those of version control and .pixi.
	Exclude []string
}

// Prepared is a folder that was prepared.
type Prepared struct {
	Dir    string
	Recipe string // the recipe in it
	// Digest is that of prepared.json, which lists everything else: whoever knows
	// it can tell whether the folder is this one.
	Digest digest.SHA256
	// Archives and Files count what is in it, Bytes is the size of all.
	Archives, Files int
	Bytes           int64
	// Report is what became of the sources.
	Report gate.Report
}

// VerifyOptions say what is demanded of a prepared folder.
type VerifyOptions struct {
	// Gate says what is demanded of sources, and whom to believe. For which
	// platform the recipe is evaluated is the folder's, and nobody is asked
	// anything.
	Gate gate.Options
	// Digest is demanded of prepared.json; nil for none. Without it the folder may
	// be another than the one that was made: see the package's comment.
	Digest *digest.SHA256
}

// CodeFolder is the code of a result that is about a prepared folder and not about
// a source of the recipe.
const CodeFolder audit.Code = "prepared-folder"

// An Error says why a folder cannot be prepared.
type Error struct {
	Path    string // what it is about, or ""
	Problem string
	Mend    string // a hint, or ""
	Err     error  // the cause below, if there is one
}

// Error implements error.
func (e *Error) Error() string {
	problem := e.Problem
	if e.Err != nil {
		problem += ": " + e.Err.Error()
	}
	if e.Path == "" {
		return problem
	}
	return fmt.Sprintf("%s: %s", e.Path, problem)
}

// Hint says what a user can do.
func (e *Error) Hint() string { return e.Mend }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
