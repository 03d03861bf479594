package attestation_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
)

// bundleWith is a bundle whose statement and log entry's body are as given.
func bundleWith(statement, body string) []byte {
	return fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial":{"certificate":{"rawBytes":"AA=="},"tlogEntries":[{"canonicalizedBody":%q}]},
		"dsseEnvelope":{"payload":%q,"payloadType":%q,"signatures":[{"sig":"AA=="}]}}`,
		base64.StdEncoding.EncodeToString([]byte(body)), base64.StdEncoding.EncodeToString([]byte(statement)), attestation.InTotoPayload)
}

func statementWith(subjects, predicate string) string {
	return `{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[` + subjects + `],"predicate":` + predicate + `}`
}

func digests(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"alg%d":"00"`, i))
	}
	return `{"name":"x","digest":{` + strings.Join(list, ",") + `}}`
}

// The verifier builds log entries from JSON before it knows who signed them, at
// fifty times their size: an entry of 12 MiB took 570 MiB of memory. Only the
// statement, of which nothing is built, may be long.
func TestBundlesAreBounded(t *testing.T) {
	const subject = `{"digest":{"sha256":"00"}}`
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name   string
		bundle []byte
		ok     bool
	}{
		{"ordinary", bundleWith(statementWith(subject, "{}"), "{}"), true},
		{"long predicate", bundleWith(statementWith(subject, `"`+long+`"`), "{}"), true},
		{"predicate of many values", bundleWith(statementWith(subject, "["+strings.Repeat("0,", 1<<19)+"0]"), "{}"), true},
		{"long log entry", bundleWith(statementWith(subject, "{}"), `{"kind":"`+long+`"}`), false},
		{"log entry of many values", bundleWith(statementWith(subject, "{}"), `{"spec":[`+strings.Repeat("0,", 1<<19)+`0]}`), false},
		{"long key", []byte(`{"mediaType":"m","` + long + `":0}`), false},
		{"long number", []byte(`{"mediaType":"m","x":` + strings.Repeat("1", 1<<20) + `}`), false},
		{"long text after a statement", []byte(`{"mediaType":"m","payload":"x","y":["` + long + `"]}`), false},
		{"32 digests of a subject", bundleWith(statementWith(digests(32), "{}"), "{}"), true},
		{"33 digests of a subject", bundleWith(statementWith(digests(33), "{}"), "{}"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			// A candidate that did not come from Parse is bounded all the same.
			_, err := attestation.Candidate{Bundle: c.bundle}.Unverified()
			var malformed *attestation.MalformedError
			if c.ok != (err == nil) || !c.ok && !errors.As(err, &malformed) {
				t.Errorf("error %v, wanted one: %v", err, !c.ok)
			}
			_, err = attestation.Parse("", c.bundle)
			if strings.Contains(c.name, "digests") {
				return // Parse does not look into statements
			}
			var format *attestation.FormatError
			if c.ok != (err == nil) || !c.ok && !errors.As(err, &format) {
				t.Errorf("Parse: error %v, wanted one: %v", err, !c.ok)
			}
		})
	}
}

// One byte more than the limit is an error, and not read in part.
func TestDocumentsAreBounded(t *testing.T) {
	b := bundleOf(statement(subject))
	for size, want := range map[int]bool{attestation.MaxDocument: true, attestation.MaxDocument + 1: false} {
		document := []byte(b + strings.Repeat(" ", size-len(b)))
		if _, err := attestation.Read("", document); (err == nil) != want {
			t.Errorf("%d bytes: error %v", size, err)
		}
	}
}
