package verify_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/verify"
)

func keyOf(t testing.TB, b *sigstoretest.Bundle) crypto.PublicKey {
	t.Helper()
	block, _ := pem.Decode(b.PublicKey())
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyedCode(t testing.TB, document []byte, d digest.SHA256, key crypto.PublicKey, tr *root.TrustedRoot) verify.Code {
	t.Helper()
	err := verify.InsecureVerifyKeyed(attestation.Candidate{Bundle: document, Format: attestation.BundleFormat}, d, key, tr)
	var mismatch *verify.MismatchError
	var invalid *verify.InvalidError
	switch {
	case errors.As(err, &mismatch):
		return mismatch.Code
	case errors.As(err, &invalid):
		return invalid.Code
	case err != nil:
		t.Fatal(err)
	}
	return ""
}

// Bundles signed with a bare key: verified for the conformance suite, completely,
// and never evidence.
func TestInsecureVerifyKeyed(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	stranger := sigstoretest.New(sigstoretest.Options{})
	const v1, v2 = sigstoretest.RekorV1, sigstoretest.RekorV2
	sign := func(log sigstoretest.Log, k ...sigstoretest.Knob) *sigstoretest.Bundle {
		return s.Sign(provenance, flask, log, append(k, sigstoretest.BareKey())...)
	}
	trusted, noLogs := s.TrustedRoot(), sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance}).TrustedRoot()
	message := s.Sign(sigstoretest.Message(archive), flask, v1, sigstoretest.BareKey())
	other := sign(v1)
	for _, c := range []struct {
		name   string
		bundle *sigstoretest.Bundle
		root   *root.TrustedRoot
		key    crypto.PublicKey
		want   verify.Code
	}{
		{"dsse", sign(v1), trusted, nil, ""},
		{"intoto", sign(v1, sigstoretest.InToto()), trusted, nil, ""},
		{"hashedrekord", sign(v1, sigstoretest.HashedRekord()), trusted, nil, ""},
		{"message signature", message, trusted, nil, ""},
		{"Rekor v2", sign(v2), trusted, nil, ""},
		{"no log in the root", sign(sigstoretest.NoLog), noLogs, nil, ""},
		{"no entry", sign(sigstoretest.NoLog), trusted, nil, verify.CodeLogEntry},
		{"entry of no log in the root", sign(v1), noLogs, nil, verify.CodeLogEntry},
		{"another key", sign(v1), trusted, keyOf(t, other), verify.CodeSignature},
		{"another key, hashedrekord", sign(v1, sigstoretest.HashedRekord()), trusted, keyOf(t, other), verify.CodeSignature},
		{"another key, Rekor v2", sign(v2), trusted, keyOf(t, other), verify.CodeSignature},
		{"another key, no log", sign(sigstoretest.NoLog), noLogs, keyOf(t, other), verify.CodeSignature},
		{"no key", sign(v1), trusted, "key", verify.CodeSignature},
		{"another log", sign(v1), stranger.TrustedRoot(), nil, verify.CodeSignature},
		{"forged promise", sign(v1, sigstoretest.ForgedPromise()), trusted, nil, verify.CodeSignature},
		{"forged checkpoint", sign(v1, sigstoretest.ForgedCheckpoint()), trusted, nil, verify.CodeSignature},
		{"forged signature", sign(v2, sigstoretest.ForgedSignature()), trusted, nil, verify.CodeSignature},
		{"no checkpoint", sign(v1, sigstoretest.WithoutCheckpoint()), trusted, nil, verify.CodeMalformed},
		{"entry of another bundle", sign(v1, sigstoretest.EntryOf(other)), trusted, nil, verify.CodeSignature},
		{"of another file", s.Sign(sigstoretest.Attest("x", []byte("x")), flask, v1, sigstoretest.BareKey()), trusted, nil, verify.CodeOtherDigest},
		{"a certificate", s.Sign(provenance, flask, v1), trusted, keyOf(t, other), verify.CodeNoCertificate},
		{"statement of unknown type", s.Sign(sigstoretest.Statement{Type: "https://example.org/Statement", Subjects: provenance.Subjects}, flask, v1, sigstoretest.BareKey()), trusted, nil, verify.CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.key == nil {
				c.key = keyOf(t, c.bundle)
			}
			if got := keyedCode(t, c.bundle.JSON(), archiveDigest, c.key, c.root); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
			w := worldOf(t, s, s.TrustedRootJSON(), nil)
			if got := w.judge(t, c.bundle.JSON(), "github:pallets/flask"); got == "" && c.name != "a certificate" {
				t.Error("it is evidence")
			}
		})
	}
}

