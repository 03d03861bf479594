package ghrelease

import (
	"context"
	"errors"
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

const bundleAccept = "application/json, application/octet-stream;q=0.9, */*;q=0.8"

// collected are the bundles of one source, and what is left for more of them:
// all documents of a source are held together.
type collected struct {
	*Resolver
	answer      attestation.Answer
	limit, left int64 // bytes
}

func (r *Resolver) collect(q attestation.Query) *collected {
	return &collected{Resolver: r, limit: q.Limit(), left: q.Limit()}
}

func absent(err error) bool {
	var absent *fetch.NotFoundError
	return errors.As(err, &absent)
}

// get fetches one document, and takes it from what is left. A snappy block
// counts as what it claims to become.
func (c *collected) get(ctx context.Context, address string, o fetch.DocumentOptions) (*fetch.Document, error) {
	o.MaxBytes = max(c.left, 1) // 0 would stand for the client's default
	doc, err := c.Client.Document(ctx, address, o)
	var large *fetch.TooLargeError
	if errors.As(err, &large) {
		return nil, &fetch.TooLargeError{URL: address, Limit: c.limit, Size: large.Size}
	}
	if err != nil {
		return nil, err
	}
	size := attestation.Size(doc.Body)
	// What claims more than any document may have is refused where it is read,
	// and named there for what it is.
	if size > c.left && size <= attestation.MaxDocument {
		return nil, &fetch.TooLargeError{URL: address, Limit: c.limit, Size: size}
	}
	c.left -= min(size, c.left)
	return doc, nil
}

// document adds the bundles of a document at an address that a recipe names.
func (c *collected) document(ctx context.Context, address string) error {
	c.answer.Addresses = append(c.answer.Addresses, address)
	doc, err := c.get(ctx, address, fetch.DocumentOptions{Accept: bundleAccept})
	if err != nil {
		return err
	}
	found, err := attestation.Parse(address, doc.Body)
	if err != nil {
		return forPeople(err)
	}
	return c.add(found)
}

func (c *collected) add(found []attestation.Candidate) error {
	c.answer.Candidates = append(c.answer.Candidates, found...)
	return c.bound(0)
}

// bound refuses more bundles than one document may hold, further ones included.
func (c *collected) bound(further int) error {
	if len(c.answer.Candidates)+further > attestation.MaxBundles {
		return &attestation.FormatError{Index: -1, Problem: fmt.Sprintf("the source's documents together hold more than %d bundles", attestation.MaxBundles)}
	}
	return nil
}

// forPeople redacts the address in an error, which ends up in reports and logs.
func forPeople(err error) error {
	var format *attestation.FormatError
	if errors.As(err, &format) {
		format.Origin = fetch.Redact(format.Origin)
	}
	return err
}
