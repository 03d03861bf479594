package fetch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit says how often a host is asked. The zero value of a field is no limit.
type Limit struct {
	PerSecond float64 // requests begun in a second, evenly spaced
	AtOnce    int     // requests that run at a time, bodies included
}

// OtherHosts is the key of Client.Limits for hosts that it does not name.
const OtherHosts = "*"

// DefaultLimits are the limits of hosts that Client.Limits says nothing about.
// PyPI publishes no limit; spec/evidence.md keeps to tens of requests a second.
// GitHub asks for no more than 100 requests at a time, and 900 points a minute.
func DefaultLimits() map[string]Limit {
	return map[string]Limit{
		"pypi.org":                             {PerSecond: 20, AtOnce: 10},
		"files.pythonhosted.org":               {PerSecond: 20, AtOnce: 10},
		"api.github.com":                       {PerSecond: 10, AtOnce: 8},
		"github.com":                           {PerSecond: 10, AtOnce: 8},
		"release-assets.githubusercontent.com": {PerSecond: 20, AtOnce: 10},
		"objects.githubusercontent.com":        {PerSecond: 20, AtOnce: 10},
		"tmaproduction.blob.core.windows.net":  {PerSecond: 20, AtOnce: 10}, // GitHub's attestations
		OtherHosts:                             {PerSecond: 10, AtOnce: 8},
	}
}

// ParseLimit reads "HOST=RATE/CONCURRENCY", for instance pypi.org=20/10; HOST
// may be OtherHosts, and either number 0 for no limit.
func ParseLimit(s string) (host string, l Limit, err error) {
	bad := fmt.Errorf("found %q, wanted HOST=RATE/CONCURRENCY, for example pypi.org=20/10", s)
	host, numbers, ok := strings.Cut(s, "=")
	perSecond, atOnce, both := strings.Cut(numbers, "/")
	if !ok || !both || host == "" || strings.ContainsAny(host, "/@ ") {
		return "", Limit{}, bad
	}
	l.PerSecond, err = strconv.ParseFloat(perSecond, 64)
	if err != nil || !(l.PerSecond >= 0) || math.IsInf(l.PerSecond, 0) {
		return "", Limit{}, bad
	}
	n, err := strconv.ParseUint(atOnce, 10, 16)
	if err != nil {
		return "", Limit{}, bad
	}
	l.AtOnce = int(n)
	return plainHost(host), l, nil
}

const (
	// A host that cannot be connected to so many times in a row, with no
	// answer in between, counts as dead. One call makes fewer attempts.
	deadAfter = 8
	// A dead host is tried again that often, by one request.
	deadFor = 30 * time.Second
	// The longest that a host which says 429 and not until when is left alone.
	maxBlindPause = time.Minute
)

// QuotaError says that a host wants no more requests before a time, and that
// the time is further away than this client waits (see Client.MaxWait). It
// wraps an [*UnavailableError].
type QuotaError struct {
	Host  string    // and its port, where that is not the scheme's
	Reset time.Time // when the host may be asked again
	Err   *UnavailableError
}

// Error names the URL, redacted, what was found and what was wanted.
func (e *QuotaError) Error() string { return e.Err.Error() }

// Unwrap gives the *UnavailableError.
func (e *QuotaError) Unwrap() error { return e.Err }

// Hint says when to go on.
func (e *QuotaError) Hint() string {
	hint := "go on after " + e.Reset.UTC().Format(time.RFC3339)
	if e.Host == "api.github.com" {
		hint += "; with a token in GITHUB_TOKEN GitHub allows more"
	}
	return hint
}

// blockedError is what a gate refuses a request with, before anything is sent.
type blockedError struct {
	host  string
	until time.Time
	wait  time.Duration
	why   string
}

func (e *blockedError) Error() string { return e.why }

// deadError is what a gate refuses requests to a dead host with.
type deadError struct {
	host  string
	cause error // of the last attempt
}

func (e *deadError) Error() string { return innermost(e.cause).Error() }
func (e *deadError) Unwrap() error { return e.cause }

// gates holds the gate of each host.
type gates struct {
	limits  map[string]Limit
	maxWait time.Duration
	pause   time.Duration // the first after a 429 that says nothing

	mu    sync.Mutex
	hosts map[string]*gate
}

