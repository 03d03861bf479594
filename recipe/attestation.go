package recipe

import (
	"errors"
	"net/url"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/publishers"
)

// Limits of an attestation block.
const (
	// MaxPublishers is the most publishers of a block.
	MaxPublishers = 64
	// MaxBundleURLs is the most bundle URLs of a block.
	MaxBundleURLs = 64
	// MaxPredicateTypes is the most predicate types of a block.
	MaxPredicateTypes = 16
)

func attestationKeys() []string {
	return []string{"publishers", "bundle_url", "predicate_type", "verified"}
}

// attestation evaluates an attestation block. A block that is there, however
// empty, is never taken for none.
func (r *sourceReader) attestation(key, n *yaml.Node) {
	a := &Attestation{Pos: r.doc.pos(key)}
	r.source.Attestation = a
	if n.Kind != yaml.MappingNode && !isNull(n) {
		r.fault(n, "write "+publishersLine(r.source), "attestation must be a mapping with `publishers`, found a %s", kindName(n))
		return
	}
	found, before := false, len(r.faults)
	pairs(n, func(k, v *yaml.Node) {
		switch k.Value {
		case "publishers":
			found = true
			r.publishers(k, v)
		case "bundle_url":
			r.bundleURLs(v)
		case "predicate_type":
			r.predicateTypes(v)
		case "verified":
			r.verified(v)
		default:
			r.fault(k, didYouMean(k.Value, attestationKeys()), "unknown key %s in an attestation block", quoteText(k.Value))
		}
	})
	if !found && len(r.faults) == before {
		r.fault(key, "add "+publishersLine(r.source), "attestation block names no publishers")
	}
}

// publishersLine is the line to write. Where the source is on GitHub or GitLab
// it names the repository there, for the author to check.
func publishersLine(s Source) string {
	who := "github:owner/repo"
	for _, u := range s.URLs {
		parsed, err := url.Parse(u.Value)
		if err != nil {
			continue
		}
		parts := strings.Split(strings.Trim(parsed.EscapedPath(), "/"), "/")
		if len(parts) < 2 {
			continue
		}
		for host, provider := range map[string]string{"github.com": "github", "gitlab.com": "gitlab"} {
			candidate := provider + ":" + parts[0] + "/" + parts[1]
			if _, err := publishers.Parse(candidate); parsed.Host == host && err == nil {
				who = candidate
			}
		}
	}
	return "`publishers: [" + who + "]`"
}

// items gives the items of a scalar or a list, conditionals resolved.
func (r *sourceReader) items(n *yaml.Node, visit func(*yaml.Node)) {
	if isNull(n) {
		return
	}
	r.expand(n, r.vars, visit, func(_ *yaml.Node, err *Error) { r.faults = append(r.faults, err) })
}

func (r *sourceReader) publishers(key, n *yaml.Node) {
	a, before := r.source.Attestation, len(r.faults)
	r.items(n, func(item *yaml.Node) {
		if p, ok := r.publisher(item); ok {
			a.Publishers = append(a.Publishers, p)
		}
	})
	switch {
	case len(r.faults) > before:
	case len(a.Publishers) == 0:
		r.fault(key, "write "+publishersLine(r.source), "list of publishers is empty")
	case len(a.Publishers) > MaxPublishers:
		r.fault(key, "", "attestation block has %d publishers, the limit is %d", len(a.Publishers), MaxPublishers)
	}
}

func (r *sourceReader) publisher(n *yaml.Node) (Publisher, bool) {
	p := Publisher{Pos: r.doc.pos(n)}
	var err error
	switch n.Kind {
	case yaml.ScalarNode:
		text, ok := r.scalar(n)
		if !ok {
			return p, false
		}
		p.Text = strings.TrimSpace(text)
		p.Publisher, err = publishers.Parse(p.Text)
	case yaml.MappingNode:
		identity, issuer, ok := r.identity(n)
		if !ok {
			return p, false
		}
		p.Publisher, err = publishers.New(identity, issuer)
		p.Text = p.Publisher.String()
	default:
		r.fault(n, "write "+publishersLine(r.source), "publisher must be a string or a mapping with `identity` and `issuer`, found a %s", kindName(n))
		return p, false
	}
	if err != nil {
		hint := ""
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) {
			hint = hinted.Hint()
		}
		r.fault(n, hint, "%s", err)
	}
	return p, err == nil
}

