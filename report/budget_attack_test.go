package report_test

import (
	"io"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/report"
)

// Reports may come from elsewhere, shards of an audit for instance: reading and
// comparing one costs little, whatever its lines hold.
func TestHostileReportsAreCheap(t *testing.T) {
	const most = report.MaxLine - 1000
	repeat := strings.Repeat
	fill := func(before, text, after string) string { return before + repeat(text, most/len(text)) + after }
	const header = `{"type":"header","schema":1,"tool":{"name":"recipe-verify","version":"1"}}` + "\n"
	for name, text := range map[string]string{
		"as many bundles as may be": header + `{"type":"source","bundles":[` + repeat("{},", 99_000) + "{}]}\n",
		"lists":                     fill("", "[", "\n"),
		"lists in a header":         fill(`{"type":"header","schema":1,"x":`, "[", "\n"),
		"closed lists":              header + `{"type":"source","x":` + repeat("[", most/2) + repeat("]", most/2) + "}\n",
		"keys":                      header + fill(`{"type":"source",`, `"a":1,`, `"x":1}`+"\n"),
		"equal keys":                header + fill(`{`, `"type":"source",`, `"x":1}`+"\n"),
		"bundles":                   header + fill(`{"type":"source","bundles":[`, "{},", "{}]}\n"),
		"warnings":                  header + fill(`{"type":"source","warnings":[`, "{},", "{}]}\n"),
		"addresses":                 header + fill(`{"type":"source","urls":[`, `"",`, `""]}`+"\n"),
		"a long text":               header + fill(`{"type":"source","message":"`, "a", `"}`+"\n"),
		"escapes":                   header + fill(`{"type":"source","message":"`, `\u202e`, `"}`+"\n"),
		"one number":                header + fill(`{"type":"source","bytes":`, "9", "}\n"),
		"empty lines":               header + repeat("\n", 64<<20),
		"short lines":               header + repeat("{}\n", 20<<20),
		"one endless line":          header + repeat("x", 64<<20),
		"no line at all":            repeat("x", 64<<20),
		"lists in a document":       "{\n" + repeat("[", 32<<20),
		"spaces in a document":      "{\n" + repeat(" ", 64<<20),
		"results in a document":     "{\n\"schema\":1,\"tool\":{\"name\":\"x\"},\"results\":[" + repeat("{},", 8<<20) + "{}]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			budget.Check(t, func() {
				for _, read := range []func(*report.Reader) error{
					func(r *report.Reader) error { return report.Convert(r, &report.Lines{W: io.Discard}) },
					func(r *report.Reader) error {
						_, err := report.ReadBaseline(r)
						return err
					},
				} {
					r, err := report.NewReader("x", strings.NewReader(text))
					if err == nil {
						err = read(r)
					}
					if err != nil && len(err.Error()) > 4000 {
						t.Errorf("a message of %d bytes", len(err.Error()))
					}
				}
			})
		})
	}
}
