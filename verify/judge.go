package verify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
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
	if content.Release != nil && rules.NoImmutableReleases {
		return b.notCounted(Unmatched, CodeReleaseNotAllowed,
			fmt.Sprintf("it is GitHub's attestation of the immutable release %+q of %s, and the policy wants to know how the file was built", clip(content.Release.Tag), clip(content.Release.Repository)), "")
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
	publisher, nearest := b.firstMatch(rules.Publishers, rules)
	if nearest != nil {
		return b.missed(nearest, rules.Publishers, codeOf(nearest.Field))
	}
	if len(rules.Bound) > 0 {
		if _, nearest := b.firstMatch(rules.Bound, rules); nearest != nil {
			code := codeOf(nearest.Field)
			if code == CodeIdentity || code == CodeIssuer {
				code = CodeBound
			}
			b = b.missed(nearest, rules.Bound, code)
			b.Reason = "the policy does not accept it: " + b.Reason
			return b
		}
	}
	b.Status, b.Publisher = Counted, publisher.String()
	b.Warnings = b.warnings(publisher, rules)
	return b
}

// firstMatch gives the first publisher that a bundle is of, or the nearest miss,
// which is never nil otherwise.
func (b Bundle) firstMatch(list []publishers.Publisher, rules Rules) (publishers.Publisher, *publishers.MismatchError) {
	nearest := &publishers.MismatchError{Field: publishers.FieldIdentity, Found: b.Verified.Certificate.SAN}
	for i, p := range list {
		err := b.matches(p, rules)
		if err == nil {
			return p, nil
		}
		var m *publishers.MismatchError
		if errors.As(err, &m) && (i == 0 || rank(m.Field) > rank(nearest.Field)) {
			nearest = m
		}
	}
	return publishers.Publisher{}, nearest
}

// missed explains a bundle by the nearest miss.
func (b Bundle) missed(nearest *publishers.MismatchError, wanted []publishers.Publisher, code Code) Bundle {
	b.publisher = nearest
	reason := nearest.Error()
	if len(wanted) > 1 && rank(nearest.Field) <= rank(publishers.FieldRepository) {
		reason = fmt.Sprintf("signed by %s, wanted %s", nearest.Signer, oneOf(publisherNames(wanted)))
	}
	return b.notCounted(Unmatched, code, reason, nearest.Hint())
}

func (b Bundle) matches(p publishers.Publisher, rules Rules) error {
	if r := b.Verified.Release; r != nil {
		return rules.Terms.MatchRelease(p, *r)
	}
	return rules.Terms.Match(p, b.Verified.Certificate.Identity())
}

// warnings are what is unusual about a bundle that counts.
func (b Bundle) warnings(p publishers.Publisher, rules Rules) []publishers.Warning {
	var list []publishers.Warning
	if r := b.Verified.Release; r != nil {
		list = rules.Terms.ReleaseWarnings(p, *r)
	} else {
		list = rules.Terms.Warnings(p, b.Verified.Certificate.Identity())
	}
	if b.Verified.promised() {
		list = append(list, publishers.Warning{
			Code:    WarnPromise,
			Message: "its log entry is proven by the log's signed promise alone: the inclusion proof in this old bundle has no signed checkpoint",
		})
	}
	return list
}

// rank orders fields by how near a mismatch in them is to a match.
func rank(f publishers.Field) int {
	switch f {
	case publishers.FieldWorkflow, publishers.FieldTrigger, publishers.FieldRunner, publishers.FieldEnvironment, publishers.FieldVersion:
		return 6
	case publishers.FieldRepositoryID, publishers.FieldOwnerID:
		return 5
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

// codes are those of mismatches that have one of their own.
var codes = map[publishers.Field]Code{
	publishers.FieldRef:              CodeRef,
	publishers.FieldSourceRepository: CodeReusableWorkflow,
	publishers.FieldIssuer:           CodeIssuer,
	publishers.FieldWorkflow:         CodeWorkflow,
	publishers.FieldTrigger:          CodeTrigger,
	publishers.FieldRunner:           CodeRunner,
	publishers.FieldEnvironment:      CodeEnvironment,
	publishers.FieldVersion:          CodeVersion,
	publishers.FieldRepositoryID:     CodeRepositoryID,
	publishers.FieldOwnerID:          CodeOwnerID,
}

func codeOf(f publishers.Field) Code {
	if code, ok := codes[f]; ok {
		return code
	}
	return CodeIdentity
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
		if missing := unmatched(counted, rules); len(missing) > 0 {
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
func unmatched(counted []Bundle, rules Rules) []string {
	var missing []string
	for _, p := range rules.Publishers {
		found := false
		for _, b := range counted {
			found = found || b.matches(p, rules) == nil
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
	switch {
	case b.Status == SetAside && b.Code == CodeUnknownAuthority:
		// Nothing is left that could speak for the archive, and this does list it.
		return &InvalidError{Code: b.Code, Message: b.Reason, Mend: b.Hint}
	case b.Status == SetAside:
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
	case CodeUnknownAuthority:
		return 1
	case CodePredicate:
		return 2
	case CodeSubjectName, CodeRelease, CodeReleaseNotAllowed:
		return 3
	case CodeBound: // of the recipe's publisher
		return 11
	}
	if b.publisher == nil {
		return 4
	}
	return 4 + rank(b.publisher.Field)
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
