package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// An internet is PyPI on loopback, with the recipes of its projects.
type internet struct {
	*httptest.Server
	dir      string
	sigstore *sigstoretest.Sigstore

	mu          sync.Mutex
	documents   map[string][]byte
	asked       map[string]int
	conditional int
	answer      func(w http.ResponseWriter, r *http.Request, n int) bool // true: it answered
}

// newInternet has n projects, each in a recipe of its own.
func newInternet(t *testing.T, n int) *internet {
	t.Helper()
	i := &internet{dir: t.TempDir(), sigstore: sigstoretest.New(sigstoretest.Options{}), documents: map[string][]byte{}, asked: map[string]int{}}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	writeFile(t, filepath.Join(i.dir, "root.json"), string(i.sigstore.TrustedRootJSON()))
	for k := range n {
		name := fmt.Sprintf("p%02d", k)
		file := name + "-1.0.0.tar.gz"
		b := i.sigstore.Sign(sigstoretest.Attest(file, []byte(name)), sigstoretest.GitHub("acme/"+name), sigstoretest.RekorV1)
		i.documents["/integrity/"+name+"/1.0.0/"+file+"/provenance"] = sigstoretest.Provenance(b)
		dir := filepath.Join(i.dir, "recipes", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "recipe.yaml"), fmt.Sprintf(
			"package: {name: %s, version: 1.0.0}\nsource:\n  url: https://pypi.org/packages/source/p/%s/%s\n  sha256: %x\n  attestation: {publishers: github:acme/%s}\n",
			name, name, file, sha256.Sum256([]byte(name)), name))
	}
	return i
}

func (i *internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	n := i.asked[r.URL.Path]
	if r.Header.Get("If-None-Match") != "" {
		i.conditional++
	}
	document, ok := i.documents[r.URL.Path]
	answer := i.answer
	i.mu.Unlock()
	switch {
	case answer != nil && answer(w, r, n):
	case !ok:
		http.NotFound(w, r)
	default:
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256(document))
		if w.Header().Set("ETag", tag); r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(document)
	}
}

// reset forgets what was asked, and gives how much that was.
func (i *internet) reset() (requests, conditional int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, n := range i.asked {
		requests += n
	}
	conditional = i.conditional
	i.asked, i.conditional = map[string]int{}, 0
	return requests, conditional
}

// audit runs the command, and gives its status, the verdicts by recipe, the
// summary, and the standard error.
func (i *internet) audit(ctx context.Context, t *testing.T, more ...string) (int, map[string]audit.Verdict, map[string]any, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "audit.json")
	args := slices.Concat([]string{
		"audit", "--no-policy", "--trusted-root", filepath.Join(i.dir, "root.json"), "--cache-dir", filepath.Join(i.dir, "cache"), "--timeout", "2s",
		"--mirror", "https://pypi.org/=" + i.URL + "/", "--report", "json=" + out,
	}, more, []string{filepath.Join(i.dir, "recipes")})
	env := cli.OS()
	env.Getenv = func(string) string { return "" }
	var stdout, stderr bytes.Buffer
	status := cli.Main(ctx, env, strings.NewReader(""), &stdout, &stderr, args)
	verdicts, summary := readAudit(t, out)
	return status, verdicts, summary, stderr.String()
}

func readAudit(t *testing.T, path string) (map[string]audit.Verdict, map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	verdicts := map[string]audit.Verdict{}
	var summary map[string]any
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		switch line["type"] {
		case "source":
			verdicts[filepath.Base(filepath.Dir(line["recipe"].(string)))] = audit.Verdict(line["verdict"].(string))
		case "summary":
			summary = line
		}
	}
	return verdicts, summary
}

func count(verdicts map[string]audit.Verdict, v audit.Verdict) (n int) {
	for _, found := range verdicts {
		if found == v {
			n++
		}
	}
	return n
}

func TestASecondAuditAsksConditionallyOnly(t *testing.T) {
	i := newInternet(t, 12)
	status, verdicts, _, _ := i.audit(t.Context(), t)
	if requests, _ := i.reset(); status != 0 || count(verdicts, audit.Verified) != 12 || requests != 12 {
		t.Fatalf("status %d, %v, %d requests", status, verdicts, requests)
	}
	status, verdicts, _, _ = i.audit(t.Context(), t)
	if requests, conditional := i.reset(); status != 0 || count(verdicts, audit.Verified) != 12 || requests != conditional {
		t.Errorf("status %d, %v, %d requests of which %d were conditional", status, verdicts, requests, conditional)
	}
	// What is cached is bytes: with another root nothing of it verifies.
	writeFile(t, filepath.Join(i.dir, "root.json"), string(sigstoretest.New(sigstoretest.Options{}).TrustedRootJSON()))
	status, verdicts, _, _ = i.audit(t.Context(), t)
	if status != 1 || count(verdicts, audit.Invalid) != 12 {
		t.Errorf("with another root: status %d, %v", status, verdicts)
	}
}

