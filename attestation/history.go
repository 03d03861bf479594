package attestation

import (
	"context"

	"github.com/recipe-verify/recipe-verify/digest"
)

// A Historian finds the evidence of the release before an archive's own, so
// that somebody can be told when a project begins to be signed by another
// repository. Previous may be called by several goroutines at a time. Its error
// wraps [ErrNotMine], or is a *[NoneError] where there is no earlier release with
// evidence, or anything else; nothing depends on any of them.
type Historian interface {
	Previous(ctx context.Context, q Query) (Release, error)
}

// A Release is an earlier one. Nothing in it is verified.
type Release struct {
	Name   string // of its file
	SHA256 digest.SHA256
	Answer
}
