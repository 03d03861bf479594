package origin

import "strings"

var sdistEndings = [...]string{".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".zip"}

// parsePyPI reads /packages/source/f/flask/flask-3.1.1.tar.gz, the same with a
// Python tag in place of "source", and /packages/ab/cd/…/flask-3.1.1.tar.gz.
// Anything else on PyPI's hosts is still PyPI's.
func parsePyPI(path []string) Origin {
	o := Origin{Kind: KindPyPI}
	if len(path) != 5 || path[0] != "packages" || anySlash(path) {
		return o
	}
	// packages/<tag>/<first letter>/<project>/<file>, or the digest split into
	// 2, 2 and 60 digits, which names no project.
	project := path[3]
	if len(path[1]) == 2 && len(path[2]) == 2 && len(path[3]) == 60 {
		project = ""
	}
	name, version, ok := Distribution(path[4], project)
	if !ok {
		return o
	}
	if isName(project) {
		name = NormalizeProject(project) // the path says so, whatever the file is called
	}
	o.Project, o.Version, o.File = name, version, path[4]
	return o
}

// Distribution reads the normalized project and the version, as it is spelled,
// from the name of an sdist or a wheel. An sdist's stem is split at its last
// "-", or after the project's name if it begins with that; project may be "".
func Distribution(file, project string) (name, version string, ok bool) {
	if stem, ok := strings.CutSuffix(file, ".whl"); ok {
		fields := strings.Split(stem, "-")
		if len(fields) != 5 && len(fields) != 6 {
			return "", "", false
		}
		return checked(fields[0], fields[1], file)
	}
	ending := SdistEnding(file)
	if ending == "" {
		return "", "", false
	}
	stem := strings.TrimSuffix(file, ending)
	if project != "" {
		if version, ok := versionAfter(stem, project); ok {
			return checked(project, version, file)
		}
	}
	i := strings.LastIndexByte(stem, '-')
	if i < 0 {
		return "", "", false
	}
	return checked(stem[:i], stem[i+1:], file)
}

// SdistEnding is the part of an sdist's name that tells its format, such as
// ".tar.gz", or "" if the name is no sdist's.
func SdistEnding(file string) string {
	for _, e := range sdistEndings {
		if strings.HasSuffix(file, e) {
			return e
		}
	}
	return ""
}

// versionAfter finds the version in a stem that begins with the project's name,
// however it is normalized, so that "foo-1.0-beta" of the project foo has the
// version 1.0-beta.
func versionAfter(stem, project string) (string, bool) {
	want := NormalizeProject(project)
	for i := len(stem) - 1; i > 0; i-- {
		if stem[i] == '-' && NormalizeProject(stem[:i]) == want {
			return stem[i+1:], true
		}
	}
	return "", false
}

func checked(project, version, file string) (string, string, bool) {
	project = NormalizeProject(project)
	if !isName(project) || !isName(version) || !isName(file) {
		return "", "", false
	}
	return project, version, true
}

// isName refuses what could change the meaning of an address that it is put
// into. PEP 440 versions may hold "+" and "!".
func isName(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("-_.+!", c) < 0 {
			return false
		}
	}
	return true
}

// NormalizeProject gives a project's normalized name: lower case, with runs of
// "-", "_" and "." as one "-" (PyPA names specification).
func NormalizeProject(name string) string {
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
