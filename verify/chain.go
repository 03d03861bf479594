package verify

import (
	"crypto/x509"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/recipe-verify/recipe-verify/trust"
)

// domainsOf finds the trust domains that a certificate chains to, at the time
// that the certificate itself begins to be valid; whether it was valid at a
// proven time is checked later. Only signatures decide here, so that nobody can
// choose a domain's requirements without its authority's key.
func (v *Verifier) domainsOf(leaf *x509.Certificate) []trust.Domain {
	var found []trust.Domain
	for _, d := range v.domains {
		if issued(d, leaf) {
			found = append(found, d)
		}
	}
	return found
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
