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

// finish waits for what a task depends on and gives its result.
func (r *run) finish(ctx context.Context, p pending) Result {
	if p.item == nil {
		return p.result
	}
	<-p.item.done
	if p.done {
		return r.finishDone(ctx, p)
	}
	if ctx.Err() != nil && errors.Is(p.item.err, ctx.Err()) {
		return p.result.with(Unavailable, CodeInterrupted, "the run was interrupted", "")
	}
	res := r.judge(p.item, p.task)
	switch {
	case res.Verdict != Verified:
		return interrupted(ctx, res)
	case r.Options.NoDownload:
		res.Code = CodeMetadataOnly
		res.Message += "; the archive was not fetched, its digest is left to the build"
		return res
	case p.item.archive == nil:
		// The first recipe that names this source wants another publisher, so
		// its download was cancelled.
		a := r.fetch(ctx, p.task)
		p.item.archive = &a
	}
	return interrupted(ctx, res.withHistory(p.item.earlier).withArchive(*p.item.archive, p.source))
}

func (res Result) with(v Verdict, code Code, message, hint string) Result {
	if hint == "" {
		hint = defaultHint(code)
	}
	res.Verdict, res.Code, res.Message, res.Hint = v, code, message, hint
	return res
}

// withFinding adds what was found out to a result whose verdict is known.
func (res Result) withFinding(it *item) Result {
	res.Resolver, res.EvidenceAddresses, res.Bundles, res.Finding = it.resolver, it.addresses, it.found, it.finding
	if it.finding == nil {
		return res.with(Unavailable, CodeInterrupted, "the run was interrupted before evidence was looked for", "")
	}
	return res
}

// interrupted replaces what a cancelled context makes of a result: nothing is
// known of the source then.
func interrupted(ctx context.Context, res Result) Result {
	if ctx.Err() != nil && res.Verdict == Unavailable {
		return res.with(Unavailable, CodeInterrupted, "the run was interrupted", "")
	}
	return res
}

// withArchive adds what was measured to a result whose verdict is good so far,
// and takes the verdict back if it is not what the recipe pins.
func (res Result) withArchive(a archive, src recipe.Source) Result {
	if a.err != nil {
		res.Evidence = verify.Evidence{}
		return res.failedFetch(a.err, "the archive", CodeArchiveMissing)
	}
	res.Address, res.Bytes = a.Address, a.Size
	res.Measured = Digests{SHA256: a.SHA256, MD5: a.MD5}
	switch {
	case res.Verdict == Verified && a.SHA256 != res.Evidence.SHA256() || a.SHA256 != src.SHA256:
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

// judge compares what was found with what a recipe demands.
func (it *item) judge(res Result, rules verify.Rules) Result {
	res.Resolver, res.EvidenceAddresses, res.Candidates = it.resolver, it.addresses, it.candidates
	var trust *trustError
	switch {
	case errors.As(it.err, &trust):
		return res.with(Unavailable, CodeTrust, trust.Error(), hintOf(trust.err))
	case it.err != nil:
		return res.failedEvidence(it.err)
	}
	evidence, bundles, err := it.examined.Judge(rules)
	res.Bundles = bundles
	var invalid *verify.InvalidError
	var mismatch *verify.MismatchError
	switch {
	case err == nil && evidence.Verified():
		res.Evidence = evidence
		return res.with(Verified, CodeVerified, "signed by "+signers(evidence), "").withWarnings()
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
