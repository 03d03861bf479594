// Package lock reads and writes lock files: who signs the sources of a recipe,
// in terms that outlive a version. A lock file stands beside its recipe, and
// verify --locked demands that it holds.
//
// A lock has an entry for each source that carries evidence, under a name that
// is the same for all versions of the source, and in it every signer whose
// evidence counted. There is nothing in it that a new version changes: no
// digest, version, ref or time. So it changes when the project's releases are
// made by somebody else, or in another way, and somebody has to look then.
//
// Lock files come from the recipe's folder and are bounded ([MaxSize],
// [MaxEntries], [MaxSigners], [MaxText]). Whoever can change a lock file can
// lock another signer: it protects against what upstream projects and their
// hosts do, and makes what the recipe's authors do visible in a review.
package lock

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

// Name is the name of the lock file of a recipe.yaml.
const Name = "recipe-verify.lock"

// Version is the version of the form of lock files.
const Version = 1

// Limits of a lock file. Going over is an error.
const (
	MaxSize    = 1 << 20
	MaxEntries = 10_000
	MaxSources = 100_000 // of a recipe, over all platforms and variants
	MaxSigners = 64
	MaxText    = 4096
)

// A File is what a lock file says.
type File struct {
	// Path is where it was read from; "" if it was not.
	Path string
	// Platforms are those that the recipe was evaluated for, as recipe.Options
	// takes them; nil for all that conda-forge builds for.
	Platforms []string
	// Entries are ordered by their sources' names, each of which is there once.
	Entries []Entry
}

// An Entry says who signs a source.
type Entry struct {
	// Source is the source's name, as [Names] gives it.
	Source string
	// Signers must all have signed. There is at least one.
	Signers []signer.Signer
	// Pos is where the entry stands in the file; zero if it was not read.
	Pos recipe.Position
}

// A Source is a source as a recipe has it: one rendering of one place.
type Source struct {
	Pos  recipe.Position
	URLs []string
}

// A Signed source is one that was verified.
type Signed struct {
	Source
	Signers []signer.Signer
}

// Path is the place of a recipe's lock file: [Name] beside a recipe.yaml, and
// NAME.recipe-verify.lock beside a recipe of another name.
func Path(recipePath string) string {
	dir, base := filepath.Split(recipePath)
	if base == "recipe.yaml" {
		return dir + Name
	}
	return dir + base + "." + Name
}

// New makes the lock of the verified sources of a recipe, which was evaluated
// for the given platforms, or for all if there are none. Of several renderings
// of one place that are versions of one thing, it locks the signers that they
// have in common. Errors are *[Error]: a source without a signer, or renderings
// that have none in common.
func New(sources []Signed, platforms []string) (*File, error) {
	plain := make([]Source, len(sources))
	for i, s := range sources {
		plain[i] = s.Source
	}
	names, err := Names(plain)
	if err != nil {
		return nil, err
	}
	f := &File{}
	if platforms = slices.Compact(slices.Sorted(slices.Values(platforms))); !slices.Equal(platforms, []string{recipe.AllPlatforms}) {
		f.Platforms = platforms
	}
	at := map[string]int{}
	for i, s := range sources {
		signers := signer.Sorted(s.Signers)
		if err := lockable(s, signers); err != nil {
			return nil, err
		}
		j, known := at[names[i]]
		if !known {
			at[names[i]] = len(f.Entries)
			f.Entries = append(f.Entries, Entry{Source: names[i], Signers: signers})
			continue
		}
		e := &f.Entries[j]
		e.Signers = slices.DeleteFunc(e.Signers, func(t signer.Signer) bool {
			return !slices.ContainsFunc(signers, t.Same)
		})
		if len(e.Signers) == 0 {
			return nil, &Error{s.Pos, "it stands for several archives, and no signer has signed all of them", "give those archives sources of their own"}
		}
	}
	slices.SortFunc(f.Entries, func(a, b Entry) int { return cmp.Compare(a.Source, b.Source) })
	if len(f.Entries) > MaxEntries || len(f.Bytes()) > MaxSize {
		return nil, &Error{Problem: fmt.Sprintf("its sources do not fit into a lock file of %d entries and %d bytes", MaxEntries, MaxSize)}
	}
	return f, nil
}

