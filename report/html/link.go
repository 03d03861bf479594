package html

import (
	"encoding/hex"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/recipe-verify/recipe-verify/report"
)

// The addresses that the page links to are put together here from parts of
// verified content, each checked; an address that the document holds ready is
// compared with what it must be. Whatever is not recognized stays text. A report
// that is converted comes from a file that anybody may have written, so nothing
// in it is trusted to be an address.

const (
	logSearch = "https://search.sigstore.dev/?logIndex="
	gitHub    = "https://github.com/"
	gitLab    = "https://gitlab.com/"
)

// pathPart is a segment of a path that needs no escaping. It starts with a
// letter, digit or underscore, or a dot or dash that something follows, so
// "." and ".." are none.
var pathPart = regexp.MustCompile(`^(?:[A-Za-z0-9_]|[.-][A-Za-z0-9_-])[A-Za-z0-9_.-]*$`)

// repositoryLink gives the address of a repository on GitHub or GitLab, without
// a slash at its end, or "".
func repositoryLink(uri string) string {
	for _, forge := range []struct {
		host     string
		min, max int // path segments
	}{{gitHub, 2, 2}, {gitLab, 2, 20}} {
		path, ok := strings.CutPrefix(uri, forge.host)
		if !ok {
			continue
		}
		parts := strings.Split(path, "/")
		if len(parts) < forge.min || len(parts) > forge.max {
			return ""
		}
		for _, p := range parts {
			if !pathPart.MatchString(p) || p == "-" {
				return ""
			}
		}
		return forge.host + path
	}
	return ""
}

// commitLink gives the address of a commit, or "".
func commitLink(repository, commit string) string {
	repository = repositoryLink(repository)
	if raw, err := hex.DecodeString(commit); err != nil || len(raw) != 20 && len(raw) != 32 || repository == "" {
		return ""
	}
	if strings.HasPrefix(repository, gitLab) {
		return repository + "/-/commit/" + commit
	}
	return repository + "/commit/" + commit
}

var (
	gitHubRun = regexp.MustCompile(`^/actions/runs/[0-9]{1,20}(?:/attempts/[0-9]{1,9})?$`)
	gitLabRun = regexp.MustCompile(`^/-/(?:jobs|pipelines)/[0-9]{1,20}$`)
)

// runLink gives the address of the run that signed, or "".
func runLink(uri string) string {
	for _, forge := range []struct {
		host, separator string
		run             *regexp.Regexp
	}{{gitHub, "/actions/", gitHubRun}, {gitLab, "/-/", gitLabRun}} {
		i := strings.Index(uri, forge.separator)
		if i < 0 || !strings.HasPrefix(uri, forge.host) {
			continue
		}
		if repositoryLink(uri[:i]) != "" && forge.run.MatchString(uri[i:]) {
			return uri
		}
	}
	return ""
}

// logLink gives the address of a log entry's page, or "" for logs that have
// none.
func logLink(e report.LogEntryDocument) string {
	if e.Index == nil || *e.Index < 0 {
		return ""
	}
	if address := logSearch + strconv.FormatInt(*e.Index, 10); e.Search == address {
		return address
	}
	return ""
}

// releaseLink gives the address of a release on GitHub, or "".
func releaseLink(repository, tag string) string {
	repository = repositoryLink(gitHub + repository)
	if repository == "" || tag == "" {
		return ""
	}
	return repository + "/releases/tag/" + url.PathEscape(tag)
}
