package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	gfm "github.com/yuin/goldmark/extension"
	markdown "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// A rendered page is what a reader of GitHub's Markdown sees.
type rendered struct {
	elements map[string]int
	code     []string // the text of code
	rest     string   // all other text
	cells    []int    // in each row of tables
}

// render renders Markdown as GitHub does, and lets HTML through.
func render(t *testing.T, text string) rendered {
	t.Helper()
	var b bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(gfm.GFM), goldmark.WithRendererOptions(markdown.WithUnsafe()))
	if err := md.Convert([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	r := rendered{elements: map[string]int{}}
	r.walk(root, false)
	return r
}

func (r *rendered) walk(n *html.Node, inCode bool) {
	switch n.Type {
	case html.CommentNode, html.RawNode:
		r.elements["a comment"]++
	case html.TextNode:
		if inCode {
			r.code = append(r.code, n.Data)
		} else {
			r.rest += n.Data
		}
	case html.ElementNode:
		name := n.Data
		for _, a := range n.Attr {
			if a.Key != "style" || !strings.HasPrefix(a.Val, "text-align:") {
				name += " " + a.Key
			}
		}
		r.elements[name]++
		inCode = inCode || n.Data == "code"
		if n.Data == "tr" {
			cells := 0
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				if c.Type == html.ElementNode {
					cells++
				}
			}
			r.cells = append(r.cells, cells)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.walk(c, inCode)
	}
}

func TestGitHubSummary(t *testing.T) {
	h, records := varied()
	var b bytes.Buffer
	writeAll(t, &report.GitHubSummary{W: &b}, h, records, func(f *report.Footer) {
		f.Warnings, f.Complete = []string{"the trusted root is 100 days old"}, false
	})
	golden(t, "audit-summary.md", b.String())
	for _, want := range []string{"Mismatch: 1", "Changed for the worse: 1", "Incomplete:", "not-attestable"} {
		if r := render(t, b.String()); !strings.Contains(r.rest, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// markdownTexts try to be markup.
var markdownTexts = []string{
	"`", "``", "```", "a`b`c", "x` <img src=x onerror=alert(1)> `", "`` <b>x</b> ``", "```\n<script>\n```",
	"<img src=https://evil.example/x.png>", "<!-- ", "<details>", "<a href=x>", "</code><b>", "&lt;b&gt;", "&#60;b&#62;", "&commat;evil",
	"![x](https://evil.example/x.png)", "[x](javascript:alert(1))", "[x]: https://evil.example", "<https://evil.example>",
	"https://evil.example", "www.evil.example", "evil@evil.example", "@evil", "#1", "evil/repo#1", "GH-1", "a5c3785ed8d6a35868bc169f07e40e889087fd2e",
	":boom:", "$x$", "$`x`$", "$$x$$", "**x**", "__x__", "~~x~~", "*", "_", "\\", "\\`", "x\\", "\\|", "\\\\|",
	"|", "a|b|c", "| a | b |\n|---|---|", "x` | `y", "\n\n# x", "\r\n- [x] y", "\n---\n", "\n> [!WARNING]\n> x", "[^1]", "[^1]: x", "    x", "\t", " ", "",
	"]]>", "::error::x", "\u2028# x", "\u0085# x", "\u00a0`", hostile,
}

// shape is what remains of a page if its foreign text is left out.
func shape(r rendered) string {
	return fmt.Sprintln(r.elements, r.cells, r.rest)
}

func TestGitHubSummaryShowsForeignTextAsCode(t *testing.T) {
	summary := func(text string) rendered {
		h, records, change := hostileReport(text)
		var b bytes.Buffer
		writeAll(t, &report.GitHubSummary{W: &b}, h, records, change)
		return render(t, b.String())
	}
	plain := summary("plain")
	for _, name := range []string{"a", "img", "em", "strong", "del", "input", "script", "a comment"} {
		if plain.elements[name] > 0 {
			t.Errorf("a plain report has %d %s", plain.elements[name], name)
		}
	}
	for _, text := range markdownTexts {
		t.Run(text, func(t *testing.T) {
			for _, text := range []string{text, "x" + text, text + "x", text + text} {
				got := summary(text)
				if strings.TrimSpace(text) == "" {
					// What is not there is not shown; nothing else may come of it.
					for name := range got.elements {
						if _, ok := plain.elements[name]; !ok {
							t.Errorf("%q: there is %s", text, name)
						}
					}
					continue
				}
				if diff := cmp.Diff(shape(plain), shape(got)); diff != "" {
					t.Fatalf("%q acts:\n%s", text, diff)
				}
				for _, c := range got.code {
					if strings.ContainsAny(c, "`|$\n\r\x1b\u202e\u2028") {
						t.Errorf("%q: code holds %q", text, c)
					}
				}
			}
		})
	}
}

// GitHub shows nothing of a summary that is longer than its limit.
func TestGitHubSummaryIsBounded(t *testing.T) {
	for _, text := range []string{"y", "`", "\U000e0041"} {
		long := strings.Repeat(text, 5000)
		h, _, _ := hostileReport(long)
		var records []*report.Record
		for i := range 3000 {
			v := []audit.Verdict{audit.Mismatch, audit.Invalid, audit.Missing, audit.Error, audit.Unavailable}[i%5]
			r := hostileRecord(v, long)
			r.Changes[0].Downgrade = i%2 == 0
			r.Host = fmt.Sprint(i) + long
			records = append(records, r)
		}
		var b bytes.Buffer
		writeAll(t, &report.GitHubSummary{W: &b}, h, records, func(f *report.Footer) {
			for range 50 {
				f.Warnings = append(f.Warnings, long)
			}
		})
		if b.Len() > report.MaxJobSummary {
			t.Errorf("%q: it has %d bytes", text, b.Len())
		}
		got := b.String()
		for _, want := range []string{"### Mismatch: 600", "### Unavailable: 600", "### Changed for the worse: 1500", "### Changed: 1500", "more hosts", "and 40 more warnings"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q: it does not say %q", text, want)
			}
		}
	}
}
