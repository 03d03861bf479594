package verify

import (
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
)

// Examined are candidates for one digest of which everything is verified that
// does not depend on rules, so that the rules of several recipes can judge them
// at the cost of one verification. It may be used by several goroutines at a
// time. The zero value is never evidence.
type Examined struct {
	examined   bool
	sha256     digest.SHA256
	candidates []candidate
}

// candidate is one of them.
type candidate struct {
	attestation.Candidate
	claims attestation.Claims
	listed []attestation.Subject // the subjects with the digest
	found  finding               // zero if listed is empty
	// account is what is known of it before any rule is asked. Its status is
	// empty where the rules decide.
	account Bundle
}

// Examine verifies candidates for the archive with the SHA-256 d, each for
// itself. What fails, fails for all rules, and is reported by Judge.
func (v *Verifier) Examine(candidates []attestation.Candidate, d digest.SHA256) Examined {
	e := Examined{examined: true, sha256: d, candidates: make([]candidate, len(candidates))}
	for i, c := range candidates {
		e.candidates[i] = v.examine(c, d).slim()
	}
	return e
}

// slim lets go of the evidence itself where judging does not need it: an audit
// keeps what it has examined to its end.
func (e candidate) slim() candidate {
	e.found = finding{}
	if e.account.Verified == nil || !e.account.Verified.promised() {
		e.Bundle, e.claims = nil, attestation.Claims{}
	}
	return e
}

// Judge is [Verifier.Verify] with one recipe's rules.
func (e Examined) Judge(rules Rules) (Evidence, []Bundle, error) {
	if !e.examined {
		return Evidence{}, nil, &RulesError{"nothing was examined"}
	}
	if err := rules.check(e.sha256); err != nil {
		return Evidence{}, nil, err
	}
	bundles := make([]Bundle, len(e.candidates))
	for i, c := range e.candidates {
		bundles[i] = c.judge(rules)
	}
	for _, b := range bundles {
		if b.Status == Broken {
			return Evidence{}, bundles, &InvalidError{Code: b.Code, Message: b.Reason, Mend: b.Hint, Detail: b.detail}
		}
	}
	counted, err := decide(bundles, e.sha256, rules)
	if err != nil {
		return Evidence{}, bundles, err
	}
	return Evidence{verified: true, sha256: e.sha256, bundles: counted}, bundles, nil
}

// examine verifies one candidate.
func (v *Verifier) examine(c attestation.Candidate, d digest.SHA256) (e candidate) {
	b := Bundle{Origin: c.Origin, Index: c.Index, Format: c.Format}
	e = candidate{Candidate: c}
	defer func() {
		if r := recover(); r != nil { // whatever the fault is, it must not verify anything
			e = candidate{Candidate: c, account: b.faulty(r)}
		}
	}()
	claims, err := c.Unverified()
	if err != nil {
		e.account = b.broken(&InvalidError{Code: CodeMalformed, Message: "the evidence cannot be read: " + err.Error()})
		return e
	}
	e.claims, e.listed = claims, claims.Lists(d)
	if len(e.listed) == 0 {
		b.Unverified = unverifiedContent(c, claims)
		e.account = b.notCounted(SetAside, CodeOtherDigest, otherDigest(claims, d), "")
		return e
	}
	e.found = v.verifyBundle(c, claims, &d)
	b.Domain = e.found.domain()
	if e.found.content == nil {
		b.Unverified = unverifiedContent(c, claims)
		if fail := e.found.failed; c.Pooled && e.found.foreign() {
			e.account = b.notCounted(SetAside, fail.Code, fail.Message, fail.Mend)
			return e
		}
		e.account = b.broken(e.found.failed)
		return e
	}
	b.Verified = e.found.content
	e.account = b
	return e
}

// judge gives the account of a candidate under rules.
func (e candidate) judge(rules Rules) (b Bundle) {
	b = e.account
	defer func() {
		if r := recover(); r != nil { // as in examine
			b = Bundle{Origin: e.Origin, Index: e.Index, Format: e.Format}.faulty(r)
		}
	}()
	if b.Status != "" {
		return b
	}
	if b.Verified.promised() && !rules.promise(e.Candidate) {
		b.Verified, b.Unverified = nil, unverifiedContent(e.Candidate, e.claims)
		return b.broken(noCheckpoint())
	}
	return b.judge(e.Candidate, e.listed, rules)
}

func (b Bundle) faulty(fault any) Bundle {
	b = Bundle{Origin: b.Origin, Index: b.Index, Format: b.Format}
	return b.broken(invalid(CodeMalformed, "the evidence cannot be read").because(fmt.Errorf("panic: %v", fault)))
}

func (b Bundle) broken(e *InvalidError) Bundle {
	b = b.notCounted(Broken, e.Code, e.Message, e.Mend)
	b.detail = e.Detail
	return b
}

func (b Bundle) notCounted(s Status, code Code, reason, hint string) Bundle {
	b.Status, b.Code, b.Reason, b.Hint = s, code, reason, hint
	return b
}