// A log of Rekor's first version may name its checkpoints by its host alone.
func TestInsecureVerifyKeyedNamedCheckpoint(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	sign := func(k ...sigstoretest.Knob) *sigstoretest.Bundle {
		return s.Sign(provenance, flask, sigstoretest.RekorV1, append(k, sigstoretest.BareKey(), sigstoretest.NamedCheckpoint())...)
	}
	for _, kind := range [][]sigstoretest.Knob{{sigstoretest.InToto()}, {}, {sigstoretest.HashedRekord()}} {
		b := sign(kind...)
		document, key := b.JSON(), keyOf(t, b)
		if got := keyedCode(t, document, archiveDigest, key, s.TrustedRoot()); got != "" {
			t.Fatalf("untouched: code %q", got)
		}
		for _, leaf := range sigstoretest.Leaves(document) {
			if leaf == "/verificationMaterial/publicKey/hint" {
				continue // a name, which nothing is read from
			}
			for what, changed := range map[string][]byte{"changed": sigstoretest.Mutate(document, leaf), "removed": sigstoretest.Remove(document, leaf)} {
				if keyedCode(t, changed, archiveDigest, key, s.TrustedRoot()) == "" {
					t.Errorf("%s %s: it verifies", leaf, what)
				}
			}
		}
		stranger := sigstoretest.New(sigstoretest.Options{})
		for name, got := range map[string]verify.Code{
			"another key":           keyedCode(t, document, archiveDigest, keyOf(t, sign(kind...)), s.TrustedRoot()),
			"another log":           keyedCode(t, document, archiveDigest, key, stranger.TrustedRoot()),
			"another bundle":        keyedCode(t, sign(append(kind, sigstoretest.EntryOf(b))...).JSON(), archiveDigest, key, s.TrustedRoot()),
			"a forged checkpoint":   keyedCode(t, sign(append(kind, sigstoretest.ForgedCheckpoint())...).JSON(), archiveDigest, key, s.TrustedRoot()),
			"a log without a start": keyedCode(t, document, archiveDigest, key, withoutStart(s.TrustedRoot())),
		} {
			if got == "" {
				t.Errorf("%s: it verifies", name)
			}
		}
	}
	for _, kind := range []sigstoretest.Knob{sigstoretest.InToto(), sigstoretest.NamedCheckpoint()} {
		b := sign(kind, sigstoretest.Logged(sigstoretest.Attest("x", []byte("x"))))
		if got := keyedCode(t, b.JSON(), archiveDigest, keyOf(t, b), s.TrustedRoot()); got != verify.CodeLogEntry {
			t.Errorf("entry of other content: code %q, wanted %q", got, verify.CodeLogEntry)
		}
	}
	w := worldOf(t, s, s.TrustedRootJSON(), nil)
	named := s.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.NamedCheckpoint())
	if got := w.judge(t, named.JSON(), "github:pallets/flask"); got != verify.CodeLogEntry {
		t.Errorf("with a certificate: code %q, wanted %q", got, verify.CodeLogEntry)
	}
}

// malleated gives a copy whose signature is the other one that is as good: of an
// ECDSA signature (r, s), (r, n-s) verifies too. No log has seen it.
func malleated(t testing.TB, b *sigstoretest.Bundle) *sigstoretest.Bundle {
	t.Helper()
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(b.Signature(), &sig); err != nil {
		t.Fatal(err)
	}
	sig.S.Sub(elliptic.P256().Params().N, sig.S)
	other, err := asn1.Marshal(sig)
	if err != nil {
		t.Fatal(err)
	}
	c := b.Clone()
	c.DSSEEnvelope.Signatures[0].Sig = other
	return c
}

// A signature that is good and was never logged.
func TestMalleatedSignature(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for name, b := range map[string]*sigstoretest.Bundle{
		"Rekor v1":     w.Sign(provenance, flask, sigstoretest.RekorV1),
		"Rekor v2":     w.Sign(provenance, flask, sigstoretest.RekorV2, sigstoretest.Stamped()),
		"intoto":       w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.InToto()),
		"hashedrekord": w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.HashedRekord()),
	} {
		if got := w.judge(t, malleated(t, b).JSON(), "github:pallets/flask"); got != verify.CodeLogEntry {
			t.Errorf("%s: code %q, wanted %q", name, got, verify.CodeLogEntry)
		}
	}
	for _, kind := range []sigstoretest.Knob{sigstoretest.InToto(), sigstoretest.NamedCheckpoint()} {
		b := w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.BareKey(), sigstoretest.NamedCheckpoint(), kind)
		if got := keyedCode(t, b.JSON(), archiveDigest, keyOf(t, b), w.TrustedRoot()); got != "" {
			t.Errorf("untouched: code %q", got)
		}
		if got := keyedCode(t, malleated(t, b).JSON(), archiveDigest, keyOf(t, b), w.TrustedRoot()); got != verify.CodeLogEntry {
			t.Errorf("bare key: code %q, wanted %q", got, verify.CodeLogEntry)
		}
	}
}
