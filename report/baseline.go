package report

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/origin"
)

// MaxBaseline is the most sources that an earlier report may have.
const MaxBaseline = 1 << 20

// maxKept is the most bytes of a text that a [Baseline] keeps; of longer ones it
// keeps the beginning and their SHA-256.
const maxKept = 512

// A Baseline is what an earlier report says about evidence, kept in some
// hundred bytes a source. It is safe for concurrent use.
//
// A source is compared with the earlier source of the same project in the same
// recipe, so that a new version of a recipe is held against the old version's
// evidence: the same project on PyPI or another index, the same repository on
// GitHub or GitLab, or else an address that differs in version numbers only. A
// recipe is the same if its path is; if there is no such source below that path,
// if its first output has the same name. Of several earlier sources of one
// project that one counts whose file has the same name, then the same name but
// for version numbers, then the one that stands nearest in the recipe.
//
// The first source of a recipe that had one source only is compared with it even
// if its project is another: a recipe that leaves an attested project for
// another place is what the comparison is for. Other sources that have no
// counterpart are new, and nothing is said about sources that are gone.
type Baseline struct {
	entries []entry
	// last finds the last entry by the hash of each of its keys; from there on
	// entries are chained.
	last     map[baselineKey]int32
	warnings []string
}

type baselineKey [16]byte

// The keys of an entry, the better first. The recipe alone finds the only source
// of one, and those of a broken one.
const (
	byRecipe  = iota // and project
	byPackage        // and project
	byRecipeAlone
	numKeys
)

// An entry is an earlier source.
type entry struct {
	origin.Sighting
	evidence evidence
	verified bool           // the verdict was
	earlier  [numKeys]int32 // the entry before it with the same key, or -1
}

// ReadBaseline reads an earlier report to its end. An incomplete or cut report
// is taken as far as it goes, with a warning. Errors are those of [Reader], or of
// type *[FormatError].
func ReadBaseline(r *Reader) (*Baseline, error) {
	b := &Baseline{last: map[baselineKey]int32{}}
	kept := keeper{}
	for {
		record, err := r.Next()
		var cut *CutError
		switch {
		case errors.Is(err, io.EOF):
			if !r.Footer().Complete {
				b.warn("%s is incomplete", r.name)
			}
		case errors.As(err, &cut):
			b.warn("%s ends in the middle", r.name)
		case err != nil:
			return nil, err
		case len(b.entries) == MaxBaseline:
			return nil, r.fail("it has more than the limit of %d sources", MaxBaseline)
		default:
			b.add(record, kept)
			continue
		}
		break
	}
	if s := r.Header().Shard; s != "" {
		b.warn("%s is shard %s of a report", r.name, s)
	}
	return b, nil
}

func (b *Baseline) warn(format string, a ...any) {
	b.warnings = append(b.warnings, "the earlier report "+fmt.Sprintf(format, a...)+"; sources that it does not have are not compared")
}

// Warnings says what is wrong with the earlier report, for a [Footer].
func (b *Baseline) Warnings() []string { return slices.Clone(b.warnings) }

func (b *Baseline) add(r *Record, kept keeper) {
	e := entry{Sighting: sightingOf(r), evidence: evidenceOf(r), verified: r.Verdict == audit.Verified}
	e.Name, e.Shape = kept.keep(e.Name), kept.keep(e.Shape)
	if !e.evidence.has {
		e.evidence = evidence{}
	}
	for _, s := range e.evidence.Texts() {
		*s = kept.keep(*s)
	}
	for i, key := range keysOf(r) {
		e.earlier[i] = -1
		if key == (baselineKey{}) {
			continue
		}
		if at, ok := b.last[key]; ok {
			e.earlier[i] = at
		}
		b.last[key] = int32(len(b.entries))
	}
	b.entries = append(b.entries, e)
}

