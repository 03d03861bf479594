package pypi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/pypi"
)

func TestParseURL(t *testing.T) {
	hex := "ab/cd/" + "0123456789012345678901234567890123456789012345678901234567ef"
	for _, c := range []struct {
		name, url string
		want      pypi.File
		ok        bool
	}{
		{"pypi.org", "https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{"flask", "3.1.1", "flask-3.1.1.tar.gz"}, true},
		{"pypi.io", "https://pypi.io/packages/source/F/Flask/Flask-3.1.1.tar.gz", pypi.File{"flask", "3.1.1", "Flask-3.1.1.tar.gz"}, true},
		{"files.pythonhosted.org, by name", "https://files.pythonhosted.org/packages/source/f/flask/flask-3.1.1.zip", pypi.File{"flask", "3.1.1", "flask-3.1.1.zip"}, true},
		{"files.pythonhosted.org, by digest", "https://files.pythonhosted.org/packages/" + hex + "/flask-3.1.1.tar.gz", pypi.File{"flask", "3.1.1", "flask-3.1.1.tar.gz"}, true},
		{"host in other case", "https://PyPI.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{"flask", "3.1.1", "flask-3.1.1.tar.gz"}, true},
		{"fragment", "https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz#sha256=00", pypi.File{"flask", "3.1.1", "flask-3.1.1.tar.gz"}, true},
		{"name is normalized", "https://pypi.org/packages/source/z/zope.interface/zope.interface-5.0_1.tar.gz", pypi.File{"zope-interface", "5.0_1", "zope.interface-5.0_1.tar.gz"}, true},
		{"project of the path", "https://pypi.org/packages/source/p/python-foo/python-foo-1.0-beta.tar.gz", pypi.File{"python-foo", "1.0-beta", "python-foo-1.0-beta.tar.gz"}, true},
		{"project of the path, normalized otherwise", "https://pypi.org/packages/source/p/Python_Foo/python.foo-1.0.tar.bz2", pypi.File{"python-foo", "1.0", "python.foo-1.0.tar.bz2"}, true},
		{"last dash without a project", "https://files.pythonhosted.org/packages/" + hex + "/python-foo-1.0.tgz", pypi.File{"python-foo", "1.0", "python-foo-1.0.tgz"}, true},
		{"wheel", "https://pypi.org/packages/py3/f/flask/flask-3.1.1-py3-none-any.whl", pypi.File{"flask", "3.1.1", "flask-3.1.1-py3-none-any.whl"}, true},
		{"wheel with a build", "https://files.pythonhosted.org/packages/" + hex + "/a_b-1-2-cp312-cp312-win_amd64.whl", pypi.File{"a-b", "1", "a_b-1-2-cp312-cp312-win_amd64.whl"}, true},
		{"epoch and local version", "https://pypi.org/packages/source/f/foo/foo-1!2.0+x.tar.gz", pypi.File{"foo", "1!2.0+x", "foo-1!2.0+x.tar.gz"}, true},

		{"other host", "https://example.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{}, false},
		{"host with more before it", "https://evil-pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{}, false},
		{"host with more after it", "https://pypi.org.evil.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{}, false},
		{"port", "https://pypi.org:8443/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{}, false},
		{"user information", "https://pypi.org@evil.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{}, false},
		{"other scheme", "ftp://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz", pypi.File{}, false},
		{"other path", "https://pypi.org/project/flask/3.1.1/", pypi.File{}, false},
		{"no version", "https://pypi.org/packages/source/f/flask/flask.tar.gz", pypi.File{}, false},
		{"other ending", "https://pypi.org/packages/source/f/flask/flask-3.1.1.exe", pypi.File{}, false},
		{"encoded slash", "https://pypi.org/packages/source/f/flask/flask-3%2f..%2fx.tar.gz", pypi.File{}, false},
		{"space", "https://pypi.org/packages/source/f/flask/flask-3%201.tar.gz", pypi.File{}, false},
		{"broken wheel", "https://pypi.org/packages/py3/f/flask/flask-3.1.1.whl", pypi.File{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := pypi.ParseURL(c.url)
			if ok != c.ok {
				t.Fatalf("found %v %v, wanted %v", got, ok, c.ok)
			}
			if diff := cmp.Diff(c.want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSameFile(t *testing.T) {
	file := func(url string) pypi.File {
		f, ok := pypi.ParseURL("https://pypi.org/packages/source/x/" + url)
		if !ok {
			t.Fatal(url)
		}
		return f
	}
	for _, c := range []struct {
		name, url, subject string
		want               bool
	}{
		{"same", "flask/flask-3.1.1.tar.gz", "flask-3.1.1.tar.gz", true},
		{"normalized otherwise", "pypi-attestations/pypi-attestations-0.0.19.tar.gz", "pypi_attestations-0.0.19.tar.gz", true},
		{"case", "Flask/Flask-3.1.1.tar.gz", "flask-3.1.1.tar.gz", true},
		{"other version", "flask/flask-3.1.1.tar.gz", "flask-3.1.0.tar.gz", false},
		{"other project", "flask/flask-3.1.1.tar.gz", "flask_cors-3.1.1.tar.gz", false},
		{"other kind", "flask/flask-3.1.1.tar.gz", "flask-3.1.1.zip", false},
		{"wheel for an sdist", "flask/flask-3.1.1.tar.gz", "flask-3.1.1-py3-none-any.whl", false},
		{"other tags", "flask/flask-3.1.1-py3-none-any.whl", "flask-3.1.1-py2-none-any.whl", false},
		{"same wheel", "flask/flask-3.1.1-py3-none-any.whl", "Flask-3.1.1-py3-none-any.whl", true},
		{"empty", "flask/flask-3.1.1.tar.gz", "", false},
		{"path", "flask/flask-3.1.1.tar.gz", "dist/flask-3.1.1.tar.gz", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := file(c.url).SameFile(c.subject); got != c.want {
				t.Errorf("found %v, wanted %v", got, c.want)
			}
		})
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz")
	f.Add("https://files.pythonhosted.org/packages/py3/f/flask/flask-3.1.1-py3-none-any.whl")
	f.Fuzz(func(t *testing.T, address string) {
		file, ok := pypi.ParseURL(address)
		if !ok {
			return
		}
		if origin.NormalizeProject(file.Project) != file.Project {
			t.Errorf("project %q is not normalized", file.Project)
		}
		if !file.SameFile(file.Name) {
			t.Errorf("%q is not the same file as itself", file.Name)
		}
	})
}
