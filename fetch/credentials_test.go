package fetch

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func netrcFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseNetrc(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       map[string]login
	}{
		{"empty", "", map[string]login{}},
		{"one line", "machine a.example login me password secret", map[string]login{"a.example": {"me", "secret"}}},
		{
			"several lines", "machine a.example\n\tlogin me\n\tpassword secret\nmachine B.example login you password other\n",
			map[string]login{"a.example": {"me", "secret"}, "b.example": {"you", "other"}},
		},
		{"the first counts", "machine a login me password 1\nmachine a login me password 2\n", map[string]login{"a": {"me", "1"}}},
		{"the default is for nobody", "machine a login me password 1\ndefault login me password 2\n", map[string]login{"a": {"me", "1"}}},
		{"a host called default", "default login me password 2", map[string]login{}},
		{
			"comments", "# machine c login c password c\nmachine a # the host\n  # login\n login me password se#cret # machine d\n",
			map[string]login{"a": {"me", "se#cret"}},
		},
		{"a password that looks like a comment", "machine a login me password #1\nmachine b login me password 1\n", map[string]login{"b": {"me", "1"}}},
		{"macros", "macdef init\nmachine b login me password 3\n\nmachine a login me password 1\n", map[string]login{"a": {"me", "1"}}},
		{"an account", "machine a login me account x password 1\n", map[string]login{"a": {"me", "1"}}},
		{"no password", "machine a login me", map[string]login{}},
		{"no login", "machine a password me", map[string]login{}},
		{"a password called default", "machine a login me password default\nmachine b login me password 1\n", map[string]login{"b": {"me", "1"}}},
		{"cut short", "machine", nil},
		{"cut short later", "machine a login me password 1 machine", nil},
		{"other words", "{\"machine\": 1}", map[string]login{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseNetrc(tt.text)
			if (err != nil) != (tt.want == nil) {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(login{})); diff != "" {
				t.Errorf("logins (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNetrcFile(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".netrc"), []byte("machine 127.0.0.1 login home password p"), 0o600); err != nil {
		t.Fatal(err)
	}
	named := netrcFile(t, "machine 127.0.0.1 login named password p")
	for _, tt := range []struct {
		name   string
		env    func(string) string
		want   string // user
		warned bool
	}{
		{"in the home folder", env("HOME", home), "home", false},
		{"$NETRC first", env("HOME", home, "NETRC", named), "named", false},
		{"none", env("HOME", t.TempDir()), "", false},
		{"no home", env(), "", false},
		{"$NETRC is absent", env("HOME", home, "NETRC", filepath.Join(home, "absent")), "", true},
		{"$NETRC is a folder", env("NETRC", home), "", true},
		{"malformed", env("NETRC", netrcFile(t, "machine")), "", true},
		{"too large", env("NETRC", netrcFile(t, strings.Repeat("#\n", maxNetrc))), "", true},
		{"a program is not run", env("NETRC", filepath.Join(home, "x.gpg")), "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, answer(200))
			var logged bytes.Buffer
			c := quick(t)
			c.Env, c.Logger = tt.env, slog.New(slog.NewTextHandler(&logged, nil))
			if _, err := c.Document(t.Context(), s.URL, DocumentOptions{}); err != nil {
				t.Fatal(err)
			}
			want := ""
			if tt.want != "" {
				want = basic(tt.want, "p")
			}
			if diff := cmp.Diff([]string{want}, s.headers("Authorization")); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
			if warned := strings.Contains(logged.String(), "netrc"); warned != tt.warned {
				t.Errorf("logged %q", logged.String())
			}
		})
	}
}

// TestCredentialsStayAtTheirHost asserts the header at each host of a chain.
func TestCredentialsStayAtTheirHost(t *testing.T) {
	userinfo := func(u string) string { return strings.Replace(u, "://", "://me:secret@", 1) }
	for _, kind := range []string{"userinfo", "netrc", "token", "nothing"} {
		t.Run(kind, func(t *testing.T) {
			blob := startTLS(t, false, answer(200))
			api := startTLS(t, false, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/same":
					redirect("/here")(w, r)
				case "/away":
					redirect(userinfo(blob.URL)+"?signed=1")(w, r)
				}
			})
			c := quick(t)
			c.RootCAs = api.roots()
			c.RootCAs.AddCert(blob.Certificate())
			// All servers of a test have one IP address, which is all that netrc
			// goes by, so a host that is another one by port tells more.
			base, want := api.URL, ""
			switch kind {
			case "userinfo":
				base, want = userinfo(base), basic("me", "secret")
			case "netrc":
				c.Env, want = env("NETRC", netrcFile(t, "machine 127.0.0.1 login me password secret")), basic("me", "secret")
			case "token":
				c.Tokens, want = map[string]string{api.Listener.Addr().String(): "secret"}, "Bearer secret"
			}
			for _, path := range []string{"/plain", "/same", "/away"} {
				if _, err := c.Document(t.Context(), base+path+"?q=1", DocumentOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff([]string{want, want, want, want}, api.headers("Authorization")); diff != "" {
				t.Errorf("Authorization at the host (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{""}, blob.headers("Authorization")); diff != "" {
				t.Errorf("Authorization at the other host (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{""}, blob.headers("Referer")); diff != "" {
				t.Errorf("Referer at the other host (-want +got):\n%s", diff)
			}
			if _, err := c.Document(t.Context(), api.URL+"/plain", DocumentOptions{Anonymous: true}); err != nil {
				t.Fatal(err)
			}
			all := api.headers("Authorization")
			if got := all[len(all)-1]; got != "" {
				t.Errorf("anonymous request with Authorization %q", got)
			}
		})
	}
}

// TestSubdomain: net/http hands credentials on to subdomains, this client does
// not.
func TestSubdomain(t *testing.T) {
	sub := serveAt(t, publicIP, answer(200))
	host := serveAt(t, publicIP2, redirect("http://sub.site.example:"+sub.port()))
	c := quick(t)
	c.classify = pretend
	c.Env = env("NETRC", netrcFile(t, "machine site.example login me password secret\nmachine sub.site.example login other password secret"))
	c.resolver = fakeDNS(t, map[string][]string{"site.example": {publicIP2}, "sub.site.example": {publicIP}})
	if _, err := c.Document(t.Context(), "http://site.example:"+host.port(), DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{basic("me", "secret")}, host.headers("Authorization")); diff != "" {
		t.Errorf("Authorization at the host (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{""}, sub.headers("Authorization")); diff != "" {
		t.Errorf("Authorization at its subdomain (-want +got):\n%s", diff)
	}
}

func TestTokens(t *testing.T) {
	e := (&Client{Env: env(), Tokens: map[string]string{"API.example": "t", "127.0.0.1:80": "u", "127.0.0.1:8080": "v"}}).start()
	for _, tt := range []struct {
		url      string
		mirrored bool
		want     string
	}{
		{"https://api.example/x", false, "Bearer t"},
		{"https://API.EXAMPLE:443/x", false, "Bearer t"},
		{"https://api.example/x", true, ""},
		{"http://api.example/x", false, ""},
		{"https://api.example:8443/x", false, ""},
		{"https://sub.api.example/x", false, ""},
		{"https://api.example.evil.example/x", false, ""},
		{"https://evil.example/api.example", false, ""},
		{"https://api.example@evil.example/", false, basic("api.example", "")},
		{"https://me:secret@api.example/", false, basic("me", "secret")},
		{"http://127.0.0.1:8080/", false, "Bearer v"},
	} {
		u, err := parseURL(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, e.authorization(u, tt.mirrored)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.url, diff)
		}
	}
}

// TestMirrorsGetTheirOwnCredentials: what is for the host that a mirror stands
// for does not go to the mirror.
func TestMirrorsGetTheirOwnCredentials(t *testing.T) {
	mirror := serve(t, answer(200))
	to := strings.TrimPrefix(mirror.URL, "http://")
	for _, tt := range []struct {
		name string
		to   string
		want string
	}{
		{"none", "http://" + to, ""},
		{"its userinfo", "http://mirror:pass@" + to, basic("mirror", "pass")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(mirror.requests())
			c := quick(t)
			c.Mirrors = []Mirror{{From: "https://api.example", To: tt.to}}
			c.Tokens = map[string]string{"api.example": "secret", to: "secret"}
			c.Env = env("NETRC", netrcFile(t, "machine api.example login me password secret"))
			for _, u := range []string{"https://api.example/x", "https://me:secret@api.example/x"} {
				if _, err := c.Document(t.Context(), u, DocumentOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff([]string{tt.want, tt.want}, mirror.headers("Authorization")[before:]); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
		})
	}
}
