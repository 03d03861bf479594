package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	sigstore "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// The windows of the ordinary certificates, each inside the one before.
var (
	epoch     = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	ofRoot    = window{epoch, epoch.Add(100 * time.Hour)}
	ofMiddle  = window{epoch.Add(10 * time.Hour), epoch.Add(90 * time.Hour)}
	ofLeaf    = window{epoch.Add(20 * time.Hour), epoch.Add(80 * time.Hour)}
	ofPeriod  = window{epoch.Add(30 * time.Hour), epoch.Add(70 * time.Hour)}
	firstYear = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
)

type window struct{ from, to time.Time }

type holder struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue signs a certificate; without an issuer, with its own key. The issuer's
// key need not be that of its certificate.
func issue(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey, by *holder) *holder {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := template, crypto.Signer(key)
	if by != nil {
		claimed := *by.cert
		claimed.PublicKey = by.key.Public() // or crypto/x509 would not sign
		parent, signer = &claimed, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{cert, key}
}

type change func(*x509.Certificate)

func template(name string, w window, changes []change) *x509.Certificate {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: w.from, NotAfter: w.to}
	for _, f := range changes {
		f(c)
	}
	return c
}

func newCA(t testing.TB, name string, w window, by *holder, changes ...change) *holder {
	t.Helper()
	ca := func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	return issue(t, template(name, w, append([]change{ca}, changes...)), newKey(t), by)
}

func newLeaf(t testing.TB, by *holder, changes ...change) *x509.Certificate {
	t.Helper()
	return issue(t, template("", ofLeaf, append([]change{signsCode}, changes...)), newKey(t), by).cert
}

func signsCode(c *x509.Certificate) {
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	c.URIs = []*url.URL{{Scheme: "https", Host: "github.com", Path: "/pallets/flask"}}
}

func usage(u ...x509.ExtKeyUsage) change { return func(c *x509.Certificate) { c.ExtKeyUsage = u } }

func valid(from, to time.Time) change {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to }
}

func named(name string) change { return func(c *x509.Certificate) { c.Subject.CommonName = name } }

func extension(critical bool, der []byte, oid ...int) change {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier(oid), Critical: critical, Value: der})
	}
}

// explicit is a policy constraint: requireExplicitPolicy 0 (RFC 5280, 4.2.1.11).
var explicit = extension(true, []byte{0x30, 3, 0x80, 1, 0}, 2, 5, 29, 36)

// somePolicy is a certificate policy (RFC 5280, 4.2.1.4).
var somePolicy = extension(false, []byte{0x30, 7, 0x30, 5, 6, 3, 0x2a, 3, 4}, 2, 5, 29, 32)

var anyPolicy = extension(false, []byte{0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0}, 2, 5, 29, 32)

