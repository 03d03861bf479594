package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recipe-verify/recipe-verify/digest"
)

// Limits. Going over one is an error, never a truncation.
const (
	DefaultTimeout     = 30 * time.Second
	DefaultMaxArchive  = int64(16) << 30 // bytes
	DefaultMaxDocument = int64(16) << 20 // bytes
	MaxRedirects       = 10
	MaxRetries         = 4
	MaxURLs            = 64 // in one list of an archive's URLs

	maxHeader     = 256 << 10       // bytes of an answer's header
	maxRetryAfter = 2 * time.Minute // a server that asks for more is unavailable
	maxPause      = 8 * time.Second // between two attempts, where the server asks for none
	firstPause    = 250 * time.Millisecond
	bufferSize    = 1 << 20 // bytes

	// An archive that keeps sending, but less than minRate bytes a second over
	// slowWindows time-outs, is given up: a byte now and then is no progress.
	minRate     = 1 << 10
	slowWindows = 10

	progressEvery = 100 * time.Millisecond
)

// DefaultUserAgent names the tool and its address, as PyPI asks for.
const DefaultUserAgent = "recipe-verify (+https://github.com/recipe-verify/recipe-verify)"

// Client fetches documents and archives. The zero value is ready to use. Its
// fields must not change after the first call; its methods may be called
// concurrently.
type Client struct {
	// UserAgent is sent with each request; DefaultUserAgent if empty.
	UserAgent string
	// Mirrors are asked in the place of the URLs that they cover.
	Mirrors []Mirror
	// Offline makes no connection: only folder mirrors and file: URLs work.
	Offline bool
	// Timeout is the longest time without progress, DefaultTimeout if 0. A
	// document must be complete within it, all attempts included. Of an
	// archive the first byte must come within it, all attempts included, and
	// from then on some byte.
	Timeout time.Duration
	// MaxArchive is the largest archive in bytes, DefaultMaxArchive if 0.
	MaxArchive int64
	// Retries is how often a request is tried again: MaxRetries if 0 or more
	// than that, not at all if negative.
	Retries int
	// FirstPause is the time before the first retry, doubled before each
	// further one, all with jitter; 250 ms if 0.
	FirstPause time.Duration
	// Env gives environment variables: HTTP_PROXY, HTTPS_PROXY, NO_PROXY,
	// NETRC, HOME. os.Getenv if nil.
	Env func(string) string
	// Tokens are bearer tokens by host ("api.github.com", or host:port). They
	// are sent over https to exactly that host and to nobody else. An http
	// address gets one only if it is a loopback address.
	Tokens map[string]string
	// Limits say how often hosts are asked, by host ("pypi.org", or host:port)
	// or OtherHosts; they replace DefaultLimits host by host.
	Limits map[string]Limit
	// MaxWait is the longest pause that a host may ask for (Retry-After,
	// X-RateLimit-Reset) before calls fail with a *QuotaError instead of
	// waiting: Timeout if 0, at most two minutes.
	MaxWait time.Duration
	// Cache keeps documents on disk for later runs; nil for none.
	Cache *Cache
	// Once asks for each document at most once in the client's life: a later
	// call gets the same answer, as long as it is among the last ones (see
	// maxRemembered) or in Cache. Calls at the same time share a request.
	Once bool
	// RootCAs are the certificate authorities for https; the system's if nil.
	RootCAs *x509.CertPool
	// Logger gets retries and warnings, URLs redacted; nil for none.
	Logger *slog.Logger

	once    sync.Once
	engine  *engine
	buffers sync.Pool

	// For tests, which have loopback addresses only.
	classify func(netip.Addr) reach
	resolver *net.Resolver
}

// engine is what a Client makes of its fields at the first call.
type engine struct {
	http      *http.Client
	transport *guard
	mirrors   []Mirror
	tokens    map[string]string
	logins    map[string]login
	log       *slog.Logger
	userAgent string
	timeout   time.Duration
	pause     time.Duration
	retries   int
	memory    *memory

	shared, cacheHits atomic.Int64
	cacheWarning      sync.Once
}

