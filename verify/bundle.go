package verify

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
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

// finding is what became of one bundle.
type finding struct {
	// content is set if, and only if, everything about the bundle verified.
	content *Content
	// failed is why it did not; nil if content is set.
	failed *InvalidError
	// progress is that in the domain that verified it, or came nearest to it;
	// nil if its certificate chains to none.
	progress *progress
	domains  []DomainAccount
}

// domain names the domain that the certificate chains to, or "".
func (x finding) domain() string {
	if x.progress == nil {
		return ""
	}
	return x.progress.domain.Name
}

// foreign tells that nothing is known against the bundle but that no domain
// vouches for its certificate: none of its signatures could be looked at.
func (x finding) foreign() bool {
	return x.content == nil && x.progress == nil && x.failed != nil && x.failed.Code == CodeUnknownAuthority
}

// verifyBundle verifies everything about one candidate, except whether it is
// what the rules want. With a digest, that is what it has to speak of; without
// one, which is for looking at bundles only, the signature is verified over
// whatever the statement says. An entry that its log's promise alone proves
// verifies here; whether that will do is for the caller to decide.
func (v *Verifier) verifyBundle(c attestation.Candidate, claims attestation.Claims, d *digest.SHA256) (x finding) {
	defer func() {
		if r := recover(); r != nil { // a fault of a library that parses foreign bytes
			x = finding{failed: invalid(CodeMalformed, "the bundle cannot be read").because(fmt.Errorf("panic: %v", r))}
		}
	}()
	b, fail := open(c, claims)
	if fail != nil {
		return finding{failed: fail}
	}
	domains := v.domainsOf(b.leaf)
	if len(domains) == 0 {
		return v.unknownAuthority(b.leaf)
	}
	var nearest finding
	said := map[int]string{}
	require := v.strictest(domains)
	for _, i := range domains {
		p := newProgress(v.domains[i], require)
		content, fail := v.verifyIn(p, b, claims, d)
		if fail == nil {
			said[i] = ""
			return finding{content: content, progress: p, domains: v.accounts(said)}
		}
		if len(domains) == 1 && !issued(v.domains[i], b.leaf) {
			return v.unknownAuthority(b.leaf)
		}
		said[i] = fail.Message
		if nearest.progress == nil || len(p.done) > len(nearest.progress.done) {
			nearest = finding{failed: fail, progress: p}
		}
	}
	nearest.domains = v.accounts(said)
	return nearest
}

