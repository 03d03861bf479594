package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// A JSON report is printed to terminals too. DEL, the control characters from
// U+0080 on, and those that turn the direction of writing are characters like
// any other to JSON; the reader gets them back unchanged.
func TestJSONIsSafeOnATerminal(t *testing.T) {
	const odd = "a\x7f\u009b31m\u202eb\U000e0041c é 漢 😀"
	var b bytes.Buffer
	j := &report.JSON{W: &b}
	if err := j.Start(audit.Policy{Mirrors: []string{odd}}); err != nil {
		t.Fatal(err)
	}
	r := hostileResult(audit.Mismatch)
	r.Message = odd
	if err := j.Result(r); err != nil {
		t.Fatal(err)
	}
	if err := j.End(audit.Summary{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("the report holds %+q", r)
		}
	}
	var d report.Document
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Results[0].Message != odd || d.Policy.Mirrors[0] != odd {
		t.Errorf("message %+q, mirror %+q, wanted %+q", d.Results[0].Message, d.Policy.Mirrors[0], odd)
	}

	b.Reset()
	if err := report.WriteSourcesJSON(&b, []report.RecipeSources{{Path: odd}}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("the list holds %+q", r)
		}
	}
}

// Whoever reads the last line alone learns that archives were left out.
func TestTextSaysMetadataOnlyAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		name       string
		noDownload bool
		want       string
	}{
		{"archives fetched", false, "\n1 source: 1 verified\n"},
		{"metadata only", true, "\n1 source: 1 verified (metadata only: no archive was fetched)\n"},
	} {
		var b bytes.Buffer
		text := &report.Text{W: &b}
		if err := text.Start(audit.Policy{NoDownload: c.noDownload}); err != nil {
			t.Fatal(err)
		}
		if err := text.End(audit.Summary{Sources: 1, Verdicts: map[audit.Verdict]int{audit.Verified: 1}}); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(b.Bytes(), []byte(c.want)) {
			t.Errorf("%s: %q does not end in %q", c.name, b.String(), c.want)
		}
	}
}
