package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/recipe-verify/recipe-verify/trust"
)

// A TrustDocument says which trusted roots are in use. docs/trust.schema.json
// describes it.
type TrustDocument struct {
	Schema   int             `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Domains  []TrustedDomain `json:"domains"`
	Warnings []string        `json:"warnings"`
}

// A TrustedDomain is one trusted root, and what is demanded of its certificates.
type TrustedDomain struct {
	Name                   string               `json:"name"`
	Instance               string               `json:"instance,omitempty" jsonschema:"enum=public-good,enum=github,description=what the root was recognized as by its content or repository"`
	Origin                 string               `json:"origin" jsonschema:"description=a file's path\\, or: embedded snapshot\\, TUF\\, TUF cache"`
	SHA256                 string               `json:"sha256" jsonschema:"description=of the file that the root was read from"`
	CurrentAt              string               `json:"current_at,omitempty" jsonschema:"format=date-time,description=when the root was known to be current; absent for a file\\, which does not say"`
	AgeSeconds             *int64               `json:"age_seconds,omitempty"`
	TUF                    *TUFDocument         `json:"tuf,omitempty"`
	Requires               RequirementsDocument `json:"requires"`
	CertificateAuthorities []AuthorityDocument  `json:"certificate_authorities"`
	TransparencyLogs       []LogDocument        `json:"transparency_logs"`
	CertificateLogs        []LogDocument        `json:"certificate_logs"`
	TimestampAuthorities   []AuthorityDocument  `json:"timestamp_authorities"`
}

// A TUFDocument says which TUF metadata vouched for a root.
type TUFDocument struct {
	Repository string `json:"repository"`
	Root       int64  `json:"root" jsonschema:"description=version of the role's metadata"`
	Timestamp  int64  `json:"timestamp"`
	Snapshot   int64  `json:"snapshot"`
	Targets    int64  `json:"targets"`
	Expires    string `json:"expires" jsonschema:"format=date-time,description=the first of the four dates of expiry"`
}

// A RequirementsDocument counts the evidence that a certificate must bring.
type RequirementsDocument struct {
	CertificateTimestamps int `json:"signed_certificate_timestamps"`
	LogEntries            int `json:"transparency_log_entries"`
	ObserverTimestamps    int `json:"observer_timestamps" jsonschema:"description=a log's promise or a signed time stamp"`
	SignedTimestamps      int `json:"signed_timestamps"`
}

// An AuthorityDocument is a certificate authority or time-stamp authority.
type AuthorityDocument struct {
	URI          string                `json:"uri"`
	ValidFrom    string                `json:"valid_from,omitempty" jsonschema:"format=date-time"`
	ValidUntil   string                `json:"valid_until,omitempty" jsonschema:"format=date-time,description=absent for an open end"`
	Certificates []CertificateDocument `json:"certificates" jsonschema:"description=the self-signed one last"`
}

// A CertificateDocument is a certificate of an authority.
type CertificateDocument struct {
	Subject   string `json:"subject"`
	SHA256    string `json:"sha256"`
	NotBefore string `json:"not_before" jsonschema:"format=date-time"`
	NotAfter  string `json:"not_after" jsonschema:"format=date-time"`
}

// A LogDocument is a log and its key.
type LogDocument struct {
	URL        string `json:"url"`
	KeyID      string `json:"key_id"`
	Key        string `json:"key"`
	Rekor      int    `json:"rekor,omitempty" jsonschema:"enum=1,enum=2,description=version of a transparency log's software\\, as its key's identifier tells"`
	ValidFrom  string `json:"valid_from,omitempty" jsonschema:"format=date-time"`
	ValidUntil string `json:"valid_until,omitempty" jsonschema:"format=date-time,description=absent for an open end"`
}

// Trust describes trusted roots, with ages at the time given.
func Trust(roots *trust.Roots, now time.Time) TrustDocument {
	d := TrustDocument{Schema: SchemaVersion, Domains: []TrustedDomain{}, Warnings: list(roots.Warnings)}
	for _, domain := range roots.Domains {
		d.Domains = append(d.Domains, trustedDomain(domain, now))
	}
	return d
}

func trustedDomain(d trust.Domain, now time.Time) TrustedDomain {
	contents := d.Contents()
	doc := TrustedDomain{
		Name: d.Name, Instance: d.Instance, Origin: d.Origin, SHA256: d.SHA256.String(),
		CurrentAt: instant(d.Date),
		Requires: RequirementsDocument{
			CertificateTimestamps: d.Require.SCTs, LogEntries: d.Require.LogEntries,
			ObserverTimestamps: d.Require.ObserverTimestamps, SignedTimestamps: d.Require.SignedTimestamps,
		},
		CertificateAuthorities: authorities(contents.Authorities),
		TransparencyLogs:       logs(contents.TransparencyLogs),
		CertificateLogs:        logs(contents.CertificateLogs),
		TimestampAuthorities:   authorities(contents.TimestampAuthorities),
	}
	if !d.Date.IsZero() {
		age := int64(d.Age(now) / time.Second)
		doc.AgeSeconds = &age
	}
	if m := d.TUF; m != nil {
		doc.TUF = &TUFDocument{
			Repository: m.Repository, Root: m.Root, Timestamp: m.Timestamp,
			Snapshot: m.Snapshot, Targets: m.Targets, Expires: instant(m.Expires),
		}
	}
	return doc
}

func authorities(all []trust.Authority) []AuthorityDocument {
	docs := []AuthorityDocument{}
	for _, a := range all {
		doc := AuthorityDocument{URI: a.URI, ValidFrom: instant(a.From), ValidUntil: instant(a.Until), Certificates: []CertificateDocument{}}
		for _, c := range a.Chain {
			doc.Certificates = append(doc.Certificates, CertificateDocument{
				Subject: c.Subject, SHA256: c.SHA256.String(), NotBefore: instant(c.NotBefore), NotAfter: instant(c.NotAfter),
			})
		}
		docs = append(docs, doc)
	}
	return docs
}

func logs(all []trust.LogKey) []LogDocument {
	docs := []LogDocument{}
	for _, l := range all {
		docs = append(docs, LogDocument{
			URL: l.URL, KeyID: l.ID, Key: l.Key, Rekor: l.Rekor, ValidFrom: instant(l.From), ValidUntil: instant(l.Until),
		})
	}
	return docs
}

// instant writes a time, and nothing for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// WriteTrustJSON writes the document.
func WriteTrustJSON(w io.Writer, d TrustDocument) error { return writeJSON(w, d) }

// WriteTrustText writes the document for people.
func WriteTrustText(w io.Writer, d TrustDocument) error {
	var p page
	for i, domain := range d.Domains {
		if i > 0 {
			p.line("")
		}
		domain.write(&p)
	}
	for _, w := range d.Warnings {
		p.line("warning: %s", printable(w))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func (d TrustedDomain) write(p *page) {
	p.line("%s", printable(d.Name))
	detail := func(name, value string) {
		if value != "" {
			p.line("  %-13s %s", name, printable(value))
		}
	}
	detail("instance", d.Instance)
	detail("from", d.Origin)
	if m := d.TUF; m != nil {
		detail("repository", m.Repository)
		detail("versions", fmt.Sprintf("root %d, timestamp %d, snapshot %d, targets %d; expires %s",
			m.Root, m.Timestamp, m.Snapshot, m.Targets, m.Expires))
	}
	if d.AgeSeconds != nil {
		detail("current at", fmt.Sprintf("%s, %s", d.CurrentAt, ago(*d.AgeSeconds)))
	}
	detail("sha256", d.SHA256)
	detail("demands", d.Requires.words())
	writeAuthorities(p, "authority", d.CertificateAuthorities)
	writeLogs(p, "log", d.TransparencyLogs)
	writeLogs(p, "cert. log", d.CertificateLogs)
	writeAuthorities(p, "time stamps", d.TimestampAuthorities)
}

// ago words an age.
func ago(seconds int64) string {
	var zero time.Time
	return humanize.RelTime(zero, zero.Add(time.Duration(seconds)*time.Second), "ago", "from now")
}

// words says what a certificate must bring.
func (r RequirementsDocument) words() string {
	var parts []string
	for _, part := range []struct {
		n    int
		name string
	}{
		{r.CertificateTimestamps, "signed certificate timestamp"},
		{r.LogEntries, "transparency-log entry"},
		{r.ObserverTimestamps, "observed time (log's promise or time stamp)"},
		{r.SignedTimestamps, "signed time stamp"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.name))
		}
	}
	return strings.Join(parts, ", ")
}

func writeAuthorities(p *page, name string, all []AuthorityDocument) {
	for _, a := range all {
		p.line("  %-13s %s, %s", name, printable(a.URI), window(a.ValidFrom, a.ValidUntil))
		for _, c := range a.Certificates {
			p.line("  %-13s   %s, sha256:%s", "", printable(c.Subject), c.SHA256)
		}
	}
}

func writeLogs(p *page, name string, all []LogDocument) {
	for _, l := range all {
		version := ""
		if l.Rekor > 0 {
			version = fmt.Sprintf(" (Rekor v%d)", l.Rekor)
		}
		p.line("  %-13s %s%s, %s", name, printable(l.URL), version, window(l.ValidFrom, l.ValidUntil))
		p.line("  %-13s   %s, id %s", "", l.Key, l.KeyID)
	}
}

// window words a validity.
func window(from, until string) string {
	day := func(s string) string { return strings.SplitN(s, "T", 2)[0] }
	switch {
	case from == "" && until == "":
		return "valid without limits"
	case from == "":
		return "valid until " + day(until)
	case until == "":
		return "valid from " + day(from)
	}
	return "valid from " + day(from) + " to " + day(until)
}
