// Package jinja evaluates the template language of recipes: minijinja with the
// delimiters, filters, tests and functions of rattler-build and no others, and
// strict about undefined values.
//
// The engine is minijinja-go, which calls itself alpha. Templates come from
// strangers, so it is not given them as they are: a parser of this package
// checks them and translates every operator, subscript and literal collection
// into a call of a function of this package. Those are exact where the engine
// computes with floats, strict where it is not, and every one of them refuses
// to make a value of more than [MaxOutput] bytes and items. The engine is left
// with variables, logic, conditions, loops and calls, runs with fuel and a
// bounded writer, and its panics are errors.
//
// # Limits
//
// A template costs at most its length and [Fuel] steps; all templates of an
// [Engine] together cost at most its budget. What goes over is an error of
// [Kind] Limit.
package jinja

// Limits of a template.
const (
	// MaxSource is the longest template, in bytes.
	MaxSource = 60 << 10
	// MaxOutput is the most bytes that a template may render to, and the most
	// bytes and items that a value may have.
	MaxOutput = 64 << 10
	// MaxDepth is the deepest nesting of an expression or of statements.
	MaxDepth = 100
	// Fuel is the most steps that one template may take.
	Fuel = 50_000
	// maxArguments is the most arguments of a call.
	maxArguments = 100
	// maxOperands is the most operators of one rank in a row. The engine takes
	// at most 2,000 arguments in a call.
	maxOperands = 900
	// maxCached is the most bytes of templates that are kept translated.
	maxCached = 1 << 20
)
