package trust

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/digest"
)

// Contents is what a trusted root holds, to be shown. Nothing is decided by it.
type Contents struct {
	// Authorities issue signing certificates, TimestampAuthorities sign times.
	Authorities, TimestampAuthorities []Authority
	// TransparencyLogs keep signatures, CertificateLogs certificates; both in
	// the order in which they began to be valid.
	TransparencyLogs, CertificateLogs []LogKey
}

// Authority is a chain of certificates.
type Authority struct {
	URI string
	// From and Until are when the root lets it be believed; Until is zero for
	// an open end.
	From, Until time.Time
	// Chain is its certificates, the self-signed one last.
	Chain []Certified
}

// Certified is a certificate of an authority.
type Certified struct {
	Subject             string
	SHA256              digest.SHA256
	NotBefore, NotAfter time.Time
}

// LogKey is a log and its key.
type LogKey struct {
	URL string
	// ID is the log's identifier in hexadecimal digits.
	ID string
	// Key is the kind of key: "ECDSA P-256", "Ed25519", "RSA 4096".
	Key string
	// Rekor is the version of a transparency log's software, as its identifier
	// tells: 1, 2, or 0 where it does not. A log of Rekor v2 with an ECDSA key
	// looks like v1.
	Rekor int
	// From and Until are when its key is valid; Until is zero for an open end.
	From, Until time.Time
}

// Contents tells what a domain's root holds.
func (d Domain) Contents() Contents {
	var c Contents
	for _, a := range d.Root.FulcioCertificateAuthorities() {
		if ca, ok := a.(*root.FulcioCertificateAuthority); ok {
			c.Authorities = append(c.Authorities, describeAuthority(
				ca.URI, ca.ValidityPeriodStart, ca.ValidityPeriodEnd, append(slices.Clone(ca.Intermediates), ca.Root)))
		}
	}
	for _, a := range d.Root.TimestampingAuthorities() {
		if tsa, ok := a.(*root.SigstoreTimestampingAuthority); ok {
			chain := append([]*x509.Certificate{tsa.Leaf}, tsa.Intermediates...)
			c.TimestampAuthorities = append(c.TimestampAuthorities, describeAuthority(
				tsa.URI, tsa.ValidityPeriodStart, tsa.ValidityPeriodEnd, append(chain, tsa.Root)))
		}
	}
	c.TransparencyLogs = describeLogs(d.Root.RekorLogs())
	for i, l := range c.TransparencyLogs {
		c.TransparencyLogs[i].Rekor = rekorVersion(d.Root.RekorLogs()[l.ID])
	}
	c.CertificateLogs = describeLogs(d.Root.CTLogs())
	return c
}

func describeAuthority(uri string, from, until time.Time, chain []*x509.Certificate) Authority {
	a := Authority{URI: uri, From: from, Until: until}
	for _, c := range chain {
		if c != nil {
			a.Chain = append(a.Chain, Certified{c.Subject.String(), sha256.Sum256(c.Raw), c.NotBefore, c.NotAfter})
		}
	}
	return a
}

func describeLogs(logs map[string]*root.TransparencyLog) []LogKey {
	var all []LogKey
	for id, l := range logs {
		all = append(all, LogKey{
			URL: l.BaseURL, ID: id, Key: keyKind(l.PublicKey),
			From: l.ValidityPeriodStart, Until: l.ValidityPeriodEnd,
		})
	}
	slices.SortFunc(all, func(a, b LogKey) int {
		return cmp.Or(a.From.Compare(b.From), strings.Compare(a.URL, b.URL), strings.Compare(a.ID, b.ID))
	})
	return all
}

func keyKind(key any) string {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	}
	return ""
}

// rekorVersion looks at a log's identifier: that of Rekor v1 is the SHA-256 of
// its key (RFC 6962, 3.2), that of v2 the key's name in signed notes (C2SP
// signed-note, "Signatures"), which for Ed25519 begins with the log's origin.
func rekorVersion(l *root.TransparencyLog) int {
	if l == nil {
		return 0
	}
	if key, ok := l.PublicKey.(ed25519.PublicKey); ok {
		u, err := url.Parse(l.BaseURL)
		if err != nil {
			return 0
		}
		origin := u.Host + strings.TrimRight(u.Path, "/")
		sum := sha256.Sum256(slices.Concat([]byte(origin+"\n\x01"), key))
		if len(l.ID) >= 4 && bytes.HasPrefix(sum[:], l.ID) {
			return 2
		}
	}
	der, err := x509.MarshalPKIXPublicKey(l.PublicKey)
	if sum := sha256.Sum256(der); err == nil && hex.EncodeToString(sum[:]) == hex.EncodeToString(l.ID) {
		return 1
	}
	return 0
}
