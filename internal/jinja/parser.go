package jinja

import (
	"strconv"
	"strings"
)

// A node is part of an expression. emit writes it in the engine's language.
type node interface{ emit(b *strings.Builder) }

type (
	// literal is text in the engine's language.
	literal string
	// variable is a name that is looked up.
	variable string
	// call calls a function of this package or of the recipe language.
	call struct {
		function string
		args     []node
		keywords []keyword
	}
	keyword struct {
		name  string
		value node
	}
	// logic is a chain of "and" or of "or".
	logic struct {
		operator string
		operands []node
	}
	not       struct{ operand node }
	condition struct{ then, test, otherwise node } // otherwise may be nil
	// filter and test apply what the engine knows by name.
	filter struct {
		operand node
		call    call
	}
	test struct {
		operand node
		call    call
		negated bool
	}
	list []node
	dict []node // key, value, key, …
)

func (n literal) emit(b *strings.Builder) { b.WriteString(string(n)) }

func (n variable) emit(b *strings.Builder) { b.WriteString(string(n)) }

func emitArgs(b *strings.Builder, args []node, keywords []keyword) {
	b.WriteByte('(')
	for i, a := range args {
		if i > 0 {
			b.WriteByte(',')
		}
		a.emit(b)
	}
	for i, k := range keywords {
		if i > 0 || len(args) > 0 {
			b.WriteByte(',')
		}
		b.WriteString(k.name + "=")
		k.value.emit(b)
	}
	b.WriteByte(')')
}

func (n call) emit(b *strings.Builder) {
	b.WriteString(n.function)
	emitArgs(b, n.args, n.keywords)
}

func (n logic) emit(b *strings.Builder) {
	b.WriteByte('(')
	for i, o := range n.operands {
		if i > 0 {
			b.WriteString(" " + n.operator + " ")
		}
		o.emit(b)
	}
	b.WriteByte(')')
}

func (n not) emit(b *strings.Builder) {
	b.WriteString("(not ")
	n.operand.emit(b)
	b.WriteByte(')')
}

func (n condition) emit(b *strings.Builder) {
	b.WriteByte('(')
	n.then.emit(b)
	b.WriteString(" if ")
	n.test.emit(b)
	if n.otherwise != nil {
		b.WriteString(" else ")
		n.otherwise.emit(b)
	}
	b.WriteByte(')')
}

func (n filter) emit(b *strings.Builder) {
	b.WriteByte('(')
	n.operand.emit(b)
	b.WriteByte('|')
	n.call.emit(b)
	b.WriteByte(')')
}

func (n test) emit(b *strings.Builder) {
	b.WriteByte('(')
	n.operand.emit(b)
	if n.negated {
		b.WriteString(" is not ")
	} else {
		b.WriteString(" is ")
	}
	n.call.emit(b)
	b.WriteByte(')')
}

// Lists and mappings go through a check, so that a value's size stays bounded
// although parts of it may be shared.
func (n list) emit(b *strings.Builder) {
	b.WriteString(fnChecked + "([")
	for _, item := range n {
		item.emit(b)
		b.WriteByte(',')
	}
	b.WriteString("])")
}

func (n dict) emit(b *strings.Builder) {
	b.WriteString(fnChecked + "({")
	for i := 0; i < len(n); i += 2 {
		n[i].emit(b)
		b.WriteByte(':')
		n[i+1].emit(b)
		b.WriteByte(',')
	}
	b.WriteString("})")
}

// quote gives a string literal of the engine.
func quote(s string) literal {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, mark, `\x01`)
	return literal(`"` + r.Replace(s) + `"`)
}

// A parser reads expressions by minijinja's grammar: from loosest to tightest
// ternary, or, and, not, comparisons, + and -, ~, * and its kin, **, and then
// unary minus with attributes, subscripts, calls, filters and tests.
type parser struct {
	lexer lexer
	tok   token
	depth int
	loops int // for statements around the expression
	// names known to the engine.
	functions, filters, tests map[string]bool
}

func (p *parser) advance() error {
	t, err := p.lexer.next()
	p.tok = t
	return err
}

func (p *parser) isOperator(text string) bool {
	return p.tok.kind == tokenOperator && p.tok.text == text
}

func (p *parser) isName(text string) bool {
	return p.tok.kind == tokenName && p.tok.text == text
}

// skip goes past an operator if it comes next.
func (p *parser) skip(operator string) (bool, error) {
	if !p.isOperator(operator) {
		return false, nil
	}
	return true, p.advance()
}

