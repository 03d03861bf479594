package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/recipe-verify/recipe-verify/internal/tuftest"
)

// TestMetadataThatPanics serves metadata that somebody on the way can write,
// for go-tuf reads it before it checks signatures.
func TestMetadataThatPanics(t *testing.T) {
	deep := strings.Repeat("[", 9990) + strings.Repeat("]", 9990)
	signed := func(role, rest string) string {
		return fmt.Sprintf(`{"signatures":[],"signed":{"_type":%q,"spec_version":"1.0.31","version":2,"expires":"2030-01-01T00:00:00Z"%s}}`, role, rest)
	}
	for _, file := range []string{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"} {
		role := strings.TrimSuffix(strings.TrimLeft(file, "12."), ".json")
		for name, body := range map[string]string{
			"null":                   `null`,
			"list":                   `[]`,
			"nothing":                `{}`,
			"signed is null":         `{"signed":null,"signatures":null}`,
			"signed is a list":       `{"signed":[],"signatures":[]}`,
			"a null target":          signed(role, `,"targets":{"trusted_root.json":null}`),
			"null delegations":       signed(role, `,"targets":{},"delegations":{"keys":{"a":null},"roles":[null]}`),
			"null meta":              signed(role, `,"meta":null`),
			"null in meta":           signed(role, `,"meta":{"snapshot.json":null,"targets.json":null}`),
			"null keys":              signed(role, `,"keys":{"a":null},"roles":{"root":null,"timestamp":null}`),
			"null signatures":        `{"signatures":[null],"signed":{"_type":"` + role + `"}}`,
			"deep":                   signed(role, `,"x":`+deep),
			"a version beyond int64": `{"signatures":[],"signed":{"_type":"` + role + `","version":1e400}}`,
			"a name twice":           `{"signed":{"_type":"x"},"signed":{"_type":"` + role + `"},"signatures":[]}`,
		} {
			t.Run(file+"/"+name, func(t *testing.T) {
				repo := newRepo(t)
				repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
				in := instanceOf(repo, t, true)
				repo.Set(file, []byte(body))
				dir := t.TempDir()
				roots, err := at(dir, born).load(t.Context(), in)
				embedded("the TUF repository could not be used").check(t, roots, err)
				if files := snapshotOf(t, dir); len(files) > 0 {
					t.Errorf("what was refused was cached: %v", files)
				}
			})
		}
	}
}

// TestSignedMetadataThatPanics is metadata by the keys of the repository, one
// of which was stolen.
func TestSignedMetadataThatPanics(t *testing.T) {
	for name, do := range map[string]func(r *tuftest.Repo){
		"a timestamp without a snapshot": func(r *tuftest.Repo) {
			delete(r.Timestamp.Signed.Meta, "snapshot.json")
			r.Timestamp.Signed.Version++
			tuftest.Put(r, "timestamp.json", r.Timestamp, r.Keys[metadata.TIMESTAMP])
		},
		"a timestamp with a null snapshot": func(r *tuftest.Repo) {
			r.Timestamp.Signed.Meta["snapshot.json"] = nil
			r.Timestamp.Signed.Version++
			tuftest.Put(r, "timestamp.json", r.Timestamp, r.Keys[metadata.TIMESTAMP])
		},
		"a snapshot with null targets": func(r *tuftest.Repo) {
			r.Snapshot.Signed.Meta["targets.json"] = nil
			r.Snapshot.Signed.Version++
			tuftest.Put(r, "2.snapshot.json", r.Snapshot, r.Keys[metadata.SNAPSHOT])
			r.PublishTimestamp(2, born.Add(lifetime))
		},
		"a root with a null role": func(r *tuftest.Repo) {
			r.Root.Signed.Roles[metadata.TIMESTAMP] = nil
			r.Root.Signed.Version++
			r.PutRoot(r.Keys[metadata.ROOT])
		},
		"a root with a null key": func(r *tuftest.Repo) {
			for id := range r.Root.Signed.Keys {
				r.Root.Signed.Keys[id] = nil
			}
			r.Root.Signed.Version++
			r.PutRoot(r.Keys[metadata.ROOT])
		},
	} {
		t.Run(name, func(t *testing.T) {
			repo := newRepo(t)
			repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
			in := instanceOf(repo, t, true)
			do(repo)
			roots, err := at(t.TempDir(), born).load(t.Context(), in)
			embedded("the TUF repository could not be used").check(t, roots, err)
		})
	}
}

