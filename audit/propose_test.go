package audit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
)

// A forge has evidence of one archive at several places, in order, and knows what
// a project says of itself.
type forge struct {
	sigstore *sigstoretest.Sigstore
	places   []place
	pooled   bool
	err      error // of a discovery that finds nothing
	previous func(context.Context) (attestation.Release, error)
	links    func(context.Context) ([]attestation.Link, error)

	mu    sync.Mutex
	asked []attestation.Query
	after []string // who was asked for more
}

type place struct {
	address  string
	document []byte
}

var proposed = []byte("an archive")

func newForge() *forge { return &forge{sigstore: sigstoretest.New(sigstoretest.Options{})} }

func (f *forge) sign(repository string, knobs ...sigstoretest.Knob) []byte {
	return f.sigstore.Sign(sigstoretest.Attest("a.tar.gz", proposed), sigstoretest.GitHub(repository), sigstoretest.RekorV1, knobs...).JSON()
}

func (*forge) Name() string { return "forge" }

func (f *forge) Discover(_ context.Context, q attestation.Query) (attestation.Discovery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	var d attestation.Discovery
	for _, p := range f.places {
		if slices.Contains(q.Without, p.address) {
			continue
		}
		d.Addresses, d.BundleURLs, d.Pooled = []string{p.address}, []string{p.address}, f.pooled
		var err error
		d.Candidates, err = attestation.Parse(p.address, p.document)
		for i := range d.Candidates {
			d.Candidates[i].Pooled = f.pooled
		}
		return d, err
	}
	return d, f.err
}

func (f *forge) Previous(ctx context.Context, _ attestation.Query) (attestation.Release, error) {
	f.mu.Lock()
	f.after = append(f.after, "history")
	f.mu.Unlock()
	if f.previous == nil {
		return attestation.Release{}, attestation.ErrNotMine
	}
	return f.previous(ctx)
}

func (f *forge) Links(ctx context.Context, _ attestation.Query) ([]attestation.Link, error) {
	f.mu.Lock()
	f.after = append(f.after, "links")
	f.mu.Unlock()
	if f.links == nil {
		return nil, attestation.ErrNotMine
	}
	return f.links(ctx)
}

func (f *forge) auditor(o audit.Options, discoverers ...attestation.Discoverer) *audit.Auditor {
	o.NoDownload = true
	return &audit.Auditor{
		Client: &fetch.Client{Offline: true}, Options: o,
		Discoverers: append(discoverers, f), Historians: []attestation.Historian{f}, Linkers: []attestation.Linker{f},
		Roots: func(context.Context) (*trust.Roots, error) {
			domains, err := trust.Parse("forge", f.sigstore.TrustedRootJSON())
			return &trust.Roots{Domains: domains}, err
		},
	}
}

// propose looks for evidence of the archive by a recipe of its own.
func (f *forge) propose(t *testing.T, a *audit.Auditor, about string) audit.Result {
	t.Helper()
	w := &world{dir: t.TempDir()}
	path := w.recipe(t, fmt.Sprintf("  - {url: https://example.org/a.tar.gz, sha256: %x}\n", sha256.Sum256(proposed))+about)
	var results []audit.Result
	if _, err := a.Run(t.Context(), []string{path}, func(r audit.Result) error {
		results = append(results, r)
		return nil
	}); err != nil || len(results) != 1 {
		t.Fatal(err, results)
	}
	return results[0]
}

