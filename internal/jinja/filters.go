package jinja

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"

	minijinja "github.com/mitsuhiko/minijinja/minijinja-go/v2"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// addFilters makes the filters of the recipe language known. They are this
// package's own: the engine's take what a strict one refuses, and have no
// limits.
func (e *Engine) addFilters() {
	filters := map[string]function{
		"version_to_buildstring": textFilter(versionToBuildString),
		"lower":                  textFilter(strings.ToLower),
		"upper":                  textFilter(strings.ToUpper),
		"replace":                filterReplace,
		"int":                    filterInt,
		"abs":                    filterAbs,
		"bool":                   filterBool,
		"first":                  filterEnd(func(n int) int { return 0 }),
		"last":                   filterEnd(func(n int) int { return n - 1 }),
		"length":                 filterLength,
		"list":                   filterList,
		"join":                   filterJoin,
		"min":                    filterExtreme(-1),
		"max":                    filterExtreme(1),
		"reverse":                filterReverse,
		"sort":                   filterSort,
		"trim":                   filterTrim,
		"unique":                 filterUnique,
		"split":                  filterSplit,
	}
	for name, f := range filters {
		e.addFilter(name, func(e *Engine, a *arguments) (Value, error) {
			if err := e.defined(append(a.positional, values(a.keywords)...)...); err != nil {
				return value.Undefined(), err
			}
			return f(e, a)
		})
	}
	e.addFilter("default", filterDefault)
}

func values(m map[string]Value) []Value {
	list := make([]Value, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// addFilter adds a filter, whose first argument is what it is applied to.
func (e *Engine) addFilter(name string, f function) {
	e.names.filters[name] = true
	e.engine.AddFilter(name, func(_ minijinja.FilterState, v Value, args []Value, kwargs map[string]Value) (Value, error) {
		result, err := f(e, &arguments{name, append([]Value{v}, args...), kwargs})
		return result, e.keep(err)
	})
}

// list gives the items of a value: of a list, the keys of a mapping, the
// characters of a string.
func (e *Engine) list(v Value) ([]Value, error) {
	if err := e.defined(v); err != nil {
		return nil, err
	}
	switch v.Kind() {
	case value.KindSeq, value.KindIterable:
		return v.Iter(), nil
	case value.KindMap:
		m, _ := v.AsMap()
		var items []Value
		for _, k := range sortedKeys(m) {
			items = append(items, value.FromString(k))
		}
		return items, nil
	case value.KindString:
		s, _ := v.AsString()
		var items []Value
		for _, r := range s {
			items = append(items, value.FromString(string(r)))
		}
		return items, nil
	case value.KindUndefined:
		return nil, nil
	}
	return nil, invalid("%s is not a list", v.Kind())
}

func textFilter(f func(string) string) function {
	return func(e *Engine, a *arguments) (Value, error) {
		if err := a.check(1, "value"); err != nil {
			return value.Undefined(), err
		}
		return e.newText(f(Text(a.positional[0])))
	}
}

// versionToBuildString joins the first two parts of a version.
func versionToBuildString(s string) string {
	if fields := strings.Fields(s); len(fields) > 0 {
		s = fields[0]
	}
	major, rest, _ := strings.Cut(s, ".")
	minor, _, _ := strings.Cut(rest, ".")
	return major + minor
}

func filterDefault(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value", "default_value", "boolean"); err != nil {
		return value.Undefined(), err
	}
	v := a.positional[0]
	if v.IsUndefined() {
		e.undefinedName = "" // it is not this value that an error is about
	}
	boolean, ok := a.get(2, "boolean")
	falsy := ok && boolean.IsTrue() && !v.IsTrue()
	if !v.IsUndefined() && !falsy {
		return v, nil
	}
	if fallback, ok := a.get(1, "default_value"); ok {
		return fallback, nil
	}
	return value.FromString(""), nil
}

func filterReplace(e *Engine, a *arguments) (Value, error) {
	if err := a.check(3, "value", "from", "to"); err != nil {
		return value.Undefined(), err
	}
	from, _ := a.get(1, "from")
	to, _ := a.get(2, "to")
	s, old, new := Text(a.positional[0]), Text(from), Text(to)
	if n := strings.Count(s, old); len(s)+n*(len(new)-len(old)) > MaxOutput {
		return value.Undefined(), tooMuch("text of more than %d bytes", MaxOutput)
	}
	return e.newText(strings.ReplaceAll(s, old, new))
}

func filterInt(_ *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value"); err != nil {
		return value.Undefined(), err
	}
	v := a.positional[0]
	if v.IsNone() {
		return value.FromInt(0), nil
	}
	if i, ok := integer(v); ok {
		return fromInteger(i)
	}
	f, ok := v.AsFloat()
	if s, isText := v.AsString(); isText {
		if len(s) <= 64 {
			if i, ok := new(big.Int).SetString(strings.TrimPrefix(s, "+"), 10); ok {
				return fromInteger(i)
			}
		}
		var err error
		f, err = strconv.ParseFloat(s, 64)
		ok = err == nil
	}
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return value.Undefined(), invalid("cannot convert %q to an integer", clip(Text(v)))
	}
	i, _ := big.NewFloat(math.Trunc(f)).Int(nil)
	return fromInteger(i)
}

