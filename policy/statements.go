package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/publishers"
)

// Statements say in words, part by part, what the policy demands of sources and
// their signers, for whoever wants to look it over. Sections for a whole run are
// not among them.
func (p *Policy) Statements(now time.Time) []Reason {
	if p == nil {
		return nil
	}
	var list []Reason
	say := func(kind ReasonKind, at Position, format string, a ...any) {
		list = append(list, Reason{kind, at, fmt.Sprintf(format, a...)})
	}
	for _, q := range p.Require {
		say(BecauseRequired, q.Position, "evidence is required of %s", q.Selection)
	}
	for _, e := range p.Exceptions {
		day := e.Until.Format(time.DateOnly)
		switch {
		case e.Ended(now):
			say(BecauseEnded, e.Position, "%s was excepted until %s: %s", e.scope(), day, e.Reason)
		case e.tooLong(now):
			say(BecauseEnded, e.Position, "%s cannot be excepted until %s: %s", e.scope(), day, e.Reason)
		default:
			say(BecauseException, e.Position, "%s is excepted until %s: %s", e.scope(), day, e.Reason)
		}
	}
	for _, a := range p.Publishers {
		say(BecausePublishers, a.Position, "publishers for %s: %s", a.Selection, publisherNames(a.Publishers))
		if a.Enforce {
			say(BecauseBound, a.Position, "%s must be signed by %s", a.Selection, publisherNames(a.Publishers))
		}
	}
	for _, r := range p.Rules {
		if r.Selection.IsZero() {
			say(BecauseRule, r.Position, "%s", r.Demand())
		} else {
			say(BecauseRule, r.Position, "for %s: %s", r.Selection, r.Demand())
		}
	}
	for _, w := range p.Reusable {
		say(BecauseWorkflow, w.Position, "%s", w.allows())
	}
	for _, i := range p.Issuers {
		say(BecauseIssuers, i.Position, "%s", i.allows())
	}
	return list
}

// scope says in words what an exception is for.
func (e Exception) scope() string {
	switch recipes := "recipe " + strings.Join(e.Recipes, " or "); {
	case len(e.Recipes) == 0:
		return e.Selection.String()
	case e.IsZero():
		return recipes
	default:
		return e.Selection.String() + ", " + recipes
	}
}

func (w Reusable) allows() string {
	return fmt.Sprintf("%s may sign for %s", w.Workflow, strings.Join(texts(w.Publishers, publishers.Pattern.String), ", "))
}

func (i Issuers) allows() string {
	return fmt.Sprintf("issuers for %s: %s", i.Host, strings.Join(i.Issuers, ", "))
}
