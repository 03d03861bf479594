package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

// golden compares what was written with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update):\n%s", path, diff)
	}
}

// writeAll gives a writer a whole report.
func writeAll(t *testing.T, w report.Writer, h *report.Header, records []*report.Record, change func(*report.Footer)) {
	t.Helper()
	footer := report.NewFooter()
	footer.Recipes, footer.Complete = h.Recipes, true
	err := w.Header(h)
	for _, r := range records {
		footer.Add(r)
		err = errors.Join(err, w.Record(r))
	}
	if change != nil {
		change(footer)
	}
	if err = errors.Join(err, w.Footer(footer)); err != nil {
		t.Fatal(err)
	}
}

// signedBy is the account of a bundle that counted.
func signedBy(repository string) []report.BundleDocument {
	when := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return []report.BundleDocument{{
		Status: verify.Counted, Publisher: "github:" + repository,
		Verified: &report.ContentDocument{
			PredicateType: "https://docs.pypi.org/attestations/publish/v1",
			SAN:           "https://github.com/" + repository + "/.github/workflows/release.yaml@refs/tags/v1", SANType: "uri",
			Issuer: "https://token.actions.githubusercontent.com", Time: &when,
			Extensions: &report.ExtensionsDocument{
				SourceRepository: "https://github.com/" + repository, SourceRepositoryID: "100", SourceOwnerID: "7",
				BuildConfigURI: "https://github.com/" + repository + "/.github/workflows/release.yaml@refs/tags/v1",
			},
		},
	}}
}

// record is a record at a place of its own.
func record(at int, recipe, host string, v audit.Verdict, urls ...string) *report.Record {
	r := &report.Record{Place: [2]int{at, 0}, Key: fmt.Sprintf("k%d", at), Host: host, Package: recipe}
	r.Recipe, r.Position = "recipes/"+recipe+"/recipe.yaml", "recipes/"+recipe+"/recipe.yaml:5:3"
	r.URLs, r.Verdict, r.Code = urls, v, audit.Code("code-"+string(v))
	r.Message = "a reason"
	return r
}

// varied is a report with one of everything.
func varied() (*report.Header, []*report.Record) {
	h := &report.Header{
		Schema: report.AuditSchema, Tool: report.Tool{Name: "recipe-verify", Version: "v1"}, Recipes: 9, Set: "abc",
		Discover: true, Since: strings.Repeat("ab", 32), Date: "2026-11-23T00:00:00Z",
	}
	h.Policy = report.PolicyDocument{Publishers: "any", MetadataOnly: true, TrustedRoots: []string{"embedded"}}
	good := record(0, "flask", "pypi.org", audit.Verified, "https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz")
	good.Bundles = signedBy("pallets/flask")
	good.Changes = []report.Change{{Kind: report.WorkflowChanged, Before: "old.yaml", After: "release.yaml"}}
	could := record(1, "click", "pypi.org", audit.Unattested, "https://pypi.org/packages/source/c/click/click-8.2.0.tar.gz")
	could.Finding = &report.FindingDocument{Kind: audit.Attestable, Genuine: true, Publisher: "github:pallets/click", BundleURLs: []string{"https://pypi.org/integrity/click/8.2.0/click-8.2.0.tar.gz/provenance"}}
	odd := record(2, "odd", "pypi.org", audit.Unattested, "https://pypi.org/packages/source/o/odd/odd-1.tar.gz")
	odd.Finding = &report.FindingDocument{Kind: audit.Attestable, Detail: "there is evidence, and none of it verifies"}
	cannot := record(3, "fmt", "github.com", audit.Unattested, "https://github.com/fmtlib/fmt/archive/refs/tags/11.tar.gz")
	cannot.Finding = &report.FindingDocument{Kind: audit.NotAttestable, Detail: "GitHub makes these archives anew"}
	gone := record(4, "gone", "pypi.org", audit.Missing, "https://pypi.org/packages/source/g/gone/gone-2.tar.gz")
	gone.Hint, gone.Changes = "ask the project", []report.Change{{Kind: report.EvidenceDisappeared, Before: "signed by github:o/gone", Downgrade: true}}
	wrong := record(5, "wrong", "github.com", audit.Mismatch, "https://github.com/o/wrong/releases/download/v1/wrong-1.tar.gz")
	wrong.Hint = "do not build"
	dead := record(6, "dead", "dead.example", audit.Unavailable, "https://dead.example/dead-1.tar.gz")
	broken := record(7, "broken", "", audit.Error)
	broken.Faults = []report.FaultDocument{
		{Position: "recipes/broken/recipe.yaml:3:1", Message: `unknown key "sorce"`, Hint: `write "source"`},
		{Position: "recipes/broken/recipe.yaml:9:1", Message: "a second fault"},
	}
	bad := record(8, "bad", "github.com", audit.Invalid, "https://github.com/o/bad/releases/download/v1/bad-1.tar.gz")
	return h, []*report.Record{good, could, odd, cannot, gone, wrong, dead, broken, bad}
}