// Evidence that says nothing to this run does not hide what a further place has;
// what is wrong at one place ends the search, and is reported.
func TestProposePlaces(t *testing.T) {
	stranger := sigstoretest.New(sigstoretest.Options{})
	foreign := stranger.Sign(sigstoretest.Attest("a.tar.gz", proposed), sigstoretest.GitHub("acme/a"), sigstoretest.RekorV1).JSON()
	of := func(f *forge, predicate string) []byte {
		statement := sigstoretest.Attest("a.tar.gz", proposed)
		statement.PredicateType = predicate
		return f.sigstore.Sign(statement, sigstoretest.GitHub("acme/a"), sigstoretest.RekorV1).JSON()
	}
	lines := func(documents ...[]byte) []byte {
		var all []byte
		for _, d := range documents {
			all = append(append(all, d...), '\n')
		}
		return all
	}
	type want struct {
		Kind       audit.FindingKind
		Genuine    bool
		Way        string
		Publishers string
		Passed     string
		Unasked    int
		Asked      int // questions
		Addresses  int
		Bundles    int
	}
	const bad, good = audit.Attestable, audit.Attestable
	for _, c := range []struct {
		name   string
		places func(*forge) [][]byte // at 0, 1, …
		pooled bool
		err    error
		want   want
	}{
		{
			"one", func(f *forge) [][]byte { return [][]byte{f.sign("acme/a")} }, false, nil,
			want{good, true, "0", "github:acme/a", "", 0, 1, 1, 1},
		},
		{"none", func(*forge) [][]byte { return nil }, false, nil, want{audit.NoEvidence, false, "", "", "", 0, 1, 0, 0}},
		{
			"the first of two", func(f *forge) [][]byte { return [][]byte{f.sign("acme/a"), f.sign("acme/b")} }, false, nil,
			want{good, true, "0", "github:acme/a", "", 0, 1, 1, 1},
		},
		{
			"two signers at one place", func(f *forge) [][]byte { return [][]byte{lines(f.sign("acme/a"), f.sign("acme/b"), f.sign("acme/a"))} }, false, nil,
			want{good, true, "0", "github:acme/a github:acme/b", "", 0, 1, 1, 3},
		},
		{
			"a stranger's beside it in a pool", func(f *forge) [][]byte { return [][]byte{lines(foreign, f.sign("acme/a"))} }, true, nil,
			want{good, true, "0", "github:acme/a", "", 0, 1, 1, 2},
		},

		{
			"a stranger's at the first", func(f *forge) [][]byte { return [][]byte{foreign, f.sign("acme/a")} }, false, nil,
			want{good, true, "1", "github:acme/a", "0", 0, 2, 2, 1},
		},
		{
			"a stranger's beside it, in no pool", func(f *forge) [][]byte { return [][]byte{lines(foreign, f.sign("acme/a")), f.sign("acme/b")} }, false, nil,
			want{good, true, "1", "github:acme/b", "0", 0, 2, 2, 1},
		},
		{
			"strangers' in a pool", func(f *forge) [][]byte { return [][]byte{foreign, f.sign("acme/a")} }, true, nil,
			want{good, true, "1", "github:acme/a", "0", 0, 2, 2, 1},
		},
		{
			"a bare key's", func(f *forge) [][]byte { return [][]byte{f.sign("acme/a", sigstoretest.BareKey()), f.sign("acme/a")} }, false, nil,
			want{good, true, "1", "github:acme/a", "0", 0, 2, 2, 1},
		},
		{"a test result, which says nothing of who made it", func(f *forge) [][]byte {
			return [][]byte{of(f, "https://in-toto.io/attestation/test-result/v0.1"), f.sign("acme/a")}
		}, false, nil, want{good, true, "1", "github:acme/a", "0", 0, 2, 2, 1}},
		{
			"nothing but strangers'", func(*forge) [][]byte { return [][]byte{foreign, foreign} }, false, nil,
			want{bad, false, "0", "", "1", 0, 3, 2, 1},
		},
		{
			"places without end", func(*forge) [][]byte { return slices.Repeat([][]byte{foreign}, 50) }, false, nil,
			want{bad, false, "0", "", "1 2 3 4 5", 0, 7, 7, 1},
		},
		{
			"a stranger's, and then somebody who does not answer", func(*forge) [][]byte { return [][]byte{foreign} }, false, errors.New("down"),
			want{bad, false, "0", "", "", 1, 2, 1, 1},
		},
		{
			"a stranger's, and then what cannot be read", func(*forge) [][]byte { return [][]byte{foreign, []byte("<html>")} }, false, nil,
			want{bad, false, "0", "", "", 1, 2, 2, 1},
		},

		{"forged at the first", func(f *forge) [][]byte {
			return [][]byte{f.sign("acme/a", sigstoretest.ForgedSignature()), f.sign("acme/a")}
		}, false, nil, want{bad, false, "0", "", "", 0, 1, 1, 1}},
		{"forged beside a stranger's", func(f *forge) [][]byte {
			return [][]byte{lines(foreign, f.sign("acme/a", sigstoretest.ForgedSCT())), f.sign("acme/a")}
		}, false, nil, want{bad, false, "0", "", "", 0, 1, 1, 2}},
		{"forged beside a good one", func(f *forge) [][]byte {
			return [][]byte{lines(f.sign("acme/a"), f.sign("acme/a", sigstoretest.ForgedSignature())), f.sign("acme/a")}
		}, false, nil, want{bad, false, "0", "", "", 0, 1, 1, 2}},
		{"forged behind a stranger's", func(f *forge) [][]byte {
			return [][]byte{foreign, f.sign("acme/a", sigstoretest.ForgedSignature()), f.sign("acme/a")}
		}, false, nil, want{bad, false, "1", "", "0", 0, 2, 2, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForge()
			f.pooled, f.err = c.pooled, c.err
			for i, d := range c.places(f) {
				f.places = append(f.places, place{fmt.Sprint(i), d})
			}
			res := f.propose(t, f.auditor(audit.Options{Propose: true}), "")
			finding := res.Finding
			if finding == nil || res.Verdict != audit.Unattested || res.Code != audit.CodeNoBlock {
				t.Fatalf("%s %s, finding %v", res.Verdict, res.Code, finding)
			}
			got := want{
				Kind: finding.Kind, Genuine: finding.Genuine, Way: finding.Way, Unasked: len(finding.Unasked),
				Asked: len(f.asked), Addresses: len(res.EvidenceAddresses), Bundles: len(res.Bundles),
			}
			var names, passed []string
			for _, p := range finding.Publishers {
				names = append(names, p.String())
			}
			for _, p := range finding.PassedOver {
				passed = append(passed, p.BundleURL)
				if p.Detail == "" {
					t.Error("passed over without a reason")
				}
			}
			got.Publishers, got.Passed = strings.Join(names, " "), strings.Join(passed, " ")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s %q", diff, finding.Detail, finding.Unasked)
			}
			if first, _, _ := strings.Cut(got.Publishers, " "); finding.Publisher != first {
				t.Errorf("publisher %q, publishers %q", finding.Publisher, got.Publishers)
			}
			if asked := len(f.after) > 0; asked != finding.Genuine {
				t.Errorf("asked for %v", f.after)
			}
		})
	}
}

