package attestation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/snappy"
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

// A Document is a document of evidence, taken apart. Nothing in it is verified.
type Document struct {
	Format Format
	// Snappy tells that the document came as a snappy block, as GitHub's blob
	// host serves bundles.
	Snappy     bool
	Candidates []Candidate
	// Elsewhere are the items of an answer of GitHub's attestations API that
	// name a bundle's address in place of the bundle.
	Elsewhere []Reference
}

// A Reference is where a bundle lies that a document speaks of and does not
// hold. Nobody vouches for the address.
type Reference struct {
	Item         int // its place in the document, from 0, counted with the bundles
	URL          string
	RepositoryID string
}

// Read takes a document apart. Its form is recognised by its content: one
// Sigstore bundle, several one after another (JSON Lines) or in an array, a PEP
// 740 provenance object, a single PEP 740 attestation, or an answer of GitHub's
// attestations API; each of them also as a snappy block. Its errors are
// *[FormatError]. A nil error proves that there is at least one candidate or
// reference, and nothing about what they say.
//
// Keys that decide what a document holds may stand once only, in any spelling
// that some reader takes for the same, so that no two readers can see different
// documents.
func Read(origin string, data []byte) (Document, error) {
	p := parser{origin: origin, index: -1}
	if len(data) > MaxDocument {
		return Document{}, p.fail("it has %d bytes, more than the limit of %d", len(data), MaxDocument)
	}
	if plain, ok, err := p.unpack(data); err != nil {
		return Document{}, err
	} else if ok {
		data, p.document.Snappy = plain, true
	}
	if err := p.parse(data); err != nil {
		return Document{}, err
	}
	if len(p.document.Candidates)+len(p.document.Elsewhere) == 0 {
		return Document{}, p.fail("it holds no attestation")
	}
	return p.document, nil
}

// Parse is [Read] for who needs every bundle at hand: a document that names the
// address of one in place of the bundle is an error, too. A nil error proves
// that there is at least one candidate.
func Parse(origin string, data []byte) ([]Candidate, error) {
	d, err := Read(origin, data)
	if err != nil {
		return nil, err
	}
	if len(d.Elsewhere) > 0 {
		return nil, &FormatError{
			Origin: origin, Index: d.Elsewhere[0].Item, Problem: "the item has no bundle in it, only an address of one",
			Mend: "fetch the bundle_url that the item names, and use that file",
		}
	}
	return d.Candidates, nil
}

// Size is how many bytes a document has once it is unpacked, as far as that can
// be told without unpacking it: what a snappy block claims, and its own length
// otherwise. What is no document has its own length.
func Size(data []byte) int64 {
	if len(data) > 0 && data[0] >= 0x80 {
		if n, err := snappy.DecodedLen(data); err == nil {
			return max(int64(n), int64(len(data)))
		}
	}
	return int64(len(data))
}

type parser struct {
	origin   string
	index    int
	document Document
}

func (p *parser) fail(format string, a ...any) *FormatError {
	return &FormatError{Origin: p.origin, Index: p.index, Problem: fmt.Sprintf(format, a...)}
}

// unpack decodes a snappy block, and tells whether there was one. JSON of any
// kind begins with an ASCII character, and a block of 128 bytes or more with a
// byte above them (its length, as a varint), so nothing is taken for the other.
// The length that a block claims is compared with the limit before anything of
// that size is made.
func (p *parser) unpack(data []byte) (plain []byte, ok bool, err error) {
	if len(data) == 0 || data[0] < 0x80 {
		return nil, false, nil
	}
	if problem, hint := foreign(data); problem != "" {
		fail := p.fail("%s", problem)
		fail.Mend = hint
		return nil, false, fail
	}
	n, err := snappy.DecodedLen(data)
	switch {
	case err != nil:
		return nil, false, p.fail("it is neither JSON nor a snappy block")
	case n > MaxDocument:
		return nil, false, p.fail("it begins as a snappy block of %d bytes, more than the limit of %d", n, MaxDocument)
	case n/maxRatio > len(data):
		return nil, false, p.fail("it is neither JSON nor a snappy block: %d bytes cannot become %d", len(data), n)
	}
	plain, err = snappy.Decode(nil, data)
	if err != nil {
		return nil, false, p.fail("it is neither JSON nor a snappy block")
	}
	return plain, true, nil
}