// Faults of single documents, hosts and requests lose nothing else, and verify
// nothing.
func TestAuditWithFaults(t *testing.T) {
	i := newInternet(t, 20)
	i.answer = func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch {
		case strings.Contains(r.URL.Path, "/p03/"): // once out of breath
			if n == 1 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return n == 1
		case strings.Contains(r.URL.Path, "/p05/"):
			w.WriteHeader(http.StatusInternalServerError)
		case strings.Contains(r.URL.Path, "/p07/"): // cut
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte("{"))
		case strings.Contains(r.URL.Path, "/p09/"):
			_, _ = w.Write([]byte("<html>"))
		case strings.Contains(r.URL.Path, "/p11/"):
			http.NotFound(w, r)
		default:
			return false
		}
		return true
	}
	status, verdicts, summary, _ := i.audit(t.Context(), t)
	want := map[string]audit.Verdict{"p05": audit.Unavailable, "p07": audit.Unavailable, "p09": audit.Invalid, "p11": audit.Missing}
	for name, v := range verdicts {
		if w, bad := want[name]; bad && v != w || !bad && v != audit.Verified {
			t.Errorf("%s is %s", name, v)
		}
	}
	if len(verdicts) != 20 || status != 1 || summary["complete"] != true {
		t.Errorf("status %d, %d sources, complete %v", status, len(verdicts), summary["complete"])
	}
	if status, _, _, _ = i.audit(t.Context(), t, "--fail-on", "unavailable"); status != 3 {
		t.Errorf("unavailable: status %d", status)
	}
	if status, _, _, _ = i.audit(t.Context(), t, "--fail-on", "unavailable", "--max-unavailable", "2"); status != 0 {
		t.Errorf("two unavailable sources are allowed: status %d", status)
	}
}

// A host out of quota ends the asking, and not the report; --resume does the
// rest, and does nothing twice.
func TestQuotaAndResume(t *testing.T) {
	i := newInternet(t, 20)
	var mu sync.Mutex
	answered := 0
	i.answer = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		mu.Lock()
		defer mu.Unlock()
		if answered++; answered <= 8 {
			return false
		}
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	status, verdicts, _, stderr := i.audit(t.Context(), t, "--jobs", "2", "--max-wait", "1s")
	if status != 3 || count(verdicts, audit.Verified) != 8 || count(verdicts, audit.Unavailable) != 12 {
		t.Fatalf("status %d, %v", status, verdicts)
	}
	if requests, _ := i.reset(); requests > 12 {
		t.Errorf("%d requests, most of them after the host had said no", requests)
	}
	if !strings.Contains(stderr, "--resume") {
		t.Errorf("no way to go on is named: %s", stderr)
	}
	i.answer = nil
	status, verdicts, summary, _ := i.audit(t.Context(), t, "--jobs", "2", "--max-wait", "1s", "--resume")
	if status != 0 || count(verdicts, audit.Verified) != 20 || summary["complete"] != true {
		t.Errorf("status %d, %v", status, verdicts)
	}
	if requests, _ := i.reset(); requests != 12 {
		t.Errorf("%d requests for the 12 sources that were left", requests)
	}
	// A finished audit leaves nothing to resume.
	if _, _, _, _ = i.audit(t.Context(), t, "--no-cache", "--jobs", "2", "--max-wait", "1s", "--resume"); true {
		if requests, _ := i.reset(); requests != 20 {
			t.Errorf("%d requests of an audit that had nothing to resume", requests)
		}
	}
}

// An interrupt gives a report of what is finished.
func TestInterruptAndResume(t *testing.T) {
	i := newInternet(t, 20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	answered := 0
	i.answer = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		mu.Lock()
		answered++
		n := answered
		mu.Unlock()
		if n <= 6 {
			return false
		}
		cancel()
		<-r.Context().Done()
		return true
	}
	status, verdicts, summary, _ := i.audit(ctx, t, "--jobs", "1")
	if status != audit.StatusInterrupted || count(verdicts, audit.Verified) != 6 || len(verdicts) != 6 || summary["complete"] != false {
		t.Fatalf("status %d, %v, complete %v", status, verdicts, summary["complete"])
	}
	i.answer = nil
	i.reset()
	// A recipe that asks for somebody else since then is not taken from the journal.
	changed := filepath.Join(i.dir, "recipes", "p02", "recipe.yaml")
	text, err := os.ReadFile(changed)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, changed, strings.Replace(string(text), "github:acme/p02", "github:evil/p02", 1))
	status, verdicts, _, _ = i.audit(t.Context(), t, "--jobs", "1", "--resume")
	if status != 1 || count(verdicts, audit.Verified) != 19 || verdicts["p02"] != audit.Mismatch {
		t.Errorf("status %d, %v", status, verdicts)
	}
	if requests, _ := i.reset(); requests != 15 { // 14 that were not finished, and p02
		t.Errorf("%d requests", requests)
	}
}

