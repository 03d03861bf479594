package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// transfer is the fetching of one URL with all its attempts. The attempts are
// go-retryablehttp's; it calls receive with each answer, check to decide
// whether to try again, and prepare before it does.
type transfer struct {
	client *Client
	engine *engine
	asked  request
	to     body
	parent context.Context // the caller's, to tell its end from the watchdog's
	ctx    context.Context
	dog    *watchdog

	target    *url.URL // what is requested
	mirrored  bool
	standsFor string
	hops      int // redirects so far, of those that led to mirrors
	retries   int // left
	attempts  int
	pause     time.Duration // before the next attempt
	failure   error         // of the last attempt

	credentials bool // were sent

	have part
	told time.Time // when progress was reported last
}

// part is what has been received, and what is needed to ask for the rest.
type part struct {
	size     int64 // bytes
	total    int64 // bytes; -1 where it is not known
	etag     string
	modified string
	ranged   bool   // the attempt that runs asked for the rest only
	resource string // that etag and modified are of
	address  string
	header   http.Header

	notModified bool // since what is known
}

func newTransfer(ctx context.Context, c *Client, e *engine, r request, to body) *transfer {
	t := &transfer{client: c, engine: e, asked: r, to: to, parent: ctx, retries: e.retries, have: part{total: -1}}
	t.ctx, t.dog = watch(ctx, e.timeout, r.archive)
	return t
}

func (t *transfer) stop() { t.dog.stop() }

// remote fetches from a server.
func (t *transfer) remote(at place) (outcome, error) {
	t.mirrored, t.failure = at.mirrored, nil
	target := *at.remote
	target.User = nil
	t.target = &target
	ctx := context.WithValue(t.ctx, tripKey{}, &trip{
		asked: t.asked.url, hops: t.hops, mirrored: at.mirrored, standsFor: t.standsFor, dog: t.dog,
		foreign: t.asked.foreign && !at.mirrored,
	})
	r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return outcome{}, &RefusedError{URL: t.asked.url, Target: redactURL(&target), Found: "a malformed address", Wanted: "scheme://host/path"}
	}
	r.Header.Set("User-Agent", t.engine.userAgent)
	// Without the header a server may choose any coding.
	r.Header.Set("Accept-Encoding", "identity")
	if t.asked.accept != "" {
		r.Header.Set("Accept", t.asked.accept)
	}
	if !t.asked.anonymous {
		if a := t.engine.authorization(at.remote, at.mirrored); a != "" {
			r.Header.Set("Authorization", a)
			t.credentials = true
		}
	}
	if known := t.asked.known; known != nil {
		known.condition(r.Header)
	}
	r.SetResponseHandler(t.receive)
	rc := &retryablehttp.Client{
		HTTPClient:     t.engine.http,
		RetryMax:       t.retries,
		RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { t.attempts++ },
		CheckRetry:     t.check,
		Backoff:        func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return t.pause },
		PrepareRetry:   t.prepare,
		ErrorHandler:   discard,
	}
	if _, err := rc.Do(r); err != nil {
		return outcome{}, t.explain(err)
	}
	return outcome{
		address: t.have.address, header: t.have.header, size: t.have.size, resource: t.have.resource,
		notModified: t.have.notModified, credentials: t.credentials,
	}, nil
}

// discard hands the error on; check has closed the body.
func discard(resp *http.Response, err error, _ int) (*http.Response, error) {
	if resp != nil {
		resp.Body.Close()
	}
	return nil, err
}

// explain gives the error of a transfer whose last attempt failed with err.
func (t *transfer) explain(err error) error {
	if t.failure != nil && t.parent.Err() == nil {
		return t.failure
	}
	// Cancelled, perhaps between two attempts.
	return t.classify(err)
}

// check is called after each answer or failed attempt, and again once the
// answer was received (go-retryablehttp's CheckRetry).
func (t *transfer) check(_ context.Context, resp *http.Response, err error) (bool, error) {
	if err == nil {
		t.failure = nil
		return false, nil
	}
	if resp != nil {
		resp.Body.Close()
	}
	t.failure = t.classify(err)
	u, ok := t.failure.(*UnavailableError)
	if !ok || !u.again {
		return false, t.failure
	}
	if t.retries == 0 {
		return false, t.failure
	}
	if u.Note = t.plan(u); u.Note != "" {
		return false, t.failure
	}
	t.retries--
	t.engine.log.Debug("trying again", "url", Redact(t.asked.url), "after", t.pause, "found", u.Found)
	return true, nil
}

