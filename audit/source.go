package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// do takes one task to its result.
func (r *run) do(ctx context.Context, t task) Result {
	if t.done {
		return t.result
	}
	if ctx.Err() != nil {
		return t.result.with(Unavailable, CodeInterrupted, "the run was interrupted before this source was looked at", "")
	}
	return r.source(ctx, t.result, t.source)
}

func (res Result) with(v Verdict, code Code, message, hint string) Result {
	if hint == "" {
		hint = defaultHint(code)
	}
	res.Verdict, res.Code, res.Message, res.Hint = v, code, message, hint
	return res
}

// An archive is what came of fetching one.
type archive struct {
	*fetch.Archive
	err error
}

// source fetches archive and evidence of an attested source at the same time.
// What the evidence says decides first, so that a verdict does not depend on
// which of the two was faster; a failure cancels the download.
func (r *run) source(ctx context.Context, res Result, src recipe.Source) Result {
	r.startTrust(ctx)
	download, cancel := context.WithCancel(ctx)
	fetched := make(chan archive, 1)
	urls := res.URLs // res is written to below while this is read
	go func() {
		if r.Options.NoDownload {
			fetched <- archive{}
			return
		}
		a, err := r.Client.Archive(download, urls, r.archiveOptions(src))
		fetched <- archive{a, err}
	}()
	res = r.evidence(ctx, res, src)
	if res.Verdict != Verified {
		cancel()
		<-fetched
		return interrupted(ctx, res)
	}
	a := <-fetched
	cancel()
	if r.Options.NoDownload {
		res.Code = CodeMetadataOnly
		res.Message += "; the archive was not fetched, its digest is left to the build"
		return res
	}
	return interrupted(ctx, res.withArchive(a, src))
}

// interrupted replaces what a cancelled context makes of a result: nothing is
// known of the source then.
func interrupted(ctx context.Context, res Result) Result {
	if ctx.Err() != nil && res.Verdict == Unavailable {
		return res.with(Unavailable, CodeInterrupted, "the run was interrupted", "")
	}
	return res
}

func (r *run) archiveOptions(src recipe.Source) fetch.ArchiveOptions {
	o := fetch.ArchiveOptions{MD5: src.HasMD5}
	if p := r.Options.Progress; p != nil {
		o.Progress = func(u fetch.Progress) { p.Update(u.URL, u.Bytes, u.Total) }
		o.Done = p.Done
	}
	return o
}

// withArchive adds what was measured to a result whose evidence is verified,
// and takes the verdict back if it is not what the recipe pins.
func (res Result) withArchive(a archive, src recipe.Source) Result {
	if a.err != nil {
		res.Evidence = verify.Evidence{}
		return res.failedFetch(a.err, "the archive", CodeArchiveMissing)
	}
	res.Address, res.Bytes = a.Address, a.Size
	res.Measured = Digests{SHA256: a.SHA256, MD5: a.MD5}
	switch {
	case a.SHA256 != res.Evidence.SHA256() || a.SHA256 != src.SHA256:
		res.Evidence = verify.Evidence{}
		return res.with(Mismatch, CodeArchiveDigest,
			fmt.Sprintf("the archive has sha256 %s, wanted %s", a.SHA256, src.SHA256),
			"the archive was replaced after the recipe was written, or damaged on its way; do not update the recipe before you know why")
	case src.HasMD5 && (!a.HasMD5 || a.MD5 != src.MD5):
		res.Evidence = verify.Evidence{}
		return res.with(Mismatch, CodeArchiveMD5,
			fmt.Sprintf("the archive has md5 %s, wanted %s", a.MD5, src.MD5),
			"the sha256 agrees, so the recipe's md5 is wrong; correct or remove it")
	}
	return res
}

// smallEvidence is the most bytes of evidence that sources are worked on side by
// side with. Real evidence has some 10 KiB. Verifying takes several times as
// much memory as the documents, so larger ones are taken one source at a time.
const smallEvidence = 1 << 20

