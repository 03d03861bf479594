package recipe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/digest"
)

func sourceKeys(kind Kind) []string {
	switch kind {
	case GitSource:
		return []string{
			"git", "rev", "tag", "branch", "depth", "patches", "target_directory", "lfs", "submodules",
			"expected_commit", "filter",
		}
	case PathSource:
		return []string{"path", "sha256", "md5", "patches", "target_directory", "file_name", "use_gitignore", "filter"}
	}
	return []string{"url", "sha256", "md5", "file_name", "patches", "target_directory", "attestation", "filter"}
}

// sourceList evaluates what stands below a `source` key.
func (ev *evaluation) sourceList(n *yaml.Node, vars *scope) []Source {
	if isNull(n) {
		return nil
	}
	var list []Source
	ev.expand(n, vars, func(item *yaml.Node) {
		if s, ok := ev.source(item, vars); ok {
			list = append(list, s)
		}
	}, func(item *yaml.Node, err *Error) {
		// Nobody knows which sources stand below a condition that cannot be
		// evaluated: one source stands for them all, and is an error.
		if s, ok := ev.unusable(Source{Pos: ev.doc.pos(item)}, []*Error{err}); ok {
			list = append(list, s)
		}
	})
	return list
}

// A sourceReader evaluates one source and gathers its faults.
type sourceReader struct {
	*evaluation
	vars   *scope
	source Source
	faults []*Error
}

func (r *sourceReader) fault(n *yaml.Node, hint, format string, a ...any) {
	e := r.doc.fault(n, fmt.Sprintf(format, a...))
	e.Hint = hint
	r.faults = append(r.faults, e)
}

// scalar renders a scalar; ok is false if it has a fault.
func (r *sourceReader) scalar(n *yaml.Node) (string, bool) {
	if !r.walk(n) {
		return "", false
	}
	text, err := r.text(r.doc, n, r.vars)
	if r.pending += len(text); r.rendered+r.pending > MaxRendered {
		r.stop(n, "sources of the recipe hold more than %d bytes over all platforms and variants", MaxRendered)
		return "", false
	}
	if err != nil {
		r.faults = append(r.faults, err)
	}
	return text, err == nil
}

// source evaluates one mapping of a source list. It reports false if there is
// no such source in the result, because the recipe is refused.
func (ev *evaluation) source(n *yaml.Node, vars *scope) (Source, bool) {
	r := &sourceReader{evaluation: ev, vars: vars, source: Source{Pos: ev.doc.pos(n)}}
	if n.Kind != yaml.MappingNode {
		r.fault(n, "write `url`, `git` or `path` and a value", "source must be a mapping, found a %s", kindName(n))
		return ev.unusable(r.source, r.faults)
	}
	switch {
	case lookup(n, "git") != nil:
		r.source.Kind = GitSource
	case lookup(n, "url") != nil:
		r.source.Kind = URLSource
	case lookup(n, "path") != nil:
		r.source.Kind = PathSource
	default:
		hint := ""
		if len(n.Content) > 0 {
			hint = didYouMean(n.Content[0].Value, []string{"url", "git", "path"})
		}
		r.fault(n, hint, "source has neither `url` nor `git` nor `path`")
		return ev.unusable(r.source, r.faults)
	}
	pairs(n, r.field)
	if r.source.Kind == URLSource {
		r.checkAttested(n)
	}
	if len(r.faults) > 0 {
		return ev.unusable(r.source, r.faults)
	}
	return r.source, true
}

// unusable makes a source that carries its error, if the recipe is not to be
// refused for it.
func (ev *evaluation) unusable(s Source, faults []*Error) (Source, bool) {
	for _, e := range faults {
		if !e.Unknowable && !ev.options.Lenient {
			for _, e := range faults {
				ev.fail(e)
			}
			return Source{}, false
		}
	}
	for _, e := range faults {
		ev.warn(e)
	}
	return Source{Pos: s.Pos, Err: faults[0]}, true
}

