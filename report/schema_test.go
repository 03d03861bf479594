package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"github.com/recipe-verify/recipe-verify/report"
)

var update = flag.Bool("update", false, "write golden files and generated documentation")

const schemaPath = "../docs/report.schema.json"

// docs/report.schema.json describes the document as its types are.
func TestSchema(t *testing.T) {
	reflector := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: false}
	schema := reflector.Reflect(&report.Document{})
	schema.ID = "https://github.com/recipe-verify/recipe-verify/blob/main/docs/report.schema.json"
	schema.Title = "recipe-verify report, schema 1"
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
		t.Errorf("docs/report.schema.json is not what the report is; run go test ./report -update (-file +types):\n%s", diff)
	}
}