// What is known of a project beside its evidence comes along, and whatever goes
// wrong with that changes nothing else.
func TestProposeBackground(t *testing.T) {
	before := []byte("the archive before")
	link := attestation.Link{Label: "Source", URL: "https://github.com/acme/a"}
	earlier := func(f *forge, name string, content []byte, knobs ...sigstoretest.Knob) func(context.Context) (attestation.Release, error) {
		return func(context.Context) (attestation.Release, error) {
			b := f.sigstore.Sign(sigstoretest.Attest("a-1.tar.gz", content), sigstoretest.GitHub("acme/before"), sigstoretest.RekorV1, knobs...)
			r := attestation.Release{Name: name, SHA256: digest.SHA256(sha256.Sum256(before))}
			var err error
			r.Candidates, err = attestation.Parse("x", b.JSON())
			return r, err
		}
	}
	failing := func(err error) func(context.Context) (attestation.Release, error) {
		return func(context.Context) (attestation.Release, error) { return attestation.Release{}, err }
	}
	links := func(l []attestation.Link, err error) func(context.Context) ([]attestation.Link, error) {
		return func(context.Context) ([]attestation.Link, error) { return l, err }
	}
	for _, c := range []struct {
		name    string
		set     func(*forge)
		links   int
		earlier string // name, and repositories of its signers
		unasked []string
	}{
		{"nobody knows", func(*forge) {}, 0, "", nil},
		{"all known", func(f *forge) {
			f.links, f.previous = links([]attestation.Link{link}, nil), earlier(f, "a-1.tar.gz", before)
		}, 1, "a-1.tar.gz acme/before", nil},
		{"there is none", func(f *forge) {
			f.links, f.previous = links(nil, &attestation.NoneError{}), failing(&attestation.NoneError{})
		}, 0, "", nil},
		{"release before is forged", func(f *forge) { f.previous = earlier(f, "a-1.tar.gz", before, sigstoretest.ForgedSignature()) }, 0, "a-1.tar.gz", nil},
		{"release before is of another file", func(f *forge) { f.previous = earlier(f, "a-1.tar.gz", proposed) }, 0, "a-1.tar.gz", nil},
		{"name of the release before is huge", func(f *forge) { f.previous = earlier(f, strings.Repeat("a", 1<<20), before) }, 0, strings.Repeat("a", 200) + "… acme/before", nil},
		{"links fail", func(f *forge) {
			f.links, f.previous = links(nil, errors.New("the network is down")), earlier(f, "a-1.tar.gz", before)
		}, 0, "a-1.tar.gz acme/before", []string{"the project's links: the network is down"}},
		{"history fails", func(f *forge) {
			f.links, f.previous = links([]attestation.Link{link}, nil), failing(&attestation.FormatError{Origin: "https://x", Index: -1, Problem: "it is no JSON"})
		}, 1, "", []string{"the release before: the evidence document https://x is malformed: it is no JSON"}},
		{"both fail", func(f *forge) {
			f.links, f.previous = links(nil, errors.New("a")), failing(errors.New("b"))
		}, 0, "", []string{"the release before: b", "the project's links: a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForge()
			f.places = []place{{"0", f.sign("acme/a")}}
			c.set(f)
			res := f.propose(t, f.auditor(audit.Options{Propose: true}), "")
			if res.Finding == nil || !res.Finding.Genuine || res.Finding.Publisher != "github:acme/a" || res.Verdict != audit.Unattested {
				t.Fatalf("%s, %v", res.Verdict, res.Finding)
			}
			got := ""
			if e := res.Finding.Earlier; e != nil {
				got = e.Name
				for _, s := range e.Signers {
					got += strings.TrimPrefix(s.Certificate.SourceRepository, "https://github.com")
					if len(s.Subjects)+len(s.LogEntries) > 0 {
						t.Error("subjects and log entries are kept")
					}
				}
				got = strings.Replace(got, "/acme", " acme", 1)
			}
			if got != c.earlier {
				t.Errorf("earlier %.300q, wanted %.300q", got, c.earlier)
			}
			if len(res.Finding.Links) != c.links {
				t.Errorf("links %v", res.Finding.Links)
			}
			if diff := cmp.Diff(c.unasked, res.Finding.Unasked); diff != "" {
				t.Errorf("unasked (-want +got):\n%s", diff)
			}
		})
	}
}

