package main

import "slices"

var (
	testPublishers  = []string{"./publishers"}
	testVerify      = []string{"./verify"}
	testAttestation = []string{"./attestation"}
	testGate        = []string{"./gate"}
	testFetch       = []string{"./fetch"}
	testTrust       = []string{"./trust"}
	testPolicy      = []string{"./policy"}
	testRecipe      = []string{"./recipe"}
	testPyPI        = []string{"./pypi"}
)

// mutations are all of them. Not in the list are checks whose removal changes
// no verdict, since another one stands behind them:
//
//   - sigstore-go verifies every log entry, and not only as many as are
//     demanded; it finds an entry of Rekor's second version by its index; it refuses a statement whose only entry is of another kind, and a
//     bundle of version 0.1 with neither promise nor proof, so that
//     verify.openPromised need not look for them;
//   - net/http notices a body that ends before its announced length;
//   - an alias in a recipe needs an anchor, which is refused before it;
//   - os.Root keeps a recipe in its folder, whatever filepath.IsLocal says.
var mutations = slices.Concat(ofPublishers, ofVerify, ofAttestation, ofAudit, ofFetch, ofTrust, ofPolicy, ofRecipe)

// Who signed.
var ofPublishers = []mutation{
	{
		"the issuer is the publisher's", "publishers/match.go",
		`if id.Issuer != p.issuer {`, `if false {`, testPublishers, "",
	},
	{
		"the repository in the SAN is the publisher's", "publishers/match.go",
		`if repo != p.repository {`, `if false {`, testPublishers, "",
	},
	{
		"the repository that was built is the publisher's", "publishers/match.go",
		`case source == p.repository:`, `case source != "":`, testPublishers, "",
	},
	{
		"the certificate says which repository was built", "publishers/match.go",
		`		return set(FieldIdentity, "a certificate that does not say which repository was built", p.text, "")`,
		`		return nil`, testPublishers, "",
	},
	{
		"the SAN is a URI", "publishers/identity.go",
		`if id.SANKind != URIName || !hasHTTPScheme(id.SAN) {`, `if !hasHTTPScheme(id.SAN) {`, testPublishers, "",
	},
	{
		"an exact identity is of its kind of name", "publishers/match.go",
		`if id.SAN != p.exact || id.SANKind != kind {`, `if id.SAN != p.exact || kind == 0 {`, testPublishers, "",
	},
	{
		"the host of the SAN is of plain characters", "publishers/identity.go",
		`if c := host[i]; !isAlnum(c) && c != '.' && c != '-' {`, `if c := host[i]; false {`, testPublishers, "",
	},
	{
		"the SAN has no encoded characters", "publishers/identity.go",
		` || c == '%' || c == '?' || c == '#' {`, ` || c == '?' || c == '#' {`, testPublishers, "",
	},
	{
		"the SAN has no segments of dots", "publishers/identity.go",
		`case seg == "." || seg == "..":`, `case false:`, testPublishers, "",
	},
	{
		"a URL identity ends on a path boundary", "publishers/match.go",
		`if lower(seg) != lower(san.path[i]) {`, `if len(san.path[i]) < len(seg) || lower(seg) != lower(san.path[i][:len(seg)]) {`, testPublishers, "",
	},
	{
		"the ref of the workflow fits", "publishers/match.go",
		`if err != nil || !matchPattern(pattern, u.ref) {`, `if err != nil {`, testPublishers, "",
	},
	{
		"the ref that was built fits", "publishers/match.go",
		`if !matchPattern(pattern, id.SourceRef) {`, `if false {`, testPublishers, "",
	},
	{
		"a pattern of refs ends where the ref does", "publishers/match.go",
		`if len(ps) != len(rs) {`, `if len(ps) > len(rs) {`, testPublishers, "",
	},
	{
		"a reusable workflow is of the repository that the policy names", "publishers/reusable.go",
		`case w.repository != signer:`, `case false:`, testPublishers, "",
	},
	{
		"a reusable workflow is the file that the policy names", "publishers/reusable.go",
		`case w.path != path:`, `case w.path != path && false:`, testPublishers, "",
	},
	{
		"a reusable workflow is at a ref that the policy names", "publishers/reusable.go",
		`case !matchPattern(w.ref, ref):`, `case ref == "":`, testPublishers, "",
	},
	{
		"a reusable workflow signs for those that the policy names", "publishers/reusable.go",
		`case w.IsZero() || !anyMatches(r.Publishers, p):`, `case w.IsZero():`, testPublishers, "",
	},
	{
		"the repository identifier is the recorded one", "publishers/rule.go",
		`		d.repositoryID, d.ownerID, d.workflow,`, `		d.ownerID, d.workflow,`, testPublishers, "",
	},
	{
		"the owner identifier is the recorded one", "publishers/rule.go",
		`		d.repositoryID, d.ownerID, d.workflow,`, `		d.repositoryID, d.workflow,`, testPublishers, "",
	},
	{
		"the workflow is one of the rule's", "publishers/rule.go",
		`d.ownerID, d.workflow, d.ref,`, `d.ownerID, d.ref,`, testPublishers, "",
	},
	{
		"the trigger is one of the rule's", "publishers/rule.go",
		`d.tag, d.trigger, d.environment, d.runner,`, `d.tag, d.environment, d.runner,`, testPublishers, "",
	},
	{
		"the runner is a hosted one where the rule says so", "publishers/rule.go",
		`d.tag, d.trigger, d.environment, d.runner,`, `d.tag, d.trigger, d.environment,`, testPublishers, "",
	},
	{
		"the tag is the version where the rule says so", "publishers/rule.go",
		`d.ref, d.tag, d.trigger,`, `d.ref, d.trigger,`, testPublishers, "",
	},
	{
		"what a certificate does not say is not right", "publishers/rule.go",
		`if len(wanted) == 0 || found != "" && slices.Contains(wanted, found) {`,
		`if len(wanted) == 0 || found == "" || slices.Contains(wanted, found) {`, testPublishers, "",
	},
	{
		"an accepted issuer is of the publisher's host", "publishers/terms.go",
		`if lower(h.Host) == host && slices.Contains(h.Issuers, issuer) {`, `if slices.Contains(h.Issuers, issuer) {`, testPublishers, "",
	},
	{
		"a release is of the publisher's repository", "publishers/release.go",
		` || lower("github.com/"+r.Repository) != p.repository {`, ` {`, testPublishers, "",
	},
	{
		"a release is of the repository with the recorded identifier", "publishers/terms.go",
		`[]func() error{d.repositoryID, d.ownerID, d.ref}`, `[]func() error{d.ref}`, testPublishers, "",
	},
}

