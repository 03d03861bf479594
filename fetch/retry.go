package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// backoff is the pause after an attempt, counted from 1: twice as long after
// each, and between half and all of that, so that clients that failed together
// do not come back together.
func backoff(first time.Duration, attempt int) time.Duration {
	pause := min(first<<min(max(attempt-1, 0), MaxRetries), maxPause)
	return pause/2 + rand.N(pause/2+1)
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110,
// section 10.2.3).
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	const aYear = 365 * 24 * 3600 // seconds
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > aYear {
			seconds = aYear // longer than anybody waits, and no overflow
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(date.Sub(now), 0), true
}

// strongETag gives the entity tag if it identifies bytes (RFC 9110, section
// 8.8.3): a weak one must not stand in If-Range.
func strongETag(h http.Header) string {
	tag := h.Get("ETag")
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return ""
	}
	return tag
}

// strongModified gives Last-Modified if it identifies bytes (RFC 9110, section
// 8.8.2.2): the answer must be younger by at least a second.
func strongModified(h http.Header) string {
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil {
		return ""
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || date.Sub(modified) < time.Second {
		return ""
	}
	return h.Get("Last-Modified")
}

// resource is what an answer's validators are of, after redirects: two
// resources may have the same (RFC 9110, section 8.8.1). The query is left out,
// for in the address of a blob it is a signature, new each time.
func resource(resp *http.Response) string {
	u := resp.Request.URL
	return u.Scheme + "://" + canonicalHost(u) + u.EscapedPath()
}

// differs says why a 206 is not the rest of what was received, or "". It also
// learns the total from it.
func (p *part) differs(resp *http.Response) string {
	h := resp.Header
	if resource(resp) != p.resource {
		return "the rest of what lies at another address"
	}
	if tag := h.Get("ETag"); p.etag != "" && tag != p.etag {
		return fmt.Sprintf("the rest of a file with the ETag %q", clip(tag))
	}
	if m := h.Get("Last-Modified"); p.etag == "" && m != "" && m != p.modified {
		return fmt.Sprintf("the rest of a file modified at %q", clip(m))
	}
	from, to, total, ok := contentRange(h.Get("Content-Range"))
	switch {
	case !ok:
		return fmt.Sprintf("the Content-Range %q", clip(h.Get("Content-Range")))
	case from != p.size, to != total-1, p.total >= 0 && total != p.total:
		return fmt.Sprintf("bytes %d to %d of %d", from, to, total)
	case resp.ContentLength >= 0 && resp.ContentLength != total-from:
		return fmt.Sprintf("%d bytes after byte %d of %d", resp.ContentLength, from, total)
	}
	p.total = total
	return ""
}

// contentRange reads "bytes FROM-TO/TOTAL" (RFC 9110, section 14.4).
func contentRange(s string) (from, to, total int64, ok bool) {
	rest, ok := strings.CutPrefix(s, "bytes ")
	if !ok {
		return 0, 0, 0, false
	}
	span, size, ok1 := strings.Cut(rest, "/")
	first, last, ok2 := strings.Cut(span, "-")
	if !ok1 || !ok2 {
		return 0, 0, 0, false
	}
	for _, n := range []struct {
		text string
		to   *int64
	}{{first, &from}, {last, &to}, {size, &total}} {
		v, err := strconv.ParseUint(n.text, 10, 63)
		if err != nil {
			return 0, 0, 0, false
		}
		*n.to = int64(v)
	}
	return from, to, total, from <= to && to < total
}

// innermost strips what net/http puts around an error: *url.Error prints the
// URL with its query.
func innermost(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// causeText gives an error of net/http for a message, in which no URL stands.
func causeText(err error) string {
	return clip(strings.TrimSuffix(innermost(err).Error(), "."))
}

// clip makes text of a server fit for a message: net/http quotes some of it as
// it is, and up to maxHeader bytes.
func clip(s string) string {
	const longest = 200 // runes
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > longest {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// mayPass tells whether a connection error may be gone at the next attempt.
// Certificates and names that do not exist stay as they are.
func mayPass(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		name         *net.DNSError
	)
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return false
	case errors.As(err, &verification), errors.As(err, &authority), errors.As(err, &hostname),
		errors.As(err, &invalid), errors.As(err, &record), errors.As(err, &alert):
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	}
	return true
}
