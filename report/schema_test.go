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

// The schemas in docs/ describe the documents as their types are.
func TestSchemas(t *testing.T) {
	checkSchema(t, "report.schema.json", "recipe-verify report, schema 1", &report.Document{})
	checkSchema(t, "inspect.schema.json", "recipe-verify inspect, schema 1", &report.InspectDocument{})
	checkSchema(t, "sources.schema.json", "recipe-verify sources, schema 1", &report.SourcesDocument{})
	checkSchema(t, "trust.schema.json", "recipe-verify trust show, schema 1", &report.TrustDocument{})
	checkSchema(t, "policycheck.schema.json", "recipe-verify policy check, schema 1", &report.PolicyCheckDocument{})
}

func checkSchema(t *testing.T, name, title string, document any) {
	t.Helper()
	reflector := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: false}
	schema := reflector.Reflect(document)
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
