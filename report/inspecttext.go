package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Limits of the text, so that a document cannot flood a terminal. The JSON has
// everything.
const (
	maxShownSubjects = 20
	maxShownValue    = 500 // bytes
)

// WriteInspectText writes the document for people.
func WriteInspectText(w io.Writer, d InspectDocument) error {
	t := inspectText{artifact: d.Artifact.SHA256}
	t.field("", "document", d.title())
	if t.artifact != "" {
		t.field("", "artifact", "sha256:"+t.artifact)
	}
	for _, r := range d.Domains {
		t.field("", "trust", joinNonEmpty(", from: ", r.Name, r.Origin))
	}
	for _, b := range d.Bundles {
		t.line("")
		t.bundle(b, len(d.Bundles))
	}
	for _, r := range d.Elsewhere {
		t.line("")
		t.line("item %d: not looked at, since the bundle lies elsewhere", r.Item)
		if r.RepositoryID != "" {
			t.field("  ", "repository", "id "+r.RepositoryID)
		}
		t.field("  ", "address", r.BundleURL)
		t.field("  ", "hint:", "fetch the bundle_url that the document names, and inspect that")
	}
	t.line("")
	t.line("%s", d.Summary.words(t.artifact != ""))
	t.line("%s", d.Notice)
	for _, warning := range d.Warnings {
		t.line("warning: %s", shown(warning))
	}
	_, err := io.WriteString(w, t.String())
	return err
}

type inspectText struct {
	page
	artifact string
}

// field writes a name and a foreign value, unless the value is empty.
func (t *inspectText) field(indent, name, value string) {
	if value != "" {
		t.line("%s%-11s %s", indent, name, shown(value))
	}
}

// shown makes foreign text safe for a terminal, and no longer than a person
// reads.
func shown(s string) string {
	if len(s) <= maxShownValue {
		return printable(s)
	}
	end := maxShownValue
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes more)", printable(s[:end]), len(s)-end)
}

func (d InspectDocument) title() string {
	what := map[attestation.Format]string{
		attestation.BundleFormat:     "a Sigstore bundle",
		attestation.LinesFormat:      "Sigstore bundles as JSON Lines",
		attestation.ArrayFormat:      "an array of Sigstore bundles",
		attestation.ProvenanceFormat: "a PEP 740 provenance object",
		attestation.PEP740Format:     "a PEP 740 attestation",
		attestation.GitHubFormat:     "an answer of an attestations API",
	}[d.Format]
	if d.Snappy {
		what += ", in a snappy block"
	}
	origin := d.Origin
	if origin == "-" {
		origin = "standard input"
	}
	return origin + ": " + what
}

func (s InspectSummary) words(artifact bool) string {
	noun := "bundles"
	if s.Bundles == 1 {
		noun = "bundle"
	}
	words := fmt.Sprintf("%d %s: %d genuine", s.Bundles, noun, s.Genuine)
	if n := s.Bundles - s.Genuine; n > 0 {
		words += fmt.Sprintf(", %d not", n)
	}
	if s.Elsewhere > 0 {
		words += fmt.Sprintf("; %d more elsewhere, not looked at", s.Elsewhere)
	}
	if artifact {
		words += fmt.Sprintf("; %d genuine and of the artifact", s.SpeakOf)
	}
	return words
}

func (t *inspectText) bundle(b InspectedBundle, all int) {
	name := fmt.Sprintf("bundle %d of %d", b.Index+1, all)
	switch {
	case b.Verified != nil:
		t.line("%s: genuine", name)
		t.content("  ", b.Verified)
		t.field("  ", "media type", b.MediaType)
	default:
		what := "does not verify"
		if b.Unverified == nil {
			what = "is not understood"
		}
		t.line("%s: %s: %s", name, what, shown(b.Reason))
		t.field("  ", "hint:", b.Hint)
		t.field("  ", "detail", b.Detail)
		if b.Unverified != nil {
			t.line("  what it says, and nothing proves:")
			t.content("    ", b.Unverified)
			t.field("    ", "media type", b.MediaType)
		}
	}
	t.line("  checks")
	for _, c := range b.Checks {
		t.line("    %-11s %s: %s", c.Name, outcomeWords(c.Outcome), shown(c.Reason))
	}
	if b.Verified == nil && b.Unverified == nil {
		return // nothing was read that a root could speak of
	}
	t.line("  roots")
	for _, a := range b.Domains {
		t.line("    %-11s %s", shown(a.Name), shown(a.words()))
	}
}

