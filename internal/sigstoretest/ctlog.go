package sigstoretest

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
)

// oidPoison marks a precertificate, oidSCTList holds the timestamps (RFC 6962
// sections 3.1 and 3.3).
var (
	oidPoison  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}
	oidSCTList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
)

// keyID is the SHA-256 of a public key's PKIX encoding, by which RFC 6962 and
// Rekor v1 name a log.
func keyID(public crypto.PublicKey) []byte {
	sum := sha256.Sum256(must(x509.MarshalPKIXPublicKey(public)))
	return sum[:]
}

// issue makes an end-entity certificate as the order says, with signed
// certificate timestamps by the keys in o.scts.
func (o *order) issue(public crypto.PublicKey) *x509.Certificate {
	ca := o.ca
	serial := serialNumber()
	sign := func(more ...pkix.Extension) *x509.Certificate {
		return certify(&x509.Certificate{
			SerialNumber: serial, Subject: o.identity.Subject,
			NotBefore: o.notBefore, NotAfter: o.notAfter,
			KeyUsage:        x509.KeyUsageDigitalSignature,
			ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
			ExtraExtensions: append(o.identity.encode(), more...),
		}, ca.signer(), public, ca.key)
	}
	if len(o.scts) == 0 {
		return sign()
	}
	pre := sign(pkix.Extension{Id: oidPoison, Critical: true, Value: asn1.NullBytes})
	var list []byte
	for _, s := range o.scts {
		sct := s.sign(pre.Raw, ca.signer().Raw, o.sctTime)
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

// sign gives the serialized timestamp for a precertificate (RFC 6962 section
// 3.2).
func (s sctSigner) sign(pre, issuer []byte, at time.Time) []byte {
	milliseconds := uint64(at.UnixMilli())
	leaf := must(ct.MerkleTreeLeafFromRawChain([]ct.ASN1Cert{{Data: pre}, {Data: issuer}}, ct.PrecertLogEntryType, milliseconds))
	sct := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, Timestamp: milliseconds}
	copy(sct.LogID.KeyID[:], s.id)
	input := must(ct.SerializeSCTSignatureInput(sct, ct.LogEntry{Leaf: *leaf}))
	sct.Signature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA},
		Signature: signMessage(s.key, input),
	}
	return must(tls.Marshal(sct))
}
