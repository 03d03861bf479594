package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an entry with enforce says about statements binds recipes with a block as
// its publishers do: else a recipe could have an SBOM of the same repository
// count.
func TestEnforcedPredicateTypes(t *testing.T) {
	const (
		slsa, slsaOld, sbom = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2", "https://cyclonedx.org/bom"

		bound = "publishers: [{package: flask, publishers: [github:pallets/flask], predicate_types: [" + slsa + ", " + slsaOld + "], enforce: true}]\n"
	)
	for _, row := range []struct {
		name, policy string
		block        []string // the recipe's predicate types
		noBlock      bool
		want         []string
		contradicted bool
	}{
		{"recipe says nothing", bound, nil, false, []string{slsa, slsaOld}, false},
		{"recipe narrows", bound, []string{slsa}, false, []string{slsa}, false},
		{"recipe widens", bound, []string{sbom, slsa}, false, []string{slsa}, false},
		{"recipe contradicts", bound, []string{sbom}, false, nil, true},
		{"recipe has no block", bound, nil, true, []string{slsa, slsaOld}, false},
		{"policy has types for all", "predicate_types: [" + sbom + ", " + slsa + "]\n" + bound, nil, false, []string{slsa}, false},
		{"policy contradicts itself", "predicate_types: [" + sbom + "]\n" + bound, nil, false, nil, true},
		{
			"another entry's publishers", "publishers:\n- {kind: pypi, publishers: [github:pallets/flask], predicate_types: [" + sbom + ", " + slsaOld + "]}\n" +
				"- {package: flask, publishers: [github:pallets/flask], predicate_types: [" + slsa + ", " + slsaOld + "], enforce: true}\n", nil, true, []string{slsaOld}, false,
		},
		{"entry without types", "publishers: [{package: flask, publishers: [github:pallets/flask], enforce: true}]\n", []string{sbom}, false, []string{sbom}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := source(flaskPyPI)
			s.HasBlock, s.PredicateTypes = !row.noBlock, row.block
			d := parse(t, row.policy).Apply(s, today)
			if (d.Err != nil) != row.contradicted {
				t.Fatalf("error %v", d.Err)
			}
			if diff := cmp.Diff(row.want, d.PredicateTypes); d.Err == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}
