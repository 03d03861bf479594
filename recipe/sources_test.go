package recipe

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// digestOf gives a SHA-256 that is as good as any other.
func digestOf(digit string) string { return strings.Repeat(digit, 64) }

// lines gives sources in short: outputs with their values, in order.
func lines(r *Recipe) []string {
	var list []string
	for _, o := range r.Outputs {
		name := o.Name
		if o.Version != "" {
			name += " " + o.Version
		}
		if o.Staging {
			name += " (staging)"
		}
		for _, s := range o.Sources {
			list = append(list, name+": "+sourceLine(s))
		}
		if len(o.Sources) == 0 {
			list = append(list, name)
		}
	}
	return list
}

func sourceLine(s Source) string {
	if s.Err != nil {
		return "error: " + s.Err.Message
	}
	var values []string
	for _, u := range s.URLs {
		values = append(values, u.Value)
	}
	if s.Git != nil {
		values = append(values, "git", s.Git.URL.Value, s.Git.Reference())
	}
	if s.Kind == PathSource {
		values = append(values, "path", s.Path.Value)
	}
	if s.HasSHA256 {
		values = append(values, "sha256", s.SHA256.String()[:4])
	}
	if s.HasMD5 {
		values = append(values, "md5", s.MD5.String()[:4])
	}
	if s.EmptyDigest {
		values = append(values, "placeholder")
	}
	if s.FileName != "" {
		values = append(values, "file", s.FileName)
	}
	if s.TargetDirectory != "" {
		values = append(values, "in", s.TargetDirectory)
	}
	return strings.TrimSpace(strings.Join(values, " "))
}

var linux = Options{TargetPlatforms: []string{"linux-64"}, BuildPlatform: "linux-64"}

type sourceTest struct {
	name, recipe string
	options      Options
	want         []string
}

func runSourceTests(t *testing.T, tests []sourceTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.options
			if o.TargetPlatforms == nil {
				o.TargetPlatforms = linux.TargetPlatforms
			}
			if o.BuildPlatform == "" {
				o.BuildPlatform = "linux-64"
			}
			r, err := Parse("testdata/none/recipe.yaml", []byte(tt.recipe), o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, lines(r)); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
		})
	}
}

const head = "package:\n  name: a\n  version: 1.0\n"

func withVariants(v map[string][]string) Options { return Options{Variants: v} }

