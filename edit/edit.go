package edit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// A Field is a key and its value. A Value is a string, a []any or []string of
// such values, or a []Field for a mapping. Lists in lists are not supported.
type Field struct {
	Key   string
	Value any
}

// A Change is what happens to the mapping of one source.
type Change struct {
	// Source is where the mapping begins: Source.Pos of package recipe. Its
	// File is not looked at.
	Source recipe.Position
	// Remove are the keys that go, where they are there, with their values and
	// with the comments in their lines and directly above them.
	Remove []string
	// Add are appended in order after the mapping's last key. A key that is
	// there already, and not removed, is an error.
	Add []Field
}

// Apply gives the text of a recipe with changes made. A nil error means that
// the result was read again, and that it has the same values in the same order
// and quoting as before but for the changes; that without a Remove nothing was
// taken away or replaced; and that it is within the limits of package recipe.
// Name stands in positions.
//
// Errors are of type *[recipe.Error]: of a text that cannot be read, of a
// change that does not fit it, and of a form that is not edited, each with its
// position. An error for a Field that cannot be written names its key.
func Apply(name string, data []byte, changes []Change) ([]byte, error) {
	root, err := recipe.Tree(name, data)
	if err != nil {
		return nil, err
	}
	enc, body, err := decode(name, data)
	if err != nil {
		return nil, err
	}
	l := newLayout(name, body)
	planned, err := l.plan(root, changes)
	if err != nil {
		return nil, err
	}
	var splices []splice
	for _, p := range planned {
		list, err := l.change(p)
		if err != nil {
			return nil, err
		}
		splices = append(splices, list...)
	}
	result, ok := cut(body, splices)
	if !ok {
		return nil, l.fault(root, "changes overlap", "")
	}
	after := enc.encode(result)
	if err := l.check(name, root, after, planned); err != nil {
		return nil, err
	}
	return after, nil
}

// A plan is a change and the mapping that it is for.
type plan struct {
	Change
	node  *yaml.Node
	style style
}

// plan finds the mappings of changes, in the order of the text.
func (l *layout) plan(root *yaml.Node, changes []Change) ([]plan, error) {
	at := map[[2]int]*yaml.Node{}
	mappings(root, at)
	style := styleOf(root)
	seen := map[*yaml.Node]bool{}
	var planned []plan
	for _, c := range changes {
		n := at[[2]int{c.Source.Line, c.Source.Column}]
		if n == nil {
			pos := recipe.Position{File: l.name, Line: c.Source.Line, Column: c.Source.Column}
			return nil, &recipe.Error{
				Pos: pos, Message: "no mapping begins here", Line: l.line(pos.Line), Width: 1,
				Hint: "read the recipe again: it is not the one that the change was made for",
			}
		}
		if seen[n] {
			return nil, l.fault(n, "two changes are for the same source", "")
		}
		seen[n] = true
		if err := l.fits(n, c); err != nil {
			return nil, err
		}
		planned = append(planned, plan{c, n, style})
	}
	slices.SortFunc(planned, func(a, b plan) int {
		return cmp.Or(cmp.Compare(a.node.Line, b.node.Line), cmp.Compare(a.node.Column, b.node.Column))
	})
	return planned, nil
}

// fits tells whether a change can be made to a mapping, whatever its form.
func (l *layout) fits(n *yaml.Node, c Change) error {
	left := 0
	present := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !slices.Contains(c.Remove, n.Content[i].Value) {
			present[n.Content[i].Value] = n.Content[i]
			left++
		}
	}
	for _, f := range c.Add {
		if key := present[f.Key]; key != nil {
			return l.fault(key, fmt.Sprintf("the source has a key %q already", f.Key), "remove it first")
		}
		present[f.Key] = n
		if err := writable(f); err != nil {
			return l.fault(n, err.Error(), "")
		}
	}
	if left+len(c.Add) == 0 {
		return l.fault(n, "nothing of the source would be left", "")
	}
	return nil
}

// mappings gathers the mappings of a tree by line and column.
func mappings(n *yaml.Node, at map[[2]int]*yaml.Node) {
	if n.Kind == yaml.MappingNode {
		at[[2]int{n.Line, n.Column}] = n
	}
	for _, c := range n.Content {
		mappings(c, at)
	}
}

// change makes the splices of one change.
func (l *layout) change(p plan) ([]splice, error) {
	entries, err := l.entries(p.node)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, l.fault(p.node, "the mapping is empty", "")
	}
	for i := range entries {
		entries[i].removed = slices.Contains(p.Remove, entries[i].key.Value)
	}
	last := entries[len(entries)-1]
	if strings.ContainsAny(l.text[entries[0].start:last.end], "\u0085\u2028\u2029") {
		return nil, l.fault(p.node, "the source holds a line end of YAML 1.1 that YAML 1.2 takes for text",
			"remove the characters U+0085, U+2028 and U+2029")
	}
	if p.node.Style&yaml.FlowStyle != 0 {
		return l.flow(p, entries)
	}
	return l.block(p, entries)
}

// A splice replaces text[from:to].
type splice struct {
	from, to int
	insert   string
}

// cut applies splices; it reports false if any overlap.
func cut(text string, splices []splice) (string, bool) {
	slices.SortStableFunc(splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var b strings.Builder
	done := 0
	for _, s := range splices {
		if s.from < done || s.to < s.from || s.to > len(text) {
			return "", false
		}
		b.WriteString(text[done:s.from])
		b.WriteString(s.insert)
		done = s.to
	}
	b.WriteString(text[done:])
	return b.String(), true
}
