package audit

// A Verdict is what is known of a source in the end (DESIGN.md, "What
// 'verified' means").
type Verdict string

// The closed set of verdicts.
const (
	Verified    Verdict = "verified"    // a publisher signed this archive
	Unattested  Verdict = "unattested"  // nothing is asked for, and nothing is demanded
	Missing     Verdict = "missing"     // evidence is demanded, and its source has none
	Mismatch    Verdict = "mismatch"    // genuine evidence of something else
	Invalid     Verdict = "invalid"     // evidence of this archive that does not verify
	Unavailable Verdict = "unavailable" // it could not be obtained
	Error       Verdict = "error"       // the recipe or the command is wrong
	Skipped     Verdict = "skipped"     // nobody looked, since the gate is closed
)

// A Code is a stable name for the reason of a verdict. Codes of evidence are
// those of package verify.
type Code string

// Codes beside those of package verify.
const (
	CodeVerified       Code = "verified"
	CodeMetadataOnly   Code = "verified-metadata-only" // the archive was not fetched
	CodeNoBlock        Code = "no-attestation-block"
	CodeExcepted       Code = "excepted" // evidence would be required, and the policy excepts the source
	CodePolicy         Code = "policy-error"
	CodeNotAURL        Code = "not-a-url-source"
	CodeNoEvidence     Code = "no-evidence"
	CodeNoAddress      Code = "no-evidence-address"
	CodeArchiveDigest  Code = "archive-digest-mismatch"
	CodeArchiveMD5     Code = "archive-md5-mismatch"
	CodeArchiveMissing Code = "archive-missing"
	CodeFetchFailed    Code = "fetch-failed"
	CodeTooLarge       Code = "too-large"
	CodeRefused        Code = "refused"
	CodeRecipe         Code = "recipe-error"
	CodeTrust          Code = "trust-unavailable"
	CodeInterrupted    Code = "interrupted"
	CodeNoSources      Code = "no-sources"
	CodeGateClosed     Code = "gate-closed"
)

// Exit statuses of the command (DESIGN.md, "What 'verified' means").
const (
	StatusOK          = 0
	StatusRejected    = 1 // missing, mismatch, invalid
	StatusError       = 2
	StatusUnavailable = 3
	StatusInterrupted = 130
)

// Status is the exit status that a verdict stands for. A verdict that is not of
// the set is an error.
func (v Verdict) Status() int {
	switch v {
	case Verified, Unattested, Skipped:
		return StatusOK
	case Missing, Mismatch, Invalid:
		return StatusRejected
	case Unavailable:
		return StatusUnavailable
	}
	return StatusError
}

// WorseStatus gives the worse of two exit statuses, in the order 2, 1, 3, 0.
func WorseStatus(a, b int) int {
	for _, s := range []int{StatusInterrupted, StatusError, StatusRejected, StatusUnavailable} {
		if a == s || b == s {
			return s
		}
	}
	return StatusOK
}
