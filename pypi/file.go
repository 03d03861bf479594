package pypi

import (
	"net/url"
	"strings"
)

// hosts are the names that PyPI's files are served under. Evidence addresses
// are derived for these and no others (draft CEP).
var hosts = [...]string{"pypi.org", "pypi.io", "files.pythonhosted.org"}

var sdistEndings = [...]string{".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".zip"}

// A File is one distribution file of a project on PyPI.
type File struct {
	Project string // normalized (PyPA names specification)
	Version string // as the file name spells it
	Name    string // the file's name
}

// ParseURL reads the project, version and name of a distribution from an
// address on one of PyPI's hosts, in any of its spellings:
// /packages/source/f/flask/flask-3.1.1.tar.gz, the same with a Python tag in
// place of "source", and /packages/ab/cd/…/flask-3.1.1.tar.gz. It reports false
// for anything else.
func ParseURL(address string) (File, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !isHost(u.Host) {
		return File{}, false
	}
	parts := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	if len(parts) != 5 || parts[0] != "packages" {
		return File{}, false
	}
	// packages/<tag>/<first letter>/<project>/<file>, or the digest split into
	// 2, 2 and 60 digits, which names no project.
	project := parts[3]
	if len(parts[1]) == 2 && len(parts[2]) == 2 && len(parts[3]) == 60 {
		project = ""
	}
	file, ok := parseName(parts[4], project)
	if ok && isName(project) {
		file.Project = Normalize(project) // the path says so, whatever the file is called
	}
	return file, ok
}

func isHost(host string) bool {
	for _, h := range hosts {
		if strings.EqualFold(host, h) {
			return true
		}
	}
	return false
}

// parseName splits the name of an sdist or a wheel. If the name begins with the
// project's, that tells where an sdist's version begins; else the last "-" does.
func parseName(name, project string) (File, bool) {
	if stem, ok := strings.CutSuffix(name, ".whl"); ok {
		fields := strings.Split(stem, "-")
		if len(fields) != 5 && len(fields) != 6 {
			return File{}, false
		}
		return newFile(fields[0], fields[1], name)
	}
	for _, ending := range sdistEndings {
		stem, ok := strings.CutSuffix(name, ending)
		if !ok {
			continue
		}
		if project != "" {
			if version, ok := versionAfter(stem, project); ok {
				return newFile(project, version, name)
			}
		}
		i := strings.LastIndexByte(stem, '-')
		if i < 0 {
			return File{}, false
		}
		return newFile(stem[:i], stem[i+1:], name)
	}
	return File{}, false
}

// versionAfter finds the version in a stem that begins with the project's name,
// however it is normalized, so that "foo-1.0-beta" of the project foo has the
// version 1.0-beta.
func versionAfter(stem, project string) (string, bool) {
	want := Normalize(project)
	for i := len(stem) - 1; i > 0; i-- {
		if stem[i] == '-' && Normalize(stem[:i]) == want {
			return stem[i+1:], true
		}
	}
	return "", false
}

func newFile(project, version, name string) (File, bool) {
	f := File{Project: Normalize(project), Version: version, Name: name}
	ok := isName(f.Project) && isName(version) && isName(name)
	return f, ok
}

// isName refuses what could change the meaning of an address that it is put
// into. PEP 440 versions may hold "+" and "!".
func isName(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.+!", rune(c)) {
			return false
		}
	}
	return true
}

// Normalize gives a project's normalized name: lower case, with runs of "-",
// "_" and "." as one "-" (PyPA names specification).
func Normalize(name string) string {
	var b strings.Builder
	separator := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			separator = true
			continue
		}
		if separator {
			b.WriteByte('-')
			separator = false
		}
		b.WriteRune(r)
	}
	if separator {
		b.WriteByte('-')
	}
	return b.String()
}

// SameFile tells whether a subject's name stands for the same distribution
// file. Names are compared parsed, since the same file is spelled
// pypi_attestations-0.0.19.tar.gz by one tool and pypi-attestations-0.0.19.tar.gz
// by another: kind of file, project and version must agree, and for wheels
// build and tags too.
func (f File) SameFile(subject string) bool {
	own, ok := parseName(f.Name, f.Project)
	other, otherOK := parseName(subject, f.Project)
	if !ok || !otherOK || other.Project != own.Project || !strings.EqualFold(other.Version, own.Version) {
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
	return ending(f.Name) == ending(subject)
}

func tags(stem string) string {
	_, rest, _ := strings.Cut(stem, "-")
	_, rest, _ = strings.Cut(rest, "-")
	return rest
}

func ending(name string) string {
	for _, e := range sdistEndings {
		if strings.HasSuffix(name, e) {
			return e
		}
	}
	return ""
}