// evidence finds and verifies the evidence for the digest that a source pins.
func (r *run) evidence(ctx context.Context, res Result, src recipe.Source) Result {
	answer, name, err := r.resolve(ctx, src, res.URLs, smallEvidence)
	var large *fetch.TooLargeError
	if errors.As(err, &large) {
		select {
		case r.large <- struct{}{}:
			defer func() { <-r.large }()
		case <-ctx.Done():
		}
		answer, name, err = r.resolve(ctx, src, res.URLs, attestation.MaxDocument)
	}
	res.Resolver, res.EvidenceAddresses = name, answer.Addresses
	if err != nil {
		return res.failedEvidence(err)
	}
	verifier, err := r.trusted(ctx)
	if err != nil {
		return res.with(Unavailable, CodeTrust, "no trusted root could be obtained: "+err.Error(), hintOf(err))
	}
	evidence, bundles, err := verifier.Verify(answer.Candidates, src.SHA256, r.rules(src, res.URLs))
	res.Bundles = bundles
	var invalid *verify.InvalidError
	var mismatch *verify.MismatchError
	switch {
	case err == nil && evidence.Verified():
		res.Evidence = evidence
		return res.with(Verified, CodeVerified, "signed by "+signers(evidence), "")
	case errors.As(err, &invalid):
		return res.with(Invalid, Code(invalid.Code), invalid.Message, invalid.Mend)
	case errors.As(err, &mismatch):
		return res.with(Mismatch, Code(mismatch.Code), mismatch.Message, mismatch.Mend)
	default:
		return res.with(Error, CodeRecipe, fmt.Sprint(err), "")
	}
}

func signers(e verify.Evidence) string {
	var names []string
	seen := map[string]bool{}
	for _, b := range e.Bundles() {
		if !seen[b.Publisher] {
			seen[b.Publisher] = true
			names = append(names, b.Publisher)
		}
	}
	return strings.Join(names, " and ")
}

// resolve asks the resolvers in order until one knows the source.
func (r *run) resolve(ctx context.Context, src recipe.Source, urls []string, most int64) (attestation.Answer, string, error) {
	q := attestation.Query{URLs: urls, SHA256: src.SHA256, MaxBytes: most}
	for _, u := range src.Attestation.BundleURLs {
		q.BundleURLs = append(q.BundleURLs, u.Value)
	}
	for _, resolver := range r.Resolvers {
		answer, err := resolver.Resolve(ctx, q)
		if errors.Is(err, attestation.ErrNotMine) {
			continue
		}
		return answer, resolver.Name(), err
	}
	return attestation.Answer{}, "", attestation.ErrNotMine
}

func (r *run) rules(src recipe.Source, urls []string) verify.Rules {
	rules := verify.Rules{Match: r.Options.Match, URLs: urls}
	if rules.Match == 0 {
		rules.Match = verify.Any
	}
	for _, p := range src.Attestation.Publishers {
		rules.Publishers = append(rules.Publishers, p.Publisher)
	}
	for _, t := range src.Attestation.PredicateTypes {
		rules.PredicateTypes = append(rules.PredicateTypes, t.Value)
	}
	return rules
}

// failedEvidence turns a resolver's error into a verdict.
func (res Result) failedEvidence(err error) Result {
	var none *attestation.NoneError
	var format *attestation.FormatError
	var large *fetch.TooLargeError
	switch {
	case errors.Is(err, attestation.ErrNotMine):
		return res.with(Error, CodeNoAddress, "no evidence address can be derived from "+redacted(res.URLs),
			"add to the attestation block: bundle_url: <the address of the release's .sigstore.json or .intoto.jsonl file>")
	case errors.As(err, &none):
		return res.with(Missing, CodeNoEvidence, none.Error(), none.Hint())
	case errors.As(err, &format):
		return res.with(Invalid, Code(verify.CodeMalformed), format.Error(), "")
	case errors.As(err, &large):
		return res.with(Error, CodeTooLarge, "the evidence could not be fetched: "+err.Error(),
			"no real attestation is as large; look at what the address serves")
	default:
		return res.failedFetch(err, "the evidence", CodeNoEvidence)
	}
}

// failedFetch turns an error of package fetch into a verdict.
func (res Result) failedFetch(err error, what string, absentCode Code) Result {
	var absent *fetch.NotFoundError
	var refused *fetch.RefusedError
	var large *fetch.TooLargeError
	message := what + " could not be fetched: " + err.Error()
	switch {
	case errors.As(err, &absent):
		return res.with(Missing, absentCode, what+" does not exist: "+err.Error(), hintOf(err))
	case errors.As(err, &refused):
		return res.with(Error, CodeRefused, message, hintOf(err))
	case errors.As(err, &large):
		return res.with(Error, CodeTooLarge, message, hintOf(err))
	default:
		return res.with(Unavailable, CodeFetchFailed, message, hintOf(err))
	}
}

// redacted lists addresses as they may be printed.
func redacted(addresses []string) string {
	var shown []string
	for _, a := range addresses {
		shown = append(shown, fetch.Redact(a))
	}
	return strings.Join(shown, " or ")
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
