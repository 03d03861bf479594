package trust

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
)

// hostileRecords are TUF caches of the largest size; somebody else wrote them.
func hostileRecords(address string) map[string]func() string {
	repeat := strings.Repeat
	fill := func(before, text, after string) func() string {
		return func() string { return before + repeat(text, (maxRecord-len(before)-len(after))/len(text)) + after }
	}
	head := fmt.Sprintf(`{"schema":%d,"repository":%q,"fetched_at":"2026-01-01T00:00:00Z","files":{`, recordSchema, address)
	file := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return map[string]func() string{
		"lists":              fill("", "[", ""),
		"lists in a file":    fill(head+`"a":`, "[", ""),
		"objects":            fill("", `{"a":`, ""),
		"one file":           fill(head+`"1.root.json":"`, "aaaa", `"}}`),
		"empty files":        fill(head, `"a":"",`, `"b":""}}`),
		"keys":               fill("{", `"schema":1,`, `"x":1}`),
		"one number":         fill(`{"schema":`, "9", "}"),
		"white space":        fill("", " ", ""),
		"metadata of lists":  func() string { return head + `"timestamp.json":"` + file(repeat("[", 8<<20)) + `"}}` },
		"metadata of nulls":  func() string { return head + `"timestamp.json":"` + file("["+repeat("null,", 1<<20)+"1]") + `"}}` },
		"roots without end":  func() string { return head + numberedRoots(100_000) + `"x":""}}` },
		"bytes of a picture": fill("\x89PNG", "\xff", ""),
	}
}

func numberedRoots(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d.root.json":"e30=",`, i+1)
	}
	return b.String()
}

func TestHostileCachesAreCheap(t *testing.T) {
	repo := newRepo(t)
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	for name, text := range hostileRecords(repo.Server.URL) {
		t.Run(name, func(t *testing.T) {
			in, dir := instanceOf(repo, t, false), t.TempDir()
			path := filepath.Join(dir, in.cacheName())
			if err := os.WriteFile(path, []byte(text()), 0o600); err != nil {
				t.Fatal(err)
			}
			budget.Check(t, func() {
				l := &loading{instance: in, path: path, ref: born}
				if v, err := l.open(); err == nil || v != nil {
					t.Errorf("it was taken for good: %v", err)
				}
			})
		})
	}
}

// Whatever the cache holds, it yields no root that its repository has not
// signed.
func FuzzCache(f *testing.F) {
	repo := newRepo(f)
	repo.Publish(trustedRoot(f, "1"), born.Add(lifetime))
	in, dir := instanceOf(repo, f, false), f.TempDir()
	if _, err := at(dir, born).load(f.Context(), in); err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	more, err2 := filepath.Glob(filepath.Join(dir, "*.json"))
	if files = append(files, more...); err != nil || err2 != nil || len(files) != 1 {
		f.Fatalf("cache files %v", files)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"schema":1,"files":null}`))
	want := trustedRoot(f, "1")
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		l := &loading{instance: in, path: path, ref: born}
		if v, err := l.open(); err == nil && string(v.record.Files["targets/"+target]) != string(want) {
			t.Error("another root was taken for the repository's")
		}
	})
}
