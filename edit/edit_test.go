package edit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// at is a place in a file.
func at(line, column int) recipe.Position {
	return recipe.Position{File: "recipe.yaml", Line: line, Column: column}
}

// block is what tests add.
func block(publisher string) []edit.Field {
	return []edit.Field{{"attestation", []edit.Field{{"publishers", []any{publisher}}}}}
}

// add adds a short field at each place.
func add(places ...recipe.Position) []edit.Change {
	var list []edit.Change
	for _, p := range places {
		list = append(list, edit.Change{Source: p, Add: []edit.Field{{"file_name", "f"}}})
	}
	return list
}

// A row of Apply. In the text before, ◆ marks where mappings begin, and is not
// part of it.
type row struct {
	name, before, after string
	remove              []string
	add                 []edit.Field
}

// marked takes the marks out of a text, and gives where they stood.
func marked(text string) (string, []recipe.Position) {
	var places []recipe.Position
	for {
		i := strings.Index(text, "◆")
		if i < 0 {
			return text, places
		}
		before := text[:i]
		line := 1 + strings.Count(before, "\n") + strings.Count(before, "\u2028")
		if !strings.Contains(before, "\n") {
			line += strings.Count(before, "\r")
		}
		column := 1 + len([]rune(before[strings.LastIndexAny(before, "\r\n")+1:]))
		places = append(places, at(line, column))
		text = before + text[i+len("◆"):]
	}
}

