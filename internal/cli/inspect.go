package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// inspectFlags are the flags of inspect. Those about trust are trust's own.
type inspectFlags struct {
	trustCommand
	artifact, sha256 string
}

func newInspect(env Env) *cobra.Command {
	f := &inspectFlags{}
	c := &cobra.Command{
		Use:   "inspect FILE|URL|-",
		Short: "Show what evidence says, and how much of it is genuine",
		Long: `Inspect shows what a document of evidence holds: who signed, what, when, and
where it is logged; and which checks of it hold against which trusted root. It
reads Sigstore bundles, alone, as JSON Lines or in an array; PEP 740 provenance
objects and attestations; and answers of GitHub's attestations API; also as
snappy blocks. - is standard input.

A bundle that is genuine is what its signer made. No publisher is compared:
whether the signer is the one that you expect is for you, or for verify, to say.

With an artifact or its SHA-256, inspect tells too which bundles speak of it.
The trusted roots are those that verify would use in the current folder, with
the same flags and the same recipe-verify.yaml.

Exit statuses:
  0    every bundle is genuine, and one speaks of the artifact if there is one
  1    a bundle does not verify, or none speaks of the artifact
  2    the document cannot be read, or the command line is wrong
  3    the document, a bundle that it names the address of, or a trusted root
       was not obtained
  130  interrupted`,
		Example: `  recipe-verify inspect flask-3.1.1.tar.gz.sigstore.json --artifact flask-3.1.1.tar.gz
  recipe-verify inspect https://pypi.org/integrity/flask/3.1.1/flask-3.1.1.tar.gz/provenance
  gh api repos/OWNER/REPO/attestations/sha256:HEX | recipe-verify inspect - --format json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{fmt.Errorf("found %d arguments, wanted one: a file, an address, or - for standard input", len(args)), c.CommandPath() + " --help"}
			}
			return nil
		},
		RunE:              func(c *cobra.Command, args []string) error { return f.run(c, env, args[0]) },
		DisableAutoGenTag: true,
	}
	s := c.Flags()
	f.register(c, trust.DefaultTimeout)
	f.registerOffline(c)
	s.Lookup("timeout").Usage = "give up a request after `DURATION` without progress"
	s.StringVar(&f.format, "format", "text", "show as `FORMAT`, text or json")
	s.StringVarP(&f.output, "output", "o", "", "write to `FILE`, whole or not at all")
	s.StringVar(&f.artifact, "artifact", "", "tell whether the bundles speak of `FILE`")
	s.StringVar(&f.sha256, "sha256", "", "tell whether the bundles speak of the file with the SHA-256 `HEX`")
	c.MarkFlagsMutuallyExclusive("artifact", "sha256")
	return c
}

func (f *inspectFlags) run(c *cobra.Command, env Env, arg string) error {
	write := report.WriteInspectText
	switch f.format {
	case "text":
	case "json":
		write = report.WriteInspectJSON
	default:
		return wrongValue(c, "--format", f.format, "text or json")
	}
	sum, err := f.digest(c)
	if err != nil {
		return err
	}
	origin, data, err := f.read(c, env, arg)
	if err != nil {
		return err
	}
	document, err := attestation.Read(origin, data)
	if err != nil {
		return err
	}
	roots, err := f.load(c)
	if err != nil {
		return err
	}
	verifier, err := verify.New(roots.Domains, nil)
	if err != nil {
		return err
	}
	in := report.Inspected{Version: c.Root().Version, Origin: origin, Document: document, Roots: roots, SHA256: sum}
	for _, candidate := range document.Candidates {
		if err := c.Context().Err(); err != nil {
			return err
		}
		in.Inspections = append(in.Inspections, verifier.Inspect(candidate, sum))
	}
	d := report.Inspect(in)
	out := newOutput(f.output, c.OutOrStdout())
	if err := write(out, d); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	if d.Summary.ExitStatus != audit.StatusOK {
		return &exitError{status: d.Summary.ExitStatus}
	}
	return nil
}

// digest is what the bundles are compared with, or nil.
func (f *inspectFlags) digest(c *cobra.Command) (*digest.SHA256, error) {
	given := c.Flags().Changed
	switch {
	case given("sha256"):
		d, err := digest.ParseSHA256(f.sha256)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--sha256: %w", err), "sha256sum FILE prints it"}
		}
		return &d, nil
	case given("artifact"):
		d, err := hashFile(c.Context(), f.artifact)
		if err != nil {
			return nil, fmt.Errorf("--artifact: %w", err)
		}
		return &d, nil
	}
	return nil, nil
}

// hashFile measures a file, read to its end.
func hashFile(ctx context.Context, path string) (d digest.SHA256, err error) {
	file, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, interruptible{ctx, file}); err != nil {
		return d, err
	}
	return digest.SHA256(h.Sum(nil)), nil
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// read obtains the document, and tells its origin as it may be printed.
func (f *inspectFlags) read(c *cobra.Command, env Env, arg string) (origin string, data []byte, err error) {
	if isAddress(arg) {
		data, err = f.fetch(c, env, arg)
		return fetch.Redact(arg), data, err
	}
	r := c.InOrStdin()
	if arg != "-" {
		file, err := os.Open(arg)
		if err != nil {
			return arg, nil, err
		}
		defer file.Close()
		r = file
	}
	data, err = io.ReadAll(io.LimitReader(interruptible{c.Context(), r}, attestation.MaxDocument+1))
	switch {
	case err != nil:
		return arg, nil, err
	case len(data) > attestation.MaxDocument:
		return arg, nil, &attestation.FormatError{
			Origin: arg, Index: -1, Problem: fmt.Sprintf("it has more than %d bytes", attestation.MaxDocument),
			Mend: "no real attestation is as large; give the evidence, and the archive with --artifact",
		}
	}
	return arg, data, nil
}

func isAddress(arg string) bool {
	scheme, _, ok := strings.Cut(arg, "://")
	return ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// acceptEvidence prefers the forms in which PyPI and GitHub serve evidence.
const acceptEvidence = "application/vnd.pypi.integrity.v1+json, application/vnd.dev.sigstore.bundle.v0.3+json, application/vnd.github+json, application/json;q=0.9, */*;q=0.5"

// fetch obtains a document that the user names on the command line.
func (f *inspectFlags) fetch(c *cobra.Command, env Env, address string) ([]byte, error) {
	o, err := f.policyOptions(c)
	if err != nil {
		return nil, err
	}
	given := c.Flags().Changed
	client := &fetch.Client{
		Offline: choose(given("offline"), f.offline, o.Offline),
		Mirrors: o.Mirrors, Timeout: o.Timeout, Env: env.Getenv,
	}
	if given("timeout") || client.Timeout == 0 {
		if client.Timeout, err = policy.ParseTimeout(f.timeout); err != nil {
			return nil, &usageError{fmt.Errorf("--timeout: %w", err), c.CommandPath() + " --help"}
		}
	}
	defer client.Close()
	document, err := client.Document(c.Context(), address, fetch.DocumentOptions{Accept: acceptEvidence, MaxBytes: attestation.MaxDocument})
	var absent *fetch.NotFoundError
	var unavailable *fetch.UnavailableError
	switch {
	case err == nil:
		return document.Body, nil
	case errors.As(err, &absent), errors.As(err, &unavailable):
		return nil, &exitError{audit.StatusUnavailable, err}
	}
	return nil, err
}
