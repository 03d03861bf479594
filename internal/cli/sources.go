package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
)

type sourcesFlags struct {
	evaluationFlags
	format, output string
}

func newSources(env Env) *cobra.Command {
	f := &sourcesFlags{}
	c := &cobra.Command{
		Use:   "sources [RECIPE|DIR]...",
		Short: "List the sources of recipes, as the build will see them",
		Long: `Sources evaluates recipes as rattler-build does, for every platform that
conda-forge builds for unless told otherwise, and lists the sources of each
output. It fetches and verifies nothing.

A recipe that cannot be read, and a source that cannot be evaluated, makes the
status 2. With --lenient, faults of single sources are reported, and the status
is 0.`,
		Example: `  recipe-verify sources recipe.yaml
  recipe-verify sources --target-platform win-64 --variant python=3.12 --format json recipe.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return f.run(c, env, args)
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	f.register(c, "all")
	c.Flags().StringVar(&f.format, "format", "text", "list as `FORMAT`, text or json")
	c.Flags().StringVarP(&f.output, "output", "o", "", "write the list to `FILE`, whole or not at all")
	return c
}

func (f *sourcesFlags) run(c *cobra.Command, env Env, args []string) error {
	write := report.WriteSourcesText
	switch f.format {
	case "text":
	case "json":
		write = report.WriteSourcesJSON
	default:
		return wrongValue(c, "--format", f.format, "text or json")
	}
	if len(f.platforms) == 0 {
		f.platforms = []string{recipe.AllPlatforms}
	}
	o, err := f.options(env)
	if err != nil {
		return err
	}
	var all []report.RecipeSources
	status := audit.StatusOK
	for _, arg := range args {
		if err := c.Context().Err(); err != nil {
			return err
		}
		listed, ok := f.list(c, arg, o)
		if !ok {
			status = audit.StatusError
		}
		all = append(all, listed)
	}
	out := newOutput(f.output, c.OutOrStdout())
	if err := write(out, all); err != nil {
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

// list evaluates one recipe, and tells on standard error what is wrong with it.
func (f *sourcesFlags) list(c *cobra.Command, arg string, o recipe.Options) (report.RecipeSources, bool) {
	tell := func(kind string, e *recipe.Error) {
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", kind, report.PrintableLines(e.Display()))
	}
	path, err := recipe.Find(arg)
	var r *recipe.Recipe
	if err == nil {
		r, err = recipe.Read(path, o)
	}
	if err != nil {
		faults := recipe.AllFaults(err)
		if len(faults) == 0 {
			faults = []*recipe.Error{{Pos: recipe.Position{File: arg}, Message: err.Error()}}
		}
		for _, e := range faults {
			tell("error", e)
		}
		return report.UnreadableSources(arg, faults), false
	}
	for _, w := range r.OtherWarnings() {
		tell("warning", w)
	}
	ok := true
	for _, s := range r.Sources() {
		switch {
		case s.Err == nil:
		case f.lenient:
			tell("warning", s.Err)
		default:
			tell("error", s.Err)
			ok = false
		}
	}
	return report.Sources(r), ok
}
