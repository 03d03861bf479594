package sigstoretest

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"sync"
	"time"

	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"
)

// Log says where a bundle's signature is entered.
type Log int

const (
	// NoLog enters it nowhere: the bundle has a time stamp only.
	NoLog Log = iota
	// RekorV1 gives an entry with promise, proof, checkpoint and a time.
	RekorV1
	// RekorV2 gives an entry with proof and checkpoint, without any time; the
	// bundle has a time stamp too.
	RekorV2
)

// strangers is how many foreign entries a log starts with, so that every
// inclusion proof has hashes.
const strangers = 5

// transparencyLog is a log with its key and its growing tree (RFC 6962 section
// 2.1).
type transparencyLog struct {
	host   string
	key    crypto.Signer
	id     []byte
	treeID uint64 // Rekor v1: the shard, which its checkpoints name
	offset int64  // Rekor v1: entries in earlier shards

	mu   sync.Mutex
	tree *testonly.Tree
}

func newLog(host string, key crypto.Signer) *transparencyLog {
	l := &transparencyLog{host: host, key: key, id: keyID(key.Public()), tree: testonly.New(rfc6962.DefaultHasher)}
	if _, ok := key.(ed25519.PrivateKey); ok {
		// Rekor v2 names itself by the note key's hash, which for Ed25519 holds
		// the host.
		_, id, err := rekornote.KeyHash(host, key.Public())
		l.id = must(id, err)
	}
	for range strangers {
		l.tree.AppendData([]byte(rand.Text()))
	}
	return l
}

// appended is an entry's place in the tree as of its integration.
type appended struct {
	index, size int64
	root        []byte
	proof       [][]byte
}

func (l *transparencyLog) append(body []byte) appended {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tree.AppendData(body)
	size := l.tree.Size()
	return appended{
		index: int64(size) - 1, size: int64(size), root: l.tree.Hash(),
		proof: must(l.tree.InclusionProof(size-1, size)),
	}
}

// checkpoint signs a tree head as a note: name and hash of the key are of l,
// the signature is by key. Rekor v1 names the tree too.
func (l *transparencyLog) checkpoint(a appended, key crypto.Signer, tree bool) string {
	origin := l.host
	if l.treeID != 0 && tree {
		origin = fmt.Sprintf("%s - %d", l.host, l.treeID)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, a.size, base64.StdEncoding.EncodeToString(a.root))
	hash, _, err := rekornote.KeyHash(l.host, l.key.Public())
	signer := noteSigner{name: l.host, hash: must(hash, err), key: key}
	return string(must(note.Sign(&note.Note{Text: text}, signer)))
}

// promise is Rekor v1's signed entry timestamp: the signature over the
// canonical JSON of the entry.
func (l *transparencyLog) promise(body []byte, integrated time.Time, index int64, key crypto.Signer) []byte {
	return signMessage(key, canonical(map[string]any{
		"body": body, "integratedTime": integrated.Unix(), "logID": hex.EncodeToString(l.id), "logIndex": index,
	}))
}

// noteSigner signs notes under a name and a key's hash, which need not be those
// of its key.
type noteSigner struct {
	name string
	hash uint32
	key  crypto.Signer
}

func (n noteSigner) Name() string                     { return n.name }
func (n noteSigner) KeyHash() uint32                  { return n.hash }
func (n noteSigner) Sign(text []byte) ([]byte, error) { return signMessage(n.key, text), nil }

// signMessage signs with ECDSA over SHA-256, or Ed25519 over the message.
func signMessage(key crypto.Signer, message []byte) []byte {
	signer := must(signature.LoadSigner(key, crypto.SHA256))
	return must(signer.SignMessage(bytes.NewReader(message)))
}

// canonical writes JSON as RFC 8785 wants it. For objects without numbers other
// than integers and without text outside of ASCII, which is all there is here,
// that is Go's own order of keys without white space.
func canonical(v map[string]any) []byte { return must(json.Marshal(v)) }

// hashValue is a digest as Rekor v1 writes it.
func hashValue(b []byte) map[string]any {
	sum := sha256.Sum256(b)
	return map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
}

// signed is what a log gets to see.
type signed struct {
	certificate []byte // DER
	publicKey   []byte // or PKIX, without one
	signature   []byte
	envelope    *Envelope // or, without one,
	digest      [sha256.Size]byte
}

// dsse is Rekor v1's entry of kind dsse, version 0.0.1.
func (s signed) dsse() []byte {
	return canonical(map[string]any{"apiVersion": "0.0.1", "kind": "dsse", "spec": map[string]any{
		"envelopeHash": hashValue(s.envelopeJSON()),
		"payloadHash":  hashValue(s.envelope.Payload),
		"signatures": []any{map[string]any{
			"signature": s.signature, "verifier": s.verifier(),
		}},
	}})
}

// intoto is Rekor v1's entry of kind intoto, version 0.0.2, in which the
// signature is encoded twice.
func (s signed) intoto() []byte {
	twice := []byte(base64.StdEncoding.EncodeToString(s.signature))
	return canonical(map[string]any{"apiVersion": "0.0.2", "kind": "intoto", "spec": map[string]any{
		"content": map[string]any{
			"envelope": map[string]any{
				"payloadType": s.envelope.Type,
				"signatures":  []any{map[string]any{"publicKey": s.verifier(), "sig": twice}},
			},
			"hash":        hashValue(s.envelopeJSON()),
			"payloadHash": hashValue(s.envelope.Payload),
		},
	}})
}

// hashedRekord is Rekor v1's entry of kind hashedrekord, version 0.0.1.
func (s signed) hashedRekord() []byte {
	return canonical(map[string]any{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": map[string]any{
		"data": map[string]any{"hash": map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(s.digest[:])}},
		"signature": map[string]any{
			"content": s.signature, "publicKey": map[string]any{"content": s.verifier()},
		},
	}})
}

// hashedRekordV2 is Rekor v2's only entry, of kind hashedrekord, version 0.0.2:
// of an envelope it holds the digest of what was signed.
func (s signed) hashedRekordV2() []byte {
	digest := s.digest
	if s.envelope != nil {
		digest = sha256.Sum256(pae(s.envelope.Type, s.envelope.Payload))
	}
	name, der := "x509Certificate", s.certificate
	if der == nil {
		name, der = "publicKey", s.publicKey
	}
	return canonical(map[string]any{"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": map[string]any{
		"hashedRekordV002": map[string]any{
			"data": map[string]any{"algorithm": "SHA2_256", "digest": digest[:]},
			"signature": map[string]any{"content": s.signature, "verifier": map[string]any{
				"keyDetails": "PKIX_ECDSA_P256_SHA_256",
				name:         map[string]any{"rawBytes": der},
			}},
		},
	}})
}

// envelopeJSON is the envelope as a client would have sent it.
func (s signed) envelopeJSON() []byte {
	return canonical(map[string]any{
		"payload": s.envelope.Payload, "payloadType": s.envelope.Type,
		"signatures": []any{map[string]any{"sig": s.signature}},
	})
}

// verifier is the certificate, or the key of whoever has none, in PEM.
func (s signed) verifier() []byte {
	if s.certificate == nil {
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: s.publicKey})
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate})
}

// pae is DSSE's pre-authentication encoding (DSSE protocol, "Signature
// Definition").
func pae(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}