// What verifies.
var ofVerify = []mutation{
	{
		"rules name a publisher", "verify/verifier.go",
		`case len(r.Publishers) == 0:`, `case false:`, testVerify, "",
	},
	{
		"a broken bundle that lists the digest decides", "verify/examine.go",
		`if b.Status == Broken {`, `if false {`, testVerify, "",
	},
	{
		"a bundle that lists another digest is set aside", "verify/examine.go",
		`if len(e.listed) == 0 {`, `if false {`, testVerify, "",
	},
	{
		"unknown authorities are set aside in pooled answers only", "verify/examine.go",
		`c.Pooled && e.found.foreign() {`, `e.found.foreign() {`, testVerify, "",
	},
	{
		"a promise alone is not for PyPI", "verify/examine.go",
		`if b.Verified.promised() && !rules.promise(e.Candidate) {`, `if false {`, testVerify, "",
	},
	{
		"a promise alone is for single bundles only", "verify/load.go",
		`if c.Format != attestation.BundleFormat {`, `if false {`, testVerify, "",
	},
	{
		"a promise alone is for bundles of version 0.1", "verify/load.go",
		`m.GetMediaType() != mediaV01 || `, ``, testVerify, "",
	},
	{
		"a promise alone is of one entry", "verify/load.go",
		`if len(entries) != 1 || len(`, `if len(entries) == 0 || len(`, testVerify, "",
	},
	{
		"bundles bring no root certificate", "verify/load.go",
		`if bytes.Equal(cert.RawIssuer, cert.RawSubject) && cert.IsCA {`, `if bytes.Equal(nil, cert.RawSubject) {`, testVerify, "",
	},
	{
		"a certificate has one name", "verify/certificate.go",
		`if len(names) != 1 {`, `if len(names) < 1 {`, testVerify, "",
	},
	{
		"certificate logs promised to show the certificate", "verify/bundle.go",
		"if r.SCTs > 0 {\n\t\toptions", "if false {\n\t\toptions", testVerify, "",
	},
	{
		"transparency logs signed the entry", "verify/bundle.go",
		"if r.LogEntries > 0 {\n\t\toptions", "if false {\n\t\toptions", testVerify, "",
	},
	{
		"an authority without a log has no entries", "verify/logentry.go",
		"if len(entries) > 0 {", "if false {", testVerify, "",
	},
	{
		"the proof is of the checkpoint's tree", "verify/logentry.go",
		`if !ok || size != p.GetTreeSize() || !bytes.Equal(hash, p.GetRootHash()) {`, `if !ok || size < 0 || bytes.Equal(hash, nil) {`, testVerify, "",
	},
	{
		"an entry's body is what its proof is of", "verify/logentry.go",
		"p.GetHashes(), p.GetRootHash()); err != nil {", "p.GetHashes(), p.GetRootHash()); err != nil && false {", testVerify, "",
	},
	{
		"an entry's kind is the one that is signed", "verify/logentry.go",
		`body.Kind != kind.GetKind() || body.APIVersion != kind.GetVersion() {`, `false {`, testVerify, "",
	},
	{
		"an entry's time is signed", "verify/logentry.go",
		`if e.GetIntegratedTime() != 0 {`, `if false {`, testVerify, "",
	},
	{
		"log entries are few", "verify/logentry.go",
		`if len(entries) > maxEntries {`, `if false {`, testVerify, "",
	},
	{
		"time stamps are few", "verify/bundle.go",
		`if len(stamps) > maxStamps {`, `if false {`, testVerify, "",
	},
	{
		"every time stamp verifies", "verify/bundle.go",
		`if n == len(stamps) || len(dom.Root.TimestampingAuthorities()) == 0 {`, `if true {`, testVerify, "",
	},
	{
		"no proven time lies in the future", "verify/bundle.go",
		`if t.Timestamp.After(latest) {`, `if t.Timestamp.Before(latest) && false {`, testVerify, "",
	},
	{
		"the log's key was valid", "verify/bundle.go",
		`if t.Timestamp.Before(log.ValidityPeriodStart) || !log.ValidityPeriodEnd.IsZero() && t.Timestamp.After(log.ValidityPeriodEnd) {`, `if false {`, testVerify, "",
	},
	{
		"the root says since when a log's key is valid", "verify/bundle.go",
		`if log.ValidityPeriodStart.IsZero() {`, `if false {`, testVerify, "",
	},
	{
		"of several domains the strictest requirements hold", "verify/bundle.go",
		`require := v.strictest(domains)`, `require := v.domains[domains[len(domains)-1]].Require`, testVerify, "",
	},
	{
		"a domain is chosen by its authority's key", "verify/chain.go",
		`if issued(v.domains[i], leaf) {`, `if true {`, testVerify, "",
	},
	{
		"only GitHub's authority speaks for releases", "verify/bundle.go",
		`if dom.Instance != trust.GitHub {`, `if false {`, testVerify, "",
	},
	{
		"a statement that the log has as hashedrekord is signed itself", "verify/bundle.go",
		"if err := verifyContent(b, d, dom.Root); err != nil {", "if err := verifyContent(b, d, dom.Root); err != nil && false {", testVerify, "",
	},
	{
		"the predicate type is accepted", "verify/judge.go",
		`if !rules.accepts(content.PredicateType) {`, `if false {`, testVerify, "",
	},
	{
		"the subject is the archive by name", "verify/judge.go",
		`if c.MatchSubject != nil && content.PredicateType != "" && !anySubject(listed, c.MatchSubject) {`, `if false {`, testVerify, "",
	},
	{
		"a release's statement is of the source's asset", "verify/judge.go",
		`if content.Release != nil && !inRelease(*content.Release, listed, rules.URLs) {`, `if false {`, testVerify, "",
	},
	{
		"a policy can refuse statements of releases", "verify/judge.go",
		`if content.Release != nil && rules.NoImmutableReleases {`, `if false {`, testVerify, "",
	},
	{
		"a policy's publishers bind", "verify/judge.go",
		`if len(rules.Bound) > 0 {`, `if false {`, testVerify, "",
	},
	{
		"all publishers signed where all are wanted", "verify/judge.go",
		`if rules.Match == All {`, `if false {`, testVerify, "",
	},
}

