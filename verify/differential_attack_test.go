package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

// parts takes a bundle's JSON apart.
func parts(t *testing.T, b *sigstoretest.Bundle) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b.JSON(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// object writes keys and values in this very order, duplicates included.
func object(pairs ...any) []byte {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", pairs[i], pairs[i+1])
	}
	return []byte("{" + b.String() + "}")
}

// Two readers look at a bundle: package attestation, which finds digest and
// predicate type, and sigstore-go, which verifies. Whatever one of them could
// read in another way than the other must not verify. The genuine parts are of
// an SBOM, and of another file: neither counts by itself.
func TestTwoReadersSeeOneBundle(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	sbom := parts(t, w.Sign(predicate(sigstoretest.SPDX), flask, sigstoretest.RekorV1))
	evil := parts(t, w.Sign(provenance, sigstoretest.GitHub("evil/flask"), sigstoretest.RekorV1))
	mine := parts(t, w.Sign(sigstoretest.Attest("x", []byte("x")), flask, sigstoretest.RekorV1))
	message := parts(t, w.Sign(sigstoretest.Message("x"), flask, sigstoretest.RekorV1))
	wanted := parts(t, w.Sign(sigstoretest.Message(archive), sigstoretest.GitHub("evil/flask"), sigstoretest.RekorV1))
	media, material, envelope := sbom["mediaType"], sbom["verificationMaterial"], sbom["dsseEnvelope"]
	forged := evil["dsseEnvelope"] // an accepted predicate type and the wanted digest
	null := json.RawMessage("null")
	inner := func(from json.RawMessage, key string) json.RawMessage {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(from, &m); err != nil || m[key] == nil {
			t.Fatalf("no %s in %s", key, from)
		}
		return m[key]
	}
	type pairs = []any
	env := func(p ...any) json.RawMessage { return object(p...) }
	for name, p := range map[string]pairs{
		"SBOM": {"mediaType", media, "verificationMaterial", material, "dsseEnvelope", envelope},
		"two envelopes, one by the name of the proto field":      {"mediaType", media, "verificationMaterial", material, "dsseEnvelope", forged, "dsse_envelope", envelope},
		"the same the other way round":                           {"mediaType", media, "verificationMaterial", material, "dsse_envelope", envelope, "dsseEnvelope", forged},
		"null and an envelope":                                   {"mediaType", media, "verificationMaterial", material, "dsseEnvelope", null, "dsse_envelope", envelope},
		"an envelope and null":                                   {"mediaType", media, "verificationMaterial", material, "dsse_envelope", envelope, "dsseEnvelope", null},
		"an envelope twice":                                      {"mediaType", media, "verificationMaterial", material, "dsseEnvelope", envelope, "dsseEnvelope", forged},
		"an envelope twice, in other case":                       {"mediaType", media, "verificationMaterial", material, "dsseEnvelope", envelope, "DSSEenvelope", forged},
		"an envelope by the name of the proto field":             {"mediaType", media, "verificationMaterial", material, "dsse_envelope", envelope},
		"message signature and envelope":                         {"mediaType", media, "verificationMaterial", material, "messageSignature", wanted["messageSignature"], "dsse_envelope", envelope},
		"message signature of ours, an envelope of another file": {"mediaType", media, "verificationMaterial", mine["verificationMaterial"], "messageSignature", wanted["messageSignature"], "dsse_envelope", mine["dsseEnvelope"]},
		"null message signature and envelope":                    {"mediaType", media, "verificationMaterial", material, "messageSignature", null, "dsse_envelope", envelope},
		"two materials":                                          {"mediaType", media, "verificationMaterial", material, "verification_material", evil["verificationMaterial"], "dsseEnvelope", forged},
		"null material and another":                              {"mediaType", media, "verificationMaterial", null, "verification_material", material, "dsseEnvelope", forged},
		"payload twice": {
			"mediaType", media, "verificationMaterial", material, "dsseEnvelope",
			env("payload", inner(forged, "payload"), "payloadType", inner(envelope, "payloadType"), "signatures", inner(envelope, "signatures"), "payload", inner(envelope, "payload")),
		},
		"payload in other case": {
			"mediaType", media, "verificationMaterial", material, "dsseEnvelope",
			env("payload", inner(forged, "payload"), "Payload", inner(envelope, "payload"), "payloadType", inner(envelope, "payloadType"), "signatures", inner(envelope, "signatures")),
		},
		"payload of another envelope": {
			"mediaType", media, "verificationMaterial", material, "dsseEnvelope",
			env("payload", inner(forged, "payload"), "payloadType", inner(envelope, "payloadType"), "signatures", inner(envelope, "signatures")),
		},
		"signatures of both": {
			"mediaType", media, "verificationMaterial", material, "dsseEnvelope",
			env("payload", inner(forged, "payload"), "payloadType", inner(envelope, "payloadType"), "signatures", json.RawMessage("["+string(inner(envelope, "signatures")[1:len(inner(envelope, "signatures"))-1])+","+string(inner(forged, "signatures")[1:]))),
		},
		"digest of the wanted file on a signature of another": {
			"mediaType", media, "verificationMaterial", message["verificationMaterial"], "messageSignature",
			env("messageDigest", inner(wanted["messageSignature"], "messageDigest"), "signature", inner(message["messageSignature"], "signature")),
		},
		"two digests, one by the name of the proto field": {
			"mediaType", media, "verificationMaterial", message["verificationMaterial"], "messageSignature",
			env("messageDigest", inner(wanted["messageSignature"], "messageDigest"), "message_digest", inner(message["messageSignature"], "messageDigest"), "signature", inner(message["messageSignature"], "signature")),
		},
		"null digest and another": {
			"mediaType", media, "verificationMaterial", message["verificationMaterial"], "messageSignature",
			env("messageDigest", null, "message_digest", inner(wanted["messageSignature"], "messageDigest"), "signature", inner(message["messageSignature"], "signature")),
		},
		"certificate of the publisher beside the signer's": {
			"mediaType", media, "verificationMaterial",
			env("certificate", inner(material, "certificate"), "x509CertificateChain", env("certificates", json.RawMessage("["+string(inner(evil["verificationMaterial"], "certificate"))+"]")), "tlogEntries", inner(evil["verificationMaterial"], "tlogEntries")), "dsseEnvelope", forged,
		},
		"chain that begins with the publisher's certificate": {
			"mediaType", json.RawMessage(`"application/vnd.dev.sigstore.bundle+json;version=0.2"`), "verificationMaterial",
			env("x509CertificateChain", env("certificates", json.RawMessage("["+string(inner(material, "certificate"))+","+string(inner(evil["verificationMaterial"], "certificate"))+"]")), "tlogEntries", inner(evil["verificationMaterial"], "tlogEntries")), "dsseEnvelope", forged,
		},
		"chain that ends with the publisher's certificate": {
			"mediaType", json.RawMessage(`"application/vnd.dev.sigstore.bundle+json;version=0.2"`), "verificationMaterial",
			env("x509CertificateChain", env("certificates", json.RawMessage("["+string(inner(evil["verificationMaterial"], "certificate"))+","+string(inner(material, "certificate"))+"]")), "tlogEntries", inner(evil["verificationMaterial"], "tlogEntries")), "dsseEnvelope", forged,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := w.judge(t, object(p...), "github:pallets/flask"); got == "" {
				t.Error("it is verified")
			}
		})
	}
}

