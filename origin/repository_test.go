package origin_test

import (
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/origin"
)

func TestRepositoryOf(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"https://github.com/pallets/flask", "github.com/pallets/flask"},
		{"https://github.com/pallets/flask/", "github.com/pallets/flask"},
		{"http://www.github.com/pallets/flask.git", "github.com/pallets/flask"},
		{"HTTPS://GitHub.com/Pallets/Flask", "github.com/Pallets/Flask"},
		{"git+https://github.com/pallets/flask.git#egg=x", "github.com/pallets/flask"},
		{"https://github.com/pallets/flask/tree/main/docs?x=y", "github.com/pallets/flask"},
		{"https://github.com/pallets/flask/releases/download/3.1/flask-3.1.tar.gz", "github.com/pallets/flask"},
		{"https://codeload.github.com/pallets/flask/tar.gz/v3", "github.com/pallets/flask"},
		{"https://raw.githubusercontent.com/pallets/flask/main/README.md", "github.com/pallets/flask"},
		{"https://api.github.com/repos/pallets/flask/tarball/v3", "github.com/pallets/flask"},
		{"https://pallets.github.io/flask/docs", "github.com/pallets/flask"},
		{"https://gitlab.com/group/sub/project/-/archive/v1/project.tar.gz", "gitlab.com/group/sub/project"},
		{"https://gitlab.com/group/project.git", "gitlab.com/group/project"},
		{"https://codeberg.org/forgejo/forgejo", "codeberg.org/forgejo/forgejo"},

		{"", ""},
		{"github.com/pallets/flask", ""},
		{"https://github.com", ""},
		{"https://github.com/pallets", ""},
		{"https://github.com/sponsors/pallets", ""},
		{"https://github.com/orgs/pallets/repositories", ""},
		{"https://pallets.github.io", ""},
		{"https://github.io/pallets/flask", ""},
		{"https://a.b.github.io/flask", ""},
		{"https://github.com.evil.org/pallets/flask", ""},
		{"https://evil.org/github.com/pallets/flask", ""},
		{"https://github.com@evil.org/pallets/flask", ""},
		{"https://user@github.com/pallets/flask", ""},
		{"https://github.com:8443/pallets/flask", ""},
		{"https://github.com/pallets%2Fflask/x", ""},
		{"https://github.com/pallets/fl%0aask", ""},
		{"https://github.com/../flask", ""},
		{"https://github.com/pallets/..", ""},
		{"https://github.com/pallets/.git", ""},
		{"https://github.com/pa_llets/fläsk", ""},
		{"https://github.com/-x/flask", ""},
		{"ssh://git@github.com/pallets/flask", ""},
		{"https://api.github.com/users/pallets/repos", ""},
		{"https://gitlab.com/project", ""},
		{"https://gitlab.com/-/project", ""},
		{"https://gitlab.com/" + strings.Repeat("a/", 30) + "b", ""},
		{"https://github.com/" + strings.Repeat("a", 200) + "/b", ""},
	} {
		got, ok := origin.RepositoryOf(c.address)
		if got.String() != c.want || ok != (c.want != "") || ok == got.IsZero() {
			t.Errorf("%q: %q, %t, wanted %q", c.address, got, ok, c.want)
		}
	}
}

func TestRepositoryIs(t *testing.T) {
	flask := origin.Repository{Host: "github.com", Path: "pallets/flask"}
	for _, c := range []struct {
		other origin.Repository
		want  bool
	}{
		{flask, true},
		{origin.Repository{Host: "github.com", Path: "Pallets/Flask"}, true},
		{origin.Repository{Host: "gitlab.com", Path: "pallets/flask"}, false},
		{origin.Repository{Host: "github.com", Path: "pallets/flask-evil"}, false},
		{origin.Repository{}, false},
	} {
		if got := flask.Is(c.other); got != c.want {
			t.Errorf("%v: %t", c.other, got)
		}
	}
	if (origin.Repository{}).Is(origin.Repository{}) {
		t.Error("nothing is the same as nothing")
	}
}

// Whatever an address is, its repository has plain names, and names itself.
func FuzzRepositoryOf(f *testing.F) {
	for _, address := range []string{
		"https://github.com/pallets/flask.git", "git+https://www.github.com/a/b/tree/x", "https://a.github.io/b",
		"https://gitlab.com/a/b/c/-/tree/x", "https://github.com/a%2fb/c", "https://raw.githubusercontent.com/a/b/c/d",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		r, ok := origin.RepositoryOf(address)
		if ok == r.IsZero() {
			t.Fatalf("%v, %t", r, ok)
		}
		if !ok {
			return
		}
		if strings.Trim(strings.ToLower(r.Path), "abcdefghijklmnopqrstuvwxyz0123456789-_./") != "" || strings.Contains(r.Path, "..") && strings.Contains("/"+r.Path+"/", "/../") {
			t.Errorf("%q", r.Path)
		}
		again, ok := origin.RepositoryOf("https://" + r.String())
		if !ok || !again.Is(r) {
			t.Errorf("%v became %v, %t", r, again, ok)
		}
	})
}
