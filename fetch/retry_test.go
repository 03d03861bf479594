package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRetries(t *testing.T) {
	ok := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }
	// Where a connection that was kept is closed without any answer, net/http
	// itself asks once more on a new one.
	garbage := hijack("garbage")
	for _, tt := range []struct {
		name     string
		retries  int
		answers  []http.HandlerFunc
		want     string
		requests int
	}{
		{"after 503", 0, []http.HandlerFunc{answer(503), ok}, "ok", 2},
		{"after 429", 0, []http.HandlerFunc{answer(429), ok}, "ok", 2},
		{"after garbage", 0, []http.HandlerFunc{garbage, ok}, "ok", 2},
		{"after a broken body", 0, []http.HandlerFunc{whole("ok", 1), ok}, "ok", 2},
		{"four times", 0, []http.HandlerFunc{answer(500), garbage, answer(429), whole("ok", 1), ok}, "ok", 5},
		{"no more than four", 0, []http.HandlerFunc{answer(500), garbage, answer(429), whole("ok", 1), answer(500), ok}, "unavailable", 5},
		{"no more than four, whoever asks", 100, []http.HandlerFunc{answer(500)}, "unavailable", 5},
		{"as often as told", 1, []http.HandlerFunc{answer(500)}, "unavailable", 2},
		{"never", -1, []http.HandlerFunc{answer(500)}, "unavailable", 1},
		{"until it is absent", 0, []http.HandlerFunc{answer(500), http.NotFound}, "not found", 2},
		{"not after 403", 0, []http.HandlerFunc{answer(403), ok}, "unavailable", 1},
		{"not after 404", 0, []http.HandlerFunc{answer(404), ok}, "not found", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, flaky(tt.answers...))
			c := quick(t)
			c.Retries = tt.retries
			_, err := c.Document(t.Context(), s.URL, DocumentOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if got := len(s.requests()); got != tt.requests {
				t.Errorf("%d requests, wanted %d", got, tt.requests)
			}
			var away *UnavailableError
			if errors.As(err, &away) && away.Attempts != tt.requests {
				t.Errorf("the error tells of %d attempts, wanted %d", away.Attempts, tt.requests)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		_, err = quick(t).Document(t.Context(), "http://"+l.Addr().String(), DocumentOptions{})
		var away *UnavailableError
		if !errors.As(err, &away) || away.Attempts != 5 {
			t.Errorf("%v, wanted an UnavailableError after 5 attempts", err)
		}
	})
	t.Run("no such name", func(t *testing.T) {
		c := quick(t)
		c.resolver = fakeDNS(t, nil)
		_, err := c.Document(t.Context(), "http://absent.example/", DocumentOptions{})
		var away *UnavailableError
		if !errors.As(err, &away) || away.Attempts != 1 {
			t.Errorf("%v, wanted an UnavailableError after 1 attempt", err)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	busy := func(value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	ok := answer(200)
	for _, tt := range []struct {
		name    string
		value   string
		timeout time.Duration
		want    string
		least   time.Duration
		most    time.Duration
	}{
		{"seconds", "1", 5 * time.Second, "ok", time.Second, 3 * time.Second},
		// A date has whole seconds: 2 from now are more than 1.
		{"a date", time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat), 5 * time.Second, "ok", 100 * time.Millisecond, 3 * time.Second},
		{"none", "0", 5 * time.Second, "ok", 0, time.Second},
		{"a date that has passed", "Fri, 31 Dec 1999 23:59:59 GMT", 5 * time.Second, "ok", 0, time.Second},
		{"nonsense", "soon", 5 * time.Second, "ok", 0, time.Second},
		{"negative", "-5", 5 * time.Second, "ok", 0, time.Second},
		{"more than the time-out", "10", 5 * time.Second, "unavailable", 0, time.Second},
		{"a far date", "Fri, 31 Dec 2099 23:59:59 GMT", 5 * time.Second, "unavailable", 0, time.Second},
		{"more than the cap", "3600", time.Hour * 2, "unavailable", 0, time.Second},
		{"more than an integer", strings.Repeat("9", 30), time.Hour * 2, "unavailable", 0, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, flaky(busy(tt.value), ok))
			c := quick(t)
			c.Timeout = tt.timeout
			began := time.Now()
			_, err := c.Document(t.Context(), s.URL, DocumentOptions{})
			took := time.Since(began)
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if took < tt.least || took > tt.most {
				t.Errorf("took %s, wanted %s to %s", took, tt.least, tt.most)
			}
			if tt.want == "unavailable" && !strings.Contains(err.Error(), "Retry-After") {
				t.Errorf("%q does not tell why it was not tried again", err)
			}
		})
	}
}

// A server that is down may ask for no more than one that limits requests.
func TestRetryAfterOfAServerThatIsDown(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c := quick(t)
	c.Timeout = 2 * time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := c.Document(ctx, s.URL, DocumentOptions{})
	if outcomeOf(err) != "unavailable" || !strings.Contains(err.Error(), "wanted at most 2m0s") || len(s.requests()) != 1 {
		t.Errorf("found %v after %d requests", err, len(s.requests()))
	}
}

func TestPauseThatDoesNotFit(t *testing.T) {
	s := serve(t, answer(500))
	c := quick(t)
	c.FirstPause = 4 * time.Second
	c.Timeout = time.Second
	began := time.Now()
	_, err := c.Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
	if outcomeOf(err) != "unavailable" || !strings.Contains(err.Error(), "not tried again") {
		t.Errorf("found %v", err)
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("took %s, wanted to end at once", took)
	}
}

func TestBackoff(t *testing.T) {
	for attempt := 1; attempt <= 8; attempt++ {
		most := min(time.Second<<min(attempt-1, MaxRetries), maxPause)
		seen := map[time.Duration]bool{}
		for range 50 {
			got := backoff(time.Second, attempt)
			seen[got] = true
			if got < most/2 || got > most {
				t.Errorf("after attempt %d: %s, wanted %s to %s", attempt, got, most/2, most)
			}
		}
		if len(seen) < 10 {
			t.Errorf("after attempt %d: %d different pauses of 50", attempt, len(seen))
		}
	}
}

// TestNothingIsPrinted watches the places where libraries like to log.
func TestNothingIsPrinted(t *testing.T) {
	var printed bytes.Buffer
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	s := serve(t, flaky(answer(503), whole("abc", 1), answer(403)))
	_, err := quick(t).Document(t.Context(), s.URL, DocumentOptions{})
	if outcomeOf(err) != "unavailable" {
		t.Errorf("found %v", err)
	}
	if printed.Len() > 0 {
		t.Errorf("printed %q", printed.String())
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	var logged bytes.Buffer
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			http.NotFound(w, r)
		case "/redirect":
			http.Redirect(w, r, "http://169.254.169.254/?token=hunter2", http.StatusFound)
		case "/malformed":
			w.Header().Set("Location", "http://[hunter2")
			w.WriteHeader(http.StatusFound)
		case "/reset":
			hijack("")(w, r)
		case "/large":
			io.WriteString(w, "12345")
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	base := "http://user:hunter2@" + strings.TrimPrefix(s.URL, "http://")
	for _, u := range []string{
		base + "/404?token=hunter2", base + "/redirect?token=hunter2", base + "/malformed?hunter2", base + "/reset?token=hunter2",
		base + "/large?token=hunter2", base + "/503?token=hunter2&a=hunter2#hunter2", "ftp://user:hunter2@host/?hunter2",
		"http://user:hunter2@a b/", "http://user:hunter2@127.0.0.1:1/?hunter2", "mailto:hunter2", "https://user:hunter2@" + s.Listener.Addr().String() + "/?hunter2",
	} {
		c := quick(t)
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := c.Document(t.Context(), u, DocumentOptions{MaxBytes: 4})
		if err == nil {
			t.Errorf("no error for %q", u)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q holds a secret", err)
		}
		for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
			if strings.Contains(cause.Error(), "hunter2") {
				t.Errorf("%q holds a secret", cause)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := quick(t).Document(ctx, base+"/?token=hunter2", DocumentOptions{}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v holds a secret", err)
	}
	if strings.Contains(logged.String(), "hunter2") || !strings.Contains(logged.String(), "trying again") {
		t.Errorf("logged %q", logged.String())
	}
}
