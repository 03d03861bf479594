// Command conformance is the client of Sigstore's public conformance suite
// (sigstore-conformance, docs/cli_protocol.md): it verifies one bundle with this
// project's library, and exits with 0 if it is good and 1 if it is not. The
// reason goes to standard error. It is for that suite, and no part of the
// program: it accepts any type of statement, and bundles signed with a bare key.
package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	if err := verifyBundle(args, stderr); err != nil {
		fmt.Fprintf(stderr, "not verified: %v\n", err)
		var invalid *verify.InvalidError
		if errors.As(err, &invalid) && invalid.Detail != "" {
			fmt.Fprintf(stderr, "  %s\n", invalid.Detail)
		}
		return 1
	}
	return 0
}

// options are the command line of verify-bundle.
type options struct {
	staging                       bool
	bundle, identity, issuer, key string
	trustedRoot                   string
	artifact                      string // a file or "sha256:" and a digest
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	if len(args) == 0 || args[0] != "verify-bundle" {
		return o, errors.New("only verify-bundle is implemented: this project signs nothing")
	}
	f := flag.NewFlagSet("verify-bundle", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.staging, "staging", false, "use Sigstore's staging instance")
	f.StringVar(&o.bundle, "bundle", "", "the bundle's `file`")
	f.StringVar(&o.identity, "certificate-identity", "", "the wanted `identity`")
	f.StringVar(&o.issuer, "certificate-oidc-issuer", "", "the wanted issuer's `URL`")
	f.StringVar(&o.key, "key", "", "the `file` of a public key, in place of an identity")
	f.StringVar(&o.trustedRoot, "trusted-root", "", "the `file` of a trusted root")
	if err := f.Parse(args[1:]); err != nil {
		return o, err
	}
	o.artifact = f.Arg(0)
	switch {
	case f.NArg() != 1:
		return o, fmt.Errorf("found %d arguments beside the options, wanted the artifact alone", f.NArg())
	case o.bundle == "":
		return o, errors.New("no --bundle is given")
	case o.key != "" && (o.identity != "" || o.issuer != ""):
		return o, errors.New("both --key and an identity are given, wanted one of them")
	case o.key == "" && (o.identity == "" || o.issuer == ""):
		return o, errors.New("no --key, and not both of --certificate-identity and --certificate-oidc-issuer are given")
	case o.staging && o.trustedRoot == "":
		return o, errors.New("the staging instance's trusted root is not part of the program: give it with --trusted-root")
	}
	return o, nil
}

func verifyBundle(args []string, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	sum, err := sumOf(o.artifact)
	if err != nil {
		return err
	}
	candidate, err := readBundle(o.bundle)
	if err != nil {
		return err
	}
	if o.key != "" {
		return keyed(o, candidate, sum)
	}
	return certified(o, candidate, sum)
}

// certified verifies a bundle as the program does, with the predicate type that
// the bundle has: the suite's protocol does not know of any.
func certified(o options, c attestation.Candidate, sum digest.SHA256) error {
	publisher, err := publishers.New(o.identity, o.issuer)
	if err != nil {
		return err
	}
	claims, err := c.Unverified()
	if err != nil {
		return err
	}
	rules := verify.Rules{
		Publishers: []publishers.Publisher{publisher}, Match: verify.Any,
		// The suite's artifacts are files, so they are not PyPI's.
		URLs: []string{"file:///artifact"},
	}
	if claims.PredicateType != "" {
		rules.PredicateTypes = []string{claims.PredicateType}
	}
	roots, err := rootsOf(o)
	if err != nil {
		return err
	}
	verifier, err := verify.New(roots.Domains, nil)
	if err != nil {
		return err
	}
	evidence, _, err := verifier.Verify([]attestation.Candidate{c}, sum, rules)
	if err != nil {
		var mismatch *verify.MismatchError
		if errors.As(err, &mismatch) && named(verifier.Inspect(c, nil), o, sum) {
			return nil
		}
		return err
	}
	if !evidence.Verified() || evidence.SHA256() != sum {
		return errors.New("there is no evidence")
	}
	return nil
}

// named tells whether a bundle is genuine, of the wanted file, and by the wanted
// identity as the suite's protocol understands it: the certificate's name and
// issuer to the letter. The program wants more, which some of the suite's bundles
// lack: that the certificate says which repository was built, and that the
// statement has a SHA-256.
func named(in verify.Inspection, o options, sum digest.SHA256) bool {
	if !in.Genuine || in.Content.Certificate.SAN != o.identity || in.Content.Certificate.Issuer != o.issuer {
		return false
	}
	long, err := sumOf512(o.artifact)
	for _, s := range in.Content.Subjects {
		if own, ok := s.SHA256(); ok {
			if own == sum {
				return true
			}
			continue
		}
		if err == nil && strings.EqualFold(s.Digests["sha512"], long) {
			return true
		}
	}
	return false
}

func rootsOf(o options) (*trust.Roots, error) {
	if o.trustedRoot != "" {
		return trust.FromFiles(o.trustedRoot)
	}
	return trust.Embedded()
}

// keyed verifies a bundle that was signed with a bare key. Its trusted root may
// lack authorities, which no certificate needs.
func keyed(o options, c attestation.Candidate, sum digest.SHA256) error {
	text, err := readFile(o.key, trust.MaxRootFile)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%q holds no key in PEM", o.key)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("%q holds no public key: %w", o.key, err)
	}
	if o.trustedRoot == "" {
		roots, err := trust.Embedded()
		if err != nil {
			return err
		}
		return verify.InsecureVerifyKeyed(c, sum, key, roots.Domains[0].Root)
	}
	data, err := readFile(o.trustedRoot, trust.MaxRootFile)
	if err != nil {
		return err
	}
	tr, err := root.NewTrustedRootFromJSON(data)
	if err != nil {
		return fmt.Errorf("trusted root %q: %w", o.trustedRoot, err)
	}
	return verify.InsecureVerifyKeyed(c, sum, key, tr)
}

func readBundle(path string) (attestation.Candidate, error) {
	data, err := readFile(path, attestation.MaxDocument)
	if err != nil {
		return attestation.Candidate{}, err
	}
	candidates, err := attestation.Parse(path, data)
	if err != nil {
		return attestation.Candidate{}, err
	}
	if len(candidates) != 1 || candidates[0].Format != attestation.BundleFormat {
		return attestation.Candidate{}, fmt.Errorf("%q is no single Sigstore bundle", path)
	}
	return candidates[0], nil
}

// sumOf reads a digest, or measures a file: what begins with "sha256:", has the
// right length and is no file's path is a digest.
func sumOf(artifact string) (digest.SHA256, error) {
	if digits, ok := strings.CutPrefix(artifact, "sha256:"); ok {
		if d, err := digest.ParseSHA256(digits); err == nil {
			if _, err := os.Stat(artifact); err != nil {
				return d, nil
			}
		}
	}
	f, err := os.Open(artifact)
	if err != nil {
		return digest.SHA256{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return digest.SHA256{}, err
	}
	return digest.SHA256(h.Sum(nil)), nil
}

// sumOf512 measures a file's SHA-512.
func sumOf512(artifact string) (string, error) {
	f, err := os.Open(artifact)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

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
