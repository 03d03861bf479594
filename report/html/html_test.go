package html_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	xhtml "golang.org/x/net/html"

	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/report/html"
)

var update = flag.Bool("update", false, "write golden files")

// The page's elements, with what a screen reader and the script go by.
func TestStructure(t *testing.T) {
	var page bytes.Buffer
	write(t, &page, 80, hostileRecords()[0])
	root, err := xhtml.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	var outline strings.Builder
	for n := range root.Descendants() {
		if n.Type != xhtml.ElementNode || slices.Contains([]string{"svg", "symbol", "path", "use", "circle"}, n.Data) {
			continue
		}
		depth := 0
		for range n.Ancestors() {
			depth++
		}
		fmt.Fprintf(&outline, "%s%s", strings.Repeat(" ", depth-1), n.Data)
		for _, a := range n.Attr {
			if a.Key != "content" && !(n.Data == "a" && a.Key == "href" && strings.HasPrefix(a.Val, "#source=")) {
				fmt.Fprintf(&outline, " %s=%q", a.Key, a.Val)
			}
		}
		outline.WriteByte('\n')
	}
	golden(t, "outline.txt", outline.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// Equal reports make equal bytes, and no clock is read.
func TestBytesAreTheSame(t *testing.T) {
	var first, second bytes.Buffer
	write(t, &first, 600, hostileRecords()...)
	write(t, &second, 600, hostileRecords()...)
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two pages of one report differ")
	}
	var plain bytes.Buffer
	w := html.New(&plain, html.Options{})
	if err := w.Header(&report.Header{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Footer(&report.Footer{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "<time") || strings.Contains(plain.String(), "Over time") {
		t.Error("a page without a time shows one")
	}
	if !strings.Contains(plain.String(), "This report is not complete.") {
		t.Error("a page that is not complete does not say so")
	}
}

// The page holds whatever could be asked for, and its policy forbids the rest.
func TestSelfContained(t *testing.T) {
	var page bytes.Buffer
	write(t, &page, 20)
	root, err := xhtml.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	policy := ""
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "src", "srcset", "action", "data", "poster", "ping", "style":
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			case "href":
				if !strings.HasPrefix(a.Val, "#") {
					t.Errorf("<%s> leads to %q", n.Data, a.Val)
				}
			}
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has %s", n.Data, a.Key)
			}
			if a.Key == "http-equiv" {
				policy = n.Attr[1].Val
			}
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy is %q", policy)
	}
	for _, asset := range []string{"report.css", "report.js"} {
		data, err := os.ReadFile(filepath.Join("assets", asset))
		if err != nil {
			t.Fatal(err)
		}
		for _, forbidden := range []string{"</", "<!--", "\r", "url(", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch(", "XMLHttpRequest", "import("} {
			if bytes.Contains(data, []byte(forbidden)) {
				t.Errorf("%s holds %q", asset, forbidden)
			}
		}
	}
}

// Memory does not grow with the number of records.
func TestMemory(t *testing.T) {
	w := html.New(io.Discard, html.Options{})
	if err := w.Header(&report.Header{}); err != nil {
		t.Fatal(err)
	}
	early, most := 0, 0
	for i := range manySources {
		if err := w.Record(generated(i)); err != nil {
			t.Fatal(err)
		}
		switch {
		case i == 2000:
			early = heap()
		case i > 2000 && i%2000 == 0:
			most = max(most, heap())
		}
	}
	if grown := most - early; grown > 2<<20 {
		t.Errorf("%d bytes more after %d records than after 2000", grown, manySources)
	}
	runtime.KeepAlive(w)
}

// A repository of nothing but failures, each on a host of its own, with long
// messages, is bounded too.
func TestMemoryOfHostileReports(t *testing.T) {
	w := html.New(io.Discard, html.Options{})
	if err := w.Header(&report.Header{}); err != nil {
		t.Fatal(err)
	}
	early := 0
	long := strings.Repeat("x", 600)
	for i := range 3 * manyHosts {
		r := generated(1204)
		r.Message, r.Host = fmt.Sprint(i, long), fmt.Sprint(i, ".", strings.Repeat("h", 240))
		if err := w.Record(r); err != nil {
			t.Fatal(err)
		}
		if i == manyHosts {
			early = heap()
		}
	}
	if grown := heap() - early; grown > 1<<20 {
		t.Errorf("%d bytes more after %d records than after %d", grown, 3*manyHosts, manyHosts)
	}
	runtime.KeepAlive(w)
}

// manyHosts is more than the writer counts apart.
const manyHosts = 2_500

// heap is the memory that is in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// rows reads the data of a page back, as its script does.
func rows(t *testing.T, page []byte) (texts map[string]bool, sources int) {
	t.Helper()
	root, err := xhtml.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	texts = map[string]bool{}
	scripts := 0
	for n := range root.Descendants() {
		if n.Type != xhtml.ElementNode || n.Data != "script" {
			continue
		}
		if len(n.Attr) == 0 {
			scripts++
			continue
		}
		if n.Attr[0].Val != "application/json" {
			t.Fatalf("a script of the type %q", n.Attr[0].Val)
		}
		if n.Attr[1].Val != "rows" {
			continue
		}
		var block struct {
			Texts []string `json:"s"`
			Rows  [][]int  `json:"r"`
		}
		if err := json.Unmarshal([]byte(n.FirstChild.Data), &block); err != nil {
			t.Fatal(err)
		}
		sources += len(block.Rows)
		for _, row := range block.Rows {
			for _, ref := range row[2:] {
				texts[block.Texts[ref]] = true
			}
		}
	}
	if scripts != 1 {
		t.Fatalf("the page has %d scripts that run", scripts)
	}
	return texts, sources
}

func TestEveryRecordIsInThePage(t *testing.T) {
	const n = 1100 // some blocks
	var page bytes.Buffer
	write(t, &page, n)
	texts, sources := rows(t, page.Bytes())
	if sources != n {
		t.Errorf("the page has %d sources", sources)
	}
	for i := range n {
		if r := generated(i); !texts[r.Recipe] || !texts[r.Pinned.SHA256] {
			t.Errorf("the page lacks %s", r.Recipe)
		}
	}
}

// Whatever a report says, the page is the same but for its texts, and every text
// comes back as it was.
func FuzzHTML(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	var plain bytes.Buffer
	write(f, &plain, 0, hostile("text"))
	want := skeleton(f, plain.Bytes())
	f.Fuzz(func(t *testing.T, text string) {
		var page bytes.Buffer
		write(t, &page, 0, hostile("text"+text))
		if diff := cmp.Diff(want, skeleton(t, page.Bytes())); diff != "" {
			t.Errorf("the page has other elements (-want +got):\n%s", diff)
		}
		text = strings.ToValidUTF8("text"+text, "\ufffd")
		if texts, _ := rows(t, page.Bytes()); !texts[text] && !repeated(texts, text) {
			t.Errorf("%q is not in the data", text)
		}
		for _, r := range page.String() {
			if r != '\n' && r != ' ' && !unicode.IsPrint(r) {
				t.Errorf("the page holds %+q", r)
			}
		}
	})
}

// repeated allows for a run of bytes that are no UTF-8, each of which JSON
// replaces by itself.
func repeated(texts map[string]bool, text string) bool {
	squeeze := func(s string) string {
		for strings.Contains(s, "\ufffd\ufffd") {
			s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
		}
		return s
	}
	for s := range texts {
		if squeeze(s) == squeeze(text) {
			return true
		}
	}
	return false
}

// skeleton lists the elements and attributes of a page without any foreign text.
func skeleton(t testing.TB, page []byte) []string {
	t.Helper()
	root, err := xhtml.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for n := range root.Descendants() {
		switch n.Type {
		case xhtml.ElementNode:
			e := n.Data
			for _, a := range n.Attr {
				if a.Key == "href" || a.Key == "aria-label" || a.Key == "content" {
					a.Val = "…"
				}
				e += " " + a.Key + "=" + a.Val
			}
			list = append(list, e)
		case xhtml.CommentNode:
			list = append(list, "comment")
		}
	}
	return list
}

func TestCoverageOverTime(t *testing.T) {
	snapshot := func(date string, records ...int) *html.Snapshot {
		s, err := html.NewSnapshot(&report.Header{Date: date})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range records {
			s.Add(generated(i))
		}
		return s
	}
	var out bytes.Buffer
	w := html.New(&out, html.Options{Earlier: []*html.Snapshot{
		snapshot("2026-01-10T00:00:00Z", 0, 4, 1, 5), snapshot("2026-01-01T23:00:00-02:00", 0, 1, 5, 9),
	}})
	if err := w.Header(&report.Header{Date: "2026-01-20T00:00:00Z"}); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 4, 8, 1} { // three attested, one not attestable
		if err := w.Record(generated(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Footer(&report.Footer{}); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	order := []string{
		"Attested and verified were 25.0 % of 4 sources at first, and are 75.0 % of 4 sources now.",
		`<th scope="row">2026-01-02</th><td class="number">1</td>`,
		`<th scope="row">2026-01-10</th><td class="number">2</td>`,
		`<th scope="row">2026-01-20</th><td class="number">3</td>`,
	}
	at := 0
	for _, part := range order {
		i := strings.Index(got[at:], part)
		if i < 0 {
			t.Fatalf("after byte %d there is no %q", at, part)
		}
		at += i
	}
	// The first column's attested quarter stands at the bottom.
	if !strings.Contains(got, `<rect class="attested" x="164.7" y="168.00" width="64.0" height="52.00"/>`) {
		t.Error("the drawing lacks the first column")
	}
}

// A page made of a report in JSON Lines is the page of the run itself.
func TestConvertedReportIsTheSame(t *testing.T) {
	var direct, lines, converted bytes.Buffer
	write(t, &direct, 700, hostileRecords()...)
	writeTo(t, &report.Lines{W: &lines}, 700, hostileRecords()...)
	reader, err := report.NewReader("report", &lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Convert(reader, html.New(&converted, html.Options{Earlier: earlier(t, 700)})); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(direct.Bytes(), converted.Bytes()) {
		t.Errorf("%d bytes were written at once, and %d when converted", direct.Len(), converted.Len())
	}
}

func TestReadSnapshot(t *testing.T) {
	var lines bytes.Buffer
	writeTo(t, &report.Lines{W: &lines}, 40)
	whole := lines.String()
	for _, row := range []struct{ name, text, want string }{
		{"whole", whole, ""},
		{"interrupted", strings.Replace(whole, `"complete":true`, `"complete":false`, 1), "not complete"},
		{"cut", whole[:len(whole)/2], "without a summary"},
		{"without a date", strings.Replace(whole, `"date":"2026-06-15T12:00:00Z"`, `"date":""`, 1), "no date"},
	} {
		t.Run(row.name, func(t *testing.T) {
			reader, err := report.NewReader("report", strings.NewReader(row.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := html.ReadSnapshot(reader)
			if row.want != "" {
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Fatalf("the error is %v, want %q in it", err, row.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var page bytes.Buffer
			w := html.New(&page, html.Options{Earlier: []*html.Snapshot{got}})
			if err := w.Header(&report.Header{}); err != nil {
				t.Fatal(err)
			}
			if err := w.Footer(report.NewFooter()); err != nil {
				t.Fatal(err)
			}
			const want = `<th scope="row">2026-06-15</th><td class="number">10</td><td class="number">0</td><td class="number">2</td><td class="number">8</td>`
			if !strings.Contains(page.String(), want) {
				t.Error("the page does not hold what the report says")
			}
		})
	}
}

func TestSnapshotsNeedDates(t *testing.T) {
	for _, date := range []string{"", "yesterday", "2026-01-31"} {
		if _, err := html.NewSnapshot(&report.Header{Date: date}); err == nil {
			t.Errorf("a report of the date %q has a place in time", date)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	records := make([]*report.Record, 1000)
	for i := range records {
		records[i] = generated(i)
	}
	for b.Loop() {
		w := html.New(io.Discard, html.Options{})
		if err := w.Header(&report.Header{}); err != nil {
			b.Fatal(err)
		}
		for _, r := range records {
			if err := w.Record(r); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Footer(&report.Footer{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
