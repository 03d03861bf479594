package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// sarifSchema is OASIS's schema of SARIF 2.1.0, as go-sarif has it in its source.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(dir)), "pkg", "report", "v210", "sarif", "schema.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && len(l.Value) > len(text) {
			text, err = strconv.Unquote(l.Value)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	const id = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(id, document); err != nil {
		return nil, err
	}
	return c.Compile(id)
})

// readSARIF checks a report against the official schema, and reads it as a user
// of go-sarif does.
func readSARIF(t *testing.T, data []byte) *sarif.Run {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("no JSON: %v\n%s", err, data)
	}
	if err := schema.Validate(document); err != nil {
		t.Fatalf("not of the schema: %v\n%s", err, data)
	}
	r, err := sarif.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 1 {
		t.Fatalf("%d runs", len(r.Runs))
	}
	return r.Runs[0]
}

func writeSARIF(t *testing.T, records ...*report.Record) *sarif.Run {
	t.Helper()
	var b bytes.Buffer
	writeAll(t, &report.SARIF{W: &b}, &report.Header{}, records, nil)
	return readSARIF(t, b.Bytes())
}

// The schema is the one that is asked for, and says no.
func TestSARIFSchemaRefuses(t *testing.T) {
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"version":"2.1.0"}`,
		`{"version":"2.0.0","runs":[]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"x"},"level":"fatal"}]}]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"x"},"lines":1}]}]}`,
	} {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(document) == nil {
			t.Errorf("the schema takes %s", text)
		}
	}
}

func TestSARIF(t *testing.T) {
	h, records := varied()
	var b bytes.Buffer
	writeAll(t, &report.SARIF{W: &b}, h, records, func(f *report.Footer) {
		f.Warnings = []string{"the trusted root is {0} days [old](1)"}
	})
	run := readSARIF(t, b.Bytes())
	var got []string
	for _, r := range run.Results {
		p := r.Locations[0].PhysicalLocation
		place := ""
		if p.Region != nil {
			place = fmt.Sprintf(":%d:%d", *p.Region.StartLine, *p.Region.StartColumn)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s%s", r.Level, *r.RuleID, *p.ArtifactLocation.URIBaseID, *p.ArtifactLocation.URI, place))
		if id := run.Tool.Driver.Rules[r.RuleIndex].ID; *id != *r.RuleID {
			t.Errorf("the rule %q stands at the index of %q", *r.RuleID, *id)
		}
	}
	want := []string{
		"note since-workflow-changed %SRCROOT% recipes/flask/recipe.yaml:5:3",
		"note attestable %SRCROOT% recipes/click/recipe.yaml:5:3",
		"note attestable %SRCROOT% recipes/odd/recipe.yaml:5:3",
		"error other %SRCROOT% recipes/gone/recipe.yaml:5:3",
		"error since-evidence-disappeared %SRCROOT% recipes/gone/recipe.yaml:5:3",
		"error other %SRCROOT% recipes/wrong/recipe.yaml:5:3",
		"warning other %SRCROOT% recipes/dead/recipe.yaml:5:3",
		"error other %SRCROOT% recipes/broken/recipe.yaml:3:1",
		"error other %SRCROOT% recipes/broken/recipe.yaml:9:1",
		"error other %SRCROOT% recipes/bad/recipe.yaml:5:3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	notes := run.Invocations[0].ToolExecutionNotifications
	if len(notes) != 1 || *notes[0].Message.Text != `the trusted root is {{0}} days \[old\](1)` {
		t.Errorf("the notifications are %v", notes)
	}
	if text := *run.Results[1].Message.Text; !strings.Contains(text, "publishers: [github:pallets/click]") {
		t.Errorf("the note says %q", text)
	}
}

// Every code that a verdict can have is a rule of its own, with a help text.
func TestEveryCodeHasARule(t *testing.T) {
	run := writeSARIF(t)
	rules := map[string]*sarif.ReportingDescriptor{}
	for _, r := range run.Tool.Driver.Rules {
		if _, twice := rules[*r.ID]; twice {
			t.Errorf("two rules are called %s", *r.ID)
		}
		rules[*r.ID] = r
		if *r.Help.Text == "" || *r.Help.Markdown == "" || *r.ShortDescription.Text == "" || r.DefaultConfiguration == nil {
			t.Errorf("the rule %s has no help", *r.ID)
		}
	}
	// Those of sources that are verified, unattested or skipped.
	fine := []string{"verified", "verified-metadata-only", "excepted", "not-a-url-source", "no-sources", "gate-closed"}
	var codes []string
	for dir, typeName := range map[string]string{"../audit": "Code", "../verify": "Code", ".": "ChangeKind"} {
		for _, code := range constants(t, dir, typeName) {
			if dir == "." {
				code = "since-" + code
			}
			codes = append(codes, code)
		}
	}
	if len(codes) < 50 {
		t.Fatalf("found only %d codes", len(codes))
	}
	for _, code := range codes {
		if rules[code] == nil && !slices.Contains(fine, code) {
			t.Errorf("the code %s has no rule", code)
		}
		delete(rules, code)
	}
	delete(rules, "attestable")
	delete(rules, "other")
	for id := range rules {
		t.Errorf("the rule %s is of no code", id)
	}
}

// constants are the values of a package's constants of a type, but for those of
// another package.
func constants(t *testing.T, dir, typeName string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
				return true
			}
			for _, v := range spec.Values {
				if l, ok := v.(*ast.BasicLit); ok {
					s, err := strconv.Unquote(l.Value)
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, s)
				}
			}
			return true
		})
	}
	return values
}

func fingerprints(run *sarif.Run) []string {
	var list []string
	for _, r := range run.Results {
		list = append(list, r.PartialFingerprints["primaryLocationLineHash"])
	}
	return list
}

// An alert that somebody has dismissed stays dismissed when lines move and
// versions change, and another one does not take its place.
func TestSARIFFingerprints(t *testing.T) {
	base := func() *report.Record {
		r := record(0, "a", "pypi.org", audit.Missing, "https://pypi.org/packages/source/f/foo/foo-1.0.tar.gz")
		r.Code = audit.CodeNoEvidence
		return r
	}
	of := func(change func(*report.Record)) string {
		r := base()
		change(r)
		return fingerprints(writeSARIF(t, r))[0]
	}
	first := of(func(*report.Record) {})
	if !regexp.MustCompile(`^[0-9a-f]{32}:1$`).MatchString(first) {
		t.Errorf("the fingerprint is %q", first)
	}
	for name, change := range map[string]func(*report.Record){
		"line":    func(r *report.Record) { r.Position = "recipes/a/recipe.yaml:99:1" },
		"place":   func(r *report.Record) { r.Place = [2]int{7, 9} },
		"message": func(r *report.Record) { r.Message = "another" },
		"version": func(r *report.Record) {
			r.URLs, r.Version = []string{"https://pypi.org/packages/source/f/foo/foo-2.1.3.tar.gz"}, "2.1.3"
		},
	} {
		if of(change) != first {
			t.Errorf("another %s changes the fingerprint", name)
		}
	}
	for name, change := range map[string]func(*report.Record){
		"code":    func(r *report.Record) { r.Verdict, r.Code = audit.Mismatch, "publisher-mismatch" },
		"recipe":  func(r *report.Record) { r.Recipe = "recipes/b/recipe.yaml" },
		"project": func(r *report.Record) { r.URLs = []string{"https://pypi.org/packages/source/b/bar/bar-1.0.tar.gz"} },
	} {
		if of(change) == first {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	// Two alike in one recipe are told apart.
	list := fingerprints(writeSARIF(t, base(), base()))
	if list[0] == list[1] {
		t.Errorf("two alerts have the fingerprint %s", list[0])
	}
}

func TestSARIFPlaces(t *testing.T) {
	for _, c := range []struct{ position, base, uri, region string }{
		{"recipes/a/recipe.yaml:3:5", "%SRCROOT%", "recipes/a/recipe.yaml", "3:5"},
		{"./a/recipe.yaml:3:5", "%SRCROOT%", "a/recipe.yaml", "3:5"},
		{"../a/recipe.yaml:3:5", "%SRCROOT%", "../a/recipe.yaml", "3:5"},
		{"recipes/a/recipe.yaml", "%SRCROOT%", "recipes/a/recipe.yaml", ""},
		{"a b/ü#?%/recipe.yaml:1:1", "%SRCROOT%", "a%20b/%C3%BC%23%3F%25/recipe.yaml", "1:1"},
		{"javascript:alert(1)/recipe.yaml:1:1", "%SRCROOT%", "javascript%3Aalert%281%29/recipe.yaml", "1:1"},
		{"//evil.example/recipe.yaml:1:1", "", "file:///evil.example/recipe.yaml", "1:1"},
		{"/srv/recipes/recipe.yaml:1:1", "", "file:///srv/recipes/recipe.yaml", "1:1"},
		{"C:/recipes/recipe.yaml:1:1", "", "file:///C%3A/recipes/recipe.yaml", "1:1"},
		{"a:0:0", "%SRCROOT%", "a%3A0%3A0", ""},
		{"a:7", "%SRCROOT%", "a", "7"},
		{"a:99999999999999999999:1", "%SRCROOT%", "a%3A99999999999999999999", "1"},
	} {
		r := record(0, "a", "h", audit.Mismatch, "https://h.example/a.tgz")
		r.Position = c.position
		p := writeSARIF(t, r).Results[0].Locations[0].PhysicalLocation
		base, region := "", ""
		if p.ArtifactLocation.URIBaseID != nil {
			base = *p.ArtifactLocation.URIBaseID
		}
		if p.Region != nil {
			region = fmt.Sprint(*p.Region.StartLine)
			if p.Region.StartColumn != nil {
				region += fmt.Sprintf(":%d", *p.Region.StartColumn)
			}
		}
		if got := []string{base, *p.ArtifactLocation.URI, region}; !slices.Equal(got, []string{c.base, c.uri, c.region}) {
			t.Errorf("%s: got %q, wanted %q", c.position, got, []string{c.base, c.uri, c.region})
		}
	}
}

// GitHub refuses a file with more results. Failures are not crowded out by notes.
func TestSARIFLimits(t *testing.T) {
	could := record(0, "a", "h", audit.Unattested, "https://h.example/a.tgz")
	could.Finding = &report.FindingDocument{Kind: audit.Attestable, Genuine: true, Publisher: "github:o/r"}
	bad := record(0, "a", "h", audit.Mismatch, "https://h.example/a.tgz")
	var records []*report.Record
	for range report.MaxNotes + 10 {
		records = append(records, could)
	}
	for range report.MaxResults - report.MaxNotes + 5 {
		records = append(records, bad)
	}
	var b bytes.Buffer
	writeAll(t, &report.SARIF{W: &b}, &report.Header{}, records, nil)
	var document struct {
		Runs []struct {
			Results []struct {
				Level string `json:"level"`
			} `json:"results"`
			Invocations []struct {
				Notes []struct {
					Message struct{ Text string }
				} `json:"toolExecutionNotifications"`
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range document.Runs[0].Results {
		count[r.Level]++
	}
	if diff := cmp.Diff(map[string]int{"note": report.MaxNotes, "error": report.MaxResults - report.MaxNotes}, count); diff != "" {
		t.Error(diff)
	}
	if notes := document.Runs[0].Invocations[0].Notes; len(notes) != 1 || !strings.HasPrefix(notes[0].Message.Text, "15 results are left out") {
		t.Errorf("the notifications are %v", notes)
	}
}

func TestSARIFOfNothing(t *testing.T) {
	var b bytes.Buffer
	writeAll(t, &report.SARIF{W: &b}, &report.Header{}, nil, func(f *report.Footer) { f.Complete = false })
	run := readSARIF(t, b.Bytes())
	if len(run.Results) != 0 || *run.Invocations[0].ExecutionSuccessful {
		t.Errorf("%d results, successful %v", len(run.Results), *run.Invocations[0].ExecutionSuccessful)
	}
}

func TestSARIFEscapesForeignStrings(t *testing.T) {
	for _, text := range append(slices.Clone(commandTexts), "[x](https://evil.example)", "{0}", `"},{"`, strings.Repeat("é", 1<<19), "\xff\xfe") {
		h, records, change := hostileReport(text)
		if len(text) > 1<<16 {
			records = records[3:4] // the race detector makes long texts slow
		}
		var b bytes.Buffer
		writeAll(t, &report.SARIF{W: &b}, h, records, change)
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%.40q: the report holds %+q", text, r)
			}
		}
		run := readSARIF(t, b.Bytes())
		if len(run.Results) < len(records) {
			t.Errorf("%.40q: %d results of %d records", text, len(run.Results), len(records))
		}
		for _, r := range run.Results {
			if len(*r.Message.Text) > 20_000 {
				t.Errorf("%.40q: a message of %d bytes", text, len(*r.Message.Text))
			}
			if strings.Contains(strings.ReplaceAll(*r.Message.Text, `\]`, ""), "](") {
				t.Errorf("%.40q: a link in %.200q", text, *r.Message.Text)
			}
		}
	}
}
