package publishers

import (
	"errors"
	"fmt"
	"strings"
)

// A ReusableWorkflow is a workflow of one repository that may sign for others:
// the certificate's name is the workflow's, and its source repository the
// publisher's.
type ReusableWorkflow struct {
	Publishers []Pattern       // for whom it may sign
	Workflow   WorkflowPattern // which it is, and at which refs
}

// A WorkflowPattern is one workflow file of one repository, and a pattern of
// the refs that it may be called at. Values come from [ParseWorkflow]; the zero
// value matches nothing.
type WorkflowPattern struct {
	repository string // "github.com/owner/repo", lower case
	path       string // ".github/workflows/release.yml"
	ref        string
	text       string
}

// String gives the workflow as it was written.
func (w WorkflowPattern) String() string { return w.text }

// IsZero tells whether w is the zero value, which matches nothing.
func (w WorkflowPattern) IsZero() bool { return w.text == "" }

const workflowHint = "write github:owner/repo/.github/workflows/file.yml@refs/tags/v*, or the identifier of a commit after the @"

// ParseWorkflow reads a workflow with a pattern of refs, such as
// github:bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v*.
// For gitlab the file stands after "//", as it does in certificates:
// gitlab:group/project//ci/release.yml@refs/heads/main. The ref is required,
// since a workflow that may be called at any ref is whatever anybody with a
// branch there makes of it. Errors are of type *[SyntaxError].
func ParseWorkflow(s string) (WorkflowPattern, error) {
	fail := func(format string, a ...any) (WorkflowPattern, error) {
		return WorkflowPattern{}, &SyntaxError{Text: s, Problem: fmt.Sprintf(format, a...), Mend: workflowHint}
	}
	if len(s) > MaxLength {
		return fail("is longer than %d bytes", MaxLength)
	}
	name, rest, _ := strings.Cut(s, ":")
	prov, ok := providerNamed(name)
	if !ok {
		return fail("is no workflow of a known provider (github or gitlab)")
	}
	whole, ref, hasRef := cutRef(rest)
	if !hasRef {
		return fail("has no ref, so that any state of the workflow could sign")
	}
	if err := checkRefPattern(ref); err != nil {
		return fail("has %v", err)
	}
	repository, path, ok := prov.splitWorkflow(whole)
	if !ok {
		return fail("does not name a workflow file of one repository of %s", prov.host)
	}
	for _, seg := range strings.Split(repository, "/") {
		if err := checkSegment(seg); err != nil {
			return fail("has %v", err)
		}
	}
	if err := checkWorkflowPath(path); err != nil {
		return fail("has %v", err)
	}
	return WorkflowPattern{repository: lower(prov.host + "/" + repository), path: path, ref: ref, text: s}, nil
}

// splitWorkflow divides "owner/repo/path" or "group/project//path".
func (p provider) splitWorkflow(s string) (repository, path string, ok bool) {
	if p.minSegments != p.maxSegments {
		repository, path, ok = strings.Cut(s, "//")
		n := strings.Count(repository, "/") + 1
		return repository, path, ok && n >= p.minSegments && n <= p.maxSegments
	}
	parts := strings.SplitN(s, "/", p.minSegments+1)
	if len(parts) != p.minSegments+1 {
		return "", "", false
	}
	return strings.Join(parts[:p.minSegments], "/"), parts[p.minSegments], true
}

// checkWorkflowPath accepts the path of a file as certificates write it.
func checkWorkflowPath(path string) error {
	for _, seg := range strings.Split(path, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return fmt.Errorf("the workflow path %q, which is no path of a file in a repository", clip(path))
		}
	}
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`\%?#*:`, c) >= 0 {
			return fmt.Errorf("the character %q in its workflow path; a workflow is compared exactly", c)
		}
	}
	return nil
}

// matchSigner is Match without the rules.
func (t Terms) matchSigner(p Publisher, id Identity) error {
	err := p.Match(id)
	var m *MismatchError
	if !errors.As(err, &m) || m.Field != FieldSourceRepository {
		return err
	}
	signer := id.Repository()
	if p.repository == "" || id.sourceRepository() != p.repository || signer == "" || signer == p.repository {
		return err // a workflow of the publisher's that another repository ran, for one
	}
	if !p.isRepository() {
		m.Mend = "the publisher is one workflow, and another one signed; name the repository as publisher, and the reusable workflow in the policy"
		return m
	}
	if because, ok := t.mayRun(p, id, signer); !ok {
		m.because = because
		if mend := reusableHint(p, id, signer); mend != "" {
			m.Mend = mend
		}
		return m
	}
	if p.ref != "" && !matchPattern(p.ref, id.SourceRef) {
		m.Field, m.Found, m.Wanted, m.Mend = FieldRef, id.SourceRef, p.ref, "the reusable workflow is allowed, but another ref was built"
		return m
	}
	return nil
}

// mayRun tells whether the workflow that signed may sign for a publisher, and
// if not, which of those that may came nearest.
func (t Terms) mayRun(p Publisher, id Identity, signer string) (because string, ok bool) {
	path, ref, isWorkflow := workflowIn(signer, id.SAN)
	if host, _, _ := strings.Cut(signer, "/"); !isWorkflow || host != p.host() {
		return "", false
	}
	var other, sameRepository, sameWorkflow []string
	for _, r := range t.Reusable {
		w := r.Workflow
		switch {
		case w.IsZero() || !anyMatches(r.Publishers, p):
		case w.repository != signer:
			other = append(other, quoteIfOdd(w.text))
		case w.path != path:
			sameRepository = append(sameRepository, quoteIfOdd(w.text))
		case !matchPattern(w.ref, ref):
			sameWorkflow = append(sameWorkflow, quoteIfOdd(w.ref))
		default:
			return "", true
		}
	}
	switch {
	case len(sameWorkflow) > 0:
		return "; the policy allows that workflow at " + anyOf(sameWorkflow), false
	case len(sameRepository) > 0:
		return "; of that repository the policy allows " + anyOf(sameRepository), false
	case len(other) > 0:
		return "; the policy allows " + anyOf(other), false
	}
	return "", false
}

// reusableHint gives the line of a policy that would allow the workflow, or ""
// where the certificate's text cannot stand in a policy as it is.
func reusableHint(p Publisher, id Identity, signer string) string {
	path, ref, ok := workflowIn(signer, id.SAN)
	if !ok || !isPlain(path) || !isPlain(ref) {
		return ""
	}
	separator := "/"
	if prov, _ := providerOfHost(p.host()); prov.minSegments != prov.maxSegments {
		separator = "//"
	}
	workflow := spelled(id.SAN, signer) + separator + path + "@" + ref
	if w, err := ParseWorkflow(workflow); err != nil || w.repository != signer {
		return ""
	}
	return fmt.Sprintf("the project builds with a reusable workflow of %s; if that is meant, write in the policy: "+
		"reusable_workflows: [{publishers: [%q], workflow: %q}]", signer, p.shorthand(), workflow)
}

// isPlain tells whether text means itself in a policy, in quotes.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte("-_./+@", c) < 0 {
			return false
		}
	}
	return s != ""
}

// shorthand gives the publisher's repository as a shorthand without a ref.
func (p Publisher) shorthand() string {
	if p.url == nil {
		s, _, _ := strings.Cut(p.text, "@")
		return s
	}
	return spelled(p.text, p.repository)
}

// isRepository tells whether the publisher is a whole repository, at any ref or
// one, and not a workflow in it.
func (p Publisher) isRepository() bool {
	return p.repository != "" && (p.url == nil || len(p.url.path) == strings.Count(p.repository, "/"))
}