// with gives the entries that have a key, the last first.
func (b *Baseline) with(kind int, key baselineKey) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		at, ok := b.last[key]
		for ok && at >= 0 && yield(&b.entries[at]) {
			at = b.entries[at].earlier[kind]
		}
	}
}

// placeOf is a record's place; beyond what a report can hold all places are one.
func placeOf(r *Record) [2]int32 {
	return [2]int32{int32(min(r.Place[0], math.MaxInt32)), int32(min(r.Place[1], math.MaxInt32))}
}

// Compare says what differs between a record and its counterpart in the earlier
// report, in the order of the kinds; nil if nothing does. It depends on nothing
// but the two, so that shards say the same as one run.
func (b *Baseline) Compare(r *Record) []Change {
	if len(r.URLs) == 0 && r.Other == "" {
		return b.compareRecipe(r)
	}
	e := b.counterpart(r)
	if e == nil {
		return nil
	}
	before, now := e.evidence, evidenceOf(r)
	changes := disappeared(e, r, now)
	if before.has && now.has {
		changes = append(changes, before.compare(now)...)
	}
	return append(changes, failed(e, r, now)...)
}

// compareRecipe compares a recipe that cannot be read any more.
func (b *Baseline) compareRecipe(r *Record) []Change {
	if r.Verdict != audit.Error {
		return nil
	}
	for e := range b.with(byRecipeAlone, keysOf(r)[byRecipeAlone]) {
		if e.verified {
			return failed(e, r, evidence{})
		}
	}
	return nil
}

// counterpart finds the earlier source that a record is compared with, or nil.
func (b *Baseline) counterpart(r *Record) *entry {
	keys := keysOf(r)
	for _, kind := range []int{byRecipe, byPackage} {
		if e := b.nearest(b.with(kind, keys[kind]), r); e != nil {
			return e
		}
	}
	var only *entry
	for e := range b.with(byRecipeAlone, keys[byRecipeAlone]) {
		if only != nil || r.Place[1] != 0 {
			return nil
		}
		only = e
	}
	return only
}

// nearest chooses among earlier sources of one project, which come last first.
func (b *Baseline) nearest(entries iter.Seq[*entry], r *Record) *entry {
	e, _ := origin.Nearest(sightingOf(r), entries, func(e *entry) origin.Sighting { return e.Sighting })
	return e
}

func sightingOf(r *Record) origin.Sighting {
	file := fileOf(r)
	return origin.Sighting{Name: file, Shape: origin.Shape(file), Place: placeOf(r)}
}

// keysOf are what a source is found by; zero for none.
func keysOf(r *Record) (keys [numKeys]baselineKey) {
	keys[byRecipeAlone] = hashed("recipe", r.Recipe)
	project := projectOf(r)
	if project == "" {
		return keys
	}
	keys[byRecipe] = hashed("source", r.Recipe, project)
	if r.Package != "" {
		keys[byPackage] = hashed("package", r.Package, project)
	}
	return keys
}

func hashed(parts ...string) (key baselineKey) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	copy(key[:], sum[:])
	return key
}

// projectOf says what a source is, whichever version of it; "" for a recipe.
func projectOf(r *Record) string {
	if len(r.URLs) == 0 {
		return origin.Shape(r.Other)
	}
	return origin.Project(r.URLs)
}

// fileOf is the name of a source's file, in short if it is long.
func fileOf(r *Record) string {
	if len(r.URLs) == 0 {
		return shortened(r.Other)
	}
	return shortened(origin.FileName(r.URLs))
}

// A keeper keeps each text once, and long ones in short.
type keeper map[string]string

func (k keeper) keep(s string) string {
	if known, ok := k[s]; ok {
		return known
	}
	short := shortened(s)
	k[short] = short
	return short
}

// shortened keeps texts apart that differ, whatever their length.
func shortened(s string) string {
	if len(s) <= maxKept {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:maxKept-80], "") + "… sha256:" + hex.EncodeToString(sum[:])
}
