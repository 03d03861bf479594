package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

const (
	// maxRepositories is how many repositories that a recipe states are asked for
	// evidence of one source.
	maxRepositories = 3
	// maxPlaces is how many places with evidence are looked at for one source: as
	// many as there are beside a release's asset, GitHub's API, and one more.
	maxPlaces = 6
)

// proposing is an auditor with the options that Propose implies.
func (a *Auditor) proposing() *Auditor {
	if !a.Options.Propose {
		return a
	}
	b := *a
	b.Options.Discover, b.Options.Recipe.Statements = true, true
	return &b
}

// lookedUpIn notes which GitHub repositories a recipe states. The same archive
// may be looked for in other ones by another recipe.
func (t task) lookedUpIn(statements []recipe.Statement) task {
	for _, s := range statements {
		repo, ok := origin.RepositoryOf(s.Value)
		if !ok || repo.Host != "github.com" || len(t.repositories) == maxRepositories ||
			slices.ContainsFunc(t.repositories, func(known string) bool { return strings.EqualFold(known, repo.Path) }) {
			continue
		}
		t.repositories = append(t.repositories, repo.Path)
	}
	if len(t.repositories) > 0 {
		first := t.key
		t.key = sha256.Sum256(fmt.Appendf(first[:], "%q", t.repositories))
		copy(t.key[:8], first[:8]) // it stays in its shard
	}
	return t
}

// askAll asks the discoverers in order until one has evidence. If none has, the
// first that knows the source speaks for all, and what the others could not be
// asked is noted.
func (r *run) askAll(ctx context.Context, q attestation.Query) (attestation.Discovery, string, error) {
	var first attestation.Discovery
	name := ""
	for _, d := range r.Discoverers {
		found, err := d.Discover(ctx, q)
		var large *fetch.TooLargeError
		switch {
		case errors.Is(err, attestation.ErrNotMine):
			continue
		case name == "":
			if err != nil || len(found.Candidates) > 0 || found.Unattestable != "" {
				return found, d.Name(), err
			}
			first, name = found, d.Name()
			continue
		case errors.As(err, &large) && q.MaxBytes < attestation.MaxDocument:
			return found, d.Name(), err // it is asked again, for more
		}
		found.Addresses = append(first.Addresses, found.Addresses...)
		found.Unasked = append(first.Unasked, found.Unasked...)
		if err == nil && len(found.Candidates) > 0 {
			return found, d.Name(), nil
		}
		first.Addresses, first.Unasked = found.Addresses, found.Unasked
		if err != nil {
			first.Unasked = append(first.Unasked, err.Error())
		}
	}
	if name == "" {
		return first, name, attestation.ErrNotMine
	}
	return first, name, nil
}

// propose completes what discover found by what somebody needs who is to write a
// block.
func (r *run) propose(ctx context.Context, it *item, t task) {
	r.passOver(ctx, it, t)
	f := it.finding
	if f == nil {
		return
	}
	if len(f.BundleURLs) == 1 {
		f.Way = f.BundleURLs[0]
	}
	if f.Genuine {
		f.Publishers = it.publishers(t, r.allowed(t))
		r.background(ctx, f, t)
	}
}

// passOver looks at further places, as long as the evidence of one says nothing
// to this run. If none has anything that verifies, or that is wrong, what the
// first place has stays the finding.
func (r *run) passOver(ctx context.Context, it *item, t task) {
	var passed []PassedOver
	var without, unasked []string
	addresses, first := it.addresses, *it
	for it.saysNothing() && len(passed) < maxPlaces {
		passed = append(passed, PassedOver{BundleURL: it.finding.BundleURLs[0], Detail: it.finding.Detail})
		without = append(without, it.finding.BundleURLs[0])
		unasked = append(unasked, it.finding.Unasked...)
		next := item{}
		r.discover(ctx, &next, t, without)
		it.resolver, it.addresses, it.examined, it.finding, it.found = next.resolver, next.addresses, next.examined, next.finding, next.found
		addresses = append(addresses, next.addresses...)
	}
	if len(passed) == 0 || it.finding == nil { // or the run was interrupted
		return
	}
	if f := it.finding; len(it.found) == 0 || it.saysNothing() {
		unasked = append(unasked, f.Unasked...)
		if f.Kind == Unknown || f.Kind == Attestable && len(it.found) == 0 { // what the place has cannot be read
			unasked = append(unasked, f.Detail)
		}
		it.resolver, it.examined, it.finding, it.found = first.resolver, first.examined, first.finding, first.found
		it.finding.PassedOver, it.finding.Unasked = passed[1:], unasked
	} else {
		f.PassedOver, f.Unasked = passed, append(unasked, f.Unasked...)
	}
	it.addresses = addresses
}

