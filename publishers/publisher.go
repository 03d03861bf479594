package publishers

import (
	"errors"
	"fmt"
	"strings"
)

// Issuers of the providers that have a shorthand.
const (
	GitHubIssuer = "https://token.actions.githubusercontent.com"
	GitLabIssuer = "https://gitlab.com"
)

// MaxLength is the most bytes that a publisher may be written with.
const MaxLength = 2048

// A provider is a code host whose publishers have a shorthand.
type provider struct {
	name, host, issuer string
	// segments is the least and the most path segments of a repository.
	minSegments, maxSegments int
}

func providerNamed(name string) (provider, bool) {
	switch name {
	case "github":
		return provider{"github", "github.com", GitHubIssuer, 2, 2}, true
	case "gitlab":
		return provider{"gitlab", "gitlab.com", GitLabIssuer, 2, 21}, true
	}
	return provider{}, false
}

// A Publisher is somebody who may have signed a source archive. Values come
// from [Parse] and [New]; the zero value matches nobody.
type Publisher struct {
	issuer string
	// repository is host and path in lower case, "github.com/owner/repo", for
	// publishers that are a repository or something below one.
	repository string
	// ref is the pattern that the ref has to match, "" for any.
	ref string
	// url is a URL identity taken apart; nil for shorthands and other
	// identities.
	url *urlIdentity
	// exact is an identity that is no URL, such as an e-mail address.
	exact string
	text  string
}

// String gives the publisher as it was written: a shorthand, or
// "identity (issuer)".
func (p Publisher) String() string { return p.text }

// Issuer is the OpenID Connect issuer that the certificate must name, exactly.
func (p Publisher) Issuer() string { return p.issuer }

// Repository is "host/path" in lower case of the repository that the publisher
// is, or "" when it is not a repository of GitHub or GitLab.
func (p Publisher) Repository() string { return p.repository }

// Ref is the pattern that the ref must match, or "" when any ref will do.
func (p Publisher) Ref() string { return p.ref }

// host is the host that the publisher's identities lie on, lower case, or "".
func (p Publisher) host() string {
	if p.repository != "" {
		host, _, _ := strings.Cut(p.repository, "/")
		return host
	}
	if p.url != nil {
		return p.url.host
	}
	return ""
}

// IsZero tells whether p is the zero value, which matches nobody.
func (p Publisher) IsZero() bool { return p.issuer == "" }

// A SyntaxError says why a publisher could not be read. Its message carries no
// position; whoever knows the file adds it.
type SyntaxError struct {
	Text    string // what was found
	Problem string // what is wrong with it, without a position
	Mend    string // what to write, or ""
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("publisher %q %s", clip(e.Text), e.Problem)
}

// Hint says what to write instead, or "".
func (e *SyntaxError) Hint() string { return e.Mend }

const shorthandHint = "write github:owner/repo, gitlab:group/project, or a mapping with identity and issuer"

// Parse reads a shorthand: provider, ":", the repository's path and optionally
// "@" and a ref, split at the first ":", the first "/" and the first "@" (draft
// CEP). The ref is a full ref such as refs/tags/v1.2.0 or the hexadecimal
// identifier of a commit; "*" in it stands for any run of characters other than
// "/". Errors are of type *[SyntaxError].
func Parse(s string) (Publisher, error) {
	fail := func(mend, format string, a ...any) (Publisher, error) {
		return Publisher{}, &SyntaxError{Text: s, Problem: fmt.Sprintf(format, a...), Mend: mend}
	}
	if strings.TrimSpace(s) == "" {
		return fail(shorthandHint, "is empty")
	}
	if len(s) > MaxLength {
		return fail(shorthandHint, "is longer than %d bytes", MaxLength)
	}
	name, rest, ok := strings.Cut(s, ":")
	if !ok {
		return fail(shorthandHint, "names no provider before a \":\"")
	}
	prov, ok := providerNamed(name)
	if !ok {
		if strings.HasPrefix(rest, "//") {
			return fail("write a mapping: {identity: "+s+", issuer: …}", "is a URL; its issuer is missing")
		}
		return fail("known providers are github and gitlab; for others write a mapping with identity and issuer",
			"has the unknown provider %q", clip(name))
	}
	path, ref, hasRef := strings.Cut(rest, "@")
	segments := strings.Split(path, "/")
	if len(segments) < prov.minSegments || len(segments) > prov.maxSegments {
		return fail("write "+prov.example(), "does not name one repository of %s", prov.host)
	}
	for _, seg := range segments {
		if err := checkSegment(seg); err != nil {
			return fail("write "+prov.example(), "has %v", err)
		}
	}
	if hasRef {
		if err := checkRefPattern(ref); err != nil {
			mend := "write the whole ref, for example " + name + ":" + path + "@refs/tags/v1.0"
			if ref != "" && !strings.ContainsAny(ref, "/ ") {
				mend = "write " + name + ":" + path + "@refs/tags/" + ref + " for a tag, or @refs/heads/" + ref + " for a branch"
			}
			return fail(mend, "has %v", err)
		}
	}
	return Publisher{
		issuer:     prov.issuer,
		repository: lower(prov.host + "/" + path),
		ref:        ref,
		text:       s,
	}, nil
}

