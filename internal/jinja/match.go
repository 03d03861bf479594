package jinja

import (
	"strings"

	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// matchFunction is match(value, spec): whether a variant's value, up to its
// first space and without a trailing ".*", matches a conda version
// specification. What is undefined or none matches.
func matchFunction(_ *Engine, a *arguments) (Value, error) {
	if err := a.check(2, "value", "spec"); err != nil {
		return value.Undefined(), err
	}
	v, _ := a.get(0, "value")
	spec, _ := a.get(1, "spec")
	if spec.IsUndefined() {
		return value.Undefined(), invalid("\"match\" wants a version specification, found an undefined value")
	}
	if v.IsUndefined() || v.IsNone() {
		return value.FromBool(true), nil
	}
	text, _, _ := strings.Cut(Text(v), " ")
	parsed, err := parseVersion(strings.TrimSuffix(text, ".*"))
	if err != nil {
		return value.Undefined(), err
	}
	ok, err := matchSpec(parsed, Text(spec))
	return value.FromBool(ok), err
}

// matchSpec tells whether v matches a specification. All of it is parsed, so
// that a fault shows whatever the version is.
func matchSpec(v version, spec string) (bool, error) {
	if len(spec) > MaxSource/16 {
		return false, tooMuch("version specification is longer than %d bytes", MaxSource/16)
	}
	p := specParser{v: v, rest: strings.TrimSpace(spec), spec: spec}
	ok, err := p.alternatives(0)
	if err == nil && p.rest != "" {
		return false, p.bad()
	}
	return ok, err
}

type specParser struct {
	v          version
	rest, spec string
}

func (p *specParser) bad() error {
	return invalid("%q is not a version specification", clip(p.spec))
}

// take goes past a character and the white space around it.
func (p *specParser) take(c byte) bool {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = strings.TrimLeft(p.rest[1:], " \t")
	return true
}

// alternatives reads parts that are joined by "|", each of them constraints
// that are joined by ",".
func (p *specParser) alternatives(depth int) (bool, error) {
	if depth > MaxDepth {
		return false, p.bad()
	}
	some := false
	for {
		all := true
		for {
			ok, err := p.constraint(depth)
			if err != nil {
				return false, err
			}
			all = all && ok
			if !p.take(',') {
				break
			}
		}
		some = some || all
		if !p.take('|') {
			return some, nil
		}
	}
}

func (p *specParser) constraint(depth int) (bool, error) {
	if p.take('(') {
		ok, err := p.alternatives(depth + 1)
		if err == nil && !p.take(')') {
			err = p.bad()
		}
		return ok, err
	}
	end := strings.IndexAny(p.rest, ",|()")
	if end < 0 {
		end = len(p.rest)
	}
	text := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	operator := ""
	for _, o := range []string{"==", "!=", "<=", ">=", "~=", "<", ">", "="} {
		if rest, ok := strings.CutPrefix(text, o); ok {
			operator, text = o, strings.TrimSpace(rest)
			break
		}
	}
	return p.compare(operator, text)
}

func (p *specParser) compare(operator, text string) (bool, error) {
	if text == "*" && (operator == "" || operator == "=" || operator == "==" || operator == ">=") {
		return true, nil
	}
	prefix := strings.TrimSuffix(strings.TrimSuffix(text, "*"), ".")
	glob := strings.HasSuffix(text, "*")
	if !glob {
		prefix = text
	}
	w, err := parseVersion(prefix)
	if err != nil {
		return false, p.bad()
	}
	switch operator {
	case "=":
		return p.v.startsWith(w), nil
	case "", "==":
		if glob {
			return p.v.startsWith(w), nil
		}
		return p.v.compare(w) == 0, nil
	case "!=":
		if glob {
			return !p.v.startsWith(w), nil
		}
		return p.v.compare(w) != 0, nil
	case "~=":
		if len(w.segments) < 2 || glob {
			return false, p.bad()
		}
		family := w
		family.segments = w.segments[:len(w.segments)-1]
		family.local = nil
		return p.v.compare(w) >= 0 && p.v.startsWith(family), nil
	}
	c := p.v.compare(w)
	switch operator {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	default:
		return c >= 0, nil
	}
}
