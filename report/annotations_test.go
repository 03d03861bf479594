package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// A command is a workflow command as GitHub's runner reads it.
type command struct {
	name       string
	properties map[string]string
	message    string
}

// runner reads lines as GitHub's runner does: a command is a line that begins
// with "::", after spaces; and in the first syntax whatever stands between "##["
// and "]" anywhere in a line.
func runner(t *testing.T, text string) []command {
	t.Helper()
	var list []command
	for _, l := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.Contains(l, "##[") {
			t.Errorf("a command of the first syntax in %q", l)
		}
		l = strings.TrimSpace(l)
		head, message, ok := strings.Cut(strings.TrimPrefix(l, "::"), "::")
		if !strings.HasPrefix(l, "::") || !ok {
			continue
		}
		c := command{properties: map[string]string{}, message: decode(message)}
		name, properties, _ := strings.Cut(head, " ")
		c.name = name
		for p := range strings.SplitSeq(properties, ",") {
			key, value, _ := strings.Cut(p, "=")
			c.properties[strings.TrimSpace(key)] = decode(value)
		}
		list = append(list, c)
	}
	return list
}

func decode(s string) string {
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(s)
}

func TestGitHub(t *testing.T) {
	h, records := varied()
	var b bytes.Buffer
	writeAll(t, &report.GitHub{W: &b}, h, records, nil)
	golden(t, "audit.github", b.String())
}

