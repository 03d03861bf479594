package origin

import "strings"

// parseGitHub reads /owner/repo/releases/download/TAG/ASSET,
// /owner/repo/releases/latest/download/ASSET, /owner/repo/archive/… and
// /owner/repo/tarball|zipball/REF.
func parseGitHub(path []string) Origin {
	if len(path) < 4 || anySlash(path[:3]) {
		return Origin{Kind: KindOther}
	}
	o := Origin{Owner: path[0], Repository: path[1]}
	what, rest := path[2], path[3:]
	switch what {
	case "releases":
		return o.release(rest)
	case "archive":
		o.Kind, o.Tag = KindGitHubArchive, tagOfArchive(rest)
	case "tarball", "zipball":
		o.Kind, o.Tag = KindGitHubArchive, tagOfRef(rest)
	default:
		return Origin{Kind: KindOther}
	}
	return o
}

// release reads what stands after /owner/repo/releases/. A tag may hold
// slashes, encoded or not; an asset's name may not.
func (o Origin) release(rest []string) Origin {
	last := len(rest) - 1
	switch {
	case last == 2 && rest[0] == "latest" && rest[1] == "download":
	case last >= 2 && rest[0] == "download":
		o.Tag = strings.Join(rest[1:last], "/")
	default:
		return Origin{Kind: KindOther}
	}
	if strings.Contains(rest[last], "/") {
		return Origin{Kind: KindOther}
	}
	o.Kind, o.Asset = KindGitHubRelease, rest[last]
	return o
}

// parseCodeload reads /owner/repo/tar.gz/REF and its like.
func parseCodeload(path []string) Origin {
	if len(path) < 4 || anySlash(path[:3]) {
		return Origin{Kind: KindOther}
	}
	switch path[2] {
	case "tar.gz", "zip", "legacy.tar.gz", "legacy.zip":
		return Origin{Kind: KindGitHubArchive, Owner: path[0], Repository: path[1], Tag: tagOfRef(path[3:])}
	}
	return Origin{Kind: KindOther}
}

// tagOfArchive reads refs/tags/TAG.tar.gz or REF.tar.gz. In REF/name.tar.gz
// nothing tells a tag with a slash from a name that somebody chose.
func tagOfArchive(rest []string) string {
	last := len(rest) - 1
	stem := ""
	for _, ending := range [...]string{".tar.gz", ".zip", ".tgz"} {
		if s, ok := strings.CutSuffix(rest[last], ending); ok && s != "" {
			stem = s
			break
		}
	}
	if stem == "" {
		return ""
	}
	return tagOfRef(append(rest[:last:last], stem))
}

// tagOfRef reads refs/tags/TAG, or a TAG that is one segment: by its looks it
// may be a branch as well, but no commit.
func tagOfRef(rest []string) string {
	ref := strings.Join(rest, "/")
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		return tag
	}
	if len(rest) != 1 || strings.HasPrefix(ref, "refs/") || isCommit(ref) {
		return ""
	}
	return ref
}

func isCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}
