package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/prepare"
)

// prepareFlags are the flags of prepare, as they were given.
type prepareFlags struct {
	dir, target       string
	keepURLs, replace bool
	exclude           []string
	verify            verifyFlags
}

func newPrepare(env Env) *cobra.Command {
	f := &prepareFlags{}
	c := &cobra.Command{
		Use:   "prepare [RECIPE|DIR] --output DIR",
		Short: "Verify a recipe's sources, and make a folder to build them from",
		Long: `Prepare verifies a recipe's sources as verify does, and makes a folder of what a
build needs and an auditor wants: the archives, the bundles that prove who signed
them, the trusted root, the other files of the recipe's folder, and the recipe,
whose sources are the archives beside it. If anything fails no folder is made.

recipe-verify verify DIR verifies such a folder again, offline.

See docs/prepare.md.`,
		Example: `  recipe-verify prepare recipe.yaml --output prepared && rattler-build build --recipe prepared/recipe.yaml
  recipe-verify prepare --target-platform all --output prepared recipe.yaml
  recipe-verify verify --prepared sha256:… prepared`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return f.run(c, env, args[0])
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	s := c.Flags()
	s.StringVarP(&f.dir, "output", "o", "", "make the folder `DIR`, whole or not at all")
	s.StringVar(&f.target, "for", string(prepare.RattlerBuild), "write the recipe for `TARGET`: rattler-build, or cep for the draft CEP, with the list of what was verified")
	s.BoolVar(&f.keepURLs, "keep-urls", false, "leave the sources' URLs as they are")
	s.BoolVar(&f.replace, "replace", false, "replace a folder that was prepared before")
	s.StringArrayVar(&f.exclude, "exclude", nil, "leave out files of the recipe's folder whose path fits `GLOB` (may be repeated)")
	s.StringVar(&f.verify.format, "format", "text", "report as `FORMAT`, text or json")
	s.BoolVarP(&f.verify.quiet, "quiet", "q", false, "report only what fails")
	s.BoolVarP(&f.verify.verbose, "verbose", "v", false, "report every address and bundle that was considered")
	s.StringVar(&f.verify.color, "color", "auto", "colour the text, `WHEN` is auto, always or never; NO_COLOR is honoured")
	s.BoolVar(&f.verify.noHistory, "no-history", false, "do not ask PyPI who signed the release before, for a warning if that was another repository")
	f.verify.lockedFlag.register(c)
	f.verify.runFlags.register(c, "this machine's", audit.DefaultJobs)
	c.MarkFlagsMutuallyExclusive("quiet", "verbose")
	return c
}

func (f *prepareFlags) run(c *cobra.Command, env Env, path string) error {
	if f.dir == "" {
		return &usageError{errors.New("--output is missing, which names the folder to make"), "give --output DIR"}
	}
	target := prepare.Target(f.target)
	if target != prepare.RattlerBuild && target != prepare.CEP {
		return wrongValue(c, "--for", f.target, "rattler-build or cep")
	}
	var made *prepare.Prepared
	err := f.verify.report(c, env, []string{path}, func(ctx context.Context, o gate.Options, handle func(audit.Result) error) (audit.Summary, error) {
		var err error
		made, err = prepare.Prepare(ctx, path, f.dir, prepare.Options{
			Gate: o, Target: target, KeepURLs: f.keepURLs, Replace: f.replace, Exclude: f.exclude,
		})
		if made == nil {
			return audit.Summary{}, err
		}
		return each(made.Report, err, handle)
	})
	if err == nil && made != nil && f.verify.format == "text" && !f.verify.quiet {
		fmt.Fprintf(c.OutOrStdout(), "prepared %s: %d archives, %d files, %d bytes\nsha256:%s is of its prepared.json: recipe-verify verify --prepared demands it\n",
			f.dir, made.Archives, made.Files, made.Bytes, made.Digest)
	}
	return err
}

// each hands over the results of a report whose error is about them.
func each(report gate.Report, err error, handle func(audit.Result) error) (audit.Summary, error) {
	var refusal *gate.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return report.Summary, err
	}
	for _, r := range report.Results {
		if err := handle(r); err != nil {
			return report.Summary, err
		}
	}
	return report.Summary, nil
}

// preparedFlag demands one prepared folder and no other.
type preparedFlag struct{ digest string }

func (f *preparedFlag) register(c *cobra.Command) {
	c.Flags().StringVar(&f.digest, "prepared", "", "the folder is the one that prepare made, whose prepared.json has the `SHA256` that it printed")
}

// prepared gives the prepared folder that is to be verified, "" if it is none, and
// how.
func (f *preparedFlag) prepared(c *cobra.Command, args []string) (string, prepare.VerifyOptions, error) {
	var o prepare.VerifyOptions
	given := c.Flags().Changed("prepared")
	if given {
		d, err := digest.ParseSHA256(strings.TrimPrefix(f.digest, "sha256:"))
		if err != nil {
			return "", o, wrongValue(c, "--prepared", f.digest, "sha256: and 64 hexadecimal digits")
		}
		o.Digest = &d
	}
	found := ""
	for _, a := range args {
		if dir, ok := prepare.FolderOf(a); ok {
			found = dir
		}
	}
	switch {
	case found == "" && given:
		return "", o, &usageError{fmt.Errorf("--prepared is given, and %q is no prepared folder", args[0]), "name the folder that recipe-verify prepare made"}
	case found == "":
		return "", o, nil
	case len(args) > 1:
		return "", o, &usageError{fmt.Errorf("%q is a prepared folder, and is not the only argument", found), "verify prepared folders one by one"}
	}
	for _, name := range []string{"no-download", "target-platform", "build-platform", "variant-config", "variant", "env", "lenient", "mirror"} {
		if c.Flags().Changed(name) {
			return "", o, &usageError{
				fmt.Errorf("--%s has no meaning for %q, which was prepared: it is verified as it was prepared, from nothing but itself", name, found),
				"leave --" + name + " out",
			}
		}
	}
	return found, o, nil
}

// outside stands for a recipe beside a prepared folder, so that a policy in the
// folder is not taken for the user's.
func outside(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	return filepath.Join(filepath.Dir(abs), recipeFile)
}
