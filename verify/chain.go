package verify

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/recipe-verify/recipe-verify/trust"
)

// domainsOf finds the trust domains that a certificate can chain to, by their
// place. Of several that have an authority of the issuer's name only those are
// given that signed the certificate, at the time that it begins to be valid:
// nobody can choose a domain's requirements without its authority's key. A
// single one is given by the name alone, since there is nothing to choose, and
// the chain is verified with everything else; the caller asks [issued] if that
// fails.
func (v *Verifier) domainsOf(leaf *x509.Certificate) []int {
	var named, found []int
	for i, d := range v.domains {
		if hasIssuer(d, leaf) {
			named = append(named, i)
		}
	}
	if len(named) == 1 {
		return named
	}
	for _, i := range named {
		if issued(v.domains[i], leaf) {
			found = append(found, i)
		}
	}
	return found
}

// hasIssuer tells whether a domain has an authority of the name that a
// certificate gives as its issuer. A chain cannot be without (RFC 5280, 6.1.3).
func hasIssuer(d trust.Domain, leaf *x509.Certificate) bool {
	for _, ca := range d.Root.FulcioCertificateAuthorities() {
		fulcio, ok := ca.(*root.FulcioCertificateAuthority)
		if !ok {
			continue
		}
		if bytes.Equal(fulcio.Root.RawSubject, leaf.RawIssuer) ||
			slices.ContainsFunc(fulcio.Intermediates, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, leaf.RawIssuer) }) {
			return true
		}
	}
	return false
}

// strictest gives the most that any of several domains requires, for a
// certificate that chains to all of them. One authority can be in several roots:
// an old and a new one of the same instance, which require the same, so that
// either will do; or, by mistake or malice, one with logs and one without. The
// second must not drop what the first demands.
func (v *Verifier) strictest(domains []int) trust.Requirements {
	var r trust.Requirements
	for _, i := range domains {
		d := v.domains[i].Require
		r.SCTs = max(r.SCTs, d.SCTs)
		r.LogEntries = max(r.LogEntries, d.LogEntries)
		r.ObserverTimestamps = max(r.ObserverTimestamps, d.ObserverTimestamps)
		r.SignedTimestamps = max(r.SignedTimestamps, d.SignedTimestamps)
	}
	return r
}

func issued(d trust.Domain, leaf *x509.Certificate) bool {
	for _, ca := range d.Root.FulcioCertificateAuthorities() {
		if fulcio, ok := ca.(*root.FulcioCertificateAuthority); ok && chains(fulcio, leaf) {
			return true
		}
	}
	return false
}

func chains(ca *root.FulcioCertificateAuthority, leaf *x509.Certificate) bool {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(ca.Root)
	for _, c := range ca.Intermediates {
		intermediates.AddCert(c)
	}
	c := *leaf
	c.UnhandledCriticalExtensions = nil
	for _, oid := range leaf.UnhandledCriticalExtensions {
		// crypto/x509 knows no otherName; package cryptoutils reads it.
		if !oid.Equal(cryptoutils.SANOID) {
			c.UnhandledCriticalExtensions = append(c.UnhandledCriticalExtensions, oid)
		}
	}
	_, err := c.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates,
		CurrentTime: leaf.NotBefore.Add(time.Second),
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	return err == nil
}
