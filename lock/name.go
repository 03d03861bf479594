package lock

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A unit is what has an entry of its own: a place of the recipe, as far as its
// renderings are versions of one thing.
type unit struct {
	pos     recipe.Position
	project string
}

func (u unit) compare(v unit) int {
	return cmp.Or(cmp.Compare(u.pos.Line, v.pos.Line), cmp.Compare(u.pos.Column, v.pos.Column))
}

// Names gives the names of a recipe's sources, which stay as they are when a
// version changes: the project ([origin.Project]), and where several sources are
// of one project, the file's name without versions beside it if that tells the
// source from the others, or else its number in the order of the recipe.
//
// All sources that have an entry must be given, since the name of one depends on
// the others. The order does not matter. Errors are *[Error].
func Names(sources []Source) ([]string, error) {
	units := map[string][]unit{}
	shapes := map[unit][]string{}
	for _, s := range sources {
		u := unitOf(s)
		if u.project == "" || len(u.project) > MaxText/2 || !utf8.ValidString(u.project) {
			return nil, &Error{s.Pos, "its address is too long, or cannot be read, so that no lock can name it", ""}
		}
		if !slices.Contains(units[u.project], u) {
			units[u.project] = append(units[u.project], u)
		}
		if shape := origin.Shape(origin.FileName(s.URLs)); !slices.Contains(shapes[u], shape) {
			shapes[u] = append(shapes[u], shape)
		}
	}
	named, taken := map[unit]string{}, map[string]unit{}
	for project, list := range units {
		slices.SortFunc(list, unit.compare)
		for i, u := range list {
			named[u] = project
			if len(list) > 1 {
				named[u] = fmt.Sprintf("%s (%d)", project, i+1)
				if shape, ok := alone(u, list, shapes); ok {
					named[u] = project + " " + shape
				}
			}
			if other, twice := taken[named[u]]; twice {
				later := slices.MaxFunc([]unit{u, other}, unit.compare)
				return nil, &Error{later.pos, "its address is like another source's, so that no lock can tell the two apart", ""}
			}
			taken[named[u]] = u
		}
	}
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = named[unitOf(s)]
	}
	return names, nil
}

func unitOf(s Source) unit {
	return unit{recipe.Position{Line: s.Pos.Line, Column: s.Pos.Column}, origin.Project(s.URLs)}
}

// alone gives the shape of a unit's files if there is one, and no other unit of
// the project has it.
func alone(u unit, list []unit, shapes map[unit][]string) (string, bool) {
	own := shapes[u]
	if len(own) != 1 || len(own[0]) > MaxText/4 || !utf8.ValidString(own[0]) {
		return "", false
	}
	for _, other := range list {
		if other != u && slices.Contains(shapes[other], own[0]) {
			return "", false
		}
	}
	return own[0], true
}