// plan sets the pause before the next attempt, or says why there is none.
func (t *transfer) plan(u *UnavailableError) (refusal string) {
	if u.gated {
		t.pause = 0 // the gate waits
		return ""
	}
	what := "the pause before the next attempt"
	t.pause = backoff(t.engine.pause, t.attempts)
	if u.waitSent {
		what = "the pause that the server asks for (Retry-After)"
		t.pause = max(u.Wait, 0)
		if t.pause > maxRetryAfter {
			return fmt.Sprintf("not tried again: %s is %s, wanted at most %s", what, t.pause, maxRetryAfter)
		}
	}
	if left := t.dog.left(); t.pause >= left {
		return fmt.Sprintf("not tried again: %s is %s, and %s of the time-out %s are left",
			what, t.pause.Round(time.Millisecond), max(left, 0).Round(time.Millisecond), t.engine.timeout)
	}
	return ""
}

// prepare makes the next request ask for the rest of an archive that broke off,
// on condition that it has not changed (RFC 9110, sections 13.1.5 and 14.2).
// The header is copied, for the transport may still be reading the old one.
func (t *transfer) prepare(r *http.Request) error {
	r.Header = r.Header.Clone()
	r.Header.Del("Range")
	r.Header.Del("If-Range")
	t.have.ranged = false
	validator := t.have.etag
	if validator == "" {
		validator = t.have.modified
	}
	if !t.asked.archive || t.have.size == 0 || validator == "" {
		return nil
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.have.size))
	r.Header.Set("If-Range", validator)
	t.have.ranged = true
	return nil
}

// receive takes an answer: all of the file, the rest of it, or a refusal.
func (t *transfer) receive(resp *http.Response) error {
	defer resp.Body.Close()
	t.have.address = redactURL(resp.Request.URL)
	ranged := t.have.ranged
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		t.restart(resp)
	case code == http.StatusNotModified && t.asked.known != nil:
		t.forget()
		t.have.notModified, t.have.header, t.have.resource = true, resp.Header, resource(resp)
		return nil
	case code == http.StatusPartialContent && ranged:
		if problem := t.have.differs(resp); problem != "" {
			t.forget()
			return t.broken(resp, problem, "the rest of the same file", nil)
		}
	case code == http.StatusRequestedRangeNotSatisfiable && ranged:
		t.forget()
		return t.broken(resp, status(code), "the rest of the file", nil)
	case code == http.StatusNotFound, code == http.StatusGone:
		return &NotFoundError{URL: t.asked.url, Address: t.have.address, Status: code, Found: status(code), Wanted: status(http.StatusOK)}
	default:
		u := t.broken(resp, status(code), status(http.StatusOK), nil)
		u.again = code == http.StatusTooManyRequests || code >= 500
		u.Wait, u.waitSent = retryAfter(resp.Header, time.Now())
		return t.limited(resp, u)
	}
	if coding := resp.Header.Values("Content-Encoding"); len(coding) > 0 && !identity(coding) {
		t.forget()
		u := t.broken(resp, fmt.Sprintf("the content coding %q", clip(strings.Join(coding, ", "))), "the bytes as they are", nil)
		u.again = false
		return u
	}
	if t.have.total > t.asked.limit {
		return t.tooLarge(t.have.total)
	}
	t.have.header = resp.Header
	return t.copy(resp)
}

// limited makes an answer that says "not so often" one of the host's, not of
// the address: the gate holds back all requests to it.
func (t *transfer) limited(resp *http.Response, u *UnavailableError) error {
	if u.Status != http.StatusTooManyRequests && u.Status != http.StatusForbidden {
		return u
	}
	if blocked := t.engine.transport.gates.blocked(canonicalHost(resp.Request.URL)); blocked != nil {
		return t.quotaError(blocked, u)
	}
	if _, _, u.gated = quota(resp, time.Now()); u.gated || u.Status == http.StatusTooManyRequests {
		u.again, u.gated = true, true
	}
	return u
}

func identity(codings []string) bool {
	for _, c := range codings {
		if c != "" && !strings.EqualFold(c, "identity") {
			return false
		}
	}
	return true
}

// restart takes an answer that holds all of the file.
func (t *transfer) restart(resp *http.Response) {
	t.forget()
	t.have.total, t.have.resource = resp.ContentLength, resource(resp)
	if !strings.EqualFold(resp.Header.Get("Accept-Ranges"), "none") {
		t.have.etag = strongETag(resp.Header)
		t.have.modified = strongModified(resp.Header)
	}
}

// forget drops what was received.
func (t *transfer) forget() {
	t.to.Reset()
	t.have = part{total: -1, address: t.have.address}
}

// copy hands the body on to its end, hashing straight from the connection.
func (t *transfer) copy(resp *http.Response) error {
	buf := t.client.buffer()
	defer t.client.buffers.Put(buf)
	t.report(false)
	for {
		n, err := resp.Body.Read(*buf)
		if n > 0 {
			if t.have.size+int64(n) > t.asked.limit {
				return t.tooLarge(-1)
			}
			t.have.size += int64(n)
			t.dog.progress(n)
			if _, err := t.to.Write((*buf)[:n]); err != nil {
				return err
			}
			t.report(false)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return t.broken(resp, "an answer that broke off after "+t.have.amount(), "all of it", err)
		}
	}
	if t.have.total >= 0 && t.have.size != t.have.total {
		found := t.have.amount()
		t.forget()
		return t.broken(resp, found, "as many as announced", nil)
	}
	t.report(true)
	return nil
}

