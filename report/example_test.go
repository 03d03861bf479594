package report_test

import (
	"fmt"
	"os"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

func ExampleText() {
	var handler report.Handler = &report.Text{W: os.Stdout}
	steps := []error{
		handler.Start(audit.Policy{Match: verify.Any, TrustedRoots: []string{"root.json"}}),
		handler.Result(audit.Result{
			Position: recipe.Position{File: "recipe.yaml", Line: 7, Column: 3},
			URLs:     []string{"https://example.org/a-1.0.tar.gz?token=secret"},
			Verdict:  audit.Unattested,
			Message:  "the recipe names no publisher for it",
		}),
		handler.End(audit.Summary{Sources: 1, Verdicts: map[audit.Verdict]int{audit.Unattested: 1}}),
	}
	for _, err := range steps {
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// policy   one of a source's publishers must have signed it; sources without an attestation block are let through; archives are fetched and hashed
	// trust    root.json
	//
	// unattested   a-1.0.tar.gz  recipe.yaml:7:3
	//   because    the recipe names no publisher for it
	//
	// 1 source: 1 unattested
}
