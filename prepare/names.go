package prepare

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/digest"
)

// isName tells whether a text is the name of a file.
func isName(s string) bool { return isPath(s) && !strings.Contains(s, "/") }

// isPath tells whether a text is a path below a folder, with "/", in its shortest
// form.
func isPath(s string) bool {
	return utf8.ValidString(s) && path.Clean(s) == s && s != "." && filepath.IsLocal(filepath.FromSlash(s)) && !strings.ContainsRune(s, 0)
}

func join(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

// ownName tells whether the first part of a path is one that a prepared folder
// has for itself. Some file systems know no case.
func ownName(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	for _, own := range []string{archivesDir, evidenceDir, rootName, manifestName} {
		if strings.EqualFold(top, own) {
			return true
		}
	}
	return false
}

// maxName is the longest name of an archive, in bytes.
const maxName = 150

// archivePath is where an archive lies in the folder: below its digest, under
// the name that the last part of its first address gives it. A build tool names
// and unpacks it then as if it had been fetched.
func archivePath(sum digest.SHA256, urls []string) string {
	return archivesDir + "/" + sum.String() + "/" + archiveName(urls)
}

// archiveName is the last part of the first address, without characters that mean
// something to a shell, a template or a file system.
func archiveName(urls []string) string {
	if len(urls) == 0 {
		return "archive"
	}
	u, err := url.Parse(urls[0])
	if err != nil {
		return "archive"
	}
	p := u.EscapedPath()
	return plainName(p[strings.LastIndexByte(p, '/')+1:])
}

func plainName(s string) string {
	if len(s) > maxName {
		s = s[len(s)-maxName:]
	}
	b := []byte(s)
	for i, c := range b {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~+@=,%", rune(c)) || i == 0 && (c == '.' || c == '-' || c == '~') {
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "archive"
	}
	if b[len(b)-1] == '.' {
		b[len(b)-1] = '_'
	}
	return string(b)
}
