package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/internal/tuftest"
	"github.com/recipe-verify/recipe-verify/report"
)

// outcome is what a command wrote and its status.
type outcome struct {
	Status      int
	Out, Stderr string
}

func runCommand(args ...string) outcome {
	var stdout, stderr bytes.Buffer
	status := cli.Main(context.Background(), cli.OS(), strings.NewReader(""), &stdout, &stderr, args)
	return outcome{status, stdout.String(), stderr.String()}
}

// tufInstance is a private instance with a repository that was born an hour ago.
type tufInstance struct {
	*tuftest.Repo
	dir string
}

func newTUFInstance(t *testing.T) tufInstance {
	t.Helper()
	i := tufInstance{tuftest.New(t, time.Now().Add(-time.Hour)), t.TempDir()}
	writeFile(t, i.root(), string(i.Get("1.root.json")))
	i.publish()
	return i
}

func (i tufInstance) root() string { return filepath.Join(i.dir, "root.json") }

// publish gives the instance new keys, and returns its trusted root.
func (i tufInstance) publish() []byte {
	root := sigstoretest.New(sigstoretest.Options{}).TrustedRootJSON()
	i.Publish(root, time.Now().Add(tuftest.Lifetime))
	return root
}

func (i tufInstance) run(args ...string) outcome {
	return runCommand(append([]string{
		"trust", args[0], "--no-policy", "--cache-dir", filepath.Join(i.dir, "cache"),
		"--tuf-url", i.Server.URL, "--tuf-root", i.root(),
	}, args[1:]...)...)
}

