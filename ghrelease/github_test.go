package ghrelease_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/ghrelease"
)

const (
	pinned  = "284c7b8f2f58cb737f0cf1c30fd7eaf0ccfcde196099d24ecede3fc2005aa59e"
	foreign = "11117b8f2f58cb737f0cf1c30fd7eaf0ccfcde196099d24ecede3fc2005aa59e"

	assetURL = "https://github.com/o/r/releases/download/v1.0/r-1.0.tar.gz"
	lookup   = "https://api.github.com/repos/o/r/attestations/sha256:" + pinned
	asked    = lookup + "?per_page=100"
	multiple = "https://github.com/o/r/releases/download/v1.0/multiple.intoto.jsonl"
)

// beside are the sidecars of the asset, as they are asked for.
var beside = []string{assetURL + ".sigstore.json", assetURL + ".sigstore", assetURL + ".intoto.jsonl", multiple}

// listing is a bundle that speaks of a digest, and that nobody signed.
func listing(sum, predicate string) string {
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"r-1.0.tar.gz","digest":{"sha256":%q}}],"predicateType":%q,"predicate":{}}`, sum, predicate)
	return fmt.Sprintf(`{"mediaType":"m","dsseEnvelope":{"payload":%q,"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`, base64.StdEncoding.EncodeToString([]byte(statement)))
}

var (
	good = listing(pinned, "https://slsa.dev/provenance/v1")
	bad  = listing(foreign, "https://slsa.dev/provenance/v1")
)

// items is an answer of the attestations API.
func items(bundles ...string) string {
	var list []string
	for i, b := range bundles {
		if strings.HasPrefix(b, "{") {
			list = append(list, fmt.Sprintf(`{"repository_id":%d,"bundle":%s}`, i, b))
			continue
		}
		list = append(list, fmt.Sprintf(`{"repository_id":%d,"bundle":null,"bundle_url":%q}`, i, b))
	}
	return fmt.Sprintf(`{"attestations":[%s]}`, strings.Join(list, ","))
}

func pack(text string) string { return string(snappy.Encode(nil, []byte(text))) }

// reply is what a host answers.
type reply struct {
	status int // 0 for 200
	link   string
	header map[string]string
	body   string
}

// github answers in the place of GitHub's hosts and a blob host, by address, and
// 404 for all else.
type github struct {
	*ghrelease.Resolver
	mu    sync.Mutex
	asked []string
}

func newGitHub(t *testing.T, replies map[string]reply) *github {
	t.Helper()
	g := &github{}
	client := &fetch.Client{Timeout: 5 * time.Second, Retries: -1, MaxWait: time.Millisecond, Env: func(string) string { return "" }}
	t.Cleanup(client.Close)
	for _, host := range []string{"api.github.com", "github.com", "blob.example"} { // a server each, for quotas are by host
		server := httptest.NewServer(g.serve("https://"+host, replies))
		t.Cleanup(server.Close)
		client.Mirrors = append(client.Mirrors, fetch.Mirror{From: "https://" + host + "/", To: server.URL + "/"})
	}
	g.Resolver = &ghrelease.Resolver{Client: client}
	return g
}

func (g *github) serve(host string, replies map[string]reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		address := host + r.URL.RequestURI()
		g.mu.Lock()
		g.asked = append(g.asked, address)
		g.mu.Unlock()
		a, ok := replies[address]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if a.link != "" {
			w.Header().Set("Link", a.link)
		}
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		if a.status != 0 {
			w.WriteHeader(a.status)
		}
		fmt.Fprint(w, a.body)
	}
}

func query(t testing.TB, urls ...string) attestation.Query {
	t.Helper()
	d, err := digest.ParseSHA256(pinned)
	if err != nil {
		t.Fatal(err)
	}
	return attestation.Query{URLs: urls, SHA256: d, MaxBytes: 1 << 20}
}
