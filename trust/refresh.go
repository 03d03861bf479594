package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/fetcher"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

const (
	// target is the name of the trusted root in a TUF repository.
	target = "trusted_root.json"

	userAgent = "recipe-verify (+https://github.com/recipe-verify/recipe-verify)"

	maxRedirects = 10

	// maxFile is the most bytes of one file of a repository, whatever length
	// the metadata claims. The public-good instance's metadata has 6 KiB at
	// most. go-tuf would take 5 MB, and hundreds of megabytes of memory and
	// seconds to read them, before it checks the signature.
	maxFile = MaxRootFile
)

// RolledBackError says that a TUF repository went back behind what it had said
// before: somebody replays old metadata, or the repository was set back.
type RolledBackError struct {
	// Role is the TUF role: root, timestamp, snapshot or targets.
	Role string
	// Found and Wanted are its version in the answer, and the least that
	// was seen before.
	Found, Wanted int64
}

func (e *RolledBackError) Error() string {
	return fmt.Sprintf("rolled back: found version %d of %s, wanted at least %d", e.Found, e.Role, e.Wanted)
}

// UnavailableError says that a TUF repository did not answer, or not to the end:
// this says nothing about what it would have answered. Any other error of a
// repository is about an answer that did not verify.
type UnavailableError struct {
	// Repository is its address without secrets.
	Repository string
	Err        error
}

func (e *UnavailableError) Error() string { return e.Err.Error() }

func (e *UnavailableError) Unwrap() error { return e.Err }

// verified is a trusted root, the TUF metadata that vouches for it and the
// bytes that prove it.
type verified struct {
	domain Domain
	record *record
	roles  *trustedmetadata.TrustedMetadata
}

// refresh asks the repository. All requests together take at most the time-out.
func (s *Source) refresh(ctx context.Context, l *loading) (*verified, error) {
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("no answer within %s", timeout))
	defer cancel()

	client := s.Client
	if client == nil {
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		client = &http.Client{Transport: transport, CheckRedirect: sameHost}
	}
	web := &webFetcher{ctx: ctx, client: client, base: l.url, got: map[string][]byte{}}
	if l.cached != nil {
		// Roots that verified before are not asked for again: so nobody can
		// keep from us, by a 404, that keys were replaced.
		web.roots = l.cached.record.roots(l.cached.roles.Root.Signed.Version)
	}
	v, err := l.verify(web, l.ref)
	if err != nil {
		if web.failed {
			err = &UnavailableError{l.shown(), err}
		}
		return nil, err
	}
	v.domain.Origin, v.domain.Date = originTUF, l.now
	v.record = &record{Schema: recordSchema, Repository: l.shown(), FetchedAt: l.now, Files: web.got}
	if l.cached != nil {
		if err := notOlder(l.cached.roles, v.roles); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// sameHost is the redirect rule of the default client.
func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if first := via[0].URL; req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		return fmt.Errorf("redirected to another host, %q", req.URL.Scheme+"://"+req.URL.Host)
	}
	return nil
}

// verify runs TUF's client workflow (section 5 of its specification) over what
// f delivers, from the anchor to the trusted root, with expiry judged at ref.
// The files of a cache go through it like those of a repository.
func (in *instance) verify(f fetcher.Fetcher, ref time.Time) (v *verified, err error) {
	// go-tuf v2.4.2 follows null pointers in metadata whose signatures it has
	// not checked yet ("targets": {"x": null}).
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("malformed TUF metadata: %v", r)
		}
	}()
	cfg, err := config.New(in.url, in.root)
	if err != nil {
		return nil, err
	}
	cfg.Fetcher = f
	// go-tuf's own cache is not used: it forgets root rotations, writes even
	// when it only reads, and several files cannot be replaced as one. The
	// updater looks for local files all the same; below a device it finds none.
	cfg.DisableLocalCache = true
	cfg.LocalMetadataDir = filepath.Join(os.DevNull, "none")
	cfg.LocalTargetsDir = cfg.LocalMetadataDir
	up, err := updater.New(cfg)
	if err != nil {
		return nil, err
	}
	up.UnsafeSetRefTime(ref.UTC())
	if err := up.Refresh(); err != nil {
		return nil, err
	}
	info, err := up.GetTargetInfo(target)
	if err != nil {
		return nil, err
	}
	if info.Length > MaxRootFile {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d", target, info.Length, MaxRootFile)
	}
	_, data, err := up.DownloadTarget(info, "", "")
	if err != nil {
		return nil, err
	}
	roles := up.GetTrustedMetadataSet()
	v = &verified{roles: &roles}
	v.domain, err = in.domain(data)
	if err != nil {
		return nil, fmt.Errorf("%s in the TUF repository: %w", target, err)
	}
	v.domain.TUF = describe(&roles)
	v.domain.TUF.Repository = in.shown()
	return v, nil
}

// checkAnchor tells whether trust can begin with a root.json: it is one, and
// signed by its own keys. It may have expired, if a newer one did not.
func checkAnchor(data []byte) (err error) {
	defer func() {
		if r := recover(); r != nil { // as in verify
			err = fmt.Errorf("malformed TUF metadata: %v", r)
		}
	}()
	if _, err := trustedmetadata.New(data); err != nil {
		return errors.New(oneLine(err))
	}
	return nil
}

