package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testGate(limit Limit) *gate {
	g := newGates(map[string]Limit{"host": limit}, time.Minute, time.Second)
	return g.of("host", public)
}

func TestGateKeepsToItsLimit(t *testing.T) {
	for _, limit := range []Limit{{10, 3}, {100, 1}, {3, 0}, {0, 2}, {0.5, 4}} {
		t.Run(fmt.Sprintf("%+v", limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := testGate(limit)
				var (
					mu     sync.Mutex
					begun  []time.Time
					now    int
					most   int
					group  sync.WaitGroup
					calls  = 50
					lasted = 200 * time.Millisecond
				)
				began := time.Now()
				for range calls {
					group.Go(func() {
						leave, err := h.enter(t.Context(), "https")
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						begun = append(begun, time.Now())
						now++
						most = max(most, now)
						mu.Unlock()
						time.Sleep(lasted)
						mu.Lock()
						now--
						mu.Unlock()
						leave()
						leave() // again does no harm
					})
				}
				group.Wait()
				if limit.AtOnce > 0 && most > limit.AtOnce {
					t.Errorf("%d at a time, wanted at most %d", most, limit.AtOnce)
				}
				slices.SortFunc(begun, time.Time.Compare)
				for i := 1; limit.PerSecond > 0 && i < len(begun); i++ {
					want := time.Duration(float64(time.Second) / limit.PerSecond)
					if got := begun[i].Sub(begun[i-1]); got < want-time.Microsecond {
						t.Fatalf("request %d begins %s after the one before, wanted %s", i, got, want)
					}
				}
				// And it is not slower than it must be.
				longest := time.Duration(0)
				if limit.PerSecond > 0 {
					longest = time.Duration(float64(calls) / limit.PerSecond * float64(time.Second))
				}
				if limit.AtOnce > 0 {
					longest = max(longest, lasted*time.Duration(calls/limit.AtOnce+1))
				}
				if took := time.Since(began); took > longest+lasted {
					t.Errorf("took %s, wanted %s", took, longest)
				}
			})
		})
	}
}

func TestGateEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testGate(Limit{PerSecond: 1, AtOnce: 1})
		leave, err := h.enter(t.Context(), "https")
		if err != nil {
			t.Fatal(err)
		}
		for _, held := range []bool{true, false} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, err := h.enter(ctx, "https"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("held %t: found %v, wanted the context's error", held, err)
			}
			cancel()
			if held {
				leave()
			}
		}
		// Those who gave up hold nothing.
		began := time.Now()
		leave, err = h.enter(t.Context(), "https")
		if err != nil || time.Since(began) > time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		leave()
	})
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestQuota(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	unix := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		want   time.Duration
		ok     bool
	}{
		{"nothing", 429, header(), 0, false},
		{"seconds", 429, header("Retry-After", "7"), 7 * time.Second, true},
		{"a date", 403, header("Retry-After", at(time.Minute)), time.Minute, true},
		{"a date by the host's clock, which is behind", 429, header("Retry-After", at(0), "Date", at(-time.Hour)), time.Hour, true},
		{"of an answer that is fine", 200, header("Retry-After", "7"), 0, false},
		{"of a host that has a problem", 503, header("Retry-After", "7"), 0, false},
		{"some left", 403, header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", unix(time.Minute)), 0, false},
		{"none left", 403, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Minute)), time.Minute, true},
		{"none left after this", 200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Minute)), time.Minute, true},
		{"none left after this redirect", 302, header("X-RateLimit-Remaining", " 0 ", "X-RateLimit-Reset", unix(time.Minute)), time.Minute, true},
		{"by the host's clock, which is ahead", 200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour), "Date", at(time.Hour-time.Minute)), time.Minute, true},
		{"in seconds from now", 200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "90"), 90 * time.Second, true},
		{"reset in the past", 200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(-time.Hour)), 0, true},
		{"the longer of two", 403, header("Retry-After", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour)), time.Hour, true},
		{"the longer of two, the other", 403, header("Retry-After", "7200", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour)), 2 * time.Hour, true},
		{"without a time", 403, header("X-RateLimit-Remaining", "0"), 0, false},
		{"a time that is none", 403, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "soon"), 0, false},
		{"a negative time", 403, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "-1"), 0, false},
		{"more than fits", 429, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "9223372036854775807"), 365 * 24 * time.Hour, true},
		{"more than a number", 429, header("Retry-After", strings.Repeat("9", 40)), 365 * 24 * time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, why, ok := quota(&http.Response{StatusCode: tt.status, Header: tt.header}, now)
			if got != tt.want || ok != tt.ok {
				t.Errorf("found %s, %t; wanted %s, %t", got, ok, tt.want, tt.ok)
			}
			if ok && why == "" {
				t.Error("no reason")
			}
		})
	}
}

