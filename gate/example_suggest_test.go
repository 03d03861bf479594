package gate_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/suggest"
)

// The change that a recipe without a block needs. A bot would write it with
// edit.Write.
func ExampleSuggest() {
	p, err := policy.Read("../testdata/recipe-verify.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := gate.Suggest(context.Background(), []string{"../testdata/recipes/no-block"}, gate.Options{Policy: p}, suggest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range result.Recipes {
		for _, place := range r.Places {
			fmt.Println(place.Kind, place.Proposal.Publisher, place.Proposal.Confirmed)
		}
	}
	for _, file := range result.Files() {
		for line := range strings.Lines(edit.Diff("recipe.yaml", file.Before, file.After)) {
			if strings.HasPrefix(line, "+ ") {
				fmt.Print(line)
			}
		}
	}
	// Output:
	// proposed github:harbour-lights/harbour-lights true
	// +  attestation:
	// +    publishers:
	// +      - github:harbour-lights/harbour-lights
}