func TestSourceLists(t *testing.T) {
	runSourceTests(t, []sourceTest{
		{name: "none", recipe: head, want: []string{"a 1.0"}},
		{name: "empty", recipe: head + "source:\n", want: []string{"a 1.0"}},
		{name: "mapping", recipe: head + "source:\n  url: https://e.org/a\n", want: []string{"a 1.0: https://e.org/a"}},
		{name: "list", recipe: head + "source:\n  - url: https://e.org/a\n  - path: b\n", want: []string{"a 1.0: https://e.org/a", "a 1.0: path b"}},
		{name: "mirrors", recipe: head + "source:\n  url:\n    - https://e.org/a\n    - https://f.org/a\n", want: []string{"a 1.0: https://e.org/a https://f.org/a"}},
		{
			name: "all fields", recipe: head + "source:\n  url: https://e.org/a\n  sha256: " + strings.ToUpper(digestOf("a")) + "\n  md5: " + strings.Repeat("b", 32) +
				"\n  file_name: ' x.tgz '\n  target_directory: d\n  patches: [p]\n  filter: ['*']\n",
			want: []string{"a 1.0: https://e.org/a sha256 aaaa md5 bbbb file x.tgz in d"},
		},
		{name: "git before url and path", recipe: head + "source:\n  git: https://e.org/a.git\n  tag: v1\n  lfs: true\n  depth: 1\n", want: []string{"a 1.0: git https://e.org/a.git refs/tags/v1"}},
		{name: "git branch", recipe: head + "source:\n  git: ../a\n  branch: main\n", want: []string{"a 1.0: git ../a refs/heads/main"}},
		{name: "git revision", recipe: head + "source:\n  git: ../a\n  rev: ${{ 'abc' }}\n  expected_commit: abc\n", want: []string{"a 1.0: git ../a abc"}},
		{name: "path", recipe: head + "source:\n  path: ../a\n  use_gitignore: false\n  sha256: " + digestOf("c") + "\n", want: []string{"a 1.0: path ../a sha256 cccc"}},
		{name: "empty digest", recipe: head + "source:\n  url: https://e.org/a\n  sha256: ''\n", want: []string{"a 1.0: https://e.org/a placeholder"}},
		{name: "null digest", recipe: head + "source:\n  url: https://e.org/a\n  sha256:\n", want: []string{"a 1.0: https://e.org/a placeholder"}},
		{name: "digest of zeros is text", recipe: head + "source:\n  url: https://e.org/a\n  sha256: " + zeros + "\n", want: []string{"a 1.0: https://e.org/a placeholder"}},
		{name: "digest of digits is text", recipe: head + "source:\n  url: https://e.org/a\n  sha256: " + digestOf("1") + "\n", want: []string{"a 1.0: https://e.org/a sha256 1111"}},
		{name: "digest of a template", recipe: "context:\n  h: " + digestOf("d") + "\n" + head + "source:\n  url: https://e.org/a\n  sha256: ${{ h }}\n", want: []string{"a 1.0: https://e.org/a sha256 dddd"}},
		{name: "only the first document", recipe: head + "source:\n  path: a\n---\nsource:\n  path: b\n", want: []string{"a 1.0: path a"}},
		{name: "UTF-16 with CRLF", recipe: utf16LE("package:\r\n  name: a\r\n  version: 1\r\nsource:\r\n  url: https://e.org/ä\r\n"), want: []string{"a 1: https://e.org/%C3%A4"}},
		{name: "UTF-8 with byte order mark", recipe: "\xef\xbb\xbf" + head, want: []string{"a 1.0"}},
	})
}

func utf16LE(s string) string {
	b := []byte{0xff, 0xfe}
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return string(b)
}

func TestURLs(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"white space around", "'  https://e.org/a  '", "https://e.org/a"},
		{"folded scalar", ">\n    https://e.org/\n    a\n", "https://e.org/%20a"},
		{"literal scalar", "|\n    https://e.org/a\n", "https://e.org/a"},
		{"tab and newline", `"https://e.org/a\tb\nc"`, "https://e.org/abc"},
		{"upper case", "HTTPS://E.ORG/A", "https://e.org/A"},
		{"space", "https://e.org/a b", "https://e.org/a%20b"},
		{"percent encoding stays", "https://e.org/a%20b%2fc", "https://e.org/a%20b%2fc"},
		{"query", "https://e.org/downloads?f=Name-1.0.tar.gz", "https://e.org/downloads?f=Name-1.0.tar.gz"},
		{"dots", "https://e.org/a/../b/./c", "https://e.org/b/c"},
		{"encoded dots", "https://e.org/a/%2e%2e/b", "https://e.org/b"},
		{"backslashes", `https:\\e.org\a`, "https://e.org/a"},
		{"default port", "https://e.org:443/a", "https://e.org/a"},
		{"no path", "https://e.org", "https://e.org/"},
		{"one slash", "https:/e.org/a", "https://e.org/a"},
		{"user", "https://e.org@evil.org/a", "https://e.org@evil.org/a"},
		{"international host", "https://bücher.example/a", "https://xn--bcher-kva.example/a"},
		{"number as host", "http://0x7f.1/a", "http://127.0.0.1/a"},
		{"file", "file:///a/b c", "file:///a/b%20c"},
		{"fragment", "https://e.org/a#b", "https://e.org/a#b"},
		{"statement in a folded scalar without an expression", ">-\n    https://e.org/{% if win %}a{% endif %}\n", "https://e.org/{%%20if%20win%20%}a{%%20endif%20%}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse("recipe.yaml", []byte(head+"source:\n  url: "+tt.url+"\n"), linux)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Outputs[0].Sources[0].URLs[0].Value; got != tt.want {
				// Braces are encoded in paths by the rules.
				if want := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(tt.want); got != want {
					t.Errorf("%s, wanted %s", got, want)
				}
			}
		})
	}
}

