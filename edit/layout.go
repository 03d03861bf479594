package edit

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// A layout finds places of a YAML tree in its text. The parser gives the begin
// of each node and not its end, so that ends are worked out here, by the rules
// of the parser's scanner.
type layout struct {
	name string
	text string
	// starts are the offsets of lines, as the parser counts them.
	starts []int
	// The last offset that was looked up: what follows is mostly behind it, and
	// a line may be the whole file.
	line0, column0, offset0 int
}

func newLayout(name, text string) *layout {
	l := &layout{name: name, text: text, starts: []int{0}}
	for i := 0; i < len(text); {
		if n := breakAt(text, i); n > 0 {
			i += n
			l.starts = append(l.starts, i)
			continue
		}
		i++
	}
	return l
}

// breakAt gives the length of the line end at an offset, or 0. The parser knows
// those of YAML 1.1.
func breakAt(text string, i int) int {
	if i >= len(text) {
		return 0
	}
	switch text[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(text) && text[i+1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if strings.HasPrefix(text[i:], "\u0085") {
			return 2
		}
	case 0xe2:
		if strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029") {
			return 3
		}
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// endsWord tells whether white space, a line end or the end of the text is at
// an offset.
func (l *layout) endsWord(i int) bool {
	return i >= len(l.text) || isBlank(l.text[i]) || breakAt(l.text, i) > 0
}

// offset gives where a node begins.
func (l *layout) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(l.starts) {
		return len(l.text)
	}
	if n.Line != l.line0 || n.Column < l.column0 {
		l.line0, l.column0, l.offset0 = n.Line, 1, l.starts[n.Line-1]
	}
	for l.column0 < n.Column && l.offset0 < len(l.text) {
		_, size := utf8.DecodeRuneInString(l.text[l.offset0:])
		l.offset0 += size
		l.column0++
	}
	return l.offset0
}

// lineStart gives the offset of a node's line.
func (l *layout) lineStart(n *yaml.Node) int { return l.starts[n.Line-1] }

// blanks skips spaces and tabs.
func (l *layout) blanks(i int) int {
	for i < len(l.text) && isBlank(l.text[i]) {
		i++
	}
	return i
}

// toBreak skips all up to the line end.
func (l *layout) toBreak(i int) int {
	for i < len(l.text) && breakAt(l.text, i) == 0 {
		i++
	}
	return i
}

// space skips white space, line ends and comments, as between the items of a
// flow collection.
func (l *layout) space(i int) int {
	for i < len(l.text) {
		n := breakAt(l.text, i)
		switch {
		case n > 0:
			i += n
		case isBlank(l.text[i]):
			i++
		case l.text[i] == '#':
			i = l.toBreak(i)
		default:
			return i
		}
	}
	return i
}

// end gives the offset behind a node; behind the line end for a block scalar.
// Indent is the column, from 0, of the block collection that the node is in. It
// reports false where the text is not as expected.
func (l *layout) end(n *yaml.Node, indent int, flow bool) (int, bool) {
	at := l.offset(n)
	switch n.Kind {
	case yaml.ScalarNode:
		return l.scalarEnd(n, at, indent, flow)
	case yaml.MappingNode, yaml.SequenceNode:
		if n.Style&yaml.FlowStyle != 0 {
			return l.flowEnd(n, at, indent)
		}
		if len(n.Content) == 0 {
			return at, false
		}
		return l.end(n.Content[len(n.Content)-1], n.Column-1, false)
	}
	return at, false
}

func (l *layout) flowEnd(n *yaml.Node, at, indent int) (int, bool) {
	if at >= len(l.text) {
		return at, false
	}
	closing := byte('}')
	switch {
	case n.Kind == yaml.SequenceNode && l.text[at] == '[':
		closing = ']'
	case n.Kind == yaml.MappingNode && l.text[at] == '{':
	case n.Kind == yaml.MappingNode && len(n.Content) == 2: // a single pair in a list
		return l.flowValueEnd(n.Content[0], n.Content[1], indent)
	default:
		return at, false
	}
	end := at + 1
	for _, c := range n.Content {
		if isNull(c) {
			continue // it stands nowhere, and its position may be that of what follows
		}
		var ok bool
		if end, ok = l.end(c, indent, true); !ok {
			return end, false
		}
	}
	for {
		end = l.space(end)
		if end >= len(l.text) {
			return end, false
		}
		switch l.text[end] {
		case closing:
			return end + 1, true
		case ',', ':', '?':
			end++
		default:
			return end, false
		}
	}
}

// flowValueEnd gives the end of a value in a flow mapping, and that of its key,
// or of the colon, if nothing is written for the value.
func (l *layout) flowValueEnd(key, value *yaml.Node, indent int) (int, bool) {
	if !isNull(value) {
		return l.end(value, indent, true)
	}
	end, ok := l.end(key, indent, true)
	if !ok {
		return end, false
	}
	if colon := l.space(end); colon < len(l.text) && l.text[colon] == ':' {
		return colon + 1, true
	}
	return end, true
}

// isNull tells whether a node is a value for which nothing is written.
func isNull(n *yaml.Node) bool {
	const styled = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&styled == 0
}

func (l *layout) scalarEnd(n *yaml.Node, at, indent int, flow bool) (int, bool) {
	if isNull(n) {
		return at, true
	}
	if at >= len(l.text) {
		return at, false
	}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return l.doubleQuotedEnd(at)
	case n.Style&yaml.SingleQuotedStyle != 0:
		return l.singleQuotedEnd(at)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return l.blockScalarEnd(at, indent)
	}
	return l.plainEnd(at, indent, flow), true
}

