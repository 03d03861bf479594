package sigstoretest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// binaryFields are the members of bundles, PEP 740 objects and trusted roots
// whose strings are base64.
var binaryFields = []string{
	"canonicalizedBody", "certificate", "digest", "hashes", "keyId", "payload", "rawBytes", "rootHash",
	"sig", "signature", "signedEntryTimestamp", "signedTimestamp", "statement",
}

// Leaves lists the place of every string, number, boolean and null in a JSON
// document, as JSON pointers (RFC 6901), sorted within each object.
func Leaves(document []byte) []string {
	var out []string
	walk(parse(document), "", func(pointer string, _ any) { out = append(out, pointer) })
	return out
}

func walk(v any, pointer string, visit func(string, any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(v[k], pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), visit)
		}
	case []any:
		for i := range v {
			walk(v[i], pointer+"/"+strconv.Itoa(i), visit)
		}
	default:
		visit(pointer, v)
	}
}

// Mutate gives a copy of a JSON document with one leaf changed, as little as
// can be: of binary data a bit in the middle, of a number 1 more (as text where
// it is text), of other text its last character; an empty text gets one.
func Mutate(document []byte, pointer string) []byte {
	if isBinary(pointer) {
		if data := Binary(document, pointer); len(data) > 0 {
			return FlipByte(document, pointer, len(data)/2)
		}
	}
	return edit(document, pointer, func(v any) any { return alter(v) })
}

func alter(v any) any {
	switch v := v.(type) {
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return strconv.FormatInt(n+1, 10)
		}
		if v == "" {
			return "x"
		}
		last := byte('x')
		if v[len(v)-1] == last {
			last = 'y'
		}
		return v[:len(v)-1] + string(last)
	case json.Number:
		return json.Number(strconv.FormatInt(must(v.Int64())+1, 10))
	case bool:
		return !v
	case nil:
		return "x"
	}
	panic(fmt.Sprintf("sigstoretest: %T is no leaf", v))
}

// FlipByte gives a copy of a JSON document in which the lowest bit of byte i of
// the binary data at the pointer is flipped.
func FlipByte(document []byte, pointer string, i int) []byte {
	data := Binary(document, pointer)
	data[i] ^= 1
	return Set(document, pointer, data)
}

// Binary is the decoded base64 text at the pointer.
func Binary(document []byte, pointer string) []byte {
	text, ok := Get(document, pointer).(string)
	if !ok {
		panic(fmt.Sprintf("sigstoretest: no text at %q", pointer))
	}
	return must(base64.StdEncoding.DecodeString(text))
}

// isBinary tells whether a leaf is base64 by its own name, or for an item of a
// list by the list's.
func isBinary(pointer string) bool {
	parts := strings.Split(pointer, "/")
	name := parts[len(parts)-1]
	if _, err := strconv.Atoi(name); err == nil && len(parts) > 1 {
		name = parts[len(parts)-2]
	}
	return slices.Contains(binaryFields, name)
}

// Get is what is at the pointer: maps, slices, strings, json.Number, bool, nil.
func Get(document []byte, pointer string) any {
	var found any
	edit(document, pointer, func(v any) any { found = v; return v })
	return found
}

// Set gives a copy of a JSON document with the value at the pointer replaced, or
// an object's member added. Byte slices become base64.
func Set(document []byte, pointer string, value any) []byte {
	return edit(document, pointer, func(any) any { return value })
}

// removed stands for a value that is to go.
type removed struct{}

// Remove gives a copy of a JSON document without the member or item at the
// pointer.
func Remove(document []byte, pointer string) []byte {
	return edit(document, pointer, func(any) any { return removed{} })
}

func parse(document []byte) any {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic("sigstoretest: " + err.Error())
	}
	return v
}

func edit(document []byte, pointer string, change func(any) any) []byte {
	var keys []string
	if pointer != "" {
		keys = strings.Split(pointer[1:], "/")
	}
	return must(json.Marshal(editAt(parse(document), keys, pointer, change)))
}

func editAt(v any, keys []string, pointer string, change func(any) any) any {
	if len(keys) == 0 {
		return change(v)
	}
	switch v := v.(type) {
	case map[string]any:
		key := strings.NewReplacer("~1", "/", "~0", "~").Replace(keys[0])
		old, ok := v[key]
		if !ok && len(keys) > 1 {
			break
		}
		v[key] = editAt(old, keys[1:], pointer, change)
		if v[key] == (removed{}) {
			delete(v, key)
		}
		return v
	case []any:
		i, err := strconv.Atoi(keys[0])
		if err != nil || i < 0 || i >= len(v) {
			break
		}
		item := editAt(v[i], keys[1:], pointer, change)
		if item == (removed{}) {
			return slices.Delete(v, i, i+1)
		}
		v[i] = item
		return v
	}
	panic(fmt.Sprintf("sigstoretest: nothing at %q", pointer))
}
