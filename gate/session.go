package gate

import (
	"context"
	"strings"
	"sync"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/ghrelease"
	"github.com/recipe-verify/recipe-verify/pypi"
	"github.com/recipe-verify/recipe-verify/trust"
)

// A session is what several runs share: what was fetched once is not fetched
// again, and the trusted roots are loaded once.
type session struct {
	client   *fetch.Client
	releases *ghrelease.Resolver
	index    *pypi.Resolver
	roots    func(context.Context) (*trust.Roots, error)
}

// open makes a session of options that WithPolicy gave. Close its client.
func (o Options) open() (*session, error) {
	roots, err := o.roots()
	if err != nil {
		return nil, err
	}
	client := &fetch.Client{
		UserAgent:  o.UserAgent,
		Mirrors:    o.Mirrors,
		Offline:    o.Offline,
		Timeout:    o.Timeout,
		MaxArchive: o.MaxArchive,
		Logger:     o.Logger,
		Cache:      o.Evidence,
		Once:       true,
		Limits:     o.Limits,
		MaxWait:    o.MaxWait,
	}
	if token := strings.TrimSpace(o.GitHubToken); token != "" {
		client.Tokens = map[string]string{"api.github.com": token}
	}
	if o.Watch != nil {
		o.Watch(client.Stats)
	}
	return &session{
		client: client, roots: once(roots),
		releases: &ghrelease.Resolver{Client: client, Propose: o.Propose},
		index:    &pypi.Resolver{Client: client},
	}, nil
}

// auditor makes the auditor of one run.
func (s *session) auditor(o Options) *audit.Auditor {
	a := &audit.Auditor{
		Client:      s.client,
		Resolvers:   []attestation.Resolver{s.releases, s.index},
		Discoverers: []attestation.Discoverer{s.index, s.releases},
		Historians:  o.historians(s.index),
		Linkers:     []attestation.Linker{s.index},
		Roots:       s.roots,
		Options: audit.Options{
			Recipe:              o.Recipe,
			Policy:              o.Policy,
			Match:               o.Match,
			RequireAttestations: o.RequireAttestations,
			NoDownload:          o.NoDownload,
			Jobs:                o.Jobs,
			Progress:            o.Progress,
			Shard:               o.Shard,
			Known:               o.Known,
			Lock:                o.Lock,
			Discover:            o.Discover,
			Propose:             o.Propose,
			Read:                o.Read,
			Archives:            o.Archives,
			Fetch:               o.Fetch,
			KeepCandidates:      o.KeepCandidates,
		},
	}
	if o.Resolver != nil {
		a.Resolvers, a.Discoverers, a.Historians, a.Linkers = []attestation.Resolver{o.Resolver}, nil, nil, nil
	}
	return a
}

// once loads trusted roots until that worked. The roots are not changed by those
// that use them.
func once(load func(context.Context) (*trust.Roots, error)) func(context.Context) (*trust.Roots, error) {
	var mu sync.Mutex
	var loaded *trust.Roots
	return func(ctx context.Context) (*trust.Roots, error) {
		mu.Lock()
		defer mu.Unlock()
		if loaded != nil {
			return loaded, nil
		}
		roots, err := load(ctx)
		if err == nil {
			loaded = roots
		}
		return roots, err
	}
}
