package recipe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFaults(t *testing.T) {
	runFaultTests(t, []faultTest{
		{"empty file", "", "r.yaml:1:1: recipe has neither `package` nor `outputs` | recipes of conda-build (meta.yaml) are not supported"},
		{"list", "- a\n", "r.yaml:1:1: top level is not a mapping"},
		{"anchor", "a: &x 1\n", "r.yaml:1:4: anchors are not allowed in a recipe"},
		{"alias", "a: *x\n", "r.yaml: cannot parse YAML: unknown anchor 'x' referenced"},
		{"tag", head + "about: !!str a\n", "r.yaml:4:8: tags are not allowed in a recipe"},
		{"own tag", head + "about: !x a\n", "r.yaml:4:8: tags are not allowed in a recipe"},
		{"duplicate key", head + "package: {}\n", "r.yaml:4:1: duplicate key \"package\", first given in line 1"},
		{"duplicate key far below", head + "about:\n  x: [{a: 1, a: 2}]\n", "r.yaml:5:14: duplicate key \"a\", first given in line 5"},
		{"key that is no scalar", head + "[a]: b\n", "r.yaml:4:1: keys must be scalars"},
		{"bad YAML", head + "a: [\n", "r.yaml:4:1: cannot parse YAML: did not find expected node content"},
		{"schema version", head + "schema_version: 2\n", "r.yaml:4:17: schema_version must be 1, found \"2\""},
		{"unknown key at the top", head + "sources:\n  url: a\n", "r.yaml:4:1: unknown key \"sources\" at the top level | did you mean `source`?"},
		{"package beside outputs", head + "outputs: []\n", "r.yaml:1:1: unknown key \"package\" at the top level | allowed are $schema, about, build, context, extra, outputs, recipe, schema_version, source, tests, version"},
		{"unknown key in an output", "recipe:\n  name: r\noutputs:\n  - package:\n      name: a\n    sources: []\n", "r.yaml:6:5: unknown key \"sources\" in an output | did you mean `source`?"},
		{"conditional output", "recipe:\n  name: r\noutputs:\n  - if: win\n    then: []\n", "r.yaml:4:5: conditionals are not allowed in outputs | use build.skip in the output"},
		{"output of nothing", "recipe:\n  name: r\noutputs:\n  - build: {}\n", "r.yaml:4:5: output has neither `package` nor `staging`"},
		{"unknown key in a source", head + "source:\n  url: https://e.org/a\n  sha265: a\n", "r.yaml:6:3: unknown key \"sha265\" in a url source | did you mean `sha256`?"},
		{
			"url and path in one source", head + "source:\n  url: https://e.org/a\n  path: b\n",
			"r.yaml:6:3: unknown key \"path\" in a url source | allowed are attestation, file_name, filter, md5, patches, sha256, target_directory, url",
		},
		{"source without kind", head + "source:\n  - urls: a\n", "r.yaml:5:5: source has neither `url` nor `git` nor `path` | did you mean `url`?"},
		{"source of text", head + "source:\n  - https://e.org/a\n", "r.yaml:5:5: source must be a mapping, found a scalar | write `url`, `git` or `path` and a value"},
		{"template in a condition", head + "source:\n  - if: ${{ win }}\n    then: []\n", "r.yaml:5:9: condition must be a bare expression | write it without ${{ }}"},
		{"condition without then", head + "source:\n  - if: win\n", "r.yaml:5:5: conditional has no `then`"},
		{"unknown key of a condition", head + "source:\n  - if: win\n    then: []\n    elif: []\n", "r.yaml:7:5: unknown key \"elif\" in a conditional | did you mean `else`?"},
		{"syntax of a condition", head + "source:\n  - if: win and\n    then: []\n", "r.yaml:5:16: unexpected the end in an expression, wanted a value"},
		{"syntax of a template", head + "source:\n  - url: https://e.org/${{ 1 + }}\n", "r.yaml:5:32: unexpected the end in an expression, wanted a value"},
		{"relative url", head + "source:\n  url: a/b\n", "r.yaml:5:8: \"a/b\" is not an absolute URL | write an absolute URL, such as https://…"},
		{"no url", head + "source:\n  url:\n", "r.yaml:5:7: URL is empty | write an absolute URL, such as https://…"},
		{"no mirrors", head + "source:\n  url: []\n", "r.yaml:5:8: list of URLs is empty"},
		{"one bad mirror", head + "source:\n  url: [https://e.org, x]\n", "r.yaml:5:24: \"x\" is not an absolute URL | write an absolute URL, such as https://…"},
		{"bad md5", head + "source:\n  url: https://e.org\n  md5: x\n", "r.yaml:6:8: a MD5 has 32 hexadecimal digits, found 1 characters"},
		{"tag and branch", head + "source:\n  git: a\n  tag: b\n  branch: c\n", "r.yaml:7:11: git source may have one of `rev`, `tag` and `branch` only"},
		{"mapping in the context", "context:\n  a: {b: c}\n" + head, "r.yaml:2:6: context values are scalars or lists of scalars, found a mapping"},
		{"syntax in the context", "context:\n  a: ${{ b c }}\n" + head, "r.yaml:2:12: unexpected \"c\" in an expression, wanted the end"},
		{"method of a string", "context:\n  a: 1.2\n  b: ${{ a.split('.') }}\n" + head, "r.yaml:3:6: values have no methods, found \"split\""},
	})
}

