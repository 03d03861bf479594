package policy

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/origin"
)

// A Selection says which sources something is about. All criteria that it has
// must fit; each has alternatives.
type Selection struct {
	Kinds    []origin.Kind
	Packages []NamePattern
	URLs     []URLPattern
}

// IsZero tells whether there is no criterion, so that every source is selected.
func (s Selection) IsZero() bool {
	return len(s.Kinds) == 0 && len(s.Packages) == 0 && len(s.URLs) == 0
}

// String gives the criteria as they are written in a policy.
func (s Selection) String() string {
	var parts []string
	add := func(key string, values []string) {
		if len(values) > 0 {
			parts = append(parts, key+" "+strings.Join(values, " or "))
		}
	}
	add("kind", texts(s.Kinds, func(k origin.Kind) string { return string(k) }))
	add("package", texts(s.Packages, NamePattern.String))
	add("url", texts(s.URLs, URLPattern.String))
	if len(parts) == 0 {
		return "every source"
	}
	return strings.Join(parts, ", ")
}

func texts[T any](list []T, text func(T) string) []string {
	var all []string
	for _, v := range list {
		all = append(all, text(v))
	}
	return all
}

// touches tells whether a source is selected by any of its addresses and any of
// its recipe's names: for what is demanded.
func (s Selection) touches(src Source) bool {
	names := slices.Concat(src.Packages, src.Siblings)
	return (len(s.Kinds) == 0 || slices.ContainsFunc(src.URLs, s.hasKindLoosely)) &&
		(len(s.Packages) == 0 || slices.ContainsFunc(names, s.mayHaveName)) &&
		(len(s.URLs) == 0 || slices.ContainsFunc(src.URLs, s.hasLoosely))
}

// reaches tells whether a source that is touched is selected by all of its
// addresses.
func (s Selection) reaches(src Source) bool {
	return s.touches(src) &&
		(len(s.Kinds) == 0 || every(src.URLs, s.hasKindLoosely)) &&
		(len(s.URLs) == 0 || every(src.URLs, s.hasLoosely))
}

// covers tells whether a source is selected by all of its addresses, compared
// exactly, and by the names of all outputs that use it: for what lifts a demand.
func (s Selection) covers(src Source) bool {
	return (len(s.Kinds) == 0 || every(src.URLs, s.hasKind)) &&
		(len(s.Packages) == 0 || every(src.Packages, s.hasName)) &&
		(len(s.URLs) == 0 || every(src.URLs, s.hasExactly))
}

// every tells whether all of a list fit, and that there is something to fit.
func every(list []string, fits func(string) bool) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return !fits(s) })
}

func (s Selection) hasKind(address string) bool {
	return slices.Contains(s.Kinds, origin.Parse(address).Kind)
}

// hasKindLoosely leaves out of an address what makes no difference to where it
// leads, and would make it one of another kind.
func (s Selection) hasKindLoosely(address string) bool {
	if s.hasKind(address) {
		return true
	}
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	plain := url.URL{Scheme: lower(u.Scheme), Host: looseHost(u), Path: path.Clean("/" + u.Path)}
	return s.hasKind(plain.String())
}

func (s Selection) hasName(name string) bool {
	return slices.ContainsFunc(s.Packages, func(p NamePattern) bool { return p.Matches(name) })
}

// mayHaveName takes a name for any that no package can have: one that could not be
// evaluated, and is given as it is written, or one that another reader may trim or
// fold.
func (s Selection) mayHaveName(name string) bool {
	return s.hasName(name) || strings.ContainsFunc(name, func(c rune) bool { return !isNameRune(c) })
}

func (s Selection) hasLoosely(address string) bool {
	return slices.ContainsFunc(s.URLs, func(p URLPattern) bool { return p.loose(address) })
}

func (s Selection) hasExactly(address string) bool {
	return slices.ContainsFunc(s.URLs, func(p URLPattern) bool { return p.strict(address) })
}
