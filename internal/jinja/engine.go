package jinja

import (
	"errors"
	"fmt"
	"io"
	"strings"

	minijinja "github.com/mitsuhiko/minijinja/minijinja-go/v2"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2/syntax"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// Functions that translated templates call. A recipe cannot: names that begin
// with reserved are refused.
const (
	reserved    = "__rv_"
	fnResult    = reserved + "result"
	fnPrint     = reserved + "print"
	fnEnd       = reserved + "end"
	fnFold      = reserved + "fold"
	fnCompare   = reserved + "compare"
	fnNegate    = reserved + "negate"
	fnItem      = reserved + "item"
	fnAttribute = reserved + "attribute"
	fnSlice     = reserved + "slice"
	fnChecked   = reserved + "checked"
	fnItems     = reserved + "items"
	fnFail      = reserved + "fail"
	fnGit       = reserved + "git"
	fnEnvGet    = reserved + "env_get"
	fnEnvExists = reserved + "env_exists"
)

// Variables are what a template can name. Lookup reports whether there is a
// variable, and an error if there is one whose value cannot be had; that error
// then is the template's.
type Variables interface {
	Lookup(name string) (v Value, ok bool, err error)
}

// A Config says what templates may see. The zero value shows them nothing and
// gives no budget.
type Config struct {
	// Env reads an environment variable; nil means that none is set.
	Env func(name string) Variable
	// File reads a file for load_from_file; nil means that none may be read.
	File func(path string) (Value, error)
	// Budget is the number of steps that all evaluations together may take. A
	// step costs about 200 ns.
	Budget int64
}

// A Variable is an environment variable, as far as a recipe may see it.
type Variable struct {
	Text string
	Set  bool
	// Hint says, for one that is not set, how to let the recipe see it.
	Hint string
}

// An Engine evaluates templates. It is for one goroutine at a time.
type Engine struct {
	config  Config
	engine  *minijinja.Environment
	names   parser // with the names that the engine knows
	cache   map[string]*program
	cached  int // bytes
	budget  int64
	current // of the evaluation that runs
}

// current is the state of one evaluation.
type current struct {
	variables     Variables
	result        Value
	fault         error
	undefinedName string
	fuelUsed      uint64
	rounds        int // of loops
	finished      bool
}

type program struct {
	template *minijinja.Template
	loops    bool
	err      error
}

// New makes an engine.
func New(c Config) *Engine {
	return &Engine{config: c, budget: c.Budget, cache: map[string]*program{}}
}

// prepare makes the template engine, which many recipes do without.
func (e *Engine) prepare() {
	if e.engine != nil {
		return
	}
	env := minijinja.EmptyEnvironment()
	env.SetSyntax(syntax.SyntaxConfig{
		BlockStart: mark + "%", BlockEnd: "%" + mark,
		VarStart: mark + "{", VarEnd: "}" + mark,
		CommentStart: mark + "#", CommentEnd: "#" + mark,
	})
	// The translator has dealt with white space already.
	env.SetWhitespace(syntax.WhitespaceConfig{KeepTrailingNewline: true})
	env.SetUndefinedBehavior(minijinja.UndefinedStrict)
	fuel := uint64(Fuel)
	env.SetFuel(&fuel)
	e.engine = env
	e.names = parser{functions: map[string]bool{}, filters: map[string]bool{}, tests: map[string]bool{}}
	e.addOutput()
	e.addOperators()
	e.addFilters()
	e.addTests()
	e.addFunctions()
}

// Left is the number of steps that are left of the budget.
func (e *Engine) Left() int64 { return max(0, e.budget) }

// Render renders a template to text. Text without an expression is given back
// as it is. Errors are of type *[Error], or what a Variables returned.
func (e *Engine) Render(source string, v Variables) (string, error) {
	if !IsTemplate(source) {
		return source, nil
	}
	if e.variables == nil {
		if text, ok := e.renderPlain(source, v); ok {
			return text, nil
		}
	}
	return e.render(source, v)
}

// render renders a template by the engine.
func (e *Engine) render(source string, v Variables) (string, error) {
	w := &boundedWriter{}
	if _, err := e.run("t"+source, v, w); err != nil {
		return "", err
	}
	return w.b.String(), nil
}

// Evaluate evaluates an expression, without delimiters. An undefined result is
// an error. Errors are as those of Render.
func (e *Engine) Evaluate(expression string, v Variables) (Value, error) {
	return e.run("e"+expression, v, &boundedWriter{})
}

// Truth evaluates an expression as a condition.
func (e *Engine) Truth(expression string, v Variables) (bool, error) {
	result, err := e.Evaluate(expression, v)
	return err == nil && result.IsTrue(), err
}

type boundedWriter struct{ b strings.Builder }

func (w *boundedWriter) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > MaxOutput {
		return 0, tooMuch("template renders to more than %d bytes", MaxOutput)
	}
	return w.b.Write(p)
}