func pathLength(n int) change {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

func withoutGitHub(c *x509.Certificate) { c.ExcludedURIDomains = []string{"github.com"} }

func notCA(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature }

func noSigning(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }

// An arrangement is an authority, and who signs the leaves under it.
type arrangement struct {
	ca      *root.FulcioCertificateAuthority
	signers []*holder // the first is the authority's
	plain   bool      // whether its intermediate is remembered
}

func arrange(plain bool, top *holder, middles ...*holder) arrangement {
	a := arrangement{plain: plain, ca: &root.FulcioCertificateAuthority{Root: top.cert}}
	for _, m := range middles {
		a.ca.Intermediates = append(a.ca.Intermediates, m.cert)
	}
	a.signers = append(append(a.signers, middles...), top)
	return a
}

// chained is a root and one intermediate.
func chained(t testing.TB, plain bool, ofTop, ofMid []change) arrangement {
	top := newCA(t, "root", ofRoot, nil, ofTop...)
	return arrange(plain, top, newCA(t, "intermediate", ofMiddle, top, ofMid...))
}

func arrangements(t testing.TB) map[string]arrangement {
	c := func(f ...change) []change { return f }
	top, other := newCA(t, "root", ofRoot, nil), newCA(t, "root", ofRoot, nil)
	middle := newCA(t, "intermediate", ofMiddle, top)
	sameKey := &holder{issue(t, template("root", ofMiddle, c(func(x *x509.Certificate) {
		x.IsCA, x.BasicConstraintsValid, x.KeyUsage = true, true, x509.KeyUsageCertSign
	})), top.key, top).cert, top.key}
	ancient := newCA(t, "root", window{firstYear, firstYear.AddDate(1, 0, 0)}, nil)
	period := arrange(true, top, middle)
	period.ca.ValidityPeriodStart, period.ca.ValidityPeriodEnd = ofPeriod.from, ofPeriod.to
	foreign := arrange(false, top, newCA(t, "intermediate", ofMiddle, other))
	return map[string]arrangement{
		"plain":                             arrange(true, top, middle),
		"period":                            period,
		"usages allow code signing":         chained(t, true, c(usage(x509.ExtKeyUsageAny)), c(usage(x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageTimeStamping))),
		"path lengths that suffice":         chained(t, true, c(pathLength(1)), c(pathLength(0))),
		"intermediate outlives the root":    chained(t, true, c(valid(ofRoot.from, ofLeaf.to.Add(-time.Hour))), c(valid(epoch.Add(-time.Hour), ofRoot.to))),
		"intermediate ends before the leaf": chained(t, true, nil, c(valid(ofMiddle.from, ofLeaf.from.Add(time.Hour)))),
		"no intermediate":                   arrange(false, top),
		"two intermediates":                 arrange(false, top, middle, newCA(t, "intermediate 2", ofMiddle, top)),
		"two intermediates of one name":     arrange(false, top, middle, newCA(t, "intermediate", ofMiddle, top)),
		"intermediate twice":                arrange(false, top, middle, middle),
		"intermediate is the root":          arrange(false, top, top),
		"intermediate of the root's name":   arrange(false, top, newCA(t, "root", ofMiddle, top)),
		"intermediate of name and key":      arrange(false, top, sameKey),
		"intermediate of another root":      foreign,
		"intermediate signed by itself":     arrange(false, top, newCA(t, "intermediate", ofMiddle, nil)),
		"windows that never meet":           chained(t, false, c(valid(epoch, ofLeaf.from)), c(valid(ofLeaf.from.Add(time.Hour), ofLeaf.to))),
		"root ended before the leaf":        chained(t, true, c(valid(epoch, ofLeaf.from.Add(-time.Hour))), nil),
		"root path length 0":                chained(t, false, c(pathLength(0)), nil),
		"root for servers":                  chained(t, false, c(usage(x509.ExtKeyUsageServerAuth)), nil),
		"intermediate for servers":          chained(t, false, nil, c(usage(x509.ExtKeyUsageServerAuth))),
		"root with name constraints":        chained(t, false, c(withoutGitHub), nil),
		"intermediate name constraints":     chained(t, false, nil, c(withoutGitHub)),
		"root demands a policy":             chained(t, false, c(explicit), nil),
		"intermediate demands a policy":     chained(t, false, nil, c(explicit)),
		"intermediate has a policy":         chained(t, false, nil, c(somePolicy)),
		"intermediate has any policy":       chained(t, false, nil, c(anyPolicy)),
		"intermediate is no CA":             chained(t, false, nil, c(notCA)),
		"intermediate may not sign":         chained(t, false, nil, c(noSigning)),
		"root may not sign":                 chained(t, false, c(noSigning), nil),
		"root with unknown extension":       chained(t, false, c(extension(true, []byte{5, 0}, 1, 2, 3)), nil),
		"intermediate unknown extension":    chained(t, false, nil, c(extension(true, []byte{5, 0}, 1, 2, 3))),
		"root of the year 1":                arrange(true, ancient, newCA(t, "intermediate", window{firstYear.Add(time.Second), epoch.AddDate(900, 0, 0)}, ancient)),
	}
}

// leavesOf makes certificates under an authority, good ones and bad.
func leavesOf(t testing.TB, a arrangement) map[string]*x509.Certificate {
	by, top := a.signers[0], a.signers[len(a.signers)-1]
	impostor := &holder{by.cert, newKey(t)}
	renamed := newCA(t, "somebody", ofMiddle, nil)
	renamed.key = by.key
	asRoot := func(changes ...change) *x509.Certificate {
		return issue(t, template("root", ofLeaf, append([]change{usage(x509.ExtKeyUsageCodeSigning)}, changes...)), top.key, by).cert
	}
	leaves := map[string]*x509.Certificate{
		"good":                        newLeaf(t, by),
		"of the root":                 newLeaf(t, top),
		"wrong key":                   newLeaf(t, impostor),
		"wrong issuer's name":         newLeaf(t, renamed),
		"signed by itself":            newLeaf(t, nil),
		"begins late":                 newLeaf(t, by, valid(ofMiddle.to.Add(-time.Hour), ofRoot.to.Add(time.Hour))),
		"for ever":                    newLeaf(t, by, valid(firstYear, epoch.AddDate(900, 0, 0))),
		"unknown critical extension":  newLeaf(t, by, extension(true, []byte{5, 0}, 1, 2, 3)),
		"unknown extension":           newLeaf(t, by, extension(false, []byte{5, 0}, 1, 2, 3)),
		"otherName":                   newLeaf(t, by, otherName),
		"for servers":                 newLeaf(t, by, usage(x509.ExtKeyUsageServerAuth)),
		"for anything":                newLeaf(t, by, usage(x509.ExtKeyUsageAny)),
		"no usage":                    newLeaf(t, by, usage()),
		"name of the intermediate":    newLeaf(t, by, named("intermediate")),
		"name of the root":            newLeaf(t, by, named("root")),
		"name and key of the root":    asRoot(),
		"name, key, SAN of the root":  asRoot(signsCode),
		"a policy":                    newLeaf(t, by, somePolicy),
		"demands a policy":            newLeaf(t, by, explicit),
		"demands a policy, and has":   newLeaf(t, by, explicit, somePolicy),
		"demands a policy, has any":   newLeaf(t, by, explicit, anyPolicy),
		"a CA":                        newCA(t, "", ofLeaf, by, usage(x509.ExtKeyUsageCodeSigning)).cert,
		"the root":                    top.cert,
		"the intermediate":            by.cert,
		"never parsed":                {RawIssuer: by.cert.RawSubject, NotBefore: ofLeaf.from, NotAfter: ofLeaf.to},
		"altered after it was signed": altered(t, newLeaf(t, by)),
	}
	for i, s := range a.signers[1:] {
		leaves[fmt.Sprintf("of signer %d", i+2)] = newLeaf(t, s)
	}
	return leaves
}

// otherName is a SAN that crypto/x509 does not read, and calls unhandled.
func otherName(c *x509.Certificate) {
	c.URIs = nil
	extension(true, []byte{0x30, 0x11, 0xa0, 0x0f, 6, 3, 0x2a, 3, 4, 0xa0, 8, 0x0c, 6, 'p', 'e', 'o', 'p', 'l', 'e'}, 2, 5, 29, 17)(c)
}

// altered changes one bit of what was signed, in the serial number.
func altered(t testing.TB, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	raw := append([]byte(nil), c.Raw...)
	for i := range raw {
		raw[i] ^= 1
		if bad, err := x509.ParseCertificate(raw); err == nil && bad.SerialNumber.Cmp(c.SerialNumber) != 0 {
			return bad
		}
		raw[i] ^= 1
	}
	t.Fatal("no bit of the serial number can be changed")
	return nil
}

// times are around the bounds of all windows, and the zero time, by which
// crypto/x509 understands the present.
func times(certs ...*x509.Certificate) []time.Time {
	list := []time.Time{{}, epoch.Add(50 * time.Hour), time.Now(), firstYear.Add(time.Hour), ofPeriod.from, ofPeriod.to}
	for _, c := range certs {
		list = append(list, c.NotBefore, c.NotAfter)
	}
	for _, at := range list[4:] {
		list = append(list, at.Add(-time.Second), at.Add(-1), at.Add(1), at.Add(time.Second))
	}
	return list
}

// sameAnswer compares an authority's answer with that of sigstore-go.
func sameAnswer(t *testing.T, a *authority, leaf *x509.Certificate, at time.Time) (accepted, short bool) {
	t.Helper()
	wanted, wantErr := a.FulcioCertificateAuthority.Verify(leaf, at)
	found, err := a.Verify(leaf, at)
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("at %s: found error %v, wanted %v", at, err, wantErr)
	}
	if len(found) != len(wanted) {
		t.Fatalf("at %s: found %d chains, wanted %d", at, len(found), len(wanted))
	}
	for i := range wanted {
		if len(found[i]) != len(wanted[i]) {
			t.Fatalf("at %s: found a chain of %d, wanted of %d", at, len(found[i]), len(wanted[i]))
		}
		for j := range wanted[i] {
			if found[i][j] != wanted[i][j] {
				t.Fatalf("at %s: certificate %d of the chain is %q, wanted %q", at, j, found[i][j].Subject, wanted[i][j].Subject)
			}
		}
	}
	return err == nil, a.known(leaf, at) != nil
}

