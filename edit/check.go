package edit

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// check reads a result again, and demands that nothing but the changes differs.
func (l *layout) check(name string, before *yaml.Node, result []byte, planned []plan) error {
	c := &checker{changes: make(map[*yaml.Node]Change, len(planned))}
	for _, p := range planned {
		c.changes[p.node] = p.Change
	}
	const hint = "write the sources in block style, a key and its value a line"
	after, err := recipe.Tree(name, result)
	if err != nil {
		message := "the changed recipe could not be read"
		if faults := recipe.AllFaults(err); len(faults) > 0 {
			message += ": " + faults[0].Message
		}
		return l.fault(first(before, planned), message, hint)
	}
	if bad := c.differs(before, after); bad != nil {
		return l.fault(bad, "the change would alter more of the recipe than it should", hint)
	}
	return nil
}

func first(root *yaml.Node, planned []plan) *yaml.Node {
	if len(planned) > 0 {
		return planned[0].node
	}
	return root
}

type checker struct{ changes map[*yaml.Node]Change }

// differs gives the first node of the tree before that is not as it should be
// in the tree after, or nil.
func (c *checker) differs(before, after *yaml.Node) *yaml.Node {
	if before.Kind != after.Kind || before.Value != after.Value || before.Style != after.Style || before.ShortTag() != after.ShortTag() {
		return before
	}
	change, changed := c.changes[before]
	var kept []*yaml.Node
	for i, n := range before.Content {
		if !changed || !slices.Contains(change.Remove, before.Content[i&^1].Value) {
			kept = append(kept, n)
		}
	}
	added := 2 * len(change.Add)
	if len(after.Content) != len(kept)+added {
		return before
	}
	for i, n := range kept {
		if bad := c.differs(n, after.Content[i]); bad != nil {
			return bad
		}
	}
	if changed && !isFields(after.Content[len(kept):], change.Add) {
		return before
	}
	return nil
}

// isFields tells whether keys and values are those of fields.
func isFields(nodes []*yaml.Node, fields []Field) bool {
	if len(nodes) != 2*len(fields) {
		return false
	}
	for i, f := range fields {
		if !isValue(nodes[2*i], f.Key) || !isValue(nodes[2*i+1], f.Value) {
			return false
		}
	}
	return true
}

func isValue(n *yaml.Node, value any) bool {
	switch v := value.(type) {
	case string:
		return n.Kind == yaml.ScalarNode && n.Value == v && n.ShortTag() == "!!str"
	case []Field:
		return n.Kind == yaml.MappingNode && isFields(n.Content, v)
	case []string:
		return isValue(n, anys(v))
	case []any:
		if n.Kind != yaml.SequenceNode || len(n.Content) != len(v) {
			return false
		}
		for i, item := range v {
			if !isValue(n.Content[i], item) {
				return false
			}
		}
		return true
	}
	return false
}