func (v *Verifier) unknownAuthority(leaf *x509.Certificate) finding {
	fail := invalid(CodeUnknownAuthority, "its certificate was issued by %q, which none of the trusted roots vouches for", clip(leaf.Issuer.String()))
	fail.Mend = v.authorityHint(leaf)
	return finding{failed: fail, domains: v.accounts(nil)}
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

// verifyIn verifies a bundle by the requirements of one domain.
func (v *Verifier) verifyIn(p *progress, b *opened, claims attestation.Claims, d *digest.SHA256) (*Content, *InvalidError) {
	dom := p.domain
	if fail := checkEntries(dom, b); fail != nil {
		return nil, fail
	}
	stamps, err := b.Timestamps()
	if err != nil {
		return nil, invalid(CodeTimestamp, "its time stamps cannot be read").because(err)
	}
	if len(stamps) > maxStamps {
		return nil, invalid(CodeTimestamp, "it has %d time stamps, the limit is %d", len(stamps), maxStamps)
	}
	verifier, fail := newVerifier(dom, v.materialOf(dom, b), len(b.entries()))
	if fail != nil {
		return nil, fail
	}
	result, err := verifyLibrary(verifier, dom, b, d)
	if err != nil {
		return nil, diagnose(verifier, p, b).because(err)
	}
	p.library(b, result.VerifiedTimestamps)
	times, fail := allTimes(dom, b, stamps, result.VerifiedTimestamps)
	if fail != nil {
		return nil, fail
	}
	if fail := v.checkTimes(dom, b.entries(), times); fail != nil {
		return nil, fail
	}
	cert, err := summarize(b.leaf)
	if err != nil {
		return nil, invalid(CodeCertificate, "its certificate is not one of a Sigstore authority: %v", err)
	}
	content := newContent(claims, cert)
	if dom.Instance != trust.GitHub {
		content.Release = nil // only GitHub's own authority speaks for releases
	}
	content.LogEntries = logEntries(dom, b)
	content.Time = result.VerifiedTimestamps[0].Timestamp
	content.TimeSource = result.VerifiedTimestamps[0].URI
	return content, nil
}

// verifyLibrary has sigstore-go verify a bundle, and its signature a second time
// where the log has it in another form.
func verifyLibrary(verifier *sigstore.Verifier, dom trust.Domain, b *opened, d *digest.SHA256) (*sigstore.VerificationResult, error) {
	spoken := d
	if b.digest != nil {
		spoken = b.digest
	}
	artifact := sigstore.WithoutArtifactUnsafe()
	if spoken != nil {
		artifact = sigstore.WithArtifactDigest("sha256", spoken[:])
	}
	result, err := verifier.Verify(b.logged, sigstore.NewPolicy(artifact, sigstore.WithoutIdentitiesUnsafe()))
	if err != nil {
		return nil, err
	}
	if err := verifyContent(b, d, dom.Root); err != nil {
		return nil, err
	}
	return result, nil
}

// verifyContent verifies the signature over a statement that the log has in
// another form, and that it lists the digest.
func verifyContent(b *opened, d *digest.SHA256, material root.TrustedMaterial) error {
	if b.digest == nil {
		return nil
	}
	content, err := b.SignatureContent()
	if err != nil {
		return err
	}
	key, err := b.VerificationContent()
	if err != nil {
		return err
	}
	if d == nil {
		return sigstore.VerifySignature(content, key, material)
	}
	return sigstore.VerifySignatureWithArtifactDigests(content, key, material, []sigstore.ArtifactDigest{{Algorithm: "sha256", Digest: d[:]}})
}

// allTimes adds the time stamps that sigstore-go passes over, which are those
// that do not verify and all but the first of an authority. Every one has to
// verify, at a time when the certificate was valid; but for a domain that has no
// time-stamp authority, which cannot tell good ones from bad and relies on none.
func allTimes(dom trust.Domain, b *opened, stamps [][]byte, times []sigstore.TimestampVerificationResult) ([]sigstore.TimestampVerificationResult, *InvalidError) {
	n := 0
	for _, t := range times {
		if t.Type == stamped {
			n++
		}
	}
	if n == len(stamps) || len(dom.Root.TimestampingAuthorities()) == 0 {
		return times, nil
	}
	content, err := b.logged.SignatureContent()
	if err != nil {
		return nil, invalid(CodeSignature, "its signature cannot be read").because(err)
	}
	all := slices.Clone(times)
	for _, stamp := range stamps {
		t, err := stampedAt(dom, stamp, content.Signature())
		if err != nil {
			return nil, invalid(CodeTimestamp, "it carries a time stamp that does not verify, beside another proof of time that does").because(err)
		}
		if _, err := sigstore.VerifyLeafCertificate(t.Timestamp, b.leaf, dom.Root); err != nil {
			return nil, outlived(t.Timestamp, b.leaf)
		}
		all = append(all, t)
	}
	return all, nil
}

// stamped is sigstore-go's name for times that time-stamp authorities signed.
const stamped = "TimestampAuthority"

// stampedAt is the time that one of the domain's authorities says.
func stampedAt(dom trust.Domain, stamp, signature []byte) (sigstore.TimestampVerificationResult, error) {
	err := errors.New("the trusted root has no time-stamp authority")
	for _, a := range dom.Root.TimestampingAuthorities() {
		var t *root.Timestamp
		if t, err = a.Verify(stamp, signature); err == nil {
			return sigstore.TimestampVerificationResult{Type: stamped, URI: t.URI, Timestamp: t.Time}, nil
		}
	}
	return sigstore.TimestampVerificationResult{}, err
}

func outlived(at time.Time, leaf *x509.Certificate) *InvalidError {
	return invalid(CodeCertificate, "it was signed at %s, when its certificate was not valid (valid from %s to %s, if its authority was)",
		utc(at), utc(leaf.NotBefore), utc(leaf.NotAfter))
}

// newVerifier sets sigstore-go's verifier to a domain's requirements. Every log
// entry that the bundle carries has to verify, not only as many as demanded.
func newVerifier(dom trust.Domain, material root.TrustedMaterial, entries int) (*sigstore.Verifier, *InvalidError) {
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
	v, err := sigstore.NewVerifier(material, options...)
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
			if log.ValidityPeriodStart.IsZero() {
				return invalid(CodeLogEntry, "the trusted root does not say since when the key of the log %s is valid", log.BaseURL)
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
func diagnose(verifier *sigstore.Verifier, p *progress, b *opened) *InvalidError {
	dom, leaf := p.domain, b.leaf
	logTimes, err := verifier.VerifyTransparencyLogInclusion(b.logged)
	if err != nil {
		return invalid(CodeLogEntry, "its transparency log entry does not verify: it is not of this signature, or the log did not sign it")
	}
	p.logEntry(b)
	times, err := verifier.VerifyObserverTimestamps(b.logged, logTimes)
	if err != nil {
		return invalid(CodeTimestamp, "nothing proves when it was signed: it has neither a log promise nor a time stamp that verifies")
	}
	p.time(times)
	for _, t := range times {
		chains, err := sigstore.VerifyLeafCertificate(t.Timestamp, leaf, dom.Root)
		if err != nil {
			return outlived(t.Timestamp, leaf)
		}
		p.certificate(t.Timestamp)
		if dom.Require.SCTs > 0 && sigstore.VerifySignedCertificateTimestamp(chains, dom.Require.SCTs, dom.Root) != nil {
			return invalid(CodeSCT, "its certificate has no signed certificate timestamp of a trusted certificate log")
		}
	}
	p.sct()
	if signed(b.Bundle, dom) {
		p.signature()
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

func logEntries(dom trust.Domain, b *opened) []LogEntry {
	var found []LogEntry
	for _, e := range b.entries() {
		entry := LogEntry{
			Index:   -1,
			Kind:    e.GetKindVersion().GetKind() + " " + e.GetKindVersion().GetVersion(),
			RekorV2: isRekorV2(e),
			Promise: b.uncertified != nil,
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
func unverifiedContent(c attestation.Candidate, claims attestation.Claims) (content *Content) {
	content = newContent(claims, Certificate{})
	defer func() { _ = recover() }() // as in verifyBundle; the report goes without
	b, fail := open(c, claims)
	if fail != nil {
		return content
	}
	if cert, err := summarize(b.leaf); err == nil {
		content.Certificate = cert
	}
	content.LogEntries = logEntries(trust.Domain{Root: &root.TrustedRoot{}}, b)
	return content
}
