package recipe

import (
	"fmt"
	"strings"
	"testing"
)

// TestNasty holds the nastiest things found in real recipes.
func TestNasty(t *testing.T) {
	path := func(context, template string) string {
		return "context:\n" + context + head + "source:\n  path: " + template + "\n"
	}
	wheels, wantWheels := "", []string(nil)
	for i := range 25 {
		wheels += fmt.Sprintf("  - if: match(python, \"3.%d.*\")\n    then:\n      url: https://e.org/cp3%d.whl\n", i, i)
	}
	for _, i := range []int{10, 9} {
		wantWheels = append(wantWheels, fmt.Sprintf("a 1.0: https://e.org/cp3%d.whl", i))
	}
	many, wantMany := "recipe:\n  name: r\n  version: 1\noutputs:\n", []string(nil)
	for i := range 274 {
		many += fmt.Sprintf("  - package:\n      name: p%d\n    source:\n      url: https://e.org/${{ target_platform }}/%d\n", i, i)
		wantMany = append(wantMany, fmt.Sprintf("p%d 1: https://e.org/linux-64/%d", i, i))
	}
	runSourceTests(t, []sourceTest{
		{name: "filters bind tighter than ~", recipe: path("  version: 1.2.3\n", `b${{ version ~ "" | split(".") | list | last }}`), want: []string{"a 1.0: path b1.2.3"}},
		{name: "274 sources, each output its own", recipe: many, want: wantMany},
		{name: "match over 25 wheels", recipe: head + "source:\n" + wheels, options: withVariants(map[string][]string{"python": {"3.10.* *_cpython", "3.9.* *_cpython"}}), want: wantWheels},
		{name: "integer for a version", recipe: path("  version: 311\n", "v${{ version }}.tgz"), want: []string{"a 1.0: path v311.tgz"}},
		{name: "date for a version", recipe: path("  version: 2025-11-30\n", "${{ version | replace('-', '_') }}"), want: []string{"a 1.0: path 2025_11_30"}},
		{name: "float for a version", recipe: path("  version: 1.10\n", "${{ version }}"), want: []string{"a 1.0: path 1.10"}},
		{name: "statement in a folded scalar without an expression", recipe: path("  a: 1\n", ">-\n    {% if a %}\n    b\n    {% endif %}"), want: []string{"a 1.0: path {% if a %} b {% endif %}"}},
		{name: "statement in a folded scalar with one", recipe: path("  a: 1\n", ">-\n    {% if a %}b{% endif %}\n    ${{ a }}"), want: []string{"a 1.0: path b 1"}},
		{name: "bare expression of conda-build", recipe: path("  a: 1\n", "'{{ a }}'"), want: []string{"a 1.0: path {{ a }}"}},
		{name: "bare expression beside a live one", recipe: path("  a: 1\n", "'{{ a }}${{ a }}'"), want: []string{"a 1.0: path {{ a }}1"}},
		{name: "braces of a shell variable", recipe: path("  a: 1\n", "'${a}${{ a }}'"), want: []string{"a 1.0: path ${a}1"}},
		{name: "context that shadows a platform", recipe: path("  win: w\n  unix: false\n", "${{ win }}${{ 'u' if unix else 'x' }}"), want: []string{"a 1.0: path wx"}},
		{name: "slice", recipe: path("  version: 1.24.5\n", "${{ version[0:3] }}${{ version[:-2] }}"), want: []string{"a 1.0: path 1.21.24"}},
		{name: "first letter", recipe: path("  name: Flask\n", "${{ name[0] | lower }}/${{ name | lower }}"), want: []string{"a 1.0: path f/flask"}},
		{name: "list-valued context", recipe: path("  version: 2.3\n  parts: ${{ version | split('.') }}\n", `${{ parts[0] }}${{ ("0" ~ parts[1])[-2:] }}`), want: []string{"a 1.0: path 203"}},
		{name: "integer against text", recipe: path("  version: 3\n", "${{ 'same' if version == '3' else 'other' }}"), want: []string{"a 1.0: path other"}},
		{name: "arithmetic of parts", recipe: path("  version: 1.2.3\n  major: ${{ (version | split('.'))[0] | int }}\n", "${{ major * 1000000 + 7 }}"), want: []string{"a 1.0: path 1000007"}},
		{name: "no list of integers", recipe: path("  v: ${{ [1, 2] }}\n", "${{ v | join('.') }}"), want: []string{"a 1.0: path 1.2"}},
		{name: "quoted key", recipe: head + "\"source\":\n  'path': x\n", want: []string{"a 1.0: path x"}},
		{name: "flow style", recipe: head + "source: [{path: x}, {if: win, then: {path: y}}]\n", want: []string{"a 1.0: path x"}},
		{name: "environment with default", recipe: path("  cuda: ${{ env.get('CONDA_OVERRIDE_CUDA', default='none') }}\n", "${{ cuda }}"), want: []string{"a 1.0: path none"}},
		{name: "environment without default", recipe: path("  cuda: ${{ env.get('CONDA_OVERRIDE_CUDA') }}\n", "${{ cuda }}"), want: []string{`a 1.0: error: environment variable "CONDA_OVERRIDE_CUDA" is not set`}},
		{
			name: "comparison with an undefined variable", recipe: head + "source:\n  - if: cuda_compiler_version != 'None'\n    then:\n      path: x\n  - path: y\n",
			want: []string{`a 1.0: error: undefined variable "cuda_compiler_version"`, "a 1.0: path y"},
		},
		{name: "context after its use", recipe: head + "source:\n  path: x${{ late }}\ncontext:\n  late: 1\n", want: []string{"a 1.0: path x1"}},
		{name: "comment signs in values", recipe: head + "source:\n  url: https://e.org/a#sub=1\n  target_directory: a # b\n", want: []string{"a 1.0: https://e.org/a#sub=1 in a"}},
		{name: "line ends of Windows", recipe: strings.ReplaceAll(head+"source:\n  path: >\n    a\n    b\n", "\n", "\r\n"), want: []string{"a 1.0: path a b"}},
	})
}
