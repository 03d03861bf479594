package jinja

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testVariables() variables {
	return variables{
		"version": String("1.2.3"), "name": String("Foo.Bar"), "n": Int(7), "zero": Int(0), "yes": Bool(true), "no": Bool(false),
		"python": String("3.10.* *_cpython"), "items": List([]Value{String("b"), String("a"), String("B")}),
		"target_platform": String("linux-aarch64"), "mapping": Map(map[string]Value{"key": String("v")}),
		"c_compiler": String("gcc"), "c_compiler_version": String("14"), "huge": mustEvaluate("2**100"),
	}
}

func mustEvaluate(expression string) Value {
	v, err := New(Config{Budget: 1000}).Evaluate(expression, variables{})
	if err != nil {
		panic(err)
	}
	return v
}

func testConfig() Config {
	return Config{
		Budget: 1_000_000,
		Env: func(name string) Variable {
			switch name {
			case "CONDA_OVERRIDE_CUDA":
				return Variable{Text: "12.9", Set: true}
			case "GITHUB_TOKEN":
				return Variable{Hint: "allow it"}
			}
			return Variable{}
		},
	}
}

func TestRender(t *testing.T) {
	tests := []struct{ name, template, want string }{
		{"text", "a/b-1.0.tar.gz", "a/b-1.0.tar.gz"},
		{"text with a bare expression", "{{ version }}", "{{ version }}"},
		{"statements without an expression are text", "{% if yes %}a{% endif %}", "{% if yes %}a{% endif %}"},
		{"comment without an expression is text", "{# a #}", "{# a #}"},
		{"start without end is text", "${{ version", "${{ version"},
		{"variable", "v${{ version }}.tgz", "v1.2.3.tgz"},
		{"no white space", "${{version}}", "1.2.3"},
		{"bare expression beside a live one", "{{ version }}${{ n }}", "{{ version }}7"},
		{"one line end goes", "${{ n }}\n", "7"},
		{"one line end of Windows goes", "${{ n }}\r\n", "7"},
		{"two line ends", "${{ n }}\n\n", "7\n"},
		{"white space before and after goes", "a  ${{- n -}}  b", "a7b"},
		{"plus keeps white space", "a  ${{+ n +}}  b", "a  7  b"},
		{"braces in a string", `${{ "}}" }}`, "}}"},
		{"braces of a mapping", `${{ {"a": {"b": 1}}["a"]["b"] }}`, "1"},
		{"comment", "a{# ${{ nope }} #}b${{ n }}", "ab7"},
		{"if", "${{ n }}{% if yes %}a{% else %}b{% endif %}", "7a"},
		{"elif", "${{ n }}{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}", "7b"},
		{"trimmed statements", "${{ n }} {%- if yes -%} a {%- endif -%} b", "7ab"},
		{"for", "{% for i in items %}${{ i }},{% endfor %}", "b,a,B,"},
		{"for over nothing", "{% for i in [] %}a{% else %}b{% endfor %}${{ n }}", "b7"},
		{"for with its counter", "{% for i in items %}${{ loop.index }}{% endfor %}", "123"},
		{"set", "{% set x = n + 1 %}${{ x }}", "8"},
		{"raw", "{% raw %}${{ nope }}{% if %}{% endraw %}${{ n }}", "${{ nope }}{% if %}7"},
		{"true", "${{ yes }}", "True"},
		{"none", "${{ none }}", "None"},
		{"constants of Python", "${{ True }} ${{ False }} ${{ None }}", "True False None"},
		{"float", "${{ 1.50 }}", "1.5"},
		{"float without fraction", "${{ 2.0 * 2 }}", "4.0"},
		{"list", `${{ [1, "a", none, true] }}`, `[1, "a", None, True]`},
		{"tuple", "${{ (1, 2) }}", "[1, 2]"},
		{"hexadecimal", "${{ 0xff }} ${{ 0b11 }} ${{ 0o17 }} ${{ 1_000 }}", "255 3 15 1000"},
		{"escapes", `${{ "a\tb\"\\\u00e9\ud83d\ude00\q" }}`, "a\tb\"\\é😀\\q"},
		{"strings side by side", `${{ "a" 'b' }}`, "ab"},
		{"integers are exact", "${{ 9007199254740993 * 3 + 1 }}", "27021597764222980"},
		{"integers of 128 bits", "${{ huge + 1 }}", "1267650600228229401496703205377"},
		{"division gives a float", "${{ 7 / 2 }}", "3.5"},
		{"whole division", "${{ 7 // 2 }} ${{ -7 // 2 }} ${{ 7 // -2 }}", "3 -4 -3"},
		{"remainder is not negative", "${{ 7 % 3 }} ${{ -7 % 3 }} ${{ -7 % -3 }}", "1 2 2"},
		{"power", "${{ 2**10 }} ${{ (-1)**3 }} ${{ 1**4000000000 }} ${{ 0**0 }}", "1024 -1 1 1"},
		{"text repeated", `${{ "ab" * 2 }}${{ 2 * "c" }}`, "ababcc"},
		{"sum of texts", `${{ "a" + "b" }}`, "ab"},
		{"sum of lists", "${{ [1] + [2] }}", "[1, 2]"},
		{"concatenation", `${{ "a" ~ 1 ~ none ~ yes }}`, "a1NoneTrue"},
		{"filters bind tighter than ~", `b${{ version ~ "" | split(".") | list | last }}`, "b1.2.3"},
		{"~ binds tighter than +", `${{ "a" + "b" ~ "c" }}`, "abc"},
		{"unary minus binds tighter than a filter", "${{ -3 | abs }}", "3"},
		{"slices", "${{ version[0:3] }} ${{ version[-1:] }} ${{ version[::2] }} ${{ version[::-1] }} ${{ version[:-9] }}|", "1.2 3 123 3.2.1 |"},
		{"slice far outside", "${{ version[-9223372036854775808:9223372036854775807:9223372036854775807] }}", "1"},
		{"slice of a concatenation", `${{ ("0" ~ items[1])[-2:] }}`, "0a"},
		{"subscripts", "${{ version[0] }}${{ version[-1] }}${{ items[0] }}", "13b"},
		{"attributes of a mapping", "${{ mapping.key }}${{ mapping['key'] }}", "vv"},
		{"ternary", `${{ "a" if n > 3 else "b" }}`, "a"},
		{"ternary without else", `${{ "a" if n < 3 }}|`, "|"},
		{"chained comparison", "${{ 1 < n < 9 }} ${{ 9 > n > 8 }}", "True False"},
		{"comparison of kinds", `${{ 1 == 1.0 }} ${{ n == "7" }} ${{ yes == 1 }}`, "True False True"},
		{"in", `${{ "a" in items }} ${{ "oo" in name }} ${{ "x" not in items }} ${{ "key" in mapping }}`, "True True True True"},
		{"logic gives an operand", `${{ "" or "a" }} ${{ n and "b" }}`, "a b"},
		{"what is not evaluated may be undefined", `${{ no and nope }} ${{ yes or nope }} ${{ 1 if yes else nope }}`, "False True 1"},
		{"comparison stops early", "${{ 2 < 1 < nope }}", "False"},
		{"unknown function in a branch that is not taken", "${{ 1 if yes else range(3) }}", "1"},
		{"default", `${{ nope | default("d") }} ${{ nope | default }}| ${{ no | default("d") }} ${{ no | default("d", true) }}`, "d | False d"},
		{"version_to_buildstring", `${{ python | version_to_buildstring }} ${{ "3" | version_to_buildstring }}`, "310 3"},
		{"replace, lower, upper", `${{ name | replace(".", "-") | lower }} ${{ name | upper }}`, "foo-bar FOO.BAR"},
		{"int", `${{ "42" | int + 1 }} ${{ 3.9 | int }} ${{ "-2.5" | int }}`, "43 3 -2"},
		{"abs, bool, length", "${{ -2.5 | abs }} ${{ n | bool }} ${{ items | length }} ${{ 'é' | length }}", "2.5 True 3 1"},
		{"first, last, min, max", "${{ items | first }}${{ items | last }}${{ items | min }}${{ items | max }}", "bBBb"},
		{"join", `${{ items | join("-") }} ${{ items | join }} ${{ [1, 2] | join(", ") }}`, "b-a-B baB 1, 2"},
		{"sort", `${{ items | sort }} ${{ items | sort(reverse=true) }} ${{ items | sort(case_sensitive=true) }}`, `["a", "b", "B"] ["b", "B", "a"] ["B", "a", "b"]`},
		{"unique", `${{ items | unique }} ${{ [1, "1", 1] | unique }}`, `["b", "a"] [1, "1"]`},
		{"reverse, trim", `${{ version | reverse }} ${{ "  a " | trim }} ${{ "xxaxx" | trim("x") }}`, "3.2.1 a a"},
		{"split", `${{ version | split(".") }} ${{ "a b  c" | split }} ${{ "a.b.c" | split(".", 1) }}`, `["1", "2", "3"] ["a", "b", "c"] ["a", "b.c"]`},
		{"list", `${{ "ab" | list }} ${{ mapping | list }}`, `["a", "b"] ["key"]`},
		{"tests of definition", "${{ nope is defined }} ${{ nope is undefined }} ${{ n is not undefined }} ${{ none is none }}", "False True True True"},
		{"tests of kind", `${{ n is number }} ${{ n is integer }} ${{ n is int }} ${{ 1.5 is float }} ${{ name is string }} ${{ items is sequence }} ${{ yes is boolean }}`, "True True True True True True True"},
		{"tests of value", `${{ n is odd }} ${{ n is even }} ${{ yes is true }} ${{ no is false }} ${{ n is eq 7 }} ${{ n is ge(8) }} ${{ n is in [7] }}`, "True False True True True False True"},
		{"tests of text", `${{ name is startingwith "Foo" }} ${{ name is endingwith("x") }} ${{ name is safe }} ${{ name is escaped }}`, "True False False False"},
		{
			"platform functions", `${{ is_linux(target_platform) }} ${{ is_unix("osx-64") }} ${{ is_windows("linux-64") }} ${{ is_osx("osx-64") }} ${{ is_ios("ios-arm64") }} ${{ is_android("android-64") }}`,
			"True True False True True True",
		},
		{"compiler", `${{ compiler("c") }} ${{ compiler("rust") }}`, "gcc_linux-aarch64 =14 rust_linux-aarch64"},
		{"stdlib", `${{ stdlib("c") }}`, "sysroot_linux-aarch64"},
		{"cdt", `${{ cdt("mesa-libgl-devel") }}`, "mesa-libgl-devel-cos6-aarch64"},
		{"env.get", `${{ env.get("CONDA_OVERRIDE_CUDA") }}`, "12.9"},
		{"env.get with default", `${{ env.get("NOPE", default="d") }} ${{ env.get("GITHUB_TOKEN", default="d") }}`, "d d"},
		{"env.exists", `${{ env.exists("CONDA_OVERRIDE_CUDA") }} ${{ env.exists("GITHUB_TOKEN") }}`, "True False"},
		{"env.get of what is set, in a branch", `${{ env.get("GITHUB_TOKEN") if env.exists("GITHUB_TOKEN") else "none" }}`, "none"},
		{"match of an undefined variable", `${{ match(nope, ">=3.11") }} ${{ match(none, ">=3.11") }}`, "True True"},
		{"match", `${{ match(python, "3.10.*") }} ${{ match(python, ">=3.11") }}`, "True False"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := New(testConfig()).Render(tt.template, testVariables())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.template, diff)
			}
		})
	}
}

