package pypi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

const simpleAccept = "application/vnd.pypi.simple.v1+json"

// simpleFile is one file in an answer of the Simple API (PyPA simple repository
// API, version 1.3).
type simpleFile struct {
	Name   string `json:"filename"`
	Hashes struct {
		SHA256 string `json:"sha256"` // alone: a map would hold as many as somebody sends
	} `json:"hashes"`
	Provenance *string `json:"provenance"`
	Uploaded   string  `json:"upload-time"` // RFC 3339 (PEP 700)
}

func simpleURL(project string) string {
	return fmt.Sprintf("%s/simple/%s/", index, url.PathEscape(project))
}

// errMalformed is about an answer of the Simple API.
var errMalformed = errors.New("the answer is not a project of the Simple API in JSON")

// Limits of an answer of the Simple API, far above those of real ones, whose
// files take less than 2 KiB each and are some ten thousand.
const (
	maxValue = 8 << 20 // bytes of one file, or of one value beside the files
	maxFiles = 1 << 17
)

// values is what a decoder reads from: the decoder keeps the whole of a value,
// several times over, so that one may not be as long as an answer.
type values struct {
	from *bytes.Reader
	left int // bytes until the next value has to be there
}

// Read implements io.Reader.
func (v *values) Read(p []byte) (int, error) {
	if v.left <= 0 && v.from.Len() > 0 {
		return 0, errMalformed
	}
	n, err := v.from.Read(p[:min(len(p), max(v.left, 1))])
	v.left -= n
	return n, err
}

// ignored is a value that is not kept.
type ignored struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// eachFile walks the list of files one at a time, so that a long one does not
// stand in memory twice, until visit wants no more.
func eachFile(body []byte, visit func(simpleFile) (more bool)) error {
	from := &values{from: bytes.NewReader(body), left: maxValue}
	dec := json.NewDecoder(from)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errMalformed
	}
	for dec.More() {
		from.left = maxValue
		key, err := dec.Token()
		if err != nil {
			return errMalformed
		}
		if key != "files" {
			from.left = maxValue
			if dec.Decode(new(ignored)) != nil {
				return errMalformed
			}
			continue
		}
		return walkFiles(dec, from, visit)
	}
	return errMalformed
}

func walkFiles(dec *json.Decoder, from *values, visit func(simpleFile) (more bool)) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return errMalformed
	}
	for n := 0; dec.More(); n++ {
		from.left = maxValue
		var f simpleFile
		if n == maxFiles || dec.Decode(&f) != nil {
			return errMalformed
		}
		if !visit(f) {
			return nil
		}
	}
	if _, err := dec.Token(); err != nil { // the list's end
		return errMalformed
	}
	return nil
}

// fileWithDigest gives the file with a digest, nil if there is none.
func fileWithDigest(body []byte, sha256 string) (found *simpleFile, err error) {
	err = eachFile(body, func(f simpleFile) bool {
		if f.Hashes.SHA256 == sha256 {
			found = &f
		}
		return found == nil
	})
	return found, err
}

// sameIndex refuses links that lead away from the index: whoever can write one
// into its answer must not choose who vouches for the file.
func sameIndex(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host != "pypi.org" || u.User != nil {
		return &fetch.RefusedError{
			URL:    address,
			Found:  "an address that PyPI's index names as provenance, and that lies elsewhere",
			Wanted: "an https address on pypi.org",
		}
	}
	return nil
}

// readIndex asks the Simple API for a project.
func (r *Resolver) readIndex(ctx context.Context, project string, limit int64) (*projectIndex, error) {
	address := simpleURL(project)
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{Accept: simpleAccept, MaxBytes: limit})
	var absent *fetch.NotFoundError
	if errors.As(err, &absent) {
		return &projectIndex{absent: true}, nil
	}
	if err != nil {
		return nil, err
	}
	found := &projectIndex{}
	err = eachFile(doc.Body, func(f simpleFile) bool {
		found.add(f)
		return true
	})
	if err != nil {
		return nil, &attestation.FormatError{Origin: address, Index: -1, Problem: err.Error()}
	}
	return found, nil
}
