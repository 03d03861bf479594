// Package bump compares the evidence of two versions of a recipe: whether those
// who signed the sources before signed them again, from the same repository, by
// the same workflow, with the same kind of statement. It is what an update bot
// asks before it proposes a new version.
//
// It looks at evidence that recipes demand, and at evidence that is there without
// being demanded. Archives are not fetched: what they have to be is what the two
// versions pin. That a source's evidence is good, and that policies are kept, is
// for verify to say; here a source must be as its counterpart was, or somebody
// has to look.
//
// # Threats
//
// Whoever proposes the new version may be the attacker. So nothing of the older
// version is taken from the newer one: an argument that could be a folder and a
// revision is refused (see [Find]), revisions are read from git's objects and not
// from the checkout, and a source that was attested and is not there any more is
// a change as good as lost evidence. What could not be seen on either side is
// never said to be the same.
package bump

import (
	"context"
	"errors"
	"strconv"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

// A Pair is two versions of a recipe. A nil one stands for a recipe that is new,
// or gone; not both are.
type Pair struct{ Old, New *Version }

// Options configure a check.
type Options struct {
	// Round looks at the sources of recipes. It must look for evidence that is
	// not demanded (audit.Options.Discover); see gate.BumpCheck.
	Round Round
	// Recipe says for which platforms and variants recipes are evaluated.
	Recipe recipe.Options
	// Accept are kinds of changes that do not fail. NewFailure is not accepted,
	// whoever asks for it.
	Accept []signer.Kind
}

// A Round looks at the sources of recipes at paths, which read alone understands,
// and hands over the results in order.
type Round func(ctx context.Context, paths []string, read func(path string) (*recipe.Recipe, error), handle func(audit.Result) error) (audit.Summary, error)

// A State says what became of a source in the newer version.
type State string

// The states of sources. The graver comes later, for a recipe has the gravest of
// its sources'.
const (
	Same    State = "same"    // nothing has changed
	Added   State = "added"   // it is new
	Gone    State = "gone"    // it is not there any more, and had no evidence
	Changed State = "changed" // there is something to say, and all of it may be
	Unknown State = "unknown" // one side could not be looked at
	Failed  State = "failed"  // some change is not accepted
	Faulty  State = "error"   // one side is wrong, such as a recipe that cannot be read
)

// States are all states, the gravest last.
func States() []State { return []State{Same, Added, Gone, Changed, Unknown, Failed, Faulty} }

// status is the exit status that a state stands for.
func (s State) status() int {
	switch s {
	case Same, Added, Gone, Changed:
		return audit.StatusOK
	case Unknown:
		return audit.StatusUnavailable
	case Failed:
		return audit.StatusRejected
	}
	return audit.StatusError
}

// A Recipe is the outcome of a pair.
type Recipe struct {
	Pair
	State   State // the gravest of its sources'
	Status  int   // the exit status that it stands for
	Sources []Source
}

// A Source is a source of the newer version and its counterpart, or one that is
// gone.
type Source struct {
	State    State
	Old, New *Account // one may be nil
	Changes  []Change
}

// Status is the exit status that the source stands for.
func (s Source) Status() int {
	status := s.State.status()
	for _, c := range s.Changes {
		if c.Fails {
			status = audit.WorseStatus(status, audit.StatusRejected)
		}
	}
	if s.unseen() {
		status = audit.WorseStatus(status, audit.StatusUnavailable)
	}
	return status
}

// A Change is what differs between two versions of a source.
type Change struct {
	signer.Change
	// Fails tells that nobody accepted the change, and that it is of a kind that
	// has to be.
	Fails bool
}

// Kinds of changes beside those of package signer.
const (
	// NewFailure: the newer version's evidence is not what is demanded.
	NewFailure signer.Kind = "new-failure"
	// BlockRemoved: evidence was demanded, and is not any more.
	BlockRemoved signer.Kind = "block-removed"
	// SourceGone: a source that had evidence is not there any more.
	SourceGone signer.Kind = "source-gone"
	// SourceAdded: a source has no counterpart. It never fails.
	SourceAdded signer.Kind = "source-added"
	// Unusable: there is evidence that nobody demands, and it does not count. It
	// never fails.
	Unusable signer.Kind = "evidence-unusable"
	// PolicyChanged is of a whole run, and not of a source: the policy is another
	// than that of the older version. This package never gives it.
	PolicyChanged signer.Kind = "policy-changed"
)

// Acceptable are the kinds of changes that fail unless they are accepted.
func Acceptable() []signer.Kind {
	return []signer.Kind{
		signer.PublisherChanged, signer.IssuerChanged, signer.WorkflowChanged, signer.ReusableChanged,
		signer.PredicateChanged, signer.ReleaseChanged, signer.RepositoryIDChanged, signer.OwnerIDChanged,
		signer.Disappeared, BlockRemoved, SourceGone, PolicyChanged,
	}
}

// A Summary counts.
type Summary struct {
	Recipes int // pairs
	States  map[State]int
	// Status is the exit status that the outcome stands for: 0 only if every
	// source of every recipe was seen on both sides, and nothing fails.
	Status   int
	Warnings []string
}

// Check compares pairs of recipes, and hands over each outcome in order. A nil
// error and a status of 0 prove that each source of each newer version that had
// a counterpart with evidence has evidence by the same signers, as package signer
// compares them, but for changes that Options.Accept names; and that no source
// with evidence is gone. Errors are those of Round, handle's, and the context's.
func Check(ctx context.Context, pairs []Pair, o Options, handle func(Recipe) error) (Summary, error) {
	c := &check{pairs: pairs, options: o, handle: handle, versions: map[string]*Version{}}
	c.summary = Summary{Recipes: len(pairs), States: map[State]int{}}
	var paths []string
	for i, p := range pairs {
		for _, v := range []*Version{p.Old, p.New} {
			if v != nil {
				path := strconv.Itoa(len(paths)) // names of versions may be alike
				c.versions[path] = v
				c.owners = append(c.owners, owner{pair: i, version: v})
				paths = append(paths, path)
			}
		}
	}
	if len(paths) == 0 {
		return c.summary, ctx.Err()
	}
	read := func(path string) (*recipe.Recipe, error) { return c.versions[path].read(ctx, o.Recipe) }
	s, err := o.Round(ctx, paths, read, c.add)
	c.summary.Warnings = s.Warnings
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && !s.Complete {
		err = errors.New("the run ended before every recipe was looked at")
	}
	if err == nil {
		err = c.finish(len(pairs))
	}
	if err != nil && c.summary.Status == audit.StatusOK {
		c.summary.Status = audit.StatusError
	}
	return c.summary, err
}

// An owner says of which pair a path is.
type owner struct {
	pair    int
	version *Version
}

// A check is one run.
type check struct {
	pairs    []Pair
	options  Options
	handle   func(Recipe) error
	summary  Summary
	versions map[string]*Version
	owners   []owner // by the index of their paths

	current  int // the pair that results come of
	old, new []Account
}

func (c *check) add(r audit.Result) error {
	of := c.owners[r.Place.Recipe]
	if err := c.finish(of.pair); err != nil {
		return err
	}
	if r.Code == audit.CodeNoSources {
		return nil
	}
	a := accountOf(r, of.version)
	if of.version == c.pairs[of.pair].Old {
		c.old = append(c.old, a)
	} else {
		c.new = append(c.new, a)
	}
	return nil
}

// finish compares what has come of the pairs before one.
func (c *check) finish(next int) error {
	for c.current < next {
		r := Recipe{Pair: c.pairs[c.current], State: Same, Sources: compareAll(c.old, c.new, c.options.Accept)}
		c.current++
		c.old, c.new = nil, nil
		for _, s := range r.Sources {
			r.State = graver(r.State, s.State)
			r.Status = audit.WorseStatus(r.Status, s.Status())
		}
		c.summary.States[r.State]++
		c.summary.Status = audit.WorseStatus(c.summary.Status, r.Status)
		if err := c.handle(r); err != nil {
			return err
		}
	}
	return nil
}
