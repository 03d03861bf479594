package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/internal/cli"
)

// filledCache makes a cache of three documents, and gives the folder for
// --cache-dir.
func filledCache(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%10s", r.URL.Path)
	}))
	defer s.Close()
	base := t.TempDir()
	dir, err := fetch.CacheDir(base)
	if err != nil {
		t.Fatal(err)
	}
	client := &fetch.Client{Cache: &fetch.Cache{Dir: dir}, Env: func(string) string { return "" }}
	defer client.Close()
	defer client.Cache.Close()
	for i := range 3 {
		if _, err := client.Document(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), fetch.DocumentOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return base
}

func runCache(t *testing.T, wantStatus int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.Env{
		Getenv:     func(string) string { return "" },
		LookupEnv:  func(string) (string, bool) { return "", false },
		IsTerminal: func(any) bool { return false },
	}
	if got := cli.Main(t.Context(), env, strings.NewReader(""), &out, &errs, append([]string{"cache"}, args...)); got != wantStatus {
		t.Errorf("%q: status %d, wanted %d: %s", args, got, wantStatus, &errs)
	}
	return out.String(), errs.String()
}

type cacheAnswer struct {
	Folder         string
	Entries, Blobs int
	Bytes          int64
	Oldest, Newest time.Time
	Bad            []struct {
		Path, Problem string
		Removed       bool
	}
}

func answerOf(t *testing.T, wantStatus int, args ...string) cacheAnswer {
	t.Helper()
	out, _ := runCache(t, wantStatus, append(args, "--format", "json")...)
	var a cacheAnswer
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("more than one JSON document: %s", out)
	}
	return a
}

func TestCacheInfo(t *testing.T) {
	base := filledCache(t)
	got := answerOf(t, 0, "info", "--cache-dir", base)
	if got.Entries != 3 || got.Blobs != 3 || got.Bytes < 30 || got.Folder != filepath.Join(base, "evidence") {
		t.Errorf("found %+v", got)
	}
	if time.Since(got.Oldest) > time.Minute || got.Newest.Before(got.Oldest) {
		t.Errorf("found times from %s to %s", got.Oldest, got.Newest)
	}
	out, _ := runCache(t, 0, "info", "--cache-dir", base)
	if !strings.Contains(out, "3 answers with 3 bodies, ") || !strings.Contains(out, base) {
		t.Errorf("found %q", out)
	}
	none := filepath.Join(t.TempDir(), "none")
	if got := answerOf(t, 0, "info", "--cache-dir", none); got.Entries != 0 || got.Bytes != 0 {
		t.Errorf("no folder: found %+v", got)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("info has made the folder")
	}
}

func TestCacheClean(t *testing.T) {
	base := filledCache(t)
	if got := answerOf(t, 0, "clean", "--cache-dir", base, "--older-than", "30d"); got.Entries != 0 || got.Blobs != 0 {
		t.Errorf("removed %+v, wanted nothing, for all is new", got)
	}
	old := time.Now().Add(-31 * 24 * time.Hour)
	for _, pattern := range []string{"entries/*/*", "blobs/*/*"} {
		names, err := filepath.Glob(filepath.Join(base, "evidence", pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%q: %v", names, err)
		}
		if err := os.Chtimes(names[0], old, old); err != nil {
			t.Fatal(err)
		}
	}
	if got := answerOf(t, 0, "clean", "--cache-dir", base, "--older-than", "30d"); got.Entries != 1 || got.Blobs != 1 {
		t.Errorf("removed %+v, wanted one of each", got)
	}
	out, _ := runCache(t, 0, "clean", "--cache-dir", base)
	if !strings.HasPrefix(out, "removed 2 answers with 2 bodies, ") {
		t.Errorf("found %q", out)
	}
	if got := answerOf(t, 0, "info", "--cache-dir", base); got.Entries != 0 || got.Blobs != 0 {
		t.Errorf("left %+v", got)
	}
}

func TestCacheVerify(t *testing.T) {
	base := filledCache(t)
	if got := answerOf(t, 0, "verify", "--cache-dir", base); got.Entries != 3 || got.Bad == nil || len(got.Bad) != 0 {
		t.Errorf("found %+v", got)
	}
	names, err := filepath.Glob(filepath.Join(base, "evidence", "blobs", "*", "*"))
	if err != nil || len(names) != 3 {
		t.Fatalf("%q: %v", names, err)
	}
	flip := func(name string) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data[0] ^= 1
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flip(names[0])
	got := answerOf(t, 1, "verify", "--cache-dir", base)
	rel, err := filepath.Rel(filepath.Join(base, "evidence"), names[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Bad) != 1 || got.Bad[0].Path != filepath.ToSlash(rel) || !got.Bad[0].Removed || got.Bad[0].Problem == "" || got.Blobs != 2 {
		t.Errorf("found %+v", got)
	}
	flip(names[1])
	out, _ := runCache(t, 1, "verify", "--cache-dir", base)
	if !strings.Contains(out, "removed blobs/") || !strings.Contains(out, "1 file was bad") {
		t.Errorf("found %q", out)
	}
	runCache(t, 0, "verify", "--cache-dir", base)
}

func TestCacheUsage(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		found string
	}{
		{[]string{"info", "--format", "yaml"}, `--format: found "yaml", wanted text or json`},
		{[]string{"info", "--cache-dir", ""}, `--cache-dir: found "", wanted a folder`},
		{[]string{"info", "extra"}, "extra"},
		{[]string{"clean", "--older-than", ""}, `--older-than: found "", wanted a duration`},
		{[]string{"clean", "--older-than", "-1h"}, `--older-than: found "-1h", wanted a duration`},
		{[]string{"clean", "--older-than", "xd"}, `--older-than: found "xd", wanted a duration`},
		{[]string{"clean", "--older-than", "99999999d"}, `--older-than: found "99999999d", wanted a duration`},
		{[]string{"clean", "30d"}, "30d"},
		{[]string{"remove"}, "remove"},
	} {
		out, errs := runCache(t, 2, tt.args...)
		if !strings.Contains(errs, tt.found) {
			t.Errorf("%q: found %q, wanted %q", tt.args, errs, tt.found)
		}
		if diff := cmp.Diff("", out); diff != "" {
			t.Errorf("%q: output (-want +got):\n%s", tt.args, diff)
		}
	}
}
