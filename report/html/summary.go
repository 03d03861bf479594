package html

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// How much of each kind the summary names. The table has all of it.
const (
	maxFinds  = 100 // of these, shownFind are in sight
	shownFind = 6
	maxHints  = 500 // characters of a message
	shownHost = 15
)

// pages are the templates. They have no state but what is passed.
var pages = template.Must(template.New("page").Funcs(template.FuncMap{
	"num":   func(n int) string { return humanize.Comma(int64(n)) },
	"shown": shown,
}).Parse(templates))

// shown makes characters visible that cannot be seen, or that change the
// direction of writing. assets/report.js does the same.
func shown(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// A summary collects what the page says before its table.
type summary struct {
	tally    Tally
	hosts    hostCount
	failures finds
	changes  finds
	unusual  int // sources with warnings
}

// finds are the worst few of many.
type finds struct {
	kept []find
	all  int
}

// A find is one line of the summary that names a source.
type find struct {
	Mark           mark
	Fragment       template.URL
	Title, Place   string
	Message, Hint  string
	order, arrival int
}

func (f *finds) add(n find) {
	n.arrival = f.all
	f.all++
	f.kept = append(f.kept, n)
	if len(f.kept) >= 2*maxFinds {
		f.settle()
	}
}

// settle keeps the worst, in the order of their arrival among equals.
func (f *finds) settle() {
	slices.SortFunc(f.kept, func(a, b find) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.arrival, b.arrival))
	})
	if len(f.kept) > maxFinds {
		clear(f.kept[maxFinds:])
		f.kept = f.kept[:maxFinds]
	}
}

func (s *summary) add(e *entry) {
	s.tally[e.class]++
	s.hosts.add(e.host, e.class)
	n := find{
		Mark: verdictMark(e.verdict), Fragment: fragment("source", e.id),
		Title: cut(e.title), Place: cut(e.recipe), Message: cut(e.message), Hint: cut(e.hint),
	}
	n.order = n.Mark.Order
	switch e.verdict {
	case audit.Verified, audit.Unattested, audit.Skipped:
	default:
		s.failures.add(n)
	}
	if len(e.warnings) > 0 {
		s.unusual++
	}
	if e.change != "" {
		n.Message, n.Hint = cut(e.change), ""
		if e.downgrade {
			n.order -= len(verdicts)
		}
		s.changes.add(n)
	}
}

// cut shortens a text for the summary. The page of its source has all of it.
func cut(s string) string {
	runes := 0
	for i := range s {
		if runes++; runes > maxHints {
			return s[:i] + "…"
		}
	}
	return s
}

// fragment is an address within the page.
func fragment(name, value string) template.URL {
	return template.URL(name + "=" + url.QueryEscape(value)) //nolint:gosec // escaped
}

// A bar is a horizontal bar of classes.
type bar struct {
	Parts       []barPart
	Tall, Alone bool
	Text        string // in place of the drawing
}

type barPart struct {
	Class     string
	At, Width string // per cent
}

func barOf(t Tally) bar {
	b := bar{Text: sentence(t)}
	at := 0
	for c, n := range t {
		if n > 0 {
			b.Parts = append(b.Parts, barPart{Class(c).info().Class, percent(at, t.All()), percent(n, t.All())})
		}
		at += n
	}
	return b
}

func percent(n, all int) string { return fmt.Sprintf("%.3f", 100*float64(n)/float64(all)) }

// share is a part in words: it says neither all nor none where that is wrong.
func share(n, all int) string {
	switch {
	case n == 0:
		return ""
	case n == all:
		return "100 %"
	case 1000*n < all:
		return "< 0.1 %"
	case 1000*(all-n) < all:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(all))
}

// sentence says a tally in words.
func sentence(t Tally) string {
	var parts []string
	for c, n := range t {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(int64(n)), Class(c).info().Label))
		}
	}
	if parts == nil {
		return "no sources"
	}
	return strings.Join(parts, ", ")
}

// A page is what the template is given.
type page struct {
	Tool, Version, Time, Shard string
	Headline, Lede             string
	Complete                   bool
	Sources                    int
	All                        bar
	Classes                    []classCount
	Warnings                   []string
	Unusual                    string // how many sources have warnings
	Changes, Failures          *findList
	Hosts                      []hostRow
	History                    *history
	Columns                    []column
	Run                        []runLine
}