// domain reads the trusted root of the instance.
func (in *instance) domain(data []byte) (Domain, error) {
	domains, err := Parse(in.name, data)
	if err != nil {
		return Domain{}, err
	}
	if len(domains) != 1 {
		return Domain{}, fmt.Errorf("found %d trusted roots, wanted one", len(domains))
	}
	d := domains[0]
	if in.name == PublicGood {
		// The anchor says whose it is, whatever it replaced since the
		// snapshot; and it never was an instance without logs.
		if d.Require.LogEntries == 0 {
			return Domain{}, &UnsupportedRootError{Lacks: []string{"transparency log"}}
		}
		d.Name, d.Instance = PublicGood, PublicGood
	}
	return d, nil
}

func describe(roles *trustedmetadata.TrustedMetadata) *Metadata {
	targets := roles.Targets[metadata.TARGETS]
	m := &Metadata{
		Root:      roles.Root.Signed.Version,
		Timestamp: roles.Timestamp.Signed.Version,
		Snapshot:  roles.Snapshot.Signed.Version,
		Targets:   targets.Signed.Version,
	}
	m.Expires = slices.MinFunc([]time.Time{
		roles.Root.Signed.Expires, roles.Timestamp.Signed.Expires,
		roles.Snapshot.Signed.Expires, targets.Signed.Expires,
	}, time.Time.Compare)
	return m
}

// notOlder compares versions with those seen before (sections 5.4.3 and 5.5.5
// of TUF's specification). Versions of a role whose keys the root replaced
// since do not count (5.3.11), or who had a stolen key could block updates for
// good by a version that is too high.
func notOlder(old, found *trustedmetadata.TrustedMetadata) error {
	for _, r := range []struct {
		role       string
		old, found int64
	}{
		{metadata.ROOT, old.Root.Signed.Version, found.Root.Signed.Version},
		{metadata.TIMESTAMP, old.Timestamp.Signed.Version, found.Timestamp.Signed.Version},
		{metadata.SNAPSHOT, old.Snapshot.Signed.Version, found.Snapshot.Signed.Version},
		{metadata.TARGETS, old.Targets[metadata.TARGETS].Signed.Version, found.Targets[metadata.TARGETS].Signed.Version},
	} {
		if r.found < r.old && (r.role == metadata.ROOT || sameKeys(old, found, r.role)) {
			return &RolledBackError{Role: r.role, Found: r.found, Wanted: r.old}
		}
	}
	return nil
}

// sameKeys tells whether neither a role's keys nor those of the roles that
// state its version were replaced.
func sameKeys(a, b *trustedmetadata.TrustedMetadata, role string) bool {
	roles := []string{metadata.TIMESTAMP}
	if role != metadata.TIMESTAMP {
		roles = append(roles, metadata.SNAPSHOT)
	}
	for _, r := range roles {
		x, y := a.Root.Signed.Roles[r], b.Root.Signed.Roles[r]
		if x == nil || y == nil {
			return false
		}
		if !maps.Equal(set(x.KeyIDs), set(y.KeyIDs)) {
			return false
		}
	}
	return true
}

func set(ids []string) map[string]bool {
	m := make(map[string]bool, len(ids))
	for _, id := range ids {
		m[id] = true
	}
	return m
}

// webFetcher gets files from the repository and keeps them.
type webFetcher struct {
	// ctx limits the whole attempt; go-tuf's interface has no room for it.
	ctx    context.Context
	client *http.Client
	base   string
	roots  map[string][]byte // verified before
	got    map[string][]byte
	// failed tells whether the last file did not come, or not whole. What
	// go-tuf makes of its fetcher's errors may not say so any more.
	failed bool
}

var _ fetcher.Fetcher = (*webFetcher)(nil)

// DownloadFile returns a file of at most maxLength bytes.
func (f *webFetcher) DownloadFile(address string, maxLength int64, _ time.Duration) ([]byte, error) {
	name, ok := strings.CutPrefix(address, f.base+"/")
	if !ok {
		return nil, fmt.Errorf("%s is not below the repository's address", fileName(address))
	}
	maxLength = min(maxLength, maxFile)
	data, ok := f.roots[name]
	f.failed = false
	if !ok {
		var err error
		if data, err = f.get(address, maxLength); err != nil {
			return nil, err
		}
	}
	f.got[recordName(name)] = data
	return data, nil
}

func (f *webFetcher) get(address string, maxLength int64) (data []byte, err error) {
	f.failed = true
	req, err := http.NewRequestWithContext(f.ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: the address is not usable", fileName(address))
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, f.explain(address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: resp.StatusCode, URL: fileName(address)}
	}
	data, err = io.ReadAll(io.LimitReader(resp.Body, maxLength+1))
	if err != nil {
		return nil, f.explain(address, err)
	}
	f.failed = false
	if int64(len(data)) > maxLength {
		return nil, fmt.Errorf("%s has more than %d bytes", fileName(address), maxLength)
	}
	return data, nil
}

// explain words a failed request without its address, which may hold a secret.
func (f *webFetcher) explain(address string, err error) error {
	if cause := context.Cause(f.ctx); cause != nil {
		return cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%s: %w", fileName(address), err)
}

func fileName(address string) string {
	return address[strings.LastIndexByte(address, '/')+1:]
}
