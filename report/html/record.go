package html

import (
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// change says in words what differs from the earlier report.
func change(r *report.Record) string {
	var parts []string
	for _, c := range r.Changes {
		parts = append(parts, join(": ", words(string(c.Kind)), beforeAfter(c)))
	}
	return strings.Join(parts, "; ")
}

// words makes words of a name.
func words(name string) string { return strings.ReplaceAll(name, "-", " ") }

func beforeAfter(c report.Change) string {
	switch {
	case c.Before == "":
		return c.After
	case c.After == "":
		return "it was " + c.Before
	}
	return c.Before + " before, " + c.After + " now"
}

// warnings are what is unusual about a source and the evidence that counted.
func warnings(r *report.Record) []string {
	var texts []string
	for _, w := range r.Warnings {
		texts = append(texts, w.Message)
	}
	for _, b := range r.Bundles {
		for _, w := range b.Warnings {
			texts = append(texts, w.Message)
		}
	}
	return texts
}

func changesOf(s *sheet, r *report.Record) {
	s.head("Since the earlier report")
	for _, c := range r.Changes {
		label := "changed"
		if c.Downgrade {
			label = "changed for the worse"
		}
		s.add(label, join(": ", words(string(c.Kind)), beforeAfter(c)))
	}
	s.trim()
}

// findingOf tells what was found out where nothing is demanded. The evidence may
// verify, but nobody has said that its signer is the right one: no links.
func findingOf(s *sheet, r *report.Record) {
	f := r.Finding
	if f == nil {
		return
	}
	s.head("What could be")
	s.add("finding", join(": ", words(string(f.Kind)), f.Detail))
	s.add("signed by", f.Publisher)
	if f.Kind == audit.Attestable {
		verifies := "does not verify"
		if f.Genuine {
			verifies = "verifies; whether its signer is the right one is for the recipe to say"
		}
		s.add("evidence", verifies)
	}
	s.list("bundles at", f.BundleURLs)
	s.add("could be replaced by", f.Replacement)
}

// policyOf tells what of the policy applied.
func policyOf(s *sheet, r *report.Record) {
	s.head("Policy")
	for _, p := range r.Policy {
		s.add(words(string(p.Kind)), join(", at ", p.Text, p.Position))
	}
	s.trim()
}

// runLines say what was enforced.
func runLines(h *report.Header, f *report.Footer) []runLine {
	p := h.Policy
	lines := []runLine{
		{"publishers", "one of a source's publishers must have signed it"},
		{"sources without a block", "are let through"},
		{"archives", "are fetched and hashed"},
		{"predicate types", strings.Join(p.PredicateTypes, ", ")},
		{"trusted roots", strings.Join(p.TrustedRoots, ", ")},
		{"mirrors", strings.Join(p.Mirrors, ", ")},
		{"configuration", p.Config},
		{"GitHub's attestations of immutable releases", "do not count"},
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
	if p.ImmutableReleases {
		lines[7].Text = "count"
	}
	if h.Discover {
		lines = append(lines, runLine{"evidence that no recipe asks for", "was looked for"})
	}
	for _, r := range p.Statements {
		lines = append(lines, runLine{"policy: " + words(string(r.Kind)), join(", at ", r.Text, r.Position)})
	}
	var shown []runLine
	for _, l := range lines {
		if l.Text != "" {
			shown = append(shown, l)
		}
	}
	return shown
}
