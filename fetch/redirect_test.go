package fetch

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

func TestRedirectCount(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil || n == 0 {
			io.WriteString(w, "there")
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/%d", n-1), []int{301, 302, 303, 307, 308}[n%5])
	})
	got, err := quick(t).Document(t.Context(), s.URL+"/10", DocumentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := s.URL + "/0"; got.Address != want || got.URL != s.URL+"/10" {
		t.Errorf("address %q of %q, wanted %q", got.Address, got.URL, want)
	}
	before := len(s.requests())
	_, err = quick(t).Document(t.Context(), s.URL+"/11", DocumentOptions{})
	if outcomeOf(err) != "refused" {
		t.Errorf("eleven redirects: %v", err)
	}
	if n := len(s.requests()) - before; n != 11 {
		t.Errorf("%d requests, wanted 11", n)
	}
}

func TestRedirectSchemes(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "plain") })
	secure := startTLS(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			redirect(plain.URL)(w, r)
			return
		}
		io.WriteString(w, "secure")
	})
	up := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL+r.URL.Path, http.StatusFound)
	})
	for _, tt := range []struct{ name, url, want string }{
		{"http to https", up.URL + "/", "ok"},
		{"https to http", secure.URL + "/down", "refused"},
		{"http to https to http", up.URL + "/down", "refused"},
		{"http to http", serve(t, redirect(plain.URL)).URL, "ok"},
		{"to file:", serve(t, redirect("file:///etc/passwd")).URL, "refused"},
		{"to ftp:", serve(t, redirect("ftp://127.0.0.1/")).URL, "refused"},
		{"to data:", serve(t, redirect("data:,x")).URL, "refused"},
		{"to a malformed address", serve(t, redirect("http://[::1")).URL, "unavailable"},
		{"to nowhere", serve(t, answer(302)).URL, "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := quick(t)
			c.RootCAs = secure.roots()
			before := len(plain.requests())
			_, err := c.Document(t.Context(), tt.url, DocumentOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if tt.want == "refused" && len(plain.requests()) != before {
				t.Error("the refused address was asked")
			}
		})
	}
}

// Addresses that stand for others in tests, for a machine has no others.
const (
	publicIP, publicIP2 = "127.0.1.1", "127.0.1.2"
	privateIP           = "127.0.2.1"
	loopbackIP          = "127.0.3.1"
	forbiddenIP         = "127.0.4.1"
)

func pretend(a netip.Addr) reach {
	switch {
	case netip.MustParsePrefix("127.0.1.0/24").Contains(a):
		return public
	case netip.MustParsePrefix("127.0.2.0/24").Contains(a):
		return private
	case netip.MustParsePrefix("127.0.4.0/24").Contains(a):
		return forbidden
	}
	return reachOf(a)
}

// serveAt serves on one address, at the port (0 for any).
func serveAt(t *testing.T, ip string, h http.HandlerFunc) *counter {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Skipf("the machine has no address %s: %v", ip, err)
	}
	return start(t, h, func(s *httptest.Server) {
		s.Listener.Close()
		s.Listener = l
		s.Start()
	})
}

func (c *counter) port() string {
	_, port, _ := net.SplitHostPort(c.Listener.Addr().String())
	return port
}

func TestRedirectReach(t *testing.T) {
	ips := map[reach]string{public: publicIP, private: privateIP, loopback: loopbackIP, forbidden: forbiddenIP}
	for origin := public; origin <= forbidden; origin++ {
		for target := public; target <= forbidden; target++ {
			for _, by := range []string{"address", "name"} {
				t.Run(fmt.Sprintf("%s to %s by %s", origin, target, by), func(t *testing.T) {
					inner := serveAt(t, ips[target], func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "inner") })
					location, table := inner.URL, map[string][]string{}
					if by == "name" {
						location = "http://target.example:" + inner.port()
						table["target.example"] = []string{ips[target]}
					}
					outer := serveAt(t, ips[origin], redirect(location))
					first := outer.URL
					if by == "name" {
						first = "http://origin.example:" + outer.port()
						table["origin.example"] = []string{ips[origin]}
					}
					c := quick(t)
					c.classify, c.resolver = pretend, fakeDNS(t, table)
					_, err := c.Document(t.Context(), first, DocumentOptions{})
					want, reached := "refused", 0
					if target <= origin && origin < forbidden {
						want, reached = "ok", 1
					}
					if diff := cmp.Diff(want, outcomeOf(err)); diff != "" {
						t.Errorf("outcome (-want +got):\n%s%v", diff, err)
					}
					if n := len(inner.requests()); n != reached {
						t.Errorf("the target got %d requests, wanted %d", n, reached)
					}
					if n := len(outer.requests()); (n > 0) != (origin < forbidden) {
						t.Errorf("the origin got %d requests", n)
					}
				})
			}
		}
	}
}

func TestRebinding(t *testing.T) {
	inner := serveAt(t, privateIP, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "inner") })
	// The same name is public when it is first asked for, and private then.
	outer := serveAt(t, publicIP, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		redirect("http://rebind.example:"+inner.port())(w, r)
	})
	c := quick(t)
	c.classify = pretend
	c.resolver = fakeDNS(t, map[string][]string{"rebind.example": {publicIP, privateIP}})
	_, err := c.Document(t.Context(), "http://rebind.example:"+outer.port(), DocumentOptions{})
	if outcomeOf(err) != "refused" || len(inner.requests()) != 0 {
		t.Errorf("found %v after %d requests to the private server", err, len(inner.requests()))
	}
}

