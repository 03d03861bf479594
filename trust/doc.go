// Package trust says whom to believe: the trusted roots of the Sigstore
// instances in use, each with the evidence that a certificate of that instance
// has to bring.
//
// # Trust domains
//
// A [Domain] is one instance: certificate authorities, logs and time-stamp
// authorities from one trusted root, and [Requirements] that follow from what
// the root holds. Domains are never merged, and a certificate is judged by the
// domain that it chains to. Merging the roots and adding up or relaxing the
// requirements would let the weakest instance speak for all.
//
//   - An instance with transparency logs and certificate-transparency logs
//     (the public-good instance, staging, private ones of the same shape):
//     one SCT, one log entry, one observer timestamp.
//   - GitHub's own instance has no log. It is known by its certificates, every
//     one of which names the organization "GitHub, Inc.", and nothing else:
//     one signed timestamp. The "subject" in the JSON file is not looked at.
//   - Any other root without one of the logs is an error, unless the
//     configuration says of that very file that its instance has none
//     ([RootFile].InsecureWithout): then a signed timestamp takes the place of
//     a log entry, nothing that of an SCT, and what the root does have stays
//     demanded. It cannot be said of GitHub's or Sigstore's own instances.
//
// One authority in two domains with different requirements is refused, see
// [Compatible]: its certificates chain to both, and could be judged by the
// weaker one.
//
// The same holds for a root without certificate authorities, an empty file, an
// unknown field, a key or certificate that does not parse: nothing is left out
// in silence.
//
// The names "public-good" and "github" are given by content, never by a file's
// name. "public-good" is given when each of the root's certificate authorities
// and at least one log of each kind are those of the embedded snapshot; a
// newer root that brings another authority goes by its file's name until the
// snapshot is made anew, and is judged the same.
//
// # Where roots come from
//
// A [Config] names any number of instances beside each other. [FromFiles] reads
// files, and asks nobody. [Embedded] is the snapshot of the
// public-good instance in the program. [Source] keeps the public-good root (or
// a private instance's) current by TUF. GitHub's root is in neither: it comes
// from a file, for instance what "gh attestation trusted-root" prints.
//
// # Ages
//
// [Source] asks the TUF repository at most once a day. The answer is cached as
// one file with all TUF metadata that vouches for it, and each use of the cache
// verifies that chain again from the TUF root in the program, by the library
// that verified it on arrival. So what is changed in the cache is detected, and
// what expired is not used: TUF's expiry is the instance's own statement of how
// long an unheard-of revocation may go unnoticed (a week, at the public-good
// instance). Versions in the cache are remembered beyond that, so that a
// repository (or somebody on the way to it) cannot go back behind them.
//
// When the repository cannot be reached within [Source].Timeout, or is not
// asked, the newer of cache and snapshot is used, with a warning that gives its
// age and the reason. The snapshot has no expiry. It is part of the program,
// trusted as the program is and revoked with it, and a build that fails from a
// certain day on because of the tool's age would be repaired by switching
// verification off; a stale snapshot, on the other hand, fails closed for
// anything that a newer root introduces. What a stale snapshot does miss is the
// removal of a key that was compromised since; so its age is a warning in each
// such run, and after [SnapshotOld] the warning asks for an update.
//
// A clock that is set back does not bring expired metadata to life beyond the
// day the snapshot was made: expiry is judged by the later of both. Between that
// day and now, and for private instances altogether, the clock is believed.
//
// # What is not covered
//
// Somebody who can write to the cache folder can delete the cache, and with it
// the memory of versions; TUF's signatures and expiry still hold. Somebody who
// can change a --trusted-root file decides whom to believe: keep it as safe as
// the recipe. A network that keeps the repository unreachable keeps the root at
// the cache's or snapshot's age, with the warning. Certificates, logs and
// timestamps themselves are verified by package verify.
package trust
