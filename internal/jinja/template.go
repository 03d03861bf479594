package jinja

import (
	"strings"
	"unicode"
)

// The delimiters of the recipe language.
const (
	expressionStart = "${{"
	expressionEnd   = "}}"
	statementStart  = "{%"
	statementEnd    = "%}"
	commentStart    = "{#"
	commentEnd      = "#}"
)

// mark begins and ends the delimiters in the engine's language, so that no text
// of a recipe is taken for one. Templates that hold it are refused.
const mark = "\x01"

// IsTemplate tells whether a scalar is a template: it holds an expression's
// start and end. In any other scalar statements and comments are text too.
func IsTemplate(s string) bool {
	return strings.Contains(s, expressionStart) && strings.Contains(s, expressionEnd)
}

// Single gives the expression of a template that is one expression and nothing
// else but a line end.
func Single(s string) (expression string, ok bool) {
	s = strings.TrimSuffix(s, "\n")
	if !strings.HasPrefix(s, expressionStart) || !strings.HasSuffix(s, expressionEnd) {
		return "", false
	}
	l := lexer{source: s, pos: len(expressionStart), end: expressionEnd}
	if l.pos < len(s) && (s[l.pos] == '-' || s[l.pos] == '+') {
		l.pos++
	}
	start := l.pos
	for {
		t, err := l.next()
		if err != nil {
			return "", false
		}
		if t.kind == tokenEnd {
			return s[start:t.offset], t.offset+t.closeLength == len(s)
		}
	}
}

// A translator turns a template into the engine's language. Text stays as it
// is; operators become calls of this package's functions, which are exact and
// bounded where the engine's own are not.
type translator struct {
	parser
	source string
	out    strings.Builder
	// blocks are the statements that are open: "if", "else" or "for".
	blocks []string
	// hasLoops tells that there is a for statement.
	hasLoops bool
	// trimNext tells that white space at the start of the next text goes.
	trimNext bool
}

// expressionTemplate gives the template that evaluates one expression.
func (t *translator) expressionTemplate() (string, error) {
	t.lexer = lexer{source: t.source}
	if err := t.advance(); err != nil {
		return "", err
	}
	n, err := t.expression()
	if err != nil {
		return "", err
	}
	if t.tok.kind != tokenEnd {
		return "", t.unexpected("the end")
	}
	t.emitCall(fnResult, n)
	return t.out.String(), nil
}

func (t *translator) emitCall(function string, n node) {
	t.out.WriteString(mark + "{ ")
	call{function: function, args: []node{n}}.emit(&t.out)
	t.out.WriteString(" }" + mark)
}

// template gives the template that renders the source.
func (t *translator) template() (string, error) {
	// One line end at the end is not part of a template.
	t.source = strings.TrimSuffix(t.source, "\n")
	t.source = strings.TrimSuffix(t.source, "\r")
	pos := 0
	for {
		at, start := nextDelimiter(t.source, pos)
		if at < 0 {
			t.text(t.source[pos:], false)
			break
		}
		inner := at + len(start)
		trimBefore := false
		if inner < len(t.source) && (t.source[inner] == '-' || t.source[inner] == '+') {
			trimBefore = t.source[inner] == '-'
			inner++
		}
		t.text(t.source[pos:at], trimBefore)
		var err error
		if pos, err = t.delimited(start, inner); err != nil {
			return "", err
		}
	}
	if n := len(t.blocks); n > 0 {
		return "", syntaxError(len(t.source), "template ends within {%% %s %%}", t.blocks[n-1])
	}
	return t.out.String(), nil
}

func nextDelimiter(s string, from int) (at int, start string) {
	at = -1
	for _, d := range []string{expressionStart, statementStart, commentStart} {
		limit := len(s)
		if at >= 0 {
			limit = min(limit, at+len(d))
		}
		if i := strings.Index(s[from:limit], d); i >= 0 && (at < 0 || from+i < at) {
			at, start = from+i, d
		}
	}
	return at, start
}

func (t *translator) text(s string, trimEnd bool) {
	if t.trimNext {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if s != "" {
			t.trimNext = false
		}
	}
	if trimEnd {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	}
	t.out.WriteString(s)
}

// delimited translates what stands between delimiters and gives the position
// behind them.
func (t *translator) delimited(start string, inner int) (int, error) {
	switch start {
	case commentStart:
		n := strings.Index(t.source[inner:], commentEnd)
		if n < 0 {
			return 0, syntaxError(inner, "comment has no end")
		}
		t.trimNext = n > 0 && t.source[inner+n-1] == '-'
		return inner + n + len(commentEnd), nil
	case expressionStart:
		t.lexer = lexer{source: t.source, pos: inner, end: expressionEnd}
		if err := t.advance(); err != nil {
			return 0, err
		}
		n, err := t.expression()
		if err != nil {
			return 0, err
		}
		if t.tok.kind != tokenEnd {
			return 0, t.unexpected("an operator or " + expressionEnd)
		}
		t.emitCall(fnPrint, n)
	default:
		t.lexer = lexer{source: t.source, pos: inner, end: statementEnd}
		if err := t.advance(); err != nil {
			return 0, err
		}
		if t.isName("raw") {
			return t.raw()
		}
		if err := t.statement(); err != nil {
			return 0, err
		}
		if t.tok.kind != tokenEnd {
			return 0, t.unexpected(statementEnd)
		}
	}
	t.trimNext = t.tok.trim
	return t.tok.offset + t.tok.closeLength, nil
}

