package fetch

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeKeeper keeps an archive, and fails where a test wants it to.
type fakeKeeper struct {
	bytes.Buffer
	resets       int
	full         int // bytes that fit; 0 for any number
	short        bool
	refusesReset bool
}

func (k *fakeKeeper) Write(p []byte) (int, error) {
	if k.full > 0 && k.Len()+len(p) > k.full {
		if k.short {
			return len(p) - 1, nil
		}
		return 0, errFull
	}
	return k.Buffer.Write(p)
}

func (k *fakeKeeper) Reset() error {
	k.resets++
	k.Buffer.Reset()
	if k.refusesReset {
		return errFull
	}
	return nil
}

var errFull = errors.New("no space left on device")

// What is kept is the archive, whatever came before it.
func TestKeep(t *testing.T) {
	const body = "the archive, all of it"
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/gone":
			http.NotFound(w, r)
		case asked.Add(1) == 1: // breaks off, and cannot be continued
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("something else")) //nolint:errcheck // a test
		default:
			w.Write([]byte(body)) //nolint:errcheck // a test
		}
	}))
	defer s.Close()
	c := &Client{FirstPause: time.Millisecond}
	k := &fakeKeeper{}
	k.WriteString("left by somebody")
	a, err := c.Archive(context.Background(), []string{s.URL + "/gone", s.URL + "/a"}, ArchiveOptions{Keep: k})
	if err != nil {
		t.Fatal(err)
	}
	if k.String() != body || a.Size != int64(len(body)) {
		t.Errorf("kept %q, %d bytes", k, a.Size)
	}
}

// A failing Keeper ends the call at once: no other attempt and no mirror helps.
func TestKeepFails(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Write([]byte(strings.Repeat("x", 100))) //nolint:errcheck // a test
	}))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		keep  *fakeKeeper
		url   string
		asked int32
	}{
		"full":          {&fakeKeeper{full: 10}, s.URL, 1},
		"short":         {&fakeKeeper{full: 10, short: true}, s.URL, 1},
		"cannot begin":  {&fakeKeeper{refusesReset: true}, s.URL, 0},
		"full, of file": {&fakeKeeper{full: 10}, "file://" + file, 0},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			client := &Client{FirstPause: time.Millisecond}
			_, err := client.Archive(context.Background(), []string{c.url, c.url}, ArchiveOptions{Keep: c.keep})
			var failed *KeepError
			if !errors.As(err, &failed) || failed.Hint() == "" || !strings.Contains(err.Error(), "cannot be kept") {
				t.Errorf("found %v", err)
			}
			if asked.Load() != c.asked {
				t.Errorf("asked %d times, wanted %d", asked.Load(), c.asked)
			}
		})
	}
}
