package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigstore "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// maxClockSkew is how far ahead of this machine's clock a proven time may lie.
const maxClockSkew = 5 * time.Minute

func invalid(code Code, format string, a ...any) *InvalidError {
	return &InvalidError{Code: code, Message: fmt.Sprintf(format, a...)}
}

func (e *InvalidError) because(err error) *InvalidError {
	e.Detail = err.Error()
	return e
}

// verifyBundle verifies everything about one candidate that lists d, except
// whether it is what the rules want. Errors are *[InvalidError].
func (v *Verifier) verifyBundle(c attestation.Candidate, claims attestation.Claims, d digest.SHA256) (_ *Content, domain string, err error) {
	defer func() {
		if r := recover(); r != nil { // a fault of a library that parses foreign bytes
			err = invalid(CodeMalformed, "the bundle cannot be read").because(fmt.Errorf("panic: %v", r))
		}
	}()
	var b bundle.Bundle
	if err := b.UnmarshalJSON(c.Bundle); err != nil {
		return nil, "", loadError(c, claims).because(err)
	}
	leaf, fail := leafOf(&b)
	if fail != nil {
		return nil, "", fail
	}
	domains := v.domainsOf(leaf)
	if len(domains) == 0 {
		e := invalid(CodeUnknownAuthority, "its certificate was issued by %q, which none of the trusted roots vouches for", clip(leaf.Issuer.String()))
		e.Mend = v.authorityHint(leaf)
		return nil, "", e
	}
	var firstErr *InvalidError
	for _, dom := range domains {
		content, fail := v.verifyIn(dom, &b, leaf, claims, d)
		if fail == nil {
			return content, dom.Name, nil
		}
		if firstErr == nil {
			firstErr, domain = fail, dom.Name
		}
	}
	return nil, domain, firstErr
}

func (v *Verifier) authorityHint(leaf *x509.Certificate) string {
	var names []string
	for _, d := range v.domains {
		names = append(names, d.Name)
	}
	hint := "the trusted roots in use are: " + strings.Join(names, ", ")
	if len(leaf.Issuer.Organization) == 1 && leaf.Issuer.Organization[0] == "GitHub, Inc." {
		hint += "; for attestations of private repositories and immutable releases give GitHub's root: gh attestation trusted-root > roots.jsonl, then --trusted-root roots.jsonl"
	}
	return hint
}

// loadError explains why a bundle is refused before anything is verified.
func loadError(c attestation.Candidate, claims attestation.Claims) *InvalidError {
	noProof := invalid(CodeLogEntry, "its transparency log entry has no inclusion proof with a signed checkpoint")
	switch {
	case strings.Contains(claims.MediaType, "version=0.1") && !bytes.Contains(c.Bundle, []byte(`"checkpoint"`)):
		return noProof
	case bytes.Contains(c.Bundle, []byte(`"canonicalizedBody"`)) && !bytes.Contains(c.Bundle, []byte(`"inclusionProof"`)):
		return noProof
	}
	return invalid(CodeMalformed, "it is no well-formed Sigstore bundle of a version from 0.1 to 0.3")
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

// verifyIn verifies a bundle by the requirements of one domain.
func (v *Verifier) verifyIn(dom trust.Domain, b *bundle.Bundle, leaf *x509.Certificate, claims attestation.Claims, d digest.SHA256) (*Content, *InvalidError) {
	entries := b.GetVerificationMaterial().GetTlogEntries()
	if fail := checkEntries(dom, entries); fail != nil {
		return nil, fail
	}
	stamps, err := b.Timestamps()
	if err != nil {
		return nil, invalid(CodeTimestamp, "its time stamps cannot be read").because(err)
	}
	if len(stamps) > maxStamps {
		return nil, invalid(CodeTimestamp, "it has %d time stamps, the limit is %d", len(stamps), maxStamps)
	}
	verifier, fail := newVerifier(dom, len(entries))
	if fail != nil {
		return nil, fail
	}
	policy := sigstore.NewPolicy(sigstore.WithArtifactDigest("sha256", d[:]), sigstore.WithoutIdentitiesUnsafe())
	result, err := verifier.Verify(b, policy)
	if err != nil {
		return nil, diagnose(verifier, dom, b, leaf).because(err)
	}
	if len(stamps) != countStamps(result.VerifiedTimestamps) {
		return nil, invalid(CodeTimestamp, "it carries a time stamp that does not verify, beside another proof of time that does")
	}
	if fail := v.checkTimes(dom, entries, result.VerifiedTimestamps); fail != nil {
		return nil, fail
	}
	cert, err := summarize(leaf)
	if err != nil {
		return nil, invalid(CodeCertificate, "its certificate is not one of a Sigstore authority: %v", err)
	}
	content := newContent(claims, cert)
	content.LogEntries = logEntries(dom, entries)
	content.Time = result.VerifiedTimestamps[0].Timestamp
	content.TimeSource = result.VerifiedTimestamps[0].URI
	return content, nil
}

// countStamps counts the times that time-stamp authorities signed, each
// authority once.
func countStamps(times []sigstore.TimestampVerificationResult) int {
	n := 0
	for _, t := range times {
		if t.Type == "TimestampAuthority" {
			n++
		}
	}
	return n
}

// newVerifier sets sigstore-go's verifier to a domain's requirements. Every log
// entry that the bundle carries has to verify, not only as many as demanded.
func newVerifier(dom trust.Domain, entries int) (*sigstore.Verifier, *InvalidError) {
	r := dom.Require
	options := []sigstore.VerifierOption{sigstore.WithoutStatementPredicate()}
	if r.SCTs > 0 {
		options = append(options, sigstore.WithSignedCertificateTimestamps(r.SCTs))
	}
	if r.LogEntries > 0 {
		options = append(options, sigstore.WithTransparencyLog(max(r.LogEntries, entries)))
	}
	if r.ObserverTimestamps > 0 {
		options = append(options, sigstore.WithObserverTimestamps(r.ObserverTimestamps))
	}
	if r.SignedTimestamps > 0 {
		options = append(options, sigstore.WithSignedTimestamps(r.SignedTimestamps))
	}
	v, err := sigstore.NewVerifier(dom.Root, options...)
	if err != nil {
		return nil, invalid(CodeUnknownAuthority, "the trusted root %q cannot be used", dom.Name).because(err)
	}
	return v, nil
}

// checkTimes refuses proven times in the future, and those outside the validity
// of a log's key.
func (v *Verifier) checkTimes(dom trust.Domain, entries []*rekorpb.TransparencyLogEntry, times []sigstore.TimestampVerificationResult) *InvalidError {
	if len(times) == 0 {
		return invalid(CodeTimestamp, "nothing proves when it was signed")
	}
	latest := v.now().Add(maxClockSkew)
	for _, t := range times {
		if t.Timestamp.After(latest) {
			return invalid(CodeTimestamp, "it was signed at %s, which lies in the future", utc(t.Timestamp))
		}
		for _, e := range entries {
			log := logOf(dom, e)
			if log == nil {
				return invalid(CodeLogEntry, "its log entry is of a log that the trusted root does not list")
			}
			if t.Timestamp.Before(log.ValidityPeriodStart) || !log.ValidityPeriodEnd.IsZero() && t.Timestamp.After(log.ValidityPeriodEnd) {
				return invalid(CodeLogEntry, "it was signed at %s, when the key of the log %s was not valid", utc(t.Timestamp), log.BaseURL)
			}
		}
	}
	return nil
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func logOf(dom trust.Domain, e *rekorpb.TransparencyLogEntry) *root.TransparencyLog {
	return dom.Root.RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())]
}

