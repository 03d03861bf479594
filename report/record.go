package report

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/verify"
)

// AuditSchema is the version of the audit report's lines. It grows when a field
// changes its meaning or goes away; new fields leave it as it is.
const AuditSchema = 1

// A Writer writes one report of an audit from plain data, so that any format can
// be made of a report in JSON without anything else. Its methods are called from
// one goroutine: Header once, Record for each source in order, Footer once.
// After an error nothing more is called. Records are not changed, and not kept.
type Writer interface {
	Header(*Header) error
	Record(*Record) error
	Footer(*Footer) error
}

// A Header says what was audited, and how. It holds no time, so that two runs
// over the same give the same bytes.
type Header struct {
	Schema   int            `json:"schema" jsonschema:"enum=1,description=version of these lines' form"`
	Tool     Tool           `json:"tool"`
	Policy   PolicyDocument `json:"policy" jsonschema:"description=what was enforced"`
	Recipes  int            `json:"recipes" jsonschema:"description=how many were to be read"`
	Set      string         `json:"set" jsonschema:"description=SHA-256 of the recipes' names\\, for reports that are parts of one"`
	Discover bool           `json:"discover" jsonschema:"description=evidence was looked for where no publisher is named"`
	Since    string         `json:"since,omitempty" jsonschema:"description=SHA-256 of the earlier report that this one is compared with"`
	Shard    string         `json:"shard,omitempty" jsonschema:"description=which part this is: I/N"`
	Date     string         `json:"date,omitempty" jsonschema:"description=as the user gave it\\, RFC 3339"`
}

// A Record is what became of one source.
type Record struct {
	// Place orders records: the recipe's index in the run, and the source's in
	// the recipe.
	Place [2]int `json:"place" jsonschema:"description=index of the recipe in the run\\, and of the source in the recipe"`
	// Key names the source and what was demanded of it, for --resume.
	Key string `json:"key" jsonschema:"description=names the source and what was demanded of it"`
	SourceResult
	Host    string           `json:"host,omitempty" jsonschema:"description=of the first address"`
	Package string           `json:"package,omitempty" jsonschema:"description=the first output that uses the source"`
	Version string           `json:"version,omitempty"`
	Finding *FindingDocument `json:"finding,omitempty" jsonschema:"description=what was found out about a source for which no publisher is named"`
	Changes []Change         `json:"changes,omitempty" jsonschema:"description=what differs from the earlier report"`
	// Shortened tells that the record was too large for a report.
	Shortened bool `json:"shortened,omitempty" jsonschema:"description=texts and lists were cut because there was too much of them"`
}

// A FindingDocument is what was found out about a source for which no publisher
// is named.
type FindingDocument struct {
	Kind        audit.FindingKind `json:"kind" jsonschema:"enum=attestable,enum=not-attestable,enum=no-evidence,enum=not-asked,enum=unknown"`
	Genuine     bool              `json:"genuine" jsonschema:"description=the evidence verifies"`
	Publisher   string            `json:"publisher,omitempty" jsonschema:"description=who signed it\\, as a recipe would name him"`
	BundleURLs  []string          `json:"bundle_urls,omitempty" jsonschema:"description=what the attestation block would have to name"`
	Replacement string            `json:"replacement,omitempty" jsonschema:"description=the release's asset that could stand in place of an archive that is not attestable"`
	Detail      string            `json:"detail"`
}

// A Change is what differs between two reports about a source, or about another
// version of it.
type Change struct {
	Kind      ChangeKind `json:"kind" jsonschema:"enum=evidence-disappeared,enum=publisher-changed,enum=issuer-changed,enum=workflow-changed,enum=predicate-changed,enum=repository-id-changed,enum=owner-id-changed,enum=new-failure"`
	Before    string     `json:"before,omitempty"`
	After     string     `json:"after,omitempty"`
	Downgrade bool       `json:"downgrade"`
}

// A ChangeKind names a change.
type ChangeKind string

// The kinds of changes.
const (
	EvidenceDisappeared ChangeKind = "evidence-disappeared"
	PublisherChanged    ChangeKind = "publisher-changed"
	IssuerChanged       ChangeKind = "issuer-changed"
	WorkflowChanged     ChangeKind = "workflow-changed"
	PredicateChanged    ChangeKind = "predicate-changed"
	RepositoryIDChanged ChangeKind = "repository-id-changed"
	OwnerIDChanged      ChangeKind = "owner-id-changed"
	NewFailure          ChangeKind = "new-failure"
)

// Downgrade tells whether some change of the record is one.
func (r *Record) Downgrade() bool {
	for _, c := range r.Changes {
		if c.Downgrade {
			return true
		}
	}
	return false
}

// A Footer counts what the records say.
type Footer struct {
	SummaryCounts
	// Complete tells that every recipe was looked at.
	Complete bool `json:"complete" jsonschema:"description=every recipe was looked at"`
	// Codes, Findings and Hosts count records; Hosts by host and verdict or
	// finding.
	Codes      map[audit.Code]int        `json:"codes"`
	Findings   map[audit.FindingKind]int `json:"findings"`
	Hosts      map[string]HostCounts     `json:"hosts" jsonschema:"description=URL sources by the host of their first address"`
	Downgrades int                       `json:"downgrades" jsonschema:"description=records with a change for the worse"`
}

