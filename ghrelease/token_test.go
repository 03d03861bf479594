package ghrelease_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/ghrelease"
)

// hosts are GitHub's by their real names, over TLS and by way of a proxy, so that
// it is seen who gets which header.
type hosts struct {
	*ghrelease.Resolver
	mu   sync.Mutex
	seen []string // host, path and Authorization
}

func newHosts(t *testing.T, token string, answer func(w http.ResponseWriter, r *http.Request)) *hosts {
	t.Helper()
	h := &hosts{}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{"api.github.com", "github.com", "release-assets.example", "blob.example", "moved.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.seen = append(h.seen, fmt.Sprintf("%s%s %q", r.Host, r.URL.Path, r.Header.Get("Authorization")))
		h.mu.Unlock()
		answer(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tunnel(w, server.Listener.Addr().String()) }))
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	client := &fetch.Client{
		Timeout: 5 * time.Second, Retries: -1, RootCAs: roots, MaxWait: time.Millisecond,
		Limits: map[string]fetch.Limit{"api.github.com": {}, fetch.OtherHosts: {}},
		Env: func(name string) string {
			if name == "HTTPS_PROXY" {
				return proxy.URL
			}
			return ""
		},
	}
	if token != "" {
		client.Tokens = map[string]string{"api.github.com": token}
	}
	t.Cleanup(func() {
		client.Close()
		server.CloseClientConnections()
		server.Close()
		proxy.Close()
	})
	h.Resolver = &ghrelease.Resolver{Client: client}
	return h
}

// tunnel connects a client to a server (RFC 9110, section 9.3.6).
func tunnel(w http.ResponseWriter, to string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, conn)
		server.Close()
	}()
	_, _ = io.Copy(conn, server)
}

const apiPath = "api.github.com/repos/o/r/attestations/sha256:" + pinned

// The token goes to GitHub's API and to nobody else: not to the host of a blob,
// nor to where that leads, nor beside an asset.
func TestTokenIsForTheAPIAlone(t *testing.T) {
	h := newHosts(t, "sesame", func(w http.ResponseWriter, r *http.Request) {
		switch r.Host + r.URL.Path {
		case apiPath:
			fmt.Fprint(w, items(listing(pinned, releasePredicate), "https://blob.example/b", "https://api.github.com/blob"))
		case "blob.example/b":
			http.Redirect(w, r, "https://moved.example/b", http.StatusFound)
		case "moved.example/b", "api.github.com/blob":
			fmt.Fprint(w, pack(listing(pinned, releasePredicate)))
		case "github.com/o/r/releases/download/v1.0/r-1.0.tar.gz.sigstore.json":
			http.Redirect(w, r, "https://release-assets.example/x", http.StatusFound)
		case "release-assets.example/x":
			fmt.Fprint(w, good)
		default:
			http.NotFound(w, r)
		}
	})
	d, err := h.Discover(t.Context(), query(t, assetURL))
	if err != nil || len(d.Candidates) != 4 {
		t.Errorf("%d candidates, error %v", len(d.Candidates), err)
	}
	want := []string{
		apiPath + ` "Bearer sesame"`,
		`blob.example/b ""`,
		`moved.example/b ""`,
		`api.github.com/blob ""`, // a server chose the address
		`github.com/o/r/releases/download/v1.0/r-1.0.tar.gz.sigstore.json ""`,
		`release-assets.example/x ""`,
	}
	if diff := cmp.Diff(want, h.seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A redirect of the API takes no token along.
func TestTokenIsNotForRedirects(t *testing.T) {
	h := newHosts(t, "sesame", func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "api.github.com" {
			http.Redirect(w, r, "https://moved.example/b", http.StatusMovedPermanently)
			return
		}
		fmt.Fprint(w, items(good))
	})
	if _, err := h.Discover(t.Context(), query(t, assetURL)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{apiPath + ` "Bearer sesame"`, `moved.example/b ""`}, h.seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is refused to the token is asked for once more without, and only that.
func TestRefusedTokens(t *testing.T) {
	with, without := apiPath+` "Bearer sesame"`, apiPath+` ""`
	for _, c := range []struct {
		name, token string
		status      int // of the answer to the token
		header      http.Header
		anonymous   int // status of the answer without
		api         []string
		found       int
		fails       bool
	}{
		{"forbidden", "sesame", 403, nil, 200, []string{with, without}, 1, false},
		{"unauthorized", "sesame", 401, nil, 200, []string{with, without}, 1, false},
		{"forbidden, and there is none", "sesame", 403, nil, 404, []string{with, without}, 0, false},
		{"forbidden to everybody", "sesame", 403, nil, 403, []string{with, without}, 0, true},
		{"out of quota", "sesame", 403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"99999999999"}}, 200, []string{with}, 0, true},
		{"too many", "sesame", 429, http.Header{"Retry-After": {"100"}}, 200, []string{with}, 0, true},
		{"out of order", "sesame", 500, nil, 200, []string{with}, 0, true},
		{"there is none", "sesame", 404, nil, 200, []string{with}, 0, false},
		{"no token", "", 0, nil, 403, []string{without}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHosts(t, c.token, func(w http.ResponseWriter, r *http.Request) {
				status := c.anonymous
				if r.Header.Get("Authorization") != "" {
					status = c.status
					for name, values := range c.header {
						w.Header()[name] = values
					}
				}
				switch {
				case r.Host != "api.github.com":
					http.NotFound(w, r)
				case status == 200:
					fmt.Fprint(w, items(good))
				default:
					w.WriteHeader(status)
				}
			})
			d, err := h.Discover(t.Context(), query(t, assetURL))
			var away *fetch.UnavailableError
			if errors.As(err, &away) != c.fails || len(d.Candidates) != c.found {
				t.Errorf("%d candidates, error %v", len(d.Candidates), err)
			}
			var api []string
			for _, s := range h.seen {
				if strings.HasPrefix(s, "api.") {
					api = append(api, s)
				}
			}
			if diff := cmp.Diff(c.api, api); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The requests that GitHub answers without a token are few, and not used up.
func TestRefusedTokensAreBounded(t *testing.T) {
	h := newHosts(t, "sesame", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.NotFound(w, r)
	})
	for range 70 {
		if _, err := h.Discover(t.Context(), query(t, "https://github.com/o/r/archive/v1.0.tar.gz")); err != nil {
			t.Fatal(err)
		}
	}
	without := 0
	for _, s := range h.seen {
		if strings.HasSuffix(s, `""`) {
			without++
		}
	}
	if without != 50 || len(h.seen) != 120 {
		t.Errorf("%d requests, %d of them without the token", len(h.seen), without)
	}
}
