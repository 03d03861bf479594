package gate_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/trust"
)

// A build tool asks before it builds. This one works without a network, on the
// demonstration in the repository.
func Example() {
	o := gate.Options{
		Offline: true,
		Mirrors: []fetch.Mirror{{From: "https://", To: "../testdata/internet"}},
		Trust:   trust.Config{Roots: trust.RootFiles("../testdata/trusted-root.json")},
	}
	for _, recipe := range []string{"pypi", "tampered"} {
		_, err := gate.Verify(context.Background(), filepath.Join("../testdata/recipes", recipe), o)
		var refusal *gate.Refusal
		switch {
		case err == nil:
			fmt.Println(recipe, "may be built")
		case errors.As(err, &refusal):
			fmt.Println(recipe, "must not be built:", refusal.Results[0].Verdict, refusal.Results[0].Code)
		default:
			fmt.Println(err)
		}
	}
	// Output:
	// pypi may be built
	// tampered must not be built: mismatch archive-digest-mismatch
}
