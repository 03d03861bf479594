package jinja

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// tokenKind tells the tokens of an expression apart.
type tokenKind int

const (
	tokenEnd tokenKind = iota // of the template or of the delimited part
	tokenName
	tokenString
	tokenInteger
	tokenFloat
	tokenOperator
)

type token struct {
	kind   tokenKind
	text   string // name, operator, unescaped string, or digits of a number
	offset int    // byte offset in the template
	// close is set for tokenEnd: the delimiter's length, and whether it asks
	// for white space to be trimmed.
	closeLength int
	trim        bool
}

// A lexer reads the tokens of one expression or statement.
type lexer struct {
	source string
	pos    int
	// end is the delimiter that ends the part, "" for the end of the source.
	end string
	// open counts brackets: the delimiter is not looked for within them.
	open int
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// next gives the next token; after the end it gives tokenEnd again.
func (l *lexer) next() (token, error) {
	for l.pos < len(l.source) && isSpace(l.source[l.pos]) {
		l.pos++
	}
	start := l.pos
	rest := l.source[start:]
	if t, ok := l.atEnd(rest); ok {
		return t, nil
	}
	if rest == "" {
		return token{}, syntaxError(start, "template ends within an expression, wanted %q", l.end)
	}
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		return l.text(c)
	case isDigit(c):
		return l.number()
	case isNameStart(c):
		n := 1
		for n < len(rest) && (isNameStart(rest[n]) || isDigit(rest[n])) {
			n++
		}
		l.pos += n
		return token{kind: tokenName, text: rest[:n], offset: start}, nil
	}
	return l.operator(rest)
}

// atEnd tells whether the part ends here.
func (l *lexer) atEnd(rest string) (token, bool) {
	if l.end == "" {
		return token{kind: tokenEnd, offset: l.pos}, rest == ""
	}
	if l.open > 0 {
		return token{}, false
	}
	t := token{kind: tokenEnd, offset: l.pos, closeLength: len(l.end)}
	if strings.HasPrefix(rest, l.end) {
		return t, true
	}
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') && strings.HasPrefix(rest[1:], l.end) {
		t.closeLength++
		t.trim = rest[0] == '-'
		return t, true
	}
	return token{}, false
}

func (l *lexer) operator(rest string) (token, error) {
	start := l.pos
	if len(rest) >= 2 {
		switch rest[:2] {
		case "//", "**", "==", "!=", ">=", "<=":
			l.pos += 2
			return token{kind: tokenOperator, text: rest[:2], offset: start}, nil
		}
	}
	switch rest[0] {
	case '(', '[', '{':
		l.open++
	case ')', ']', '}':
		l.open--
	case '+', '-', '*', '/', '%', '~', '<', '>', '=', '.', ',', ':', '|':
	default:
		r, _ := utf8.DecodeRuneInString(rest)
		return token{}, syntaxError(start, "unexpected character %q in an expression", r)
	}
	l.pos++
	return token{kind: tokenOperator, text: rest[:1], offset: start}, nil
}

// text reads a string literal.
func (l *lexer) text(quote byte) (token, error) {
	start := l.pos
	var b strings.Builder
	i := start + 1
	for i < len(l.source) {
		c := l.source[i]
		switch c {
		case quote:
			l.pos = i + 1
			if !utf8.ValidString(b.String()) {
				return token{}, syntaxError(start, "string literal is not valid UTF-8")
			}
			return token{kind: tokenString, text: b.String(), offset: start}, nil
		case '\\':
			n, err := unescape(&b, l.source[i+1:])
			if err != "" {
				return token{}, syntaxError(i, "%s", err)
			}
			i += 1 + n
		default:
			b.WriteByte(c)
			i++
		}
	}
	return token{}, syntaxError(start, "string literal has no end")
}

// unescape writes what an escape sequence stands for, of which s holds what
// follows the backslash, and gives the number of bytes that it took.
func unescape(b *strings.Builder, s string) (n int, problem string) {
	if s == "" {
		return 0, "string literal has no end"
	}
	simple := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', '\\': '\\', '/': '/', '\'': '\'', '"': '"'}
	if c, ok := simple[s[0]]; ok {
		b.WriteByte(c)
		return 1, ""
	}
	digits := 0
	switch s[0] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		b.WriteByte('\\')
		b.WriteByte(s[0])
		return 1, ""
	}
	r, ok := hexRune(s[1:], digits)
	if !ok {
		return 0, "bad escape sequence in a string literal"
	}
	n = 1 + digits
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if strings.HasPrefix(s[n:], `\u`) {
			low, ok = hexRune(s[n+2:], 4)
		}
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return 0, "bad escape sequence in a string literal"
		}
		n += 6
	}
	b.WriteRune(r)
	return n, ""
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	v, err := strconv.ParseUint(s[:digits], 16, 32)
	return rune(v), err == nil && v <= utf8.MaxRune
}

// number reads an integer of any radix, or a float.
func (l *lexer) number() (token, error) {
	start := l.pos
	rest := l.source[start:]
	base, n := 10, 0
	if len(rest) >= 2 && rest[0] == '0' {
		switch rest[1] {
		case 'b', 'B':
			base, n = 2, 2
		case 'o', 'O':
			base, n = 8, 2
		case 'x', 'X':
			base, n = 16, 2
		}
	}
	first := n
	isDigitOf := func(c byte) bool {
		if base == 16 {
			return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
		}
		return isDigit(c)
	}
	digits := func() {
		for n < len(rest) && (isDigitOf(rest[n]) || rest[n] == '_') {
			n++
		}
	}
	digits()
	float := false
	if base == 10 && n+1 < len(rest) && rest[n] == '.' && isDigit(rest[n+1]) {
		float = true
		n++
		digits()
	}
	if base == 10 && n < len(rest) && rest[n]|0x20 == 'e' {
		float = true
		n++
		if n < len(rest) && (rest[n] == '+' || rest[n] == '-') {
			n++
		}
		digits()
	}
	l.pos += n
	literal := strings.ReplaceAll(rest[first:n], "_", "")
	if strings.HasSuffix(rest[:n], "_") {
		return token{}, syntaxError(start, "number ends in an underscore")
	}
	if float {
		if _, err := strconv.ParseFloat(literal, 64); err != nil {
			return token{}, syntaxError(start, "%q is not a number", rest[:n])
		}
		return token{kind: tokenFloat, text: literal, offset: start}, nil
	}
	// 128 bits have at most 128 digits; the check keeps SetString cheap.
	v, ok := new(big.Int), false
	if len(literal) <= 128 {
		v, ok = v.SetString(literal, base)
	}
	if !ok || !inRange(v) {
		return token{}, syntaxError(start, "%q is not an integer of 128 bits", clip(rest[:n]))
	}
	return token{kind: tokenInteger, text: v.String(), offset: start}, nil
}
