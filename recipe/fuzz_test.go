package recipe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
	"github.com/recipe-verify/recipe-verify/internal/shared"
)

// FuzzParse looks for panics, for slow recipes, and for results that break what
// the types promise.
func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "source:\n  url: https://e.org/${{ 1 }}\n"))
	f.Add([]byte(attested("    publishers:\n      - if: win\n        then: github:a/b\n      - {identity: a, issuer: b}\n    bundle_url: [x]\n")))
	f.Add([]byte("recipe:\n  name: r\noutputs:\n  - staging: {name: s}\n    source: {path: a}\n  - package: {name: a}\n    inherit: s\n    build: {skip: [win]}\n"))
	f.Add([]byte("context:\n  a: [1, ${{ b }}]\n  c: ${{ a[0] | default(1) }}\n" + head + "source:\n  - if: c == 1\n    then: {git: x, tag: y}\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("\xff\xfea\x00:\x00"))
	f.Add([]byte("? [\n: - - {"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, lenient := range []bool{false, true} {
			start := time.Now()
			r, err := Parse("r.yaml", data, Options{TargetPlatforms: []string{"linux-64", "win-64"}, BuildPlatform: "linux-64", Lenient: lenient})
			if took := time.Since(start); took > 10*maxTime {
				t.Errorf("took %s", took)
			}
			if (r == nil) == (err == nil) {
				t.Fatalf("recipe %v, error %v", r, err)
			}
			if r != nil {
				checkRecipe(t, r)
			}
		}
	})
}

func checkRecipe(t *testing.T, r *Recipe) {
	for _, s := range r.Sources() {
		if (s.Kind == 0) != (s.Err != nil) {
			t.Errorf("kind %v beside error %v", s.Kind, s.Err)
		}
		if (s.Kind == URLSource) != (len(s.URLs) > 0) || (s.Kind == GitSource) != (s.Git != nil) {
			t.Errorf("kind %v of %+v", s.Kind, s.Source)
		}
		if a := s.Attestation; a != nil && s.Kind != 0 {
			if len(a.Publishers) == 0 || !s.HasSHA256 || s.SHA256.IsZero() || s.Kind != URLSource {
				t.Errorf("attested source %+v", s.Source)
			}
		}
		if len(s.Outputs) == 0 || s.Pos.Line < 1 {
			t.Errorf("source %+v of no output or place", s.Source)
		}
		if s.Err != nil && !utf8.ValidString(s.Err.Display()) {
			t.Errorf("display %q", s.Err.Display())
		}
	}
}

// FuzzSelectors looks for panics and for lines that come or go.
func FuzzSelectors(f *testing.F) {
	f.Add("a:\n  - 1  # [linux]\n  - 2  # [win and os.environ.get('X', 'a').startswith('b')]\n")
	f.Add("# [\n# ]\n#[[x]]")
	f.Fuzz(func(t *testing.T, text string) {
		engine := jinja.New(jinja.Config{Budget: 100_000})
		got := applySelectors(text, engine, &scope{platform: platformVariables("linux-64", "linux-64")})
		if strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Errorf("%d lines, wanted %d", strings.Count(got, "\n"), strings.Count(text, "\n"))
		}
		if strings.Contains(got, "#") {
			t.Errorf("comment in %q", got)
		}
	})
}

// FuzzURL looks for panics, and for URLs that change when they are parsed again.
func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://e.org/a b", `https:\\e.org\..\a`, "file:///C|/a", "http://0x7f.1:80/", "https://bücher.example", "//a", "mailto:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parse := func(text string) (string, bool) {
			r := &sourceReader{evaluation: &evaluation{doc: &document{path: "r.yaml"}}}
			return r.parseURL(&yaml.Node{Kind: yaml.ScalarNode, Value: text}, text)
		}
		once, ok := parse(text)
		if !ok {
			return
		}
		// Encoding can make a URL longer than the limit.
		if twice, ok := parse(once); len(once) <= MaxURL && (!ok || once != twice) {
			t.Errorf("%q gives %q, and that %q", text, once, twice)
		}
	})
}

// readFeedstocks reads the real recipes.
func readFeedstocks(b *testing.B) (paths []string, texts [][]byte, size int64) {
	b.Helper()
	paths, err := filepath.Glob(filepath.Join(shared.Path(b, "recipes", "feedstocks"), "*", "recipe.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, data)
		size += int64(len(data))
	}
	return paths, texts, size
}

// BenchmarkFeedstocks reads and evaluates real recipes for one platform, and
// for comparison has yaml.v3 alone parse them.
func BenchmarkFeedstocks(b *testing.B) {
	b.Run("evaluate", func(b *testing.B) {
		paths, texts, size := readFeedstocks(b)
		b.SetBytes(size)
		for b.Loop() {
			for i, path := range paths {
				if _, err := Parse(path, texts[i], linux); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(len(paths)*b.N)/b.Elapsed().Seconds(), "recipes/s")
	})
	b.Run("yaml", func(b *testing.B) {
		paths, texts, size := readFeedstocks(b)
		b.SetBytes(size)
		for b.Loop() {
			for i := range paths {
				var n yaml.Node
				if err := yaml.Unmarshal(texts[i], &n); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(len(paths)*b.N)/b.Elapsed().Seconds(), "recipes/s")
	})
}
