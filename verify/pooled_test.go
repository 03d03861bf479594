package verify_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

// In a pool a bundle of a stranger is set aside. It never counts, nothing else is
// forgiven there, and out of a pool it makes the source invalid.
func TestPooledEvidence(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	stranger := sigstoretest.New(sigstoretest.Options{})
	sign := func(s *sigstoretest.Sigstore, id sigstoretest.Identity, knobs ...sigstoretest.Knob) attestation.Candidate {
		return attestation.Candidate{Bundle: s.Sign(provenance, id, sigstoretest.RekorV1, knobs...).JSON()}
	}
	pooled := func(c attestation.Candidate) attestation.Candidate {
		c.Pooled = true
		return c
	}
	good, foreign := sign(w.Sigstore, flask), sign(stranger, flask)
	other := attestation.Candidate{Bundle: w.Sign(sigstoretest.Attest("x", []byte("x")), flask, sigstoretest.RekorV1).JSON()}
	malformed := attestation.Candidate{Bundle: []byte(`{"mediaType":"m"}`)}
	for _, c := range []struct {
		name       string
		candidates []attestation.Candidate
		code       verify.Code // "" for verified
		invalid    bool
		statuses   []verify.Status
	}{
		{"good", []attestation.Candidate{pooled(good)}, "", false, []verify.Status{verify.Counted}},
		{"stranger beside a good one", []attestation.Candidate{pooled(foreign), pooled(good)}, "", false, []verify.Status{verify.SetAside, verify.Counted}},
		{"stranger beside a good one of another place", []attestation.Candidate{pooled(foreign), good}, "", false, []verify.Status{verify.SetAside, verify.Counted}},
		{"stranger in no pool", []attestation.Candidate{foreign, good}, verify.CodeUnknownAuthority, true, []verify.Status{verify.Broken, verify.Counted}},
		{"stranger in no pool, beside a pool", []attestation.Candidate{foreign, pooled(good)}, verify.CodeUnknownAuthority, true, []verify.Status{verify.Broken, verify.Counted}},
		{"stranger alone", []attestation.Candidate{pooled(foreign)}, verify.CodeUnknownAuthority, true, []verify.Status{verify.SetAside}},
		{"strangers alone", []attestation.Candidate{pooled(foreign), pooled(sign(stranger, flask))}, verify.CodeUnknownAuthority, true, []verify.Status{verify.SetAside, verify.SetAside}},
		{"stranger and another archive's", []attestation.Candidate{pooled(other), pooled(foreign)}, verify.CodeUnknownAuthority, true, []verify.Status{verify.SetAside, verify.SetAside}},
		{"stranger and a genuine one of somebody else", []attestation.Candidate{pooled(foreign), pooled(sign(w.Sigstore, sigstoretest.GitHub("evil/flask")))}, verify.CodeIdentity, false, []verify.Status{verify.SetAside, verify.Unmatched}},
		{"forged signature", []attestation.Candidate{pooled(sign(w.Sigstore, flask, sigstoretest.ForgedSignature())), pooled(good)}, verify.CodeSignature, true, []verify.Status{verify.Broken, verify.Counted}},
		{"no log entry", []attestation.Candidate{pooled(sign(w.Sigstore, flask, sigstoretest.WithoutEntry())), pooled(good)}, verify.CodeLogEntry, true, []verify.Status{verify.Broken, verify.Counted}},
		{"stranger's log", []attestation.Candidate{pooled(sign(w.Sigstore, flask, sigstoretest.EntryFrom(stranger))), pooled(good)}, verify.CodeLogEntry, true, []verify.Status{verify.Broken, verify.Counted}},
		{"malformed", []attestation.Candidate{pooled(malformed), pooled(good)}, verify.CodeMalformed, true, []verify.Status{verify.Broken, verify.Counted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := publishers.Parse("github:pallets/flask")
			if err != nil {
				t.Fatal(err)
			}
			evidence, bundles, err := w.verifier.Verify(c.candidates, archiveDigest, verify.Rules{Publishers: []publishers.Publisher{p}, Match: verify.Any})
			var invalid *verify.InvalidError
			var mismatch *verify.MismatchError
			code := verify.Code("")
			switch {
			case errors.As(err, &invalid):
				code = invalid.Code
			case errors.As(err, &mismatch):
				code = mismatch.Code
			case err != nil:
				t.Fatal(err)
			}
			if code != c.code || (invalid != nil) != c.invalid {
				t.Errorf("error %T %q %v, wanted %q", err, code, err, c.code)
			}
			if evidence.Verified() != (c.code == "") {
				t.Errorf("verified: %v", evidence.Verified())
			}
			var statuses []verify.Status
			for _, b := range bundles {
				statuses = append(statuses, b.Status)
				if b.Status != verify.Counted && b.Reason == "" {
					t.Error("no reason is given")
				}
			}
			if diff := cmp.Diff(c.statuses, statuses); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, b := range evidence.Bundles() {
				if b.Verified == nil || b.Publisher == "" {
					t.Error("a bundle counts that was not verified")
				}
			}
		})
	}
}
