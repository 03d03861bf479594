package trust

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// others is an organization that is not GitHub.
var others = []string{"Example Corp."}

// TestWithoutLogs: only a root all of whose certificates are GitHub's may do
// without logs. The JSON's "subject" says GitHub in every row.
func TestWithoutLogs(t *testing.T) {
	github := authority(t, gitHubOrg, gitHubOrg, gitHubOrg)
	foreign := authority(t, others)
	for _, tc := range []struct {
		name string
		data []byte
		ok   bool
	}{
		{"GitHub's", gitHubRoot(t), true},
		{"several authorities of GitHub's", logless(t, [][]any{github, github}, [][]any{github, github}), true},
		{"no time-stamp authority", logless(t, [][]any{github}, nil), false},
		{"foreign authority", logless(t, [][]any{foreign}, [][]any{github}), false},
		{"one foreign authority of two", logless(t, [][]any{github, foreign}, [][]any{github}), false},
		{"foreign time-stamp authority", logless(t, [][]any{github}, [][]any{foreign}), false},
		{"one foreign time-stamp authority of two", logless(t, [][]any{github}, [][]any{github, foreign}), false},
		{"foreign root", logless(t, [][]any{authority(t, gitHubOrg, others)}, [][]any{github}), false},
		{"foreign intermediate", logless(t, [][]any{authority(t, others, gitHubOrg)}, [][]any{github}), false},
		{"foreign time-stamp signer", logless(t, [][]any{github}, [][]any{authority(t, others, gitHubOrg)}), false},
		{"foreign time-stamp intermediate", logless(t, [][]any{github}, [][]any{authority(t, gitHubOrg, others, gitHubOrg)}), false},
		{"time-stamp signer without root", logless(t, [][]any{github}, [][]any{authority(t, gitHubOrg, gitHubOrg)[:1]}), false},
		{"a second organization", logless(t, [][]any{authority(t, []string{gitHubOrganization, "Example Corp."})}, [][]any{github}), false},
		{"no organization", logless(t, [][]any{authority(t, nil)}, [][]any{github}), false},
		{"other spelling", logless(t, [][]any{authority(t, []string{"GitHub, Inc"})}, [][]any{github}), false},
		{"public good without logs", withoutLogs(t, embeddedTrustedRoot), false},
		{"public good without transparency log", edit(t, embeddedTrustedRoot, func(m map[string]any) { delete(m, "tlogs") }), false},
		{"public good without certificate-transparency log", edit(t, embeddedTrustedRoot, func(m map[string]any) { m["ctlogs"] = []any{} }), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			domains, err := Parse("file", tc.data)
			if !tc.ok {
				var e *UnsupportedRootError
				if !errors.As(err, &e) || len(e.Lacks) == 0 || !strings.Contains(err.Error(), "hint: ") {
					t.Errorf("found %v, error %v; wanted an UnsupportedRootError with a hint", domains, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := domains[0]; d.Name != GitHub || d.Require != (Requirements{SignedTimestamps: 1}) {
				t.Errorf("found %q with %+v", d.Name, d.Require)
			}
		})
	}
}

// TestMixedRoot: with the public-good logs beside them GitHub's authorities
// must bring everything, and nothing is dropped for the others.
func TestMixedRoot(t *testing.T) {
	mixed := edit(t, embeddedTrustedRoot, func(m map[string]any) {
		m["certificateAuthorities"] = append(m["certificateAuthorities"].([]any),
			map[string]any{"certChain": map[string]any{"certificates": authority(t, gitHubOrg)}})
	})
	domains, err := Parse("mixed", mixed)
	if err != nil {
		t.Fatal(err)
	}
	if d := domains[0]; d.Name != "mixed" || d.Require != full {
		t.Errorf("found %q with %+v", d.Name, d.Require)
	}
	only := edit(t, mixed, func(m map[string]any) {
		m["certificateAuthorities"] = m["certificateAuthorities"].([]any)[2:]
	})
	domains, err = Parse(GitHub, only)
	if err != nil {
		t.Fatal(err)
	}
	if d := domains[0]; d.Name != "other-github" || d.Require != full {
		t.Errorf("found %q with %+v", d.Name, d.Require)
	}
}

func TestPublicGoodByContent(t *testing.T) {
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"the snapshot", embeddedTrustedRoot, PublicGood},
		{"another time-stamp authority", trustedRoot(t, "x"), PublicGood},
		{"one log less", edit(t, embeddedTrustedRoot, func(m map[string]any) { m["tlogs"] = m["tlogs"].([]any)[1:] }), PublicGood},
		{"no log in common", edit(t, embeddedTrustedRoot, func(m map[string]any) {
			for _, l := range m["tlogs"].([]any) {
				l.(map[string]any)["logId"].(map[string]any)["keyId"] = "AAAA"
			}
		}), "x"},
		{"identifier of a log with another key", edit(t, embeddedTrustedRoot, func(m map[string]any) {
			ct := m["ctlogs"].([]any)
			for _, l := range m["tlogs"].([]any) {
				l.(map[string]any)["publicKey"] = ct[0].(map[string]any)["publicKey"]
			}
		}), "x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			domains, err := Parse("x", tc.data)
			if err != nil {
				t.Fatal(err)
			}
			if d := domains[0]; d.Name != tc.want || d.Require != full {
				t.Errorf("found %q with %+v, wanted %q", d.Name, d.Require, tc.want)
			}
		})
	}
}

