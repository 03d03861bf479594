package jinja

import (
	"strconv"
	"strings"
)

// unary reads an operand with everything that binds tighter than "**".
func (p *parser) unary() (node, error) {
	n, err := p.negation()
	if err != nil {
		return nil, err
	}
	if n, err = p.postfix(n); err != nil {
		return nil, err
	}
	return p.filtersAndTests(n)
}

func (p *parser) negation() (node, error) {
	minus, err := p.skip("-")
	if err != nil {
		return nil, err
	}
	if !minus {
		return p.primary()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	n, err := p.negation()
	return call{function: fnNegate, args: []node{n}}, err
}

func (p *parser) primary() (node, error) {
	t := p.tok
	if t.kind == tokenEnd || t.kind == tokenOperator && !strings.Contains("([{", t.text) {
		return nil, p.unexpected("a value")
	}
	if t.kind == tokenName && isKeyword(t.text) {
		return nil, p.unexpected("a value")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch t.kind {
	case tokenName:
		return p.named(t)
	case tokenString:
		var b strings.Builder
		b.WriteString(t.text)
		for p.tok.kind == tokenString {
			b.WriteString(p.tok.text)
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		return quote(b.String()), nil
	case tokenInteger:
		return literal(t.text), nil
	case tokenFloat:
		f, err := strconv.ParseFloat(t.text, 64)
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return literal(s), err
	}
	switch t.text {
	case "(":
		return p.parenthesis()
	case "[":
		items, err := p.items("]")
		return list(items), err
	default:
		return p.mapping()
	}
}

func isKeyword(name string) bool {
	switch name {
	case "and", "or", "not", "if", "else", "in", "is":
		return true
	}
	return false
}

// named reads what a name begins: a constant, a call or a variable.
func (p *parser) named(t token) (node, error) {
	switch t.text {
	case "true", "True":
		return literal("true"), nil
	case "false", "False":
		return literal("false"), nil
	case "none", "None":
		return literal("none"), nil
	}
	if strings.HasPrefix(t.text, reserved) {
		return nil, syntaxError(t.offset, "name %q is reserved", clip(t.text))
	}
	switch {
	case p.isOperator("("):
		args, keywords, err := p.arguments()
		if err != nil {
			return nil, err
		}
		if !p.functions[t.text] {
			return failure("function %q is unknown", t.text), nil
		}
		return call{t.text, args, keywords}, nil
	case isNamespace(t.text) && p.isOperator("."):
		return p.namespace(t.text)
	case isEngineName(t.text) && (t.text != "loop" || p.loops == 0):
		return nil, syntaxError(t.offset, "name %q is reserved by the template language", t.text)
	}
	return variable(t.text), nil
}

// isEngineName tells the names that have a meaning to the engine.
func isEngineName(name string) bool {
	switch name {
	case "self", "super", "caller", "loop":
		return true
	}
	return false
}

func isNamespace(name string) bool { return name == "env" || name == "git" }

// namespace reads a call of a function of env or git.
func (p *parser) namespace(object string) (node, error) {
	if err := p.expect("."); err != nil {
		return nil, err
	}
	name := p.tok
	if name.kind != tokenName {
		return nil, p.unexpected("the name of a function of " + strconv.Quote(object))
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.isOperator("(") {
		return nil, p.unexpected(`"("`)
	}
	args, keywords, err := p.arguments()
	if err != nil {
		return nil, err
	}
	switch {
	case object == "env" && (name.text == "get" || name.text == "exists"):
		return call{reserved + "env_" + name.text, args, keywords}, nil
	case object == "git":
		return call{function: fnGit, args: []node{quote(name.text)}}, nil
	}
	return failure("function %q is unknown", object+"."+name.text), nil
}

// failure is a call that fails when, and only when, it is evaluated.
func failure(format string, name string) node {
	return call{function: fnFail, args: []node{quote(format), quote(clip(name))}}
}

// parenthesis reads what follows "(": a grouped expression or a tuple.
func (p *parser) parenthesis() (node, error) {
	if ok, err := p.skip(")"); ok || err != nil {
		return list(nil), err
	}
	first, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.isOperator(",") {
		return first, p.expect(")")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	rest, err := p.items(")")
	return append(list{first}, rest...), err
}

// items reads expressions up to a closing bracket; a trailing comma may stand.
func (p *parser) items(closing string) ([]node, error) {
	var items []node
	for {
		ok, err := p.skip(closing)
		if ok || err != nil {
			return items, err
		}
		if len(items) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if ok, err := p.skip(closing); ok || err != nil {
				return items, err
			}
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
}

func (p *parser) mapping() (node, error) {
	var pairs dict
	for {
		if ok, err := p.skip("}"); ok || err != nil {
			return pairs, err
		}
		if len(pairs) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if ok, err := p.skip("}"); ok || err != nil {
				return pairs, err
			}
		}
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, key, value)
	}
}

// postfix reads attributes and subscripts. Nothing but functions can be called.
func (p *parser) postfix(n node) (node, error) {
	for count := 0; ; count++ {
		if count >= MaxDepth {
			return nil, p.enterTooDeep()
		}
		switch {
		case p.isOperator("."):
			if err := p.advance(); err != nil {
				return nil, err
			}
			var key node
			switch p.tok.kind {
			case tokenName:
				key = quote(p.tok.text)
			case tokenInteger:
				key = literal(p.tok.text)
			default:
				return nil, p.unexpected("a name or an integer")
			}
			name := p.tok.text
			if err := p.advance(); err != nil {
				return nil, err
			}
			if p.isOperator("(") {
				if _, _, err := p.arguments(); err != nil {
					return nil, err
				}
				n = failure("values have no methods, found %q", name)
				continue
			}
			n = call{function: fnAttribute, args: []node{n, key}}
		case p.isOperator("["):
			var err error
			if n, err = p.subscript(n); err != nil {
				return nil, err
			}
		case p.isOperator("("):
			if _, _, err := p.arguments(); err != nil {
				return nil, err
			}
			n = failure("only functions can be called%s", "")
		default:
			return n, nil
		}
	}
}

func (p *parser) subscript(n node) (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	// A bound that is left out is passed as no value, which differs from none.
	bounds := []node{literal("[]"), literal("[]"), literal("[]")}
	slice := false
	for i := range bounds {
		if !p.isOperator(":") && !p.isOperator("]") {
			bound, err := p.expression()
			if err != nil {
				return nil, err
			}
			bounds[i] = bound
		} else if i == 0 && !p.isOperator(":") {
			return nil, p.unexpected("a subscript")
		}
		colon := false
		if i < len(bounds)-1 {
			var err error
			if colon, err = p.skip(":"); err != nil {
				return nil, err
			}
		}
		if !colon {
			break
		}
		slice = true
	}
	if err := p.expect("]"); err != nil {
		return nil, err
	}
	if !slice {
		return call{function: fnItem, args: []node{n, bounds[0]}}, nil
	}
	return call{function: fnSlice, args: append([]node{n}, bounds...)}, nil
}

// arguments reads a call's arguments from "(" to ")".
func (p *parser) arguments() (args []node, keywords []keyword, err error) {
	if err := p.expect("("); err != nil {
		return nil, nil, err
	}
	for first := true; ; first = false {
		if ok, err := p.skip(")"); ok || err != nil {
			return args, keywords, err
		}
		if !first {
			if err := p.expect(","); err != nil {
				return nil, nil, err
			}
			if ok, err := p.skip(")"); ok || err != nil {
				return args, keywords, err
			}
		}
		if len(args)+len(keywords) >= maxArguments {
			return nil, nil, tooMuch("call has more than %d arguments", maxArguments)
		}
		at := p.tok
		value, err := p.expression()
		if err != nil {
			return nil, nil, err
		}
		name, isVariable := value.(variable)
		switch {
		case isVariable && p.isOperator("="):
			if err := p.advance(); err != nil {
				return nil, nil, err
			}
			if value, err = p.expression(); err != nil {
				return nil, nil, err
			}
			keywords = append(keywords, keyword{string(name), value})
		case len(keywords) > 0:
			return nil, nil, syntaxError(at.offset, "argument without a name after one with a name")
		default:
			args = append(args, value)
		}
	}
}

// filtersAndTests reads "| name(args)" and "is [not] name args".
func (p *parser) filtersAndTests(n node) (node, error) {
	for count := 0; ; count++ {
		isFilter := p.isOperator("|")
		if !isFilter && !p.isName("is") {
			return n, nil
		}
		if count >= MaxDepth {
			return nil, p.enterTooDeep()
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		var err error
		if isFilter {
			n, err = p.filter(n)
		} else {
			n, err = p.test(n)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) filter(n node) (node, error) {
	name := p.tok
	if name.kind != tokenName {
		return nil, p.unexpected("the name of a filter")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := call{function: name.text}
	if p.isOperator("(") {
		var err error
		if c.args, c.keywords, err = p.arguments(); err != nil {
			return nil, err
		}
	}
	if !p.filters[name.text] {
		return failure("filter %q is unknown", name.text), nil
	}
	return filter{n, c}, nil
}

func (p *parser) test(n node) (node, error) {
	negated, err := p.skipName("not")
	if err != nil {
		return nil, err
	}
	name := p.tok
	if name.kind != tokenName {
		return nil, p.unexpected("the name of a test")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := call{function: name.text}
	switch {
	case p.isOperator("("):
		if c.args, c.keywords, err = p.arguments(); err != nil {
			return nil, err
		}
	case p.beginsArgument():
		arg, err := p.negation()
		if err != nil {
			return nil, err
		}
		if arg, err = p.postfix(arg); err != nil {
			return nil, err
		}
		c.args = []node{arg}
	}
	if !p.tests[name.text] || len(c.keywords) > 0 {
		return failure("test %q is unknown", name.text), nil
	}
	return test{n, c, negated}, nil
}

// beginsArgument tells whether an argument without parentheses follows a test.
func (p *parser) beginsArgument() bool {
	switch p.tok.kind {
	case tokenString, tokenInteger, tokenFloat:
		return true
	case tokenName:
		switch p.tok.text {
		case "and", "or", "else", "is", "if", "in", "not":
			return false
		}
		return true
	case tokenOperator:
		return p.tok.text == "[" || p.tok.text == "{" || p.tok.text == "-"
	}
	return false
}
