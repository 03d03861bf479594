package ci_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// A lookup gives the value of a name in an expression of GitHub Actions, such as
// inputs.paths.
type lookup func(name string) string

var (
	exprToken = regexp.MustCompile(`^\s*(==|!=|&&|\|\||!|\(|\)|'(?:[^']|'')*'|[A-Za-z_][\w.-]*)`)
	template  = regexp.MustCompile(`\$\{\{(.*?)\}\}`)
)

// expand puts values in the place of the ${{ }} in a text.
func expand(text string, get lookup) (string, error) {
	var failed error
	out := template.ReplaceAllStringFunc(text, func(m string) string {
		v, err := evaluate(template.FindStringSubmatch(m)[1], get)
		if err != nil {
			failed = err
		}
		return v
	})
	return out, failed
}

// evaluate evaluates what the project's files use of GitHub's expressions:
// comparisons of texts, !, && and ||, names and calls of status functions. Truth
// is "true" and "false".
func evaluate(text string, get lookup) (string, error) {
	e := expression{get: get}
	for rest := strings.TrimSpace(text); rest != ""; {
		m := exprToken.FindStringSubmatch(rest)
		if m == nil {
			return "", fmt.Errorf("cannot read %q in the expression %q", rest, text)
		}
		e.tokens = append(e.tokens, m[1])
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	v := e.or()
	if e.err == nil && len(e.tokens) > 0 {
		e.err = fmt.Errorf("%q is left over in the expression %q", e.tokens, text)
	}
	return v, e.err
}

type expression struct {
	tokens []string
	get    lookup
	err    error
}

func (e *expression) next(wanted ...string) (string, bool) {
	if len(e.tokens) == 0 {
		return "", false
	}
	for _, w := range wanted {
		if e.tokens[0] == w {
			e.tokens = e.tokens[1:]
			return w, true
		}
	}
	return "", false
}

func truth(b bool) string { return fmt.Sprint(b) }

func isTrue(s string) bool { return s != "" && s != "false" }

func (e *expression) or() string {
	v := e.and()
	for {
		if _, ok := e.next("||"); !ok {
			return v
		}
		if w := e.and(); !isTrue(v) {
			v = w
		}
	}
}

func (e *expression) and() string {
	v := e.comparison()
	for {
		if _, ok := e.next("&&"); !ok {
			return v
		}
		if w := e.comparison(); isTrue(v) {
			v = w
		}
	}
}

func (e *expression) comparison() string {
	v := e.operand()
	if op, ok := e.next("==", "!="); ok {
		return truth(strings.EqualFold(v, e.operand()) == (op == "=="))
	}
	return v
}

func (e *expression) operand() string {
	if _, ok := e.next("!"); ok {
		return truth(!isTrue(e.operand()))
	}
	if _, ok := e.next("("); ok {
		v := e.or()
		if _, closed := e.next(")"); !closed {
			e.err = fmt.Errorf("a parenthesis is not closed")
		}
		return v
	}
	if len(e.tokens) == 0 {
		e.err = fmt.Errorf("the expression ends too early")
		return ""
	}
	token := e.tokens[0]
	e.tokens = e.tokens[1:]
	if strings.HasPrefix(token, "'") {
		return strings.ReplaceAll(token[1:len(token)-1], "''", "'")
	}
	if _, call := e.next("("); call {
		if _, closed := e.next(")"); !closed {
			e.err = fmt.Errorf("%s() takes nothing here", token)
		}
		token += "()"
	}
	return e.get(token)
}

// The evaluator that the other tests lean on does what GitHub's does.
func TestEvaluate(t *testing.T) {
	get := func(name string) string {
		return map[string]string{"inputs.a": "true", "inputs.b-c": "", "cancelled()": "false", "inputs.evil": "' || 'x"}[name]
	}
	for text, want := range map[string]string{
		`inputs.a == 'true'`:                      "true",
		`inputs.a == 'TRUE'`:                      "true",
		`inputs.a != 'true'`:                      "false",
		`inputs.b-c == ''`:                        "true",
		`!cancelled() && inputs.a == 'true'`:      "true",
		`!cancelled() && inputs.b-c != ''`:        "false",
		`inputs.b-c || inputs.a`:                  "true",
		`!(inputs.a == 'x' || inputs.b-c == 'y')`: "true",
		`inputs.evil == 'x'`:                      "false",
		`'it''s'`:                                 "it's",
	} {
		if got, err := evaluate(text, get); err != nil || got != want {
			t.Errorf("%s: got %q, %v; wanted %q", text, got, err, want)
		}
	}
	for _, text := range []string{`inputs.a = 'x'`, `(inputs.a`, `inputs.a inputs.a`, ``, `format('{0}', inputs.a)`} {
		if got, err := evaluate(text, get); err == nil {
			t.Errorf("%s: got %q, wanted an error", text, got)
		}
	}
}
