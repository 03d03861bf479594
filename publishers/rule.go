package publishers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Validate tells whether the rule can be applied. A nil error means that it
// speaks of some publishers, demands something, and that what it demands could
// be true of some certificate.
func (r Rule) Validate() error {
	switch {
	case len(r.Publishers) == 0:
		return errors.New("the rule names no publishers")
	case slices.ContainsFunc(r.Publishers, Pattern.IsZero):
		return errors.New("the rule has an empty pattern of publishers")
	case r.demandsNothing():
		return errors.New("the rule demands nothing")
	}
	for _, w := range r.Workflows {
		if err := checkWorkflowPath(w); err != nil {
			return fmt.Errorf("the rule has %w", err)
		}
		if strings.Contains(w, "@refs/") {
			return fmt.Errorf("the rule has the workflow %q with a ref; leave it out, a rule has refs for it", clip(w))
		}
	}
	for _, ref := range r.Refs {
		if isCommit(ref) {
			return fmt.Errorf("the rule has the ref %q, which is a commit; certificates name a branch or tag as what was built", ref)
		}
		if err := checkRefPattern(ref); err != nil {
			return fmt.Errorf("the rule has %w", err)
		}
	}
	for what, list := range map[string][]string{"environment": r.Environments, "trigger": r.Triggers} {
		for _, s := range list {
			if strings.TrimSpace(s) == "" || strings.TrimSpace(s) != s {
				return fmt.Errorf("the rule has the %s %q, which is empty or has white space around it", what, clip(s))
			}
		}
	}
	for _, id := range slices.Concat(r.RepositoryIDs, r.OwnerIDs) {
		if !isNumber(id) {
			return fmt.Errorf("the rule has the identifier %q; identifiers are decimal numbers", clip(id))
		}
	}
	return nil
}

func (r Rule) demandsNothing() bool {
	return len(r.Workflows)+len(r.Refs)+len(r.Environments)+len(r.Triggers)+len(r.RepositoryIDs)+len(r.OwnerIDs) == 0 &&
		!r.TagIsVersion && !r.HostedOnly
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && (s == "0" || s[0] != '0')
}

// speaksOf tells whether the rule is about a publisher. A rule without
// publishers, which Validate refuses, is about everybody: who forgot to
// validate it must not find it silently gone.
func (r Rule) speaksOf(p Publisher) bool {
	return len(r.Publishers) == 0 || slices.ContainsFunc(r.Publishers, Pattern.IsZero) || anyMatches(r.Publishers, p)
}

// A demand is one rule put to one identity.
type demand struct {
	rule  Rule
	terms Terms
	id    Identity
	built string // "host/owner/repo" that was built, lower case; "" if unknown
	// release is set where no workflow signed, but GitHub itself for a release.
	release bool
	e       MismatchError
}

