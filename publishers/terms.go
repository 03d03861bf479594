package publishers

import (
	"path"
	"slices"
)

// Terms are what a policy demands of signers beyond the publisher's own name,
// and what it allows beyond it. The zero value demands and allows nothing more.
type Terms struct {
	Rules    []Rule             // all whose publishers fit must hold
	Reusable []ReusableWorkflow // workflows of others that may sign
	Issuers  []HostIssuers      // accepted issuers by host, beside a publisher's own
	// Version is the recipe's version, or several, any of which a tag may be
	// of. None is unknown.
	Version []string
	// Packages are names that may stand before a tag's version: of the recipe,
	// its outputs, the project. The repository's own name always may.
	Packages []string
}

// A Rule says what must be true of a signature by the publishers that it speaks
// of. What a certificate does not say is not true of it.
type Rule struct {
	Publishers    []Pattern // which publishers it speaks of
	Workflows     []string  // paths of workflow files of the repository that was built, one of which was started
	Refs          []string  // patterns of full refs, one of which was built
	TagIsVersion  bool      // what was built is a tag that is the recipe's version
	Environments  []string  // deployment environments, exactly
	Triggers      []string  // events that started the workflow, exactly
	HostedOnly    bool      // it ran on a runner that the host itself keeps
	RepositoryIDs []string  // the host's identifiers of the repository
	OwnerIDs      []string  // the host's identifiers of its owner
	Name          string    // position or name, for messages: "recipe-verify.yaml:12:3"
}

// HostIssuers are issuers that may speak for identities on a host, such as an
// enterprise's own for github.com. They are compared exactly.
type HostIssuers struct {
	Host    string
	Issuers []string
}

// A WarningCode is a stable name for a warning.
type WarningCode string

// The codes of warnings.
const (
	WarnBranch      WarningCode = "signed-from-branch"
	WarnPullRequest WarningCode = "signed-from-pull-request"
	WarnTrigger     WarningCode = "privileged-trigger"
	WarnRunner      WarningCode = "self-hosted-runner"
	WarnTagVersion  WarningCode = "tag-version"
)

// A Warning is something unusual in evidence that counts all the same.
type Warning struct {
	Code    WarningCode `json:"code"`
	Message string      `json:"message"` // without a full stop, foreign text quoted
}

// Match is [Publisher.Match] under these terms. A nil error proves the same,
// but for what the terms allow: the issuer may be one that they accept for the
// publisher's host, and the SAN may be a reusable workflow that they allow to
// sign for the publisher, at a ref that they allow, when the certificate's
// source repository is the publisher's and the source ref fits the publisher's
// own. It proves too that every rule about the publisher holds. Any other
// outcome is a *[MismatchError].
func (t Terms) Match(p Publisher, id Identity) error {
	if t.accepts(p.host(), id.Issuer) {
		p.issuer = id.Issuer // of a copy
	}
	if err := t.matchSigner(p, id); err != nil {
		return err
	}
	for _, r := range t.Rules {
		if !r.speaksOf(p) {
			continue
		}
		d := &demand{
			rule: r, terms: t, id: id, built: id.sourceRepository(),
			e: MismatchError{Publisher: p.text, Signer: id.Publisher(), Rule: r.Name},
		}
		if err := d.check(); err != nil {
			return err
		}
	}
	return nil
}

// accepts tells whether an issuer is accepted for identities on a host.
func (t Terms) accepts(host, issuer string) bool {
	if host == "" || issuer == "" {
		return false
	}
	for _, h := range t.Issuers {
		if lower(h.Host) == host && slices.Contains(h.Issuers, issuer) {
			return true
		}
	}
	return false
}

// tagFits tells whether a tag is of one of the versions, for a repository
// "host/owner/repo". Names may stand in the owner's scope: @owner/name@1.2.
func (t Terms) tagFits(tag, repository string) bool {
	names := append(slices.Clone(t.Packages), path.Base(repository))
	scope := "@" + path.Base(path.Dir(repository)) + "/"
	for _, name := range names[:len(names):len(names)] {
		names = append(names, scope+name)
	}
	for _, v := range t.Version {
		if TagFitsVersion(tag, v, names) {
			return true
		}
	}
	return false
}

// MatchRelease is [Publisher.MatchRelease] under these terms. A nil error
// proves the same, and that every rule about the publisher holds. Such a
// statement names no workflow, trigger, runner or environment, so a rule about
// one of these never does. Any other outcome is a *[MismatchError].
func (t Terms) MatchRelease(p Publisher, r Release) error {
	if err := p.MatchRelease(r); err != nil {
		return err
	}
	for _, rule := range t.Rules {
		if !rule.speaksOf(p) {
			continue
		}
		d := t.releaseDemand(rule, p, r)
		if err := d.checkRelease(r.Tag); err != nil {
			return err
		}
	}
	return nil
}

func (t Terms) releaseDemand(rule Rule, p Publisher, r Release) *demand {
	return &demand{
		rule: rule, terms: t, built: lower("github.com/" + r.Repository), release: true,
		id: Identity{SourceRepositoryID: r.RepositoryID, SourceOwnerID: r.OwnerID, SourceRef: "refs/tags/" + r.Tag},
		e:  MismatchError{Publisher: p.text, Signer: "github:" + r.Repository, Rule: rule.Name},
	}
}

// checkRelease tells whether the rule holds of a release.
func (d *demand) checkRelease(tag string) error {
	const never = "GitHub's attestation of a release says who published it, and not how it was built; the rule can only be met by build provenance"
	switch {
	case len(d.rule.Workflows) > 0:
		return d.fail(FieldWorkflow, "", anyOf(d.rule.Workflows), never)
	case len(d.rule.Triggers) > 0:
		return d.fail(FieldTrigger, "", anyOf(d.rule.Triggers), never)
	case len(d.rule.Environments) > 0:
		return d.fail(FieldEnvironment, "", anyOf(d.rule.Environments), never)
	case d.rule.HostedOnly:
		return d.fail(FieldRunner, "", hostedRunner(d.built), never)
	}
	for _, check := range []func() error{d.repositoryID, d.ownerID, d.ref} {
		if err := check(); err != nil {
			return err
		}
	}
	if d.rule.TagIsVersion {
		return d.tagIs(tag)
	}
	return nil
}
