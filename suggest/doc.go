// Package suggest proposes the attestation blocks that recipes lack: it finds the
// evidence of their sources, has it verified completely, asks whether the signer
// is plausible, and gives the recipe with the block in it.
//
// # What a proposal proves
//
// Publishers come from certificates that verified, and from nothing that nobody
// signed. Each block is written into a copy of the recipe's text, and that copy
// is read and verified as `verify` would: what is judged is the evidence that the
// block finds, under the policy that is in force, and not what was found before
// there was a block. A proposal that does not verify so is none. The copy must
// give the same outputs and sources as the recipe for every platform and variant,
// and nothing but the blocks beside them.
//
// # Who is plausible
//
// That evidence verifies says who signed, and not whether he is the project.
// Package suggest holds him against what the recipe says of the project, the
// archive's own address, the release before and what the package index shows; see
// [Proposal.Confirmed]. Whoever nothing confirms is proposed with a question, and
// such a block is not among the changes unless [Options.Accept] names him.
//
// # Threats
//
// Whoever uploads an archive chooses who signs it, and what PyPI shows beside it:
// that alone confirms nobody against the recipe's own words. A name that somebody
// registered anew is told by its identifier, where the release before had another
// one. Addresses and identities of strangers are written into recipes only where
// they come back as they are when the recipe is rendered, so that none can bring
// a template along.
package suggest
