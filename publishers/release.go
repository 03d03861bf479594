package publishers

import "strings"

// A Release is what GitHub itself attests about an immutable release: that the
// repository published it under the tag.
type Release struct {
	Repository string `json:"repository"` // "owner/repo"
	Tag        string `json:"tag"`
	// RepositoryID and OwnerID are GitHub's identifiers of the repository and
	// its owner, or "" in statements that lack them.
	RepositoryID string `json:"repository_id,omitempty"`
	OwnerID      string `json:"owner_id,omitempty"`
}

// MatchRelease tells whether a release that GitHub attests to is the
// publisher's. A nil error proves that the publisher is the repository on
// github.com that published the release, and that the tag fits its ref if it
// has one. Any other outcome is a *[MismatchError]. That the attestation is
// GitHub's own has to be known before.
func (p Publisher) MatchRelease(r Release) error {
	signer := "github:" + r.Repository
	e := &MismatchError{Publisher: p.text, Signer: signer, Found: signer, Wanted: p.text, Field: FieldRepository}
	owner, name, ok := strings.Cut(r.Repository, "/")
	if !ok || checkSegment(owner) != nil || checkSegment(name) != nil {
		return e
	}
	if p.url != nil || p.repository == "" || lower("github.com/"+r.Repository) != p.repository {
		return e
	}
	if ref := "refs/tags/" + r.Tag; p.ref != "" && !matchPattern(p.ref, ref) {
		e.Field, e.Found, e.Wanted = FieldRef, ref, p.ref
		return e
	}
	return nil
}
