package edit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// at is a place in a file.
func at(line, column int) recipe.Position {
	return recipe.Position{File: "recipe.yaml", Line: line, Column: column}
}

// block is what tests add.
func block(publisher string) []edit.Field {
	return []edit.Field{{"attestation", []edit.Field{{"publishers", []any{publisher}}}}}
}

func TestApplyAdds(t *testing.T) {
	for _, tt := range []struct {
		name, before, after string
		at                  recipe.Position
	}{
		{
			name: "a mapping", at: at(2, 3),
			before: "source:\n  url: a\n  sha256: b\nbuild:\n  number: 0\n",
			after:  "source:\n  url: a\n  sha256: b\n  attestation:\n    publishers:\n      - github:o/r\nbuild:\n  number: 0\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := edit.Apply("recipe.yaml", []byte(tt.before), []edit.Change{{Source: tt.at, Add: block("github:o/r")}})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.after, string(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
