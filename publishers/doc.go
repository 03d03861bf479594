// Package publishers reads the publishers that a recipe or a policy names, and
// decides whether the identity in a certificate is one of them.
//
// A publisher is written as github:owner/repo, gitlab:group/sub/project, each
// optionally with @ref, or as a mapping of identity and issuer (draft CEP,
// conda/ceps pull request 168). Comparison is by parsed parts and never by
// prefix or regular expression: a certificate's name is taken apart into host,
// path and ref, and anything that does not come apart cleanly (percent
// escapes, user information, ports, dot segments, empty segments) belongs to
// nobody.
//
// A name alone is not enough. A reusable workflow signs with the name of the
// repository that the workflow lives in, whoever calls it; so the certificate's
// source repository (Fulcio extension 1.3.6.1.4.1.57264.1.12) must be the same
// repository.
package publishers
