package jinja

import "testing"

type plainVariables map[string]Value

func (v plainVariables) Lookup(name string) (Value, bool, error) {
	held, ok := v[name]
	return held, ok, nil
}

var plainNames = plainVariables{
	"name": String("flask"), "version": String("3.1.1"), "number": Int(7), "yes": Bool(true), "list": List([]Value{String("a")}),
	"compiler": String("shadows a function"), "match": String("shadows a function"), "loop": String("x"), "self": String("x"), "env": String("x"), "git": String("x"),
	"true": String("x"), "none": String("x"), "and": String("x"), "empty": String(""), "upper": String("a filter's name"), "defined": String("a test's name"),
	"hostile": String("${{ name }}"), "__rv_print": String("x"), "range": String("x"), "dict": String("x"), "raw": String("x"), "v2": String("2"),
}

// FuzzRenderPlain holds the short way against the engine: what it renders, the
// engine must render to the same.
func FuzzRenderPlain(f *testing.F) {
	for name := range plainNames {
		f.Add("${{ " + name + " }}")
	}
	for _, source := range []string{
		"https://x/${{ name }}-${{ version }}.tar.gz", "${{name}}", "a ${{  name  }} b", "${{ name }}\n", "\n${{ name }}", "${{- name -}} ", "{# c #}${{ name }}",
		"{% raw %}${{ name }}{% endraw %}", "${{ name }}}}", "${{ {name} }}", "$${{ name }}", "${{ name }${{ version }}", "${{ 'a' }}", "${{ name.x }}", "${{ missing }}",
		"${{\tname }}", "${{ na\u00efve }}", "${{ name }}{", "}} ${{ name }}", "${{ ${{ name }} }}", "${{ }}", "${{ name version }}",
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if !IsTemplate(source) {
			return
		}
		got, ok := New(Config{Budget: 1 << 20}).renderPlain(source, plainNames)
		if !ok {
			return
		}
		want, err := New(Config{Budget: 1 << 20}).render(source, plainNames)
		if err != nil || got != want {
			t.Errorf("%q: %q, and the engine says %q, %v", source, got, want, err)
		}
	})
}

func TestRenderPlainIsTakenForReal(t *testing.T) {
	for source, want := range map[string]bool{
		"https://x/${{ name }}-${{ version }}.tar.gz": true, "${{name}}": true, "${{ empty }}": true,
		"${{ number }}": false, "${{ missing }}": false, "${{ name | upper }}": false, "${{ name }}\n": false, "{{ name }}": false,
	} {
		if _, ok := New(Config{Budget: 1000}).renderPlain(source, plainNames); ok != want {
			t.Errorf("%q: %t", source, ok)
		}
	}
	if _, ok := New(Config{Budget: 5}).renderPlain("${{ name }}", plainNames); ok {
		t.Error("rendered without a budget")
	}
}
