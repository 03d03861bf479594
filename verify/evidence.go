package verify

import (
	"strconv"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// Evidence is proof of who signed an archive. Only this package makes one that
// is verified; the zero value is not.
type Evidence struct {
	verified bool
	sha256   digest.SHA256
	bundles  []Bundle
}

// Verified tells whether the evidence proves what [Verifier.Verify] says.
func (e Evidence) Verified() bool { return e.verified }

// SHA256 is the archive's digest that the evidence speaks of.
func (e Evidence) SHA256() digest.SHA256 { return e.sha256 }

// Bundles are the bundles that counted, at least one in verified evidence.
func (e Evidence) Bundles() []Bundle { return e.bundles }

// A Status says what became of a bundle.
type Status string

// The statuses of a bundle.
const (
	Counted   Status = "counted"   // it is evidence for a publisher
	SetAside  Status = "set-aside" // it speaks of another archive, or is a stranger's in a pool
	Unmatched Status = "mismatch"  // it is genuine, and not what is wanted
	Broken    Status = "invalid"   // it speaks of the archive, and does not verify
)

// A Bundle is the account of one bundle that was considered.
type Bundle struct {
	Origin string // the document's address
	Index  int    // its place in the document, from 0
	Format attestation.Format

	Status Status
	Code   Code   // why it did not count; "" if it did
	Reason string // the same in words
	Hint   string
	// Publisher is the publisher that it counted for, as the recipe names it.
	Publisher string
	// Warnings are what is unusual about a bundle that counted.
	Warnings []publishers.Warning
	// Domain is the trust domain that its certificate chains to, or "".
	Domain string

	// Verified is what the bundle says, after everything about it was
	// verified; nil otherwise.
	Verified *Content
	// Unverified is what the bundle says where it was not verified; nil if it
	// was, or where it could not be read.
	Unverified *Content

	detail    string
	publisher *publishers.MismatchError
}

// Detail is the verifying library's own account of a failure, for people who
// look into one. Its wording is not stable.
func (b Bundle) Detail() string { return b.detail }

// Content is what a bundle says.
type Content struct {
	MediaType     string
	PredicateType string // "" for a signature over the archive itself
	Subjects      []attestation.Subject
	Certificate   Certificate
	LogEntries    []LogEntry
	// Time is when the signature was proven to exist, TimeSource by whom: the
	// log or time-stamp authority that signed it. Zero if nothing proves one.
	Time       time.Time
	TimeSource string
	// Release is set where GitHub itself attests an immutable release.
	Release *publishers.Release
}

// A Certificate is what the signing certificate says (Fulcio, "OID
// information"). Fields that it lacks are empty.
type Certificate struct {
	SAN                  string
	SANKind              publishers.NameKind
	Issuer               string // .8, or .1
	BuildSignerURI       string // .9
	BuildSignerDigest    string // .10
	RunnerEnvironment    string // .11
	SourceRepository     string // .12
	SourceDigest         string // .13
	SourceRef            string // .14
	SourceRepositoryID   string // .15
	SourceOwner          string // .16
	SourceOwnerID        string // .17
	BuildConfigURI       string // .18
	BuildConfigDigest    string // .19
	BuildTrigger         string // .20
	RunInvocationURI     string // .21
	RepositoryVisibility string // .22
	Environment          string // .23, the deployment environment
	NotBefore, NotAfter  time.Time
}

// Identity gives the parts that publishers are compared with.
func (c Certificate) Identity() publishers.Identity {
	return publishers.Identity{
		SAN: c.SAN, SANKind: c.SANKind, Issuer: c.Issuer,
		SourceRepository: c.SourceRepository, SourceRef: c.SourceRef,
		SourceRepositoryID: c.SourceRepositoryID, SourceOwnerID: c.SourceOwnerID,
		BuildConfigURI: c.BuildConfigURI, Trigger: c.BuildTrigger,
		RunnerEnvironment: c.RunnerEnvironment, Environment: c.Environment,
	}
}

// WarnPromise is the warning about evidence whose log entry the log's promise
// alone proves.
const WarnPromise publishers.WarningCode = "log-promise-only"

// A LogEntry is an entry of a transparency log.
type LogEntry struct {
	Log     string // the log's address, from the trusted root
	Index   int64  // the log's own index; -1 where nothing signed proves it
	Kind    string // "dsse 0.0.1"
	Time    time.Time
	RekorV2 bool
	// Promise says that the log's signed promise alone proves the entry, since
	// the bundle is of a time when proofs had no signed checkpoint.
	Promise bool
}

// promised tells whether a log's promise alone proves one of the entries.
func (c *Content) promised() bool {
	for _, e := range c.LogEntries {
		if e.Promise {
			return true
		}
	}
	return false
}

// publicRekor is the log that https://search.sigstore.dev/ searches.
const publicRekor = "https://rekor.sigstore.dev"

// SearchURL is the address of the entry's page for people, or "" for logs that
// have none.
func (e LogEntry) SearchURL() string {
	if e.Log != publicRekor || e.Index < 0 {
		return ""
	}
	return "https://search.sigstore.dev/?logIndex=" + strconv.FormatInt(e.Index, 10)
}
