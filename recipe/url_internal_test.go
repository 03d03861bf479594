package recipe

import (
	"testing"

	"github.com/nlnwa/whatwg-url/url"
)

// FuzzPlainURL holds the short way against the parser: what it lets through, the
// parser must give back unchanged.
func FuzzPlainURL(f *testing.F) {
	for _, text := range []string{
		"https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz", "https://github.com/o/r/archive/refs/tags/v1.tar.gz",
		"https://127.1/x", "https://0x7f.1/", "https://a.0x10/", "https://1.2.3.4a/", "https://xn--a/", "https://a/../b", "https://a/.", "https://a/%2e%2e/b",
		"https://a:443/", "https://a@b/", "https://A/", "https://a", "https://a/b?c", "https://a/b#", "https:///a", "https://a..b/", "https://a./", "https://a_b/x",
		"https://-a/", "https://a-/", "https://e-x.org//double//", "https://x/~u/a..b/.hidden", "https://ab--c.org/", "https://a/\t", "https://a/b\\c", " https://a/",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !isPlainURL(text) {
			return
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatalf("%q is no URL: %v", text, err)
		}
		if got := u.Href(false); got != text {
			t.Errorf("%q is parsed to %q", text, got)
		}
	})
}

func TestPlainURLIsTakenForReal(t *testing.T) {
	for text, want := range map[string]bool{
		"https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz": true,
		"https://127.0.0.1/x":       false,
		"https://example.1/x":       false,
		"https://example.org/a/../": false,
		"https://Example.org/a":     false,
		"http://example.org/a":      false,
		"https://user@example.org/": false,
	} {
		if got := isPlainURL(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