// TestLengthOfMetadata: neither go-tuf's limit for metadata whose signature is
// not checked yet, nor the length that a stolen key of the timestamp, which is
// online, signed for the snapshot says how much memory we use.
func TestLengthOfMetadata(t *testing.T) {
	for name, file := range map[string]string{"claimed": ".snapshot.json", "unsigned": ".targets.json"} {
		t.Run(name, func(t *testing.T) {
			repo := newRepo(t)
			repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
			in := instanceOf(repo, t, true)
			meta := metadata.MetaFile(1)
			if name == "claimed" {
				meta.Length = 1 << 50
			}
			repo.Timestamp.Signed.Meta["snapshot.json"] = meta
			repo.Timestamp.Signed.Version++
			tuftest.Put(repo, "timestamp.json", repo.Timestamp, repo.Keys[metadata.TIMESTAMP])
			inner := repo.Server.Config.Handler
			const most = 64 << 20
			var sent int
			repo.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, file) {
					inner.ServeHTTP(w, r)
					return
				}
				for chunk := make([]byte, 1<<16); sent < most; {
					n, err := w.Write(chunk)
					if sent += n; err != nil {
						return
					}
				}
			})
			roots, err := at(t.TempDir(), born).load(t.Context(), in)
			embedded(fmt.Sprintf("has more than %d bytes", maxFile)).check(t, roots, err)
			repo.Server.Close() // waits for the handler
			if sent >= most {
				t.Errorf("%d bytes were read", sent)
			}
		})
	}
}

// TestCacheHoldsNoSecret: the address of a private repository may hold a
// password, which a cache need not.
func TestCacheHoldsNoSecret(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	u, err := url.Parse(repo.Server.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("user", "hunter2")
	s := at(dir, born)
	s.MirrorURL, s.Root = u.String(), repo.Get("1.root.json")
	for _, origin := range []string{originTUF, originCache} {
		roots, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := roots.Domains[0]; d.Origin != origin || len(roots.Warnings) > 0 {
			t.Errorf("found %s with warnings %q, wanted %s", d.Origin, roots.Warnings, origin)
		}
	}
	for name := range snapshotOf(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "hunter2") {
			t.Error("the cache holds the password")
		}
	}
}

// TestCacheIsALink: whoever plants a link in a folder that others write to must
// not choose which file is overwritten.
func TestCacheIsALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	repo, dir := newRepo(t), t.TempDir()
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	in := instanceOf(repo, t, true)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, in.cacheName())); err != nil {
		t.Fatal(err)
	}
	roots, err := at(dir, born).load(t.Context(), in)
	outcome{originTUF, sum(trustedRoot(t, "1")), []string{"is not used"}}.check(t, roots, err)
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the file that the link names: %q, %v", data, err)
	}
	info, err := os.Lstat(filepath.Join(dir, in.cacheName()))
	if err != nil {
		t.Fatal(err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("the cache is %s, wanted a file of the user's alone", info.Mode())
	}
}

// TestDateIsNotTrusted: the date of an answer stands in the cache unsigned.
// Whoever changes it neither extends the life of what expired, nor makes the
// repository's state older than it was.
func TestDateIsNotTrusted(t *testing.T) {
	repo, dir := newRepo(t), t.TempDir()
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	in := instanceOf(repo, t, true)
	if _, err := at(dir, born).load(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, in.cacheName())
	later := born.Add(lifetime + time.Hour)
	for name, date := range map[string]time.Time{
		"now": later, "the future": later.AddDate(9, 0, 0), "the past": born.AddDate(-9, 0, 0), "never": {}, "as it was": born,
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var r record
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			r.FetchedAt = date
			if data, err = json.Marshal(&r); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			s := at(dir, later)
			s.Offline = true
			roots, err := s.load(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if d := roots.Domains[0]; d.Origin != originEmbedded {
				t.Errorf("found the root from %s, wanted the snapshot", d.Origin)
			}
			if !strings.Contains(strings.Join(roots.Warnings, " "), "expired") {
				t.Errorf("found warnings %q, wanted one of the expired cache", roots.Warnings)
			}
		})
	}
}

