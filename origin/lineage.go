package origin

import (
	"iter"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Project says what a file is a version of, from its addresses, which are
// mirrors of each other: the project on an index, the repository on GitHub or
// GitLab, or else the first address without what looks like a version. Two
// files of one project have the same one, whatever their versions; it is for
// comparing and not an address. User information and queries are not in it.
func Project(addresses []string) string {
	if len(addresses) == 0 {
		return ""
	}
	o := Of(addresses)
	switch {
	case o.Repository != "" && o.Kind == KindGitLabArchive:
		return strings.ToLower("gitlab " + o.Owner + "/" + o.Repository)
	case o.Repository != "":
		return strings.ToLower("github " + o.Owner + "/" + o.Repository)
	case o.Project != "":
		return string(o.Kind) + " " + o.Project
	case o.Kind == KindPyPI: // the path holds a digest
		return "pypi file " + Shape(FileName(addresses))
	}
	u, err := url.Parse(addresses[0])
	if err != nil {
		return "url " + Shape(addresses[0])
	}
	return "url " + strings.ToLower(u.Host) + Shape(u.Path)
}

// FileName is the last part of the first address's path, or the whole address
// if it cannot be read.
func FileName(addresses []string) string {
	if len(addresses) == 0 {
		return ""
	}
	if u, err := url.Parse(addresses[0]); err == nil && u.Path != "" {
		return path.Base(u.Path)
	}
	return addresses[0]
}

// versions are the parts of addresses that look like versions or commits: 1.0,
// v2.1-rc1, 2024_03, 1.0.post2, and 40 or 64 hexadecimal digits.
var versions = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b` +
	`|(?:\bv)?[0-9]+(?:[._+-]*(?:rc|alpha|beta|a|b|c|dev|pre|post)?[._-]?[0-9]+)*`)

// Shape is a text with # in the place of each part that looks like a version.
func Shape(s string) string { return versions.ReplaceAllLiteralString(s, "#") }

// A Sighting is where a file of a project was seen in one version of a recipe.
type Sighting struct {
	Name  string   // of the file
	Shape string   // of the name
	Place [2]int32 // orders sightings; the second number weighs more
}

// far tells how far two sightings of one project are apart.
func (s Sighting) far(t Sighting) [3]int32 {
	far := [3]int32{2, gap(s.Place[1], t.Place[1]), gap(s.Place[0], t.Place[0])}
	switch {
	case s.Name == t.Name:
		far[0] = 0
	case s.Shape == t.Shape:
		far[0] = 1
	}
	return far
}

func gap(a, b int32) int32 { return max(a-b, b-a) }

// Nearest chooses, among what was seen of one project, the counterpart of a
// sighting: a file with the same name, then one with the same name but for
// version numbers, then the one that stands nearest. Of those that are as near
// the last counts. ok is false if there are none.
func Nearest[T any](s Sighting, among iter.Seq[T], seen func(T) Sighting) (best T, ok bool) {
	var least [3]int32
	for e := range among {
		far := seen(e).far(s)
		if !ok || slices.Compare(far[:], least[:]) <= 0 {
			best, least, ok = e, far, true
		}
	}
	return best, ok
}

// Counterparts gives for each source of a recipe the index of the source of
// another version of the recipe that it is to be compared with, or -1 for none.
// Sources are given by their addresses, in the recipe's order; one without
// addresses has no counterpart.
//
// It is the [Nearest] source of the same [Project]. The first source of a
// recipe whose other version has one source only is compared with that, even if
// its project is another: a recipe that leaves a project for another place is
// what the comparison is for.
func Counterparts(before, now [][]string) []int {
	byProject := map[string][]int{}
	seen := make([]Sighting, len(before))
	for i, addresses := range before {
		seen[i] = sighting(addresses, i)
		if p := Project(addresses); p != "" {
			byProject[p] = append(byProject[p], i)
		}
	}
	found := make([]int, len(now))
	for i, addresses := range now {
		found[i] = -1
		if len(addresses) == 0 {
			continue
		}
		last := func(yield func(int) bool) { // so that of several as near the first counts
			for _, j := range slices.Backward(byProject[Project(addresses)]) {
				if !yield(j) {
					return
				}
			}
		}
		if j, ok := Nearest(sighting(addresses, i), last, func(j int) Sighting { return seen[j] }); ok {
			found[i] = j
		} else if i == 0 && len(before) == 1 {
			found[i] = 0
		}
	}
	return found
}

func sighting(addresses []string, at int) Sighting {
	name := FileName(addresses)
	return Sighting{Name: name, Shape: Shape(name), Place: [2]int32{0, int32(min(at, 1<<30))}}
}
