package report

import (
	"fmt"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/signer"
	"github.com/recipe-verify/recipe-verify/verify"
)

// An evidence is what a record says of who signed, as far as it can change.
type evidence struct {
	has bool // there is evidence, and it verifies
	signer.Signer
}

// evidenceOf reads what a record says of evidence that verifies: that a recipe
// demanded, or that was found.
func evidenceOf(r *Record) (e evidence) {
	e.has = r.Verdict == audit.Verified || found(r, audit.Attestable) && r.Finding.Genuine
	s := r.Signer()
	if s == nil {
		return e
	}
	e.Signer = signer.Of(s.content())
	e.Reusable = "" // a report names none of its changes
	for _, text := range e.Texts() {
		*text = shortened(*text)
	}
	return e
}

// content is what signers are read from. A report holds it as it was verified.
func (d *ContentDocument) content() verify.Content {
	c := verify.Content{PredicateType: d.PredicateType, Release: d.Release}
	c.Certificate = verify.Certificate{SAN: d.SAN, SANKind: sanKind(d.SANType), Issuer: d.Issuer}
	if x := d.Extensions; x != nil {
		c.Certificate.SourceRepository, c.Certificate.BuildConfigURI = x.SourceRepository, x.BuildConfigURI
		c.Certificate.SourceRepositoryID, c.Certificate.SourceOwnerID = x.SourceRepositoryID, x.SourceOwnerID
	}
	return c
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
	if e.Publisher == "" {
		return "evidence that verifies"
	}
	return "signed by " + e.Publisher
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

// compare compares two signers. An identifier that one of two reports lacks says
// nothing, and that GitHub signs for a release is seen by its predicate type.
func (e evidence) compare(now evidence) []Change {
	var changes []Change
	for _, c := range signer.Compare([]signer.Signer{e.Signer}, []signer.Signer{now.Signer}) {
		switch c.Kind {
		case signer.ReleaseChanged:
			continue
		case signer.RepositoryIDChanged, signer.OwnerIDChanged:
			if c.Before == "" || c.After == "" {
				continue
			}
		}
		changes = append(changes, Change{ChangeKind(c.Kind), c.Before, c.After, c.Downgrade})
	}
	return changes
}
