package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A FindingKind says what was found out about a source for which the recipe
// names no publisher. It changes no verdict.
type FindingKind string

// The kinds of findings.
const (
	// Attestable: there is evidence of these bytes.
	Attestable FindingKind = "attestable"
	// NotAttestable: nobody can attest these bytes.
	NotAttestable FindingKind = "not-attestable"
	// NoEvidence: there is none where it would be.
	NoEvidence FindingKind = "no-evidence"
	// NotAsked: nobody is known who could be asked, or the source is not pinned.
	NotAsked FindingKind = "not-asked"
	// Unknown: those who could be asked did not answer.
	Unknown FindingKind = "unknown"
)

// A Finding is what a run with Discover found out about a source.
type Finding struct {
	Kind FindingKind
	// Genuine tells that every bundle that lists the digest verifies against
	// the trusted roots, but for strangers' in a pool, and one of them does. Who signed, and whether that is plausible, is another
	// question.
	Genuine bool
	// Publisher is who signed, as a recipe would name him: read from a
	// certificate that verified, "" if none did.
	Publisher string
	// BundleURLs are what a block would have to name; empty if nothing.
	BundleURLs []string
	// Replacement is the address of a release's asset that could stand in the
	// recipe in place of an archive that is not attestable, or "".
	Replacement string
	Detail      string // in words

	// What follows is set by a run with Propose only.

	// Way is the one bundle_url that a block needs for this evidence to be found
	// by it; "" if it needs none, or there is none.
	Way string
	// Publishers are all those that the evidence would count for, each alone, in
	// the order of its bundles; Publisher is the first of them.
	Publishers []publishers.Publisher
	// Links are the addresses that a package index shows beside the release.
	// Nobody signs them.
	Links []attestation.Link
	// Earlier is the release before, nil if none with evidence is known.
	Earlier *Earlier
	// PassedOver are places whose evidence says nothing to this run: of trust
	// domains that are not configured, or of something else than who made the
	// archive.
	PassedOver []PassedOver
	// Unasked says, in words, what could not be asked for all this. Of evidence
	// that means that another run may find it at another place.
	Unasked []string
}

// A PassedOver is a place with evidence that does not count.
type PassedOver struct {
	BundleURL string
	Detail    string // why not, in words
}

// An Earlier is what is known of the release before an archive's own.
type Earlier struct {
	Name string // of its file
	// Signers are what its bundles say that verify and speak of that file,
	// without their subjects and log entries.
	Signers []verify.Content
}

// discover looks for evidence of an item, and examines it. It passes over the
// evidence at the addresses of without.
func (r *run) discover(ctx context.Context, it *item, t task, without []string) {
	found, name, err := r.ask(ctx, t, without, smallEvidence)
	var large *fetch.TooLargeError
	if errors.As(err, &large) { // as in examine
		select {
		case r.large <- struct{}{}:
			defer func() { <-r.large }()
		case <-ctx.Done():
		}
		found, name, err = r.ask(ctx, t, without, attestation.MaxDocument)
	}
	it.resolver, it.addresses = name, found.Addresses
	if err != nil {
		if ctx.Err() == nil { // nothing is found out by an interrupted question
			it.finding = findingOf(err)
		}
		return
	}
	f := Finding{
		Kind: NoEvidence, BundleURLs: found.BundleURLs, Replacement: found.Replacement, Unasked: found.Unasked,
		Detail: "there is no attestation where it would be",
	}
	switch {
	case found.Unattestable != "":
		f.Kind, f.Detail = NotAttestable, found.Unattestable
	case len(found.Candidates) > 0:
		r.startTrust(ctx)
		verifier, err := r.trusted(ctx)
		if err != nil {
			if ctx.Err() == nil {
				it.finding = &Finding{Kind: Unknown, Detail: (&trustError{err}).Error()}
			}
			return
		}
		r.verifying <- struct{}{}
		defer func() { <-r.verifying }()
		it.signedBy(&f, verifier, found, t, r.allowed(t))
	}
	it.finding = &f
}

// ask asks the discoverers in order until one knows the source.
func (r *run) ask(ctx context.Context, t task, without []string, most int64) (attestation.Discovery, string, error) {
	q := attestation.Query{URLs: t.result.URLs, SHA256: t.source.SHA256, MaxBytes: most}
	if r.Options.Propose {
		q.Repositories, q.Without = t.repositories, without
		return r.askAll(ctx, q)
	}
	for _, d := range r.Discoverers {
		found, err := d.Discover(ctx, q)
		if errors.Is(err, attestation.ErrNotMine) {
			continue
		}
		return found, d.Name(), err
	}
	return attestation.Discovery{}, "", attestation.ErrNotMine
}

func findingOf(err error) *Finding {
	var format *attestation.FormatError
	switch {
	case errors.Is(err, attestation.ErrNotMine):
		return &Finding{Kind: NotAsked, Detail: "no place is known that could have evidence of it"}
	case errors.As(err, &format):
		return &Finding{Kind: Attestable, Detail: "there is evidence, and it cannot be read: " + format.Error()}
	}
	return &Finding{Kind: Unknown, Detail: "it could not be found out: " + err.Error()}
}

// signedBy finds out who signed. A publisher is named only if the evidence would
// verify with exactly that publisher in the recipe.
func (it *item) signedBy(f *Finding, verifier *verify.Verifier, found attestation.Discovery, t task, terms publishers.Terms) {
	f.Kind, f.Detail = Attestable, "there is evidence, and none of it verifies"
	it.examined = verifier.Examine(found.Candidates, t.source.SHA256)
	for _, c := range found.Candidates {
		in := verifier.Inspect(c, &t.source.SHA256)
		if !in.Genuine || in.Content == nil {
			continue
		}
		p, err := signerOf(*in.Content)
		if err != nil {
			f.Detail = "there is evidence, and its signer cannot be named in a recipe: " + err.Error()
			continue
		}
		evidence, bundles, err := it.examined.Judge(verify.Rules{Publishers: []publishers.Publisher{p}, Match: verify.Any, URLs: t.result.URLs, Terms: terms})
		it.found = bundles
		if err == nil && evidence.Verified() {
			f.Genuine, f.Publisher, f.Detail = true, p.String(), "signed by "+p.String()
			return
		}
		f.Detail = fmt.Sprintf("there is evidence, which would not count: %v", err)
	}
	if it.found == nil { // for the report: what was found, and why it is not genuine
		_, it.found, _ = it.examined.Judge(verify.Rules{Publishers: []publishers.Publisher{nobody()}, Match: verify.Any, URLs: t.result.URLs})
	}
}

// signerOf is the publisher that a recipe would name a signer by: the repository
// that was built, without a ref.
func signerOf(c verify.Content) (publishers.Publisher, error) {
	if c.Release != nil {
		return publishers.Parse("github:" + c.Release.Repository)
	}
	id := c.Certificate.Identity()
	if p, err := publishers.Parse(id.Publisher()); err == nil {
		return p, nil
	}
	return publishers.New(id.SAN, id.Issuer)
}

// nobody is a publisher that no certificate is of: its issuer is no URL.
func nobody() publishers.Publisher {
	p, err := publishers.New("nobody", "nobody")
	if err != nil {
		panic(err)
	}
	return p
}

// discoverable tells whether a source is worth asking for.
func (r *run) discoverable(src recipe.Source) bool {
	return r.Options.Discover && src.HasSHA256 && !src.EmptyDigest && len(r.Discoverers) > 0
}