// TestPooledConnection makes sure that a connection to a private host that the
// recipe itself named does not serve a redirect from a public one.
func TestPooledConnection(t *testing.T) {
	inner := serveAt(t, privateIP, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "inner") })
	name := "http://inner.example:" + inner.port()
	outer := serveAt(t, publicIP, redirect(name))
	c := quick(t)
	c.classify = pretend
	c.resolver = fakeDNS(t, map[string][]string{"inner.example": {privateIP}})
	if _, err := c.Document(t.Context(), name, DocumentOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Document(t.Context(), outer.URL, DocumentOptions{})
	if outcomeOf(err) != "refused" || len(inner.requests()) != 1 {
		t.Errorf("found %v after %d requests to the private server", err, len(inner.requests()))
	}
}

// TestChainReach: the first address counts, not the one before.
func TestChainReach(t *testing.T) {
	inner := serveAt(t, loopbackIP, answer(200))
	middle := serveAt(t, publicIP, redirect(inner.URL))
	for ip, want := range map[string]string{loopbackIP: "ok", publicIP2: "refused"} {
		outer := serveAt(t, ip, redirect(middle.URL))
		c := quick(t)
		c.classify = pretend
		_, err := c.Document(t.Context(), outer.URL, DocumentOptions{})
		if diff := cmp.Diff(want, outcomeOf(err)); diff != "" {
			t.Errorf("from %s (-want +got):\n%s%v", ip, diff, err)
		}
	}
}

// proxyServer forwards plain requests to one server whatever they name, and
// tunnels to it.
func proxyServer(t *testing.T, ip string, to *counter) *counter {
	t.Helper()
	return serveAt(t, ip, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			tunnel(w, to.Listener.Addr().String())
			return
		}
		r.RequestURI, r.URL.Host = "", to.Listener.Addr().String()
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		io.Copy(w, resp.Body)
	})
}

func tunnel(w http.ResponseWriter, to string) {
	up, err := net.Dial("tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	down, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		up.Close()
		return
	}
	io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		defer up.Close()
		io.Copy(up, down)
	}()
	defer down.Close()
	io.Copy(down, up)
}

func TestProxy(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			redirect(to)(w, r)
			return
		}
		io.WriteString(w, r.Host)
	})
	// The user named the proxy, so it may be anywhere.
	proxy := proxyServer(t, forbiddenIP, site)
	with := func(t *testing.T, e func(string) string) *Client {
		c := quick(t)
		c.classify, c.Env = pretend, e
		return c
	}
	address := "http://user:password@" + proxy.Listener.Addr().String()
	for _, tt := range []struct {
		name, url string
		env       func(string) string
		want      string
		proxied   int
	}{
		{"http", "http://site.example/", env("HTTP_PROXY", address), "ok", 1},
		{"the lower-case variable", "http://site.example/", env("http_proxy", address), "ok", 1},
		{"redirect to a public name", "http://site.example/?to=http://other.example/", env("HTTP_PROXY", address), "ok", 2},
		{"redirect to a private address", "http://site.example/?to=http://10.0.0.1/", env("HTTP_PROXY", address), "refused", 1},
		{"redirect to localhost", "http://site.example/?to=http://localhost/", env("HTTP_PROXY", address), "refused", 1},
		{"redirect to a short address", "http://site.example/?to=http://127.1/", env("HTTP_PROXY", address), "refused", 1},
		{"redirect around the proxy", "http://site.example/?to=" + site.URL, env("HTTP_PROXY", address, "NO_PROXY", "127.0.0.1"), "refused", 1},
		{"a private address that the recipe names", "http://10.0.0.1/", env("HTTP_PROXY", address), "ok", 1},
		{"link-local, whoever names it", "http://169.254.169.254/", env("HTTP_PROXY", address), "refused", 0},
		{"metadata by name", "http://metadata.google.internal/", env("HTTP_PROXY", address), "refused", 0},
		{"none for loopback", site.URL, env("HTTP_PROXY", address), "ok", 0},
		{"malformed", "http://site.example/", env("HTTP_PROXY", "http://user:hunter2@[::1"), "unavailable", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(proxy.requests())
			_, err := with(t, tt.env).Document(t.Context(), tt.url, DocumentOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if n := len(proxy.requests()) - before; n != tt.proxied {
				t.Errorf("%d requests to the proxy, wanted %d", n, tt.proxied)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q holds the proxy's password", err)
			}
		})
	}
	t.Run("https", func(t *testing.T) {
		secure := startTLS(t, false, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })
		proxy := proxyServer(t, forbiddenIP, secure)
		c := with(t, env("HTTPS_PROXY", "http://user:password@"+proxy.Listener.Addr().String()))
		c.RootCAs = secure.roots()
		if _, err := c.Document(t.Context(), "https://example.com/", DocumentOptions{}); err != nil {
			t.Fatal(err)
		}
		if r := proxy.requests()[0]; r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") == "" {
			t.Errorf("found %s with Proxy-Authorization %q, wanted CONNECT with one", r.Method, r.Header.Get("Proxy-Authorization"))
		}
		if diff := cmp.Diff([]string{""}, secure.headers("Proxy-Authorization")); diff != "" {
			t.Errorf("Proxy-Authorization at the site (-want +got):\n%s", diff)
		}
	})
}
