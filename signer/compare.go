package signer

import (
	"cmp"
	"fmt"
	"slices"
)

// A Change is what differs between the signers of two versions.
type Change struct {
	Kind          Kind
	Before, After string // may hold foreign text; empty for nothing
	// Downgrade tells that the change is for the worse, or looks as a project's
	// capture would. A project may as well have moved.
	Downgrade bool
}

// A Kind names a change.
type Kind string

// The kinds of changes, in the order in which they are given.
const (
	PublisherChanged Kind = "publisher-changed"
	IssuerChanged    Kind = "issuer-changed"
	WorkflowChanged  Kind = "workflow-changed"
	ReusableChanged  Kind = "reusable-workflow-changed"
	PredicateChanged Kind = "predicate-changed"
	// ReleaseChanged tells that GitHub signs for the release in the place of the
	// build, or the other way round.
	ReleaseChanged      Kind = "release-changed"
	RepositoryIDChanged Kind = "repository-id-changed"
	OwnerIDChanged      Kind = "owner-id-changed"
	// Disappeared and Appeared are of a signer who has no counterpart.
	Disappeared Kind = "evidence-disappeared"
	Appeared    Kind = "evidence-appeared"
)

// Compare says what differs between the signers of one version and those of the
// next: nothing if and only if both have the same signers. Signers are paired
// where they are the same, and then where the least differs; one who is left
// over has disappeared or appeared. What differs in the same way about several
// signers is said once. The order of the lists does not matter.
func Compare(before, now []Signer) []Change {
	before, now = Sorted(before), Sorted(now)
	var changes []Change
	add := func(list ...Change) {
		for _, c := range list {
			if !slices.Contains(changes, c) {
				changes = append(changes, c)
			}
		}
	}
	for _, p := range pairs(before, now) {
		switch {
		case p.after == nil:
			add(Change{Disappeared, p.before.Statement(), "", true})
		case p.before == nil:
			add(Change{Appeared, "", p.after.Statement(), false})
		default:
			add(p.before.changes(*p.after)...)
		}
	}
	return changes
}

// Statement names a signer and what was stated.
func (s Signer) Statement() string {
	if s.PredicateType == "" {
		return "signed by " + s.String()
	}
	return "a statement " + s.PredicateType + " signed by " + s.String()
}

// A pair is two signers that are held against each other, or one alone.
type pair struct{ before, after *Signer }

// pairs gives everyone of both lists once, in the order of the first list.
func pairs(before, now []Signer) []pair {
	list := make([]pair, len(before))
	taken := make([]bool, len(now))
	for i := range before {
		list[i].before = &before[i]
		if j := slices.IndexFunc(now, before[i].Same); j >= 0 { // at most one: the lists have everyone once
			list[i].after, taken[j] = &now[j], true
		}
	}
	var candidates []candidate
	for i := range before {
		for j := range now {
			if list[i].after == nil && !taken[j] {
				candidates = append(candidates, candidate{i, j, before[i].distance(now[j])})
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return slices.Compare(a.far[:], b.far[:]) })
	for _, c := range candidates {
		if list[c.before].after == nil && !taken[c.now] {
			list[c.before].after, taken[c.now] = &now[c.now], true
		}
	}
	for j := range now {
		if !taken[j] {
			list = append(list, pair{after: &now[j]})
		}
	}
	return list
}

// A candidate are two signers, by their places, who might be a pair.
type candidate struct {
	before, now int
	far         [2]int
}

// distance counts what differs, the graver first.
func (s Signer) distance(t Signer) [2]int {
	var far [2]int
	for _, c := range s.changes(t) {
		far[1]++
		if c.Downgrade {
			far[0]++
		}
	}
	return far
}

// changes compares two signers; none if and only if they are the same.
func (s Signer) changes(now Signer) []Change {
	var changes []Change
	differ := func(kind Kind, before, after string, downgrade bool) {
		changes = append(changes, Change{kind, before, after, downgrade})
	}
	if s.Person != now.Person || s.folded() != now.folded() {
		after := now.Publisher
		if s.RepositoryID != "" && s.RepositoryID == now.RepositoryID && !s.Person && !now.Person {
			after += " (the same repository, renamed or transferred)"
		}
		differ(PublisherChanged, s.Publisher, after, true)
	}
	if s.Issuer != now.Issuer && s.Release == now.Release { // nobody vouches for a release
		differ(IssuerChanged, s.Issuer, now.Issuer, true)
	}
	if s.Workflow != now.Workflow {
		differ(WorkflowChanged, s.Workflow, now.Workflow, false)
	}
	if s.Reusable != now.Reusable {
		differ(ReusableChanged, s.Reusable, now.Reusable, false)
	}
	if s.PredicateType != now.PredicateType {
		differ(PredicateChanged, s.PredicateType, now.PredicateType, false)
	}
	if s.Release != now.Release {
		differ(ReleaseChanged, s.String(), now.String(), now.Release)
	}
	if s.RepositoryID != now.RepositoryID { // one that is new says more than before
		differ(RepositoryIDChanged, s.RepositoryID, now.RepositoryID, s.RepositoryID != "")
	}
	if s.OwnerID != now.OwnerID {
		differ(OwnerIDChanged, s.OwnerID, now.OwnerID, s.OwnerID != "")
	}
	return changes
}

// Kinds are all kinds, in their order.
func Kinds() []Kind {
	return []Kind{
		PublisherChanged, IssuerChanged, WorkflowChanged, ReusableChanged, PredicateChanged,
		ReleaseChanged, RepositoryIDChanged, OwnerIDChanged, Disappeared, Appeared,
	}
}

// String says what changed, in words. It may hold foreign text.
func (c Change) String() string {
	if c.Before == "" && c.After != "" {
		return fmt.Sprintf("%s: now %s", c.Kind, c.After)
	}
	return fmt.Sprintf("%s: before %s, now %s", c.Kind, c.Before, cmp.Or(c.After, "none"))
}
