package audit

import (
	"context"
	"errors"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// An item is a source that is fetched, and whose evidence is examined, once,
// however many recipes name it. Its fields are set before done is closed, and
// read after that.
type item struct {
	done chan struct{}

	resolver  string
	addresses []string
	// err is why there is no evidence to examine: a resolver's error, or that
	// of the trusted roots.
	err      error
	examined verify.Examined
	// candidates are what was examined, where Options.KeepCandidates is set.
	candidates []attestation.Candidate

	archive *archive // nil if it was not fetched
	// earlier is what the release before was signed by, as far as that is known.
	earlier *Earlier

	// finding and found are set where evidence was looked for.
	finding *Finding
	found   []verify.Bundle
}

// An archive is what came of fetching one.
type archive struct {
	*fetch.Archive
	err error
}

// A trustError says that no trusted root is to be had.
type trustError struct{ err error }

func (e *trustError) Error() string {
	return "no trusted root could be obtained: " + e.err.Error()
}
func (e *trustError) Unwrap() error { return e.err }

// do fetches archive and evidence of an item at the same time. What the evidence
// says decides first, so that a verdict does not depend on which of the two was
// faster; a failure cancels the download. t is the first task that wants it.
func (r *run) do(ctx context.Context, it *item, t task) {
	defer close(it.done)
	if ctx.Err() != nil {
		it.err = ctx.Err()
		return
	}
	if t.archive {
		a := r.fetch(ctx, t)
		it.archive = &a
	}
	if t.discover {
		r.discover(ctx, it, t, nil)
		if r.Options.Propose {
			r.propose(ctx, it, t)
		}
	}
	if t.done {
		return
	}
	r.startTrust(ctx)
	download, cancel := context.WithCancel(ctx)
	defer cancel()
	fetched := make(chan archive, 1)
	if !r.Options.NoDownload {
		go func() { fetched <- r.fetch(download, t) }()
	}
	r.examine(ctx, it, t)
	if r.Options.NoDownload {
		return
	}
	if r.judge(it, t).Verdict != Verified {
		cancel()
		<-fetched
		return
	}
	it.earlier = r.earlier(ctx, t)
	a := <-fetched
	it.archive = &a
}

func (r *run) archiveOptions(src recipe.Source) fetch.ArchiveOptions {
	o := fetch.ArchiveOptions{MD5: src.HasMD5}
	if p := r.Options.Progress; p != nil {
		o.Progress = func(u fetch.Progress) { p.Update(u.URL, u.Bytes, u.Total) }
		o.Done = p.Done
	}
	return o
}

// smallEvidence is the most bytes of evidence that sources are worked on side by
// side with. Real evidence has some 10 KiB. Verifying takes several times as
// much memory as the documents, so larger ones are taken one source at a time.
const smallEvidence = 1 << 20

// examine obtains the evidence for the digest that a source pins, and verifies
// it, as far as that does not depend on what a recipe demands.
func (r *run) examine(ctx context.Context, it *item, t task) {
	answer, name, err := r.resolve(ctx, t, smallEvidence)
	var large *fetch.TooLargeError
	if errors.As(err, &large) {
		select {
		case r.large <- struct{}{}:
			defer func() { <-r.large }()
		case <-ctx.Done():
		}
		answer, name, err = r.resolve(ctx, t, attestation.MaxDocument)
	}
	it.resolver, it.addresses = name, answer.Addresses
	if err != nil {
		it.err = err
		return
	}
	verifier, err := r.trusted(ctx)
	if err != nil {
		it.err = &trustError{err}
		return
	}
	r.verifying <- struct{}{}
	defer func() { <-r.verifying }()
	it.examined = verifier.Examine(answer.Candidates, t.source.SHA256)
	if r.Options.KeepCandidates {
		it.candidates = answer.Candidates
	}
}

// resolve asks the resolvers in order until one knows the source.
func (r *run) resolve(ctx context.Context, t task, most int64) (attestation.Answer, string, error) {
	q := attestation.Query{URLs: t.result.URLs, SHA256: t.source.SHA256, MaxBytes: most}
	for _, u := range t.source.Attestation.BundleURLs {
		q.BundleURLs = append(q.BundleURLs, u.Value)
	}
	for _, resolver := range r.Resolvers {
		answer, err := resolver.Resolve(ctx, q)
		if errors.Is(err, attestation.ErrNotMine) {
			continue
		}
		return answer, resolver.Name(), err
	}
	return attestation.Answer{}, "", attestation.ErrNotMine
}
