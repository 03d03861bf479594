package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestOnceSharesAnswers(t *testing.T) {
	var release atomic.Bool
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for !release.Load() {
			time.Sleep(time.Millisecond)
		}
		switch r.URL.Path {
		case "/absent":
			http.NotFound(w, r)
		default:
			io.WriteString(w, "body of "+r.URL.Path)
		}
	})
	c := quick(t)
	c.Once = true
	const calls = 20
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() {
			doc, err := c.Document(t.Context(), fmt.Sprintf("%s/d#%d", s.URL, i), DocumentOptions{})
			if err != nil || string(doc.Body) != "body of /d" || doc.URL != fmt.Sprintf("%s/d#%d", s.URL, i) {
				t.Errorf("found %+v, %v", doc, err)
			}
			if _, err := c.Document(t.Context(), s.URL+"/absent", DocumentOptions{}); outcomeOf(err) != "not found" {
				t.Errorf("found %v, wanted that it does not exist", err)
			}
		})
	}
	// All who call while the first request runs, or later, share it.
	for c.Stats().Shared < calls-1 {
		time.Sleep(time.Millisecond)
	}
	release.Store(true)
	group.Wait()
	if got := len(s.requests()); got != 2 {
		t.Errorf("%d requests, wanted 2", got)
	}
	if got := c.Stats().Shared; got != 2*(calls-1) {
		t.Errorf("%d calls shared an answer, wanted %d", got, 2*(calls-1))
	}
	for _, o := range []DocumentOptions{{Accept: "a/b"}, {Anonymous: true}} {
		if _, err := c.Document(t.Context(), s.URL+"/d", o); err != nil {
			t.Error(err)
		}
	}
	if got := len(s.requests()); got != 4 {
		t.Errorf("%d requests after two others, wanted 4", got)
	}
	if _, err := c.Document(t.Context(), s.URL+"/d", DocumentOptions{MaxBytes: 3}); outcomeOf(err) != "too large" {
		t.Errorf("found %v, wanted too large", err)
	}
}

func TestOnceDoesNotKeepFailures(t *testing.T) {
	s := serve(t, flaky(answer(500), answer(200)))
	c := quick(t)
	c.Once, c.Retries = true, -1
	for i, want := range []string{"unavailable", "ok", "ok"} {
		if _, err := c.Document(t.Context(), s.URL, DocumentOptions{}); outcomeOf(err) != want {
			t.Errorf("call %d: found %v, wanted %s", i, err, want)
		}
	}
	if got := len(s.requests()); got != 2 {
		t.Errorf("%d requests, wanted 2", got)
	}
}

func TestWithoutOnceEachCallAsks(t *testing.T) {
	s := serve(t, answer(200))
	c := quick(t)
	mustGet(t, c, s.URL)
	mustGet(t, c, s.URL)
	if got := len(s.requests()); got != 2 {
		t.Errorf("%d requests, wanted 2", got)
	}
}

// The first caller may go; those who came later get their answer. When all have
// gone the request ends.
func TestOnceOutlivesItsFirstCaller(t *testing.T) {
	begun, release, ended := make(chan struct{}, 9), make(chan struct{}), make(chan struct{}, 9)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		select {
		case <-release:
			io.WriteString(w, "body")
		case <-r.Context().Done():
			ended <- struct{}{}
		}
	})
	c := quick(t)
	c.Once = true
	call := func(ctx context.Context, path string, done chan<- string) {
		_, err := c.Document(ctx, s.URL+path, DocumentOptions{})
		done <- outcomeOf(err)
	}
	first, cancel := context.WithCancel(t.Context())
	outcomes := make(chan string, 1)
	go call(first, "/kept", outcomes)
	<-begun
	second := make(chan string, 1)
	go call(t.Context(), "/kept", second)
	for c.Stats().Shared == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if got := <-outcomes; got != "cancelled" {
		t.Errorf("the first caller found %q", got)
	}
	release <- struct{}{}
	if got := <-second; got != "ok" {
		t.Errorf("the second caller found %q", got)
	}

	alone, cancel := context.WithCancel(t.Context())
	go call(alone, "/left", outcomes)
	<-begun
	cancel()
	if got := <-outcomes; got != "cancelled" {
		t.Errorf("the only caller found %q", got)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the request goes on with nobody waiting for it")
	}
	// And a later call is not given the end of that one.
	go call(t.Context(), "/left", outcomes)
	<-begun
	release <- struct{}{}
	if got := <-outcomes; got != "ok" {
		t.Errorf("a later call found %q", got)
	}
}

// What memory has no room for comes from the disk, and nobody is asked.
func TestOnceBeyondMemory(t *testing.T) {
	const documents, size = 40, 1 << 20
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscanf(r.URL.Path, "/%d", &n)
		w.Write(numbered(n, size))
	})
	c := cached(t, t.TempDir())
	c.Once = true
	for range 2 {
		for i := range documents {
			if got := mustGet(t, c, fmt.Sprintf("%s/%d", s.URL, i)); !bytes.Equal(got.Body, numbered(i, size)) {
				t.Errorf("document %d is another one", i)
			}
		}
	}
	if got := len(s.requests()); got != documents {
		t.Errorf("%d requests, wanted %d", got, documents)
	}
	m := c.engine.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	held := int64(0)
	for e := m.recent.Front(); e != nil; e = e.Next() {
		held += int64(len(e.Value.(*memo).doc.Body))
	}
	if held > maxRemembered || m.size > maxRemembered || len(m.answers) != m.recent.Len() || len(m.flights) != 0 {
		t.Errorf("memory holds %d bytes (counted %d) in %d of %d answers, and %d flights", held, m.size, len(m.answers), m.recent.Len(), len(m.flights))
	}
}