// maxRatio is more than snappy can compress: a copy of 64 bytes takes 2 or more.
const maxRatio = 64

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
			return p.notJSON(data, dec.InputOffset(), err)
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

func (p *parser) notJSON(data []byte, at int64, err error) error {
	fail := p.fail("it is not JSON at byte %d", at)
	if problem, hint := foreign(data); problem != "" {
		fail.Problem, fail.Mend = problem, hint
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		fail.Problem += ": it ends too early"
	}
	return fail
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

// members finds an object's members, each of which may stand once. They are
// parts of data, and no copies.
func (p *parser) members(data json.RawMessage, what string) (map[string]json.RawMessage, error) {
	found := map[string]json.RawMessage{}
	var scratch json.RawMessage
	err := eachKey(data, func(key string, dec *json.Decoder) error {
		if err := dec.Decode(&scratch); err != nil {
			return err
		}
		end := dec.InputOffset()
		found[key] = data[end-int64(len(scratch)) : end : end]
		return nil
	})
	if err != nil {
		return nil, p.fail("%s cannot be read: %v", what, err)
	}
	return found, nil
}

// object recognises a document by its distinguishing key.
func (p *parser) object(data json.RawMessage) error {
	if data[0] != '{' {
		return p.fail("it is no JSON object or array")
	}
	var keys struct {
		MediaType json.RawMessage `json:"mediaType"`
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		return p.fail("its top level cannot be read")
	}
	if keys.MediaType != nil && !bytes.Contains(keys.MediaType, []byte(rootMediaType)) {
		return p.bundles([]json.RawMessage{data}, BundleFormat)
	}
	m, err := p.members(data, "its top level")
	if err != nil {
		return err
	}
	problem, hint := wrongObject(m)
	switch {
	case problem != "":
		fail := p.fail("%s", problem)
		fail.Mend = hint
		return fail
	case m["attestation_bundles"] != nil:
		return p.provenance(m["attestation_bundles"], m["version"])
	case m["verification_material"] != nil:
		return p.pep740(data, PEP740Format)
	case m["attestations"] != nil:
		return p.github(m["attestations"])
	default:
		return p.fail("it is neither a Sigstore bundle (which has a mediaType), nor PEP 740 provenance, nor an answer of GitHub's attestations API")
	}
}

func (p *parser) bundles(items []json.RawMessage, f Format) error {
	p.document.Format = f
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
	found := p.document.Candidates
	if len(found) >= MaxBundles {
		return p.tooMany()
	}
	if err := boundValues(bundle); err != nil {
		return p.fail("%v", err)
	}
	p.document.Candidates = append(found, Candidate{Bundle: bundle, Format: f, Origin: p.origin, Index: len(found)})
	return nil
}

// github reads the items of GitHub's attestations API (REST API, "List
// attestations"). An item may leave its bundle out and name a blob instead.
func (p *parser) github(list json.RawMessage) error {
	p.document.Format = GitHubFormat
	items, err := p.elements(list)
	if err != nil {
		return err
	}
	for i, item := range items {
		p.index = i
		m, err := p.members(item, "the item")
		if err != nil {
			return err
		}
		if bundle := m["bundle"]; len(bundle) > 0 && bundle[0] == '{' {
			if err := p.add(bundle, GitHubFormat); err != nil {
				return err
			}
			continue
		}
		var address string
		if bundle := m["bundle"]; bundle != nil && string(bundle) != "null" || json.Unmarshal(m["bundle_url"], &address) != nil || address == "" {
			return p.fail("the item has neither a bundle nor the address of one")
		}
		p.document.Elsewhere = append(p.document.Elsewhere, Reference{
			Item: i, URL: address, RepositoryID: strings.Trim(string(m["repository_id"]), `"`),
		})
	}
	p.index = -1
	return nil
}
