package sigstoretest

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// authority is a chain of certificates and the key of its first one, which
// signs: end-entity certificates for Fulcio, time stamps for the other.
type authority struct {
	// chain runs from the one that signs to the root.
	chain []*x509.Certificate
	key   crypto.Signer
}

func (a *authority) signer() *x509.Certificate { return a.chain[0] }

// newFulcio makes a root and an intermediate that issues code-signing
// certificates.
func newFulcio(organization string, from, to time.Time) *authority {
	rootKey, key := ecdsaKey(elliptic.P384()), ecdsaKey(elliptic.P384())
	name := func(common string) pkix.Name {
		return pkix.Name{Organization: []string{organization}, CommonName: common}
	}
	root := certify(&x509.Certificate{
		Subject: name("sigstore"), NotBefore: from, NotAfter: to, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, MaxPathLen: 1,
	}, nil, rootKey.Public(), rootKey)
	intermediate := certify(&x509.Certificate{
		Subject: name("sigstore-intermediate"), NotBefore: from, NotAfter: to, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, MaxPathLenZero: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}, root, key.Public(), rootKey)
	return &authority{chain: []*x509.Certificate{intermediate, root}, key: key}
}

// newTimestampAuthority makes a root and a certificate that signs time stamps:
// its extended key usage must be critical and no other (RFC 3161 section 2.3).
func newTimestampAuthority(organization string, from, to time.Time) *authority {
	rootKey, key := ecdsaKey(elliptic.P384()), ecdsaKey(elliptic.P256())
	name := func(common string) pkix.Name {
		return pkix.Name{Organization: []string{organization}, CommonName: common}
	}
	root := certify(&x509.Certificate{
		Subject: name("sigstore-tsa-selfsigned"), NotBefore: from, NotAfter: to, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, MaxPathLenZero: true,
	}, nil, rootKey.Public(), rootKey)
	timeStamping := must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))
	leaf := certify(&x509.Certificate{
		Subject: name("sigstore-tsa"), NotBefore: from, NotAfter: to,
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: timeStamping}},
	}, root, key.Public(), rootKey)
	return &authority{chain: []*x509.Certificate{leaf, root}, key: key}
}

// certify makes an authority's certificate; without a parent it signs itself.
func certify(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	template.SerialNumber = serialNumber()
	template.BasicConstraintsValid = template.IsCA
	if parent == nil {
		parent = template
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, public, key))
	return must(x509.ParseCertificate(der))
}

// serialNumber is positive and has at most 20 octets (RFC 5280 section 4.1.2.2).
func serialNumber() *big.Int {
	return must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 152)))
}
