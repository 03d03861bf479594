package publishers

import (
	"fmt"
	"strings"
)

// A Field is the part of an identity that decided a mismatch.
type Field string

// The fields of a [MismatchError].
const (
	FieldIssuer           Field = "issuer"
	FieldIdentity         Field = "identity"
	FieldRepository       Field = "repository"
	FieldSourceRepository Field = "source repository"
	FieldRef              Field = "ref"
	FieldWorkflow         Field = "workflow"
	FieldTrigger          Field = "trigger"
	FieldRunner           Field = "runner"
	FieldEnvironment      Field = "environment"
	FieldVersion          Field = "version"
	FieldRepositoryID     Field = "repository id"
	FieldOwnerID          Field = "owner id"
)

// A MismatchError says in what an identity is not the publisher.
type MismatchError struct {
	Field     Field
	Publisher string // as the recipe names it
	Signer    string // as a recipe would name the identity
	Found     string
	Wanted    string
	Mend      string // a hint, or ""
	Rule      string // the policy's rule that was broken, as [Rule] names itself, or ""
	// because is added to the message, foreign text in it already quoted.
	because string
}

// Error implements error.
func (e *MismatchError) Error() string {
	text := ""
	switch e.Field {
	case FieldRepository, FieldIdentity:
		text = fmt.Sprintf("signed by %s, wanted %s", quoteIfOdd(e.Found), quoteIfOdd(e.Wanted))
	case FieldSourceRepository:
		text = fmt.Sprintf("signed by the reusable workflow %s when %s ran it, wanted %s",
			quoteIfOdd(e.Found), quoteIfOdd(e.Signer), quoteIfOdd(e.Publisher))
	default:
		text = fmt.Sprintf("%s %s, wanted %s for %s",
			e.Field.signed(), quoteIfOdd(e.Found), quoteIfOdd(e.Wanted), quoteIfOdd(e.Publisher))
	}
	text += e.because
	if e.Rule != "" {
		text += " (rule " + quoteIfOdd(e.Rule) + ")"
	}
	return text
}

// signed begins the sentence about a field that is not what was wanted.
func (f Field) signed() string {
	switch f {
	case FieldWorkflow:
		return "signed by the workflow"
	case FieldTrigger:
		return "signed in a run with the trigger"
	case FieldRunner:
		return "signed on the runner"
	case FieldEnvironment:
		return "signed in the environment"
	case FieldVersion:
		return "signed at"
	case FieldRepositoryID:
		return "signed by the repository with the id"
	case FieldOwnerID:
		return "signed by the owner with the id"
	default:
		return "signed with the " + string(f)
	}
}

// Hint says what a person may do about it, or "".
func (e *MismatchError) Hint() string { return e.Mend }

// quoteIfOdd quotes text that holds more than plain characters, since it comes
// from a certificate.
func quoteIfOdd(s string) string {
	s = clip(s)
	if q := fmt.Sprintf("%+q", s); q != `"`+s+`"` {
		return q
	}
	if s == "" {
		return "(none)"
	}
	return s
}

// Match tells whether an identity is the publisher. A nil error proves that the
// issuer is exactly the publisher's; that the SAN, taken apart, is the
// publisher's repository or something below its identity; that the
// certificate's source repository is that same repository; and that the ref at
// the end of the SAN and the source ref fit the publisher's pattern if it has
// one. It proves nothing about the identity's own genuineness. Any other
// outcome is a *[MismatchError]. (DESIGN.md, "verified", 6 and 7.)
func (p Publisher) Match(id Identity) error {
	e := &MismatchError{Publisher: p.text, Signer: id.Publisher()}
	set := func(f Field, found, wanted, mend string) error {
		e.Field, e.Found, e.Wanted, e.Mend = f, found, wanted, mend
		return e
	}
	if p.IsZero() {
		return set(FieldIdentity, e.Signer, "a publisher, and none was given", "")
	}
	if id.Issuer != p.issuer {
		return set(FieldIssuer, id.Issuer, p.issuer, "")
	}
	switch {
	case p.exact != "":
		return p.matchExact(id, set)
	case p.url != nil:
		return p.matchURL(id, set)
	default:
		return p.matchRepository(id, set)
	}
}

type setMismatch func(f Field, found, wanted, mend string) error

func (p Publisher) matchExact(id Identity, set setMismatch) error {
	kind := OtherName
	switch {
	case strings.Contains(p.exact, "://"):
		kind = URIName
	case strings.Contains(p.exact, "@"):
		kind = EmailName
	}
	if id.SAN != p.exact || id.SANKind != kind {
		return set(FieldIdentity, id.SAN, p.exact, "")
	}
	return nil
}

func (p Publisher) matchRepository(id Identity, set setMismatch) error {
	repo := id.Repository()
	if repo != p.repository {
		if repo == "" {
			return set(FieldIdentity, id.SAN, p.text, "")
		}
		return p.otherRepository(id, repo, set)
	}
	if err := p.matchSource(id, set); err != nil {
		return err
	}
	return p.matchRef(id, p.ref, set)
}

