package gate

import (
	"context"
	"slices"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

// A LockedRecipe is what LockRun makes of a recipe.
type LockedRecipe struct {
	Recipe string // the recipe's path
	// File is what its lock file should say; without entries if no source of the
	// recipe carries evidence. It is nil where a source is not as it should be,
	// or with Err.
	File *lock.File
	// Err is why there can be no lock although every source is verified; it is
	// an *lock.Error.
	Err error
}

// Lock verifies a recipe and gives what its lock file should say. It is evaluated
// for all platforms unless Options.Recipe names some, archives are not fetched
// whatever Options.NoDownload says, and an earlier lock (Options.Lock) demands
// nothing. A nil error proves of the recipe what [Verify]'s proves in metadata-only
// mode; a source that is not as it should be makes the error a *[Refusal].
//
// Write the file with lock.Store, and have later runs demand it with
//
//	gate.Options{Lock: lock.Beside}
func Lock(ctx context.Context, path string, o Options) (*lock.File, error) {
	refusal := &Refusal{}
	locked, summary, err := LockRun(ctx, []string{path}, o, func(r audit.Result) error {
		if r.Verdict.Status() != audit.StatusOK {
			refusal.Results = append(refusal.Results, r)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(refusal.Results) > 0 || len(locked) != 1:
		refusal.Status = summary.Status
		return nil, refusal
	}
	return locked[0].File, locked[0].Err
}

// LockRun is as [Lock], for several recipes: it hands over each result in order,
// and gives what each recipe's lock file should say. Its error is that of [Run].
func LockRun(ctx context.Context, paths []string, o Options, handle func(audit.Result) error) ([]LockedRecipe, audit.Summary, error) {
	o.NoDownload, o.NoHistory, o.Lock, o.Discover = true, true, nil, false
	o.Shard, o.Known = audit.Shard{}, nil // of parts of a recipe there is no lock
	platforms := o.Recipe.TargetPlatforms
	if len(platforms) == 0 {
		o.Recipe.TargetPlatforms = []string{recipe.AllPlatforms}
	}
	var list []LockedRecipe
	var current *gathered
	end := func() {
		if current != nil {
			list = append(list, current.lock(platforms))
		}
		current = nil
	}
	summary, err := Run(ctx, paths, o, func(r audit.Result) error {
		if current == nil || current.place != r.Place.Recipe {
			end()
			current = &gathered{place: r.Place.Recipe, recipe: r.Recipe}
		}
		current.add(r)
		return handle(r)
	})
	if err != nil {
		return nil, summary, err
	}
	end()
	return list, summary, nil
}

// What is gathered of one recipe.
type gathered struct {
	place   int
	recipe  string
	sources []lock.Signed
	failed  bool
}

func (g *gathered) add(r audit.Result) {
	switch {
	case r.Verdict == audit.Verified:
		g.sources = append(g.sources, lock.Signed{
			Source:  lock.Source{Pos: r.Position, URLs: slices.Clone(r.URLs)},
			Signers: signer.All(r.Evidence),
		})
	case r.Verdict != audit.Unattested:
		g.failed = true
	}
}

func (g *gathered) lock(platforms []string) LockedRecipe {
	l := LockedRecipe{Recipe: g.recipe}
	if !g.failed {
		l.File, l.Err = lock.New(g.sources, platforms)
	}
	return l
}
