package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/recipe-verify/recipe-verify/audit"
)

// Limits of [AuditText]. The summary comes first and records stream, so what is
// listed is kept until the end; everything is counted.
const (
	// MaxListed is the most sources that are listed for each verdict, and the
	// most of each kind of change. Each has its own limit, so that a dead
	// host's thousand sources do not push the one mismatch off the page.
	MaxListed = 200
	// MaxListedAttestable is the most attestable sources that are listed.
	MaxListedAttestable = 1000
	// maxSaid is the most characters of one foreign text in a list.
	maxSaid = 1000
	// maxFaults is the most faults of one recipe that are listed.
	maxFaults = 10
	// A summary fits a screen of screenWidth by screenHeight, with a line for
	// the prompt.
	screenWidth, screenHeight = 80, 24
)

// AuditText writes an audit for people: a summary that fits a screen, then what
// failed, what changed since an earlier report, and with Verbose what could be
// attested. Its memory is bounded by [MaxListed].
type AuditText struct {
	W       io.Writer
	Color   bool
	Verbose bool // list what could be attested

	text       Text
	header     Header
	failures   map[audit.Verdict]*clipped
	downgrades clipped
	changes    clipped
	attestable clipped
}

// A clipped list keeps the first entries, and counts all.
type clipped struct {
	most    int // bytes; 0 for as many as the entries have
	text    strings.Builder
	listed  int
	counted int
	full    bool
}

// add counts an entry, and writes it unless the list is full.
func (c *clipped) add(limit int, write func(*page)) {
	c.counted++
	if c.full = c.full || c.listed >= limit; c.full {
		return
	}
	var p page
	write(&p)
	if c.full = c.most > 0 && c.text.Len()+p.Len() > c.most; !c.full {
		c.listed++
		c.text.WriteString(p.String())
	}
}

// failing are the verdicts of failures, the gravest first.
var failing = [...]audit.Verdict{audit.Mismatch, audit.Invalid, audit.Missing, audit.Error, audit.Unavailable}

// Header implements [Writer].
func (t *AuditText) Header(h *Header) error {
	t.text = Text{W: t.W, Color: t.Color, Verbose: t.Verbose}
	t.header = *h
	t.failures = map[audit.Verdict]*clipped{}
	return nil
}

// Record implements [Writer].
func (t *AuditText) Record(r *Record) error {
	if r.Verdict.Status() != audit.StatusOK {
		v := r.Verdict
		if !slices.Contains(failing[:], v) {
			v = audit.Error // of a report that another program wrote
		}
		if t.failures[v] == nil {
			t.failures[v] = &clipped{}
		}
		t.failures[v].add(MaxListed, func(p *page) { t.failure(p, r) })
	}
	if len(r.Changes) > 0 {
		list := &t.changes
		if r.Downgrade() {
			list = &t.downgrades
		}
		list.add(MaxListed, func(p *page) { t.change(p, r) })
	}
	if r.Finding != nil && r.Finding.Kind == audit.Attestable {
		limit := 0
		if t.Verbose {
			limit = MaxListedAttestable
		}
		t.attestable.add(limit, func(p *page) { t.finding(p, r) })
	}
	return nil
}

// said is foreign text on one line, cut where it is longer than anybody reads.
func said(s string) string { return sayUpTo(s, maxSaid) }

func sayUpTo(s string, most int) string { return clip(printable(clip(s, most)), most) }

// clip cuts a text to so many characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n, last := 0, 0
	for i := range s {
		if n == most-1 {
			last = i
		}
		if n++; n > most {
			return s[:last] + "…"
		}
	}
	return s
}

// entry writes the first line of what is said of a source.
func (t *AuditText) entry(p *page, word string, r *Record) {
	place := t.text.paint(said(r.Position), color.Faint)
	if name := recordTitle(r); name != "" {
		place = said(name) + "  " + place
	}
	p.line("%s  %s", word, place)
}

// recordTitle is the archive's file name, or what else the source is.
func recordTitle(r *Record) string {
	return title(audit.Result{URLs: r.URLs, Other: r.Other})
}

func (t *AuditText) failure(p *page, r *Record) {
	t.entry(p, t.text.verdict(audit.Verdict(said(string(r.Verdict)))), r)
	if len(r.Faults) == 0 {
		p.field("because", said(r.Message))
		p.field("hint:", said(r.Hint))
		return
	}
	for i, f := range r.Faults {
		if i == maxFaults {
			p.line("  and %d more faults", len(r.Faults)-i)
			return
		}
		p.line("  %s", said(f.Position+": "+f.Message))
		p.field("hint:", said(f.Hint))
	}
}

