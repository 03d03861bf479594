package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/suggest"
)

// suggestFlags are the flags of suggest, as they were given.
type suggestFlags struct {
	write, diff, cep, verbose, quiet bool
	accept                           []string
	format, output                   string

	selection auditFlags // which recipes, and how they are looked at
}

func newSuggest(env Env) *cobra.Command {
	f := &suggestFlags{}
	c := &cobra.Command{
		Use:   "suggest [RECIPE|DIR]...",
		Short: "Propose the attestation blocks that recipes lack",
		Long: `Suggest looks for evidence of every URL source that has no attestation block,
verifies it, and proposes the block: the publisher from the verified certificate,
and a bundle_url where one is needed, with the recipe's own templates. A block is
proposed only if the recipe verifies with it, on all platforms.

Who signed is compared with what the recipe, the package index and the release
before say of the project. A publisher that nothing confirms is shown with a
question mark, and written only with --accept PUBLISHER.

--write changes nothing in a recipe but the lines that it adds; of several
recipes all are written or none. Without it nothing is written.

See docs/suggest.md.`,
		Example: `  recipe-verify suggest recipe.yaml
  recipe-verify suggest --diff recipes/
  recipe-verify suggest --write --accept github:owner/repo recipe.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, env, args)
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	f.register(c)
	return c
}

func (f *suggestFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.BoolVarP(&f.write, "write", "w", false, "write the blocks into the recipes")
	s.BoolVar(&f.diff, "diff", false, "print what --write would change as a unified diff")
	s.StringArrayVar(&f.accept, "accept", nil, "take `PUBLISHER`, such as github:owner/repo or github:owner/*, although nothing confirms it (may be repeated)")
	s.BoolVar(&f.cep, "cep", false, "write forms of the draft CEP too, which rattler-build of today refuses")
	s.StringVar(&f.format, "format", "text", "report as `FORMAT`, text or json")
	s.StringVarP(&f.output, "output", "o", "", "write the report to `FILE`, whole or not at all")
	s.BoolVarP(&f.verbose, "verbose", "v", false, "list sources without evidence too, as is done for a single recipe")
	s.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	a := &f.selection
	s.StringArrayVar(&a.include, "include", nil, "take only recipes whose path below the folder fits `GLOB` (may be repeated)")
	s.StringArrayVar(&a.exclude, "exclude", nil, "leave out recipes and folders whose path fits `GLOB` (may be repeated)")
	s.StringVar(&a.changedSince, "changed-since", "", "take only recipes that git says have changed since `REV`")
	s.StringVar(&a.filesFrom, "files-from", "", "read the recipes' names from `FILE`, one a line; - is the standard input")
	a.registerHosts(c)
	a.runFlags.register(c, "all", auditJobs)
	c.MarkFlagsMutuallyExclusive("write", "diff")
	c.MarkFlagsMutuallyExclusive("diff", "format")
}

func (f *suggestFlags) run(c *cobra.Command, env Env, args []string) error {
	if f.format != "text" && f.format != "json" {
		return wrongValue(c, "--format", f.format, "text or json")
	}
	o, err := f.selection.gateOptions(c, env, args)
	if err != nil {
		return err
	}
	so := suggest.Options{CEP: f.cep}
	for _, text := range f.accept {
		p, err := publishers.ParsePattern(text)
		if err != nil {
			return flagError("--accept", err)
		}
		so.Accept = append(so.Accept, p)
	}
	recipes, err := f.selection.recipes(c, args)
	if err != nil {
		return err
	}
	result := &suggest.Result{}
	if len(recipes) > 0 {
		if result, err = f.propose(c, env, recipes, o, so); err != nil {
			return err
		}
	}
	if err := f.conclude(c, env, result); err != nil {
		return err
	}
	if status := result.Status(); status != audit.StatusOK {
		return &exitError{status: status}
	}
	return nil
}

// propose asks, and shows how far it has come.
func (f *suggestFlags) propose(c *cobra.Command, env Env, recipes []string, o gate.Options, so suggest.Options) (*suggest.Result, error) {
	progress := newAuditProgress(c.ErrOrStderr(), env, f.quiet, len(recipes))
	o.Watch = progress.watch
	so.Seen = func(i int, r audit.Result) {
		r.Place.Recipe = i
		progress.add(report.NewRecord(r))
	}
	defer collectLess(env)()
	result, err := gate.Suggest(c.Context(), recipes, o, so)
	stats := progress.close()
	if stats.CacheProblem != nil {
		warn(c.ErrOrStderr(), "the cache of evidence: "+stats.CacheProblem.Error())
	}
	if err != nil && c.Context().Err() != nil {
		return nil, &exitError{audit.StatusInterrupted, errors.New("interrupted")}
	}
	return result, err
}

// conclude writes the recipes, if that is asked for, and then the report, so that
// no report says what is not so.
func (f *suggestFlags) conclude(c *cobra.Command, env Env, result *suggest.Result) error {
	files := result.Files()
	written := f.write && result.Readable() && len(files) > 0
	if written {
		if err := interrupted(c.Context()); err != nil {
			return err
		}
		if err := edit.Write(files); err != nil {
			return err
		}
	}
	out := newOutput(f.output, c.OutOrStdout())
	d := report.NewSuggestDocument(result, written, c.Root().Version)
	var err error
	switch {
	case f.diff:
		if err = writeDiff(out, env, files); err == nil {
			// What is no diff is no part of it.
			err = report.WriteSuggestText(c.ErrOrStderr(), d, f.verbose)
		}
	case f.format == "json":
		err = report.WriteSuggestJSON(out, d)
	default:
		err = report.WriteSuggestText(out, d, f.verbose || len(result.Recipes) == 1)
	}
	if err != nil {
		return err
	}
	if f.write && !result.Readable() {
		fmt.Fprintln(c.ErrOrStderr(), "error: nothing was written, since some recipes cannot be read\nhint: correct them, or leave them out with --exclude")
	}
	return out.commit()
}

func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return &exitError{audit.StatusInterrupted, errors.New("interrupted")}
	}
	return nil
}

// writeDiff prints what would change. On a terminal what is in the recipes cannot
// act on it; a file or another program gets the bytes as they are.
func writeDiff(out *output, env Env, files []edit.File) error {
	for _, file := range files {
		diff := edit.Diff(filepath.ToSlash(file.Path), file.Before, file.After)
		if env.IsTerminal(out.stream) {
			diff = report.PrintableLines(diff)
		}
		if _, err := io.WriteString(out, diff); err != nil {
			return err
		}
	}
	return nil
}
