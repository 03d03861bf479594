package audit

import (
	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Digests are what a recipe pins an archive by, or what was measured. A zero
// digest stands for none.
type Digests struct {
	SHA256 digest.SHA256
	MD5    digest.MD5
}

// A Result is what became of one source. A recipe that could not be read at all
// gives one result without URLs.
type Result struct {
	// Place is where the result stands in the run, whichever shard it is of.
	Place Place
	// Key names the source and what was demanded of it: two results with the
	// same key come to the same, as long as the trusted roots are the same.
	Key string
	// Resumed tells that the rest is known from earlier (Options.Known).
	Resumed   bool
	Recipe    string // the recipe's path, as it was named
	Position  recipe.Position
	Outputs   []string // names of the outputs that use the source
	Platforms []string // platforms of those outputs

	URLs       []string // the archive's addresses, in the recipe's order
	Other      string   // for sources that are no URL: "git …" or "path …"
	Publishers []string // as the recipe or the policy names them; nil if neither does
	// Decision is what the policy demands of the source, and why. It is there
	// without a policy too, for URL sources that could be evaluated.
	Decision policy.Decision

	// Address is what the archive was fetched from; it differs from URLs after
	// a redirect or with a mirror. Empty if it was not fetched.
	Address  string
	Pinned   Digests
	Measured Digests // zero if the archive was not read to its end
	Bytes    int64   // of the archive, if it was read to its end

	Resolver          string
	EvidenceAddresses []string
	Bundles           []verify.Bundle // every bundle that was considered
	// Candidates are what Bundles were read from, each at the same index, where
	// Options.KeepCandidates is set.
	Candidates []attestation.Candidate
	Evidence   verify.Evidence // verified if and only if the verdict is Verified

	// Finding is what was found out about a source for which the recipe names
	// no publisher; nil where nobody looked.
	Finding *Finding

	// Warnings are about verified evidence in the light of the source. Those
	// about a bundle are the bundle's.
	Warnings []publishers.Warning

	Verdict Verdict
	Code    Code
	Message string
	Hint    string
	// Faults are the recipe's faults, each with its line, for the verdict Error.
	Faults []*recipe.Error
}

// A Place orders the results of a run.
type Place struct {
	Recipe int // index of the path that was given
	Source int // index within the recipe
}

// A Summary counts results.
type Summary struct {
	// Complete tells that every recipe was looked at.
	Complete bool
	Recipes  int
	Sources  int
	Verdicts map[Verdict]int
	// Status is the exit status that the results stand for together.
	Status int
	// Warnings are about the whole run, such as the age of the trusted root.
	Warnings []string
}

func (s *Summary) add(r Result) {
	if s.Verdicts == nil {
		s.Verdicts = map[Verdict]int{}
	}
	s.Sources++
	s.Verdicts[r.Verdict]++
	s.Status = WorseStatus(s.Status, r.Verdict.Status())
}
