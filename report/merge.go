package report

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/recipe-verify/recipe-verify/audit"
)

// Merge unites the reports of all shards of one audit, and writes what one run
// in one part would have written. Memory does not grow with the reports.
// Errors about reports are of type *[FormatError]: that a shard is missing or
// there twice, is not complete, or is of another audit.
func Merge(shards []*Reader, w Writer) error {
	if err := sameAudit(shards); err != nil {
		return err
	}
	header := *shards[0].Header()
	header.Shard = ""
	if err := w.Header(&header); err != nil {
		return err
	}
	next := make([]*Record, len(shards))
	footer := NewFooter()
	for i := range shards {
		if err := advance(shards, next, i); err != nil {
			return err
		}
	}
	for {
		first := -1
		for i, r := range next {
			if r != nil && (first < 0 || before(r.Place, next[first].Place)) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		for i, r := range next {
			if r != nil && i != first && r.Place == next[first].Place {
				return shards[i].fail("the source at %v is in %s too", r.Place, shards[first].name)
			}
		}
		footer.Add(next[first])
		if err := w.Record(next[first]); err != nil {
			return err
		}
		if err := advance(shards, next, first); err != nil {
			return err
		}
	}
	footer.Complete = true
	for _, s := range shards {
		f := s.Footer()
		footer.Recipes = max(footer.Recipes, f.Recipes)
		footer.Complete = footer.Complete && f.Complete
		for _, warning := range f.Warnings {
			if !slices.Contains(footer.Warnings, warning) {
				footer.Warnings = append(footer.Warnings, warning)
			}
		}
		if f.ExitStatus == audit.StatusInterrupted {
			footer.ExitStatus = audit.StatusInterrupted
		}
	}
	return w.Footer(footer)
}

// advance reads the next record of a shard.
func advance(shards []*Reader, next []*Record, i int) error {
	r, err := shards[i].Next()
	if errors.Is(err, io.EOF) {
		next[i] = nil
		return nil
	}
	next[i] = r
	return err
}

// sameAudit checks that reports are all the shards of one audit.
func sameAudit(shards []*Reader) error {
	if len(shards) == 0 {
		return &FormatError{Name: "merge", Problem: "no report is given"}
	}
	count := 0
	have := map[int]string{}
	var want Header
	for i, s := range shards {
		h := *s.Header()
		shard, err := audit.ParseShard(h.Shard)
		if err != nil {
			e := &FormatError{Name: s.name, Problem: "it is not a part of an audit"}
			e.Mend = "make parts with recipe-verify audit --shard I/N --report json=FILE"
			return e
		}
		h.Shard = ""
		if i == 0 {
			want, count = h, shard.Count
		}
		if why := differs(want, h, count, shard.Count); why != "" {
			return &FormatError{Name: s.name, Problem: fmt.Sprintf("it is of another audit than %s: %s", shards[0].name, why)}
		}
		if other, twice := have[shard.Index]; twice {
			return &FormatError{Name: s.name, Problem: fmt.Sprintf("it is shard %s, and so is %s", shard, other)}
		}
		have[shard.Index] = s.name
	}
	for i := 1; i <= count; i++ {
		if _, ok := have[i]; !ok {
			return &FormatError{Name: shards[0].name, Problem: fmt.Sprintf("of its %d parts %d/%d is missing", count, i, count), Mend: "name the reports of all shards"}
		}
	}
	return nil
}

// differs says in what two headers are not of one audit, or "".
func differs(a, b Header, countA, countB int) string {
	switch {
	case countA != countB:
		return fmt.Sprintf("it has %d parts, and not %d", countB, countA)
	case a.Tool != b.Tool:
		return fmt.Sprintf("it was written by version %q, and not %q", b.Tool.Version, a.Tool.Version)
	case a.Set != b.Set || a.Recipes != b.Recipes:
		return "it is about other recipes"
	case a.Discover != b.Discover || a.Since != b.Since || a.Date != b.Date:
		return "its options are others"
	case fmt.Sprintf("%+v", a.Policy) != fmt.Sprintf("%+v", b.Policy):
		return "its policy is another"
	}
	return ""
}
