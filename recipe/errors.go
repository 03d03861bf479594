package recipe

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error is a fault of a recipe or a variant file.
type Error struct {
	Pos     Position
	Message string // lower case, one line
	Hint    string // what to do, or ""
	// Line is the source line at Pos without its line end, or "".
	Line string
	// Width is the number of characters that a caret display underlines, at
	// least 1 where Line is set.
	Width int
	// Unknowable tells that the recipe may be right, but that it cannot be
	// evaluated here: something would have to be run, or a variant is missing.
	Unknowable bool
}

// Error gives "file:line:column: message" and, if there is a hint, a second
// line with it.
func (e *Error) Error() string {
	s := e.Pos.String() + ": " + e.Message
	if e.Hint != "" {
		s += "\nhint: " + e.Hint
	}
	return s
}

// Display gives the fault as a compiler shows it: position and message, the
// line, carets below the value, and the hint. It has no colour, ends without a
// line feed, and holds no control characters of the recipe.
func (e *Error) Display() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Pos, e.Message)
	if e.Line != "" && e.Pos.Line > 0 {
		number := fmt.Sprint(e.Pos.Line)
		indent := strings.Repeat(" ", len(number))
		line, before, width := displayLine(e.Line, e.Pos.Column, e.Width)
		fmt.Fprintf(&b, "\n %s | %s", number, line)
		fmt.Fprintf(&b, "\n %s | %s%s", indent, strings.Repeat(" ", before), strings.Repeat("^", width))
	}
	if e.Hint != "" {
		b.WriteString("\nhint: " + e.Hint)
	}
	return b.String()
}

// maxDisplay is the most characters of a line that are displayed.
const maxDisplay = 120

// displayLine cuts a long line around the column (from 1), replaces control
// characters, and gives the number of characters before the caret and the
// number of carets.
func displayLine(line string, column, width int) (text string, before, carets int) {
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	carets = max(1, min(width, len(runes)-at))
	start := 0
	if len(runes) > maxDisplay && at > maxDisplay/2 {
		start = min(at-maxDisplay/2, len(runes)-maxDisplay)
	}
	end := min(len(runes), start+maxDisplay)
	shown := slices.Clone(runes[start:end])
	for i, r := range shown {
		switch {
		case r == '\t':
			shown[i] = ' '
		case !unicode.IsPrint(r):
			shown[i] = utf8.RuneError
		}
	}
	return string(shown), at - start, max(1, min(carets, end-at))
}

// Faults are the faults of a recipe, ordered by position. Use errors.As to get
// at them.
type Faults []*Error

// Error gives the faults, a line each, and their hints.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, e := range f {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single faults to errors.As and errors.Is.
func (f Faults) Unwrap() []error {
	list := make([]error, len(f))
	for i, e := range f {
		list[i] = e
	}
	return list
}
