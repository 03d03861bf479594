package audit

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// DefaultJobs is how many sources are worked on at a time.
const DefaultJobs = 8

// Options are what is demanded of sources. The zero value is the strict one:
// archives are fetched and hashed.
type Options struct {
	Recipe recipe.Options
	// Match says how many of a source's publishers must have signed; zero
	// stands for verify.Any.
	Match verify.Match
	// RequireAttestations makes a URL source without a block Missing.
	RequireAttestations bool
	// NoDownload leaves the archives to the builder: evidence is verified
	// against the pinned digests alone, and the verdict's code says so.
	NoDownload bool
	// Jobs is how many sources are worked on at a time; 0 for DefaultJobs.
	Jobs int
	// Progress is told of archives that download, by several goroutines at a
	// time; nil for nobody.
	Progress Progress
}

// Progress follows archives while they download. Its methods may be called by
// several goroutines at a time.
type Progress interface {
	// Update says how many bytes of an archive have come, out of total, or of
	// an unknown number if total is negative.
	Update(address string, bytes, total int64)
	// Done says that an archive will not be spoken of again.
	Done(address string)
}

// An Auditor verifies the sources of recipes.
type Auditor struct {
	Client    *fetch.Client
	Resolvers []attestation.Resolver
	// Roots loads the trust domains. It is called once at most, beside the
	// first fetches, and not at all where no source asks for verification.
	Roots   func(context.Context) (*trust.Roots, error)
	Options Options
}

// Run verifies every source of the recipes at the given paths (files, or
// folders as [recipe.Find] takes them) and hands each result to handle, in
// order, from one goroutine at a time. What is wrong with a recipe or a source
// is a result too; the error is only for handle's own, for the context's, and for
// a list without paths.
//
// The summary's status is 0 only if every result is Verified or Unattested.
func (a *Auditor) Run(ctx context.Context, paths []string, handle func(Result) error) (Summary, error) {
	if len(paths) == 0 {
		return Summary{Status: StatusError}, errors.New("no recipe is given, so nothing can be verified")
	}
	r := &run{Auditor: a, ready: make(chan struct{}), large: make(chan struct{}, 1)}
	summary := Summary{Recipes: len(paths)}
	var tasks []task
	for _, path := range paths {
		if ctx.Err() != nil {
			break // what is listed already is reported as interrupted
		}
		tasks = append(tasks, r.list(path)...)
	}
	err := r.work(ctx, tasks, func(result Result) error {
		summary.add(result)
		return handle(result)
	})
	summary.Warnings = append(r.recipeWarnings, r.trustWarnings()...)
	if ctx.Err() != nil {
		summary.Status = StatusInterrupted
	}
	return summary, err
}

// A run is one call of Run. Its verifier is made once, by whoever needs it
// first.
type run struct {
	*Auditor
	once     sync.Once
	ready    chan struct{} // closed when verifier, warnings and err are set
	verifier *verify.Verifier
	warnings []string
	err      error
	// large is held by the one source whose evidence is large.
	large chan struct{}
	// recipeWarnings are what recipes hold that does not keep them from being
	// evaluated. Recipes are read before anything is done side by side.
	recipeWarnings []string
}

// work runs tasks side by side and hands over their results in order. It
// returns when every task has ended.
func (r *run) work(ctx context.Context, tasks []task, handle func(Result) error) error {
	jobs := r.Options.Jobs
	if jobs <= 0 {
		jobs = DefaultJobs
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make([]chan Result, len(tasks))
	for i := range results {
		results[i] = make(chan Result, 1)
	}
	var workers errgroup.Group
	workers.SetLimit(jobs)
	started := make(chan struct{})
	go func() {
		defer close(started)
		for i, t := range tasks {
			workers.Go(func() error {
				results[i] <- r.do(ctx, t)
				return nil
			})
		}
	}()
	defer func() {
		cancel()
		<-started
		_ = workers.Wait()
	}()
	for i := range tasks {
		if err := handle(<-results[i]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// startTrust begins to load the trusted roots, without waiting for them.
func (r *run) startTrust(ctx context.Context) {
	r.once.Do(func() {
		go func() {
			defer close(r.ready)
			roots, err := r.Roots(ctx)
			if err != nil {
				r.err = err
				return
			}
			r.warnings = roots.Warnings
			r.verifier, r.err = verify.New(roots.Domains, nil)
		}()
	})
}

// trusted waits for the verifier.
func (r *run) trusted(ctx context.Context) (*verify.Verifier, error) {
	select {
	case <-r.ready:
		return r.verifier, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// trustWarnings are those of the trusted roots, if they were needed.
func (r *run) trustWarnings() []string {
	select {
	case <-r.ready:
		return r.warnings
	default:
		return nil
	}
}
