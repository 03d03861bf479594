package audit

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/policy"
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
	// Policy says what is demanded of each source; nil for nothing beyond what
	// recipes ask for.
	Policy *policy.Policy
	// Match says how many of a source's publishers must have signed; zero
	// stands for the policy's, or for verify.Any.
	Match verify.Match
	// RequireAttestations makes a URL source for which nobody names publishers
	// Missing, unless the policy excepts it.
	RequireAttestations bool
	// NoDownload leaves the archives to the builder: evidence is verified
	// against the pinned digests alone, and the verdict's code says so.
	NoDownload bool
	// Jobs is how many sources are worked on at a time; 0 for DefaultJobs.
	Jobs int
	// Shard leaves the sources of other shards out.
	Shard Shard
	// Known tells, by its key, whether a result is at hand from earlier. Such a
	// source is not looked at, and its result says Resumed and nothing else.
	Known func(key string) bool
	// Discover looks for evidence of sources for which the recipe names no
	// publisher, and reports it as a [Finding].
	Discover bool
	// Propose is Discover for somebody who is to write an attestation block: a
	// [Finding] says which bundle_url one needs, all that could be named as
	// publishers, and what the project says of itself elsewhere. It implies
	// recipe.Options.Statements, which a Read of one's own has to heed itself.
	Propose bool
	// Read reads a recipe in the place of [recipe.Find] and [recipe.Read] with
	// Recipe, for somebody who has it at hand; the path need not be one. It may be
	// called by several goroutines at a time.
	Read func(path string) (*recipe.Recipe, error)
	// Archives fetches the archives of sources of which no evidence is demanded,
	// too, and holds them against the digests that the recipe pins; a source
	// without a sha256 is an Error then.
	Archives bool
	// Fetch gets an archive in the place of Client.Archive, for somebody who
	// keeps archives or has them at hand. Digests are compared all the same. It
	// may be called by several goroutines at a time.
	Fetch func(ctx context.Context, client *fetch.Client, w Wanted) (*fetch.Archive, error)
	// KeepCandidates leaves in each result what its bundles were read from.
	KeepCandidates bool
	// Lock gives the lock file of the recipe at a path, or nil if it has none;
	// a recipe whose sources carry evidence must have one, and its sources must
	// be signed by those whom it names. A nil Lock demands nothing.
	Lock func(recipePath string) (*lock.File, error)
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
	// Discoverers are asked in their order, where Options.Discover is set.
	Discoverers []attestation.Discoverer
	// Historians are asked for the release before a verified one, for a warning;
	// where archives are not fetched nobody is asked.
	Historians []attestation.Historian
	// Linkers are asked for what an index shows beside a release, where
	// Options.Propose is set.
	Linkers []attestation.Linker
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
// Recipes are read while sources are worked on. A source that several recipes
// name is fetched once, and its evidence is verified once; each recipe's own
// demands are compared with what was found. Memory grows with the number of
// distinct sources that have evidence, and not with the number of recipes.
//
// The summary's status is 0 only if every result is Verified or Unattested. When
// the context ends, what is finished is still handed over; the summary is not
// complete then.
func (a *Auditor) Run(ctx context.Context, paths []string, handle func(Result) error) (Summary, error) {
	if len(paths) == 0 {
		return Summary{Status: StatusError}, errors.New("no recipe is given, so nothing can be verified")
	}
	a = a.proposing()
	r := &run{
		Auditor: a, ready: make(chan struct{}), large: make(chan struct{}, 1),
		items:     map[itemKey]*item{},
		verifying: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
		policy:    a.Options.Policy,
		today:     time.Now(),
	}
	if a.Options.RequireAttestations {
		r.policy = r.policy.WithAllRequired("--require-attestations")
	}
	var summary Summary
	err := r.work(ctx, paths, &summary, func(result Result) error {
		if !result.Resumed {
			summary.add(result)
		}
		return handle(result)
	})
	summary.Warnings = append(summary.Warnings, r.trustWarnings()...)
	summary.Complete = err == nil
	if ctx.Err() != nil {
		summary.Status = StatusInterrupted
	}
	return summary, err
}

// A run is one call of Run. Its verifier is made once, by whoever needs it
// first.
type run struct {
	*Auditor
	policy   *policy.Policy
	today    time.Time // exceptions of the policy end
	once     sync.Once
	ready    chan struct{} // closed when verifier, warnings and err are set
	verifier *verify.Verifier
	warnings []string
	err      error
	// large is held by the one source whose evidence is large.
	large chan struct{}
	// verifying is held while evidence is verified, by as many as there are
	// processors: more would take memory, and no less time.
	verifying chan struct{}
	// items are the sources that were begun. Only the dispatcher uses it.
	items map[itemKey]*item
}

// window is how many sources may be begun before the oldest of them has ended.
// Results wait in it for their turn.
const window = 1024

// A pending result is a task and what its result depends on.
type pending struct {
	task
	item *item // nil if the result is known
	// warnings are the recipe's, with its first task.
	warnings []string
	recipe   bool // the first task of a recipe
}

// work reads recipes, works on their sources side by side, and hands over the
// results in order. It returns when everything that it started has ended.
func (r *run) work(ctx context.Context, paths []string, summary *Summary, handle func(Result) error) error {
	working, cancel := context.WithCancel(ctx)
	queue := make(chan pending, window)
	dispatched := make(chan struct{})
	go func() {
		defer close(dispatched)
		defer close(queue)
		r.dispatch(working, paths, queue)
	}()
	defer func() {
		cancel()
		for range queue { // lets the dispatcher end
		}
		<-dispatched
	}()
	for p := range queue {
		if p.recipe {
			summary.Recipes++
			summary.Warnings = append(summary.Warnings, p.warnings...)
		}
		if p.empty {
			continue
		}
		if err := handle(r.finish(working, p)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// dispatch begins the work on each source when its turn comes.
func (r *run) dispatch(ctx context.Context, paths []string, queue chan<- pending) {
	jobs := r.Options.Jobs
	if jobs <= 0 {
		jobs = DefaultJobs
	}
	var workers errgroup.Group
	workers.SetLimit(jobs)
	r.read(ctx, paths, func(l listing) {
		for i, t := range l.tasks {
			p := pending{task: t, recipe: i == 0}
			if i == 0 {
				p.warnings = l.warnings
			}
			if t.result.Resumed {
				t.done, t.discover, t.archive = true, false, false
			}
			if t.works() && !t.empty {
				it, begun := r.items[t.key]
				if !begun {
					it = &item{done: make(chan struct{})}
					r.items[t.key] = it
					workers.Go(func() error {
						r.do(ctx, it, t)
						return nil
					})
				}
				p.item = it
			}
			queue <- p
		}
	})
	_ = workers.Wait()
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
