package fetch

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// stalledError is the cause that a watchdog cancels with.
type stalledError struct {
	found, wanted string
}

func (e *stalledError) Error() string { return "found " + e.found + ", wanted " + e.wanted }

// watchdog cancels a transfer that makes no progress.
type watchdog struct {
	limit  time.Duration
	stream bool // bytes are progress; otherwise only the end is
	cancel context.CancelCauseFunc
	timer  *time.Timer

	mu       sync.Mutex
	deadline time.Time
	total    int64     // bytes so far, of all attempts
	since    time.Time // when the window for the rate began
	window   int64     // bytes in it
	paused   time.Time // when pause was called; zero while it watches
}

// watch gives a context that ends when limit passes without progress.
func watch(ctx context.Context, limit time.Duration, stream bool) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	now := time.Now()
	w := &watchdog{limit: limit, stream: stream, cancel: cancel, deadline: now.Add(limit), since: now}
	w.mu.Lock() // bark reads timer
	w.timer = time.AfterFunc(limit, w.bark)
	w.mu.Unlock()
	return ctx, w
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// left is the time that remains for the next progress.
func (w *watchdog) left() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Until(w.deadline)
}

// progress says that n bytes came.
func (w *watchdog) progress(n int) {
	if !w.stream || n == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.total += int64(n)
	w.window += int64(n)
	if passed := now.Sub(w.since); passed >= slowWindows*w.limit {
		if float64(w.window) < minRate*passed.Seconds() {
			w.cancel(&stalledError{
				found:  fmt.Sprintf("%d bytes in %s", w.window, passed.Round(time.Millisecond)),
				wanted: fmt.Sprintf("at least %d bytes a second", minRate),
			})
		}
		w.since, w.window = now, 0
	}
	w.deadline = now.Add(w.limit)
}

// bark ends the transfer, or sleeps on where there was progress since. The
// timer is not touched for each read, which would cost more than the read.
func (w *watchdog) bark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.paused.IsZero() {
		return // resume sets the timer
	}
	if left := time.Until(w.deadline); left > 0 {
		w.timer.Reset(left)
		return
	}
	e := &stalledError{found: fmt.Sprintf("no answer within %s", w.limit), wanted: "one"}
	switch {
	case !w.stream:
		e.found, e.wanted = fmt.Sprintf("no complete answer within %s", w.limit), "all of it"
	case w.total > 0:
		e.found, e.wanted = fmt.Sprintf("no new bytes for %s", w.limit), "the rest"
	}
	w.cancel(e)
}

// pause stops the clock while a request waits for its turn.
func (w *watchdog) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = time.Now()
}

// resume lets the clock go on where pause stopped it.
func (w *watchdog) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := time.Since(w.paused)
	w.paused = time.Time{}
	w.deadline = w.deadline.Add(took)
	w.since = w.since.Add(took)
	w.timer.Reset(max(time.Until(w.deadline), 0))
}
