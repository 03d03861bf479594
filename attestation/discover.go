package attestation

import "context"

// A Discoverer looks for evidence of archives whose recipes name none. It asks
// places that a [Resolver] asks only when a recipe says so, such as GitHub's
// attestations API. Discover may be called by several goroutines at a time.
type Discoverer interface {
	Name() string
	// Discover gives what is to be found about one archive. Its error is one of
	// two: it wraps [ErrNotMine], or it is anything else, which means that it
	// could not be found out. That there is none is a [Discovery] of its own.
	Discover(ctx context.Context, q Query) (Discovery, error)
}

// A Discovery is what is to be found about an archive. Nothing in it is
// verified.
type Discovery struct {
	// Answer holds the evidence that was found, if any, and the addresses that
	// were asked, in order.
	Answer
	// BundleURLs are the addresses that a recipe's block has to name for the
	// evidence to be found again; empty where it is found without.
	BundleURLs []string
	// Pooled tells that the evidence comes from a look-up by digest, to which
	// anybody may have added: bundles of trust domains that are not configured
	// do not count against it (DESIGN.md, "What 'verified' means").
	Pooled bool
	// Unattestable says why nobody can attest these bytes, or "". GitHub makes
	// archives of tags anew on each request, and attests none of them.
	Unattestable string
	// Replacement is the address of a release's asset that could stand in the
	// recipe in place of an archive that is not attestable, or "".
	Replacement string
	// Unasked says, in words, which places could not be asked or read though
	// another one had evidence, or had none for certain.
	Unasked []string
}
