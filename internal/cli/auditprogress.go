package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/report"
)

// How often progress is shown: on a terminal, and in a log.
const (
	terminalEvery = 200 * time.Millisecond
	logEvery      = 10 * time.Second
)

// auditProgress shows on the standard error how far an audit has come: on a
// terminal in one line that is written over, otherwise a line every ten seconds.
type auditProgress struct {
	w        io.Writer
	terminal bool
	total    int
	begun    time.Time

	mu       sync.Mutex
	recipes  int
	sources  int
	counts   map[audit.Verdict]int
	found    int // attestable
	stats    func() fetch.Stats
	finished chan struct{}
	stopped  sync.WaitGroup
}

func newAuditProgress(w io.Writer, env Env, quiet bool, recipes int) *auditProgress {
	p := &auditProgress{w: w, total: recipes, begun: time.Now(), counts: map[audit.Verdict]int{}, finished: make(chan struct{})}
	if quiet {
		return p
	}
	every := logEvery
	if env.IsTerminal(w) && env.Getenv("TERM") != "dumb" {
		p.terminal, every = true, terminalEvery
	}
	p.stopped.Add(1)
	go func() {
		defer p.stopped.Done()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.show()
			case <-p.finished:
				return
			}
		}
	}()
	return p
}

// watch takes what counts the requests.
func (p *auditProgress) watch(stats func() fetch.Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats = stats
}

// add counts a result.
func (p *auditProgress) add(r *report.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recipes = r.Place[0] + 1
	p.sources++
	p.counts[r.Verdict]++
	if r.Finding != nil && r.Finding.Kind == audit.Attestable {
		p.found++
	}
}

func (p *auditProgress) show() {
	line := p.line(time.Now())
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// line says how far the audit is at a time.
func (p *auditProgress) line(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := now.Sub(p.begun)
	parts := []string{fmt.Sprintf("%d of %d recipes", p.recipes, p.total), fmt.Sprintf("%d sources", p.sources)}
	if p.stats != nil {
		n := p.stats().Requests
		parts = append(parts, fmt.Sprintf("%d requests", n))
		if s := elapsed.Seconds(); s >= 1 {
			parts = append(parts, fmt.Sprintf("%.0f/s", float64(n)/s))
		}
	}
	if p.recipes > 0 && p.recipes < p.total && elapsed >= time.Second {
		left := time.Duration(float64(elapsed) / float64(p.recipes) * float64(p.total-p.recipes))
		parts = append(parts, "about "+left.Round(time.Second).String()+" left")
	}
	var findings []string
	for _, v := range []audit.Verdict{audit.Verified, audit.Mismatch, audit.Invalid, audit.Missing, audit.Unavailable, audit.Error} {
		if n := p.counts[v]; n > 0 {
			findings = append(findings, fmt.Sprintf("%d %s", n, v))
		}
	}
	if p.found > 0 {
		findings = append(findings, fmt.Sprintf("%d attestable", p.found))
	}
	if len(findings) > 0 {
		parts = append(parts, strings.Join(findings, ", "))
	}
	return strings.Join(parts, " · ")
}

// close ends the showing, and gives the final counts of requests.
func (p *auditProgress) close() fetch.Stats {
	close(p.finished)
	p.stopped.Wait()
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stats == nil {
		return fetch.Stats{}
	}
	return p.stats()
}