// HostCounts are the URL sources of one host.
type HostCounts struct {
	Sources       int `json:"sources"`
	Verified      int `json:"verified"`
	Failed        int `json:"failed" jsonschema:"description=missing\\, mismatch or invalid"`
	Unavailable   int `json:"unavailable"`
	Attestable    int `json:"attestable" jsonschema:"description=unattested\\, with evidence"`
	NotAttestable int `json:"not_attestable"`
}

// MaxHosts is the most hosts that are counted by name; the sources of later ones
// are counted together, with those whose address names none.
const MaxHosts = 2000

const otherHost = "(other)"

// NewFooter has counted nothing.
func NewFooter() *Footer {
	return &Footer{
		SummaryCounts: SummaryCounts{Verdicts: map[audit.Verdict]int{}, Warnings: []string{}},
		Codes:         map[audit.Code]int{}, Findings: map[audit.FindingKind]int{}, Hosts: map[string]HostCounts{},
	}
}

// Add counts a record.
func (f *Footer) Add(r *Record) {
	f.Sources++
	f.Verdicts[r.Verdict]++
	f.Codes[r.Code]++
	f.ExitStatus = audit.WorseStatus(f.ExitStatus, r.Verdict.Status())
	if r.Finding != nil {
		f.Findings[r.Finding.Kind]++
	}
	if r.Downgrade() {
		f.Downgrades++
	}
	if r.Host == "" {
		return
	}
	host := r.Host
	if _, known := f.Hosts[host]; !known && len(f.Hosts) >= MaxHosts {
		host = otherHost
	}
	h := f.Hosts[host]
	h.Sources++
	switch r.Verdict {
	case audit.Verified:
		h.Verified++
	case audit.Missing, audit.Mismatch, audit.Invalid:
		h.Failed++
	case audit.Unavailable:
		h.Unavailable++
	}
	if r.Finding != nil {
		switch r.Finding.Kind {
		case audit.Attestable:
			h.Attestable++
		case audit.NotAttestable:
			h.NotAttestable++
		}
	}
	f.Hosts[host] = h
}

// NewHeader makes a header of what a run enforces.
func NewHeader(p audit.Policy, version string) *Header {
	return &Header{Schema: AuditSchema, Tool: Tool{Name: "recipe-verify", Version: version}, Policy: policyDocument(p)}
}

// NewRecord makes a record of a result, which fits into a line of a report. Paths
// get slashes, so that reports of several systems can be compared.
func NewRecord(r audit.Result) *Record {
	d := &Record{
		Place: [2]int{r.Place.Recipe, r.Place.Source}, Key: r.Key,
		SourceResult: sourceResult(r),
		Host:         hostOf(r.URLs),
	}
	d.Recipe = filepath.ToSlash(d.Recipe)
	d.Position = filepath.ToSlash(d.Position)
	if len(r.Outputs) > 0 {
		d.Package = r.Outputs[0]
	}
	if v := r.Decision.Terms.Version; len(v) > 0 {
		d.Version = v[0]
	}
	if f := r.Finding; f != nil {
		d.Finding = &FindingDocument{
			Kind: f.Kind, Genuine: f.Genuine, Publisher: f.Publisher,
			BundleURLs: redactedOrNil(f.BundleURLs), Detail: f.Detail,
		}
		if f.Replacement != "" {
			d.Finding.Replacement = redacted([]string{f.Replacement})[0]
		}
	}
	d.bound()
	return d
}

func redactedOrNil(addresses []string) []string {
	if len(addresses) == 0 {
		return nil
	}
	return redacted(addresses)
}

// hostOf is the host of the first address, in lower case and without its port.
func hostOf(urls []string) string {
	if len(urls) == 0 {
		return ""
	}
	u, err := url.Parse(urls[0])
	if err != nil {
		return otherHost
	}
	host := strings.ToLower(u.Hostname())
	if !isHostName(host) {
		return otherHost
	}
	return host
}

// isHostName tells whether a text is one that a host can have: up to 253 visible
// characters (RFC 1035, 2.3.4).
func isHostName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// Signer is what a record's evidence says of who signed: of the bundle that
// counted, or of the first one that verified. It is nil if none did.
func (r *Record) Signer() *ContentDocument {
	var first *ContentDocument
	for _, b := range r.Bundles {
		if b.Verified != nil && (first == nil || b.Status == verify.Counted) {
			if first = b.Verified; b.Status == verify.Counted {
				return first
			}
		}
	}
	return first
}

// When is the proven time of the evidence that [Record.Signer] gives, or zero.
func (r *Record) When() time.Time {
	if s := r.Signer(); s != nil && s.Time != nil {
		return *s.Time
	}
	return time.Time{}
}
