package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// junitElements are the elements and attributes of Jenkins' schema (xunit-plugin,
// junit-10.xsd), as far as they are used, and the elements that may hold them.
var junitElements = map[string]struct{ in, attributes []string }{
	"testsuites": {[]string{""}, []string{"name"}},
	"testsuite":  {[]string{"testsuites"}, []string{"name", "tests", "failures", "errors", "skipped", "id", "time", "timestamp", "file"}},
	"testcase":   {[]string{"testsuite"}, []string{"name", "classname", "time"}},
	"failure":    {[]string{"testcase"}, []string{"type", "message"}},
	"error":      {[]string{"testcase"}, []string{"type", "message"}},
	"skipped":    {[]string{"testcase"}, []string{"type", "message"}},
	"system-out": {[]string{"testcase"}, nil},
}

// readJUnit reads a report back. It checks that elements and attributes are those
// of the schema, and that the numbers of each suite are those of its tests.
func readJUnit(t *testing.T, data []byte) junit.Testsuites {
	t.Helper()
	var suites junit.Testsuites
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&suites); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	for _, s := range suites.Suites {
		var tests, failures, errs, skipped int
		for _, c := range s.Testcases {
			tests++
			outcomes := 0
			for _, o := range []struct {
				r *junit.Result
				n *int
			}{{c.Failure, &failures}, {c.Error, &errs}, {c.Skipped, &skipped}} {
				if o.r != nil {
					*o.n++
					outcomes++
				}
			}
			if outcomes > 1 || c.Name == "" || c.Classname == "" {
				t.Errorf("the test %+v", c)
			}
		}
		if s.Tests != tests || s.Failures != failures || s.Errors != errs || s.Skipped != skipped {
			t.Errorf("the suite %s counts %d, %d, %d, %d, and has %d, %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, tests, failures, errs, skipped)
		}
	}
	d = xml.NewDecoder(bytes.NewReader(data))
	open := []string{""}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return suites
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			known, ok := junitElements[token.Name.Local]
			if !ok || !slices.Contains(known.in, open[len(open)-1]) {
				t.Errorf("the element %s in %s", token.Name.Local, open[len(open)-1])
			}
			for _, a := range token.Attr {
				if !slices.Contains(known.attributes, a.Name.Local) {
					t.Errorf("the attribute %s of %s", a.Name.Local, token.Name.Local)
				}
			}
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func TestJUnit(t *testing.T) {
	h, records := varied()
	worse := record(9, "worse", "pypi.org", audit.Verified, "https://pypi.org/packages/source/w/worse/worse-1.tar.gz")
	worse.Changes = []report.Change{{Kind: report.PublisherChanged, Before: "a", After: "b", Downgrade: true}}
	twin := record(9, "worse", "pypi.org", audit.Verified, "https://mirror.example/worse-1.tar.gz")
	var b bytes.Buffer
	writeAll(t, &report.JUnit{W: &b}, h, append(records, worse, twin), func(f *report.Footer) { f.Complete = false })
	var got []string
	for _, s := range readJUnit(t, b.Bytes()).Suites {
		for _, c := range s.Testcases {
			outcome := "passed"
			for name, r := range map[string]*junit.Result{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
				if r != nil {
					outcome = fmt.Sprintf("%s %s: %s", name, r.Type, r.Message)
				}
			}
			got = append(got, fmt.Sprintf("%s | %s | %s | %s", s.Name, c.Classname, c.Name, outcome))
		}
	}
	want := []string{
		"recipes/flask/recipe.yaml | recipe-verify.recipes.flask | flask-3.1.1.tar.gz | passed",
		"recipes/click/recipe.yaml | recipe-verify.recipes.click | click-8.2.0.tar.gz | skipped code-unattested: a reason; attestable",
		"recipes/odd/recipe.yaml | recipe-verify.recipes.odd | odd-1.tar.gz | skipped code-unattested: a reason; attestable: there is evidence, and none of it verifies",
		"recipes/fmt/recipe.yaml | recipe-verify.recipes.fmt | 11.tar.gz | skipped code-unattested: a reason; not-attestable: GitHub makes these archives anew",
		"recipes/gone/recipe.yaml | recipe-verify.recipes.gone | gone-2.tar.gz | failure code-missing: a reason",
		"recipes/wrong/recipe.yaml | recipe-verify.recipes.wrong | wrong-1.tar.gz | failure code-mismatch: a reason",
		"recipes/dead/recipe.yaml | recipe-verify.recipes.dead | dead-1.tar.gz | error code-unavailable: a reason",
		"recipes/broken/recipe.yaml | recipe-verify.recipes.broken | recipe | error code-error: a reason",
		"recipes/bad/recipe.yaml | recipe-verify.recipes.bad | bad-1.tar.gz | failure code-invalid: a reason",
		"recipes/worse/recipe.yaml | recipe-verify.recipes.worse | worse-1.tar.gz | failure downgrade: publisher-changed: before a, now b",
		"recipes/worse/recipe.yaml | recipe-verify.recipes.worse | worse-1.tar.gz (2) | passed",
		"the audit | recipe-verify | complete | error incomplete: not every recipe was looked at; go on with --resume",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if suites := readJUnit(t, b.Bytes()).Suites; suites[0].Timestamp != "2026-11-23T00:00:00" {
		t.Errorf("the time stamp is %q", suites[0].Timestamp)
	}
}

// Broken recipes are told with the place of each fault.
func TestJUnitFaults(t *testing.T) {
	h, records := varied()
	var b bytes.Buffer
	writeAll(t, &report.JUnit{W: &b}, h, records[7:8], nil)
	text := readJUnit(t, b.Bytes()).Suites[0].Testcases[0].Error.Data
	for _, want := range []string{`error: unknown key "sorce"`, `hint: write "source"`, "error: a second fault"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
}

func TestJUnitEscapesForeignStrings(t *testing.T) {
	texts := append(slices.Clone(commandTexts), "]]>", "]]]]>>", "<![CDATA[x]]></testsuites>", "&lt;&#0;&x;", `" onx="`, "<!ENTITY x>", "\x00\x01\x08\x0b\x0c\ufffe\uffff", "\xed\xa0\x80\xff", strings.Repeat("é", 1<<19))
	for _, text := range texts {
		h, records, change := hostileReport(text)
		var b bytes.Buffer
		writeAll(t, &report.JUnit{W: &b}, h, records, change)
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%.40q: the report holds %+q", text, r)
			}
		}
		if b.Len() > 1<<20 {
			t.Errorf("%.40q: %d bytes", text, b.Len())
		}
		n := 0
		for _, s := range readJUnit(t, b.Bytes()).Suites {
			n += len(s.Testcases)
		}
		if n != len(records) {
			t.Errorf("%.40q: %d tests of %d records", text, n, len(records))
		}
	}
}