func TestContext(t *testing.T) {
	show := func(context, expression string) string {
		return "context:\n" + context + head + "source:\n  path: x${{ " + expression + " }}\n"
	}
	want := func(s string) []string { return []string{"a 1.0: path x" + s} }
	runSourceTests(t, []sourceTest{
		{name: "integer", recipe: show("  v: 311\n", "v + 1"), want: want("312")},
		{name: "leading zeros", recipe: show("  v: 007\n", "v"), want: want("7")},
		{name: "plus sign", recipe: show("  v: +5\n", "v"), want: want("5")},
		{name: "underscores are text", recipe: show("  v: 2025_06_11\n", "v ~ v"), want: want("2025_06_112025_06_11")},
		{name: "no time stamp", recipe: show("  v: 2025-11-30\n", "v"), want: want("2025-11-30")},
		{name: "no float", recipe: show("  v: 1.10\n", "v"), want: want("1.10")},
		{name: "no exponent", recipe: show("  v: 1e5\n", "v"), want: want("1e5")},
		{name: "no octal", recipe: show("  v: 0o17\n", "v"), want: want("0o17")},
		{name: "beyond 64 bits is text", recipe: show("  v: 99999999999999999999\n", "v ~ (v is string)"), want: want("99999999999999999999True")},
		{name: "boolean", recipe: show("  v: True\n", "v is boolean"), want: want("True")},
		{name: "yes is text", recipe: show("  v: yes\n", "v"), want: want("yes")},
		{name: "null is text", recipe: show("  v: null\n", "v ~ (v is string)"), want: want("nullTrue")},
		{name: "tilde is text", recipe: show("  v: ~\n", "v"), want: want("~")},
		{name: "nothing is empty", recipe: show("  v:\n", "v ~ '.'"), want: want(".")},
		{name: "quoted integer is text", recipe: show("  v: '311'\n", "v is string"), want: want("True")},
		{name: "block scalar is text", recipe: show("  v: |-\n    311\n", "v is string"), want: want("True")},
		{name: "expression keeps its type", recipe: show("  v: 5\n  w: ${{ v + 1 }}\n", "w is integer"), want: want("True")},
		{name: "quoted expression gives text", recipe: show("  v: 5\n  w: \"${{ v + 1 }}\"\n", "w is string"), want: want("True")},
		{name: "mixed template is typed again", recipe: show("  a: 0\n  b: 1\n  w: ${{ a }}${{ b }}\n", "w + 1"), want: want("2")},
		{name: "quoted mixed template gives text", recipe: show("  a: 0\n  b: 1\n  w: '${{ a }}${{ b }}'\n", "w"), want: want("01")},
		{name: "version with dots from integers", recipe: show("  a: 1\n  w: ${{ a }}.10\n", "w"), want: want("1.10")},
		{name: "list of an expression", recipe: show("  v: 1.2.3\n  parts: ${{ v | split('.') }}\n", `parts[0] ~ ("0" ~ parts[1])[-2:]`), want: want("102")},
		{name: "list", recipe: show("  v: [a, 7, '7']\n", "v[1] + 1"), want: want("8")},
		{name: "list items are not templates", recipe: show("  v: ['${{ 1 }}']\n", "v[0]"), want: want("${{ 1 }}")},
		{name: "slice", recipe: show("  v: 1.24.5\n", "v[0:4]"), want: want("1.24")},
		{name: "context over platform", recipe: show("  linux: mine\n", "linux"), want: want("mine")},
		{name: "earlier values only", recipe: show("  w: ${{ v | default('none') }}\n  v: 1\n", "w"), want: want("none")},
		{name: "variant of its own name", recipe: show("  mpi: ${{ mpi or 'nompi' }}\n", "mpi"), options: withVariants(map[string][]string{"mpi": {""}}), want: want("nompi")},
		{name: "value that is not used may fail", recipe: show("  v: ${{ nope }}\n  w: ${{ git.head_rev('.') }}\n", "1"), want: want("1")},
		{name: "value that is used and fails", recipe: show("  v: ${{ nope }}\n", "v"), want: []string{`a 1.0: error: undefined variable "nope"`}},
		{
			name: "value of a value that fails", recipe: show("  v: ${{ git.head_rev('.') }}\n  w: ${{ v }}x\n", "w"),
			want: []string{"a 1.0: error: value is not statically evaluable: git.head_rev runs git"},
		},
		{
			name: "default does not hide what cannot be known", recipe: show("  v: ${{ git.head_rev('.') }}\n", "v | default('x')"),
			want: []string{"a 1.0: error: value is not statically evaluable: git.head_rev runs git"},
		},
	})
}

