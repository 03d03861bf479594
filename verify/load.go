package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
)

// mediaV01 is the only media type whose log entries may be proven by the log's
// promise alone.
const mediaV01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"

// opened is a bundle as sigstore-go verifies it.
type opened struct {
	*bundle.Bundle
	leaf *x509.Certificate
	// logged is the bundle as its log entries have it: usually the bundle
	// itself. digest is what that speaks of, if it is not the bundle itself.
	logged *bundle.Bundle
	digest *digest.SHA256
	// uncertified is the inclusion proof of the only log entry, where it has no
	// checkpoint and was therefore taken out of the bundle; nil otherwise. The
	// log's promise then has to prove the entry.
	uncertified *rekorpb.InclusionProof
}

func (b *opened) entries() []*rekorpb.TransparencyLogEntry {
	return b.GetVerificationMaterial().GetTlogEntries()
}

// open reads a candidate's bundle.
func open(c attestation.Candidate, claims attestation.Claims) (*opened, *InvalidError) {
	b := &opened{Bundle: new(bundle.Bundle)}
	if err := b.UnmarshalJSON(c.Bundle); err != nil {
		if b = openPromised(c); b == nil {
			return nil, loadError(c, claims).because(err)
		}
	}
	if b.logged == nil {
		b.logged = b.Bundle
		b.hashed()
	}
	var fail *InvalidError
	if b.leaf, fail = leafOf(b.Bundle); fail != nil {
		return nil, fail
	}
	return b, checkChain(b.Bundle)
}

// hashed prepares a statement whose entries in Rekor v1 are of kind hashedrekord,
// which the client specification allows and sigstore-go v1.3.0 refuses. Such an
// entry is of the bytes that a DSSE signature covers (the pre-authentication
// encoding of type and payload), as if they were a file. So the very signature
// and certificate are given to sigstore-go as a signature over that file, and
// what it proves of the entry, the times and the certificate is as true of the
// statement; whose own signature is verified beside.
func (b *opened) hashed() {
	envelope := b.GetDsseEnvelope()
	if len(envelope.GetSignatures()) != 1 {
		return
	}
	for _, e := range b.entries() {
		if k := e.GetKindVersion(); k.GetKind() != "hashedrekord" || k.GetVersion() != "0.0.1" {
			return
		}
	}
	if len(b.entries()) == 0 {
		return
	}
	d := digest.SHA256(sha256.Sum256(dsse.PAE(envelope.GetPayloadType(), envelope.GetPayload())))
	logged, err := bundle.NewBundle(&protobundle.Bundle{
		MediaType: b.GetMediaType(), VerificationMaterial: b.GetVerificationMaterial(),
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: d[:]},
			Signature:     envelope.GetSignatures()[0].GetSig(),
		}},
	})
	if err == nil {
		b.logged, b.digest = logged, &d
	}
}

// checkChain refuses a bundle that brings its own root certificate (Sigstore's
// protobuf-specs, X509CertificateChain): whoever reads it must not be led to
// trust that.
func checkChain(b *bundle.Bundle) *InvalidError {
	for _, c := range b.GetVerificationMaterial().GetX509CertificateChain().GetCertificates() {
		cert, err := x509.ParseCertificate(c.GetRawBytes())
		if err != nil {
			return invalid(CodeNoCertificate, "a certificate beside the signing one cannot be read").because(err)
		}
		if bytes.Equal(cert.RawIssuer, cert.RawSubject) && cert.IsCA {
			return invalid(CodeCertificate, "it brings the root certificate %q along, which has to come from whoever verifies", clip(cert.Subject.String()))
		}
	}
	return nil
}

// openPromised reads a bundle of the kind that CPython published until 2024:
// version 0.1, a signature over the file itself, and one entry of Rekor v1 whose
// inclusion proof has no checkpoint. sigstore-go refuses to load such a proof,
// which nobody signed. What the log did sign is its promise (the signed entry
// timestamp over body, time, index and log); so the proof is set aside, to be
// looked at by checkPromised, and sigstore-go verifies the promise and that the
// entry is of this signature, certificate and digest. Whatever differs from that
// kind gives nil: PEP 740 objects never get here, and neither do bundles that
// never had a proof.
func openPromised(c attestation.Candidate) *opened {
	if c.Format != attestation.BundleFormat {
		return nil
	}
	m := new(protobundle.Bundle)
	if err := protojson.Unmarshal(c.Bundle, m); err != nil || m.GetMediaType() != mediaV01 || m.GetMessageSignature() == nil {
		return nil
	}
	entries := m.GetVerificationMaterial().GetTlogEntries()
	if len(entries) != 1 || len(entries[0].GetInclusionPromise().GetSignedEntryTimestamp()) == 0 {
		return nil
	}
	proof, kind := entries[0].GetInclusionProof(), entries[0].GetKindVersion()
	if proof == nil || proof.GetCheckpoint() != nil || kind.GetKind() != "hashedrekord" || kind.GetVersion() != "0.0.1" {
		return nil
	}
	entries[0].InclusionProof = nil
	b, err := bundle.NewBundle(m)
	if err != nil {
		return nil
	}
	return &opened{Bundle: b, logged: b, uncertified: proof}
}

// loadError explains why a bundle is refused before anything is verified.
func loadError(c attestation.Candidate, claims attestation.Claims) *InvalidError {
	switch {
	case strings.Contains(claims.MediaType, "version=0.1") && !bytes.Contains(c.Bundle, []byte(`"checkpoint"`)):
		return noCheckpoint()
	case bytes.Contains(c.Bundle, []byte(`"canonicalizedBody"`)) && !bytes.Contains(c.Bundle, []byte(`"inclusionProof"`)):
		return noCheckpoint()
	}
	return invalid(CodeMalformed, "it is no well-formed Sigstore bundle of a version from 0.1 to 0.3")
}

func noCheckpoint() *InvalidError {
	return invalid(CodeLogEntry, "its transparency log entry has no inclusion proof with a signed checkpoint")
}

func leafOf(b *bundle.Bundle) (*x509.Certificate, *InvalidError) {
	vc, err := b.VerificationContent()
	if err != nil {
		return nil, invalid(CodeNoCertificate, "its signing certificate cannot be read").because(err)
	}
	leaf := vc.Certificate()
	if leaf == nil {
		return nil, invalid(CodeNoCertificate, "it was signed with a bare key, which says nothing about who holds it; wanted a certificate")
	}
	return leaf, nil
}
