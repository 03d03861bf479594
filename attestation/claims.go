package attestation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/digest"
)

// Statement types of in-toto (in-toto attestation framework, Statement).
const (
	statementV01 = "https://in-toto.io/Statement/v0.1"
	statementV1  = "https://in-toto.io/Statement/v1"
)

// Claims are what a bundle says of itself before anybody has verified it: which
// digests it speaks of, and in what form.
type Claims struct {
	MediaType string
	// PredicateType is empty for a signature over the archive itself.
	PredicateType    string
	Subjects         []Subject
	MessageSignature bool
	// Predicate is the statement's predicate as it stands, nil if there is none.
	Predicate json.RawMessage
}

// A Subject is one thing that a statement speaks of.
type Subject struct {
	Name    string // may be empty
	URI     string // may be empty
	Digests map[string]string
}

// SHA256 gives the subject's SHA-256 and whether it has a well-formed one.
func (s Subject) SHA256() (digest.SHA256, bool) {
	d, err := digest.ParseSHA256(s.Digests["sha256"])
	return d, err == nil
}

// Lists gives the subjects that have a digest.
func (c Claims) Lists(d digest.SHA256) []Subject {
	var found []Subject
	for _, s := range c.Subjects {
		if got, ok := s.SHA256(); ok && got == d {
			found = append(found, s)
		}
	}
	return found
}

// A MalformedError says that a bundle's content cannot be read, so that nothing
// is known of what it speaks of.
type MalformedError struct{ Problem string }

// Error implements error.
func (e *MalformedError) Error() string { return e.Problem }

func malformed(format string, a ...any) error {
	return &MalformedError{Problem: fmt.Sprintf(format, a...)}
}

// Unverified reads what a candidate says of itself. Keys are compared exactly
// and may stand once only, since a reader that took another one of two equal
// keys would see another subject. Errors are *[MalformedError].
func (c Candidate) Unverified() (Claims, error) {
	var claims Claims
	var envelope, message json.RawMessage
	if err := boundValues(c.Bundle); err != nil { // not every candidate comes from Parse
		return Claims{}, malformed("the bundle cannot be read: %v", err)
	}
	err := eachKey(c.Bundle, func(key string, dec *json.Decoder) error {
		switch key {
		case "mediaType":
			return dec.Decode(&claims.MediaType)
		case "dsseEnvelope":
			return dec.Decode(&envelope)
		case "messageSignature":
			return dec.Decode(&message)
		}
		return skip(dec)
	})
	switch {
	case err != nil:
		return Claims{}, malformed("the bundle cannot be read: %v", err)
	case envelope != nil && message != nil:
		return Claims{}, malformed("the bundle holds both a statement and a message signature")
	case envelope != nil:
		return claims, claims.readEnvelope(envelope)
	case message != nil:
		return claims, claims.readMessage(message)
	}
	return Claims{}, malformed("the bundle holds neither a statement (dsseEnvelope) nor a messageSignature")
}

func (c *Claims) readEnvelope(data []byte) error {
	var payload, payloadType string
	signatures := 0
	err := eachKey(data, func(key string, dec *json.Decoder) error {
		switch key {
		case "payload":
			return dec.Decode(&payload)
		case "payloadType":
			return dec.Decode(&payloadType)
		case "signatures":
			return eachElement(dec, func(dec *json.Decoder) error {
				signatures++
				return skip(dec)
			})
		}
		return skip(dec)
	})
	if err != nil {
		return malformed("the signed envelope cannot be read: %v", err)
	}
	if payloadType != InTotoPayload {
		return malformed("the signed envelope holds %q, wanted an in-toto statement, %q", payloadType, InTotoPayload)
	}
	if signatures != 1 {
		return malformed("the signed envelope has %d signatures, wanted exactly one", signatures)
	}
	statement, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return malformed("the signed payload is not base64")
	}
	return c.readStatement(statement)
}

// readStatement reads an in-toto statement without its predicate.
func (c *Claims) readStatement(data []byte) error {
	if !utf8.Valid(data) { // RFC 8259, 8.1; readers differ in what they make of it
		return malformed("the statement is not UTF-8")
	}
	var statementType string
	subjects := false
	err := eachKey(data, func(key string, dec *json.Decoder) error {
		switch key {
		case "_type", "type": // writers by protocol buffers use the latter (statement.proto); both are one key too many
			return dec.Decode(&statementType)
		case "predicateType":
			return dec.Decode(&c.PredicateType)
		case "predicate":
			return dec.Decode(&c.Predicate)
		case "subject":
			subjects = true
			return eachElement(dec, c.readSubject)
		}
		return skip(dec)
	})
	switch {
	case err != nil:
		return malformed("the statement cannot be read: %v", err)
	case statementType != statementV01 && statementType != statementV1:
		return malformed("the statement has the type %q, wanted %q or %q", statementType, statementV1, statementV01)
	case !subjects || len(c.Subjects) == 0:
		return malformed("the statement has no subject")
	case c.PredicateType == "":
		return malformed("the statement has no predicateType")
	}
	return nil
}