// otherRepository explains a SAN of another repository: either somebody else
// signed, or the project did through somebody else's reusable workflow.
func (p Publisher) otherRepository(id Identity, repo string, set setMismatch) error {
	if id.sourceRepository() == p.repository {
		return set(FieldSourceRepository, trimScheme(id.SAN), p.text,
			"the project builds with a reusable workflow of "+quoteIfOdd(repo)+"; a policy can allow that workflow for this project")
	}
	return set(FieldRepository, id.Publisher(), p.text, "")
}

// matchSource demands that the repository that was built is the one whose
// workflow signed.
func (p Publisher) matchSource(id Identity, set setMismatch) error {
	source := id.sourceRepository()
	switch {
	case source == p.repository:
		return nil
	case source == "":
		return set(FieldIdentity, "a certificate that does not say which repository was built", p.text, "")
	default:
		return set(FieldSourceRepository, trimScheme(id.SAN), p.text,
			"any repository can call a reusable workflow; name the one that was built: "+quoteIfOdd(id.Publisher()))
	}
}

// matchRef compares the ref at the end of the SAN, and the ref that was built,
// with a pattern. Both are compared since a workflow of the same repository can
// be called at a tag from any branch.
func (p Publisher) matchRef(id Identity, pattern string, set setMismatch) error {
	if pattern == "" {
		return nil
	}
	u, err := parseURLIdentity(id.SAN)
	if err != nil || !matchPattern(pattern, u.ref) {
		found := ""
		if err == nil {
			found = u.ref
		}
		return set(FieldRef, found, pattern, "")
	}
	if isCommit(pattern) {
		return nil // a workflow that was called by its commit; what it built has another
	}
	// A certificate that does not name the ref that was built proves nothing
	// about it.
	if !matchPattern(pattern, id.SourceRef) {
		return set(FieldRef, id.SourceRef, pattern, builtAnotherRef)
	}
	return nil
}

const builtAnotherRef = "the workflow was called at a fitting ref, but built another one"

// matchURL compares a URL identity: same scheme and host, the identity's path
// segments at the start of the SAN's, and the ref if the identity has one.
func (p Publisher) matchURL(id Identity, set setMismatch) error {
	fail := func() error { return set(FieldIdentity, id.SAN, p.text, "") }
	if id.SANKind != URIName || !hasHTTPScheme(id.SAN) {
		return fail()
	}
	san, err := parseURLIdentity(id.SAN)
	want := p.url
	if err != nil || san.scheme != want.scheme || san.host != want.host || len(san.path) < len(want.path) {
		return fail()
	}
	if p.repository != "" && san.providerRepository() != p.repository {
		return p.otherRepositoryURL(id, san, set)
	}
	for i, seg := range want.path {
		if lower(seg) != lower(san.path[i]) {
			return fail()
		}
	}
	if p.ref != "" { // a repository at a ref, which no SAN ends in by itself
		if err := p.matchSource(id, set); err != nil {
			return err
		}
		return p.matchRef(id, p.ref, set)
	}
	switch {
	case len(want.path) == 0 && len(san.path) > 0,
		want.hasRef && len(san.path) != len(want.path),
		want.hasRef && san.ref != want.ref:
		return fail()
	}
	// A source repository that cannot be compared is not the same as none.
	if p.repository != "" || id.SourceRepository != "" {
		if err := p.matchURLSource(id, san, set); err != nil {
			return err
		}
	}
	if p.repository != "" && strings.HasPrefix(want.ref, "refs/") && id.SourceRef != want.ref {
		return set(FieldRef, id.SourceRef, want.ref, builtAnotherRef)
	}
	return nil
}

func (p Publisher) otherRepositoryURL(id Identity, san *urlIdentity, set setMismatch) error {
	if repo := san.providerRepository(); repo != "" {
		return p.otherRepository(id, repo, set)
	}
	return set(FieldIdentity, id.SAN, p.text, "")
}

// matchURLSource demands the source repository of a known provider to be the
// publisher's, and elsewhere to be the repository that the SAN lies in.
func (p Publisher) matchURLSource(id Identity, san *urlIdentity, set setMismatch) error {
	if p.repository != "" {
		return p.matchSource(id, set)
	}
	source := id.sourceRepository()
	if source == "" {
		return set(FieldIdentity, "a certificate whose source repository is "+id.SourceRepository, p.text, "")
	}
	full := lower(san.host + "/" + strings.Join(san.path, "/"))
	if full == source || strings.HasPrefix(full, source+"/") {
		return nil
	}
	return set(FieldSourceRepository, trimScheme(id.SAN), p.text,
		"any repository can call a reusable workflow; name the one that was built: "+quoteIfOdd(id.Publisher()))
}

func trimScheme(s string) string {
	_, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	return rest
}

// matchPattern compares a ref with a pattern in which "*" stands for any run of
// characters other than "/". It takes time proportional to the product of the
// lengths at worst.
func matchPattern(pattern, ref string) bool {
	ps, rs := strings.Split(pattern, "/"), strings.Split(ref, "/")
	if len(ps) != len(rs) {
		return false
	}
	for i := range ps {
		if !matchSegment(ps[i], rs[i]) {
			return false
		}
	}
	return true
}

func matchSegment(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return s == pattern
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}
