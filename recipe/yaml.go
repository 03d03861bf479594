package recipe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of a recipe or variant file.
const (
	// MaxSize is the largest file, in bytes.
	MaxSize = 4 << 20
	// MaxDepth is the deepest nesting of YAML collections.
	MaxDepth = 100
	// MaxNodes bounds the YAML nodes of a file, by the characters that could
	// begin one.
	MaxNodes = 100_000
)

// A document is a YAML file with its lines, for positions and displays.
type document struct {
	path  string
	text  string // UTF-8, without byte order mark
	lines []int  // offset of each line, filled when first needed
	root  *yaml.Node
}

// parseDocument reads the first document of a file. An empty one is an empty
// mapping.
func parseDocument(path string, data []byte) (*document, *Error) {
	doc := &document{path: path}
	if len(data) > MaxSize {
		return nil, &Error{Pos: Position{File: path}, Message: fmt.Sprintf("file has %d bytes, the limit is %d", len(data), MaxSize)}
	}
	text, ok := decode(data)
	if !ok {
		return nil, &Error{Pos: Position{File: path}, Message: "file is not valid UTF-8", Hint: "store the file as UTF-8"}
	}
	doc.text = text
	if err := doc.prescan(); err != nil {
		return nil, err
	}
	root, err := decodeYAML(doc.text)
	if err != nil {
		return nil, doc.yamlError(err)
	}
	doc.root = root
	if err := doc.check(doc.root, 1); err != nil {
		return nil, err
	}
	if doc.root.Kind != yaml.MappingNode {
		return nil, doc.fault(doc.root, "top level is not a mapping")
	}
	return doc, nil
}

func decodeYAML(text string) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("yaml: cannot be parsed")
		}
	}()
	var n yaml.Node
	switch err := yaml.NewDecoder(strings.NewReader(text)).Decode(&n); {
	case errors.Is(err, io.EOF):
		return &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}, nil
	case err != nil:
		return nil, err
	}
	root = &n
	if root.Kind == yaml.DocumentNode {
		root = root.Content[0]
	}
	if root.Kind == yaml.ScalarNode && root.Value == "" {
		return &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}, nil
	}
	return root, nil
}

// decode gives UTF-8 text of UTF-8 or, with a byte order mark, UTF-16.
func decode(data []byte) (string, bool) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		data = bytes.TrimPrefix(data, []byte{0xef, 0xbb, 0xbf})
		return string(data), utf8.Valid(data)
	}
	if len(data)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(data)/2-1)
	for i := 2; i < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return string(utf16.Decode(units)), true
}

// prescan refuses what would cost the YAML parser too much, before it runs. It
// counts at least as many nodes and levels as the parser could find, since it
// does not know text from structure; real files stay far below the limits.
func (d *document) prescan() *Error {
	nodes, flow := 0, 0
	lineMarks := 0 // "-", "?" and ":" in a row, each a level
	for i := range len(d.text) {
		switch c := d.text[i]; c {
		case '\n', ',':
			nodes++
			lineMarks = 0
		case '[', '{':
			nodes++
			flow++
		case ']', '}':
			flow = max(0, flow-1)
		case '-', '?', ':':
			nodes++
			lineMarks++
		case ' ', '\t', '\r':
		default:
			lineMarks = 0
		}
		if flow > 50*MaxDepth || lineMarks > 50*MaxDepth {
			return d.faultAt(i, fmt.Sprintf("collections are nested deeper than %d levels", MaxDepth))
		}
	}
	if nodes > MaxNodes {
		return &Error{Pos: Position{File: d.path}, Message: fmt.Sprintf("file may have %d values, the limit is %d", nodes, MaxNodes)}
	}
	return nil
}

// check refuses what rattler-build's reader refuses.
func (d *document) check(n *yaml.Node, depth int) *Error {
	switch {
	case depth > MaxDepth:
		return d.fault(n, fmt.Sprintf("collections are nested deeper than %d levels", MaxDepth))
	case n.Kind == yaml.AliasNode:
		return d.fault(n, "aliases are not allowed in a recipe")
	case n.Anchor != "":
		return d.fault(n, "anchors are not allowed in a recipe")
	case n.Style&yaml.TaggedStyle != 0:
		return d.fault(n, "tags are not allowed in a recipe")
	}
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]*yaml.Node, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind == yaml.AliasNode {
				return d.fault(key, "aliases are not allowed in a recipe")
			}
			if key.Kind != yaml.ScalarNode {
				return d.fault(key, "keys must be scalars")
			}
			if first := seen[key.Value]; first != nil {
				return d.fault(key, fmt.Sprintf("duplicate key %q, first given in line %d", clip(key.Value), first.Line))
			}
			seen[key.Value] = key
		}
	}
	for _, c := range n.Content {
		if err := d.check(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yamlError makes an error of one of the YAML parser's, which has a line at
// most.
func (d *document) yamlError(err error) *Error {
	e := &Error{Pos: Position{File: d.path}, Message: "cannot parse YAML: " + clip(err.Error())}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Message = "cannot parse YAML: " + clip(m[2])
		if line, err := strconv.Atoi(m[1]); err == nil {
			e.Pos.Line, e.Pos.Column = line, 1
			e.Line, e.Width = d.line(line), 1
		}
	}
	return e
}

func (d *document) pos(n *yaml.Node) Position {
	return Position{File: d.path, Line: n.Line, Column: n.Column}
}

// fault makes an error at a node.
func (d *document) fault(n *yaml.Node, message string) *Error {
	e := &Error{Pos: d.pos(n), Message: message, Line: d.line(n.Line), Width: 1}
	if n.Kind == yaml.ScalarNode {
		e.Width = max(1, utf8.RuneCountInString(n.Value))
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			e.Width += 2
		}
	}
	return e
}

func (d *document) faultAt(offset int, message string) *Error {
	before := d.text[:offset]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &Error{Pos: Position{d.path, line, column}, Message: message, Line: d.line(line), Width: 1}
}

// maxLine is the longest line that is kept for display, in bytes.
const maxLine = 4096

// line gives a line, from 1, or "" where there is none.
func (d *document) line(number int) string {
	if d.lines == nil {
		d.lines = []int{0}
		for i := range len(d.text) {
			if d.text[i] == '\n' {
				d.lines = append(d.lines, i+1)
			}
		}
	}
	if number < 1 || number > len(d.lines) {
		return ""
	}
	text := d.text[d.lines[number-1]:]
	if len(text) > maxLine {
		text = text[:maxLine]
	}
	text, _, _ = strings.Cut(text, "\n")
	return strings.ToValidUTF8(strings.TrimSuffix(text, "\r"), "")
}

// clip shortens text of a recipe for a message.
func clip(s string) string {
	const most = 100
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// pairs calls f for each key and value of a mapping.
func pairs(n *yaml.Node, f func(key, value *yaml.Node)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i], n.Content[i+1])
	}
}

// lookup gives the value of a key of a mapping, or nil.
func lookup(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// isNull tells whether a node is absent or empty.
func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Value == "" && isPlain(n)
}

// isPlain tells whether a scalar is neither quoted nor in block style.
func isPlain(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}