// run evaluates the program of a key: "t" and a template, or "e" and an
// expression.
func (e *Engine) run(key string, v Variables, w io.Writer) (result Value, err error) {
	if e.variables != nil {
		return value.Undefined(), errors.New("evaluation within an evaluation")
	}
	e.budget -= int64(20 + len(key)/16)
	if e.budget < 0 {
		return value.Undefined(), errBudget()
	}
	p := e.program(key)
	if p.err != nil {
		return value.Undefined(), p.err
	}
	e.current = current{variables: v}
	defer func() {
		if r := recover(); r != nil {
			err = invalid("template engine failed: %v", clip(fmt.Sprint(r)))
		}
		if !e.finished && p.loops {
			e.fuelUsed = Fuel
		}
		e.budget -= int64(e.fuelUsed) + int64(e.rounds)
		e.current = current{}
	}()
	err = p.template.RenderToWrite(value.FromObject((*scope)(e)), w)
	switch {
	case e.fault != nil:
		return value.Undefined(), e.fault
	case err != nil:
		return value.Undefined(), e.translateError(err)
	}
	return e.result, nil
}

func errBudget() error {
	return tooMuch("templates of this recipe take too many steps")
}

// translateError makes an *Error of an error of the engine.
func (e *Engine) translateError(err error) error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	var engineError *minijinja.Error
	if errors.As(err, &engineError) {
		switch engineError.Kind {
		case minijinja.ErrUndefinedVar:
			return e.undefined()
		case minijinja.ErrOutOfFuel:
			return tooMuch("template takes more than %d steps", Fuel)
		}
		return invalid("%s", clip(engineError.Message))
	}
	return invalid("%s", clip(err.Error()))
}

// program translates and parses what a key stands for, once.
func (e *Engine) program(key string) *program {
	if p, ok := e.cache[key]; ok {
		return p
	}
	p := e.compile(key)
	e.budget -= int64(len(key) / 4)
	if e.cached += len(key); e.cached > maxCached {
		clear(e.cache)
		e.cached = len(key)
	}
	e.cache[key] = p
	return p
}

func (e *Engine) compile(key string) (p *program) {
	defer func() {
		if r := recover(); r != nil {
			p = &program{err: invalid("template engine failed: %v", clip(fmt.Sprint(r)))}
		}
	}()
	source := key[1:]
	if len(source) > MaxSource {
		return &program{err: tooMuch("template is longer than %d bytes", MaxSource)}
	}
	if i := strings.Index(source, mark); i >= 0 {
		return &program{err: syntaxError(i, "template holds a control character")}
	}
	e.prepare()
	t := translator{source: source, parser: e.names}
	var translated string
	var err error
	if key[0] == 'e' {
		translated, err = t.expressionTemplate()
	} else {
		translated, err = t.template()
	}
	if err != nil {
		return &program{err: err}
	}
	translated += mark + "{ " + fnEnd + "() }" + mark
	template, err := e.engine.TemplateFromNamedString("recipe", translated)
	if err != nil {
		return &program{err: e.translateError(err)}
	}
	return &program{template: template, loops: t.hasLoops}
}

// scope shows an engine's variables to the template engine.
type scope Engine

// GetAttr implements value.Object.
func (s *scope) GetAttr(name string) Value {
	v, ok, err := s.variables.Lookup(name)
	if err != nil {
		if s.fault == nil {
			s.fault = err
		}
		return value.Undefined()
	}
	if !ok || v.IsUndefined() {
		s.undefinedName = name
		return value.Undefined()
	}
	return v
}

// Keys implements value.MapObject, so that the engine takes scope for its
// variables. Templates cannot list them.
func (s *scope) Keys() []string { return nil }

// undefined is the error for the use of an undefined value.
func (e *Engine) undefined() error {
	name := e.undefinedName
	switch {
	case name == "":
		return &Error{Kind: Undefined, Message: "undefined value", Offset: -1}
	case name[0] == '[':
		return &Error{Kind: Undefined, Message: fmt.Sprintf("undefined value: there is no item %s", name), Offset: -1}
	}
	return &Error{Kind: Undefined, Message: fmt.Sprintf("undefined variable %q", clip(name)), Offset: -1, Name: name}
}

// defined fails if a value is undefined. What "a if false" without else gives
// is not defined, but quiet: it counts as empty text.
func (e *Engine) defined(values ...Value) error {
	for _, v := range values {
		if v.IsUndefined() && !v.IsSilentUndefined() {
			return e.undefined()
		}
	}
	return nil
}

// newText makes a string, within the limits.
func (e *Engine) newText(s string) (Value, error) {
	if len(s) > MaxOutput {
		return value.Undefined(), tooMuch("text of more than %d bytes", MaxOutput)
	}
	return value.FromString(s), e.spendBytes(len(s))
}

// newList makes a list, within the limits.
func (e *Engine) newList(items []Value) (Value, error) {
	return e.checked(value.FromSlice(items))
}

// checked gives a value back if it is within the limits.
func (e *Engine) checked(v Value) (Value, error) {
	n := size(v)
	if n > MaxOutput {
		return value.Undefined(), tooMuch("value of more than %d bytes and items", MaxOutput)
	}
	return v, e.spendBytes(n)
}

func (e *Engine) spendBytes(n int) error {
	e.budget -= int64(n / 64)
	if e.budget < 0 {
		return errBudget()
	}
	return nil
}

// Spend takes steps off the budget for work that is done outside of templates.
func (e *Engine) Spend(steps int) error {
	if e.budget -= int64(steps); e.budget < 0 {
		return errBudget()
	}
	return nil
}
