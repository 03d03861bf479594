package verify

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	sigstore "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// InsecureVerifyKeyed verifies a bundle that was signed with a bare key in place
// of a certificate. It is for the conformance suite of Sigstore's clients, which
// has such bundles, and makes no [Evidence]: a key says nothing about who holds
// it, so no recipe can be verified by one.
//
// A nil error proves that the bundle lists d and that the key signed it; and, if
// the root has transparency logs, that every log entry of the bundle, of which
// there is at least one, is of this signature, key and content, with an
// inclusion proof and a checkpoint that a log of the root signed. A bundle with
// a certificate is refused. Errors are *[InvalidError] or *[MismatchError].
func InsecureVerifyKeyed(c attestation.Candidate, d digest.SHA256, key crypto.PublicKey, tr *root.TrustedRoot) (err error) {
	defer func() {
		if r := recover(); r != nil { // as in Verify
			err = invalid(CodeMalformed, "the bundle cannot be read").because(fmt.Errorf("panic: %v", r))
		}
	}()
	claims, err := c.Unverified()
	if err != nil {
		return &InvalidError{Code: CodeMalformed, Message: "the evidence cannot be read: " + err.Error()}
	}
	if len(claims.Lists(d)) == 0 {
		return &MismatchError{Code: CodeOtherDigest, Message: otherDigest(claims, d)}
	}
	b := &opened{Bundle: new(bundle.Bundle)}
	if err := b.UnmarshalJSON(c.Bundle); err != nil {
		return loadError(c, claims).because(err)
	}
	if b.GetVerificationMaterial().GetPublicKey() == nil {
		return invalid(CodeNoCertificate, "it was not signed with a bare key")
	}
	b.logged = b.Bundle
	b.hashed()
	if fail := verifyKeyed(b, d, key, tr); fail != nil {
		return fail
	}
	return nil
}

func verifyKeyed(b *opened, d digest.SHA256, key crypto.PublicKey, tr *root.TrustedRoot) *InvalidError {
	verifier, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		return invalid(CodeSignature, "the key cannot be used").because(err)
	}
	dom := trust.Domain{Name: "key", Root: tr}
	if len(tr.RekorLogs()) > 0 {
		dom.Require.LogEntries = 1
	}
	if fail := checkEntries(dom, b); fail != nil {
		return fail
	}
	material := root.TrustedMaterialCollection{
		root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
			return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
		}),
		tr,
	}
	options := []sigstore.VerifierOption{sigstore.WithoutStatementPredicate(), sigstore.WithNoObserverTimestamps()}
	named, others := b.named()
	switch {
	case named && others:
		return invalid(CodeLogEntry, "its log entries have checkpoints of different kinds")
	case named:
		if fail := namedEntries(b, key, tr); fail != nil {
			return fail
		}
	case dom.Require.LogEntries > 0:
		options = append(options, sigstore.WithTransparencyLog(len(b.entries())))
	}
	v, err := sigstore.NewVerifier(material, options...)
	if err != nil {
		return invalid(CodeUnknownAuthority, "the trusted root cannot be used").because(err)
	}
	if err := verifyLibraryKeyed(v, b, d, material); err != nil {
		return invalid(CodeSignature, "it does not verify with the key and the trusted root").because(err)
	}
	return nil
}

func verifyLibraryKeyed(v *sigstore.Verifier, b *opened, d digest.SHA256, material root.TrustedMaterial) error {
	spoken := &d
	if b.digest != nil {
		spoken = b.digest
	}
	if _, err := v.Verify(b.logged, sigstore.NewPolicy(sigstore.WithArtifactDigest("sha256", spoken[:]), sigstore.WithKey())); err != nil {
		return err
	}
	return verifyContent(b, &d, material)
}

// treeID is the end of a checkpoint's origin in Rekor's first version.
var treeID = regexp.MustCompile(` - [0-9]+$`)

// named tells whether entries of Rekor's first version have checkpoints whose
// origin is a host alone, and whether others are there. sigstore-go v1.3.0 takes
// the former for entries of the second version, and refuses them.
func (b *opened) named() (named, others bool) {
	for _, e := range b.entries() {
		origin, _, _ := strings.Cut(e.GetInclusionProof().GetCheckpoint().GetEnvelope(), "\n")
		if !isRekorV2(e) && !treeID.MatchString(origin) {
			named = true
		} else {
			others = true
		}
	}
	return named, others
}

// namedEntries verifies entries of Rekor's first version under checkpoints that
// are named by host. The proofs and signatures are verified by sigstore-go; that
// the entry is of this bundle is compared here.
func namedEntries(b *opened, key crypto.PublicKey, tr *root.TrustedRoot) *InvalidError {
	for _, e := range b.entries() {
		if err := namedEntry(b, e, key, tr); err != nil {
			return invalid(CodeLogEntry, "its transparency log entry does not verify: it is not of this signature, or the log did not sign it").because(err)
		}
	}
	return nil
}

func namedEntry(b *opened, e *rekorpb.TransparencyLogEntry, key crypto.PublicKey, tr *root.TrustedRoot) error {
	entry, err := tlog.ParseTransparencyLogEntry(e)
	if err != nil {
		return err
	}
	if err := tlog.ValidateEntry(entry); err != nil {
		return err
	}
	log := tr.RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())]
	if log == nil {
		return errors.New("the trusted root does not list the log")
	}
	if log.ValidityPeriodStart.IsZero() {
		return errors.New("the trusted root does not say since when the log's key is valid")
	}
	verifier, err := signature.LoadVerifier(log.PublicKey, log.SignatureHashFunc)
	if err != nil {
		return err
	}
	if err := tlog.VerifyInclusion(entry, verifier); err != nil { // and the checkpoint's signature
		return err
	}
	if entry.HasInclusionPromise() {
		if err := tlog.VerifySET(entry, tr.RekorLogs()); err != nil {
			return err
		}
	}
	return ofBundle(entry, b, key)
}

// ofBundle demands that an entry is of the bundle's signature, key and content.
func ofBundle(entry *tlog.Entry, b *opened, key crypto.PublicKey) error {
	content, err := b.logged.SignatureContent()
	if err != nil {
		return err
	}
	if !bytes.Equal(entry.Signature(), content.Signature()) {
		return errors.New("it is of another signature")
	}
	logged, ok := entry.PublicKey().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !logged.Equal(key) {
		return errors.New("it is of another key")
	}
	var wanted, found []byte
	if m := content.MessageSignatureContent(); m != nil {
		wanted = m.Digest()
		found, _, ok = entry.GetHashedRekordDigest()
	} else {
		sum := sha256.Sum256(b.GetDsseEnvelope().GetPayload())
		wanted = sum[:]
		found, ok = entry.GetDssePayloadHash()
	}
	if !ok || !bytes.Equal(wanted, found) {
		return errors.New("it is of other content")
	}
	return nil
}
