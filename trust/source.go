package trust

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// DefaultTimeout is what one attempt to reach a TUF repository may cost.
	DefaultTimeout = 5 * time.Second

	// refreshAfter is how long TUF's answer is used without asking again.
	refreshAfter = 24 * time.Hour

	// clockSkew is how far in the future a cache may have been written, by
	// another machine with the same home folder.
	clockSkew = 5 * time.Minute
)

// Source keeps the trusted root of one instance current by TUF. The zero value
// is that of the public-good instance. It may be used by several goroutines,
// and several processes may share a cache folder.
type Source struct {
	// Offline asks nobody: the cache is used while its metadata is valid,
	// the snapshot otherwise.
	Offline bool
	// CacheDir holds one small file a repository; empty for "recipe-verify"
	// in the user's cache folder. It is made if need be. One that cannot be
	// read or written costs a warning.
	CacheDir string
	// Timeout limits a whole attempt to reach the repository, however many
	// requests that takes; zero for DefaultTimeout.
	Timeout time.Duration
	// Client makes the requests; nil for one that honours the proxy
	// variables and follows redirects on the same host only.
	Client *http.Client
	// Now is the time by which metadata expires; nil for time.Now.
	Now func() time.Time
	// MirrorURL is the address of the TUF repository, http or https; empty
	// for the public-good one. With no Root it is a mirror of that.
	MirrorURL string
	// Root is the TUF root.json of a private instance, to which there is no
	// embedded snapshot. It needs a MirrorURL.
	Root []byte
}

// instance is what a Source is about: where trust in it begins, and what to
// fall back on.
type instance struct {
	name string // of the domain
	url  string // of the repository, without a slash at the end
	root []byte // TUF root.json, the anchor
	// snapshot is nil for a private instance.
	snapshot *Domain
}

// Load returns the instance's domain: from the cache if that is less than a day
// old, else as the TUF repository says, else the newer of cache and snapshot
// with a warning. It takes at most Timeout (beside the time to read a file) and
// returns early when ctx is done, with its error.
//
// A nil error means one domain whose root is the snapshot, or that verified,
// just now, by TUF metadata that is signed, complete, not expired and not older
// than what the cache remembers. Errors are a done context, an unusable
// configuration, and for private instances, which have no snapshot, a
// repository that cannot be used.
func (s *Source) Load(ctx context.Context) (*Roots, error) {
	in, err := s.instance()
	if err != nil {
		return nil, err
	}
	return s.load(ctx, in)
}

func (s *Source) instance() (*instance, error) {
	if s.Root != nil {
		u, err := repositoryURL(s.MirrorURL)
		if err != nil {
			return nil, err
		}
		name := otherName(u.Hostname(), 1)
		return &instance{name: name, url: u.String(), root: s.Root}, nil
	}
	snap, err := EmbeddedSnapshot()
	if err != nil {
		return nil, err
	}
	address := s.MirrorURL
	if address == "" {
		address = snap.Instance
	}
	u, err := repositoryURL(address)
	if err != nil {
		return nil, err
	}
	roots, err := Embedded()
	if err != nil {
		return nil, err
	}
	return &instance{name: PublicGood, url: u.String(), root: embeddedTUFRoot, snapshot: &roots.Domains[0]}, nil
}

func repositoryURL(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil:
		// The error of url.Parse repeats the address, with what is secret in it.
		return nil, errors.New("the TUF repository's address is not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("the TUF repository's address: found %q, wanted an http or https address without query", redact(u))
	}
	return u, nil
}

// redact leaves out what may be secret in an address.
func redact(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (s *Source) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Source) cacheDir() (string, error) {
	if s.CacheDir != "" {
		return s.CacheDir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "recipe-verify"), nil
}

// load is Load for a given instance.
func (s *Source) load(ctx context.Context, in *instance) (*Roots, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := s.begin(in)
	if s.Offline {
		return l.fallBack(&UnavailableError{l.shown(), errors.New("offline")})
	}
	if l.valid != nil && l.fresh() {
		l.add(l.valid)
		return l.out, nil
	}
	fetched, err := s.refresh(ctx, l)
	if err != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return l.fallBack(fmt.Errorf("the TUF repository could not be used: %w", err))
	}
	if err := l.writeCache(fetched.record); err != nil {
		l.warn("%s", err)
	}
	l.add(&fetched.domain)
	return l.out, nil
}

