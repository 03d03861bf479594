package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Cases of Sigstore's public conformance suite, by its names, made anew: what
// every client has to accept, and what none may.
func TestConformanceCases(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s := sigstoretest.New(sigstoretest.Options{Now: clock})
	decoy := sigstoretest.New(sigstoretest.Options{Now: clock}) // the same names, other keys
	const v1, v2 = sigstoretest.RekorV1, sigstoretest.RekorV2
	hashed := sigstoretest.HashedRekord()
	sign := func(log sigstoretest.Log, k ...sigstoretest.Knob) *sigstoretest.Bundle {
		return s.Sign(provenance, flask, log, k...)
	}
	altered := func(b *sigstoretest.Bundle, change func(*sigstoretest.Bundle)) *sigstoretest.Bundle {
		b = b.Clone()
		change(b)
		return b
	}
	swapSignature := func(b *sigstoretest.Bundle) { b.DSSEEnvelope.Signatures[0].Sig = sign(v1).Signature() }
	swapPayload := func(b *sigstoretest.Bundle) {
		b.DSSEEnvelope.Payload = s.Sign(predicate(sigstoretest.SLSAProvenance), flask, v1).DSSEEnvelope.Payload
	}
	rooted := func(change func(*sigstoretest.Root)) []byte {
		r := s.Root()
		change(r)
		return r.JSON()
	}
	ends := func(windows func(*sigstoretest.Root) []*sigstoretest.ValidFor, end time.Time) []byte {
		return rooted(func(r *sigstoretest.Root) {
			for _, w := range windows(r) {
				*w = sigstoretest.Until(w.Start, end)
			}
		})
	}
	logs := func(r *sigstoretest.Root) (w []*sigstoretest.ValidFor) {
		for i := range r.TLogs {
			w = append(w, &r.TLogs[i].PublicKey.ValidFor)
		}
		return w
	}
	stampers := func(r *sigstoretest.Root) []*sigstoretest.ValidFor {
		return []*sigstoretest.ValidFor{&r.TimestampAuthorities[0].ValidFor}
	}
	borrowed := rooted(func(r *sigstoretest.Root) {
		other := decoy.Root().TimestampAuthorities[0] // covers the time, and signed nothing
		r.TimestampAuthorities[0].ValidFor = sigstoretest.Until(r.TimestampAuthorities[0].ValidFor.Start, now.Add(-time.Hour))
		r.TimestampAuthorities = append(r.TimestampAuthorities, other)
	})
	twice := rooted(func(r *sigstoretest.Root) {
		r.CertificateAuthorities = append(decoy.Root().CertificateAuthorities, r.CertificateAuthorities...)
	})
	good := s.TrustedRootJSON()
	for _, c := range []struct {
		name   string
		root   []byte
		bundle *sigstoretest.Bundle
		want   verify.Code
	}{
		{"dsse-with-hashedrekord-happy-path", good, sign(v1, hashed), ""},
		{"dsse-with-hashedrekord-happy-path, stamped", good, sign(v1, hashed, sigstoretest.Stamped()), ""},
		{"dsse-with-hashedrekord-happy-path, version 0.1", good, sign(v1, hashed, sigstoretest.Version(sigstoretest.BundleV01)), ""},
		{"dsse-with-hashedrekord-invalid-sig_fail", good, sign(v1, hashed, sigstoretest.ForgedSignature()), verify.CodeMalformed}, // an entry that no log takes
		{"dsse-with-hashedrekord-mismatch-sig_fail", good, altered(sign(v1, hashed), swapSignature), verify.CodeLogEntry},
		{"dsse-with-hashedrekord-mismatch-envelope_fail", good, altered(sign(v1, hashed), swapPayload), verify.CodeLogEntry},
		{"dsse-with-hashedrekord, of other content", good, sign(v1, hashed, sigstoretest.Logged(sigstoretest.Attest("x", []byte("x")))), verify.CodeMalformed},
		{"dsse-with-hashedrekord, of another bundle", good, sign(v1, sigstoretest.EntryOf(sign(v1, hashed))), verify.CodeLogEntry},
		{"dsse-with-hashedrekord, forged promise", good, sign(v1, hashed, sigstoretest.ForgedPromise()), verify.CodeLogEntry},
		{"dsse-with-hashedrekord, forged checkpoint", good, sign(v1, hashed, sigstoretest.ForgedCheckpoint()), verify.CodeLogEntry},
		{"dsse-with-hashedrekord, no SCT", good, sign(v1, hashed, sigstoretest.WithoutSCT()), verify.CodeSCT},
		{"dsse-with-hashedrekord, of a file", good, altered(s.Sign(sigstoretest.Message(archive), flask, v1), func(b *sigstoretest.Bundle) {
			b.MessageSignature, b.DSSEEnvelope = nil, &sigstoretest.DSSEEnvelope{
				PayloadType: sigstoretest.InTotoPayload, Payload: sign(v1).DSSEEnvelope.Payload,
				Signatures: []sigstoretest.Signature{{Sig: b.Signature()}},
			}
		}), verify.CodeLogEntry},
		{"dsse-mismatch-sig_fail", good, altered(sign(v1), swapSignature), verify.CodeLogEntry},
		{"intoto entry", good, sign(v1, sigstoretest.InToto()), ""},
		{"rekor2-dsse-happy-path", good, sign(v2), ""},
		{"rekor2-dsse-mismatch-sig_fail", good, altered(sign(v2), swapSignature), verify.CodeLogEntry},
		{"rekor2-dsse-mismatch-envelope_fail", good, altered(sign(v2), swapPayload), verify.CodeLogEntry},
		{"cve-2022-36056-swapped-tlog-entry_fail", good, sign(v1, sigstoretest.EntryOf(sign(v1))), verify.CodeLogEntry},
		{"sct-duplicate-intermediate-name", twice, sign(v1), ""},
		{"sct-duplicate-intermediate-name, Rekor v2", twice, sign(v2), ""},
		{"sct-duplicate-intermediate-name, of the other one", twice, sign(v1, sigstoretest.CertificateFrom(decoy), sigstoretest.SCTFrom(decoy)), verify.CodeSCT},
		{"trust-root-tlog-validity-end-inclusive", ends(logs, now), sign(v1), ""},
		{"trust-root-tlog-validity-end-inclusive, Rekor v2", ends(logs, now), sign(v2), ""},
		{"trust-root-tlog-validity-end, a second before", ends(logs, now.Add(-time.Second)), sign(v1), verify.CodeLogEntry},
		{"trust-root-tlog-validity-end, a second before, Rekor v2", ends(logs, now.Add(-time.Second)), sign(v2), verify.CodeLogEntry},
		{"trust-root-tsa-validity-end-inclusive", ends(stampers, now), sign(v2), ""},
		{"rekor2-timestamp-outside-trust-root-tsa-validity_fail", ends(stampers, now.Add(-time.Second)), sign(v2), verify.CodeTimestamp},
		{"rekor2-timestamp-wrong-tsa-validity-borrow_fail", borrowed, sign(v2), verify.CodeTimestamp},
		{"rekor2-timestamp-wrong-tsa-validity-borrow_fail, beside the log's time", borrowed, sign(v1, sigstoretest.Stamped()), verify.CodeTimestamp},
		{"rekor2-multiple-timestamps", good, sign(v2, sigstoretest.AlsoStampedAt(now.Add(time.Minute))), ""},
		{"rekor2-multiple-timestamps-one-outside-cert-validity_fail", good, sign(v2, sigstoretest.AlsoStampedAt(now.Add(time.Hour))), verify.CodeCertificate},
		{"multiple timestamps, Rekor v1", good, sign(v1, sigstoretest.Stamped(), sigstoretest.AlsoStampedAt(now.Add(time.Hour))), verify.CodeCertificate},
		{"multiple timestamps, one in the future", good, sign(v2, sigstoretest.CertificateValid(now, now.Add(time.Hour)), sigstoretest.AlsoStampedAt(now.Add(30*time.Minute))), verify.CodeTimestamp},
		{"multiple timestamps, one of a stranger", good, altered(sign(v2), func(b *sigstoretest.Bundle) {
			list := &b.VerificationMaterial.Timestamped.Timestamps
			*list = append(*list, sign(v2, sigstoretest.TimestampFrom(decoy)).VerificationMaterial.Timestamped.Timestamps...)
		}), verify.CodeTimestamp},
		{"multiple timestamps, one of another signature", good, altered(sign(v2), func(b *sigstoretest.Bundle) {
			list := &b.VerificationMaterial.Timestamped.Timestamps
			*list = append(*list, sign(v2).VerificationMaterial.Timestamped.Timestamps...)
		}), verify.CodeTimestamp},
		{"time stamp in a domain without authorities of such", rooted(func(r *sigstoretest.Root) { r.TimestampAuthorities = nil }), sign(v1, sigstoretest.Stamped()), ""},
		{"Rekor v2 in a domain without authorities for time stamps", rooted(func(r *sigstoretest.Root) { r.TimestampAuthorities = nil }), sign(v2), verify.CodeTimestamp},
		{"bundle-with-root-cert_fail", good, sign(v1, sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithRoot()), verify.CodeCertificate},
		{"bundle-with-root-cert_fail, version 0.2", good, sign(v1, sigstoretest.Version(sigstoretest.BundleV02), sigstoretest.WithIntermediate(), sigstoretest.WithRoot()), verify.CodeCertificate},
		{"no certificate beside the signer's", good, altered(sign(v1, sigstoretest.Version(sigstoretest.BundleV02), sigstoretest.WithIntermediate()), func(b *sigstoretest.Bundle) {
			b.VerificationMaterial.Chain.Certificates[1].RawBytes = []byte("x")
		}), verify.CodeNoCertificate},
		{"intermediate in chain", good, sign(v1, sigstoretest.Version(sigstoretest.BundleV02), sigstoretest.WithIntermediate()), ""},
		{"managed key", good, sign(v1, sigstoretest.BareKey()), verify.CodeNoCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := worldOf(t, s, c.root, clock)
			if got := w.judge(t, c.bundle.JSON(), "github:pallets/flask"); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

// rekor2-checkpoint-*_fail, and the same of Rekor's first version: checkpoints
// that lack a part.
func TestConformanceCheckpoints(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	other := sigstoretest.New(sigstoretest.Options{})
	for name, log := range logs {
		b := w.Sign(provenance, flask, log)
		lines := strings.Split(b.Entry().Proof.Checkpoint.Envelope, "\n") // origin, size, root hash, "", signature, ""
		foreign := strings.Split(other.Sign(provenance, flask, log).Entry().Proof.Checkpoint.Envelope, "\n")
		for what, envelope := range map[string][]string{
			"missing-origin":         append([]string{}, lines[1:]...),
			"missing-size":           {lines[0], lines[2], lines[3], lines[4], ""},
			"missing-root-hash":      {lines[0], lines[1], lines[3], lines[4], ""},
			"missing-log-signature":  {lines[0], lines[1], lines[2], "", ""},
			"no-matching-signature":  {lines[0], lines[1], lines[2], "", foreign[4], ""},
			"another log's whole":    foreign,
			"one line":               {lines[0]},
			"size of no number":      {lines[0], "x", lines[2], "", lines[4], ""},
			"root hash of no base64": {lines[0], lines[1], "!", "", lines[4], ""},
			"another origin":         {"x" + lines[0], lines[1], lines[2], "", lines[4], ""},
		} {
			changed := b.Clone()
			changed.Entry().Proof.Checkpoint.Envelope = strings.Join(envelope, "\n")
			if got := w.judge(t, changed.JSON(), "github:pallets/flask"); got != verify.CodeLogEntry {
				t.Errorf("%s, %s: code %q, wanted %q", name, what, got, verify.CodeLogEntry)
			}
		}
	}
}

// rekor2-checkpoint-cosigned and its kin: signatures of witnesses, or of other
// keys under the log's name, before and after the log's own.
func TestConformanceCosignedCheckpoints(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	b := w.Sign(provenance, flask, sigstoretest.RekorV2)
	namesake := sigstoretest.New(sigstoretest.Options{}).Sign(provenance, flask, sigstoretest.RekorV2)
	witness := sigstoretest.New(sigstoretest.Options{Domain: "witness.example"}).Sign(provenance, flask, sigstoretest.RekorV2)
	signature := func(b *sigstoretest.Bundle) string {
		return strings.Split(b.Entry().Proof.Checkpoint.Envelope, "\n")[4] + "\n"
	}
	envelope := b.Entry().Proof.Checkpoint.Envelope
	text, own, _ := strings.Cut(envelope, "\n\n")
	for name, signatures := range map[string]string{
		"cosigned":               own + signature(witness),
		"origin-not-first":       signature(witness) + own,
		"two-sigs-from-origin":   own + signature(namesake),
		"two-sigs, own one last": signature(namesake) + own,
		"two-sigs-cosigned":      signature(witness) + own + signature(namesake),
	} {
		changed := b.Clone()
		changed.Entry().Proof.Checkpoint.Envelope = text + "\n\n" + signatures
		if got := w.judge(t, changed.JSON(), "github:pallets/flask"); got != "" {
			t.Errorf("%s: code %q", name, got)
		}
	}
}

// withoutStart changes a root in place, and returns it.
func withoutStart(tr *root.TrustedRoot) *root.TrustedRoot {
	for _, log := range tr.RekorLogs() {
		log.ValidityPeriodStart = time.Time{}
	}
	return tr
}

// trust-root-tlog-missing-validity-start_fail: such a root is refused when it is
// read, and so is one that was made without being read.
func TestLogKeyWithoutStart(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	for i := range s.Root().TLogs {
		data := sigstoretest.Remove(s.TrustedRootJSON(), fmt.Sprintf("/tlogs/%d/publicKey/validFor/start", i))
		if _, err := trust.Parse("test", data); err == nil {
			t.Errorf("a root whose log %d has no start was read", i)
		}
	}
	w := worldOf(t, s, s.TrustedRootJSON(), nil)
	withoutStart(w.domain.Root)
	for name, log := range logs {
		if got := w.judge(t, s.Sign(provenance, flask, log).JSON(), "github:pallets/flask"); got != verify.CodeLogEntry {
			t.Errorf("%s: code %q, wanted %q", name, got, verify.CodeLogEntry)
		}
	}
}

// An authority may be in several domains, by mistake or malice. What one of them
// demands the others do not drop; and an old and a new root of one instance
// stand beside each other.
func TestStrictestDomainDecides(t *testing.T) {
	public := sigstoretest.New(sigstoretest.Options{})
	old := public.Root()
	old.TLogs = old.TLogs[:1] // from before Rekor v2
	parse := func(name string, data []byte) trust.Domain {
		domains, err := trust.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		return domains[0]
	}
	full, older := parse("full", public.TrustedRootJSON()), parse("older", old.JSON())
	logless := full
	logless.Name, logless.Require = "logless", trust.Requirements{SignedTimestamps: 1}
	unwatched := full
	unwatched.Name, unwatched.Require.SCTs = "unwatched", 0
	empty := parse("empty", sigstoretest.New(sigstoretest.Options{}).TrustedRootJSON())
	for _, c := range []struct {
		name    string
		domains []trust.Domain
		bundle  *sigstoretest.Bundle
		want    verify.Code
		domain  string
	}{
		{"one", []trust.Domain{full}, public.Sign(provenance, flask, sigstoretest.RekorV2), "", "full"},
		{"old root first", []trust.Domain{older, full}, public.Sign(provenance, flask, sigstoretest.RekorV2), "", "full"},
		{"new root first", []trust.Domain{full, older}, public.Sign(provenance, flask, sigstoretest.RekorV2), "", "full"},
		{"both know the log", []trust.Domain{older, full}, public.Sign(provenance, flask, sigstoretest.RekorV1), "", "older"},
		{"the nearer failure is told", []trust.Domain{older, full}, public.Sign(provenance, flask, sigstoretest.RekorV2, sigstoretest.ForgedSignature()), verify.CodeSignature, "full"},
		{"one without a log alone", []trust.Domain{logless}, public.Sign(provenance, flask, sigstoretest.NoLog), "", "logless"},
		{"one without a log first", []trust.Domain{logless, full}, public.Sign(provenance, flask, sigstoretest.NoLog), verify.CodeLogEntry, "logless"},
		{"one without a log last", []trust.Domain{full, logless}, public.Sign(provenance, flask, sigstoretest.NoLog), verify.CodeLogEntry, "full"},
		{"one without SCTs first", []trust.Domain{unwatched, full}, public.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.WithoutSCT()), verify.CodeSCT, "unwatched"},
		{"one without SCTs alone", []trust.Domain{unwatched}, public.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.WithoutSCT()), "", "unwatched"},
		{"a signed time is demanded by one", []trust.Domain{full, logless}, public.Sign(provenance, flask, sigstoretest.RekorV1), verify.CodeTimestamp, "full"},
		{"both demands are met", []trust.Domain{logless, full}, public.Sign(provenance, flask, sigstoretest.RekorV2), "", "logless"},
		{"a stranger's domain does not count", []trust.Domain{empty, logless}, public.Sign(provenance, flask, sigstoretest.NoLog), "", "logless"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := verify.New(c.domains, nil)
			if err != nil {
				t.Fatal(err)
			}
			w := world{Sigstore: public, verifier: v}
			if got := w.judge(t, c.bundle.JSON(), "github:pallets/flask"); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
			if in := v.Inspect(candidateOf(t, c.bundle), nil); in.Domain != c.domain {
				t.Errorf("domain %q, wanted %q", in.Domain, c.domain)
			}
		})
	}
}
