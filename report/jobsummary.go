package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
)

// Limits of [GitHubSummary].
const (
	// MaxJobSummary is the most bytes that GitHub takes of a step; of a longer
	// summary it shows nothing. A summary of an audit is shorter.
	MaxJobSummary = 1 << 20
	// maxSection is the most bytes of one list, and maxCode the most characters
	// of one foreign text.
	maxSection = 100 << 10
	maxCode    = 300
	// maxSummaryHosts and maxSummaryWarnings are the most hosts and warnings.
	maxSummaryHosts, maxSummaryWarnings = 20, 10
)

// GitHubSummary writes Markdown for $GITHUB_STEP_SUMMARY: tables by verdict and
// host, then failures and changes, each list up to [MaxListed] sources.
//
// All foreign text stands in code spans, in which GitHub acts on nothing: no
// markup, HTML, link, image, @mention, #reference or :emoji:. What could end a
// code span or a table's cell is shown as an escape.
type GitHubSummary struct {
	W io.Writer

	header     Header
	failures   map[audit.Verdict]*clipped
	downgrades clipped
	changes    clipped
}

// Header implements [Writer].
func (s *GitHubSummary) Header(h *Header) error {
	*s = GitHubSummary{W: s.W, header: *h, failures: map[audit.Verdict]*clipped{}}
	return nil
}

// Record implements [Writer].
func (s *GitHubSummary) Record(r *Record) error {
	if r.Verdict.Status() != audit.StatusOK {
		v := r.Verdict
		if !slices.Contains(failing[:], v) {
			v = audit.Error
		}
		if s.failures[v] == nil {
			s.failures[v] = &clipped{most: maxSection}
		}
		s.failures[v].add(MaxListed, func(p *page) { summaryItem(p, r, failureLines(r)) })
	}
	if len(r.Changes) > 0 {
		list := &s.changes
		if r.Downgrade() {
			list = &s.downgrades
		}
		list.most = maxSection
		list.add(MaxListed, func(p *page) { summaryItem(p, r, changeLines(r)) })
	}
	return nil
}

// summaryItem is a source in a list, with what is said of it below.
func summaryItem(p *page, r *Record, lines []string) {
	p.line("- %s", strings.Join(codes(recordTitle(r), r.Position), " at "))
	for _, l := range lines {
		p.line("  - %s", l)
	}
}

// failureLines says why a source fails, in Markdown.
func failureLines(r *Record) (lines []string) {
	if len(r.Faults) == 0 {
		lines = append(lines, codes(r.Message)...)
		if r.Hint != "" {
			lines = append(lines, "hint: "+code(r.Hint))
		}
		return lines
	}
	for _, f := range r.Faults[:min(len(r.Faults), maxFaults)] {
		lines = append(lines, strings.Join(codes(f.Position, f.Message), ": "))
		if f.Hint != "" {
			lines = append(lines, "hint: "+code(f.Hint))
		}
	}
	return lines
}

// changeLines says what changed, in Markdown.
func changeLines(r *Record) (lines []string) {
	for _, c := range r.Changes[:min(len(r.Changes), maxFaults)] {
		l := code(string(c.Kind))
		if c.Before != "" {
			l += ", before " + code(c.Before)
		}
		if c.After != "" {
			l += ", now " + code(c.After)
		}
		lines = append(lines, l)
	}
	return lines
}

// codes are the texts that are not empty, each as code.
func codes(texts ...string) (list []string) {
	for _, t := range texts {
		if t != "" {
			list = append(list, code(t))
		}
	}
	return list
}

// codeEscapes are the characters that could end a code span or a cell. GitHub
// reads a dollar beside a code span as the beginning of a formula.
var codeEscapes = strings.NewReplacer("`", `\u0060`, "|", `\u007c`, "$", `\u0024`)

// code shows foreign text in Markdown so that none of it acts, in lists and in
// tables.
func code(s string) string {
	s = codeEscapes.Replace(sayUpTo(s, maxCode))
	if strings.TrimSpace(s) == "" {
		return "–"
	}
	return "`" + s + "`"
}