// TestTwoReadings gives root files that two readers of JSON could read
// differently, so that one takes it for an instance with logs and the other not.
func TestTwoReadings(t *testing.T) {
	good := string(trustedRoot(t, "1"))
	github := string(gitHubRoot(t))
	var doc map[string]json.RawMessage
	if err := json.Unmarshal([]byte(good), &doc); err != nil {
		t.Fatal(err)
	}
	with := func(field string) string { return strings.Replace(good, "{", "{"+field+",", 1) }
	for name, text := range map[string]string{
		"a name twice, empty":         with(`"tlogs":[]`),
		"a name twice, null":          with(`"tlogs":null`),
		"a name in both spellings":    with(`"certificate_authorities":` + string(doc["certificateAuthorities"])),
		"a name escaped":              with(`"\u0074logs":[]`),
		"a name in other case":        with(`"TLogs":[]`),
		"an unknown name":             with(`"requireLogs":false`),
		"GitHub's with unknown names": strings.Replace(github, "{", `{"trustDomain":"public-good",`, 1),
		"GitHub's with logs, empty":   strings.Replace(github, "{", `{"tlogs":[{}],`, 1),
		"GitHub's with null logs":     strings.Replace(github, "{", `{"tlogs":[null],`, 1),
		"a null authority":            `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[null]}`,
		"an empty certificate":        strings.Replace(github, `"certificates":[`, `"certificates":[{},`, 1),
		"bytes that are not UTF-8":    strings.Replace(good, "tsa.example", "tsa\xff", 1),
		"a byte-order mark":           "\xef\xbb\xbf" + good,
		"UTF-16":                      "\xff\xfe{\x00}\x00",
		"a comment":                   "// root\n" + good,
		"text behind it":              good + "\n<html>",
		"a list of roots":             "[" + good + "]",
		"deep":                        strings.Repeat(`{"tlogs":`, 20_000),
		"a media type of another":     strings.Replace(good, "version=0.1", "version=0.9", 1),
		"one good, one bad":           good + "\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			domains, err := Parse("x", []byte(text))
			if err == nil {
				t.Fatalf("found %d domains, wanted an error", len(domains))
			}
			if strings.Contains(err.Error(), "\x1b") || !utf8.ValidString(err.Error()) {
				t.Errorf("%q holds what stood in the file", err)
			}
		})
	}
}

// TestRootsBesideEachOther: each is judged by what it holds, whatever stands
// beside it in a file.
func TestRootsBesideEachOther(t *testing.T) {
	good, github := trustedRoot(t, "1"), gitHubRoot(t)
	domains, err := Parse("x", append(append([]byte{}, github...), good...))
	if err != nil {
		t.Fatal(err)
	}
	if len(domains) != 2 {
		t.Fatalf("found %d domains, wanted 2", len(domains))
	}
	for i, want := range []struct {
		name    string
		require Requirements
		logs    int
	}{{GitHub, Requirements{SignedTimestamps: 1}, 0}, {PublicGood, full, len(domains[1].Root.RekorLogs())}} {
		d := domains[i]
		if d.Name != want.name || d.Require != want.require || len(d.Root.RekorLogs()) != want.logs {
			t.Errorf("domain %d is %s with %+v and %d logs", i, d.Name, d.Require, len(d.Root.RekorLogs()))
		}
	}
	// GitHub's authority beside the public-good instance's logs, and the other
	// way round: never less than everything.
	merge := func(into, from []byte, keys ...string) []byte {
		var other map[string]any
		if err := json.Unmarshal(from, &other); err != nil {
			t.Fatal(err)
		}
		return edit(t, into, func(m map[string]any) {
			for _, k := range keys {
				list, _ := m[k].([]any)
				more, _ := other[k].([]any)
				m[k] = append(list, more...)
			}
		})
	}
	for name, data := range map[string][]byte{
		"authorities of both":       merge(good, github, "certificateAuthorities", "timestampAuthorities"),
		"logs at GitHub's":          merge(github, good, "tlogs", "ctlogs"),
		"transparency log only":     merge(github, good, "tlogs"),
		"certificate log only":      merge(github, good, "ctlogs"),
		"another authority only":    merge(github, good, "certificateAuthorities"),
		"another time stamp only":   merge(github, good, "timestampAuthorities"),
		"no time stamp at GitHub's": edit(t, github, func(m map[string]any) { delete(m, "timestampAuthorities") }),
	} {
		t.Run(name, func(t *testing.T) {
			domains, err := Parse("x", data)
			var unsupported *UnsupportedRootError
			if errors.As(err, &unsupported) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := domains[0]; d.Require != full || d.Name != "x" {
				t.Errorf("found %s with %+v, wanted everything", d.Name, d.Require)
			}
		})
	}
}

// TestNothingIsAskedOffline, in none of the states that a cache can have.
func TestNothingIsAskedOffline(t *testing.T) {
	asked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("asked for %s", r.URL)
		_, _ = io.WriteString(w, "{}")
	}))
	defer asked.Close()
	for _, env := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(env, asked.URL)
	}
	repo := newRepo(t)
	repo.Publish(trustedRoot(t, "1"), born.Add(lifetime))
	in := instanceOf(repo, t, true)
	in.url = asked.URL
	for name, content := range map[string]string{"none": "", "broken": "{", "empty": "{}"} {
		dir := t.TempDir()
		if content != "" {
			if err := os.WriteFile(filepath.Join(dir, in.cacheName()), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, now := range []time.Time{born.AddDate(-20, 0, 0), born, born.AddDate(20, 0, 0)} {
			s := at(dir, now)
			s.Offline = true
			roots, err := s.load(t.Context(), in)
			if err != nil || len(roots.Warnings) == 0 {
				t.Errorf("cache %s: found %v, %v, wanted the snapshot and a warning", name, roots, err)
			}
		}
	}
}
