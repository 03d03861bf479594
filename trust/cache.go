package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/fetcher"
)

const (
	recordSchema = 1

	// maxRecord is the most bytes of a cache file. That of the public-good
	// instance has about 60 KiB.
	maxRecord = 16 << 20
)

// record is a cache file: everything that a repository answered in one
// refresh. It is written as a whole or not at all, so that two processes or a
// kill leave one answer or the other, never a mixture.
type record struct {
	Schema int `json:"schema"`
	// Repository is the address without its userinfo, for those who look.
	Repository string    `json:"repository"`
	FetchedAt  time.Time `json:"fetched_at"`
	// Files are the answers by their path below the repository's address.
	Files map[string][]byte `json:"files"`
}

// recordName is the name of a file in a record. That of the target begins with
// a hash; where metadata lists several, go-tuf takes any of them.
func recordName(name string) string {
	if strings.HasPrefix(name, "targets/") && strings.HasSuffix(name, "."+target) {
		return "targets/" + target
	}
	return name
}

// roots returns the TUF roots in a record up to the version that verified.
func (r *record) roots(last int64) map[string][]byte {
	roots := map[string][]byte{}
	for n := last; n > 0; n-- {
		name := fmt.Sprintf("%d.root.json", n)
		data, ok := r.Files[name]
		if !ok {
			break
		}
		roots[name] = data
	}
	return roots
}

// shown is the address of the repository without secrets.
func (in *instance) shown() string {
	u, err := url.Parse(in.url)
	if err != nil {
		return ""
	}
	return redact(u)
}

// cacheName keeps repositories apart, and instances with another anchor. The
// public-good instance keeps its name when the program brings a newer anchor.
func (in *instance) cacheName() string {
	h := sha256.New()
	h.Write([]byte(in.url))
	if in.snapshot == nil {
		h.Write([]byte{0})
		h.Write(in.root)
	}
	return "tuf-" + hex.EncodeToString(h.Sum(nil)[:8]) + ".json"
}

// readCache verifies what the cache holds. No cache is no news; one that does
// not verify is a warning.
func (l *loading) readCache() {
	v, err := l.open()
	if err == nil {
		l.cached, l.valid = v, &v.domain
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if v != nil && errors.Is(err, &metadata.ErrExpiredMetadata{}) {
		l.cached, l.expired = v, err
		return
	}
	l.warn("the TUF cache %q is not used: %s", l.path, oneLine(err))
}

// open reads and verifies the cache. Where nothing but expiry is wrong it
// returns both what is there and an ErrExpiredMetadata.
func (l *loading) open() (*verified, error) {
	r, err := readRecord(l.path, l.shown())
	if err != nil {
		return nil, err
	}
	v, err := l.verify(replay{base: l.url, files: r.Files}, l.ref)
	var expired error
	if errors.Is(err, &metadata.ErrExpiredMetadata{}) {
		expired = err
		v, err = l.verify(replay{base: l.url, files: r.Files}, r.FetchedAt)
	}
	if err != nil {
		return nil, err
	}
	v.record = r
	v.domain.Origin, v.domain.Date = originCache, r.FetchedAt
	return v, expired
}

func readRecord(path, repository string) (*record, error) {
	// Whoever put something else there wants us to wait for it.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	data, err := readFile(path, maxRecord)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	if r.Schema != recordSchema || r.Repository != repository {
		return nil, fmt.Errorf("found schema %d, wanted schema %d of this repository", r.Schema, recordSchema)
	}
	return r, nil
}

// writeCache stores a fresh answer, unless another process stored a newer one
// meanwhile.
func (l *loading) writeCache(r *record) error {
	if l.path == "" {
		return nil
	}
	if err := l.store(r); err != nil {
		return fmt.Errorf("could not write the TUF cache %q: %s", l.path, oneLine(err))
	}
	return nil
}

func (l *loading) store(r *record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if len(data) > maxRecord {
		return fmt.Errorf("%d bytes, the limit is %d", len(data), maxRecord)
	}
	ours, err := l.verify(replay{base: l.url, files: r.Files}, l.ref)
	if err != nil {
		return fmt.Errorf("what the repository answered does not verify again: %w", err)
	}
	if there, _ := l.open(); there != nil && notOlder(there.roles, ours.roles) != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	return maybe.WriteFile(l.path, data, 0o600)
}

// replay serves the files of a record, and nobody is asked.
type replay struct {
	base  string
	files map[string][]byte
}

var _ fetcher.Fetcher = replay{}

// DownloadFile returns a file of at most maxLength bytes.
func (r replay) DownloadFile(address string, maxLength int64, _ time.Duration) ([]byte, error) {
	maxLength = min(maxLength, maxFile)
	name, ok := strings.CutPrefix(address, r.base+"/")
	if !ok {
		return nil, fmt.Errorf("%s is not below the repository's address", fileName(address))
	}
	data, ok := r.files[recordName(name)]
	if !ok {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: http.StatusNotFound, URL: fileName(address)}
	}
	if int64(len(data)) > maxLength {
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxLength)
	}
	return data, nil
}