func (c *Client) start() *engine {
	c.once.Do(func() {
		env := c.Env
		if env == nil {
			env = os.Getenv
		}
		e := &engine{
			mirrors:   c.Mirrors,
			tokens:    map[string]string{},
			log:       c.Logger,
			userAgent: c.UserAgent,
			timeout:   c.Timeout,
			pause:     c.FirstPause,
			retries:   c.Retries,
			memory:    newMemory(),
		}
		if e.log == nil {
			e.log = slog.New(slog.DiscardHandler)
		}
		if e.userAgent == "" {
			e.userAgent = DefaultUserAgent
		}
		if e.timeout <= 0 {
			e.timeout = DefaultTimeout
		}
		if e.pause <= 0 {
			e.pause = firstPause
		}
		if e.retries == 0 || e.retries > MaxRetries {
			e.retries = MaxRetries
		}
		e.retries = max(e.retries, 0)
		for host, token := range c.Tokens {
			e.tokens[strings.ToLower(host)] = token
		}
		logins, err := readNetrc(env)
		if err != nil {
			e.log.Warn("no credentials from netrc", "error", err)
		}
		e.logins = logins
		classify := c.classify
		if classify == nil {
			classify = reachOf
		}
		maxWait := c.MaxWait
		if maxWait <= 0 {
			maxWait = min(e.timeout, maxRetryAfter)
		}
		e.transport = newGuard(env, e.timeout, c.RootCAs, classify, c.resolver, newGates(c.Limits, maxWait, e.pause))
		e.http = &http.Client{Transport: e.transport, CheckRedirect: e.checkRedirect}
		c.engine = e
	})
	return c.engine
}

// Close closes connections that are idle. The client can still be used.
func (c *Client) Close() { c.start().transport.closeIdle() }

// Document is a small file that was fetched whole. Callers may share its body
// and header, which must not be changed.
type Document struct {
	URL     string // as asked for
	Address string // where it was found, after mirrors and redirects; redacted
	Body    []byte
	Header  http.Header // empty for files; from the cache a few fields only
	// Cached tells that the bytes come from the cache on disk, and Checked when
	// the server last said that it has the same: now, unless the cache was used
	// without asking. Checked is zero for what was fetched.
	Cached  bool
	Checked time.Time
}

// DocumentOptions say how a document is fetched.
type DocumentOptions struct {
	// Accept is the header of that name; none if empty.
	Accept string
	// MaxBytes is the largest body, DefaultMaxDocument if 0.
	MaxBytes int64
	// Anonymous leaves out all credentials.
	Anonymous bool
	// Foreign says that an answer named the address, and neither a recipe nor
	// the user did: it is treated as a redirect of a public host is, so it must
	// be an https one of a public address. No credentials are sent.
	Foreign bool
}

// Document fetches a document, or takes it from Cache. A nil error means that
// the answer had status 200 and arrived completely, now or earlier. Otherwise
// the error is a [*NotFoundError], [*UnavailableError], [*QuotaError],
// [*RefusedError] or [*TooLargeError], or wraps context.Canceled.
func (c *Client) Document(ctx context.Context, rawURL string, o DocumentOptions) (*Document, error) {
	r := request{url: rawURL, accept: o.Accept, limit: o.MaxBytes, anonymous: o.Anonymous || o.Foreign, foreign: o.Foreign}
	if r.limit <= 0 {
		r.limit = DefaultMaxDocument
	}
	if c.Once {
		return c.remembered(ctx, r)
	}
	return c.document(ctx, r, false)
}

// Archive is what was measured of an archive, read to its end.
type Archive struct {
	URL     string // of those asked for, the one that worked
	Address string // where it was found, after mirrors and redirects; redacted
	SHA256  digest.SHA256
	MD5     digest.MD5 // only with HasMD5
	HasMD5  bool
	Size    int64 // bytes
}

// ArchiveOptions say how an archive is fetched.
type ArchiveOptions struct {
	// MD5 measures the MD5 too, at 2.7 times the cost of the SHA-256.
	MD5 bool
	// Progress is told how far the transfer is, from the goroutine that calls
	// Archive, at most ten times a second and once at the end.
	Progress func(Progress)
	// Done is told each URL that Progress was told of, once it will not be
	// again.
	Done func(url string)
	// Keep is given the archive's bytes, too; nil for nobody. What it was given
	// is the archive only if no error comes of the call.
	Keep Keeper
}

// Progress is how far a transfer is.
type Progress struct {
	URL     string // as asked for
	Address string // where it is fetched from, redacted
	Bytes   int64  // so far; falls to 0 where a transfer starts again
	Total   int64  // -1 where it is not known
}