// Those who never answer are waited for side by side, five seconds and no longer.
func TestProposeWaitsNoLongerThanItSays(t *testing.T) {
	f := newForge()
	f.places = []place{{"0", f.sign("acme/a")}}
	f.previous = func(ctx context.Context) (attestation.Release, error) {
		<-ctx.Done()
		return attestation.Release{}, ctx.Err()
	}
	f.links = func(ctx context.Context) ([]attestation.Link, error) {
		<-ctx.Done()
		return nil, &fetch.UnavailableError{URL: "https://pypi.org/"}
	}
	today := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(today)) // where evidence does not lie in the future
		begun := time.Now()
		res := f.propose(t, f.auditor(audit.Options{Propose: true}), "")
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("took %s", took)
		}
		if !res.Finding.Genuine || res.Finding.Publisher == "" || res.Finding.Links != nil || res.Finding.Earlier != nil {
			t.Errorf("%v", res.Finding)
		}
		want := []string{"the release before: there was no answer within 5s", "the project's links: there was no answer within 5s"}
		if diff := cmp.Diff(want, res.Finding.Unasked); diff != "" {
			t.Error(diff)
		}
	})
}

// A run that only discovers neither asks for the background nor tells anybody
// what the recipe states.
func TestOnlyProposingAsksForMore(t *testing.T) {
	const about = "about: {repository: 'https://github.com/acme/a'}\n"
	for _, propose := range []bool{false, true} {
		f := newForge()
		f.places = []place{{"0", f.sign("acme/a")}}
		res := f.propose(t, f.auditor(audit.Options{Discover: true, Propose: propose}), about)
		if res.Finding == nil || !res.Finding.Genuine {
			t.Fatalf("%v", res.Finding)
		}
		if asked := len(f.after) == 2; asked != propose {
			t.Errorf("propose %t: asked for %v", propose, f.after)
		}
		if stated := len(f.asked[0].Repositories) > 0; stated != propose {
			t.Errorf("propose %t: repositories %v", propose, f.asked[0].Repositories)
		}
		if completed := res.Finding.Way != "" || res.Finding.Publishers != nil; completed != propose {
			t.Errorf("propose %t: %v", propose, res.Finding)
		}
	}
}

