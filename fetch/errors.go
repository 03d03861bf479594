package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// NotFoundError says that the document or archive does not exist: status 404
// or 410, or no such file below a folder mirror.
type NotFoundError struct {
	URL     string // as asked for
	Address string // where it was looked for, redacted
	Status  int    // 404 or 410; 0 for files
	Found   string // what was found there
	Wanted  string // what was wanted there
}

// Error names the URL, redacted, what was found and what was wanted.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%s does not exist: found %s, wanted %s", subject(e.URL, e.Address), e.Found, e.Wanted)
}

// Hint says what a user can do.
func (e *NotFoundError) Hint() string {
	if e.Status == 0 {
		return "check the path, and that the folder holds host/path for https://host/path"
	}
	return "check the address"
}

// UnavailableError says that the document or archive could not be obtained,
// which tells nothing about whether it exists: no connection, a time-out,
// status 403, 429, 5xx or another that was not expected, a body that ended
// early or has another length than announced.
type UnavailableError struct {
	URL      string        // as asked for
	Address  string        // where it was asked for, redacted
	Status   int           // the status of the last answer, 0 for none
	Attempts int           // requests made, 0 where none was needed
	Found    string        // what was found
	Wanted   string        // what was wanted
	Note     string        // why it was not tried again, if there is a reason to tell
	Wait     time.Duration // what the server asked for in Retry-After
	Err      error         // the cause below, if there is one

	again    bool // trying again may help
	waitSent bool // Retry-After was sent
	gated    bool // the host's gate holds the next attempt back
	hint     string
}

// Error names the URL, redacted, what was found and what was wanted.
func (e *UnavailableError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is unavailable: found %s, wanted %s", subject(e.URL, e.Address), e.Found, e.Wanted)
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if e.Note != "" {
		b.WriteString("; " + e.Note)
	}
	return b.String()
}

// Unwrap gives the cause, for errors.Is and errors.As.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Hint says what a user can do.
func (e *UnavailableError) Hint() string {
	switch {
	case e.hint != "":
		return e.hint
	case e.Status == http.StatusTooManyRequests:
		return "the server limits requests: try again later"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return "the server wants other credentials, or limits requests"
	case e.Status >= 500:
		return "the server has a problem: try again later"
	case e.Status != 0:
		return ""
	}
	return "check the connection, or name a mirror with --mirror FROM=TO"
}

// RefusedError says that this client will not make the request: the rules of
// spec/threats.md forbid it, or the user did.
type RefusedError struct {
	URL    string // as asked for
	Target string // where it led, redacted; empty where that is the URL itself
	Found  string // what was found
	Wanted string // what is allowed
	hint   string
}

// Error names the URL, redacted, what was found and what is allowed.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is refused: found %s, wanted %s", subject(e.URL, e.Target), e.Found, e.Wanted)
}

// Hint says what a user can do.
func (e *RefusedError) Hint() string { return e.hint }

// TooLargeError says that a document or archive is larger than the limit.
type TooLargeError struct {
	URL   string // as asked for
	Limit int64  // bytes
	Size  int64  // bytes, as announced; -1 where the size is not known
	flag  string // the flag that raises the limit
}

// Error names the URL, redacted, the size and the limit.
func (e *TooLargeError) Error() string {
	found := "more"
	if e.Size >= 0 {
		found = fmt.Sprintf("%d bytes", e.Size)
	}
	return fmt.Sprintf("%s is too large: found %s, wanted at most %d bytes", subject(e.URL, ""), found, e.Limit)
}

// Hint says what a user can do.
func (e *TooLargeError) Hint() string {
	if e.flag == "" {
		return ""
	}
	return "raise the limit with " + e.flag
}

// mirrorsError is what is left when all URLs of a list failed. It counts as
// the most cautious of their errors, and only as that one: a 404 among them
// must not pass for "does not exist" while another did not answer.
type mirrorsError struct {
	first error
	all   []error
}

func (e *mirrorsError) Error() string {
	texts := make([]string, len(e.all))
	for i, err := range e.all {
		texts[i] = err.Error()
	}
	return fmt.Sprintf("none of %d addresses could be used: %s", len(e.all), strings.Join(texts, "; "))
}

func (e *mirrorsError) Unwrap() error { return e.first }

func (e *mirrorsError) Hint() string {
	var h interface{ Hint() string }
	if errors.As(e.first, &h) {
		return h.Hint()
	}
	return ""
}

// joinMirrors makes one error of those of all URLs.
func joinMirrors(all []error) error {
	if len(all) == 1 {
		return all[0]
	}
	worst := all[0]
	for _, err := range all[1:] {
		if caution(err) > caution(worst) {
			worst = err
		}
	}
	return &mirrorsError{first: worst, all: all}
}

// caution orders errors by how little they say about the archive.
func caution(err error) int {
	var (
		missing *NotFoundError
		refused *RefusedError
		large   *TooLargeError
	)
	switch {
	case errors.As(err, &missing):
		return 0
	case errors.As(err, &refused):
		return 1
	case errors.As(err, &large):
		return 2
	}
	return 3
}

// subject names a URL in a message, and the address where that differs.
func subject(asked, address string) string {
	asked = Redact(asked)
	if address == "" || address == asked {
		return fmt.Sprintf("%q", asked)
	}
	return fmt.Sprintf("%q (at %q)", asked, address)
}

// redacted stands in a printed URL for what may be secret.
const redacted = "xxxxx"

// Redact gives a URL as it may be printed: without userinfo and fragment, and
// with the values of its query hidden. Text that is no URL is hidden as a
// whole, for nobody can tell what in it is secret.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(malformed URL)"
	}
	return redactURL(u)
}

func redactURL(u *url.URL) string {
	if u.Opaque != "" {
		return u.Scheme + ":" + redacted
	}
	r := *u
	r.User, r.Fragment, r.RawFragment = nil, "", ""
	if r.RawQuery != "" {
		parts := strings.Split(r.RawQuery, "&")
		for i, part := range parts {
			if key, _, ok := strings.Cut(part, "="); ok {
				parts[i] = key + "=" + redacted
			} else {
				parts[i] = redacted
			}
		}
		r.RawQuery = strings.Join(parts, "&")
	}
	return r.String()
}
