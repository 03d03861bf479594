package trust

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/digest"
)

// Limits. Going over one is an error, never a truncation.
const (
	// MaxRootFile is the most bytes that a file of trusted roots may have.
	// GitHub's, the largest known, has 31 KiB.
	MaxRootFile = 1 << 20

	// MaxDomains is the most trusted roots in one file.
	MaxDomains = 32
)

// Names of the domains that are recognized by their content. No other domain
// gets one of these names.
const (
	PublicGood = "public-good"
	GitHub     = "github"
)

// Domain is one trust domain: a trusted root and the evidence that a
// certificate that chains to it must bring. The zero value trusts nobody.
type Domain struct {
	// Name is PublicGood or GitHub for what is recognized as such, for other
	// roots the base name of the file without its extension, or the
	// repository's host. A [Config] makes names unique: the second of a name
	// ends in ":2", and so on.
	Name string
	// Instance is PublicGood or GitHub for what is recognized as such, whatever
	// its name is, and empty for other roots.
	Instance string
	// Origin is "embedded snapshot", "TUF", "TUF cache", or the file's path.
	Origin string
	// Root is what signatures, logs and time stamps are verified with.
	Root *root.TrustedRoot
	// Require is the evidence that a certificate of this domain must bring.
	Require Requirements
	// SHA256 is the digest of the file that the root was read from.
	SHA256 digest.SHA256
	// JSON is the trusted root as it was read, to be shown or written out.
	// It is the whole file, of which SHA256 is the digest, unless that holds
	// several roots.
	JSON []byte
	// Date is when this root was known to be current: the snapshot's
	// publication or the time of TUF's answer. A file says nothing about
	// that; its Date is zero.
	Date time.Time
	// TUF tells which metadata vouched for the root; nil unless it came by
	// TUF or from TUF's cache.
	TUF *Metadata
}

// Age is the time since the root was known to be current, and zero where
// nothing is known (a file) or the clock is behind.
func (d Domain) Age(now time.Time) time.Duration {
	if d.Date.IsZero() || now.Before(d.Date) {
		return 0
	}
	return now.Sub(d.Date)
}

// Requirements is the evidence that a certificate of a domain must bring, as
// numbers of distinct, verified items. The zero value is no requirement at all
// and therefore invalid: Parse never returns it, and who verifies must refuse
// it.
type Requirements struct {
	// SCTs counts signed certificate timestamps (RFC 6962).
	SCTs int
	// LogEntries counts transparency-log entries with inclusion proof and
	// signed checkpoint.
	LogEntries int
	// ObserverTimestamps counts times from either a log's signed promise or
	// a time-stamp authority.
	ObserverTimestamps int
	// SignedTimestamps counts RFC 3161 time stamps of an authority.
	SignedTimestamps int
}

// Roots is the set of domains to believe, in the order in which they were
// named, and what the user should know about them.
type Roots struct {
	Domains []Domain
	// Warnings are single lines without a full stop.
	Warnings []string
}

// FromFiles reads trusted roots from files, in order, without asking anybody.
// A file holds one trusted root as JSON, or several one after the other (JSON
// Lines, as "gh attestation trusted-root" prints); each is a domain of its own,
// and one that is there twice is one domain. No path is an error, as is a file
// that Parse refuses; the message names it.
func FromFiles(paths ...string) (*Roots, error) {
	if len(paths) == 0 {
		return nil, errors.New("no trusted root file was named")
	}
	return Config{Roots: RootFiles(paths...)}.Load(context.Background())
}

func fromFile(f RootFile) ([]Domain, error) {
	data, err := readFile(f.Path, MaxRootFile)
	if err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	domains, err := parse(stem(f.Path), data, f.InsecureWithout)
	if err != nil {
		return nil, fmt.Errorf("trusted root %q: %w", f.Path, err)
	}
	for i := range domains {
		domains[i].Origin = f.Path
	}
	return domains, nil
}

// Parse reads one trusted root, or several one after the other, and decides
// from each one's content what its certificates must bring. The name is for
// domains that are not recognized: the second of them in the same data is
// called name:2, and so on. Origin is left to the caller.
//
// A nil error means at least one domain, each with at least one certificate
// authority and requirements that are not zero. Nothing is left out: one bad
// root makes an error of the whole. The error is an *UnsupportedRootError for a
// root that is well formed, and has no requirements that would be safe.
func Parse(name string, data []byte) ([]Domain, error) {
	return parse(name, data, nil)
}

// parse is Parse for roots that may lack some kinds of logs.
func parse(name string, data []byte, without []Log) ([]Domain, error) {
	if len(data) > MaxRootFile {
		return nil, fmt.Errorf("found %d bytes, the limit is %d", len(data), MaxRootFile)
	}
	sum := digest.SHA256(sha256.Sum256(data))
	known, err := knownPublicGood()
	if err != nil {
		return nil, err
	}
	var domains []Domain
	others := 0
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var value json.RawMessage
		err := dec.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("root %d is not JSON: %w", len(domains)+1, err)
		}
		if len(domains) == MaxDomains {
			return nil, fmt.Errorf("more than %d trusted roots", MaxDomains)
		}
		d, err := parseOne(value, known, without)
		if err != nil {
			if len(domains) > 0 || dec.More() {
				err = fmt.Errorf("root %d: %w", len(domains)+1, err)
			}
			return nil, err
		}
		if d.Name == "" {
			others++
			d.Name = otherName(name, others)
		}
		d.SHA256 = sum
		domains = append(domains, d)
	}
	if len(domains) == 1 {
		domains[0].JSON = bytes.Clone(data)
	}
	if len(domains) == 0 {
		return nil, errors.New("found no trusted root in it\nhint: write one with: gh attestation trusted-root > trusted_root.jsonl")
	}
	return domains, nil
}

func parseOne(value []byte, known *root.TrustedRoot, without []Log) (Domain, error) {
	tr, err := root.NewTrustedRootFromJSON(value)
	if err != nil {
		return Domain{}, errors.New(oneLine(err))
	}
	name, require, err := classify(tr, known, without)
	if err != nil {
		return Domain{}, err
	}
	return Domain{Name: name, Instance: name, Root: tr, Require: require, JSON: bytes.Clone(value)}, nil
}

// otherName keeps a file called github.json from lending its name to a root
// that is not GitHub's.
func otherName(name string, n int) string {
	if name == "" || name == PublicGood || name == GitHub {
		name = strings.TrimSuffix("other-"+name, "-")
	}
	if n > 1 {
		name = fmt.Sprintf("%s:%d", name, n)
	}
	return name
}

func stem(path string) string {
	base := filepath.Base(path)
	if s := strings.TrimSuffix(base, filepath.Ext(base)); s != "" {
		return s
	}
	return base
}

// readFile reads a regular file or pipe of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%q has more than %d bytes", path, limit)
	}
	return data, nil
}