// What is signed and cannot be compared is told from a forged signature: the
// one is a project's mistake, the other an attack.
func TestSignedSubjectsThatCannotBeRead(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	s := provenance
	s.Subjects = append([]sigstoretest.Subject{{Name: "folder", Digest: map[string]string{"dirHash": "h1:not-hexadecimal"}}}, s.Subjects...)
	if got := w.judge(t, w.Sign(s, flask, sigstoretest.RekorV1).JSON(), "github:pallets/flask"); got != verify.CodeMalformed {
		t.Errorf("code %q, wanted %q", got, verify.CodeMalformed)
	}
	hashed := w.Sign(s, flask, sigstoretest.RekorV1, sigstoretest.HashedRekord())
	if got := w.judge(t, hashed.JSON(), "github:pallets/flask"); got != verify.CodeMalformed {
		t.Errorf("logged as hashedrekord: code %q, wanted %q", got, verify.CodeMalformed)
	}
	forged := w.Sign(s, flask, sigstoretest.RekorV1, sigstoretest.ForgedSignature())
	if got := w.judge(t, forged.JSON(), "github:pallets/flask"); got != verify.CodeSignature {
		t.Errorf("forged: code %q, wanted %q", got, verify.CodeSignature)
	}
}

// Each entry and time stamp costs a signature or two, for each bundle of a
// document; they are counted before.
func TestEntriesAndStampsAreCounted(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	b := w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.Stamped()).JSON()
	repeated := func(pointer string, n int) []byte {
		list := sigstoretest.Get(b, pointer).([]any)
		var more []any
		for range n {
			more = append(more, list[0])
		}
		return sigstoretest.Set(b, pointer, more)
	}
	p := []publishers.Publisher{publisherOf(t, "github:pallets/flask")}
	for pointer, want := range map[string]verify.Code{
		"/verificationMaterial/tlogEntries":                                 verify.CodeLogEntry,
		"/verificationMaterial/timestampVerificationData/rfc3161Timestamps": verify.CodeTimestamp,
	} {
		candidates, err := attestation.Parse("", repeated(pointer, 9))
		if err != nil {
			t.Fatal(err)
		}
		_, bundles, err := w.verifier.Verify(candidates, archiveDigest, verify.Rules{Publishers: p, Match: verify.Any})
		if err == nil || bundles[0].Code != want || !strings.Contains(bundles[0].Reason, "limit is 8") {
			t.Errorf("%s: error %v, code %q", pointer, err, bundles[0].Code)
		}
	}
}