func TestConditionals(t *testing.T) {
	either := head + "source:\n  - if: win\n    then:\n      path: w\n    else:\n      - path: x\n      - if: aarch64\n        then: [{path: y}]\n        else:\n          path: z\n  - path: last\n"
	runSourceTests(t, []sourceTest{
		{name: "then", recipe: either, options: Options{TargetPlatforms: []string{"win-64"}}, want: []string{"a 1.0: path w", "a 1.0: path last"}},
		{name: "else", recipe: either, want: []string{"a 1.0: path x", "a 1.0: path z", "a 1.0: path last"}},
		{name: "nested", recipe: either, options: Options{TargetPlatforms: []string{"linux-aarch64"}}, want: []string{"a 1.0: path x", "a 1.0: path y", "a 1.0: path last"}},
		{name: "no else", recipe: head + "source:\n  - if: win\n    then:\n      path: w\n", want: []string{"a 1.0"}},
		{name: "lone", recipe: head + "source:\n  if: linux\n  then:\n    path: x\n", want: []string{"a 1.0: path x"}},
		{name: "empty then", recipe: head + "source:\n  if: linux\n  then:\n  else:\n    path: x\n", want: []string{"a 1.0"}},
		{
			name: "path on Windows and url elsewhere", recipe: head + "source:\n  - if: win\n    then:\n      path: w\n    else:\n      url: https://e.org/a\n",
			options: Options{TargetPlatforms: []string{"win-64", "linux-64"}}, want: []string{"a 1.0: https://e.org/a", "a 1.0: path w"},
		},
		{name: "boolean", recipe: head + "source:\n  - if: false\n    then:\n      path: w\n", want: []string{"a 1.0"}},
		{
			name: "undefined", recipe: head + "source:\n  - if: nope == 1\n    then:\n      path: w\n  - path: x\n",
			want: []string{`a 1.0: error: undefined variable "nope"`, "a 1.0: path x"},
		},
		{
			name: "match over variants", recipe: head + "source:\n  - if: match(python, '3.10.*')\n    then:\n      path: ten\n    else:\n      path: x${{ python }}\n",
			options: withVariants(map[string][]string{"python": {"3.10.* *_cpython", "3.11.* *_cpython"}}),
			want:    []string{"a 1.0: path ten", "a 1.0: path x3.11.* *_cpython"},
		},
		{name: "match without a variant", recipe: head + "source:\n  - if: match(python, '3.10.*')\n    then:\n      path: ten\n", want: []string{"a 1.0: path ten"}},
		{
			name: "platform variables", recipe: head + "source:\n  - if: linux and unix and x86_64 and linux64 and not win and not osx and target_platform == 'linux-64'\n    then:\n      path: x${{ SHLIB_EXT }}\n",
			want: []string{"a 1.0: path x.so"},
		},
		{
			name: "platform variables of another", recipe: head + "source:\n  - if: osx and unix and arm64 and osxarm64 and not aarch64 and build_platform != host_platform\n    then:\n      path: x${{ SHLIB_EXT }}\n",
			options: Options{TargetPlatforms: []string{"osx-arm64"}}, want: []string{"a 1.0: path x.dylib"},
		},
	})
}

