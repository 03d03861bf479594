package pypi

import (
	"context"
	"errors"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/origin"
)

// askedAlone is how many files of one project are asked for one by one. The
// Simple API's one answer serves all further ones; before that it saves nothing.
const askedAlone = 2

// Discover implements [attestation.Discoverer]. It is for sources that lie on one
// of PyPI's hosts; for others the error wraps [attestation.ErrNotMine].
//
// A file is asked for at the Integrity API, where 404 means that there is no
// provenance. One whose name may be spelled otherwise on PyPI, or may be split
// into project and version in several ways, is looked for by its digest in the
// Simple API's answer for the project, as [Resolver.Resolve] does. That answer is
// asked for once in the resolver's life, as long as the memory for it lasts, and
// also tells of further files of a project that they have none. What is found
// does not depend on that: neither do the addresses in the answer, among which
// the Simple API is where a file was found by way of it only.
func (r *Resolver) Discover(ctx context.Context, q attestation.Query) (attestation.Discovery, error) {
	var d attestation.Discovery
	file, ok := firstFile(q)
	if !ok {
		return d, attestation.ErrNotMine
	}
	var err error
	if file.spelledAsOnPyPI() {
		err = r.discoverByName(ctx, &d.Answer, file, q)
	} else {
		err = r.discoverByDigest(ctx, &d.Answer, file, q)
	}
	return d, err
}

// discoverByName asks the Integrity API, unless the index is known to have no
// provenance for a file of that name.
func (r *Resolver) discoverByName(ctx context.Context, answer *attestation.Answer, file File, q attestation.Query) error {
	if r.indexes.counts(file.Project) > askedAlone {
		if found, err := r.project(ctx, file.Project); err == nil && !found.absent && !found.names[nameKey(file.Name)] {
			answer.Addresses = append(answer.Addresses, file.provenanceURL())
			return nil
		}
		// What the index cannot tell, the file's own address does.
	}
	candidates, err := r.provenance(ctx, answer, file.provenanceURL(), file, q)
	var absent *fetch.NotFoundError
	if errors.As(err, &absent) {
		return nil
	}
	answer.Candidates = candidates
	return err
}

// discoverByDigest looks for the file with the pinned digest.
func (r *Resolver) discoverByDigest(ctx context.Context, answer *attestation.Answer, file File, q attestation.Query) error {
	answer.Addresses = append(answer.Addresses, simpleURL(file.Project))
	found, err := r.project(ctx, file.Project)
	if err != nil {
		return err
	}
	link, ok := found.provenance[q.SHA256]
	switch {
	case found.absent: // nor has a mirror that keeps provenance alone any
		link = file.provenanceURL()
	case !ok:
		return nil
	}
	if err := sameIndex(link); err != nil {
		return err
	}
	candidates, err := r.provenance(ctx, answer, link, file, q)
	var absent *fetch.NotFoundError
	if errors.As(err, &absent) {
		return nil
	}
	answer.Candidates = candidates
	return err
}

// spelledAsOnPyPI tells whether a file's name is what PyPI calls it, and can be
// split in one way only: the project's name in lower case with underscores, as
// tools have to write it since 2022 (PEP 625, and PEP 427 for wheels).
func (f File) spelledAsOnPyPI() bool {
	rest, ok := strings.CutPrefix(f.Name, strings.ReplaceAll(f.Project, "-", "_")+"-"+f.Version)
	if !ok || strings.Trim(f.Version, "abcdefghijklmnopqrstuvwxyz0123456789.!+") != "" {
		return false
	}
	return rest == origin.SdistEnding(f.Name) && rest != "" || strings.HasPrefix(rest, "-") && strings.HasSuffix(rest, ".whl")
}

// project gives the index of a project, from memory if it is there.
func (r *Resolver) project(ctx context.Context, project string) (*projectIndex, error) {
	release, err := r.indexes.take(ctx, project)
	if err != nil {
		return nil, err
	}
	defer release()
	if found := r.indexes.get(project); found != nil {
		return found, nil
	}
	found, err := r.readIndex(ctx, project, smallIndex)
	var large *fetch.TooLargeError
	if errors.As(err, &large) {
		// Large answers are taken one at a time.
		release, err := r.indexes.take(ctx, anyLarge)
		if err != nil {
			return nil, err
		}
		defer release()
		if found, err = r.readIndex(ctx, project, MaxIndex); err != nil {
			return nil, err
		}
		r.indexes.put(project, found)
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	r.indexes.put(project, found)
	return found, nil
}

// nameKey is what two spellings of one file's name have in common: PyPI does not
// take both.
func nameKey(name string) string { return strings.ToLower(name) }

// projectIndex is what is kept of the Simple API's answer for a project: the
// files with provenance.
type projectIndex struct {
	absent     bool                     // there is no such project
	provenance map[digest.SHA256]string // addresses
	names      map[string]bool          // by nameKey
}

func (p *projectIndex) add(f simpleFile) {
	if f.Provenance == nil {
		return
	}
	if p.names == nil {
		p.names, p.provenance = map[string]bool{}, map[digest.SHA256]string{}
	}
	p.names[nameKey(f.Name)] = true
	if d, err := digest.ParseSHA256(f.Hashes.SHA256); err == nil {
		if _, twice := p.provenance[d]; !twice {
			p.provenance[d] = *f.Provenance
		}
	}
}

// size is about how many bytes of memory it takes.
func (p *projectIndex) size() int64 {
	size := int64(projectCost)
	for name := range p.names {
		size += int64(len(name)) + entryCost
	}
	for _, link := range p.provenance {
		size += int64(len(link)) + entryCost
	}
	return size
}
