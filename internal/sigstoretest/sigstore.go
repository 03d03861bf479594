package sigstoretest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"
)

// Flavor says which kind of Sigstore instance is imitated.
type Flavor int

const (
	// PublicGood has logs: certificates carry a signed certificate timestamp,
	// bundles a log entry.
	PublicGood Flavor = iota
	// GitHubInstance has none: it imitates GitHub's own authority for private
	// repositories and immutable releases, whose certificates all belong to the
	// organization "GitHub, Inc.", and whose bundles have a time stamp alone.
	GitHubInstance
)

// RekorV2Key says what kind of key signs the checkpoints of Rekor v2.
type RekorV2Key int

const (
	// Ed25519 is what the public-good instance uses.
	Ed25519 RekorV2Key = iota
	// ECDSA is P-256 with SHA-256.
	ECDSA
)

// Options says what kind of Sigstore to make. The zero value is a good one.
type Options struct {
	// Now is the clock of all parts; nil for time.Now.
	Now func() time.Time
	// Flavor is the kind of instance.
	Flavor Flavor
	// Start is when the authorities' certificates and the validity windows of
	// the trusted root begin; zero for a year before Now. The windows have no
	// end.
	Start time.Time
	// Lifetime is how long the authorities' certificates are valid; zero for 30
	// years.
	Lifetime time.Duration
	// RekorV2Key is the kind of key of Rekor v2.
	RekorV2Key RekorV2Key
	// Domain is where the instance's parts claim to live; empty for
	// "sigstore.example". Two instances with one domain differ in their keys
	// only.
	Domain string
}

// Sigstore is an instance with its keys. Its methods may be called from several
// goroutines.
type Sigstore struct {
	options Options
	ca      *authority
	tsa     *authority
	ct      crypto.Signer // nil without logs
	rekor1  *transparencyLog
	rekor2  *transparencyLog
}

// New makes an instance with fresh random keys. It panics if it can't.
func New(o Options) *Sigstore {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Start.IsZero() {
		o.Start = o.Now().AddDate(-1, 0, 0)
	}
	if o.Lifetime == 0 {
		o.Lifetime = 30 * 365 * 24 * time.Hour
	}
	if o.Domain == "" {
		o.Domain = "sigstore.example"
	}
	s := &Sigstore{options: o}
	organization := o.Domain
	if o.Flavor == GitHubInstance {
		organization = "GitHub, Inc."
	}
	s.ca = newFulcio(organization, o.Start, o.Start.Add(o.Lifetime))
	s.tsa = newTimestampAuthority(organization, o.Start, o.Start.Add(o.Lifetime))
	if o.Flavor == PublicGood {
		s.ct = ecdsaKey(elliptic.P256())
		s.rekor1 = newLog("rekor."+o.Domain, ecdsaKey(elliptic.P256()))
		s.rekor1.treeID, s.rekor1.offset = 1193050959916656506, 121_904_258
		if o.RekorV2Key == ECDSA {
			s.rekor2 = newLog("log2026-1.rekor."+o.Domain, ecdsaKey(elliptic.P256()))
		} else {
			s.rekor2 = newLog("log2026-1.rekor."+o.Domain, ed25519Key())
		}
	}
	return s
}

// Now is the time of the instance's clock.
func (s *Sigstore) Now() time.Time { return s.options.Now() }

// Flavor is the kind of instance that was asked for.
func (s *Sigstore) Flavor() Flavor { return s.options.Flavor }

func ecdsaKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func ed25519Key() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

// must returns v, and panics where there is an error: a test's fixture that
// can't be made is a mistake in the test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("sigstoretest: %v", err))
	}
	return v
}
