package policy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// selecting adds the keys of a selection to those of an entry.
func (r reader) selecting(s *Selection, known keys) keys {
	known["kind"] = func(n *yaml.Node) error {
		return r.strings(n, "kinds", func(n *yaml.Node, text string) error {
			k := origin.Kind(text)
			if !slices.Contains(Kinds(), k) {
				return r.fail(n, "known kinds: "+strings.Join(texts(Kinds(), func(k origin.Kind) string { return string(k) }), ", "), "unknown kind %q", text)
			}
			s.Kinds = append(s.Kinds, k)
			return nil
		})
	}
	known["package"] = patterns(r, "packages", ParseNamePattern, &s.Packages)
	known["url"] = patterns(r, "addresses", ParseURLPattern, &s.URLs)
	return known
}

// patterns reads a pattern, or a list of them.
func patterns[T any](r reader, what string, parse func(string) (T, error), to *[]T) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.strings(n, what, func(_ *yaml.Node, s string) error {
			p, err := parse(s)
			*to = append(*to, p)
			return err
		})
	}
}

// require reads which sources must carry evidence.
func (r reader) require(n *yaml.Node, p *Policy) error {
	return r.list(n, "require", func(n *yaml.Node) error {
		q := Requirement{Position: r.pos(n)}
		known := r.selecting(&q.Selection, keys{"all": func(n *yaml.Node) error {
			if err := r.boolean(&q.All)(n); err != nil || q.All {
				return err
			}
			return r.fail(n, "remove the entry", "all: false requires nothing")
		}})
		if err := r.mapping(n, "a requirement", known); err != nil {
			return err
		}
		switch {
		case q.All && !q.IsZero():
			return r.fail(n, "remove the other keys, or all", "a requirement of all sources names some of them, too")
		case !q.All && q.IsZero():
			return r.fail(n, "write kind, package or url; or all: true", "a requirement says of nothing that it is required")
		}
		p.Require = append(p.Require, q)
		return nil
	})
}

// requireAll reads the short form of require: [{all: true}].
func (r reader) requireAll(n *yaml.Node, p *Policy) error {
	var all bool
	if err := r.boolean(&all)(n); err != nil || !all {
		return err
	}
	p.Require = append(p.Require, Requirement{Position: r.pos(n), All: true})
	return nil
}

// exceptions reads what is excepted from require.
func (r reader) exceptions(n *yaml.Node, p *Policy) error {
	return r.list(n, "exceptions", func(n *yaml.Node) error {
		e := Exception{Position: r.pos(n)}
		known := r.selecting(&e.Selection, keys{
			"recipe": patterns(r, "recipes", parseRecipePattern, &e.Recipes),
			"reason": r.prose(&e.Reason),
			"until":  parsed(r, parseDay, &e.Until),
		})
		if err := r.mapping(n, "an exception", known); err != nil {
			return err
		}
		switch {
		case e.IsZero() && len(e.Recipes) == 0:
			return r.fail(n, "write package, url, kind or recipe", "an exception does not say from what it excepts")
		case e.Reason == "":
			return r.fail(n, "add: reason: …", "an exception gives no reason")
		case e.Until.IsZero():
			return r.fail(n, "add: until: YYYY-MM-DD, the last day on which it holds", "an exception has no end")
		}
		p.Exceptions = append(p.Exceptions, e)
		return nil
	})
}

// prose keeps a text that may have several lines in the file, on one.
func (r reader) prose(to *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			*to = strings.Join(strings.Fields(n.Value), " ")
		}
		if *to == "" {
			return r.fail(n, "", "found %s, wanted a sentence", kindName(n))
		}
		return nil
	}
}

func parseDay(s string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("found %q, wanted a day such as 2027-01-31", s)
	}
	return day, nil
}

