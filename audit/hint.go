package audit

import "github.com/recipe-verify/recipe-verify/verify"

// defaultHint says what a person may do about a failure whose cause gave no
// better hint.
func defaultHint(code Code) string {
	switch verify.Code(code) {
	case verify.CodeMalformed, verify.CodeNoCertificate:
		return "the document is damaged, or is no attestation of this archive; look at what the address serves, and do not build until the project explains it"
	case verify.CodeUnknownAuthority:
		return "only evidence of a known Sigstore instance counts; name a private instance's root with --trusted-root FILE"
	case verify.CodeCertificate, verify.CodeSCT, verify.CodeLogEntry, verify.CodeTimestamp, verify.CodeSignature:
		return "the evidence was altered or is incomplete; do not build, and ask the project about its release"
	case verify.CodeSubjectName:
		return "the project signed these bytes as another file; compare the recipe's url and sha256 with the release"
	case verify.CodeRelease:
		return "point the recipe's url at the asset of the release that was signed"
	case verify.CodeIdentity, verify.CodeIssuer:
		return "if the project moved or the recipe names it wrongly, correct publishers; if you do not know the signer, do not build"
	case verify.CodeRef:
		return "correct the ref after \"@\" in publishers, or find out why the release was built from another ref"
	}
	switch code {
	case CodeNoBlock:
		return "add an attestation block with publishers to this source"
	case CodeFetchFailed:
		return "this says nothing about the source; try again later, or use --mirror"
	case CodeInterrupted:
		return "run the command again"
	case CodeTrust:
		return "name a trusted root with --trusted-root FILE"
	case CodeTooLarge:
		return "if the archive really is that large, raise --max-archive-size"
	case CodeArchiveMissing:
		return "correct the source's url"
	}
	return ""
}