func newGates(limits map[string]Limit, maxWait, pause time.Duration) *gates {
	g := &gates{limits: DefaultLimits(), maxWait: maxWait, pause: pause, hosts: map[string]*gate{}}
	for host, limit := range limits {
		g.limits[plainHost(host)] = limit
	}
	return g
}

// plainHost writes a host as canonicalHost does.
func plainHost(host string) string {
	host = strings.ToLower(host)
	name, port, ok := strings.Cut(host, ":")
	if ok && !strings.Contains(port, ":") {
		return strings.TrimSuffix(name, ".") + ":" + port
	}
	return strings.TrimSuffix(host, ".")
}

// of gives the gate of a host. Hosts on this machine have no limit unless they
// are named: they are nobody's but the user's.
func (g *gates) of(host string, is reach) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h, ok := g.hosts[host]; ok {
		return h
	}
	limit, named := g.limits[host]
	if !named && is != loopback {
		limit = g.limits[OtherHosts]
	}
	h := &gate{host: host, gates: g, every: rate.NewLimiter(rate.Inf, 1), lives: map[string]*life{}}
	if limit.PerSecond > 0 {
		h.every = rate.NewLimiter(rate.Limit(limit.PerSecond), 1)
	}
	if limit.AtOnce > 0 {
		h.slots = make(chan struct{}, limit.AtOnce)
	}
	g.hosts[host] = h
	return h
}

func (g *gates) all() map[string]*gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.hosts)
}

// gate lets requests to one host through.
type gate struct {
	host  string
	gates *gates
	every *rate.Limiter
	slots chan struct{} // nil for no limit

	mu    sync.Mutex
	until time.Time // no request before
	why   string
	blind int              // answers in a row with 429 and no time
	lives map[string]*life // by scheme: another port may have nobody behind it
	stats HostStats
}

// life says whether somebody answers.
type life struct {
	failed  int // attempts in a row without an answer
	last    error
	probeAt time.Time // when the dead are tried again
}

// life gives the state of a host's port. The caller holds the lock.
func (h *gate) life(scheme string) *life {
	if h.lives[scheme] == nil {
		h.lives[scheme] = &life{}
	}
	return h.lives[scheme]
}

// turn is enter for a request that a watchdog watches: waiting for one's turn is
// not the server's slowness.
func (h *gate) turn(ctx context.Context, scheme string, dog *watchdog) (leave func(), err error) {
	began := time.Now()
	dog.pause()
	defer dog.resume()
	leave, err = h.enter(ctx, scheme)
	h.mu.Lock()
	h.stats.Waited += time.Since(began)
	h.mu.Unlock()
	return leave, err
}

// begins counts a request.
func (h *gate) begins(r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Requests++
	if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
		h.stats.Conditional++
	}
}

// enter waits until a request may go out, and gives what ends it. The error is
// a *blockedError, a *deadError or the context's.
func (h *gate) enter(ctx context.Context, scheme string) (leave func(), err error) {
	if err := h.open(ctx, scheme); err != nil {
		return nil, err
	}
	free := func() {}
	if h.slots != nil {
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		free = sync.OnceFunc(func() { <-h.slots })
	}
	if err := h.evenly(ctx, scheme); err != nil {
		free()
		return nil, err
	}
	return free, nil
}

// evenly waits for the request's place in the sequence of requests.
func (h *gate) evenly(ctx context.Context, scheme string) error {
	r := h.every.Reserve()
	if err := sleep(ctx, r.Delay()); err != nil {
		r.Cancel()
		return err
	}
	// Meanwhile the host may have asked for a pause, or died.
	if err := h.open(ctx, scheme); err != nil {
		return err
	}
	return h.probe(scheme)
}

