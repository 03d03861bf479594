package edit

import (
	"fmt"
	"strings"
	"unicode"

	udiff "github.com/aymanbagabas/go-udiff"
)

// Diff gives a unified diff with the names a/name and b/name, as git apply and
// patch -p1 take it, or "" if nothing differs. Where lines were only added it
// shows only added lines. Text in UTF-16 is shown as UTF-8. Names are quoted where
// git does it. What it shows of the files is as it stands there, control characters
// too: a terminal must not be given it as it is.
func Diff(name string, before, after []byte) string {
	a, b := shown(before), shown(after)
	if a == b {
		return ""
	}
	// The library gives up looking for the shortest diff where a hundred lines
	// differ, and then says that lines went which are still there.
	edits, ok := additions(a, b)
	if !ok {
		edits = udiff.Lines(a, b)
	}
	name = strings.TrimPrefix(name, "/")
	from, to := label("a/"+name), label("b/"+name)
	text, err := udiff.ToUnified(from, to, a, edits, udiff.DefaultContextLines)
	if err != nil { // the edits are not of this text, which cannot be
		return udiff.Unified(from, to, a, b)
	}
	return text
}

// label is a name as git writes it in the head of a diff. One with a line feed in
// it would otherwise write lines of its own, and so a diff of another file: it is
// quoted as in C (git-config, core.quotePath). A tab ends one with a space.
func label(name string) string {
	plain := strings.IndexFunc(name, func(r rune) bool { return r == '"' || r == '\\' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }) < 0
	switch {
	case plain && strings.Contains(name, " "):
		return name + "\t"
	case plain:
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// additions gives the edits that make one text of another by adding lines alone,
// if that is all that it takes.
func additions(before, after string) ([]udiff.Edit, bool) {
	var edits []udiff.Edit
	at, added := 0, 0 // offsets: in the text before, and of what was added after
	i := 0
	for line := range strings.Lines(after) {
		if at < len(before) && strings.HasPrefix(before[at:], line) && wholeLine(before[at:], line) {
			if added < i {
				edits = append(edits, udiff.Edit{Start: at, End: at, New: after[added:i]})
			}
			at += len(line)
			added = i + len(line)
		}
		i += len(line)
	}
	if added < len(after) {
		if at > 0 && before[at-1] != '\n' {
			return nil, false
		}
		edits = append(edits, udiff.Edit{Start: at, End: at, New: after[added:]})
	}
	return edits, at == len(before)
}

// wholeLine tells whether a line that a text begins with is its whole first one.
func wholeLine(text, line string) bool {
	return strings.HasSuffix(line, "\n") || len(text) == len(line)
}

func shown(data []byte) string {
	e, text, err := decode("", data)
	if err != nil || e.order == nil {
		return string(data)
	}
	return text
}