// No request goes out before the time that the host named, whoever makes it.
func TestPauseHoldsForAllRequests(t *testing.T) {
	var (
		asked    atomic.Int64
		until    atomic.Int64
		tooEarly atomic.Int64
	)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			until.Store(time.Now().Add(time.Second).UnixNano())
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if time.Now().UnixNano() < until.Load() {
			tooEarly.Add(1)
		}
		io.WriteString(w, "ok")
	})
	c := quick(t)
	c.Limits = map[string]Limit{s.Listener.Addr().String(): {AtOnce: 1}}
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			if _, err := c.Document(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), DocumentOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := tooEarly.Load(); n > 0 {
		t.Errorf("%d requests before the host wanted any", n)
	}
	if n := asked.Load(); n != 11 {
		t.Errorf("%d requests, wanted 11", n)
	}
	if c.Stats().Hosts[s.Listener.Addr().String()].Waited < time.Second {
		t.Error("nobody waited")
	}
}

func TestQuotaError(t *testing.T) {
	reset := time.Now().Add(time.Hour).Truncate(time.Second)
	none := []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(reset.Unix())}
	with := func(code int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			set(w, headers)
			w.WriteHeader(code)
		}
	}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		first   string // kind of the first call's error
		later   string // of all further ones
		total   int    // requests
	}{
		{"429 with a time", with(429, "Retry-After", "3600"), "quota", "quota", 1},
		{"403 with a time", with(403, "Retry-After", "3600"), "quota", "quota", 1},
		{"403 with nothing left", with(403, none...), "quota", "quota", 1},
		{"429 with nothing left", with(429, none...), "quota", "quota", 1},
		{"404 with nothing left", with(404, none...), "not found", "quota", 1},
		{"200 with nothing left", with(200, none...), "ok", "quota", 1},
		{"403 alone", with(403), "unavailable", "unavailable", 3},
		{"503 with a time is about that answer", with(503, "Retry-After", "3600"), "unavailable", "unavailable", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, other := serve(t, tt.handler), serve(t, answer(200))
			c := quick(t)
			for i, want := range []string{tt.first, tt.later, tt.later} {
				_, err := c.Document(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), DocumentOptions{})
				got := outcomeOf(err)
				var q *QuotaError
				if errors.As(err, &q) {
					if got != "unavailable" {
						t.Errorf("a *QuotaError is %s, wanted unavailable", got)
					}
					got = "quota"
					if q.Host != s.Listener.Addr().String() || q.Reset.Sub(reset).Abs() > 3*time.Second {
						t.Errorf("found %s until %s, wanted %s until %s", q.Host, q.Reset, s.Listener.Addr(), reset)
					}
					if !strings.Contains(q.Hint(), q.Reset.UTC().Format(time.RFC3339)) {
						t.Errorf("the hint %q does not say when to go on", q.Hint())
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("call %d (-want +got):\n%s%v", i, diff, err)
				}
			}
			if got := len(s.requests()); got != tt.total {
				t.Errorf("%d requests, wanted %d", got, tt.total)
			}
			mustGet(t, c, other.URL) // nobody else is held back
			blocked := c.Stats().Hosts[s.Listener.Addr().String()].BlockedUntil
			if (tt.later == "quota") != (blocked.Sub(reset).Abs() < 3*time.Second) {
				t.Errorf("the statistics say blocked until %s", blocked)
			}
		})
	}
}

