package fetch

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseMirror(t *testing.T) {
	for in, want := range map[string]Mirror{
		"https://=../shared/internet":                 {"https://", "../shared/internet"},
		"https://pypi.org=/srv/mirror":                {"https://pypi.org", "/srv/mirror"},
		"https://pypi.org/=https://mirror.corp/pypi/": {"https://pypi.org/", "https://mirror.corp/pypi/"},
		"HTTP://Host:8080/a/b=HTTP://10.0.0.1":        {"HTTP://Host:8080/a/b", "HTTP://10.0.0.1"},
		"https://a=folder=with=equals":                {"https://a", "folder=with=equals"},
		"https://a=https://b/c=d":                     {"https://a", "https://b/c=d"},
		"https://a=https://me:secret@b":               {"https://a", "https://me:secret@b"},
		"https://a=file:///srv/mirror":                {"https://a", "file:///srv/mirror"},
		`https://a=C:\mirror`:                         {"https://a", `C:\mirror`},
		"https://a=.":                                 {"https://a", "."},
	} {
		got, err := ParseMirror(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
	for _, in := range []string{
		"", "=", "https://a", "https://a=", "=/srv", "/srv=/srv", "pypi.org=/srv", "ftp://a=/srv", "file:///a=/srv", "https:=/srv",
		"https:///a=/srv", "https://me@a=/srv", "https://a?q=/srv", "https://a#f=/srv", "https://a b=/srv", "https://[::1=/srv",
		"https://a=ftp://b", "https://a=s3://b", "https://a=https://", "https://a=https://b?q", "https://a=https://b?", "https://a=https://b#f",
		"https://a=https://[::1", "https://a=file://server/share", "https://a=a\x00b",
	} {
		if got, err := ParseMirror(in); err == nil {
			t.Errorf("%q is %+v, wanted an error", in, got)
		}
	}
	for _, in := range []string{"https://me:hunter2@a", "https://me:hunter2@a=/srv", "https://a=ftp://me:hunter2@b", "https://a=https://me:hunter2@b?q", "https://a=https://me:hunter2@[::1"} {
		if _, err := ParseMirror(in); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v holds the password, or is none", in, err)
		}
	}
}

func TestLocate(t *testing.T) {
	folder := func(from string) []Mirror { return []Mirror{{from, "/m"}} }
	remote := func(from, to string) []Mirror { return []Mirror{{from, to}} }
	for _, tt := range []struct {
		name    string
		mirrors []Mirror
		url     string
		want    string // the address, root:path, or refused
	}{
		{"no mirror", nil, "https://a.example/x", "https://a.example/x"},
		{"all of a scheme", folder("https://"), "https://a.example/x", "/m:a.example/x"},
		{"the other scheme", folder("https://"), "http://a.example/x", "http://a.example/x"},
		{"a host", folder("https://a.example"), "https://a.example/x/y", "/m:a.example/x/y"},
		{"host/path, whatever FROM is", folder("https://a.example/x"), "https://a.example/x/y", "/m:a.example/x/y"},
		{"the host alone", folder("https://a.example"), "https://a.example", "/m:a.example"},
		{"the host with a slash", folder("https://a.example/"), "https://a.example", "/m:a.example"},
		{"a longer host", folder("https://a.example"), "https://a.example.evil.example/x", "https://a.example.evil.example/x"},
		{"a host as userinfo", folder("https://a.example"), "https://a.example@evil.example/x", "https://a.example@evil.example/x"},
		{"userinfo before the host", folder("https://a.example"), "https://me:pw@a.example/x", "/m:a.example/x"},
		{"another port", folder("https://a.example"), "https://a.example:8443/x", "https://a.example:8443/x"},
		{"the port of the scheme", folder("https://a.example"), "https://a.example:443/x", "/m:a.example/x"},
		{"the port of the scheme in FROM", folder("https://a.example:443"), "https://a.example/x", "/m:a.example/x"},
		{"a port of its own", folder("https://"), "https://a.example:8443/x", "/m:a.example:8443/x"},
		{"case of the host", folder("https://A.example"), "https://a.EXAMPLE/X", "/m:a.example/X"},
		{"case of the path", folder("https://a.example/x"), "https://a.example/X", "https://a.example/X"},
		{"a longer segment", folder("https://a.example/x"), "https://a.example/xy", "https://a.example/xy"},
		{"the path itself", folder("https://a.example/x"), "https://a.example/x", "/m:a.example/x"},
		{"the path with a query", folder("https://a.example/x"), "https://a.example/x?q=1", "/m:a.example/x"},
		{"below a path with a slash", folder("https://a.example/x/"), "https://a.example/x/y", "/m:a.example/x/y"},
		{"a path without its slash", folder("https://a.example/x/"), "https://a.example/x", "https://a.example/x"},
		{"needless escapes", folder("https://a.example/x"), "https://a.example/%78/%7Ey", "/m:a.example/x/~y"},
		{"a trailing slash is dropped", folder("https://"), "https://a.example/simple/b/", "/m:a.example/simple/b"},
		{"empty segments are dropped", folder("https://"), "https://a.example//x///y", "/m:a.example/x/y"},
		{"escapes are decoded", folder("https://"), "https://a.example/a%20b%2Bc", "/m:a.example/a b+c"},
		{"a fragment is dropped", folder("https://"), "https://a.example/x#f", "/m:a.example/x"},
		{"IPv6", folder("https://"), "https://[2001:db8::1]/x", "/m:2001:db8::1/x"},
		{"an escaped slash", folder("https://"), "https://a.example/a%2Fb", "refused"},
		{"an escaped backslash", folder("https://"), "https://a.example/a%5cb", "refused"},
		{"a zero byte", folder("https://"), "https://a.example/a%00b", "refused"},
		{"dots", folder("https://"), "https://a.example/a/../../etc/passwd", "refused"},
		{"escaped dots", folder("https://"), "https://a.example/a/%2e%2E/%2e./b", "refused"},
		{"a single dot", folder("https://"), "https://a.example/./b", "refused"},
		{"a host of dots", folder("https://"), "https://../b", "refused"},
		{"a backslash in a segment", folder("https://"), `https://a.example/..\..\b`, "refused"},
		{"three dots are a name", folder("https://"), "https://a.example/.../b", "/m:a.example/.../b"},

		{"to a host", remote("https://a.example", "https://m.example"), "https://a.example/x?q=1", "https://m.example/x?q=1"},
		{"to a path", remote("https://a.example", "https://m.example/pypi"), "https://a.example/x", "https://m.example/pypi/x"},
		{"slashes on both", remote("https://a.example/", "https://m.example/pypi/"), "https://a.example/x/", "https://m.example/pypi/x/"},
		{"a slash on one", remote("https://a.example", "https://m.example/pypi/"), "https://a.example/x", "https://m.example/pypi/x"},
		{"a scheme to a path", remote("https://", "https://m.example/all"), "https://a.example/x", "https://m.example/all/a.example/x"},
		{"the path itself, remote", remote("https://a.example/x", "https://m.example/y"), "https://a.example/x", "https://m.example/y"},
		{"the path itself, with a query", remote("https://a.example/x", "https://m.example/y"), "https://a.example/x?q=1", "https://m.example/y?q=1"},
		{"escapes are kept", remote("https://a.example", "https://m.example"), "https://a.example/a%20b", "https://m.example/a%20b"},
		{"dots, remote", remote("https://a.example", "https://m.example/pypi"), "https://a.example/../secret", "refused"},
		{"escaped dots, remote", remote("https://a.example", "https://m.example/pypi"), "https://a.example/%2e%2e%2fsecret", "refused"},
		{"userinfo of the mirror", remote("https://a.example", "https://me:pw@m.example"), "https://you:pw@a.example/x", "https://me:pw@m.example/x"},

		{"the longest wins", []Mirror{{"https://", "/1"}, {"https://a.example/x/y", "/3"}, {"https://a.example/x", "/2"}}, "https://a.example/x/y/z", "/3:a.example/x/y/z"},
		{"the longest that covers", []Mirror{{"https://", "/1"}, {"https://a.example/x/y", "/3"}, {"https://a.example/x", "/2"}}, "https://a.example/x/yy", "/2:a.example/x/yy"},
		{"the first of equals", []Mirror{{"https://a.example", "/1"}, {"https://A.example/", "/2"}}, "https://a.example/x", "/1:a.example/x"},
		{"a mirror that makes no sense", []Mirror{{"a.example", "/1"}}, "https://a.example/x", "refused"},
		{"a file", folder("https://"), "file:///srv/a%20b", ":/srv/a b"},
		{"a file on localhost", folder("https://"), "file://localhost/srv/a", ":/srv/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(tt.url, ":8443") {
				t.Skip("no colons in names")
			}
			u, err := url.Parse(tt.url)
			if err != nil {
				// Such a URL does not get as far.
				if _, err := parseURL(tt.url); outcomeOf(err) != "refused" {
					t.Error(err)
				}
				return
			}
			u.Fragment = ""
			got := "refused"
			at, err := locate(tt.mirrors, u)
			switch {
			case err != nil:
			case at.remote != nil:
				got = at.remote.String()
			default:
				got = at.root + ":" + filepath.ToSlash(at.file)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("place (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

// tree makes a folder mirror, with a file beside it that must stay unread.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	top := t.TempDir()
	root := filepath.Join(top, "mirror")
	files["../secret"] = "secret"
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestFolderMirror(t *testing.T) {
	root := tree(t, map[string]string{"a.example/dir/file": "content", "a.example/large": "12345678901"})
	links := map[string]string{
		"a.example/out":     filepath.Join("..", "..", "secret"),
		"a.example/abs":     filepath.Join(filepath.Dir(root), "secret"),
		"a.example/up":      filepath.Join("..", ".."),
		"a.example/within":  filepath.Join("dir", "file"),
		"a.example/dangle":  "absent",
		"a.example/itself":  "itself",
		"a.example/devzero": "/dev/zero",
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Skipf("no symbolic links: %v", err)
		}
	}
	for _, tt := range []struct{ name, url, want string }{
		{"a file", "https://a.example/dir/file", "ok"},
		{"a file, with a query", "https://a.example/dir/file?x=y", "ok"},
		{"a link within", "https://a.example/within", "ok"},
		{"absent", "https://a.example/absent", "not found"},
		{"absent host", "https://b.example/dir/file", "not found"},
		{"a folder", "https://a.example/dir", "not found"},
		{"a folder with a slash", "https://a.example/dir/", "not found"},
		{"the host", "https://a.example", "not found"},
		{"below a file", "https://a.example/dir/file/x", "not found"},
		{"a dangling link", "https://a.example/dangle", "not found"},
		{"too large", "https://a.example/large", "too large"},
		{"a link out", "https://a.example/out", "unavailable"},
		{"an absolute link", "https://a.example/abs", "unavailable"},
		{"through a link out", "https://a.example/up/secret", "unavailable"},
		{"a loop", "https://a.example/itself", "unavailable"},
		{"a device", "https://a.example/devzero", "unavailable"},
		{"dots", "https://a.example/../../secret", "refused"},
		{"escaped dots", "https://a.example/%2e%2e/%2e%2e/secret", "refused"},
		{"escaped slashes", "https://a.example/..%2f..%2fsecret", "refused"},
		{"a name too long", "https://a.example/" + strings.Repeat("x", 5000), "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := quick(t)
			c.Mirrors, c.Offline = []Mirror{{"https://", root}}, true
			got, err := c.Document(t.Context(), tt.url, DocumentOptions{MaxBytes: 10})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Fatalf("outcome (-want +got):\n%s%v", diff, err)
			}
			c.MaxArchive = 10
			archive, err := c.Archive(t.Context(), []string{tt.url}, ArchiveOptions{MD5: true})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Fatalf("outcome of the archive (-want +got):\n%s%v", diff, err)
			}
			if err != nil {
				return
			}
			if string(got.Body) != "content" || !strings.HasPrefix(got.Address, root) {
				t.Errorf("found %q at %q", got.Body, got.Address)
			}
			if diff := cmp.Diff(measured(tt.url, got.Address, "content", true), archive); diff != "" {
				t.Errorf("archive (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("no such folder", func(t *testing.T) {
		// A mistyped --mirror must not pass for "nobody attested this".
		c := quick(t)
		c.Mirrors = []Mirror{{"https://", filepath.Join(root, "absent")}}
		_, err := c.Document(t.Context(), "https://a.example/dir/file", DocumentOptions{})
		if outcomeOf(err) != "unavailable" {
			t.Errorf("found %v", err)
		}
	})
}

func TestFileURLs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b.tar.gz")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
	for _, tt := range []struct{ name, url, want string }{
		{"a file", base + "/a%20b.tar.gz", "ok"},
		{"absent", base + "/absent", "not found"},
		{"a folder", base, "not found"},
		{"a device", "file:///dev/zero", "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := quick(t)
			c.Offline = true
			_, err := c.Archive(t.Context(), []string{tt.url}, ArchiveOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func TestRemoteMirror(t *testing.T) {
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/m/absent":
			http.NotFound(w, r)
		case "/m/back":
			redirect("https://a.example/file")(w, r)
		case "/m/blob":
			redirect("/blobs/1")(w, r)
		default:
			io.WriteString(w, r.URL.RequestURI())
		}
	})
	for _, tt := range []struct{ url, want, body string }{
		{"https://a.example/file?q=1", "ok", "/m/file?q=1"},
		{"https://a.example/blob", "ok", "/blobs/1"},
		{"https://a.example/absent", "not found", ""},
		{"https://a.example/back", "refused", ""},
	} {
		t.Run(tt.url, func(t *testing.T) {
			c := quick(t)
			c.Mirrors = []Mirror{{"https://a.example", mirror.URL + "/m"}}
			got, err := c.Document(t.Context(), tt.url, DocumentOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Fatalf("outcome (-want +got):\n%s%v", diff, err)
			}
			if err == nil && (string(got.Body) != tt.body || got.URL != tt.url) {
				t.Errorf("found %q for %q, wanted %q", got.Body, got.URL, tt.body)
			}
		})
	}
}

// TestRedirectToMirrored: a redirect does not lead around a mirror.
func TestRedirectToMirrored(t *testing.T) {
	root := tree(t, map[string]string{"files.example/x/a.tar.gz": "content"})
	mirror := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "content") })
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		redirect("https://files.example"+r.URL.EscapedPath())(w, r)
	})
	for _, tt := range []struct{ name, to, path, want string }{
		{"a folder", root, "/x/a.tar.gz", "ok"},
		{"a folder that lacks it", root, "/absent", "not found"},
		{"escaped dots", root, "/%2e%2e/files.example/x/a.tar.gz", "refused"},
		{"an address", mirror.URL, "/x/a.tar.gz", "ok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := quick(t)
			c.Mirrors = []Mirror{{"https://files.example", tt.to}}
			got, err := c.Archive(t.Context(), []string{site.URL + tt.path}, ArchiveOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Fatalf("outcome (-want +got):\n%s%v", diff, err)
			}
			if err == nil && got.Size != 7 {
				t.Errorf("%d bytes, wanted 7", got.Size)
			}
		})
	}
}

