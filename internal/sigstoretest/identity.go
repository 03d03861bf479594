package sigstoretest

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"slices"
)

// SANKind is the kind of a subject alternative name: the tag of the GeneralName
// (RFC 5280 section 4.2.1.6).
type SANKind int

// The kinds that Fulcio uses, and two that it doesn't.
const (
	OtherName SANKind = 0 // Fulcio's user names
	EmailSAN  SANKind = 1
	DNSName   SANKind = 2
	URISAN    SANKind = 6
	IPAddress SANKind = 7
)

// SAN is a subject alternative name. Its value goes into the certificate as it
// is: nothing parses or corrects it.
type SAN struct {
	Kind  SANKind
	Value string
}

// Extension numbers of Fulcio, below 1.3.6.1.4.1.57264.1 (Fulcio's oid-info).
const (
	ExtIssuerV1               = 1
	ExtTriggerV1              = 2
	ExtCommitV1               = 3
	ExtWorkflowNameV1         = 4
	ExtRepositoryV1           = 5
	ExtRefV1                  = 6
	ExtIssuer                 = 8
	ExtBuildSignerURI         = 9
	ExtBuildSignerDigest      = 10
	ExtRunnerEnvironment      = 11
	ExtSourceRepositoryURI    = 12
	ExtSourceRepositoryDigest = 13
	ExtSourceRepositoryRef    = 14
	ExtSourceRepositoryID     = 15
	ExtSourceOwnerURI         = 16
	ExtSourceOwnerID          = 17
	ExtBuildConfigURI         = 18
	ExtBuildConfigDigest      = 19
	ExtBuildTrigger           = 20
	ExtRunInvocationURI       = 21
	ExtVisibility             = 22
	ExtEnvironment            = 23
)

const (
	// lastRawExtension is the last one whose value is no DER string.
	lastRawExtension = 6
	// extUserName is the type of an OtherName that holds a user name.
	extUserName = 7

	releaseSAN   = "https://dotcom.releases.github.com"
	gitHubIssuer = "https://token.actions.githubusercontent.com"
	gitLabIssuer = "https://gitlab.com"
	gitHubHost   = "https://github.com/"
	gitLabHost   = "https://gitlab.com/"

	defaultCommit   = "3fa1c7be0d2945c6a2b8ef9d71e3504c8b6d1f27"
	defaultRef      = "refs/tags/v1.0.0"
	defaultWorkflow = ".github/workflows/release.yml"
)

// Identity is what a certificate says of its holder. Change a copy freely; maps
// are copied by [Identity.With].
type Identity struct {
	// SANs are the subject alternative names; without any, the certificate has
	// no such extension.
	SANs []SAN
	// Subject is the distinguished name, empty for Fulcio's own.
	Subject pkix.Name
	// Extensions are Fulcio's, by number. Up to 6 the value is the raw text,
	// from 8 on a DER UTF8String.
	Extensions map[int]string
	// Extra are more extensions, as they are: another of the same number makes
	// a certificate with two.
	Extra []pkix.Extension
	// publisher is what PyPI would say beside the attestations.
	publisher map[string]any
}

// With gives a copy with an extension changed, or removed if the value is
// empty.
func (id Identity) With(extension int, value string) Identity {
	id.Extensions = maps.Clone(id.Extensions)
	if id.Extensions == nil {
		id.Extensions = map[int]string{}
	}
	if value == "" {
		delete(id.Extensions, extension)
	} else {
		id.Extensions[extension] = value
	}
	return id
}

// WithSAN gives a copy with these subject alternative names in place of its own.
func (id Identity) WithSAN(names ...SAN) Identity {
	id.SANs = slices.Clone(names)
	return id
}

// WithIssuer gives a copy with another issuer, in both extensions that hold it.
func (id Identity) WithIssuer(issuer string) Identity {
	return id.With(ExtIssuerV1, issuer).With(ExtIssuer, issuer)
}

// Email is the identity of a person, or of a Google service account.
func Email(address, issuer string) Identity {
	return Identity{
		SANs:      []SAN{{EmailSAN, address}},
		publisher: map[string]any{"kind": "Google", "email": address},
	}.WithIssuer(issuer)
}

// URI is the identity of a certificate with one URI and nothing else than the
// issuer, which may be empty.
func URI(uri, issuer string) Identity {
	return Identity{SANs: []SAN{{URISAN, uri}}}.WithIssuer(issuer)
}

// GitHubRelease is the identity that signs immutable releases: no issuer and
// no extension of Fulcio. Only a [GitHubInstance] issues it in truth.
func GitHubRelease() Identity {
	return Identity{
		SANs:    []SAN{{URISAN, releaseSAN}},
		Subject: pkix.Name{Organization: []string{"GitHub, Inc."}, CommonName: "Attester"},
	}
}

// fulcioOID is an object identifier below Fulcio's extensions.
func fulcioOID(n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n}
}

// encode gives the certificate extensions in the order in which Fulcio writes
// them.
func (id Identity) encode() []pkix.Extension {
	var out []pkix.Extension
	if len(id.SANs) > 0 {
		out = append(out, encodeSANs(id.SANs, len(id.Subject.ToRDNSequence()) == 0))
	}
	for _, n := range slices.Sorted(maps.Keys(id.Extensions)) {
		value := []byte(id.Extensions[n])
		if n > lastRawExtension {
			value = must(asn1.MarshalWithParams(id.Extensions[n], "utf8"))
		}
		out = append(out, pkix.Extension{Id: fulcioOID(n), Value: value})
	}
	return append(out, id.Extra...)
}

// encodeSANs writes GeneralNames by hand, so that a name can be anything: Go's
// own encoder wants well-formed URIs. The extension is critical if the subject
// is empty (RFC 5280 section 4.1.2.6).
func encodeSANs(names []SAN, critical bool) pkix.Extension {
	var raw []asn1.RawValue
	for _, n := range names {
		value := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: int(n.Kind), Bytes: []byte(n.Value)}
		if n.Kind == OtherName {
			// OtherName is a sequence of a type and a value tagged [0].
			text := must(asn1.MarshalWithParams(n.Value, "utf8"))
			inner := must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: text}))
			value.IsCompound = true
			value.Bytes = append(must(asn1.Marshal(fulcioOID(extUserName))), inner...)
		}
		raw = append(raw, value)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: critical, Value: must(asn1.Marshal(raw))}
}

// String names the identity for messages of tests.
func (id Identity) String() string {
	if len(id.SANs) == 0 {
		return "no name"
	}
	return fmt.Sprintf("%q by %q", id.SANs[0].Value, id.Extensions[ExtIssuer])
}
