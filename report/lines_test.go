package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// sample is the report of a run over n recipes, each with two sources.
func sample(n int) (*report.Header, []*report.Record) {
	h := &report.Header{Schema: report.AuditSchema, Tool: report.Tool{Name: "recipe-verify", Version: "v1"}, Recipes: n, Set: "abc"}
	h.Policy.Publishers = "any"
	var list []*report.Record
	verdicts := []audit.Verdict{audit.Verified, audit.Unattested, audit.Mismatch, audit.Unavailable}
	for i := range n {
		for j := range 2 {
			r := &report.Record{Place: [2]int{i, j}, Key: fmt.Sprintf("k%d.%d", i, j), Host: fmt.Sprintf("h%d.example", i%3), Package: fmt.Sprintf("p%d", i), Version: "1.0"}
			r.Recipe, r.Verdict, r.Code = fmt.Sprintf("r%d/recipe.yaml", i), verdicts[(i+j)%4], "some-code"
			r.Position = r.Recipe + ":3:5"
			r.Message = "hostile \x1b[31m\u202e\u2028 <script>"
			if r.Verdict == audit.Unattested {
				r.Finding = &report.FindingDocument{Kind: audit.Attestable, Genuine: true, Publisher: "github:o/r"}
			}
			list = append(list, r)
		}
	}
	return h, list
}

// write gives the lines of a report; keep chooses the records.
func write(t *testing.T, h report.Header, records []*report.Record, keep func(int) bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w := &report.Lines{W: &b}
	footer := report.NewFooter()
	footer.Recipes, footer.Complete = h.Recipes, true
	err := w.Header(&h)
	for i, r := range records {
		if keep(i) {
			footer.Add(r)
			err = errors.Join(err, w.Record(r))
		}
	}
	if err = errors.Join(err, w.Footer(footer)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func all(int) bool { return true }

func TestConvertGivesTheSameBytes(t *testing.T) {
	h, records := sample(5)
	want := write(t, *h, records, all)
	if bytes.ContainsAny(want, "\x1b") || bytes.Contains(want, []byte("\u202e")) {
		t.Error("control characters are not escaped")
	}
	r, err := report.NewReader("audit.json", bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := report.Convert(r, &report.Lines{W: &got}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestMergeGivesTheBytesOfOneRun(t *testing.T) {
	h, records := sample(20)
	whole := write(t, *h, records, all)
	var shards []*report.Reader
	for i := range 4 {
		part := *h
		part.Shard = fmt.Sprintf("%d/4", i+1)
		data := write(t, part, records, func(n int) bool { return n*7%4 == i })
		r, err := report.NewReader(part.Shard, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		shards = append(shards, r)
	}
	var got bytes.Buffer
	if err := report.Merge(shards, &report.Lines{W: &got}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(whole), got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestMergeErrors(t *testing.T) {
	h, records := sample(4)
	part := func(shard string, change func(*report.Header)) []byte {
		p := *h
		p.Shard = shard
		if change != nil {
			change(&p)
		}
		return write(t, p, records, func(n int) bool { return (n%2 == 0) == strings.HasPrefix(shard, "1") })
	}
	first := part("1/2", nil)
	for _, c := range []struct {
		name string
		data [][]byte
		want string
	}{
		{"nothing", nil, "no report is given"},
		{"one is missing", [][]byte{first}, "of its 2 parts 2/2 is missing"},
		{"one twice", [][]byte{first, first}, "it is shard 1/2, and so is 0"},
		{"no shard", [][]byte{write(t, *h, records, all)}, "it is not a part of an audit"},
		{"other number of parts", [][]byte{first, part("2/3", nil)}, "it has 3 parts, and not 2"},
		{"other recipes", [][]byte{first, part("2/2", func(h *report.Header) { h.Set = "x" })}, "it is about other recipes"},
		{"other policy", [][]byte{first, part("2/2", func(h *report.Header) { h.Policy.RequireAttestations = true })}, "its policy is another"},
		{"other version", [][]byte{first, part("2/2", func(h *report.Header) { h.Tool.Version = "v2" })}, "written by version"},
		{"the same source in two", [][]byte{first, bytes.Replace(part("2/2", nil), []byte(`"place":[0,1]`), []byte(`"place":[0,0]`), 1)}, "is in 0 too"},
		{"cut", [][]byte{first, part("2/2", nil)[:1500]}, "ends in the middle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var shards []*report.Reader
			for i, data := range c.data {
				r, err := report.NewReader(fmt.Sprint(i), bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				shards = append(shards, r)
			}
			if err := report.Merge(shards, &report.Lines{W: io.Discard}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, wanted %q", err, c.want)
			}
		})
	}
}

func TestReaderErrors(t *testing.T) {
	h, records := sample(2)
	good := string(write(t, *h, records, all))
	lines := strings.SplitAfter(good, "\n")
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"something else", "<html>\n", "no report of recipe-verify audit"},
		{"a report of verify", "{\n \"schema\": 1}\n", "no report of recipe-verify audit"},
		{"other schema", strings.Replace(good, `"schema":1`, `"schema":9`, 1), "its schema is 9, wanted 1"},
		{"out of order", lines[0] + lines[2] + lines[1] + lines[5], "not in order"},
		{"twice", lines[0] + lines[1] + lines[1] + lines[5], "not in order"},
		{"without summary", strings.Join(lines[:5], ""), "ends in the middle"},
		{"cut in a line", good[:len(good)-10], "ends in the middle"},
		{"more after the summary", good + lines[1], "more after the summary"},
		{"unknown line", lines[0] + `{"type":"x"}` + "\n", `unknown type "x"`},
		{"not JSON", lines[0] + "{\n", "not JSON"},
		{"endless line", lines[0] + strings.Repeat("x", report.MaxLine+1), "more than the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := report.NewReader("audit.json", strings.NewReader(c.text))
			for err == nil {
				_, err = r.Next()
			}
			if errors.Is(err, io.EOF) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "audit.json") {
				t.Errorf("got %v, wanted %q", err, c.want)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	h, records := sample(2)
	var b bytes.Buffer
	w := &report.Lines{W: &b}
	_ = w.Header(h)
	_ = w.Record(records[0])
	_ = w.Footer(report.NewFooter())
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.NewReader("x", bytes.NewReader(data))
		if err != nil {
			return
		}
		// Whatever is read can be written, and read again.
		var out bytes.Buffer
		if report.Convert(r, &report.Lines{W: &out}) != nil {
			return
		}
		again, err := report.NewReader("y", bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Convert(again, &report.Lines{W: io.Discard}); err != nil {
			t.Error(err)
		}
	})
}
