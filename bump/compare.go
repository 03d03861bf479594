package bump

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Evidence says what is known of a source's evidence.
type Evidence string

// What may be known of evidence.
const (
	Genuine    Evidence = "genuine"    // it verifies, and somebody signed whom a recipe could name
	None       Evidence = "none"       // there is none, where it would be
	NotCounted Evidence = "unusable"   // nobody demands it, and it does not count
	Refused    Evidence = "refused"    // it is demanded, and is not there or not what is demanded
	Unseen     Evidence = "unknown"    // it could not be obtained
	Unreadable Evidence = "unreadable" // the recipe or the source is wrong
)

// An Account is what one version has of a source.
type Account struct {
	Position recipe.Position // in a revision the file is "REVISION:path"
	Outputs  []string
	URLs     []string
	Other    string // of a source that is no URL
	// Demanded tells that recipe or policy name publishers.
	Demanded bool
	Verdict  audit.Verdict
	Code     audit.Code
	Message  string
	Hint     string

	Evidence Evidence
	Detail   string // in words, where Evidence is not Genuine
	// Signers are those of all bundles that verify, speak of the archive and are
	// of an accepted kind, whether they are whom the recipe names or not.
	Signers []signer.Signer
}

func accountOf(r audit.Result, v *Version) Account {
	a := Account{
		Position: v.shown(r.Position), Outputs: r.Outputs, URLs: slices.Clone(r.URLs), Other: r.Other, Demanded: len(r.Publishers) > 0,
		Verdict: r.Verdict, Code: r.Code, Message: r.Message, Hint: r.Hint, Detail: r.Message,
	}
	switch {
	case r.Verdict == audit.Verified:
		a.Evidence = Genuine
	case r.Verdict == audit.Unattested, r.Verdict == audit.Missing && r.Code == audit.CodeNoBlock:
		a.found(r)
	case r.Verdict == audit.Mismatch, r.Verdict == audit.Invalid, r.Verdict == audit.Missing:
		a.Evidence = Refused
	case r.Verdict == audit.Unavailable:
		a.Evidence = Unseen
	default:
		a.Evidence = Unreadable
	}
	if a.Evidence == Genuine || r.Verdict == audit.Mismatch {
		a.Signers = signersOf(r.Bundles)
	}
	if a.Evidence == Genuine && len(a.Signers) == 0 { // cannot be, and must not look as evidence does
		a.Evidence, a.Detail = Unreadable, "the evidence names no signer"
	}
	return a
}

// found reads what was found of evidence that nobody demands.
func (a *Account) found(r audit.Result) {
	f := r.Finding
	switch {
	case f == nil && len(r.URLs) > 0:
		a.Evidence, a.Detail = None, "it pins no SHA-256, so that nothing can be evidence of it"
	case f == nil:
		a.Evidence = None
	case f.Kind == audit.Attestable && f.Genuine:
		a.Evidence = Genuine
	case f.Kind == audit.Attestable:
		a.Evidence, a.Detail = NotCounted, f.Detail
	case f.Kind == audit.NoEvidence, f.Kind == audit.NotAttestable, f.Kind == audit.NotAsked:
		a.Evidence, a.Detail = None, f.Detail
	default:
		a.Evidence, a.Detail = Unseen, f.Detail
	}
}

// signersOf gives the signers of bundles that verify and would count for their
// publisher. The same of them are taken whether a recipe names that publisher or
// not, so that a version with a block can be compared with one without.
func signersOf(bundles []verify.Bundle) []signer.Signer {
	var list []signer.Signer
	for _, b := range bundles {
		if b.Verified == nil {
			continue
		}
		switch b.Code {
		case verify.CodeOtherDigest, verify.CodePredicate, verify.CodeSubjectName, verify.CodeRelease, verify.CodeReleaseNotAllowed:
			continue
		}
		if b.Status == verify.Counted || b.Status == verify.Unmatched {
			list = append(list, signer.Of(*b.Verified))
		}
	}
	return signer.Sorted(list)
}

// describe names who signed, or says why nobody did.
func (a *Account) describe() string {
	if len(a.Signers) == 0 {
		return a.Detail
	}
	var list []string
	for _, s := range a.Signers {
		list = append(list, s.Statement())
	}
	return strings.Join(list, " and ")
}

