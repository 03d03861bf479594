package pypi_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// The recipe's address names version 3.1.1, its digest is that of 2.0.0. What
// the index calls the file does not make it the one that was asked for.
func TestSubjectMustBeTheFileOfTheAddress(t *testing.T) {
	const other = "/integrity/flask/2.0.0/flask-2.0.0.tar.gz/provenance"
	resolver, _ := index(t, map[string]string{
		simple: simplePage(fmt.Sprintf(`{"filename":"flask-2.0.0.tar.gz","hashes":{"sha256":%q},"provenance":"https://pypi.org%s"}`, pinned, other)),
		other:  provenance(),
	})
	answer, err := resolver.Resolve(context.Background(), query(t, flask))
	if err != nil || len(answer.Candidates) != 1 {
		t.Fatalf("%d candidates, error %v", len(answer.Candidates), err)
	}
	match := answer.Candidates[0].MatchSubject
	if match("flask-2.0.0.tar.gz") {
		t.Error("a statement about version 2.0.0 counts for an address of version 3.1.1")
	}
	if !match("Flask-3.1.1.tar.gz") {
		t.Error("a statement about the file does not count")
	}
}

// A map of all the digests that somebody cares to send took 330 MiB.
func TestIndexWithEndlessDigestsIsNotBuilt(t *testing.T) {
	var b strings.Builder
	for i := range 400_000 {
		fmt.Fprintf(&b, `"%x":"",`, i)
	}
	page := simplePage(`{"filename":"x","hashes":{` + b.String() + `"sha256":"00"}}`)
	resolver, _ := index(t, map[string]string{simple: page})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := resolver.Resolve(context.Background(), query(t, flask))
	runtime.ReadMemStats(&after)
	var none *attestation.NoneError
	if !errors.As(err, &none) {
		t.Fatalf("error %v", err)
	}
	if n := (after.Mallocs - before.Mallocs); n > 100_000 {
		t.Errorf("%d objects were made of %d digests", n, 400_000)
	}
}

// Whoever works on many sources bounds what each of them holds.
func TestQueriesBoundEvidence(t *testing.T) {
	resolver, _ := index(t, map[string]string{integrity: `{"x":"` + strings.Repeat("x", 2<<20) + `"}`})
	q := query(t, flask)
	q.MaxBytes = 1 << 20
	var large *fetch.TooLargeError
	if _, err := resolver.Resolve(context.Background(), q); !errors.As(err, &large) {
		t.Errorf("error %v, wanted *fetch.TooLargeError", err)
	}
	q.MaxBytes = 0
	var format *attestation.FormatError
	if _, err := resolver.Resolve(context.Background(), q); !errors.As(err, &format) {
		t.Errorf("error %v, wanted *attestation.FormatError", err)
	}
}