func TestProposeRepositories(t *testing.T) {
	for _, c := range []struct {
		name, about string
		want        []string
	}{
		{"none", "", nil},
		{"the one that says most first", "about: {homepage: https://acme.github.io/a, repository: https://github.com/acme/b}\n", []string{"acme/b", "acme/a"}},
		{"each once, without case", "about: {homepage: https://github.com/Acme/A/wiki, repository: https://github.com/acme/a.git}\n", []string{"acme/a"}},
		{"of GitHub only", "about: {homepage: https://example.org/a/b, repository: https://gitlab.com/acme/a}\n", nil},
		{"three at most", "about: {homepage: [https://github.com/a/a, https://github.com/a/b, https://github.com/a/c, https://github.com/a/d]}\n", []string{"a/a", "a/b", "a/c"}},
		{"no tricks", "about: {homepage: ['https://github.com@evil.example/a/b', 'https://github.com/a/b%2f..%2fc', 'https://github.com/a/..', \"https://github.com/a/b\\x1b[31m\"]}\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForge()
			res := f.propose(t, f.auditor(audit.Options{Propose: true}), c.about)
			if res.Finding.Kind != audit.NoEvidence {
				t.Errorf("%v", res.Finding)
			}
			if diff := cmp.Diff(c.want, f.asked[0].Repositories); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The same archive in recipes that state other repositories is looked for in each
// one's, and once in those that state the same.
func TestProposeAsksForEachRecipesRepositories(t *testing.T) {
	f := newForge()
	w := &world{dir: t.TempDir()}
	var want []string
	for _, repository := range []string{"acme/a", "acme/b", "acme/a", ""} {
		about := ""
		if repository != "" {
			about = "about: {repository: https://github.com/" + repository + "}\n"
		}
		w.recipe(t, fmt.Sprintf("  - {url: https://example.org/a.tar.gz, sha256: %x}\n", sha256.Sum256(proposed))+about)
	}
	n := 0
	if _, err := f.auditor(audit.Options{Propose: true, Jobs: 1}).Run(t.Context(), w.recipes, func(r audit.Result) error {
		if r.Finding == nil {
			t.Errorf("%s: nobody looked", r.Recipe)
		}
		n++
		return nil
	}); err != nil || n != 4 {
		t.Fatal(err, n)
	}
	var got []string
	for _, q := range f.asked {
		got = append(got, strings.Join(q.Repositories, " "))
	}
	want = []string{"acme/a", "acme/b", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An index is a discoverer that knows every source, and says the same of each.
type indexed struct {
	found attestation.Discovery
	err   error
}

func (indexed) Name() string { return "index" }

func (i indexed) Discover(context.Context, attestation.Query) (attestation.Discovery, error) {
	return i.found, i.err
}

// Where an index has nothing the next one is asked, whose failure is no failure.
func TestProposeAsksTheNext(t *testing.T) {
	own := attestation.Discovery{Answer: attestation.Answer{Addresses: []string{"index"}}}
	for _, c := range []struct {
		name  string
		index indexed
		err   error // of the next
		has   bool
		want  string
	}{
		{"it has", indexed{found: own}, nil, true, "forge attestable [index 0] []"},
		{"it has none either", indexed{found: own}, nil, false, "index no-evidence [index] []"},
		{"it is not for it to say", indexed{found: own}, attestation.ErrNotMine, false, "index no-evidence [index] []"},
		{"it does not answer", indexed{found: own}, errors.New("down"), false, "index no-evidence [index] [down]"},
		{"the first does not answer", indexed{err: errors.New("down")}, nil, true, " unknown [] []"},
		{"the first is sure that there is none", indexed{found: attestation.Discovery{Unattestable: "it is made anew"}}, nil, true, "index not-attestable [] []"},
		{"neither knows the source", indexed{err: attestation.ErrNotMine}, attestation.ErrNotMine, false, " not-asked [] []"},
		{"only the next knows it, and does not answer", indexed{err: attestation.ErrNotMine}, errors.New("down"), false, "forge unknown [] []"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForge()
			f.err = c.err
			if c.has {
				f.places = []place{{"0", f.sign("acme/a")}}
			}
			res := f.propose(t, f.auditor(audit.Options{Propose: true}, c.index), "")
			got := fmt.Sprintf("%s %s %v %v", res.Resolver, res.Finding.Kind, res.EvidenceAddresses, res.Finding.Unasked)
			if c.index.err != nil && !errors.Is(c.index.err, attestation.ErrNotMine) {
				got = strings.TrimPrefix(got, "index")
			}
			if got != c.want {
				t.Errorf("%s, wanted %s", got, c.want)
			}
		})
	}
}

// Large evidence of the next one is asked for again, with the bytes that one
// source at a time may have; what is larger than that is no failure of the first.
func TestProposeAsksTheNextForMore(t *testing.T) {
	f := newForge()
	f.err = &fetch.TooLargeError{URL: "https://example.org/x", Limit: 1, Size: -1}
	res := f.propose(t, f.auditor(audit.Options{Propose: true}, indexed{}), "")
	if res.Finding.Kind != audit.NoEvidence || len(res.Finding.Unasked) != 1 {
		t.Errorf("%+v", res.Finding)
	}
	if len(f.asked) != 2 || f.asked[0].MaxBytes >= attestation.MaxDocument || f.asked[1].MaxBytes != attestation.MaxDocument {
		t.Errorf("asked %v", f.asked)
	}
}

// Nothing is found out by a run that was interrupted while it asked.
func TestProposeInterrupted(t *testing.T) {
	f := newForge()
	f.places = []place{{"0", f.sign("acme/a")}}
	ctx, cancel := context.WithCancel(t.Context())
	f.links = func(ctx context.Context) ([]attestation.Link, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	w := &world{dir: t.TempDir()}
	path := w.recipe(t, fmt.Sprintf("  - {url: https://example.org/a.tar.gz, sha256: %x}\n", sha256.Sum256(proposed)))
	summary, err := f.auditor(audit.Options{Propose: true}).Run(ctx, []string{path}, func(audit.Result) error { return nil })
	if !errors.Is(err, context.Canceled) || summary.Complete || summary.Status != audit.StatusInterrupted {
		t.Errorf("%v, %v", err, summary)
	}
}
