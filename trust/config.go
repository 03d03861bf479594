package trust

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Config says whom to believe: the public-good instance, roots from files, and
// private instances kept current by TUF, in any number and beside each other.
// The zero value is the public-good instance alone.
//
// Every instance remains a domain of its own, with its own requirements: what
// one is allowed to do without is not spared any other. See [Compatible] for
// the one case in which that could go wrong, which is refused.
type Config struct {
	// PublicGood keeps Sigstore's public-good instance, or leaves it out. nil
	// stands for: in use where nothing else is named.
	PublicGood *bool
	// Roots are files of trusted roots. Nobody is asked about them.
	Roots []RootFile
	// TUF are the repositories of private instances.
	TUF []TUFRepository

	// Offline, CacheDir, Timeout, Client and Now are those of a [Source]. The
	// time-out is for each repository.
	Offline  bool
	CacheDir string
	Timeout  time.Duration
	Client   *http.Client
	Now      func() time.Time
}

// RootFile is a file of trusted roots, as [Parse] reads it.
type RootFile struct {
	Path string
	// InsecureWithout names the logs that the private instances in this file
	// do not have, and that their certificates need not show. Signed time
	// stamps are demanded in the place of a transparency log; nothing takes
	// that of a certificate log. It is refused for a root that has such a log,
	// and for whatever belongs to the public-good instance or GitHub's; so the
	// file must hold no other roots.
	InsecureWithout []Log
}

// TUFRepository is where a private instance publishes its trusted root, under
// the name trusted_root.json. Mirrors of the public-good repository may be
// named too; they have no embedded snapshot to fall back on.
type TUFRepository struct {
	// URL is an http or https address.
	URL string
	// RootPath is the file with the repository's root.json, of any version
	// since which nobody could replace it: trust begins there.
	RootPath string
}

// Log is a kind of log that a private instance may lack.
type Log string

// The kinds of logs.
const (
	TransparencyLog Log = "transparency-log"
	CertificateLog  Log = "certificate-log"
)

// ParseLog reads the name of a kind of log.
func ParseLog(s string) (Log, error) {
	switch l := Log(s); l {
	case TransparencyLog, CertificateLog:
		return l, nil
	}
	return "", fmt.Errorf("found %q, wanted %s or %s", s, TransparencyLog, CertificateLog)
}

// usePublicGood tells whether the public-good instance is in use.
func (c Config) usePublicGood() bool {
	if c.PublicGood != nil {
		return *c.PublicGood
	}
	return len(c.Roots) == 0 && len(c.TUF) == 0
}

// RootFiles are files of instances that have all logs, or are GitHub's.
func RootFiles(paths ...string) []RootFile {
	var files []RootFile
	for _, path := range paths {
		files = append(files, RootFile{Path: path})
	}
	return files
}

// Places says in words where the domains come from, without secrets.
func (c Config) Places() []string {
	how := "refreshed by TUF, at most daily"
	if c.Offline {
		how = "from the TUF cache"
	}
	var places []string
	if c.usePublicGood() {
		if c.Offline {
			places = append(places, "Sigstore's public-good instance (from the cache or the embedded snapshot)")
		} else {
			places = append(places, "Sigstore's public-good instance ("+how+")")
		}
	}
	for _, t := range c.TUF {
		shown := "a TUF repository"
		if u, err := repositoryURL(t.URL); err == nil {
			shown = redact(u)
		}
		places = append(places, shown+" ("+how+")")
	}
	for _, f := range c.Roots {
		place := f.Path
		for _, l := range f.InsecureWithout {
			place += " (without " + string(l) + ")"
		}
		places = append(places, place)
	}
	return places
}

// Load is [Config.Open] and [Loader.Load] in one.
func (c Config) Load(ctx context.Context) (*Roots, error) {
	l, err := c.Open()
	if err != nil {
		return nil, err
	}
	return l.Load(ctx)
}