// What bundles say, before anything is verified.
var ofAttestation = []mutation{
	{
		"keys of a bundle stand once", "attestation/bounds.go",
		`if top.keys[folded] {`, `if false {`, testAttestation, "",
	},
	{
		"keys of a statement stand once", "attestation/claims.go",
		`if seen[folded] {`, `if false {`, testAttestation, "",
	},
	{
		"a bundle has few values", "attestation/bounds.go",
		`if w.values++; w.values > maxValues {`, `if w.values++; false {`, testAttestation, "",
	},
	{
		"a bundle has little text", "attestation/bounds.go",
		`if w.text += n; w.text > maxText {`, `if w.text += n; false {`, testAttestation, "",
	},
	{
		"a bundle does not nest deep", "attestation/bounds.go",
		`if w.open = append(w.open, l); len(w.open) > maxDepth {`, `if w.open = append(w.open, l); false {`, testAttestation, "",
	},
	{
		"a snappy block claims what it can hold", "attestation/document.go",
		`case n/maxRatio > len(data):`, `case false:`, testAttestation, "",
	},
	{
		"a snappy block is below the limit", "attestation/document.go",
		`case n > MaxDocument:`, `case false:`, testAttestation, "",
	},
	{
		"a document is below the limit", "attestation/document.go",
		`if len(data) > MaxDocument {`, `if false {`, testAttestation, "",
	},
	{
		"a document has few bundles", "attestation/document.go",
		`if values = append(values, v); len(values) > MaxBundles {`, `if values = append(values, v); false {`, testAttestation, "",
	},
	{
		"an envelope has one signature", "attestation/claims.go",
		`if signatures != 1 {`, `if false {`, testAttestation, "",
	},
	{
		"a statement is of a known type", "attestation/claims.go",
		`case statementType != statementV01 && statementType != statementV1:`, `case false:`, testAttestation, "",
	},
	{
		"a statement has a subject", "attestation/claims.go",
		`case !subjects || len(c.Subjects) == 0:`, `case !subjects && false:`, testAttestation, "",
	},
	{
		"a statement has few subjects", "attestation/claims.go",
		`if len(c.Subjects) >= MaxSubjects {`, `if false {`, testAttestation, "",
	},
	{
		"an envelope holds an in-toto statement", "attestation/claims.go",
		`if payloadType != InTotoPayload {`, `if false {`, testAttestation, "",
	},
	{
		"a bundle has one content", "attestation/claims.go",
		`case envelope != nil && message != nil:`, `case false:`, testAttestation, "",
	},
	{
		"a message signature is over a SHA-256", "attestation/claims.go",
		`case algorithm != "SHA2_256":`, `case false:`, testAttestation, "",
	},
	{
		"PEP 740 objects become bundles that need a proof", "attestation/pep740.go",
		`		"mediaType": bundleV03,`, `		"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",`,
		[]string{"./attestation", "./verify"},
		"",
	},
}

