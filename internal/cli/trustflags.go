package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/trust"
)

// trustFlags say whom to believe. They are shared by all commands that verify
// something, and by trust.
type trustFlags struct {
	roots             []string
	tufURLs, tufRoots []string
	publicGood        bool
	given             func(string) bool
}

func (f *trustFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.StringArrayVar(&f.roots, "trusted-root", nil, "trust the Sigstore instances in `FILE` instead of the public-good instance (may be repeated)")
	s.StringArrayVar(&f.tufURLs, "tuf-url", nil, "trust the Sigstore instance whose TUF repository is at `URL` instead of the public-good instance; needs --tuf-root (may be repeated)")
	s.StringArrayVar(&f.tufRoots, "tuf-root", nil, "begin to trust the repository of --tuf-url with the root.json in `FILE` (once for each, in the same order)")
	s.BoolVar(&f.publicGood, "public-good", false, "trust the public-good instance beside the others that are named")
	f.given = s.Changed
}

// named tells whether a flag says whom to believe. What a policy says of that
// does not count then, and is not added: whoever names a root on the command
// line gets that one, and none that a file adds.
func (f *trustFlags) named() bool {
	return f.given("trusted-root") || f.given("tuf-url") || f.given("tuf-root") || f.given("public-good")
}

// config is what the flags say, and the zero value if they say nothing.
func (f *trustFlags) config() (trust.Config, error) {
	c := trust.Config{Roots: trust.RootFiles(f.roots...)}
	if f.given("public-good") {
		c.PublicGood = &f.publicGood
	}
	if len(f.tufURLs) != len(f.tufRoots) {
		return c, &usageError{
			errors.New("--tuf-url and --tuf-root belong together, and are not given equally often"),
			"give the repository's root.json, in which trust begins: --tuf-url URL --tuf-root FILE",
		}
	}
	for i, url := range f.tufURLs {
		c.TUF = append(c.TUF, trust.TUFRepository{URL: url, RootPath: f.tufRoots[i]})
	}
	return c, nil
}