func (p provider) example() string {
	if p.name == "gitlab" {
		return "gitlab:group/project or gitlab:group/subgroup/project"
	}
	return p.name + ":owner/repo"
}

// New makes a publisher of a certificate identity and its issuer. The issuer is
// compared exactly. An identity that is an https or http URL is compared by its
// parts, without regard to case up to a ref, and stands for everything below
// it; on github.com and gitlab.com it must name a repository, and with a ref and
// no workflow it stands for every workflow of the repository at exactly that
// ref, as a shorthand does. Any other
// identity, such as an e-mail address, is compared exactly. Errors are of type
// *[SyntaxError].
func New(identity, issuer string) (Publisher, error) {
	fail := func(mend, format string, a ...any) (Publisher, error) {
		return Publisher{}, &SyntaxError{Text: identity, Problem: fmt.Sprintf(format, a...), Mend: mend}
	}
	const both = "give both: {identity: …, issuer: …}"
	switch {
	case strings.TrimSpace(identity) == "":
		return fail(both, "has an empty identity")
	case strings.TrimSpace(issuer) == "":
		return fail(both, "has no issuer")
	case len(identity) > MaxLength || len(issuer) > MaxLength:
		return fail("", "is longer than %d bytes", MaxLength)
	case strings.TrimSpace(identity) != identity || strings.TrimSpace(issuer) != issuer:
		return fail("remove the white space", "has white space around its identity or issuer")
	}
	p := Publisher{issuer: issuer, text: identity + " (" + issuer + ")"}
	if !hasHTTPScheme(identity) {
		p.exact = identity
		return p, nil
	}
	u, err := parseURLIdentity(identity)
	if err != nil {
		return fail("write it as it stands in certificates: https://host/owner/repo, or with the workflow and ref",
			"is a URL that %v", err)
	}
	if prov, known := providerOfHost(u.host); known {
		repo, ok := u.repository(prov)
		if !ok {
			return fail("name a repository: https://"+u.host+"/owner/repo", "names no repository of %s", u.host)
		}
		p.repository = repo
		if u.hasRef {
			if err := checkRefPattern(u.ref); err != nil {
				return fail("write the whole ref as it stands in certificates: @refs/tags/… or @refs/heads/…", "has %v", err)
			}
			if strings.Contains(u.ref, "*") {
				return fail("write a shorthand for a pattern: "+spelled(identity, repo)+"@"+u.ref, "has a \"*\" in its ref, which is compared exactly")
			}
			if len(u.path) == strings.Count(repo, "/") {
				p.ref = u.ref
			}
		}
	}
	p.url = u
	return p, nil
}

func providerOfHost(host string) (provider, bool) {
	for _, name := range []string{"github", "gitlab"} {
		if p, _ := providerNamed(name); p.host == host {
			return p, true
		}
	}
	return provider{}, false
}

// checkHost accepts the plain name of a host in lower case.
func checkHost(host string) error {
	if host == "" || host[0] == '.' || host[len(host)-1] == '.' || strings.Contains(host, "..") {
		return fmt.Errorf("names the host %q, which is no host", clip(host))
	}
	for i := range len(host) {
		if c := host[i]; !isAlnum(c) && c != '.' && c != '-' {
			return fmt.Errorf("has the character %q in its host %q", c, clip(host))
		}
	}
	return nil
}

// checkSegment accepts what GitHub and GitLab allow in the name of an owner, a
// group or a repository.
func checkSegment(s string) error {
	switch {
	case s == "":
		return errors.New("an empty part between its slashes")
	case s == "." || s == "..":
		return fmt.Errorf("the part %q, which is no name", s)
	}
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return fmt.Errorf("the part %q; names hold letters, digits, \"-\", \"_\" and \".\"", clip(s))
		}
	}
	return nil
}

// checkRefPattern accepts a full ref, with "*" allowed, or a commit.
func checkRefPattern(ref string) error {
	if ref == "" {
		return errors.New("an empty ref after \"@\"")
	}
	for i := range len(ref) {
		if c := ref[i]; c <= ' ' || c == 0x7f {
			return errors.New("a space or control character in its ref")
		}
	}
	if isCommit(ref) {
		return nil
	}
	parts := strings.Split(ref, "/")
	if parts[0] != "refs" || len(parts) < 3 {
		return fmt.Errorf("the ref %q, which is neither a full ref (refs/tags/…, refs/heads/…) nor a commit", clip(ref))
	}
	for _, p := range parts {
		if p == "" {
			return fmt.Errorf("an empty part in its ref %q", clip(ref))
		}
	}
	return nil
}

func isCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// lower folds ASCII letters only, byte by byte, so that the text keeps its
// length. Unicode folding would make the Kelvin sign a k; names that may be
// compared are ASCII, so nothing else needs folding.
func lower(s string) string {
	folded := []byte(s)
	for i, c := range folded {
		if c >= 'A' && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// clip keeps a hostile text from flooding a message.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
