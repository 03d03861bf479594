package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/prepare"
	"github.com/recipe-verify/recipe-verify/report"
)

// verifyFlags are the flags of verify, as they were given.
type verifyFlags struct {
	format, output, color string
	quiet, verbose        bool

	noDownload, noHistory bool

	gateFlags
	lockedFlag
	preparedFlag
	runFlags
}

func newVerify(env Env) *cobra.Command {
	f := &verifyFlags{}
	c := &cobra.Command{
		Use:   "verify [RECIPE|DIR]...",
		Short: "Verify the sources of recipes",
		Long: `Verify reads recipes, obtains archive and evidence of every URL source that has
an attestation block, and verifies that one of the publishers that the block
names signed the archive. Nothing is written to disk, except the cache of
Sigstore's trusted root.

A folder stands for the recipe.yaml or recipe/recipe.yaml in it; without an
argument, for the current folder's.

A file recipe-verify.yaml beside the recipe or above it can say more: what must
carry evidence, publishers for sources without a block, and rules for signers. It
keeps options, too; flags override it.

With --gate it does its work only where experimental features are turned on, as
rattler-build does: one line in a script serves builds with and without.`,
		Example: `  recipe-verify verify recipe.yaml && rattler-build build --recipe recipe.yaml
  recipe-verify verify --gate recipe.yaml && rattler-build build --recipe recipe.yaml
  recipe-verify verify --no-download --format json feedstocks/*
  recipe-verify verify --offline --mirror https://=/srv/mirror --trusted-root root.json recipe.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return f.run(c, env, args)
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	f.register(c)
	return c
}

func completeRecipes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func (f *verifyFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.format, "format", "text", "report as `FORMAT`, text or json")
	s.StringVarP(&f.output, "output", "o", "", "write the report to `FILE`, whole or not at all")
	s.BoolVarP(&f.quiet, "quiet", "q", false, "report only what fails")
	s.BoolVarP(&f.verbose, "verbose", "v", false, "report every address and bundle that was considered")
	s.StringVar(&f.color, "color", "auto", "colour the text, `WHEN` is auto, always or never; NO_COLOR is honoured")
	s.BoolVar(&f.noDownload, "no-download", false, "metadata only: verify the evidence for the recipe's sha256, and do not fetch archives")
	s.BoolVar(&f.noHistory, "no-history", false, "do not ask PyPI who signed the release before, for a warning if that was another repository")
	f.gateFlags.register(c)
	f.lockedFlag.register(c)
	f.preparedFlag.register(c)
	f.runFlags.register(c, "this machine's", audit.DefaultJobs)
	c.MarkFlagsMutuallyExclusive("quiet", "verbose")
}

func (f *verifyFlags) run(c *cobra.Command, env Env, args []string) error {
	switch open, err := f.gateFlags.open(env); {
	case err != nil:
		return err
	case !open:
		return f.skip(c, env, args)
	}
	folder, demanded, err := f.preparedFlag.prepared(c, args)
	if err != nil {
		return err
	}
	policed := args
	if folder != "" {
		policed = []string{outside(folder)}
	}
	return f.report(c, env, policed, func(ctx context.Context, o gate.Options, handle func(audit.Result) error) (audit.Summary, error) {
		if folder != "" {
			demanded.Gate = o
			report, err := prepare.Verify(ctx, folder, demanded)
			return each(report, err, handle)
		}
		return gate.Run(ctx, args, o, handle)
	})
}

// report runs what gives results under the policy for recipes, and reports them.
func (f *verifyFlags) report(c *cobra.Command, env Env, recipes []string, run func(context.Context, gate.Options, func(audit.Result) error) (audit.Summary, error)) error {
	p, err := f.policyFlags.read(c, recipes)
	if err != nil {
		return err
	}
	o, err := f.runFlags.options(c, env, p)
	if err != nil {
		return err
	}
	o.NoDownload, o.NoHistory = f.noDownload, f.noHistory
	f.lockedFlag.apply(&o)
	out := newOutput(f.output, c.OutOrStdout())
	handler, err := f.handler(c, env, out)
	if err != nil {
		return err
	}
	bar := newProgress(c.ErrOrStderr(), env.IsTerminal(c.ErrOrStderr()) && !f.quiet && env.Getenv("TERM") != "dumb")
	o.Progress = bar
	if err := handler.Start(o.Demands()); err != nil {
		return err
	}
	summary, err := run(c.Context(), o, func(r audit.Result) error {
		return bar.aside(func() error { return handler.Result(r) })
	})
	bar.close()
	if err != nil {
		return f.failed(c.Context(), err)
	}
	if err := handler.End(summary); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	if summary.Status != audit.StatusOK {
		return &exitError{status: summary.Status}
	}
	return nil
}

// failed is the end of a run without a report.
func (f *verifyFlags) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exitError{audit.StatusInterrupted, errors.New("interrupted")}
	}
	return err
}

func (f *verifyFlags) handler(c *cobra.Command, env Env, out *output) (report.Handler, error) {
	color, err := useColor(c, env, f.color, out.stream)
	if err != nil {
		return nil, err
	}
	switch f.format {
	case "text":
		return &report.Text{W: out, Color: color, Quiet: f.quiet, Verbose: f.verbose}, nil
	case "json":
		return &report.JSON{W: out, Version: c.Root().Version}, nil
	}
	return nil, wrongValue(c, "--format", f.format, "text or json")
}

func useColor(c *cobra.Command, env Env, when string, stream any) (bool, error) {
	switch when {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb" && env.IsTerminal(stream), nil
	}
	return false, wrongValue(c, "--color", when, "auto, always or never")
}

func wrongValue(c *cobra.Command, flag, found, wanted string) error {
	return &usageError{fmt.Errorf("%s: found %q, wanted %s", flag, found, wanted), c.CommandPath() + " --help"}
}