// lockable refuses what a lock file cannot hold.
func lockable(s Signed, signers []signer.Signer) error {
	if len(signers) == 0 {
		return &Error{s.Pos, "nobody has signed it", ""}
	}
	if len(signers) > MaxSigners {
		return &Error{s.Pos, fmt.Sprintf("it has more than the limit of %d signers", MaxSigners), ""}
	}
	for _, t := range signers {
		if problem := faulty(t); problem != nil {
			return &Error{s.Pos, "its signer cannot be locked: " + problem.Error(), ""}
		}
	}
	return nil
}

// faulty tells why a signer cannot stand in a lock file.
func faulty(s signer.Signer) error {
	switch {
	case s.Publisher == "":
		return errors.New("it has neither repository nor identity")
	case s.Release && (s.Issuer != "" || s.Workflow != "" || s.Reusable != "" || s.Person):
		return errors.New("an immutable release has a repository, and neither issuer nor workflow")
	case !s.Release && s.Issuer == "":
		return errors.New("it has no issuer")
	case s.Reusable != "" && s.Workflow == "":
		return errors.New("it has a reusable workflow, and no workflow that calls it")
	}
	for _, text := range s.Texts() {
		switch {
		case len(*text) > MaxText:
			return fmt.Errorf("a text has more than the limit of %d bytes", MaxText)
		case !utf8.ValidString(*text):
			return errors.New("a text is not UTF-8")
		}
	}
	return nil
}

// Find gives the entry of a source by its name, or nil.
func (f *File) Find(name string) *Entry {
	i, ok := slices.BinarySearchFunc(f.Entries, name, func(e Entry, name string) int { return cmp.Compare(e.Source, name) })
	if !ok {
		return nil
	}
	return &f.Entries[i]
}

// Check says in what the signers of a source differ from those that the entry
// demands: nothing if and only if each of the entry's signers has signed. Signers
// beyond those are nobody's business here.
func (e Entry) Check(signers []signer.Signer) []signer.Change {
	if len(e.Signers) == 0 { // which no file can say, and nothing may follow from
		return []signer.Change{{Kind: signer.Appeared, After: "evidence, and the entry names no signer"}}
	}
	changes := signer.Compare(e.Signers, signers)
	return slices.DeleteFunc(changes, func(c signer.Change) bool { return c.Kind == signer.Appeared })
}

// A Difference is what differs about a source between two locks.
type Difference struct {
	Source string
	// Changes are of a source that both have; nil for one that is new or gone.
	Changes     []signer.Change
	Added, Gone bool
	// Signers are those of a source that is new or gone.
	Signers []signer.Signer
}

// Differences compares a lock with a newer one, in the order of the sources'
// names. before may be nil, for none.
func Differences(before, now *File) []Difference {
	if before == nil {
		before = &File{}
	}
	var list []Difference
	for _, e := range now.Entries {
		old := before.Find(e.Source)
		switch {
		case old == nil:
			list = append(list, Difference{Source: e.Source, Added: true, Signers: e.Signers})
		default:
			if changes := signer.Compare(old.Signers, e.Signers); len(changes) > 0 {
				list = append(list, Difference{Source: e.Source, Changes: changes})
			}
		}
	}
	for _, e := range before.Entries {
		if now.Find(e.Source) == nil {
			list = append(list, Difference{Source: e.Source, Gone: true, Signers: e.Signers})
		}
	}
	slices.SortStableFunc(list, func(a, b Difference) int { return cmp.Compare(a.Source, b.Source) })
	return list
}