func TestAuditText(t *testing.T) {
	h, records := varied()
	for _, verbose := range []bool{false, true} {
		var b bytes.Buffer
		writeAll(t, &report.AuditText{W: &b, Verbose: verbose}, h, records, func(f *report.Footer) {
			f.Warnings = []string{"the trusted root is 100 days old"}
			f.Complete = verbose
		})
		golden(t, fmt.Sprintf("audit-verbose-%v.txt", verbose), b.String())
	}
}

// summaryOf is what stands before the first source.
func summaryOf(text string) []string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "mismatch ") && strings.Contains(l, "recipe.yaml") {
			return lines[:i]
		}
	}
	return lines
}

func TestAuditTextSummaryFitsAScreen(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, c := range []struct {
		name   string
		change func(*report.Header, *report.Footer)
	}{
		{"usual", func(*report.Header, *report.Footer) {}},
		{"three warnings", func(_ *report.Header, f *report.Footer) { f.Warnings = []string{"a", "b", "c"} }},
		{"long texts", func(h *report.Header, f *report.Footer) {
			h.Policy.Config, h.Policy.TrustedRoots, h.Date, h.Shard = long, []string{long}, long, "1/4"
			h.Policy.RequireAttestations, h.Policy.Offline = true, true
			f.Complete = false
			f.Hosts[long] = report.HostCounts{Sources: 9999999, Verified: 9999999, Failed: 9999999, Unavailable: 9999999, Attestable: 9999999, NotAttestable: 9999999}
			for _, k := range []audit.FindingKind{audit.Attestable, audit.NotAttestable, audit.NoEvidence, audit.NotAsked, audit.Unknown} {
				f.Findings[k] = 9999999
			}
			f.Recipes, f.Sources, f.Downgrades = 9999999, 9999999, 9999999
			f.Warnings = []string{"a", "b", "c"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, records := varied()
			for i := range 30 {
				records = append(records, record(20+i, "x", fmt.Sprintf("h%d.example", i), audit.Verified, "https://h.example/x-1.tar.gz"))
			}
			var b bytes.Buffer
			w := &report.AuditText{W: &b}
			writeAll(t, headerChanged{w, func(h *report.Header) { c.change(h, report.NewFooter()) }}, h, records, func(f *report.Footer) {
				c.change(&report.Header{}, f)
			})
			lines := summaryOf(b.String())
			if len(lines) > 24 {
				t.Errorf("the summary has %d lines:\n%s", len(lines), strings.Join(lines, "\n"))
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); n > 80 {
					t.Errorf("a line of %d columns: %s", n, l)
				}
			}
			if !strings.Contains(b.String(), "more hosts") {
				t.Error("it does not say that there are more hosts")
			}
		})
	}
}

// headerChanged changes a header on its way.
type headerChanged struct {
	report.Writer
	change func(*report.Header)
}

func (c headerChanged) Header(h *report.Header) error {
	changed := *h
	c.change(&changed)
	return c.Writer.Header(&changed)
}

