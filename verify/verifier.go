package verify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

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
	// materials are the domains' roots, as sigstore-go is given them.
	materials map[*root.TrustedRoot]*material
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
	materials := map[*root.TrustedRoot]*material{}
	for _, d := range domains {
		materials[d.Root] = newMaterial(d.Root)
	}
	return &Verifier{domains: domains, now: now, materials: materials}, nil
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
	// release counts only for an archive that lies in that release, and a log's
	// promise without a checkpoint only where none of them is PyPI's.
	URLs []string
	// Terms are what a policy demands and allows beyond a publisher's name.
	Terms publishers.Terms
	// Bound are publishers that a policy demands beside Publishers: a bundle
	// counts only if it is of one of these, too. None are no demand.
	Bound []publishers.Publisher
	// NoImmutableReleases makes GitHub's attestations of immutable releases not
	// count, which say who published a file and not how it was built.
	NoImmutableReleases bool
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
	for _, p := range slices.Concat(r.Publishers, r.Bound) {
		if p.IsZero() {
			return &RulesError{"a publisher is empty"}
		}
	}
	for _, rule := range r.Terms.Rules {
		if err := rule.Validate(); err != nil {
			return &RulesError{"a rule of the policy cannot be used: " + err.Error()}
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

// promise tells whether a log's signed promise may prove an entry of a
// candidate that has nothing better ([openPromised]). It must be known where
// the archive was published, and that this is not PyPI: all evidence there has a
// proof and a checkpoint, so one that lacks them was changed by somebody.
func (r Rules) promise(c attestation.Candidate) bool {
	for _, address := range append([]string{c.Origin}, r.URLs...) {
		if onPyPI(address) {
			return false
		}
	}
	return len(r.URLs) > 0
}

// onPyPI tells whether an address may be PyPI's. It is broader than package
// origin, since here it refuses: any host below PyPI's domains counts, and any
// address that cannot be read.
func onPyPI(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	host := "." + strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, domain := range []string{".pypi.org", ".pypi.io", ".pythonhosted.org"} {
		if strings.HasSuffix(host, domain) {
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
// demands; its predicate type is accepted; its issuer, SAN and source
// repository are the publisher's, and the policy's terms hold
// ([publishers.Terms.Match]); and it is of one of Bound, if there are any.
// It also proves that no candidate lists d and fails to verify, but for those of
// a pool ([attestation.Candidate]) that no trusted root vouches for. It proves
// nothing about the archive's bytes: that they have the digest d is for the
// caller to measure.
//
// Otherwise the error is a *[RulesError], *[InvalidError] or *[MismatchError].
func (v *Verifier) Verify(candidates []attestation.Candidate, d digest.SHA256, rules Rules) (Evidence, []Bundle, error) {
	if err := rules.check(d); err != nil { // before the work is done
		return Evidence{}, nil, err
	}
	return v.Examine(candidates, d).Judge(rules)
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