func outcomeWords(o verify.Outcome) string { return strings.ReplaceAll(string(o), "-", " ") }

func (a InspectedAccount) words() string {
	switch {
	case a.Verified:
		return "the bundle verifies"
	case a.Issued:
		return "issued the certificate, and the bundle does not verify: " + a.Reason
	}
	return joinNonEmpty("; ", "did not issue the certificate", a.Reason)
}

func (t *inspectText) content(in string, c *InspectedContent) {
	d := c.Content
	x := ExtensionsDocument{}
	if d.Extensions != nil {
		x = *d.Extensions
	}
	t.field(in, "publisher", c.Publisher)
	if d.Release != nil {
		t.field(in, "release", d.Release.Tag+" of "+d.Release.Repository+", attested by GitHub")
	}
	t.field(in, "identity", d.SAN)
	t.field(in, "issuer", d.Issuer)
	t.field(in, "repository", joinNonEmpty(", id ", x.SourceRepository, x.SourceRepositoryID))
	t.field(in, "owner", joinNonEmpty(", id ", x.SourceOwner, x.SourceOwnerID))
	t.field(in, "workflow", c.Workflow)
	if c.Reusable != "" {
		t.field(in, "reusable", "the workflow is of "+c.Reusable+", and not of the repository that was built; only a policy can let it sign")
	}
	t.field(in, "ref", joinNonEmpty(", commit ", x.SourceRef, x.SourceDigest))
	t.field(in, "trigger", joinNonEmpty(" on a runner that is ", x.BuildTrigger, x.RunnerEnvironment))
	t.field(in, "environment", c.Environment)
	t.field(in, "run", x.RunInvocationURI)
	t.statement(in, c)
	t.when(in, c)
}

func (t *inspectText) statement(in string, c *InspectedContent) {
	d := c.Content
	if d.PredicateType == "" {
		t.field(in, "statement", "none: a signature over the file itself")
	}
	t.field(in, "statement", d.PredicateType)
	left, hidden := maxShownSubjects, 0
	for _, s := range d.Subjects {
		wanted := t.artifact != "" && strings.EqualFold(s.Digest["sha256"], t.artifact)
		if left <= 0 && !wanted {
			hidden++
			continue
		}
		left--
		text := subjectText(s)
		if wanted {
			text += " (the artifact's)"
		}
		t.field(in, "subject", text)
	}
	if hidden > 0 {
		t.field(in, "subject", fmt.Sprintf("and %d more, which --format json lists", hidden))
	}
	for _, f := range c.Predicate {
		t.field(in, "predicate", f.Name+": "+f.Value)
	}
}

// subjectText names a subject, and its digests, SHA-256 first.
func subjectText(s SubjectDocument) string {
	var parts []string
	for _, name := range []string{s.Name, s.URI} {
		if name != "" {
			parts = append(parts, name)
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "without a name")
	}
	if sum, ok := s.Digest["sha256"]; ok {
		parts = append(parts, "sha256:"+sum)
	}
	for _, algorithm := range slices.Sorted(maps.Keys(s.Digest)) {
		if algorithm != "sha256" {
			parts = append(parts, algorithm+":"+s.Digest[algorithm])
		}
	}
	return strings.Join(parts, " ")
}

// when says at what time the bundle was signed, by whose word, and where it is
// logged.
func (t *inspectText) when(in string, c *InspectedContent) {
	d := c.Content
	if d.Time != nil {
		t.field(in, "time", joinNonEmpty(", as signed by ", d.Time.Format("2006-01-02 15:04:05 UTC"), d.TimeSource))
	}
	if c.ValidFrom != nil {
		const layout = "2006-01-02 15:04:05"
		t.field(in, "certificate", fmt.Sprintf("valid from %s to %s UTC", c.ValidFrom.Format(layout), c.ValidUntil.Format(layout)))
	}
	for _, e := range d.LogEntries {
		words := e.Log
		if e.Index != nil {
			words = joinNonEmpty(" of ", fmt.Sprintf("index %d", *e.Index), e.Log)
		}
		words = joinNonEmpty(", ", words, e.Search)
		if e.Time != nil && d.Time == nil {
			words = joinNonEmpty(", ", words, "at "+e.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		t.field(in, "log", joinNonEmpty(", ", words, e.Kind))
	}
}
