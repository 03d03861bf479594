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
	if len(sources) > MaxSources {
		return nil, &Error{sources[MaxSources].Pos, fmt.Sprintf("the recipe has more than the limit of %d sources", MaxSources), ""}
	}
	units := map[string][]unit{}           // by project
	shapes := map[unit]string{}            // of a unit's files; "" if there are several
	alone := map[[2]string]map[unit]bool{} // which units have files of a project and a shape
	for _, s := range sources {
		u := unitOf(s)
		if u.project == "" || len(u.project) > MaxText/2 || !utf8.ValidString(u.project) {
			return nil, &Error{s.Pos, "its address is too long, or cannot be read, so that no lock can name it", ""}
		}
		shape := origin.Shape(origin.FileName(s.URLs))
		switch known, seen := shapes[u]; {
		case !seen:
			units[u.project] = append(units[u.project], u)
			shapes[u] = shape
		case known != shape:
			shapes[u] = ""
		}
		key := [2]string{u.project, shape}
		if alone[key] == nil {
			alone[key] = map[unit]bool{}
		}
		alone[key][u] = true
	}
	named, taken := map[unit]string{}, map[string]unit{}
	for project, list := range units {
		slices.SortFunc(list, unit.compare)
		for i, u := range list {
			name, shape := project, shapes[u]
			switch {
			case len(list) == 1:
			case shape != "" && len(shape) <= MaxText/4 && utf8.ValidString(shape) && len(alone[[2]string{project, shape}]) == 1:
				name += " " + shape
			default:
				name += fmt.Sprintf(" (%d)", i+1)
			}
			if other, twice := taken[name]; twice {
				later := slices.MaxFunc([]unit{u, other}, unit.compare)
				return nil, &Error{later.pos, "its address is like another source's, so that no lock can tell the two apart", ""}
			}
			named[u], taken[name] = name, u
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
