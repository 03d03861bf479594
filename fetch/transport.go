package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// guard is the transport of all requests. It decides where a request may go,
// and keeps a pool of connections for each answer to that: one that was made
// for a recipe's own private host must not serve a redirect.
type guard struct {
	direct   [forbidden]*http.Transport // by the reach that addresses may have
	proxied  *http.Transport            // to the user's proxy, which resolves names
	proxy    func(*url.URL) (*url.URL, error)
	classify func(netip.Addr) reach
	gates    *gates
}

// connectTimeout is the most that a connection, and then TLS, may take, so that
// a host that swallows packets is known for dead before long.
const connectTimeout = 10 * time.Second

// trip is what is known of one chain of redirects. It travels in the context
// of the requests.
type trip struct {
	asked     string // the URL as asked for
	hops      int    // redirects before this chain
	mirrored  bool
	standsFor string       // with mirrored: the host whose URL was asked for
	foreign   bool         // an answer named the address
	origin    atomic.Int32 // the reach of the address that was connected to first
	dog       *watchdog    // sleeps while a request waits for its turn
}

type tripKey struct{}

func tripOf(ctx context.Context) *trip {
	t, _ := ctx.Value(tripKey{}).(*trip)
	return t
}

// addressError says that the address that a name resolved to is not allowed.
type addressError struct {
	addr    netip.Addr
	is, max reach
}

func (e *addressError) Error() string {
	return fmt.Sprintf("the %s address %s is not allowed", e.is, e.addr)
}

func allowed(limit reach) string {
	switch limit {
	case public:
		return "a public one, as of the host that redirected there"
	case private:
		return "none closer to this machine than that of the host that redirected there"
	}
	return "any but link-local, unspecified and multicast ones"
}

// hintFor says what to do about a refused address, if anything.
func hintFor(is, limit reach) string {
	if is == forbidden || limit == loopback {
		return ""
	}
	return "if that server is the right one, name its address in the recipe, or as a mirror with --mirror FROM=TO"
}

func newGuard(env func(string) string, timeout time.Duration, roots *x509.CertPool, classify func(netip.Addr) reach, resolver *net.Resolver, gates *gates) *guard {
	g := &guard{classify: classify, proxy: proxyFunc(env), gates: gates}
	for limit := range g.direct {
		g.direct[limit] = newTransport(timeout, roots, &net.Dialer{
			Timeout:        min(timeout, connectTimeout),
			Resolver:       resolver,
			ControlContext: g.control(reach(limit)),
		})
	}
	g.proxied = newTransport(timeout, roots, &net.Dialer{Timeout: min(timeout, connectTimeout), Resolver: resolver})
	g.proxied.Proxy = func(r *http.Request) (*url.URL, error) { return g.proxy(r.URL) }
	return g
}

func newTransport(timeout time.Duration, roots *x509.CertPool, dialer *net.Dialer) *http.Transport {
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    min(timeout, connectTimeout),
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: timeout / 2, PingTimeout: timeout / 2},
		MaxIdleConnsPerHost:    64, // with the default of 2 a request costs 40 % more
		MaxIdleConns:           256,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
}

func (g *guard) closeIdle() {
	for _, t := range g.direct {
		t.CloseIdleConnections()
	}
	g.proxied.CloseIdleConnections()
}

// control checks the resolved address at the last moment before the connection
// is made, where no name can resolve differently any more.
func (g *guard) control(limit reach) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("found the address %q, wanted an IP address and port", address)
		}
		if is := g.classify(ap.Addr()); is > limit {
			return &addressError{addr: ap.Addr(), is: is, max: limit}
		}
		return nil
	}
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	t := tripOf(r.Context())
	if t == nil {
		return nil, errors.New("a request from outside of this package")
	}
	// The recipe's own address, or a mirror's, may be close to this machine.
	// net/http sets Response on requests that follow a redirect only.
	first, limit := r.Response == nil, loopback
	switch {
	case !first:
		limit = reach(t.origin.Load())
	case t.foreign:
		limit = public
	}
	is, err := reachOfHost(r.URL.Hostname(), g.classify)
	switch {
	case err != nil:
		return nil, t.refuse(r.URL, err.Error(), "the name of a host, or its address")
	case is > limit:
		e := t.refuse(r.URL, fmt.Sprintf("a %s address", is), allowed(limit))
		e.hint = hintFor(is, limit)
		return nil, e
	}
	via, err := g.proxy(r.URL)
	if err != nil {
		return nil, &UnavailableError{
			URL: t.asked, Found: "a malformed proxy address in the environment", Wanted: "http://host:port",
			hint: "correct HTTP_PROXY or HTTPS_PROXY",
		}
	}
	if via != nil {
		if first {
			t.origin.Store(int32(is))
		}
		return g.send(g.proxied, r, t, is)
	}
	if first {
		t.origin.Store(int32(is))
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) {
				if ap, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String()); err == nil {
					t.origin.Store(int32(g.classify(ap.Addr())))
				}
			},
		}))
	}
	return g.send(g.direct[limit], r, t, is)
}

