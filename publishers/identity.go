package publishers

import (
	"errors"
	"fmt"
	"strings"
)

// A NameKind is the kind of subject alternative name that a certificate
// carries its identity in (RFC 5280, 4.2.1.6).
type NameKind int

// The kinds of names that Fulcio issues.
const (
	URIName NameKind = iota + 1
	EmailName
	OtherName
)

// An Identity is what a certificate says about its holder. Package verify fills
// it from a certificate that it has verified; nothing here verifies it.
type Identity struct {
	SAN     string   // the only subject alternative name
	SANKind NameKind // where it stood: a URI and an e-mail address never stand for each other
	Issuer  string   // Fulcio extension .8, or .1 in old certificates
	// SourceRepository is the URI of the repository that was built (.12), and
	// SourceRef the ref that was (.14). Both are empty for people and service
	// accounts.
	SourceRepository string
	SourceRef        string
	// SourceRepositoryID and SourceOwnerID are the identifiers that the host
	// gave the repository (.15) and its owner (.17). Unlike names they are
	// never given again.
	SourceRepositoryID string
	SourceOwnerID      string
	BuildConfigURI     string // the workflow that was started, with its ref (.18)
	Trigger            string // what started it (.20): push, release, workflow_dispatch, …
	RunnerEnvironment  string // where it ran (.11): github-hosted, gitlab-hosted, self-hosted
	Environment        string // the deployment environment (.23)
}

// urlIdentity is a URL as Fulcio writes it into a SAN, taken apart.
type urlIdentity struct {
	scheme string
	host   string   // lower case
	path   []string // segments, original case; GitLab's empty one included
	ref    string   // after the "@", or ""
	hasRef bool
}

func hasHTTPScheme(s string) bool {
	l := lower(s)
	return strings.HasPrefix(l, "https://") || strings.HasPrefix(l, "http://")
}

// parseURLIdentity takes a SAN or an identity apart. Whatever could be read in
// two ways is refused: a certificate authority writes plain URLs, so anything
// else is somebody's attempt at being taken for another.
func parseURLIdentity(s string) (*urlIdentity, error) {
	scheme, rest, _ := strings.Cut(s, "://")
	u := &urlIdentity{scheme: lower(scheme)}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '%' || c == '?' || c == '#' {
			return nil, fmt.Errorf("holds the character %q", c)
		}
	}
	host, path, hasPath := strings.Cut(rest, "/")
	if host == "" {
		return nil, errors.New("names no host")
	}
	for i := range len(host) {
		if c := host[i]; !isAlnum(c) && c != '.' && c != '-' {
			return nil, fmt.Errorf("has the character %q in its host %q", c, clip(host))
		}
	}
	u.host = lower(host)
	if !hasPath || path == "" {
		return u, nil
	}
	path, u.ref, u.hasRef = cutRef(path)
	if u.hasRef && u.ref == "" {
		return nil, errors.New("ends in an empty ref")
	}
	u.path = strings.Split(strings.TrimSuffix(path, "/"), "/")
	doubles := 0
	for i, seg := range u.path {
		switch {
		case seg == "." || seg == "..":
			return nil, fmt.Errorf("has the path segment %q", seg)
		case seg == "" && i > 0 && i < len(u.path)-1:
			doubles++ // gitlab.com/group/project//.gitlab-ci.yml
		case seg == "":
			return nil, errors.New("has an empty path segment")
		}
	}
	if doubles > 1 || doubles == 1 && u.host == "github.com" {
		return nil, errors.New("has an empty path segment")
	}
	return u, nil
}

// cutRef splits "path@ref". A ref may hold "@" (refs/tags/@scope/pkg@1.0), and
// a file name too, so the first "@refs/" decides; without one, a commit after
// the last "@" is the ref.
func cutRef(s string) (path, ref string, ok bool) {
	if i := strings.Index(s, "@refs/"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// repository gives "host/owner/repo" in lower case for a URL of a known
// provider, and false if the URL does not name a repository there.
func (u *urlIdentity) repository(p provider) (string, bool) {
	path := u.path
	// GitLab separates the project from the configuration file by "//"; a
	// project's path has any number of segments, so nothing else tells where
	// it ends.
	for i, seg := range path {
		if seg == "" {
			path = path[:i]
			break
		}
	}
	if len(path) < p.minSegments {
		return "", false
	}
	if p.maxSegments == p.minSegments {
		path = path[:p.minSegments]
	}
	for _, seg := range path {
		if checkSegment(seg) != nil {
			return "", false
		}
	}
	return lower(u.host + "/" + strings.Join(path, "/")), true
}

// Repository gives "host/owner/repo" in lower case of the repository whose
// workflow or pipeline signed, or "" if the SAN names none on github.com or
// gitlab.com.
func (id Identity) Repository() string {
	if id.SANKind != URIName || !hasHTTPScheme(id.SAN) {
		return ""
	}
	u, err := parseURLIdentity(id.SAN)
	if err != nil {
		return ""
	}
	return u.providerRepository()
}

func (u *urlIdentity) providerRepository() string {
	prov, ok := providerOfHost(u.host)
	if !ok || u.scheme != "https" {
		return ""
	}
	repo, _ := u.repository(prov)
	return repo
}

// sourceRepository gives "host/owner/repo" in lower case of the repository that
// was built, or "" if the certificate names none that can be compared.
func (id Identity) sourceRepository() string {
	if !hasHTTPScheme(id.SourceRepository) {
		return ""
	}
	u, err := parseURLIdentity(id.SourceRepository)
	if err != nil || u.hasRef || u.scheme != "https" || len(u.path) == 0 {
		return ""
	}
	return lower(u.host + "/" + strings.Join(u.path, "/"))
}

// Publisher gives the shorthand that a recipe would name this identity by, or
// "identity (issuer)" where there is none. It is for messages and proposals.
func (id Identity) Publisher() string {
	repo := id.sourceRepository()
	if repo == "" {
		repo = id.Repository()
	}
	host, _, _ := strings.Cut(repo, "/")
	if prov, ok := providerOfHost(host); ok && id.Issuer == prov.issuer {
		text := id.SourceRepository
		if !strings.Contains(lower(text), repo) {
			text = id.SAN
		}
		return spelled(text, repo)
	}
	if id.Issuer == "" {
		return id.SAN
	}
	return id.SAN + " (" + id.Issuer + ")"
}

// spelled gives the shorthand of a repository "host/owner/repo" of a known
// provider, with the case that a text has it in, since people know their
// repositories by that spelling.
func spelled(text, repository string) string {
	host, path, _ := strings.Cut(repository, "/")
	prov, ok := providerOfHost(host)
	if !ok {
		return ""
	}
	if i := strings.Index(lower(text), repository); i >= 0 {
		path = text[i+len(host)+1 : i+len(repository)]
	}
	return prov.name + ":" + path
}
