package pypi

import (
	"context"
	"errors"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/origin"
)

// maxHistory is the most bytes of a project's index that are read for its
// history. What is larger is passed over: the history is not worth it.
const maxHistory = 4 << 20

// Previous implements [attestation.Historian]: the file with provenance, of
// another version, that was uploaded last before the archive.
func (r *Resolver) Previous(ctx context.Context, q attestation.Query) (attestation.Release, error) {
	var release attestation.Release
	file, ok := firstFile(q)
	if !ok {
		return release, attestation.ErrNotMine
	}
	address := simpleURL(file.Project)
	release.Addresses = append(release.Addresses, address)
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{Accept: simpleAccept, MaxBytes: maxHistory})
	var absent *fetch.NotFoundError
	if errors.As(err, &absent) {
		return release, file.none("")
	}
	if err != nil {
		return release, err
	}
	found, err := before(doc.Body, q.SHA256.String(), file)
	if err != nil {
		return release, &attestation.FormatError{Origin: address, Index: -1, Problem: err.Error()}
	}
	if found == nil {
		return release, file.none("")
	}
	if release.SHA256, err = digest.ParseSHA256(found.Hashes.SHA256); err != nil {
		return release, &attestation.FormatError{Origin: address, Index: -1, Problem: "a file's sha256 is malformed"}
	}
	if err := sameIndex(*found.Provenance); err != nil {
		return release, err
	}
	release.Name = found.Name
	release.Candidates, err = r.provenance(ctx, &release.Answer, *found.Provenance, file, q)
	for i := range release.Candidates {
		release.Candidates[i].MatchSubject = nil // the file is another one
	}
	return release, err
}

// before finds the last file with provenance that was uploaded before the one
// with a digest, and is of another version.
func before(body []byte, sha256 string, file File) (*simpleFile, error) {
	var own time.Time
	var earlier []simpleFile
	err := eachFile(body, func(f simpleFile) bool {
		_, version, ok := origin.Distribution(f.Name, file.Project)
		switch {
		case f.Hashes.SHA256 == sha256:
			own = uploadTime(f)
		case f.Provenance != nil && ok && version != file.Version:
			earlier = append(earlier, f)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var last *simpleFile
	for i, f := range earlier {
		if t := uploadTime(f); !t.IsZero() && t.Before(own) && (last == nil || t.After(uploadTime(*last))) {
			last = &earlier[i]
		}
	}
	return last, nil
}

// uploadTime is zero where the index says nothing that can be read.
func uploadTime(f simpleFile) time.Time {
	t, err := time.Parse(time.RFC3339, f.Uploaded)
	if err != nil {
		return time.Time{}
	}
	return t
}
