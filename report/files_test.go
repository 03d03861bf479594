package report_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/report"
)

var lineFormats = map[string]report.Format{
	"json":           func(w io.Writer) report.Writer { return &report.Lines{W: w} },
	"github-summary": func(w io.Writer) report.Writer { return &report.Lines{W: w} },
	"broken":         func(io.Writer) report.Writer { return broken{} },
}

type broken struct{}

func (broken) Header(*report.Header) error { return nil }
func (broken) Record(*report.Record) error { return errors.New("no space left") }
func (broken) Footer(*report.Footer) error { return nil }

func fill(f *report.Files) error {
	h, records := sample(2)
	return errors.Join(f.Header(h), f.Record(records[0]), f.Footer(report.NewFooter()))
}

// leftOver lists what lies in a folder.
func leftOver(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestFilesAppearTogetherAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	if err := os.WriteFile(b, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	f, err := report.OpenFiles([]string{"json=" + a, "json=" + b, "json=-"}, lineFormats, &stdout)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(f); err != nil {
		t.Fatal(err)
	}
	if was, _ := os.ReadFile(b); string(was) != "before" {
		t.Errorf("a report that is not finished replaced %q", was)
	}
	if _, err := os.Stat(a); err == nil {
		t.Error("a report that is not finished is there")
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{a, b} {
		if data, err := os.ReadFile(name); err != nil || !bytes.Equal(data, stdout.Bytes()) || len(data) == 0 {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if got := leftOver(t, dir); got != "a.json b.json" {
		t.Errorf("the folder holds %s", got)
	}
}

func TestAFailureKeepsWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a.json")
	if err := os.WriteFile(a, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := report.OpenFiles([]string{"json=" + a, "broken=" + filepath.Join(dir, "b")}, lineFormats, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(f); err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), filepath.Join(dir, "b")) {
		t.Errorf("got %v", err)
	}
	f.Discard()
	if was, _ := os.ReadFile(a); string(was) != "before" || leftOver(t, dir) != "a.json" {
		t.Errorf("%q, and the folder holds %s", was, leftOver(t, dir))
	}
}

func TestTheJobSummaryIsAddedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(path, []byte("another step\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := report.OpenFiles([]string{"github-summary=" + path}, lineFormats, io.Discard)
	if err = errors.Join(err, fill(f), f.Commit()); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); !strings.HasPrefix(string(data), "another step\n{") {
		t.Errorf("it holds %q", data)
	}
	if got := leftOver(t, filepath.Dir(path)); got != "summary.md" {
		t.Errorf("the folder holds %s", got)
	}
}

func TestSpecErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		specs []string
		want  string
	}{
		{[]string{"yaml=x"}, "names no known format"},
		{[]string{"x.json"}, "names no known format"},
		{[]string{"json=" + dir + "/a", "json=" + dir + "/./a"}, "goes where"},
		{[]string{"json", "json=-"}, "goes where"},
		{[]string{"json=" + dir}, "is a folder"},
		{[]string{"json=" + dir + "/missing/a"}, "no such"},
	} {
		_, err := report.OpenFiles(c.specs, lineFormats, io.Discard)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), c.want) {
			t.Errorf("%q: got %v, wanted %q", c.specs, err, c.want)
		}
	}
	if got := leftOver(t, dir); got != "" {
		t.Errorf("the folder holds %s", got)
	}
}
