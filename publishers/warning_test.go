package publishers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/publishers"
)

func TestWarnings(t *testing.T) {
	tagged := complete("pallets/flask", "refs/tags/3.1.1")
	branch := complete("pallets/flask", "refs/heads/main")
	pull := complete("pallets/flask", "refs/pull/7/merge")
	change := func(id publishers.Identity, f func(*publishers.Identity)) publishers.Identity { return with(id, f) }
	trigger := func(id publishers.Identity, s string) publishers.Identity {
		return change(id, func(id *publishers.Identity) { id.Trigger = s })
	}
	commit := strings.Repeat("ab", 20)
	rule := func(r publishers.Rule) []publishers.Rule {
		r.Publishers = patterns(t, "github:pallets/*")
		return []publishers.Rule{r}
	}
	for _, c := range []struct {
		name, publisher string
		terms           publishers.Terms
		id              publishers.Identity
		want            []publishers.WarningCode
	}{
		{"a release", "github:pallets/flask", publishers.Terms{Version: []string{"3.1.1"}}, tagged, nil},
		{"branch", "github:pallets/flask", publishers.Terms{}, branch, []publishers.WarningCode{"signed-from-branch"}},
		{"branch that the publisher names", "github:pallets/flask@refs/heads/main", publishers.Terms{}, branch, nil},
		{"branch that a rule allows", "github:pallets/flask", publishers.Terms{Rules: rule(publishers.Rule{Refs: []string{"refs/heads/main"}})}, branch, nil},
		{"branch, and a rule about something else", "github:pallets/flask", publishers.Terms{Rules: rule(publishers.Rule{HostedOnly: true})}, branch, []publishers.WarningCode{"signed-from-branch"}},
		{"branch, and a rule about somebody else", "github:a/b", publishers.Terms{Rules: rule(publishers.Rule{Refs: []string{"refs/heads/*"}})}, complete("a/b", "refs/heads/main"), []publishers.WarningCode{"signed-from-branch"}},
		{"branch, and a publisher that names the workflow's commit", "github:pallets/flask@" + commit, publishers.Terms{}, change(branch, func(id *publishers.Identity) {
			id.SAN = "https://github.com/pallets/flask/.github/workflows/release.yml@" + commit
		}), []publishers.WarningCode{"signed-from-branch"}},
		{"pull request, and a rule about something else", "github:pallets/flask", publishers.Terms{Rules: rule(publishers.Rule{HostedOnly: true})}, trigger(pull, "pull_request"), []publishers.WarningCode{"signed-from-pull-request"}},
		{"pull request", "github:pallets/flask", publishers.Terms{}, trigger(pull, "pull_request"), []publishers.WarningCode{"signed-from-pull-request"}},
		{"ref of a pull request", "github:pallets/flask", publishers.Terms{}, trigger(pull, "workflow_dispatch"), []publishers.WarningCode{"signed-from-pull-request"}},
		{"pull_request_target", "github:pallets/flask", publishers.Terms{}, trigger(branch, "pull_request_target"), []publishers.WarningCode{"signed-from-pull-request", "signed-from-branch"}},
		{"pull_request_target that a rule allows", "github:pallets/flask", publishers.Terms{Rules: rule(publishers.Rule{Triggers: []string{"pull_request_target"}, Refs: []string{"refs/heads/*"}})}, trigger(branch, "pull_request_target"), nil},
		{"merge request", "github:pallets/flask", publishers.Terms{}, trigger(tagged, "merge_request_event"), []publishers.WarningCode{"signed-from-pull-request"}},
		{"comment", "github:pallets/flask", publishers.Terms{}, trigger(tagged, "issue_comment"), []publishers.WarningCode{"privileged-trigger"}},
		{"workflow_run", "github:pallets/flask", publishers.Terms{}, trigger(branch, "workflow_run"), []publishers.WarningCode{"privileged-trigger", "signed-from-branch"}},
		{"workflow_run that a rule allows", "github:pallets/flask", publishers.Terms{Rules: rule(publishers.Rule{Triggers: []string{"workflow_run"}})}, trigger(tagged, "workflow_run"), nil},
		{"self-hosted", "github:pallets/flask", publishers.Terms{}, change(tagged, func(id *publishers.Identity) { id.RunnerEnvironment = "self-hosted" }), []publishers.WarningCode{"self-hosted-runner"}},
		{"runner not said", "github:pallets/flask", publishers.Terms{}, change(tagged, func(id *publishers.Identity) { id.RunnerEnvironment = "" }), nil},
		{"tag of another version", "github:pallets/flask", publishers.Terms{Version: []string{"3.1.2"}}, tagged, []publishers.WarningCode{"tag-version"}},
		{"tag of one of the versions", "github:pallets/flask", publishers.Terms{Version: []string{"3.1.2", "3.1.1"}}, tagged, nil},
		{"tag that the publisher names", "github:pallets/flask@refs/tags/3.1.1", publishers.Terms{Version: []string{"3.1.2"}}, tagged, nil},
		{"tag that the publisher's pattern fits", "github:pallets/flask@refs/tags/3.*", publishers.Terms{Version: []string{"3.1.2"}}, tagged, []publishers.WarningCode{"tag-version"}},
		{"tag with a package's name", "github:pallets/flask", publishers.Terms{Version: []string{"3.1.1"}, Packages: []string{"flask-core"}}, complete("pallets/flask", "refs/tags/flask-core/v3.1.1"), nil},
		{"version unknown", "github:pallets/flask", publishers.Terms{}, tagged, nil},
		{"all at once", "github:pallets/flask", publishers.Terms{}, change(trigger(branch, "pull_request_target"), func(id *publishers.Identity) { id.RunnerEnvironment = "self-hosted" }), []publishers.WarningCode{"signed-from-pull-request", "signed-from-branch", "self-hosted-runner"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := publisher(t, c.publisher)
			if err := c.terms.Match(p, c.id); err != nil {
				t.Fatalf("the identity is not the publisher's: %v", err)
			}
			var got []publishers.WarningCode
			for _, w := range c.terms.Warnings(p, c.id) {
				got = append(got, w.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoWarningsAboutPeople(t *testing.T) {
	const issuer = "https://accounts.google.com"
	odd := publishers.Identity{SourceRef: "refs/heads/main", Trigger: "pull_request", RunnerEnvironment: "self-hosted", Issuer: issuer}
	mail := with(odd, func(id *publishers.Identity) {
		id.SAN, id.SANKind, id.SourceRepository = "a@example.org", publishers.EmailName, "https://github.com/a/b"
	})
	account := with(odd, func(id *publishers.Identity) { id.SAN, id.SANKind = "spiffe://example.org/ci", publishers.URIName })
	for _, id := range []publishers.Identity{mail, account} {
		if got := (publishers.Terms{Version: []string{"1"}}).Warnings(mapping(t, id.SAN, id.Issuer), id); len(got) > 0 {
			t.Errorf("%s: found %v", id.SAN, got)
		}
	}
}

// A mapping that names the ref has decided about it.
func TestNoWarningAboutARefOfAMapping(t *testing.T) {
	id := complete("pallets/flask", "refs/heads/main")
	named := mapping(t, id.SAN, id.Issuer)
	if got := (publishers.Terms{}).Warnings(named, id); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	unnamed := mapping(t, "https://github.com/pallets/flask/.github/workflows/release.yml", id.Issuer)
	if got := (publishers.Terms{}).Warnings(unnamed, id); len(got) != 1 || got[0].Code != publishers.WarnBranch {
		t.Errorf("found %v, wanted a warning of the branch", got)
	}
}

func TestReleaseWarnings(t *testing.T) {
	p := publisher(t, "github:jdx/communique")
	terms := publishers.Terms{Version: []string{"0.1.9"}}
	if got := terms.ReleaseWarnings(p, publishers.Release{Repository: "jdx/communique", Tag: "v0.1.9"}); len(got) > 0 {
		t.Errorf("found %v for a tag that fits", got)
	}
	got := terms.ReleaseWarnings(p, publishers.Release{Repository: "jdx/communique", Tag: "v0.1.8"})
	want := []publishers.Warning{{Code: "tag-version", Message: "signed at the tag v0.1.8, and the recipe's version is 0.1.9"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWarningsQuoteForeignText(t *testing.T) {
	const hostile = "\x1b[31m\u202e::error::"
	id := complete("a/b", "refs/heads/"+hostile)
	id.RunnerEnvironment = hostile
	pull := complete("a/b", "refs/pull/"+hostile)
	tag := complete("a/b", "refs/tags/"+hostile)
	terms := publishers.Terms{Version: []string{hostile + "2"}}
	p := publisher(t, "github:a/b")
	var all []publishers.Warning
	for _, id := range []publishers.Identity{id, pull, tag} {
		all = append(all, terms.Warnings(p, id)...)
	}
	if len(all) != 4 {
		t.Fatalf("found %d warnings, wanted 4: %v", len(all), all)
	}
	for _, w := range all {
		for _, r := range w.Message {
			if r < ' ' || r > '~' {
				t.Errorf("%s: the message %q holds %q", w.Code, w.Message, r)
			}
		}
	}
}
