package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// recertified is a certificate for the key of another, in its name or another
// one, issued by somebody who does not have that key.
func recertified(t testing.TB, c *x509.Certificate, name pkix.Name) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: name,
		NotBefore: born.AddDate(-1, 0, 0), NotAfter: born.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
	}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "somebody else"}}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, c.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func renamed(t testing.TB, c *x509.Certificate) []byte {
	return recertified(t, c, pkix.Name{Organization: others, CommonName: "renamed"})
}

func publicGoodAuthority(t testing.TB) *x509.Certificate {
	t.Helper()
	roots, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	all := roots.Domains[0].authorities()
	return all[len(all)-1]
}

// TestWeakerCannotSpeakForStronger: an instance has logs, and its authority also
// stands in a root for which the configuration waives them. The first domain
// that verifies decides, so that no certificate of the instance would need the
// log any more.
func TestWeakerCannotSpeakForStronger(t *testing.T) {
	corp, stranger := sigstoretest.New(sigstoretest.Options{}), sigstoretest.New(sigstoretest.Options{})
	authorities := corp.Root().CertificateAuthorities
	domains, err := Parse("corp", corp.TrustedRootJSON())
	if err != nil {
		t.Fatal(err)
	}
	issuer := domains[0].authorities()[1]
	lesser := func(cas ...sigstoretest.CertificateAuthority) []byte {
		r := stranger.Root()
		r.TLogs, r.CTLogs = nil, nil
		r.CertificateAuthorities = append(r.CertificateAuthorities, cas...)
		return r.JSON()
	}
	chain := func(certificates ...[]byte) sigstoretest.CertificateAuthority {
		ca := authorities[0]
		ca.CertChain.Certificates = nil
		for _, c := range certificates {
			ca.CertChain.Certificates = append(ca.CertChain.Certificates, sigstoretest.RawBytes{RawBytes: c})
		}
		return ca
	}
	all := authorities[0].CertChain.Certificates
	both := []Log{TransparencyLog, CertificateLog}
	for _, tc := range []struct {
		name     string
		lesser   []byte
		conflict bool
	}{
		{"its own authority", lesser(), false},
		{"the same chain", lesser(authorities...), true},
		{"the intermediate alone", lesser(chain(all[0].RawBytes)), true},
		{"the root alone", lesser(chain(all[len(all)-1].RawBytes)), true},
		{"the intermediate's key, certified anew in its name", lesser(chain(recertified(t, issuer, issuer.Subject))), true},
		{"the intermediate's key below another", lesser(chain(recertified(t, issuer, issuer.Subject), all[len(all)-1].RawBytes)), true},
		{"the same name with another key", lesser(stranger.Root().CertificateAuthorities...), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			full := RootFile{Path: rootFile(t, "corp.json", corp.TrustedRootJSON())}
			less := RootFile{Path: rootFile(t, "lesser.json", tc.lesser), InsecureWithout: both}
			for _, files := range [][]RootFile{{full, less}, {less, full}} {
				_, err := Config{Roots: files}.Open()
				var e *ConflictError
				if errors.As(err, &e) != tc.conflict {
					t.Fatalf("found error %v, wanted a conflict: %t", err, tc.conflict)
				}
				if tc.conflict && (!strings.Contains(err.Error(), "of which only one demands a transparency-log entry") || !strings.Contains(err.Error(), "hint: ")) {
					t.Errorf("found the message %q", err)
				}
			}
		})
	}
	t.Run("the strong one comes by TUF", func(t *testing.T) {
		repo := newRepo(t)
		repo.Publish(corp.TrustedRootJSON(), born.Add(lifetime))
		c := private1(t, repo)
		c.Roots = []RootFile{{Path: rootFile(t, "lesser.json", lesser(authorities...)), InsecureWithout: both}}
		var e *ConflictError
		if _, err := c.Load(t.Context()); !errors.As(err, &e) {
			t.Errorf("found error %v, wanted a ConflictError", err)
		}
	})
	t.Run("two versions of an instance", func(t *testing.T) {
		older := corp.Root()
		older.TLogs = older.TLogs[:1]
		c := Config{Roots: RootFiles(rootFile(t, "new.json", corp.TrustedRootJSON()), rootFile(t, "old.json", older.JSON()))}
		if _, err := c.Open(); err != nil {
			t.Errorf("found error %v; they demand the same", err)
		}
	})
}
