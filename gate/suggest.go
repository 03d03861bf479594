package gate

import (
	"context"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/suggest"
)

// Suggest proposes attestation blocks for the sources of recipes that have none;
// see [suggest.Run]. Nothing is written. Archives are not fetched. Of s the recipe
// options and the policy are taken from o. Errors are those of [Run].
func Suggest(ctx context.Context, paths []string, o Options, s suggest.Options) (*suggest.Result, error) {
	o, err := o.WithPolicy()
	if err != nil {
		return nil, err
	}
	o.Propose, o.NoDownload, o.NoHistory = true, true, false
	// What a recipe lacks is what is looked for, and no failure.
	o.RequireAttestations, o.Lock, o.Known, o.Shard = false, nil, nil, audit.Shard{}
	session, err := o.open()
	if err != nil {
		return nil, err
	}
	defer session.client.Close()
	s.Recipe, s.Policy = o.Recipe, o.Policy
	round := func(ctx context.Context, paths []string, r suggest.Round, handle func(audit.Result) error) (audit.Summary, error) {
		o := o
		if o.Propose = r.Propose; r.Propose {
			o.Policy = unnamed(o.Policy)
		}
		a := session.auditor(o)
		a.Options.Read = r.Read
		return a.Run(ctx, paths, handle)
	}
	return suggest.Run(ctx, paths, round, s)
}

// unnamed is a policy that names no publishers and requires none, so that evidence
// is looked for where the policy alone would find it.
func unnamed(p *policy.Policy) *policy.Policy {
	if p == nil {
		return nil
	}
	q := *p
	q.Publishers, q.Require = nil, nil
	return &q
}
