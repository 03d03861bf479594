package attestation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// A Format is the form of a document of evidence.
type Format string

// The forms that are understood.
const (
	BundleFormat     Format = "sigstore-bundle"
	LinesFormat      Format = "json-lines"
	ArrayFormat      Format = "json-array"
	ProvenanceFormat Format = "pep740-provenance"
	PEP740Format     Format = "pep740-attestation"
	GitHubFormat     Format = "github-attestations"
)

// Parse takes a document apart into candidates. The form is recognised by its
// content: one Sigstore bundle, several one after another (JSON Lines) or in an
// array, a PEP 740 provenance object, a single PEP 740 attestation, or an
// answer of GitHub's attestations API. Its errors are *[FormatError]. A nil
// error proves that there is at least one candidate, and nothing about what
// they say.
func Parse(origin string, data []byte) ([]Candidate, error) {
	p := parser{origin: origin, index: -1}
	if len(data) > MaxDocument {
		return nil, p.fail("it has %d bytes, more than the limit of %d", len(data), MaxDocument)
	}
	if err := p.parse(data); err != nil {
		return nil, err
	}
	if len(p.found) == 0 {
		return nil, p.fail("it holds no attestation")
	}
	return p.found, nil
}

type parser struct {
	origin string
	index  int
	found  []Candidate
}

func (p *parser) fail(format string, a ...any) error {
	return &FormatError{Origin: p.origin, Index: p.index, Problem: fmt.Sprintf(format, a...)}
}

func (p *parser) parse(data []byte) error {
	// One decoder reads a single object, an array, and JSON Lines alike.
	dec := json.NewDecoder(bytes.NewReader(data))
	var values []json.RawMessage
	for {
		var v json.RawMessage
		err := dec.Decode(&v)
		if err == io.EOF {
			break
		}
		if err != nil {
			return p.fail("it is not JSON at byte %d", dec.InputOffset())
		}
		if values = append(values, v); len(values) > MaxBundles {
			return p.tooMany()
		}
	}
	switch {
	case len(values) == 0:
		return p.fail("it is empty")
	case len(values) == 1 && values[0][0] == '[':
		items, err := p.elements(values[0])
		if err != nil {
			return err
		}
		return p.bundles(items, ArrayFormat)
	case len(values) == 1:
		return p.object(values[0])
	default:
		return p.bundles(values, LinesFormat)
	}
}

func (p *parser) tooMany() error {
	return p.fail("it holds more than %d bundles", MaxBundles)
}

// elements splits an array, stopping at the limit instead of building a list of
// any length first.
func (p *parser) elements(data json.RawMessage) ([]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, p.fail("it has no list where one belongs")
	}
	var items []json.RawMessage
	for dec.More() {
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, p.fail("it is not JSON")
		}
		if items = append(items, v); len(items) > MaxBundles {
			return nil, p.tooMany()
		}
	}
	return items, nil
}

// object recognises a document by its distinguishing key.
func (p *parser) object(data json.RawMessage) error {
	var keys struct {
		MediaType  json.RawMessage `json:"mediaType"`
		Provenance json.RawMessage `json:"attestation_bundles"`
		PEP740     json.RawMessage `json:"verification_material"`
		GitHub     json.RawMessage `json:"attestations"`
		Version    json.Number     `json:"version"`
	}
	if data[0] != '{' {
		return p.fail("it is no JSON object or array")
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		return p.fail("its top level cannot be read")
	}
	switch {
	case keys.MediaType != nil:
		return p.bundles([]json.RawMessage{data}, BundleFormat)
	case keys.Provenance != nil:
		return p.provenance(keys.Provenance, keys.Version)
	case keys.PEP740 != nil:
		return p.pep740(data, PEP740Format)
	case keys.GitHub != nil:
		return p.github(keys.GitHub)
	default:
		return p.fail("it is neither a Sigstore bundle (which has a mediaType), nor PEP 740 provenance, nor an answer of GitHub's attestations API")
	}
}

func (p *parser) bundles(items []json.RawMessage, f Format) error {
	for i, item := range items {
		p.index = i
		if len(item) == 0 || item[0] != '{' {
			return p.fail("it is no JSON object")
		}
		if err := p.add(item, f); err != nil {
			return err
		}
	}
	p.index = -1
	return nil
}

func (p *parser) add(bundle []byte, f Format) error {
	if len(p.found) >= MaxBundles {
		return p.tooMany()
	}
	if err := boundValues(bundle); err != nil {
		return p.fail("%v", err)
	}
	p.found = append(p.found, Candidate{Bundle: bundle, Format: f, Origin: p.origin, Index: len(p.found)})
	return nil
}

// github reads the items of GitHub's attestations API. An item may leave its
// bundle out and name a blob instead, which only a look-up by digest follows.
func (p *parser) github(list json.RawMessage) error {
	items, err := p.elements(list)
	if err != nil {
		return err
	}
	for i, item := range items {
		p.index = i
		var a struct {
			Bundle json.RawMessage `json:"bundle"`
		}
		if err := json.Unmarshal(item, &a); err != nil {
			return p.fail("the item cannot be read")
		}
		if len(a.Bundle) == 0 || a.Bundle[0] != '{' {
			return p.fail("the item has no bundle in it, only an address of one")
		}
		if err := p.add(a.Bundle, GitHubFormat); err != nil {
			return err
		}
	}
	p.index = -1
	return nil
}

// boundValues refuses a bundle that holds more values or more text than any real
// one does, without building any of it. The statement may be long: neither this
// package nor the verifier builds its predicate.
func boundValues(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	values, text := 0, 0
	var open []json.Delim
	key, atKey := "", false
	for {
		t, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is not JSON")
		}
		if values++; values > maxValues {
			return fmt.Errorf("it holds more than %d values", maxValues)
		}
		inObject := len(open) > 0 && open[len(open)-1] == '{'
		switch t := t.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				if open = append(open, t); len(open) > maxDepth {
					return fmt.Errorf("it nests deeper than %d", maxDepth)
				}
			} else {
				open = open[:len(open)-1]
			}
			atKey = len(open) > 0 && open[len(open)-1] == '{'
			continue
		case json.Number:
			text += len(t)
		case string:
			if inObject && atKey {
				key = t
				text += len(t)
			} else if !isStatement(key) {
				text += len(t)
			}
		}
		if text > maxText {
			return fmt.Errorf("it holds more than %d bytes beside its statement", maxText)
		}
		atKey = inObject && !atKey
	}
}

// isStatement tells whether a key is that of the statement, in a bundle or in a
// PEP 740 object. In other places of a bundle the verifier knows neither key and
// refuses both.
func isStatement(key string) bool { return key == "payload" || key == "statement" }
