package publishers

import (
	"slices"
	"strings"
)

// Events by which somebody without the right to write to a repository can start
// a run. Runs of a pull request see what its author wrote; pull_request_target
// and the other privileged ones run the repository's own workflow with its
// secrets, on what somebody else sent (GitHub documentation, "Events that
// trigger workflows"; GitLab documentation, "CI_PIPELINE_SOURCE").
var (
	pullRequestTriggers = [...]string{
		"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment",
		"merge_request_event", "external_pull_request_event",
	}
	privilegedTriggers = [...]string{
		"workflow_run", "issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch",
	}
)

// Warnings says what is unusual in an identity that matches a publisher, where
// neither the publisher nor a rule decided it. People and service accounts give
// none: only CI workflows say how they ran.
func (t Terms) Warnings(p Publisher, id Identity) []Warning {
	if id.SANKind != URIName || id.SourceRepository == "" {
		return nil
	}
	var warnings []Warning
	warn := func(code WarningCode, message string) {
		warnings = append(warnings, Warning{Code: code, Message: message})
	}
	branch, fromBranch := strings.CutPrefix(id.SourceRef, "refs/heads/")
	trigger := "signed in a run with the trigger " + quoteIfOdd(id.Trigger)
	refDecided := p.names(id.SourceRef) || t.decided(p, func(r Rule) bool { return len(r.Refs) > 0 || r.TagIsVersion })
	triggerDecided := t.decided(p, func(r Rule) bool { return len(r.Triggers) > 0 })
	switch {
	case slices.Contains(pullRequestTriggers[:], id.Trigger) && !triggerDecided:
		warn(WarnPullRequest, trigger+", which people outside the project can start")
	case isPullRequest(id.SourceRef) && !refDecided:
		warn(WarnPullRequest, "signed from the pull request "+quoteIfOdd(id.SourceRef)+", whose contents people outside the project can choose")
	case slices.Contains(privilegedTriggers[:], id.Trigger) && !triggerDecided:
		warn(WarnTrigger, trigger+", which people outside the project can start, with the project's rights")
	}
	if fromBranch && !refDecided {
		warn(WarnBranch, "signed from the branch "+quoteIfOdd(branch)+" and not from a tag, so what was built may not be a release")
	}
	if r := id.RunnerEnvironment; r != "" && r != hostedRunner(id.sourceRepository()) {
		warn(WarnRunner, "signed on the runner "+quoteIfOdd(r)+", which the host does not keep and others may have used")
	}
	return append(warnings, t.tagWarning(p, id.SourceRef, id.sourceRepository())...)
}

// ReleaseWarnings says what is unusual in a release that matches a publisher.
func (t Terms) ReleaseWarnings(p Publisher, r Release) []Warning {
	return t.tagWarning(p, "refs/tags/"+r.Tag, lower("github.com/"+r.Repository))
}

func (t Terms) tagWarning(p Publisher, ref, repository string) []Warning {
	tag, ok := strings.CutPrefix(ref, "refs/tags/")
	if !ok || len(t.Version) == 0 || p.ref == ref || t.decided(p, func(r Rule) bool { return r.TagIsVersion }) || t.tagFits(tag, repository) {
		return nil
	}
	return []Warning{{
		Code:    WarnTagVersion,
		Message: "signed at the tag " + quoteIfOdd(tag) + ", and the recipe's version is " + quoteIfOdd(anyOf(t.Version)),
	}}
}

// names tells whether the publisher names the ref itself, so that whoever wrote
// it has decided about it.
func (p Publisher) names(ref string) bool {
	return p.ref != "" && matchPattern(p.ref, ref) || p.url != nil && p.url.hasRef && p.url.ref == ref
}

// decided tells whether a rule about the publisher decides something.
func (t Terms) decided(p Publisher, by func(Rule) bool) bool {
	return slices.ContainsFunc(t.Rules, func(r Rule) bool { return r.speaksOf(p) && by(r) })
}

func isPullRequest(ref string) bool {
	return strings.HasPrefix(ref, "refs/pull/") || strings.HasPrefix(ref, "refs/merge-requests/")
}
