package verify

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/trust"
)

// material is a trust domain's root as sigstore-go's verifier is given it: the
// same, but that the signature of an authority's root on its intermediate is
// verified once for all bundles, and not for each. It is one of two P-384
// signatures in every chain, and always the same one.
//
// It is safe because an [authority] only ever shortens a yes. Whatever it does
// not plainly know goes to sigstore-go's own authority, and so does whatever it
// would refuse: no certificate is refused here, and one is accepted only if
// sigstore-go's authority accepts it with the very same chain.
type material struct {
	*root.TrustedRoot
	authorities []root.CertificateAuthority
}

func (m *material) FulcioCertificateAuthorities() []root.CertificateAuthority {
	return slices.Clone(m.authorities)
}

// newMaterial verifies the intermediates of a root.
func newMaterial(r *root.TrustedRoot) *material {
	m := &material{TrustedRoot: r}
	for _, a := range r.FulcioCertificateAuthorities() {
		if fulcio, ok := a.(*root.FulcioCertificateAuthority); ok {
			if short := newAuthority(fulcio); short != nil {
				a = short
			}
		}
		m.authorities = append(m.authorities, a)
	}
	return m
}

// materialOf is what a bundle is verified with. One that brings intermediates
// along is verified with the root itself: where sigstore-go is told to use them
// (bundle.AllowCertificateChain, which this package does not tell it), it adds
// them to authorities of its own type alone, and not to an [authority].
func (v *Verifier) materialOf(dom trust.Domain, b *opened) root.TrustedMaterial {
	m := v.materials[dom.Root]
	if m == nil || len(b.logged.GetVerificationMaterial().GetX509CertificateChain().GetCertificates()) > 1 {
		return dom.Root
	}
	return m
}

// authority is a certificate authority of one root and one intermediate, which
// the root is known to have signed.
type authority struct {
	*root.FulcioCertificateAuthority
	anchor, intermediate *x509.Certificate
	// issuers holds the intermediate alone.
	issuers *x509.CertPool
}

// The extensions that make a chain's validity more than that of its links: name
// constraints, certificate policies, policy mappings, policy constraints and
// inhibitAnyPolicy (RFC 5280, 4.2.1).
var chainwide = []asn1.ObjectIdentifier{{2, 5, 29, 30}, {2, 5, 29, 32}, {2, 5, 29, 33}, {2, 5, 29, 36}, {2, 5, 29, 54}}

// newAuthority gives nil for an authority that is not plain, which sigstore-go
// has to judge each time. Plain are one root and one intermediate of different
// names, both of them CAs that may sign certificates for code signing, without
// anything that looks at the chain as a whole, where crypto/x509 finds the
// intermediate good under the root at some time.
func newAuthority(ca *root.FulcioCertificateAuthority) *authority {
	if ca.Root == nil || len(ca.Intermediates) != 1 || ca.Intermediates[0] == nil {
		return nil
	}
	top, middle := ca.Root, ca.Intermediates[0]
	if bytes.Equal(top.RawSubject, middle.RawSubject) || !plainCA(top) || !plainCA(middle) {
		return nil
	}
	if top.MaxPathLen == 0 { // no room for the intermediate; -1 is no limit
		return nil
	}
	at := middle.NotBefore
	if top.NotBefore.After(at) {
		at = top.NotBefore
	}
	roots := x509.NewCertPool()
	roots.AddCert(top)
	chains, err := middle.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil || len(chains) != 1 || len(chains[0]) != 2 {
		return nil
	}
	issuers := x509.NewCertPool()
	issuers.AddCert(middle)
	return &authority{FulcioCertificateAuthority: ca, anchor: top, intermediate: middle, issuers: issuers}
}

func plainCA(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA && c.KeyUsage&x509.KeyUsageCertSign != 0 &&
		len(c.UnhandledCriticalExtensions) == 0 && !hasChainwide(c)
}

func hasChainwide(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return slices.ContainsFunc(chainwide, e.Id.Equal) })
}

// Verify is sigstore-go's own, but for not verifying the intermediate's
// signature again.
func (a *authority) Verify(leaf *x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	if chain := a.known(leaf, at); chain != nil {
		return [][]*x509.Certificate{chain}, nil
	}
	return a.FulcioCertificateAuthority.Verify(leaf, at)
}

// known gives the only chain that the certificate can have if it has one, or
// nil for sigstore-go to judge it.
//
// What crypto/x509 would look at, from the leaf to the root, and where it is
// looked at here:
//
//   - that the leaf, as such, is well-formed and valid at the time, and the
//     intermediate's signature on it good, and the intermediate valid at the
//     time: by crypto/x509, here;
//   - that the root's signature on the intermediate is good, and both are CAs,
//     may sign certificates and code, and leave room for each other: in
//     [newAuthority], since it does not change with the time or the leaf;
//   - that the root is valid at the time, and the authority's own period: here;
//   - name constraints and policies: none of the three certificates has any;
//   - other chains: there are none, since the leaf's issuer is the intermediate
//     by name, the intermediate's is the root, and the three names differ, so
//     that the leaf cannot be one of the other two.
func (a *authority) known(leaf *x509.Certificate, at time.Time) []*x509.Certificate {
	switch {
	case at.IsZero(): // stands for the present, in crypto/x509
		return nil
	case !a.ValidityPeriodStart.IsZero() && at.Before(a.ValidityPeriodStart),
		!a.ValidityPeriodEnd.IsZero() && at.After(a.ValidityPeriodEnd),
		at.Before(a.anchor.NotBefore), at.After(a.anchor.NotAfter):
		return nil
	case !bytes.Equal(leaf.RawIssuer, a.intermediate.RawSubject),
		bytes.Equal(leaf.RawSubject, a.intermediate.RawSubject),
		bytes.Equal(leaf.RawSubject, a.anchor.RawSubject),
		hasChainwide(leaf):
		return nil
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: a.issuers, Intermediates: x509.NewCertPool(), CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil || len(chains) != 1 || len(chains[0]) != 2 {
		return nil
	}
	return append(chains[0], a.anchor)
}
