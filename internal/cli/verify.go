package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

// verifyFlags are the flags of verify, as they were given.
type verifyFlags struct {
	format, output, color string
	quiet, verbose        bool

	noDownload, requireAttestations, offline bool
	publishers                               string
	cacheDir, timeout, maxArchive            string
	mirrors                                  []string
	jobs                                     int

	predicateTypes      []string
	noImmutableReleases bool

	policyFlags
	trustFlags
	evaluationFlags
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
keeps options, too; flags override it.`,
		Example: `  recipe-verify verify recipe.yaml && rattler-build build --recipe recipe.yaml
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
	s.StringVar(&f.publishers, "publishers", "any", "`any` or all of a source's publishers must have signed it")
	s.BoolVar(&f.requireAttestations, "require-attestations", false, "a URL source for which neither recipe nor policy names publishers is missing, unless the policy excepts it")
	s.BoolVar(&f.offline, "offline", false, "open no network connection")
	s.StringVar(&f.cacheDir, "cache-dir", "", "keep Sigstore's TUF metadata below `DIR` (default: the user's cache folder)")
	s.StringVar(&f.timeout, "timeout", fetch.DefaultTimeout.String(), "give up a request that makes no progress for `DURATION`")
	s.StringVar(&f.maxArchive, "max-archive-size", "16GiB", "refuse archives of more than `SIZE`")
	s.StringArrayVar(&f.mirrors, "mirror", nil, "fetch addresses that begin with FROM below TO, an http(s) address or a folder, given as `FROM=TO` (may be repeated)")
	s.IntVar(&f.jobs, "jobs", audit.DefaultJobs, "work on `N` sources at a time")
	s.StringArrayVar(&f.predicateTypes, "predicate-type", nil, "accept statements of the type `URI`, and no others, where a recipe lists none (may be repeated)")
	s.BoolVar(&f.noImmutableReleases, "no-immutable-releases", false, "GitHub's own attestations of immutable releases do not count")
	f.policyFlags.register(c)
	f.trustFlags.register(c)
	f.evaluationFlags.register(c, "this machine's")
	c.MarkFlagsMutuallyExclusive("quiet", "verbose")
}

func (f *verifyFlags) run(c *cobra.Command, env Env, args []string) error {
	o, err := f.options(c, env, args)
	if err != nil {
		return err
	}
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
	summary, err := gate.Run(c.Context(), args, o, func(r audit.Result) error {
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
	color, err := f.useColor(c, env, out)
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

func (f *verifyFlags) useColor(c *cobra.Command, env Env, out *output) (bool, error) {
	switch f.color {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb" && env.IsTerminal(out.stream), nil
	}
	return false, wrongValue(c, "--color", f.color, "auto, always or never")
}

func wrongValue(c *cobra.Command, flag, found, wanted string) error {
	return &usageError{fmt.Errorf("%s: found %q, wanted %s", flag, found, wanted), c.CommandPath() + " --help"}
}

// options puts the policy and the flags together; a flag that was given wins.
func (f *verifyFlags) options(c *cobra.Command, env Env, args []string) (gate.Options, error) {
	given := c.Flags().Changed
	o := gate.Options{NoDownload: f.noDownload, Jobs: f.jobs}
	p, err := f.policyFlags.read(c, args)
	if err != nil {
		return o, err
	}
	if o.Policy, err = f.overridden(c, *p); err != nil {
		return o, err
	}
	if f.jobs < 1 {
		return o, wrongValue(c, "--jobs", fmt.Sprint(f.jobs), "a number from 1 on")
	}
	for _, s := range f.mirrors {
		m, err := fetch.ParseMirror(s)
		if err != nil {
			return o, flagError("--mirror", err)
		}
		o.Mirrors = append(o.Mirrors, m)
	}
	if o, err = o.WithPolicy(); err != nil {
		return o, err
	}
	if o.Timeout == 0 {
		o.Timeout = fetch.DefaultTimeout
	}
	if f.trustFlags.named() {
		if o.Trust, err = f.trustFlags.config(); err != nil {
			return o, err
		}
	}
	if given("publishers") || o.Policy.Match == "" {
		match, err := policy.ParseMatch(f.publishers)
		if err != nil {
			return o, flagError("--publishers", err)
		}
		o.Match = verify.Any
		if match == policy.All {
			o.Match = verify.All
		}
	}
	o.Recipe, err = f.evaluationFlags.options(env)
	return o, err
}

// overridden puts what flags say in the place of what a policy does.
func (f *verifyFlags) overridden(c *cobra.Command, p policy.Policy) (*policy.Policy, error) {
	given := c.Flags().Changed
	p.Offline = choose(given("offline"), f.offline, p.Offline)
	p.CacheDir = choose(given("cache-dir"), f.cacheDir, p.CacheDir)
	var err error
	if given("timeout") {
		if p.Timeout, err = policy.ParseTimeout(f.timeout); err != nil {
			return nil, flagError("--timeout", err)
		}
	}
	if given("max-archive-size") {
		if p.MaxArchive, err = policy.ParseSize(f.maxArchive); err != nil {
			return nil, flagError("--max-archive-size", err)
		}
	}
	if given("predicate-type") {
		for _, t := range f.predicateTypes {
			if err := policy.CheckPredicateType(t); err != nil {
				return nil, flagError("--predicate-type", err)
			}
		}
		p.PredicateTypes = f.predicateTypes
	}
	p.NoImmutableReleases = choose(given("no-immutable-releases"), f.noImmutableReleases, p.NoImmutableReleases)
	switch {
	case given("require-attestations") && f.requireAttestations:
		return p.WithAllRequired("--require-attestations"), nil
	case given("require-attestations"):
		p.Require = nil
	}
	return &p, nil
}

func choose[T any](given bool, flag, file T) T {
	if given {
		return flag
	}
	return file
}

func flagError(flag string, err error) error {
	return &usageError{fmt.Errorf("%s: %w", flag, err), "recipe-verify verify --help"}
}
