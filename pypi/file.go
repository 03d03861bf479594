package pypi

import (
	"strings"

	"github.com/recipe-verify/recipe-verify/origin"
)

// A File is one distribution file of a project on PyPI.
type File struct {
	Project string // normalized (PyPA names specification)
	Version string // as the file name spells it
	Name    string // the file's name
}

// ParseURL reads the project, version and name of a distribution from an
// address on one of PyPI's hosts, in any of its spellings ([origin.Parse]). It
// reports false for anything else.
func ParseURL(address string) (File, bool) {
	o := origin.Parse(address)
	f := File{Project: o.Project, Version: o.Version, Name: o.File}
	return f, o.Kind == origin.KindPyPI && o.File != ""
}

// SameFile tells whether a subject's name stands for the same distribution
// file. Names are compared parsed, since the same file is spelled
// pypi_attestations-0.0.19.tar.gz by one tool and pypi-attestations-0.0.19.tar.gz
// by another: kind of file, project and version must agree, and for wheels
// build and tags too.
func (f File) SameFile(subject string) bool {
	project, version, ok := origin.Distribution(f.Name, f.Project)
	otherProject, otherVersion, otherOK := origin.Distribution(subject, f.Project)
	if !ok || !otherOK || otherProject != project || !strings.EqualFold(otherVersion, version) {
		return false
	}
	mine, wheel := strings.CutSuffix(f.Name, ".whl")
	theirs, otherWheel := strings.CutSuffix(subject, ".whl")
	if wheel != otherWheel {
		return false
	}
	if wheel {
		return strings.EqualFold(tags(mine), tags(theirs))
	}
	return origin.SdistEnding(f.Name) == origin.SdistEnding(subject)
}

func tags(stem string) string {
	_, rest, _ := strings.Cut(stem, "-")
	_, rest, _ = strings.Cut(rest, "-")
	return rest
}
