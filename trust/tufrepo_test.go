package trust

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
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

// tufRepo is a real TUF repository with consistent snapshots, served on
// loopback. Each publication adds a version; the old ones remain in files, so
// that a test can set the repository back.
type tufRepo struct {
	t    testing.TB
	keys map[string]ed25519.PrivateKey

	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]

	mu    sync.Mutex
	files map[string][]byte

	requests atomic.Int64
	server   *httptest.Server
}

// born is when test repositories begin; their metadata lives for a week, as the
// public-good instance's does.
var born = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

const lifetime = 7 * 24 * time.Hour

func newRepo(t testing.TB) *tufRepo {
	t.Helper()
	r := &tufRepo{t: t, keys: map[string]ed25519.PrivateKey{}, files: map[string][]byte{}}
	expires := born.Add(lifetime)
	r.root = metadata.Root(expires.AddDate(1, 0, 0))
	r.root.Signed.ConsistentSnapshot = true
	r.targets = metadata.Targets(expires)
	r.snapshot = metadata.Snapshot(expires)
	r.timestamp = metadata.Timestamp(expires)
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		r.newKey(role)
	}
	r.targets.Signed.Version, r.snapshot.Signed.Version, r.timestamp.Signed.Version = 0, 0, 0
	r.putRoot(r.keys[metadata.ROOT])
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *tufRepo) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.requests.Add(1)
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
func (r *tufRepo) newKey(role string) {
	r.t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	r.check(err)
	key, err := metadata.KeyFromPublicKey(private.Public())
	r.check(err)
	for _, id := range r.root.Signed.Roles[role].KeyIDs {
		r.check(r.root.Signed.RevokeKey(id, role))
	}
	r.check(r.root.Signed.AddKey(key, role))
	r.keys[role] = private
}

// rotate replaces the keys of roles by a new version of the root.
func (r *tufRepo) rotate(roles ...string) {
	r.t.Helper()
	signers := []ed25519.PrivateKey{r.keys[metadata.ROOT]}
	for _, role := range roles {
		r.newKey(role)
		if role == metadata.ROOT {
			signers = append(signers, r.keys[role])
		}
	}
	r.root.Signed.Version++
	r.putRoot(signers...)
}

func (r *tufRepo) putRoot(signers ...ed25519.PrivateKey) {
	r.t.Helper()
	put(r, fmt.Sprintf("%d.root.json", r.root.Signed.Version), r.root, signers...)
}

// publish adds a version with another trusted root, which expires at the time
// given.
func (r *tufRepo) publish(trustedRoot []byte, expires time.Time) {
	r.t.Helper()
	r.publishTargets(trustedRoot, expires)
	r.publishSnapshot(r.targets.Signed.Version, expires)
	r.publishTimestamp(r.snapshot.Signed.Version, expires)
}

func (r *tufRepo) publishTargets(trustedRoot []byte, expires time.Time) {
	r.t.Helper()
	info, err := metadata.TargetFile().FromBytes(target, trustedRoot, "sha256", "sha512")
	r.check(err)
	r.targets.Signed.Targets[target] = info
	r.targets.Signed.Expires = expires
	r.targets.Signed.Version++
	for _, sum := range info.Hashes {
		r.set("targets/"+hex.EncodeToString(sum)+"."+target, trustedRoot)
	}
	put(r, fmt.Sprintf("%d.targets.json", r.targets.Signed.Version), r.targets, r.keys[metadata.TARGETS])
}

func (r *tufRepo) publishSnapshot(targets int64, expires time.Time) {
	r.t.Helper()
	r.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(targets)
	r.snapshot.Signed.Expires = expires
	r.snapshot.Signed.Version++
	put(r, fmt.Sprintf("%d.snapshot.json", r.snapshot.Signed.Version), r.snapshot, r.keys[metadata.SNAPSHOT])
}

func (r *tufRepo) publishTimestamp(snapshot int64, expires time.Time) {
	r.t.Helper()
	r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(snapshot)
	r.timestamp.Signed.Expires = expires
	r.timestamp.Signed.Version++
	put(r, "timestamp.json", r.timestamp, r.keys[metadata.TIMESTAMP])
}

func put[T metadata.Roles](r *tufRepo, name string, m *metadata.Metadata[T], signers ...ed25519.PrivateKey) {
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
	r.set(name, data)
}

func (r *tufRepo) set(name string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = data
}

func (r *tufRepo) get(name string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[name]
}

// state and restore set the served files back.
func (r *tufRepo) state() map[string][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.files)
}

func (r *tufRepo) restore(files map[string][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = maps.Clone(files)
}

func (r *tufRepo) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// trustedRoot makes distinguishable roots of the public-good instance.
func trustedRoot(t testing.TB, mark string) []byte {
	return edit(t, embeddedTrustedRoot, func(m map[string]any) {
		m["timestampAuthorities"].([]any)[0].(map[string]any)["uri"] = "https://tsa.example/" + mark
	})
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// instance of the repository, with a snapshot that was published a month
// before, or without one.
func (r *tufRepo) instance(snapshot bool) *instance {
	in := &instance{name: "private.example", url: r.server.URL, root: r.get("1.root.json")}
	if snapshot {
		roots, err := Embedded()
		r.check(err)
		d := roots.Domains[0]
		d.Date = born.AddDate(0, -1, 0)
		in.name, in.snapshot = PublicGood, &d
	}
	return in
}
