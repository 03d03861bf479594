package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/internal/shared"
)

func env() cli.Env {
	return cli.Env{
		Getenv:     func(string) string { return "" },
		LookupEnv:  func(string) (string, bool) { return "", false },
		IsTerminal: func(any) bool { return false },
	}
}

func validate(t *testing.T, report []byte) map[string]any {
	t.Helper()
	return validateAs(t, "report.schema.json", report)
}

func validateAs(t *testing.T, schemaName string, report []byte) map[string]any {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/" + schemaName)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(report))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Errorf("the report is not of its schema: %v", err)
	}
	var object map[string]any
	if err := json.Unmarshal(report, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// Real output, of every verdict that the demonstration gives, is of the schema
// in docs/.
func TestReportsAreOfTheirSchema(t *testing.T) {
	demo, err := filepath.Glob("../../testdata/recipes/*/recipe.yaml")
	if err != nil || len(demo) < 6 {
		t.Fatalf("found %d recipes of the demonstration, error %v", len(demo), err)
	}
	for name, c := range map[string]struct {
		args   []string
		status int
	}{
		"demonstration":    {demo, 1},
		"metadata only":    {append([]string{"--no-download", "--publishers", "all"}, demo...), 1},
		"required":         {append([]string{"--require-attestations"}, demo...), 1},
		"no such recipe":   {[]string{"absent.yaml"}, 2},
		"nothing to fetch": {[]string{"--offline", "--no-policy", demo[0]}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := cli.Main(context.Background(), env(), nil, &out, &errs, append([]string{"verify", "--format", "json"}, c.args...))
			if status != c.status {
				t.Errorf("status %d, wanted %d; %s", status, c.status, errs.String())
			}
			report := validate(t, out.Bytes())
			summary := report["summary"].(map[string]any)
			if got := int(summary["exit_status"].(float64)); got != status {
				t.Errorf("the report says status %d, the command ended with %d", got, status)
			}
		})
	}
}

func TestSourcesAreOfTheirSchema(t *testing.T) {
	demo, err := filepath.Glob("../../testdata/recipes/*/recipe.yaml")
	if err != nil || len(demo) < 6 {
		t.Fatalf("found %d recipes of the demonstration, error %v", len(demo), err)
	}
	broken := filepath.Join(t.TempDir(), "recipe.yaml")
	writeFile(t, broken, "package: {name: a, version: 1}\nsource: {url: 'https://x/${{ git.head_rev(\".\") }}'}\nbuid: {}\n")
	var out, errs bytes.Buffer
	status := cli.Main(context.Background(), env(), nil, &out, &errs, append([]string{"sources", "--format", "json", broken}, demo...))
	if status != 2 {
		t.Errorf("status %d: %s", status, errs.String())
	}
	document := validateAs(t, "sources.schema.json", out.Bytes())
	if n := len(document["recipes"].([]any)); n != len(demo)+1 {
		t.Errorf("%d recipes are listed, wanted %d", n, len(demo)+1)
	}
}

// The document of a real source, field by field.
func TestReportOfRealSource(t *testing.T) {
	recipe := filepath.Join(t.TempDir(), "recipe.yaml")
	writeFile(t, recipe, `package: {name: pypi-attestations, version: 0.0.19}
source:
  url: https://pypi.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz
  sha256: 9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3
  attestation: {publishers: github:trailofbits/pypi-attestations}
`)
	var out, errs bytes.Buffer
	status := cli.Main(context.Background(), env(), nil, &out, &errs, []string{
		"verify", "--format", "json", "--offline", "--target-platform", "linux-64",
		"--mirror", "https://=" + shared.Path(t, "internet"), "--trusted-root", shared.Path(t, "trust", "public-good.json"), recipe,
	})
	if status != 0 {
		t.Fatalf("status %d: %s%s", status, out.String(), errs.String())
	}
	result := validate(t, out.Bytes())["results"].([]any)[0].(map[string]any)
	bundle := result["bundles"].([]any)[0].(map[string]any)
	verified := bundle["verified"].(map[string]any)
	got := map[string]any{
		"position":   result["position"],
		"outputs":    result["outputs"],
		"platforms":  result["target_platforms"],
		"urls":       result["urls"],
		"pinned":     result["pinned"],
		"measured":   result["measured"],
		"bytes":      result["bytes"],
		"resolver":   result["resolver"],
		"evidence":   result["evidence_addresses"],
		"verdict":    result["verdict"],
		"code":       result["code"],
		"status":     bundle["status"],
		"domain":     bundle["trust_domain"],
		"predicate":  verified["predicate_type"],
		"subjects":   verified["subjects"],
		"san":        verified["san"],
		"issuer":     verified["issuer"],
		"time":       verified["time"],
		"repository": verified["certificate_extensions"].(map[string]any)["source_repository_uri"],
		"log":        verified["log_entries"].([]any)[0].(map[string]any)["search_url"],
	}
	sum := map[string]any{"sha256": "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"}
	want := map[string]any{
		"position":   recipe + ":3:3",
		"outputs":    []any{"pypi-attestations"},
		"platforms":  []any{"linux-64"},
		"urls":       []any{"https://pypi.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz"},
		"pinned":     sum,
		"measured":   sum,
		"bytes":      29882.0,
		"resolver":   "pypi",
		"evidence":   []any{"https://pypi.org/integrity/pypi-attestations/0.0.19/pypi_attestations-0.0.19.tar.gz/provenance"},
		"verdict":    "verified",
		"code":       "verified",
		"status":     "counted",
		"domain":     "public-good",
		"predicate":  "https://docs.pypi.org/attestations/publish/v1",
		"subjects":   []any{map[string]any{"name": "pypi_attestations-0.0.19.tar.gz", "digest": sum}},
		"san":        "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19",
		"issuer":     "https://token.actions.githubusercontent.com",
		"time":       "2024-12-04T23:14:01Z",
		"repository": "https://github.com/trailofbits/pypi-attestations",
		"log":        "https://search.sigstore.dev/?logIndex=153454663",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
