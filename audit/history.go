package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

// WarnReregistered is the code of the warning that a repository of the same name
// is another one than the release before was built from.
const WarnReregistered publishers.WarningCode = "repository-identity-changed"

// historyTimeout is how long a source waits for its history beyond its archive.
const historyTimeout = 5 * time.Second

// earlier asks what the release before was signed by, while the archive
// downloads. It is for a warning, so that whatever goes wrong is nothing.
func (r *run) earlier(ctx context.Context, t task) *Earlier {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	q := attestation.Query{URLs: t.result.URLs, SHA256: t.source.SHA256, MaxBytes: smallEvidence}
	for _, u := range t.source.Attestation.BundleURLs {
		q.BundleURLs = append(q.BundleURLs, u.Value)
	}
	e, err := r.history(ctx, q)
	if err != nil {
		return nil
	}
	return e
}

// history asks for the release before, and verifies its evidence. Its errors are
// those of an [attestation.Historian].
func (r *run) history(ctx context.Context, q attestation.Query) (*Earlier, error) {
	for _, h := range r.Historians {
		release, err := h.Previous(ctx, q)
		if errors.Is(err, attestation.ErrNotMine) {
			continue
		}
		if err != nil {
			return nil, err
		}
		verifier, err := r.trusted(ctx)
		if err != nil {
			return nil, err
		}
		r.verifying <- struct{}{}
		defer func() { <-r.verifying }()
		e := &Earlier{Name: clip(release.Name)}
		for _, c := range release.Candidates {
			if in := verifier.Inspect(c, &release.SHA256); in.Genuine && in.Content != nil && speaksOf(in, release) {
				signer := *in.Content
				signer.Subjects, signer.LogEntries = nil, nil // memory lasts as long as the run
				e.Signers = append(e.Signers, signer)
			}
		}
		return e, nil
	}
	return nil, attestation.ErrNotMine
}

// speaksOf tells whether genuine evidence is of the earlier release's file.
func speaksOf(in verify.Inspection, release attestation.Release) bool {
	for _, s := range in.Content.Subjects {
		if d, ok := s.SHA256(); ok && d == release.SHA256 {
			return true
		}
	}
	return false
}

// withHistory warns if the project was built from another repository before: one
// of another name, or one of the same name that somebody registered anew.
func (res Result) withHistory(e *Earlier) Result {
	if e == nil {
		return res
	}
	for _, b := range res.Evidence.Bundles() {
		if b.Verified == nil || b.Verified.Certificate.SourceRepository == "" {
			continue
		}
		if w, changed := e.compare(b.Verified.Certificate); changed {
			res.Warnings = append(res.Warnings, w)
			return res
		}
	}
	return res
}

// compare finds what changed since the earlier release. Where that was built
// from several repositories, one that is the same is enough.
func (e *Earlier) compare(now verify.Certificate) (w publishers.Warning, changed bool) {
	for _, signer := range e.Signers {
		then := signer.Certificate
		if then.SourceRepository == "" {
			continue
		}
		sameName := strings.EqualFold(then.SourceRepository, now.SourceRepository)
		sameID := then.SourceRepositoryID == now.SourceRepositoryID || then.SourceRepositoryID == "" || now.SourceRepositoryID == ""
		switch {
		case sameName && sameID:
			return publishers.Warning{}, false
		case sameName:
			w = publishers.Warning{Code: WarnReregistered, Message: fmt.Sprintf(
				"%s was built from %s with the identifier %q, and this from one of the same name with %q: somebody registered the name anew, or made the repository anew",
				quote(e.Name), quote(now.SourceRepository), then.SourceRepositoryID, now.SourceRepositoryID)}
		default:
			moved := "the project moved"
			if !sameID {
				moved = "the project moved to another repository, or one of the two is somebody else's"
			}
			w = publishers.Warning{Code: WarnMoved, Message: fmt.Sprintf("%s was built from %s, and this from %s: %s",
				quote(e.Name), quote(then.SourceRepository), quote(now.SourceRepository), moved)}
		}
		changed = true
	}
	return w, changed
}

// clip shortens text that a stranger chose.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// quote quotes text from certificates and indexes where it is more than plain.
func quote(s string) string {
	s = clip(s)
	if q := fmt.Sprintf("%+q", s); q != `"`+s+`"` {
		return q
	}
	return s
}