type classCount struct {
	classInfo
	Count int
	Share string
}

type findList struct {
	About string
	Items []find
	// Rest is folded away.
	Rest     []find
	RestText string
	More     *more
}

type more struct {
	Fragment template.URL
	Text     string
}

type hostRow struct {
	Name, Instead string
	Fragment      template.URL
	Bar           bar
	Counts        Tally
	All           int
}

type column struct{ Class, Sort, Label string }

type runLine struct{ Label, Text string }

func (s *summary) page(h *report.Header, f *report.Footer, earlier []*Snapshot) page {
	now := &Snapshot{tally: s.tally}
	if day, err := time.Parse(time.RFC3339, h.Date); err == nil {
		now.day = day
	}
	all := s.tally.All()
	p := page{
		Tool: h.Tool.Name, Version: h.Tool.Version, Shard: h.Shard,
		Headline: headline(s.tally), Lede: lede(s.tally),
		Complete: f.Complete, Sources: all, Warnings: f.Warnings,
		All: barOf(s.tally), Hosts: s.hostRows(), History: historyOf(earlier, now),
		Columns: []column{
			{"verdict", "verdict", "Verdict"},
			{"name", "source", "Source"},
			{"recipe", "recipe", "Recipe"},
			{"host", "host", "Host"},
			{"covered", "coverage", "Coverage"},
			{"publisher", "publisher", "Signed by"},
			{"date", "date", "Signed on"},
		},
		Run: runLines(h, f),
	}
	if s.unusual > 0 {
		p.Unusual = count(s.unusual, "source") + " with something unusual about the evidence"
	}
	p.All.Tall, p.All.Alone = true, true
	if !now.day.IsZero() {
		p.Time = now.name()
	}
	for c, n := range s.tally {
		p.Classes = append(p.Classes, classCount{Class(c).info(), n, share(n, all)})
	}
	s.failures.settle()
	s.changes.settle()
	p.Failures = s.failures.list("Every source that did not pass, the worst first.",
		"All of them in the table, the worst first", fragment("sort", "verdict"))
	p.Changes = s.changes.list("What is different, and what may be a warning sign first.",
		"All of them in the table", fragment("note", "changed"))
	return p
}

func (f *finds) list(about, text string, to template.URL) *findList {
	if f.all == 0 {
		return nil
	}
	l := &findList{About: about, Items: f.kept}
	if n := len(f.kept); n > shownFind+2 { // nothing is folded away to save a line or two
		l.Items, l.Rest = f.kept[:shownFind], f.kept[shownFind:]
		l.RestText = fmt.Sprintf("Show %d more", n-shownFind)
	}
	if f.all > len(f.kept) {
		l.About += fmt.Sprintf(" These are %d of %s.", len(f.kept), humanize.Comma(int64(f.all)))
		l.More = &more{to, text}
	}
	return l
}

func headline(t Tally) string {
	all := t.All()
	switch {
	case all == 0:
		return "There are no sources"
	case t[Failing] > 0:
		return fmt.Sprintf("%s of %s verified, %s failing", humanize.Comma(int64(t[Attested])), count(all, "source"), humanize.Comma(int64(t[Failing])))
	}
	return fmt.Sprintf("%s of %s verified", humanize.Comma(int64(t[Attested])), count(all, "source"))
}

func lede(t Tally) string {
	if t[Attestable] == 0 {
		return ""
	}
	return fmt.Sprintf("%s more could be: there is evidence, and the recipe does not ask for it.", humanize.Comma(int64(t[Attestable])))
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(int64(n)) + " " + noun
}

func (s *summary) hostRows() []hostRow {
	most, rest, hosts := s.hosts.top(shownHost)
	var rows []hostRow
	for _, h := range most {
		rows = append(rows, hostRow{Name: h.name, Fragment: fragment("host", h.name), Bar: barOf(h.Tally), Counts: h.Tally, All: h.All()})
	}
	if rest.All() > 0 {
		rows = append(rows, hostRow{Instead: count(hosts, "other host"), Bar: barOf(rest), Counts: rest, All: rest.All()})
	}
	if s.hosts.none.All() > 0 {
		rows = append(rows, hostRow{Instead: "no host", Bar: barOf(s.hosts.none), Counts: s.hosts.none, All: s.hosts.none.All()})
	}
	return rows
}