func TestOffline(t *testing.T) {
	s := serve(t, answer(200))
	root := tree(t, map[string]string{"a.example/x": "content"})
	c := quick(t)
	c.Offline = true
	c.Mirrors = []Mirror{{"https://a.example", root}, {"https://b.example", s.URL}}
	for u, want := range map[string]string{
		"https://a.example/x": "ok",
		"https://b.example/x": "refused",
		"https://c.example/x": "refused",
		s.URL:                 "refused",
	} {
		began := time.Now()
		_, err := c.Document(t.Context(), u, DocumentOptions{})
		if diff := cmp.Diff(want, outcomeOf(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", u, diff, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s took %s", u, took)
		}
	}
	if n := len(s.requests()); n > 0 {
		t.Errorf("%d requests in all, wanted none", n)
	}
}

func FuzzParseMirror(f *testing.F) {
	for _, s := range []string{"https://=/m", "https://pypi.org=https://m.example/x", "http://a:80/%2e=file:///x", "https://a=b=c", "=", "https://[::1]=C:\\x"} {
		f.Add(s, "https://pypi.org/simple/a/?b=c")
	}
	f.Fuzz(func(t *testing.T, s, asked string) {
		m, err := ParseMirror(s)
		if err != nil {
			return
		}
		if m.From+"="+m.To != s {
			t.Errorf("%q is %+v", s, m)
		}
		u, err := parseURL(asked)
		if err != nil || u.Scheme == "file" {
			return
		}
		at, err := locate([]Mirror{m}, u)
		if err != nil || !at.mirrored || at.remote == nil {
			return
		}
		// Whatever was asked, the answer comes from the mirror's host, below
		// its path.
		to, err := url.Parse(m.To)
		if err != nil {
			t.Fatal(err)
		}
		if at.remote.Host != to.Host || at.remote.Scheme != to.Scheme {
			t.Errorf("%q below %q is at %q", asked, m.To, at.remote)
		}
		if !strings.HasPrefix(at.remote.EscapedPath(), strings.TrimSuffix(to.EscapedPath(), "/")) {
			t.Errorf("%q below %q is at %q", asked, m.To, at.remote)
		}
	})
}

func FuzzFolderPath(f *testing.F) {
	for _, s := range []string{
		"https://a.example/x", "https://a.example/../x", "https://a.example/%2e%2e/%2e%2e/x", "https://a/..%2f..%2fx", "https://../x", "https://a%2f..%2fb/x",
		"https://a.example//x/", "https://[::1%25a/../b]/x", "https://a/..%5c..%5cx", "http://C:/x", "https://a/\x00", "https://.../.../",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURL(s)
		if err != nil || u.Scheme == "file" {
			return
		}
		path, err := folderPath(u)
		if err != nil {
			return
		}
		if !filepath.IsLocal(filepath.FromSlash(path)) || strings.ContainsRune(path, 0) {
			t.Errorf("%q is %q, which leads out", s, path)
		}
		for _, part := range strings.Split(path, "/") {
			if part == "" || part == "." || part == ".." {
				t.Errorf("%q is %q, with the segment %q", s, path, part)
			}
		}
		// The first segment is the host, so no other host's files are reached.
		if host, _, _ := strings.Cut(path, "/"); host != strings.Trim(canonicalHost(u), "[]") {
			t.Errorf("%q is %q, below another host than %q", s, path, u.Host)
		}
	})
}
