package jinja

import (
	"math"
	"math/big"
	"strings"

	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// binary applies an arithmetic operator or "~" as the engine that
// rattler-build uses does: integers are exact and of 128 bits, division of
// integers rounds so that the remainder is not negative.
func (e *Engine) binary(op string, a, b Value) (Value, error) {
	if err := e.defined(a, b); err != nil {
		return value.Undefined(), err
	}
	switch op {
	case "~":
		return e.newText(Text(a) + Text(b))
	case "*":
		if s, n, ok := repetition(a, b); ok {
			return e.repeat(s, n)
		}
	case "+":
		if s, ok := a.AsString(); ok {
			if t, ok := b.AsString(); ok {
				return e.newText(s + t)
			}
		}
		if s, ok := a.AsSlice(); ok {
			if t, ok := b.AsSlice(); ok {
				return e.newList(append(append(make([]Value, 0, len(s)+len(t)), s...), t...))
			}
		}
	}
	if i, ok := integer(a); ok && op != "/" {
		if j, ok := integer(b); ok {
			return integers(op, i, j)
		}
	}
	if f, ok := float(a); ok {
		if g, ok := float(b); ok {
			return floats(op, f, g)
		}
	}
	return value.Undefined(), invalid("operator %q does not work on %s and %s", op, a.Kind(), b.Kind())
}

func integers(op string, i, j *big.Int) (Value, error) {
	r := new(big.Int)
	switch op {
	case "+":
		r.Add(i, j)
	case "-":
		r.Sub(i, j)
	case "*":
		r.Mul(i, j)
	case "//", "%":
		if j.Sign() == 0 {
			return value.Undefined(), invalid("division by zero")
		}
		if op == "//" {
			r.Div(i, j) // Euclidean, like the remainder
		} else {
			r.Mod(i, j)
		}
	case "**":
		if j.Sign() < 0 || j.BitLen() > 32 {
			return value.Undefined(), invalid("power is out of the range of 128 bits")
		}
		if i.BitLen() <= 1 && j.Int64() > 2 {
			j = big.NewInt(2 - int64(j.Bit(0))) // of 0, 1 and -1 only the parity counts
		}
		// No other base has a power above 127 that fits 128 bits.
		if j.Int64() > 127 {
			return value.Undefined(), invalid("power is out of the range of 128 bits")
		}
		r.Exp(i, j, nil)
	}
	return fromInteger(r)
}

func floats(op string, f, g float64) (Value, error) {
	if g == 0 && (op == "/" || op == "//" || op == "%") {
		return value.Undefined(), invalid("division by zero")
	}
	var r float64
	switch op {
	case "+":
		r = f + g
	case "-":
		r = f - g
	case "*":
		r = f * g
	case "/":
		r = f / g
	case "%":
		r = math.Mod(f, g)
	case "//":
		r = math.Trunc(f / g)
		if math.Mod(f, g) < 0 {
			r -= math.Copysign(1, g)
		}
	case "**":
		r = math.Pow(f, g)
	}
	return value.FromFloat(r), nil
}

// repetition gives what is to be repeated, and how often.
func repetition(a, b Value) (v Value, n *big.Int, ok bool) {
	for _, pair := range [][2]Value{{a, b}, {b, a}} {
		switch pair[0].Kind() {
		case value.KindString, value.KindSeq:
			n, ok = integer(pair[1])
			return pair[0], n, ok
		}
	}
	return v, nil, false
}

func (e *Engine) repeat(v Value, n *big.Int) (Value, error) {
	if n.Sign() < 0 {
		return value.Undefined(), invalid("cannot repeat %s times", n)
	}
	length := size(v) - 1 // of what it holds
	if !n.IsInt64() || n.Int64() > MaxOutput || int64(length)*n.Int64() > MaxOutput {
		return value.Undefined(), tooMuch("repetition gives more than %d bytes", MaxOutput)
	}
	if s, ok := v.AsString(); ok {
		return e.newText(strings.Repeat(s, int(n.Int64())))
	}
	items, _ := v.AsSlice()
	var list []Value
	for range n.Int64() {
		list = append(list, items...)
	}
	return e.newList(list)
}

// negate is unary minus.
func (e *Engine) negate(v Value) (Value, error) {
	if err := e.defined(v); err != nil {
		return value.Undefined(), err
	}
	if v.Kind() == value.KindNumber {
		if i, ok := integer(v); ok {
			return fromInteger(new(big.Int).Neg(i))
		}
		if f, ok := v.AsFloat(); ok {
			return value.FromFloat(-f), nil
		}
	}
	return value.Undefined(), invalid("operator \"-\" does not work on %s", v.Kind())
}

// compare applies a comparison. An undefined operand is an error.
func (e *Engine) compare(op string, a, b Value) (bool, error) {
	if err := e.defined(a, b); err != nil {
		return false, err
	}
	switch op {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	case "in", "not in":
		in, err := contains(b, a)
		return in == (op == "in"), err
	}
	c := order(a, b)
	switch op {
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

func equal(a, b Value) bool {
	if i, ok := integer(a); ok {
		if j, ok := integer(b); ok {
			return i.Cmp(j) == 0
		}
	}
	if f, ok := float(a); ok {
		g, ok := float(b)
		return ok && f == g
	}
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case value.KindSeq, value.KindIterable:
		s, t := a.Iter(), b.Iter()
		if len(s) != len(t) {
			return false
		}
		for i := range s {
			if !equal(s[i], t[i]) {
				return false
			}
		}
		return true
	case value.KindMap:
		m, _ := a.AsMap()
		n, _ := b.AsMap()
		if len(m) != len(n) {
			return false
		}
		for k := range m {
			if _, ok := n[k]; !ok || !equal(m[k], n[k]) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// order compares values: numbers by their value, other values of one kind by
// that kind's order, and values of two kinds by kind.
func order(a, b Value) int {
	if a.Kind() != b.Kind() {
		c, _ := a.Compare(b)
		return c
	}
	if i, ok := integer(a); ok {
		if j, ok := integer(b); ok {
			return i.Cmp(j)
		}
	}
	if f, ok := float(a); ok {
		if g, ok := float(b); ok {
			switch {
			case f < g:
				return -1
			case f > g:
				return 1
			}
			return 0
		}
	}
	if s, ok := a.AsSlice(); ok {
		if t, ok := b.AsSlice(); ok {
			for i := range min(len(s), len(t)) {
				if c := order(s[i], t[i]); c != 0 {
					return c
				}
			}
			return len(s) - len(t)
		}
	}
	c, _ := a.Compare(b)
	return c
}

// contains tells whether a string, list or mapping contains an item.
func contains(container, item Value) (bool, error) {
	switch container.Kind() {
	case value.KindString:
		s, _ := container.AsString()
		if item.Kind() != value.KindString {
			return strings.Contains(s, Text(item)), nil
		}
		t, _ := item.AsString()
		return strings.Contains(s, t), nil
	case value.KindSeq, value.KindIterable:
		for _, v := range container.Iter() {
			if equal(v, item) {
				return true, nil
			}
		}
		return false, nil
	case value.KindMap:
		m, _ := container.AsMap()
		s, ok := item.AsString()
		_, found := m[s]
		return ok && found, nil
	}
	return false, invalid("operator \"in\" does not work on %s", container.Kind())
}

// item gives x[key] or x.key; what is not there is undefined.
func (e *Engine) item(v, key Value) (Value, error) {
	if err := e.defined(v); err != nil {
		return value.Undefined(), err
	}
	switch v.Kind() {
	case value.KindMap:
		m, _ := v.AsMap()
		if found, ok := m[Text(key)]; ok {
			return found, nil
		}
	case value.KindString, value.KindSeq, value.KindIterable:
		i, ok := integral(key)
		if !ok || !i.IsInt64() {
			break
		}
		length, at := 0, i.Int64()
		s, isString := v.AsString()
		var runes []rune
		if isString {
			runes = []rune(s)
			length = len(runes)
		} else {
			length = len(v.Iter())
		}
		if at < 0 {
			at += int64(length)
		}
		if at < 0 || at >= int64(length) {
			break
		}
		if isString {
			return value.FromString(string(runes[at])), nil
		}
		return v.Iter()[at], nil
	default:
		if o, ok := v.AsObject(); ok { // the only object is a loop's state
			return o.GetAttr(Text(key)), nil
		}
	}
	e.undefinedName = clip("[" + Text(key) + "]")
	return value.Undefined(), nil
}

// slice gives x[start:stop:step]. A bound that is left out is an empty list.
func (e *Engine) slice(v Value, bounds []Value) (Value, error) {
	if err := e.defined(append([]Value{v}, bounds...)...); err != nil {
		return value.Undefined(), err
	}
	var items []Value
	var runes []rune
	s, isString := v.AsString()
	length := int64(0)
	switch {
	case isString:
		runes = []rune(s)
		length = int64(len(runes))
	case v.Kind() == value.KindSeq || v.Kind() == value.KindIterable:
		items = v.Iter()
		length = int64(len(items))
	case v.IsNone():
		return e.newList(nil)
	default:
		return value.Undefined(), invalid("%s cannot be sliced", v.Kind())
	}
	indices, err := sliceIndices(bounds, length)
	if err != nil {
		return value.Undefined(), err
	}
	if isString {
		var b strings.Builder
		for _, i := range indices {
			b.WriteRune(runes[i])
		}
		return e.newText(b.String())
	}
	list := make([]Value, len(indices))
	for n, i := range indices {
		list[n] = items[i]
	}
	return e.newList(list)
}

// sliceIndices gives the indices that a slice takes, as Python does.
func sliceIndices(bounds []Value, length int64) ([]int64, error) {
	bound := func(v Value, otherwise int64) (int64, error) {
		if _, absent := v.AsSlice(); absent || v.IsNone() {
			return otherwise, nil
		}
		i, ok := integral(v)
		if !ok {
			return 0, invalid("slice bounds must be integers, found %s", v.Kind())
		}
		// What lies outside of the sequence is the same, however far.
		far := big.NewInt(2*length + 2)
		if i.CmpAbs(far) > 0 {
			i = new(big.Int).Mul(far, big.NewInt(int64(i.Sign())))
		}
		return i.Int64(), nil
	}
	step, err := bound(bounds[2], 1)
	if err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, invalid("slice step cannot be zero")
	}
	low, high := int64(0), length
	if step < 0 {
		low, high = -1, length-1
	}
	clamp := func(i int64) int64 {
		if i < 0 {
			i += length
		}
		return min(max(i, low), high)
	}
	ends := [2]int64{low, high}
	if step < 0 {
		ends = [2]int64{high, low}
	}
	for i := range ends {
		given, err := bound(bounds[i], math.MaxInt64)
		if err != nil {
			return nil, err
		}
		if given != math.MaxInt64 {
			ends[i] = clamp(given)
		}
	}
	var indices []int64
	for i := ends[0]; step > 0 && i < ends[1] || step < 0 && i > ends[1]; i += step {
		indices = append(indices, i)
	}
	return indices, nil
}