func TestUnknowable(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"undefined", "https://e.org/${{ versoin }}", "r.yaml:7:26: undefined variable \"versoin\" | did you mean `version`? define it in context, give a variant file with --variant-config FILE, or a value with --variant versoin=…"},
		{"git", "https://e.org/${{ git.latest_tag('.') }}", "r.yaml:7:8: value is not statically evaluable: git.latest_tag runs git | write the value into the recipe; no process is started to evaluate it"},
		{"secret", "https://e.org/${{ env.get('GITHUB_TOKEN') }}", "r.yaml:7:8: environment variable \"GITHUB_TOKEN\" is not set | recipes see variables that begin with CONDA_OVERRIDE_; allow this one with --env GITHUB_TOKEN"},
		{"secret by another name", "https://e.org/${{ env.get('GITHUB' ~ '_TOKEN') }}", "r.yaml:7:8: environment variable \"GITHUB_TOKEN\" is not set | recipes see variables that begin with CONDA_OVERRIDE_; allow this one with --env GITHUB_TOKEN"},
		{"name that forges a hint", "${{ env.get('A\\x1b\\nhint:rm -rf /') }}", "r.yaml:7:8: environment variable \"A\\x1b\\nhint:rm -rf /\" is not set | recipes see variables that begin with CONDA_OVERRIDE_; allow this one with --env \"A\\x1b\\nhint:rm -rf /\""},
		{"file outside", "https://e.org/${{ load_from_file('../secret') }}", "r.yaml:7:8: value is not statically evaluable: \"../secret\" is not a file inside the recipe's folder | only files inside the recipe's folder are read"},
		{"file at the root", "https://e.org/${{ load_from_file('/etc/passwd') }}", "r.yaml:7:8: value is not statically evaluable: \"/etc/passwd\" is not a file inside the recipe's folder | only files inside the recipe's folder are read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := linux
			o.LookupEnv = func(name string) (string, bool) {
				t.Errorf("variable %q was asked for", name)
				return "secret", true
			}
			r, err := Parse("r.yaml", []byte("context:\n  version: 1\n"+head+"source:\n  url: "+tt.url+"\n"), o)
			if err != nil {
				t.Fatal(err)
			}
			s := r.Outputs[0].Sources[0]
			if s.Err == nil || !s.Err.Unknowable || s.Kind != 0 || s.URLs != nil {
				t.Fatalf("source %+v, wanted an error only", s)
			}
			if diff := cmp.Diff(tt.want, strings.Replace(s.Err.Error(), "\nhint: ", " | ", 1)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	o := linux
	o.AllowEnv = []string{"ALLOWED"}
	o.LookupEnv = func(name string) (string, bool) { return strings.ToLower(name), name != "CONDA_OVERRIDE_NONE" }
	text := head + "source:\n  - path: ${{ env.get('CONDA_OVERRIDE_CUDA') }}\n  - path: ${{ env.get('ALLOWED') }}\n  - path: x${{ env.exists('HOME') }}\n  - path: ${{ env.get('CONDA_OVERRIDE_NONE', default='d') }}\n"
	r, err := Parse("r.yaml", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a 1.0: path conda_override_cuda", "a 1.0: path allowed", "a 1.0: path xFalse", "a 1.0: path d"}
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestLoadFromFile(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "recipe")
	for name, text := range map[string]string{
		"secret": "s", "recipe/a.json": `{"version": "1.2", "list": [1, "2"]}`, "recipe/b.yaml": "v: 3\n", "recipe/c.txt": "four",
	} {
		path := filepath.Join(outer, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	text := head + "source:\n"
	for _, e := range []string{
		"load_from_file('a.json').version", "load_from_file('a.json').list[0] + 1", "load_from_file('b.yaml')['v']",
		"load_from_file('c.txt')", "load_from_file('link')", "load_from_file('.')", "load_from_file('pyproject.toml')",
	} {
		text += "  - path: x${{ " + e + " }}\n"
	}
	path := filepath.Join(folder, "recipe.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(path, linux)
	if err != nil {
		t.Fatal(err)
	}
	outside := func(name string) string {
		return "a 1.0: error: value is not statically evaluable: \"" + name + "\" is not a file inside the recipe's folder"
	}
	want := []string{"a 1.0: path x1.2", "a 1.0: path x2", "a 1.0: path x3", "a 1.0: path xfour", outside("link"), outside("."), outside("pyproject.toml")}
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestLenient(t *testing.T) {
	text := head + "x-tool: 1\nsource:\n  - url: https://e.org/a\n    sha256: short\n  - path: b\n    x-tool: 1\n"
	if r, err := Parse("r.yaml", []byte(text), linux); err == nil {
		t.Fatalf("sources %v, wanted an error", lines(r))
	}
	o := linux
	o.Lenient = true
	r, err := Parse("r.yaml", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a 1.0: error: a SHA-256 has 64 hexadecimal digits, found 5 characters", "a 1.0: path b"}
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if len(r.Warnings) != 3 {
		t.Errorf("warnings %v, wanted 3", r.Warnings)
	}
}

func TestSeveralFaults(t *testing.T) {
	_, err := Parse("r.yaml", []byte(head+"source:\n  - url: x\n  - url: y\n    sha265: a\n"), linux)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 3 {
		t.Errorf("faults %v, wanted 3", err)
	}
}

// However many warnings and faults come before it, a fault is never dropped.
func TestManyFaults(t *testing.T) {
	warnings := "recipe:\n  name: r\noutputs:\n"
	for i := range 2 * MaxFaults {
		warnings += fmt.Sprintf("  - package:\n      name: ${{ n%d }}\n    source:\n      path: ${{ p%d }}\n    build:\n      skip: s%d\n", i, i, i)
	}
	r, err := Parse("r.yaml", []byte(warnings), linux)
	if err != nil || len(r.Warnings) != MaxFaults || len(r.Outputs) != 2*MaxFaults {
		t.Fatalf("error %v", err)
	}
	_, err = Parse("r.yaml", []byte(warnings+"  - package:\n      name: a\n    source:\n      url: x\n"), linux)
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "is not an absolute URL") {
		t.Errorf("error %v", err)
	}
	_, err = Parse("r.yaml", []byte(head+"source:\n"+strings.Repeat("  - url: x\n", 3*MaxFaults)), linux)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != MaxFaults {
		t.Errorf("%d faults, wanted %d", len(faults), MaxFaults)
	}
}

func TestDisplay(t *testing.T) {
	_, err := Parse("r.yaml", []byte(head+"source:\n  url: https://e.org/a\n  sha265: abc\n"), linux)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := "r.yaml:6:3: unknown key \"sha265\" in a url source\n 6 |   sha265: abc\n   |   ^^^^^^\nhint: did you mean `sha256`?"
	if diff := cmp.Diff(want, e.Display()); diff != "" {
		t.Errorf("display (-want +got):\n%s", diff)
	}
}

func TestDisplayIsHarmless(t *testing.T) {
	e := &Error{Pos: Position{"r.yaml", 7, 300}, Message: "m", Line: strings.Repeat("x", 290) + "\x1b[31m\tvalue\u202e" + strings.Repeat("y", 500), Width: 1000}
	text := e.Display()
	for _, line := range strings.Split(text, "\n") {
		if len([]rune(line)) > maxDisplay+20 {
			t.Errorf("line of %d characters", len([]rune(line)))
		}
	}
	if strings.ContainsAny(text, "\x1b\t\u202e") {
		t.Errorf("control characters in %q", text)
	}
}

func TestFind(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a/recipe.yaml", "b/recipe/recipe.yaml", "c/other.yaml"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for in, want := range map[string]string{
		"a": "a/recipe.yaml", "b": "b/recipe/recipe.yaml", "a/recipe.yaml": "a/recipe.yaml", "c/other.yaml": "c/other.yaml", "c": "", "d": "",
	} {
		got, err := Find(filepath.Join(folder, in))
		if want == "" {
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("%s: found %q, error %v", in, got, err)
			}
			continue
		}
		if err != nil || got != filepath.Join(folder, want) {
			t.Errorf("%s: found %q, error %v", in, got, err)
		}
	}
}

func TestPlatforms(t *testing.T) {
	for _, o := range []Options{{TargetPlatforms: []string{"linux64"}}, {BuildPlatform: "windows"}} {
		if _, err := Parse("r.yaml", []byte(head), o); err == nil || !strings.Contains(err.Error(), "unknown platform") {
			t.Errorf("error %v", err)
		}
	}
	r, err := Parse("r.yaml", []byte(head), Options{TargetPlatforms: []string{AllPlatforms, "linux-64"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Outputs) != len(condaForgePlatforms()) {
		t.Errorf("%d outputs, wanted one for each platform", len(r.Outputs))
	}
	if r, err = Parse("r.yaml", []byte(head), Options{}); err != nil || r.Outputs[0].TargetPlatform != MachinePlatform() {
		t.Errorf("outputs %+v, error %v", r, err)
	}
}

func TestSources(t *testing.T) {
	text := "recipe:\n  name: r\nsource:\n  path: top\noutputs:\n  - package:\n      name: a\n  - package:\n      name: b\n    source:\n      path: own\n"
	r, err := Parse("r.yaml", []byte(text), Options{TargetPlatforms: []string{"linux-64", "win-64"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range r.Sources() {
		line := s.Path.Value + ":"
		for _, o := range s.Outputs {
			line += " " + o.Name + "/" + o.TargetPlatform
		}
		got = append(got, line)
	}
	want := []string{"top: a/linux-64 b/linux-64 a/win-64 b/win-64", "own: b/linux-64 b/win-64"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}