func (t *translator) emitStatement(before string, n node, after string) {
	t.out.WriteString(mark + "% " + before + " ")
	if n != nil {
		n.emit(&t.out)
	}
	t.out.WriteString(after + " %" + mark)
}

// statement translates if, for and set. Other statements exist in the
// language; no recipe needs them to find its sources, and several can make
// text grow without bound.
func (t *translator) statement() error {
	word := t.tok
	if word.kind != tokenName {
		return t.unexpected("a statement")
	}
	if err := t.advance(); err != nil {
		return err
	}
	open := ""
	if n := len(t.blocks); n > 0 {
		open = t.blocks[n-1]
	}
	wrong := syntaxError(word.offset, "unexpected {%% %s %%}", clip(word.text))
	switch word.text {
	case "if", "elif":
		if word.text == "if" {
			if len(t.blocks) >= MaxDepth {
				return t.enterTooDeep()
			}
			t.blocks = append(t.blocks, "if")
		} else if open != "if" {
			return wrong
		}
		n, err := t.or()
		if err != nil {
			return err
		}
		t.emitStatement(word.text, n, "")
	case "else":
		if open != "if" && open != "for" {
			return wrong
		}
		t.blocks[len(t.blocks)-1] = "else of " + open
		t.emitStatement("else", nil, "")
	case "endif", "endfor":
		if strings.TrimPrefix(open, "else of ") != strings.TrimPrefix(word.text, "end") {
			return wrong
		}
		t.blocks = t.blocks[:len(t.blocks)-1]
		if word.text == "endfor" {
			t.loops--
		}
		t.emitStatement(word.text, nil, "")
	case "for":
		return t.forStatement()
	case "set":
		return t.setStatement()
	default:
		return syntaxError(word.offset, "statement %q is not supported in a recipe", clip(word.text))
	}
	return nil
}

// assignable reads a name that a statement may give a value to.
func (t *translator) assignable() (string, error) {
	name := t.tok
	if name.kind != tokenName || isKeyword(name.text) || isEngineName(name.text) || isNamespace(name.text) ||
		strings.HasPrefix(name.text, reserved) {
		return "", t.unexpected("a name")
	}
	return name.text, t.advance()
}

func (t *translator) forStatement() error {
	if len(t.blocks) >= MaxDepth {
		return t.enterTooDeep()
	}
	var names []string
	for {
		name, err := t.assignable()
		if err != nil {
			return err
		}
		names = append(names, name)
		if ok, err := t.skip(","); err != nil {
			return err
		} else if !ok {
			break
		}
	}
	if ok, err := t.skipName("in"); err != nil {
		return err
	} else if !ok {
		return t.unexpected(`"in"`)
	}
	items, err := t.or()
	if err != nil {
		return err
	}
	t.hasLoops = true
	t.loops++
	t.blocks = append(t.blocks, "for")
	t.emitStatement("for "+strings.Join(names, ", ")+" in", call{function: fnItems, args: []node{items}}, "")
	return nil
}

func (t *translator) setStatement() error {
	name, err := t.assignable()
	if err != nil {
		return err
	}
	if err := t.expect("="); err != nil {
		return err
	}
	n, err := t.expression()
	if err != nil {
		return err
	}
	t.emitStatement("set "+name+" =", n, "")
	return nil
}

// raw copies the text up to the end of a raw block.
func (t *translator) raw() (int, error) {
	if err := t.advance(); err != nil {
		return 0, err
	}
	if t.tok.kind != tokenEnd {
		return 0, t.unexpected(statementEnd)
	}
	t.trimNext = t.tok.trim
	begin := t.tok.offset + t.tok.closeLength
	for from := begin; ; {
		n := strings.Index(t.source[from:], statementStart)
		if n < 0 {
			return 0, syntaxError(begin, "raw block has no end")
		}
		at := from + n
		from = at + len(statementStart)
		inner := from
		trimBefore := strings.HasPrefix(t.source[inner:], "-")
		if trimBefore || strings.HasPrefix(t.source[inner:], "+") {
			inner++
		}
		l := lexer{source: t.source, pos: inner, end: statementEnd}
		word, err := l.next()
		if err != nil || word.kind != tokenName || word.text != "endraw" {
			continue
		}
		if end, err := l.next(); err == nil && end.kind == tokenEnd {
			t.text(t.source[begin:at], trimBefore)
			t.trimNext = end.trim
			return end.offset + end.closeLength, nil
		}
	}
}
