package policy

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A hintedError is a fault of a value, whose place the reader adds.
type hintedError struct{ problem, hint string }

func (e *hintedError) Error() string { return e.problem }
func (e *hintedError) Hint() string  { return e.hint }

// A NamePattern is a pattern of package names: "*" stands for any run of
// characters, and letters' case does not matter, since conda's names have none.
type NamePattern struct{ text, folded string }

// String gives the pattern as it was written.
func (p NamePattern) String() string { return p.text }

// Matches tells whether the whole name fits.
func (p NamePattern) Matches(name string) bool {
	return p.folded != "" && glob(p.folded, lower(name))
}

// ParseNamePattern reads a pattern of package names.
func ParseNamePattern(s string) (NamePattern, error) {
	if len(s) > MaxPattern {
		return NamePattern{}, fmt.Errorf("the pattern has more than %d bytes", MaxPattern)
	}
	for i := range len(s) {
		if c := s[i]; c != '*' && !isNameRune(rune(c)) {
			return NamePattern{}, &hintedError{
				fmt.Sprintf("the pattern %q holds %q, which no package's name does", s, c),
				"\"*\" is the only special character, and stands for any run of others",
			}
		}
	}
	if s == "" {
		return NamePattern{}, errors.New("the pattern is empty")
	}
	return NamePattern{s, lower(s)}, nil
}

// A URLPattern is a pattern of addresses: scheme and host, which are compared as
// they are, and a path in which "*" stands for any run of characters but "/",
// and "**" for any run.
type URLPattern struct{ text, scheme, host, path string }

// String gives the pattern as it was written.
func (p URLPattern) String() string { return p.text }

const urlHint = "write scheme, host and the whole path, for example https://github.com/pallets/**"

// leastSegments says how many parts the path of an archive has at least on
// hosts that are known. A pattern with fewer would never fit.
func leastSegments(host string) int {
	switch host {
	case "github.com", "gitlab.com":
		return 4 // owner/repo/tarball/ref
	case "files.pythonhosted.org", "pypi.org", "pypi.io":
		return 5 // packages/source/f/flask/file
	}
	return 1
}

// ParseURLPattern reads a pattern of addresses. A pattern that can't fit any
// archive's address is an error, since what it selects would pass unnoticed.
func ParseURLPattern(s string) (URLPattern, error) {
	fail := func(hint, format string, a ...any) (URLPattern, error) {
		return URLPattern{}, &hintedError{fmt.Sprintf(format, a...), hint}
	}
	if len(s) > MaxPattern {
		return fail("", "the pattern has more than %d bytes", MaxPattern)
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return fail("write it as it stands in addresses: IDNs as xn--…, other characters as %XX", "the pattern %q holds the character %q", s, c)
		}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if scheme != "https" && scheme != "http" || !ok {
		return fail(urlHint, "the pattern %q does not begin with https:// or http://", s)
	}
	host, dir, _ := strings.Cut(rest, "/")
	dir = "/" + dir
	switch {
	case host == "" || strings.ContainsAny(host, "@%") || host != lower(host) || strings.HasSuffix(host, "."):
		return fail(urlHint, "the pattern %q has no plain host in small letters", s)
	case strings.Contains(host, "*"):
		return fail("write one pattern for each host", "the pattern %q has a \"*\" in its host, which is compared as it is", s)
	case scheme == "https" && strings.HasSuffix(host, ":443"), scheme == "http" && strings.HasSuffix(host, ":80"):
		return fail("leave the port out", "the pattern %q names the scheme's own port", s)
	case strings.ContainsAny(dir, "?#"):
		return fail(urlHint, "the pattern %q has a query or a fragment; only the path is compared", s)
	case path.Clean(dir) != dir && dir != "/":
		return fail(urlHint+"; patterns are anchored at both ends", "the pattern %q ends in \"/\", or has an empty part or a dot segment, which no archive's address has", s)
	case !strings.Contains(dir, "**") && (dir == "/" || strings.Count(dir, "/") < leastSegments(host)):
		return fail("patterns are anchored, and \"*\" does not stand for \"/\": write "+scheme+"://"+host+strings.TrimRight(dir, "/*")+"/**",
			"the pattern %q is too short to fit an archive's address", s)
	}
	return URLPattern{text: s, scheme: scheme, host: host, path: dir}, nil
}

// loose tells whether an address fits, if letters' case, escapes, empty parts
// and a missing "s" of https count for nothing: it is for what is demanded, so
// that nobody gets away by spelling an address differently.
func (p URLPattern) loose(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		// Whatever cannot be read is not let through: it fits if its text may.
		return strings.Contains(lower(address), p.host)
	}
	scheme := lower(u.Scheme)
	if scheme != p.scheme && (p.scheme != "https" || scheme != "http") || !sameHost(looseHost(u), p.host) {
		return false
	}
	pattern, clean := lower(p.path), path.Clean("/"+lower(u.Path))
	var tried []string // mostly all are the same
	for _, spelled := range []string{lower(u.EscapedPath()), lower(u.Path), clean} {
		if slices.Contains(tried, spelled) {
			continue
		}
		if tried = append(tried, spelled); glob(pattern, spelled) {
			return true
		}
	}
	decoded, err := url.PathUnescape(pattern)
	return err == nil && decoded != pattern && glob(decoded, clean)
}

// sameHost takes www.github.com, which leads to github.com, and its like for one
// host.
func sameHost(a, b string) bool {
	return strings.TrimPrefix(a, "www.") == strings.TrimPrefix(b, "www.")
}

// looseHost is a URL's host without what makes no difference to where it leads.
func looseHost(u *url.URL) string {
	host := strings.TrimSuffix(lower(u.Hostname()), ".")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && (u.Scheme != "https" || port != "443") && (u.Scheme != "http" || port != "80") {
		host += ":" + port
	}
	return host
}

// strict tells whether an address fits exactly and has nothing that the pattern
// does not speak of: it is for what lifts a demand.
func (p URLPattern) strict(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return false
	}
	return u.Scheme == p.scheme && u.Host == p.host &&
		path.Clean(u.Path) == u.Path && !strings.Contains(u.Path, `\`) &&
		glob(p.path, u.EscapedPath())
}

// glob tells whether the whole of s fits a pattern in which "*" stands for any
// run of bytes other than "/", and "**" for any run. It takes time proportional
// to the product of the lengths at worst.
func glob(pattern, s string) bool {
	// What stands before the first star decides most comparisons.
	if i := strings.IndexByte(pattern, '*'); i < 0 {
		return pattern == s
	} else if !strings.HasPrefix(s, pattern[:i]) {
		return false
	} else {
		pattern, s = pattern[i:], s[i:]
	}
	// fits[j] tells whether the pattern so far fits s[:j].
	fits := make([]bool, len(s)+1)
	fits[0] = true
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.HasPrefix(pattern[i:], "**"):
			i++
			for j := range len(s) {
				fits[j+1] = fits[j+1] || fits[j]
			}
		case pattern[i] == '*':
			for j := range len(s) {
				fits[j+1] = fits[j+1] || fits[j] && s[j] != '/'
			}
		default:
			for j := len(s) - 1; j >= 0; j-- {
				fits[j+1] = fits[j] && s[j] == pattern[i]
			}
			fits[0] = false
		}
	}
	return fits[len(s)]
}

// isNameRune tells whether a package's name can hold a character.
func isNameRune(c rune) bool {
	return c < 0x80 && (isAlnum(byte(c)) || strings.IndexByte("._-+", byte(c)) >= 0)
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// lower folds ASCII letters alone, so that no other letter becomes one of them.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
