package edit

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// An entry is a key of a source's mapping and its value.
type entry struct {
	key     *yaml.Node
	start   int // of the key
	end     int // behind the value; see layout.end
	removed bool
}

const rewrite = "write the source in block style, a key and its value a line"

// entries finds the keys of a mapping in the text.
func (l *layout) entries(n *yaml.Node) ([]entry, error) {
	flow := n.Style&yaml.FlowStyle != 0
	if at := l.offset(n); flow && (at >= len(l.text) || l.text[at] != '{') {
		return nil, l.fault(n, "a mapping without braces in a list with brackets cannot be edited", rewrite)
	}
	var list []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !flow && key.Column != n.Column {
			return nil, l.fault(key, "a key that is written with `?` cannot be edited", rewrite)
		}
		e := entry{key: key, start: l.offset(key)}
		var ok bool
		if flow {
			if before := strings.TrimRight(l.text[:e.start], " \t"); strings.HasSuffix(before, "?") {
				return nil, l.fault(key, "a key that is written with `?` cannot be edited", rewrite)
			}
			e.end, ok = l.flowValueEnd(key, value, n.Column-1)
		} else {
			e.end, ok = l.end(value, n.Column-1, false)
		}
		if !ok || e.end < e.start {
			return nil, l.fault(key, "the end of the value is not where it was looked for", rewrite)
		}
		list = append(list, e)
	}
	return list, nil
}

// block makes the splices for a mapping in block style.
func (l *layout) block(p plan, entries []entry) ([]splice, error) {
	for i := range entries {
		end, ok := l.lineEnd(entries[i].end)
		if !ok {
			return nil, l.fault(entries[i].key, "there is something else in the line of the value", rewrite)
		}
		entries[i].end = end
	}
	last := entries[len(entries)-1]
	lines := p.style.block(p.Add, p.node.Column-1)
	if !slices.ContainsFunc(entries, func(e entry) bool { return !e.removed }) {
		return []splice{l.replaceAll(entries, lines)}, nil
	}
	splices := l.removals(p.node, entries)
	if len(lines) == 0 {
		return splices, nil
	}
	at := last.end
	if !last.removed {
		if value := p.node.Content[len(p.node.Content)-1]; at == len(l.text) && l.openBlockScalar(value) {
			return nil, l.fault(last.key, "nothing can be added behind a text block that the file ends in without a line end",
				"end the file with a line feed")
		}
	}
	at = l.comments(at, p.node.Column-1)
	eol := l.lineBreak(at)
	text := strings.Join(lines, eol)
	switch {
	case at == 0 || breakBefore(l.text, at) > 0:
		if at < len(l.text) || breakBefore(l.text, at) > 0 {
			text += eol
		}
	case len(splices) > 0 && splices[len(splices)-1].to == at: // the removed lines end so too
	default:
		text = eol + text
	}
	return append(splices, splice{at, at, text}), nil
}

// openBlockScalar tells whether a value ends in a block scalar to whose text a
// line end would be added if the file did not end there.
func (l *layout) openBlockScalar(n *yaml.Node) bool {
	for n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle == 0 && len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || breakBefore(l.text, len(l.text)) > 0 {
		return false
	}
	header := l.text[l.offset(n):]
	header = header[:min(len(header), 3)]
	return !strings.Contains(strings.TrimRight(header, "\r\n"), "-")
}

// lineEnd gives the begin of the line behind a value, or the end of the text. It
// reports false if there is more than a comment between.
func (l *layout) lineEnd(at int) (int, bool) {
	if at > 0 && breakBefore(l.text, at) > 0 {
		return at, true // a block scalar
	}
	i := l.blanks(at)
	if i < len(l.text) && l.text[i] == '#' {
		i = l.toBreak(i)
	}
	if i == len(l.text) {
		return i, true
	}
	n := breakAt(l.text, i)
	return i + n, n > 0
}

// comments skips lines that hold a comment and nothing else, indented by at
// least that many spaces: they belong to the mapping.
func (l *layout) comments(at, indent int) int {
	if at > 0 && breakBefore(l.text, at) == 0 {
		return at
	}
	for {
		i := at
		for i < len(l.text) && l.text[i] == ' ' {
			i++
		}
		if i-at < indent || i >= len(l.text) || l.text[i] != '#' {
			return at
		}
		i = l.toBreak(i)
		at = i + breakAt(l.text, i)
		if at == len(l.text) {
			return at
		}
	}
}

// breakBefore gives the length of the line end before an offset, or 0.
func breakBefore(text string, at int) int {
	for _, s := range []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if strings.HasSuffix(text[:at], s) {
			return len(s)
		}
	}
	return 0
}

// lineBreak gives the line end that lines at an offset are to have: that of the
// line before, else that of the file's last line that has one.
func (l *layout) lineBreak(at int) string {
	i, found := slices.BinarySearch(l.starts, at)
	if !found {
		i--
	}
	for ; i > 0; i-- {
		start := l.starts[i]
		switch eol := l.text[start-breakBefore(l.text, start) : start]; eol {
		case "\n", "\r\n", "\r":
			return eol
		}
	}
	return "\n"
}

// removals makes the splices that take keys away while others stay.
func (l *layout) removals(n *yaml.Node, entries []entry) []splice {
	var list []splice
	for i := 0; i < len(entries); i++ {
		if !entries[i].removed {
			continue
		}
		if i > 0 || l.ownLine(entries[0]) {
			from := l.lineStart(entries[i].key)
			if i > 0 {
				from = l.commentsAbove(from, entries[i-1].end, n.Column-1)
			}
			list = append(list, splice{from, entries[i].end, ""})
			continue
		}
		next := slices.IndexFunc(entries, func(e entry) bool { return !e.removed })
		list = append(list, l.removeFirst(n, entries, next))
		i = next - 1
	}
	return list
}

// removeFirst takes the first keys of an item of a list away, so that another
// one stands behind the dash.
func (l *layout) removeFirst(n *yaml.Node, entries []entry, next int) splice {
	first, gone, stays := entries[0], entries[next-1], entries[next]
	comment := l.commentsAbove(l.lineStart(stays.key), gone.end, n.Column-1)
	if comment == l.lineStart(stays.key) && strings.TrimSpace(l.text[gone.end:stays.start]) == "" {
		return splice{first.start, stays.start, ""}
	}
	dash := len(strings.TrimRight(l.text[:first.start], " \t"))
	return splice{dash, gone.end - breakBefore(l.text, gone.end), ""}
}

// ownLine tells whether nothing stands before a key in its line.
func (l *layout) ownLine(e entry) bool {
	return strings.Trim(l.text[l.lineStart(e.key):e.start], " ") == ""
}

// commentsAbove gives the begin of the comments that stand directly above a
// line, at the column, from 0, and not before an offset.
func (l *layout) commentsAbove(line, after, column int) int {
	for line > after {
		above := line - breakBefore(l.text, line)
		for above > after && breakBefore(l.text, above) == 0 {
			above--
		}
		text := strings.TrimLeft(l.text[above:line], " ")
		if !strings.HasPrefix(text, "#") || line-above-len(text) != column {
			return line
		}
		line = above
	}
	return line
}

// replaceAll puts lines in the place of all keys.
func (l *layout) replaceAll(entries []entry, lines []string) splice {
	end := entries[len(entries)-1].end
	eol := l.lineBreak(end)
	text := strings.TrimLeft(strings.Join(lines, eol), " ")
	return splice{entries[0].start, end - breakBefore(l.text, end), text}
}
