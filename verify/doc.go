// Package verify turns candidates into evidence. It is the only place that
// does, and the only importer of sigstore-go's verifier.
//
// A bundle counts only if all of it holds for one and the same bundle
// (DESIGN.md, "What 'verified' means", 3 to 8): it lists the pinned SHA-256, it
// verifies against the trust domain that its certificate chains to, its
// predicate type is accepted, and its signer is a publisher.
//
// # What sigstore-go is not relied on for
//
// sigstore-go v1.3.0 checks signatures, chains, log entries and times. On top
// of it this package demands what it leaves open:
//
//   - every log entry has an inclusion proof with a checkpoint, in bundles of
//     every version: the library is content if one of several entries has one;
//   - every log entry and every time stamp in the bundle verifies, where the
//     library passes over those that do not as long as enough others do;
//   - the numbers beside a proof (root hash, tree size, index) are those of the
//     signed checkpoint, which for Rekor v2 nothing else binds;
//   - no proven time lies in the future, or outside the validity of the log's
//     key, which the library checks for Rekor v1 alone;
//   - the certificate was valid at the time of every time stamp, where the
//     library looks at one of each authority;
//   - a bundle of an old version brings no root certificate along;
//   - a certificate that chains to several trust domains meets what each of them
//     demands;
//   - the certificate has exactly one subject alternative name, read from its
//     bytes and not through a URL parser that could normalize it, and at most
//     one deployment environment, which the library does not read;
//   - the predicate type, the names of subjects and the identity, compared by
//     parts: the library's matchers are regular expressions without anchors.
//
// Two kinds of good bundles the library refuses, and they verify here with its
// own checks: CPython's of version 0.1, whose proof has no checkpoint, by the
// log's signed promise (see openPromised); and statements that Rekor v1 has as
// hashedrekord, by what their signature covers (see hashed).
//
// # What is remembered
//
// An authority's root signs its intermediate once, and that signature is
// verified once for each [Verifier], where a P-384 one costs as much as the
// leaf's own. Nothing else is remembered: the windows of all three certificates
// are held against the time of each bundle, and every certificate that is not
// plainly good this way is left to sigstore-go (see authority.go).
package verify
