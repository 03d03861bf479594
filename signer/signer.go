// Package signer says who signed, in terms that outlive a version: another
// release of the same project, made the same way, has the same signers. What
// compares two versions compares signers by it: audit --since, bump-check and
// verify --locked.
package signer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A Signer is who signed a file, and what was stated by it. It holds nothing
// that is of one version: no ref, digest or time.
type Signer struct {
	// Publisher is the address of the repository that was built, or that the
	// release is of; or the certificate's subject alternative name if Person.
	Publisher string
	// Issuer vouches for the publisher. It is empty if Release.
	Issuer string
	// Workflow is the build's configuration: a path in the repository, or an
	// address if it lies elsewhere. It has no ref.
	Workflow string
	// Reusable is the workflow that was called and signed in the place of
	// Workflow, written like it; empty where Workflow itself signed.
	Reusable string
	// RepositoryID and OwnerID are the host's identifiers of the repository and
	// its owner, which a name that is registered again does not get back; empty
	// where the evidence has none.
	RepositoryID, OwnerID string
	// PredicateType is empty for a signature over the file itself.
	PredicateType string

	// Person says that Publisher is no repository, and is compared to the letter.
	Person bool
	// Release says that GitHub signed, for the repository's immutable release.
	Release bool
}

// Of reads what verified evidence says. It can only be as good as what it is
// given: hand over verify.Bundle.Verified, and no claims.
func Of(c verify.Content) Signer {
	x := c.Certificate
	s := Signer{
		Publisher: x.SourceRepository, Issuer: x.Issuer, PredicateType: c.PredicateType,
		RepositoryID: x.SourceRepositoryID, OwnerID: x.SourceOwnerID,
		Workflow: workflowPath(x.BuildConfigURI, x.SourceRepository),
	}
	switch {
	case c.Release != nil:
		return Signer{
			Publisher: "https://github.com/" + c.Release.Repository, PredicateType: c.PredicateType,
			RepositoryID: c.Release.RepositoryID, OwnerID: c.Release.OwnerID, Release: true,
		}
	case s.Publisher != "":
		if called := workflowPath(x.SAN, x.SourceRepository); x.SANKind == publishers.URIName && s.Workflow != "" && called != s.Workflow {
			s.Reusable = called
		}
	case x.SANKind == publishers.URIName:
		// Certificates of before 2022 name the repository here alone.
		repository, _, isWorkflow := strings.Cut(x.SAN, "/.github/workflows/")
		s.Publisher, s.Person = repository, !isWorkflow
	default:
		s.Publisher, s.Person = x.SAN, true
	}
	return s
}

// All gives the signers of verified evidence, each once and in a fixed order.
func All(e verify.Evidence) []Signer {
	var list []Signer
	for _, b := range e.Bundles() {
		if b.Verified != nil {
			list = append(list, Of(*b.Verified))
		}
	}
	return Sorted(list)
}

// Sorted gives each of several signers once, in a fixed order.
func Sorted(list []Signer) []Signer {
	sorted := slices.SortedFunc(slices.Values(list), Signer.compare)
	return slices.CompactFunc(sorted, Signer.Same)
}

// compare orders signers. Those that are the same stand side by side.
func (s Signer) compare(t Signer) int {
	return cmp.Or(
		cmp.Compare(s.folded(), t.folded()),
		cmp.Compare(s.Workflow, t.Workflow), cmp.Compare(s.Reusable, t.Reusable),
		cmp.Compare(s.Issuer, t.Issuer), cmp.Compare(s.PredicateType, t.PredicateType),
		cmp.Compare(s.RepositoryID, t.RepositoryID), cmp.Compare(s.OwnerID, t.OwnerID),
		boolCompare(s.Person, t.Person), boolCompare(s.Release, t.Release),
		cmp.Compare(s.Publisher, t.Publisher),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Same tells whether two signers differ in nothing but the case of a
// repository's address, which hosts do not regard.
func (s Signer) Same(t Signer) bool {
	if s.Person != t.Person || s.folded() != t.folded() {
		return false
	}
	s.Publisher, t.Publisher = "", ""
	return s == t
}

// folded is the publisher as it is compared: repositories without regard to
// case, as their hosts do, and people to the letter.
func (s Signer) folded() string {
	if s.Person {
		return s.Publisher
	}
	return lowerASCII(s.Publisher)
}

// Texts are all of a signer's texts, for those who keep many signers in little
// memory.
func (s *Signer) Texts() []*string {
	return []*string{&s.Publisher, &s.Issuer, &s.Workflow, &s.Reusable, &s.RepositoryID, &s.OwnerID, &s.PredicateType}
}

// String names who signed, and by which workflow.
func (s Signer) String() string {
	name := s.Publisher
	switch {
	case s.Release:
		return name + " (immutable release)"
	case s.Reusable != "":
		return name + " (" + s.Reusable + ", called by " + s.Workflow + ")"
	case s.Workflow != "":
		return name + " (" + s.Workflow + ")"
	}
	return name
}

// workflowPath is the path of a build configuration without its ref, and without
// the repository that it lies in if that is the one that was built.
func workflowPath(uri, repository string) string {
	file, _, ok := strings.Cut(uri, "@refs/")
	if !ok {
		file, _, _ = strings.Cut(uri, "@")
	}
	if n := len(repository); n > 0 && len(file) > n && file[n] == '/' && lowerASCII(file[:n]) == lowerASCII(repository) {
		return strings.TrimLeft(file[n:], "/")
	}
	return file
}

// lowerASCII leaves other letters alone: some of them fold to those of ASCII.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.TrimRight(s, "/"))
}
