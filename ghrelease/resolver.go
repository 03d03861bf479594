// Package ghrelease fetches the bundles that a recipe names in bundle_url, such
// as the .sigstore.json and .intoto.jsonl files beside the assets of a GitHub
// release.
package ghrelease

import (
	"context"
	"errors"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// MaxBundleURLs is the most addresses that one source may name.
const MaxBundleURLs = 16

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
		return answer, &attestation.FormatError{Index: -1, Problem: "the source names more than 16 bundle_urls"}
	}
	for _, address := range q.BundleURLs {
		answer.Addresses = append(answer.Addresses, address)
		found, err := r.document(ctx, address)
		var absent *fetch.NotFoundError
		if errors.As(err, &absent) {
			continue
		}
		if err != nil {
			return answer, err
		}
		answer.Candidates = append(answer.Candidates, found...)
	}
	if len(answer.Candidates) == 0 {
		return answer, &attestation.NoneError{
			Where: "bundle_url",
			What:  strings.Join(q.URLs, ", ") + ": nothing is at " + strings.Join(q.BundleURLs, " or "),
			Mend:  "look at the release for its .sigstore.json or .intoto.jsonl file and correct bundle_url",
		}
	}
	if len(answer.Candidates) > attestation.MaxBundles {
		return answer, &attestation.FormatError{Index: -1, Problem: "the bundle_urls together hold more than 64 bundles"}
	}
	return answer, nil
}

func (r *Resolver) document(ctx context.Context, address string) ([]attestation.Candidate, error) {
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{
		Accept:   "application/json, application/octet-stream;q=0.9, */*;q=0.8",
		MaxBytes: attestation.MaxDocument,
	})
	if err != nil {
		return nil, err
	}
	return attestation.Parse(address, doc.Body)
}
