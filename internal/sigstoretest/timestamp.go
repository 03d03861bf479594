package sigstoretest

import (
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"time"

	"github.com/digitorus/timestamp"
)

// stamp is a time-stamp response (RFC 3161 section 2.4.2) for a signature.
func (a *authority) stamp(signature []byte, at time.Time) []byte {
	sum := sha256.Sum256(signature)
	t := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: at.UTC(),
		Policy:            asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
		AddTSACertificate: true,
	}
	return must(t.CreateResponseWithOpts(a.signer(), a.key, crypto.SHA256))
}
