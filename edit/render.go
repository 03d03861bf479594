package edit

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A style is how a recipe indents.
type style struct {
	mapping int // spaces from a key to the keys in its value, at least 1
	list    int // spaces from a key to the dashes of its value
}

// styleOf gives the indentation that most of a recipe has; 2 and 2 where it
// shows none.
func styleOf(root *yaml.Node) style {
	const widest = 8
	var mapping, list [widest + 1]int
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && n.Style&yaml.FlowStyle == 0 && c.Style&yaml.FlowStyle == 0 {
				d := c.Column - n.Column
				switch {
				case d < 0 || d > widest || c.Line == n.Content[i-1].Line:
				case c.Kind == yaml.MappingNode && d > 0:
					mapping[d]++
				case c.Kind == yaml.SequenceNode:
					list[d]++
				}
			}
			walk(c)
		}
	}
	walk(root)
	return style{most(mapping[:], 2), most(list[:], 2)}
}

// most gives the index of the largest count, or the given one if none is larger.
func most(counts []int, usual int) int {
	for i, n := range counts {
		if n > counts[usual] {
			usual = i
		}
	}
	return usual
}

// block writes fields as lines, the keys at a column from 0.
func (s style) block(fields []Field, column int) []string {
	var lines []string
	pad := strings.Repeat(" ", column)
	for _, f := range fields {
		key := pad + scalar(f.Key) + ":"
		switch v := f.Value.(type) {
		case string:
			lines = append(lines, key+" "+scalar(v))
		case []Field:
			if len(v) == 0 {
				lines = append(lines, key+" {}")
				continue
			}
			lines = append(append(lines, key), s.block(v, column+s.mapping)...)
		case []string:
			lines = append(append(lines, s.listKey(key, len(v))), s.items(anys(v), column+s.list)...)
		case []any:
			lines = append(append(lines, s.listKey(key, len(v))), s.items(v, column+s.list)...)
		}
	}
	return lines
}

func (style) listKey(key string, items int) string {
	if items == 0 {
		return key + " []"
	}
	return key
}

func (s style) items(list []any, column int) []string {
	var lines []string
	dash := strings.Repeat(" ", column) + "- "
	for _, item := range list {
		switch v := item.(type) {
		case string:
			lines = append(lines, dash+scalar(v))
		case []Field:
			if len(v) == 0 {
				lines = append(lines, dash+"{}")
				continue
			}
			inner := s.block(v, column+2)
			inner[0] = dash + inner[0][column+2:]
			lines = append(lines, inner...)
		}
	}
	return lines
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// maxKey is the longest key, in bytes: YAML readers look no further for its
// colon than 1,024 characters.
const maxKey = 256

// writable tells whether a field can be written.
func writable(f Field) error {
	if f.Key == "" || len(f.Key) > maxKey || !utf8.ValidString(f.Key) {
		return fmt.Errorf("%q cannot be a key", f.Key)
	}
	if err := writableValue(f.Value, false); err != nil {
		return fmt.Errorf("value of %q: %w", f.Key, err)
	}
	return nil
}

func writableValue(v any, inList bool) error {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return errors.New("text is not valid UTF-8")
		}
		return nil
	case []Field:
		seen := map[string]bool{}
		for _, f := range v {
			if seen[f.Key] {
				return fmt.Errorf("key %q is there twice", f.Key)
			}
			seen[f.Key] = true
			if err := writable(f); err != nil {
				return err
			}
		}
		return nil
	case []string:
		return writableValue(anys(v), inList)
	case []any:
		if inList {
			return errors.New("a list in a list is not supported")
		}
		for _, item := range v {
			if err := writableValue(item, true); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("a %T is not supported", v)
}

// scalar writes a text, quoted only where it must be.
func scalar(s string) string {
	if plain(s) {
		return s
	}
	return quote(s)
}

// plain tells whether a text can stand without quotes in block style, so that
// every YAML reader takes it for this text.
func plain(s string) bool {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsRune("-?:,[]{}#&*!|>'\"%@`=~<.", rune(s[0])) {
		return false
	}
	if strings.HasSuffix(s, ":") || strings.Contains(s, ": ") || strings.Contains(s, " #") {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) { // tabs too
			return false
		}
	}
	// Not what YAML takes for a number, a truth or a date.
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	if n.ShortTag() != "!!str" {
		return false
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off": // of YAML 1.1
		return false
	}
	return true
}

// quote puts a text in double quotes, or in single ones if it is printable and
// holds what would have to be escaped.
func quote(s string) string {
	printable := true
	for _, r := range s {
		printable = printable && unicode.IsPrint(r)
	}
	if printable && strings.ContainsAny(s, `"\`) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02X`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
