package trust

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

//go:generate go run ./internal/mksnapshot

// The snapshot of the public-good instance; see snapshot/README.md.
var (
	//go:embed snapshot/trusted_root.json
	embeddedTrustedRoot []byte
	//go:embed snapshot/tuf_root.json
	embeddedTUFRoot []byte
	//go:embed snapshot/snapshot.json
	embeddedProvenance []byte
)

// SnapshotOld is the age of the embedded snapshot from which on a warning asks
// for a newer program. It is not a reason to fail: see the package's comment.
const SnapshotOld = 180 * 24 * time.Hour

// Snapshot says where the embedded trusted root was taken from.
type Snapshot struct {
	// Package and Version name the npm package that carried it.
	Package string `json:"package"`
	Version string `json:"version"`
	// Published is when that version was published. The trusted root was
	// current then, or shortly before.
	Published time.Time `json:"published"`
	// Integrity is the package's checksum in npm's notation.
	Integrity string `json:"integrity"`
	License   string `json:"license"`
	// Instance is the TUF repository that both files come from.
	Instance          string    `json:"instance"`
	TrustedRootSHA256 string    `json:"trusted_root_sha256"`
	TUFRootSHA256     string    `json:"tuf_root_sha256"`
	TUFRootVersion    int64     `json:"tuf_root_version"`
	TUFRootExpires    time.Time `json:"tuf_root_expires"`
}

// EmbeddedSnapshot tells where the embedded trusted root was taken from.
func EmbeddedSnapshot() (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(embeddedProvenance, &s); err != nil {
		return Snapshot{}, fmt.Errorf("embedded snapshot: %w", err)
	}
	return s, nil
}

// Embedded returns the snapshot of the public-good root that is part of the
// program, without a warning: who prefers it to something newer states its age.
func Embedded() (*Roots, error) {
	s, err := EmbeddedSnapshot()
	if err != nil {
		return nil, err
	}
	domains, err := Parse(PublicGood, embeddedTrustedRoot)
	if err != nil {
		return nil, fmt.Errorf("embedded snapshot: %w", err)
	}
	for i := range domains {
		domains[i].Origin, domains[i].Date = originEmbedded, s.Published
	}
	return &Roots{Domains: domains}, nil
}

// knownPublicGood is the embedded root, parsed once: it does not change, and
// every other root is compared with it.
var knownPublicGood = sync.OnceValues(func() (*root.TrustedRoot, error) {
	tr, err := root.NewTrustedRootFromJSON(embeddedTrustedRoot)
	if err != nil {
		return nil, fmt.Errorf("embedded snapshot: %w", err)
	}
	return tr, nil
})

// Values of Domain.Origin other than a file's path.
const (
	originEmbedded = "embedded snapshot"
	originTUF      = "TUF"
	originCache    = "TUF cache"
)
