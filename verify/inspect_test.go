package verify_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/verify"
)

func candidateOf(t testing.TB, b *sigstoretest.Bundle) attestation.Candidate {
	t.Helper()
	return parsed(t, b.JSON())
}

func parsed(t testing.TB, document []byte) attestation.Candidate {
	t.Helper()
	candidates, err := attestation.Parse("test", document)
	if err != nil {
		t.Fatal(err)
	}
	return candidates[0]
}

func outcomes(in verify.Inspection) map[verify.CheckName]verify.Outcome {
	m := map[verify.CheckName]verify.Outcome{}
	for _, c := range in.Checks {
		m[c.Name] = c.Outcome
	}
	return m
}

// What an inspection says of each check, by the step that fails.
func TestInspect(t *testing.T) {
	public := sigstoretest.New(sigstoretest.Options{})
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	stranger := sigstoretest.New(sigstoretest.Options{})
	w := worldOf(t, public, append(public.TrustedRootJSON(), github.TrustedRootJSON()...), nil)
	const h, f, n, r = verify.Holds, verify.Fails, verify.NotChecked, verify.NotRequired
	other := digest.SHA256(sha256.Sum256([]byte("other")))
	sha512 := sigstoretest.Statement{Subjects: []sigstoretest.Subject{{Name: "x", Digest: map[string]string{"sha512": "00"}}}}
	sign := func(log sigstoretest.Log, k ...sigstoretest.Knob) *sigstoretest.Bundle {
		return public.Sign(provenance, flask, log, k...)
	}
	for _, c := range []struct {
		name   string
		bundle *sigstoretest.Bundle
		digest *digest.SHA256
		code   verify.Code
		domain string
		// digest, certificate, sct, log-entry, time, signature
		want [6]verify.Outcome
	}{
		{"good", sign(sigstoretest.RekorV1), &archiveDigest, "", "test", [6]verify.Outcome{h, h, h, h, h, h}},
		{"good, Rekor v2", sign(sigstoretest.RekorV2), &archiveDigest, "", "test", [6]verify.Outcome{h, h, h, h, h, h}},
		{"no digest", sign(sigstoretest.RekorV1), nil, "", "test", [6]verify.Outcome{n, h, h, h, h, h}},
		{"other digest", sign(sigstoretest.RekorV1), &other, "", "test", [6]verify.Outcome{f, h, h, h, h, h}},
		{"GitHub", github.Sign(provenance, flask, sigstoretest.NoLog), &archiveDigest, "", "github", [6]verify.Outcome{h, h, r, r, h, h}},
		{"promise", w.old(sigstoretest.Message(archive)), &archiveDigest, "", "test", [6]verify.Outcome{h, h, h, h, h, h}},
		{"no SHA-256", public.Sign(sha512, flask, sigstoretest.RekorV1), nil, "", "test", [6]verify.Outcome{n, h, h, h, h, h}},
		{"no SHA-256, forged", public.Sign(sha512, flask, sigstoretest.RekorV1, sigstoretest.ForgedSignature()), nil, verify.CodeSignature, "test", [6]verify.Outcome{n, h, h, h, h, f}},
		{"no SHA-256, logged as hashedrekord", public.Sign(sha512, flask, sigstoretest.RekorV1, sigstoretest.HashedRekord()), nil, "", "test", [6]verify.Outcome{n, h, h, h, h, h}},
		{"signature", sign(sigstoretest.RekorV1, sigstoretest.ForgedSignature()), &archiveDigest, verify.CodeSignature, "test", [6]verify.Outcome{n, h, h, h, h, f}},
		{"log entry", sign(sigstoretest.RekorV1, sigstoretest.ForgedCheckpoint()), &archiveDigest, verify.CodeLogEntry, "test", [6]verify.Outcome{n, n, n, f, n, n}},
		{"no log entry", sign(sigstoretest.NoLog), &archiveDigest, verify.CodeLogEntry, "test", [6]verify.Outcome{n, n, n, f, n, n}},
		{"time", sign(sigstoretest.RekorV2, sigstoretest.WithoutTimestamp()), &archiveDigest, verify.CodeTimestamp, "test", [6]verify.Outcome{n, n, n, h, f, n}},
		{"time stamp beside", sign(sigstoretest.RekorV1, sigstoretest.TimestampFrom(stranger)), &archiveDigest, verify.CodeTimestamp, "test", [6]verify.Outcome{n, h, h, h, f, h}},
		{"certificate", sign(sigstoretest.RekorV2, sigstoretest.StampedAt(public.Now().AddDate(0, 0, -1))), &archiveDigest, verify.CodeCertificate, "test", [6]verify.Outcome{n, f, n, h, h, n}},
		{"SCT", sign(sigstoretest.RekorV2, sigstoretest.WithoutSCT()), &archiveDigest, verify.CodeSCT, "test", [6]verify.Outcome{n, h, f, h, h, n}},
		{"stranger", sign(sigstoretest.RekorV1, sigstoretest.CertificateFrom(stranger)), &archiveDigest, verify.CodeUnknownAuthority, "", [6]verify.Outcome{n, f, n, n, n, n}},
		{"stranger, other digest", sign(sigstoretest.RekorV1, sigstoretest.CertificateFrom(stranger)), &other, verify.CodeUnknownAuthority, "", [6]verify.Outcome{f, f, n, n, n, n}},
		{"bare key", sign(sigstoretest.RekorV1, sigstoretest.BareKey()), &archiveDigest, verify.CodeNoCertificate, "", [6]verify.Outcome{n, f, n, n, n, n}},
		{"malformed", sign(sigstoretest.RekorV1, sigstoretest.ExtraSignatures(1)), &archiveDigest, verify.CodeMalformed, "", [6]verify.Outcome{n, n, n, n, n, n}},
		{"no checkpoint", sign(sigstoretest.RekorV1, sigstoretest.WithoutCheckpoint()), &archiveDigest, verify.CodeMalformed, "", [6]verify.Outcome{n, n, n, n, n, n}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := w.verifier.Inspect(candidateOf(t, c.bundle), c.digest)
			want := map[verify.CheckName]verify.Outcome{
				verify.CheckDigest: c.want[0], verify.CheckCertificate: c.want[1], verify.CheckSCT: c.want[2],
				verify.CheckLogEntry: c.want[3], verify.CheckTime: c.want[4], verify.CheckSignature: c.want[5],
			}
			if diff := cmp.Diff(want, outcomes(in)); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
			if in.Code != c.code || in.Genuine != (c.code == "") || (in.Reason == "") != in.Genuine {
				t.Errorf("genuine %v, code %q, reason %q; wanted code %q", in.Genuine, in.Code, in.Reason, c.code)
			}
			if in.Domain != c.domain {
				t.Errorf("domain %q, wanted %q", in.Domain, c.domain)
			}
			for _, check := range in.Checks {
				if check.Reason == "" {
					t.Errorf("%s has no reason", check.Name)
				}
			}
			if len(in.Domains) != 2 {
				t.Errorf("%d domains are accounted for, wanted 2", len(in.Domains))
			}
			for _, d := range in.Domains {
				if d.Verified != (in.Genuine && d.Name == c.domain) || d.Issued != (c.domain != "" && d.Name == c.domain) || (d.Reason == "") != d.Verified {
					t.Errorf("domain %+v", d)
				}
			}
			if c.code != verify.CodeMalformed && in.Content == nil {
				t.Error("it has no content")
			}
		})
	}
}

