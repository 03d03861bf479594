package suggest

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// maxForms is the most ways of writing one bundle_url that are tried: each is
// read again with the whole recipe.
const maxForms = 8

// forms are ways of writing a bundle_url, the best first: with the source's own
// templates, so that the next version's is right without a change; the address as
// it is comes last. None is known to be right before the recipe was read with it.
func forms(vars variables, sources []recipe.SharedSource, ways []string) []string {
	var list []string
	add := func(text string) {
		if text != "" && !strings.ContainsAny(text, "\n\r\t") && len(list) < maxForms {
			list = appendNew(list, text)
		}
	}
	for i, s := range sources {
		way := ways[i]
		for _, u := range s.URLs {
			text := strings.TrimSpace(u.Text)
			if suffix, ok := strings.CutPrefix(way, u.Value); ok && suffix != "" && isLiteral(suffix) {
				add(text + suffix)
			}
		}
		for _, u := range s.URLs {
			text := strings.TrimSpace(u.Text)
			at, cut := strings.LastIndexByte(u.Value, '/'), lastSlash(text)
			if file, ok := strings.CutPrefix(way, u.Value[:at+1]); ok && cut >= 0 && isLiteral(file) && !strings.Contains(file, "/") {
				add(text[:cut+1] + vars.put(file, text))
			}
		}
		if prefix, ok := strings.CutSuffix(way, s.SHA256.String()); ok { // a look-up by digest
			if isTemplated(s.SHA256Text) {
				add(prefix + strings.TrimSpace(s.SHA256Text))
			}
			add(way)
			continue
		}
		for _, u := range s.URLs {
			add(vars.put(way, u.Text))
		}
		add(way)
	}
	return list
}

func isTemplated(text string) bool { return strings.Contains(text, "${{") }

// isLiteral tells whether nothing in an address could be taken for a template.
func isLiteral(s string) bool {
	return !strings.Contains(s, "{{") && !strings.Contains(s, "{%") && !strings.Contains(s, "{#")
}

// lastSlash is the place of the last slash outside of templates, or -1.
func lastSlash(text string) int {
	end := strings.LastIndex(text, "}}")
	if at := strings.LastIndexByte(text, '/'); at > end {
		return at
	}
	for at := len(text) - 1; at >= 0; at-- {
		if text[at] == '/' && strings.Count(text[:at], "${{") == strings.Count(text[:at], "}}") {
			return at
		}
	}
	return -1
}

// variables are the values of a recipe's context that are written down as they
// are.
type variables map[string]string

// contextOf reads the context of a recipe. What cannot be read gives none.
func contextOf(data []byte) variables {
	vars := variables{}
	context := contextNode(data)
	if context == nil {
		return vars
	}
	for i := 0; i+1 < len(context.Content); i += 2 {
		if k, v := context.Content[i], context.Content[i+1]; v.Kind == yaml.ScalarNode && !isTemplated(v.Value) {
			vars[k.Value] = v.Value
		}
	}
	return vars
}

func contextNode(data []byte) *yaml.Node {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) != 1 {
		return nil
	}
	return value(doc.Content[0], "context")
}

func value(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// put replaces values by their variables: version and name, and those that a text
// of the recipe uses itself.
func (vars variables) put(s, text string) string {
	names := []string{"version", "name"}
	for name := range vars {
		if strings.Contains(text, name) && isTemplated(text) {
			names = appendNew(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { // the longest value first
		if d := len(vars[b]) - len(vars[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		if v := vars[name]; len(v) > 1 && isLiteral(v) && !strings.Contains(v, "$") {
			s = replaceWord(s, v, "${{ "+name+" }}")
		}
	}
	return s
}

// replaceWord replaces a word where it stands by itself, outside of templates. A
// version may have a "v" before it, and is not part of a longer one.
func replaceWord(s, word, by string) string {
	var b strings.Builder
	for at := 0; at < len(s); {
		if strings.HasPrefix(s[at:], "${{") {
			end := strings.Index(s[at:], "}}")
			if end < 0 {
				return b.String() + s[at:]
			}
			b.WriteString(s[at : at+end+2])
			at += end + 2
			continue
		}
		if strings.HasPrefix(s[at:], word) && standsAlone(s, at, at+len(word)) {
			b.WriteString(by)
			at += len(word)
			continue
		}
		b.WriteByte(s[at])
		at++
	}
	return b.String()
}

func standsAlone(s string, from, to int) bool {
	if from > 0 && isAlphanumeric(s[from-1]) {
		alone := (s[from-1]|0x20 == 'v') && (from == 1 || !isAlphanumeric(s[from-2]))
		if !alone {
			return false
		}
	}
	if from > 1 && s[from-1] == '.' && isDigit(s[from-2]) {
		return false
	}
	if to < len(s) && isAlphanumeric(s[to]) {
		return false
	}
	return to+1 >= len(s) || s[to] != '.' || !isDigit(s[to+1])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }

// isLookup tells whether an address is a look-up by digest.
func isLookup(address string) bool { return strings.HasPrefix(address, "https://api.github.com/") }
