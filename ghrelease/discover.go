package ghrelease

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/origin"
)

// Discover implements [attestation.Discoverer]. It is for the assets of GitHub
// releases and for the archives that GitHub makes of tags and commits; for others
// the error wraps [attestation.ErrNotMine].
//
// For an asset GitHub's attestations API is asked by digest. Files beside the
// asset are looked for where the API has nothing, where it has only GitHub's own
// attestation of an immutable release, and where it could not be asked: the first
// that lists the digest is taken. For an archive GitHub is asked for the release
// of its tag.
//
// With Propose what is found lies at exactly one address, so that a block whose
// bundle_url is that one finds the same: see [Resolver.propose].
func (r *Resolver) Discover(ctx context.Context, q attestation.Query) (attestation.Discovery, error) {
	if r.Propose {
		return r.propose(ctx, q)
	}
	archive, made := "", origin.Origin{}
	for _, address := range q.URLs {
		switch o := origin.Parse(address); o.Kind {
		case origin.KindGitHubRelease:
			return r.discoverAsset(ctx, q, o, address)
		case origin.KindGitHubArchive:
			if archive == "" {
				archive, made = address, o
			}
		}
	}
	if archive == "" {
		return attestation.Discovery{}, attestation.ErrNotMine
	}
	return r.discoverArchive(ctx, made, archive)
}

func (r *Resolver) discoverAsset(ctx context.Context, q attestation.Query, o origin.Origin, asset string) (attestation.Discovery, error) {
	c := r.collect(q)
	lookup := lookupAddress(o.Owner, o.Repository, q.SHA256)
	var failed error
	if first, ok := parseLookup(lookup, q.SHA256); ok {
		failed = c.lookUp(ctx, first)
	}
	found := attestation.Discovery{}
	if failed == nil {
		found.Candidates, failed = listing(lookup, c.answer.Candidates, q.SHA256)
	}
	if len(found.Candidates) > 0 {
		found.BundleURLs, found.Pooled = []string{lookup}, true
	}
	if ctx.Err() == nil && onlyReleases(found.Candidates) {
		beside, address, err := c.sidecar(ctx, asset, q.SHA256)
		switch {
		case len(beside) > 0:
			found.Candidates = append(found.Candidates, beside...)
			found.BundleURLs, failed = append(found.BundleURLs, address), nil
		case failed == nil && len(found.Candidates) == 0:
			failed = err
		}
	}
	found.Addresses = c.answer.Addresses
	return found, failed
}

// onlyReleases tells whether nothing was found but GitHub's own attestations of
// an immutable release, which do not say how the asset was built.
func onlyReleases(candidates []attestation.Candidate) bool {
	for _, c := range candidates {
		claims, err := c.Unverified()
		if err != nil || !strings.HasPrefix(claims.PredicateType, "https://in-toto.io/attestation/release/") {
			return false
		}
	}
	return true
}

// sidecars are the addresses beside an asset where its evidence may lie
// (spec/evidence.md, "GitHub"), in the order in which they are asked.
func sidecars(asset string) []string {
	u, err := url.Parse(asset)
	if err != nil {
		return nil
	}
	file := "https://github.com" + u.EscapedPath()
	folder := file[:strings.LastIndexByte(file, '/')+1]
	return []string{file + ".sigstore.json", file + ".sigstore", file + ".intoto.jsonl", folder + "multiple.intoto.jsonl"}
}

// sidecar looks for the first file beside an asset that lists its digest. The
// error is nil if there is none, on the word of every place where it could be.
func (c *collected) sidecar(ctx context.Context, asset string, d digest.SHA256) (found []attestation.Candidate, address string, failed error) {
	for _, address := range sidecars(asset) {
		candidates, err := c.beside(ctx, address, d)
		if ctx.Err() != nil {
			return nil, "", err
		}
		if len(candidates) > 0 && err == nil {
			return candidates, address, nil
		}
		failed = graver(failed, err)
	}
	return nil, "", failed
}

// beside gives the bundles of a file beside an asset, if it is there and one of
// them lists the digest.
func (c *collected) beside(ctx context.Context, address string, d digest.SHA256) ([]attestation.Candidate, error) {
	c.answer.Addresses = append(c.answer.Addresses, address)
	doc, err := c.get(ctx, address, fetch.DocumentOptions{Accept: bundleAccept})
	if err != nil && absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	candidates, err := attestation.Parse(address, doc.Body)
	if err != nil {
		return nil, err
	}
	return listing(address, candidates, d)
}

// listing gives the candidates that speak of a digest, or the error that it
// cannot be told what some of them speak of.
func listing(address string, candidates []attestation.Candidate, d digest.SHA256) (found []attestation.Candidate, err error) {
	for i, c := range candidates {
		claims, unread := c.Unverified()
		switch {
		case unread != nil:
			err = &attestation.FormatError{Origin: address, Index: i, Problem: unread.Error()}
		case len(claims.Lists(d)) > 0:
			found = append(found, c)
		}
	}
	if len(found) > 0 {
		return candidates, nil // all of them, as whoever names the address gets them
	}
	return nil, err
}

// graver gives that of two errors which leaves more open: a place that could not
// be asked, before one that has what cannot be read.
func graver(a, b error) error {
	var format *attestation.FormatError
	if a == nil || b != nil && errors.As(a, &format) && !errors.As(b, &format) {
		return b
	}
	return a
}