// compareAll compares the sources of two versions of a recipe. Where some of a
// version are not known, nothing is said to be new or gone.
func compareAll(old, now []Account, accept []signer.Kind) []Source {
	paired := make([]bool, len(old))
	var list []Source
	for i, j := range counterparts(old, now) {
		var before *Account
		if j >= 0 {
			before, paired[j] = &old[j], true
		}
		if e := now[i].Evidence; before != nil || e == Unreadable || e == Refused || !unreadable(old) {
			list = append(list, compare(before, &now[i], accept))
		}
	}
	for j := range old {
		if !paired[j] && (old[j].Evidence == Unreadable || !unreadable(now)) {
			list = append(list, compare(&old[j], nil, accept))
		}
	}
	return list
}

// unreadable tells whether not all sources of a version are known.
func unreadable(list []Account) bool {
	return slices.ContainsFunc(list, func(a Account) bool { return a.Evidence == Unreadable && len(a.URLs) == 0 })
}

// counterparts gives for each source the index of its counterpart, or -1.
func counterparts(old, now []Account) []int {
	found := origin.Counterparts(addresses(old), addresses(now))
	for i, a := range now {
		if a.Other != "" {
			found[i] = slices.IndexFunc(old, func(b Account) bool {
				return b.Other != "" && origin.Shape(a.Other) == origin.Shape(b.Other)
			})
		}
	}
	return found
}

func addresses(list []Account) [][]string {
	all := make([][]string, len(list))
	for i, a := range list {
		all[i] = a.URLs
	}
	return all
}

// compare compares a source with its counterpart; one may be nil.
func compare(old, now *Account, accept []signer.Kind) Source {
	s := Source{State: Same, Old: old, New: now}
	add := func(c signer.Change, fails bool) {
		fails = fails && (c.Kind == NewFailure || !slices.Contains(accept, c.Kind))
		s.Changes = append(s.Changes, Change{c, fails})
	}
	switch {
	case old == nil:
		add(signer.Change{Kind: SourceAdded, After: now.describe()}, false)
		s.State = Added
	case now == nil:
		s.State = Gone
		if old.Evidence == Genuine || old.Evidence == Refused {
			add(signer.Change{Kind: SourceGone, Before: old.describe(), Downgrade: true}, true)
		}
	default:
		compareEvidence(old, now, add)
	}
	if now != nil && now.Evidence == Refused {
		before := ""
		if old != nil {
			before = old.describe()
		}
		add(signer.Change{Kind: NewFailure, Before: before, After: fmt.Sprintf("%s: %s", now.Verdict, now.Message), Downgrade: true}, true)
	}
	s.State = s.judged()
	return s
}

// compareEvidence compares two versions of a source. Nothing is said of evidence
// that was not seen.
func compareEvidence(old, now *Account, add func(c signer.Change, fails bool)) {
	if old.Evidence == Unreadable || now.Evidence == Unreadable {
		return
	}
	if old.Demanded && !now.Demanded {
		add(signer.Change{Kind: BlockRemoved, Before: "evidence is demanded", After: now.Message, Downgrade: true}, true)
	}
	before := len(old.Signers) > 0
	switch {
	case old.Evidence == Unseen || now.Evidence == Unseen:
	case before && len(now.Signers) > 0:
		for _, c := range signer.Compare(old.Signers, now.Signers) {
			add(c, c.Kind != signer.Appeared)
		}
	case len(now.Signers) > 0:
		add(signer.Change{Kind: signer.Appeared, Before: old.Detail, After: now.describe()}, false)
	case before && now.Evidence == NotCounted: // it was counted before, and may have been tampered with
		add(signer.Change{Kind: NewFailure, Before: old.describe(), After: now.Detail, Downgrade: true}, true)
	case before && (now.Evidence == None || now.Verdict == audit.Missing):
		add(signer.Change{Kind: signer.Disappeared, Before: old.describe(), After: now.Detail, Downgrade: true}, true)
	case now.Evidence == NotCounted:
		add(signer.Change{Kind: Unusable, Before: old.Detail, After: now.Detail}, false)
	}
}

// judged is the state of a source in the light of its changes.
func (s *Source) judged() State {
	switch {
	case s.has(Unreadable):
		return Faulty
	case slices.ContainsFunc(s.Changes, func(c Change) bool { return c.Fails }):
		return Failed
	case s.unseen():
		return Unknown
	case s.State == Same && len(s.Changes) > 0, s.State == Gone && len(s.Changes) > 0:
		return Changed
	}
	return s.State
}

// unseen tells whether one side could not be looked at.
func (s *Source) unseen() bool { return s.has(Unseen) }

func (s *Source) has(e Evidence) bool {
	return s.Old != nil && s.Old.Evidence == e || s.New != nil && s.New.Evidence == e
}

// graver gives the graver of two states.
func graver(a, b State) State {
	if slices.Index(States(), a) < slices.Index(States(), b) {
		return b
	}
	return a
}
