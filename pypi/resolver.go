package pypi

import (
	"bytes"
	"context"
	"encoding/json"
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
	simpleAccept    = "application/vnd.pypi.simple.v1+json"
)

// A Resolver finds provenance on PyPI. It may be used by several goroutines at
// a time.
type Resolver struct {
	Client *fetch.Client
}

// Name implements [attestation.Resolver].
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

// simpleFile is one file in an answer of the Simple API (PyPA simple repository
// API, version 1.3).
type simpleFile struct {
	Name   string `json:"filename"`
	Hashes struct {
		SHA256 string `json:"sha256"` // alone: a map would hold as many as somebody sends
	} `json:"hashes"`
	Provenance *string `json:"provenance"`
}

// findByDigest looks for the pinned digest among the files of the project, for
// names that project and version cannot be read from with certainty.
func (r *Resolver) findByDigest(ctx context.Context, answer *attestation.Answer, file File, q attestation.Query) (string, error) {
	address := fmt.Sprintf("%s/simple/%s/", index, url.PathEscape(file.Project))
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

// fileWithDigest walks the list of files one at a time, so that a long one does
// not stand in memory twice.
func fileWithDigest(body []byte, sha256 string) (*simpleFile, error) {
	malformed := errors.New("the answer is not a project of the Simple API in JSON")
	var page struct {
		Files json.RawMessage `json:"files"`
	}
	if err := json.Unmarshal(body, &page); err != nil || len(page.Files) == 0 {
		return nil, malformed
	}
	dec := json.NewDecoder(bytes.NewReader(page.Files))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, malformed
	}
	for dec.More() {
		var f simpleFile
		if err := dec.Decode(&f); err != nil {
			return nil, malformed
		}
		if f.Hashes.SHA256 == sha256 {
			return &f, nil
		}
	}
	return nil, nil
}

// sameIndex refuses links that lead away from the index: whoever can write one
// into its answer must not choose who vouches for the file.
func sameIndex(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host != "pypi.org" || u.User != nil {
		return &fetch.RefusedError{
			URL:    address,
			Found:  "an address that PyPI's index names as provenance, and that lies elsewhere",
			Wanted: "an https address on pypi.org",
		}
	}
	return nil
}