// Footer implements [Writer]: it writes everything.
func (s *GitHubSummary) Footer(f *Footer) error {
	var p page
	p.line("## Audit of recipes\n")
	if !f.Complete {
		p.line("**Incomplete:** not every recipe was looked at.\n")
	}
	s.what(&p, f)
	s.counts(&p, f)
	summaryHosts(&p, f)
	for i, w := range f.Warnings {
		if i == maxSummaryWarnings {
			p.line("- and %d more warnings", len(f.Warnings)-i)
			break
		}
		p.line("- warning: %s", code(w))
	}
	if len(f.Warnings) > 0 {
		p.line("")
	}
	for _, v := range failing {
		if list := s.failures[v]; list != nil {
			list.section(&p, verdictTitles[v])
		}
	}
	s.downgrades.section(&p, "Changed for the worse")
	s.changes.section(&p, "Changed")
	_, err := io.WriteString(s.W, p.String())
	return err
}

var verdictTitles = map[audit.Verdict]string{
	audit.Mismatch: "Mismatch", audit.Invalid: "Invalid", audit.Missing: "Missing",
	audit.Error: "Error", audit.Unavailable: "Unavailable",
}

// what says what was audited, and how.
func (s *GitHubSummary) what(p *page, f *Footer) {
	h := &s.header
	parts := []string{fmt.Sprintf("%d recipes, %d sources", f.Recipes, f.Sources)}
	if h.Shard != "" {
		parts = append(parts, "shard "+code(h.Shard))
	}
	if h.Date != "" {
		parts = append(parts, code(h.Date))
	}
	if h.Policy.RequireAttestations {
		parts = append(parts, "evidence is required")
	}
	if h.Policy.MetadataOnly {
		parts = append(parts, "no archive was fetched")
	}
	if h.Policy.Offline {
		parts = append(parts, "offline")
	}
	if len(h.Policy.TrustedRoots) > 0 {
		parts = append(parts, "trusted: "+code(strings.Join(h.Policy.TrustedRoots, ", ")))
	}
	if h.Policy.Config != "" {
		parts = append(parts, "config: "+code(h.Policy.Config))
	}
	p.line("%s\n", strings.Join(parts, "; "))
}

// counts is the table by verdict.
func (s *GitHubSummary) counts(p *page, f *Footer) {
	p.line("| verdict | sources |")
	p.line("|---|--:|")
	for _, v := range append([]audit.Verdict{audit.Verified, audit.Unattested, audit.Skipped}, failing[:]...) {
		if n := f.Verdicts[v]; n > 0 || v == audit.Verified {
			p.line("| %s | %d |", v, n)
		}
	}
	if s.header.Since != "" || f.Downgrades > 0 {
		p.line("| downgrades since the earlier report | %d |", f.Downgrades)
	}
	for _, k := range []audit.FindingKind{audit.Attestable, audit.NotAttestable, audit.NoEvidence, audit.Unknown, audit.NotAsked} {
		if n := f.Findings[k]; n > 0 {
			p.line("| found: %s | %d |", k, n)
		}
	}
	p.line("")
}

// summaryHosts is the table by host.
func summaryHosts(p *page, f *Footer) {
	names := hostsBySources(f.Hosts)
	if len(names) == 0 {
		return
	}
	head, rule := "| host |", "|---|"
	for _, c := range hostColumns {
		head += " " + c.name + " |"
		rule += "--:|"
	}
	p.line("%s\n%s", head, rule)
	for _, name := range names[:min(len(names), maxSummaryHosts)] {
		row := "| " + code(name) + " |"
		for _, c := range hostColumns {
			row += fmt.Sprintf(" %d |", c.count(f.Hosts[name]))
		}
		p.line("%s", row)
	}
	p.line("")
	if more := len(names) - maxSummaryHosts; more > 0 {
		p.line("and %d more hosts\n", more)
	}
}

// section writes a list under a heading.
func (c *clipped) section(p *page, heading string) {
	if c.counted == 0 {
		return
	}
	p.line("### %s: %d\n", heading, c.counted)
	p.WriteString(c.text.String())
	if more := c.counted - c.listed; more > 0 {
		p.line("- and %d more", more)
	}
	p.line("")
}