// skipName goes past a key word if it comes next.
func (p *parser) skipName(name string) (bool, error) {
	if !p.isName(name) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(operator string) error {
	ok, err := p.skip(operator)
	if err == nil && !ok {
		return p.unexpected(strconv.Quote(operator))
	}
	return err
}

func (p *parser) unexpected(wanted string) error {
	found := strconv.Quote(clip(p.tok.text))
	if p.tok.kind == tokenEnd {
		found = "the end"
	}
	return syntaxError(p.tok.offset, "unexpected %s in an expression, wanted %s", found, wanted)
}

// enter counts nesting; leave must follow.
func (p *parser) enter() error {
	p.depth++
	if p.depth > MaxDepth {
		return &Error{Kind: Limit, Message: "expression is nested deeper than " + strconv.Itoa(MaxDepth) + " levels", Offset: p.tok.offset}
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) expression() (node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	then, err := p.or()
	if err != nil {
		return nil, err
	}
	for count := 0; ; count++ {
		ok, err := p.skipName("if")
		if err != nil || !ok {
			return then, err
		}
		if count >= MaxDepth {
			return nil, p.enterTooDeep()
		}
		c := condition{then: then}
		if c.test, err = p.or(); err != nil {
			return nil, err
		}
		if ok, err = p.skipName("else"); err != nil {
			return nil, err
		}
		if ok {
			if c.otherwise, err = p.expression(); err != nil {
				return nil, err
			}
		}
		then = c
	}
}

func (p *parser) enterTooDeep() error {
	return &Error{Kind: Limit, Message: "expression is nested deeper than " + strconv.Itoa(MaxDepth) + " levels", Offset: p.tok.offset}
}

func (p *parser) or() (node, error) { return p.logicChain("or", p.and) }

func (p *parser) and() (node, error) { return p.logicChain("and", p.not) }

func (p *parser) logicChain(word string, operand func() (node, error)) (node, error) {
	first, err := operand()
	if err != nil || !p.isName(word) {
		return first, err
	}
	chain := logic{operator: word, operands: []node{first}}
	for {
		ok, err := p.skipName(word)
		if err != nil || !ok {
			return chain, err
		}
		next, err := operand()
		if err != nil {
			return nil, err
		}
		chain.operands = append(chain.operands, next)
	}
}

func (p *parser) not() (node, error) {
	ok, err := p.skipName("not")
	if err != nil || !ok {
		if err != nil {
			return nil, err
		}
		return p.comparison()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	operand, err := p.not()
	return not{operand}, err
}

// comparison reads a chain of comparisons, which are one call, so that each
// operand is evaluated once.
func (p *parser) comparison() (node, error) {
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	args := []node{first}
	for {
		op := ""
		switch {
		case p.tok.kind == tokenOperator:
			switch p.tok.text {
			case "==", "!=", "<", "<=", ">", ">=":
				op = p.tok.text
			}
		case p.isName("in"):
			op = "in"
		case p.isName("not"):
			op = "not in"
			if err := p.advance(); err != nil {
				return nil, err
			}
			if !p.isName("in") {
				return nil, p.unexpected(`"in"`)
			}
		}
		if op == "" {
			break
		}
		if len(args) > 2*maxOperands {
			return nil, tooMuch("expression chains more than %d operators", maxOperands)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		args = append(args, quote(op), right)
	}
	if len(args) == 1 {
		return first, nil
	}
	return call{function: fnCompare, args: args}, nil
}

func (p *parser) sum() (node, error) { return p.fold(p.concat, "+", "-") }

func (p *parser) concat() (node, error) { return p.fold(p.product, "~") }

func (p *parser) product() (node, error) { return p.fold(p.power, "*", "/", "//", "%") }

func (p *parser) power() (node, error) { return p.fold(p.unary, "**") }

// fold reads operators of one rank, which group from the left. A chain is one
// call, so that its length is not a depth.
func (p *parser) fold(operand func() (node, error), operators ...string) (node, error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	args := []node{first}
	for {
		op := ""
		for _, o := range operators {
			if p.isOperator(o) {
				op = o
			}
		}
		if op == "" {
			break
		}
		if len(args) > 2*maxOperands {
			return nil, tooMuch("expression chains more than %d operators", maxOperands)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		args = append(args, quote(op), right)
	}
	if len(args) == 1 {
		return first, nil
	}
	return call{function: fnFold, args: args}, nil
}