func (l *layout) doubleQuotedEnd(at int) (int, bool) {
	if l.text[at] != '"' {
		return at, false
	}
	for i := at + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		}
	}
	return at, false
}

func (l *layout) singleQuotedEnd(at int) (int, bool) {
	if l.text[at] != '\'' {
		return at, false
	}
	for i := at + 1; i < len(l.text); i++ {
		if l.text[i] != '\'' {
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == '\'' {
			i++
			continue
		}
		return i + 1, true
	}
	return at, false
}

// plainEnd gives the end of a plain scalar, which may go over several lines.
func (l *layout) plainEnd(at, indent int, flow bool) int {
	end, i, column := at, at, -1 // the column matters behind a line end only
	for i < len(l.text) {
		if column == 0 && l.marker(i) || l.text[i] == '#' && i > at {
			break
		}
		for !l.endsWord(i) {
			c := l.text[i]
			if c == ':' && l.endsWord(i+1) || flow && strings.IndexByte(",?[]{}", c) >= 0 {
				return end
			}
			i++
			end = i
		}
		lineStart := -1
		for i < len(l.text) {
			if n := breakAt(l.text, i); n > 0 {
				i += n
				lineStart = i
			} else if isBlank(l.text[i]) {
				i++
			} else {
				break
			}
		}
		column = -1
		if lineStart >= 0 {
			column = i - lineStart
		}
		if !flow && lineStart >= 0 && column <= indent {
			break
		}
	}
	return end
}

// marker tells whether a document marker is at the begin of a line.
func (l *layout) marker(i int) bool {
	return (strings.HasPrefix(l.text[i:], "---") || strings.HasPrefix(l.text[i:], "...")) && l.endsWord(i+3)
}

// blockScalarEnd gives the begin of the line behind a block scalar. Empty lines
// behind it belong to it only if it keeps them ("|+").
func (l *layout) blockScalarEnd(at, parent int) (int, bool) {
	i := at + 1
	indent, keep := 0, false
	for ; i < len(l.text) && strings.IndexByte("+-123456789", l.text[i]) >= 0; i++ {
		switch c := l.text[i]; c {
		case '+':
			keep = true
		case '-':
		default:
			indent = max(parent, 0) + int(c-'0')
		}
	}
	i = l.toBreak(i)
	i += breakAt(l.text, i)
	end := i
	for i < len(l.text) {
		next, column := l.emptyLines(i, indent)
		if indent == 0 {
			indent = max(column, parent+1, 1)
		}
		if keep && next > i {
			end = max(end, next)
		}
		content := next
		for content < len(l.text) && content-next < indent && l.text[content] == ' ' {
			content++
		}
		if content-next < indent || content >= len(l.text) {
			break
		}
		i = l.toBreak(content)
		i += breakAt(l.text, i)
		end = i
	}
	return end, true
}

// emptyLines skips lines that hold at most indent spaces, or any number if that
// is 0. It gives the begin of the first other one, and the largest column that
// spaces reached.
func (l *layout) emptyLines(i, indent int) (next, column int) {
	for {
		j := i
		for j < len(l.text) && l.text[j] == ' ' && (indent == 0 || j-i < indent) {
			j++
		}
		column = max(column, j-i)
		n := breakAt(l.text, j)
		if n == 0 {
			return i, column
		}
		i = j + n
	}
}

// fault makes an error at a node.
func (l *layout) fault(n *yaml.Node, message, hint string) *recipe.Error {
	e := &recipe.Error{
		Pos: recipe.Position{File: l.name, Line: n.Line, Column: n.Column}, Message: message, Hint: hint,
		Line: l.line(n.Line), Width: 1,
	}
	if n.Kind == yaml.ScalarNode {
		e.Width = max(1, utf8.RuneCountInString(n.Value))
	}
	return e
}

// maxLine is the longest line that is kept for display, in bytes.
const maxLine = 4096

// line gives a line, from 1, without its end.
func (l *layout) line(number int) string {
	if number < 1 || number > len(l.starts) {
		return ""
	}
	text := l.text[l.starts[number-1]:]
	text = text[:min(len(text), maxLine)]
	if i := strings.IndexAny(text, "\r\n\u0085\u2028\u2029"); i >= 0 {
		text = text[:i]
	}
	return strings.ToValidUTF8(text, "")
}
