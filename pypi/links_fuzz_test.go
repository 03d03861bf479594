package pypi

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// Whatever an index answers, links are few, can be printed as they are, and lead
// to pages.
func FuzzLinks(f *testing.F) {
	f.Add([]byte(`{"info":{"home_page":"https://x","project_urls":{"Source":"https://github.com/a/b","a":null,"b":7}}}`))
	f.Add([]byte(`{"info":{"home_page":{},"project_urls":[1]}}`))
	f.Add([]byte("{\"info\":{\"project_urls\":{\"\\u001b\":\"https://x\\u202e\",\"\xff\":\"http://\xff\"}}}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		links, err := parseLinks(body)
		if err != nil && links != nil {
			t.Error("links beside an error")
		}
		if len(links) > MaxLinks+1 {
			t.Errorf("%d links", len(links))
		}
		for _, l := range links {
			if strings.ContainsFunc(l.Label+l.URL, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q does not print", l)
			}
			if u, err := url.Parse(l.URL); err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
				t.Errorf("%q is no page", l.URL)
			}
		}
	})
}
