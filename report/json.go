package report

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

// SchemaVersion is the version of the JSON document. It grows when a field
// changes its meaning or goes away; new fields leave it as it is.
const SchemaVersion = 1

// JSON writes one document when the run ends. docs/report.schema.json describes
// it.
type JSON struct {
	W       io.Writer
	Version string // of the program

	document Document
}

// A Document is the JSON report.
type Document struct {
	Schema  int            `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Tool    Tool           `json:"tool"`
	Policy  PolicyDocument `json:"policy" jsonschema:"description=what was enforced"`
	Results []SourceResult `json:"results" jsonschema:"description=one for each distinct source, in the recipes' order"`
	Summary SummaryCounts  `json:"summary"`
}

// A Tool names the program that wrote the document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A PolicyDocument is what was enforced.
type PolicyDocument struct {
	Publishers          string   `json:"publishers" jsonschema:"enum=any,enum=all"`
	RequireAttestations bool     `json:"require_attestations"`
	MetadataOnly        bool     `json:"metadata_only" jsonschema:"description=archives were not fetched"`
	Offline             bool     `json:"offline"`
	PredicateTypes      []string `json:"predicate_types" jsonschema:"description=accepted where a recipe lists none of its own"`
	TrustedRoots        []string `json:"trusted_roots"`
	Mirrors             []string `json:"mirrors"`
	Config              string   `json:"config,omitempty"`
	ImmutableReleases   bool     `json:"immutable_releases" jsonschema:"description=GitHub's own attestations of immutable releases count"`
	Locked              bool     `json:"locked,omitempty" jsonschema:"description=sources must be signed by those whom the recipe's lock file names"`
	// Statements are what the policy file says about sources and signers.
	Statements []ReasonDocument `json:"statements,omitempty" jsonschema:"description=what the policy file demands of sources and signers\\, and allows them"`
}

// A ReasonDocument is a part of a policy.
type ReasonDocument struct {
	Kind     policy.ReasonKind `json:"kind" jsonschema:"enum=require,enum=exception,enum=exception-ended,enum=publishers,enum=publishers-in-part,enum=bound-publishers,enum=rule,enum=reusable-workflow,enum=issuers"`
	Position string            `json:"position" jsonschema:"description=file:line:column in the policy file\\, or the flag"`
	Text     string            `json:"text"`
}

func reasons(list []policy.Reason) []ReasonDocument {
	var documents []ReasonDocument
	for _, r := range list {
		documents = append(documents, ReasonDocument{r.Kind, r.Position.String(), r.Text})
	}
	return documents
}

// A SourceResult is what became of one source.
type SourceResult struct {
	Recipe            string               `json:"recipe"`
	Position          string               `json:"position" jsonschema:"description=file:line:column of the source"`
	Outputs           []string             `json:"outputs"`
	TargetPlatforms   []string             `json:"target_platforms"`
	URLs              []string             `json:"urls" jsonschema:"description=as the recipe gives them"`
	Other             string               `json:"other,omitempty" jsonschema:"description=a source that is no URL"`
	Publishers        []string             `json:"publishers" jsonschema:"description=as the recipe names them\\, or the policy where it does not"`
	Policy            []ReasonDocument     `json:"policy,omitempty" jsonschema:"description=what of the policy applied\\, and where it stands"`
	Address           string               `json:"address,omitempty" jsonschema:"description=what the archive was fetched from"`
	Pinned            DigestPair           `json:"pinned"`
	Measured          DigestPair           `json:"measured" jsonschema:"description=empty if the archive was not read to its end"`
	Bytes             int64                `json:"bytes"`
	Resolver          string               `json:"resolver,omitempty"`
	EvidenceAddresses []string             `json:"evidence_addresses"`
	Bundles           []BundleDocument     `json:"bundles" jsonschema:"description=every bundle that was considered"`
	Verdict           audit.Verdict        `json:"verdict" jsonschema:"enum=verified,enum=unattested,enum=missing,enum=mismatch,enum=invalid,enum=unavailable,enum=error,enum=skipped"`
	Code              audit.Code           `json:"code" jsonschema:"description=a stable name for the reason"`
	Message           string               `json:"message"`
	Hint              string               `json:"hint,omitempty"`
	Warnings          []publishers.Warning `json:"warnings,omitempty" jsonschema:"description=what is unusual about the source and its evidence together; bundles have warnings of their own"`
	Faults            []FaultDocument      `json:"faults,omitempty" jsonschema:"description=the recipe's faults"`
}

// A DigestPair holds digests in lower-case hexadecimal digits.
type DigestPair struct {
	SHA256 string `json:"sha256,omitempty" jsonschema:"pattern=^[0-9a-f]{64}$"`
	MD5    string `json:"md5,omitempty" jsonschema:"pattern=^[0-9a-f]{32}$"`
}

// A FaultDocument is one fault of a recipe.
type FaultDocument struct {
	Position string `json:"position"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// A BundleDocument is the account of one bundle.
type BundleDocument struct {
	Origin     string               `json:"origin"`
	Index      int                  `json:"index"`
	Format     attestation.Format   `json:"format"`
	MediaType  string               `json:"media_type,omitempty" jsonschema:"description=as the bundle calls itself; nobody signs it"`
	Status     verify.Status        `json:"status" jsonschema:"enum=counted,enum=set-aside,enum=mismatch,enum=invalid"`
	Code       verify.Code          `json:"code,omitempty"`
	Reason     string               `json:"reason,omitempty"`
	Publisher  string               `json:"publisher,omitempty" jsonschema:"description=the publisher that it counted for"`
	Warnings   []publishers.Warning `json:"warnings,omitempty" jsonschema:"description=what is unusual about a bundle that counted"`
	Domain     string               `json:"trust_domain,omitempty"`
	Verified   *ContentDocument     `json:"verified,omitempty" jsonschema:"description=what it says\\, all of it verified"`
	Unverified *ContentDocument     `json:"unverified,omitempty" jsonschema:"description=what it says\\, none of it verified"`
}

// A ContentDocument is what a bundle says.
type ContentDocument struct {
	PredicateType string              `json:"predicate_type,omitempty"`
	Subjects      []SubjectDocument   `json:"subjects"`
	SAN           string              `json:"san,omitempty"`
	SANType       string              `json:"san_type,omitempty" jsonschema:"enum=uri,enum=email,enum=other"`
	Issuer        string              `json:"issuer,omitempty"`
	Extensions    *ExtensionsDocument `json:"certificate_extensions,omitempty"`
	LogEntries    []LogEntryDocument  `json:"log_entries"`
	Time          *time.Time          `json:"time,omitempty" jsonschema:"description=when the signature was proven to exist"`
	TimeSource    string              `json:"time_source,omitempty"`
	Release       *publishers.Release `json:"release,omitempty"`
}

// A SubjectDocument is one thing that a statement speaks of.
type SubjectDocument struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

// An ExtensionsDocument holds Fulcio's certificate extensions.
type ExtensionsDocument struct {
	BuildSignerURI       string `json:"build_signer_uri,omitempty"`
	BuildSignerDigest    string `json:"build_signer_digest,omitempty"`
	RunnerEnvironment    string `json:"runner_environment,omitempty"`
	SourceRepository     string `json:"source_repository_uri,omitempty"`
	SourceDigest         string `json:"source_repository_digest,omitempty"`
	SourceRef            string `json:"source_repository_ref,omitempty"`
	SourceRepositoryID   string `json:"source_repository_identifier,omitempty"`
	SourceOwner          string `json:"source_repository_owner_uri,omitempty"`
	SourceOwnerID        string `json:"source_repository_owner_identifier,omitempty"`
	BuildConfigURI       string `json:"build_config_uri,omitempty"`
	BuildConfigDigest    string `json:"build_config_digest,omitempty"`
	BuildTrigger         string `json:"build_trigger,omitempty"`
	RunInvocationURI     string `json:"run_invocation_uri,omitempty"`
	RepositoryVisibility string `json:"source_repository_visibility,omitempty"`
	Environment          string `json:"deployment_environment,omitempty"`
}

// A LogEntryDocument is an entry of a transparency log.
type LogEntryDocument struct {
	Log     string     `json:"log,omitempty"`
	Index   *int64     `json:"index,omitempty"`
	Kind    string     `json:"kind"`
	Time    *time.Time `json:"integrated_time,omitempty"`
	Search  string     `json:"search_url,omitempty"`
	Promise bool       `json:"promise_only,omitempty" jsonschema:"description=the log's signed promise alone proves the entry"`
}

// SummaryCounts are the counts at the end.
type SummaryCounts struct {
	Recipes    int                   `json:"recipes"`
	Sources    int                   `json:"sources"`
	Verdicts   map[audit.Verdict]int `json:"verdicts"`
	ExitStatus int                   `json:"exit_status" jsonschema:"enum=0,enum=1,enum=2,enum=3,enum=130"`
	Warnings   []string              `json:"warnings"`
}

// Start implements [Handler].
func (j *JSON) Start(p audit.Policy) error {
	j.document = Document{
		Schema:  SchemaVersion,
		Tool:    Tool{Name: "recipe-verify", Version: j.Version},
		Policy:  policyDocument(p),
		Results: []SourceResult{},
	}
	return nil
}

func policyDocument(p audit.Policy) PolicyDocument {
	d := PolicyDocument{
		Publishers:          "any",
		RequireAttestations: p.RequireAttestations,
		MetadataOnly:        p.NoDownload,
		Offline:             p.Offline,
		PredicateTypes:      list(p.PredicateTypes),
		TrustedRoots:        list(p.TrustedRoots),
		Mirrors:             list(p.Mirrors),
		Config:              p.ConfigFile,
		Locked:              p.Locked,
		ImmutableReleases:   p.File == nil || !p.File.NoImmutableReleases,
		Statements:          reasons(p.File.Statements(time.Now())),
	}
	if p.Match == verify.All {
		d.Publishers = "all"
	}
	return d
}

// Result implements [Handler].
func (j *JSON) Result(r audit.Result) error {
	j.document.Results = append(j.document.Results, sourceResult(r))
	return nil
}

func sourceResult(r audit.Result) SourceResult {
	d := SourceResult{
		Recipe:            r.Recipe,
		Position:          where(r),
		Outputs:           list(r.Outputs),
		TargetPlatforms:   list(r.Platforms),
		URLs:              redacted(r.URLs),
		Other:             r.Other,
		Publishers:        list(r.Publishers),
		Address:           fetch.Redact(r.Address),
		Pinned:            digests(r.Pinned),
		Measured:          digests(r.Measured),
		Bytes:             r.Bytes,
		Resolver:          r.Resolver,
		EvidenceAddresses: redacted(r.EvidenceAddresses),
		Bundles:           []BundleDocument{},
		Verdict:           r.Verdict,
		Code:              r.Code,
		Message:           r.Message,
		Hint:              r.Hint,
		Policy:            reasons(r.Decision.Because),
		Warnings:          r.Warnings,
	}
	for _, b := range r.Bundles {
		d.Bundles = append(d.Bundles, bundle(b))
	}
	for _, f := range r.Faults {
		d.Faults = append(d.Faults, FaultDocument{Position: f.Pos.String(), Message: f.Message, Hint: f.Hint})
	}
	return d
}

// list keeps a list without elements from becoming null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// redacted hides what may be secret in addresses.
func redacted(addresses []string) []string {
	shown := make([]string, len(addresses))
	for i, a := range addresses {
		shown[i] = fetch.Redact(a)
	}
	return shown
}

func digests(d audit.Digests) DigestPair {
	var p DigestPair
	if !d.SHA256.IsZero() {
		p.SHA256 = d.SHA256.String()
	}
	if d.MD5 != (digest.MD5{}) {
		p.MD5 = d.MD5.String()
	}
	return p
}

func bundle(b verify.Bundle) BundleDocument {
	return BundleDocument{
		Origin: fetch.Redact(b.Origin), Index: b.Index, Format: b.Format,
		Status: b.Status, Code: b.Code, Reason: b.Reason,
		Publisher: b.Publisher, Warnings: b.Warnings, Domain: b.Domain,
		MediaType: mediaType(b.Verified, b.Unverified),
		Verified:  content(b.Verified), Unverified: content(b.Unverified),
	}
}

// mediaType is a bundle's own name for its form. It lies outside of everything
// that is signed, and so does not stand among what is verified.
func mediaType(contents ...*verify.Content) string {
	for _, c := range contents {
		if c != nil && c.MediaType != "" {
			return c.MediaType
		}
	}
	return ""
}

func content(c *verify.Content) *ContentDocument {
	if c == nil {
		return nil
	}
	d := &ContentDocument{
		PredicateType: c.PredicateType,
		Subjects:      []SubjectDocument{},
		SAN:           c.Certificate.SAN,
		SANType:       sanType(c.Certificate.SANKind),
		Issuer:        c.Certificate.Issuer,
		Extensions:    extensions(c.Certificate),
		LogEntries:    []LogEntryDocument{},
		TimeSource:    c.TimeSource,
		Release:       c.Release,
	}
	for _, s := range c.Subjects {
		d.Subjects = append(d.Subjects, SubjectDocument{Name: s.Name, URI: s.URI, Digest: s.Digests})
	}
	for _, e := range c.LogEntries {
		d.LogEntries = append(d.LogEntries, logEntry(e))
	}
	if !c.Time.IsZero() {
		t := c.Time.UTC()
		d.Time = &t
	}
	return d
}

func sanType(k publishers.NameKind) string {
	switch k {
	case publishers.URIName:
		return "uri"
	case publishers.EmailName:
		return "email"
	case publishers.OtherName:
		return "other"
	}
	return ""
}

// sanKind is the inverse of sanType.
func sanKind(name string) publishers.NameKind {
	for _, k := range []publishers.NameKind{publishers.URIName, publishers.EmailName, publishers.OtherName} {
		if sanType(k) == name {
			return k
		}
	}
	return 0
}

func logEntry(e verify.LogEntry) LogEntryDocument {
	d := LogEntryDocument{Log: e.Log, Kind: e.Kind, Search: e.SearchURL(), Promise: e.Promise}
	if e.Index >= 0 {
		d.Index = &e.Index
	}
	if !e.Time.IsZero() {
		d.Time = &e.Time
	}
	return d
}

func extensions(c verify.Certificate) *ExtensionsDocument {
	d := ExtensionsDocument{
		BuildSignerURI: c.BuildSignerURI, BuildSignerDigest: c.BuildSignerDigest, RunnerEnvironment: c.RunnerEnvironment,
		SourceRepository: c.SourceRepository, SourceDigest: c.SourceDigest, SourceRef: c.SourceRef,
		SourceRepositoryID: c.SourceRepositoryID, SourceOwner: c.SourceOwner, SourceOwnerID: c.SourceOwnerID,
		BuildConfigURI: c.BuildConfigURI, BuildConfigDigest: c.BuildConfigDigest, BuildTrigger: c.BuildTrigger,
		RunInvocationURI: c.RunInvocationURI, RepositoryVisibility: c.RepositoryVisibility,
		Environment: c.Environment,
	}
	if d == (ExtensionsDocument{}) {
		return nil
	}
	return &d
}

// End implements [Handler].
func (j *JSON) End(s audit.Summary) error {
	j.document.Summary = summaryCounts(s)
	return writeJSON(j.W, j.document)
}

func summaryCounts(s audit.Summary) SummaryCounts {
	c := SummaryCounts{
		Recipes: s.Recipes, Sources: s.Sources, Verdicts: s.Verdicts,
		ExitStatus: s.Status, Warnings: list(s.Warnings),
	}
	if c.Verdicts == nil {
		c.Verdicts = map[audit.Verdict]int{}
	}
	return c
}

// writeJSON writes a document in one piece. Characters that a terminal may act
// on, or that change the direction of writing, are escaped as in text; outside
// of strings a document has none.
func writeJSON(w io.Writer, document any) error {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(printableJSON(plain.Bytes()))
	return err
}
