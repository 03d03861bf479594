package jinja

import (
	"strings"

	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// renderPlain renders templates in which every expression is the name of a
// variable that holds text, as nearly all in recipes are, without the engine.
// For whatever else it reports false, and the engine decides.
func (e *Engine) renderPlain(source string, v Variables) (string, bool) {
	if len(source) > MaxSource || strings.ContainsAny(source, "\r\n"+mark) {
		return "", false // the engine has rules for line ends
	}
	var out strings.Builder
	rest := source
	for {
		text, after, found := strings.Cut(rest, expressionStart)
		if strings.ContainsAny(text, "{}") {
			return "", false
		}
		out.WriteString(text)
		if !found {
			break
		}
		expression, after, found := strings.Cut(after, expressionEnd)
		name := strings.Trim(expression, " ")
		if !found || !isPlainName(name) {
			return "", false
		}
		held, ok, err := v.Lookup(name)
		if err != nil || !ok || held.Kind() != value.KindString {
			return "", false
		}
		s, _ := held.AsString()
		if out.WriteString(s); out.Len() > MaxOutput {
			return "", false
		}
		rest = after
	}
	steps := int64(20 + len(source)/4 + out.Len()/64)
	if e.budget < steps {
		return "", false
	}
	e.budget -= steps
	return out.String(), true
}

// isPlainName tells whether an expression is a name that can only be a
// variable's.
func isPlainName(s string) bool {
	if s == "" || !isNameStart(s[0]) || isKeyword(s) || isEngineName(s) || isNamespace(s) || strings.HasPrefix(s, reserved) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isNameStart(c) && (c < '0' || c > '9') {
			return false
		}
	}
	switch s {
	case "true", "True", "false", "False", "none", "None":
		return false
	}
	return true
}
