package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

// readBack writes records, and reads them again.
func readBack(t *testing.T, records ...*report.Record) []*report.Record {
	t.Helper()
	var b bytes.Buffer
	writeAll(t, &report.Lines{W: &b}, &report.Header{Schema: report.AuditSchema}, records, nil)
	r, err := report.NewReader("audit.json", &b)
	if err != nil {
		t.Fatal(err)
	}
	var got []*report.Record
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, record)
	}
}

// However much a hostile project or recipe says, the report can be read back,
// and what it says of the very source is in it.
func TestRecordsFitIntoLines(t *testing.T) {
	pinned := digest.SHA256{1, 2, 3}
	about := attestation.Subject{Name: "the source", Digests: map[string]string{"sha256": pinned.String()}}
	subjects := func(name string, n int) []attestation.Subject {
		var list []attestation.Subject
		for i := range n {
			list = append(list, attestation.Subject{Name: name, Digests: map[string]string{"sha256": fmt.Sprintf("%064d", i), name: name}})
		}
		return append(list, about)
	}
	of := func(bundles int, content func() *verify.Content) audit.Result {
		r := audit.Result{Recipe: "r.yaml", Verdict: audit.Mismatch, Code: "publisher-mismatch", Pinned: audit.Digests{SHA256: pinned}}
		for i := range bundles {
			b := verify.Bundle{Index: i, Status: verify.SetAside, Unverified: content()}
			if i == bundles-1 {
				b.Status, b.Verified, b.Unverified = verify.Unmatched, content(), nil
			}
			r.Bundles = append(r.Bundles, b)
		}
		return r
	}
	for _, c := range []struct {
		name      string
		result    audit.Result
		shortened bool
	}{
		{"usual", of(3, func() *verify.Content {
			return &verify.Content{Subjects: subjects("name", 200), Time: time.Unix(1, 0)}
		}), false},
		{"a long name", of(1, func() *verify.Content { return &verify.Content{Subjects: subjects(strings.Repeat("\x01", 4<<20), 1)} }), true},
		{"many subjects", of(64, func() *verify.Content { return &verify.Content{Subjects: subjects("\u2028", 1023)} }), true},
		{"many digests", of(1, func() *verify.Content {
			d := map[string]string{"sha256": pinned.String()}
			for i := range 100_000 {
				d[fmt.Sprint(i)] = "x"
			}
			return &verify.Content{Subjects: []attestation.Subject{{Digests: d}}}
		}), true},
		{"a long signer", of(64, func() *verify.Content {
			return &verify.Content{Subjects: subjects("x", 1), Certificate: verify.Certificate{SAN: strings.Repeat("\U000e0041", 1<<18)}}
		}), true},
		{"many addresses", audit.Result{Verdict: audit.Error, URLs: make([]string, 2<<20), Pinned: audit.Digests{SHA256: pinned}}, true},
		{"very many short texts", audit.Result{Verdict: audit.Error, Outputs: make([]string, 140_000)}, false},
		{"too many short texts", audit.Result{Verdict: audit.Error, Outputs: make([]string, 900_000)}, true},
		{"many faults", audit.Result{Verdict: audit.Error, Faults: faults(100_000)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := report.NewRecord(c.result)
			got := readBack(t, record)
			if diff := cmp.Diff([]*report.Record{record}, got); diff != "" {
				t.Fatalf("%.2000s", diff)
			}
			if record.Shortened != c.shortened || record.Verdict != c.result.Verdict || record.Code != c.result.Code {
				t.Errorf("shortened %v, %s, %s", record.Shortened, record.Verdict, record.Code)
			}
			if len(c.result.Bundles) == 0 {
				return
			}
			if s := record.Signer(); s == nil {
				t.Error("the bundle that verifies is left out")
			} else if s.Subjects[0].Digest["sha256"] != pinned.String() && c.shortened {
				t.Error("the subject that the source is about does not come first")
			}
		})
	}
}

func faults(n int) []*recipe.Error {
	var list []*recipe.Error
	for range n {
		list = append(list, &recipe.Error{Message: "a fault of the recipe"})
	}
	return list
}

