package policy

import (
	"errors"
	"fmt"
)

// A Position is a place in a policy file. Line and Column count from 1, Column
// in characters; a zero Line is the whole file.
type Position struct {
	File         string
	Line, Column int
}

// String gives "file:line:column", or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// An Error is a fault of a policy file, with its place.
type Error struct {
	Position
	Problem string
	Mend    string
}

// Error implements error.
func (e *Error) Error() string { return e.Position.String() + ": " + e.Problem }

// Hint says what to write instead, or "".
func (e *Error) Hint() string { return e.Mend }

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
