package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Mirror says where URLs that begin with From are fetched instead. A URL that
// a mirror covers is fetched from that mirror and from nowhere else. Which
// URL a verdict is about does not change.
type Mirror struct {
	// From is the beginning of URLs, http:// or https:// at least. It ends
	// where a part of the URL ends: https://pypi.org does not cover
	// https://pypi.org.example, nor does …/a cover …/ab.
	From string
	// To is an http(s) address, to which the rest of the URL is appended, or a
	// folder, below which https://host/path?query is the file host/path,
	// whatever From is.
	To string
}

// ParseMirror reads "FROM=TO". The first "=" separates the two, so TO may hold
// others; FROM may not, and can be cut short before one, being a prefix.
func ParseMirror(s string) (Mirror, error) {
	from, to, ok := strings.Cut(s, "=")
	if !ok {
		return Mirror{}, fmt.Errorf("found %q, wanted FROM=TO, for example https://pypi.org=/srv/mirror", hideAfter(s))
	}
	return NewMirror(from, to)
}

// NewMirror makes a mirror of its two parts, either of which may hold "=".
func NewMirror(from, to string) (Mirror, error) {
	m := Mirror{From: from, To: to}
	if err := m.check(); err != nil {
		return Mirror{}, err
	}
	return m, nil
}

// hideAfter keeps what may be a password out of a message.
func hideAfter(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return redacted + s[i:]
	}
	return s
}

// check says what is wrong with a mirror; the fields may have been set by hand.
func (m Mirror) check() error {
	if _, err := m.prefix(); err != nil {
		return err
	}
	switch {
	case m.To == "":
		return fmt.Errorf("found no TO for the mirror of %q, wanted an http(s) address or a folder", m.From)
	case strings.ContainsRune(m.To, 0):
		return fmt.Errorf("found a zero byte in TO, wanted an http(s) address or a folder")
	case !m.remote():
		_, err := m.folder()
		return err
	}
	to, err := url.Parse(m.To)
	if err != nil || to.Host == "" || asciiHost(to) != nil {
		return fmt.Errorf("found the mirror address %q, wanted http(s)://host/path", hideAfter(m.To))
	}
	if to.RawQuery != "" || to.ForceQuery || strings.Contains(m.To, "#") {
		return fmt.Errorf("found the mirror address %q, wanted one without query and fragment", redactURL(to))
	}
	return nil
}

func (m Mirror) remote() bool {
	scheme, _, ok := strings.Cut(m.To, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// folder gives the path of a mirror that is a folder.
func (m Mirror) folder() (string, error) {
	if len(m.To) >= 5 && strings.EqualFold(m.To[:5], "file:") {
		u, err := url.Parse(m.To)
		if err != nil {
			return "", fmt.Errorf("found the mirror folder %q, wanted a path or file:///path", m.To)
		}
		return filePath(u)
	}
	if scheme, _, ok := strings.Cut(m.To, "://"); ok && !strings.ContainsAny(scheme, `/\.`) {
		return "", fmt.Errorf("found the mirror %q, wanted an http(s) address or a folder", hideAfter(m.To))
	}
	return m.To, nil
}

// prefix gives From in the form that canonicalURL gives URLs.
func (m Mirror) prefix() (string, error) {
	scheme, rest, ok := strings.Cut(m.From, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return "", fmt.Errorf("found FROM %q, wanted the beginning of an address: http://… or https://…", hideAfter(m.From))
	}
	if rest == "" {
		return scheme + "://", nil
	}
	u, err := url.Parse(m.From)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(m.From, "?#") || asciiHost(u) != nil {
		return "", fmt.Errorf("found FROM %q, wanted scheme://host/path without userinfo, query and fragment", hideAfter(m.From))
	}
	return canonicalURL(u), nil
}

// canonicalURL writes a URL so that prefixes can be compared (RFC 3986, section
// 6.2.2): scheme and host in lower case, no default port, no empty path, no
// escapes of characters that need none; no userinfo, no fragment.
func canonicalURL(u *url.URL) string {
	path := unescapeUnreserved(u.EscapedPath())
	if path == "" {
		path = "/"
	}
	s := strings.ToLower(u.Scheme) + "://" + canonicalHost(u) + path
	if u.RawQuery != "" || u.ForceQuery {
		s += "?" + u.RawQuery
	}
	return s
}

// unescapeUnreserved decodes the escapes of letters, digits and -_~ in a valid
// escaped path. The full stop is left alone: dot segments are for segments to
// find.
func unescapeUnreserved(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			s, err := url.PathUnescape(path[i : i+3])
			if err == nil && len(s) == 1 && unreserved(s[0]) {
				b.WriteString(s)
			} else {
				b.WriteString(strings.ToUpper(path[i : i+3]))
			}
			i += 2
			continue
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_~", c) >= 0
}

// canonicalHost gives host and port in lower case, without the port that the
// scheme implies and without the full stop that ends an absolute name.
func canonicalHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	scheme := strings.ToLower(u.Scheme)
	if p := u.Port(); p == "" || scheme == "http" && p == "80" || scheme == "https" && p == "443" {
		host = strings.TrimSuffix(host, ":"+p)
	}
	return plainHost(host)
}

// covers gives what follows the mirror's prefix in a URL of the same form.
func covers(prefix, canonical string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(canonical, prefix)
	if !ok {
		return "", false
	}
	if rest == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/' || rest[0] == '?' {
		return rest, true
	}
	return "", false
}

