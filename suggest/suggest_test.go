package suggest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/suggest"
	"github.com/recipe-verify/recipe-verify/verify"
)

const text = `package: {name: x, version: 1.0}
source:
  - url: https://pypi.org/packages/source/x/x/x-1.0.tar.gz
    sha256: 284c7b8f2f58cb737f0cf1c30fd7eaf0ccfcde196099d24ecede3fc2005aa59e
  - path: patches
  - url: https://pypi.org/packages/source/y/y/y-1.0.tar.gz
    sha256: 11117b8f2f58cb737f0cf1c30fd7eaf0ccfcde196099d24ecede3fc2005aa59e
about:
  repository: https://github.com/x/x
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func publisher(t *testing.T, text string) publishers.Publisher {
	t.Helper()
	p, err := publishers.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// An engine is an Auditor that finds evidence of everything, and verifies what it
// is told to. It cannot make evidence: nothing outside of package verify can.
type engine struct {
	by      publishers.Publisher
	way     string
	second  func(n int, r *audit.Result) // the result of a source with its block
	skip    bool                         // it verifies nothing
	rounds  []suggest.Round
	blocks  []string
	stopped bool
}

func (e *engine) audit(_ context.Context, paths []string, r suggest.Round, handle func(audit.Result) error) (audit.Summary, error) {
	e.rounds = append(e.rounds, r)
	for i, path := range paths {
		rec, err := r.Read(path)
		if err != nil {
			_ = handle(audit.Result{Place: audit.Place{Recipe: i}, Verdict: audit.Error, Faults: recipe.AllFaults(err)})
			continue
		}
		for j, s := range rec.Sources() {
			res := audit.Result{Place: audit.Place{Recipe: i, Source: j}, Recipe: path, Position: s.Pos, Verdict: audit.Unattested}
			if r.Propose {
				res.Finding = &audit.Finding{Kind: audit.Attestable, Genuine: true, Publisher: e.by.String(), Publishers: []publishers.Publisher{e.by}, Way: e.way}
			} else {
				e.blocks = append(e.blocks, s.Attestation.Publishers[0].Text)
				if e.second(j, &res); e.skip {
					continue
				}
			}
			if err := handle(res); err != nil {
				return audit.Summary{}, err
			}
		}
	}
	return audit.Summary{Complete: !e.stopped}, nil
}

// What was found is a proposal only if the block verifies: what the second round
// says decides, whatever the first one did.
func TestOnlyWhatVerifiesIsProposed(t *testing.T) {
	verdict := func(v audit.Verdict) func(int, *audit.Result) {
		return func(_ int, r *audit.Result) { r.Verdict, r.Message = v, "because" }
	}
	for _, c := range []struct {
		name   string
		second func(int, *audit.Result)
		skip   bool
		want   suggest.Kind
	}{
		{"mismatch", verdict(audit.Mismatch), false, suggest.Refused},
		{"invalid", verdict(audit.Invalid), false, suggest.Refused},
		{"missing", verdict(audit.Missing), false, suggest.Refused},
		{"unattested", verdict(audit.Unattested), false, suggest.Refused},
		{"error", verdict(audit.Error), false, suggest.Refused},
		{"unavailable", verdict(audit.Unavailable), false, suggest.Unavailable},
		{"no result", verdict(audit.Verified), true, suggest.Unavailable}, // with a reason of its own
		{"verified, and no evidence", verdict(audit.Verified), false, suggest.Unavailable},
		{"verified, and evidence that verify did not make", func(_ int, r *audit.Result) { r.Verdict, r.Evidence = audit.Verified, verify.Evidence{} }, false, suggest.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &engine{by: publisher(t, "github:x/x"), second: c.second, skip: c.skip}
			result, err := suggest.Run(t.Context(), []string{write(t, text)}, e.audit, suggest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			rec := result.Recipes[0]
			if len(rec.Places) != 2 || rec.After != nil || len(result.Files()) != 0 {
				t.Fatalf("%d places, written\n%s", len(rec.Places), rec.After)
			}
			for _, p := range rec.Places {
				if p.Kind != c.want || p.Proposal != nil || c.skip != strings.Contains(p.Reason, "the run ended before the block was verified") {
					t.Errorf("%s: %s: %s, wanted %s", p.Position, p.Kind, p.Reason, c.want)
				}
			}
			if diff := cmp.Diff([]string{"github:x/x", "github:x/x"}, e.blocks); diff != "" {
				t.Errorf("the blocks that were verified (-want +got):\n%s", diff)
			}
			if len(e.rounds) != 2 || !e.rounds[0].Propose || e.rounds[1].Propose {
				t.Errorf("%d rounds", len(e.rounds))
			}
		})
	}
}

// An address that does not come back as it is, is not written.
func TestAddressesThatRecipesRenderAreNotWritten(t *testing.T) {
	for _, c := range []struct {
		way   string
		drawn bool
	}{
		{"https://example.org/x.sigstore.json", true},
		{"https://example.org/${{ 1 + 1 }}.sigstore.json", false},
		{"https://example.org/${{ env.get('HOME') }}.sigstore.json", false},
		{"https://example.org/${{", false},
		{"https://example.org/#: x", false},
		{"https://example.org/a\nb", false},
		{"https://example.org/../x", false},
		{"ftp://example.org/x", false},
		{"x", false},
	} {
		e := &engine{by: publisher(t, "github:x/x"), way: c.way, second: func(_ int, r *audit.Result) {}}
		result, err := suggest.Run(t.Context(), []string{write(t, text)}, e.audit, suggest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range result.Recipes[0].Places {
			if c.drawn != (p.Kind == suggest.Refused) || !c.drawn && (p.Kind != suggest.Impossible || !strings.Contains(p.Reason, "cannot be written")) {
				t.Errorf("%q: %s: %s", c.way, p.Kind, p.Reason)
			}
		}
		if !c.drawn && len(e.blocks) > 0 {
			t.Errorf("%q: %d blocks were verified", c.way, len(e.blocks))
		}
	}
}

// sources gives a recipe of many sources, some of which are in a form that is not
// edited, and what evidence is found for them.
func sources(n int, odd func(int) bool) string {
	var b strings.Builder
	b.WriteString("package: {name: x, version: 1.0}\nsource:\n")
	for i := range n {
		form := "  - url: https://pypi.org/packages/source/x/x/x-%d.tar.gz\n    sha256: %064d\n"
		if odd(i) {
			form = "  - ? url\n    : https://pypi.org/packages/source/x/x/x-%d.tar.gz\n    sha256: %064d\n"
		}
		fmt.Fprintf(&b, form, i, i+1)
	}
	return b.String()
}

// A source that cannot be edited keeps no other from its block.
func TestASourceThatCannotBeEditedIsLeftAlone(t *testing.T) {
	odd := func(i int) bool { return i == 3 || i == 17 }
	e := &engine{by: publisher(t, "github:x/x"), second: func(int, *audit.Result) {}}
	result, err := suggest.Run(t.Context(), []string{write(t, sources(20, odd))}, e.audit, suggest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range result.Recipes[0].Places {
		if odd(i) != (p.Kind == suggest.Impossible) || odd(i) != strings.Contains(p.Reason, "cannot be written") {
			t.Errorf("%d: %s: %s", i, p.Kind, p.Reason)
		}
	}
	if len(e.blocks) != 18 {
		t.Errorf("%d blocks were verified", len(e.blocks))
	}
}

// Whatever a recipe holds, finding out what can be written costs bounded time.
func TestHostileRecipesAreCheap(t *testing.T) {
	budget.SkipWithRace(t)
	for _, c := range []struct {
		name string
		text string
		way  string
	}{
		{"many sources", sources(3000, func(int) bool { return false }), ""},
		{"many that cannot be edited", sources(1500, func(i int) bool { return i%2 == 0 }), ""},
		{"many whose addresses do not come back", sources(1500, func(int) bool { return false }), "https://example.org/${{ 1 }}/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.text)
			e := &engine{by: publisher(t, "github:x/x"), way: c.way, second: func(int, *audit.Result) {}}
			budget.Check(t, func() {
				if _, err := suggest.Run(t.Context(), []string{path}, e.audit, suggest.Options{}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestARunThatIsNotCompleteIsAnError(t *testing.T) {
	e := &engine{by: publisher(t, "github:x/x"), second: func(int, *audit.Result) {}, stopped: true}
	if _, err := suggest.Run(t.Context(), []string{write(t, text)}, e.audit, suggest.Options{}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.stopped = false
	if _, err := suggest.Run(ctx, []string{write(t, text)}, e.audit, suggest.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := suggest.Run(t.Context(), nil, e.audit, suggest.Options{}); err == nil {
		t.Error("nothing is proposed for no recipe, without an error")
	}
}

// A kind that is not of the set is an error.
func TestKindsHaveStatuses(t *testing.T) {
	for kind, want := range map[suggest.Kind]int{
		suggest.Proposed: 0, suggest.Doubtful: 0, suggest.Impossible: 0, suggest.Attested: 0, suggest.None: 0,
		suggest.Refused: 1, suggest.Invalid: 1, suggest.Faulty: 2, suggest.Unavailable: 3, "": 2, "fine": 2,
	} {
		if got := kind.Status(); got != want {
			t.Errorf("%q has status %d, wanted %d", kind, got, want)
		}
	}
}