// field evaluates one key of a source.
func (r *sourceReader) field(key, n *yaml.Node) {
	s := &r.source
	if allowed := sourceKeys(s.Kind); !slices.Contains(allowed, key.Value) {
		if key.Value == "attestation" {
			r.fault(key, "remove the block, or use a URL source", "attestation stands on URL sources only, and this is a %s source", s.Kind)
			return
		}
		e := r.unknownKey(key, allowed, fmt.Sprintf("in a %s source", s.Kind))
		if r.options.Lenient && nearest(key.Value, allowed) == "" {
			r.warn(e) // of another tool
			return
		}
		r.faults = append(r.faults, e)
		return
	}
	switch key.Value {
	case "url":
		r.urls(n)
	case "git":
		r.gitURL(n)
	case "path":
		if text, ok := r.scalar(n); ok {
			s.Path = String{text, r.doc.pos(n), n.Value}
			if text == "" {
				r.fault(n, "", "path is empty")
			}
		}
	case "sha256", "md5":
		r.digest(key.Value, n)
	case "file_name":
		if text, ok := r.scalar(n); ok {
			s.FileName = strings.TrimSpace(text)
		}
	case "target_directory":
		s.TargetDirectory, _ = r.scalar(n)
	case "rev", "tag", "branch", "expected_commit":
		r.gitField(key.Value, n)
	case "attestation":
		r.attestation(key, n)
	}
}

// urls evaluates a URL or a list of mirrors.
func (r *sourceReader) urls(n *yaml.Node) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	if len(list) == 0 {
		r.fault(n, "", "list of URLs is empty")
	}
	for _, item := range list {
		if text, ok := r.scalar(item); ok {
			if href, ok := r.parseURL(item, text); ok {
				r.source.URLs = append(r.source.URLs, String{href, r.doc.pos(item), item.Value})
			}
		}
	}
}

// MaxURL is the longest URL, in bytes.
const MaxURL = 8 << 10

// parseURL parses an absolute URL by the WHATWG rules and serializes it.
func (r *sourceReader) parseURL(n *yaml.Node, text string) (string, bool) {
	if len(text) > MaxURL {
		r.fault(n, "", "URL has %d bytes, the limit is %d", len(text), MaxURL)
		return "", false
	}
	if isPlainURL(text) {
		return text, true
	}
	u, err := url.Parse(text)
	if err != nil || u.Protocol() != "file:" && u.Hostname() == "" && isSpecial(u.Protocol()) {
		hint := "write an absolute URL, such as https://…"
		if strings.TrimSpace(text) == "" {
			r.fault(n, hint, "URL is empty")
		} else {
			r.fault(n, hint, "%s is not an absolute URL", quoteText(text))
		}
		return "", false
	}
	return u.Href(false), true
}

// isPlainURL tells whether a text is an https URL that the WHATWG parser gives
// back as it is, as nearly all are: a host of lower-case labels that is neither
// an address in numbers nor an international name, and a path of unreserved
// characters without dot segments. The parser takes as long for one as the
// whole recipe does otherwise.
func isPlainURL(text string) bool {
	rest, ok := strings.CutPrefix(text, "https://")
	host, path, hasPath := strings.Cut(rest, "/")
	if !ok || !hasPath || !isPlainHost(host) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
		for i := range len(segment) {
			if c := segment[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~", rune(c)) {
				return false
			}
		}
	}
	return true
}

func isPlainHost(host string) bool {
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.HasPrefix(label, "xn--") || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
		last = label
	}
	return last[0] >= 'a' && last[0] <= 'z' // one that ends in a number may be an address
}

func isSpecial(protocol string) bool {
	return protocol == "http:" || protocol == "https:" || protocol == "ftp:"
}

