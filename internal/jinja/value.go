package jinja

import (
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"

	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// A Value is a value of the template language.
type Value = value.Value

// Text gives the text that a value prints as: True, False and None are written
// as Python does. The undefined value gives "".
func Text(v Value) string {
	var b strings.Builder
	writeText(&b, v, false)
	return b.String()
}

func writeText(b *strings.Builder, v Value, quoted bool) {
	if b.Len() > MaxOutput {
		return // the caller finds that it is over the limit
	}
	switch v.Kind() {
	case value.KindString:
		s, _ := v.AsString()
		if quoted {
			s = strconv.Quote(s)
		}
		b.WriteString(s)
	case value.KindNumber:
		if i, ok := integer(v); ok {
			b.WriteString(i.String())
			return
		}
		f, _ := v.AsFloat()
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.ContainsAny(s, ".IN") {
			s += ".0"
		}
		b.WriteString(s)
	case value.KindSeq, value.KindIterable:
		b.WriteByte('[')
		for i, item := range v.Iter() {
			if i > 0 {
				b.WriteString(", ")
			}
			writeText(b, item, true)
		}
		b.WriteByte(']')
	case value.KindMap:
		m, _ := v.AsMap()
		b.WriteByte('{')
		for i, k := range sortedKeys(m) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(k) + ": ")
			writeText(b, m[k], true)
		}
		b.WriteByte('}')
	case value.KindUndefined:
		if quoted {
			b.WriteString("undefined")
		}
	default:
		b.WriteString(v.String())
	}
}

func sortedKeys(m map[string]Value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// FromInteger makes a value of an integer of any size up to 128 bits.
func fromInteger(i *big.Int) (Value, error) {
	if !inRange(i) {
		return value.Undefined(), invalid("integer is out of the range of 128 bits")
	}
	if i.IsInt64() {
		return value.FromInt(i.Int64()), nil
	}
	return value.FromBigInt(i), nil
}

// inRange tells whether the engine that rattler-build uses can hold i: signed
// integers of 128 bits.
func inRange(i *big.Int) bool {
	return i.BitLen() <= 127
}

// integer gives the value of an integer or a boolean.
func integer(v Value) (*big.Int, bool) {
	if b, ok := v.AsBool(); ok {
		if b {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	}
	if v.Kind() != value.KindNumber || v.IsActualFloat() {
		return nil, false
	}
	if i, ok := v.AsInt(); ok && v.IsActualInt() {
		return big.NewInt(i), true
	}
	if b, ok := v.Raw().(*big.Int); ok {
		return b, true
	}
	return new(big.Int).SetString(v.String(), 10)
}

// integral gives the value of an integer, a boolean, or a float without a
// fraction.
func integral(v Value) (*big.Int, bool) {
	if f, ok := v.AsFloat(); ok && v.IsActualFloat() && f == math.Trunc(f) && !math.IsInf(f, 0) {
		i, _ := big.NewFloat(f).Int(nil)
		return i, true
	}
	return integer(v)
}

// float gives the value of a number or a boolean.
func float(v Value) (float64, bool) {
	if v.IsActualFloat() {
		return v.AsFloat()
	}
	if i, ok := integer(v); ok {
		f, _ := new(big.Float).SetInt(i).Float64()
		return f, true
	}
	return 0, false
}

// Size counts the bytes and items of a value, up to one more than MaxOutput.
func Size(v Value) int { return size(v) }

// size counts the bytes and items of a value, and stops above MaxOutput. Parts
// of a value may be shared, so that it can be far larger than its memory.
func size(v Value) int {
	left := MaxOutput + 1
	spend(v, &left)
	return MaxOutput + 1 - left
}

func spend(v Value, left *int) {
	*left--
	if *left <= 0 {
		*left = 0
		return
	}
	switch v.Kind() {
	case value.KindString:
		s, _ := v.AsString()
		*left = max(0, *left-len(s))
	case value.KindSeq, value.KindIterable:
		for _, item := range v.Iter() {
			if spend(item, left); *left == 0 {
				return
			}
		}
	case value.KindMap:
		m, _ := v.AsMap()
		for k, item := range m {
			*left = max(0, *left-len(k))
			if spend(item, left); *left == 0 {
				return
			}
		}
	}
}

// String makes a string.
func String(s string) Value { return value.FromString(s) }

// Bool makes a boolean.
func Bool(b bool) Value { return value.FromBool(b) }

// Int makes an integer.
func Int(i int64) Value { return value.FromInt(i) }

// List makes a list.
func List(items []Value) Value { return value.FromSlice(items) }

// Map makes a mapping.
func Map(items map[string]Value) Value { return value.FromMap(items) }

// IsCollection tells whether a value is a list or a mapping.
func IsCollection(v Value) bool {
	return v.Kind() == value.KindSeq || v.Kind() == value.KindIterable || v.Kind() == value.KindMap
}
