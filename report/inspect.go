package report

import (
	"io"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// An InspectDocument says what a document of evidence holds, and how much of it
// is genuine. No publisher was compared. docs/inspect.schema.json describes it.
type InspectDocument struct {
	Schema    int                  `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Tool      Tool                 `json:"tool"`
	Origin    string               `json:"origin" jsonschema:"description=the file or address that was read\\, - for standard input"`
	Format    attestation.Format   `json:"format" jsonschema:"enum=sigstore-bundle,enum=json-lines,enum=json-array,enum=pep740-provenance,enum=pep740-attestation,enum=github-attestations"`
	Snappy    bool                 `json:"snappy" jsonschema:"description=it came as a snappy block"`
	Artifact  DigestPair           `json:"artifact" jsonschema:"description=what the bundles were compared with; empty for nothing"`
	Domains   []InspectedDomain    `json:"trust_domains" jsonschema:"description=the trusted roots in use"`
	Bundles   []InspectedBundle    `json:"bundles"`
	Elsewhere []InspectedReference `json:"elsewhere" jsonschema:"description=bundles that the document names the address of and does not hold; none of them was looked at"`
	Notice    string               `json:"notice" jsonschema:"description=what genuine does not mean"`
	Summary   InspectSummary       `json:"summary"`
	Warnings  []string             `json:"warnings"`
}

// An InspectedDomain is a trusted root in use.
type InspectedDomain struct {
	Name   string `json:"name"`
	Origin string `json:"origin"`
}

// An InspectedBundle is one bundle, and how much of it verifies.
type InspectedBundle struct {
	Index       int                `json:"index" jsonschema:"description=its place among the bundles\\, from 0"`
	Genuine     bool               `json:"genuine" jsonschema:"description=signature\\, certificate\\, log entry and time all verify; nothing is said about who signed"`
	TrustDomain string             `json:"trust_domain,omitempty" jsonschema:"description=that the certificate chains to"`
	Code        verify.Code        `json:"code,omitempty" jsonschema:"description=a stable name for the first failure"`
	Reason      string             `json:"reason,omitempty"`
	Hint        string             `json:"hint,omitempty"`
	Detail      string             `json:"detail,omitempty" jsonschema:"description=the verifying library's account\\, not stable"`
	MediaType   string             `json:"media_type,omitempty" jsonschema:"description=as the bundle calls itself; nobody signs it"`
	Checks      []InspectedCheck   `json:"checks"`
	Domains     []InspectedAccount `json:"domains" jsonschema:"description=what each trusted root makes of it"`
	Verified    *InspectedContent  `json:"verified,omitempty" jsonschema:"description=what it says\\, all of it verified"`
	Unverified  *InspectedContent  `json:"unverified,omitempty" jsonschema:"description=what it says\\, none of it verified"`
}

// An InspectedCheck is what became of one check.
type InspectedCheck struct {
	Name    verify.CheckName `json:"name" jsonschema:"enum=digest,enum=certificate,enum=sct,enum=log-entry,enum=time,enum=signature"`
	Outcome verify.Outcome   `json:"outcome" jsonschema:"enum=holds,enum=fails,enum=not-checked,enum=not-required"`
	Reason  string           `json:"reason"`
}

// An InspectedAccount is what one trusted root makes of a bundle.
type InspectedAccount struct {
	Name     string `json:"name"`
	Issued   bool   `json:"issued" jsonschema:"description=the certificate chains to an authority of it"`
	Verified bool   `json:"verified"`
	Reason   string `json:"reason,omitempty"`
}

// An InspectedContent is what a bundle says, sorted for people.
type InspectedContent struct {
	Publisher   string           `json:"publisher,omitempty" jsonschema:"description=the signer as a recipe names it"`
	Workflow    string           `json:"workflow,omitempty" jsonschema:"description=the file that signed\\, within its repository"`
	Reusable    string           `json:"reusable_workflow_of,omitempty" jsonschema:"description=the repository of the signing workflow\\, where that is not the one that was built"`
	Environment string           `json:"deployment_environment,omitempty"`
	ValidFrom   *time.Time       `json:"certificate_not_before,omitempty"`
	ValidUntil  *time.Time       `json:"certificate_not_after,omitempty"`
	Predicate   []InspectedFact  `json:"predicate,omitempty" jsonschema:"description=notable facts of the predicate"`
	Content     *ContentDocument `json:"content"`
}

// An InspectedFact is one thing that a predicate says.
type InspectedFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// An InspectedReference is where a bundle lies that the document does not hold.
type InspectedReference struct {
	Item         int    `json:"item" jsonschema:"description=its place in the document\\, from 0"`
	RepositoryID string `json:"repository_id,omitempty"`
	BundleURL    string `json:"bundle_url" jsonschema:"description=without the values of its query\\, which may be secret"`
}

// An InspectSummary counts bundles.
type InspectSummary struct {
	Bundles    int `json:"bundles"`
	Genuine    int `json:"genuine"`
	SpeakOf    int `json:"genuine_and_of_artifact" jsonschema:"description=genuine ones that list the artifact's digest; 0 without an artifact"`
	Elsewhere  int `json:"elsewhere"`
	ExitStatus int `json:"exit_status" jsonschema:"enum=0,enum=1,enum=3"`
}

// Inspected is what [Inspect] describes.
type Inspected struct {
	Version     string // of the program
	Origin      string
	Document    attestation.Document
	Inspections []verify.Inspection // of the document's candidates, in order
	Roots       *trust.Roots
	SHA256      *digest.SHA256 // what the bundles were compared with, or nil
}

const (
	noticeGenuine = "genuine says that a bundle is what its signer made; whether the signer is the publisher that you expect is for you, or for recipe-verify verify, to say"
	noticeNothing = "no bundle is genuine, so nothing of what they say is proven"
)

// Inspect describes a document of evidence. Its exit status is 1 if a bundle is
// not genuine, or if there is an artifact and no genuine bundle speaks of it;
// else 3 if a bundle lies elsewhere; else 0.
func Inspect(in Inspected) InspectDocument {
	d := InspectDocument{
		Schema: SchemaVersion, Tool: Tool{Name: "recipe-verify", Version: in.Version},
		Origin: in.Origin, Format: in.Document.Format, Snappy: in.Document.Snappy,
		Domains: []InspectedDomain{}, Bundles: []InspectedBundle{}, Elsewhere: []InspectedReference{},
		Notice: noticeNothing, Warnings: list(in.Roots.Warnings),
	}
	if in.SHA256 != nil {
		d.Artifact.SHA256 = in.SHA256.String()
	}
	for _, r := range in.Roots.Domains {
		d.Domains = append(d.Domains, InspectedDomain{r.Name, r.Origin})
	}
	for i, inspection := range in.Inspections {
		b := inspected(inspection, in.Document.Candidates[i])
		d.Bundles = append(d.Bundles, b)
		if b.Genuine {
			d.Summary.Genuine++
			d.Notice = noticeGenuine
		}
		if b.Genuine && b.outcome(verify.CheckDigest) == verify.Holds {
			d.Summary.SpeakOf++
		}
	}
	for _, r := range in.Document.Elsewhere {
		d.Elsewhere = append(d.Elsewhere, InspectedReference{r.Item, r.RepositoryID, fetch.Redact(r.URL)})
	}
	d.Summary.Bundles, d.Summary.Elsewhere = len(d.Bundles), len(d.Elsewhere)
	d.Summary.ExitStatus = d.status()
	return d
}

func (d InspectDocument) status() int {
	s := d.Summary
	switch {
	case s.Genuine < s.Bundles, d.Artifact.SHA256 != "" && s.SpeakOf == 0 && s.Elsewhere == 0:
		return audit.StatusRejected
	case s.Elsewhere > 0:
		return audit.StatusUnavailable
	case s.Genuine == 0:
		return audit.StatusRejected // nothing was looked at, which proves nothing
	}
	return audit.StatusOK
}

func (b InspectedBundle) outcome(name verify.CheckName) verify.Outcome {
	for _, c := range b.Checks {
		if c.Name == name {
			return c.Outcome
		}
	}
	return verify.NotChecked
}

func inspected(in verify.Inspection, c attestation.Candidate) InspectedBundle {
	b := InspectedBundle{
		Index: in.Index, Genuine: in.Genuine, TrustDomain: in.Domain,
		Code: in.Code, Reason: in.Reason, Hint: in.Hint, Detail: in.Detail,
		MediaType: mediaType(in.Content),
		Checks:    []InspectedCheck{}, Domains: []InspectedAccount{},
	}
	for _, check := range in.Checks {
		b.Checks = append(b.Checks, InspectedCheck(check))
	}
	for _, a := range in.Domains {
		b.Domains = append(b.Domains, InspectedAccount{a.Name, a.Issued, a.Verified, a.Reason})
	}
	if in.Content == nil {
		return b
	}
	if in.Genuine {
		b.Verified = inspectedContent(in.Content, c)
	} else {
		b.Unverified = inspectedContent(in.Content, c)
	}
	return b
}

// inspectedContent sorts what a bundle says. The predicate is read from the
// candidate, whose statement is the very one that was verified, if it was.
func inspectedContent(c *verify.Content, candidate attestation.Candidate) *InspectedContent {
	cert := c.Certificate
	d := &InspectedContent{
		Publisher: cert.Identity().Publisher(), Workflow: workflowFile(cert),
		Reusable: reusableOf(cert), Environment: cert.Environment, Content: content(c),
	}
	if c.Release != nil {
		d.Publisher = "github:" + c.Release.Repository
	}
	if !cert.NotBefore.IsZero() {
		from, until := cert.NotBefore.UTC(), cert.NotAfter.UTC()
		d.ValidFrom, d.ValidUntil = &from, &until
	}
	claims, err := candidate.Unverified()
	if err != nil {
		return d // what can be read of it is in c
	}
	for _, f := range claims.Facts() {
		d.Predicate = append(d.Predicate, InspectedFact(f))
	}
	return d
}

// workflowFile is the file that signed, within its repository, or "" if the
// signer is no repository's.
func workflowFile(c verify.Certificate) string {
	repository := c.Identity().Repository()
	const scheme = "https://"
	if repository == "" || len(c.SAN) <= len(scheme)+len(repository) {
		return ""
	}
	file := strings.TrimLeft(c.SAN[len(scheme)+len(repository):], "/")
	if i := strings.Index(file, "@refs/"); i >= 0 {
		return file[:i]
	}
	if i := strings.LastIndexByte(file, '@'); i >= 0 {
		return file[:i]
	}
	return file
}

// reusableOf is the repository of the workflow that signed, if another one was
// built.
func reusableOf(c verify.Certificate) string {
	signer := c.Identity().Repository()
	built := strings.TrimPrefix(strings.ToLower(c.SourceRepository), "https://")
	if signer == "" || built == "" || signer == built {
		return ""
	}
	return "https://" + signer
}

// WriteInspectJSON writes the document.
func WriteInspectJSON(w io.Writer, d InspectDocument) error { return writeJSON(w, d) }
