package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// identify gives what makes a request for a document the same one as another,
// and whether credentials are sent with it. Requests that only read files, and
// addresses with userinfo, are not for a cache.
//
// Credentials count as sent or not sent: which ones they are may not stand on
// disk, not even hashed, for passwords can be guessed. So one user's answers
// serve that user's other tokens, and never a request without any.
func (c *Client) identify(r request) (id requestID, credentials, ok bool) {
	e := c.start()
	u, err := parseURL(r.url)
	if err != nil || u.User != nil {
		return id, false, false
	}
	at, err := locate(e.mirrors, u)
	if err != nil || at.remote == nil {
		return id, false, false
	}
	class := "anonymous"
	if !r.anonymous && e.authorization(at.remote, at.mirrored) != "" {
		class, credentials = "credentials", true
	}
	fields := []string{http.MethodGet, u.Scheme, canonicalHost(u), u.RequestURI(), r.accept, class}
	// A mirror answers in the place of others, of redirects' targets too.
	for _, m := range e.mirrors {
		fields = append(fields, m.From, withoutUserinfo(m.To))
	}
	h := sha256.New()
	for _, f := range fields {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f))))
		h.Write([]byte(f))
	}
	h.Sum(id[:0])
	return id, credentials, true
}

func withoutUserinfo(address string) string {
	if !strings.Contains(address, "://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

// document fetches a document by way of the cache. What was asked for in this
// run already is taken from there without asking again.
func (c *Client) document(ctx context.Context, r request, asked bool) (*Document, error) {
	e := c.start()
	if c.Cache == nil || ctx.Err() != nil {
		doc, _, err := c.ask(ctx, r)
		return doc, err
	}
	id, credentials, ok := c.identify(r)
	if !ok {
		doc, _, err := c.ask(ctx, r)
		return doc, err
	}
	defer c.warn()
	h := c.Cache.load(id, r.limit)
	switch {
	case h == nil:
	case h.Status != http.StatusOK:
		if asked || c.Cache.believed(h) {
			e.cacheHits.Add(1)
			return nil, &NotFoundError{URL: r.url, Address: h.Address, Status: h.Status, Found: status(h.Status), Wanted: status(http.StatusOK)}
		}
		h = nil // nothing to ask for on a condition
	case asked, c.Offline, c.Cache.fresh(h):
		e.cacheHits.Add(1)
		return h.document(r), nil
	}
	if h != nil && h.conditional() {
		r.known = &h.entry
	}
	doc, got, err := c.ask(ctx, r)
	if got.notModified {
		if h.confirmedBy(got) {
			c.Cache.recheck(id, h)
			return h.document(r), nil
		}
		r.known = nil
		doc, got, err = c.ask(ctx, r)
	}
	c.keep(id, credentials, r, doc, got, err)
	return doc, err
}

// ask fetches a document from wherever it is. With notModified in the outcome
// there is none.
func (c *Client) ask(ctx context.Context, r request) (*Document, outcome, error) {
	body := &documentBody{}
	got, err := c.fetch(ctx, r, body)
	if err != nil || got.notModified {
		return nil, got, err
	}
	doc := &Document{URL: r.url, Address: got.address, Body: body.Bytes(), Header: got.header}
	return doc, got, nil
}

// keep stores an answer, if it is one that may be kept. One that was obtained
// with credentials which the request does not call for (a mirror's, after a
// redirect) would serve those who have none.
func (c *Client) keep(id requestID, credentials bool, r request, doc *Document, got outcome, err error) {
	e := entry{URL: Redact(r.url), Checked: c.Cache.time().UTC()}
	var missing *NotFoundError
	switch {
	case got.credentials && !credentials:
		return
	case err == nil && got.resource != "" && storable(got.header):
		e.Address, e.Status, e.Resource, e.Header = got.address, http.StatusOK, got.resource, keep(got.header)
		e.ETag, e.Modified = got.header.Get("ETag"), strongModified(got.header)
		c.Cache.store(id, e, doc.Body)
	case errors.As(err, &missing) && missing.Status != 0 && c.Cache.absence() > 0:
		e.Address, e.Status = missing.Address, missing.Status
		c.Cache.store(id, e, nil)
	}
}

// warn logs the first problem with the cache, once.
func (c *Client) warn() {
	if err := c.Cache.problem(); err != nil {
		e := c.start()
		e.cacheWarning.Do(func() { e.log.Warn("the cache is not used as it could be", "error", err) })
	}
}

// believed tells whether an absence is young enough to stand for an answer.
func (c *Cache) believed(h *held) bool {
	age := c.time().Sub(h.Checked)
	return age >= 0 && age < c.absence()
}

// fresh tells whether a document is used without asking.
func (c *Cache) fresh(h *held) bool {
	age := c.time().Sub(h.Checked)
	return age >= 0 && age < c.FreshFor
}

// recheck notes that the server has confirmed an answer. Where nothing depends
// on the time, the entry is not written anew each time.
func (c *Cache) recheck(id requestID, h *held) {
	last := h.Checked
	h.Checked = c.time().UTC()
	if c.FreshFor > 0 || h.Checked.Sub(last).Abs() >= recheckEvery {
		c.store(id, h.entry, h.body)
	}
}

// document gives what is held as an answer to a request.
func (h *held) document(r request) *Document {
	header := h.Header
	if header == nil {
		header = http.Header{}
	}
	return &Document{URL: r.url, Address: h.Address, Body: h.body, Header: header, Cached: true, Checked: h.Checked}
}

// conditional tells whether it can be asked for on a condition. A modification
// time that is not strong could hide a change (RFC 9110, section 8.8.2.2).
func (e *entry) conditional() bool { return e.ETag != "" || e.Modified != "" }

// condition asks for the document only if it has changed (RFC 9110, section
// 13.1.2 and 13.1.3).
func (e *entry) condition(h http.Header) {
	if e.ETag != "" {
		h.Set("If-None-Match", e.ETag)
		return
	}
	h.Set("If-Modified-Since", e.Modified)
}

// confirmedBy tells whether "not modified" was said of what is held: a redirect
// may lead elsewhere by now, where the same validator means other bytes.
func (h *held) confirmedBy(got outcome) bool {
	tag := got.header.Get("ETag")
	return got.resource == h.Resource && (tag == "" || h.ETag == "" || sameTag(tag, h.ETag))
}
