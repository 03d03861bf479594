package verify_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b, sigstoretest.Options{})
	p, err := publishers.Parse("github:pallets/flask")
	if err != nil {
		b.Fatal(err)
	}
	rules := verify.Rules{Match: verify.Any, Publishers: []publishers.Publisher{p}}
	for name, log := range logs {
		document := w.Sign(provenance, flask, log).JSON()
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				candidates, err := attestation.Parse("", document)
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := w.verifier.Verify(candidates, archiveDigest, rules); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f, sigstoretest.Options{})
	for _, log := range logs {
		f.Add(w.Sign(provenance, flask, log).JSON())
	}
	f.Add([]byte(`{"mediaType":"m","dsseEnvelope":{"payload":"` + base64.StdEncoding.EncodeToString([]byte("{}")) + `"}}`))
	p, err := publishers.Parse("github:octocat/hello")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, bundle []byte) {
		rules := verify.Rules{Match: verify.Any, Publishers: []publishers.Publisher{p}}
		if evidence, _, err := w.verifier.Verify([]attestation.Candidate{{Bundle: bundle}}, archiveDigest, rules); err == nil || evidence.Verified() {
			t.Error("verified for somebody who signed nothing")
		}
	})
}
