package trust

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// ConflictError says that one certificate authority is in two domains that
// demand different evidence.
type ConflictError struct {
	// Authority is the subject of the certificate that both have.
	Authority string
	// Domains are the names of both, Origins where they come from.
	Domains, Origins [2]string
	// Lacks is what one demands and the other does not.
	Lacks string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the certificate authority %+q is in the trusted roots %q (%s) and %q (%s), of which only one demands %s: "+
		"the weaker would speak for the stronger\n"+
		"hint: leave out one of the roots; where a private instance has its own intermediate below a common authority, list that alone as its chain",
		e.Authority, e.Domains[0], e.Origins[0], e.Domains[1], e.Origins[1], e.Lacks)
}

// Compatible tells whether domains can be used beside each other. A certificate
// is judged by a domain that it chains to; if an authority's key is in a domain
// with logs and in one without, its certificates could be judged by the latter,
// and the log is dropped for both. That is refused with a *[ConflictError],
// whichever certificate the key is in. Equal requirements are no conflict: who
// names two versions of an instance's root believes both.
func Compatible(domains []Domain) error {
	type use struct {
		domain int
		cert   *x509.Certificate
	}
	keys := map[string]use{}
	for i, d := range domains {
		for _, c := range d.authorities() {
			key := keyOf(c)
			other, found := keys[key]
			if !found {
				keys[key] = use{i, c}
				continue
			}
			if o := domains[other.domain]; o.Require != d.Require {
				return &ConflictError{
					Authority: c.Subject.String(),
					Domains:   [2]string{o.Name, d.Name}, Origins: [2]string{o.Origin, d.Origin},
					Lacks: difference(o.Require, d.Require),
				}
			}
		}
	}
	return nil
}

// authorities are the certificates that a leaf of the domain may be issued by.
func (d Domain) authorities() []*x509.Certificate {
	var all []*x509.Certificate
	for _, a := range d.Root.FulcioCertificateAuthorities() {
		if ca, ok := a.(*root.FulcioCertificateAuthority); ok && ca.Root != nil {
			all = append(append(all, ca.Root), ca.Intermediates...)
		}
	}
	return all
}

// keyOf compares keys, not certificates: the same key may be certified anew,
// and under another name. The certificate's own encoding serves for a key that
// crypto/x509 cannot use, with which nothing can be verified.
func keyOf(c *x509.Certificate) string {
	der, err := x509.MarshalPKIXPublicKey(c.PublicKey)
	if err != nil {
		der = c.RawSubjectPublicKeyInfo
	}
	return string(der)
}

// difference names what only one of two domains demands.
func difference(a, b Requirements) string {
	var parts []string
	for _, p := range []struct {
		differ bool
		name   string
	}{
		{a.LogEntries != b.LogEntries, "a transparency-log entry"},
		{a.SCTs != b.SCTs, "a signed certificate timestamp"},
		{a.SignedTimestamps != b.SignedTimestamps, "a signed time stamp"},
		{a.ObserverTimestamps != b.ObserverTimestamps, "an observed time"},
	} {
		if p.differ {
			parts = append(parts, p.name)
		}
	}
	return strings.Join(parts, ", or only one ")
}