// What becomes of it in a run.
var ofAudit = []mutation{
	{
		"the archive has the pinned SHA-256", "audit/source.go",
		`case a.SHA256 != res.Evidence.SHA256() || a.SHA256 != src.SHA256:`, `case false:`, testGate, "",
	},
	{
		"the archive has the pinned MD5", "audit/source.go",
		`case src.HasMD5 && (!a.HasMD5 || a.MD5 != src.MD5):`, `case false:`, testGate, "",
	},
	{
		"evidence that is required and not named is missing", "audit/demand.go",
		`	case d.Required:`, `	case false:`, testGate, "",
	},
	{
		"a policy's publishers need a pin", "audit/demand.go",
		`case !src.HasSHA256 && !src.EmptyDigest:`, `case false:`, testGate, "",
	},
	{
		"a policy that cannot be applied is an error", "audit/demand.go",
		`case d.Err != nil:`, `case false:`, testGate, "",
	},
	{
		"a policy's terms reach the verifier", "audit/demand.go",
		` Terms: d.Terms, Bound: d.Bound,`, ` Bound: d.Bound,`, testGate, "",
	},
	{
		"a policy's binding publishers reach the verifier", "audit/demand.go",
		` Terms: d.Terms, Bound: d.Bound,`, ` Terms: d.Terms,`, testGate, "",
	},
	{
		"a policy's word on releases reaches the verifier", "audit/demand.go",
		`		NoImmutableReleases: d.NoImmutableReleases,`, ``, testGate, "",
	},
	{
		"evidence that does not exist is missing", "audit/source.go",
		`return res.with(Missing, CodeNoEvidence, none.Error(), none.Hint())`,
		`return res.with(Unattested, CodeNoEvidence, none.Error(), none.Hint())`, testGate, "",
	},
	{
		"evidence that cannot be obtained is unavailable", "audit/source.go",
		`return res.with(Unavailable, CodeFetchFailed, message, hintOf(err))`,
		`return res.with(Unattested, CodeFetchFailed, message, hintOf(err))`, testGate, "",
	},
	{
		"provenance is taken from PyPI alone", "pypi/simple.go",
		`u.Scheme != "https" || u.Host != "pypi.org" || u.User != nil {`, `u.Scheme != "https" {`, testPyPI, "",
	},
	{
		"provenance is of the file of the address", "pypi/resolver.go",
		`candidates[i].MatchSubject = file.SameFile`, `candidates[i].Index = i`, testPyPI, "",
	},
}

