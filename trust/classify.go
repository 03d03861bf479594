package trust

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// gitHubOrganization is the subject organization of all certificates of
// GitHub's instance: authorities, intermediates and time-stamp signers.
const gitHubOrganization = "GitHub, Inc."

// UnsupportedRootError says that a trusted root is well formed and lacks what
// its certificates could safely be judged by.
type UnsupportedRootError struct {
	// Lacks names what is missing, e.g. "transparency log".
	Lacks []string
}

func (e *UnsupportedRootError) Error() string {
	return fmt.Sprintf("found no %s, wanted one of each (only GitHub's own instance is known to do without)\n"+
		"hint: if this private instance has none, say so in recipe-verify.yaml: trust: {roots: [{file: FILE, insecure_without: [%s]}]}",
		strings.Join(e.Lacks, " and no "), strings.Join(e.kinds(), ", "))
}

func (e *UnsupportedRootError) kinds() []string {
	var kinds []string
	for _, l := range []Log{TransparencyLog, CertificateLog} {
		if slices.Contains(e.Lacks, l.words()) {
			kinds = append(kinds, string(l))
		}
	}
	return kinds
}

// words name a kind of log in messages.
func (l Log) words() string {
	if l == CertificateLog {
		return "certificate-transparency log"
	}
	return "transparency log"
}

// in tells whether a root has logs of this kind.
func (l Log) in(tr *root.TrustedRoot) bool {
	if l == CertificateLog {
		return len(tr.CTLogs()) > 0
	}
	return len(tr.RekorLogs()) > 0
}

// WaiverError says that a root must not do without a kind of log, although the
// configuration says so.
type WaiverError struct {
	// Log is the kind of log.
	Log Log
	// Because says why not.
	Because string
}

func (e *WaiverError) Error() string {
	return fmt.Sprintf("it must not be used without a %s: %s\n"+
		"hint: remove %s from insecure_without; roots that have all logs belong into a file of their own", e.Log.words(), e.Because, e.Log)
}

// classify decides what a root's certificates must bring, and the domain's name
// if it is one of those that are known by content.
//
// Whatever is in doubt gets the full requirements or an error. The only ways to
// less are isGitHub, so that the authority of another instance that got into a
// log-less root cannot profit from it, and what the configuration says of this
// very file.
func classify(tr, known *root.TrustedRoot, without []Log) (name string, _ Requirements, _ error) {
	authorities, err := chains(tr)
	if err != nil {
		return "", Requirements{}, err
	}
	if len(without) > 0 {
		r, err := waive(tr, known, authorities, without)
		return "", r, err
	}
	switch {
	case len(tr.RekorLogs()) > 0 && len(tr.CTLogs()) > 0:
		if sameInstance(tr, known) {
			name = PublicGood
		}
		return name, Requirements{SCTs: 1, LogEntries: 1, ObserverTimestamps: 1}, nil
	case isGitHub(tr, authorities):
		return GitHub, Requirements{SignedTimestamps: 1}, nil
	}
	return "", Requirements{}, lacking(tr, nil)
}

// lacking is the error for a root without logs that are not waived, or nil.
func lacking(tr *root.TrustedRoot, without []Log) error {
	e := &UnsupportedRootError{}
	for _, l := range []Log{TransparencyLog, CertificateLog} {
		if !l.in(tr) && !slices.Contains(without, l) {
			e.Lacks = append(e.Lacks, l.words())
		}
	}
	if len(e.Lacks) == 0 {
		return nil
	}
	return e
}

// isGitHub tells whether a root is that of GitHub's instance: no log of either
// kind, at least one time-stamp authority, and no certificate of anybody else.
func isGitHub(tr *root.TrustedRoot, authorities []chain) bool {
	if len(tr.RekorLogs()) > 0 || len(tr.CTLogs()) > 0 || len(tr.TimestampingAuthorities()) == 0 {
		return false
	}
	all := slices.Clone(authorities)
	for _, a := range tr.TimestampingAuthorities() {
		tsa, ok := a.(*root.SigstoreTimestampingAuthority)
		// Without a root of its own an authority vouches for nothing.
		if !ok || tsa.Root == nil {
			return false
		}
		c := chain{tsa.Root}
		c = append(c, tsa.Intermediates...)
		if tsa.Leaf != nil {
			c = append(c, tsa.Leaf)
		}
		all = append(all, c)
	}
	for _, c := range all {
		for _, cert := range c {
			if o := cert.Subject.Organization; len(o) != 1 || o[0] != gitHubOrganization {
				return false
			}
		}
	}
	return true
}

// chain is an authority's certificates, its root first.
type chain []*x509.Certificate

// chains returns the certificate authorities of a root, of which there must be
// at least one.
func chains(tr *root.TrustedRoot) ([]chain, error) {
	cas := tr.FulcioCertificateAuthorities()
	if len(cas) == 0 {
		return nil, errors.New("found no certificate authority in the trusted root")
	}
	all := make([]chain, 0, len(cas))
	for i, a := range cas {
		ca, ok := a.(*root.FulcioCertificateAuthority)
		if !ok || ca.Root == nil {
			return nil, fmt.Errorf("certificate authority %d has no root certificate", i+1)
		}
		all = append(all, append(chain{ca.Root}, ca.Intermediates...))
	}
	return all, nil
}

// sameInstance tells whether tr is another version of the instance that known
// is of: it has no foreign certificate authority, and at least one log of each
// kind in common. Logs are added every year, authorities are not.
func sameInstance(tr, known *root.TrustedRoot) bool {
	found, err := chains(tr)
	if err != nil {
		return false
	}
	wanted, err := chains(known)
	if err != nil {
		return false
	}
	for _, c := range found {
		if !hasRoot(wanted, c[0]) {
			return false
		}
	}
	return shareLog(tr.RekorLogs(), known.RekorLogs()) && shareLog(tr.CTLogs(), known.CTLogs())
}

func hasRoot(chains []chain, cert *x509.Certificate) bool {
	for _, c := range chains {
		if bytes.Equal(c[0].Raw, cert.Raw) {
			return true
		}
	}
	return false
}

// shareLog compares identifier and key: an identifier is only a name.
func shareLog(a, b map[string]*root.TransparencyLog) bool {
	for id, x := range a {
		y, ok := b[id]
		if !ok {
			continue
		}
		if key, ok := x.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && key.Equal(y.PublicKey) {
			return true
		}
	}
	return false
}