func TestAuditTextManyWarningsStandBelow(t *testing.T) {
	h, records := varied()
	var b bytes.Buffer
	writeAll(t, &report.AuditText{W: &b}, h, records, func(f *report.Footer) {
		f.Warnings = []string{"first", "second", "third", "fourth"}
	})
	if got := b.String(); !strings.Contains(got, "warnings: 4 about this run, below") || !strings.Contains(got, "warning: fourth\n") {
		t.Errorf("got:\n%s", got)
	}
}

// A flood of one verdict does not hide another, and memory does not grow.
func TestAuditTextListsAreBounded(t *testing.T) {
	h := &report.Header{Recipes: 1}
	var records []*report.Record
	for i := range 3 * report.MaxListed {
		r := record(i, "flood", "dead.example", audit.Unavailable, "https://dead.example/a-1.tar.gz")
		r.Message = strings.Repeat("y", 100_000)
		records = append(records, r)
	}
	records = append(records, record(9999, "evil", "pypi.org", audit.Mismatch, "https://pypi.org/packages/source/e/evil/evil-1.tar.gz"))
	var b bytes.Buffer
	writeAll(t, &report.AuditText{W: &b}, h, records, nil)
	got := b.String()
	if n := strings.Count(got, "flood/recipe.yaml"); n != report.MaxListed {
		t.Errorf("%d are listed, wanted %d", n, report.MaxListed)
	}
	if !strings.Contains(got, "evil-1.tar.gz") || strings.Index(got, "evil-1.tar.gz") > strings.Index(got, "flood/recipe.yaml") {
		t.Error("the mismatch does not stand first")
	}
	if !strings.Contains(got, fmt.Sprintf("and %d more unavailable: see --report json=FILE", 2*report.MaxListed)) {
		t.Error("it does not say how many more there are")
	}
	if len(got) > 400_000 {
		t.Errorf("it has %d bytes", len(got))
	}
}

// hostileRecord has foreign text wherever there can be some.
func hostileRecord(v audit.Verdict, text string) *report.Record {
	r := &report.Record{Key: text, Host: text, Package: text, Version: text}
	r.Recipe, r.Position, r.Other, r.Message, r.Hint = text, text+":3:5", text, text, text
	r.URLs, r.Outputs, r.Publishers = []string{"https://example.org/" + text}, []string{text}, []string{text}
	r.Verdict, r.Code = v, audit.Code(text)
	r.Bundles = signedBy(text)
	r.Changes = []report.Change{{Kind: report.ChangeKind(text), Before: text, After: text, Downgrade: true}, {Kind: report.PublisherChanged, Before: text, After: text}}
	r.Finding = &report.FindingDocument{Kind: audit.Attestable, Publisher: text, BundleURLs: []string{text}, Detail: text, Replacement: text}
	if v == audit.Error {
		r.Faults = []report.FaultDocument{{Position: text, Message: text, Hint: text}}
	}
	return r
}

// hostileReport is a report all of whose text is hostile.
func hostileReport(text string) (*report.Header, []*report.Record, func(*report.Footer)) {
	h := &report.Header{Tool: report.Tool{Name: text, Version: text}, Set: text, Since: text, Shard: text, Date: text, Recipes: 8}
	h.Policy = report.PolicyDocument{Publishers: text, PredicateTypes: []string{text}, TrustedRoots: []string{text}, Mirrors: []string{text}, Config: text}
	var records []*report.Record
	for _, v := range []audit.Verdict{audit.Verified, audit.Unattested, audit.Missing, audit.Mismatch, audit.Invalid, audit.Unavailable, audit.Error, audit.Verdict(text)} {
		records = append(records, hostileRecord(v, text))
	}
	genuine := hostileRecord(audit.Unattested, text)
	genuine.Finding.Genuine = true
	return h, append(records, genuine), func(f *report.Footer) { f.Warnings = []string{text} }
}

func TestAuditTextEscapesForeignStrings(t *testing.T) {
	h, records, change := hostileReport(hostile)
	for _, verbose := range []bool{false, true} {
		var b bytes.Buffer
		writeAll(t, &report.AuditText{W: &b, Verbose: verbose}, h, records, change)
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("the report holds %+q", r)
			}
		}
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "verified     evil") {
				t.Errorf("foreign text made the line %q", line)
			}
		}
	}
}
