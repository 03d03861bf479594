package audit_test

import (
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/policy"
)

// Two recipes can name one source, of which evidence is required for one of them
// alone. A run that is resumed must not take the one's result for the other's.
func TestKeysTellWhatIsRequired(t *testing.T) {
	w := newWorld(t)
	line := without(w.source("shared", "x"))
	w.recipe(t, line) // r1
	w.recipe(t, line) // r2
	w.recipe(t, line) // r3
	p, err := policy.Parse("p.yaml", []byte("require: [{package: r2}]"))
	if err != nil {
		t.Fatal(err)
	}
	auditor := w.auditor(audit.Options{Discover: true, Policy: p})
	auditor.Discoverers = []attestation.Discoverer{finder{w}}
	var got []audit.Result
	if _, err := auditor.Run(t.Context(), w.recipes, func(r audit.Result) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if got[0].Verdict != audit.Unattested || got[1].Verdict != audit.Missing || got[2].Verdict != audit.Unattested {
		t.Fatalf("verdicts %s, %s, %s", got[0].Verdict, got[1].Verdict, got[2].Verdict)
	}
	if got[0].Key == got[1].Key {
		t.Error("a source that needs no evidence and one that lacks it have the same key")
	}
	if got[0].Key != got[2].Key {
		t.Error("two results that are the same have different keys")
	}
}
