package pypi

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// Limits of this package.
const (
	// MaxIndex is the most bytes that an answer of the Simple API may have;
	// one lists all files that a project ever released. Where a query allows
	// less evidence, it is less in proportion.
	MaxIndex = 32 << 20
)

const (
	index           = "https://pypi.org"
	integrityAccept = "application/vnd.pypi.integrity.v1+json"
)

// A Resolver finds provenance on PyPI. It may be used by several goroutines at
// a time.
type Resolver struct {
	Client *fetch.Client

	indexes indexes // for Discover
}

// Name implements [attestation.Resolver] and [attestation.Discoverer].
func (r *Resolver) Name() string { return "pypi" }

// Resolve implements [attestation.Resolver]. It is for sources that lie on one
// of PyPI's hosts and whose recipe names no bundle_url; for others the error
// wraps [attestation.ErrNotMine].
func (r *Resolver) Resolve(ctx context.Context, q attestation.Query) (attestation.Answer, error) {
	var answer attestation.Answer
	file, ok := firstFile(q)
	if !ok {
		return answer, attestation.ErrNotMine
	}
	address := file.provenanceURL()
	candidates, err := r.provenance(ctx, &answer, address, file, q)
	var absent *fetch.NotFoundError
	if !errors.As(err, &absent) {
		answer.Candidates = candidates
		return answer, err
	}
	address, err = r.findByDigest(ctx, &answer, file, q)
	if err != nil {
		return answer, err
	}
	answer.Candidates, err = r.provenance(ctx, &answer, address, file, q)
	if errors.As(err, &absent) {
		return answer, file.none("its index names provenance for the file, but has none at that address")
	}
	return answer, err
}

func firstFile(q attestation.Query) (File, bool) {
	if len(q.BundleURLs) > 0 {
		return File{}, false
	}
	for _, u := range q.URLs {
		if f, ok := ParseURL(u); ok {
			return f, true
		}
	}
	return File{}, false
}

// provenanceURL is the file's address in the Integrity API (PyPI documentation,
// "Integrity API").
func (f File) provenanceURL() string {
	return fmt.Sprintf("%s/integrity/%s/%s/%s/provenance", index,
		url.PathEscape(f.Project), url.PathEscape(f.Version), url.PathEscape(f.Name))
}

func (f File) none(hint string) error {
	return &attestation.NoneError{Where: "PyPI", What: f.Name + " of the project " + f.Project, Mend: hint}
}

func (r *Resolver) provenance(ctx context.Context, answer *attestation.Answer, address string, file File, q attestation.Query) ([]attestation.Candidate, error) {
	answer.Addresses = append(answer.Addresses, address)
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{Accept: integrityAccept, MaxBytes: q.Limit()})
	if err != nil {
		return nil, err
	}
	candidates, err := attestation.Parse(address, doc.Body)
	for i := range candidates {
		candidates[i].MatchSubject = file.SameFile
	}
	return candidates, err
}

// findByDigest looks for the pinned digest among the files of the project, for
// names that project and version cannot be read from with certainty.
func (r *Resolver) findByDigest(ctx context.Context, answer *attestation.Answer, file File, q attestation.Query) (string, error) {
	address := simpleURL(file.Project)
	answer.Addresses = append(answer.Addresses, address)
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{Accept: simpleAccept, MaxBytes: MaxIndex / attestation.MaxDocument * q.Limit()})
	var absent *fetch.NotFoundError
	if errors.As(err, &absent) {
		return "", file.none("its publisher may not have published attestations; remove the attestation block, or ask the project to use a Trusted Publisher")
	}
	if err != nil {
		return "", err
	}
	found, err := fileWithDigest(doc.Body, q.SHA256.String())
	switch {
	case err != nil:
		return "", &attestation.FormatError{Origin: address, Index: -1, Problem: err.Error()}
	case found == nil:
		return "", file.none("the project's index lists no file with the recipe's sha256 " + q.SHA256.String())
	case found.Provenance == nil:
		return "", file.none("the index lists the file without provenance; remove the attestation block, or ask the project to use a Trusted Publisher")
	}
	if err := sameIndex(*found.Provenance); err != nil {
		return "", err
	}
	// The file stays the one that the recipe's address names: the index may list
	// the digest under another version's name, which is then a mismatch.
	return *found.Provenance, nil
}
