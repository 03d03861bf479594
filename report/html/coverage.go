package html

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// A Class says how well a source is covered by evidence.
type Class int

// The classes, in the order in which they are shown.
const (
	Attested     Class = iota // evidence verified
	Failing                   // missing, mismatch or invalid
	Attestable                // evidence exists, and the recipe does not ask for it
	Unevidenced               // there is none where it would be
	Unattestable              // no evidence can exist
	Unknown                   // not looked for, not obtained, or a broken recipe
	classes                   // how many there are
)

// classInfo is how a class is shown.
type classInfo struct {
	Class string // in the style sheet and in addresses
	Label string
	Icon  string
	Why   string
}

func (c Class) info() classInfo {
	switch c {
	case Attested:
		return classInfo{"attested", "attested", "check", "the publisher's evidence verified"}
	case Failing:
		return classInfo{"failing", "failing", "cross", "evidence is missing, of something else, or invalid"}
	case Attestable:
		return classInfo{"attestable", "attestable", "plus", "evidence exists; the recipe does not ask for it"}
	case Unevidenced:
		return classInfo{"unevidenced", "no evidence", "dash", "there is none where it would be"}
	case Unattestable:
		return classInfo{"unattestable", "not attestable", "none", "there can be no evidence for such an archive"}
	}
	return classInfo{"unknown", "not known", "question", "not looked for, or not obtained"}
}

// classOf tells the class of a source from its verdict and finding.
func classOf(r *report.Record) Class {
	switch r.Verdict {
	case audit.Verified:
		return Attested
	case audit.Missing, audit.Mismatch, audit.Invalid:
		return Failing
	case audit.Unattested:
		if r.Finding == nil {
			return Unknown
		}
		switch r.Finding.Kind {
		case audit.Attestable:
			return Attestable
		case audit.NoEvidence:
			return Unevidenced
		case audit.NotAttestable:
			return Unattestable
		}
	}
	return Unknown
}

// A Tally counts sources by class.
type Tally [classes]int

// All is the number of sources.
func (t Tally) All() int {
	n := 0
	for _, c := range t {
		n += c
	}
	return n
}

// A Snapshot is what an earlier report says of coverage.
type Snapshot struct {
	day   time.Time
	tally Tally
}

// NewSnapshot makes the snapshot of a report whose records are to be added. A
// report without a date has no place in time, which is an error.
func NewSnapshot(h *report.Header) (*Snapshot, error) {
	if h.Date == "" {
		return nil, errors.New("the report has no date, and coverage over time needs one\nhint: audit again with a date, or leave this report out")
	}
	day, err := time.Parse(time.RFC3339, h.Date)
	if err != nil {
		return nil, fmt.Errorf("the report's date %q is not like 2026-01-31T12:00:00Z", h.Date)
	}
	return &Snapshot{day: day}, nil
}

// ReadSnapshot makes a snapshot of a whole report. Errors are the reader's, those
// of [NewSnapshot], or tell that the report is not complete.
func ReadSnapshot(r *report.Reader) (*Snapshot, error) {
	s, err := NewSnapshot(r.Header())
	if err != nil {
		return nil, err
	}
	for {
		record, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && !r.Footer().Complete:
			return nil, errors.New("the report is not complete, so it says nothing about coverage\nhint: go on with --resume, or leave this report out")
		case errors.Is(err, io.EOF):
			return s, nil
		case err != nil:
			return nil, err
		}
		s.Add(record)
	}
}

// Add counts a record of the earlier report.
func (s *Snapshot) Add(r *report.Record) { s.tally[classOf(r)]++ }

// maxHosts is how many hosts are counted apart. More than that only a
// repository has that wants to be a nuisance; they are counted together.
const maxHosts = 2_000

// A hostCount counts the sources of hosts.
type hostCount struct {
	hosts  map[string]*Tally
	others Tally // of hosts beyond maxHosts
	none   Tally // of sources that have no host
}

func (h *hostCount) add(host string, c Class) {
	if host == "" {
		h.none[c]++
		return
	}
	if h.hosts == nil {
		h.hosts = map[string]*Tally{}
	}
	t := h.hosts[host]
	if t == nil {
		if len(h.hosts) == maxHosts {
			h.others[c]++
			return
		}
		t = &Tally{}
		h.hosts[host] = t
	}
	t[c]++
}

// A hostTally is the coverage of one host.
type hostTally struct {
	name string
	Tally
}

// top gives the n hosts with the most sources, and counts the rest together.
func (h *hostCount) top(n int) (most []hostTally, rest Tally, restHosts int) {
	for name, t := range h.hosts {
		most = append(most, hostTally{name, *t})
	}
	slices.SortFunc(most, func(a, b hostTally) int {
		return cmp.Or(cmp.Compare(b.All(), a.All()), cmp.Compare(a.name, b.name))
	})
	rest = h.others
	if len(most) > n {
		for _, t := range most[n:] {
			for c := range t.Tally {
				rest[c] += t.Tally[c]
			}
		}
		restHosts = len(most) - n
		most = most[:n]
	}
	return most, rest, restHosts
}
