package jinja

import (
	"fmt"
	"unicode/utf8"
)

// A Kind tells why a template could not be evaluated.
type Kind int

const (
	// Invalid: the template is wrong, or was applied to wrong values.
	Invalid Kind = iota
	// Syntax: the template could not be parsed.
	Syntax
	// Undefined: a value is used that is not defined.
	Undefined
	// NotStatic: the value cannot be known without running something.
	NotStatic
	// Limit: the template does more than it may.
	Limit
)

// An Error says why a template could not be evaluated.
type Error struct {
	Kind    Kind
	Message string // lower case, one line, without a position
	Hint    string
	// Offset is the byte offset in the template, or -1.
	Offset int
	// Name is the undefined variable, if Kind is Undefined and it is known.
	Name string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func syntaxError(offset int, format string, a ...any) *Error {
	return &Error{Kind: Syntax, Message: fmt.Sprintf(format, a...), Offset: offset}
}

func invalid(format string, a ...any) *Error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf(format, a...), Offset: -1}
}

func tooMuch(format string, a ...any) *Error {
	return &Error{Kind: Limit, Message: fmt.Sprintf(format, a...), Offset: -1}
}

// clip shortens text of a recipe for a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