// check tells whether the rule holds of the identity.
func (d *demand) check() error {
	for _, check := range []func() error{
		d.repositoryID, d.ownerID, d.workflow, d.ref, d.tag, d.trigger, d.environment, d.runner,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (d *demand) fail(f Field, found, wanted, mend string) error {
	d.e.Field, d.e.Found, d.e.Wanted, d.e.Mend = f, found, wanted, mend
	return &d.e
}

// among demands that a value is one of those that are wanted, exactly.
func (d *demand) among(f Field, found string, wanted []string, mend string) error {
	if len(wanted) == 0 || found != "" && slices.Contains(wanted, found) {
		return nil
	}
	if found == "" {
		mend = notSaid
	}
	return d.fail(f, found, anyOf(wanted), mend)
}

const notSaid = "the certificate does not say it, so it cannot be shown to be right"

func (d *demand) repositoryID() error {
	return d.among(FieldRepositoryID, d.id.SourceRepositoryID, d.rule.RepositoryIDs, otherID("repository"))
}

func (d *demand) ownerID() error {
	return d.among(FieldOwnerID, d.id.SourceOwnerID, d.rule.OwnerIDs, otherID("owner"))
}

func otherID(what string) string {
	return "the " + what + " has the recorded name and is another one: it may have been deleted and registered again by somebody else"
}

// workflow demands that the workflow that was started is one of the rule's, and
// lies in the repository that was built. Where the workflow that signed lies
// there too, it must be one of them as well.
func (d *demand) workflow() error {
	wanted := d.rule.Workflows
	if len(wanted) == 0 {
		return nil
	}
	fail := func(found, mend string) error { return d.fail(FieldWorkflow, found, anyOf(wanted), mend) }
	if d.id.BuildConfigURI == "" {
		return fail("", notSaid)
	}
	started, _, ok := workflowIn(d.built, d.id.BuildConfigURI)
	switch {
	case !ok:
		return fail(d.id.BuildConfigURI, "that is no workflow of the repository that was built")
	case !slices.Contains(wanted, started):
		return fail(started, "")
	}
	if d.foreignWorkflow() {
		return nil
	}
	signed, _, ok := workflowIn(d.built, d.id.SAN)
	switch {
	case !ok:
		return fail(d.id.SAN, "that is no workflow of the repository that was built")
	case !slices.Contains(wanted, signed):
		return fail(signed, "the workflow "+quoteIfOdd(started)+" ran that one, which signed; name both if both are meant")
	}
	return nil
}

// foreignWorkflow tells whether the workflow that signed lies in another
// repository than the one that was built, so that its path and ref say nothing
// about the build. Where that is not certain it counts as the project's own.
func (d *demand) foreignWorkflow() bool {
	signer := d.id.Repository()
	return signer != "" && d.built != "" && signer != d.built
}

// ref demands that what was built is of one of the refs, and that a workflow of
// the same repository was taken from one of them.
func (d *demand) ref() error {
	wanted := d.rule.Refs
	if len(wanted) == 0 {
		return nil
	}
	fits := func(ref string) bool {
		return slices.ContainsFunc(wanted, func(pattern string) bool { return matchPattern(pattern, ref) })
	}
	if !fits(d.id.SourceRef) {
		mend := ""
		if d.id.SourceRef == "" {
			mend = notSaid
		}
		return d.fail(FieldRef, d.id.SourceRef, anyOf(wanted), mend)
	}
	if d.release || d.foreignWorkflow() {
		return nil
	}
	u, err := parseURLIdentity(d.id.SAN)
	switch {
	case d.id.SANKind != URIName || err != nil:
		return d.fail(FieldRef, d.id.SAN, anyOf(wanted), "the certificate's name ends in no ref, so it is no workflow's")
	case !fits(u.ref):
		return d.fail(FieldRef, u.ref, anyOf(wanted), "a fitting ref was built, but the workflow that signed was taken from another one")
	}
	return nil
}

// tag demands that what was built is the tag of the recipe's version.
func (d *demand) tag() error {
	if !d.rule.TagIsVersion {
		return nil
	}
	tag, ok := strings.CutPrefix(d.id.SourceRef, "refs/tags/")
	if !ok {
		return d.fail(FieldVersion, d.id.SourceRef, d.wantedTag(), "")
	}
	return d.tagIs(tag)
}

func (d *demand) tagIs(tag string) error {
	if len(d.terms.Version) == 0 {
		return d.fail(FieldVersion, "refs/tags/"+tag, d.wantedTag(), "the recipe's version is not known here, so no tag can be compared with it")
	}
	if !d.terms.tagFits(tag, d.built) {
		return d.fail(FieldVersion, "refs/tags/"+tag, d.wantedTag(), "")
	}
	return nil
}

func (d *demand) wantedTag() string {
	if len(d.terms.Version) == 0 {
		return "a tag of the recipe's version"
	}
	return "a tag of the version " + anyOf(d.terms.Version)
}

func (d *demand) trigger() error {
	return d.among(FieldTrigger, d.id.Trigger, d.rule.Triggers, "")
}

func (d *demand) environment() error {
	return d.among(FieldEnvironment, d.id.Environment, d.rule.Environments, "")
}

func (d *demand) runner() error {
	if !d.rule.HostedOnly {
		return nil
	}
	wanted := hostedRunner(d.built)
	switch {
	case wanted == "":
		return d.fail(FieldRunner, d.id.RunnerEnvironment, "a hosted runner", "only github.com and gitlab.com are known to keep runners")
	case d.id.RunnerEnvironment == "":
		return d.fail(FieldRunner, "", wanted, notSaid)
	case d.id.RunnerEnvironment != wanted:
		return d.fail(FieldRunner, d.id.RunnerEnvironment, wanted, "")
	}
	return nil
}

// hostedRunner is what certificates call a runner that the host keeps.
func hostedRunner(repository string) string {
	host, _, _ := strings.Cut(repository, "/")
	prov, ok := providerOfHost(host)
	if !ok {
		return ""
	}
	return prov.name + "-hosted"
}

// workflowIn gives path and ref of the workflow that a URI of a certificate
// names, if it lies in the repository "host/owner/repo" (lower case).
func workflowIn(repository, uri string) (path, ref string, ok bool) {
	u, err := parseURLIdentity(uri)
	// A file whose name holds "@refs/" would be read as another file at a longer
	// ref.
	if err != nil || u.scheme != "https" || !u.hasRef || strings.Contains(u.ref, "@refs/") {
		return "", "", false
	}
	segments := strings.Split(repository, "/")[1:]
	if len(u.path) <= len(segments) || lower(u.host+"/"+strings.Join(u.path[:len(segments)], "/")) != repository {
		return "", "", false
	}
	rest := u.path[len(segments):]
	// GitLab's file stands after an empty part; without one, nothing tells
	// where the project ends.
	double := rest[0] == ""
	if prov, known := providerOfHost(u.host); known && double != (prov.minSegments != prov.maxSegments) {
		return "", "", false
	}
	if double {
		rest = rest[1:]
	}
	if len(rest) == 0 || slices.Contains(rest, "") {
		return "", "", false
	}
	return strings.Join(rest, "/"), u.ref, true
}

func anyOf(list []string) string { return strings.Join(list, " or ") }
