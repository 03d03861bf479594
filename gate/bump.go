package gate

import (
	"context"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/bump"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

// BumpCheck compares the evidence of two versions of each of several recipes, and
// hands over each outcome in order; see [bump.Check] for what a nil error and a
// status of 0 prove. Changes of the kinds in accept do not fail. Recipes are
// evaluated for all platforms unless Options.Recipe names some, archives are not
// fetched, and evidence is looked for where none is demanded. What the policy
// requires beyond that is for [Verify]. Errors are those of [Run].
//
//	pairs, err := bump.Find(ctx, "origin/main", "HEAD", "")
//	summary, err := gate.BumpCheck(ctx, pairs, gate.Options{}, nil, show)
func BumpCheck(ctx context.Context, pairs []bump.Pair, o Options, accept []signer.Kind, handle func(bump.Recipe) error) (bump.Summary, error) {
	o, err := o.WithPolicy()
	if err != nil {
		return bump.Summary{Status: audit.StatusError}, err
	}
	o.NoDownload, o.NoHistory, o.Discover, o.Propose = true, true, true, false
	o.RequireAttestations, o.Lock, o.Known, o.Shard = false, nil, nil, audit.Shard{}
	if len(o.Recipe.TargetPlatforms) == 0 {
		o.Recipe.TargetPlatforms = []string{recipe.AllPlatforms}
	}
	if o.Policy != nil {
		p := *o.Policy
		p.Require = nil
		o.Policy = &p
	}
	s, err := o.open()
	if err != nil {
		return bump.Summary{Status: audit.StatusError}, err
	}
	defer s.client.Close()
	round := func(ctx context.Context, paths []string, read func(string) (*recipe.Recipe, error), handle func(audit.Result) error) (audit.Summary, error) {
		o := o
		o.Read = read
		return s.auditor(o).Run(ctx, paths, handle)
	}
	return bump.Check(ctx, pairs, bump.Options{Round: round, Recipe: o.Recipe, Accept: accept}, handle)
}
