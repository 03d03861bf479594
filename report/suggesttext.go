package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/suggest"
)

// suggestKinds are the kinds in the order in which they are counted, with the
// words for them.
var suggestKinds = [...]struct {
	kind suggest.Kind
	many string
}{
	{suggest.Proposed, "proposed"},
	{suggest.Doubtful, "doubtful"},
	{suggest.Impossible, "impossible"},
	{suggest.Refused, "refused"},
	{suggest.Invalid, "invalid"},
	{suggest.Unavailable, "unavailable"},
	{suggest.Faulty, "errors"},
	{suggest.Attested, "with a block"},
	{suggest.None, "without evidence"},
}

// maxShownArchives is the most archives of one source that the text names. The
// JSON has all.
const maxShownArchives = 10

// WriteSuggestText writes the document for people: with all, every source; else
// those alone of which there is something to say.
func WriteSuggestText(w io.Writer, d SuggestDocument, all bool) error {
	var p page
	for _, r := range d.Recipes {
		r.write(&p, all)
	}
	if p.Len() > 0 {
		p.line("")
	}
	p.line("%s", d.Summary.words(d.Written))
	for _, warning := range d.Summary.Warnings {
		p.line("warning: %s", shown(warning))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func (r SuggestRecipe) write(p *page, all bool) {
	for _, f := range r.Faults {
		p.line("%-12s %s", suggest.Faulty, shown(f.Position))
		p.field("because", shown(f.Message))
		p.field("hint:", shown(f.Hint))
	}
	for _, s := range r.Sources {
		if all || s.Kind != suggest.Attested && s.Kind != suggest.None {
			s.write(p)
		}
	}
}

func (s SuggestSource) write(p *page) {
	name, kind := "source", string(s.Kind)
	if len(s.Archives) > 0 {
		name = title(audit.Result{URLs: s.Archives[0].URLs})
	}
	if s.Kind == suggest.Doubtful {
		kind = "proposed?"
	}
	p.line("%-12s %s  %s", kind, shown(name), shown(s.Position))
	for i, a := range s.Archives {
		if i == maxShownArchives {
			p.field("or", fmt.Sprintf("%d others", len(s.Archives)-i))
			break
		}
		if i > 0 {
			p.field("or", shown(title(audit.Result{URLs: a.URLs})+", "+strings.Join(a.TargetPlatforms, ", ")))
		}
	}
	if s.Proposal == nil {
		p.field("because", shown(s.Reason))
	} else {
		s.Proposal.write(p)
	}
	for _, n := range s.Notes {
		p.field("note", shown(n))
	}
	p.field("hint:", shown(s.Hint))
}

func (d *ProposalDocument) write(p *page) {
	p.field("publisher", shown(d.Publisher))
	p.field("bundle_url", shown(d.BundleURL))
	for _, s := range d.Statements {
		word := "differs"
		if s.Agrees {
			word = "agrees"
		}
		p.field(word, shown(s.words()))
	}
	switch {
	case len(d.Statements) == 0:
		p.field("confirmed", "no: nothing says where the project is")
	case !d.Confirmed && d.Accepted:
		p.field("confirmed", "no, and accepted")
	}
}

func (s StatementDocument) words() string {
	from := suggest.Statement{From: s.From, Name: s.Name}.String()
	if s.From == suggest.FromEarlier {
		return from + " was signed by " + s.Says
	}
	if s.Position != "" {
		from += " (" + s.Position + ")"
	}
	return from + " says " + s.Says
}

func (s SuggestSummary) words(written bool) string {
	var parts []string
	for _, k := range suggestKinds {
		if n := s.Kinds[k.kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k.many))
		}
	}
	words := fmt.Sprintf("%s, %s", plural(s.Recipes, "recipe"), plural(s.Sources, "source"))
	if len(parts) > 0 {
		words += ": " + strings.Join(parts, ", ")
	}
	switch n := s.Kinds[suggest.Proposed]; {
	case written && n > 0:
		words += fmt.Sprintf("\nwritten: %s in %s", plural(n, "block"), plural(s.Changed, "recipe"))
	case n > 0:
		words += "\nnothing was written; --diff shows the change, and --write makes it"
	}
	if n := s.Kinds[suggest.Doubtful]; n > 0 {
		words += fmt.Sprintf("\n%s left out, whose publisher nothing confirms: look at them, and name those that are right with --accept", plural(n, "block"))
	}
	return words
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