// begin sets the clock and reads the cache.
func (s *Source) begin(in *instance) *loading {
	l := &loading{instance: in, now: s.now(), out: &Roots{}}
	// Metadata that expired before the snapshot was made stays expired, even
	// by a clock that is set back.
	l.ref = l.now
	if in.snapshot != nil && l.now.Before(in.snapshot.Date) {
		l.ref = in.snapshot.Date
		l.warn("the clock says %s, which is before this program's trusted root was made (%s); is it right?",
			l.now.UTC().Format(time.DateOnly), in.snapshot.Date.Format(time.DateOnly))
	}
	if dir, err := s.cacheDir(); err != nil {
		l.warn("no folder for the TUF cache: %s", oneLine(err))
	} else {
		l.path = filepath.Join(dir, in.cacheName())
		l.readCache()
	}
	return l
}

// NoRootError says that a private instance has no trusted root: its repository
// gave none, and there is no snapshot to fall back on.
type NoRootError struct {
	// Name is the domain's.
	Name string
	// Because says in words why the repository and the cache cannot be used.
	Because string
	// Err is what happened to the repository: an *[UnavailableError], or why
	// its answer does not verify.
	Err error
}

func (e *NoRootError) Error() string {
	return fmt.Sprintf("no trusted root for %q: %s\n"+
		"hint: make the TUF repository reachable, or name a file with --trusted-root", e.Name, e.Because)
}

func (e *NoRootError) Unwrap() error { return e.Err }

// loading is one call of Load.
type loading struct {
	*instance
	now  time.Time
	ref  time.Time // what metadata's expiry is compared with
	path string    // of the cache; empty for none
	out  *Roots

	// cached is what the cache holds, with verified signatures; it may be
	// expired, and then serves to detect a rollback. nil for none.
	cached *verified
	// valid is the domain of cached, unless expired.
	valid *Domain
	// expired says why there is cached, and not valid.
	expired error
}

func (l *loading) warn(format string, args ...any) {
	l.out.Warnings = append(l.out.Warnings, fmt.Sprintf(format, args...))
}

func (l *loading) add(d *Domain) { l.out.Domains = append(l.out.Domains, *d) }

// fresh tells whether the cache is so new that nobody has to be asked.
func (l *loading) fresh() bool {
	age := l.now.Sub(l.cached.record.FetchedAt)
	return age >= -clockSkew && age < refreshAfter
}

// fallBack takes the newer of the valid cache and the snapshot.
func (l *loading) fallBack(reason error) (*Roots, error) {
	why := oneLine(reason)
	if l.expired != nil {
		why += "; the cached metadata is not used: " + oneLine(l.expired)
	}
	switch {
	case l.valid != nil && (l.snapshot == nil || !l.valid.Date.Before(l.snapshot.Date)):
		l.warn("using the cached trusted root of %q, confirmed %s ago: %s", l.name, days(l.valid.Age(l.now)), why)
		l.add(l.valid)
	case l.snapshot != nil:
		age := l.snapshot.Age(l.now)
		l.warn("using the embedded trusted root of %q, published on %s, %s ago: %s",
			l.name, l.snapshot.Date.Format(time.DateOnly), days(age), why)
		if age >= SnapshotOld {
			l.warn("the embedded trusted root is older than %s: update recipe-verify, let it reach the TUF repository once, "+
				"or name a current file with --trusted-root", days(SnapshotOld))
		}
		l.add(l.snapshot)
	default:
		return nil, &NoRootError{Name: l.name, Because: why, Err: reason}
	}
	return l.out, nil
}

// days words an age for people.
func days(age time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case age < time.Minute:
		return "less than a minute"
	case age < time.Hour:
		return plural(int(age/time.Minute), "minute")
	case age < 2*day:
		return plural(int(age/time.Hour), "hour")
	}
	return plural(int(age/day), "day")
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// oneLine makes an error, which may repeat what a server said, fit to be
// shown: printable, on one line, not endless.
func oneLine(err error) string {
	const limit = 400
	// protobuf's messages have a no-break space here and there.
	text := strings.NewReplacer("\n", ": ", "\u00a0", " ").Replace(err.Error())
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + " …"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		text = strconv.Quote(text)
	}
	return text
}