// diagnose finds the step at which a bundle that sigstore-go refused fails, by
// repeating the steps in the library's order. The refusal stands whatever is
// found here.
func diagnose(verifier *sigstore.Verifier, dom trust.Domain, b *bundle.Bundle, leaf *x509.Certificate) *InvalidError {
	logTimes, err := verifier.VerifyTransparencyLogInclusion(b)
	if err != nil {
		return invalid(CodeLogEntry, "its transparency log entry does not verify: it is not of this signature, or the log did not sign it")
	}
	times, err := verifier.VerifyObserverTimestamps(b, logTimes)
	if err != nil {
		return invalid(CodeTimestamp, "nothing proves when it was signed: it has neither a log promise nor a time stamp that verifies")
	}
	for _, t := range times {
		chains, err := sigstore.VerifyLeafCertificate(t.Timestamp, leaf, dom.Root)
		if err != nil {
			return invalid(CodeCertificate, "it was signed at %s, when its certificate was not valid (valid from %s to %s, if its authority was)",
				utc(t.Timestamp), utc(leaf.NotBefore), utc(leaf.NotAfter))
		}
		if dom.Require.SCTs > 0 && sigstore.VerifySignedCertificateTimestamp(chains, dom.Require.SCTs, dom.Root) != nil {
			return invalid(CodeSCT, "its certificate has no signed certificate timestamp of a trusted certificate log")
		}
	}
	if signed(b, dom) {
		return invalid(CodeMalformed, "its signature verifies, and the digests of its subjects cannot be read")
	}
	return invalid(CodeSignature, "its signature does not verify with the key of its certificate")
}

// signed tells whether the signature alone is good: what the verifier refused is
// then what was signed.
func signed(b *bundle.Bundle, dom trust.Domain) bool {
	content, err := b.SignatureContent()
	if err != nil || content.EnvelopeContent() == nil {
		return false // a message signature is checked with the digest only
	}
	key, err := b.VerificationContent()
	return err == nil && sigstore.VerifySignature(content, key, dom.Root) == nil
}

func newContent(claims attestation.Claims, cert Certificate) *Content {
	return &Content{
		MediaType:     claims.MediaType,
		PredicateType: claims.PredicateType,
		Subjects:      claims.Subjects,
		Certificate:   cert,
		Release:       releaseOf(claims, cert),
	}
}

func logEntries(dom trust.Domain, entries []*rekorpb.TransparencyLogEntry) []LogEntry {
	var found []LogEntry
	for _, e := range entries {
		entry := LogEntry{
			Index:   -1,
			Kind:    e.GetKindVersion().GetKind() + " " + e.GetKindVersion().GetVersion(),
			RekorV2: isRekorV2(e),
		}
		if log := logOf(dom, e); log != nil {
			entry.Log = log.BaseURL
		}
		if entry.RekorV2 || len(e.GetInclusionPromise().GetSignedEntryTimestamp()) > 0 {
			entry.Index = e.GetLogIndex()
		}
		if t := e.GetIntegratedTime(); t != 0 {
			entry.Time = time.Unix(t, 0).UTC()
		}
		found = append(found, entry)
	}
	return found
}

// unverifiedContent reads for the report what a bundle says that did not count
// before or because it was verified. Whatever cannot be read stays empty.
func unverifiedContent(data []byte, claims attestation.Claims) (content *Content) {
	content = newContent(claims, Certificate{})
	defer func() { _ = recover() }() // as in verifyBundle; the report goes without
	var b bundle.Bundle
	if b.UnmarshalJSON(data) != nil {
		return content
	}
	if leaf, fail := leafOf(&b); fail == nil {
		if cert, err := summarize(leaf); err == nil {
			content.Certificate = cert
		}
	}
	content.LogEntries = logEntries(trust.Domain{Root: &root.TrustedRoot{}}, b.GetVerificationMaterial().GetTlogEntries())
	return content
}