// saysNothing tells whether there is evidence at an address, and none of it is
// for this run to judge: it was signed by a bare key or in an unknown trust
// domain, or it is genuine and says something else than who made the archive.
// What does not verify is no such thing, and is never passed over.
func (it *item) saysNothing() bool {
	f := it.finding
	if f == nil || f.Kind != Attestable || f.Genuine || len(f.BundleURLs) != 1 || len(it.found) == 0 {
		return false
	}
	for _, b := range it.found {
		if b.Status == verify.Broken && b.Code != verify.CodeUnknownAuthority && b.Code != verify.CodeNoCertificate {
			return false
		}
	}
	return true
}

// allowed is what the policy allows beyond a publisher's name, where a run
// proposes: a workflow of another repository may sign for him there. What the
// policy demands decides when the block is verified.
func (r *run) allowed(t task) publishers.Terms {
	if !r.Options.Propose {
		return publishers.Terms{}
	}
	terms := t.result.Decision.Terms
	return publishers.Terms{Reusable: terms.Reusable, Issuers: terms.Issuers}
}

// publishers are those that genuine evidence would count for, each alone.
func (it *item) publishers(t task, terms publishers.Terms) []publishers.Publisher {
	var all []publishers.Publisher
	for _, b := range it.found {
		if b.Verified == nil {
			continue
		}
		p, err := signerOf(*b.Verified)
		if err != nil || slices.ContainsFunc(all, func(q publishers.Publisher) bool { return q.String() == p.String() }) {
			continue
		}
		evidence, _, err := it.examined.Judge(verify.Rules{Publishers: []publishers.Publisher{p}, Match: verify.Any, URLs: t.result.URLs, Terms: terms})
		if err == nil && evidence.Verified() {
			all = append(all, p)
		}
	}
	return all
}

// background asks what else is known of a project, side by side. It is for
// judging whether a signer is plausible: whatever goes wrong is noted, changes
// nothing else, and takes no longer than historyTimeout.
func (r *run) background(ctx context.Context, f *Finding, t task) {
	within, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	q := attestation.Query{URLs: t.result.URLs, SHA256: t.source.SHA256, MaxBytes: smallEvidence}
	var history, links error
	var wait sync.WaitGroup
	wait.Go(func() { f.Earlier, history = r.history(within, q) })
	wait.Go(func() { f.Links, links = r.links(within, q) })
	wait.Wait()
	for _, failed := range []struct {
		what string
		err  error
	}{{"the release before", history}, {"the project's links", links}} {
		var none *attestation.NoneError
		switch {
		case failed.err == nil, errors.Is(failed.err, attestation.ErrNotMine), errors.As(failed.err, &none):
		case within.Err() != nil && ctx.Err() == nil:
			f.Unasked = append(f.Unasked, fmt.Sprintf("%s: there was no answer within %s", failed.what, historyTimeout))
		default:
			f.Unasked = append(f.Unasked, failed.what+": "+failed.err.Error())
		}
	}
}

// links asks the linkers in order until one knows the source.
func (r *run) links(ctx context.Context, q attestation.Query) ([]attestation.Link, error) {
	for _, l := range r.Linkers {
		found, err := l.Links(ctx, q)
		if !errors.Is(err, attestation.ErrNotMine) {
			return found, err
		}
	}
	return nil, attestation.ErrNotMine
}
