package attestation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// foreign names what a document is that is no evidence, and what to do about it,
// by how it begins. It gives "" for what it does not know.
func foreign(data []byte) (problem, hint string) {
	for _, k := range []struct{ magic, what string }{
		{"\x1f\x8b", "a gzip file"},
		{"PK\x03\x04", "a zip file, such as a wheel or a .conda package"},
		{"\xfd7zXZ\x00", "an xz file"},
		{"BZh", "a bzip2 file"},
		{"\x28\xb5\x2f\xfd", "a zstd file"},
	} {
		if bytes.HasPrefix(data, []byte(k.magic)) {
			return "it is " + k.what + ", and no evidence", "give the file with the attestation, which lies beside the archive as .sigstore.json or .intoto.jsonl, and the archive with --artifact"
		}
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "it begins with a byte-order mark, which JSON must not have (RFC 8259, 8.1)", "store it as UTF-8 without a byte-order mark"
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "it is text in UTF-16, and JSON is UTF-8 (RFC 8259, 8.1)", "store it as UTF-8; PowerShell's > writes UTF-16"
	case isOpenPGP(data):
		return "it is a binary OpenPGP signature, which is no Sigstore evidence", noSigstore
	}
	return foreignText(strings.TrimSpace(string(data[:min(len(data), 4096)])))
}

const noSigstore = "recipe-verify reads Sigstore evidence only; look for a .sigstore.json or .intoto.jsonl file beside the release"

func foreignText(text string) (problem, hint string) {
	low := strings.ToLower(text)
	for _, k := range []struct{ prefix, what, hint string }{
		{"<!doctype html", "an HTML page", htmlHint},
		{"<html", "an HTML page", htmlHint},
		{"<!--", "an HTML or XML page", htmlHint},
		{"<?xml", "an XML document, most likely a storage host's error", "look at what the address serves; it may have expired"},
		{"-----begin pgp", "an OpenPGP signature or key, which is no Sigstore evidence", noSigstore},
		{"-----begin ssh signature", "an SSH signature, which is no Sigstore evidence", noSigstore},
		{"-----begin certificate", "a certificate alone, without a signature", "give the bundle that holds certificate, signature and log entry together"},
		{"-----begin public key", "a public key", noSigstore},
		{"untrusted comment:", "a minisign or signify signature, which is no Sigstore evidence", noSigstore},
	} {
		if strings.HasPrefix(low, k.prefix) {
			return "it is " + k.what, k.hint
		}
	}
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	switch {
	case isChecksums(line):
		return "it is a list of checksums, which nobody signed in it", noSigstore
	case isBareSignature(text):
		return "it is a signature alone, as cosign writes it to a .sig file, without certificate and log entry",
			"give the bundle, which cosign writes with --bundle FILE"
	}
	return "", ""
}

const htmlHint = "give the address of the file itself, and not of a page that shows it"

// isOpenPGP tells whether data begins with a signature packet (RFC 9580, 4.2 and
// 5.2) of version 3, 4 or 6.
func isOpenPGP(data []byte) bool {
	versionAt := map[byte]int{0x88: 2, 0x89: 3, 0x8a: 5, 0xc2: 2}
	if len(data) < 8 {
		return false
	}
	at, ok := versionAt[data[0]]
	if data[0] == 0xc2 && data[1] >= 192 {
		at = 3 // a length of two bytes
	}
	return ok && (data[at] == 3 || data[at] == 4 || data[at] == 6) && len(data) < 8<<10
}

// isChecksums tells whether a line is one of sha256sum or sha512sum.
func isChecksums(line string) bool {
	sum, name, ok := strings.Cut(line, " ")
	return ok && strings.TrimSpace(name) != "" && (len(sum) == 64 || len(sum) == 128) &&
		strings.Trim(strings.ToLower(sum), "0123456789abcdef") == ""
}

// isBareSignature tells whether text is a signature in base64: of ECDSA, a
// sequence of two numbers.
func isBareSignature(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(raw) > 60 && len(raw) < 150 && raw[0] == 0x30
}

// rootMediaType is how the media types of trusted roots begin
// (sigstore_trustroot.proto).
const rootMediaType = "application/vnd.dev.sigstore.trustedroot"

// wrongObject names what a JSON object is that is no evidence, by its members.
func wrongObject(m map[string]json.RawMessage) (problem, hint string) {
	var message string
	_ = json.Unmarshal(m["message"], &message) // "" if it is no text
	switch {
	case m["mediaType"] != nil:
		return "it is a trusted root, which says whom to believe and attests nothing", "give it as --trusted-root FILE, beside the evidence"
	case m["attestation_bundles"] != nil || m["verification_material"] != nil || m["attestations"] != nil:
		return "", ""
	case m["message"] != nil && (m["documentation_url"] != nil || m["status"] != nil):
		return fmt.Sprintf("it is an error of GitHub's API: %+q", clip(message)), gitHubHint(message)
	case m["base64Signature"] != nil:
		return "it is a bundle of the form that cosign wrote before Sigstore's bundles (with base64Signature)",
			"ask the project for a Sigstore bundle: cosign sign-blob --bundle FILE --new-bundle-format, which is the default since cosign 3"
	case m["SignedEntryTimestamp"] != nil && m["Payload"] != nil:
		return "it is a log entry as cosign keeps it in an image's annotations, without a signature", noSigstore
	case m["payloadType"] != nil && m["payload"] != nil:
		return "it is a signed envelope (DSSE) alone, without the log entry that proves when it was signed",
			"ask the project for a Sigstore bundle, as actions/attest makes it"
	case m["_type"] != nil && m["predicateType"] != nil:
		return "it is an in-toto statement that nobody signed", "give the bundle that the statement was signed into"
	case m["signed"] != nil && m["signatures"] != nil:
		return "it is metadata of a TUF repository, and attests no archive", ""
	case m["files"] != nil && m["meta"] != nil:
		return "it is a page of a Python package index (Simple API)", "give the address in the file's provenance key"
	}
	return "", ""
}

func gitHubHint(message string) string {
	low := strings.ToLower(message)
	switch {
	case strings.Contains(low, "rate limit"):
		return "GitHub allows 60 requests an hour without a token; try again later, or fetch it with gh api and give the file"
	case low == "not found":
		return "GitHub has no attestation of that digest in that repository, or the repository is private"
	}
	return ""
}
