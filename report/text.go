package report

import (
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"

	"github.com/fatih/color"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Text writes a report for people.
type Text struct {
	W       io.Writer
	Color   bool
	Quiet   bool // only what fails
	Verbose bool // every bundle that was considered

	metadataOnly bool // the policy's
}

// paint colours a word, or leaves it alone.
func (t *Text) paint(s string, attributes ...color.Attribute) string {
	if !t.Color {
		return s
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(s)
}

// A page collects lines, so that one write puts them out.
type page struct{ strings.Builder }

func (p *page) line(format string, a ...any) {
	fmt.Fprintf(&p.Builder, format+"\n", a...)
}

// field writes an indented name and its value, unless the value is empty.
func (p *page) field(name, value string) {
	if value != "" {
		p.line("  %-10s %s", name, value)
	}
}

// Start implements [Handler]: it states the policy.
func (t *Text) Start(policy audit.Policy) error {
	t.metadataOnly = policy.NoDownload
	if t.Quiet {
		return nil
	}
	var p page
	p.line("policy   %s", policyLine(policy))
	p.line("trust    %s", printable(strings.Join(policy.TrustedRoots, ", ")))
	if policy.ConfigFile != "" {
		p.line("config   %s", printable(policy.ConfigFile))
	}
	for _, m := range policy.Mirrors {
		p.line("mirror   %s", printable(m))
	}
	if t.Verbose {
		p.line("accepts  %s", printable(strings.Join(policy.PredicateTypes, ", ")))
	}
	p.line("")
	return t.put(&p)
}

func (t *Text) put(p *page) error {
	_, err := io.WriteString(t.W, p.String())
	return err
}

func policyLine(p audit.Policy) string {
	parts := []string{"one of a source's publishers must have signed it"}
	if p.Match == verify.All {
		parts[0] = "every publisher of a source must have signed it"
	}
	parts = append(parts, requirementLine(p))
	if p.Locked {
		parts = append(parts, "signers must be those of the lock file")
	}
	if p.NoDownload {
		parts = append(parts, "archives are not fetched (metadata only)")
	} else {
		parts = append(parts, "archives are fetched and hashed")
	}
	if p.Offline {
		parts = append(parts, "offline")
	}
	return strings.Join(parts, "; ")
}

// requirementLine says of which sources evidence is required.
func requirementLine(p audit.Policy) string {
	var requirements, exceptions, named int
	if p.File != nil {
		requirements, exceptions, named = len(p.File.Require), len(p.File.Exceptions), len(p.File.Publishers)
	}
	line := "sources without an attestation block are let through"
	switch {
	case p.RequireAttestations:
		line = "evidence is required of every URL source"
	case requirements > 0:
		line = "evidence is required of the sources that the config says"
	case named > 0:
		return line + ", unless the config names their publishers"
	default:
		return line
	}
	switch exceptions {
	case 0:
	case 1:
		line += ", with 1 exception"
	default:
		line += fmt.Sprintf(", with %d exceptions", exceptions)
	}
	return line
}

// Result implements [Handler].
func (t *Text) Result(r audit.Result) error {
	if t.Quiet && r.Verdict.Status() == audit.StatusOK {
		return nil
	}
	var p page
	place := t.paint(printable(where(r)), color.Faint)
	if name := title(r); name != "" {
		place = printable(name) + "  " + place
	}
	p.line("%s  %s", t.verdict(r.Verdict), place)
	switch r.Verdict {
	case audit.Verified:
		t.signed(&p, r)
	case audit.Unattested, audit.Skipped:
		p.field("because", printable(r.Message))
	default:
		t.failed(&p, r)
	}
	t.applied(&p, r)
	if t.Verbose {
		verbose(&p, r)
	}
	return t.put(&p)
}

// applied says what of the policy applied: at least who named the publishers,
// where the recipe did not.
func (t *Text) applied(p *page, r audit.Result) {
	for _, b := range r.Decision.Because {
		switch {
		case t.Verbose:
			p.field("policy", printable(fmt.Sprintf("%s: %s", b.Position, b.Text)))
		case b.Kind == policy.BecausePublishers:
			p.field("policy", printable("publishers from "+b.Position.String()))
		}
	}
}

func (t *Text) verdict(v audit.Verdict) string {
	word := fmt.Sprintf("%-11s", v)
	switch v {
	case audit.Verified:
		return t.paint(word, color.FgGreen, color.Bold)
	case audit.Unattested, audit.Skipped:
		return word
	case audit.Unavailable:
		return t.paint(word, color.FgYellow, color.Bold)
	}
	return t.paint(word, color.FgRed, color.Bold)
}

// title is the archive's file name, or what else the source is; "" for a recipe.
func title(r audit.Result) string {
	if len(r.URLs) == 0 {
		return r.Other
	}
	address := fetch.Redact(r.URLs[0])
	u, _, _ := strings.Cut(address, "?")
	if name := path.Base(u); name != "/" && name != "." {
		return name
	}
	return address
}

func where(r audit.Result) string {
	if r.Position.Line == 0 {
		return r.Recipe
	}
	return r.Position.String()
}

func (t *Text) signed(p *page, r audit.Result) {
	for _, b := range r.Evidence.Bundles() {
		c := b.Verified
		p.field("signed by", printable(b.Publisher))
		if c.Release != nil {
			p.field("release", printable(c.Release.Tag+" of github.com/"+c.Release.Repository+", attested by GitHub"))
		}
		p.field("statement", printable(c.PredicateType))
		p.field("repository", printable(c.Certificate.SourceRepository))
		p.field("identity", printable(identity(c.Certificate)))
		p.field("workflow", printable(workflow(c.Certificate)))
		p.field("ref", printable(joinNonEmpty(", commit ", c.Certificate.SourceRef, c.Certificate.SourceDigest)))
		p.field("trigger", printable(joinNonEmpty(" on a runner that is ", c.Certificate.BuildTrigger, c.Certificate.RunnerEnvironment)))
		for _, e := range c.LogEntries {
			p.field("log", printable(logLine(e)))
		}
		p.field("time", c.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
		for _, w := range b.Warnings {
			p.field("warning", t.paint(printable(w.Message), color.FgYellow))
		}
	}
	for _, w := range r.Warnings {
		p.field("warning", t.paint(printable(w.Message), color.FgYellow))
	}
	if r.Code == audit.CodeMetadataOnly {
		p.field("archive", t.paint("not fetched", color.FgYellow)+"; the build must check sha256 "+r.Pinned.SHA256.String())
	} else {
		p.field("archive", fmt.Sprintf("%d bytes, sha256 %s", r.Bytes, r.Measured.SHA256))
	}
}

// identity is the SAN of signers that are no repository.
func identity(c verify.Certificate) string {
	if c.SourceRepository != "" {
		return ""
	}
	return joinNonEmpty(" with issuer ", c.SAN, c.Issuer)
}

// workflow is the path of the workflow that signed.
func workflow(c verify.Certificate) string {
	if c.SANKind != publishers.URIName || c.SourceRepository == "" {
		return ""
	}
	w, ok := strings.CutPrefix(c.SAN, c.SourceRepository+"/")
	if !ok {
		w = c.SAN
	}
	w, _, _ = strings.Cut(strings.TrimPrefix(w, "/"), "@refs/")
	return w
}

func joinNonEmpty(separator, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + separator + b
}

func logLine(e verify.LogEntry) string {
	if e.Index < 0 {
		return e.Log
	}
	s := fmt.Sprintf("index %d of %s", e.Index, e.Log)
	if u := e.SearchURL(); u != "" {
		s += ", " + u
	}
	return s
}

func (t *Text) failed(p *page, r audit.Result) {
	if len(r.Faults) > 0 {
		for _, f := range r.Faults {
			p.line("%s", indent(PrintableLines(f.Display())))
		}
		return
	}
	p.field("because", printable(r.Message))
	if r.Hint != "" {
		p.field("hint:", printable(r.Hint))
	}
}

// verbose accounts for every bundle and address.
func verbose(p *page, r audit.Result) {
	for _, u := range redacted(r.URLs) {
		p.field("url", printable(u))
	}
	if r.Address != "" {
		p.field("fetched", printable(fetch.Redact(r.Address)))
	}
	for _, a := range redacted(r.EvidenceAddresses) {
		p.field("evidence", printable(r.Resolver+" "+a))
	}
	for _, b := range r.Bundles {
		what := fmt.Sprintf("%d of %s: %s", b.Index, fetch.Redact(b.Origin), b.Status)
		if b.Reason != "" {
			what += ", " + b.Reason
		}
		if b.Detail() != "" {
			what += " (" + b.Detail() + ")"
		}
		p.field("bundle", printable(what))
	}
}

// End implements [Handler].
func (t *Text) End(s audit.Summary) error {
	var p page
	for _, w := range s.Warnings {
		p.line("%s %s", t.paint("warning:", color.FgYellow), printable(w))
	}
	if !t.Quiet {
		line := countLine(s)
		if t.metadataOnly && s.Verdicts[audit.Verified] > 0 {
			line += " (metadata only: no archive was fetched)"
		}
		p.line("\n%s", line)
	}
	return t.put(&p)
}

func countLine(s audit.Summary) string {
	var parts []string
	for _, v := range []audit.Verdict{
		audit.Verified, audit.Unattested, audit.Missing, audit.Mismatch, audit.Invalid, audit.Unavailable, audit.Error, audit.Skipped,
	} {
		if n := s.Verdicts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	noun := "sources"
	if s.Sources == 1 {
		noun = "source"
	}
	if len(parts) == 0 {
		return "no sources"
	}
	return fmt.Sprintf("%d %s: %s", s.Sources, noun, strings.Join(parts, ", "))
}

// printable makes foreign text safe for a terminal: control characters, escape
// sequences and characters that change the direction of writing are shown as
// escapes. So is what GitHub's runner would take for a workflow command, since
// much of what is printed ends in its logs: "::" at the beginning of a line, and
// "##[" anywhere.
func printable(s string) string {
	return escape(s, false)
}

// PrintableLines makes foreign text of several lines safe for a terminal.
func PrintableLines(s string) string { return escape(s, true) }

func escape(s string, lines bool) string {
	var b strings.Builder
	line := 0 // where the line begins in b
	for i, r := range s {
		switch {
		case r == ':' && strings.HasPrefix(s[i:], "::") && strings.TrimSpace(b.String()[line:]) == "",
			r == '[' && strings.HasSuffix(s[:i], "##"):
			b.WriteByte('\\')
			b.WriteRune(r)
		case lines && r == '\n':
			b.WriteRune(r)
			line = b.Len()
		case r == ' ', r != unicode.ReplacementChar && unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteByte(' ')
		default:
			q := fmt.Sprintf("%+q", r)
			b.WriteString(strings.Trim(q, "'"))
		}
	}
	return b.String()
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ")
}
