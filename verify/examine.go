package verify

import (
	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
)

// Examined are candidates for one digest, to be judged by the rules of several
// recipes.
type Examined struct {
	verifier   *Verifier
	candidates []attestation.Candidate
	sha256     digest.SHA256
}

// Examine takes candidates for the archive with the SHA-256 d.
func (v *Verifier) Examine(candidates []attestation.Candidate, d digest.SHA256) Examined {
	return Examined{v, candidates, d}
}

// Judge is [Verifier.Verify] with one recipe's rules. The zero value is never
// evidence.
func (e Examined) Judge(rules Rules) (Evidence, []Bundle, error) {
	if e.verifier == nil {
		return Evidence{}, nil, &RulesError{"nothing was examined"}
	}
	return e.verifier.Verify(e.candidates, e.sha256, rules)
}
