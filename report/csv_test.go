package report_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// table reads a report as rows by the columns' names.
func table(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		list = append(list, m)
	}
	return list
}

func TestCSV(t *testing.T) {
	h, records := varied()
	var b bytes.Buffer
	writeAll(t, &report.CSV{W: &b}, h, records, nil)
	golden(t, "audit.csv", b.String())
	rows := table(t, b.Bytes())
	if len(rows) != len(records) || strings.Count(b.String(), "\r\n") != len(records)+1 {
		t.Fatalf("%d rows of %d records", len(rows), len(records))
	}
	got := rows[0]
	for name, want := range map[string]string{
		"recipe": "recipes/flask/recipe.yaml", "verdict": "verified", "signer": "https://github.com/pallets/flask/.github/workflows/release.yaml@refs/tags/v1",
		"repository": "https://github.com/pallets/flask", "time": "2026-03-04T05:06:07Z", "downgrade": "false",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, wanted %q", name, got[name], want)
		}
	}
	if rows[4]["downgrade"] != "true" || rows[4]["changes"] == "" || rows[1]["finding_publisher"] != "github:pallets/click" {
		t.Errorf("the rows are %v and %v", rows[4], rows[1])
	}
}

// A spreadsheet must not take text of a recipe for a formula.
func TestCSVFormulas(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain", "plain"},
		{"", ""},
		{"a=b", "a=b"},
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"  =1", "'  =1"},
		{"\t=1", "' =1"},
		{`"=1`, `'"=1`},
		{"'=1", "''=1"},
		{"＝1", "'＝1"},
		{"\r=1", `\r=1`},
		{"\n=1", `\n=1`},
		{"a,b;c\"d", "a,b;c\"d"},
		{"a;=b", "a;'=b"},
		{"a; -b;c=d", "a;' -b;c=d"},
		{`a;"=b`, `a;'"=b`},
	} {
		r := record(0, "a", "h", audit.Mismatch, "https://h.example/a.tgz")
		r.Message = c.text
		var b bytes.Buffer
		writeAll(t, &report.CSV{W: &b}, &report.Header{}, []*report.Record{r}, nil)
		if got := table(t, b.Bytes())[0]["message"]; got != c.want {
			t.Errorf("%q is written as %q, wanted %q", c.text, got, c.want)
		}
	}
}

// A spreadsheet whose decimal sign is the comma divides lines at semicolons, and
// heeds quotes only where a cell begins.
func TestCSVFormulasBetweenSemicolons(t *testing.T) {
	for _, text := range []string{
		"x;=cmd|' /C calc'!A0;y", "x; =1+1", "a,b;=1+1;c", `x";"=1+1`, `a,";=1`, `;"";=1`, ";;@x", "x;＝1", "x;\t=1",
		strings.Repeat(";=", 20_000),
	} {
		r := record(0, "a", "h", audit.Mismatch, "https://h.example/a.tgz;"+text)
		r.Message, r.Publishers, r.Package = text, []string{"github:o/r", "@SUM(A1)", text}, text
		var b bytes.Buffer
		writeAll(t, &report.CSV{W: &b}, &report.Header{}, []*report.Record{r}, nil)
		divided := csv.NewReader(&b)
		divided.Comma, divided.LazyQuotes, divided.FieldsPerRecord = ';', true, -1
		rows, err := divided.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		cells := 0
		for _, row := range rows {
			for _, value := range row {
				cells++
				// Quotes that are not the cell's own are text.
				first, _ := utf8.DecodeRuneInString(strings.TrimLeft(value, ` "`))
				if strings.ContainsRune("=+-@＝", first) {
					t.Errorf("%.40q: a cell is %.40q", text, value)
				}
			}
		}
		if cells < 4 {
			t.Errorf("%.40q: only %d cells, so nothing was divided", text, cells)
		}
	}
}

func TestCSVEscapesForeignStrings(t *testing.T) {
	for _, text := range append(slices.Clone(commandTexts), "=1+1", "-1", "\"\r\n\"", "a\",\"=1", "\xff=1", strings.Repeat(";=", 20_000), strings.Repeat("é", 1<<19)) {
		h, records, change := hostileReport(text)
		var b bytes.Buffer
		writeAll(t, &report.CSV{W: &b}, h, records, change)
		for _, r := range strings.ReplaceAll(b.String(), "\r\n", "") {
			if !unicode.IsPrint(r) {
				t.Fatalf("%.40q: the report holds %+q", text, r)
			}
		}
		rows := table(t, b.Bytes())
		if len(rows) != len(records) || strings.Count(b.String(), "\n") != len(records)+1 {
			t.Errorf("%.40q: %d rows of %d records", text, len(rows), len(records))
		}
		for _, row := range rows {
			for name, value := range row {
				if first, _ := utf8.DecodeRuneInString(strings.TrimSpace(value)); strings.ContainsRune("=+-@", first) {
					t.Errorf("%.40q: %s is %.40q", text, name, value)
				}
				if utf8.RuneCountInString(value) > 32_767 {
					t.Errorf("%.40q: %s has %d characters", text, name, utf8.RuneCountInString(value))
				}
			}
		}
	}
}