func TestOutputs(t *testing.T) {
	multi := "recipe:\n  name: r\n  version: 2.0\nsource:\n  path: top\noutputs:\n"
	runSourceTests(t, []sourceTest{
		{
			name: "top level's, then its own", recipe: multi + "  - package:\n      name: a\n    source:\n      path: own\n  - package:\n      name: b\n      version: 3\n",
			want: []string{"a 2.0: path top", "a 2.0: path own", "b 3: path top"},
		},
		{
			name: "staging and inherit", recipe: multi + "  - staging:\n      name: s\n    source:\n      path: staged\n  - package:\n      name: a\n    inherit: s\n    source:\n      path: own\n" +
				"  - package:\n      name: b\n    inherit:\n      from: s\n      run_exports: false\n  - package:\n      name: c\n    inherit: ~\n  - package:\n      name: d\n    inherit: null\n  - package:\n      name: e\n    inherit:\n",
			want: []string{
				"s 2.0 (staging): path top", "s 2.0 (staging): path staged", "a 2.0: path own", "b 2.0", "c 2.0: path top", "d 2.0: path top", "e 2.0: path top",
			},
		},
		{
			name: "skip", recipe: multi + "  - package:\n      name: a\n    build:\n      skip: linux\n    source:\n      path: ${{ nope }}\n  - package:\n      name: b\n    build:\n      skip:\n        - win\n        - match(python, '<3.9')\n",
			options: withVariants(map[string][]string{"python": {"3.8", "3.12"}}), want: []string{"b 2.0: path top"},
		},
		{name: "skip of all", recipe: "build:\n  skip: linux\n" + multi + "  - package:\n      name: a\n", want: nil},
		{name: "skip that cannot be known", recipe: multi + "  - package:\n      name: a\n    build:\n      skip: nope == 1\n", want: []string{"a 2.0: path top"}},
		{name: "skip of the only output", recipe: head + "build:\n  skip: linux\nsource:\n  path: x\n", want: []string{"a 1.0: path x"}},
		{name: "cache of old", recipe: "cache:\n  source:\n    path: cached\n" + multi + "  - package:\n      name: a\n", want: []string{"cache (staging): path cached", "a 2.0: path top"}},
		{name: "name of a template", recipe: "recipe:\n  name: r\ncontext:\n  n: X\noutputs:\n  - package:\n      name: ${{ n | lower }}-y\n", want: []string{"x-y"}},
		{name: "no outputs", recipe: "recipe:\n  name: r\noutputs:\n", want: nil},
		{
			name: "equal outputs of variants are one", recipe: head + "context:\n  x: ${{ v }}\nsource:\n  path: x\n", options: withVariants(map[string][]string{"v": {"1", "2"}}),
			want: []string{"a 1.0: path x"},
		},
	})
}