// Update is [Config.Open] and [Loader.Update] in one.
func (c Config) Update(ctx context.Context) ([]Update, error) {
	l, err := c.Open()
	if err != nil {
		return nil, err
	}
	return l.Update(ctx)
}

// Loader is a Config whose files have been read. It asks TUF repositories when
// it is told to, and may be used by several goroutines.
type Loader struct {
	files   []Domain
	sources []namedSource
}

// namedSource is one instance that is kept current by TUF.
type namedSource struct {
	*Source
	in *instance
}

// Open reads the files that the configuration names, and asks nobody. An error
// means that the configuration is wrong: it names nobody to believe, a file
// that cannot be read or holds no usable root, no address, or two domains that
// are not [Compatible].
func (c Config) Open() (*Loader, error) {
	l := &Loader{}
	if c.usePublicGood() {
		if err := l.addSource(c.source("", nil)); err != nil {
			return nil, err
		}
	}
	for _, t := range c.TUF {
		anchor, err := readFile(t.RootPath, MaxRootFile)
		if err != nil {
			return nil, fmt.Errorf("TUF root: %w", err)
		}
		if err := checkAnchor(anchor); err != nil {
			return nil, fmt.Errorf("TUF root %q: %w\nhint: give the repository's root.json, for instance from %s", t.RootPath, err, "https://HOST/1.root.json, over a way that you trust")
		}
		if err := l.addSource(c.source(t.URL, anchor)); err != nil {
			return nil, err
		}
	}
	for _, f := range c.Roots {
		domains, err := fromFile(f)
		if err != nil {
			return nil, err
		}
		l.files = append(l.files, domains...)
	}
	if len(l.sources) == 0 && len(l.files) == 0 {
		return nil, errors.New("no trusted root is named, and the public-good instance is switched off\nhint: name a file with --trusted-root FILE, or remove public_good: false")
	}
	_, err := joined(l.files)
	return l, err
}

func (c Config) source(url string, anchor []byte) *Source {
	return &Source{
		Offline: c.Offline, CacheDir: c.CacheDir, Timeout: c.Timeout, Client: c.Client, Now: c.Now,
		MirrorURL: url, Root: anchor,
	}
}

func (l *Loader) addSource(s *Source) error {
	in, err := s.instance()
	if err != nil {
		return err
	}
	l.sources = append(l.sources, namedSource{s, in})
	return nil
}

// Load returns all domains: those kept current by TUF first, as [Source.Load]
// finds them, then those from files, in the order of the configuration. A root
// that is there twice is one domain, and each domain has a name of its own.
//
// A nil error means that every instance that the configuration names is there:
// none is left out because it could not be reached. The other outcomes are
// those of [Source.Load], and a *[ConflictError].
func (l *Loader) Load(ctx context.Context) (*Roots, error) {
	all := &Roots{}
	for _, s := range l.sources {
		found, err := s.load(ctx, s.in)
		if err != nil {
			return nil, err
		}
		all.Domains = append(all.Domains, found.Domains...)
		all.Warnings = append(all.Warnings, found.Warnings...)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var err error
	all.Domains, err = joined(append(all.Domains, l.files...))
	if err != nil {
		return nil, err
	}
	return all, nil
}

// joined drops domains that are there already, gives each a name of its own,
// and refuses those that would weaken each other.
func joined(domains []Domain) ([]Domain, error) {
	type root struct {
		sum     [sha256.Size]byte
		require Requirements
	}
	seen, names := map[root]bool{}, map[string]bool{}
	var all []Domain
	for _, d := range domains {
		var b bytes.Buffer
		if err := json.Compact(&b, d.JSON); err != nil {
			return nil, fmt.Errorf("trusted root %q: %w", d.Name, err)
		}
		key := root{sha256.Sum256(b.Bytes()), d.Require}
		if seen[key] {
			continue
		}
		seen[key] = true
		name := d.Name
		for n := 2; names[name]; n++ {
			name = fmt.Sprintf("%s:%d", d.Name, n)
		}
		names[name] = true
		d.Name = name
		all = append(all, d)
	}
	return all, Compatible(all)
}
