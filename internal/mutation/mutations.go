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
	testReport      = []string{"./report"}
	testRepository  = []string{"./internal/repository"}
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
var mutations = slices.Concat(ofPublishers, ofVerify, ofAttestation, ofAudit, ofFetch, ofTrust, ofPolicy, ofRecipe, ofReports, ofLocks, ofSuggest, ofBumps)

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

// What is read of and written to others.
var ofReports = []mutation{
	{
		"a line of a report has few values", "report/bounds.go",
		`return countValues(line) > maxValues`, `return countValues(line) < 0`, testReport, "Hostile",
	},
	{
		"a line of a report is below the limit", "report/lines.go",
		`if len(text)+len(part) > MaxLine {`, `if false {`, testReport, "Reader|Hostile",
	},
	{
		"an index of PyPI has no endless values", "pypi/simple.go",
		`if v.left <= 0 && v.from.Len() > 0 {`, `if false {`, testPyPI, "Hostile",
	},
	{
		"an index of PyPI has few files", "pypi/simple.go",
		`if n == maxFiles || dec.Decode(&f) != nil {`, `if dec.Decode(&f) != nil {`, testPyPI, "Hostile",
	},
	{
		"ignore files have few patterns", "internal/repository/repository.go",
		`len(patterns) > maxPatterns {`, `len(patterns) < 0 {`, testRepository, "Ignore",
	},
	{
		"an index of git is below the limit", "internal/repository/git.go",
		`info.Size() > maxIndex {`, `info.Size() < 0 {`, testRepository, "Hostile",
	},
	{
		"control characters are escaped in text", "report/text.go",
		`case r == ' ', r != unicode.ReplacementChar && unicode.IsPrint(r):`, `case r != unicode.ReplacementChar:`, testReport, "Escapes|Hostile",
	},
	{
		"workflow commands are escaped in text", "report/text.go",
		`			b.WriteByte('\\')
			b.WriteRune(r)`, `			b.WriteRune(r)`, testReport, "Command|Escapes",
	},
	{
		"properties of annotations are escaped", "report/annotations.go",
		`inert(propertyEscapes.Replace(s))`, `inert(s)`, testReport, "GitHub",
	},
	{
		"the text of annotations is escaped", "report/annotations.go",
		`inert(dataEscapes.Replace(s))`, `inert(s)`, testReport, "GitHub",
	},
}
