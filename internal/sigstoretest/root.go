package sigstoretest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// Root is a trusted root as its file says it (trustroot.proto of Sigstore's
// protobuf-specs). Its fields can be changed before it is written.
type Root struct {
	MediaType              string                 `json:"mediaType"`
	TLogs                  []LogInstance          `json:"tlogs,omitempty"`
	CertificateAuthorities []CertificateAuthority `json:"certificateAuthorities"`
	CTLogs                 []LogInstance          `json:"ctlogs,omitempty"`
	TimestampAuthorities   []CertificateAuthority `json:"timestampAuthorities"`
}

// LogInstance is a log of either kind.
type LogInstance struct {
	BaseURL       string       `json:"baseUrl"`
	HashAlgorithm string       `json:"hashAlgorithm"`
	PublicKey     LogPublicKey `json:"publicKey"`
	LogID         LogID        `json:"logId"`
}

// LogPublicKey is a log's key.
type LogPublicKey struct {
	RawBytes   []byte   `json:"rawBytes"`
	KeyDetails string   `json:"keyDetails"`
	ValidFor   ValidFor `json:"validFor"`
}

// CertificateAuthority is Fulcio or a time-stamp authority.
type CertificateAuthority struct {
	Subject   DistinguishedName `json:"subject"`
	URI       string            `json:"uri"`
	CertChain CertificateChain  `json:"certChain"`
	ValidFor  ValidFor          `json:"validFor"`
}

// DistinguishedName is what the root says of an authority's name.
type DistinguishedName struct {
	Organization string `json:"organization"`
	CommonName   string `json:"commonName"`
}

// ValidFor is a window of time; without End it is open.
type ValidFor struct {
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end,omitempty"`
}

// Until is a window with both ends.
func Until(start, end time.Time) ValidFor {
	end = end.UTC()
	return ValidFor{start.UTC(), &end}
}

// Root is what the instance's bundles verify against. All windows are open.
func (s *Sigstore) Root() *Root {
	from := ValidFor{Start: s.options.Start.UTC().Truncate(time.Second)}
	r := &Root{
		MediaType:              root.TrustedRootMediaType01,
		CertificateAuthorities: []CertificateAuthority{s.ca.describe("https://fulcio."+s.options.Domain, from)},
		TimestampAuthorities:   []CertificateAuthority{s.tsa.describe("https://timestamp."+s.options.Domain, from)},
	}
	if s.ct != nil {
		r.TLogs = []LogInstance{s.rekor1.describe(from), s.rekor2.describe(from)}
		r.CTLogs = []LogInstance{instance("https://ctfe."+s.options.Domain, s.ct.Public(), keyID(s.ct.Public()), from)}
	}
	return r
}

func (a *authority) describe(uri string, valid ValidFor) CertificateAuthority {
	top := a.chain[len(a.chain)-1]
	ca := CertificateAuthority{URI: uri, ValidFor: valid}
	ca.Subject.CommonName = top.Subject.CommonName
	ca.Subject.Organization = top.Subject.Organization[0]
	for _, c := range a.chain {
		ca.CertChain.Certificates = append(ca.CertChain.Certificates, RawBytes{c.Raw})
	}
	return ca
}

func (l *transparencyLog) describe(valid ValidFor) LogInstance {
	return instance("https://"+l.host, l.key.Public(), l.id, valid)
}

func instance(url string, public crypto.PublicKey, id []byte, valid ValidFor) LogInstance {
	details := "PKIX_ECDSA_P256_SHA_256"
	if _, ok := public.(ed25519.PublicKey); ok {
		details = "PKIX_ED25519"
	}
	return LogInstance{
		BaseURL: url, HashAlgorithm: "SHA2_256", LogID: LogID{id},
		PublicKey: LogPublicKey{RawBytes: must(x509.MarshalPKIXPublicKey(public)), KeyDetails: details, ValidFor: valid},
	}
}

// Merge gives one root that trusts what any of several does, as a careless
// reader of several files would make it.
func Merge(roots ...*Root) *Root {
	out := &Root{MediaType: root.TrustedRootMediaType01}
	for _, r := range roots {
		out.TLogs = append(out.TLogs, r.TLogs...)
		out.CertificateAuthorities = append(out.CertificateAuthorities, r.CertificateAuthorities...)
		out.CTLogs = append(out.CTLogs, r.CTLogs...)
		out.TimestampAuthorities = append(out.TimestampAuthorities, r.TimestampAuthorities...)
	}
	return out
}

// JSON writes the root as a file holds it.
func (r *Root) JSON() []byte { return append(must(json.MarshalIndent(r, "", "  ")), '\n') }

// TrustedRoot is the root as sigstore-go reads it.
func (r *Root) TrustedRoot() *root.TrustedRoot {
	return must(root.NewTrustedRootFromJSON(r.JSON()))
}

// TrustedRootJSON is the instance's trusted root as a file.
func (s *Sigstore) TrustedRootJSON() []byte { return s.Root().JSON() }

// TrustedRoot is the instance's trusted root as sigstore-go reads it.
func (s *Sigstore) TrustedRoot() *root.TrustedRoot { return s.Root().TrustedRoot() }
