package verify

import (
	"fmt"
	"time"

	sigstore "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/recipe-verify/recipe-verify/trust"
)

// A CheckName names a part of what verifying a bundle means.
type CheckName string

// The checks, in the order in which an [Inspection] lists them.
const (
	CheckDigest      CheckName = "digest"      // the bundle speaks of the wanted file
	CheckCertificate CheckName = "certificate" // a trusted authority issued it, and it was valid
	CheckSCT         CheckName = "sct"         // a certificate log promised to show it
	CheckLogEntry    CheckName = "log-entry"   // a transparency log holds this very signature
	CheckTime        CheckName = "time"        // somebody trusted says when it was signed
	CheckSignature   CheckName = "signature"   // the certificate's key signed this content
)

var checkNames = []CheckName{CheckDigest, CheckCertificate, CheckSCT, CheckLogEntry, CheckTime, CheckSignature}

// An Outcome says what became of a check.
type Outcome string

// The outcomes of a check. Nothing but Holds says that something is so.
const (
	Holds       Outcome = "holds"
	Fails       Outcome = "fails"
	NotChecked  Outcome = "not-checked"
	NotRequired Outcome = "not-required"
)

// A Check is what became of one check of a bundle.
type Check struct {
	Name    CheckName
	Outcome Outcome
	Reason  string // in plain words, never empty
}

// checkOf gives the check that a code is the failure of.
func checkOf(code Code) CheckName {
	switch code {
	case CodeNoCertificate, CodeUnknownAuthority, CodeCertificate:
		return CheckCertificate
	case CodeSCT:
		return CheckSCT
	case CodeLogEntry:
		return CheckLogEntry
	case CodeTimestamp:
		return CheckTime
	case CodeSignature:
		return CheckSignature
	default:
		return ""
	}
}

// progress is how far verification in one domain came. Only what was verified
// is entered, when it was.
type progress struct {
	domain trust.Domain
	done   map[CheckName]Check
}

// newProgress begins in a domain, with what is demanded there.
func newProgress(d trust.Domain, r trust.Requirements) *progress {
	d.Require = r
	return &progress{domain: d, done: map[CheckName]Check{}}
}

func (p *progress) enter(name CheckName, o Outcome, format string, a ...any) {
	p.done[name] = Check{name, o, fmt.Sprintf(format, a...)}
}

func (p *progress) logEntry(b *opened) {
	if p.domain.Require.LogEntries == 0 {
		p.enter(CheckLogEntry, NotRequired, "the authority %q has no transparency log", p.domain.Name)
		return
	}
	for _, e := range logEntries(p.domain, b) {
		where := e.Log
		if e.Index >= 0 {
			where = fmt.Sprintf("%s, entry %d", e.Log, e.Index)
		}
		how := "inclusion proof and signed checkpoint"
		if e.Promise {
			how = "the log's signed promise alone; its inclusion proof has no signed checkpoint"
		}
		p.enter(CheckLogEntry, Holds, "the signature is in the log %s: %s", where, how)
	}
}

func (p *progress) time(times []sigstore.TimestampVerificationResult) {
	for _, t := range times[:min(1, len(times))] {
		p.enter(CheckTime, Holds, "signed at %s, says %s", utc(t.Timestamp), t.URI)
	}
}

func (p *progress) certificate(at time.Time) {
	p.enter(CheckCertificate, Holds, "an authority of %q issued it, and it was valid at %s", p.domain.Name, utc(at))
}

func (p *progress) sct() {
	if p.domain.Require.SCTs == 0 {
		p.enter(CheckSCT, NotRequired, "the authority %q has no certificate log", p.domain.Name)
		return
	}
	p.enter(CheckSCT, Holds, "the certificate carries a signed certificate timestamp of a trusted log")
}

func (p *progress) signature() {
	p.enter(CheckSignature, Holds, "the key of the certificate signed the content")
}

// library enters what sigstore-go's verifier proves as a whole.
func (p *progress) library(b *opened, times []sigstore.TimestampVerificationResult) {
	p.logEntry(b)
	p.time(times)
	if len(times) > 0 {
		p.certificate(times[0].Timestamp)
	}
	p.sct()
	p.signature()
}
