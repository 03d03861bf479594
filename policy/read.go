package policy

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/publishers"
)

// Parse reads a policy file that is given as bytes. Path stands in positions,
// and relative paths in the file are made relative to its folder. An empty file
// is a policy that says nothing. Errors are *[Error].
func Parse(path string, data []byte) (*Policy, error) {
	p := &Policy{Path: path}
	root, err := parseYAML(path, data)
	if err != nil || root == nil {
		return p, err
	}
	r := reader{path: path, dir: filepath.Dir(path)}
	return p, r.policy(root, p)
}

func (r reader) policy(n *yaml.Node, p *Policy) error {
	return r.mapping(n, "the file", keys{
		"trust":            func(n *yaml.Node) error { return r.trust(n, &p.Trust) },
		"mirrors":          func(n *yaml.Node) error { return r.mirrors(n, p) },
		"offline":          r.boolean(&p.Offline),
		"cache_dir":        r.place(&p.CacheDir),
		"timeout":          parsed(r, ParseTimeout, &p.Timeout),
		"max_archive_size": parsed(r, ParseSize, &p.MaxArchive),
		"match":            parsed(r, ParseMatch, &p.Match),
		"predicate_types":  r.predicateTypes(&p.PredicateTypes),
		"immutable_releases": func(n *yaml.Node) error {
			var allowed bool
			err := r.boolean(&allowed)(n)
			p.NoImmutableReleases = !allowed
			return err
		},
		"issuers":              func(n *yaml.Node) error { return r.issuers(n, p) },
		"require":              func(n *yaml.Node) error { return r.require(n, p) },
		"require_attestations": func(n *yaml.Node) error { return r.requireAll(n, p) },
		"exceptions":           func(n *yaml.Node) error { return r.exceptions(n, p) },
		"publishers":           func(n *yaml.Node) error { return r.assignments(n, p) },
		"rules":                func(n *yaml.Node) error { return r.rules(n, p) },
		"reusable_workflows":   func(n *yaml.Node) error { return r.reusable(n, p) },
	})
}

// parsed reads a value by a function.
func parsed[T any](r reader, parse func(string) (T, error), to *T) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.scalar(n, func(s string) (err error) {
			*to, err = parse(s)
			return err
		})
	}
}

// place keeps a path, relative to the file's folder.
func (r reader) place(to *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.scalar(n, func(s string) error { *to = r.local(s); return nil })
	}
}

func (r reader) local(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

func (r reader) trust(n *yaml.Node, t *Trust) error {
	t.Position = r.pos(n)
	publicGood := false
	err := r.mapping(n, "trust", keys{
		"public_good": func(n *yaml.Node) error {
			t.PublicGood = &publicGood
			return r.boolean(&publicGood)(n)
		},
		"roots": func(n *yaml.Node) error {
			return r.list(n, "roots", func(n *yaml.Node) error { return r.root(n, t) })
		},
		"tuf": func(n *yaml.Node) error {
			return r.list(n, "tuf", func(n *yaml.Node) error { return r.tuf(n, t) })
		},
	})
	if err == nil && t.PublicGood != nil && !publicGood && len(t.Roots) == 0 && len(t.TUF) == 0 {
		return r.fail(n, "name roots or tuf", "no root is trusted, so nothing could be verified")
	}
	return err
}

func (r reader) root(n *yaml.Node, t *Trust) error {
	root := Root{Position: r.pos(n)}
	if n.Kind != yaml.MappingNode {
		if err := r.place(&root.Path)(n); err != nil {
			return err
		}
		t.Roots = append(t.Roots, root)
		return nil
	}
	err := r.mapping(n, "a root", keys{
		"file":             r.place(&root.Path),
		"insecure_without": r.texts("insecure_without", &root.InsecureWithout),
	})
	if err == nil && root.Path == "" {
		err = r.fail(n, "write {file: root.json, insecure_without: […]}", "a root lacks its file")
	}
	t.Roots = append(t.Roots, root)
	return err
}

func (r reader) tuf(n *yaml.Node, t *Trust) error {
	tuf := TUF{Position: r.pos(n)}
	err := r.mapping(n, "a TUF repository", keys{"url": r.text(&tuf.URL), "root": r.place(&tuf.Root)})
	if err == nil && (tuf.URL == "" || tuf.Root == "") {
		err = r.fail(n, "write {url: https://…, root: root.json}", "a TUF repository lacks url or root")
	}
	t.TUF = append(t.TUF, tuf)
	return err
}

func (r reader) mirrors(n *yaml.Node, p *Policy) error {
	return r.list(n, "mirrors", func(n *yaml.Node) error {
		m := Mirror{Position: r.pos(n)}
		if err := r.mapping(n, "a mirror", keys{"from": r.text(&m.From), "to": r.text(&m.To)}); err != nil {
			return err
		}
		if m.From == "" || m.To == "" {
			return r.fail(n, "write {from: https://…, to: https://… or a folder}", "a mirror lacks from or to")
		}
		if scheme, _, ok := strings.Cut(m.To, "://"); !ok || lower(scheme) != "http" && lower(scheme) != "https" {
			m.To = r.local(m.To)
		}
		p.Mirrors = append(p.Mirrors, m)
		return nil
	})
}

func (r reader) predicateTypes(to *[]string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if err := r.texts("predicate types", to)(n); err != nil {
			return err
		}
		for _, t := range *to {
			if err := CheckPredicateType(t); err != nil {
				return r.fail(n, "", "%v", err)
			}
		}
		return nil
	}
}

