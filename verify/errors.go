package verify

// A Code is a stable name for a reason, for programs and reports.
type Code string

// Codes of bundles, and of errors of [Verifier.Verify].
const (
	// Evidence that lists the digest, or cannot be read, and does not verify.
	CodeMalformed        Code = "malformed-evidence"
	CodeNoCertificate    Code = "no-certificate"
	CodeUnknownAuthority Code = "unknown-authority"
	CodeCertificate      Code = "certificate-invalid"
	CodeSCT              Code = "sct-invalid"
	CodeLogEntry         Code = "log-entry-invalid"
	CodeTimestamp        Code = "timestamp-invalid"
	CodeSignature        Code = "signature-invalid"

	// Genuine evidence that is not what is wanted.
	CodeOtherDigest      Code = "digest-not-attested"
	CodePredicate        Code = "predicate-mismatch"
	CodeSubjectName      Code = "subject-name-mismatch"
	CodeIdentity         Code = "publisher-mismatch"
	CodeIssuer           Code = "issuer-mismatch"
	CodeRef              Code = "ref-mismatch"
	CodeReusableWorkflow Code = "reusable-workflow"
	CodeRelease          Code = "release-mismatch"
	CodeNotAllPublishers Code = "publisher-missing"

	// Evidence of a publisher that a policy does not accept.
	CodeBound             Code = "policy-publisher-mismatch"
	CodeReleaseNotAllowed Code = "release-not-allowed"
	CodeWorkflow          Code = "workflow-mismatch"
	CodeTrigger           Code = "trigger-mismatch"
	CodeRunner            Code = "runner-mismatch"
	CodeEnvironment       Code = "environment-mismatch"
	CodeVersion           Code = "version-mismatch"
	CodeRepositoryID      Code = "repository-id-mismatch"
	CodeOwnerID           Code = "owner-id-mismatch"
)

// A MismatchError says that the evidence is genuine as far as it was looked at,
// and speaks of another digest, publisher, ref or predicate.
type MismatchError struct {
	Code    Code
	Message string
	Mend    string
}

// Error implements error.
func (e *MismatchError) Error() string { return e.Message }

// Hint says what a person may do about it, or "".
func (e *MismatchError) Hint() string { return e.Mend }

// An InvalidError says that evidence lists the digest and does not verify, or
// cannot be read at all.
type InvalidError struct {
	Code    Code
	Message string
	Mend    string
	// Detail is the verifying library's own account, not stable.
	Detail string
}

// Error implements error.
func (e *InvalidError) Error() string { return e.Message }

// Hint says what a person may do about it, or "".
func (e *InvalidError) Hint() string { return e.Mend }

// A RulesError says that nothing could be verified with the rules that were
// given, such as none at all.
type RulesError struct{ Problem string }

// Error implements error.
func (e *RulesError) Error() string { return e.Problem }