// Where requests go, and what is kept of the answers.
var ofFetch = []mutation{
	{
		"a name's address is checked when it is dialled", "fetch/transport.go",
		`if is := g.classify(ap.Addr()); is > limit {`, `if is := g.classify(ap.Addr()); is > limit && false {`, testFetch, "Redirect|Reach|Rebinding|Pooled|Metadata|Foreign",
	},
	{
		"an address that is written out is checked", "fetch/transport.go",
		`	case is > limit:`, `	case is > forbidden:`, testFetch, "Redirect|Reach|Rebinding|Pooled|Metadata|Foreign|Proxy|Unicode",
	},
	{
		"an address that an answer names is public", "fetch/transport.go",
		`	case t.foreign:`, `	case false:`, testFetch, "Foreign",
	},
	{
		"redirects do not lead from https to http", "fetch/transport.go",
		`if v.URL.Scheme == "https" {`, `if v.URL.Scheme == "never" {`, testFetch, "Redirect",
	},
	{
		"redirects are ten at most", "fetch/transport.go",
		`if hops > MaxRedirects {`, `if false {`, testFetch, "Redirect",
	},
	{
		"credentials stay at their origin", "fetch/transport.go",
		`if !sameOrigin(r.URL, via[0].URL) {`, `if false {`, testFetch, "Credentials|Token|Subdomain|Redirect|Mirror",
	},
	{
		"a redirect names no user", "fetch/transport.go",
		`	r.URL.User = nil`, ``, testFetch, "Credentials|Token|Subdomain|Redirect|Mirror",
	},
	{
		"a mirror does not send back to whom it stands for", "fetch/transport.go",
		`if canonicalHost(r.URL) == t.standsFor {`, `if false {`, testFetch, "Mirror",
	},
	{
		"tokens do not go to mirrors", "fetch/credentials.go",
		`token != "" && !mirrored {`, `token != "" {`, testFetch, "Credentials|Token|Mirror",
	},
	{
		"tokens do not travel in the clear", "fetch/credentials.go",
		`if err != nil || !addr.IsLoopback() {`, `if err != nil && addr.IsLoopback() {`, testFetch, "Credentials|Token",
	},
	{
		"netrc's default is for nobody", "fetch/credentials.go",
		`if m.IsDefault || l.user == "" || l.password == "" {`, `if l.user == "" || l.password == "" {`, testFetch, "Netrc|Credentials",
	},
	{
		"requests that shall be anonymous are", "fetch/transfer.go",
		`if !t.asked.anonymous {`, `if true {`, testFetch, "Credentials|Token|Foreign|Anonymous",
	},
	{
		"metadata services are refused", "fetch/reach.go",
		`reserved.Contains(a), isMetadata(a):`, `reserved.Contains(a):`, testFetch, "Reach|Metadata",
	},
	{
		"IPv4 addresses in IPv6 ones count", "fetch/reach.go",
		`if v4, ok := embedded(a); ok {`, `if v4, ok := embedded(a); ok && false {`, testFetch, "Reach",
	},
	{
		"numbers are no hosts", "fetch/reach.go",
		`case endsInNumber(host):`, `case false:`, testFetch, "Reach",
	},
	{
		"a body is below the limit", "fetch/transfer.go",
		`if t.have.size+int64(n) > t.asked.limit {`, `if false {`, testFetch, "Limit|Archive|Document",
	},
	{
		"bodies are not unpacked", "fetch/transfer.go",
		`len(coding) > 0 && !identity(coding) {`, `false {`, testFetch, "Document|Archive|Crafted",
	},
	{
		"the rest of a file is of the same file", "fetch/transfer.go",
		`if problem := t.have.differs(resp); problem != "" {`, `if problem := t.have.differs(resp); problem != "" && false {`, testFetch, "Resum|Rest|Range",
	},
	{
		"a pause that a server asks for is capped", "fetch/transfer.go",
		`if t.pause > maxRetryAfter {`, `if false {`, testFetch, "Retry|Pause",
	},
	{
		"a cached body has its digest", "fetch/cache.go",
		` || sha256.Sum256(data) != sum) {`, `) {`, testFetch, "Damaged|Cache|Entry",
	},
	{
		"a cache entry has its digest", "fetch/cacheentry.go",
		`case sum != sumOf(data):`, `case sum == "":`, testFetch, "Damaged|Cache|Entry",
	},
	{
		"a cache entry is of the request", "fetch/cacheentry.go",
		`if e.Identity != hex.EncodeToString(id[:]) {`, `if false {`, testFetch, "Damaged|Cache|Entry",
	},
	{
		"what a token obtained serves nobody without", "fetch/cached.go",
		`class, credentials = "credentials", true`, `credentials = true`, testFetch, "Cache|Told|Credentials|Kept",
	},
	{
		"what a mirror's credentials obtained is not kept for others", "fetch/cached.go",
		`case got.credentials && !credentials:`, `case false:`, testFetch, "Cache|Told|Credentials|Kept",
	},
	{
		"\"not modified\" is of the document that is held", "fetch/cached.go",
		`return got.resource == h.Resource && (`, `return (`, testFetch, "NotModified",
	},
}

