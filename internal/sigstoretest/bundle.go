package sigstoretest

import (
	"encoding/json"
	"encoding/pem"
	"slices"
)

// Media types of bundles.
const (
	BundleV01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
	BundleV02 = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	BundleV03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// Bundle is a Sigstore bundle. Its fields are the bundle's own, and can be
// changed before it is written; [Bundle.Clone] keeps the original.
type Bundle struct {
	MediaType            string                `json:"mediaType"`
	VerificationMaterial VerificationMaterial  `json:"verificationMaterial"`
	DSSEEnvelope         *DSSEEnvelope         `json:"dsseEnvelope,omitempty"`
	MessageSignature     *MessageSignatureBody `json:"messageSignature,omitempty"`

	// identity is the signer's, for the publisher object that PyPI adds.
	identity Identity
	// publicKey is the key that signed, PKIX, where there is no certificate.
	publicKey []byte
}

// VerificationMaterial is the part of a bundle that the signature is judged by.
type VerificationMaterial struct {
	// Certificate is the signer's, in bundles of version 0.3.
	Certificate *RawBytes `json:"certificate,omitempty"`
	// Chain is the signer's and its issuers', in earlier ones.
	Chain *CertificateChain `json:"x509CertificateChain,omitempty"`
	// PublicKey names the key of a signer without a certificate.
	PublicKey   *KeyHint           `json:"publicKey,omitempty"`
	Entries     []*LogEntry        `json:"tlogEntries,omitempty"`
	Timestamped *TimestampMaterial `json:"timestampVerificationData,omitempty"`
}

// KeyHint names a public key.
type KeyHint struct {
	Hint string `json:"hint"`
}

// RawBytes is DER.
type RawBytes struct {
	RawBytes []byte `json:"rawBytes"`
}

// CertificateChain begins with the signer's certificate.
type CertificateChain struct {
	Certificates []RawBytes `json:"certificates"`
}

// TimestampMaterial holds time stamps.
type TimestampMaterial struct {
	Timestamps []SignedTimestamp `json:"rfc3161Timestamps"`
}

// SignedTimestamp is a DER time-stamp response.
type SignedTimestamp struct {
	SignedTimestamp []byte `json:"signedTimestamp"`
}

// LogEntry is an entry of Rekor with the proof of its place.
type LogEntry struct {
	LogIndex int64 `json:"logIndex,string"`
	LogID    LogID `json:"logId"`
	Kind     Kind  `json:"kindVersion"`
	// IntegratedTime is in seconds since 1970; 0 in Rekor v2.
	IntegratedTime int64 `json:"integratedTime,string,omitempty"`
	// Promise is Rekor v1's signed entry timestamp.
	Promise           *Promise `json:"inclusionPromise,omitempty"`
	Proof             *Proof   `json:"inclusionProof,omitempty"`
	CanonicalizedBody []byte   `json:"canonicalizedBody"`
}

// LogID names a log's key.
type LogID struct {
	KeyID []byte `json:"keyId"`
}

// Kind is the type of an entry's body.
type Kind struct {
	Kind    string `json:"kind"`
	Version string `json:"version"`
}

// Promise is a signed entry timestamp.
type Promise struct {
	SignedEntryTimestamp []byte `json:"signedEntryTimestamp"`
}

// Proof is an inclusion proof.
type Proof struct {
	LogIndex   int64       `json:"logIndex,string"`
	RootHash   []byte      `json:"rootHash"`
	TreeSize   int64       `json:"treeSize,string"`
	Hashes     [][]byte    `json:"hashes"`
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
}

// Checkpoint is a signed note.
type Checkpoint struct {
	Envelope string `json:"envelope"`
}

// DSSEEnvelope is a signed payload.
type DSSEEnvelope struct {
	Payload     []byte      `json:"payload"`
	PayloadType string      `json:"payloadType"`
	Signatures  []Signature `json:"signatures"`
}

// Signature is one signature of an envelope.
type Signature struct {
	Sig   []byte `json:"sig"`
	KeyID string `json:"keyid,omitempty"`
}

// MessageSignatureBody is the signature over an artifact itself.
type MessageSignatureBody struct {
	MessageDigest MessageDigestBody `json:"messageDigest"`
	Signature     []byte            `json:"signature"`
}

// MessageDigestBody is the artifact's digest.
type MessageDigestBody struct {
	Algorithm string `json:"algorithm"`
	Digest    []byte `json:"digest"`
}

// JSON writes the bundle on one line.
func (b *Bundle) JSON() []byte { return must(json.Marshal(b)) }

// Clone gives a copy that shares nothing with b.
func (b *Bundle) Clone() *Bundle {
	c := &Bundle{identity: b.identity, publicKey: b.publicKey}
	if err := json.Unmarshal(b.JSON(), c); err != nil {
		panic("sigstoretest: " + err.Error())
	}
	return c
}

// Leaf is the signer's certificate, DER.
func (b *Bundle) Leaf() []byte {
	m := b.VerificationMaterial
	switch {
	case m.Certificate != nil:
		return m.Certificate.RawBytes
	case m.Chain != nil && len(m.Chain.Certificates) > 0:
		return m.Chain.Certificates[0].RawBytes
	}
	return nil
}

// PublicKey is the key of a bundle signed with a [BareKey], PEM.
func (b *Bundle) PublicKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b.publicKey})
}

// Signature is the (first) signature, or nil without any.
func (b *Bundle) Signature() []byte {
	switch {
	case b.DSSEEnvelope != nil && len(b.DSSEEnvelope.Signatures) > 0:
		return b.DSSEEnvelope.Signatures[0].Sig
	case b.MessageSignature != nil:
		return b.MessageSignature.Signature
	}
	return nil
}

// Entry is the bundle's first log entry, or nil without any.
func (b *Bundle) Entry() *LogEntry {
	if len(b.VerificationMaterial.Entries) == 0 {
		return nil
	}
	return b.VerificationMaterial.Entries[0]
}

// As gives a copy relabelled as another version, with the certificate where
// that version has it. The intermediate certificates of an earlier version's
// chain are left out, as a signer's tools leave them out today.
func (b *Bundle) As(mediaType string) *Bundle {
	c := b.Clone()
	c.MediaType = mediaType
	leaf := RawBytes{b.Leaf()}
	if mediaType == BundleV01 || mediaType == BundleV02 {
		c.VerificationMaterial.Certificate = nil
		c.VerificationMaterial.Chain = &CertificateChain{[]RawBytes{leaf}}
	} else {
		c.VerificationMaterial.Certificate = &leaf
		c.VerificationMaterial.Chain = nil
	}
	return c
}

// JSONLines writes bundles as GitHub's tools do: each on a line.
func JSONLines(bundles ...*Bundle) []byte {
	var out []byte
	for _, b := range bundles {
		out = append(append(out, b.JSON()...), '\n')
	}
	return out
}

// JSONArray writes bundles as an array.
func JSONArray(bundles ...*Bundle) []byte {
	return must(json.Marshal(slices.Concat([]*Bundle{}, bundles)))
}