// TestAuthorityDifferential holds the short way against sigstore-go's, which
// must give the same answer, chain and error for every certificate and time.
func TestAuthorityDifferential(t *testing.T) {
	var accepted, short, all int
	for name, a := range arrangements(t) {
		t.Run(name, func(t *testing.T) {
			remembered := newAuthority(a.ca)
			if found := remembered != nil; found != a.plain {
				t.Errorf("found its intermediate remembered: %t, wanted %t", found, a.plain)
			}
			if remembered == nil {
				return // sigstore-go's own is used
			}
			for what, leaf := range leavesOf(t, a) {
				t.Run(what, func(t *testing.T) {
					for _, at := range times(append(a.ca.Intermediates, a.ca.Root, leaf)...) {
						yes, quick := sameAnswer(t, remembered, leaf, at)
						all++
						if yes {
							accepted++
						}
						if quick {
							short++
						}
					}
				})
			}
		})
	}
	t.Logf("%d answers, %d accepted, %d of them the short way", all, accepted, short)
	if accepted < all/50 || accepted > all/2 || short < accepted/10 {
		t.Errorf("of %d answers %d accepted, %d the short way: the cases no longer try both", all, accepted, short)
	}
}

// TestAuthorityIsShort demands that ordinary certificates do take the short way.
func TestAuthorityIsShort(t *testing.T) {
	a := arrangements(t)["plain"]
	if short := newAuthority(a.ca); short.known(newLeaf(t, a.signers[0]), epoch.Add(50*time.Hour)) == nil {
		t.Error("an ordinary certificate was left to sigstore-go")
	}
}

