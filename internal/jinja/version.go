package jinja

import (
	"strings"
)

// A version is a conda version: epoch, segments of components, and the local
// part after "+".
type version struct {
	epoch    component
	segments [][]component
	local    [][]component
}

// A component is a run of digits (number without leading zeros) or of letters.
type component struct {
	digits string // decimal without leading zeros; "" is 0 or no number
	text   string // lower case, "" for a number
	post   bool   // "post" sorts after all numbers
}

// maxVersion is the longest version, in bytes.
const maxVersion = 256

func parseVersion(s string) (version, error) {
	bad := invalid("%q is not a version", clip(s))
	var v version
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > maxVersion {
		return v, bad
	}
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) && !isNameStart(c) && !strings.ContainsRune(".-+!_", rune(c)) {
			return v, bad
		}
	}
	if epoch, rest, ok := strings.Cut(s, "!"); ok {
		if epoch == "" || strings.Trim(epoch, "0123456789") != "" {
			return v, bad
		}
		v.epoch = component{digits: strings.TrimLeft(epoch, "0")}
		s = rest
	}
	s, local, hasLocal := strings.Cut(s, "+")
	if s == "" || strings.ContainsAny(s, "!") || strings.ContainsAny(local, "!+") || hasLocal && local == "" {
		return v, bad
	}
	ok, localOK := false, true
	v.segments, ok = parseSegments(s)
	if hasLocal {
		v.local, localOK = parseSegments(local)
	}
	if !ok || !localOK {
		return v, bad
	}
	return v, nil
}

func parseSegments(s string) ([][]component, bool) {
	// A trailing underscore belongs to the last segment (1.0.1_ < 1.0.1a).
	trailing := strings.HasSuffix(s, "_")
	s = strings.TrimSuffix(s, "_")
	var segments [][]component
	for _, text := range strings.Split(strings.NewReplacer("-", ".", "_", ".").Replace(s), ".") {
		if text == "" {
			return nil, false
		}
		segments = append(segments, parseComponents(text))
	}
	if trailing {
		last := len(segments) - 1
		segments[last] = append(segments[last], component{text: "_"})
	}
	return segments, true
}

func parseComponents(s string) []component {
	var list []component
	if !isDigit(s[0]) {
		list = append(list, component{}) // letters follow an implicit zero
	}
	for s != "" {
		n := 1
		for n < len(s) && isDigit(s[n]) == isDigit(s[0]) {
			n++
		}
		switch {
		case isDigit(s[0]):
			list = append(list, component{digits: strings.TrimLeft(s[:n], "0")})
		case s[:n] == "post":
			list = append(list, component{post: true})
		default:
			list = append(list, component{text: s[:n]})
		}
		s = s[n:]
	}
	return list
}

// rank orders the kinds of component: dev, "_", other text, number, post.
func (c component) rank() int {
	switch {
	case c.post:
		return 4
	case c.text == "":
		return 3
	case c.text == "dev":
		return 0
	case c.text == "_":
		return 1
	}
	return 2
}

func (c component) compare(d component) int {
	if r := c.rank() - d.rank(); r != 0 {
		return r
	}
	if n := len(c.digits) - len(d.digits); n != 0 {
		return n
	}
	if n := strings.Compare(c.digits, d.digits); n != 0 {
		return n
	}
	return strings.Compare(c.text, d.text)
}

func compareSegments(a, b [][]component) int {
	for i := range max(len(a), len(b)) {
		var s, t []component
		if i < len(a) {
			s = a[i]
		}
		if i < len(b) {
			t = b[i]
		}
		for j := range max(len(s), len(t)) {
			var c, d component // what is missing is zero
			if j < len(s) {
				c = s[j]
			}
			if j < len(t) {
				d = t[j]
			}
			if n := c.compare(d); n != 0 {
				return n
			}
		}
	}
	return 0
}

func (v version) compare(w version) int {
	if n := v.epoch.compare(w.epoch); n != 0 {
		return n
	}
	if n := compareSegments(v.segments, w.segments); n != 0 {
		return n
	}
	return compareSegments(v.local, w.local)
}

// startsWith tells whether prefix's segments begin v; the last may be a
// beginning of a segment (1.0a begins 1.0a1, and 1.1 does not begin 1.10).
func (v version) startsWith(prefix version) bool {
	if v.epoch.compare(prefix.epoch) != 0 {
		return false
	}
	if len(prefix.local) > 0 {
		return compareSegments(v.segments, prefix.segments) == 0 && beginsWith(v.local, prefix.local)
	}
	return beginsWith(v.segments, prefix.segments)
}

func beginsWith(segments, prefix [][]component) bool {
	for i, p := range prefix {
		var s []component
		if i < len(segments) {
			s = segments[i]
		} else {
			s = []component{{}}
		}
		if i == len(prefix)-1 && len(s) > len(p) {
			s = s[:len(p)]
		}
		if compareSegments([][]component{s}, [][]component{p}) != 0 {
			return false
		}
	}
	return true
}
