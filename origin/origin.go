package origin

import (
	"net/url"
	"strings"
)

// A Kind is where a file was published.
type Kind string

// The kinds of origins.
const (
	KindPyPI          Kind = "pypi"
	KindGitHubRelease Kind = "github-release" // an asset of a release
	KindGitHubArchive Kind = "github-archive" // made by GitHub from a commit
	KindGitLabArchive Kind = "gitlab-archive" // made by GitLab from a commit
	KindCrates        Kind = "crates"
	KindNPM           Kind = "npm"
	KindOther         Kind = "other"
)

// MaxAddress is the most bytes that an address may have; a longer one is of
// another origin.
const MaxAddress = 16 << 10

// An Origin is what an address says about where a file was published.
type Origin struct {
	Kind Kind
	Host string // the host in lower case, as the address has it; "" for KindOther
	// Owner, Repository and Tag are GitHub's and GitLab's, as the address spells
	// them; GitLab's Owner may hold slashes. Tag is "" where the address names
	// none: the latest release, a commit, a branch, or what may be either.
	Owner, Repository, Tag string
	Asset                  string // a release's file
	// Project, Version and File are those of a package index. PyPI's Project is
	// normalized. They are "" where the address lies on the index and names no
	// distribution.
	Project, Version, File string
}

// Of gives the origin of a file by its addresses, which are mirrors of each
// other: that of the first which has one.
func Of(addresses []string) Origin {
	for _, a := range addresses {
		if o := Parse(a); o.Kind != KindOther {
			return o
		}
	}
	return Origin{Kind: KindOther}
}

// Parse gives the origin that an address names. It never fails: what it cannot
// read is [KindOther].
func Parse(address string) Origin {
	host, path, ok := split(address)
	if !ok {
		return Origin{Kind: KindOther}
	}
	o := Origin{Kind: KindOther}
	switch host {
	case "pypi.org", "pypi.io", "files.pythonhosted.org":
		// Only these: evidence is derived for them and no others (draft CEP).
		o = parsePyPI(path)
	case "github.com", "www.github.com": // the second redirects to the first
		o = parseGitHub(path)
	case "codeload.github.com":
		o = parseCodeload(path)
	case "gitlab.com":
		o = parseGitLab(path)
	case "crates.io", "static.crates.io":
		o = parseCrates(path)
	case "registry.npmjs.org":
		o = parseNPM(path)
	}
	if o.Kind != KindOther {
		o.Host = host
	}
	return o
}

// split gives the host in lower case and the decoded segments of the path.
// Empty segments are left out, as servers do.
func split(address string) (host string, path []string, ok bool) {
	if len(address) > MaxAddress || strings.ContainsRune(address, '\\') {
		return "", nil, false
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", nil, false
	}
	switch {
	case u.Scheme == "https" && (u.Port() == "" || u.Port() == "443"):
	case u.Scheme == "http" && (u.Port() == "" || u.Port() == "80"):
	default:
		return "", nil, false
	}
	for _, raw := range strings.Split(u.EscapedPath(), "/") {
		if raw == "" {
			continue
		}
		seg, err := url.PathUnescape(raw)
		if err != nil || !plain(seg) {
			return "", nil, false
		}
		path = append(path, seg)
	}
	return strings.ToLower(u.Hostname()), path, true
}

// plain refuses a segment that a server could read as several, or as a way up.
// A slash in it is for the caller to judge, since a tag may hold one.
func plain(seg string) bool {
	for i := range len(seg) {
		if c := seg[i]; c < ' ' || c == 0x7f || c == '\\' {
			return false
		}
	}
	for _, part := range strings.Split(seg, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

func anySlash(path []string) bool {
	for _, seg := range path {
		if strings.Contains(seg, "/") {
			return true
		}
	}
	return false
}
