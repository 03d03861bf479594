package attestation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
)

const slsa = "https://slsa.dev/provenance/v1"

func TestFacts(t *testing.T) {
	builder := func(id string) string { return `{"runDetails":{"builder":{"id":` + id + `}}}` }
	fact := func(name, value string) []attestation.Fact { return []attestation.Fact{{Name: name, Value: value}} }
	for _, c := range []struct {
		name, predicateType, predicate string
		want                           []attestation.Fact
	}{
		{"SLSA v1", slsa, `{"buildDefinition":{"buildType":"t","externalParameters":{"workflow":{"ref":"r","repository":"h","path":"p"}},
			"resolvedDependencies":[{"uri":"u","digest":{"gitCommit":"c"}},{"uri":"other"}]},
			"runDetails":{"builder":{"id":"b"},"metadata":{"invocationId":"i","startedOn":"s","finishedOn":"f"}}}`, []attestation.Fact{
			{Name: "builder", Value: "b"},
			{Name: "build type", Value: "t"},
			{Name: "built from", Value: "u"},
			{Name: "commit", Value: "c"},
			{Name: "workflow", Value: "p"},
			{Name: "workflow of", Value: "h"},
			{Name: "workflow at", Value: "r"},
			{Name: "run", Value: "i"},
			{Name: "started", Value: "s"},
			{Name: "finished", Value: "f"},
		}},
		{"SLSA v0.2", "https://slsa.dev/provenance/v0.2", `{"builder":{"id":"b"},"buildType":"t",
			"invocation":{"configSource":{"uri":"u","digest":{"sha1":"c"},"entryPoint":"e"}},"metadata":{"buildInvocationId":"i"}}`, []attestation.Fact{
			{Name: "builder", Value: "b"},
			{Name: "build type", Value: "t"},
			{Name: "built from", Value: "u"},
			{Name: "commit", Value: "c"},
			{Name: "workflow", Value: "e"},
			{Name: "run", Value: "i"},
		}},
		{"conda", "https://schemas.conda.org/attestations-publish-1.schema.json", `{"targetChannel":"https://prefix.dev/x"}`, fact("channel", "https://prefix.dev/x")},
		{"release with a number", "https://in-toto.io/attestation/release/v0.2", `{"tag":"v1","ownerId":7}`, []attestation.Fact{{Name: "tag", Value: "v1"}, {Name: "owner id", Value: "7"}}},
		{"PyPI", "https://docs.pypi.org/attestations/publish/v1", `null`, nil},
		{"unknown type", "https://example.org/x", builder(`"b"`), nil},
		{"no predicate", slsa, ``, nil},
		{"null", slsa, `null`, nil},
		{"list", slsa, `[]`, nil},
		{"empty list of dependencies", slsa, `{"buildDefinition":{"resolvedDependencies":[]}}`, nil},
		{"list of text", slsa, `{"buildDefinition":{"resolvedDependencies":["u"]}}`, nil},
		{"object where text belongs", slsa, builder(`{"x":1}`), nil},
		{"true where text belongs", slsa, builder(`true`), nil},
		{"null where text belongs", slsa, builder(`null`), nil},
		{"text where an object belongs", slsa, `{"runDetails":"x"}`, nil},
		{"stands twice", slsa, `{"runDetails":{"builder":{"id":"a","id":"b"}}}`, nil},
		{"stands twice, other case", slsa, `{"runDetails":{"builder":{"id":"a"}},"RunDetails":{"builder":{"id":"b"}}}`, nil},
		{"too long a value", slsa, builder(`"` + strings.Repeat("x", 2000) + `"`), nil},
		{"too long a predicate", slsa, `{"runDetails":{"builder":{"id":"b"}},"x":"` + strings.Repeat("x", 1<<20) + `"}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := attestation.Claims{PredicateType: c.predicateType, Predicate: json.RawMessage(c.predicate)}.Facts()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