// TestForeignIntermediate: what the root did not sign vouches for nobody, even
// if it has the name, the key identifier and everything else of what it did.
func TestForeignIntermediate(t *testing.T) {
	all := arrangements(t)
	good := all["plain"]
	top := good.ca.Root
	forger := &holder{top, newKey(t)} // the root's certificate, without its key
	forged := issue(t, func() *x509.Certificate { c := *good.ca.Intermediates[0]; return &c }(), newKey(t), forger)
	for name, middle := range map[string]*holder{
		"of another root": all["intermediate of another root"].signers[0],
		"self-signed":     newCA(t, "intermediate", ofMiddle, nil),
		"forged":          forged,
	} {
		t.Run(name, func(t *testing.T) {
			ca := &root.FulcioCertificateAuthority{Root: top, Intermediates: []*x509.Certificate{middle.cert}}
			leaf := newLeaf(t, middle)
			tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{ca, good.ca}, nil, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if newAuthority(ca) != nil {
				t.Error("an intermediate that the root did not sign is remembered as signed")
			}
			for _, at := range times(leaf, middle.cert, top) {
				if _, err := sigstore.VerifyLeafCertificate(at, leaf, newMaterial(tr)); err == nil {
					t.Errorf("at %s: accepted", at)
				}
			}
		})
	}
}

// TestOwnIntermediate: a bundle that brings an intermediate is verified with the
// root itself, since it may be one that the root lacks.
func TestOwnIntermediate(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	domains, err := trust.Parse("test", s.TrustedRootJSON())
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(domains, nil)
	if err != nil {
		t.Fatal(err)
	}
	old := sigstoretest.Version(sigstoretest.BundleV02)
	for name, c := range map[string]struct {
		knobs      []sigstoretest.Knob
		remembered bool
	}{
		"certificate":             {nil, true},
		"chain of one":            {[]sigstoretest.Knob{old}, true},
		"chain with intermediate": {[]sigstoretest.Knob{old, sigstoretest.WithIntermediate()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			document := s.Sign(sigstoretest.Attest("a", []byte("a")), sigstoretest.GitHub("pallets/flask"), sigstoretest.RekorV1, c.knobs...).JSON()
			candidates, err := attestation.Parse("", document)
			if err != nil {
				t.Fatal(err)
			}
			claims, err := candidates[0].Unverified()
			if err != nil {
				t.Fatal(err)
			}
			b, fail := open(candidates[0], claims)
			if fail != nil {
				t.Fatal(fail)
			}
			if _, found := v.materialOf(domains[0], b).(*material); found != c.remembered {
				t.Errorf("found the remembered authorities used: %t, wanted %t", found, c.remembered)
			}
		})
	}
}

// TestAuthorityConcurrently is for the race detector.
func TestAuthorityConcurrently(t *testing.T) {
	a := arrangements(t)["plain"]
	short, leaves := newAuthority(a.ca), leavesOf(t, a)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for what, leaf := range leaves {
				_, wanted := a.ca.Verify(leaf, epoch.Add(50*time.Hour))
				if _, err := short.Verify(leaf, epoch.Add(50*time.Hour)); (err == nil) != (wanted == nil) {
					t.Errorf("%s: found %v, wanted %v", what, err, wanted)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzAuthority gives both ways any bytes as a certificate, at any time.
func FuzzAuthority(f *testing.F) {
	a := arrangements(f)["period"]
	remembered := newAuthority(a.ca)
	for _, leaf := range leavesOf(f, a) {
		if len(leaf.Raw) > 0 {
			f.Add(leaf.Raw, int64(50*3600))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, seconds int64) {
		leaf, err := x509.ParseCertificate(raw)
		if err != nil {
			return
		}
		sameAnswer(t, remembered, leaf, epoch.Add(time.Duration(seconds)*time.Second))
	})
}
