package trust

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// rootFile writes trusted roots into a file of a name.
func rootFile(t testing.TB, name string, roots ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	var data []byte
	for _, r := range roots {
		data = append(append(data, r...), '\n')
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// private is the trusted root of a private instance, changed.
func private(change ...func(*sigstoretest.Root)) []byte {
	r := sigstoretest.New(sigstoretest.Options{}).Root()
	for _, c := range change {
		c(r)
	}
	return r.JSON()
}

func noLog(r *sigstoretest.Root)     { r.TLogs = nil }
func noCTLog(r *sigstoretest.Root)   { r.CTLogs = nil }
func noStamper(r *sigstoretest.Root) { r.TimestampAuthorities = nil }

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// offline is a configuration that asks nobody, with an empty cache.
func offline(t testing.TB, c Config) Config {
	c.Offline, c.CacheDir = true, t.TempDir()
	c.Now = func() time.Time { return born }
	return c
}

func names(roots *Roots) []string {
	var all []string
	for _, d := range roots.Domains {
		all = append(all, d.Name)
	}
	return all
}

func TestConfigNamesDomains(t *testing.T) {
	one, two := private(), private()
	other := trustedRoot(t, "2") // another version of the public-good root
	for _, tc := range []struct {
		name string
		c    Config
		want []string
	}{
		{"the zero value", Config{}, []string{PublicGood}},
		{"a file instead", Config{Roots: RootFiles(rootFile(t, "corp.json", one))}, []string{"corp"}},
		{"a file beside it", Config{PublicGood: yes(), Roots: RootFiles(rootFile(t, "corp.json", one))}, []string{PublicGood, "corp"}},
		{"public good asked for alone", Config{PublicGood: yes()}, []string{PublicGood}},
		{"a file of several", Config{Roots: RootFiles(rootFile(t, "corp.json", one, gitHubRoot(t), two))}, []string{"corp", GitHub, "corp:2"}},
		{"two files of one name", Config{Roots: RootFiles(rootFile(t, "corp.json", one), rootFile(t, "corp.jsonl", two))}, []string{"corp", "corp:2"}},
		{"the same root twice", Config{Roots: RootFiles(rootFile(t, "a.json", one), rootFile(t, "b.json", one))}, []string{"a"}},
		{"public good twice", Config{PublicGood: yes(), Roots: RootFiles(rootFile(t, "b.json", embeddedTrustedRoot))}, []string{PublicGood}},
		{"two versions of public good", Config{PublicGood: yes(), Roots: RootFiles(rootFile(t, "b.json", other))}, []string{PublicGood, PublicGood + ":2"}},
		{"two of GitHub's", Config{Roots: RootFiles(rootFile(t, "a.json", gitHubRoot(t)), rootFile(t, "b.json", gitHubRoot(t)))}, []string{GitHub, GitHub + ":2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			roots, err := offline(t, tc.c).Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, names(roots)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			for _, d := range roots.Domains {
				// The instance is recognized whatever the name is, and never by it.
				github, good := d.Require == Requirements{SignedTimestamps: 1}, strings.HasPrefix(d.Name, PublicGood)
				if (d.Instance == GitHub) != github || (d.Instance == PublicGood) != good {
					t.Errorf("%s is taken for the instance %q", d.Name, d.Instance)
				}
			}
		})
	}
}

// TestNameIsTaken: a file's name may look like one that is made up here.
func TestNameIsTaken(t *testing.T) {
	all, err := Parse("github:2", append(private(), append(gitHubRoot(t), gitHubRoot(t)...)...))
	if err != nil {
		t.Fatal(err)
	}
	all, err = joined(all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"github:2", GitHub, "github:3"}, names(&Roots{Domains: all})); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if all[0].Instance != "" || all[2].Instance != GitHub {
		t.Errorf("found the instances %q and %q", all[0].Instance, all[2].Instance)
	}
}

