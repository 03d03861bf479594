package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/recipe-verify/recipe-verify/audit"
)

// MaxVerifyReport is the most bytes of a report of verify that is read. Unlike
// those of audits it is one document, and is held in memory.
const MaxVerifyReport = 32 << 20

// maxDocumentValues is the most objects, lists and items of one: a report of
// verify has some hundred a source.
const maxDocumentValues = 400_000

// A verifyReport is a report of verify, read as if an audit had written it.
type verifyReport struct {
	results []SourceResult
	next    int
	place   [2]int
	summary SummaryCounts
	footer  *Footer
}

// opensDocument tells whether a report of verify begins with this line.
func opensDocument(line []byte) bool { return string(bytes.TrimSpace(line)) == "{" }

// readDocument reads a report of verify that begins with a line.
func (r *Reader) readDocument(first []byte) error {
	// At most: the document, its copy while the buffer grows, and some hundred
	// bytes for each of its values.
	text := bytes.NewBuffer(append(make([]byte, 0, 1<<20), first...))
	if _, err := text.ReadFrom(io.LimitReader(r.r, MaxVerifyReport)); err != nil {
		return err
	}
	if text.Len() >= MaxVerifyReport || countValues(text.Bytes()) > maxDocumentValues {
		return &FormatError{
			Name: r.name, Problem: "it is a report of verify, and larger than such reports are read",
			Mend: "use audit, whose reports are read line by line",
		}
	}
	// What begins so and is cut, or goes on, is refused as a whole.
	var d Document
	if err := json.Unmarshal(text.Bytes(), &d); err != nil || d.Tool.Name == "" || d.Results == nil {
		return r.notAReport()
	}
	if d.Schema != SchemaVersion {
		return r.otherSchema(d.Schema, SchemaVersion)
	}
	r.header = Header{Schema: AuditSchema, Tool: d.Tool, Policy: d.Policy, Recipes: d.Summary.Recipes}
	r.verify = &verifyReport{results: d.Results, summary: d.Summary, footer: NewFooter()}
	return nil
}

// record gives the next source, or io.EOF.
func (v *verifyReport) record() (*Record, error) {
	if v.next == len(v.results) {
		f := v.footer
		f.Recipes, f.ExitStatus = v.summary.Recipes, v.summary.ExitStatus
		f.Warnings = append([]string{}, v.summary.Warnings...)
		f.Complete = v.summary.ExitStatus != audit.StatusInterrupted
		return nil, io.EOF
	}
	d := v.results[v.next]
	if v.next > 0 {
		if d.Recipe == v.results[v.next-1].Recipe {
			v.place[1]++
		} else {
			v.place = [2]int{v.place[0] + 1, 0}
		}
	}
	v.next++
	r := &Record{Place: v.place, SourceResult: d, Host: hostOf(d.URLs)}
	if len(d.Outputs) > 0 {
		r.Package = d.Outputs[0]
	}
	v.footer.Add(r)
	return r, nil
}