func TestRenderErrors(t *testing.T) {
	tests := []struct {
		name, template string
		want           Kind
		message        string
	}{
		{"undefined", "${{ nope }}", Undefined, `undefined variable "nope"`},
		{"undefined in a condition", "${{ 1 if nope else 2 }}", Undefined, `undefined variable "nope"`},
		{"undefined compared", "${{ nope == 1 }}", Undefined, `undefined variable "nope"`},
		{"undefined ordered", "${{ 1 < nope }}", Undefined, `undefined variable "nope"`},
		{"undefined concatenated", `${{ "a" ~ nope }}`, Undefined, `undefined variable "nope"`},
		{"undefined in a list", `${{ nope in [1] }}`, Undefined, `undefined variable "nope"`},
		{"undefined container", `${{ 1 in nope }}`, Undefined, `undefined variable "nope"`},
		{"undefined negated", "${{ not nope }}", Undefined, `undefined variable "nope"`},
		{"undefined filtered", "${{ nope | lower }}", Undefined, `undefined variable "nope"`},
		{"undefined after a default", "${{ a | default(1) }}${{ nope }}", Undefined, `undefined variable "nope"`},
		{"attribute of undefined", "${{ nope.a }}", Undefined, `undefined variable "nope"`},
		{"index outside", "${{ version[9] }}", Undefined, "undefined value: there is no item [9]"},
		{"loop over undefined", "{% for a in nope %}{% endfor %}${{ n }}", Undefined, `undefined variable "nope"`},
		{"method of a string", `${{ version.split(".") }}`, Invalid, `values have no methods, found "split"`},
		{"attribute of a string", `${{ version.major }}`, Undefined, "undefined value: there is no item [major]"},
		{"call of a variable", `${{ (version)() }}`, Invalid, "only functions can be called"},
		{"function of the engine", "${{ range(3) }}", Invalid, `function "range" is unknown`},
		{"filter of the engine", "${{ name | title }}", Invalid, `filter "title" is unknown`},
		{"test of the engine", "${{ name is mapping }}", Invalid, `test "mapping" is unknown`},
		{"function of this package", "${{ __rv_print(1) }}", Syntax, `name "__rv_print" is reserved`},
		{"variable of this package", "${{ __rv_print }}", Syntax, `name "__rv_print" is reserved`},
		{"function that is not called", "${{ match }}", Invalid, "function is not called"},
		{"self", "${{ self }}", Syntax, `name "self" is reserved by the template language`},
		{"loop outside of one", "${{ loop }}", Syntax, `name "loop" is reserved by the template language`},
		{"macro", "{% macro a() %}{% endmacro %}${{ a() }}", Syntax, `statement "macro" is not supported in a recipe`},
		{"include", `{% include "a" %}${{ n }}`, Syntax, `statement "include" is not supported in a recipe`},
		{"set block", "{% set a %}b{% endset %}${{ a }}", Syntax, `unexpected the end in an expression, wanted "="`},
		{"if without end", "{% if yes %}${{ n }}", Syntax, "template ends within {% if %}"},
		{"end without if", "${{ n }}{% endif %}", Syntax, "unexpected {% endif %}"},
		{"expression without value", "${{ }}", Syntax, "unexpected the end in an expression, wanted a value"},
		{"two values", "${{ n n }}", Syntax, `unexpected "n" in an expression, wanted an operator or }}`},
		{"bracket left open", "${{ (n }} }}", Syntax, `unexpected "}" in an expression, wanted ")"`},
		{"string without end", `${{ "a }}`, Syntax, "string literal has no end"},
		{"character of no token", "${{ n ; }}", Syntax, `unexpected character ';' in an expression`},
		{"control character", "${{ n }}\x01", Syntax, "template holds a control character"},
		{"git", `${{ git.head_rev(".") }}`, NotStatic, "value is not statically evaluable: git.head_rev runs git"},
		{"load_from_file", `${{ load_from_file("a") }}`, NotStatic, "value is not statically evaluable: files are not read here"},
		{"pin_subpackage", `${{ pin_subpackage("a") }}`, NotStatic, "value is not statically evaluable: pin_subpackage is known when packages are resolved"},
		{"env.get without default", `${{ env.get("NOPE") }}`, Undefined, `environment variable "NOPE" is not set`},
		{"env.get of a secret", `${{ env.get("GITHUB_TOKEN") }}`, Undefined, `environment variable "GITHUB_TOKEN" is not set`},
		{"unknown function of env", `${{ env.all() }}`, Invalid, `function "env.all" is unknown`},
		{"env as a variable", "${{ env }}", Undefined, `undefined variable "env"`},
		{"division by zero", "${{ 1 / zero }}", Invalid, "division by zero"},
		{"whole division by zero", "${{ 1 // zero }}", Invalid, "division by zero"},
		{"sum of text and number", `${{ "a" + 1 }}`, Invalid, `operator "+" does not work on string and number`},
		{"overflow", "${{ huge * huge }}", Invalid, "integer is out of the range of 128 bits"},
		{"split of a number", `${{ n | split(".") }}`, Invalid, `"split" wants a string for "value", found number`},
		{"argument that a filter does not take", `${{ name | lower(1) }}`, Invalid, `"lower" takes at most 1 arguments, found 2`},
		{"named argument that a function does not take", `${{ env.get("A", fallback="b") }}`, Invalid, `"env.get" takes no argument "fallback"`},
		{"argument that lacks", `${{ match(n) }}`, Invalid, `"match" lacks its argument "spec"`},
		{"match of no version", `${{ match("a b", "!!") }}`, Invalid, `"!!" is not a version specification`},
		{"repetition", `${{ "a" * 100000 }}`, Limit, "repetition gives more than 65536 bytes"},
		{"negative repetition", `${{ "a" * -1 }}`, Invalid, "cannot repeat -1 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := New(testConfig()).Render(tt.template, testVariables())
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%s: result %q, error %v, wanted an *Error", tt.template, got, err)
			}
			if diff := cmp.Diff(tt.message, e.Message); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.template, diff)
			}
			if e.Kind != tt.want {
				t.Errorf("%s: kind %d, wanted %d", tt.template, e.Kind, tt.want)
			}
		})
	}
}
