package report

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/recipe-verify/recipe-verify/verify"
)

// Evidence may have 16 MiB, nearly all of which can stand in its report, and
// recipes 4 MiB. A record of more than [MaxLine] could not be read back, so that
// one hostile project would make the report of a whole repository useless.
// Records are cut when they are made, so that all formats say the same.

// maxRecord leaves room for what is added later: changes, and the line's type.
const maxRecord = MaxLine - 256<<10

// bound cuts texts and lists until the record fits into a line, and says so.
func (r *Record) bound() {
	if weight(reflect.ValueOf(r).Elem()) < maxRecord {
		return
	}
	// What is about this very source is kept.
	for _, b := range r.Bundles {
		for _, c := range []*ContentDocument{b.Verified, b.Unverified} {
			if c != nil {
				slices.SortStableFunc(c.Subjects, func(x, y SubjectDocument) int {
					return r.isAbout(y) - r.isAbout(x)
				})
			}
		}
	}
	slices.SortStableFunc(r.Bundles, func(x, y BundleDocument) int { return grade(y) - grade(x) })
	for most := 4096; most >= leastKept && weight(reflect.ValueOf(r).Elem()) >= maxRecord; most /= 2 {
		cutValue(reflect.ValueOf(r).Elem(), most)
		r.Shortened = true
	}
}

func (r *Record) isAbout(s SubjectDocument) int {
	if r.Pinned.SHA256 != "" && s.Digest["sha256"] == r.Pinned.SHA256 {
		return 1
	}
	return 0
}

func grade(b BundleDocument) int {
	switch b.Status {
	case verify.Broken:
		return 3
	case verify.Counted:
		return 2
	case verify.Unmatched:
		return 1
	}
	return 0
}

// leastKept is the least characters of a text that are kept: no digest, and none
// of our own names, is longer.
const leastKept = 64

// minKept is the least entries of a list that are kept.
const minKept = 4

// cutValue cuts texts to so many characters, and lists to an eighth as many
// entries. What the value shares with others is copied first.
func cutValue(v reflect.Value, most int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(clip(v.String(), most))
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(v.Elem())
			cutValue(copied.Elem(), most)
			v.Set(copied)
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		n := min(v.Len(), max(most/8, minKept))
		kept := reflect.MakeSlice(v.Type(), n, n)
		reflect.Copy(kept, v)
		for i := range n {
			cutValue(kept.Index(i), most)
		}
		v.Set(kept)
	case reflect.Struct:
		for i := range v.NumField() {
			cutValue(v.Field(i), most)
		}
	case reflect.Map:
		if digests, ok := v.Interface().(map[string]string); ok {
			v.Set(reflect.ValueOf(cutDigests(digests, most)))
		}
	}
}

// cutDigests keeps sha256, and the first others by name.
func cutDigests(digests map[string]string, most int) map[string]string {
	kept := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if name == "sha256" || len(kept) < minKept && len(name) <= most {
			kept[name] = clip(digests[name], most)
		}
	}
	return kept
}

// maxRunWarnings is the most warnings about a run in its report, and
// maxRunWarning the most characters of one.
const (
	maxRunWarnings = 1000
	maxRunWarning  = 300
)

// bounded is a summary that fits into a line: each warning once, and not too many
// of them.
func (f *Footer) bounded() *Footer {
	b := *f
	b.Warnings = []string{}
	seen := map[string]bool{}
	more := 0
	for _, w := range f.Warnings {
		w = clip(w, maxRunWarning)
		switch {
		case seen[w]:
		case len(b.Warnings) == maxRunWarnings:
			more++
		default:
			seen[w] = true
			b.Warnings = append(b.Warnings, w)
		}
	}
	if more > 0 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("and %d more warnings", more))
	}
	return &b
}

// weight is the most bytes that a value can have as JSON: each byte of a text may
// become six, and each field has a name of up to 48. An entry of a list counts for
// 24 at least, so that a line has fewer than [maxValues] of them.
func weight(v reflect.Value) int {
	const field, escaped, entry = 48, 6, 24
	if v.Type() == reflect.TypeFor[time.Time]() {
		return 40
	}
	switch v.Kind() {
	case reflect.String:
		return escaped*v.Len() + 3
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 4
		}
		return weight(v.Elem())
	case reflect.Slice, reflect.Array:
		n := 2
		for i := range v.Len() {
			n += weight(v.Index(i)) + entry
		}
		return n
	case reflect.Map:
		n := 2
		for it := v.MapRange(); it.Next(); {
			n += weight(it.Key()) + weight(it.Value()) + entry
		}
		return n
	case reflect.Struct:
		n := 2
		for i := range v.NumField() {
			n += field + weight(v.Field(i))
		}
		return n
	}
	return 24 // a number, or true or false
}
