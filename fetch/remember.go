package fetch

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// Limits of what a client with Once remembers.
const (
	maxRemembered = int64(16) << 20 // bytes of answers, the last ones used
	maxAsked      = 200_000         // requests whose answers are in Cache

	answerCost = int64(1) << 10 // bytes of an answer beside its body, about
)

// memory is what a client with Once has asked for.
type memory struct {
	mu      sync.Mutex
	flights map[flightKey]*flight
	answers map[memoryKey]*list.Element // of *memo
	recent  *list.List                  // the last one used first
	size    int64
	asked   map[memoryKey]struct{} // whose answers may be in Cache
}

func newMemory() *memory {
	return &memory{
		flights: map[flightKey]*flight{}, answers: map[memoryKey]*list.Element{},
		recent: list.New(), asked: map[memoryKey]struct{}{},
	}
}

// memoryKey is what makes two calls ask for the same document. In one client
// the same URL has the same credentials.
type memoryKey struct {
	url, accept        string
	anonymous, foreign bool
}

// flightKey has the limit too: who allows less may fail where others do not.
type flightKey struct {
	memoryKey
	limit int64
}

// memo is a document, or why there is none.
type memo struct {
	key     memoryKey
	doc     *Document
	missing *NotFoundError
}

func (a *memo) cost() int64 {
	if a.doc != nil {
		return answerCost + int64(len(a.doc.Body))
	}
	return answerCost
}

// give hands an answer to a call.
func (a *memo) give(r request) (*Document, error) {
	if a.doc == nil {
		missing := *a.missing
		missing.URL = r.url
		return nil, &missing
	}
	if size := int64(len(a.doc.Body)); size > r.limit {
		return nil, &TooLargeError{URL: r.url, Limit: r.limit, Size: size}
	}
	doc := *a.doc
	doc.URL, doc.Header = r.url, maps.Clone(a.doc.Header)
	return &doc, nil
}

// flight is a request that is under way, for all who call meanwhile.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int
	doc     *Document
	err     error
}

// remembered gives the answer to a request, and makes the request only if
// nobody has in this client's life.
func (c *Client) remembered(ctx context.Context, r request) (*Document, error) {
	e := c.start()
	if ctx.Err() != nil {
		return nil, callerEnded(ctx, r.url)
	}
	m := e.memory
	key := memoryKey{url: r.url, accept: r.accept, anonymous: r.anonymous, foreign: r.foreign}
	key.url, _, _ = strings.Cut(r.url, "#")
	at := flightKey{key, r.limit}
	m.mu.Lock()
	if found, ok := m.answers[key]; ok {
		m.recent.MoveToFront(found)
		m.mu.Unlock()
		e.shared.Add(1)
		return found.Value.(*memo).give(r)
	}
	f, ok := m.flights[at]
	if ok {
		e.shared.Add(1)
	} else {
		f = &flight{done: make(chan struct{})}
		var alone context.Context
		// It must not end with the caller that came first.
		alone, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		m.flights[at] = f
		_, asked := m.asked[key]
		go c.fly(alone, at, f, r, asked)
	}
	f.waiters++
	m.mu.Unlock()

	select {
	case <-f.done:
		return f.give(r)
	case <-ctx.Done():
		m.abandon(at, f)
		return nil, callerEnded(ctx, r.url)
	}
}

// fly makes a request, and remembers the answer.
func (c *Client) fly(ctx context.Context, at flightKey, f *flight, r request, asked bool) {
	defer f.cancel()
	f.doc, f.err = c.document(ctx, r, asked)
	m := c.engine.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flights[at] == f {
		delete(m.flights, at)
	}
	m.remember(at.memoryKey, f, c.Cache != nil)
	close(f.done)
}

// remember keeps what will not be asked for again. The caller holds the lock.
func (m *memory) remember(key memoryKey, f *flight, onDisk bool) {
	a := &memo{key: key, doc: f.doc}
	if f.err != nil && !errors.As(f.err, &a.missing) {
		return // it may be there the next time
	}
	if _, ok := m.answers[key]; ok {
		return
	}
	if onDisk && len(m.asked) < maxAsked {
		m.asked[key] = struct{}{}
	}
	if a.cost() > maxRemembered/4 {
		return
	}
	m.answers[key] = m.recent.PushFront(a)
	m.size += a.cost()
	for m.size > maxRemembered {
		last := m.recent.Remove(m.recent.Back()).(*memo)
		delete(m.answers, last.key)
		m.size -= last.cost()
	}
}

// abandon leaves a request to others who wait for it, and ends it if there are
// none.
func (m *memory) abandon(at flightKey, f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		if m.flights[at] == f {
			delete(m.flights, at) // nobody may join what was ended
		}
	}
}

// give hands the outcome to one of those who waited.
func (f *flight) give(r request) (*Document, error) {
	if f.err != nil {
		return nil, f.err
	}
	return (&memo{doc: f.doc}).give(r)
}

// callerEnded is the error of a call whose caller gave up.
func callerEnded(ctx context.Context, asked string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return cancelled(ctx, asked)
	}
	return &UnavailableError{
		URL: asked, Found: "no complete answer before the caller's deadline", Wanted: "one",
		Err: fmt.Errorf("fetching %q: %w", Redact(asked), ctx.Err()),
	}
}
