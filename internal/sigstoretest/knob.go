package sigstoretest

import (
	"crypto"
	"crypto/elliptic"
	"time"
)

// Knob turns [Sigstore.Sign] away from what an honest instance does. Except for
// what a knob names, everything is genuine, and fits what the knob did.
type Knob func(*order)

// At makes the whole bundle as of another time than the clock's.
func At(t time.Time) Knob { return func(o *order) { o.at = t } }

// CertificateValid sets the signer's certificate's validity. By default it
// begins with the signing, and lasts ten minutes.
func CertificateValid(from, to time.Time) Knob {
	return func(o *order) { o.notBefore, o.notAfter = from, to }
}

// SCTAt sets the time in the signed certificate timestamp.
func SCTAt(t time.Time) Knob { return func(o *order) { o.sctTime = t } }

// LoggedAt sets the integrated time of a Rekor v1 entry.
func LoggedAt(t time.Time) Knob { return func(o *order) { o.logTime = t } }

// StampedAt sets the time in the time stamp, and adds one to a Rekor v1 bundle.
func StampedAt(t time.Time) Knob {
	return func(o *order) { o.stampTime, o.stamped = t, true }
}

// Stamped adds a time stamp to a Rekor v1 bundle, which needs none.
func Stamped() Knob { return func(o *order) { o.stamped = true } }

// Version makes a bundle of another version, e.g. [BundleV01].
func Version(mediaType string) Knob { return func(o *order) { o.mediaType = mediaType } }

// InToto enters the envelope into Rekor v1 as kind intoto in place of dsse.
func InToto() Knob { return func(o *order) { o.intoto = true } }

// HashedRekord enters the envelope into Rekor v1 as kind hashedrekord: by the
// digest of what the signature covers.
func HashedRekord() Knob { return func(o *order) { o.hashedRekord = true } }

// NamedCheckpoint has Rekor v1 name its checkpoint by its host alone, without
// the tree.
func NamedCheckpoint() Knob { return func(o *order) { o.namedCheckpoint = true } }

// BareKey signs with a key that no certificate is of; [Bundle.PublicKey] is the
// public one.
func BareKey() Knob { return func(o *order) { o.bareKey = true } }

// AlsoStampedAt adds one more time stamp of the same authority.
func AlsoStampedAt(t time.Time) Knob {
	return func(o *order) { o.alsoStamped = append(o.alsoStamped, t) }
}

// WithRoot adds the authority's root certificate to the chain of a bundle of
// version 0.1 or 0.2.
func WithRoot() Knob {
	return func(o *order) {
		o.finish = append(o.finish, func(b *Bundle) {
			chain := b.VerificationMaterial.Chain
			chain.Certificates = append(chain.Certificates, RawBytes{o.ca.chain[len(o.ca.chain)-1].Raw})
		})
	}
}

// WithIntermediate adds the certificate that issued the signer's to such a
// chain.
func WithIntermediate() Knob {
	return func(o *order) {
		o.finish = append(o.finish, func(b *Bundle) {
			chain := b.VerificationMaterial.Chain
			chain.Certificates = append(chain.Certificates, RawBytes{o.ca.signer().Raw})
		})
	}
}

// WithoutSCT issues the certificate without a signed certificate timestamp.
func WithoutSCT() Knob { return func(o *order) { o.scts = nil } }

// ForeignSCT has the certificate's timestamp signed by a log that nobody knows.
func ForeignSCT() Knob {
	return func(o *order) {
		key := ecdsaKey(elliptic.P256())
		o.scts = []sctSigner{{keyID(key.Public()), key}}
	}
}

// ForgedSCT signs the certificate's timestamp in the name of the instance's
// log, with another key.
func ForgedSCT() Knob {
	return func(o *order) {
		for i := range o.scts {
			o.scts[i].key = ecdsaKey(elliptic.P256())
		}
	}
}

