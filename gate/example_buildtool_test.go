package gate_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/trust"
)

// errNotBuilt is what a packager's caller sees of a build that must not start.
var errNotBuilt = errors.New("not built")

// A packager is a build tool with the gate in it: it verifies what a recipe's
// sources are before it unpacks them, where its users have turned that on.
type packager struct {
	experimental bool // --experimental
	getenv       func(string) string
	gate         gate.Options
}

// build builds a recipe. The sources that it unpacks are those that were verified:
// it is told their digests, and compares them with what it downloads.
func (p *packager) build(ctx context.Context, recipe string) error {
	open, err := gate.Enabled(p.getenv)
	if err != nil {
		return err // what is neither yes nor no is not taken for no
	}
	if !open && !p.experimental {
		fmt.Println("building", filepath.Base(recipe), "without looking who made its sources")
		return nil
	}
	report, err := gate.Verify(ctx, recipe, p.gate)
	var refusal *gate.Refusal
	switch {
	case errors.As(err, &refusal):
		for _, r := range refusal.Results {
			fmt.Printf("%s: %s (%s)\n", name(r), r.Verdict, r.Code)
		}
		return fmt.Errorf("%s: %w", filepath.Base(recipe), errNotBuilt)
	case err != nil:
		return err // options that nothing can be verified with, or an interrupt
	}
	fmt.Println("building", filepath.Base(recipe), "from")
	for _, r := range report.Results {
		switch r.Verdict {
		case audit.Verified:
			fmt.Printf("  %s, sha256 %.8s…, signed by %s\n", name(r), r.Evidence.SHA256(), signers(r))
		default:
			fmt.Printf("  %s, of which nobody says who made it\n", name(r))
		}
	}
	return nil
}

// name is what to call a source: results of recipes that cannot be read have no
// address.
func name(r audit.Result) string {
	if len(r.URLs) == 0 {
		return r.Recipe
	}
	return fetch.Redact(r.URLs[0][strings.LastIndex(r.URLs[0], "/")+1:])
}

// signers are the publishers that signed a verified source. Only what is in the
// evidence is proven; publishers that a recipe names are not.
func signers(r audit.Result) string {
	var names []string
	for _, b := range r.Evidence.Bundles() {
		names = append(names, b.Publisher)
	}
	return strings.Join(names, ", ")
}

// A build tool that embeds the gate. This one works without a network, on the
// demonstration in the repository.
func Example_buildTool() {
	tool := &packager{
		getenv: func(string) string { return "" }, // os.Getenv, in a real one
		gate: gate.Options{
			UserAgent:  "packager/1.0",
			NoDownload: true, // the build downloads the archives, and compares their digests
			Offline:    true,
			Mirrors:    []fetch.Mirror{{From: "https://", To: "../testdata/internet"}},
			Trust:      trust.Config{Roots: trust.RootFiles("../testdata/trusted-root.json")},
		},
	}
	ctx := context.Background()
	fmt.Println(tool.build(ctx, "../testdata/recipes/wrong-publisher"))

	tool.experimental = true
	fmt.Println(tool.build(ctx, "../testdata/recipes/wrong-publisher"))
	fmt.Println(tool.build(ctx, "../testdata/recipes/several"))
	// Output:
	// building wrong-publisher without looking who made its sources
	// <nil>
	// harbour_lights-2.4.1.tar.gz: mismatch (publisher-mismatch)
	// wrong-publisher: not built
	// building several from
	//   lagoon-0.7.2.tar.gz, sha256 a465f5cc…, signed by github:lagoon-project/lagoon
	//   lagoon_tides-0.7.2.tar.gz, sha256 ddfe62a2…, signed by gitlab:lagoon/tools/tides
	//   charts-3.1.0.tar.gz, sha256 ce7dc44b…, signed by https://github.com/lagoon-project/charts (https://token.actions.githubusercontent.com)
	//   v0.7.2.tar.gz, of which nobody says who made it
	// <nil>
}
