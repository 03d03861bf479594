package origin

import "strings"

// A Repository is where a project's code is kept on a forge. Forges take no heed
// of case in either part, so compare with [Repository.Is].
type Repository struct {
	Host string // in lower case, such as "github.com"
	// Path is "owner/repository", and on GitLab as many groups as there are, as
	// the address spells them.
	Path string
}

// IsZero tells whether r is no repository.
func (r Repository) IsZero() bool { return r == Repository{} }

// Is tells whether two repositories are the same by their names.
func (r Repository) Is(other Repository) bool {
	return !r.IsZero() && r.Host == other.Host && strings.EqualFold(r.Path, other.Path)
}

// String gives "host/path", or "".
func (r Repository) String() string {
	if r.IsZero() {
		return ""
	}
	return r.Host + "/" + r.Path
}

// RepositoryOf gives the repository that an address of a forge names: of its
// pages, its archives and assets, and what lies in it; owner.github.io/name names
// owner/name. It reports false for anything else, and for names that no forge
// gives. An address may have been written by anybody: that it names a repository
// says nothing about who owns it.
func RepositoryOf(address string) (Repository, bool) {
	for _, prefix := range [...]string{"git+", "scm:git:"} {
		address = strings.TrimPrefix(address, prefix)
	}
	host, path, ok := split(address)
	if !ok || len(path) == 0 {
		return Repository{}, false
	}
	switch host {
	case "www.github.com", "codeload.github.com", "raw.githubusercontent.com":
		host = "github.com"
	case "api.github.com":
		if path[0] != "repos" {
			return Repository{}, false
		}
		host, path = "github.com", path[1:]
	case "gitlab.com":
		return gitLabProject(host, path)
	case "github.com", "codeberg.org", "bitbucket.org":
	default:
		owner, ok := strings.CutSuffix(host, ".github.io")
		if !ok {
			return Repository{}, false
		}
		host, path = "github.com", append([]string{owner}, path...)
	}
	if len(path) < 2 {
		return Repository{}, false
	}
	owner, name := path[0], strings.TrimSuffix(path[1], ".git")
	if !isOwner(owner) || !isRepository(name) || host == "github.com" && reserved(owner) {
		return Repository{}, false
	}
	return Repository{host, owner + "/" + name}, true
}

// gitLabProject reads group/…/project, up to what stands after "-".
func gitLabProject(host string, path []string) (Repository, bool) {
	for i, seg := range path {
		if seg == "-" {
			path = path[:i]
			break
		}
	}
	if len(path) < 2 || len(path) > 21 { // GitLab nests groups 20 deep
		return Repository{}, false
	}
	last := len(path) - 1
	path[last] = strings.TrimSuffix(path[last], ".git")
	for _, seg := range path {
		if !isRepository(seg) {
			return Repository{}, false
		}
	}
	return Repository{host, strings.Join(path, "/")}, true
}

// reserved are GitHub's own pages, in whose addresses no owner stands.
func reserved(owner string) bool {
	switch strings.ToLower(owner) {
	case "orgs", "users", "sponsors", "marketplace", "topics", "apps", "settings", "features", "collections", "about":
		return true
	}
	return false
}

func isOwner(s string) bool { return s != "" && len(s) <= 100 && isWord(s, "-_") && s[0] != '-' }

func isRepository(s string) bool {
	return s != "" && len(s) <= 255 && s != "." && s != ".." && isWord(s, "-_.")
}

// isWord tells whether s has ASCII letters, digits and the given characters only.
func isWord(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
				return false
			}
		}
	}
	return true
}
