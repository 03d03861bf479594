package audit_test

import (
	"context"
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/pypi"
	"github.com/recipe-verify/recipe-verify/trust"
)

// Example puts an auditor together that knows PyPI alone. Package gate does this
// with everything.
func Example() {
	client := &fetch.Client{Offline: true, Mirrors: []fetch.Mirror{{From: "https://", To: "../testdata/internet"}}}
	defer client.Close()
	auditor := &audit.Auditor{
		Client:    client,
		Resolvers: []attestation.Resolver{&pypi.Resolver{Client: client}},
		Roots: func(context.Context) (*trust.Roots, error) {
			return trust.FromFiles("../testdata/trusted-root.json")
		},
	}
	recipes := []string{"../testdata/recipes/pypi", "../testdata/recipes/wrong-publisher", "../testdata/recipes/github-release"}
	summary, err := auditor.Run(context.Background(), recipes, func(r audit.Result) error {
		fmt.Println(r.Verdict, r.Code)
		return nil
	})
	fmt.Println("status", summary.Status, err)
	// Output:
	// verified verified
	// mismatch publisher-mismatch
	// error no-evidence-address
	// status 2 <nil>
}
