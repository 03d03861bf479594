package verify

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// An Inspection is what a person may want to know about a bundle. It is no
// evidence: nobody's policy and no publisher was asked.
type Inspection struct {
	Origin string
	Index  int
	Format attestation.Format

	// Genuine says that the signature, the certificate, its timestamp, the log
	// entry and the time all verify, as the trust domain demands; nothing about
	// who signed, and nothing about a digest that it was compared with.
	Genuine bool
	// Content is what the bundle says, proven if Genuine and its own claim
	// otherwise; nil if it cannot be read.
	Content *Content
	// Domain is the trust domain that the certificate chains to, or "".
	Domain string
	// Domains are all trust domains in use, and what came of each.
	Domains []DomainAccount
	// Checks are all checks, in the order digest, certificate, sct, log-entry,
	// time, signature.
	Checks []Check

	// Code, Reason, Hint and Detail explain the first failure of a bundle that
	// is not genuine; Detail is the verifying library's account, not stable.
	Code                 Code
	Reason, Hint, Detail string
}

// A DomainAccount says what one trust domain makes of a bundle.
type DomainAccount struct {
	Name   string
	Origin string // as in [trust.Domain]
	// Issued says that the certificate chains to an authority of the domain.
	Issued bool
	// Verified says that the bundle verifies in it.
	Verified bool
	// Reason is why it does not; "" if it does, or was not asked since another
	// one verified the bundle.
	Reason string
}

// Inspect tells what a candidate says, and how much of it verifies. With a
// digest it tells too whether the bundle speaks of that. Each check that holds
// was made by the code that [Verifier.Verify] runs; after the first that fails,
// those that depend on it are not made. An entry that its log's promise alone
// proves is looked at wherever it came from, while Verify accepts none of PyPI's.
func (v *Verifier) Inspect(c attestation.Candidate, d *digest.SHA256) (in Inspection) {
	in = Inspection{Origin: c.Origin, Index: c.Index, Format: c.Format, Domains: v.accounts(nil)}
	defer func() {
		if r := recover(); r != nil { // as in Verify
			in = Inspection{Origin: c.Origin, Index: c.Index, Format: c.Format}
			in.fail(invalid(CodeMalformed, "the evidence cannot be read").because(fmt.Errorf("panic: %v", r)))
			in.Checks = in.checks(nil)
		}
	}()
	claims, err := c.Unverified()
	if err != nil {
		in.fail(&InvalidError{Code: CodeMalformed, Message: "the evidence cannot be read: " + err.Error()})
		in.Checks = in.checks(nil)
		return in
	}
	x := v.verifyBundle(c, claims, spokenOf(claims, d))
	in.Domain, in.Content, in.Genuine = x.domain(), x.content, x.content != nil
	if x.domains != nil {
		in.Domains = x.domains
	}
	if !in.Genuine {
		in.Content = unverifiedContent(c, claims)
		in.fail(x.failed)
	}
	in.Checks = in.checks(x.progress)
	in.compare(claims, d)
	return in
}

func (in *Inspection) fail(e *InvalidError) {
	in.Code, in.Reason, in.Hint, in.Detail = e.Code, e.Message, e.Mend, e.Detail
}

// spokenOf is the digest to verify a bundle with: the wanted one if the bundle
// lists it, else its own first; nil if it lists no SHA-256.
func spokenOf(claims attestation.Claims, d *digest.SHA256) *digest.SHA256 {
	if d != nil && len(claims.Lists(*d)) > 0 {
		return d
	}
	for _, s := range claims.Subjects {
		if own, ok := s.SHA256(); ok {
			return &own
		}
	}
	return nil
}

// checks lists what was found, and what was not looked at.
func (in *Inspection) checks(p *progress) []Check {
	failed := checkOf(in.Code)
	var list []Check
	for _, name := range checkNames {
		check, done := Check{Name: name}, false
		if p != nil {
			check, done = p.done[name]
		}
		switch {
		case name == failed:
			check = Check{name, Fails, in.Reason}
		case !done && name == CheckCertificate && p != nil:
			check = Check{name, NotChecked, fmt.Sprintf("an authority of %q issued it; whether it was valid when it was used is open", p.domain.Name)}
		case !done && failed != "":
			check = Check{name, NotChecked, fmt.Sprintf("the check %q failed before", failed)}
		case !done:
			check = Check{name, NotChecked, "the bundle cannot be read"}
		}
		list = append(list, check)
	}
	return list
}

// compare enters what the bundle says of the wanted digest. That it lists one is
// worth no more than its signature.
func (in *Inspection) compare(claims attestation.Claims, d *digest.SHA256) {
	check := &in.Checks[0]
	switch {
	case d == nil:
		check.Outcome, check.Reason = NotChecked, "no digest is given that it could be compared with"
	case len(claims.Lists(*d)) == 0:
		check.Outcome, check.Reason = Fails, otherDigest(claims, *d)
	case in.Genuine:
		check.Outcome, check.Reason = Holds, fmt.Sprintf("it speaks of sha256:%s", *d)
	default:
		check.Outcome, check.Reason = NotChecked, fmt.Sprintf("it lists sha256:%s, and nothing proves that its signer wrote that", *d)
	}
}

// accounts says what each domain made of a bundle. said has the domains that it
// was verified in by their place, "" for those where it did verify.
func (v *Verifier) accounts(said map[int]string) []DomainAccount {
	var list []DomainAccount
	for i, d := range v.domains {
		reason, asked := said[i]
		a := DomainAccount{Name: d.Name, Origin: d.Origin, Issued: asked, Verified: asked && reason == "", Reason: reason}
		if !asked {
			a.Reason = "it vouches for " + authorities(d)
		}
		list = append(list, a)
	}
	return list
}

// authorities names the certificate authorities of a domain.
func authorities(d trust.Domain) string {
	var names []string
	for _, a := range d.Root.FulcioCertificateAuthorities() {
		ca, ok := a.(*root.FulcioCertificateAuthority)
		if !ok {
			continue
		}
		issuers := ca.Intermediates
		if len(issuers) == 0 {
			issuers = []*x509.Certificate{ca.Root}
		}
		names = append(names, fmt.Sprintf("%+q", clip(issuers[0].Subject.String())))
		if len(names) == 4 {
			break
		}
	}
	return strings.Join(names, ", ")
}