func run(t *testing.T, rows []row) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			before, places := marked(tt.before)
			var changes []edit.Change
			for _, p := range places {
				changes = append(changes, edit.Change{Source: p, Remove: tt.remove, Add: tt.add})
			}
			got, err := edit.Apply("recipe.yaml", []byte(before), changes)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.after, string(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func adding(rows []row) []row {
	for i := range rows {
		if rows[i].add == nil {
			rows[i].add = []edit.Field{{"file_name", "f"}}
		}
	}
	return rows
}

func TestApplyAddsWholeLines(t *testing.T) {
	run(t, adding([]row{
		{
			name:   "a mapping",
			before: "source:\n  ◆url: a\n  sha256: b\nbuild:\n  number: 0\n",
			after:  "source:\n  url: a\n  sha256: b\n  file_name: f\nbuild:\n  number: 0\n",
		}, {
			name:   "an item of a list",
			before: "source:\n  - ◆url: a\n    sha256: b\n  - url: c\n",
			after:  "source:\n  - url: a\n    sha256: b\n    file_name: f\n  - url: c\n",
		}, {
			name:   "items of a list that is not indented",
			before: "source:\n- ◆url: a\n- ◆url: c\nbuild: {}\n",
			after:  "source:\n- url: a\n  file_name: f\n- url: c\n  file_name: f\nbuild: {}\n",
		}, {
			name:   "a dash with more spaces",
			before: "source:\n  -   ◆url: a\n      sha256: b\n",
			after:  "source:\n  -   url: a\n      sha256: b\n      file_name: f\n",
		}, {
			name:   "a dash on a line of its own",
			before: "source:\n  -\n    # c\n    ◆url: a\n  -\n    url: b\n",
			after:  "source:\n  -\n    # c\n    url: a\n    file_name: f\n  -\n    url: b\n",
		}, {
			name: "conditionals in conditionals",
			before: "source:\n  - if: unix\n    then:\n      - if: linux\n        then:\n          ◆url: a\n        else:\n          - ◆url: b\n" +
				"    else:\n      ◆url: c\n",
			after: "source:\n  - if: unix\n    then:\n      - if: linux\n        then:\n          url: a\n          file_name: f\n        else:\n          - url: b\n            file_name: f\n" +
				"    else:\n      url: c\n      file_name: f\n",
		}, {
			name:   "outputs",
			before: "outputs:\n  - package: {name: a}\n    source:\n      ◆url: a\n  - staging: {name: b}\n    source:\n      - ◆url: b\n",
			after:  "outputs:\n  - package: {name: a}\n    source:\n      url: a\n      file_name: f\n  - staging: {name: b}\n    source:\n      - url: b\n        file_name: f\n",
		}, {
			name:   "mirrors at the end",
			before: "source:\n  ◆sha256: b\n  url:\n    - a\n    - b # c\n\n  # not of it?\nbuild:\n",
			after:  "source:\n  sha256: b\n  url:\n    - a\n    - b # c\n  file_name: f\n\n  # not of it?\nbuild:\n",
		}, {
			name:   "mirrors that are not indented",
			before: "source:\n  ◆sha256: b\n  url:\n  - a\n  - b\nbuild:\n",
			after:  "source:\n  sha256: b\n  url:\n  - a\n  - b\n  file_name: f\nbuild:\n",
		}, {
			name:   "mirrors in brackets over lines",
			before: "source:\n  ◆url: [\n    a,  # ]\n\n    'b]', \"]\"\n  ]  # c\nbuild:\n",
			after:  "source:\n  url: [\n    a,  # ]\n\n    'b]', \"]\"\n  ]  # c\n  file_name: f\nbuild:\n",
		}, {
			name:   "comment in the line, comments of the mapping, comments of others",
			before: "source:\n  ◆url: a\n  sha256: b # c\n  # patches:\n  #   - p\n# of build\nbuild:\n",
			after:  "source:\n  url: a\n  sha256: b # c\n  # patches:\n  #   - p\n  file_name: f\n# of build\nbuild:\n",
		}, {
			name:   "a comment that is indented less",
			before: "source:\n  - ◆url: a\n  # the second\n  - url: b\n",
			after:  "source:\n  - url: a\n    file_name: f\n  # the second\n  - url: b\n",
		}, {
			name:   "blank lines, also such that hold spaces",
			before: "source:\n  ◆url: a\n  \n       \n\nbuild:\n",
			after:  "source:\n  url: a\n  file_name: f\n  \n       \n\nbuild:\n",
		}, {
			name:   "white space behind the value",
			before: "source:\n  ◆url: a \t \nbuild:\n",
			after:  "source:\n  url: a \t \n  file_name: f\nbuild:\n",
		}, {
			name:   "a tab before the comment",
			before: "source:\n  ◆url: a\t# c\nbuild:\n",
			after:  "source:\n  url: a\t# c\n  file_name: f\nbuild:\n",
		}, {
			name:   "a hash that begins no comment",
			before: "source:\n  ◆url: a#b\nbuild:\n",
			after:  "source:\n  url: a#b\n  file_name: f\nbuild:\n",
		}, {
			name:   "a value over several lines",
			before: "source:\n  ◆url: a\n    b\n\n     c # d\nbuild:\n",
			after:  "source:\n  url: a\n    b\n\n     c # d\n  file_name: f\nbuild:\n",
		}, {
			name:   "a quoted value over several lines, not indented",
			before: "source:\n  ◆url: \"a\n\n# no comment\nbuild: \\\" no key\n  b\"\nbuild:\n",
			after:  "source:\n  url: \"a\n\n# no comment\nbuild: \\\" no key\n  b\"\n  file_name: f\nbuild:\n",
		}, {
			name:   "single quotes",
			before: "source:\n  ◆url: 'a''b # '''\nbuild:\n",
			after:  "source:\n  url: 'a''b # '''\n  file_name: f\nbuild:\n",
		}, {
			name:   "a value that is nothing",
			before: "source:\n  ◆url: a\n  md5:   # c\nbuild:\n",
			after:  "source:\n  url: a\n  md5:   # c\n  file_name: f\nbuild:\n",
		}, {
			name:   "quoted keys",
			before: "source:\n  ◆\"url\": a\n  'sha256' : b\nbuild:\n",
			after:  "source:\n  \"url\": a\n  'sha256' : b\n  file_name: f\nbuild:\n",
		}, {
			name:   "a folded value that is stripped",
			before: "source:\n  ◆url: >-\n    a\n    # text\n\n  # comment\nbuild:\n",
			after:  "source:\n  url: >-\n    a\n    # text\n  file_name: f\n\n  # comment\nbuild:\n",
		}, {
			name:   "a comment right behind a literal value",
			before: "source:\n  ◆url: |\n     a\n    # comment\n  # too\nbuild:\n",
			after:  "source:\n  url: |\n     a\n    # comment\n  # too\n  file_name: f\nbuild:\n",
		}, {
			name:   "a literal value that keeps the lines behind it",
			before: "source:\n  ◆url: |+ # c\n    a\n\n   \nbuild:\n",
			after:  "source:\n  url: |+ # c\n    a\n\n   \n  file_name: f\nbuild:\n",
		}, {
			name:   "a literal value that ends in a line of spaces",
			before: "source:\n  ◆url: |\n    a\n      \n\nbuild:\n",
			after:  "source:\n  url: |\n    a\n      \n  file_name: f\n\nbuild:\n",
		}, {
			name:   "a literal value with indentation given",
			before: "source:\n  ◆url: |2-\n      a\n    b\nbuild:\n",
			after:  "source:\n  url: |2-\n      a\n    b\n  file_name: f\nbuild:\n",
		}, {
			name:   "a literal value that is empty",
			before: "source:\n  ◆url: |\n\nbuild:\n",
			after:  "source:\n  url: |\n  file_name: f\n\nbuild:\n",
		}, {
			name:   "filter as the last value, a mapping with lists",
			before: "source:\n  ◆url: a\n  filter:\n    include:\n      - a\n      - |\n       b\n    # c\nbuild:\n",
			after:  "source:\n  url: a\n  filter:\n    include:\n      - a\n      - |\n       b\n    # c\n  file_name: f\nbuild:\n",
		}, {
			name:   "an empty item as the last value",
			before: "source:\n  ◆url: a\n  patches:\n    - a\n    -\nbuild:\n",
			after:  "source:\n  url: a\n  patches:\n    - a\n    -\n  file_name: f\nbuild:\n",
		}, {
			name:   "text that is not ASCII before it",
			before: "# Ünïcödé 🐍\nsource: # 🐍\n  - ◆url: ä🐍 # ö\nbuild:\n",
			after:  "# Ünïcödé 🐍\nsource: # 🐍\n  - url: ä🐍 # ö\n    file_name: f\nbuild:\n",
		}, {
			name:   "line ends of YAML 1.1 in a comment elsewhere",
			before: "# a\u2028\nsource:\n  ◆url: a\nabout: |\n  b\u0085  c\n",
			after:  "# a\u2028\nsource:\n  url: a\n  file_name: f\nabout: |\n  b\u0085  c\n",
		},
	}))
}

func TestApplyKeepsFiles(t *testing.T) {
	run(t, adding([]row{
		{
			name:   "CRLF",
			before: "source:\r\n  ◆url: a\r\n\r\nbuild:\r\n",
			after:  "source:\r\n  url: a\r\n  file_name: f\r\n\r\nbuild:\r\n",
		}, {
			name:   "CR",
			before: "source:\r  ◆url: a\rbuild:\r",
			after:  "source:\r  url: a\r  file_name: f\rbuild:\r",
		}, {
			name:   "mixed line ends: that of the line before",
			before: "source:\n  ◆url: a\r\n  sha256: b\nbuild:\r\n",
			after:  "source:\n  url: a\r\n  sha256: b\n  file_name: f\nbuild:\r\n",
		}, {
			name:   "no line end at the end",
			before: "build:\nsource:\n  ◆url: a",
			after:  "build:\nsource:\n  url: a\n  file_name: f",
		}, {
			name:   "no line end at the end, but a comment",
			before: "build:\r\nsource:\r\n  ◆url: a # c",
			after:  "build:\r\nsource:\r\n  url: a # c\r\n  file_name: f",
		}, {
			name:   "no line end, but a comment of the mapping's",
			before: "source:\n  ◆url: a\n  # c",
			after:  "source:\n  url: a\n  # c\n  file_name: f",
		}, {
			name:   "no line end, but one of another's",
			before: "source:\n  ◆url: a\n# c",
			after:  "source:\n  url: a\n  file_name: f\n# c",
		}, {
			name:   "no line end, but spaces",
			before: "source:\n  ◆url: a\n  ",
			after:  "source:\n  url: a\n  file_name: f\n  ",
		}, {
			name:   "a stripped text block without a line end",
			before: "source:\n  ◆url: |-\n    a",
			after:  "source:\n  url: |-\n    a\n  file_name: f",
		}, {
			name:   "byte order mark",
			before: "\ufeffsource:\n  ◆url: a\n",
			after:  "\ufeffsource:\n  url: a\n  file_name: f\n",
		}, {
			name:   "document end",
			before: "%YAML 1.1\n---\nsource:\n  ◆url: a\n...\nsource: [\n",
			after:  "%YAML 1.1\n---\nsource:\n  url: a\n  file_name: f\n...\nsource: [\n",
		}, {
			name:   "a second document",
			before: "source:\n  ◆url: a\n# c\n---\nsource:\n  url: b\n",
			after:  "source:\n  url: a\n  file_name: f\n# c\n---\nsource:\n  url: b\n",
		}, {
			name:   "indentation of four, lists not indented",
			before: "build:\n    script:\n    - a\n    - b\nsource:\n    ◆url: a\n",
			after:  "build:\n    script:\n    - a\n    - b\nsource:\n    url: a\n    attestation:\n        publishers:\n        - github:o/r\n",
			add:    block("github:o/r"),
		}, {
			name:   "indentation that shows nothing",
			before: "source:\n- ◆{url: a}\n",
			after:  "source:\n- {url: a, attestation: {publishers: [\"github:o/r\"]}}\n",
			add:    block("github:o/r"),
		},
	}))
}

func TestApplyAddsWithinFlow(t *testing.T) {
	run(t, adding([]row{
		{name: "a mapping", before: "source: ◆{url: a, sha256: b} # c\n", after: "source: {url: a, sha256: b, file_name: f} # c\n"},
		{name: "spaces", before: "source: ◆{ url: a }\n", after: "source: { url: a, file_name: f }\n"},
		{name: "a comma at the end", before: "source: ◆{url: a, }\n", after: "source: {url: a, file_name: f }\n"},
		{name: "a list", before: "source: [◆{url: a}, ◆{url: b}]\n", after: "source: [{url: a, file_name: f}, {url: b, file_name: f}]\n"},
		{name: "items", before: "source:\n  - ◆{url: a}\n  - {url: b}\n", after: "source:\n  - {url: a, file_name: f}\n  - {url: b}\n"},
		{name: "JSON", before: `{"source": ◆{"url":"a","sha256":"b"}}`, after: `{"source": {"url":"a","sha256":"b", file_name: f}}`},
		{
			name:   "over lines, with comments",
			before: "source: ◆{\n  url: a,  # }\n  sha256: b  # }\n}\n",
			after:  "source: {\n  url: a,  # }\n  sha256: b, file_name: f  # }\n}\n",
		},
		{
			name:   "over lines, with a comma at the end",
			before: "source: ◆{\n  url: [a, {b: c}], # d\n}\n",
			after:  "source: {\n  url: [a, {b: c}], file_name: f # d\n}\n",
		},
		{
			name:   "a key alone",
			before: "source: ◆{url: a, md5\n}\n",
			after:  "source: {url: a, md5, file_name: f\n}\n",
		},
		{
			name:   "a key with a colon alone",
			before: "source: ◆{url: a, md5: }\n",
			after:  "source: {url: a, md5: , file_name: f }\n",
		},
		{
			name:   "not ASCII",
			before: "source: [◆{url: 'ä🐍'}, ◆{url: ö🐍}]\n",
			after:  "source: [{url: 'ä🐍', file_name: f}, {url: ö🐍, file_name: f}]\n",
		},
		{
			name:   "templates are quoted",
			before: "source: ◆{url: a}\n",
			after:  "source: {url: a, x: [\"${{ version }}\", \"a, b\", a-b, \"\", '\"', \"true\"], \"y z\": {}, w: []}\n",
			add:    []edit.Field{{"x", []any{"${{ version }}", "a, b", "a-b", "", `"`, "true"}}, {"y z", []edit.Field{}}, {"w", []any{}}},
		},
	}))
}

func TestApplyRemoves(t *testing.T) {
	gone := []string{"url", "sha256", "md5"}
	path := []edit.Field{{"path", "p"}}
	run(t, []row{
		{
			name: "all of a mapping", remove: gone, add: path,
			before: "source:\n  # c\n  ◆url: a # d\n  # e\n  sha256: b # f\n  # g\nbuild:\n",
			after:  "source:\n  # c\n  path: p\n  # g\nbuild:\n",
		},
		{
			name: "all of an item", remove: gone, add: path,
			before: "source:\n  # c\n  - ◆url: a\n    sha256: b\n\n  - url: c\n",
			after:  "source:\n  # c\n  - path: p\n\n  - url: c\n",
		},
		{
			name: "the first keys of an item", remove: gone, add: path,
			before: "source:\n  - ◆url:\n      - a\n      - b\n    sha256: c\n    patches:\n      - d\n  - url: c\n",
			after:  "source:\n  - patches:\n      - d\n    path: p\n  - url: c\n",
		},
		{
			name: "the first key, and a comment of the one that stays", remove: gone, add: path,
			before: "source:\n  - ◆url: a # gone\n    # stays\n    patches: c\n",
			after:  "source:\n  -\n    # stays\n    patches: c\n    path: p\n",
		},
		{
			name: "the first key of a mapping", remove: gone, add: path,
			before: "source:\n  ◆url: a\n  # stays\n  patches: c\n",
			after:  "source:\n  # stays\n  patches: c\n  path: p\n",
		},
		{
			name: "keys in between, with the comments above them", remove: gone, add: path,
			before: "source:\n  ◆patches: c\n  # gone\n  # too\n  url: a\n\n  # stays\n\n  sha256: b\n  target_directory: d\n",
			after:  "source:\n  patches: c\n\n  # stays\n\n  target_directory: d\n  path: p\n",
		},
		{
			name: "the last key of a file without a line end", remove: gone, add: path,
			before: "source:\n  ◆patches: c\n  url: a",
			after:  "source:\n  patches: c\n  path: p",
		},
		{
			name: "all, without a line end", remove: gone, add: path,
			before: "source:\r\n- ◆url: a\r\n  sha256: |\r\n   b",
			after:  "source:\r\n- path: p",
		},
		{
			name: "and nothing added", remove: gone,
			before: "source:\n  - ◆url: a\n    sha256: b\n    path: c\nbuild:\n",
			after:  "source:\n  - path: c\nbuild:\n",
		},
		{
			name: "a text block", remove: gone, add: path,
			before: "source:\n  ◆url: |+\n    a\n\n  patches: c\n  md5: >\n    d\n# e\n",
			after:  "source:\n  patches: c\n  path: p\n# e\n",
		},
		{
			name: "keys that are not there", remove: []string{"md5", "filter"}, add: path,
			before: "source:\n  ◆url: a\n",
			after:  "source:\n  url: a\n  path: p\n",
		},
		{
			name: "a key is replaced", remove: []string{"url"}, add: []edit.Field{{"url", "${{ a }}: # b"}},
			before: "source:\n  ◆url: a # c\n  sha256: b\n",
			after:  "source:\n  sha256: b\n  url: \"${{ a }}: # b\"\n",
		},
		{name: "all in braces", remove: gone, add: path, before: "source: ◆{ url: a, sha256: b, }\n", after: "source: { path: p, }\n"},
		{name: "the first in braces", remove: gone, add: path, before: "source: ◆{url: a, sha256: b, patches: c}\n", after: "source: {patches: c, path: p}\n"},
		{name: "the last in braces", remove: gone, add: path, before: "source: ◆{patches: c, url: a}\n", after: "source: {patches: c, path: p}\n"},
		{name: "the last in braces, and nothing added", remove: gone, before: "source: ◆{path: c, url: a }\n", after: "source: {path: c }\n"},
		{name: "in between in braces", remove: gone, add: path, before: "source: ◆{patches: c, url: a , md5: d}\n", after: "source: {patches: c, path: p}\n"},
		{
			name: "braces over lines", remove: gone, add: path,
			before: "source: ◆{\n  url: a, # gone\n  # stays\n  patches: c, # stays\n  sha256: b\n}\n",
			after:  "source: {\n  \n  # stays\n  patches: c, # stays\n  path: p\n}\n",
		},
	})
}

func TestApplyQuotesWhatNeedsIt(t *testing.T) {
	for text, want := range map[string]string{
		"github:o/r":          "github:o/r",
		"https://h/a?b#c":     "https://h/a?b#c",
		"${{ version }}":      "${{ version }}",
		"https://h/${{ a }}":  "https://h/${{ a }}",
		`${{ a | b("c") }}`:   `${{ a | b("c") }}`,
		"it's":                "it's",
		"":                    `""`,
		" a":                  `" a"`,
		"a ":                  `"a "`,
		"{a}":                 `"{a}"`,
		"a: b":                `"a: b"`,
		"a:":                  `"a:"`,
		"a #b":                `"a #b"`,
		"- a":                 `"- a"`,
		"@a":                  `"@a"`,
		"true":                `"true"`,
		"No":                  `"No"`,
		"null":                `"null"`,
		"~":                   `"~"`,
		"1":                   `"1"`,
		"1e3":                 `"1e3"`,
		"0x1f":                `"0x1f"`,
		"0o17":                `"0o17"`,
		"2025-01-02":          `"2025-01-02"`,
		"1:30":                `1:30`,
		".inf":                `".inf"`,
		"<<":                  `"<<"`,
		`"a"`:                 `'"a"'`,
		`: '"\`:               `': ''"\'`,
		"a\nb":                `"a\nb"`,
		"a\r\nsource: \x1b[m": `"a\x0D\nsource: \x1B[m"`,
		"\"\n\\":              `"\"\n\\"`,
		"a\tb":                `"a\tb"`,
		"a\u2028b\u0085":      `"a\u2028b\x85"`,
		"a\u202eb":            `"a\u202Eb"`,
		"\ufeffa":             `"\uFEFFa"`,
		"a\U000e0001":         `"a\U000E0001"`,
		"\x00":                `"\x00"`,
		"--- a":               `"--- a"`,
		"...":                 `"..."`,
		"ä🐍":                  "ä🐍",
		"!!str a":             `"!!str a"`,
		"*a":                  `"*a"`,
		"&a b":                `"&a b"`,
		"% a":                 `"% a"`,
		"| a":                 `"| a"`,
	} {
		got, err := edit.Apply("recipe.yaml", []byte("source:\n  url: a\n"), []edit.Change{
			{Source: at(2, 3), Add: []edit.Field{{"x", text}}},
		})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if want := "source:\n  url: a\n  x: " + want + "\n"; string(got) != want {
			t.Errorf("%q: got %q, wanted %q", text, got, want)
		}
	}
}

func TestApplyWritesNestedValues(t *testing.T) {
	got, err := edit.Apply("recipe.yaml", []byte("source:\n  url: a\n"), []edit.Change{{Source: at(2, 3), Add: []edit.Field{
		{"attestation", []edit.Field{
			{"publishers", []any{"github:o/r", []edit.Field{{"identity", "https://i"}, {"issuer", "https://j"}}, []edit.Field{}}},
			{"verified", []edit.Field{{"a", []string{"b", "c"}}, {"d", []edit.Field{}}, {"e", []any{}}}},
		}},
		{"z", "0"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `source:
  url: a
  attestation:
    publishers:
      - github:o/r
      - identity: https://i
        issuer: https://j
      - {}
    verified:
      a:
        - b
        - c
      d: {}
      e: []
  z: "0"
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestApplyKeepsUTF16(t *testing.T) {
	encode := func(s string, big bool) []byte {
		var data []byte
		for _, r := range "\ufeff" + s { // the test's text is in the basic plane
			if big {
				data = append(data, byte(r>>8), byte(r))
			} else {
				data = append(data, byte(r), byte(r>>8))
			}
		}
		return data
	}
	for _, big := range []bool{false, true} {
		got, err := edit.Apply("recipe.yaml", encode("source: # ä\n  url: ö\n", big), add(at(2, 3)))
		if err != nil {
			t.Fatal(err)
		}
		if want := encode("source: # ä\n  url: ö\n  file_name: f\n", big); string(got) != string(want) {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
	lone := append(encode("source:\n  url: a # ", false), 0x00, 0xd8, '\n', 0) // half of a pair
	for name, data := range map[string][]byte{"half of a pair": lone, "half of a character": lone[:len(lone)-5]} {
		if got, err := edit.Apply("recipe.yaml", data, add(at(2, 3))); err == nil {
			t.Errorf("%s: no error, but %q", name, got)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		changes          []edit.Change
	}{
		{"no mapping there", "source:\n  url: a\n", `recipe.yaml:2:4: no mapping begins here`, add(at(2, 4))},
		{"no such line", "source:\n  url: a\n", `recipe.yaml:9:1: no mapping begins here`, add(at(9, 1))},
		{"no place", "source:\n  url: a\n", `recipe.yaml: no mapping begins here`, add(at(0, 0))},
		{"two for one", "source:\n  url: a\n", `recipe.yaml:2:3: two changes are for the same source`, add(at(2, 3), at(2, 3))},
		{"a key that is there", "source:\n  url: a\n  file_name: b\n", `recipe.yaml:3:3: the source has a key "file_name" already`, add(at(2, 3))},
		{"a key that is there in quotes", "source: {url: a, \"file_name\": b}\n", `recipe.yaml:1:18: the source has a key "file_name" already`, add(at(1, 9))},
		{
			"a key twice", "source:\n  url: a\n", `recipe.yaml:2:3: the source has a key "a" already`,
			[]edit.Change{{Source: at(2, 3), Add: []edit.Field{{"a", "b"}, {"a", "c"}}}},
		},
		{
			"nothing left", "source:\n  url: a\n", `recipe.yaml:2:3: nothing of the source would be left`,
			[]edit.Change{{Source: at(2, 3), Remove: []string{"url"}}},
		},
		{
			"one in the other", "source:\n  - if: a\n    then:\n      url: b\n", `recipe.yaml:1:1: changes overlap`,
			[]edit.Change{{Source: at(2, 5), Remove: []string{"then"}}, {Source: at(4, 7), Remove: []string{"url"}, Add: []edit.Field{{"a", "b"}}}},
		},
		{"an empty key", "source:\n  url: a\n", `"" cannot be a key`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{"", "a"}}}}},
		{"a long key", "source:\n  url: a\n", `cannot be a key`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{strings.Repeat("k", 2000), "a"}}}}},
		{"a number", "source:\n  url: a\n", `value of "a": a int is not supported`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{"a", 1}}}}},
		{"nil", "source:\n  url: a\n", `value of "a": a <nil> is not supported`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{"a", nil}}}}},
		{"a list in a list", "source:\n  url: a\n", `a list in a list is not supported`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{"a", []any{[]any{"b"}}}}}}},
		{"no UTF-8", "source:\n  url: a\n", `text is not valid UTF-8`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{"a", []any{"\xff"}}}}}},
		{"a key twice below", "source:\n  url: a\n", `key "b" is there twice`, []edit.Change{{Source: at(2, 3), Add: []edit.Field{{"a", []edit.Field{{"b", "c"}, {"b", "d"}}}}}}},
		{"question marks", "source:\n  ? url\n  : a\n", `cannot be edited`, add(at(2, 3))},
		{"a question mark", "source:\n  url: a\n  ? sha256\n  : a\n", `recipe.yaml:3:5: a key that is written with ` + "`?` cannot be edited", add(at(2, 3))},
		{"a question mark in braces", "source: {url: a, ? sha256 : a}\n", `recipe.yaml:1:20: a key that is written with ` + "`?` cannot be edited", add(at(1, 9))},
		{"no braces", "source: [url: a]\n", `recipe.yaml:1:10: a mapping without braces in a list with brackets cannot be edited`, add(at(1, 10))},
		{"an open text block", "source:\n  url: |\n    a", `recipe.yaml:2:3: nothing can be added behind a text block that the file ends in without a line end`, add(at(2, 3))},
		{"a text block that keeps", "source:\n  url: |+\n    a", `recipe.yaml:2:3: nothing can be added behind a text block`, add(at(2, 3))},
		{"YAML 1.1 in the source", "source:\n  url: a # b\u2028  sha256: c\n", `a line end of YAML 1.1`, add(at(2, 3))},
		{"no YAML", "source: [\n", `cannot parse YAML`, add(at(1, 9))},
		{"anchors", "source: &a\n  url: a\n", `anchors are not allowed`, add(at(2, 3))},
		{"no UTF-8 file", "source:\n  url: \xff\n", `not valid UTF-8`, add(at(2, 3))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := edit.Apply("recipe.yaml", []byte(tt.text), tt.changes)
			if err == nil {
				t.Fatalf("no error, but %q", got)
			}
			var fault *recipe.Error
			if !errors.As(err, &fault) {
				t.Errorf("error of type %T", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, wanted %q", err, tt.want)
			}
			if got != nil {
				t.Errorf("an error, and %q", got)
			}
		})
	}
}
