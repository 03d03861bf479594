package attestation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/digest"
)

// Limits on evidence (DESIGN.md, "Limits"). Going over one is an error.
const (
	MaxDocument = 16 << 20 // bytes of one evidence document, and of one source's together
	MaxBundles  = 64       // bundles in one document
	MaxSubjects = 1024     // subjects in one statement
	// maxValues bounds the JSON values of one bundle, whose real ones hold
	// about 60: the verifier's memory follows their number, not their bytes.
	maxValues = 4096
	// maxText bounds the bytes of strings, keys and numbers of one bundle outside
	// the statement; real ones have less than 10 KiB. The verifier takes log
	// entries and certificates apart before it knows who signed them, at up to
	// fifty bytes of memory for each of theirs.
	maxText = 256 << 10
	// maxDigests is the most digests of one subject, as sigstore-go has it.
	maxDigests = 32
	// maxDepth bounds how deep a document nests; real ones stay below 12
	// outside the predicate, which is read without recursion.
	maxDepth = 64
)

// A Candidate is one bundle that may attest an archive, as it came from the
// network. Nothing in it is verified.
type Candidate struct {
	// Bundle is a Sigstore bundle in JSON (sigstore_bundle.proto). PEP 740
	// objects are rewritten to one; their log entries pass through as they are.
	Bundle []byte
	// Format is the form in which the bundle was served.
	Format Format
	// Origin is the address of the document, and Index the bundle's place in
	// it, from 0.
	Origin string
	Index  int
	// MatchSubject tells whether a subject's name stands for the archive's
	// file; nil when the ecosystem does not say how its subjects are named.
	MatchSubject func(name string) bool
	// Pooled tells that it comes from a look-up by digest, where whatever was
	// ever uploaded for these bytes is pooled. Only of such a candidate a
	// certificate that no trusted root vouches for is set aside, instead of
	// making the source invalid (DESIGN.md, "What 'verified' means").
	Pooled bool
}

// A Query is what a resolver is asked: where evidence for one archive lies.
type Query struct {
	URLs       []string // the archive's addresses, in the recipe's order
	SHA256     digest.SHA256
	BundleURLs []string // addresses of bundles, where the recipe names them
	// MaxBytes is the most bytes of evidence to fetch; 0 stands for
	// [MaxDocument], which is never exceeded. It lets a caller that works on
	// many sources take large documents one at a time.
	MaxBytes int64
	// Repositories are GitHub repositories, "owner/name", where the recipe says
	// that its project is. Evidence may be looked up by digest there though no
	// address names them; only a [Discoverer] that proposes does.
	Repositories []string
	// Without are addresses of an earlier [Discovery] whose evidence is not
	// wanted. They and the places that were asked before them are passed over;
	// only a [Discoverer] that proposes does.
	Without []string
}

// Limit is the most bytes of evidence that a resolver may fetch.
func (q Query) Limit() int64 {
	if q.MaxBytes <= 0 || q.MaxBytes > MaxDocument {
		return MaxDocument
	}
	return q.MaxBytes
}

// An Answer is what a resolver found.
type Answer struct {
	Candidates []Candidate
	Addresses  []string // every address that was asked, in order
}

// A Resolver finds evidence for the archives of one ecosystem. Resolve may be
// called by several goroutines at a time. Its error is one of three: it wraps
// [ErrNotMine]; it is a *[NoneError]; or it is anything else, which means that
// the evidence could not be obtained. The answer's addresses are set in every
// case.
type Resolver interface {
	Name() string
	Resolve(ctx context.Context, q Query) (Answer, error)
}

// ErrNotMine says that a resolver has no way of finding evidence for an
// archive, and that another one may.
var ErrNotMine = errors.New("no evidence address can be derived from the source")

// A NoneError says, on the authority of the place where evidence would be,
// that there is none.
type NoneError struct {
	Where string // what was asked, for people: "PyPI", "the bundle_url"
	What  string // for which file or address
	Mend  string // a hint, or ""
}

// Error implements error.
func (e *NoneError) Error() string {
	return fmt.Sprintf("%s has no attestation for %s", e.Where, e.What)
}

// Hint says what a person may do about it, or "".
func (e *NoneError) Hint() string { return e.Mend }

// A FormatError says that a document is not evidence in any form that is
// understood, and where reading it stopped.
type FormatError struct {
	Origin  string
	Index   int // which bundle of the document, from 0; -1 for the document
	Problem string
	Mend    string // a hint, or ""
}

// Hint says what a person may do about it, or "".
func (e *FormatError) Hint() string { return e.Mend }

// Error implements error.
func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString("the evidence document")
	if e.Origin != "" {
		b.WriteString(" " + e.Origin)
	}
	if e.Index >= 0 {
		fmt.Fprintf(&b, ", bundle %d,", e.Index)
	}
	return b.String() + " is malformed: " + e.Problem
}
