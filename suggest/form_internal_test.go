package suggest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/recipe"
)

func TestForms(t *testing.T) {
	const sum = "284c7b8f2f58cb737f0cf1c30fd7eaf0ccfcde196099d24ecede3fc2005aa59e"
	sha256, err := digest.ParseSHA256(sum)
	if err != nil {
		t.Fatal(err)
	}
	const context = "context:\n  name: anchor\n  version: 1.2.3\n  build: 0\n  chain: ${{ name }}\n  tool: rope\n"
	for _, c := range []struct {
		name      string
		text, url string // of the source
		sha256    string // as it is written
		way       string
		want      []string
	}{
		{
			"beside the archive", "https://h/v${{ version }}/a.tar.gz", "https://h/v1.2.3/a.tar.gz", sum, "https://h/v1.2.3/a.tar.gz.sigstore",
			[]string{"https://h/v${{ version }}/a.tar.gz.sigstore", "https://h/v1.2.3/a.tar.gz.sigstore"},
		},
		{
			"in its folder", "https://h/v${{ version }}/a.tar.gz", "https://h/v1.2.3/a.tar.gz", sum, "https://h/v1.2.3/multiple.intoto.jsonl",
			[]string{"https://h/v${{ version }}/multiple.intoto.jsonl", "https://h/v1.2.3/multiple.intoto.jsonl"},
		},
		{
			"in its folder, with the version in the name", "https://h/v${{ version }}/a.tar.gz", "https://h/v1.2.3/a.tar.gz", sum, "https://h/v1.2.3/anchor-1.2.3.intoto.jsonl",
			[]string{"https://h/v${{ version }}/${{ name }}-${{ version }}.intoto.jsonl", "https://h/v1.2.3/anchor-1.2.3.intoto.jsonl"},
		},
		{
			"elsewhere", "https://h/v${{ version }}/a.tar.gz", "https://h/v1.2.3/a.tar.gz", sum, "https://g/anchor/v1.2.3/1.2.34/x1.2.3/rope",
			[]string{"https://g/${{ name }}/v${{ version }}/1.2.34/x1.2.3/rope", "https://g/anchor/v1.2.3/1.2.34/x1.2.3/rope"},
		},
		{
			"with another variable of the address", "https://h/${{ tool }}/a", "https://h/rope/a", sum, "https://g/rope.json",
			[]string{"https://g/${{ tool }}.json", "https://g/rope.json"},
		},
		{
			"by a digest that is written down", "https://h/a", "https://h/a", sum, "https://api.github.com/repos/o/anchor/attestations/sha256:" + sum,
			[]string{"https://api.github.com/repos/o/anchor/attestations/sha256:" + sum},
		},
		{
			"by a digest that is a variable", "https://h/a", "https://h/a", "${{ sha256 }}", "https://api.github.com/repos/o/anchor/attestations/sha256:" + sum,
			[]string{"https://api.github.com/repos/o/anchor/attestations/sha256:${{ sha256 }}", "https://api.github.com/repos/o/anchor/attestations/sha256:" + sum},
		},
		{
			"a file that looks like a template", "https://h/a", "https://h/a", sum, "https://h/a${{ name }}",
			[]string{"https://h/a${{ name }}"},
		},
		{
			"a slash within a template", "https://h/${{ 'a/b' }}", "https://h/a/b", sum, "https://h/a/c",
			[]string{"https://h/c", "https://h/a/c"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s recipe.SharedSource
			s.URLs = []recipe.String{{Value: c.url, Text: c.text}}
			s.SHA256, s.HasSHA256, s.SHA256Text = sha256, true, c.sha256
			got := forms(contextOf([]byte(context)), []recipe.SharedSource{s}, []string{c.way})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplaceWord(t *testing.T) {
	for _, c := range []struct{ s, word, want string }{
		{"v1.2", "1.2", "vX"},
		{"V1.2/1.2", "1.2", "VX/X"},
		{"a-1.2.tar.gz", "1.2", "a-X.tar.gz"},
		{"1.2.3", "1.2", "1.2.3"},
		{"0.1.2", "1.2", "0.1.2"},
		{"1.20", "1.2", "1.20"},
		{"rev1.2", "1.2", "rev1.2"},
		{"1.2rc1", "1.2", "1.2rc1"},
		{"${{ v1.2 }}/1.2", "1.2", "${{ v1.2 }}/X"},
		{"1.2 ${{ 1.2", "1.2", "X ${{ 1.2"},
		{"anchors/anchor", "anchor", "anchors/X"},
	} {
		if got := replaceWord(c.s, c.word, "X"); got != c.want {
			t.Errorf("%q with %q gives %q, wanted %q", c.s, c.word, got, c.want)
		}
	}
}

func TestOtherVersion(t *testing.T) {
	for _, c := range []struct{ name, recipe, want string }{
		{"plain", "context:\n  version: 1.2.3\n", "context:\n  version: 1.2.4\n"},
		{"in quotes", "context:\n  version: \"1.9\" # x\n", "context:\n  version: \"1.0\" # x\n"},
		{"in single quotes, after what is not ASCII", "# ä\ncontext: {name: \"ä\", version: '2024b'}\n", "# ä\ncontext: {name: \"ä\", version: '2025b'}\n"},
		{"with CR LF", "context:\r\n  name: x\r\n  version: 7\r\n", "context:\r\n  name: x\r\n  version: 8\r\n"},
		{"a template", "context:\n  version: ${{ x }}\n", ""},
		{"no digit", "context:\n  version: main\n", ""},
		{"escapes", "context:\n  version: \"1\\u002e2\"\n", ""},
		{"none", "context:\n  name: 1\n", ""},
		{"no context", "package: {version: 1}\n", ""},
		{"no mapping", "- version: 1\n", ""},
		{"no YAML", "context: [\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, old, other := otherVersion([]byte(c.recipe))
			if string(got) != c.want {
				t.Errorf("found %q, wanted %q", got, c.want)
			}
			if c.want != "" && strings.Replace(c.recipe, old, other, 1) != c.want {
				t.Errorf("%q became %q", old, other)
			}
		})
	}
}

// Whatever a recipe holds, another version is the same recipe but for the version.
func FuzzOtherVersion(f *testing.F) {
	for _, s := range []string{"context:\n  version: 1.2.3\n", "context: {version: '1'}", "a: &a 1\ncontext:\r\n  version: \"1\"", "\ufeffcontext:\n  version: 1", "context:\n  ? version\n  : |\n    1\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		changed, old, other := otherVersion(data)
		if changed == nil {
			return
		}
		at := strings.Index(string(changed), other)
		if at < 0 || old == other || len(changed) != len(data) || contextOf(data)["version"] != old {
			t.Errorf("%q became %q: %q", old, other, changed)
		}
		vars := contextOf(changed)
		if v, ok := vars["version"]; ok && v != other {
			t.Errorf("the version became %q, wanted %q: %q", v, other, changed)
		}
		_ = vars.put("https://example.org/"+old, "${{ version }}")
	})
}
