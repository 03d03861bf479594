package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// verifyAll verifies every bundle as sigstore-go's own example does, and nothing
// else.
func verifyAll(dir string) error {
	trusted, err := root.NewTrustedRootFromPath(filepath.Join(dir, "root.json"))
	if err != nil {
		return err
	}
	verifier, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, "bundles.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	good, bad := 0, 0
	for dec := json.NewDecoder(bufio.NewReader(f)); ; {
		var s signed
		if err := dec.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		digest, err := hex.DecodeString(s.SHA256)
		if err != nil {
			return err
		}
		var b bundle.Bundle
		if err := b.UnmarshalJSON(s.Bundle); err != nil {
			return err
		}
		if _, err := verifier.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithoutIdentitiesUnsafe())); err != nil {
			bad++
		} else {
			good++
		}
	}
	fmt.Printf("%d bundles verify, %d do not\n", good, bad)
	return nil
}