func TestVariants(t *testing.T) {
	write := func(t *testing.T, name, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	paths := func(expression string) string { return head + "source:\n  path: x${{ " + expression + " }}\n" }
	tests := []struct {
		name, recipe, file, text string
		options                  Options
		want                     []string
	}{
		{name: "list", recipe: paths("v"), file: variantsFile, text: "v: [1, 2]\n", want: []string{"x1", "x2"}},
		{name: "dash and dot are underscores", recipe: paths("a_b_c"), file: variantsFile, text: "a-b.c: [1]\n", want: []string{"x1"}},
		{name: "conditionals", recipe: paths("v"), file: variantsFile, text: "v:\n  - if: win\n    then: w\n    else: [x, y]\n  - z\n", want: []string{"xx", "xy", "xz"}},
		{name: "templates", recipe: paths("v"), file: variantsFile, text: "v:\n  - ${{ target_platform }}\n", want: []string{"xlinux-64"}},
		{name: "product", recipe: paths("v ~ w"), file: variantsFile, text: "v: [1, 2]\nw: [3, 4]\n", want: []string{"x13", "x14", "x23", "x24"}},
		{name: "keys bound together", recipe: paths("v ~ w ~ u"), file: variantsFile, text: "v: [1, 2]\nw: [3, 4]\nu: [5, 6]\nzip_keys: [[v, w, u]]\n", want: []string{"x135", "x246"}},
		{name: "key that nothing reads", recipe: paths("v"), file: variantsFile, text: "v: [1]\nw: [3, 4]\n", want: []string{"x1"}},
		{name: "branches read other keys", recipe: paths("v if w == 'a' else u"), file: variantsFile, text: "v: [1, 2]\nw: [a, b]\nu: [5, 6]\n", want: []string{"x1", "x5", "x6", "x2"}},
		{name: "selectors", recipe: paths("v"), file: condaBuildConfigFile, text: "v:\n  - 1  # [win]\n  - 3.10  # [linux and not aarch64]\n  - '4'\n  - 5  # [nope]\n", want: []string{"x3.10", "x4"}},
		{
			name: "selector of the environment", recipe: paths("v"), file: condaBuildConfigFile,
			text: "v:\n  - 1  # [os.environ.get('X', 'no') == 'no']\n  - 2  # [os.environ.get('X', 'no').startswith('ye')]\n", want: []string{"x1"},
		},
		{name: "selector of a key", recipe: paths("v | default('none')"), file: condaBuildConfigFile, text: "v:  # [win]\n  - 1  # [win]\n", want: []string{"xnone"}},
		{name: "numbers of conda_build_config are text", recipe: paths("v is string"), file: condaBuildConfigFile, text: "v:\n  - 1\n", want: []string{"xTrue"}},
		{name: "lines are cut at the first #", recipe: paths("v"), file: condaBuildConfigFile, text: "v:\n  - a#b\n", want: []string{"xa"}},
		{name: "conda_build_config by its exact name only", recipe: paths("v"), file: "my_conda_build_config.yaml", text: "v:\n  - 1  # [win]\n", want: []string{"x1"}},
		{name: "mapping is left aside", recipe: paths("v"), file: variantsFile, text: "pin_run_as_build:\n  python:\n    max_pin: x.x\nv: [1]\n", want: []string{"x1"}},
		{name: "options override files", recipe: paths("v"), file: variantsFile, text: "v: [1, 2]\n", options: withVariants(map[string][]string{"v": {"9"}}), want: []string{"x9"}},
		{name: "file does not override the platform", recipe: paths("target_platform"), file: variantsFile, text: "target_platform: [win-64]\n", want: []string{"xlinux-64"}},
		{
			name: "digest of a variant", recipe: head + "source:\n  url: https://e.org/a\n  sha256: ${{ h }}\n", file: variantsFile,
			text: "h: [" + digestOf("a") + ", " + digestOf("b") + "]\nx: [1, 2]\ny: [1, 2]\nzip_keys:\n  - [h, x, y]\n", want: []string{"https://e.org/a sha256 aaaa", "https://e.org/a sha256 bbbb"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.options
			o.TargetPlatforms, o.BuildPlatform = linux.TargetPlatforms, linux.BuildPlatform
			o.VariantFiles = []string{write(t, tt.file, tt.text)}
			r, err := Parse("testdata/none/recipe.yaml", []byte(tt.recipe), o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range r.Sources() {
				got = append(got, strings.TrimPrefix(sourceLine(s.Source), "path "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("files override key by key, in order", func(t *testing.T) {
		folder := t.TempDir()
		for name, text := range map[string]string{
			"recipe.yaml": paths("a ~ b ~ c"), variantsFile: "a: [1]\nb: [1]\nc: [1]\n", condaBuildConfigFile: "a:\n  - 9\n",
			"x.yaml": "b: [2]\nc: [2]\n", "y.yaml": "c: [3]\n",
		} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Read(filepath.Join(folder, "recipe.yaml"), Options{VariantFiles: []string{filepath.Join(folder, "x.yaml"), filepath.Join(folder, "y.yaml")}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a 1.0: path x123"}, lines(r)); diff != "" {
			t.Errorf("sources (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{"a": "1", "b": "2", "c": "3"}, r.Outputs[0].Variant); diff != "" {
			t.Errorf("variant (-want +got):\n%s", diff)
		}
	})
	t.Run("groups of unequal length", func(t *testing.T) {
		o := linux
		o.VariantFiles = []string{write(t, variantsFile, "v: [1, 2]\nw: [3]\nzip_keys: [[v, w]]\n")}
		_, err := Parse("recipe.yaml", []byte(paths("v")), o)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "zip_keys bind") {
			t.Errorf("error %v", err)
		}
	})
}
