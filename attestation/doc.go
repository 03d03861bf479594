// Package attestation holds evidence that nobody has verified yet: the formats
// it comes in, and the interface of the plugins that find it.
//
// A [Candidate] is bytes from the network and nothing more. Everything that
// this package reads out of one is named so (Claims, Unverified…), and is good
// for choosing what to verify and for messages, never for a decision. Only
// package verify turns candidates into evidence.
package attestation