// place is where a URL is fetched from: a remote address, or a file, which
// lies below a root unless the URL itself is a file: URL.
type place struct {
	remote   *url.URL
	mirrored bool
	root     string
	file     string
}

// placeError says that a URL has no place below a mirror, or among files.
type placeError struct{ found, wanted string }

func (e *placeError) Error() string { return "found " + e.found + ", wanted " + e.wanted }

// refusedPlace makes an error of locate one of the package's.
func refusedPlace(asked, target string, err error) *RefusedError {
	var p *placeError
	if errors.As(err, &p) {
		return &RefusedError{URL: asked, Target: target, Found: p.found, Wanted: p.wanted}
	}
	return &RefusedError{URL: asked, Target: target, Found: "a malformed mirror: " + err.Error(), Wanted: "FROM=TO", hint: "correct --mirror"}
}

// locate finds where a URL is fetched from. The mirror with the longest From
// wins, the first of equals.
func locate(mirrors []Mirror, u *url.URL) (place, error) {
	if u.Scheme == "file" {
		path, err := filePath(u)
		return place{file: path}, err
	}
	best, length, rest := -1, 0, ""
	for i, m := range mirrors {
		prefix, err := m.prefix()
		if err != nil {
			return place{}, err
		}
		if r, ok := covers(prefix, canonicalURL(u)); ok && len(prefix) > length {
			best, length, rest = i, len(prefix), r
		}
	}
	if best < 0 {
		return place{remote: u}, nil
	}
	m := mirrors[best]
	if err := m.check(); err != nil {
		return place{}, err
	}
	if m.remote() {
		return m.remotePlace(u, rest)
	}
	root, err := m.folder()
	if err != nil {
		return place{}, err
	}
	file, err := folderPath(u)
	return place{mirrored: true, root: root, file: file}, err
}

func (m Mirror) remotePlace(u *url.URL, rest string) (place, error) {
	// What lies beside the mirror's folder is not the mirror.
	if _, err := segments(u); err != nil {
		return place{}, err
	}
	to := strings.TrimSuffix(m.To, "/")
	if !strings.HasPrefix(rest, "?") {
		if rest = strings.TrimPrefix(rest, "/"); rest != "" || strings.HasSuffix(m.To, "/") {
			to += "/"
		}
	}
	target, err := url.Parse(to + rest)
	if err != nil || asciiHost(target) != nil {
		return place{}, &placeError{"a path that makes no address below the mirror " + strconv.Quote(hideAfter(m.To)), "one that does"}
	}
	return place{remote: target, mirrored: true}, nil
}

// folderPath gives the relative path, with slashes, of a URL below a folder
// mirror: host/path. A port that the scheme does not imply is part of the
// host. The result is local in the sense of filepath.IsLocal.
func folderPath(u *url.URL) (string, error) {
	host := strings.Trim(canonicalHost(u), "[]")
	if host == "" || host == "." || host == ".." || strings.ContainsAny(host, "/\\\x00%") {
		return "", &placeError{fmt.Sprintf("the host %q", host), "one that can be the name of a folder"}
	}
	parts, err := segments(u)
	if err != nil {
		return "", err
	}
	name := strings.Join(append([]string{host}, parts...), "/")
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", &placeError{fmt.Sprintf("the path %q", name), "one that stays below the mirror"}
	}
	return name, nil
}

// segments gives the decoded segments of a URL's path, empty ones dropped. A
// segment that would lead elsewhere once decoded (.., an encoded slash or
// backslash) is an error.
func segments(u *url.URL) ([]string, error) {
	var parts []string
	for _, raw := range strings.Split(u.EscapedPath(), "/") {
		part, err := url.PathUnescape(raw)
		if err != nil {
			return nil, &placeError{fmt.Sprintf("the path segment %q", raw), "valid percent-encoding"}
		}
		if part == "." || part == ".." || strings.ContainsAny(part, "/\\\x00") {
			return nil, &placeError{fmt.Sprintf("the path segment %q", raw), "one that stays below the mirror"}
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// filePath gives the path that a file: URL names (RFC 8089).
func filePath(u *url.URL) (string, error) {
	if u.Host != "" && !strings.EqualFold(u.Host, "localhost") {
		return "", &placeError{fmt.Sprintf("the host %q in a file: address", u.Host), "none"}
	}
	path := u.Path
	if path == "" || u.Opaque != "" || strings.ContainsRune(path, 0) {
		return "", &placeError{"a file: address without an absolute path", "file:///path"}
	}
	// To Windows \\server\share is a host, and \\.\ and \\?\ lead to devices.
	if path[0] != '/' || len(path) > 1 && (path[1] == '/' || path[1] == '\\') {
		return "", &placeError{fmt.Sprintf("the path %q in a file: address", path), "file:///path"}
	}
	if runtime.GOOS == "windows" && len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = path[1:]
	}
	return filepath.FromSlash(path), nil
}
