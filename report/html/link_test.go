package html

import (
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/report"
)

func TestRepositoryLink(t *testing.T) {
	for _, row := range []struct{ name, uri, want string }{
		{"GitHub", "https://github.com/owner/repo.name", "https://github.com/owner/repo.name"},
		{"GitLab, nested", "https://gitlab.com/group/sub/repo", "https://gitlab.com/group/sub/repo"},
		{"a dot repository", "https://github.com/owner/.github", "https://github.com/owner/.github"},
		{"other host", "https://example.org/owner/repo", ""},
		{"host as a prefix", "https://github.com.example.org/owner/repo", ""},
		{"user information", "https://github.com@example.org/owner/repo", ""},
		{"no transport security", "http://github.com/owner/repo", ""},
		{"upper-case scheme", "HTTPS://github.com/owner/repo", ""},
		{"a scheme that runs", "javascript:alert(1)//https://github.com/owner/repo", ""},
		{"owner alone", "https://github.com/owner", ""},
		{"three parts", "https://github.com/owner/repo/tree", ""},
		{"up", "https://github.com/owner/..", ""},
		{"here", "https://github.com/./repo", ""},
		{"many dots", "https://github.com/owner/...", ""},
		{"empty part", "https://github.com//repo", ""},
		{"query", "https://github.com/owner/repo?x=1", ""},
		{"fragment", "https://github.com/owner/repo#x", ""},
		{"escape", "https://github.com/owner/%2e%2e", ""},
		{"quote", `https://github.com/owner/repo"onclick="x`, ""},
		{"line break", "https://github.com/owner/repo\n", ""},
		{"backslash", `https://github.com/owner\repo/x`, ""},
		{"GitLab's own separator", "https://gitlab.com/group/-/repo", ""},
		{"other letters", "https://github.com/öwner/repo", ""},
		{"nothing", "", ""},
	} {
		if got := repositoryLink(row.uri); got != row.want {
			t.Errorf("%s: %q gives %q, want %q", row.name, row.uri, got, row.want)
		}
	}
}

func TestCommitLink(t *testing.T) {
	sha1, sha256 := strings.Repeat("ab", 20), strings.Repeat("ab", 32)
	for _, row := range []struct{ name, repository, commit, want string }{
		{"GitHub", "https://github.com/o/r", sha1, "https://github.com/o/r/commit/" + sha1},
		{"GitLab", "https://gitlab.com/g/r", sha1, "https://gitlab.com/g/r/-/commit/" + sha1},
		{"SHA-256", "https://github.com/o/r", sha256, "https://github.com/o/r/commit/" + sha256},
		{"no digits", "https://github.com/o/r", "main", ""},
		{"too short", "https://github.com/o/r", sha1[:38], ""},
		{"more than digits", "https://github.com/o/r", sha1 + "/../x", ""},
		{"unknown host", "https://example.org/o/r", sha1, ""},
	} {
		if got := commitLink(row.repository, row.commit); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestRunLink(t *testing.T) {
	for _, row := range []struct {
		name, uri string
		linked    bool
	}{
		{"GitHub", "https://github.com/o/r/actions/runs/12/attempts/3", true},
		{"without an attempt", "https://github.com/o/r/actions/runs/12", true},
		{"GitLab", "https://gitlab.com/g/s/r/-/jobs/12", true},
		{"a page of GitHub that is no run", "https://github.com/o/r/actions/new", false},
		{"more after the run", "https://github.com/o/r/actions/runs/12/attempts/3/../../../..", false},
		{"query", "https://github.com/o/r/actions/runs/12?x", false},
		{"other host", "https://example.org/o/r/actions/runs/12", false},
		{"a repository called actions", "https://github.com/o/actions/actions/runs/12", false},
		{"no scheme", "github.com/o/r/actions/runs/12", false},
		{"a scheme that runs", "javascript:x/actions/runs/12", false},
	} {
		want := ""
		if row.linked {
			want = row.uri
		}
		if got := runLink(row.uri); got != want {
			t.Errorf("%s: %q gives %q", row.name, row.uri, got)
		}
	}
}

func TestLogLink(t *testing.T) {
	index := func(n int64) *int64 { return &n }
	const public = "https://search.sigstore.dev/?logIndex=12"
	for _, row := range []struct {
		name  string
		entry report.LogEntryDocument
		want  string
	}{
		{"public", report.LogEntryDocument{Index: index(12), Search: public}, public},
		{"no page", report.LogEntryDocument{Index: index(12)}, ""},
		{"no index", report.LogEntryDocument{Search: public}, ""},
		{"another index", report.LogEntryDocument{Index: index(13), Search: public}, ""},
		{"negative", report.LogEntryDocument{Index: index(-1), Search: "https://search.sigstore.dev/?logIndex=-1"}, ""},
		{"another page", report.LogEntryDocument{Index: index(12), Search: "https://example.org/?logIndex=12"}, ""},
	} {
		if got := logLink(row.entry); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestReleaseLink(t *testing.T) {
	for _, row := range []struct{ repository, tag, want string }{
		{"o/r", "v1.0", "https://github.com/o/r/releases/tag/v1.0"},
		{"o/r", "a/../../x?y#z", "https://github.com/o/r/releases/tag/a%2F..%2F..%2Fx%3Fy%23z"},
		{"o/r/x", "v1", ""},
		{"o/r", "", ""},
	} {
		if got := releaseLink(row.repository, row.tag); got != row.want {
			t.Errorf("%q %q gives %q, want %q", row.repository, row.tag, got, row.want)
		}
	}
}
