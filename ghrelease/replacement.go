package ghrelease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/origin"
)

const unattestable = "GitHub makes archives of tags and commits anew on each request, and attests none of them"

// discoverArchive says that an archive is not attestable, and which asset of the
// tag's release could stand in its place. That is certain whatever GitHub's API
// says, so the error is the context's only.
func (r *Resolver) discoverArchive(ctx context.Context, o origin.Origin, archive string) (attestation.Discovery, error) {
	d := attestation.Discovery{Unattestable: unattestable}
	if o.Tag == "" {
		return d, nil
	}
	address := fmt.Sprintf("https://%s/repos/%s/%s/releases/tags/%s", apiHost, url.PathEscape(o.Owner), url.PathEscape(o.Repository), escapeTag(o.Tag))
	d.Addresses = append(d.Addresses, address)
	doc, err := r.api(ctx, address, func(ctx context.Context, address string, options fetch.DocumentOptions) (*fetch.Document, error) {
		options.MaxBytes = MaxRelease
		return r.Client.Document(ctx, address, options)
	})
	var quota *fetch.QuotaError
	switch {
	case ctx.Err() != nil:
		return d, err
	case err != nil && absent(err): // a tag without a release
		return d, nil
	case errors.As(err, &quota):
		d.Unattestable += "; its release was not looked at, for GitHub's API answers no more requests now"
		return d, nil
	case err != nil:
		d.Unattestable += "; its release could not be looked at: " + err.Error()
		return d, nil
	}
	format := ".tar.gz"
	if strings.HasSuffix(archive, ".zip") {
		format = ".zip"
	}
	var release struct {
		Assets []asset `json:"assets"`
	}
	if err := json.Unmarshal(doc.Body, &release); err != nil {
		d.Unattestable += "; its release could not be looked at: the answer of GitHub's API is malformed"
		return d, nil
	}
	if name := sourceAsset(release.Assets, o, format); name != "" {
		d.Replacement = fmt.Sprintf("https://github.com/%s/%s/releases/download/%s/%s",
			url.PathEscape(o.Owner), url.PathEscape(o.Repository), escapeTag(o.Tag), url.PathEscape(name))
	}
	return d, nil
}

// escapeTag keeps a tag's slashes, as GitHub's own addresses do.
func escapeTag(tag string) string {
	return strings.ReplaceAll(url.PathEscape(tag), "%2F", "/")
}

// asset is a file of a release (GitHub REST API, "Get a release by tag name").
// Its address is made of its name, and never taken from the answer.
type asset struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Digest string `json:"digest"` // "sha256:…", of assets since June 2025
}

// archiveEndings are those of source archives.
var archiveEndings = [...]string{".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".zip"}

// sourceAsset names the asset that is the release's own source archive, or "" if
// there is none or it cannot be told which. Of several that one is taken which
// has evidence beside it, or else a digest that evidence can be looked up by; of
// one archive in several formats, the one that is like the archive it replaces.
func sourceAsset(assets []asset, o origin.Origin, format string) string {
	names := map[string]bool{}
	for _, a := range assets {
		names[a.Name] = true
	}
	stems := sourceStems(o)
	best, rank := []string{}, -1
	for _, a := range assets {
		stem, ok := archiveStem(a.Name)
		if !ok || a.State != "" && a.State != "uploaded" || !slices.Contains(stems, origin.NormalizeProject(stem)) {
			continue
		}
		switch rated := a.rank(names); {
		case rated > rank:
			best, rank = []string{a.Name}, rated
		case rated == rank:
			best = append(best, a.Name)
		}
	}
	if len(best) > 1 {
		best = slices.DeleteFunc(best, func(name string) bool { return !strings.HasSuffix(name, format) })
	}
	if len(best) != 1 {
		return ""
	}
	return best[0]
}

func (a asset) rank(names map[string]bool) int {
	switch {
	case names[a.Name+".sigstore.json"], names[a.Name+".sigstore"], names[a.Name+".intoto.jsonl"]:
		return 2
	case strings.HasPrefix(a.Digest, "sha256:"):
		return 1
	}
	return 0
}

// archiveStem takes the ending from a source archive's name. Names with anything
// but plain characters are no release tool's.
func archiveStem(name string) (string, bool) {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("-_.+", c) < 0 {
			return "", false
		}
	}
	for _, ending := range archiveEndings {
		if stem, ok := strings.CutSuffix(name, ending); ok {
			return stem, stem != ""
		}
	}
	return "", false
}

// sourceStems are the names that a release's source archive may have, without
// ending and normalized: REPOSITORY-VERSION, as the tag has the version, with or
// without a "v", and with or without a word that says what it is.
func sourceStems(o origin.Origin) []string {
	// The tags of a repository of several packages begin with a folder's name.
	tag := origin.NormalizeProject(o.Tag[strings.LastIndexByte(o.Tag, '/')+1:])
	repository := origin.NormalizeProject(o.Repository)
	version := strings.TrimPrefix(tag, repository+"-")
	version = strings.TrimPrefix(version, "release-")
	if rest, ok := strings.CutPrefix(version, "v"); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		version = rest
	}
	var stems []string
	for _, v := range []string{version, "v" + version} {
		for _, word := range []string{"", "-src", "-source", "-sources"} {
			stems = append(stems, repository+"-"+v+word)
		}
	}
	return stems
}
