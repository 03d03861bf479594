// Package policy reads recipe-verify.yaml, in which an organisation keeps what
// it demands of sources and their signers, and says what of it applies to a
// source and why.
//
// [Find] finds the file above a recipe, [Read] reads it, and [Policy.Apply]
// gives the [Decision] for one source. The package knows neither the network
// nor Sigstore: a decision is carried out by packages audit and verify, and the
// sections about trust and mirrors are handed on as they were written.
//
// # Threats
//
// A policy must not be passed over in silence. So the reader is strict: an
// unknown or repeated key, a value of another type, an empty list, a null, a
// second document, an anchor or a tag is an error, and so is a pattern that can
// never fit. A file that is there and cannot be read is an error and not an
// absent one.
//
// Who writes a recipe chooses its addresses and names. So what demands
// something (require, rules, bound publishers) fits a source if any of its
// addresses and any of its names fit, compared loosely: without regard to
// letters' case, to percent escapes, or to http in the place of https. What
// lifts a demand (exceptions) fits only if all of them do, compared exactly.
// Addresses and names are still the recipe's to choose: only "all: true" can't be
// avoided. A recipe's own block satisfies a requirement, whomever it names; only
// rules and bound publishers say who may sign whatever a recipe says.
package policy