func filterAbs(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value"); err != nil {
		return value.Undefined(), err
	}
	v := a.positional[0]
	if v.Kind() == value.KindNumber {
		if i, ok := integer(v); ok {
			return fromInteger(new(big.Int).Abs(i))
		}
		if f, ok := v.AsFloat(); ok {
			return value.FromFloat(math.Abs(f)), nil
		}
	}
	return value.Undefined(), invalid("filter \"abs\" does not work on %s", v.Kind())
}

func filterBool(_ *Engine, a *arguments) (Value, error) {
	err := a.check(1, "value")
	return value.FromBool(a.positional[0].IsTrue()), err
}

func filterEnd(index func(length int) int) function {
	return func(e *Engine, a *arguments) (Value, error) {
		if err := a.check(1, "value"); err != nil {
			return value.Undefined(), err
		}
		items, err := e.list(a.positional[0])
		if err != nil {
			return value.Undefined(), err
		}
		if len(items) == 0 {
			e.undefinedName = "[" + a.name + "]"
			return value.Undefined(), nil
		}
		return items[index(len(items))], nil
	}
}

func filterLength(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value"); err != nil {
		return value.Undefined(), err
	}
	items, err := e.list(a.positional[0])
	return value.FromInt(int64(len(items))), err
}

func filterList(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value"); err != nil {
		return value.Undefined(), err
	}
	items, err := e.list(a.positional[0])
	if err != nil {
		return value.Undefined(), err
	}
	return e.newList(items)
}

func filterJoin(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value", "joiner"); err != nil {
		return value.Undefined(), err
	}
	items, err := e.list(a.positional[0])
	if err != nil {
		return value.Undefined(), err
	}
	separator := ""
	if v, ok := a.get(1, "joiner"); ok {
		separator = Text(v)
	}
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(separator)
		}
		writeText(&b, item, false)
		if b.Len() > MaxOutput {
			break
		}
	}
	return e.newText(b.String())
}

func filterExtreme(sign int) function {
	return func(e *Engine, a *arguments) (Value, error) {
		if err := a.check(1, "value"); err != nil {
			return value.Undefined(), err
		}
		items, err := e.list(a.positional[0])
		if err != nil || len(items) == 0 {
			e.undefinedName = "[" + a.name + "]"
			return value.Undefined(), err
		}
		best := items[0]
		for _, item := range items[1:] {
			if c := order(item, best) * sign; c > 0 || c == 0 && sign > 0 {
				best = item
			}
		}
		return best, nil
	}
}

