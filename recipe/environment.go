package recipe

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

// environment gives a recipe the environment variables that it may see. Any
// other is as if it were not set, so that no recipe can put a secret into a
// URL.
func (o Options) environment(name string) jinja.Variable {
	if !strings.HasPrefix(name, "CONDA_OVERRIDE_") && !slices.Contains(o.AllowEnv, name) {
		return jinja.Variable{Hint: "recipes see variables that begin with CONDA_OVERRIDE_; allow this one with --env " + argument(name)}
	}
	if o.LookupEnv == nil {
		return jinja.Variable{}
	}
	text, ok := o.LookupEnv(name)
	return jinja.Variable{Text: text, Set: ok}
}

// argument gives input as an argument for a hint, quoted if it is no plain word.
func argument(s string) string {
	if isWord(s) && s == clip(s) {
		return s
	}
	return quoteText(s)
}

// isWord tells whether s can be a variable's name.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// loadFile reads a file for load_from_file: YAML and JSON to values, anything
// else but TOML to text. Only files inside the recipe's folder are read; links
// that lead out of it are not followed.
func (ev *evaluation) loadFile(path string) (jinja.Value, error) {
	outside := &jinja.Error{
		Kind: jinja.NotStatic, Offset: -1,
		Message: "value is not statically evaluable: " + quoteText(path) + " is not a file inside the recipe's folder",
		Hint:    "only files inside the recipe's folder are read",
	}
	if !filepath.IsLocal(path) {
		return jinja.Value{}, outside
	}
	root, err := os.OpenRoot(ev.options.folder(ev.doc.path))
	if err != nil {
		return jinja.Value{}, outside
	}
	defer root.Close()
	if info, err := root.Stat(path); err != nil || !info.Mode().IsRegular() {
		return jinja.Value{}, outside
	}
	f, err := root.Open(path)
	if err != nil {
		return jinja.Value{}, outside
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, jinja.MaxOutput+1))
	if err != nil {
		return jinja.Value{}, outside
	}
	if len(data) > jinja.MaxOutput {
		return jinja.Value{}, &jinja.Error{Kind: jinja.Limit, Offset: -1, Message: quoteText(path) + " is too large for load_from_file"}
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		doc, err := parseDocument(filepath.Join(filepath.Dir(ev.doc.path), path), data)
		if err != nil {
			return jinja.Value{}, err
		}
		return plainValue(doc.root), nil
	case ".toml":
		return jinja.Value{}, &jinja.Error{
			Kind: jinja.NotStatic, Offset: -1,
			Message: "value is not statically evaluable: TOML files are not read",
			Hint:    "write the value into the recipe",
		}
	}
	text, ok := decode(data)
	if !ok {
		return jinja.Value{}, errors.New("file for load_from_file is not valid UTF-8")
	}
	return jinja.String(text), nil
}

// plainValue makes a value of a YAML node.
func plainValue(n *yaml.Node) jinja.Value {
	switch n.Kind {
	case yaml.MappingNode:
		items := map[string]jinja.Value{}
		pairs(n, func(key, value *yaml.Node) { items[key.Value] = plainValue(value) })
		return jinja.Map(items)
	case yaml.SequenceNode:
		items := make([]jinja.Value, len(n.Content))
		for i, c := range n.Content {
			items[i] = plainValue(c)
		}
		return jinja.List(items)
	}
	if isPlain(n) {
		return literal(n.Value)
	}
	return jinja.String(n.Value)
}
