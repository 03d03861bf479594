package html

import (
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/report"
)

// change says in words what differs from the earlier report.
func change(r *Record) (text string, downgrade bool) {
	var parts []string
	for _, c := range r.Changes {
		parts = append(parts, join(": ", c.Kind, c.Detail))
		downgrade = downgrade || c.Kind == "downgrade"
	}
	return strings.Join(parts, "; "), downgrade
}

func changesOf(s *sheet, r *Record) {
	s.head("Since the earlier report")
	for _, c := range r.Changes {
		s.add(c.Kind, c.Detail)
	}
	s.trim()
}

func findingOf(s *sheet, r *Record) {
	s.head("What could be")
	s.add("finding", join(": ", r.Finding, r.FindingDetail))
	s.add("signed by", r.AttestablePublisher)
	if r.AttestableVerified {
		s.add("evidence", "verifies")
	}
	s.add("could be replaced by", r.Replacement)
	s.trim()
}

// runLines say what was enforced.
func runLines(h Header, f Footer) []runLine {
	p := h.Policy
	lines := []runLine{
		{"publishers", "one of a source's publishers must have signed it"},
		{"sources without a block", "are let through"},
		{"archives", "are fetched and hashed"},
		{"predicate types", strings.Join(p.PredicateTypes, ", ")},
		{"trusted roots", strings.Join(p.TrustedRoots, ", ")},
		{"mirrors", strings.Join(p.Mirrors, ", ")},
		{"configuration", p.Config},
		{"recipes", fmt.Sprint(f.Recipes)},
		{"exit status", fmt.Sprint(f.ExitStatus)},
	}
	if p.Publishers == "all" {
		lines[0].Text = "every publisher of a source must have signed it"
	}
	if p.RequireAttestations {
		lines[1].Text = "fail: every URL source needs an attestation block"
	}
	if p.MetadataOnly {
		lines[2].Text = "are not fetched (metadata only); the build must check their digests"
	}
	var shown []runLine
	for _, l := range lines {
		if l.Text != "" {
			shown = append(shown, l)
		}
	}
	return shown
}

var _ = report.SchemaVersion