func filterReverse(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value"); err != nil {
		return value.Undefined(), err
	}
	if s, ok := a.positional[0].AsString(); ok {
		runes := []rune(s)
		slices.Reverse(runes)
		return e.newText(string(runes))
	}
	items, err := e.list(a.positional[0])
	if err != nil {
		return value.Undefined(), err
	}
	items = slices.Clone(items)
	slices.Reverse(items)
	return e.newList(items)
}

// folded gives a string in lower case, for comparisons that ignore case.
func folded(v Value) Value {
	if s, ok := v.AsString(); ok {
		return value.FromString(strings.ToLower(s))
	}
	return v
}

func filterSort(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value", "reverse", "case_sensitive"); err != nil {
		return value.Undefined(), err
	}
	items, err := e.list(a.positional[0])
	if err != nil {
		return value.Undefined(), err
	}
	key := folded
	if v, ok := a.get(2, "case_sensitive"); ok && v.IsTrue() {
		key = func(v Value) Value { return v }
	}
	sign := 1
	if v, ok := a.get(1, "reverse"); ok && v.IsTrue() {
		sign = -1
	}
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(v, w Value) int { return sign * order(key(v), key(w)) })
	return e.newList(items)
}

func filterUnique(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value", "case_sensitive"); err != nil {
		return value.Undefined(), err
	}
	items, err := e.list(a.positional[0])
	if err != nil {
		return value.Undefined(), err
	}
	key := folded
	if v, ok := a.get(1, "case_sensitive"); ok && v.IsTrue() {
		key = func(v Value) Value { return v }
	}
	seen := map[string]bool{}
	var list []Value
	for _, item := range items {
		// Values that are equal print alike within one kind; quoting keeps the
		// kinds apart.
		var b strings.Builder
		writeText(&b, key(item), true)
		if !seen[b.String()] {
			seen[b.String()] = true
			list = append(list, item)
		}
	}
	return e.newList(list)
}

func filterTrim(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value", "chars"); err != nil {
		return value.Undefined(), err
	}
	s := Text(a.positional[0])
	if chars, ok := a.get(1, "chars"); ok && !chars.IsNone() {
		return e.newText(strings.Trim(s, Text(chars)))
	}
	return e.newText(strings.TrimFunc(s, unicode.IsSpace))
}

func filterSplit(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "value", "split", "maxsplits"); err != nil {
		return value.Undefined(), err
	}
	most := -1
	s, err := a.text(0, "value")
	if err != nil {
		return value.Undefined(), err
	}
	if v, ok := a.get(2, "maxsplits"); ok && !v.IsNone() {
		n, ok := integer(v)
		if !ok {
			return value.Undefined(), invalid("filter \"split\" wants an integer for \"maxsplits\", found %s", v.Kind())
		}
		if n.Sign() >= 0 && n.IsInt64() && n.Int64() < MaxOutput {
			most = int(n.Int64()) + 1
		}
	}
	separator, ok := a.get(1, "split")
	if !ok || separator.IsNone() {
		return e.newList(textList(fieldsN(s, most)))
	}
	if Text(separator) == "" {
		return value.Undefined(), invalid("filter \"split\" wants a separator that is not empty")
	}
	return e.newList(textList(strings.SplitN(s, Text(separator), most)))
}

// fieldsN splits around white space into at most n fields, or any number if n
// is negative.
func fieldsN(s string, n int) []string {
	var fields []string
	for s = strings.TrimLeftFunc(s, unicode.IsSpace); s != ""; {
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 || n > 0 && len(fields) == n-1 {
			return append(fields, s)
		}
		fields = append(fields, s[:end])
		s = strings.TrimLeftFunc(s[end:], unicode.IsSpace)
	}
	return fields
}

func textList(items []string) []Value {
	list := make([]Value, len(items))
	for i, s := range items {
		list[i] = value.FromString(s)
	}
	return list
}