// Reports of verify are read as reports of audits.
func TestReaderReadsReportsOfVerify(t *testing.T) {
	var b bytes.Buffer
	j := &report.JSON{W: &b, Version: "v1"}
	err := j.Start(audit.Policy{TrustedRoots: []string{"root.json"}})
	for i, v := range []audit.Verdict{audit.Verified, audit.Mismatch, audit.Unattested} {
		r := audit.Result{Recipe: "a.yaml", Verdict: v, Code: "c", Outputs: []string{"p"}, URLs: []string{"https://H.example/a.tgz"}, Position: recipe.Position{File: "a.yaml", Line: 3, Column: 1}}
		if i == 2 {
			r.Recipe = "b.yaml"
		}
		err = errors.Join(err, j.Result(r))
	}
	err = errors.Join(err, j.End(audit.Summary{Recipes: 2, Sources: 3, Status: audit.StatusRejected, Warnings: []string{"w"}}))
	if err != nil {
		t.Fatal(err)
	}
	text := b.String()
	r, err := report.NewReader("verify.json", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Convert(r, &report.Lines{W: &out}); err != nil {
		t.Fatal(err)
	}
	again, err := report.NewReader("audit.json", bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		record, err := again.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(record.Place, record.Recipe, " ", record.Verdict, " ", record.Host, " ", record.Package))
	}
	want := []string{"[0 0]a.yaml verified h.example p", "[0 1]a.yaml mismatch h.example p", "[1 0]b.yaml unattested h.example p"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if f := again.Footer(); f.Recipes != 2 || f.Sources != 3 || f.ExitStatus != audit.StatusRejected || !f.Complete || len(f.Warnings) != 1 {
		t.Errorf("the summary is %+v", f)
	}
	for name, text := range map[string]string{
		"cut":          text[:len(text)-5],
		"twice":        text + text,
		"more":         text + "x",
		"other schema": strings.Replace(text, `"schema": 1`, `"schema": 2`, 1),
		"other JSON":   "{\n\"a\": 1}\n",
		"too large":    text[:2] + strings.Repeat(" ", report.MaxVerifyReport) + text[2:],
	} {
		var format *report.FormatError
		if _, err := report.NewReader("verify.json", strings.NewReader(text)); !errors.As(err, &format) || format.Hint() == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A summary too can be read back, whatever hosts and warnings there are.
func TestSummariesFitIntoLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	files, err := report.OpenFiles([]string{"json=" + path}, lineFormats, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	h := &report.Header{Schema: report.AuditSchema}
	footer := report.NewFooter()
	err = files.Header(h)
	for i := range report.MaxHosts + 500 {
		host := fmt.Sprintf("h%d.%s", i, strings.Repeat("x", 200))
		record := report.NewRecord(audit.Result{Place: audit.Place{Recipe: i}, Verdict: audit.Unattested, URLs: []string{"https://" + host + "/a.tgz"}})
		footer.Add(record)
	}
	for i := range 5000 {
		footer.Warnings = append(footer.Warnings, "twice", fmt.Sprint(i, strings.Repeat("\x1b", 5000)))
	}
	if err = errors.Join(err, files.Footer(footer), files.Commit()); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := report.NewReader(path, file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	f := r.Footer()
	if n := len(f.Hosts); n != report.MaxHosts+1 || f.Hosts["(other)"].Sources != 500 {
		t.Errorf("%d hosts, %d other sources", n, f.Hosts["(other)"].Sources)
	}
	if n := len(f.Warnings); n != 1001 || f.Warnings[0] != "twice" || f.Warnings[n-1] != "and 4001 more warnings" {
		t.Errorf("%d warnings, the last is %q", n, f.Warnings[n-1])
	}
	sum := 0
	for _, c := range f.Hosts {
		sum += c.Sources
	}
	if sum != f.Sources {
		t.Errorf("the hosts have %d sources of %d", sum, f.Sources)
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"https://PyPI.org:443/a", "pypi.org"},
		{"https://user:pw@h.example/a", "h.example"},
		{"https://[2001:db8::1]/a", "2001:db8::1"},
		{"file:///a", "(other)"},
		{"a", "(other)"},
		{"https://" + strings.Repeat("x", 254) + "/a", "(other)"},
		{"https://h%20x.example/a", "(other)"},
		{"https://hüx.example/a", "(other)"},
	} {
		if got := report.NewRecord(audit.Result{URLs: []string{c.address}}).Host; got != c.want {
			t.Errorf("%.40s: got %q, wanted %q", c.address, got, c.want)
		}
	}
}