func TestMaxWait(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusForbidden)
		}
	})
	c := quick(t)
	c.Timeout = 500 * time.Millisecond // the pause is not the server's slowness
	c.MaxWait = 5 * time.Second
	mustGet(t, c, s.URL)
	if got := asked.Load(); got != 2 {
		t.Errorf("%d requests, wanted 2", got)
	}
}

// Waiting for one's turn does not use up the time-out.
func TestTurnIsNotSlowness(t *testing.T) {
	s := serve(t, answer(200))
	c := quick(t)
	c.Timeout = 400 * time.Millisecond
	c.Limits = map[string]Limit{s.Listener.Addr().String(): {PerSecond: 10}}
	var group sync.WaitGroup
	for i := range 10 { // the last one waits for 900 ms
		group.Go(func() {
			if _, err := c.Document(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), DocumentOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// The limits hold for redirects and retries as well, and for the host that is
// asked, not the one that was named.
func TestLimitHoldsForEveryRequest(t *testing.T) {
	var (
		mu    sync.Mutex
		times []time.Time
		now   int
		most  int
	)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		times = append(times, time.Now())
		n := len(times)
		now++
		most = max(most, now)
		mu.Unlock()
		defer func() {
			mu.Lock()
			now--
			mu.Unlock()
		}()
		switch {
		case strings.HasPrefix(r.URL.Path, "/moved"):
			redirect("/d"+r.URL.Path)(w, r)
		case n%5 == 0:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			io.WriteString(w, "ok")
		}
	})
	c := quick(t)
	c.Mirrors = []Mirror{{From: "https://pypi.org", To: s.URL}}
	c.Limits = map[string]Limit{strings.ToUpper(s.Listener.Addr().String()): {PerSecond: 100, AtOnce: 3}}
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			if _, err := c.Document(t.Context(), fmt.Sprintf("https://pypi.org./moved/%d", i), DocumentOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most > 3 {
		t.Errorf("%d requests at a time, wanted at most 3", most)
	}
	if len(times) < 80 {
		t.Fatalf("%d requests, wanted at least 80", len(times))
	}
	// What the server sees is a little less even than what the client does.
	const window = 50 // 500 ms
	for i := window; i < len(times); i++ {
		if got := times[i].Sub(times[i-window]); got < 400*time.Millisecond {
			t.Fatalf("%d requests in %s", window, got)
		}
	}
}

func TestDeadHostIsTriedAgainByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testGate(Limit{})
		failure := errors.New("connection refused")
		for i := range deadAfter {
			if _, err := h.enter(t.Context(), "https"); err != nil {
				t.Fatalf("after %d failures: %v", i, err)
			}
			h.unanswered("https", failure)
		}
		passed := func() (n int) {
			for range 10 {
				_, err := h.enter(t.Context(), "https")
				var dead *deadError
				switch {
				case err == nil:
					n++
				case !errors.As(err, &dead), !errors.Is(err, failure):
					t.Errorf("found %v, wanted the original error", err)
				}
			}
			return n
		}
		if _, err := h.enter(t.Context(), "http"); err != nil {
			t.Errorf("the other port: %v", err)
		}
		for i, want := range []int{0, 1, 1} {
			if got := passed(); got != want {
				t.Errorf("round %d: %d requests, wanted %d", i, got, want)
			}
			time.Sleep(deadFor)
		}
		h.answered("https", &http.Response{StatusCode: 200, Header: header()})
		if got := passed(); got != 10 {
			t.Errorf("%d of 10 requests to a host that lives again", got)
		}
	})
}