func (t *AuditText) change(p *page, r *Record) {
	word := fmt.Sprintf("%-11s", "changed")
	if r.Downgrade() {
		word = t.text.paint(fmt.Sprintf("%-11s", "downgrade"), color.FgRed, color.Bold)
	}
	t.entry(p, word, r)
	for i, c := range r.Changes {
		if i == maxFaults {
			p.line("  and %d more changes", len(r.Changes)-i)
			return
		}
		p.line("  %s", said(c.String()))
	}
}

// String says what changed in words; it may hold foreign text.
func (c Change) String() string {
	switch {
	case c.Before == "" && c.After == "":
		return string(c.Kind)
	case c.Before == "":
		return fmt.Sprintf("%s: now %s", c.Kind, c.After)
	case c.After == "":
		return fmt.Sprintf("%s: before %s", c.Kind, c.Before)
	}
	return fmt.Sprintf("%s: before %s, now %s", c.Kind, c.Before, c.After)
}

func (t *AuditText) finding(p *page, r *Record) {
	t.entry(p, fmt.Sprintf("%-11s", audit.Attestable), r)
	if r.Finding.Genuine {
		p.field("publisher", said(r.Finding.Publisher))
	} else {
		p.field("warning", t.text.paint(said(r.Finding.Detail), color.FgYellow))
	}
	for _, u := range r.Finding.BundleURLs[:min(len(r.Finding.BundleURLs), maxFaults)] {
		p.field("bundle_url", said(u))
	}
}

// Footer implements [Writer]: it writes everything.
func (t *AuditText) Footer(f *Footer) error {
	var p page
	below := t.summary(&p, f)
	for _, w := range below {
		p.line("%s %s", t.text.paint("warning:", color.FgYellow), said(w))
	}
	if len(below) > 0 {
		p.line("")
	}
	for _, v := range failing {
		if list := t.failures[v]; list != nil {
			list.write(&p, string(v))
		}
	}
	t.downgrades.write(&p, "changed for the worse")
	t.changes.write(&p, "changed")
	switch {
	case t.Verbose:
		t.attestable.write(&p, string(audit.Attestable))
	case t.attestable.counted > 0:
		p.line("%s attestable and not attested: list with -v, or see --report json=FILE", sources(t.attestable.counted, "is", "are"))
	}
	return t.text.put(&p)
}

// sources counts sources in words.
func sources(n int, one, many string) string {
	if n == 1 {
		return "1 source " + one
	}
	return fmt.Sprintf("%d sources %s", n, many)
}

func (c *clipped) write(p *page, what string) {
	if c.counted == 0 {
		return
	}
	p.WriteString(c.text.String())
	if more := c.counted - c.listed; more > 0 {
		p.line("and %d more %s: see --report json=FILE", more, what)
	}
	p.line("")
}

// summary writes what fits on a screen, and gives the warnings that do not.
func (t *AuditText) summary(p *page, f *Footer) (below []string) {
	t.what(p, f)
	p.line("")
	t.verdicts(p, f)
	t.changed(p, f)
	below = t.warnings(p, f)
	left := screenHeight - 1 - strings.Count(p.String(), "\n")
	t.hosts(p, f, left)
	p.line("")
	return below
}

// summaryLine writes a name and a text, cut to the screen.
func summaryLine(p *page, name, text string) {
	p.line("%s", clip(fmt.Sprintf("%-12s %s", name, printable(text)), screenWidth))
}

// what says what was audited, and how.
func (t *AuditText) what(p *page, f *Footer) {
	h := &t.header
	parts := []string{fmt.Sprintf("%d recipes, %d sources", f.Recipes, f.Sources)}
	if h.Shard != "" {
		parts = append(parts, "shard "+h.Shard)
	}
	if h.Date != "" {
		parts = append(parts, h.Date)
	}
	summaryLine(p, "audit", strings.Join(parts, ", "))
	parts = []string{h.Policy.Publishers + " of a source's publishers"}
	if h.Policy.RequireAttestations {
		parts = append(parts, "evidence is required")
	}
	if h.Policy.MetadataOnly {
		parts = append(parts, "no archive was fetched")
	}
	if h.Policy.Offline {
		parts = append(parts, "offline")
	}
	summaryLine(p, "policy", strings.Join(parts, "; "))
	if len(h.Policy.TrustedRoots) > 0 {
		summaryLine(p, "trust", strings.Join(h.Policy.TrustedRoots, ", "))
	}
	if h.Policy.Config != "" {
		summaryLine(p, "config", h.Policy.Config)
	}
	if !f.Complete {
		p.line("%s not every recipe was looked at; go on with --resume",
			t.text.paint(fmt.Sprintf("%-12s", "INCOMPLETE"), color.FgRed, color.Bold))
	}
}

// verdicts writes a line for each verdict that there is.
func (t *AuditText) verdicts(p *page, f *Footer) {
	for _, v := range append([]audit.Verdict{audit.Verified, audit.Unattested, audit.Skipped}, failing[:]...) {
		n := f.Verdicts[v]
		if n == 0 && v != audit.Verified {
			continue
		}
		line := t.text.verdict(v) + fmt.Sprintf(" %7d", n)
		if v == audit.Unattested {
			line += findingCounts(f)
		}
		p.line("%s", line)
	}
}

