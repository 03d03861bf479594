// Package fetch obtains documents and archives over HTTP, from folder mirrors
// and from file: URLs, within bounds. It measures the digests of archives in
// one pass over the bytes, and keeps nothing of them: memory does not grow with
// the archive. Nothing is written to disk but documents, with [Client.Cache].
//
// # What it defends against
//
// URLs come from recipes, and redirects from servers; neither is trusted.
// The rules are those of spec/threats.md, "Transport and resources":
//
//   - Every answer is capped (see the constants). More than the cap is a
//     [*TooLargeError], never a truncation. Compressed transfer is not asked
//     for, and an answer in a content coding is not accepted, so what is
//     counted and hashed are the bytes that were sent.
//   - A body that ends before its announced length, or without its last chunk,
//     is an error. One that announces neither ends where the connection does,
//     and that somebody cut it is not noticed: crypto/tls takes the end of a
//     connection for the end of the data.
//   - A redirect may not lead from https to http, to another scheme, or
//     closer to this machine than the address that the recipe (or the user's
//     mirror) named: from a public address neither to a private nor to a
//     loopback one, from a private address not to a loopback one. Link-local,
//     unspecified and multicast addresses are refused whoever names them. The
//     check is made on the resolved address when it is dialled, so that a name
//     cannot resolve differently afterwards. Behind a proxy the proxy resolves
//     names, and only addresses that are written out can be checked.
//   - Credentials (userinfo of the URL, netrc, tokens) are sent to the host
//     that they are for, on the first request; a redirect to another scheme,
//     host or port does not get them. Tokens are not sent to mirrors either.
//   - Nothing hangs: see [Client.Timeout].
//   - What the cache holds is checked against its digest, and is no more
//     trusted than what a server says: see [Cache].
//
// # What it spares others
//
// Every request, redirects and retries included, waits for its turn at the
// host that it goes to: so many a second, evenly spaced, so many at a time (see
// [Limit] and [DefaultLimits]), and none before the time that the host named in
// Retry-After (with status 429 or 403) or X-RateLimit-Reset. Waiting is not
// counted as the server's slowness; where it would take longer than
// [Client.MaxWait], calls fail at once with a [*QuotaError]. A host that did
// not answer several times in a row is left alone for a while, and calls fail
// with the error that it failed with.
//
// # Errors
//
// An error is one of [*NotFoundError] (it does not exist), [*UnavailableError]
// (says nothing about it; perhaps in a [*QuotaError], which says when to go on),
// [*RefusedError] (this client will not) and
// [*TooLargeError], or wraps [context.Canceled]. The four have a method
// Hint() string, which is empty where there is nothing that a user can do.
package fetch
