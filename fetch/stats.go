package fetch

import "time"

// Stats are counters of what a client did so far.
type Stats struct {
	Requests    int64 // sent, redirects and retries included
	Conditional int64 // of those, with If-None-Match or If-Modified-Since
	NotModified int64 // answers with status 304
	Failures    int64 // requests that got no answer
	CacheHits   int64 // documents and absences from the cache that nobody was asked about
	Shared      int64 // documents that this client had asked for already (see Client.Once)
	Hosts       map[string]HostStats
	// CacheProblem is the first problem with the cache on disk, nil for none.
	CacheProblem error
}

// HostStats are the counters of one host, by its name and any port that the
// scheme does not imply.
type HostStats struct {
	Requests, Conditional, NotModified, Failures int64
	// Waited is how long requests waited for their turn, all together.
	Waited time.Duration
	// BlockedUntil is when the host wants requests again; zero if it always did.
	BlockedUntil time.Time
}

// Stats gives the counters. It may be called at any time.
func (c *Client) Stats() Stats {
	e := c.start()
	s := Stats{Hosts: map[string]HostStats{}, Shared: e.shared.Load(), CacheHits: e.cacheHits.Load()}
	if c.Cache != nil {
		s.CacheProblem = c.Cache.problem()
	}
	for host, gate := range e.transport.gates.all() {
		gate.mu.Lock()
		h := gate.stats
		h.BlockedUntil = gate.until
		gate.mu.Unlock()
		s.Hosts[host] = h
		s.Requests += h.Requests
		s.Conditional += h.Conditional
		s.NotModified += h.NotModified
		s.Failures += h.Failures
	}
	return s
}
