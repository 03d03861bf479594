package verify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
)

// judge decides whether a verified bundle is what the rules want.
func (b Bundle) judge(c attestation.Candidate, listed []attestation.Subject, rules Rules) Bundle {
	content := b.Verified
	if !rules.accepts(content.PredicateType) {
		return b.notCounted(Unmatched, CodePredicate, predicateReason(content.PredicateType, rules), predicateHint(content.PredicateType, rules))
	}
	if c.MatchSubject != nil && content.PredicateType != "" && !anySubject(listed, c.MatchSubject) {
		return b.notCounted(Unmatched, CodeSubjectName,
			fmt.Sprintf("it lists the digest under the name %s, which is not the archive's", subjectName(listed[0])), "")
	}
	if content.Release != nil && b.Domain != trust.GitHub {
		content.Release = nil // only GitHub's own authority speaks for releases
	}
	if content.Release != nil && !inRelease(*content.Release, listed, rules.URLs) {
		return b.notCounted(Unmatched, CodeRelease,
			fmt.Sprintf("it is of the release %+q of %s, and the source's address is not an asset of that release", clip(content.Release.Tag), clip(content.Release.Repository)), "")
	}
	return b.matchPublishers(rules)
}

func predicateReason(found string, rules Rules) string {
	accepted := rules.PredicateTypes
	if accepted == nil {
		accepted = DefaultPredicateTypes()
	}
	what := fmt.Sprintf("its predicate type is %+q", clip(found))
	if found == "" {
		what = "it is a signature over the archive without a statement"
	}
	return fmt.Sprintf("%s, wanted %s", what, oneOf(accepted))
}

func predicateHint(found string, rules Rules) string {
	if rules.PredicateTypes != nil || found == "" {
		return ""
	}
	return fmt.Sprintf("if this statement is meant, add to the attestation block: predicate_type: %+q", clip(found))
}

func anySubject(subjects []attestation.Subject, match func(string) bool) bool {
	for _, s := range subjects {
		if match(s.Name) {
			return true
		}
	}
	return false
}

// matchPublishers compares a bundle with each publisher, and keeps the nearest
// miss if none fits.
func (b Bundle) matchPublishers(rules Rules) Bundle {
	var nearest *publishers.MismatchError
	for _, p := range rules.Publishers {
		err := b.matches(p)
		if err == nil {
			b.Status, b.Publisher = Counted, p.String()
			b.Code, b.Reason, b.Hint = "", "", ""
			return b
		}
		var m *publishers.MismatchError
		if errors.As(err, &m) && (nearest == nil || rank(m.Field) > rank(nearest.Field)) {
			nearest = m
		}
	}
	b.publisher = nearest
	reason := nearest.Error()
	if len(rules.Publishers) > 1 && rank(nearest.Field) <= rank(publishers.FieldRepository) {
		reason = fmt.Sprintf("signed by %s, wanted %s", nearest.Signer, oneOf(publisherNames(rules.Publishers)))
	}
	return b.notCounted(Unmatched, codeOf(nearest.Field), reason, nearest.Hint())
}

func (b Bundle) matches(p publishers.Publisher) error {
	if r := b.Verified.Release; r != nil {
		return p.MatchRelease(*r)
	}
	return p.Match(b.Verified.Certificate.Identity())
}

// rank orders fields by how near a mismatch in them is to a match.
func rank(f publishers.Field) int {
	switch f {
	case publishers.FieldRef:
		return 4
	case publishers.FieldSourceRepository:
		return 3
	case publishers.FieldRepository, publishers.FieldIdentity:
		return 2
	default:
		return 1
	}
}

func codeOf(f publishers.Field) Code {
	switch f {
	case publishers.FieldRef:
		return CodeRef
	case publishers.FieldSourceRepository:
		return CodeReusableWorkflow
	case publishers.FieldIssuer:
		return CodeIssuer
	default:
		return CodeIdentity
	}
}

// decide gives the bundles that count, or why there are not enough of them.
// None of the bundles is broken.
func decide(bundles []Bundle, d digest.SHA256, rules Rules) ([]Bundle, error) {
	var counted []Bundle
	for _, b := range bundles {
		if b.Status == Counted {
			counted = append(counted, b)
		}
	}
	if len(counted) == 0 {
		return nil, nearestMiss(bundles, d)
	}
	if rules.Match == All {
		if missing := unmatched(counted, rules.Publishers); len(missing) > 0 {
			return nil, &MismatchError{
				Code:    CodeNotAllPublishers,
				Message: fmt.Sprintf("signed by %s, and not by %s; all publishers are wanted", oneOf(countedNames(counted)), strings.Join(missing, ", ")),
				Mend:    "one publisher is enough with --publishers any",
			}
		}
	}
	return counted, nil
}

// unmatched lists the publishers that no bundle is from. A bundle may be from
// several, when one is named in two ways.
func unmatched(counted []Bundle, wanted []publishers.Publisher) []string {
	var missing []string
	for _, p := range wanted {
		found := false
		for _, b := range counted {
			found = found || b.matches(p) == nil
		}
		if !found {
			missing = append(missing, p.String())
		}
	}
	return missing
}

// nearestMiss explains why no bundle counted by the one that came nearest.
func nearestMiss(bundles []Bundle, d digest.SHA256) error {
	nearest := -1
	for i, b := range bundles {
		if nearest < 0 || nearness(b) > nearness(bundles[nearest]) {
			nearest = i
		}
	}
	if nearest < 0 {
		return &MismatchError{Code: CodeOtherDigest, Message: fmt.Sprintf("no evidence lists sha256:%s", d)}
	}
	b := bundles[nearest]
	if b.Status == SetAside {
		return &MismatchError{
			Code:    CodeOtherDigest,
			Message: "the evidence speaks of another file: " + b.Reason,
			Mend:    "the archive may have been replaced since it was signed; compare the recipe's sha256 with the release",
		}
	}
	return &MismatchError{Code: b.Code, Message: b.Reason, Mend: b.Hint}
}

func nearness(b Bundle) int {
	switch b.Code {
	case CodeOtherDigest:
		return 0
	case CodePredicate:
		return 1
	case CodeSubjectName, CodeRelease:
		return 2
	}
	if b.publisher == nil {
		return 3
	}
	return 3 + rank(b.publisher.Field)
}

func publisherNames(list []publishers.Publisher) []string {
	var names []string
	for _, p := range list {
		names = append(names, p.String())
	}
	return names
}

func countedNames(list []Bundle) []string {
	var names []string
	for _, b := range list {
		names = append(names, b.Publisher)
	}
	return names
}

func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "one of " + strings.Join(names, ", ")
}