// Whatever holds in an inspection is what Verify demands: a bundle is genuine if
// and only if Verify finds nothing broken, over all ways to break one.
func TestInspectAgreesWithVerify(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for name, log := range logs {
		document := w.Sign(provenance, flask, log).JSON()
		for _, leaf := range sigstoretest.Leaves(document) {
			for _, changed := range [][]byte{sigstoretest.Mutate(document, leaf), sigstoretest.Remove(document, leaf)} {
				candidates, err := attestation.Parse("", changed)
				if err != nil {
					continue
				}
				_, bundles, _ := w.verifier.Verify(candidates, archiveDigest, flaskRules(t))
				in := w.verifier.Inspect(candidates[0], &archiveDigest)
				if verified := bundles[0].Verified != nil; verified && !in.Genuine || in.Genuine && bundles[0].Status == verify.Broken {
					t.Errorf("%s %s: Verify says %s %s, Inspect says genuine %v", name, leaf, bundles[0].Status, bundles[0].Code, in.Genuine)
				}
				for _, c := range in.Checks {
					if c.Outcome == verify.Holds && !in.Genuine && c.Name == verify.CheckDigest {
						t.Errorf("%s %s: the digest holds and the bundle is not genuine", name, leaf)
					}
				}
			}
		}
	}
}

// Nothing makes Inspect panic or say that something holds.
func TestInspectNonsense(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for _, document := range []string{"", "{}", "null", "[]", `{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + "oM/HEnHW4njlfNMy/5V8P3BD/do1TEy7GQow1W76Ab8=" + `"},"signature":"AA=="},"verificationMaterial":{"tlogEntries":[{}]}}`} {
		in := w.verifier.Inspect(attestation.Candidate{Bundle: []byte(document), Format: attestation.BundleFormat}, &archiveDigest)
		if in.Genuine || in.Code == "" || len(in.Checks) != 6 {
			t.Errorf("%q: %+v", document, in)
		}
		for _, c := range in.Checks {
			if c.Outcome == verify.Holds {
				t.Errorf("%q: %s holds", document, c.Name)
			}
		}
	}
}

// Whoever sees a certificate of GitHub's learns where its root comes from.
func TestUnknownAuthorityHints(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	stranger := sigstoretest.New(sigstoretest.Options{})
	for issuer, want := range map[*sigstoretest.Sigstore]bool{github: true, stranger: false} {
		_, bundles, _ := w.verifier.Verify([]attestation.Candidate{candidateOf(t, issuer.Sign(provenance, flask, sigstoretest.NoLog))}, archiveDigest, flaskRules(t))
		b := bundles[0]
		if b.Code != verify.CodeUnknownAuthority || !strings.Contains(b.Hint, "the trusted roots in use are: test") || strings.Contains(b.Hint, "gh attestation trusted-root") != want {
			t.Errorf("code %q, hint %q", b.Code, b.Hint)
		}
	}
}