func TestGitHubLevels(t *testing.T) {
	changed := func(v audit.Verdict, downgrade bool) *report.Record {
		r := record(0, "a", "h", v, "https://h.example/a.tgz")
		r.Changes = []report.Change{{Kind: report.WorkflowChanged, Before: "x", After: "y", Downgrade: downgrade}}
		return r
	}
	for _, c := range []struct {
		record *report.Record
		want   string // level and title
	}{
		{record(0, "a", "h", audit.Verified, "https://h.example/a.tgz"), ""},
		{record(0, "a", "h", audit.Unattested, "https://h.example/a.tgz"), ""},
		{record(0, "a", "h", audit.Mismatch, "https://h.example/a.tgz"), "error mismatch: a.tgz"},
		{record(0, "a", "h", audit.Invalid, "https://h.example/a.tgz"), "error invalid: a.tgz"},
		{record(0, "a", "h", audit.Missing, "https://h.example/a.tgz"), "error missing: a.tgz"},
		{record(0, "a", "h", audit.Error), "error error"},
		{record(0, "a", "h", "unheard-of", "https://h.example/a.tgz"), "error unheard-of: a.tgz"},
		{record(0, "a", "h", audit.Unavailable, "https://h.example/a.tgz"), "warning unavailable: a.tgz"},
		{changed(audit.Verified, false), "warning changed: a.tgz"},
		{changed(audit.Verified, true), "error downgrade: a.tgz"},
		{changed(audit.Unavailable, true), "error unavailable: a.tgz"},
		{changed(audit.Mismatch, false), "error mismatch: a.tgz"},
	} {
		t.Run(c.want, func(t *testing.T) {
			var b bytes.Buffer
			writeAll(t, &report.GitHub{W: &b}, &report.Header{}, []*report.Record{c.record}, nil)
			got := ""
			for _, c := range runner(t, b.String()) {
				got += c.name + " " + c.properties["title"]
			}
			if got != c.want {
				t.Errorf("got %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestGitHubPositions(t *testing.T) {
	for _, c := range []struct {
		position string
		want     map[string]string
	}{
		{"a/recipe.yaml:12:5", map[string]string{"file": "a/recipe.yaml", "line": "12", "col": "5"}},
		{"a/recipe.yaml:12", map[string]string{"file": "a/recipe.yaml", "line": "12"}},
		{"a/recipe.yaml", map[string]string{"file": "a/recipe.yaml"}},
		{"a:b,c=d%2C/recipe.yaml:1:2", map[string]string{"file": "a:b,c=d%2C/recipe.yaml", "line": "1", "col": "2"}},
		{"a/recipe.yaml:0:0", map[string]string{"file": "a/recipe.yaml:0:0"}},
		{"a/recipe.yaml:-1:2", map[string]string{"file": "a/recipe.yaml:-1", "line": "2"}},
		{"", map[string]string{"file": "recipes/a/recipe.yaml"}},
	} {
		t.Run(c.position, func(t *testing.T) {
			r := record(0, "a", "h", audit.Mismatch, "https://h.example/a.tgz")
			r.Position = c.position
			var b bytes.Buffer
			writeAll(t, &report.GitHub{W: &b}, &report.Header{}, []*report.Record{r}, nil)
			got := runner(t, b.String())
			if len(got) != 1 {
				t.Fatalf("got %q", b.String())
			}
			delete(got[0].properties, "title")
			if diff := cmp.Diff(c.want, got[0].properties); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A flood of one kind does not hide what is graver, and is told of.
func TestGitHubShowsTheGravest(t *testing.T) {
	var records []*report.Record
	for i := range 500 {
		v := audit.Error
		if i%2 == 0 {
			v = audit.Unavailable
		}
		records = append(records, record(i, "flood", "h", v, "https://h.example/flood.tgz"))
	}
	gone := record(500, "gone", "h", audit.Verified, "https://h.example/gone.tgz")
	gone.Changes = []report.Change{{Kind: report.PublisherChanged, Before: "a", After: "b", Downgrade: true}}
	records = append(records, gone, record(501, "evil", "h", audit.Mismatch, "https://h.example/evil.tgz"))
	var b bytes.Buffer
	writeAll(t, &report.GitHub{W: &b}, &report.Header{}, records, nil)
	got := runner(t, b.String())
	count := map[string]int{}
	for _, c := range got {
		count[c.name]++
	}
	want := map[string]int{"error": report.MaxAnnotations, "warning": report.MaxAnnotations, "notice": 1}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
	if got[0].properties["title"] != "mismatch: evil.tgz" || got[1].properties["title"] != "downgrade: gone.tgz" {
		t.Errorf("first stand %v and %v", got[0].properties, got[1].properties)
	}
	if last := got[len(got)-1]; last.message != "242 more errors, 240 more warnings; see the other reports" {
		t.Errorf("the notice says %q", last.message)
	}
}

func TestGitHubSaysThatARunIsIncomplete(t *testing.T) {
	var b bytes.Buffer
	writeAll(t, &report.GitHub{W: &b}, &report.Header{}, nil, func(f *report.Footer) { f.Complete = false })
	if got := b.String(); got != "::notice title=recipe-verify::not every recipe was looked at; see the other reports\n" {
		t.Errorf("got %q", got)
	}
}

// commandTexts try to begin a command, or to break out of one.
var commandTexts = []string{
	hostile,
	"::error::x", "\n::error::x", "\r::error::x", "\r\n  ::stop-commands::x", "%0A::error::x", "%250A::error::x",
	"x::error::y", "x,line=99", "x,title=y::z", ",file=/etc/passwd", "##[error]x", "##[add-mask]verified]]", "#\x00#[group]x", "##\u200b[group]x",
	"\u2028::error::x", "\u0085::error::x", "]]>", "```", "<img src=x>",
}

func TestGitHubEscapesForeignStrings(t *testing.T) {
	for _, text := range commandTexts {
		h, records, change := hostileReport(text)
		// In a file's place what stands after the last colon could be a line.
		for _, r := range records {
			r.Position = text + "/recipe.yaml:3:5"
			for i := range r.Faults {
				r.Faults[i].Position = r.Position
			}
		}
		var b bytes.Buffer
		writeAll(t, &report.GitHub{W: &b}, h, records, change)
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q: the report holds %+q", text, r)
			}
		}
		got := runner(t, b.String())
		if lines := strings.Count(b.String(), "\n"); len(got) != len(records) || lines != len(records) {
			t.Errorf("%q: %d commands on %d lines, wanted %d", text, len(got), lines, len(records))
		}
		for _, c := range got {
			if c.name != "error" || fmt.Sprint(len(c.properties)) != "4" || c.properties["line"] != "3" || c.properties["col"] != "5" || !strings.HasSuffix(c.properties["file"], "/recipe.yaml") {
				t.Errorf("%q: the command is %+v", text, c)
			}
		}
	}
}