func TestConfigIsWrong(t *testing.T) {
	good := rootFile(t, "corp.json", private())
	anchor := newRepo(t).Get("1.root.json")
	for _, tc := range []struct {
		name string
		c    Config
		want string
	}{
		{"nobody", Config{PublicGood: no()}, "no trusted root is named"},
		{"absent file", Config{Roots: RootFiles(good, filepath.Join(t.TempDir(), "none"))}, "none"},
		{"no path", Config{Roots: RootFiles("")}, "trusted root: open"},
		{"root without logs", Config{Roots: RootFiles(rootFile(t, "x.json", private(noLog)))}, "insecure_without: [transparency-log]"},
		{"root without any", Config{Roots: RootFiles(rootFile(t, "x.json", private(noLog, noCTLog)))}, "insecure_without: [transparency-log, certificate-log]"},
		{"TUF without a root", Config{TUF: []TUFRepository{{URL: "https://tuf.example"}}}, "TUF root: open"},
		{"TUF with a root that is none", Config{TUF: []TUFRepository{{URL: "https://tuf.example", RootPath: good}}}, "TUF root \""},
		{"TUF with an unsigned root", Config{TUF: []TUFRepository{{URL: "https://tuf.example", RootPath: rootFile(t, "root.json",
			edit(t, anchor, func(m map[string]any) { m["signatures"] = []any{} }))}}}, "TUF root \""},
		{"TUF with a null root", Config{TUF: []TUFRepository{{URL: "https://tuf.example", RootPath: rootFile(t, "root.json", []byte("null"))}}}, "TUF root \""},
		{"TUF without an address", Config{TUF: []TUFRepository{{RootPath: rootFile(t, "root.json", anchor)}}}, "wanted an http or https address"},
		{"TUF at a file", Config{TUF: []TUFRepository{{URL: "file:///srv/tuf", RootPath: rootFile(t, "root.json", anchor)}}}, "wanted an http or https address"},
		{"TUF with a token", Config{TUF: []TUFRepository{{URL: "https://tuf.example/?token=secret", RootPath: rootFile(t, "root.json", anchor)}}}, "without query"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.c.Open()
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("found error %v, wanted %q in it", err, tc.want)
			}
		})
	}
}

// TestOpenAsksNobody: a mistake in the options is found before anything is sent.
func TestOpenAsksNobody(t *testing.T) {
	repo := newRepo(t)
	repo.Publish(private(), born.Add(lifetime))
	c := Config{TUF: []TUFRepository{{URL: repo.Server.URL, RootPath: rootFile(t, "root.json", repo.Get("1.root.json"))}}}
	if _, err := c.Open(); err != nil {
		t.Fatal(err)
	}
	if n := repo.Requests.Load(); n != 0 {
		t.Errorf("made %d requests", n)
	}
}

func TestInsecureWithout(t *testing.T) {
	both := []Log{TransparencyLog, CertificateLog}
	full := func(t *testing.T) []byte { return private() }
	less := func(c ...func(*sigstoretest.Root)) func(*testing.T) []byte {
		return func(*testing.T) []byte { return private(c...) }
	}
	for _, tc := range []struct {
		name    string
		root    func(*testing.T) []byte
		without []Log
		want    Requirements
		refused string
	}{
		{"neither log", less(noLog, noCTLog), both, Requirements{SignedTimestamps: 1}, ""},
		{"no transparency log", less(noLog), []Log{TransparencyLog}, Requirements{SCTs: 1, SignedTimestamps: 1}, ""},
		{"no certificate log", less(noCTLog), []Log{CertificateLog}, Requirements{LogEntries: 1, ObserverTimestamps: 1}, ""},
		{"said twice", less(noCTLog), []Log{CertificateLog, CertificateLog}, Requirements{LogEntries: 1, ObserverTimestamps: 1}, ""},
		{"a root that has both", full, both, Requirements{}, "it has one"},
		{"a root that has a transparency log", less(noCTLog), both, Requirements{}, "without a transparency log: it has one"},
		{"a root that has a certificate log", less(noLog), both, Requirements{}, "without a certificate-transparency log: it has one"},
		{"only one of two said", less(noLog, noCTLog), []Log{CertificateLog}, Requirements{}, "found no transparency log"},
		{"nothing in the log's place", less(noLog, noStamper), []Log{TransparencyLog}, Requirements{}, "found no time-stamp authority"},
		{"unknown word", less(noLog), []Log{"transparency_log"}, Requirements{}, "wanted transparency-log or certificate-log"},
		{"empty word", less(noLog), []Log{""}, Requirements{}, "wanted transparency-log or certificate-log"},
		{"GitHub's", func(t *testing.T) []byte { return gitHubRoot(t) }, both, Requirements{}, "GitHub's instance"},
		{"a root with one of GitHub's authorities", func(t *testing.T) []byte {
			return logless(t, [][]any{authority(t, others), authority(t, gitHubOrg)}, [][]any{authority(t, others)})
		}, both, Requirements{}, "GitHub's instance"},
		{"GitHub's in other letters", func(t *testing.T) []byte {
			return logless(t, [][]any{authority(t, []string{"GITHUB, INC."})}, [][]any{authority(t, others)})
		}, both, Requirements{}, "GitHub's instance"},
		{"public good without its logs", func(t *testing.T) []byte { return withoutLogs(t, embeddedTrustedRoot) }, both, Requirements{}, "Sigstore's own instances"},
		{"a new authority of public good", func(t *testing.T) []byte {
			return logless(t, [][]any{authority(t, []string{sigstoreOrganization})}, [][]any{authority(t, others)})
		}, both, Requirements{}, "Sigstore's own instances"},
		{"a key of public good under another name", func(t *testing.T) []byte {
			return logless(t, [][]any{{map[string]any{"rawBytes": renamed(t, publicGoodAuthority(t))}}}, [][]any{authority(t, others)})
		}, both, Requirements{}, "Sigstore's public-good instance"},
		{"public good beside a private root", func(t *testing.T) []byte {
			return append(private(noLog, noCTLog), embeddedTrustedRoot...)
		}, both, Requirements{}, "root 2: it must not be used without"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := rootFile(t, "corp.json", tc.root(t))
			roots, err := Config{Roots: []RootFile{{Path: path, InsecureWithout: tc.without}}}.Load(t.Context())
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) || !strings.Contains(err.Error(), path) {
					t.Errorf("found error %v, wanted %q and the file in it", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := roots.Domains[0]; d.Require != tc.want || d.Name != "corp" || d.Instance != "" {
				t.Errorf("found %q (%q) with %+v, wanted %+v", d.Name, d.Instance, d.Require, tc.want)
			}
		})
	}
}

