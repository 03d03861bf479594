package edit

import (
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"
)

// Diff gives a unified diff with the names a/name and b/name, as git apply and
// patch -p1 take it, or "" if nothing differs. Text in UTF-16 is shown as UTF-8.
// What it shows of the files is as it stands there, control characters too: a
// terminal must not be given it as it is.
func Diff(name string, before, after []byte) string {
	a, b := shown(before), shown(after)
	if a == b {
		return ""
	}
	name = strings.TrimPrefix(name, "/")
	return udiff.Unified("a/"+name, "b/"+name, a, b)
}

func shown(data []byte) string {
	e, text, err := decode("", data)
	if err != nil || e.order == nil {
		return string(data)
	}
	return text
}