// identity reads the mapping form of a publisher.
func (r *sourceReader) identity(n *yaml.Node) (identity, issuer string, ok bool) {
	before := len(r.faults)
	fields := map[string]*string{"identity": &identity, "issuer": &issuer}
	pairs(n, func(k, v *yaml.Node) {
		field := fields[k.Value]
		if field == nil {
			r.fault(k, didYouMean(k.Value, []string{"identity", "issuer"}), "unknown key %s in a publisher", quoteText(k.Value))
			return
		}
		text, _ := r.scalar(v)
		*field = strings.TrimSpace(text)
	})
	for _, name := range []string{"identity", "issuer"} {
		if lookup(n, name) == nil {
			r.fault(n, "write {identity: https://…, issuer: https://…}", "publisher has no `%s`", name)
		}
	}
	return identity, issuer, len(r.faults) == before
}

func (r *sourceReader) bundleURLs(n *yaml.Node) {
	a, before := r.source.Attestation, len(r.faults)
	r.items(n, func(item *yaml.Node) {
		text, ok := r.scalar(item)
		if !ok {
			return
		}
		href, ok := r.parseURL(item, text)
		if !ok {
			return
		}
		if scheme, _, _ := strings.Cut(href, ":"); scheme != "https" && scheme != "http" && scheme != "file" {
			r.fault(item, "write an https URL", "bundle_url has the scheme %s, wanted https, http or file", quoteText(scheme))
			return
		}
		a.BundleURLs = append(a.BundleURLs, String{href, r.doc.pos(item), item.Value})
	})
	switch {
	case len(r.faults) > before:
	case len(a.BundleURLs) == 0:
		r.fault(n, "write the address of a bundle, or remove the key", "bundle_url is empty")
	case len(a.BundleURLs) > MaxBundleURLs:
		r.fault(n, "", "attestation block has %d bundle URLs, the limit is %d", len(a.BundleURLs), MaxBundleURLs)
	}
}

func (r *sourceReader) predicateTypes(n *yaml.Node) {
	a, before := r.source.Attestation, len(r.faults)
	hint := "write a predicate type, such as https://slsa.dev/provenance/v1, or remove the key"
	r.items(n, func(item *yaml.Node) {
		text, ok := r.scalar(item)
		if !ok {
			return
		}
		if text = strings.TrimSpace(text); text == "" {
			r.fault(item, hint, "predicate type is empty")
			return
		}
		a.PredicateTypes = append(a.PredicateTypes, String{text, r.doc.pos(item), item.Value})
	})
	switch {
	case len(r.faults) > before:
	case len(a.PredicateTypes) == 0:
		r.fault(n, hint, "predicate_type is empty")
	case len(a.PredicateTypes) > MaxPredicateTypes:
		r.fault(n, "", "attestation block has %d predicate types, the limit is %d", len(a.PredicateTypes), MaxPredicateTypes)
	}
}

// verified looks at the list that a rendered recipe has of what its builder
// verified (draft CEP). It is what somebody says, and is not used for anything.
func (r *sourceReader) verified(n *yaml.Node) {
	for _, item := range n.Content {
		if n.Kind == yaml.SequenceNode && item.Kind == yaml.MappingNode {
			continue
		}
		r.fault(item, "remove the key", "verified must be a list of mappings, as recipe-verify prepare writes it")
		return
	}
	if n.Kind != yaml.SequenceNode && !isNull(n) {
		r.fault(n, "remove the key", "verified must be a list of mappings, found a %s", kindName(n))
	}
}

// checkAttested demands the digest beside a block.
func (r *sourceReader) checkAttested(n *yaml.Node) {
	s := &r.source
	if s.Attestation == nil || s.HasSHA256 {
		return
	}
	pinned := lookup(n, "sha256")
	const hint = "write `sha256: ` and the SHA-256 of the archive"
	switch {
	case pinned == nil:
		block, _ := keyNode(n, "attestation")
		r.fault(block, hint, "attestation block without a `sha256` beside it")
	case s.EmptyDigest:
		r.fault(pinned, hint, "sha256 beside an attestation block is an empty placeholder")
	}
}

// keyNode gives the node of a key itself.
func keyNode(n *yaml.Node, name string) (*yaml.Node, bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], true
		}
	}
	return n, false
}