// SCTFrom has the certificate's timestamp signed by another instance's log.
func SCTFrom(other *Sigstore) Knob {
	return func(o *order) { o.scts = []sctSigner{{keyID(other.ct.Public()), other.ct}} }
}

// CertificateFrom has the certificate issued by another instance's authority.
func CertificateFrom(other *Sigstore) Knob { return func(o *order) { o.ca = other.ca } }

// ForgedSignature signs with a key that is not the certificate's. Log entry and
// time stamp are of that signature.
func ForgedSignature() Knob { return func(o *order) { o.forgedSignature = true } }

// ExtraSignatures adds n more signatures to the envelope, by keys that nobody
// knows, after the good one.
func ExtraSignatures(n int) Knob { return func(o *order) { o.extraSignatures = n } }

// Logged enters other content into the log under the bundle's signature and
// certificate: the log is honest about everything but what was signed.
func Logged(c Content) Knob { return func(o *order) { o.logged = c } }

// EntryFrom enters the signature into another instance's log.
func EntryFrom(other *Sigstore) Knob { return func(o *order) { o.logs = other } }

// EntryOf replaces the log entry by that of another bundle. The signature was
// never logged.
func EntryOf(other *Bundle) Knob {
	return after(func(b *Bundle) {
		b.VerificationMaterial.Entries = other.Clone().VerificationMaterial.Entries
	})
}

// WithoutEntry leaves the log entry out.
func WithoutEntry() Knob {
	return after(func(b *Bundle) { b.VerificationMaterial.Entries = nil })
}

// WithoutPromise leaves out the signed entry timestamp of a Rekor v1 entry.
func WithoutPromise() Knob { return onEntries(func(e *LogEntry) { e.Promise = nil }) }

// ForgedPromise signs the promise with another key than the log's.
func ForgedPromise() Knob { return func(o *order) { o.promiseKey = ecdsaKey(elliptic.P256()) } }

// WithoutProof leaves out the inclusion proof with its checkpoint.
func WithoutProof() Knob { return onEntries(func(e *LogEntry) { e.Proof = nil }) }

// WithoutCheckpoint leaves out the checkpoint, and keeps the proof.
func WithoutCheckpoint() Knob {
	return onEntries(func(e *LogEntry) { e.Proof.Checkpoint = nil })
}

// ForgedCheckpoint signs the checkpoint in the log's name, with another key of
// the same kind.
func ForgedCheckpoint() Knob {
	return func(o *order) {
		o.checkpointKey = crypto.Signer(ecdsaKey(elliptic.P256()))
		if o.log == RekorV2 && o.logs.options.RekorV2Key == Ed25519 {
			o.checkpointKey = ed25519Key()
		}
	}
}

// CheckpointOf takes the checkpoint from another bundle's entry: it is genuine,
// and of another state of the log.
func CheckpointOf(other *Bundle) Knob {
	return onEntries(func(e *LogEntry) {
		e.Proof.Checkpoint = other.Clone().Entry().Proof.Checkpoint
	})
}

// WithoutTimestamp leaves out the time stamp.
func WithoutTimestamp() Knob { return func(o *order) { o.unstamped = true } }

// TimestampFrom has the time stamp made by another instance's authority, and
// adds one to a Rekor v1 bundle.
func TimestampFrom(other *Sigstore) Knob {
	return func(o *order) { o.tsa, o.stamped = other.tsa, true }
}

// TimestampOf takes the time stamps from another bundle: they are genuine, and
// of another signature.
func TimestampOf(other *Bundle) Knob {
	return after(func(b *Bundle) {
		b.VerificationMaterial.Timestamped = other.Clone().VerificationMaterial.Timestamped
	})
}

// after is a knob that changes the finished bundle.
func after(f func(*Bundle)) Knob {
	return func(o *order) { o.finish = append(o.finish, f) }
}

func onEntries(f func(*LogEntry)) Knob {
	return after(func(b *Bundle) {
		for _, e := range b.VerificationMaterial.Entries {
			f(e)
		}
	})
}