// parseRecipePattern reads a pattern of a recipe's path below the policy's
// folder.
func parseRecipePattern(s string) (string, error) {
	for _, part := range strings.Split(s, "/") {
		if part == "" || part == "." || part == ".." || strings.Contains(part, `\`) {
			return "", &hintedError{
				fmt.Sprintf("the pattern %q is no path below the policy's folder, with \"/\" between its parts", s),
				"write for example recipes/leftpad/**",
			}
		}
	}
	if len(s) > MaxPattern {
		return "", fmt.Errorf("the pattern has more than %d bytes", MaxPattern)
	}
	return s, nil
}

// assignments reads the publishers of sources whose recipes have no block.
func (r reader) assignments(n *yaml.Node, p *Policy) error {
	return r.list(n, "publishers", func(n *yaml.Node) error {
		a := Assignment{Position: r.pos(n)}
		known := r.selecting(&a.Selection, keys{
			"publishers": func(n *yaml.Node) error {
				return r.list(n, "publishers", func(n *yaml.Node) error {
					who, err := r.publisher(n)
					a.Publishers = append(a.Publishers, who)
					return err
				})
			},
			"bundle_url":      parsed(r, parseBundleURL, &a.BundleURL),
			"predicate_types": r.predicateTypes(&a.PredicateTypes),
			"enforce":         r.boolean(&a.Enforce),
		})
		if err := r.mapping(n, "an entry of publishers", known); err != nil {
			return err
		}
		switch {
		case a.IsZero():
			return r.fail(n, "write package, url or kind", "an entry of publishers does not say of which sources")
		case len(a.Publishers) == 0:
			return r.fail(n, "add: publishers: [github:owner/repo]", "an entry of publishers names none")
		case len(a.Publishers) > MaxPublishers:
			return r.fail(n, "", "an entry has %d publishers, the limit is %d", len(a.Publishers), MaxPublishers)
		}
		p.Publishers = append(p.Publishers, a)
		return nil
	})
}

// parseBundleURL reads an address in which {url} stands for the source's.
func parseBundleURL(s string) (string, error) {
	filled := strings.ReplaceAll(s, "{url}", "https://host.example/file")
	u, err := url.Parse(filled)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(filled, "{}") {
		return "", &hintedError{
			fmt.Sprintf("found the bundle address %q, wanted an http(s) address", s),
			`"{url}" stands for the source's first address, for example "{url}.sigstore.json"`,
		}
	}
	return s, nil
}

// rules reads what is demanded of signers.
func (r reader) rules(n *yaml.Node, p *Policy) error {
	return r.list(n, "rules", func(n *yaml.Node) error {
		rule := Rule{Position: r.pos(n)}
		known := r.selecting(&rule.Selection, keys{
			"publishers":          patterns(r, "publishers", publishers.ParsePattern, &rule.Publishers),
			"workflows":           r.texts("workflows", &rule.Workflows),
			"refs":                r.texts("refs", &rule.Refs),
			"tag_is_version":      r.boolean(&rule.TagIsVersion),
			"environments":        r.texts("environments", &rule.Environments),
			"triggers":            r.texts("triggers", &rule.Triggers),
			"hosted_runners_only": r.boolean(&rule.HostedOnly),
			"repository_ids":      r.texts("repository_ids", &rule.RepositoryIDs),
			"owner_ids":           r.texts("owner_ids", &rule.OwnerIDs),
		})
		if err := r.mapping(n, "a rule", known); err != nil {
			return err
		}
		if rule.Publishers == nil {
			all, err := publishers.ParsePattern("*")
			if err != nil {
				return err
			}
			rule.Publishers = []publishers.Pattern{all}
		}
		rule.Name = rule.Position.String()
		if err := rule.Validate(); err != nil {
			return r.fail(n, hintOf(err), "%v", err)
		}
		p.Rules = append(p.Rules, rule)
		return nil
	})
}

// reusable reads which workflows may sign for whom.
func (r reader) reusable(n *yaml.Node, p *Policy) error {
	return r.list(n, "reusable_workflows", func(n *yaml.Node) error {
		w := Reusable{Position: r.pos(n)}
		err := r.mapping(n, "an entry of reusable_workflows", keys{
			"publishers": patterns(r, "publishers", publishers.ParsePattern, &w.Publishers),
			"workflow":   parsed(r, publishers.ParseWorkflow, &w.Workflow),
		})
		switch {
		case err != nil:
			return err
		case len(w.Publishers) == 0 || w.Workflow.IsZero():
			return r.fail(n, "write {publishers: [github:owner/*], workflow: github:owner/repo/.github/workflows/file.yml@refs/tags/v*}",
				"an entry of reusable_workflows lacks publishers or workflow")
		}
		p.Reusable = append(p.Reusable, w)
		return nil
	})
}