func TestSeveralRoots(t *testing.T) {
	other := edit(t, embeddedTrustedRoot, func(m map[string]any) {
		for _, l := range m["tlogs"].([]any) {
			l.(map[string]any)["logId"].(map[string]any)["keyId"] = "AAAA"
		}
	})
	lines := bytes.Join([][]byte{embeddedTrustedRoot, gitHubRoot(t), other, other}, []byte("\n"))
	path := filepath.Join(t.TempDir(), "roots.jsonl")
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := FromFiles(path, path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range roots.Domains {
		names = append(names, d.Name)
		if d.Origin != path || d.SHA256.String() != sum(lines) || !d.Date.IsZero() || d.Age(born) != 0 {
			t.Errorf("%s: found %q, %s, %s", d.Name, d.Origin, d.SHA256, d.Date)
		}
	}
	// What stands there twice, in the file or by its name, is one domain.
	want := []string{PublicGood, GitHub, "roots"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if again, err := Parse("", roots.Domains[1].JSON); err != nil || again[0].Name != GitHub {
		t.Errorf("what is written out does not read back: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	good := embeddedTrustedRoot
	replace := func(key string, value any) []byte { return edit(t, good, func(m map[string]any) { m[key] = value }) }
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "found no trusted root"},
		{"white space", []byte(" \n\t"), "found no trusted root"},
		{"HTML", []byte("<html>"), "not JSON"},
		{"array", slices.Concat([]byte("["), good, []byte("]")), ""},
		{"null", []byte("null"), ""},
		{"unknown field", replace("extra", 1), "unknown field"},
		{"unknown field with escapes", replace("\u202e\x1b", 1), ""},
		{"other media type", replace("mediaType", "x\x1b"), "media type"},
		{"no certificate authority", replace("certificateAuthorities", []any{}), "no certificate authority"},
		{"authority without certificates", replace("certificateAuthorities", []any{map[string]any{}}), "cert chain"},
		{"certificate that does not parse", replace("certificateAuthorities", []any{map[string]any{
			"certChain": map[string]any{"certificates": []any{map[string]any{"rawBytes": "AAAA"}}},
		}}), "parse certificate"},
		{"key that does not parse", edit(t, good, func(m map[string]any) {
			m["tlogs"].([]any)[0].(map[string]any)["publicKey"].(map[string]any)["rawBytes"] = "AAAA"
		}), "public key"},
		{"good, then cut", slices.Concat(good, good[:100]), "root 2 is not JSON"},
		{"good, then one without authorities", slices.Concat(good, replace("certificateAuthorities", nil)), "root 2: "},
		{"too many", bytes.Repeat(append(gitHubRoot(t), '\n'), MaxDomains+1), "more than 32"},
		{"over the limit", append(slices.Clone(good), bytes.Repeat([]byte(" "), MaxRootFile)...), "the limit is"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "roots.json")
			if err := os.WriteFile(path, tc.data, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, f := range []func() error{
				func() error { _, err := Parse("x", tc.data); return err },
				func() error { _, err := FromFiles(path); return err },
			} {
				err := f()
				if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "\u00a0", " "), tc.want) && tc.name != "over the limit" {
					t.Fatalf("found error %v, wanted %q in it", err, tc.want)
				}
				if strings.ContainsAny(err.Error(), "\x1b\u202e") {
					t.Errorf("the message repeats control characters: %q", err)
				}
			}
			if _, err := FromFiles(path); !strings.Contains(err.Error(), path) {
				t.Errorf("found error %v, wanted the path in it", err)
			}
		})
	}
	for _, paths := range [][]string{nil, {filepath.Join(t.TempDir(), "absent.json")}, {t.TempDir()}} {
		if roots, err := FromFiles(paths...); err == nil {
			t.Errorf("FromFiles(%q): found %v, wanted an error", paths, roots)
		}
	}
}

