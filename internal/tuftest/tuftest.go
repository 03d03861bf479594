// Package tuftest is a TUF repository for tests: a real one, with keys, signed
// by go-tuf, and served on loopback.
package tuftest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Repo is a real TUF repository with consistent snapshots, served on
// loopback. Each publication adds a version; the old ones remain in files, so
// that a test can set the repository back.
type Repo struct {
	// Keys are the private key of each role.
	Keys map[string]ed25519.PrivateKey

	// Root, Targets, Snapshot and Timestamp are what the next publication
	// begins with. Whoever changes one puts it out with [Put].
	Root      *metadata.Metadata[metadata.RootType]
	Targets   *metadata.Metadata[metadata.TargetsType]
	Snapshot  *metadata.Metadata[metadata.SnapshotType]
	Timestamp *metadata.Metadata[metadata.TimestampType]

	// Requests counts what was asked.
	Requests atomic.Int64
	Server   *httptest.Server

	t     testing.TB
	mu    sync.Mutex
	files map[string][]byte
}

// Lifetime is how long the metadata of a new repository lives, as that of the
// public-good instance does.
const Lifetime = 7 * 24 * time.Hour

// Target is the name of the file that is published.
const Target = "trusted_root.json"

// New makes a repository that begins at a time, and publishes nothing yet but
// its root. It ends with the test.
func New(t testing.TB, born time.Time) *Repo {
	t.Helper()
	r := &Repo{t: t, Keys: map[string]ed25519.PrivateKey{}, files: map[string][]byte{}}
	expires := born.Add(Lifetime)
	r.Root = metadata.Root(expires.AddDate(1, 0, 0))
	r.Root.Signed.ConsistentSnapshot = true
	r.Targets = metadata.Targets(expires)
	r.Snapshot = metadata.Snapshot(expires)
	r.Timestamp = metadata.Timestamp(expires)
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		r.newKey(role)
	}
	r.Targets.Signed.Version, r.Snapshot.Signed.Version, r.Timestamp.Signed.Version = 0, 0, 0
	r.PutRoot(r.Keys[metadata.ROOT])
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Server.Close)
	return r
}

// ServeHTTP implements http.Handler.
func (r *Repo) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.Requests.Add(1)
	r.mu.Lock()
	data, ok := r.files[strings.TrimPrefix(req.URL.Path, "/")]
	r.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	_, _ = w.Write(data)
}

// newKey gives a role a new key in the root, which the caller signs.
func (r *Repo) newKey(role string) {
	r.t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	r.check(err)
	key, err := metadata.KeyFromPublicKey(private.Public())
	r.check(err)
	for _, id := range r.Root.Signed.Roles[role].KeyIDs {
		r.check(r.Root.Signed.RevokeKey(id, role))
	}
	r.check(r.Root.Signed.AddKey(key, role))
	r.Keys[role] = private
}

// Rotate replaces the keys of roles by a new version of the root.
func (r *Repo) Rotate(roles ...string) {
	r.t.Helper()
	signers := []ed25519.PrivateKey{r.Keys[metadata.ROOT]}
	for _, role := range roles {
		r.newKey(role)
		if role == metadata.ROOT {
			signers = append(signers, r.Keys[role])
		}
	}
	r.Root.Signed.Version++
	r.PutRoot(signers...)
}

// PutRoot serves the root in its version.
func (r *Repo) PutRoot(signers ...ed25519.PrivateKey) {
	r.t.Helper()
	Put(r, fmt.Sprintf("%d.root.json", r.Root.Signed.Version), r.Root, signers...)
}

// Publish adds a version with another trusted root, which expires at the time
// given.
func (r *Repo) Publish(trustedRoot []byte, expires time.Time) {
	r.t.Helper()
	r.PublishTargets(trustedRoot, expires)
	r.PublishSnapshot(r.Targets.Signed.Version, expires)
	r.PublishTimestamp(r.Snapshot.Signed.Version, expires)
}

// PublishTargets, PublishSnapshot and PublishTimestamp add a version of one
// role.
func (r *Repo) PublishTargets(trustedRoot []byte, expires time.Time) {
	r.t.Helper()
	info, err := metadata.TargetFile().FromBytes(Target, trustedRoot, "sha256", "sha512")
	r.check(err)
	r.Targets.Signed.Targets[Target] = info
	r.Targets.Signed.Expires = expires
	r.Targets.Signed.Version++
	for _, sum := range info.Hashes {
		r.Set("targets/"+hex.EncodeToString(sum)+"."+Target, trustedRoot)
	}
	Put(r, fmt.Sprintf("%d.targets.json", r.Targets.Signed.Version), r.Targets, r.Keys[metadata.TARGETS])
}

// PublishSnapshot is explained at PublishTargets.
func (r *Repo) PublishSnapshot(targets int64, expires time.Time) {
	r.t.Helper()
	r.Snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(targets)
	r.Snapshot.Signed.Expires = expires
	r.Snapshot.Signed.Version++
	Put(r, fmt.Sprintf("%d.snapshot.json", r.Snapshot.Signed.Version), r.Snapshot, r.Keys[metadata.SNAPSHOT])
}

// PublishTimestamp is explained at PublishTargets.
func (r *Repo) PublishTimestamp(snapshot int64, expires time.Time) {
	r.t.Helper()
	r.Timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(snapshot)
	r.Timestamp.Signed.Expires = expires
	r.Timestamp.Signed.Version++
	Put(r, "timestamp.json", r.Timestamp, r.Keys[metadata.TIMESTAMP])
}

// Put signs metadata and serves it under a name.
func Put[T metadata.Roles](r *Repo, name string, m *metadata.Metadata[T], signers ...ed25519.PrivateKey) {
	r.t.Helper()
	m.ClearSignatures()
	for _, key := range signers {
		signer, err := signature.LoadSigner(key, crypto.Hash(0))
		r.check(err)
		_, err = m.Sign(signer)
		r.check(err)
	}
	data, err := m.ToBytes(false)
	r.check(err)
	r.Set(name, data)
}

// Set serves a file.
func (r *Repo) Set(name string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = data
}

// Get is a file that is served, or nil.
func (r *Repo) Get(name string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[name]
}

// State is what is served now, for [Repo.Restore].
func (r *Repo) State() map[string][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.files)
}

// Restore sets the served files back.
func (r *Repo) Restore(files map[string][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = maps.Clone(files)
}

func (r *Repo) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// TB is the test that the repository is of.
func (r *Repo) TB() testing.TB { return r.t }