// CheckPredicateType refuses what is no predicate type. in-toto has them be
// URIs, and compares them exactly.
func CheckPredicateType(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || strings.ContainsAny(s, "* ") {
		return fmt.Errorf("found the predicate type %q, wanted a URI such as https://slsa.dev/provenance/v1", s)
	}
	return nil
}

func (r reader) issuers(n *yaml.Node, p *Policy) error {
	return r.list(n, "issuers", func(n *yaml.Node) error {
		i := Issuers{Position: r.pos(n)}
		err := r.mapping(n, "an entry of issuers", keys{
			"host":    parsed(r, parseHost, &i.Host),
			"issuers": r.texts("issuers", &i.Issuers),
		})
		switch {
		case err != nil:
			return err
		case i.Host == "" || len(i.Issuers) == 0:
			return r.fail(n, "write {host: github.com, issuers: [https://…]}", "an entry of issuers lacks host or issuers")
		}
		for _, issuer := range i.Issuers {
			u, err := url.Parse(issuer)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(issuer, "*") {
				return r.fail(n, "issuers are compared exactly", "found the issuer %q, wanted an https address", issuer)
			}
		}
		for _, other := range p.Issuers {
			if other.Host == i.Host {
				return r.fail(n, "put all issuers of a host into one entry", "the host %q stands twice", i.Host)
			}
		}
		p.Issuers = append(p.Issuers, i)
		return nil
	})
}

func parseHost(s string) (string, error) {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '.' && c != '-' || c >= 'A' && c <= 'Z' {
			return "", fmt.Errorf("found the host %q, wanted for example github.com", s)
		}
	}
	return s, nil
}

// publisher reads one publisher, as a recipe's block names it.
func (r reader) publisher(n *yaml.Node) (p publishers.Publisher, err error) {
	if n.Kind != yaml.MappingNode {
		err = r.scalar(n, func(s string) (err error) { p, err = publishers.Parse(s); return err })
		return p, err
	}
	var identity, issuer string
	if err := r.mapping(n, "a publisher", keys{"identity": r.text(&identity), "issuer": r.text(&issuer)}); err != nil {
		return p, err
	}
	p, err = publishers.New(identity, issuer)
	var syntax *publishers.SyntaxError
	if errors.As(err, &syntax) {
		return p, r.fail(n, syntax.Hint(), "%v", err)
	}
	return p, err
}

// ParseTimeout reads a duration such as 30s or 2m.
func ParseTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("found the duration %q, wanted for example 30s or 2m", s)
	}
	return d, nil
}

// ParseSize reads a number of bytes such as 16GiB or 500 MB.
func ParseSize(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > 1<<62 {
		return 0, fmt.Errorf("found the size %q, wanted for example 16GiB or 500MB", s)
	}
	return int64(n), nil
}

// ParseMatch reads "any" or "all".
func ParseMatch(s string) (Match, error) {
	switch m := Match(s); m {
	case Any, All:
		return m, nil
	}
	return "", fmt.Errorf("found %q, wanted any or all", s)
}