// TestMemory has the costliest shapes that fit into the limit.
func TestMemory(t *testing.T) {
	for name, data := range map[string]string{
		"lists in lists": strings.Repeat("[", MaxRootFile),
		"empty authorities": `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[` +
			strings.Repeat("{},", MaxRootFile/3-100) + `{}]}`,
		"empty certificates": `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[{"certChain":{"certificates":[` +
			strings.Repeat("{},", MaxRootFile/3-100) + `{}]}}]}`,
		"unknown field": `{"` + strings.Repeat("\u202e", MaxRootFile/3-10) + `":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, err := Parse("x", []byte(data))
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			if err == nil || len(err.Error()) > 1000 {
				t.Errorf("found an error of %d bytes, wanted a short one", len(err.Error()))
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 256<<20 {
				t.Errorf("allocated %d MiB", n>>20)
			}
			if took > 60*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// FuzzParse wants -fuzzminimizetime 5x: minimizing the long seeds takes all the
// time otherwise.
func FuzzParse(f *testing.F) {
	f.Add(embeddedTrustedRoot)
	f.Add(gitHubRoot(f))
	f.Add(slices.Concat(embeddedTrustedRoot, gitHubRoot(f)))
	f.Add(withoutLogs(f, embeddedTrustedRoot))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		domains, err := Parse("x", data)
		if (err == nil) != (len(domains) > 0) {
			t.Fatalf("found %d domains and error %v", len(domains), err)
		}
		for _, d := range domains {
			logs := len(d.Root.RekorLogs()) > 0 && len(d.Root.CTLogs()) > 0
			switch {
			case len(d.Root.FulcioCertificateAuthorities()) == 0:
				t.Error("no certificate authority")
			case d.Name == GitHub && (logs || d.Require != Requirements{SignedTimestamps: 1}):
				t.Errorf("%q with %+v, logs %t", d.Name, d.Require, logs)
			case d.Name != GitHub && (!logs || d.Require != full):
				t.Errorf("%q with %+v, logs %t", d.Name, d.Require, logs)
			}
		}
	})
}

func BenchmarkEmbedded(b *testing.B) {
	for b.Loop() {
		if _, err := Embedded(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCacheHit(b *testing.B) {
	repo, dir := newRepo(b), b.TempDir()
	repo.Publish(embeddedTrustedRoot, born.Add(lifetime))
	in := instanceOf(repo, b, true)
	if _, err := at(dir, born).load(b.Context(), in); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := at(dir, born).load(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
