package trust

import (
	"context"
	"errors"
	"fmt"
)

// Update is what came of asking one TUF repository.
type Update struct {
	// Name is the domain's, Repository its address without secrets.
	Name, Repository string
	// Before is what was known before: the cache's root, even if it expired
	// since, or the embedded snapshot, if that is newer. nil for nothing.
	Before *Domain
	// After is the repository's answer; nil if there is an Err.
	After *Domain
	// Warnings are single lines without a full stop.
	Warnings []string
	// Err is an *[UnavailableError] where the repository could not be reached,
	// a [*CacheError] where its answer could not be kept, and anything else,
	// such as a *[RolledBackError], where what it answered did not verify. The
	// cache is as it was then.
	Err error
}

// CacheError says that a good answer could not be kept, so that the next run
// will not know it.
type CacheError struct{ Err error }

func (e *CacheError) Error() string { return e.Err.Error() }

func (e *CacheError) Unwrap() error { return e.Err }

// Update asks every TUF repository of the configuration now, whatever the age
// of the cache, and keeps the answers. What is wrong with one of them is in its
// Update; the error is for a done context, for being offline, and for a
// configuration without any repository.
func (l *Loader) Update(ctx context.Context) ([]Update, error) {
	if len(l.sources) == 0 {
		return nil, errors.New("the trusted roots in use come from files, which nobody can be asked about\n" +
			"hint: replace the files, or name a repository with --tuf-url URL --tuf-root FILE")
	}
	var updates []Update
	for _, s := range l.sources {
		if s.Offline {
			return nil, errors.New("an update asks the network, and the configuration says offline\nhint: remove offline: true from recipe-verify.yaml, or read none with --no-policy")
		}
		u := s.update(ctx, s.in)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		updates = append(updates, u)
	}
	return updates, nil
}

func (s *Source) update(ctx context.Context, in *instance) Update {
	l := s.begin(in)
	u := Update{Name: in.name, Repository: in.shown(), Before: in.snapshot}
	if l.cached != nil && (in.snapshot == nil || !l.cached.domain.Date.Before(in.snapshot.Date)) {
		u.Before = &l.cached.domain
	}
	fetched, err := s.refresh(ctx, l)
	switch {
	case err != nil:
		u.Err = err
	case l.path == "":
		u.Err = &CacheError{errors.New("there is no folder for the TUF cache\nhint: name one with --cache-dir DIR")}
	default:
		if err := l.writeCache(fetched.record); err != nil {
			u.Err = &CacheError{fmt.Errorf("%w\nhint: name another folder with --cache-dir DIR", err)}
		}
	}
	if u.Err == nil {
		u.After, u.Name = &fetched.domain, fetched.domain.Name
	}
	u.Warnings = l.out.Warnings
	return u
}
