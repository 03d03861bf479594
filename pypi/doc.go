// Package pypi finds the provenance that PyPI serves for a distribution
// (PEP 740), from nothing but the address that a recipe downloads it from.
//
// The Integrity API is asked first, at an address derived from the file's
// name. Where it has nothing, the Simple API lists the project's files with
// their digests, so that a file whose name is ambiguous is found by the digest
// that the recipe pins.
package pypi