// masked takes out what differs from run to run.
func (i tufInstance) masked(o outcome) outcome {
	for _, m := range []struct{ found, shown string }{
		{regexp.QuoteMeta(i.Server.URL), "URL"},
		{regexp.QuoteMeta(i.dir), "DIR"},
		{`[0-9a-f]{64}`, "SHA"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
		{`dial tcp .*`, "dial tcp …"},
	} {
		re := regexp.MustCompile(m.found)
		o.Out, o.Stderr = re.ReplaceAllString(o.Out, m.shown), re.ReplaceAllString(o.Stderr, m.shown)
	}
	return o
}

func (i tufInstance) expect(t *testing.T, want outcome, args ...string) {
	t.Helper()
	if diff := cmp.Diff(want, i.masked(i.run(args...))); diff != "" {
		t.Errorf("trust %s (-want +got):\n%s", strings.Join(args, " "), diff)
	}
}

func TestTrustUpdateSaysWhatChanged(t *testing.T) {
	i := newTUFInstance(t)
	i.expect(t, outcome{Out: `127.0.0.1: URL
  metadata      root 1, timestamp 1, snapshot 1, targets 1
  expires       TIME
  trusted root  SHA
`}, "update")
	i.expect(t, outcome{Out: `127.0.0.1: URL
  metadata      root 1, timestamp 1, snapshot 1, targets 1 (unchanged)
  expires       TIME
  trusted root  SHA (unchanged)
`}, "update")
	i.publish()
	i.expect(t, outcome{Out: `127.0.0.1: URL
  metadata      root 1, timestamp 1 → 2, snapshot 1 → 2, targets 1 → 2
  expires       TIME
  trusted root  SHA → SHA
`}, "update")
	// What is shown now is the cache's, and nobody is asked.
	asked := i.Requests.Load()
	o := i.run("show")
	if o.Status != 0 || !strings.Contains(o.Out, "\n  from          TUF cache\n") || !strings.Contains(o.Out, "timestamp 2, snapshot 2, targets 2; expires ") {
		t.Errorf("show: found %+v", o)
	}
	if n := i.Requests.Load() - asked; n != 0 {
		t.Errorf("show made %d requests", n)
	}
}

const (
	stays   = "hint: the trusted root remains what it was before, as recipe-verify trust show --offline tells"
	replays = "; if the repository's owner knows nothing of it, somebody on the way may have changed or replayed the answer\n"
)

// TestTrustUpdateFails: 3 for what could not be had, 1 for what was had and does
// not verify, 2 for what is wrong here; and the cache stays.
func TestTrustUpdateFails(t *testing.T) {
	unreachable := func(why string) outcome {
		return outcome{3, "", "error: the TUF repository URL could not be reached: " + why + "\n" + stays + "\n"}
	}
	refused := func(why string) outcome {
		return outcome{1, "", "error: the answer of the TUF repository URL is not accepted: " + why + "\n" + stays + replays}
	}
	for _, tc := range []struct {
		name string
		do   func(*testing.T, tufInstance)
		want outcome
	}{
		{"unreachable", func(_ *testing.T, i tufInstance) { i.Server.Close() }, unreachable("2.root.json: dial tcp …")},
		{"hanging", func(_ *testing.T, i tufInstance) {
			i.Server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		}, unreachable("no answer within 500ms")},
		{"down", func(_ *testing.T, i tufInstance) {
			i.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
		}, unreachable("failed to download 2.root.json, http status code: 503")},
		{
			"rolled back", func(_ *testing.T, i tufInstance) { i.Set("timestamp.json", i.Get("old")) },
			refused("rolled back: found version 1 of timestamp, wanted at least 2"),
		},
		{"expired", func(_ *testing.T, i tufInstance) {
			i.Publish(i.publish(), time.Now().Add(-time.Minute))
		}, refused("expired metadata error: timestamp.json is expired")},
		{"other keys", func(t *testing.T, i tufInstance) {
			other := newTUFInstance(t)
			other.publish()
			other.publish()
			i.Restore(other.State())
		}, refused("unsigned metadata error: Verifying timestamp failed, not enough signatures, got 0, want 1")},
		{"changed on the way", func(_ *testing.T, i tufInstance) {
			for name, data := range i.State() {
				if strings.HasPrefix(name, "targets/") {
					i.Set(name, bytes.Replace(data, []byte("fulcio"), []byte("fulcia"), 1))
				}
			}
		}, refused("length/hash verification error: hash verification failed - mismatch for algorithm ALGORITHM")},
		{"cache that cannot be written", func(t *testing.T, i tufInstance) {
			cache := filepath.Join(i.dir, "cache")
			if err := os.RemoveAll(cache); err != nil {
				t.Fatal(err)
			}
			writeFile(t, cache, "a file")
		}, outcome{2, "", ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i := newTUFInstance(t)
			i.Set("old", i.Get("timestamp.json"))
			i.publish()
			if o := i.run("update"); o.Status != 0 {
				t.Fatalf("the first update: %+v", o)
			}
			before := i.run("show", "--offline", "--format", "json").Out
			tc.do(t, i)
			patience := "20s"
			if tc.name == "hanging" {
				patience = "500ms"
			}
			got := i.masked(i.run("update", "--timeout", patience))
			got.Stderr = regexp.MustCompile(`algorithm sha\d+`).ReplaceAllString(got.Stderr, "algorithm ALGORITHM")
			if tc.want.Stderr == "" {
				if got.Status != tc.want.Status || !strings.Contains(got.Stderr, "error: could not write the TUF cache") || !strings.Contains(got.Stderr, "hint: name another folder with --cache-dir DIR") {
					t.Errorf("found %+v", got)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(withoutAge(t, before), withoutAge(t, i.run("show", "--offline", "--format", "json").Out)); diff != "" {
				t.Errorf("what is in use changed (-before +after):\n%s", diff)
			}
			// Who never asked has nothing to fall back on. The replay of an
			// old state cannot be told from the repository then.
			if tc.name == "rolled back" {
				return
			}
			i.dir = t.TempDir()
			writeFile(t, i.root(), string(i.anchor(t)))
			if o := i.run("show", "--timeout", patience); o.Status != tc.want.Status || !strings.HasPrefix(o.Stderr, `error: no trusted root for "127.0.0.1": `) {
				t.Errorf("show without a cache: found %+v, wanted status %d", o, tc.want.Status)
			}
		})
	}
}

// anchor is the root that the repository began with.
func (i tufInstance) anchor(t *testing.T) []byte {
	t.Helper()
	data, err := i.Root.ToBytes(false)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func withoutAge(t *testing.T, document string) report.TrustDocument {
	t.Helper()
	var d report.TrustDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	for i := range d.Domains {
		d.Domains[i].AgeSeconds = nil
	}
	d.Warnings = nil
	return d
}

// TestTrustUpdateGoesOn has one repository of two that cannot be reached: the other is
// updated, and the status is the worst.
func TestTrustUpdateGoesOn(t *testing.T) {
	bad, good := newTUFInstance(t), newTUFInstance(t)
	bad.Server.Close()
	o := bad.run("update", "--tuf-url", good.Server.URL, "--tuf-root", good.root())
	if o.Status != 3 || !strings.Contains(o.Out, good.Server.URL+"\n  metadata ") || strings.Contains(o.Out, bad.Server.URL) {
		t.Errorf("found %+v", o)
	}
}

// TestTrustExportOfTUF: what came by TUF verifies the same by the file that was
// exported, offline; and the file is whole or not there.
func TestTrustExportOfTUF(t *testing.T) {
	i := newTUFInstance(t)
	i.publish()
	file := filepath.Join(i.dir, "exported.jsonl")
	if o := i.run("export", "-o", file); o.Status != 0 || o.Out+o.Stderr != "" {
		t.Fatalf("export: %+v", o)
	}
	before := withoutAge(t, i.run("show", "--format", "json").Out)
	o := runCommand("trust", "show", "--no-policy", "--trusted-root", file, "--format", "json")
	after := withoutAge(t, o.Out)
	for _, d := range []*report.TrustDocument{&before, &after} {
		d.Domains[0].Name, d.Domains[0].Origin, d.Domains[0].SHA256, d.Domains[0].CurrentAt, d.Domains[0].TUF = "", "", "", "", nil
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-by TUF +by the file):\n%s", diff)
	}
	i.Server.Close()
	i.dir = t.TempDir()
	writeFile(t, i.root(), string(i.anchor(t)))
	none := filepath.Join(i.dir, "none.jsonl")
	if o := i.run("export", "-o", none); o.Status != 3 {
		t.Errorf("export of nothing: %+v", o)
	}
	if _, err := os.Stat(none); !os.IsNotExist(err) {
		t.Errorf("a file was written: %v", err)
	}
}

// TestTrustShowsNoSecret: an address may hold a password.
func TestTrustShowsNoSecret(t *testing.T) {
	i := newTUFInstance(t)
	address := strings.Replace(i.Server.URL, "http://", "http://user:hunter2@", 1)
	for _, args := range [][]string{{"update"}, {"show"}, {"show", "--format", "json"}, {"show", "--offline"}} {
		o := runCommand(append([]string{"trust", args[0], "--no-policy", "--cache-dir", i.dir, "--tuf-url", address, "--tuf-root", i.root()}, args[1:]...)...)
		if o.Status != 0 || strings.Contains(o.Out+o.Stderr, "hunter2") {
			t.Errorf("%v: found %+v", args, o)
		}
	}
	i.Server.Close()
	if o := runCommand("trust", "update", "--no-policy", "--cache-dir", i.dir, "--tuf-url", address, "--tuf-root", i.root()); o.Status != 3 || strings.Contains(o.Out+o.Stderr, "hunter2") {
		t.Errorf("found %+v", o)
	}
}

// TestTrustByPolicy names a repository and a root without logs in a policy.
func TestTrustByPolicy(t *testing.T) {
	i := newTUFInstance(t)
	lesser := sigstoretest.New(sigstoretest.Options{}).Root()
	lesser.TLogs = nil
	writeFile(t, filepath.Join(i.dir, "lesser.json"), string(lesser.JSON()))
	policy := filepath.Join(i.dir, "recipe-verify.yaml")
	const text = `trust:
  public_good: false
  tuf:
    - {url: %q, root: root.json}
  roots:
    - {file: lesser.json%s}
cache_dir: cache
`
	writeFile(t, policy, fmt.Sprintf(text, i.Server.URL, ", insecure_without: [transparency-log]"))
	o := runCommand("trust", "show", "--policy", policy)
	if o.Status != 0 || !strings.Contains(o.Out, "127.0.0.1\n") || !strings.Contains(o.Out, "lesser\n") ||
		!strings.Contains(o.Out, "  demands       1 signed certificate timestamp, 1 signed time stamp\n") {
		t.Errorf("found %+v", o)
	}
	o = runCommand("trust", "export", "--policy", policy)
	if o.Status != 2 || o.Out != "" || !strings.Contains(o.Stderr, "--domain NAME") {
		t.Errorf("export of all: found %+v", o)
	}
	o = runCommand("trust", "export", "--policy", policy, "--domain", "lesser")
	if o.Status != 0 || !strings.Contains(o.Stderr, "insecure_without: [transparency-log]") || strings.Count(o.Out, "\n") != 1 {
		t.Errorf("export of one: found %+v", o)
	}
	writeFile(t, policy, fmt.Sprintf(text, i.Server.URL, ""))
	if o := runCommand("trust", "show", "--policy", policy); o.Status != 2 || !strings.Contains(o.Stderr, "insecure_without: [transparency-log]") {
		t.Errorf("without the word: found %+v", o)
	}
	writeFile(t, policy, fmt.Sprintf(text, i.Server.URL, ", insecure_without: [logs]"))
	if o := runCommand("trust", "show", "--policy", policy); o.Status != 2 || !strings.Contains(o.Stderr, "recipe-verify.yaml:6:") {
		t.Errorf("with another word: found %+v", o)
	}
}

// TestTrustDocumentIsOfItsSchema, for each way in which a root comes.
func TestTrustDocumentIsOfItsSchema(t *testing.T) {
	i := newTUFInstance(t)
	cache := filepath.Join(i.dir, "cache")
	for name, args := range map[string][]string{
		"snapshot":      {"--offline", "--cache-dir", cache},
		"TUF and file":  {"--cache-dir", cache, "--tuf-url", i.Server.URL, "--tuf-root", i.root(), "--trusted-root", "../../testdata/trusted-root.json"},
		"without a log": {"--policy", i.policyWithoutLogs(t)},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "without a log" {
				args = append(args, "--no-policy")
			}
			o := runCommand(append([]string{"trust", "show", "--format", "json"}, args...)...)
			if o.Status != 0 {
				t.Fatalf("found %+v", o)
			}
			validateAs(t, "trust.schema.json", []byte(o.Out))
		})
	}
}

func (i tufInstance) policyWithoutLogs(t *testing.T) string {
	t.Helper()
	r := sigstoretest.New(sigstoretest.Options{}).Root()
	r.TLogs, r.CTLogs = nil, nil
	writeFile(t, filepath.Join(i.dir, "lesser.json"), string(r.JSON()))
	path := filepath.Join(i.dir, "lesser.yaml")
	writeFile(t, path, "trust: {roots: [{file: lesser.json, insecure_without: [transparency-log, certificate-log]}]}\n")
	return path
}

// TestVerifyTakesTUFFlags: verify believes the repository that it is told of,
// and nobody else; the policy's trust does not count then.
func TestVerifyTakesTUFFlags(t *testing.T) {
	i := newTUFInstance(t)
	recipe := filepath.Join(i.dir, "recipe.yaml")
	writeFile(t, recipe, "package: {name: a, version: \"1\"}\n")
	policy := i.policyWithoutLogs(t)
	o := i.masked(runCommand("verify", "--offline", "--policy", policy, "--tuf-url", i.Server.URL, "--tuf-root", i.root(), recipe))
	if o.Status != 0 || !strings.Contains(o.Out, "\ntrust    URL (from the TUF cache)\n") {
		t.Errorf("found %+v", o)
	}
	o = i.masked(runCommand("verify", "--offline", "--policy", policy, recipe))
	if o.Status != 0 || !strings.Contains(o.Out, "\ntrust    DIR/lesser.json (without transparency-log) (without certificate-log)\n") {
		t.Errorf("found %+v", o)
	}
}
