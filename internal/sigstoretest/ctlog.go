package sigstoretest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
)

// oidSCTList is the extension that holds a certificate's timestamps (RFC 6962
// section 3.3).
var oidSCTList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// keyID is the SHA-256 of a public key's PKIX encoding, by which RFC 6962 and
// Rekor v1 name a log.
func keyID(public crypto.PublicKey) []byte {
	sum := sha256.Sum256(must(x509.MarshalPKIXPublicKey(public)))
	return sum[:]
}

// issue makes an end-entity certificate as the order says, with signed
// certificate timestamps by the keys in o.scts. The DER is not parsed, since a
// hostile name may make that impossible.
func (o *order) issue(public crypto.PublicKey) []byte {
	ca := o.ca
	serial := serialNumber()
	sign := func(more ...pkix.Extension) []byte {
		return must(x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: serial, Subject: o.identity.Subject,
			NotBefore: o.notBefore, NotAfter: o.notAfter,
			KeyUsage:        x509.KeyUsageDigitalSignature,
			ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
			ExtraExtensions: append(o.identity.encode(), more...),
		}, ca.signer(), public, ca.key))
	}
	if len(o.scts) == 0 {
		return sign()
	}
	// What is logged is the certificate as it would be without the list of
	// timestamps (RFC 6962 section 3.2), so there is no need for a poisoned one.
	var bare struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	must(asn1.Unmarshal(sign(), &bare))
	issuer := sha256.Sum256(ca.signer().RawSubjectPublicKeyInfo)
	var list []byte
	for _, s := range o.scts {
		sct := s.sign(ct.PreCert{IssuerKeyHash: issuer, TBSCertificate: bare.TBS.FullBytes}, o.sctTime)
		list = binary.BigEndian.AppendUint16(list, uint16(len(sct)))
		list = append(list, sct...)
	}
	list = append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...)
	return sign(pkix.Extension{Id: oidSCTList, Value: must(asn1.Marshal(list))})
}

// sctSigner signs certificate timestamps: key as the log called id.
type sctSigner struct {
	id  []byte
	key crypto.Signer
}

// sign gives the serialized timestamp for a certificate (RFC 6962 section 3.2).
func (s sctSigner) sign(entry ct.PreCert, at time.Time) []byte {
	sct := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, Timestamp: uint64(at.UnixMilli())}
	copy(sct.LogID.KeyID[:], s.id)
	input := must(ct.SerializeSCTSignatureInput(sct, ct.LogEntry{Leaf: ct.MerkleTreeLeaf{
		Version: ct.V1, LeafType: ct.TimestampedEntryLeafType,
		TimestampedEntry: &ct.TimestampedEntry{
			Timestamp: sct.Timestamp, EntryType: ct.PrecertLogEntryType, PrecertEntry: &entry,
		},
	}}))
	sct.Signature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA},
		Signature: signMessage(s.key, input),
	}
	return must(tls.Marshal(sct))
}