func TestDeadHostDoesNotHoldUpOthers(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		good := serve(t, answer(200))
		c := quick(t)
		dead := "http://" + l.Addr().String()
		for i := range 50 {
			_, err := c.Document(t.Context(), fmt.Sprintf("%s/%d", dead, i), DocumentOptions{})
			if outcomeOf(err) != "unavailable" || !strings.Contains(err.Error(), "refused") {
				t.Errorf("found %v, wanted the original error", err)
			}
			mustGet(t, c, good.URL)
		}
		if got := c.Stats().Hosts[l.Addr().String()]; got.Requests != deadAfter || got.Failures != deadAfter {
			t.Errorf("%d requests and %d failures, wanted %d", got.Requests, got.Failures, deadAfter)
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		c := quick(t)
		c.Timeout = 100 * time.Millisecond
		c.Limits = map[string]Limit{silent.Listener.Addr().String(): {AtOnce: 4}}
		began := time.Now()
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				_, err := c.Document(t.Context(), fmt.Sprintf("%s/%d", silent.URL, i), DocumentOptions{})
				if outcomeOf(err) != "unavailable" {
					t.Errorf("found %v", err)
				}
			})
		}
		group.Wait()
		if got := len(silent.requests()); got > deadAfter+4 {
			t.Errorf("%d requests, wanted at most %d", got, deadAfter+4)
		}
		if took := time.Since(began); took > 3*time.Second { // one after another: 2.5 s a hundred
			t.Errorf("took %s", took)
		}
	})
	t.Run("an answer now and then", func(t *testing.T) {
		s := serve(t, flaky(hijack("garbage"), hijack("garbage"), hijack("garbage"), answer(404)))
		c := quick(t)
		for i := range 20 {
			want := "not found"
			if _, err := c.Document(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), DocumentOptions{}); outcomeOf(err) != want {
				t.Errorf("call %d: found %v, wanted %s", i, err, want)
			}
		}
	})
}

func TestCancelledCallsAreNoFailures(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := quick(t)
	for range 2 * deadAfter {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if _, err := c.Document(ctx, s.URL, DocumentOptions{}); err == nil {
			t.Error("no error")
		}
		cancel()
	}
	if got := c.Stats(); got.Failures != 0 || got.Requests < deadAfter {
		t.Errorf("%d failures of %d requests, wanted none", got.Failures, got.Requests)
	}
}

func TestLimitsByHost(t *testing.T) {
	g := newGates(map[string]Limit{"PyPI.org.": {AtOnce: 3}, "127.0.0.1:80": {AtOnce: 4}, OtherHosts: {AtOnce: 5}}, time.Minute, time.Second)
	for _, tt := range []struct {
		host string
		is   reach
		want int
	}{
		{"pypi.org", public, 3},
		{"127.0.0.1:80", loopback, 4},
		{"127.0.0.1:81", loopback, 0},
		{"10.0.0.1", private, 5},
		{"host.example:8080", public, 5},
		{"api.github.com", public, DefaultLimits()["api.github.com"].AtOnce},
	} {
		if got := cap(g.of(tt.host, tt.is).slots); got != tt.want {
			t.Errorf("%s: %d at a time, wanted %d", tt.host, got, tt.want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	for _, tt := range []struct {
		text, host string
		want       Limit
	}{
		{"pypi.org=20/10", "pypi.org", Limit{20, 10}},
		{"PyPI.org.=0.5/0", "pypi.org", Limit{0.5, 0}},
		{"*=0/3", OtherHosts, Limit{0, 3}},
		{"127.0.0.1:8080=100/8", "127.0.0.1:8080", Limit{100, 8}},
	} {
		host, got, err := ParseLimit(tt.text)
		if err != nil || host != tt.host || got != tt.want {
			t.Errorf("%q: found %q, %+v, %v; wanted %q, %+v", tt.text, host, got, err, tt.host, tt.want)
		}
	}
	for _, text := range []string{
		"", "pypi.org", "=1/1", "pypi.org=", "pypi.org=1", "pypi.org=1/", "pypi.org=/1", "pypi.org=-1/1", "pypi.org=1/-1",
		"pypi.org=NaN/1", "pypi.org=Inf/1", "pypi.org=1/1/1", "pypi.org=1/1.5", "https://pypi.org=1/1", "pypi.org=1/99999",
	} {
		if host, got, err := ParseLimit(text); err == nil {
			t.Errorf("%q: found %q, %+v; wanted an error", text, host, got)
		}
	}
}
