package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An internet answers for PyPI and GitHub at once.
type internet struct {
	documents map[string][]byte // by path
	latency   time.Duration

	mu                      sync.Mutex
	asked                   map[string]int
	requests, conditional   int
	inFlight, mostAtOneTime int
}

// ServeHTTP implements http.Handler. /statistics tells what was asked so far,
// and begins anew.
func (n *internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/statistics" {
		n.statistics(w)
		return
	}
	document, ok := n.documents[r.URL.Path]
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(document))
	matches := ok && r.Header.Get("If-None-Match") == tag
	n.mu.Lock()
	n.requests++
	n.asked[r.URL.Path]++
	if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
		n.conditional++
	}
	n.inFlight++
	n.mostAtOneTime = max(n.mostAtOneTime, n.inFlight)
	n.mu.Unlock()
	time.Sleep(n.latency)
	n.mu.Lock()
	n.inFlight--
	n.mu.Unlock()
	switch {
	case matches:
		w.WriteHeader(http.StatusNotModified)
	case !ok:
		http.NotFound(w, r)
	default:
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Type", contentType(r.URL.Path))
		w.Write(document) //nolint:errcheck // the client is gone then
	}
}

func contentType(path string) string {
	if strings.HasPrefix(path, "/integrity/") {
		return "application/vnd.pypi.integrity.v1+json"
	}
	return "application/octet-stream"
}

func (n *internet) statistics(w http.ResponseWriter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	most := 0
	for _, c := range n.asked {
		most = max(most, c)
	}
	json.NewEncoder(w).Encode(map[string]int{ //nolint:errcheck // as above
		"requests": n.requests, "conditional": n.conditional, "addresses": len(n.asked),
		"most_for_one_address": most, "most_at_one_time": n.mostAtOneTime,
	})
	n.requests, n.conditional, n.mostAtOneTime = 0, 0, 0
	n.asked = map[string]int{}
}
