package origin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/origin"
)

func TestProjectOutlivesVersions(t *testing.T) {
	for _, c := range []struct{ want, a, b string }{
		{"pypi flask", "https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz", "https://files.pythonhosted.org/packages/source/F/Flask/Flask-0.1rc1.tar.gz"},
		{"github cli/cli", "https://github.com/cli/cli/releases/download/v2.0.0/gh_2.0.0_linux_amd64.tar.gz", "https://github.com/CLI/cli/archive/refs/tags/v2.1.0.tar.gz"},
		{"gitlab o/g/r", "https://gitlab.com/o/g/r/-/archive/v1.0/r-v1.0.tar.gz", "https://gitlab.com/o/g/r/-/archive/v2.0/r-v2.0.tar.gz"},
		{"url example.org/dl/x-#.tar.gz", "https://example.org/dl/x-1.0.tar.gz", "https://EXAMPLE.org/dl/x-2.0.1.tar.gz"},
		{"url example.org/#/x.tar.gz", "https://user:secret@example.org/1.0/x.tar.gz?token=secret", "https://example.org/2024.1/x.tar.gz#part"},
		{"url #%zz", "1%zz", "2%zz"},
	} {
		for _, address := range []string{c.a, c.b} {
			if got := origin.Project([]string{address}); got != c.want {
				t.Errorf("%s: got %q, wanted %q", address, got, c.want)
			}
		}
	}
	if got := origin.Project(nil); got != "" {
		t.Errorf("without addresses: %q", got)
	}
	mirrored := []string{"https://example.org/flask-1.tar.gz", "https://pypi.org/packages/source/f/flask/flask-1.tar.gz"}
	if got := origin.Project(mirrored); got != "pypi flask" {
		t.Errorf("mirrored: %q", got)
	}
}

// A project cannot be mistaken for another.
func TestProjectsDiffer(t *testing.T) {
	addresses := []string{
		"https://github.com/o/r/archive/v1.tar.gz", "https://github.com/o/r2/archive/v1.tar.gz", "https://github.com/o2/r/archive/v1.tar.gz",
		"https://gitlab.com/o/r/-/archive/v1/r-v1.tar.gz", "https://pypi.org/packages/source/r/r/r-1.tar.gz",
		"https://example.org/o/r/archive/v1.tar.gz", "https://github.com.example.org/o/r/archive/v1.tar.gz", "https://github.com@example.org/o/r/archive/v1.tar.gz",
	}
	seen := map[string]string{}
	for _, a := range addresses {
		p := origin.Project([]string{a})
		if seen[p] != "" && !strings.Contains(a, "@") {
			t.Errorf("%s and %s are both %q", a, seen[p], p)
		}
		seen[p] = a
	}
	if got := origin.Project([]string{"https://github.com@example.org/o/r/archive/v1.tar.gz"}); !strings.HasPrefix(got, "url example.org/") {
		t.Errorf("user information names the host: %q", got)
	}
}

func TestCounterparts(t *testing.T) {
	pypi := func(name, version string) []string {
		return []string{"https://pypi.org/packages/source/x/" + name + "/" + name + "-" + version + ".tar.gz"}
	}
	asset := func(version, file string) []string {
		return []string{"https://github.com/o/r/releases/download/v" + version + "/" + file}
	}
	for name, c := range map[string]struct {
		before, now [][]string
		want        []int
	}{
		"the same":                          {[][]string{pypi("a", "1")}, [][]string{pypi("a", "2")}, []int{0}},
		"in another order":                  {[][]string{pypi("a", "1"), pypi("b", "1")}, [][]string{pypi("b", "2"), pypi("a", "2")}, []int{1, 0}},
		"another project, the only source":  {[][]string{pypi("a", "1")}, [][]string{pypi("evil", "1")}, []int{0}},
		"another project of two":            {[][]string{pypi("a", "1"), pypi("b", "1")}, [][]string{pypi("evil", "1"), pypi("b", "2")}, []int{-1, 1}},
		"a second source":                   {[][]string{pypi("a", "1")}, [][]string{pypi("a", "2"), pypi("b", "1")}, []int{0, -1}},
		"files of one release, by name":     {[][]string{asset("1", "r-win.zip"), asset("1", "r-linux.zip")}, [][]string{asset("2", "r-linux.zip"), asset("2", "r-win.zip")}, []int{1, 0}},
		"files of one release, by shape":    {[][]string{asset("1", "r-1.0-win.zip"), asset("1", "r-1.0-linux.zip")}, [][]string{asset("2", "r-2.0-linux.zip"), asset("2", "r-2.0-win.zip")}, []int{1, 0}},
		"files of one release, by place":    {[][]string{asset("1", "a"), asset("1", "b")}, [][]string{asset("2", "c"), asset("2", "d")}, []int{0, 1}},
		"as near: the first":                {[][]string{asset("1", "a"), asset("1", "x"), asset("1", "b")}, [][]string{pypi("q", "1"), asset("2", "c")}, []int{-1, 1}},
		"one without addresses":             {[][]string{nil, pypi("a", "1")}, [][]string{nil, pypi("a", "2")}, []int{-1, 1}},
		"no earlier source":                 {nil, [][]string{pypi("a", "1")}, []int{-1}},
		"an earlier source of another kind": {[][]string{nil}, [][]string{pypi("a", "1")}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, origin.Counterparts(c.before, c.now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The addresses are strangers'.
func TestProjectOfHugeAddresses(t *testing.T) {
	for _, part := range []string{"1.", "1a", "v1-", "f", "%31", "/1"} {
		address := "https://example.org/" + strings.Repeat(part, 1<<17/len(part))
		if got := origin.Project([]string{address}); got == "" {
			t.Errorf("%.20s…: no project", address)
		}
	}
}
