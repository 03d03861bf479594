// Package ghrelease finds evidence of the assets of GitHub releases. As a
// resolver it fetches the bundles that a recipe names in bundle_url, such as the
// .sigstore.json and .intoto.jsonl files beside an asset. As a discoverer it asks
// GitHub's attestations API by digest, and looks for such files.
package ghrelease

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// Limits. Going over one is an error, never a truncation.
const (
	// MaxBundleURLs is the most addresses that one source may name, as package
	// recipe has it.
	MaxBundleURLs = 64
	// MaxPages is the most pages of an answer of the attestations API.
	MaxPages = 16
	// MaxRelease is the most bytes of what the API says of a release, whose list
	// of assets takes some 1.5 KiB for each.
	MaxRelease = 2 << 20
	// maxAnonymous is how many requests are made a second time without the token,
	// in a resolver's life: GitHub answers 60 an hour.
	maxAnonymous = 50
)

// A Resolver fetches the documents at a source's bundle_url, and finds what a
// block could name. It may be used by several goroutines at a time.
type Resolver struct {
	Client *fetch.Client
	// Propose makes Discover look for evidence that a block can name, at exactly
	// one address; see [Resolver.Discover].
	Propose bool

	anonymous atomic.Int32 // requests made again without the token
}

// Name implements [attestation.Resolver] and [attestation.Discoverer].
func (r *Resolver) Name() string { return "ghrelease" }

// Resolve implements [attestation.Resolver]. All addresses are fetched and
// their bundles pooled (draft CEP). Sources without a bundle_url are not this
// resolver's. An address that has nothing is passed over as long as another has
// something; one that cannot be reached fails the whole, since what it holds
// might matter.
//
// A bundle_url may be a look-up of the source's digest in GitHub's attestations
// API (https://api.github.com/repos/OWNER/REPO/attestations/sha256:HEX): then
// all of its pages are read, and the bundles that it names the addresses of.
func (r *Resolver) Resolve(ctx context.Context, q attestation.Query) (attestation.Answer, error) {
	c := r.collect(q)
	if len(q.BundleURLs) == 0 {
		return c.answer, attestation.ErrNotMine
	}
	if len(q.BundleURLs) > MaxBundleURLs {
		return c.answer, &attestation.FormatError{Index: -1, Problem: fmt.Sprintf("the source names more than %d bundle_urls", MaxBundleURLs)}
	}
	for _, address := range q.BundleURLs {
		var err error
		if first, ok := parseLookup(address, q.SHA256); ok {
			err = c.lookUp(ctx, first)
		} else {
			err = c.document(ctx, address)
		}
		if err != nil && !absent(err) {
			return answered(c.answer, err)
		}
	}
	if len(c.answer.Candidates) == 0 {
		return c.answer, &attestation.NoneError{
			Where: "bundle_url",
			What:  redacted(q.URLs, ", ") + ": nothing is at " + redacted(q.BundleURLs, " or "),
			Mend:  "look at the release for its .sigstore.json or .intoto.jsonl file and correct bundle_url",
		}
	}
	return c.answer, nil
}

// answered gives an answer without candidates, since not all were obtained.
func answered(a attestation.Answer, err error) (attestation.Answer, error) {
	a.Candidates = nil
	return a, err
}

// redacted lists addresses as they may be printed.
func redacted(addresses []string, separator string) string {
	var shown []string
	for _, a := range addresses {
		shown = append(shown, fetch.Redact(a))
	}
	return strings.Join(shown, separator)
}