func (c *Claims) readSubject(dec *json.Decoder) error {
	if len(c.Subjects) >= MaxSubjects {
		return fmt.Errorf("more than %d subjects", MaxSubjects)
	}
	s := Subject{Digests: map[string]string{}}
	err := eachKeyOf(dec, func(key string, dec *json.Decoder) error {
		switch key {
		case "name":
			return dec.Decode(&s.Name)
		case "uri":
			return dec.Decode(&s.URI)
		case "digest":
			return eachKeyOf(dec, func(alg string, dec *json.Decoder) error {
				if len(s.Digests) >= maxDigests {
					return fmt.Errorf("more than %d digests of one subject", maxDigests)
				}
				var hex string
				if err := dec.Decode(&hex); err != nil {
					return err
				}
				s.Digests[alg] = hex
				return nil
			})
		}
		return skip(dec)
	})
	c.Subjects = append(c.Subjects, s)
	return err
}

func (c *Claims) readMessage(data []byte) error {
	var algorithm string
	var sum []byte
	err := eachKey(data, func(key string, dec *json.Decoder) error {
		if key != "messageDigest" {
			return skip(dec)
		}
		return eachKeyOf(dec, func(key string, dec *json.Decoder) error {
			switch key {
			case "algorithm":
				return dec.Decode(&algorithm)
			case "digest":
				return dec.Decode(&sum)
			}
			return skip(dec)
		})
	})
	c.MessageSignature = true
	switch {
	case err != nil:
		return malformed("the message signature cannot be read: %v", err)
	case algorithm != "SHA2_256":
		return malformed("the message signature is over a digest of the algorithm %q, wanted SHA2_256", algorithm)
	case len(sum) != len(digest.SHA256{}):
		return malformed("the message signature's SHA-256 has %d bytes, wanted 32", len(sum))
	}
	c.Subjects = []Subject{{Digests: map[string]string{"sha256": digest.SHA256(sum).String()}}}
	return nil
}

// eachKey visits the keys of the one object that data holds.
func eachKey(data []byte, visit func(key string, dec *json.Decoder) error) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := eachKeyOf(dec, visit); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("more follows after its end")
	}
	return nil
}

// eachKeyOf visits the keys of the object that comes next, refusing one that
// some reader takes for an earlier one.
func eachKeyOf(dec *json.Decoder, visit func(key string, dec *json.Decoder) error) error {
	if err := delim(dec, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return notJSON(dec)
		}
		key, _ := t.(string)
		folded := foldKey(key)
		if seen[folded] {
			return fmt.Errorf("the key %+q stands twice", clip(key))
		}
		if seen[folded] = true; len(seen) > 256 {
			return fmt.Errorf("an object has more than 256 keys")
		}
		if err := visit(key, dec); err != nil {
			return plain(dec, err)
		}
	}
	return delim(dec, '}')
}

func eachElement(dec *json.Decoder, visit func(dec *json.Decoder) error) error {
	if err := delim(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		if err := visit(dec); err != nil {
			return err
		}
	}
	return delim(dec, ']')
}

func delim(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err != nil {
		return notJSON(dec)
	}
	if t != want {
		return fmt.Errorf("byte %d has no %q", dec.InputOffset(), want.String())
	}
	return nil
}

func notJSON(dec *json.Decoder) error {
	return fmt.Errorf("it is not JSON at byte %d", dec.InputOffset())
}

// plain puts the decoder's own errors into words.
func plain(dec *json.Decoder, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax):
		return notJSON(dec)
	case errors.As(err, &kind):
		return fmt.Errorf("a %s stands at byte %d, where something else belongs", kind.Value, dec.InputOffset())
	}
	return err
}

// skip passes over a value of any depth without building it.
func skip(dec *json.Decoder) error {
	var v json.RawMessage
	if err := dec.Decode(&v); err != nil {
		return notJSON(dec)
	}
	return nil
}