// send makes a request when it is its turn.
func (g *guard) send(by http.RoundTripper, r *http.Request, t *trip, is reach) (*http.Response, error) {
	gate := g.gates.of(canonicalHost(r.URL), is)
	leave, err := gate.turn(r.Context(), r.URL.Scheme, t.dog)
	if err != nil {
		return nil, err
	}
	gate.begins(r)
	resp, err := by.RoundTrip(r)
	if err != nil {
		if counts(r.Context(), err) {
			gate.unanswered(r.URL.Scheme, err)
		}
		leave()
		return nil, err
	}
	gate.answered(r.URL.Scheme, resp)
	resp.Body = &turnBody{resp.Body, leave}
	return checkLocation(resp)
}

// turnBody ends a request's turn with its body.
type turnBody struct {
	io.ReadCloser
	leave func()
}

func (b *turnBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.leave()
	}
	return n, err
}

func (b *turnBody) Close() error {
	b.leave()
	return b.ReadCloser.Close()
}

// checkLocation keeps net/http from quoting a malformed Location, which may
// hold secrets, in its error.
func checkLocation(resp *http.Response) (*http.Response, error) {
	if resp.StatusCode < 300 || resp.StatusCode > 399 || resp.Header.Get("Location") == "" {
		return resp, nil
	}
	if _, err := resp.Location(); err != nil {
		resp.Body.Close()
		return nil, errors.New("a redirect to a malformed address")
	}
	return resp, nil
}

func (t *trip) refuse(u *url.URL, found, wanted string) *RefusedError {
	return &RefusedError{URL: t.asked, Target: redactURL(u), Found: found, Wanted: wanted}
}

// coveredRedirect says that a redirect leads to a URL that a mirror covers.
type coveredRedirect struct {
	to   *url.URL
	hops int
}

func (e *coveredRedirect) Error() string { return "redirected to a mirrored address" }

// checkRedirect decides whether a redirect is followed, for http.Client.
func (e *engine) checkRedirect(r *http.Request, via []*http.Request) error {
	t := tripOf(r.Context())
	hops := t.hops + len(via)
	if hops > MaxRedirects {
		return t.refuse(r.URL, fmt.Sprintf("more than %d redirects", MaxRedirects), "an answer")
	}
	if s := r.URL.Scheme; s != "http" && s != "https" {
		return t.refuse(r.URL, fmt.Sprintf("a redirect to the scheme %q", s), "https")
	}
	if r.URL.Scheme == "http" {
		for _, v := range via {
			if v.URL.Scheme == "https" {
				e := t.refuse(r.URL, "a redirect from https to http", "https")
				e.hint = "name an https address that does not lead to http"
				return e
			}
		}
	}
	if err := asciiHost(r.URL); err != nil {
		return t.refuse(r.URL, err.Error(), "the name of a host, or its address")
	}
	// Userinfo in a redirect is the server's choice, not the user's.
	r.URL.User = nil
	// The Referer would carry the query of the address before.
	r.Header.Del("Referer")
	if !sameOrigin(r.URL, via[0].URL) {
		r.Header.Del("Authorization")
	}
	if t.mirrored {
		// A mirror may keep its files elsewhere, but not send to the host that
		// it stands for.
		if canonicalHost(r.URL) == t.standsFor {
			return t.refuse(r.URL, "a redirect from the mirror back to the host that it stands for", "the mirror's own copy")
		}
		return nil
	}
	at, err := locate(e.mirrors, r.URL)
	if err != nil {
		return refusedPlace(t.asked, redactURL(r.URL), err)
	}
	if at.mirrored {
		return &coveredRedirect{to: r.URL, hops: hops}
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && canonicalHost(a) == canonicalHost(b)
}

// proxyFunc reads the proxy variables once, as curl and Go do, the upper-case
// name before the lower-case one.
func proxyFunc(env func(string) string) func(*url.URL) (*url.URL, error) {
	either := func(upper, lower string) string {
		if v := env(upper); v != "" {
			return v
		}
		return env(lower)
	}
	cfg := httpproxy.Config{
		HTTPProxy:  either("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: either("HTTPS_PROXY", "https_proxy"),
		NoProxy:    either("NO_PROXY", "no_proxy"),
		CGI:        env("REQUEST_METHOD") != "",
	}
	return cfg.ProxyFunc()
}
