package trust

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/shared"
)

var full = Requirements{SCTs: 1, LogEntries: 1, ObserverTimestamps: 1}

func TestRealRoots(t *testing.T) {
	for _, tc := range []struct {
		file, name string
		require    Requirements
	}{
		{"public-good.json", PublicGood, full},
		{"staging.json", "staging", full},
		{"github.json", GitHub, Requirements{SignedTimestamps: 1}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			path := shared.Path(t, "trust", tc.file)
			roots, err := FromFiles(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(roots.Domains) != 1 {
				t.Fatalf("found %d domains, wanted 1", len(roots.Domains))
			}
			d := roots.Domains[0]
			if d.Name != tc.name || d.Origin != path || d.SHA256.IsZero() || d.Root == nil {
				t.Errorf("found %q from %q, %s", d.Name, d.Origin, d.SHA256)
			}
			if diff := cmp.Diff(tc.require, d.Require); diff != "" {
				t.Errorf("requirements (-want +got):\n%s", diff)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var unsupported *UnsupportedRootError
			if _, err := Parse("x", withoutLogs(t, data)); tc.name != GitHub && !errors.As(err, &unsupported) {
				t.Errorf("without its logs: found error %v, wanted an UnsupportedRootError", err)
			}
		})
	}
}
