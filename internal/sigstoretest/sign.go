package sigstoretest

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"time"
)

// certificateLifetime is that of Fulcio's certificates.
const certificateLifetime = 10 * time.Minute

// order is what [Sigstore.Sign] is to do, once all knobs are turned.
type order struct {
	identity Identity
	log      Log
	// logs is the instance whose logs are used.
	logs *Sigstore
	ca   *authority
	tsa  *authority
	scts []sctSigner

	at                  time.Time // of all that follows and is zero
	notBefore, notAfter time.Time
	sctTime             time.Time
	logTime             time.Time
	stampTime           time.Time

	// Keys that sign in place of the log's own, if not nil.
	promiseKey, checkpointKey crypto.Signer
	// logged is the content of the log entry, where it is not that of the
	// bundle.
	logged Content

	intoto             bool
	hashedRekord       bool
	bareKey            bool
	namedCheckpoint    bool
	alsoStamped        []time.Time
	stamped, unstamped bool
	forgedSignature    bool
	extraSignatures    int
	mediaType          string
	finish             []func(*Bundle)
}

// Sign makes a bundle: a fresh key, a certificate for it, the signature, the
// log entry, and a time stamp where the log gives no time (or there is no log).
// The knobs are turned in their order. It panics on what can't be made, for
// instance a log in a [GitHubInstance].
func (s *Sigstore) Sign(c Content, id Identity, log Log, knobs ...Knob) *Bundle {
	if log != NoLog && s.rekor1 == nil {
		panic("sigstoretest: a GitHubInstance has no log, want NoLog")
	}
	o := &order{identity: id, log: log, logs: s, ca: s.ca, tsa: s.tsa, at: s.Now(), mediaType: BundleV03}
	if s.ct != nil {
		o.scts = []sctSigner{{keyID(s.ct.Public()), s.ct}}
	}
	for _, turn := range knobs {
		turn(o)
	}
	o.setTimes()
	return o.carryOut(c)
}

func (o *order) setTimes() {
	o.at = o.at.UTC().Truncate(time.Second)
	for _, t := range []*time.Time{&o.notBefore, &o.sctTime, &o.logTime, &o.stampTime} {
		if t.IsZero() {
			*t = o.at
		}
	}
	if o.notAfter.IsZero() {
		o.notAfter = o.notBefore.Add(certificateLifetime)
	}
}

func (o *order) carryOut(c Content) *Bundle {
	key := ecdsaKey(elliptic.P256())
	what := describe(c)
	if o.bareKey {
		what.publicKey = must(x509.MarshalPKIXPublicKey(key.Public()))
	} else {
		what.certificate = o.issue(key.Public())
	}

	signer := crypto.Signer(key)
	if o.forgedSignature {
		signer = ecdsaKey(elliptic.P256())
	}
	b := &Bundle{MediaType: BundleV03, identity: o.identity, publicKey: what.publicKey}
	if what.envelope != nil {
		what.signature = signMessage(signer, pae(what.envelope.Type, what.envelope.Payload))
		b.DSSEEnvelope = &DSSEEnvelope{
			Payload: what.envelope.Payload, PayloadType: what.envelope.Type,
			Signatures: []Signature{{Sig: what.signature}},
		}
		for range o.extraSignatures {
			more := signMessage(ecdsaKey(elliptic.P256()), pae(what.envelope.Type, what.envelope.Payload))
			b.DSSEEnvelope.Signatures = append(b.DSSEEnvelope.Signatures, Signature{Sig: more})
		}
	} else {
		what.signature = must(signer.Sign(nil, what.digest[:], crypto.SHA256))
		b.MessageSignature = &MessageSignatureBody{
			MessageDigest: MessageDigestBody{Algorithm: "SHA2_256", Digest: what.digest[:]},
			Signature:     what.signature,
		}
	}
	if o.bareKey {
		hint := sha256.Sum256(what.publicKey)
		b.VerificationMaterial.PublicKey = &KeyHint{base64.StdEncoding.EncodeToString(hint[:])}
	} else {
		b.VerificationMaterial.Certificate = &RawBytes{what.certificate}
	}
	if e := o.enter(what); e != nil {
		b.VerificationMaterial.Entries = []*LogEntry{e}
	}
	if (o.log != RekorV1 || o.stamped) && !o.unstamped {
		b.VerificationMaterial.Timestamped = &TimestampMaterial{
			[]SignedTimestamp{{o.tsa.stamp(what.signature, o.stampTime)}},
		}
		for _, t := range o.alsoStamped {
			list := &b.VerificationMaterial.Timestamped.Timestamps
			*list = append(*list, SignedTimestamp{o.tsa.stamp(what.signature, t)})
		}
	}
	if o.mediaType != BundleV03 {
		b = b.As(o.mediaType)
	}
	for _, f := range o.finish {
		f(b)
	}
	return b
}

// describe gives the content's part of what a log sees.
func describe(c Content) signed {
	envelope, digest := c.content()
	if envelope != nil {
		return signed{envelope: envelope}
	}
	return signed{digest: *digest}
}

// enter appends the entry to the log, and proves that.
func (o *order) enter(what signed) *LogEntry {
	if o.logged != nil {
		other := describe(o.logged)
		what.envelope, what.digest = other.envelope, other.digest
	}
	var l *transparencyLog
	var body []byte
	var kind Kind
	switch {
	case o.log == NoLog:
		return nil
	case o.log == RekorV2:
		l, body, kind = o.logs.rekor2, what.hashedRekordV2(), Kind{"hashedrekord", "0.0.2"}
	case o.hashedRekord && what.envelope != nil:
		what.digest = sha256.Sum256(pae(what.envelope.Type, what.envelope.Payload))
		l, body, kind = o.logs.rekor1, what.hashedRekord(), Kind{"hashedrekord", "0.0.1"}
	case what.envelope == nil:
		l, body, kind = o.logs.rekor1, what.hashedRekord(), Kind{"hashedrekord", "0.0.1"}
	case o.intoto:
		l, body, kind = o.logs.rekor1, what.intoto(), Kind{"intoto", "0.0.2"}
	default:
		l, body, kind = o.logs.rekor1, what.dsse(), Kind{"dsse", "0.0.1"}
	}
	place := l.append(body)
	e := &LogEntry{
		LogIndex: place.index + l.offset, LogID: LogID{l.id}, Kind: kind, CanonicalizedBody: body,
		Proof: &Proof{
			LogIndex: place.index, RootHash: place.root, TreeSize: place.size, Hashes: place.proof,
			Checkpoint: &Checkpoint{l.checkpoint(place, orElse(o.checkpointKey, l.key), !o.namedCheckpoint)},
		},
	}
	if o.log == RekorV1 {
		e.IntegratedTime = o.logTime.Unix()
		e.Promise = &Promise{l.promise(body, o.logTime, e.LogIndex, orElse(o.promiseKey, l.key))}
	}
	return e
}

func orElse(key, own crypto.Signer) crypto.Signer {
	if key != nil {
		return key
	}
	return own
}
