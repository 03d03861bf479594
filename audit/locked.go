package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Codes of what a lock file refuses.
const (
	CodeLock         Code = "lock-error"            // the lock file is missing, or cannot be read
	CodeLockOutdated Code = "lock-outdated"         // lock file and recipe don't speak of the same sources
	CodeLockedSigner Code = "locked-signer-changed" // evidence is genuine, and not of the signers that are locked
)

// A locked source is one whose evidence must be of the signers that the recipe's
// lock file names.
type locked struct {
	file  *lock.File
	name  string      // of the source, in the file
	entry *lock.Entry // nil if the file has none for it
}

// demands writes out all that is demanded.
func (l *locked) demands() string {
	if l.entry == nil {
		return "nothing has an entry"
	}
	return fmt.Sprintf("%q %+q", l.name, l.entry.Signers)
}

// lock holds the tasks of a recipe against its lock file. What has an entry does
// not depend on the platform of the run, so the recipe is evaluated for all: a
// source of another platform without an entry, and an entry that no source has
// any more, are results too.
func (r *run) lock(res Result, rec *recipe.Recipe, tasks []task) []task {
	file, err := r.Options.Lock(rec.Path)
	if err != nil {
		return []task{known(res.withLockError(err))}
	}
	everywhere, err := r.everywhere(rec, file)
	if err != nil {
		return append([]task{known(res.withFaults(err))}, tasks...)
	}
	var all []task // those that ask for evidence
	var sources []lock.Source
	here := map[string]bool{}
	for _, t := range tasks {
		here[t.identity()] = true
	}
	for _, s := range everywhere.Sources() {
		t := r.task(res, everywhere, s)
		switch {
		case !t.done:
			all = append(all, t)
			sources = append(sources, lock.Source{Pos: t.result.Position, URLs: t.result.URLs})
		case t.result.Verdict == Error && !here[t.identity()] && file != nil:
			tasks = append(tasks, known(t.result)) // who knows whether it has an entry
		}
	}
	if file == nil {
		if len(all) == 0 {
			return tasks
		}
		return []task{known(res.withLockError(&lock.Error{
			Pos:     recipe.Position{File: lock.Path(rec.Path)},
			Problem: "there is no lock file, and the recipe asks for evidence",
			Mend:    "look at who signs the sources, and then: recipe-verify lock " + rec.Path,
		}))}
	}
	names, err := lock.Names(sources)
	if err != nil {
		return []task{known(res.withLockError(err))}
	}
	of := map[string]*locked{}
	for i, t := range all {
		l := &locked{file, names[i], file.Find(names[i])}
		of[t.identity()] = l
		if l.entry == nil && !here[t.identity()] {
			tasks = append(tasks, known(t.result.withoutEntry(l)))
		}
	}
	for i := range tasks {
		if t := &tasks[i]; !t.done {
			t.locked = of[t.identity()]
			if t.locked == nil { // it is of this run's platform alone, which cannot be
				t.locked = &locked{file: file}
			}
		}
	}
	return append(tasks, unused(res, file, names)...)
}

// unused gives a result for each entry of a lock file that no source has.
func unused(res Result, file *lock.File, names []string) (tasks []task) {
	used := map[string]bool{}
	for _, name := range names {
		used[name] = true
	}
	for _, e := range file.Entries {
		if !used[e.Source] {
			gone := res.with(Mismatch, CodeLockOutdated,
				fmt.Sprintf("the lock file has %q, and the recipe asks for no evidence of such a source", e.Source), lockHint(res.Recipe))
			gone.Position = e.Pos
			tasks = append(tasks, known(gone))
		}
	}
	return tasks
}

// everywhere is a recipe for all platforms that its lock file speaks of, and for
// those of the run.
func (r *run) everywhere(rec *recipe.Recipe, file *lock.File) (*recipe.Recipe, error) {
	if r.Options.Read != nil {
		return rec, nil
	}
	o := r.Options.Recipe
	platforms := []string{recipe.AllPlatforms}
	if file != nil && file.Platforms != nil {
		platforms = file.Platforms
	}
	if len(o.TargetPlatforms) == 0 {
		o.TargetPlatforms = []string{recipe.MachinePlatform()}
	}
	o.TargetPlatforms = slices.Concat(platforms, o.TargetPlatforms)
	return recipe.Read(rec.Path, o)
}

// identity tells the sources of one recipe apart, and is the same for every
// platform.
func (t task) identity() string {
	return fmt.Sprintf("%s %q %x", t.result.Position, t.result.URLs, t.key)
}

func lockHint(path string) string {
	return "look at what has changed in the recipe and why, and then: recipe-verify lock " + path
}

// withLockError is the result of a recipe whose lock file is of no use.
func (res Result) withLockError(err error) Result {
	message := err.Error()
	var e *lock.Error
	if errors.As(err, &e) {
		if res.Position = e.Pos; e.Pos.Line > 0 { // reports show the place of a line only
			message = e.Problem
		}
	}
	return res.with(Error, CodeLock, message, hintOf(err))
}

// withoutEntry is the result of a source that the lock file does not know.
func (res Result) withoutEntry(l *locked) Result {
	return res.with(Mismatch, CodeLockOutdated,
		fmt.Sprintf("the lock file %s has no entry %q for this source", l.file.Path, l.name), lockHint(res.Recipe))
}

// judge compares what was found with what a recipe and its lock file demand.
func (r *run) judge(it *item, t task) Result {
	return it.judge(t.result, r.rules(t)).withLock(t.locked)
}

// withLock takes the verdict of verified evidence back if it is not of the
// signers that the lock file names.
func (res Result) withLock(l *locked) Result {
	if l == nil || res.Verdict != Verified {
		return res
	}
	signers := signer.All(res.Evidence)
	var changes []signer.Change
	if l.entry != nil {
		if changes = l.entry.Check(signers); len(changes) == 0 {
			return res
		}
	}
	res.Evidence, res.Warnings = verify.Evidence{}, nil
	if l.entry == nil {
		res = res.withoutEntry(l)
		res.Message += "; it is signed by " + join(signers)
		return res
	}
	var said []string
	for _, c := range changes {
		said = append(said, c.String())
	}
	return res.with(Mismatch, CodeLockedSigner,
		fmt.Sprintf("its signers are not those that %s locks: %s", l.entry.Pos, strings.Join(said, "; ")),
		"find out why the project signs otherwise than before, and do not build until then; if it is right: recipe-verify lock "+res.Recipe)
}

func join(signers []signer.Signer) string {
	var names []string
	for _, s := range signers {
		names = appendNew(names, s.String())
	}
	return strings.Join(names, " and ")
}