// TestWaiverIsOfOneFile: what is said of one file is said of no other.
func TestWaiverIsOfOneFile(t *testing.T) {
	lesser := RootFile{Path: rootFile(t, "lesser.json", private(noLog, noCTLog)), InsecureWithout: []Log{TransparencyLog, CertificateLog}}
	full := Requirements{SCTs: 1, LogEntries: 1, ObserverTimestamps: 1}
	c := offline(t, Config{PublicGood: yes(), Roots: []RootFile{lesser, {Path: rootFile(t, "corp.json", private())}}})
	roots, err := c.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Requirements{}
	for _, d := range roots.Domains {
		got[d.Name] = d.Require
	}
	want := map[string]Requirements{PublicGood: full, "lesser": {SignedTimestamps: 1}, "corp": full}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	c.Roots = append(c.Roots, RootFile{Path: rootFile(t, "other.json", private(noLog))})
	var unsupported *UnsupportedRootError
	if _, err := c.Load(t.Context()); !errors.As(err, &unsupported) {
		t.Errorf("found error %v, wanted an UnsupportedRootError of the other file", err)
	}
}

func TestPlaces(t *testing.T) {
	c := Config{
		PublicGood: yes(),
		TUF:        []TUFRepository{{URL: "https://user:secret@tuf.example/repo/"}, {URL: "https://user:secret@tuf.example/?x=secret"}},
		Roots:      []RootFile{{Path: "corp.json", InsecureWithout: []Log{CertificateLog}}, {Path: "github.json"}},
	}
	want := []string{
		"Sigstore's public-good instance (refreshed by TUF, at most daily)",
		"https://tuf.example/repo (refreshed by TUF, at most daily)",
		"a TUF repository (refreshed by TUF, at most daily)",
		"corp.json (without certificate-log)", "github.json",
	}
	if diff := cmp.Diff(want, c.Places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	c = Config{Offline: true}
	if diff := cmp.Diff([]string{"Sigstore's public-good instance (from the cache or the embedded snapshot)"}, c.Places()); diff != "" {
		t.Errorf("places offline (-want +got):\n%s", diff)
	}
}

func TestContents(t *testing.T) {
	roots, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c := roots.Domains[0].Contents()
	var logs []string
	for _, l := range append(c.TransparencyLogs, c.CertificateLogs...) {
		data, err := json.Marshal([]any{l.URL, l.Rekor, l.Key, len(l.ID), l.Until.IsZero()})
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, string(data))
	}
	want := []string{
		`["https://rekor.sigstore.dev",1,"ECDSA P-256",64,true]`,
		`["https://log2025-1.rekor.sigstore.dev",2,"Ed25519",64,true]`,
		`["https://ctfe.sigstore.dev/test",0,"ECDSA P-256",64,false]`,
		`["https://ctfe.sigstore.dev/2022",0,"ECDSA P-256",64,true]`,
	}
	if diff := cmp.Diff(want, logs); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	var subjects [][]string
	for _, a := range append(c.Authorities, c.TimestampAuthorities...) {
		chain := []string{a.URI}
		for _, cert := range a.Chain {
			chain = append(chain, cert.Subject)
		}
		subjects = append(subjects, chain)
	}
	wantSubjects := [][]string{
		{"https://fulcio.sigstore.dev", "CN=sigstore,O=sigstore.dev"},
		{"https://fulcio.sigstore.dev", "CN=sigstore-intermediate,O=sigstore.dev", "CN=sigstore,O=sigstore.dev"},
		{"https://timestamp.sigstore.dev/api/v1/timestamp", "CN=sigstore-tsa,O=sigstore.dev", "CN=sigstore-tsa-selfsigned,O=sigstore.dev"},
	}
	if diff := cmp.Diff(wantSubjects, subjects); diff != "" {
		t.Errorf("authorities (-want +got):\n%s", diff)
	}
}
