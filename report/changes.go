package report

import (
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
)

// An evidence is what a record says of who signed, as far as it can change.
type evidence struct {
	has bool // there is evidence, and it verifies

	// publisher is the repository that was built, as an address, or the SAN of
	// others; workflow a path in the repository, without a ref.
	publisher, issuer, workflow, predicate string
	repositoryID, ownerID                  string

	// person says that publisher is a SAN, in which case counts.
	person bool
	// release says that GitHub signed, for the repository's release. Its issuer
	// is nobody who vouches for the publisher.
	release bool
}

// texts are all of an evidence's texts.
func (e *evidence) texts() []*string {
	return []*string{&e.publisher, &e.issuer, &e.workflow, &e.predicate, &e.repositoryID, &e.ownerID}
}

// evidenceOf reads what a record says of evidence that verifies: that a recipe
// demanded, or that was found.
func evidenceOf(r *Record) (e evidence) {
	e.has = r.Verdict == audit.Verified || found(r, audit.Attestable) && r.Finding.Genuine
	s := r.Signer()
	if s == nil {
		return e
	}
	e.issuer, e.predicate = s.Issuer, s.PredicateType
	if x := s.Extensions; x != nil {
		e.publisher, e.repositoryID, e.ownerID = x.SourceRepository, x.SourceRepositoryID, x.SourceOwnerID
		e.workflow = workflowPath(x.BuildConfigURI, x.SourceRepository)
	}
	switch {
	case s.Release != nil:
		e.release = true
		e.publisher = "https://github.com/" + s.Release.Repository
		e.repositoryID, e.ownerID, e.workflow = s.Release.RepositoryID, s.Release.OwnerID, ""
	case e.publisher == "" && s.SANType == "uri":
		// Certificates of before 2022 name the repository here alone.
		repository, _, isWorkflow := strings.Cut(s.SAN, "/.github/workflows/")
		e.publisher, e.person = repository, !isWorkflow
	case e.publisher == "":
		e.publisher, e.person = s.SAN, true
	}
	for _, text := range e.texts() {
		*text = shortened(*text)
	}
	return e
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

func found(r *Record, kind audit.FindingKind) bool {
	return r.Finding != nil && r.Finding.Kind == kind
}

// disappeared tells whether there was evidence and there is none now. It is not
// said where the new run did not look, or got no answer, with one exception: a
// recipe that demanded evidence, and does not any more, is a downgrade unless
// evidence was found all the same.
func disappeared(before *entry, r *Record, now evidence) []Change {
	if !before.evidence.has || now.has || found(r, audit.Attestable) {
		return nil
	}
	noBlock := r.Verdict == audit.Unattested || r.Verdict == audit.Missing && r.Code == audit.CodeNoBlock
	after := ""
	switch {
	case r.Code == audit.CodeArchiveMissing:
		return nil
	case noBlock && (found(r, audit.NoEvidence) || found(r, audit.NotAttestable)):
		after = r.Finding.Detail
	case noBlock && before.verified:
		after = "none is demanded: " + r.Message
	case r.Verdict == audit.Missing && !noBlock:
		after = r.Message
	default:
		return nil
	}
	return []Change{{EvidenceDisappeared, before.evidence.describe(), shortened(after), true}}
}

// describe names who signed.
func (e evidence) describe() string {
	if e.publisher == "" {
		return "evidence that verifies"
	}
	return "signed by " + e.publisher
}

// failed tells whether there was evidence that verified and there is a failure
// now. Of evidence that was found only it is said if it does not verify any more.
func failed(before *entry, r *Record, now evidence) []Change {
	after := ""
	switch {
	case found(r, audit.Attestable) && !now.has && before.evidence.has:
		after = r.Finding.Detail
	case !before.verified:
		return nil
	case r.Verdict == audit.Mismatch, r.Verdict == audit.Invalid, r.Verdict == audit.Missing, r.Verdict == audit.Error:
		after = fmt.Sprintf("%s: %s", r.Verdict, r.Message)
	default:
		return nil
	}
	return []Change{{NewFailure, before.evidence.describe(), shortened(after), true}}
}

// compare compares two signers.
func (e evidence) compare(now evidence) []Change {
	var changes []Change
	differ := func(kind ChangeKind, before, after string, downgrade bool) {
		changes = append(changes, Change{kind, before, after, downgrade})
	}
	if !e.samePublisher(now) {
		after := now.publisher
		if e.repositoryID != "" && e.repositoryID == now.repositoryID && !e.person && !now.person {
			after += " (the same repository, renamed or transferred)"
		}
		differ(PublisherChanged, e.publisher, after, true)
	}
	if e.issuer != now.issuer && !e.release && !now.release {
		differ(IssuerChanged, e.issuer, now.issuer, true)
	}
	if e.workflow != now.workflow {
		differ(WorkflowChanged, e.workflow, now.workflow, false)
	}
	if e.predicate != now.predicate {
		differ(PredicateChanged, e.predicate, now.predicate, false)
	}
	if e.repositoryID != now.repositoryID && e.repositoryID != "" && now.repositoryID != "" {
		differ(RepositoryIDChanged, e.repositoryID, now.repositoryID, true)
	}
	if e.ownerID != now.ownerID && e.ownerID != "" && now.ownerID != "" {
		differ(OwnerIDChanged, e.ownerID, now.ownerID, true)
	}
	return changes
}

// samePublisher compares repositories without regard to case, as their hosts do,
// and people to the letter.
func (e evidence) samePublisher(now evidence) bool {
	if e.person || now.person {
		return e.person == now.person && e.publisher == now.publisher
	}
	return lowerASCII(e.publisher) == lowerASCII(now.publisher)
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
