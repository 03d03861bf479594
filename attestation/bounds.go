package attestation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// boundValues refuses a bundle that holds more values or more text than any real
// one does, without building any of it, and one with a key that stands twice:
// this package and the verifier could take different ones. The statement may be
// long: neither this package nor the verifier builds its predicate.
func boundValues(data []byte) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("it is not UTF-8")
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(data))}
	w.dec.UseNumber()
	for {
		t, err := w.dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is not JSON")
		}
		if err := w.token(t); err != nil {
			return err
		}
	}
}

// walker is where in a bundle boundValues is, and what it counted so far.
type walker struct {
	dec          *json.Decoder
	values, text int
	open         []level
}

// level is an object or array that is open. In an object, keys are those that
// were seen, folded; and key is the one whose value comes next, if hasKey.
type level struct {
	keys   map[string]bool // nil in an array
	key    string
	hasKey bool
}

func (w *walker) token(t json.Token) error {
	if w.values++; w.values > maxValues {
		return fmt.Errorf("it holds more than %d values", maxValues)
	}
	if t == json.Delim('}') || t == json.Delim(']') {
		w.open = w.open[:len(w.open)-1]
		return nil
	}
	key := ""
	if len(w.open) > 0 {
		top := &w.open[len(w.open)-1]
		if top.keys != nil && !top.hasKey {
			return w.enterKey(top, t)
		}
		key, top.hasKey = top.key, false
	}
	switch t := t.(type) {
	case json.Delim:
		l := level{}
		if t == '{' {
			l.keys = map[string]bool{}
		} else {
			l.key = key // the items of a list go by the list's name
		}
		if w.open = append(w.open, l); len(w.open) > maxDepth {
			return fmt.Errorf("it nests deeper than %d", maxDepth)
		}
	case json.Number:
		return w.count(len(t))
	case string:
		if !isStatement(key) {
			return w.count(len(t))
		}
	}
	return nil
}

func (w *walker) enterKey(top *level, t json.Token) error {
	key, _ := t.(string)
	folded := foldKey(key)
	if top.keys[folded] {
		return fmt.Errorf("the key %+q stands twice", clip(key))
	}
	top.keys[folded], top.key, top.hasKey = true, key, true
	return w.count(len(key))
}

func (w *walker) count(n int) error {
	if w.text += n; w.text > maxText {
		return fmt.Errorf("it holds more than %d bytes beside its statement", maxText)
	}
	return nil
}

// isStatement tells whether a key is that of the statement, in a bundle or in a
// PEP 740 object. In other places of a bundle the verifier knows neither key and
// refuses both.
func isStatement(key string) bool { return key == "payload" || key == "statement" }

// foldKey gives all spellings of a key that some reader takes for the same:
// encoding/json disregards case, protobuf's JSON knows dsse_envelope as well as
// dsseEnvelope.
func foldKey(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' {
			return -1
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, key)
}

// clip keeps foreign text from flooding a message.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