// amount says how much was received.
func (p *part) amount() string {
	if p.total < 0 {
		return fmt.Sprintf("%d bytes", p.size)
	}
	return fmt.Sprintf("%d of %d bytes", p.size, p.total)
}

func (c *Client) buffer() *[]byte {
	if b, ok := c.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, bufferSize)
	return &b
}

// report tells the caller how far the transfer is, now and then.
func (t *transfer) report(end bool) {
	if t.asked.progress == nil {
		return
	}
	now := time.Now()
	if !end && now.Sub(t.told) < progressEvery {
		return
	}
	t.told = now
	t.asked.progress(Progress{URL: t.asked.url, Address: t.have.address, Bytes: t.have.size, Total: t.have.total})
}

func (t *transfer) tooLarge(size int64) error {
	e := &TooLargeError{URL: t.asked.url, Limit: t.asked.limit, Size: size}
	if t.asked.archive {
		e.flag = "--max-archive-size"
	}
	return e
}

// broken makes the error of an attempt that another may mend.
func (t *transfer) broken(resp *http.Response, found, wanted string, cause error) *UnavailableError {
	u := &UnavailableError{
		URL: t.asked.url, Address: t.address(), Attempts: t.attempts,
		Found: found, Wanted: wanted, Err: cause, again: true,
	}
	if resp != nil && resp.StatusCode/100 != 2 {
		u.Status = resp.StatusCode
	}
	if cause != nil {
		u.Found += " (" + causeText(cause) + ")"
	}
	return u
}

// address is where the transfer is at, for messages.
func (t *transfer) address() string {
	if t.have.address != "" {
		return t.have.address
	}
	if t.target != nil {
		return redactURL(t.target)
	}
	return ""
}

// classify makes one of the package's errors of what net/http says.
func (t *transfer) classify(err error) error {
	if t.parent.Err() != nil {
		return t.ended()
	}
	if k, ok := kept(err); ok {
		return k
	}
	var stalled *stalledError
	if errors.As(context.Cause(t.ctx), &stalled) {
		return &UnavailableError{
			URL: t.asked.url, Address: t.address(), Attempts: t.attempts,
			Found: stalled.found, Wanted: stalled.wanted, Err: context.DeadlineExceeded,
			hint: "try again later, or give more time with --timeout",
		}
	}
	var (
		missing *NotFoundError
		quota   *QuotaError
		away    *UnavailableError
		refused *RefusedError
		large   *TooLargeError
		covered *coveredRedirect
		address *addressError
		blocked *blockedError
		dead    *deadError
	)
	switch {
	case errors.As(err, &quota):
		return quota
	case errors.As(err, &blocked):
		return t.quotaError(blocked, nil)
	case errors.As(err, &dead):
		return t.deadHost(dead)
	case errors.As(err, &missing), errors.As(err, &large), errors.As(err, &refused):
		return first(missing, large, refused)
	case errors.As(err, &away):
		return away
	case errors.As(err, &covered):
		t.hops = covered.hops
		return covered
	case errors.As(err, &address):
		return &RefusedError{URL: t.asked.url, Target: t.address(), Found: fmt.Sprintf("the %s address %s", address.is, address.addr), Wanted: allowed(address.max), hint: hintFor(address.is, address.max)}
	}
	u := t.broken(nil, causeText(err), "an answer", nil)
	u.Err = innermost(err)
	u.again = mayPass(u.Err)
	return u
}

func first(missing *NotFoundError, large *TooLargeError, refused *RefusedError) error {
	switch {
	case missing != nil:
		return missing
	case large != nil:
		return large
	}
	return refused
}

// ended is the error of a transfer whose caller gave up.
func (t *transfer) ended() error {
	if errors.Is(t.parent.Err(), context.Canceled) {
		return cancelled(t.parent, t.asked.url)
	}
	return &UnavailableError{
		URL: t.asked.url, Address: t.address(), Attempts: t.attempts,
		Found: "no complete answer before the caller's deadline", Wanted: "one", Err: t.parent.Err(),
	}
}

func cancelled(ctx context.Context, asked string) error {
	return fmt.Errorf("fetching %q: %w", Redact(asked), ctx.Err())
}

func status(code int) string {
	if text := http.StatusText(code); text != "" {
		return "status " + strconv.Itoa(code) + " (" + text + ")"
	}
	return "status " + strconv.Itoa(code)
}
