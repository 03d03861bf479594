package publishers

import (
	"strings"

	"golang.org/x/mod/semver"
)

// maxTag is the most bytes that a tag or a version may have to be compared.
const maxTag = 256

// releaseWords may stand before the version in a tag, beside names.
var releaseWords = [...]string{"v", "r", "rel", "release", "releases", "ver", "version", "tag"}

// TagFitsVersion tells whether a tag is of a version. Before the version in the
// tag may stand a "v", a word such as "release", and one of the names of what
// is released (name-1.2, name/v1.2, name@1.2). Where both are semantic versions
// they must be equal in precedence and build metadata; else they are compared
// part by part, numbers with numbers, letters without regard to case, whatever
// separates them: 1.0.0rc1 is 1.0.0-rc.1 and 1_80_0 is 1.80.0. Zeros at the end
// of the numbers do not count. 1.23 is never 1.2.3.
func TagFitsVersion(tag, version string, names []string) bool {
	if tag == "" || version == "" || len(tag) > maxTag || len(version) > maxTag {
		return false
	}
	if tag == version {
		return true
	}
	// Where a version may begin in the tag: at 0, and after each prefix from
	// there. Every place is looked at once.
	seen := map[int]bool{0: true}
	for todo := []int{0}; len(todo) > 0; todo = todo[1:] {
		rest := tag[todo[0]:]
		if sameVersion(rest, version) {
			return true
		}
		for i, prefix := range prefixes(names) {
			if n := prefixLength(rest, prefix, i < len(releaseWords)); n > 0 && !seen[todo[0]+n] {
				seen[todo[0]+n] = true
				todo = append(todo, todo[0]+n)
			}
		}
	}
	return false
}

func prefixes(names []string) []string {
	return append(releaseWords[:len(releaseWords):len(releaseWords)], names...)
}

// prefixLength gives how much of s is the prefix and the separators after it, 0
// if s does not begin so. A prefix ends where a separator or a digit follows;
// one that ends in a digit, or could be a version itself, would take the
// version's first number for its own.
func prefixLength(s, prefix string, word bool) int {
	if prefix == "" || len(s) <= len(prefix) || !sameName(s[:len(prefix)], prefix) || !word && looksLikeVersion(prefix) {
		return 0
	}
	n := len(prefix)
	for n < len(s) && strings.IndexByte("-_./@", s[n]) >= 0 {
		n++
	}
	switch {
	case n == len(s):
		return 0
	case n > len(prefix):
		if isDigit(prefix[len(prefix)-1]) && strings.IndexByte("-/@", s[len(prefix)]) < 0 {
			return 0
		}
		return n
	case isDigit(s[n]) && !isDigit(prefix[len(prefix)-1]):
		return n
	}
	return 0
}

// sameName compares names without regard to case and to which separators they
// use.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if folded(a[i]) != folded(b[i]) {
			return false
		}
	}
	return true
}

func folded(c byte) byte {
	switch {
	case c == '_' || c == '.':
		return '-'
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	}
	return c
}

// looksLikeVersion tells whether a name has no letters but those of a word that
// may stand before a version ("7", "v8", "r2"), or begins as a version does
// ("3.0.0-rc", after which rc.1 would be taken for version 1).
func looksLikeVersion(name string) bool {
	for _, w := range releaseWords {
		if rest, ok := strings.CutPrefix(lower(name), w); ok && isNumbered(rest) {
			return true
		}
	}
	return isNumbered(name)
}

// isNumbered tells whether a text has no letters, or begins with two numbers.
func isNumbered(s string) bool {
	rest := strings.TrimLeft(s, "0123456789")
	return !hasLetter(s) || rest != s && len(rest) > 1 && strings.IndexByte("._-", rest[0]) >= 0 && isDigit(rest[1])
}

func hasLetter(s string) bool {
	for i := range len(s) {
		if isAlnum(s[i]) && !isDigit(s[i]) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// sameVersion compares a tag with a version, before which nothing stands but
// perhaps a v.
func sameVersion(tag, version string) bool {
	a, b := withoutV(tag), withoutV(version)
	epoch, restB, _ := cutEpoch(b)
	if tagEpoch, restA, ok := cutEpoch(a); ok {
		if tagEpoch != epoch {
			return false
		}
		a = restA
	}
	b = restB // an epoch that the tag lacks is a packager's
	if a == b {
		return true
	}
	if va, vb := "v"+a, "v"+b; semver.IsValid(va) && semver.IsValid(vb) {
		return semver.Compare(va, vb) == 0 && semver.Build(va) == semver.Build(vb)
	}
	pa, ok := versionParts(a)
	pb, okB := versionParts(b)
	if !ok || !okB || len(pa) != len(pb) {
		return false
	}
	for i := range pa {
		if pa[i] != pb[i] {
			return false
		}
	}
	return true
}

// cutEpoch splits "1!2.0" (PEP 440, conda).
func cutEpoch(s string) (epoch, rest string, ok bool) {
	if epoch, rest, ok = strings.Cut(s, "!"); ok && isNumber(epoch) {
		return epoch, rest, true
	}
	return "", s, false
}

func withoutV(s string) string {
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && isDigit(s[1]) {
		return s[1:]
	}
	return s
}

// versionParts takes a version apart into numbers, words and "+". It reports
// false for what holds anything else, or does not begin with a number.
func versionParts(s string) ([]string, bool) {
	if s == "" || !isDigit(s[0]) {
		return nil, false
	}
	var parts []string
	numbers := 0 // how many parts at the start are numbers
	for i := 0; i < len(s); {
		j := i + 1
		switch c := s[i]; {
		case c == '.' || c == '-' || c == '_':
			i = j
			continue
		case isDigit(c):
			for j < len(s) && isDigit(s[j]) {
				j++
			}
		case isAlnum(c):
			for j < len(s) && isAlnum(s[j]) && !isDigit(s[j]) {
				j++
			}
		case c != '+':
			return nil, false
		}
		part := lower(s[i:j])
		if numbers == len(parts) && isDigit(part[0]) {
			numbers++
		}
		parts = append(parts, part)
		i = j
	}
	return normalParts(parts, numbers), true
}

// normalParts removes zeros at the end of the leading numbers, leading zeros in
// the parts of a date (2024.07.04; but 1.02 is not 1.2, where a project counts
// in decimals), and spells "alpha" and "beta" as PEP 440 does.
func normalParts(parts []string, numbers int) []string {
	date := numbers > 1 && len(parts[0]) == 4
	for i, part := range parts {
		switch {
		case i < numbers && (date || strings.Trim(part, "0") == ""):
			parts[i] = strings.TrimLeft(part, "0")
		case i+1 < len(parts) && isDigit(parts[i+1][0]) && part == "alpha":
			parts[i] = "a"
		case i+1 < len(parts) && isDigit(parts[i+1][0]) && part == "beta":
			parts[i] = "b"
		}
	}
	last := numbers
	for last > 1 && parts[last-1] == "" {
		last--
	}
	return append(parts[:last:last], parts[numbers:]...)
}
