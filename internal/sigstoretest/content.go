package sigstoretest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// Types of statements and predicates.
const (
	StatementV1    = "https://in-toto.io/Statement/v1"
	StatementV01   = "https://in-toto.io/Statement/v0.1"
	InTotoPayload  = "application/vnd.in-toto+json"
	PyPIPublish    = "https://docs.pypi.org/attestations/publish/v1"
	SLSAProvenance = "https://slsa.dev/provenance/v1"
	ReleaseV01     = "https://in-toto.io/attestation/release/v0.1"
	ReleaseV02     = "https://in-toto.io/attestation/release/v0.2"
	SPDX           = "https://spdx.dev/Document/v2.3"
	TestResult     = "https://in-toto.io/attestation/test-result/v0.1"
)

// Content is what gets signed: a [Statement], a [Payload], an [Envelope], a
// [Message] or a [MessageDigest].
type Content interface {
	// content gives the envelope, or the digest for a message signature.
	content() (*Envelope, *[sha256.Size]byte)
}

// Statement is an in-toto statement, signed in a DSSE envelope.
type Statement struct {
	// Type is the statement's; empty for [StatementV1].
	Type string
	// Subjects are what it is about.
	Subjects []Subject
	// PredicateType is the kind of claim; empty for [PyPIPublish].
	PredicateType string
	// Predicate is anything that marshals to JSON.
	Predicate any
}

// Subject is one subject of a statement.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

// Payload is the payload of an envelope of type [InTotoPayload], whether it is
// a statement or not.
type Payload []byte

// Envelope is the payload of a DSSE envelope of any type.
type Envelope struct {
	Type    string
	Payload []byte
}

// Message is an artifact that is signed itself, without a statement.
type Message []byte

// MessageDigest is the SHA-256 of such an artifact.
type MessageDigest [sha256.Size]byte

func (s Statement) content() (*Envelope, *[sha256.Size]byte) { return Payload(s.JSON()).content() }

func (p Payload) content() (*Envelope, *[sha256.Size]byte) {
	return &Envelope{Type: InTotoPayload, Payload: p}, nil
}

func (e Envelope) content() (*Envelope, *[sha256.Size]byte) { return &e, nil }

func (m Message) content() (*Envelope, *[sha256.Size]byte) {
	return MessageDigest(sha256.Sum256(m)).content()
}

func (d MessageDigest) content() (*Envelope, *[sha256.Size]byte) {
	return nil, (*[sha256.Size]byte)(&d)
}

// JSON writes the statement.
func (s Statement) JSON() []byte {
	if s.Type == "" {
		s.Type = StatementV1
	}
	if s.PredicateType == "" {
		s.PredicateType = PyPIPublish
	}
	if s.Subjects == nil {
		s.Subjects = []Subject{}
	}
	return must(json.Marshal(struct {
		Type          string    `json:"_type"`
		Subject       []Subject `json:"subject"`
		PredicateType string    `json:"predicateType"`
		Predicate     any       `json:"predicate"`
	}{s.Type, s.Subjects, s.PredicateType, s.Predicate}))
}

// File is the subject for a file of this content.
func File(name string, content []byte) Subject {
	sum := sha256.Sum256(content)
	return FileDigest(name, sum)
}

// FileDigest is the subject for a file of this SHA-256.
func FileDigest(name string, sum [sha256.Size]byte) Subject {
	return Subject{Name: name, Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}}
}

// Attest is PyPI's publish attestation for a file.
func Attest(name string, content []byte) Statement {
	return Statement{Subjects: []Subject{File(name, content)}}
}

// SLSA is the build provenance of files by a run with all defaults.
func SLSA(repository string, files ...Subject) Statement {
	return GitHubRun{Repository: repository}.Provenance(files...)
}

// Release is what GitHub signs for an immutable release, with the identity
// [GitHubRelease].
type Release struct {
	// Repository is "owner/name".
	Repository string
	// Tag is the release's tag.
	Tag string
	// Commit is the tag's commit, 40 hexadecimal digits; a default if empty.
	Commit string
	// RepositoryID and OwnerID are GitHub's numbers; 0 for the defaults of
	// [GitHubRun].
	RepositoryID, OwnerID int64
	// Assets are the release's files.
	Assets []Subject
}

// Statement is the release's statement, with the predicate [ReleaseV02].
func (r Release) Statement() Statement {
	fill(&r.Commit, defaultCommit)
	if r.RepositoryID == 0 {
		r.RepositoryID = 596532921
	}
	if r.OwnerID == 0 {
		r.OwnerID = 16748505
	}
	purl := "pkg:github/" + r.Repository + "@" + r.Tag
	tag := Subject{URI: purl, Digest: map[string]string{"sha1": r.Commit}}
	return Statement{
		Subjects:      append([]Subject{tag}, r.Assets...),
		PredicateType: ReleaseV02,
		Predicate: map[string]any{
			"databaseId": "291980663", "packageId": strconv.FormatInt(r.RepositoryID, 10),
			"ownerId": strconv.FormatInt(r.OwnerID, 10), "repositoryId": strconv.FormatInt(r.RepositoryID, 10),
			"purl": purl, "repository": r.Repository, "tag": r.Tag,
		},
	}
}
