package ghrelease

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/origin"
)

// maxRepositories is how many repositories are asked for a digest that no address
// of the source leads to.
const maxRepositories = 3

// propose is Discover for somebody who is to write a block: evidence at exactly
// one address, the first one that has any.
//
// Of a release's asset the files beside it are asked before the API: their
// addresses follow the version, and other tools read them too. Of everything else
// that lies on GitHub, archives of tags and commits included, the API is asked by
// digest. Of what does not lie there it is asked in the query's repositories.
//
// A place that could not be asked or read is noted where a later one has
// evidence, and is the error where none has: then it is not known that there is
// none.
func (r *Resolver) propose(ctx context.Context, q attestation.Query) (attestation.Discovery, error) {
	places, archive, made := proposable(q)
	if len(places) == 0 {
		return attestation.Discovery{}, attestation.ErrNotMine
	}
	var found attestation.Discovery
	var failed error
	for _, address := range after(places, q.Without) {
		c := r.collect(q)
		candidates, pooled, err := c.place(ctx, address, q.SHA256)
		found.Addresses = append(found.Addresses, c.answer.Addresses...)
		if ctx.Err() != nil {
			return found, err
		}
		if err != nil {
			var large *fetch.TooLargeError
			if errors.As(err, &large) && q.Limit() < attestation.MaxDocument {
				return found, err // for another try with more; a later place may not come before it
			}
			found.Unasked = append(found.Unasked, naming(address, err))
			failed = graver(failed, err)
			continue
		}
		if len(candidates) > 0 {
			found.Candidates, found.BundleURLs, found.Pooled = candidates, []string{address}, pooled
			return found, nil
		}
	}
	if failed != nil || archive == "" || len(q.Without) > 0 {
		return found, failed
	}
	d, err := r.discoverArchive(ctx, made, archive)
	d.Addresses = append(found.Addresses, d.Addresses...)
	return d, err
}

// naming is an error in words that name the address that was asked.
func naming(address string, err error) string {
	shown, text := fetch.Redact(address), err.Error()
	if strings.Contains(text, shown) {
		return text
	}
	return shown + ": " + text
}

// place gives the bundles at an address that a block may name, if one of them
// lists the digest.
func (c *collected) place(ctx context.Context, address string, d digest.SHA256) (found []attestation.Candidate, pooled bool, err error) {
	first, ok := parseLookup(address, d)
	if !ok {
		found, err = c.beside(ctx, address, d)
		return found, false, err
	}
	if err := c.lookUp(ctx, first); err != nil {
		return nil, true, err
	}
	found, err = listing(address, c.answer.Candidates, d)
	return found, true, err
}

// proposable gives the addresses where evidence for a source may lie, the best
// first; and, where it is an archive that GitHub makes, its address and origin.
func proposable(q attestation.Query) (places []string, archive string, made origin.Origin) {
	var inRepository origin.Repository
	for _, address := range q.URLs {
		o := origin.Parse(address)
		if o.Kind == origin.KindGitHubRelease {
			return append(sidecars(address), lookupAddress(o.Owner, o.Repository, q.SHA256)), "", origin.Origin{}
		}
		if o.Kind == origin.KindGitHubArchive && archive == "" {
			archive, made = address, o
		}
		if repo, ok := origin.RepositoryOf(address); ok && repo.Host == "github.com" && inRepository.IsZero() && isFile(address) {
			inRepository = repo
		}
	}
	if archive != "" {
		return []string{lookupAddress(made.Owner, made.Repository, q.SHA256)}, archive, made
	}
	repositories := q.Repositories
	if !inRepository.IsZero() {
		repositories = []string{inRepository.Path}
	}
	for _, path := range repositories {
		owner, name, ok := strings.Cut(path, "/")
		if repo, known := origin.RepositoryOf("https://github.com/" + path); !ok || !known || repo.Path != path {
			continue
		}
		if address := lookupAddress(owner, name, q.SHA256); !slices.Contains(places, address) && len(places) < maxRepositories {
			places = append(places, address)
		}
	}
	return places, "", origin.Origin{}
}

// isFile tells whether an address is one that serves a repository's own files,
// and no page of its project.
func isFile(address string) bool {
	for _, prefix := range [...]string{"https://raw.githubusercontent.com/", "https://github.com/", "https://api.github.com/"} {
		if strings.HasPrefix(address, prefix) {
			return true
		}
	}
	return false
}

// after gives the places behind those whose evidence is not wanted.
func after(places, without []string) []string {
	last := -1
	for i, p := range places {
		if slices.Contains(without, p) {
			last = i
		}
	}
	return places[last+1:]
}
