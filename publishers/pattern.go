package publishers

import (
	"fmt"
	"strings"
)

// A Pattern names publishers by the repository that they are: github:owner/repo,
// github:owner/*, gitlab:group/*, https://host/owner/*, or "*" for everybody.
// Values come from [ParsePattern]; the zero value matches nobody.
type Pattern struct {
	everybody bool
	host      string
	// segments are in lower case; "*" in one stands for any run of characters.
	segments []string
	// deep is a final "**": at least one segment more, and any number.
	deep bool
	text string
}

// String gives the pattern as it was written.
func (p Pattern) String() string { return p.text }

// IsZero tells whether p is the zero value, which matches nobody.
func (p Pattern) IsZero() bool { return p.text == "" }

const patternHint = "write github:owner/repo, github:owner/*, gitlab:group/**, https://host/owner/* or \"*\" for every publisher"

// ParsePattern reads a pattern of publishers: a shorthand without a ref, or an
// https URL for other hosts, in which "*" stands for any run of characters
// other than "/". For gitlab and for URLs a last part "**" stands for one or
// more parts, since groups are nested. "*" alone is every publisher, whatever
// it is. Errors are of type *[SyntaxError].
func ParsePattern(s string) (Pattern, error) {
	fail := func(mend, format string, a ...any) (Pattern, error) {
		return Pattern{}, &SyntaxError{Text: s, Problem: fmt.Sprintf(format, a...), Mend: mend}
	}
	switch {
	case strings.TrimSpace(s) == "":
		return fail(patternHint, "is empty")
	case len(s) > MaxLength:
		return fail(patternHint, "is longer than %d bytes", MaxLength)
	case s == "*":
		return Pattern{everybody: true, text: s}, nil
	}
	host, path, prov, err := splitPattern(s)
	if err != nil {
		return fail(patternHint, "%v", err)
	}
	if strings.Contains(path, "@") {
		return fail("leave the ref out; a rule has refs for it", "is a pattern of publishers and has a ref")
	}
	p := Pattern{host: host, text: s}
	nested := prov.maxSegments != prov.minSegments
	if rest, ok := strings.CutSuffix(path, "/**"); ok && nested {
		p.deep, path = true, rest
	}
	p.segments = strings.Split(lower(path), "/")
	least := prov.minSegments
	if p.deep {
		least = 1
	}
	if len(p.segments) < least || len(p.segments) > prov.maxSegments {
		return fail(patternHint, "does not name repositories of %s", host)
	}
	for _, seg := range p.segments {
		if err := checkSegmentPattern(seg); err != nil {
			return fail(patternHint, "has %v", err)
		}
	}
	return p, nil
}

// splitPattern finds the host and the path of a pattern, and how many parts a
// repository has there.
func splitPattern(s string) (host, path string, prov provider, err error) {
	if rest, ok := strings.CutPrefix(s, "https://"); ok {
		host, path, _ = strings.Cut(rest, "/")
		host = lower(host)
		if err := checkHost(host); err != nil {
			return "", "", provider{}, err
		}
		if known, ok := providerOfHost(host); ok {
			return host, path, known, nil
		}
		return host, path, provider{host: host, minSegments: 1, maxSegments: 21}, nil
	}
	name, path, ok := strings.Cut(s, ":")
	prov, known := providerNamed(name)
	if !ok || !known {
		return "", "", provider{}, fmt.Errorf("names no known provider (github or gitlab) before a \":\"")
	}
	return prov.host, path, prov, nil
}

func checkSegmentPattern(s string) error {
	if strings.Contains(s, "**") {
		return fmt.Errorf("the part %q; \"**\" may only be the last part, where groups are nested", clip(s))
	}
	// A star is judged as a letter that could stand there.
	return checkSegment(strings.ReplaceAll(s, "*", "x"))
}

// Matches tells whether a publisher is one that the pattern names. It compares
// the repository that the publisher is, and not its ref or issuer, so a
// repository cannot escape a rule by being spelled as a mapping. A mapping on
// another host than github.com and gitlab.com may name less than a repository;
// it matches if it names anything that the pattern does.
func (p Pattern) Matches(pub Publisher) bool {
	if pub.IsZero() || p.IsZero() {
		return false
	}
	if p.everybody {
		return true
	}
	if pub.repository != "" {
		host, path, _ := strings.Cut(pub.repository, "/")
		return host == p.host && p.matchesPath(strings.Split(path, "/"))
	}
	return pub.url != nil && pub.url.host == p.host && p.overlaps(pub.url.path)
}

func (p Pattern) matchesPath(path []string) bool {
	if len(path) < len(p.segments) || !p.deep && len(path) > len(p.segments) || p.deep && len(path) == len(p.segments) {
		return false
	}
	for i, seg := range p.segments {
		if !matchSegment(seg, path[i]) {
			return false
		}
	}
	return true
}

// overlaps tells whether something below path can be what the pattern names.
func (p Pattern) overlaps(path []string) bool {
	for i := range min(len(path), len(p.segments)) {
		if !matchSegment(p.segments[i], lower(path[i])) {
			return false
		}
	}
	return true
}

func anyMatches(patterns []Pattern, p Publisher) bool {
	for _, pattern := range patterns {
		if pattern.Matches(p) {
			return true
		}
	}
	return false
}
