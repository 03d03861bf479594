package jinja

import (
	"math/big"
	"strings"

	minijinja "github.com/mitsuhiko/minijinja/minijinja-go/v2"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// addTests makes the tests of the recipe language known. Those that ask for a
// kind are false for an undefined value, the others fail.
func (e *Engine) addTests() {
	kinds := map[string]func(v Value) bool{
		"undefined": Value.IsUndefined,
		"defined":   func(v Value) bool { return !v.IsUndefined() },
		"none":      Value.IsNone,
		"safe":      Value.IsSafe,
		"escaped":   Value.IsSafe,
		"number":    func(v Value) bool { return v.Kind() == value.KindNumber },
		"integer":   isInteger,
		"int":       isInteger,
		"float":     Value.IsActualFloat,
		"string":    func(v Value) bool { return v.Kind() == value.KindString },
		"sequence":  func(v Value) bool { return v.Kind() == value.KindSeq },
		"boolean":   func(v Value) bool { return v.Kind() == value.KindBool },
		"true":      func(v Value) bool { b, ok := v.AsBool(); return ok && b },
		"false":     func(v Value) bool { b, ok := v.AsBool(); return ok && !b },
	}
	for name, is := range kinds {
		e.addTest(name, 0, func(v Value, _ []Value) (bool, error) {
			if v.IsUndefined() {
				e.undefinedName = "" // it is not this value that an error is about
			}
			return is(v), nil
		})
	}
	for name, bit := range map[string]uint{"odd": 1, "even": 0} {
		e.addTest(name, 0, func(v Value, _ []Value) (bool, error) {
			if err := e.defined(v); err != nil {
				return false, err
			}
			i, ok := integral(v)
			return ok && new(big.Int).Abs(i).Bit(0) == bit, nil
		})
	}
	for name, has := range map[string]func(s, part string) bool{
		"startingwith": strings.HasPrefix, "endingwith": strings.HasSuffix,
	} {
		e.addTest(name, 1, func(v Value, args []Value) (bool, error) {
			if err := e.defined(v, args[0]); err != nil {
				return false, err
			}
			return has(Text(v), Text(args[0])), nil
		})
	}
	for name, op := range map[string]string{
		"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "in": "in",
	} {
		e.addTest(name, 1, func(v Value, args []Value) (bool, error) { return e.compare(op, v, args[0]) })
	}
}

func isInteger(v Value) bool {
	return v.Kind() == value.KindNumber && !v.IsActualFloat()
}

func (e *Engine) addTest(name string, wanted int, f func(v Value, args []Value) (bool, error)) {
	e.names.tests[name] = true
	e.engine.AddTest(name, func(_ minijinja.TestState, v Value, args []Value) (bool, error) {
		if len(args) != wanted {
			return false, e.keep(invalid("test %q takes %d arguments, found %d", name, wanted, len(args)))
		}
		ok, err := f(v, args)
		return ok, e.keep(err)
	})
}