// Which roots are trusted.
var ofTrust = []mutation{
	{
		"an authority in two domains is in equal ones", "trust/conflict.go",
		`o.Require != d.Require {`, `o.Require != d.Require && false {`, testTrust, "Weaker|Attack|Conflict",
	},
	{
		"logs of public instances cannot be waived", "trust/waive.go",
		`whose != "" {`, `whose != "" && false {`, testTrust, "Insecure|Waiver|Weaker|Parse|Mixed",
	},
	{
		"logs that are there cannot be waived", "trust/waive.go",
		`if l.in(tr) {`, `if false {`, testTrust, "Insecure|Waiver|Weaker|Parse|Mixed",
	},
	{
		"instead of a log there is a time-stamp authority", "trust/waive.go",
		`if len(tr.TimestampingAuthorities()) == 0 {`, `if false {`, testTrust, "Insecure|Waiver|Weaker|Parse|Mixed",
	},
	{
		"only GitHub's own certificates do without logs", "trust/classify.go",
		`if o := cert.Subject.Organization; len(o) != 1 || o[0] != gitHubOrganization {`, `if o := cert.Subject.Organization; len(o) > 99 {`, testTrust, "Logs|Mixed|Roots|Parse|Weaker",
	},
	{
		"the public-good instance never does without a log", "trust/refresh.go",
		`if d.Require.LogEntries == 0 {`, `if false {`, testTrust, "",
	},
	{
		"TUF metadata does not go back", "trust/refresh.go",
		`if r.found < r.old && (`, `if false && (`, testTrust, "Rolled|Forward|Rotat",
	},
	{
		"nobody can hide a rotation of keys", "trust/refresh.go",
		"	if l.cached != nil {\n\t\t// Roots", "	if false {\n\t\t// Roots", testTrust, "Rolled|Forward|Rotat",
	},
	{
		"TUF repositories do not redirect elsewhere", "trust/refresh.go",
		`req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {`, `req.URL.Scheme != first.Scheme {`, testTrust, "",
	},
	{
		"TUF metadata is below the limit", "trust/refresh.go",
		"	maxLength = min(maxLength, maxFile)\n\tdata", "	data", testTrust, "",
	},
	{
		"a TUF cache is of its repository", "trust/cache.go",
		`r.Schema != recordSchema || r.Repository != repository {`, `r.Schema != recordSchema {`, testTrust, "",
	},
}

