package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/verify"
)

// runFlags are shared by the commands that verify sources: what is demanded,
// whom to believe, and how addresses are reached.
type runFlags struct {
	requireAttestations, offline  bool
	publishers                    string
	cacheDir, timeout, maxArchive string
	mirrors                       []string
	jobs                          int

	predicateTypes      []string
	noImmutableReleases bool

	policyFlags
	trustFlags
	evaluationFlags
}

func (f *runFlags) register(c *cobra.Command, platforms string, jobs int) {
	s := c.Flags()
	s.StringVar(&f.publishers, "publishers", "any", "`any` or all of a source's publishers must have signed it")
	s.BoolVar(&f.requireAttestations, "require-attestations", false, "a URL source for which neither recipe nor policy names publishers is missing, unless the policy excepts it")
	s.BoolVar(&f.offline, "offline", false, "open no network connection")
	s.StringVar(&f.cacheDir, "cache-dir", "", "keep what is cached below `DIR` (default: the user's cache folder)")
	s.StringVar(&f.timeout, "timeout", fetch.DefaultTimeout.String(), "give up a request that makes no progress for `DURATION`")
	s.StringVar(&f.maxArchive, "max-archive-size", "16GiB", "refuse archives of more than `SIZE`")
	s.StringArrayVar(&f.mirrors, "mirror", nil, "fetch addresses that begin with FROM below TO, an http(s) address or a folder, given as `FROM=TO` (may be repeated)")
	s.IntVar(&f.jobs, "jobs", jobs, "work on `N` sources at a time")
	s.StringArrayVar(&f.predicateTypes, "predicate-type", nil, "accept statements of the type `URI`, and no others, where a recipe lists none (may be repeated)")
	s.BoolVar(&f.noImmutableReleases, "no-immutable-releases", false, "GitHub's own attestations of immutable releases do not count")
	f.policyFlags.register(c)
	f.trustFlags.register(c)
	f.evaluationFlags.register(c, platforms)
}

// options puts the policy and the flags together; a flag that was given wins.
func (f *runFlags) options(c *cobra.Command, env Env, p *policy.Policy) (o gate.Options, err error) {
	given := c.Flags().Changed
	o.Jobs = f.jobs
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
func (f *runFlags) overridden(c *cobra.Command, p policy.Policy) (*policy.Policy, error) {
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

// flagError is a fault in a flag's value; the hint is the command's own help.
func flagError(flag string, err error) error {
	return &usageError{fmt.Errorf("%s: %w", flag, err), ""}
}
