package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/prepare"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

var update = flag.Bool("update", false, "write golden files and generated documentation")

// The schemas in docs/ describe the documents as their types are.
func TestSchemas(t *testing.T) {
	checkSchema(t, "report.schema.json", "recipe-verify report, schema 1", &report.Document{})
	checkSchema(t, "inspect.schema.json", "recipe-verify inspect, schema 1", &report.InspectDocument{})
	checkSchema(t, "sources.schema.json", "recipe-verify sources, schema 1", &report.SourcesDocument{})
	checkSchema(t, "lock.schema.json", "recipe-verify lock, schema 1", &report.LockDocument{})
	checkSchema(t, "bump-check.schema.json", "recipe-verify bump-check, schema 1", &report.BumpDocument{})
	checkSchema(t, "prepared.schema.json", "prepared.json of recipe-verify prepare, schema 1", &prepare.Manifest{})
	checkSchema(t, "trust.schema.json", "recipe-verify trust show, schema 1", &report.TrustDocument{})
	checkSchema(t, "suggest.schema.json", "recipe-verify suggest, schema 1", &report.SuggestDocument{})
	checkSchema(t, "policycheck.schema.json", "recipe-verify policy check, schema 1", &report.PolicyCheckDocument{})
}

// docs/audit.schema.json describes a line of an audit's report.
func TestAuditSchema(t *testing.T) {
	schema := &jsonschema.Schema{Version: jsonschema.Version, Definitions: jsonschema.Definitions{}}
	for _, l := range []struct {
		kind, name string
		line       any
	}{
		{"header", "HeaderLine", &report.HeaderLine{}}, {"source", "RecordLine", &report.RecordLine{}}, {"summary", "FooterLine", &report.FooterLine{}},
	} {
		of := reflected(l.line)
		for name, definition := range of.Definitions {
			schema.Definitions[name] = definition
		}
		kind, _ := of.Definitions[l.name].Properties.Get("type")
		kind.Enum, kind.Const = nil, l.kind
		schema.OneOf = append(schema.OneOf, &jsonschema.Schema{Ref: of.Ref})
	}
	writeSchema(t, "audit.schema.json", "a line of a report of recipe-verify audit, schema 1", schema)
}

func reflected(document any) *jsonschema.Schema {
	reflector := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: false}
	return reflector.Reflect(document)
}

func checkSchema(t *testing.T, name, title string, document any) {
	t.Helper()
	writeSchema(t, name, title, reflected(document))
}

func writeSchema(t *testing.T, name, title string, schema *jsonschema.Schema) {
	t.Helper()
	schema.ID = jsonschema.ID("https://github.com/recipe-verify/recipe-verify/blob/main/docs/" + name)
	schema.Title = title
	schemaPath := "../docs/" + name
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaPath, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("docs/%s is not what the document is; run go test ./report -update (-file +types):\n%s", name, diff)
	}
}

// What is written is of the schema, and the schema says no to anything else.
func TestLinesAreOfTheirSchema(t *testing.T) {
	schema, err := validator.NewCompiler().Compile("../docs/audit.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []*report.Record
	for i, v := range []audit.Verdict{audit.Verified, audit.Unattested, audit.Missing, audit.Mismatch, audit.Invalid, audit.Unavailable, audit.Error} {
		r := hostileResult(v)
		r.Place, r.Key = audit.Place{Recipe: i}, hostile
		r.Finding = &audit.Finding{Kind: audit.Attestable, Publisher: hostile, BundleURLs: []string{hostile}, Replacement: hostile, Detail: hostile}
		r.Faults = []*recipe.Error{{Pos: r.Position, Message: hostile, Hint: hostile}}
		for k := range r.Bundles {
			r.Bundles[k].Status = verify.Counted
		}
		record := report.NewRecord(r)
		record.Changes = []report.Change{{Kind: report.NewFailure, Before: hostile, After: hostile}}
		records = append(records, record, report.NewRecord(audit.Result{Place: audit.Place{Recipe: i, Source: 1}, Verdict: v}))
	}
	h := report.NewHeader(audit.Policy{Mirrors: []string{hostile}}, hostile)
	var b bytes.Buffer
	writeAll(t, &report.Lines{W: &b}, h, records, func(f *report.Footer) { f.Warnings = []string{hostile} })
	n := 0
	for text := range bytes.Lines(b.Bytes()) {
		n++
		document, err := validator.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("not of the schema: %v\n%s", err, text)
		}
		object := document.(map[string]any)
		for _, change := range []func(){
			func() { object["extra"] = 1 },
			func() { delete(object, "extra"); object["type"] = "other" },
			func() { delete(object, "type") },
		} {
			if change(); schema.Validate(object) == nil {
				t.Errorf("the schema takes %.100v", object)
			}
		}
	}
	if n != len(records)+2 {
		t.Errorf("%d lines of %d records", n, len(records))
	}
}
