// Command mksnapshot makes the snapshot of the public-good instance that
// package trust embeds. Developers run it through "go generate ./trust"; it
// needs npm, which it asks for the package @sigstore/tuf, and tar is not
// needed. Nothing is written unless everything could be checked:
//
//   - the package has the SHA-512 that npm's metadata states,
//   - its seeds hold exactly one entry for the public-good instance,
//   - the TUF root is signed by itself and by the keys of the TUF root that
//     sigstore-go carries, which came by another way (the Go module), and is
//     not older than that,
//   - the trusted root loads in sigstore-go.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const (
	npmPackage = "@sigstore/tuf"
	seedsFile  = "package/seeds.json"

	// maxPackage caps the package's archive, maxSeeds the unpacked seeds.
	// Today they have 18 KiB and 20 KiB.
	maxPackage = 4 << 20
	maxSeeds   = 4 << 20
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	version := flag.String("version", "latest", "version or tag of the npm package "+npmPackage)
	dir := flag.String("dir", "snapshot", "folder to write to")
	flag.Parse()
	if err := run(ctx, *version, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "mksnapshot:", err)
		os.Exit(1)
	}
}

// provenance is what snapshot.json records; package trust reads it.
type provenance struct {
	Package           string    `json:"package"`
	Version           string    `json:"version"`
	Published         time.Time `json:"published"`
	Integrity         string    `json:"integrity"`
	License           string    `json:"license"`
	Instance          string    `json:"instance"`
	TrustedRootSHA256 string    `json:"trusted_root_sha256"`
	TUFRootSHA256     string    `json:"tuf_root_sha256"`
	TUFRootVersion    int64     `json:"tuf_root_version"`
	TUFRootExpires    time.Time `json:"tuf_root_expires"`
}

func run(ctx context.Context, version, dir string) error {
	p, err := describe(ctx, version)
	if err != nil {
		return err
	}
	archive, err := pack(ctx, p.Version)
	if err != nil {
		return err
	}
	if err := checkIntegrity(archive, p.Integrity); err != nil {
		return err
	}
	seeds, err := extract(archive)
	if err != nil {
		return err
	}
	trustedRoot, tufRoot, err := unseed(seeds, p.Instance)
	if err != nil {
		return err
	}
	if err := check(&p, trustedRoot, tufRoot); err != nil {
		return err
	}
	doc, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"trusted_root.json", trustedRoot},
		{"tuf_root.json", tufRoot},
		{"snapshot.json", append(doc, '\n')},
	} {
		if err := maybe.WriteFile(filepath.Join(dir, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s %s, published %s, TUF root %d\n", p.Package, p.Version, p.Published.Format(time.DateOnly), p.TUFRootVersion)
	return nil
}

// describe asks npm for the package's version, checksum, licence and date.
func describe(ctx context.Context, version string) (provenance, error) {
	p := provenance{Package: npmPackage, Instance: tuf.DefaultMirror}
	out, err := npm(ctx, "", "view", npmPackage+"@"+version, "version", "dist.integrity", "license", "time", "--json")
	if err != nil {
		return p, err
	}
	var view struct {
		Version   string               `json:"version"`
		Integrity string               `json:"dist.integrity"`
		License   string               `json:"license"`
		Time      map[string]time.Time `json:"time"`
	}
	if err := json.Unmarshal(out, &view); err != nil {
		return p, fmt.Errorf("npm view: %w", err)
	}
	if !regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(view.Version) {
		return p, fmt.Errorf("npm view: wanted a release version, found %q", view.Version)
	}
	if view.License != "Apache-2.0" {
		return p, fmt.Errorf("licence of %s: wanted Apache-2.0, found %q", npmPackage, view.License)
	}
	p.Version, p.Integrity, p.License = view.Version, view.Integrity, view.License
	p.Published = view.Time[view.Version].UTC().Truncate(time.Second)
	if p.Published.IsZero() {
		return p, fmt.Errorf("npm does not say when %s %s was published", npmPackage, p.Version)
	}
	return p, nil
}

// pack downloads the package's archive by way of npm's own client.
func pack(ctx context.Context, version string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "mksnapshot-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if _, err := npm(ctx, tmp, "pack", npmPackage+"@"+version, "--pack-destination", tmp); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("npm pack: wanted one archive, found %d", len(files))
	}
	f, err := os.Open(files[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readCapped(f, maxPackage)
}

func npm(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("npm %s: %w\n%s", args[0], err, stderr.Bytes())
	}
	return out, nil
}

func checkIntegrity(archive []byte, want string) error {
	sum := sha512.Sum512(archive)
	if found := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); found != want {
		return fmt.Errorf("archive: found %s, wanted %s", found, want)
	}
	return nil
}

// extract returns the seeds from the package's archive.
func extract(archive []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the archive has no %s", seedsFile)
		}
		if err != nil {
			return nil, err
		}
		if h.Name == seedsFile && h.Typeflag == tar.TypeReg {
			return readCapped(t, maxSeeds)
		}
	}
}

func readCapped(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}

// unseed returns the trusted root and the TUF root of an instance.
func unseed(seeds []byte, instance string) (trustedRoot, tufRoot []byte, err error) {
	var all map[string]struct {
		Root    []byte            `json:"root.json"`
		Targets map[string][]byte `json:"targets"`
	}
	if err := json.Unmarshal(seeds, &all); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", seedsFile, err)
	}
	seed, ok := all[instance]
	if !ok {
		return nil, nil, fmt.Errorf("%s has nothing for %s", seedsFile, instance)
	}
	trustedRoot = seed.Targets["trusted_root.json"]
	if len(trustedRoot) == 0 || len(seed.Root) == 0 {
		return nil, nil, fmt.Errorf("%s has no trusted root or no TUF root for %s", seedsFile, instance)
	}
	return trustedRoot, seed.Root, nil
}

// check verifies both files and completes the record about them.
func check(p *provenance, trustedRoot, tufRoot []byte) error {
	if _, err := root.NewTrustedRootFromJSON(trustedRoot); err != nil {
		return err
	}
	older, err := metadata.Root().FromBytes(tuf.DefaultRoot())
	if err != nil {
		return fmt.Errorf("TUF root of sigstore-go: %w", err)
	}
	found, err := metadata.Root().FromBytes(tufRoot)
	if err != nil {
		return fmt.Errorf("TUF root: %w", err)
	}
	if found.Signed.Version < older.Signed.Version {
		return fmt.Errorf("TUF root: found version %d, sigstore-go already has %d", found.Signed.Version, older.Signed.Version)
	}
	if err := found.VerifyDelegate(metadata.ROOT, found); err != nil {
		return fmt.Errorf("TUF root is not signed by itself: %w", err)
	}
	if err := older.VerifyDelegate(metadata.ROOT, found); err != nil {
		return fmt.Errorf("TUF root is not signed by the keys of sigstore-go's root: %w", err)
	}
	p.TUFRootVersion, p.TUFRootExpires = found.Signed.Version, found.Signed.Expires
	sum := sha256.Sum256(trustedRoot)
	p.TrustedRootSHA256 = hex.EncodeToString(sum[:])
	sum = sha256.Sum256(tufRoot)
	p.TUFRootSHA256 = hex.EncodeToString(sum[:])
	return nil
}
