package audit

import (
	"context"

	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// Wanted is an archive that is to be fetched.
type Wanted struct {
	URLs   []string // in the recipe's order
	SHA256 digest.SHA256
	// Options are what a Client is to be told.
	Options fetch.ArchiveOptions
}

// fetch gets the archive of a task.
func (r *run) fetch(ctx context.Context, t task) archive {
	w := Wanted{URLs: t.result.URLs, SHA256: t.source.SHA256, Options: r.archiveOptions(t.source)}
	if r.Options.Fetch != nil {
		a, err := r.Options.Fetch(ctx, r.Client, w)
		return archive{a, err}
	}
	a, err := r.Client.Archive(ctx, w.URLs, w.Options)
	return archive{a, err}
}

// fetched has the archive of a task fetched although no evidence of it is
// demanded, where the run wants all archives.
func (r *run) fetched(t task) task {
	if !r.Options.Archives || r.Options.NoDownload || t.result.Verdict.Status() != StatusOK {
		return t
	}
	if !t.source.HasSHA256 || t.source.EmptyDigest {
		return known(t.result.with(Error, CodeRecipe, "the source pins no sha256, so nobody can tell which archive is meant",
			"write `sha256: ` and the SHA-256 of the archive"))
	}
	t.archive = true
	if !t.discover { // nobody else's item may stand for it
		t.key[len(t.key)-1] ^= 0x0f
	}
	return t
}

// finishDone gives the result of a task whose verdict did not depend on evidence.
func (r *run) finishDone(ctx context.Context, p pending) Result {
	res := p.result
	if p.discover {
		res = res.withFinding(p.item)
	}
	if p.archive {
		if p.item.archive == nil { // the run ended before
			return res.with(Unavailable, CodeInterrupted, "the run was interrupted", "")
		}
		res = interrupted(ctx, res.withArchive(*p.item.archive, p.source))
	}
	return res
}
