package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/recipe-verify/recipe-verify/audit"
)

// JUnit writes JUnit's XML, for CI systems that show tests: a suite for each
// recipe, and a test for each source. What is missing, mismatch or invalid is a
// failure, as is a change for the worse; what is unavailable or in error is an
// error; what is unattested is skipped. A suite is written when the next begins.
type JUnit struct {
	W io.Writer

	header Header
	recipe string
	suite  *junit.Testsuite
	suites int
	names  map[string]int
}

// Header implements [Writer].
func (j *JUnit) Header(h *Header) error {
	j.header = *h
	_, err := io.WriteString(j.W, xml.Header+`<testsuites name="recipe-verify">`)
	return err
}

// Record implements [Writer].
func (j *JUnit) Record(r *Record) error {
	if j.suite == nil || r.Recipe != j.recipe {
		if err := j.flush(); err != nil {
			return err
		}
		j.begin(r)
	}
	c := junit.Testcase{Name: j.name(r), Classname: className(r.Recipe), Time: "0"}
	text := detail(r)
	result := &junit.Result{Message: said(r.Message), Type: said(string(r.Code)), Data: text}
	switch r.Verdict {
	case audit.Verified:
		c.SystemOut = &junit.Output{Data: text}
	case audit.Unattested, audit.Skipped:
		if f := r.Finding; f != nil {
			result.Message = said(r.Message + "; " + joinNonEmpty(": ", string(f.Kind), f.Detail))
		}
		c.Skipped = result
	case audit.Missing, audit.Mismatch, audit.Invalid:
		c.Failure = result
	default:
		c.Error = result
	}
	if r.Downgrade() && c.Failure == nil && c.Error == nil {
		c.Failure, c.Skipped, c.SystemOut = result, nil, nil
		result.Type = "downgrade"
		for _, change := range r.Changes {
			if change.Downgrade {
				result.Message = said(change.String())
				break
			}
		}
	}
	j.suite.AddTestcase(c)
	return nil
}

func (j *JUnit) begin(r *Record) {
	j.recipe, j.names = r.Recipe, map[string]int{}
	j.suite = &junit.Testsuite{Name: said(r.Recipe), ID: j.suites, Time: "0", File: said(r.Recipe)}
	j.suites++
	if t, err := time.Parse(time.RFC3339, j.header.Date); err == nil {
		j.suite.Timestamp = t.UTC().Format("2006-01-02T15:04:05")
	}
}

// name names a test: what follows from the source alone, so that a CI system
// knows it again in the next run. Of several of one name the later ones are
// numbered.
func (j *JUnit) name(r *Record) string {
	name := said(recordTitle(r))
	if name == "" {
		name = "recipe"
	}
	j.names[name]++
	if n := j.names[name]; n > 1 {
		name = fmt.Sprintf("%s (%d)", name, n)
	}
	return name
}

// className is the recipe's folder, in the form that CI systems group by.
func className(recipe string) string {
	folder := strings.Trim(path.Dir(recipe), "./")
	return "recipe-verify." + said(strings.ReplaceAll(strings.ReplaceAll(folder, ".", "_"), "/", "."))
}

// detail says on lines what is known of a source.
func detail(r *Record) string {
	var p page
	write := func(name, value string) {
		if value != "" {
			p.line("%s: %s", name, said(value))
		}
	}
	write("at", r.Position)
	for _, a := range alertsOf(r) {
		write(string(a.level), a.message)
		write("hint", a.hint)
	}
	for _, u := range r.URLs[:min(len(r.URLs), maxAlerts)] {
		write("url", u)
	}
	write("sha256", r.Pinned.SHA256)
	for _, publisher := range r.Publishers[:min(len(r.Publishers), maxAlerts)] {
		write("publisher", publisher)
	}
	if s := r.Signer(); s != nil && r.Verdict == audit.Verified {
		write("signed by", s.SAN)
		write("time", r.When().UTC().Format(time.RFC3339))
	}
	return p.String()
}

// flush writes the suite.
func (j *JUnit) flush() error {
	if j.suite == nil {
		return nil
	}
	if _, err := io.WriteString(j.W, "\n"); err != nil {
		return err
	}
	enc := xml.NewEncoder(j.W)
	enc.Indent("  ", "  ")
	return enc.EncodeElement(j.suite, xml.StartElement{Name: xml.Name{Local: "testsuite"}})
}

// Footer implements [Writer].
func (j *JUnit) Footer(f *Footer) error {
	if err := j.flush(); err != nil {
		return err
	}
	if !f.Complete {
		j.suite = &junit.Testsuite{Name: "the audit", ID: j.suites, Time: "0"}
		j.suite.AddTestcase(junit.Testcase{
			Name: "complete", Classname: "recipe-verify", Time: "0",
			Error: &junit.Result{Message: "not every recipe was looked at; go on with --resume", Type: "incomplete"},
		})
		if err := j.flush(); err != nil {
			return err
		}
	}
	j.suite = nil
	_, err := io.WriteString(j.W, "\n</testsuites>\n")
	return err
}