// open waits for the end of a pause that the host asked for.
func (h *gate) open(ctx context.Context, scheme string) error {
	for {
		h.mu.Lock()
		until, why := h.until, h.why
		dead := h.dead(scheme)
		h.mu.Unlock()
		if dead != nil {
			return dead
		}
		wait := time.Until(until)
		if wait <= 0 {
			return nil
		}
		if wait > h.gates.maxWait {
			return &blockedError{host: h.host, until: until, wait: wait, why: why}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// dead tells that the host is not asked now. The caller holds the lock.
func (h *gate) dead(scheme string) error {
	if l := h.life(scheme); l.failed >= deadAfter && time.Now().Before(l.probeAt) {
		return &deadError{host: h.host, cause: l.last}
	}
	return nil
}

// probe lets one of the requests to a dead host through.
func (h *gate) probe(scheme string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.dead(scheme); err != nil {
		return err
	}
	if l := h.life(scheme); l.failed >= deadAfter {
		l.probeAt = time.Now().Add(deadFor)
	}
	return nil
}

// answered notes an answer: the host lives, and may ask for a pause.
func (h *gate) answered(scheme string, resp *http.Response) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	*h.life(scheme) = life{}
	if resp.StatusCode == http.StatusNotModified {
		h.stats.NotModified++
	}
	limited := resp.StatusCode == http.StatusTooManyRequests
	wait, why, ok := quota(resp, now)
	if limited && !ok {
		wait = min(h.gates.pause<<min(h.blind, 16), maxBlindPause)
		why = status(resp.StatusCode)
		h.blind++
	} else if !limited {
		h.blind = 0
	}
	if until := now.Add(wait); (ok || limited) && until.After(h.until) {
		h.until, h.why = until, why
	}
}

// unanswered notes an attempt that ended without an answer.
func (h *gate) unanswered(scheme string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Failures++
	l := h.life(scheme)
	l.last = err
	if l.failed++; l.failed == deadAfter {
		l.probeAt = time.Now().Add(deadFor)
	}
}

// quota reads how long a host wants no requests (RFC 9110, section 10.2.3, and
// the headers X-RateLimit-Remaining and X-RateLimit-Reset of GitHub's REST
// API). What counts is the host's clock, where it tells the time.
func quota(resp *http.Response, now time.Time) (wait time.Duration, why string, ok bool) {
	clock := now
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		clock = date
	}
	limited := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusForbidden
	if limited {
		wait, ok = retryAfter(resp.Header, clock)
		why = "Retry-After"
	}
	if strings.TrimSpace(resp.Header.Get("X-RateLimit-Remaining")) != "0" {
		return wait, why, ok
	}
	reset, err := strconv.ParseInt(strings.TrimSpace(resp.Header.Get("X-RateLimit-Reset")), 10, 64)
	if err != nil || reset < 0 {
		return wait, why, ok
	}
	const aYear = 365 * 24 * 3600 // seconds; less than that since 1970 is a duration
	if reset > aYear {
		reset -= clock.Unix()
	}
	left := time.Duration(min(max(reset, 0), aYear)) * time.Second
	if left > wait || !ok {
		wait, why = left, "X-RateLimit-Reset"
	}
	return wait, why, true
}

// sleep waits, or gives the cause of the context's end.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// blocked gives the pause that a host asked for, if it is too long to wait.
func (g *gates) blocked(host string) *blockedError {
	g.mu.Lock()
	h := g.hosts[host]
	g.mu.Unlock()
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if wait := time.Until(h.until); wait > g.maxWait {
		return &blockedError{host: host, until: h.until, wait: wait, why: h.why}
	}
	return nil
}

// quotaError makes the error of a request that a host does not want now: of u,
// what it answered, or of a request that was not sent.
func (t *transfer) quotaError(e *blockedError, u *UnavailableError) *QuotaError {
	tried := "not tried again"
	if u == nil {
		u = t.broken(nil, "a server that asks for a pause", "an answer", nil)
		tried = "not asked"
	}
	u.again, u.Wait, u.waitSent = false, e.wait, true
	u.Note = fmt.Sprintf("%s: the pause that the server asks for (%s) is %s, wanted at most %s",
		tried, e.why, e.wait.Round(time.Second), t.engine.transport.gates.maxWait)
	q := &QuotaError{Host: e.host, Reset: e.until, Err: u}
	u.hint = q.Hint()
	return q
}

// deadHost makes the error of a request to a dead host: the original one.
func (t *transfer) deadHost(e *deadError) *UnavailableError {
	u := t.broken(nil, causeText(e.cause), "an answer", nil)
	u.Err, u.again = innermost(e.cause), false
	u.Note = fmt.Sprintf("%s did not answer %d times in a row, and is left alone for %s", e.host, deadAfter, deadFor)
	return u
}

// counts tells whether the error of an attempt says something about the host,
// and not about the address or the caller.
func counts(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		var stalled *stalledError
		return errors.As(context.Cause(ctx), &stalled)
	}
	var address *addressError
	return !errors.As(err, &address)
}
