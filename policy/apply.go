package policy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// A Source is what a policy looks at of a URL source.
type Source struct {
	Recipe   string   // the recipe's path
	Packages []string // names of the outputs that use the source
	Siblings []string // names of the recipe's other outputs
	Versions []string // versions of the outputs that use the source
	URLs     []string // the archive's addresses, in the recipe's order
	// HasBlock tells that the recipe has an attestation block for it, with
	// Publishers and PredicateTypes.
	HasBlock       bool
	Publishers     []publishers.Publisher
	PredicateTypes []string
}

// A Decision is what a policy demands of one source and its signer.
type Decision struct {
	// Required tells that the source must carry evidence: one that nobody
	// names publishers for is missing.
	Required bool
	// Exception is why evidence is not required, although a requirement fits.
	Exception *Exception
	// Publishers are those of a source without a block, and BundleURLs where
	// their evidence lies, if the resolvers don't know. Both are empty for a
	// source with a block, whose own hold.
	Publishers []publishers.Publisher
	BundleURLs []string
	// Bound are publishers one of whom must have signed as well, whatever the
	// block says; nil for no such demand.
	Bound []publishers.Publisher
	// PredicateTypes are accepted; nil for the verifier's own. They are the
	// block's where it lists any, without those that an entry with enforce does
	// not accept.
	PredicateTypes []string
	// Match says how many publishers must have signed; "" leaves it open.
	Match Match
	// Terms are for the verifier.
	Terms               publishers.Terms
	NoImmutableReleases bool
	// Because says what applied, in the order in which it was decided.
	Because []Reason
	// Err is a fault of the policy that shows at this source; a source with one
	// must not be let through.
	Err *Error
}

// A ReasonKind says which part of a policy applied.
type ReasonKind string

// The kinds of reasons.
const (
	BecauseRequired   ReasonKind = "require"
	BecauseException  ReasonKind = "exception"
	BecauseEnded      ReasonKind = "exception-ended"
	BecausePublishers ReasonKind = "publishers"
	BecausePartly     ReasonKind = "publishers-in-part"
	BecauseBound      ReasonKind = "bound-publishers"
	BecauseRule       ReasonKind = "rule"
	BecauseWorkflow   ReasonKind = "reusable-workflow"
	BecauseIssuers    ReasonKind = "issuers"
)

// A Reason is a part of a policy that applied to a source.
type Reason struct {
	Kind     ReasonKind
	Position Position
	Text     string // in words, without the position
}

// Because gives the reasons of a kind.
func (d Decision) reasons(kind ReasonKind) []Reason {
	var found []Reason
	for _, r := range d.Because {
		if r.Kind == kind {
			found = append(found, r)
		}
	}
	return found
}

// RequiredBy says in words what requires evidence, and which exceptions do not
// hold any more; "" where nothing is required.
func (d Decision) RequiredBy() string {
	if !d.Required {
		return ""
	}
	var parts []string
	for _, kind := range []ReasonKind{BecauseRequired, BecausePartly, BecauseEnded} {
		for _, r := range d.reasons(kind) {
			parts = append(parts, fmt.Sprintf("%s (%s)", r.Text, r.Position))
		}
	}
	return strings.Join(parts, "; ")
}

func (d *Decision) because(kind ReasonKind, at Position, format string, a ...any) {
	d.Because = append(d.Because, Reason{kind, at, fmt.Sprintf(format, a...)})
}

// Apply decides what the policy demands of a source. It can be called on a nil
// policy, which demands nothing. Now is for exceptions, which end.
func (p *Policy) Apply(s Source, now time.Time) Decision {
	d := Decision{PredicateTypes: s.PredicateTypes}
	if d.Terms.Version = s.Versions; p == nil {
		p = &Policy{}
	}
	d.Terms.Packages = names(s)
	d.Match, d.NoImmutableReleases = p.Match, p.NoImmutableReleases
	p.decideRequired(&d, s, now)
	bound := p.decidePublishers(&d, s)
	if len(d.PredicateTypes) == 0 {
		d.PredicateTypes = p.PredicateTypes
	}
	d.bindPredicateTypes(bound)
	p.decideTerms(&d, s)
	return d
}

