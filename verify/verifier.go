package verify

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
)

// A Verifier verifies candidates against trust domains. It is safe for use by
// several goroutines at a time.
type Verifier struct {
	domains []trust.Domain
	now     func() time.Time
}

// New makes a verifier of trust domains. Each certificate is judged by the
// domain that it chains to, with that domain's requirements; domains are never
// merged. now is the clock that a time "in the future" is measured by; nil
// stands for time.Now. No domains is a *[RulesError].
func New(domains []trust.Domain, now func() time.Time) (*Verifier, error) {
	if len(domains) == 0 {
		return nil, &RulesError{"no trusted root is given, so nothing can be verified"}
	}
	for _, d := range domains {
		if d.Root == nil {
			return nil, &RulesError{fmt.Sprintf("the trust domain %q has no root", d.Name)}
		}
		if r := d.Require; r.ObserverTimestamps+r.SignedTimestamps < 1 {
			return nil, &RulesError{fmt.Sprintf("the trust domain %q demands no proof of time", d.Name)}
		}
	}
	if now == nil {
		now = time.Now
	}
	return &Verifier{domains: domains, now: now}, nil
}

// Match says how many of the publishers must have signed.
type Match int

// The ways to match. The zero value is none, and refused.
const (
	Any Match = iota + 1 // one of the publishers (rattler-build's documentation)
	All                  // every publisher, each by some bundle (draft CEP)
)

// Rules are what is accepted as evidence.
type Rules struct {
	Publishers []publishers.Publisher
	Match      Match
	// PredicateTypes are accepted, and no others; nil stands for
	// [DefaultPredicateTypes].
	PredicateTypes []string
	// URLs are the archive's addresses. GitHub's attestation of an immutable
	// release counts only for an archive that lies in that release.
	URLs []string
}

// DefaultPredicateTypes are the statements that say who built or published a
// file. Others, such as an SBOM or a test result, speak of the file too, and do
// not say that.
func DefaultPredicateTypes() []string {
	return []string{
		"https://slsa.dev/provenance/v0.2",
		"https://slsa.dev/provenance/v1",
		"https://docs.pypi.org/attestations/publish/v1",
		"https://schemas.conda.org/attestations-publish-1.schema.json",
		releaseV01,
		releaseV02,
	}
}

func (r Rules) check(d digest.SHA256) error {
	switch {
	case d.IsZero():
		return &RulesError{"no SHA-256 is given"}
	case len(r.Publishers) == 0:
		return &RulesError{"no publisher is given, so any signer would do"}
	case r.Match != Any && r.Match != All:
		return &RulesError{"it is not said whether any or all publishers must have signed"}
	case r.PredicateTypes != nil && len(r.PredicateTypes) == 0:
		return &RulesError{"no predicate type is accepted"}
	}
	for _, p := range r.Publishers {
		if p.IsZero() {
			return &RulesError{"a publisher is empty"}
		}
	}
	return nil
}

// accepts tells whether a predicate type is accepted. A signature over the
// archive itself has none, and is accepted unless types are listed.
func (r Rules) accepts(predicateType string) bool {
	accepted := r.PredicateTypes
	if accepted == nil {
		if predicateType == "" {
			return true
		}
		accepted = DefaultPredicateTypes()
	}
	for _, t := range accepted {
		if t == predicateType && t != "" {
			return true
		}
	}
	return false
}

// Verify decides whether candidates prove that a publisher signed the archive
// with the SHA-256 d. The account of every candidate is returned in every case,
// in the candidates' order.
//
// A nil error proves that for one and the same candidate (for each publisher,
// under [All]): it lists d; its signature, certificate chain at a proven time,
// signed certificate timestamp and log entry verify as its trust domain
// demands; its predicate type is accepted; its issuer is the publisher's; and
// its SAN and source repository are the publisher's ([publishers.Publisher.Match]).
// It also proves that no candidate lists d and fails to verify. It proves
// nothing about the archive's bytes: that they have the digest d is for the
// caller to measure.
//
// Otherwise the error is a *[RulesError], *[InvalidError] or *[MismatchError].
func (v *Verifier) Verify(candidates []attestation.Candidate, d digest.SHA256, rules Rules) (Evidence, []Bundle, error) {
	if err := rules.check(d); err != nil {
		return Evidence{}, nil, err
	}
	bundles := make([]Bundle, len(candidates))
	for i, c := range candidates {
		bundles[i] = v.consider(c, d, rules)
	}
	for _, b := range bundles {
		if b.Status == Broken {
			return Evidence{}, bundles, &InvalidError{Code: b.Code, Message: b.Reason, Mend: b.Hint, Detail: b.detail}
		}
	}
	counted, err := decide(bundles, d, rules)
	if err != nil {
		return Evidence{}, bundles, err
	}
	return Evidence{verified: true, sha256: d, bundles: counted}, bundles, nil
}

// consider gives the account of one candidate.
func (v *Verifier) consider(c attestation.Candidate, d digest.SHA256, rules Rules) (b Bundle) {
	b = Bundle{Origin: c.Origin, Index: c.Index, Format: c.Format}
	defer func() {
		if r := recover(); r != nil { // whatever the fault is, it must not verify anything
			b = Bundle{Origin: c.Origin, Index: c.Index, Format: c.Format}.broken(invalid(CodeMalformed, "the evidence cannot be read").because(fmt.Errorf("panic: %v", r)))
		}
	}()
	claims, err := c.Unverified()
	if err != nil {
		return b.broken(&InvalidError{Code: CodeMalformed, Message: "the evidence cannot be read: " + err.Error()})
	}
	listed := claims.Lists(d)
	if len(listed) == 0 {
		b.Unverified = unverifiedContent(c.Bundle, claims)
		return b.notCounted(SetAside, CodeOtherDigest, otherDigest(claims, d), "")
	}
	content, domain, err := v.verifyBundle(c, claims, d)
	b.Domain = domain
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		b.Unverified = unverifiedContent(c.Bundle, claims)
		return b.broken(invalid)
	}
	b.Verified = content
	return b.judge(c, listed, rules)
}

func (b Bundle) broken(e *InvalidError) Bundle {
	b = b.notCounted(Broken, e.Code, e.Message, e.Mend)
	b.detail = e.Detail
	return b
}

func (b Bundle) notCounted(s Status, code Code, reason, hint string) Bundle {
	b.Status, b.Code, b.Reason, b.Hint = s, code, reason, hint
	return b
}

func otherDigest(claims attestation.Claims, d digest.SHA256) string {
	var found []string
	for _, s := range claims.Subjects {
		got, ok := s.SHA256()
		switch {
		case ok:
			found = append(found, fmt.Sprintf("%s sha256:%s", subjectName(s), got))
		default:
			found = append(found, subjectName(s)+" without a sha256")
		}
		if len(found) == 3 && len(claims.Subjects) > 3 {
			found = append(found, fmt.Sprintf("and %d more", len(claims.Subjects)-3))
			break
		}
	}
	return fmt.Sprintf("it speaks of %s, wanted sha256:%s", strings.Join(found, ", "), d)
}

func subjectName(s attestation.Subject) string {
	switch {
	case s.Name != "":
		return fmt.Sprintf("%+q", clip(s.Name))
	case s.URI != "":
		return fmt.Sprintf("%+q", clip(s.URI))
	}
	return "a subject"
}

// clip keeps foreign text from flooding a message.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
