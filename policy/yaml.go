package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// parseYAML gives the only document of a file, or nil for an empty file.
func parseYAML(path string, data []byte) (*yaml.Node, error) {
	whole := func(problem, mend string) error {
		return &Error{Position: Position{File: path}, Problem: problem, Mend: mend}
	}
	if len(data) > MaxSize {
		return nil, whole(fmt.Sprintf("it has more than the limit of %d bytes", MaxSize), "")
	}
	if tooDeep(data) {
		return nil, whole(fmt.Sprintf("its collections are nested deeper than %d levels", MaxDepth), "")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, whole("it is not YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "")
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, whole("it holds more than one YAML document", "put all keys into one, without a line ---")
	}
	r := reader{path: path}
	return doc.Content[0], r.plain(doc.Content[0], 1)
}

// tooDeep refuses what would cost the YAML parser too much, before it runs. It
// doesn't know text from structure, so it allows many times more than is
// counted afterwards.
func tooDeep(data []byte) bool {
	flow, marks := 0, 0
	for _, c := range data {
		switch c {
		case '[', '{':
			flow++
		case ']', '}':
			flow = max(0, flow-1)
		case '-', '?', ':':
			marks++
		case ' ', '\t', '\r':
		default:
			marks = 0
		}
		if flow > 50*MaxDepth || marks > 50*MaxDepth {
			return true
		}
	}
	return false
}

// A reader makes a policy of nodes.
type reader struct{ path, dir string }

func (r reader) pos(n *yaml.Node) Position {
	return Position{File: r.path, Line: n.Line, Column: n.Column}
}

func (r reader) fail(n *yaml.Node, hint, format string, a ...any) error {
	return &Error{Position: r.pos(n), Problem: fmt.Sprintf(format, a...), Mend: hint}
}

// plain refuses what makes a document say something else than it seems to.
func (r reader) plain(n *yaml.Node, depth int) error {
	switch {
	case depth > MaxDepth:
		return r.fail(n, "", "collections are nested deeper than %d levels", MaxDepth)
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		return r.fail(n, "write the value out", "anchors and aliases are not allowed in a policy")
	case n.Style&yaml.TaggedStyle != 0:
		return r.fail(n, "remove it", "the tag %q is not allowed in a policy", n.Tag)
	}
	for _, c := range n.Content {
		if err := r.plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return fmt.Sprintf("%q", n.Value)
}

type keys map[string]func(*yaml.Node) error

// mapping reads each key of a mapping by its reader.
func (r reader) mapping(n *yaml.Node, what string, known keys) error {
	if n.Kind != yaml.MappingNode {
		return r.fail(n, "its keys are: "+known.String(), "%s is no mapping, found %s", what, kindName(n))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		read, ok := known[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			return r.fail(key, "known keys: "+known.String(), "a key of %s is %s", what, kindName(key))
		case !ok:
			return r.fail(key, "known keys: "+known.String(), "unknown key %q", key.Value)
		case seen[key.Value]:
			return r.fail(key, "remove one of them", "the key %q stands twice", key.Value)
		}
		seen[key.Value] = true
		if err := read(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// String lists the keys in order.
func (k keys) String() string { return strings.Join(slices.Sorted(maps.Keys(k)), ", ") }

// list reads each item of a list, of which there must be one at least: a list
// without any looks as if it said something.
func (r reader) list(n *yaml.Node, what string, each func(*yaml.Node) error) error {
	switch {
	case n.Kind != yaml.SequenceNode:
		return r.fail(n, "write a list: [ … ]", "%s is no list, found %s", what, kindName(n))
	case len(n.Content) == 0:
		return r.fail(n, "remove the key, or write what it shall hold", "the list of %s is empty", what)
	}
	for _, item := range n.Content {
		if err := each(item); err != nil {
			return err
		}
	}
	return nil
}

// strings reads a text, or a list of them.
func (r reader) strings(n *yaml.Node, what string, each func(*yaml.Node, string) error) error {
	one := func(n *yaml.Node) error {
		return r.scalar(n, func(s string) error { return each(n, s) })
	}
	if n.Kind == yaml.SequenceNode {
		return r.list(n, what, one)
	}
	return one(n)
}

// scalar reads a value on one line. Errors of set that have no position get
// the value's.
func (r reader) scalar(n *yaml.Node, set func(string) error) error {
	switch {
	case n.Kind != yaml.ScalarNode:
		return r.fail(n, "", "found %s, wanted a single value", kindName(n))
	case n.ShortTag() == "!!null" || strings.TrimSpace(n.Value) == "":
		return r.fail(n, "remove the key, or write its value", "found nothing, wanted a value")
	case strings.TrimSpace(n.Value) != n.Value:
		return r.fail(n, "remove it", "there is white space around %q", n.Value)
	case strings.IndexFunc(n.Value, unicode.IsControl) >= 0:
		return r.fail(n, "", "there is a control character in %q", n.Value)
	}
	err := set(n.Value)
	var placed *Error
	if err == nil || errors.As(err, &placed) {
		return err
	}
	return r.fail(n, hintOf(err), "%v", err)
}

// text keeps a value.
func (r reader) text(to *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.scalar(n, func(s string) error { *to = s; return nil })
	}
}

// texts keeps a list of values, each once.
func (r reader) texts(what string, to *[]string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		seen := map[string]bool{}
		return r.strings(n, what, func(n *yaml.Node, s string) error {
			if seen[s] {
				return r.fail(n, "remove one of them", "%q stands twice in the list of %s", s, what)
			}
			seen[s] = true
			*to = append(*to, s)
			return nil
		})
	}
}

func (r reader) boolean(to *bool) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.scalar(n, func(s string) error {
			switch s {
			case "true":
				*to = true
			case "false":
				*to = false
			default:
				return fmt.Errorf("found %q, wanted true or false", s)
			}
			return nil
		})
	}
}
