package audit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// A world has archives by address, each signed by the repository of its name.
type world struct {
	sigstore *sigstoretest.Sigstore
	dir      string

	mu        sync.Mutex
	evidence  map[string][]byte // by address
	delay     map[string]time.Duration
	asked     map[string]int
	wait      chan struct{} // where set, answers wait for it
	begun     chan string
	recipes   []string
	broken    map[string]error
	contained int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{
		sigstore: sigstoretest.New(sigstoretest.Options{}), dir: t.TempDir(),
		evidence: map[string][]byte{}, delay: map[string]time.Duration{}, asked: map[string]int{}, broken: map[string]error{},
		begun: make(chan string, 100),
	}
}

func (*world) Name() string { return "world" }

func (w *world) Resolve(ctx context.Context, q attestation.Query) (attestation.Answer, error) {
	address := q.URLs[0]
	w.mu.Lock()
	w.asked[address]++
	document, delay, err := w.evidence[address], w.delay[address], w.broken[address]
	w.mu.Unlock()
	answer := attestation.Answer{Addresses: []string{address + ".json"}}
	w.begun <- address
	if w.wait != nil {
		select {
		case <-w.wait:
		case <-ctx.Done():
			return answer, ctx.Err()
		}
	}
	time.Sleep(delay)
	switch {
	case err != nil:
		return answer, err
	case document == nil:
		return answer, &attestation.NoneError{Where: "the world", What: address}
	}
	answer.Candidates, err = attestation.Parse(address, document)
	return answer, err
}

// source gives a source's lines, and signs it.
func (w *world) source(name, publisher string) string {
	address := "https://example.org/" + name + ".tar.gz"
	content := []byte(name)
	if w.evidence[address] == nil {
		w.evidence[address] = w.sigstore.Sign(sigstoretest.Attest(name+".tar.gz", content), sigstoretest.GitHub("acme/"+name), sigstoretest.RekorV1).JSON()
	}
	return fmt.Sprintf("  - {url: %q, sha256: %x, attestation: {publishers: %q}}\n", address, sha256.Sum256(content), publisher)
}

func (w *world) recipe(t *testing.T, lines ...string) string {
	t.Helper()
	w.contained++
	path := filepath.Join(w.dir, fmt.Sprintf("r%d", w.contained), "recipe.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("package: {name: r%d, version: 1.0.0}\n", w.contained)
	if len(lines) > 0 {
		text += "source:\n" + strings.Join(lines, "")
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	w.recipes = append(w.recipes, path)
	return path
}

func (w *world) auditor(o audit.Options) *audit.Auditor {
	o.NoDownload = true
	return &audit.Auditor{
		Client:    &fetch.Client{Offline: true},
		Resolvers: []attestation.Resolver{w},
		Roots: func(context.Context) (*trust.Roots, error) {
			domains, err := trust.Parse("world", w.sigstore.TrustedRootJSON())
			return &trust.Roots{Domains: domains}, err
		},
		Options: o,
	}
}

// run gives a line for each result.
func (w *world) run(t *testing.T, o audit.Options) ([]string, audit.Summary) {
	t.Helper()
	var got []string
	summary, err := w.auditor(o).Run(t.Context(), w.recipes, func(r audit.Result) error {
		got = append(got, fmt.Sprintf("%d.%d %s %s", r.Place.Recipe, r.Place.Source, r.Verdict, r.Code))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, summary
}

func TestADistinctSourceIsAskedForOnce(t *testing.T) {
	w := newWorld(t)
	shared := w.source("shared", "github:acme/shared")
	for range 5 {
		w.recipe(t, shared, w.source("other", "github:acme/other"))
	}
	w.recipe(t, w.source("shared", "github:evil/shared")) // the same source, and other demands
	got, summary := w.run(t, audit.Options{})
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("%d.0 verified verified-metadata-only", i), fmt.Sprintf("%d.1 verified verified-metadata-only", i))
	}
	want = append(want, "5.0 mismatch publisher-mismatch")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"https://example.org/shared.tar.gz": 1, "https://example.org/other.tar.gz": 1}, w.asked); diff != "" {
		t.Error(diff)
	}
	if summary.Recipes != 6 || summary.Sources != 11 || !summary.Complete || summary.Status != audit.StatusRejected {
		t.Errorf("summary %+v", summary)
	}
}

