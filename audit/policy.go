package audit

import (
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A Policy says in words what a run enforces, so that a report can state it
// before the first verdict.
type Policy struct {
	Match               verify.Match
	RequireAttestations bool
	NoDownload          bool
	Offline             bool
	// PredicateTypes are accepted where a recipe lists none of its own.
	PredicateTypes []string
	// TrustedRoots says where trust comes from: files, or TUF and the snapshot.
	TrustedRoots []string
	Mirrors      []string // as they were given, FROM=TO
	ConfigFile   string   // "" for none
	// Locked tells that sources must be signed by those whom lock files name.
	Locked bool
	// File is the policy with what it says about sources; nil for none.
	File *policy.Policy
}
