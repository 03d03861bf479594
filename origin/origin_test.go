package origin_test

import (
	"bufio"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/origin"
)

const digits = "ab/cd/0123456789012345678901234567890123456789012345678901234567ef"

func TestParse(t *testing.T) {
	other := origin.Origin{Kind: origin.KindOther}
	index := func(kind origin.Kind, host, project, version, file string) origin.Origin {
		return origin.Origin{Kind: kind, Host: host, Project: project, Version: version, File: file}
	}
	pypi := func(host, project, version, file string) origin.Origin {
		return index(origin.KindPyPI, host, project, version, file)
	}
	release := func(tag, asset string) origin.Origin {
		return origin.Origin{Kind: origin.KindGitHubRelease, Host: "github.com", Owner: "o", Repository: "r", Tag: tag, Asset: asset}
	}
	archive := func(tag string) origin.Origin {
		return origin.Origin{Kind: origin.KindGitHubArchive, Host: "github.com", Owner: "o", Repository: "r", Tag: tag}
	}
	codeload := func(tag string) origin.Origin {
		o := archive(tag)
		o.Host = "codeload.github.com"
		return o
	}
	commit := strings.Repeat("0a", 20)
	long := strings.Repeat("ab-", 19) + "abc" // as long as a digest's rest
	for _, c := range []struct {
		name, address string
		want          origin.Origin
	}{
		{"pypi.org", "https://pypi.org/packages/source/f/Flask/flask-3.1.1.tar.gz", pypi("pypi.org", "flask", "3.1.1", "flask-3.1.1.tar.gz")},
		{"pypi.io by http", "http://pypi.io/packages/source/f/flask/flask-3.1.1.tar.gz", pypi("pypi.io", "flask", "3.1.1", "flask-3.1.1.tar.gz")},
		{"by digest", "https://files.pythonhosted.org/packages/" + digits + "/python_foo-1.0.tar.gz", pypi("files.pythonhosted.org", "python-foo", "1.0", "python_foo-1.0.tar.gz")},
		{"wheel", "https://files.pythonhosted.org/packages/py3/f/flask/flask-3.1.1-py3-none-any.whl", pypi("files.pythonhosted.org", "flask", "3.1.1", "flask-3.1.1-py3-none-any.whl")},
		{"the path names the project", "https://pypi.org/packages/source/p/python-foo/python-foo-1.0-beta.tar.gz", pypi("pypi.org", "python-foo", "1.0-beta", "python-foo-1.0-beta.tar.gz")},
		{"the path names another project than the file", "https://pypi.org/packages/source/p/foo/bar-1.0.tar.gz", pypi("pypi.org", "foo", "1.0", "bar-1.0.tar.gz")},
		{"escaped letters", "https://pypi.org/packages/source/%66/fl%61sk/flask-3.1.1.tar.gz", pypi("pypi.org", "flask", "3.1.1", "flask-3.1.1.tar.gz")},
		{"default port", "https://pypi.org:443/packages/source/f/flask/flask-3.1.1.tar.gz", pypi("pypi.org", "flask", "3.1.1", "flask-3.1.1.tar.gz")},
		{"host in another case", "HTTPS://PyPI.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi("pypi.org", "flask", "3.1.1", "flask-3.1.1.tar.gz")},
		{"slashes more", "https://pypi.org//packages/source//f/flask/flask-3.1.1.tar.gz", pypi("pypi.org", "flask", "3.1.1", "flask-3.1.1.tar.gz")},
		{"on PyPI, no distribution", "https://pypi.org/packages/source/f/flask/flask-3.1.1.exe", pypi("pypi.org", "", "", "")},
		{"on PyPI, encoded slash", "https://pypi.org/packages/source/f/flask/x%2fflask-3.1.1.tar.gz", pypi("pypi.org", "", "", "")},
		{"on PyPI, other path", "https://files.pythonhosted.org/x", pypi("files.pythonhosted.org", "", "", "")},

		{"on PyPI, fewer parts", "https://pypi.org/packages/source/flask/flask-3.1.1.tar.gz", pypi("pypi.org", "", "", "")},
		{"on PyPI, five other parts", "https://pypi.org/simple/source/f/flask/flask-3.1.1.tar.gz", pypi("pypi.org", "", "", "")},
		{"on PyPI, short parts that are no digest", "https://pypi.org/packages/cp/fl/python-foo/python-foo-1.0-beta.zip", pypi("pypi.org", "python-foo", "1.0-beta", "python-foo-1.0-beta.zip")},
		{"on PyPI, a long project", "https://pypi.org/packages/source/x/" + long + "/" + long + "-1.0-beta.zip", pypi("pypi.org", long, "1.0-beta", long+"-1.0-beta.zip")},
		{"on PyPI, wheel of too few fields", "https://pypi.org/packages/py3/f/flask/flask-3.1.1-py3-none.whl", pypi("pypi.org", "", "", "")},
		{"on PyPI, wheel with a build", "https://pypi.org/packages/py3/f/flask/flask-3.1.1-1-py3-none-any.whl", pypi("pypi.org", "flask", "3.1.1", "flask-3.1.1-1-py3-none-any.whl")},
		{"on PyPI, sdist without a version", "https://pypi.org/packages/source/f/flask/flask.tar.gz", pypi("pypi.org", "", "", "")},
		{"on PyPI, sdist without a name", "https://files.pythonhosted.org/packages/" + digits + "/-1.0.tar.gz", pypi("files.pythonhosted.org", "", "", "")},
		{"on PyPI, version with a space", "https://files.pythonhosted.org/packages/" + digits + "/a-1%200.tar.gz", pypi("files.pythonhosted.org", "", "", "")},
		{"on PyPI, name with a question mark", "https://files.pythonhosted.org/packages/" + digits + "/a%3f-1.0.tar.gz", pypi("files.pythonhosted.org", "", "", "")},
		{"on PyPI, all that a version may hold", "https://files.pythonhosted.org/packages/" + digits + "/aA_Zz-1!0.9+Z.zip", pypi("files.pythonhosted.org", "aa-zz", "1!0.9+Z", "aA_Zz-1!0.9+Z.zip")},
		{"on PyPI, name that ends in a separator", "https://files.pythonhosted.org/packages/" + digits + "/a_-1.0.zip", pypi("files.pythonhosted.org", "a-", "1.0", "a_-1.0.zip")},

		{"release", "https://github.com/o/r/releases/download/v1.0/r-1.0.tar.gz", release("v1.0", "r-1.0.tar.gz")},
		{"release, tag with a slash", "https://github.com/o/r/releases/download/r/v1.0/r-1.0.tar.gz", release("r/v1.0", "r-1.0.tar.gz")},
		{"release, tag with an encoded slash", "https://github.com/o/r/releases/download/r%2Fv1.0/r-1.0.tar.gz", release("r/v1.0", "r-1.0.tar.gz")},
		{"release, encoded at sign and plus", "https://github.com/o/r/releases/download/%40s%2Fp%401+x/a%20b.tgz?x=1#y", release("@s/p@1+x", "a b.tgz")},
		{"release, latest", "https://github.com/o/r/releases/latest/download/r.tar.gz", release("", "r.tar.gz")},
		{"release, a tag named latest", "https://github.com/o/r/releases/download/latest/r.tar.gz", release("latest", "r.tar.gz")},
		{"release, double slash before the owner", "https://github.com//o/r/releases/download/v1/a", release("v1", "a")},
		{"release, latest without a download", "https://github.com/o/r/releases/latest/x/r.tar.gz", other},
		{"release, something else's download", "https://github.com/o/r/releases/x/download/r.tar.gz", other},
		{"release page", "https://github.com/o/r/releases/tag/v1.0", other},
		{"release without an asset", "https://github.com/o/r/releases/download/v1.0", other},
		{"release, asset with an encoded slash", "https://github.com/o/r/releases/download/v1.0/x%2fy", other},
		{"release, owner with an encoded slash", "https://github.com/o%2fr/x/releases/download/v1.0/y", other},

		{"archive of a tag", "https://github.com/o/r/archive/refs/tags/v1.0.tar.gz", archive("v1.0")},
		{"archive of a tag with a slash", "https://github.com/o/r/archive/refs/tags/r/v1.0.zip", archive("r/v1.0")},
		{"archive, short", "https://github.com/o/r/archive/v1.0.tar.gz", archive("v1.0")},
		{"archive of a commit", "https://github.com/o/r/archive/" + commit + ".tar.gz", archive("")},
		{"archive of a branch", "https://github.com/o/r/archive/refs/heads/main.tar.gz", archive("")},
		{"archive with a name of somebody's choice", "https://github.com/o/r/archive/v1.0/r-1.0.tar.gz", archive("")},
		{"archive without an ending", "https://github.com/o/r/archive/v1.0", archive("")},
		{"archive of nothing", "https://github.com/o/r/archive/.tar.gz", archive("")},
		{"archive of a commit's beginning", "https://github.com/o/r/archive/0a0a0a0.tar.gz", archive("0a0a0a0")},
		{"archive of a long commit", "https://github.com/o/r/archive/" + strings.Repeat("0a", 32) + ".tar.gz", archive("")},
		{"tarball", "https://github.com/o/r/tarball/v1.0", archive("v1.0")},
		{"zipball of a tag", "https://github.com/o/r/zipball/refs/tags/v1.0", archive("v1.0")},
		{"tarball of a commit", "https://github.com/o/r/tarball/" + commit, archive("")},
		{"codeload", "https://codeload.github.com/o/r/tar.gz/refs/tags/v1.0", codeload("v1.0")},
		{"codeload, short", "https://codeload.github.com/o/r/legacy.zip/v1.0", codeload("v1.0")},
		{"codeload without a ref", "https://codeload.github.com/o/r", other},
		{"codeload, encoded slash", "https://codeload.github.com/o%2fx/r/tar.gz/v1.0", other},
		{"codeload, something else", "https://codeload.github.com/o/r/x/v1.0", other},
		{"raw file", "https://github.com/o/r/raw/v1.0/x", other},
		{"repository", "https://github.com/o/r", other},

		{"gitlab", "https://gitlab.com/g/s/p/-/archive/v1.0/p-v1.0.tar.gz", origin.Origin{Kind: origin.KindGitLabArchive, Host: "gitlab.com", Owner: "g/s", Repository: "p", Tag: "v1.0"}},
		{"gitlab, no subgroup", "https://gitlab.com/g/p/-/archive/v1.0/p-v1.0.tar.gz", origin.Origin{Kind: origin.KindGitLabArchive, Host: "gitlab.com", Owner: "g", Repository: "p", Tag: "v1.0"}},
		{"gitlab, encoded slash", "https://gitlab.com/g%2fx/p/-/archive/v1.0/p-v1.0.tar.gz", other},
		{"gitlab, release file", "https://gitlab.com/g/p/-/releases/v1/downloads/x", other},
		{"gitlab, no project", "https://gitlab.com/p/-/archive/v1.0/p-v1.0.tar.gz", other},
		{"crates", "https://crates.io/api/v1/crates/serde/1.0.1/download", index(origin.KindCrates, "crates.io", "serde", "1.0.1", "serde-1.0.1.crate")},
		{"crates, static", "https://static.crates.io/crates/serde/serde-1.0.1.crate", index(origin.KindCrates, "static.crates.io", "serde", "1.0.1", "serde-1.0.1.crate")},
		{"crates, another crate's file", "https://static.crates.io/crates/serde/evil-1.0.1.crate", index(origin.KindCrates, "static.crates.io", "", "", "")},
		{"crates, short", "https://crates.io/api/v1", index(origin.KindCrates, "crates.io", "", "", "")},
		{"crates, something else", "https://crates.io/api/v1/users/serde/1.0.1/download", index(origin.KindCrates, "crates.io", "", "", "")},
		{"crates, no version of the interface", "https://crates.io/api/v2/crates/serde/1.0.1/download", index(origin.KindCrates, "crates.io", "", "", "")},
		{"crates, odd name", "https://static.crates.io/crates/a%20b/a%20b-1.crate", index(origin.KindCrates, "static.crates.io", "", "", "")},
		{"crates, odd version", "https://static.crates.io/crates/a/a-1%202.crate", index(origin.KindCrates, "static.crates.io", "", "", "")},
		{"crates, encoded slash", "https://static.crates.io/crates/a/1%2f2/download", index(origin.KindCrates, "static.crates.io", "", "", "")},
		{"npm, short", "https://registry.npmjs.org/left-pad", index(origin.KindNPM, "registry.npmjs.org", "", "", "")},
		{"npm, something else", "https://registry.npmjs.org/left-pad/x/left-pad-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "", "", "")},
		{"npm, four parts without a scope", "https://registry.npmjs.org/a/b/-/b-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "", "", "")},
		{"npm, odd scope", "https://registry.npmjs.org/@a%20c/b/-/b-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "", "", "")},
		{"npm, odd name", "https://registry.npmjs.org/a%20b/-/a%20b-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "", "", "")},
		{"npm", "https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "left-pad", "1.3.0", "left-pad-1.3.0.tgz")},
		{"npm, scope", "https://registry.npmjs.org/@a/b/-/b-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "@a/b", "1.3.0", "b-1.3.0.tgz")},
		{"npm, encoded scope", "https://registry.npmjs.org/@a%2fb/-/b-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "@a/b", "1.3.0", "b-1.3.0.tgz")},
		{"npm, another package's file", "https://registry.npmjs.org/left-pad/-/evil-1.3.0.tgz", index(origin.KindNPM, "registry.npmjs.org", "", "", "")},

		{"empty", "", other},
		{"no URL", "github.com/o/r/releases/download/v1/a", other},
		{"other host", "https://example.org/o/r/releases/download/v1/a", other},
		{"host with more after it", "https://github.com.evil.org/o/r/releases/download/v1/a", other},
		{"host with more before it", "https://evil-github.com/o/r/releases/download/v1/a", other},
		{"host with a dot after it", "https://github.com./o/r/releases/download/v1/a", other},
		{"host of other letters", "https://g\u0131thub.com/o/r/releases/download/v1/a", other},
		{"user information", "https://pypi.org@github.com/o/r/releases/download/v1/a", other},
		{"user information that is a host", "https://github.com@evil.org/o/r/releases/download/v1/a", other},
		{"other port", "https://github.com:8443/o/r/releases/download/v1/a", other},
		{"other port of http", "http://github.com:8080/o/r/releases/download/v1/a", other},
		{"port of http with https", "https://github.com:80/o/r/releases/download/v1/a", other},
		{"other scheme", "ftp://github.com/o/r/releases/download/v1/a", other},
		{"file", "file:///packages/source/f/flask/flask-3.1.1.tar.gz", other},
		{"backslash", `https://github.com/o/r/releases/download/v1\..\..\x/a`, other},
		{"encoded backslash", "https://github.com/o/r/releases/download/v1/%5c..%5cx", other},
		{"dot segments", "https://github.com/o/r/releases/download/../../../evil/x/releases/download/v1/a", other},
		{"encoded dot segments", "https://github.com/o/r/releases/download/v1/%2e%2e/a", other},
		{"dot segments within a tag", "https://github.com/o/r/releases/download/x%2f..%2fv1/a", other},
		{"empty part within a tag", "https://github.com/o/r/releases/download/x%2f%2fv1/a", other},
		{"NUL", "https://github.com/o/r/releases/download/v1/a%00", other},
		{"broken escape", "https://github.com/o/r/releases/download/v1/a%zz", other},
		{"too long", "https://github.com/o/r/releases/download/v1/" + strings.Repeat("a", 20<<10), other},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, origin.Parse(c.address)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWWWIsGitHub(t *testing.T) {
	if got := origin.Parse("https://www.github.com/o/r/releases/download/v1/a"); got.Kind != origin.KindGitHubRelease || got.Host != "www.github.com" {
		t.Errorf("found %+v", got)
	}
}

func TestOf(t *testing.T) {
	const mirror, release = "https://mirror.example/x.tar.gz", "https://github.com/o/r/releases/download/v1/a"
	for _, c := range []struct {
		name      string
		addresses []string
		want      origin.Kind
	}{
		{"none", nil, origin.KindOther},
		{"other", []string{mirror}, origin.KindOther},
		{"behind a mirror", []string{mirror, release}, origin.KindGitHubRelease},
		{"the first", []string{"https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz", release}, origin.KindPyPI},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := origin.Of(c.addresses).Kind; got != c.want {
				t.Errorf("found %q, wanted %q", got, c.want)
			}
		})
	}
}

// Every address of a real recipe on PyPI or in a GitHub release is understood.
func TestRealAddresses(t *testing.T) {
	top := shared.Path(t, "recipes", "feedstocks")
	seen := map[string]bool{}
	found := map[origin.Kind]int{}
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "sources.jsonl" {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		scanner := bufio.NewScanner(f)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			var line any
			if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
				return err
			}
			eachURL(line, func(address string) { seen[address] = true })
		}
		return scanner.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for address := range seen {
		o := origin.Parse(address)
		found[o.Kind]++
		switch {
		case strings.Contains(address, "://github.com/") && strings.Contains(address, "/releases/download/"):
			if o.Kind != origin.KindGitHubRelease || o.Tag == "" || o.Asset == "" {
				t.Errorf("%s: found %+v", address, o)
			}
		case strings.Contains(address, "://github.com/") && strings.Contains(address, "/archive/refs/tags/"):
			if o.Kind != origin.KindGitHubArchive || o.Tag == "" {
				t.Errorf("%s: found %+v", address, o)
			}
		case strings.Contains(address, "://pypi.") || strings.Contains(address, "://files.pythonhosted.org/"):
			if o.Kind != origin.KindPyPI || o.Project == "" || o.Version == "" {
				t.Errorf("%s: found %+v", address, o)
			}
		}
	}
	t.Logf("of %d addresses: %v", len(seen), found)
	if found[origin.KindPyPI] < 1000 || found[origin.KindGitHubArchive] < 500 || found[origin.KindGitHubRelease] < 30 {
		t.Errorf("found only %v", found)
	}
}

// eachURL finds the texts in a JSON value that are addresses.
func eachURL(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		if u, err := url.Parse(v); err == nil && u.Host != "" {
			f(v)
		}
	case []any:
		for _, item := range v {
			eachURL(item, f)
		}
	case map[string]any:
		for _, item := range v {
			eachURL(item, f)
		}
	}
}

// Whatever has an origin lies on the host that it names, and nothing in it
// could lead elsewhere when it is put into an address.
func FuzzParse(f *testing.F) {
	f.Add("https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz")
	f.Add("https://github.com/o/r/releases/download/%40s%2Fp%401/a.tgz")
	f.Add("https://gitlab.com/g/s/p/-/archive/v1.0/p-v1.0.tar.gz")
	f.Add("https://registry.npmjs.org/@a%2fb/-/b-1.3.0.tgz")
	f.Fuzz(func(t *testing.T, address string) {
		o := origin.Parse(address)
		if o.Kind == origin.KindOther {
			if diff := cmp.Diff(origin.Origin{Kind: origin.KindOther}, o); diff != "" {
				t.Errorf("%q: (-want +got):\n%s", address, diff)
			}
			return
		}
		u, err := url.Parse(address)
		if err != nil || !strings.EqualFold(u.Hostname(), o.Host) || u.User != nil {
			t.Errorf("%q has the origin %+v", address, o)
		}
		for _, s := range []string{o.Repository, o.Asset, o.Version, o.File} {
			if strings.ContainsAny(s, "/\\\x00") || s == ".." {
				t.Errorf("%q has the origin %+v", address, o)
			}
		}
		for _, part := range strings.Split(o.Owner+"/"+o.Repository+"/"+o.Tag+"/"+o.Project, "/") {
			if part == ".." || part == "." {
				t.Errorf("%q has the origin %+v", address, o)
			}
		}
	})
}