// Archive fetches an archive and measures its digests. The URLs are mirrors of
// each other, tried in order until one has it. A nil error means that all of
// it was read, to the end that the server announced; nothing is said about
// whether the digest is the wanted one.
//
// Otherwise the error is as for [Client.Document], or a [*KeepError]. Where all
// of several URLs failed it is a *NotFoundError only if each one said so.
func (c *Client) Archive(ctx context.Context, urls []string, o ArchiveOptions) (*Archive, error) {
	switch {
	case len(urls) == 0:
		return nil, errors.New("found no address of the archive, wanted at least one")
	case len(urls) > MaxURLs:
		return nil, &RefusedError{URL: urls[0], Found: fmt.Sprintf("%d addresses of one archive", len(urls)), Wanted: fmt.Sprintf("at most %d", MaxURLs)}
	}
	var failures []error
	for _, u := range urls {
		archive, err := c.archive(ctx, u, o)
		if err == nil {
			return archive, nil
		}
		if _, ours := kept(err); ours || ctx.Err() != nil {
			return nil, err
		}
		failures = append(failures, err)
	}
	return nil, joinMirrors(failures)
}

func (c *Client) archive(ctx context.Context, rawURL string, o ArchiveOptions) (*Archive, error) {
	measured := newArchiveBody(o.MD5)
	var to body = measured
	if o.Keep != nil {
		k := &keeping{archiveBody: measured, url: rawURL, keeper: o.Keep}
		if k.Reset(); k.failed != nil {
			return nil, k.failed
		}
		to = k
	}
	r := request{url: rawURL, limit: c.MaxArchive, archive: true, progress: o.Progress}
	if r.limit <= 0 {
		r.limit = DefaultMaxArchive
	}
	if o.Progress != nil && o.Done != nil {
		defer o.Done(rawURL)
	}
	got, err := c.fetch(ctx, r, to)
	if k, ok := to.(*keeping); ok && k.failed != nil {
		return nil, k.failed // whatever became of the transfer that went on
	}
	if err != nil {
		return nil, err
	}
	a := &Archive{URL: rawURL, Address: got.address, HasMD5: o.MD5, Size: got.size}
	measured.sums(a)
	return a, nil
}

// request is one URL to fetch.
type request struct {
	url       string
	accept    string
	limit     int64 // bytes
	anonymous bool
	foreign   bool
	archive   bool
	progress  func(Progress)
	known     *entry // what is asked for on condition that it has changed
}

// outcome is what is known of a complete transfer beside its bytes.
type outcome struct {
	address     string
	header      http.Header
	size        int64
	resource    string // that the header's validators are of; empty for files
	notModified bool   // since the answer that is known
	credentials bool   // were sent, to whomever
}

// fetch obtains one URL, from wherever the mirrors say, and again from there
// where a redirect leads to a URL that a mirror covers.
func (c *Client) fetch(ctx context.Context, r request, to body) (outcome, error) {
	e := c.start()
	if err := ctx.Err(); err != nil {
		return outcome{}, cancelled(ctx, r.url)
	}
	u, err := parseURL(r.url)
	if err != nil {
		return outcome{}, err
	}
	if r.foreign && (u.Scheme != "https" || u.User != nil) {
		return outcome{}, &RefusedError{URL: r.url, Found: "an address that an answer names, and that is no plain https one", Wanted: "https://host/path"}
	}
	t := newTransfer(ctx, c, e, r, to)
	defer t.stop()
	for {
		at, err := locate(e.mirrors, u)
		switch {
		case err != nil:
			return outcome{}, refusedPlace(r.url, "", err)
		case at.remote == nil:
			return t.file(at)
		case c.Offline:
			return outcome{}, &RefusedError{
				URL: r.url, Target: redactURL(at.remote),
				Found: "an address in the network", Wanted: "a folder mirror or a file: address, for the run is offline",
				hint: "name a folder with --mirror FROM=TO, or leave out --offline",
			}
		}
		t.standsFor = canonicalHost(u)
		got, err := t.remote(at)
		var moved *coveredRedirect
		if !errors.As(err, &moved) {
			return got, err
		}
		u = moved.to
		t.forget()
	}
}

// parseURL reads a URL that a recipe names.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &RefusedError{URL: raw, Found: "a malformed address", Wanted: "scheme://host/path"}
	}
	u.Fragment, u.RawFragment = "", ""
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" || u.Opaque != "" {
			return nil, &RefusedError{URL: raw, Found: "an address without a host", Wanted: "scheme://host/path"}
		}
		if err := asciiHost(u); err != nil {
			return nil, &RefusedError{URL: raw, Found: err.Error(), Wanted: "the name of a host, or its address"}
		}
	case "file":
	default:
		return nil, &RefusedError{URL: raw, Found: "an address with another scheme", Wanted: "http, https or file"}
	}
	return u, nil
}