// findingCounts counts what was found out about sources without a publisher, on
// as many lines as that takes beside a verdict.
func findingCounts(f *Footer) string {
	const indent = 21
	text, column := "", indent
	for _, k := range []struct {
		kind audit.FindingKind
		word string
	}{
		{audit.Attestable, "attestable"},
		{audit.NotAttestable, "not attestable"},
		{audit.NoEvidence, "no evidence"},
		{audit.Unknown, "unknown"},
		{audit.NotAsked, "not asked"},
	} {
		n := f.Findings[k.kind]
		if n == 0 {
			continue
		}
		part := fmt.Sprintf("%d %s", n, k.word)
		switch {
		case text == "":
			text = "  "
		case column+len(", ")+len(part)+len(",") > screenWidth:
			text, column = text+",\n"+strings.Repeat(" ", indent), indent
		default:
			text, column = text+", ", column+len(", ")
		}
		text, column = text+part, column+len(part)
	}
	return text
}

// changed counts what differs from an earlier report.
func (t *AuditText) changed(p *page, f *Footer) {
	if t.header.Since == "" && f.Downgrades == 0 && t.changes.counted == 0 {
		return
	}
	line := fmt.Sprintf("%-11s %7d", "downgrades", f.Downgrades)
	if f.Downgrades > 0 {
		line = t.text.paint(line, color.FgRed, color.Bold)
	}
	p.line("%s  since the earlier report; %d other changes", line, t.changes.counted)
}

// maxWarnings is the most warnings that stand in the summary.
const maxWarnings = 3

// warnings writes the warnings about the run if they are short and few. Else it
// says that there are some, and returns them.
func (t *AuditText) warnings(p *page, f *Footer) (below []string) {
	const word = "warning:"
	short := len(f.Warnings) <= maxWarnings
	for _, w := range f.Warnings {
		short = short && utf8.RuneCountInString(printable(w)) < screenWidth-len(word)
	}
	if !short {
		p.line("%s %d about this run, below", t.text.paint("warnings:", color.FgYellow), len(f.Warnings))
		return f.Warnings
	}
	for _, w := range f.Warnings {
		p.line("%s %s", t.text.paint(word, color.FgYellow), printable(w))
	}
	return nil
}

// A hostColumn is a column of the hosts' table.
type hostColumn struct {
	name  string
	count func(HostCounts) int
}

// width is for the name, and for a count of seven digits.
func (c hostColumn) width() int { return max(len(c.name), 7) }

var hostColumns = [...]hostColumn{
	{"sources", func(c HostCounts) int { return c.Sources }},
	{"verified", func(c HostCounts) int { return c.Verified }},
	{"failed", func(c HostCounts) int { return c.Failed }},
	{"no answer", func(c HostCounts) int { return c.Unavailable }},
	{"attestable", func(c HostCounts) int { return c.Attestable }},
	{"not attestable", func(c HostCounts) int { return c.NotAttestable }},
}

// hosts writes a table of the hosts with the most sources, on so many lines.
// Columns of which all is zero are left out.
func (t *AuditText) hosts(p *page, f *Footer, lines int) {
	names := hostsBySources(f.Hosts)
	rows := min(len(names), lines-3) // the blank lines before and after, the head
	if rows < len(names) {
		rows-- // for the line that says how many more
	}
	if rows < 1 {
		return
	}
	var columns []hostColumn
	width := screenWidth
	for i, c := range hostColumns {
		used := i < 2
		for _, h := range f.Hosts {
			used = used || c.count(h) > 0
		}
		if used {
			columns = append(columns, c)
			width -= c.width() + 1
		}
	}
	width = min(width, 40)
	p.line("")
	head := fmt.Sprintf("%-*s", width, "host")
	for _, c := range columns {
		head += fmt.Sprintf(" %*s", c.width(), c.name)
	}
	p.line("%s", t.text.paint(head, color.Bold))
	for _, name := range names[:rows] {
		line := fmt.Sprintf("%-*s", width, clip(printable(name), width))
		for _, c := range columns {
			line += fmt.Sprintf(" %*d", c.width(), c.count(f.Hosts[name]))
		}
		p.line("%s", line)
	}
	if more := len(names) - rows; more > 0 {
		p.line("and %d more hosts", more)
	}
}

// hostsBySources gives the hosts, those with the most sources first.
func hostsBySources(hosts map[string]HostCounts) []string {
	return slices.SortedFunc(maps.Keys(hosts), func(a, b string) int {
		return cmp.Or(cmp.Compare(hosts[b].Sources, hosts[a].Sources), strings.Compare(a, b))
	})
}
