package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
)

func newPolicy(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:               "policy",
		Short:             "Look over a policy",
		Long:              `Policy looks over the recipe-verify.yaml in which an organisation keeps what it demands of sources and their signers.`,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPolicyCheck(env))
	return c
}

type policyCheckFlags struct {
	policyFlags
	evaluationFlags
	format, output string
}

func newPolicyCheck(env Env) *cobra.Command {
	f := &policyCheckFlags{}
	c := &cobra.Command{
		Use:   "check [RECIPE|DIR]...",
		Short: "Check a policy, and say what of it applies to recipes",
		Long: `Check reads the recipe-verify.yaml of recipes, or of the current folder, and the
files that it names. For each source of the recipes it says who may sign it, what
of the policy applies to it, and where that is written; without a recipe it lists
what the policy says. It fetches and verifies nothing.

Exit statuses:
  0    the policy can be carried out, whatever it demands
  2    the policy, a recipe or the command line is wrong`,
		Example: `  recipe-verify policy check
  recipe-verify policy check recipes/flask
  recipe-verify policy check --policy draft.yaml --format json recipe.yaml`,
		RunE:              func(c *cobra.Command, args []string) error { return f.run(c, env, args) },
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	f.policyFlags.register(c)
	f.evaluationFlags.register(c, "all")
	c.Flags().StringVar(&f.format, "format", "text", "answer as `FORMAT`, text or json")
	c.Flags().StringVarP(&f.output, "output", "o", "", "write the answer to `FILE`, whole or not at all")
	return c
}

func (f *policyCheckFlags) run(c *cobra.Command, env Env, args []string) error {
	write := report.WritePolicyCheckText
	switch f.format {
	case "text":
	case "json":
		write = report.WritePolicyCheckJSON
	default:
		return wrongValue(c, "--format", f.format, "text or json")
	}
	p, err := f.checked(c, args)
	if err != nil {
		return err
	}
	if len(f.platforms) == 0 {
		f.platforms = []string{recipe.AllPlatforms}
	}
	o, err := f.options(env)
	if err != nil {
		return err
	}
	now := time.Now()
	document := report.PolicyCheck(p, now)
	status := audit.StatusOK
	for _, arg := range args {
		if err := c.Context().Err(); err != nil {
			return err
		}
		rec, err := readRecipe(arg, o)
		if err != nil {
			tellFaults(c, arg, err)
			status = audit.StatusError
			continue
		}
		document.Add(p, rec, now)
		for _, s := range rec.Sources() {
			if s.Err != nil {
				tellFaults(c, arg, s.Err)
				status = audit.StatusError
			}
		}
	}
	out := newOutput(f.output, c.OutOrStdout())
	if err := write(out, document); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	if status != audit.StatusOK {
		return &exitError{status: status}
	}
	return nil
}

// checked reads the policy, and everything that can be wrong with it without a
// source and without a network.
func (f *policyCheckFlags) checked(c *cobra.Command, args []string) (*policy.Policy, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	p, err := f.read(c, args)
	if err != nil {
		return nil, err
	}
	o, err := gate.Options{Policy: p}.WithPolicy()
	if err != nil {
		return nil, err
	}
	_, err = o.TrustConfig().Open()
	return p, err
}

func readRecipe(arg string, o recipe.Options) (*recipe.Recipe, error) {
	path, err := recipe.Find(arg)
	if err != nil {
		return nil, err
	}
	return recipe.Read(path, o)
}

// tellFaults tells on standard error what is wrong with a recipe.
func tellFaults(c *cobra.Command, arg string, err error) {
	faults := recipe.AllFaults(err)
	if len(faults) == 0 {
		faults = []*recipe.Error{{Pos: recipe.Position{File: arg}, Message: err.Error()}}
	}
	for _, e := range faults {
		fmt.Fprintf(c.ErrOrStderr(), "error: %s\n", report.PrintableLines(e.Display()))
	}
}