// A journal that a kill left in the middle of a line is gone on with.
func TestAJournalThatIsCut(t *testing.T) {
	i := newInternet(t, 6)
	i.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if strings.Contains(r.URL.Path, "/p05/") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	i.audit(t.Context(), t)
	journals, err := filepath.Glob(filepath.Join(i.dir, "cache", "*", "*.jsonl"))
	if err != nil || len(journals) != 1 {
		journals, _ = filepath.Glob(filepath.Join(i.dir, "cache", "*.jsonl"))
	}
	if len(journals) != 1 {
		t.Fatalf("found the journals %v", journals)
	}
	data, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journals[0], data[:len(data)-200], 0o600); err != nil {
		t.Fatal(err)
	}
	i.answer = nil
	i.reset()
	status, verdicts, _, _ := i.audit(t.Context(), t, "--resume")
	if status != 0 || count(verdicts, audit.Verified) != 6 {
		t.Errorf("status %d, %v", status, verdicts)
	}
	if requests, _ := i.reset(); requests != 2 {
		t.Errorf("%d requests, wanted one for what was not obtained and one for the line that was cut", requests)
	}
}

func TestFeedstocksAreAllAccountedFor(t *testing.T) {
	feedstocks := shared.Path(t, "recipes", "feedstocks")
	out := filepath.Join(t.TempDir(), "audit.json")
	var stdout, stderr bytes.Buffer
	status := cli.Main(t.Context(), cli.OS(), strings.NewReader(""), &stdout, &stderr, []string{
		"audit", "--offline", "--no-policy", "--no-cache", "--quiet", "--report", "json=" + out, feedstocks,
	})
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	names, err := os.ReadDir(feedstocks)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, summary := readAudit(t, out)
	if len(verdicts) != len(names) {
		t.Errorf("%d recipes in the report, %d feedstocks", len(verdicts), len(names))
	}
	// By other means: the hosts in the lines that rattler-build rendered. These
	// feedstocks have other sources without their own variant files, or skip
	// everything.
	differ := []string{
		"dolfinx_mpc", "evtgen", "instantclient-basiclite", "mitmproxy-rs", "numpy-typing-compat", "openvdb",
		"polars", "pytensor-suite", "spheno", "stackvana-core", "tinygrad",
	}
	want, skip := map[string]int{}, map[string]bool{}
	for _, name := range differ {
		skip[name] = true
	}
	for _, n := range names {
		if skip[n.Name()] {
			continue
		}
		for u := range renderedURLs(t, filepath.Join(feedstocks, n.Name(), "sources.jsonl")) {
			want[host(t, u)]++
		}
	}
	got := map[string]int{}
	for h, counts := range summary["hosts"].(map[string]any) {
		got[h] = int(counts.(map[string]any)["sources"].(float64))
	}
	for _, name := range differ {
		for _, u := range reportedURLs(t, out, name) {
			if h := host(t, u); got[h] == 1 {
				delete(got, h)
			} else {
				got[h]--
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources by host (-rendered +audited):\n%s", diff)
	}
}

func host(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToLower(u.Hostname())
}

// renderedURLs gives the distinct first addresses of a feedstock.
func renderedURLs(t *testing.T, path string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		var rendered struct {
			Outputs []struct {
				Source []struct {
					URL any `json:"url"`
				} `json:"source"`
			} `json:"outputs"`
		}
		if err := json.Unmarshal([]byte(line), &rendered); err != nil {
			t.Fatal(err)
		}
		for _, o := range rendered.Outputs {
			for _, s := range o.Source {
				switch u := s.URL.(type) {
				case string:
					found[u] = true
				case []any:
					found[u[0].(string)] = true
				}
			}
		}
	}
	return found
}

func reportedURLs(t *testing.T, path, feedstock string) (found []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var r struct {
			Recipe string   `json:"recipe"`
			URLs   []string `json:"urls"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.URLs) > 0 && strings.HasSuffix(r.Recipe, "/"+feedstock+"/recipe.yaml") {
			found = append(found, r.URLs[0])
		}
	}
	return found
}
