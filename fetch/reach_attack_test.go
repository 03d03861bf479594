package fetch

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnicodeHosts: net/http maps hosts by IDNA before it dials, so that
// full-width digits and ideographic full stops write addresses, too. Behind a
// proxy nobody else looks at the address.
func TestUnicodeHosts(t *testing.T) {
	for in, want := range map[string]reach{
		"127。0。0。1": loopback, "１２７.0.0.1": loopback, "ⓛocalhost": loopback, "a。localhost": loopback, "127.0.0.1。": loopback,
		"10。0。0。1": private, "169。254。169。254": forbidden, "metadata。google。internal": forbidden,
		"münchen.example": public, "例え.テスト": public,
	} {
		u, err := parseURL("https://" + in + ":444/")
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got, err := reachOfHost(u.Hostname(), reachOf); err != nil || got != want || u.Port() != "444" {
			t.Errorf("%q is %s, %v, wanted %s", u.Host, got, err, want)
		}
	}
	for _, in := range []string{"\u200d.example", "a／b.example", "a＠b.example", "a：80", "℀.example", "[fe80::1%25é]"} {
		if _, err := parseURL("https://" + in + "/"); outcomeOf(err) != "refused" {
			t.Errorf("%q: found %v, wanted a refusal", in, err)
		}
	}
	for _, in := range []string{"127。1", "２１３０７０６４３３", "a..", "169.254.169.254..", "。"} {
		u, err := parseURL("https://" + in + "/")
		if err != nil {
			continue
		}
		if got, err := reachOfHost(u.Hostname(), reachOf); err == nil || got != forbidden {
			t.Errorf("%q is %s, wanted an error", in, got)
		}
	}
	// What nobody mapped is nothing that can be judged.
	if got, err := reachOfHost("127。0。0。1", reachOf); err == nil || got != forbidden {
		t.Errorf("found %s, wanted an error", got)
	}
}

// TestUnicodeRedirectBehindProxy: the proxy of https is told where to connect,
// and was told the mapped address.
func TestUnicodeRedirectBehindProxy(t *testing.T) {
	site := startTLS(t, false, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			redirect(to)(w, r)
		}
	})
	proxy := proxyServer(t, forbiddenIP, site)
	for to, want := range map[string]string{
		"https://169。254。169。254/":          "refused",
		"https://10。0。0。1/":                 "refused",
		"https://%EF%BC%91%EF%BC%90.0.0.1/": "refused",
		"https://169.254.169.254../":        "refused",
		"https://ⓛocalhost/":                "refused",
		"https://a／b.example/":              "refused",
		"https://ⓔxample.com/":              "ok",
	} {
		t.Run(to, func(t *testing.T) {
			c := quick(t)
			c.RootCAs, c.Retries = site.roots(), -1
			c.classify, c.Env = pretend, env("HTTPS_PROXY", "http://"+proxy.Listener.Addr().String())
			before := len(proxy.requests())
			_, err := c.Document(t.Context(), "https://example.com/?to="+url.QueryEscape(to), DocumentOptions{})
			if diff := cmp.Diff(want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			for _, r := range proxy.requests()[before:] {
				if r.Host != "example.com:443" {
					t.Errorf("the proxy was asked for %q", r.Host)
				}
			}
		})
	}
}

// TestUnicodeHostOfMirror: a name in other characters is the same host to
// net/http, so that it must be to mirrors.
func TestUnicodeHostOfMirror(t *testing.T) {
	for _, host := range []string{"ⓟypi.org", "pypi。org", "ＰＹＰＩ.ORG", "%E2%93%9Fypi.org"} {
		u, err := parseURL("https://" + host + "/simple")
		if err != nil {
			t.Fatal(err)
		}
		at, err := locate([]Mirror{{From: "https://pypi.org", To: t.TempDir()}}, u)
		if err != nil || !at.mirrored || at.file != "pypi.org/simple" {
			t.Errorf("%s is at %+v, %v, wanted pypi.org/simple below the mirror", host, at, err)
		}
	}
	u, err := parseURL("https://xn--mnchen-3ya.example/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"https://münchen.example", "https://MÜNCHEN.example/x", "https://xn--mnchen-3ya.example"} {
		if at, err := locate([]Mirror{{From: from, To: "https://mirror.example/"}}, u); err != nil || !at.mirrored {
			t.Errorf("a mirror of %s is not asked: %+v, %v", from, at, err)
		}
	}
}

// TestMetadataServices: these hand out credentials, or instructions to the
// machine, at addresses that are not link-local.
func TestMetadataServices(t *testing.T) {
	for _, in := range []string{
		"168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42",
		"::ffff:168.63.129.16", "64:ff9b::168.63.129.16",
	} {
		if got := reachOf(netip.MustParseAddr(in)); got != forbidden {
			t.Errorf("%s is %s, wanted %s", in, got, forbidden)
		}
	}
	for _, in := range []string{"metadata.google.internal", "metadata.goog", "METADATA.GOOG."} {
		if got, _ := reachOfHost(in, reachOf); got != forbidden {
			t.Errorf("%q is %s, wanted %s", in, got, forbidden)
		}
	}
}

// TestReachOverHTTP2: a connection that many requests share says as well as a
// new one where a redirect comes from.
func TestReachOverHTTP2(t *testing.T) {
	inner := serveAt(t, loopbackIP, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "secret") })
	outer := startTLS(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("found %s, wanted HTTP/2", r.Proto)
		}
		if r.URL.Path == "/moved" {
			// Scheme and host apart, the reach decides.
			redirect("https://"+inner.Listener.Addr().String()+"/")(w, r)
			return
		}
		fmt.Fprint(w, "here")
	})
	for name, tt := range map[string]struct {
		origin reach
		want   string
	}{
		"from a public address":   {public, "refused"},
		"from a private address":  {private, "refused"},
		"from a loopback address": {loopback, "unavailable"}, // allowed, and no TLS there
	} {
		t.Run(name, func(t *testing.T) {
			c := quick(t)
			c.RootCAs, c.Retries = outer.roots(), -1
			c.classify = func(a netip.Addr) reach {
				if a == netip.MustParseAddr("127.0.0.1") {
					return tt.origin
				}
				return reachOf(a)
			}
			c.resolver = fakeDNS(t, map[string][]string{"example.com": {"127.0.0.1"}})
			base := "https://example.com:" + outer.port()
			for range 3 {
				if _, err := c.Document(t.Context(), base+"/", DocumentOptions{}); err != nil {
					t.Fatal(err)
				}
				_, err := c.Document(t.Context(), base+"/moved", DocumentOptions{})
				if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
					t.Errorf("outcome (-want +got):\n%s%v", diff, err)
				}
			}
		})
	}
}