// What a policy demands.
var ofPolicy = []mutation{
	{
		"unknown keys are errors", "policy/yaml.go",
		`		case !ok:
			return r.fail(key, "known keys: "+known.String(), "unknown key %q", key.Value)`,
		`		case !ok:
			continue`, testPolicy, "",
	},
	{
		"keys of a policy stand once", "policy/yaml.go",
		`case seen[key.Value]:`, `case false:`, testPolicy, "",
	},
	{
		"a policy has no aliases", "policy/yaml.go",
		`case n.Kind == yaml.AliasNode, n.Anchor != "":`, `case n.Kind == 0:`, testPolicy, "",
	},
	{
		"a policy is one document", "policy/yaml.go",
		`err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {`, `err := dec.Decode(new(yaml.Node)); err != nil && false {`, testPolicy, "",
	},
	{
		"empty lists are errors", "policy/yaml.go",
		`case len(n.Content) == 0:`, `case false:`, testPolicy, "",
	},
	{
		"exceptions end", "policy/apply.go",
		`case e.Ended(now):`, `case false:`, testPolicy, "",
	},
	{
		"exceptions have a reason", "policy/demands.go",
		`case e.Reason == "":`, `case false:`, testPolicy, "",
	},
	{
		"exceptions have an end", "policy/demands.go",
		`case e.Until.IsZero():`, `case false:`, testPolicy, "",
	},
	{
		"exceptions are of the whole source", "policy/selection.go",
		`(len(s.URLs) == 0 || every(src.URLs, s.hasExactly))`, `(len(s.URLs) == 0 || slices.ContainsFunc(src.URLs, s.hasExactly))`, testPolicy, "",
	},
	{
		"an address more does not lift a demand", "policy/apply.go",
		`if own == nil && partly != nil {`, `if false {`, testPolicy, "",
	},
	{
		"a requirement requires something", "policy/demands.go",
		`case !q.All && q.IsZero():`, `case false:`, testPolicy, "",
	},
}

// What a recipe can do.
var ofRecipe = []mutation{
	{
		"a recipe sees the variables that it may", "recipe/environment.go",
		`if !strings.HasPrefix(name, "CONDA_OVERRIDE_") && !slices.Contains(o.AllowEnv, name) {`,
		`if false && !slices.Contains([]string{argument(name)}, name) {`, testRecipe, "Environment|Hostile|Nasty",
	},
	{
		"a recipe reads files below its folder", "recipe/environment.go",
		`root.Stat(path); err != nil || !info.Mode().IsRegular() {
		return jinja.Value{}, outside
	}
	f, err := root.Open(path)`,
		`root.Stat("."); err != nil || !info.IsDir() {
		return jinja.Value{}, outside
	}
	f, err := os.Open(filepath.Join(filepath.Dir(ev.doc.path), path))`, testRecipe, "LoadFromFile",
	},
	{
		"a block needs a digest beside it", "recipe/attestation.go",
		`if s.Attestation == nil || s.HasSHA256 {`, `if true {`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"a block names publishers", "recipe/attestation.go",
		`if !found && len(r.faults) == before {`, `if !found && len(r.faults) < before {`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"a block's list of publishers is not empty", "recipe/attestation.go",
		`case len(a.Publishers) == 0:`, `case false:`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"unknown keys of a block are errors", "recipe/attestation.go",
		`		default:
			r.fault(k, didYouMean(k.Value, attestationKeys()),`,
		`		case "never":
			r.fault(k, didYouMean(k.Value, attestationKeys()),`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"keys of a recipe stand once", "recipe/yaml.go",
		`if first := seen[key.Value]; first != nil {`, `if first := seen[key.Value]; first != nil && false {`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe has no anchors", "recipe/yaml.go",
		`	case n.Anchor != "":`, `	case false:`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe does not nest deep", "recipe/yaml.go",
		`	case depth > MaxDepth:`, `	case false:`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe is below the limit", "recipe/yaml.go",
		`	if len(data) > MaxSize {`, `	if false {`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe has few values", "recipe/yaml.go",
		`	if nodes > MaxNodes {`, `	if false {`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"combinations of variants are few", "recipe/evaluate.go",
		`if *count++; *count > MaxCombinations {`, `if *count++; false {`, testRecipe, "Hostile",
	},
}
