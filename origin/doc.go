// Package origin reads what an address says about where a file was published:
// a project on PyPI, a release or an archive of a repository on GitHub.
//
// It asks nobody and proves nothing. An address is what a recipe's author
// wrote, and says where evidence may be looked for and which policy applies.
//
// Addresses are taken as package recipe gives them, normalized by the WHATWG
// rules. Whatever could be read in two ways after that (user information, a
// port, dot segments, an encoded slash or backslash outside a tag) has no
// origin.
package origin
