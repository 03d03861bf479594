// Package ghrelease fetches the bundles that a recipe names in bundle_url, such
// as the .sigstore.json and .intoto.jsonl files beside the assets of a GitHub
// release.
package ghrelease

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// MaxBundleURLs is the most addresses that one source may name, as package
// recipe has it.
const MaxBundleURLs = 64

// A Resolver fetches the documents at a source's bundle_url. It may be used by
// several goroutines at a time.
type Resolver struct {
	Client *fetch.Client
}

// Name implements [attestation.Resolver].
func (r *Resolver) Name() string { return "ghrelease" }

// Resolve implements [attestation.Resolver]. All addresses are fetched and
// their bundles pooled (draft CEP). Sources without a bundle_url are not this
// resolver's. An address that has nothing is passed over as long as another has
// something; one that cannot be reached fails the whole, since what it holds
// might matter.
func (r *Resolver) Resolve(ctx context.Context, q attestation.Query) (attestation.Answer, error) {
	var answer attestation.Answer
	if len(q.BundleURLs) == 0 {
		return answer, attestation.ErrNotMine
	}
	if len(q.BundleURLs) > MaxBundleURLs {
		return answer, &attestation.FormatError{Index: -1, Problem: fmt.Sprintf("the source names more than %d bundle_urls", MaxBundleURLs)}
	}
	left := q.Limit() // for all documents together, since they are held together
	for _, address := range q.BundleURLs {
		answer.Addresses = append(answer.Addresses, address)
		found, size, err := r.document(ctx, address, left)
		var large *fetch.TooLargeError
		if errors.As(err, &large) {
			return answer, &fetch.TooLargeError{URL: address, Limit: q.Limit(), Size: large.Size}
		}
		left -= size
		var absent *fetch.NotFoundError
		if errors.As(err, &absent) {
			continue
		}
		if err != nil {
			return answer, err
		}
		answer.Candidates = append(answer.Candidates, found...)
		if len(answer.Candidates) > attestation.MaxBundles {
			return answer, &attestation.FormatError{Index: -1, Problem: fmt.Sprintf("the bundle_urls together hold more than %d bundles", attestation.MaxBundles)}
		}
	}
	if len(answer.Candidates) == 0 {
		return answer, &attestation.NoneError{
			Where: "bundle_url",
			What:  redacted(q.URLs, ", ") + ": nothing is at " + redacted(q.BundleURLs, " or "),
			Mend:  "look at the release for its .sigstore.json or .intoto.jsonl file and correct bundle_url",
		}
	}
	return answer, nil
}

// redacted lists addresses as they may be printed.
func redacted(addresses []string, separator string) string {
	var shown []string
	for _, a := range addresses {
		shown = append(shown, fetch.Redact(a))
	}
	return strings.Join(shown, separator)
}

// document fetches and reads one document of at most the given bytes, and tells
// how many it had.
func (r *Resolver) document(ctx context.Context, address string, most int64) ([]attestation.Candidate, int64, error) {
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{
		Accept:   "application/json, application/octet-stream;q=0.9, */*;q=0.8",
		MaxBytes: max(most, 1), // 0 would stand for the client's default
	})
	if err != nil {
		return nil, 0, err
	}
	found, err := attestation.Parse(address, doc.Body)
	var format *attestation.FormatError
	if errors.As(err, &format) {
		format.Origin = fetch.Redact(format.Origin) // the error is for people
	}
	return found, int64(len(doc.Body)), err
}
