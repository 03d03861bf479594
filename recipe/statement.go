package recipe

import (
	"maps"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of statements. What is over them is left out.
const (
	// MaxStatements is the most distinct statements of a recipe.
	MaxStatements = 256
	// MaxStatement is the most bytes of one.
	MaxStatement = MaxURL
)

// A Statement is what a recipe says about where its project is: an address in
// its `about` section, or in that of an output. It decides nothing about a
// source, so that what cannot be rendered is left out, without a warning.
type Statement struct {
	// Key is "about.repository", "about.homepage" or "about.dev_url".
	Key string
	String
}

// statementKeys are the keys of `about` that name the project's place, the one
// that says most first. dev_url is conda-build's name of repository.
func statementKeys() []string { return []string{"repository", "dev_url", "homepage"} }

// statements notes what an `about` section says, if that is asked for. Variants
// that only it reads do not multiply the outputs.
func (ev *evaluation) statements(about *yaml.Node, vars *scope) {
	if !ev.options.Statements || about == nil || about.Kind != yaml.MappingNode {
		return
	}
	read := vars.selection.read
	vars.selection.read = maps.Clone(read)
	defer func() { vars.selection.read = read }()
	for _, key := range statementKeys() {
		n := lookup(about, key)
		if isNull(n) {
			continue
		}
		ev.expand(n, vars, func(item *yaml.Node) {
			ev.statement("about."+key, item, vars)
		}, func(*yaml.Node, *Error) {})
	}
}

func (ev *evaluation) statement(key string, n *yaml.Node, vars *scope) {
	if n.Kind != yaml.ScalarNode || len(ev.recipe.Statements) >= MaxStatements {
		return
	}
	text, err := ev.text(ev.doc, n, vars)
	if err != nil {
		return
	}
	s := Statement{Key: key, String: String{strings.TrimSpace(text), ev.doc.pos(n), n.Value}}
	if s.Value == "" || len(s.Value) > MaxStatement || len(s.Text) > MaxStatement || ev.stated[s] {
		return
	}
	ev.stated[s] = true
	ev.recipe.Statements = append(ev.recipe.Statements, s)
}
