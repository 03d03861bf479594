package verify

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/recipe-verify/recipe-verify/publishers"
)

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// Tags of GeneralName (RFC 5280, 4.2.1.6).
const (
	tagOtherName = 0
	tagEmail     = 1
	tagURI       = 6
)

// summarize reads a Fulcio certificate.
func summarize(leaf *x509.Certificate) (Certificate, error) {
	san, kind, err := onlyName(leaf)
	if err != nil {
		return Certificate{}, err
	}
	ext, err := certificate.ParseExtensions(leaf.Extensions)
	if err != nil {
		return Certificate{}, errors.New("its extensions cannot be read")
	}
	c := Certificate{
		SAN: san, SANKind: kind,
		Issuer:               ext.Issuer,
		BuildSignerURI:       ext.BuildSignerURI,
		BuildSignerDigest:    ext.BuildSignerDigest,
		RunnerEnvironment:    ext.RunnerEnvironment,
		SourceRepository:     ext.SourceRepositoryURI,
		SourceDigest:         ext.SourceRepositoryDigest,
		SourceRef:            ext.SourceRepositoryRef,
		SourceRepositoryID:   ext.SourceRepositoryIdentifier,
		SourceOwner:          ext.SourceRepositoryOwnerURI,
		SourceOwnerID:        ext.SourceRepositoryOwnerIdentifier,
		BuildConfigURI:       ext.BuildConfigURI,
		BuildConfigDigest:    ext.BuildConfigDigest,
		BuildTrigger:         ext.BuildTrigger,
		RunInvocationURI:     ext.RunInvocationURI,
		RepositoryVisibility: ext.SourceRepositoryVisibilityAtSigning,
		NotBefore:            leaf.NotBefore,
		NotAfter:             leaf.NotAfter,
	}
	if c.Environment, err = environmentOf(leaf); err != nil {
		return Certificate{}, err
	}
	// Certificates from before 2023 know only the extensions .1 to .6.
	if c.SourceRepository == "" && c.Issuer == publishers.GitHubIssuer && ext.GithubWorkflowRepository != "" { //nolint:staticcheck // the only source in old certificates
		c.SourceRepository = "https://github.com/" + ext.GithubWorkflowRepository //nolint:staticcheck // see above
		c.SourceRef = ext.GithubWorkflowRef                                       //nolint:staticcheck // see above
		c.SourceDigest = ext.GithubWorkflowSHA                                    //nolint:staticcheck // see above
		c.BuildTrigger = ext.GithubWorkflowTrigger                                //nolint:staticcheck // see above
	}
	return c, nil
}

// oidEnvironment is Fulcio's "Deployment Environment" (oid-info), which
// sigstore-go v1.3.0 does not know.
var oidEnvironment = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 23}

// environmentOf reads the deployment environment, "" if the certificate names
// none. One that stands twice, or is no UTF8String, could be read in two ways.
func environmentOf(leaf *x509.Certificate) (string, error) {
	var environment string
	seen := false
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidEnvironment) {
			continue
		}
		rest, err := asn1.UnmarshalWithParams(e.Value, &environment, "utf8")
		if seen || err != nil || len(rest) > 0 || e.Value[0] != asn1.TagUTF8String {
			return "", errors.New("its deployment environment cannot be read")
		}
		seen = true
	}
	return environment, nil
}

// onlyName reads the subject alternative name from the certificate's bytes. A
// certificate with several names could be matched by one and shown by another;
// Fulcio issues exactly one.
func onlyName(leaf *x509.Certificate) (string, publishers.NameKind, error) {
	var names []asn1.RawValue
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		rest, err := asn1.Unmarshal(e.Value, &names)
		if err != nil || len(rest) > 0 {
			return "", 0, errors.New("its subject alternative name cannot be read")
		}
	}
	if len(names) != 1 {
		return "", 0, fmt.Errorf("it has %d subject alternative names, wanted exactly one", len(names))
	}
	n := names[0]
	if n.Class != asn1.ClassContextSpecific || len(n.Bytes) == 0 {
		return "", 0, errors.New("its subject alternative name cannot be read")
	}
	switch n.Tag {
	case tagURI:
		return string(n.Bytes), publishers.URIName, nil
	case tagEmail:
		return string(n.Bytes), publishers.EmailName, nil
	case tagOtherName:
		san, err := cryptoutils.UnmarshalOtherNameSAN(leaf.Extensions)
		if err != nil || san == "" {
			return "", 0, errors.New("its subject alternative name cannot be read")
		}
		return san, publishers.OtherName, nil
	}
	return "", 0, errors.New("its subject alternative name is neither a URI, an e-mail address nor another name that Fulcio issues")
}
