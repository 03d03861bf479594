package recipe

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

// A scope holds the variables that templates see. Of platform, variant and
// context the later win.
type scope struct {
	platform  platformScope
	selection *selection // nil while variant files are read
	context   map[string]contextValue
}

// A contextValue is a value of the context, or why there is none. That is an
// error for what uses the value, and for nothing else.
type contextValue struct {
	value jinja.Value
	err   *Error
}

// Lookup implements jinja.Variables.
func (s *scope) Lookup(name string) (jinja.Value, bool, error) {
	if c, ok := s.context[name]; ok {
		if c.err != nil {
			return jinja.Value{}, false, c.err
		}
		return c.value, true, nil
	}
	if s.selection != nil {
		v, ok, err := s.selection.lookup(name)
		if ok || err != nil {
			return v, ok, err
		}
	}
	v, ok := s.platform.lookup(name)
	return v, ok, nil
}

// names gives the names of all variables.
func (s *scope) names() []string {
	names := append(slices.Collect(maps.Keys(s.platform.target)), "build_platform")
	names = slices.AppendSeq(names, maps.Keys(s.context))
	if s.selection != nil {
		names = slices.AppendSeq(names, maps.Keys(s.selection.variants.keys))
	}
	return names
}

// literal gives plain text its type: boolean, integer of 64 bits, or string.
func literal(text string) jinja.Value {
	switch text {
	case "true", "True", "TRUE":
		return jinja.Bool(true)
	case "false", "False", "FALSE":
		return jinja.Bool(false)
	}
	// Integers may have a sign and leading zeros, and nothing else: ParseInt
	// with base 10 takes no underscores.
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return jinja.Int(i)
	}
	return jinja.String(text)
}

// typedScalar evaluates a scalar whose type counts, as in the context.
func (ev *evaluation) typedScalar(doc *document, n *yaml.Node, vars *scope) (jinja.Value, *Error) {
	if !jinja.IsTemplate(n.Value) {
		if isPlain(n) {
			return literal(n.Value), nil
		}
		return jinja.String(n.Value), nil
	}
	if expression, ok := jinja.Single(n.Value); ok {
		v, err := ev.engine.Evaluate(expression, vars)
		if err != nil {
			var j *jinja.Error
			if errors.As(err, &j) && j.Offset >= 0 {
				inScalar := *j
				inScalar.Offset += strings.Index(n.Value, expression)
				err = &inScalar
			}
			return v, ev.templateError(doc, n, vars, err)
		}
		if !isPlain(n) && !jinja.IsCollection(v) {
			v = jinja.String(jinja.Text(v))
		}
		return v, nil
	}
	text, err := ev.text(doc, n, vars)
	if err != nil || !isPlain(n) {
		return jinja.String(text), err
	}
	return literal(text), nil
}

// text renders a scalar to text.
func (ev *evaluation) text(doc *document, n *yaml.Node, vars *scope) (string, *Error) {
	if n.Kind != yaml.ScalarNode {
		return "", doc.fault(n, "wanted a scalar, found a "+kindName(n))
	}
	text, err := ev.engine.Render(n.Value, vars)
	if err != nil {
		return "", ev.templateError(doc, n, vars, err)
	}
	return text, nil
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "mapping"
	case yaml.SequenceNode:
		return "list"
	}
	return "scalar"
}

// templateError makes an error of one that evaluating a scalar gave.
func (ev *evaluation) templateError(doc *document, n *yaml.Node, vars *scope, err error) *Error {
	var known *Error // of the context value or variant that was used
	if errors.As(err, &known) {
		return known
	}
	e := doc.fault(n, err.Error())
	var j *jinja.Error
	if !errors.As(err, &j) {
		return e
	}
	e.Hint = j.Hint
	e.Unknowable = j.Kind == jinja.Undefined || j.Kind == jinja.NotStatic
	if j.Kind == jinja.Limit && ev.engine.Left() == 0 {
		ev.exhausted = e
	}
	if j.Kind == jinja.Undefined && j.Name != "" && e.Hint == "" {
		e.Hint = fmt.Sprintf("define it in context, give a variant file with --variant-config FILE, or a value with --variant %s=…", argument(j.Name))
		if near := nearest(j.Name, vars.names()); isWord(near) {
			e.Hint = "did you mean `" + near + "`? " + e.Hint
		}
	}
	ev.narrow(e, n, j)
	return e
}

// narrow moves an error from a scalar to the place within it, where that is
// known: the scalar's text stands in its line as it is.
func (ev *evaluation) narrow(e *Error, n *yaml.Node, j *jinja.Error) {
	quotes := 0
	if !isPlain(n) {
		quotes = 1
	}
	line := []rune(e.Line)
	at := n.Column - 1 + quotes
	if at > len(line) || !strings.HasPrefix(string(line[at:]), n.Value) {
		return
	}
	offset := j.Offset
	if offset < 0 && j.Name != "" && strings.Count(n.Value, j.Name) == 1 {
		offset = strings.Index(n.Value, j.Name)
		e.Width = len(j.Name)
	} else if offset >= 0 {
		e.Width = 1
	}
	if offset >= 0 && offset <= len(n.Value) {
		e.Pos.Column = at + 1 + len([]rune(n.Value[:offset]))
	}
}

// contextOf evaluates a recipe's context from top to bottom.
func (ev *evaluation) contextOf(node *yaml.Node, vars *scope) {
	vars.context = map[string]contextValue{}
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		ev.fail(ev.doc.fault(node, "context must be a mapping"))
		return
	}
	held := 0
	pairs(node, func(key, value *yaml.Node) {
		if !ev.walk(value) {
			return
		}
		v, err := ev.contextValue(value, vars)
		if held += jinja.Size(v); held > MaxContext {
			ev.stop(value, "context holds more than %d bytes and items", MaxContext)
			return
		}
		if err != nil && !err.Unknowable {
			ev.fail(err)
		}
		vars.context[key.Value] = contextValue{v, err}
	})
}

func (ev *evaluation) contextValue(n *yaml.Node, vars *scope) (jinja.Value, *Error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return ev.typedScalar(ev.doc, n, vars)
	case yaml.SequenceNode:
		items := make([]jinja.Value, len(n.Content))
		for i, c := range n.Content {
			switch {
			case c.Kind != yaml.ScalarNode:
				return jinja.Value{}, ev.doc.fault(c, "lists in the context hold scalars only")
			case isPlain(c):
				items[i] = literal(c.Value)
			default:
				items[i] = jinja.String(c.Value)
			}
		}
		return jinja.List(items), nil
	}
	return jinja.Value{}, ev.doc.fault(n, "context values are scalars or lists of scalars, found a "+kindName(n))
}
