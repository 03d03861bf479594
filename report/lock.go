package report

import (
	"fmt"
	"io"

	"github.com/fatih/color"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/signer"
)

// A LockDocument says what lock files should say, and what they say.
// docs/lock.schema.json describes it.
type LockDocument struct {
	Schema  int                `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Tool    Tool               `json:"tool"`
	Written bool               `json:"written" jsonschema:"description=files are now as they should be"`
	Files   []LockFileDocument `json:"files" jsonschema:"description=of recipes that have a lock file\\, or should have one"`
	Failed  []SourceResult     `json:"failed" jsonschema:"description=sources that are not as they should be\\, so that nothing is written"`
	Summary SummaryCounts      `json:"summary"`
}

// A LockState says how a lock file is, compared with what it should say.
type LockState string

// The states of lock files.
const (
	LockCurrent  LockState = "current"
	LockMissing  LockState = "missing"  // there is none, and there should be
	LockOutdated LockState = "outdated" // it says something else
	LockObsolete LockState = "obsolete" // there should be none
)

// A LockFileDocument is a lock file.
type LockFileDocument struct {
	Recipe  string       `json:"recipe"`
	Path    string       `json:"path"`
	State   LockState    `json:"state" jsonschema:"enum=current,enum=missing,enum=outdated,enum=obsolete,description=before anything was written"`
	Sources int          `json:"sources" jsonschema:"description=how many it should hold"`
	Problem string       `json:"problem,omitempty" jsonschema:"description=why the present file could not be read"`
	Changes []LockChange `json:"changes" jsonschema:"description=what differs from the present file"`
}

// A LockChange is what differs about a source.
type LockChange struct {
	Source string `json:"source"`
	// Kind is source-added, source-gone, or one of package signer.
	Kind      signer.Kind `json:"kind" jsonschema:"enum=source-added,enum=source-gone,enum=publisher-changed,enum=issuer-changed,enum=workflow-changed,enum=reusable-workflow-changed,enum=predicate-changed,enum=release-changed,enum=repository-id-changed,enum=owner-id-changed,enum=evidence-disappeared,enum=evidence-appeared"`
	Before    string      `json:"before,omitempty"`
	After     string      `json:"after,omitempty"`
	Downgrade bool        `json:"downgrade"`
}

// Kinds of changes beside those of package signer.
const (
	SourceAdded signer.Kind = "source-added"
	SourceGone  signer.Kind = "source-gone"
)

// NewLockDocument has no files yet.
func NewLockDocument(version string) *LockDocument {
	return &LockDocument{
		Schema: SchemaVersion, Tool: Tool{Name: "recipe-verify", Version: version},
		Files: []LockFileDocument{}, Failed: []SourceResult{},
	}
}

// Fail adds a source that is not as it should be.
func (d *LockDocument) Fail(r audit.Result) { d.Failed = append(d.Failed, sourceResult(r)) }

// Finish adds the counts.
func (d *LockDocument) Finish(s audit.Summary) { d.Summary = summaryCounts(s) }

// LockChanges writes out what differs between two lock files.
func LockChanges(differences []lock.Difference) []LockChange {
	list := []LockChange{}
	for _, d := range differences {
		for _, s := range d.Signers {
			c := LockChange{Source: d.Source, Kind: SourceAdded, After: s.Statement()}
			if d.Gone {
				c = LockChange{Source: d.Source, Kind: SourceGone, Before: s.Statement(), Downgrade: true}
			}
			list = append(list, c)
		}
		for _, c := range d.Changes {
			list = append(list, LockChange{d.Source, c.Kind, c.Before, c.After, c.Downgrade})
		}
	}
	return list
}

// WriteJSON writes the document.
func (d *LockDocument) WriteJSON(w io.Writer) error { return writeJSON(w, d) }

// maxLockChanges is the most changes of a lock file that are written as text.
const maxLockChanges = 1000

// WriteText writes what became of the files for people. Sources that failed are
// left to [Text].
func (d *LockDocument) WriteText(w io.Writer, paint bool) error {
	t := &Text{W: w, Color: paint}
	var p page
	for _, f := range d.Files {
		if f.State == LockCurrent {
			continue
		}
		word := string(f.State)
		if d.Written {
			word = "written"
			if f.State == LockObsolete {
				word = "removed"
			}
		}
		p.line("%s  %s", t.paint(fmt.Sprintf("%-8s", word), color.Bold), said(f.Path))
		if f.State == LockObsolete {
			p.field("because", "no source of "+said(f.Recipe)+" carries evidence")
		}
		if f.Problem != "" {
			p.field("before", t.paint("could not be read: "+said(f.Problem), color.FgYellow))
		}
		for i, c := range f.Changes {
			if i == maxLockChanges {
				p.line("  and %d more changes", len(f.Changes)-i)
				break
			}
			t.lockChange(&p, c)
		}
	}
	current := 0
	for _, f := range d.Files {
		if f.State == LockCurrent {
			current++
		}
	}
	switch {
	case len(d.Files) == 0:
		p.line("no source carries evidence: there is nothing to lock")
	case current == 1:
		p.line("1 lock file is up to date")
	case current > 1:
		p.line("%d lock files are up to date", current)
	}
	return t.put(&p)
}

func (t *Text) lockChange(p *page, c LockChange) {
	sign, text := "~", signer.Change{Kind: c.Kind, Before: c.Before, After: c.After}.String()
	switch c.Kind {
	case SourceAdded:
		sign, text = "+", c.After
	case SourceGone:
		sign, text = "-", c.Before
	}
	text = said(text)
	if c.Downgrade && c.Kind != SourceGone {
		text = t.paint(text, color.FgRed)
	}
	p.line("  %s %s: %s", sign, said(c.Source), text)
}
