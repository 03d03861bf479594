package attestation

import "context"

// A Linker gives the addresses that a package index shows beside a release: of
// its repository, its home page. Whoever uploads writes them, and nobody signs
// them, so that they confirm little; but one that names another place than the
// recipe is worth a word. Links may be called by several goroutines at a time.
// Its error wraps [ErrNotMine], or is a *[NoneError] where the index does not
// know the release, or anything else; nothing depends on any of them.
type Linker interface {
	Links(ctx context.Context, q Query) ([]Link, error)
}

// A Link is one such address. URL is an absolute http or https address without
// userinfo; neither part holds characters that do not print.
type Link struct {
	Label string // as the project calls it: "Source", "Homepage"
	URL   string
}