// names are what may stand before a version in a tag.
func names(s Source) []string {
	all := slices.Concat(s.Packages, s.Siblings)
	if o := origin.Of(s.URLs); o.Project != "" {
		all = append(all, o.Project)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *Policy) decideRequired(d *Decision, s Source, now time.Time) {
	for _, q := range p.Require {
		if q.All || q.touches(s) {
			d.Required = true
			d.because(BecauseRequired, q.Position, "evidence is required of %s", q.Selection)
		}
	}
	if !d.Required {
		return
	}
	for _, e := range p.Exceptions {
		if !e.covers(s) || !p.coversRecipe(e, s.Recipe) {
			continue
		}
		day := e.Until.Format(time.DateOnly)
		switch {
		case e.tooLong(now):
			d.because(BecauseEnded, e.Position, "an exception until %s is too long to hold", day)
		case e.Ended(now):
			d.because(BecauseEnded, e.Position, "an exception ended on %s: %s", day, e.Reason)
		case d.Exception == nil:
			d.because(BecauseException, e.Position, "excepted until %s: %s", day, e.Reason)
			d.Exception = &e
		}
	}
	d.Required = d.Exception == nil
}

// coversRecipe compares a recipe's path with an exception's patterns. A path
// that can't be told from the policy's folder does not fit.
func (p *Policy) coversRecipe(e Exception, recipe string) bool {
	if len(e.Recipes) == 0 {
		return true
	}
	file, err := filepath.Abs(recipe)
	dir, err2 := filepath.Abs(filepath.Dir(p.Path))
	if err != nil || err2 != nil || recipe == "" || p.Path == "" {
		return false
	}
	below, err := filepath.Rel(dir, file)
	if err != nil || !filepath.IsLocal(below) {
		return false
	}
	return slices.ContainsFunc(e.Recipes, func(pattern string) bool { return glob(pattern, filepath.ToSlash(below)) })
}

// decidePublishers finds the publishers of a source without a block, and those
// that every source is bound to. The first entry that fits all addresses of a
// source without a block is the one that counts; where entries fit only some of
// them, evidence is required and nobody is accepted, so that an address more
// does not make a source one that asks for nothing. It gives the entry that the
// source is bound to, or nil.
func (p *Policy) decidePublishers(d *Decision, s Source) (bound *Assignment) {
	var own, partly *Assignment
	for i := range p.Publishers {
		a := &p.Publishers[i]
		if !a.touches(s) {
			continue
		}
		switch {
		case s.HasBlock || own != nil:
		case a.reaches(s):
			own = a
		case partly == nil:
			partly = a
		}
		if !a.Enforce {
			continue
		}
		if bound != nil {
			d.Err = &Error{
				Position: a.Position,
				Problem:  fmt.Sprintf("two entries with enforce fit one source; the other is at %s", bound.Position),
				Mend:     "make one of them narrower, or one entry of both",
			}
			return nil
		}
		bound = a
	}
	if own == nil && partly != nil {
		d.Required = true
		d.because(BecausePartly, partly.Position, "publishers are named for %s, which fits only some of the source's addresses", partly.Selection)
	}
	if own != nil {
		d.Publishers = own.Publishers
		d.because(BecausePublishers, own.Position, "publishers for %s: %s", own.Selection, publisherNames(own.Publishers))
		if own.BundleURL != "" && len(s.URLs) > 0 {
			d.BundleURLs = []string{strings.ReplaceAll(own.BundleURL, "{url}", s.URLs[0])}
		}
		d.PredicateTypes = own.PredicateTypes
	}
	if bound != nil {
		d.Bound = bound.Publishers
		d.because(BecauseBound, bound.Position, "%s must be signed by %s", bound.Selection, publisherNames(bound.Publishers))
	}
	return bound
}

// bindPredicateTypes leaves of the types that would be accepted those that the
// entry accepts that the source is bound to: a recipe's block can narrow them,
// and add none. None left is an error, since nothing could count.
func (d *Decision) bindPredicateTypes(bound *Assignment) {
	if bound == nil || len(bound.PredicateTypes) == 0 {
		return
	}
	asked := d.PredicateTypes
	if len(asked) == 0 {
		asked = bound.PredicateTypes
	}
	d.PredicateTypes = nil
	for _, t := range asked {
		if slices.Contains(bound.PredicateTypes, t) {
			d.PredicateTypes = append(d.PredicateTypes, t)
		}
	}
	if len(d.PredicateTypes) == 0 && d.Err == nil {
		d.Err = &Error{
			Position: bound.Position,
			Problem: fmt.Sprintf("this entry with enforce accepts statements of the type %s alone, and what is asked for is %s",
				strings.Join(bound.PredicateTypes, " or "), strings.Join(texts(asked, quoted), " or ")),
			Mend: "remove predicate_type from the recipe's block, or add the type to the entry",
		}
	}
}

func quoted(s string) string { return fmt.Sprintf("%+q", s) }

func publisherNames(list []publishers.Publisher) string {
	return strings.Join(texts(list, publishers.Publisher.String), " or ")
}

// decideTerms collects what is demanded of signers. What can't concern any of
// the publishers in question is handed on all the same, and not spoken of.
func (p *Policy) decideTerms(d *Decision, s Source) {
	in := slices.Concat(s.Publishers, d.Publishers, d.Bound)
	concerns := func(patterns []publishers.Pattern) bool {
		return slices.ContainsFunc(patterns, func(pattern publishers.Pattern) bool {
			return slices.ContainsFunc(in, pattern.Matches)
		})
	}
	for _, r := range p.Rules {
		if !r.touches(s) {
			continue
		}
		d.Terms.Rules = append(d.Terms.Rules, r.Rule)
		if concerns(r.Rule.Publishers) {
			d.because(BecauseRule, r.Position, "%s", r.Demand())
		}
	}
	for _, w := range p.Reusable {
		d.Terms.Reusable = append(d.Terms.Reusable, w.ReusableWorkflow)
		if concerns(w.Publishers) {
			d.because(BecauseWorkflow, w.Position, "%s", w.allows())
		}
	}
	for _, i := range p.Issuers {
		d.Terms.Issuers = append(d.Terms.Issuers, i.HostIssuers)
		if slices.ContainsFunc(in, func(who publishers.Publisher) bool { return strings.HasPrefix(who.Repository(), i.Host+"/") }) {
			d.because(BecauseIssuers, i.Position, "%s", i.allows())
		}
	}
}

// Demand says in words what a rule demands, and of whom.
func (r Rule) Demand() string {
	var parts []string
	list := func(what string, values []string) {
		if len(values) > 0 {
			parts = append(parts, what+" "+strings.Join(values, " or "))
		}
	}
	list("workflow", r.Workflows)
	list("ref", r.Refs)
	if r.TagIsVersion {
		parts = append(parts, "a tag that is the version")
	}
	list("environment", r.Environments)
	list("trigger", r.Triggers)
	if r.HostedOnly {
		parts = append(parts, "a hosted runner")
	}
	list("repository id", r.RepositoryIDs)
	list("owner id", r.OwnerIDs)
	who := strings.Join(texts(r.Rule.Publishers, publishers.Pattern.String), " or ")
	return fmt.Sprintf("of %s is demanded: %s", who, strings.Join(parts, ", "))
}

// Check finds faults that depend on the day: exceptions that are too long. The
// error is an *[Error].
func (p *Policy) Check(now time.Time) error {
	if p == nil {
		return nil
	}
	for _, e := range p.Exceptions {
		if e.tooLong(now) {
			return &Error{
				Position: e.Position,
				Problem:  fmt.Sprintf("an exception until %s is more than two years long", e.Until.Format(time.DateOnly)),
				Mend:     "write an earlier day, or require less",
			}
		}
	}
	return nil
}