// The digest belongs to what is the same: evidence for one must not count for
// another.
func TestSameAddressWithAnotherDigestIsAnotherSource(t *testing.T) {
	w := newWorld(t)
	line := w.source("a", "github:acme/a")
	w.recipe(t, line)
	w.recipe(t, strings.Replace(line, digest.SHA256(sha256.Sum256([]byte("a"))).String(), digest.SHA256(sha256.Sum256([]byte("evil"))).String(), 1))
	got, _ := w.run(t, audit.Options{})
	if diff := cmp.Diff([]string{"0.0 verified verified-metadata-only", "1.0 mismatch digest-not-attested"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestResultsKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 40 {
		name := fmt.Sprintf("p%d", i)
		w.delay["https://example.org/"+name+".tar.gz"] = time.Duration(40-i) * time.Millisecond / 4
		w.recipe(t, w.source(name, "github:acme/"+name))
		want = append(want, fmt.Sprintf("%d.0 verified verified-metadata-only", i))
	}
	got, _ := w.run(t, audit.Options{Jobs: 16})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOneBrokenRecipeStopsNothing(t *testing.T) {
	w := newWorld(t)
	w.recipe(t, w.source("a", "github:acme/a"))
	broken := w.recipe(t)
	if err := os.WriteFile(broken, []byte("source: [\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.recipes = append(w.recipes, filepath.Join(w.dir, "missing"))
	w.recipe(t, w.source("b", "github:acme/b"))
	w.broken["https://example.org/a.tar.gz"] = errors.New("the network is down")
	got, summary := w.run(t, audit.Options{})
	want := []string{"0.0 unavailable fetch-failed", "1.0 error recipe-error", "2.0 error recipe-error", "3.0 verified verified-metadata-only"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if summary.Status != audit.StatusError || summary.Recipes != 4 {
		t.Errorf("summary %+v", summary)
	}
}

// Every result is in exactly one shard, at its place in the whole run, and a
// source is asked for in one shard only.
func TestShardsPartitionARun(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		name := fmt.Sprintf("p%d", i%20)
		w.recipe(t, w.source(name, "github:acme/"+name), w.source(fmt.Sprintf("q%d", i), "github:acme/x"))
	}
	w.recipe(t) // without sources
	whole, _ := w.run(t, audit.Options{})
	clear(w.asked)
	seen := map[string]int{}
	recipes := 0
	for i := 1; i <= 4; i++ {
		part, summary := w.run(t, audit.Options{Shard: audit.Shard{Index: i, Count: 4}})
		recipes = max(recipes, summary.Recipes)
		if len(part) == 0 || len(part) == len(whole) {
			t.Errorf("shard %d has %d of %d results", i, len(part), len(whole))
		}
		for _, r := range part {
			seen[r]++
		}
	}
	for _, r := range whole {
		if seen[r] != 1 {
			t.Errorf("%s is in %d shards", r, seen[r])
		}
	}
	if len(seen) != len(whole) || recipes != 31 {
		t.Errorf("%d results in shards, %d in the whole run; %d recipes", len(seen), len(whole), recipes)
	}
	for address, n := range w.asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", address, n)
		}
	}
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]audit.Shard{
		"1/1": {Index: 1, Count: 1}, "2/4": {Index: 2, Count: 4}, "0/4": {}, "5/4": {}, "4": {}, "": {}, "a/b": {}, "1/0": {}, "-1/4": {}, "1/1000000": {}, "1/4/2": {},
	} {
		got, err := audit.ParseShard(text)
		if got != want || (err == nil) != (want.Count > 0) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}

func TestAnInterruptedRunGivesWhatIsFinished(t *testing.T) {
	w := newWorld(t)
	w.recipe(t) // finished at once
	for i := range 20 {
		name := fmt.Sprintf("p%d", i)
		w.recipe(t, w.source(name, "github:acme/"+name))
	}
	w.wait = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-w.begun
		cancel()
	}()
	finished, interrupted := 0, 0
	summary, err := w.auditor(audit.Options{Jobs: 2}).Run(ctx, w.recipes, func(r audit.Result) error {
		if r.Code == audit.CodeInterrupted {
			interrupted++
		} else {
			finished++
		}
		if r.Verdict == audit.Verified {
			t.Error("verified although nothing was obtained")
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || summary.Complete || summary.Status != audit.StatusInterrupted {
		t.Errorf("got %v, %+v", err, summary)
	}
	if finished != 1 || interrupted == 0 {
		t.Errorf("%d finished, %d interrupted", finished, interrupted)
	}
}

func TestAHandlersErrorEndsTheRun(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		name := fmt.Sprintf("p%d", i)
		w.recipe(t, w.source(name, "github:acme/"+name))
	}
	full := errors.New("the disk is full")
	handled := 0
	summary, err := w.auditor(audit.Options{}).Run(t.Context(), w.recipes, func(audit.Result) error {
		handled++
		return full
	})
	if !errors.Is(err, full) || handled != 1 || summary.Complete {
		t.Errorf("got %v after %d results, %+v", err, handled, summary)
	}
}