// digest evaluates sha256 or md5. Empty or all zeros is rattler-build's
// placeholder.
func (r *sourceReader) digest(key string, n *yaml.Node) {
	s := &r.source
	text := ""
	if !isNull(n) {
		var ok bool
		if text, ok = r.scalar(n); !ok {
			return
		}
	}
	text = strings.TrimSpace(text)
	if key == "sha256" {
		s.SHA256Pos, s.SHA256Text = r.doc.pos(n), n.Value
	}
	if text == "" {
		s.EmptyDigest = true
		return
	}
	var err error
	if key == "sha256" {
		s.SHA256, err = digest.ParseSHA256(text)
		s.HasSHA256 = err == nil && !s.SHA256.IsZero()
		s.EmptyDigest = s.EmptyDigest || err == nil && s.SHA256.IsZero()
	} else {
		s.MD5, err = digest.ParseMD5(text)
		s.HasMD5 = err == nil && !s.MD5.IsZero()
		s.EmptyDigest = s.EmptyDigest || err == nil && s.MD5.IsZero()
	}
	if err != nil {
		r.fault(n, "", "%s", err)
	}
}

func (r *sourceReader) gitURL(n *yaml.Node) {
	text, ok := r.scalar(n)
	if !ok {
		return
	}
	if text = strings.TrimSpace(text); text == "" {
		r.fault(n, "", "git is empty")
	}
	r.git().URL = String{text, r.doc.pos(n), n.Value}
}

func (r *sourceReader) git() *Git {
	if r.source.Git == nil {
		r.source.Git = &Git{}
	}
	return r.source.Git
}

func (r *sourceReader) gitField(key string, n *yaml.Node) {
	text, ok := r.scalar(n)
	if !ok {
		return
	}
	g := r.git()
	switch key {
	case "rev":
		g.Rev = text
	case "tag":
		g.Tag = text
	case "branch":
		g.Branch = text
	case "expected_commit":
		g.ExpectedCommit = text
		return
	}
	given := 0
	for _, ref := range []string{g.Rev, g.Tag, g.Branch} {
		if ref != "" {
			given++
		}
	}
	if given > 1 {
		r.fault(n, "", "git source may have one of `rev`, `tag` and `branch` only")
	}
}

// An identity is text that two sources share if and only if they stand at the
// same place and have the same values.
type identity []byte

// add appends fields so that none can be taken for two.
func (id *identity) add(fields ...string) {
	for _, f := range fields {
		*id = strconv.AppendInt(*id, int64(len(f)), 10)
		*id = append(*id, ':')
		*id = append(*id, f...)
	}
	*id = append(*id, ';')
}

func (id *identity) addString(s String) {
	id.add(s.Value)
	id.addPosition(s.Pos)
}

func (id *identity) addPosition(p Position) {
	id.add(p.File)
	*id = strconv.AppendInt(*id, int64(p.Line), 10)
	*id = append(*id, ',')
	*id = strconv.AppendInt(*id, int64(p.Column), 10)
	*id = append(*id, ';')
}

// identify appends a source's identity.
func (s *Source) identify(id *identity) {
	id.addPosition(s.Pos)
	id.add(s.Kind.String(), s.FileName, s.TargetDirectory, s.Path.Value)
	for _, u := range s.URLs {
		id.addString(u)
	}
	if s.HasSHA256 {
		id.add("sha256", string(s.SHA256[:]))
	}
	if s.HasMD5 {
		id.add("md5", string(s.MD5[:]))
	}
	id.add("digest", strconv.FormatBool(s.EmptyDigest))
	id.addPosition(s.SHA256Pos)
	if g := s.Git; g != nil {
		id.add("git", g.URL.Value, g.Rev, g.Tag, g.Branch, g.ExpectedCommit)
	}
	if s.Err != nil {
		id.add("error", s.Err.Error())
	}
	if a := s.Attestation; a != nil {
		id.add("attestation")
		id.addPosition(a.Pos)
		for _, p := range a.Publishers {
			id.add("publisher", p.Issuer())
			id.addString(String{Value: p.Text, Pos: p.Pos})
		}
		for _, u := range a.BundleURLs {
			id.add("bundle_url")
			id.addString(u)
		}
		for _, t := range a.PredicateTypes {
			id.add("predicate_type")
			id.addString(t)
		}
	}
}

func sortByPosition(list []SharedSource) {
	slices.SortStableFunc(list, func(a, b SharedSource) int { return a.Pos.compare(b.Pos) })
}
