package origin

import "strings"

// parseGitLab reads /group/…/project/-/archive/REF/name.tar.gz.
func parseGitLab(path []string) Origin {
	for i, seg := range path {
		if seg != "-" {
			continue
		}
		rest := path[i+1:]
		if i < 2 || len(rest) < 3 || rest[0] != "archive" || anySlash(path[:i]) {
			break
		}
		return Origin{
			Kind: KindGitLabArchive, Owner: strings.Join(path[:i-1], "/"), Repository: path[i-1],
			Tag: tagOfRef(rest[1 : len(rest)-1]),
		}
	}
	return Origin{Kind: KindOther}
}

// parseCrates reads /api/v1/crates/NAME/VERSION/download,
// /crates/NAME/VERSION/download and /crates/NAME/NAME-VERSION.crate.
func parseCrates(path []string) Origin {
	o := Origin{Kind: KindCrates}
	if len(path) > 2 && path[0] == "api" && path[1] == "v1" {
		path = path[2:]
	}
	if len(path) < 3 || path[0] != "crates" || !isName(path[1]) {
		return o
	}
	version := path[2]
	switch {
	case len(path) == 4 && path[3] == "download":
	case len(path) == 3:
		stem, isCrate := strings.CutSuffix(path[2], ".crate")
		rest, named := strings.CutPrefix(stem, path[1]+"-")
		if !isCrate || !named {
			return o
		}
		version = rest
	default:
		return o
	}
	if isName(version) {
		o.Project, o.Version, o.File = path[1], version, path[1]+"-"+version+".crate"
	}
	return o
}

// parseNPM reads /name/-/name-VERSION.tgz and /@scope/name/-/name-VERSION.tgz;
// the scope's slash may be encoded.
func parseNPM(path []string) Origin {
	o := Origin{Kind: KindNPM}
	parts := strings.Split(strings.Join(path, "/"), "/")
	name, scope := "", ""
	switch {
	case len(parts) == 3:
		name = parts[0]
	case len(parts) == 4 && strings.HasPrefix(parts[0], "@"):
		scope, name, parts = parts[0], parts[1], parts[1:]
	}
	if !isName(name) || scope != "" && !isName(scope[1:]) || parts[1] != "-" {
		return o
	}
	stem, isTarball := strings.CutSuffix(parts[2], ".tgz")
	version, named := strings.CutPrefix(stem, name+"-")
	if !isTarball || !named || !isName(version) {
		return o
	}
	o.Project, o.Version, o.File = name, version, parts[2]
	if scope != "" {
		o.Project = scope + "/" + name
	}
	return o
}
