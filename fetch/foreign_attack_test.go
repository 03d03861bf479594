package fetch

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// startTLSAt is serveAt over TLS, for *.example.com.
func startTLSAt(t *testing.T, ip string, h http.HandlerFunc) *counter {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Skipf("the machine has no address %s: %v", ip, err)
	}
	return start(t, h, func(s *httptest.Server) {
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.Listener.Close()
		s.Listener = l
		s.StartTLS()
	})
}

// An address that an answer names leads nowhere that a redirect of a public host
// would not lead, and gets no credentials.
func TestForeignAddresses(t *testing.T) {
	serve := func(ip string) *counter {
		return startTLSAt(t, ip, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "inner") })
	}
	open, private, local, plain := serve(publicIP), serve(privateIP), serve(loopbackIP), serveAt(t, publicIP, func(http.ResponseWriter, *http.Request) {})
	away := startTLSAt(t, publicIP, redirect("https://private.example.com:"+private.port()))
	table := map[string][]string{
		"public.example.com": {publicIP}, "private.example.com": {privateIP}, "loopback.example.com": {loopbackIP}, "localhost": {loopbackIP},
	}
	for _, c := range []struct{ name, url, want string }{
		{"public", "https://public.example.com:" + open.port() + "/x", "ok"},
		{"private by name", "https://private.example.com:" + private.port(), "refused"},
		{"private by address", "https://" + privateIP + ":" + private.port(), "refused"},
		{"loopback by name", "https://loopback.example.com:" + local.port(), "refused"},
		{"localhost", "https://localhost:" + local.port(), "refused"},
		{"redirect to private", "https://public.example.com:" + away.port(), "refused"},
		{"without https", "http://public.example.com:" + plain.port(), "refused"},
		{"userinfo", "https://user:password@public.example.com:" + open.port(), "refused"},
		{"file", "file:///etc/hostname", "refused"},
		{"no address", "x", "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := quick(t)
			client.RootCAs = open.roots()
			client.classify, client.resolver = pretend, fakeDNS(t, table)
			client.Tokens = map[string]string{"public.example.com:" + open.port(): "sesame"}
			_, err := client.Document(t.Context(), c.url, DocumentOptions{Foreign: true})
			if got := outcomeOf(err); got != c.want {
				t.Errorf("outcome %s: %v", got, err)
			}
		})
	}
	if n := len(private.requests()) + len(local.requests()) + len(plain.requests()); n > 0 {
		t.Errorf("%d requests reached what they must not", n)
	}
	for _, a := range open.headers("Authorization") {
		if a != "" {
			t.Errorf("credentials %q were sent", a)
		}
	}
}
