package audit

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A task is one result to come: a source to look at, or a result that is
// already known.
type task struct {
	source recipe.Source
	result Result
	key    itemKey // of the source
	// repositories are those that the recipe states, where a run proposes.
	repositories []string
	done         bool
	// discover tells that evidence is looked for, although the verdict is known.
	discover bool
	// archive tells that the archive is fetched, although no evidence is demanded.
	archive bool
	// locked is what the recipe's lock file demands; nil without one.
	locked *locked
	// empty stands for a recipe of which this run reports nothing, since
	// another shard does.
	empty bool
}

// works tells whether there is something to do before the result is known.
func (t task) works() bool { return !t.done || t.discover || t.archive }

// A listing is what one recipe holds.
type listing struct {
	tasks    []task
	warnings []string
}

// read reads recipes side by side, and hands them over in order. Those that were
// not begun when the context ends are left out.
func (r *run) read(ctx context.Context, paths []string, each func(listing)) {
	readers := runtime.GOMAXPROCS(0)
	slots := make(chan chan listing, 4*readers)
	go func() {
		defer close(slots)
		var group errgroup.Group
		group.SetLimit(readers)
		for i, path := range paths {
			if ctx.Err() != nil {
				break
			}
			slot := make(chan listing, 1)
			slots <- slot
			group.Go(func() error {
				slot <- r.list(i, path)
				return nil
			})
		}
	}()
	for slot := range slots {
		each(<-slot)
	}
}

// list reads one recipe and lists those of its sources that are this shard's.
func (r *run) list(index int, path string) listing {
	l := r.sources(path)
	kept := l.tasks[:0]
	for i, t := range l.tasks {
		t.result.Place = Place{Recipe: index, Source: i}
		t.result.Key = r.keyOf(t)
		t.result.Resumed = r.Options.Known != nil && t.works() && r.Options.Known(t.result.Key)
		if r.Options.Shard.takes(t.key) {
			kept = append(kept, t)
		}
	}
	if l.tasks = kept; len(kept) == 0 {
		l.tasks = []task{{empty: true}}
	}
	return l
}

func known(r Result) task { return task{result: r, key: recipeKey(r), done: true} }

// sources reads one recipe and lists its distinct sources.
func (r *run) sources(path string) listing {
	res := Result{Recipe: path}
	if r.Options.Read == nil { // somebody's own reading knows what a path stands for
		found, err := recipe.Find(path)
		if err != nil {
			return listing{tasks: []task{known(res.withFaults(err))}}
		}
		res.Recipe = found
	}
	rec, err := r.readRecipe(res.Recipe)
	if err != nil {
		return listing{tasks: []task{known(res.withFaults(err))}}
	}
	var l listing
	for _, w := range rec.OtherWarnings() {
		l.warnings = append(l.warnings, w.Pos.String()+": "+w.Message)
	}
	for _, s := range rec.Sources() {
		l.tasks = append(l.tasks, r.task(res, rec, s))
	}
	if r.Options.Lock != nil {
		l.tasks = r.lock(res, rec, l.tasks)
	}
	if len(l.tasks) == 0 {
		l.tasks = []task{known(res.with(Unattested, CodeNoSources, "the recipe has no source for this platform", ""))}
	}
	return l
}

func (r *run) readRecipe(path string) (*recipe.Recipe, error) {
	if r.Options.Read != nil {
		return r.Options.Read(path)
	}
	return recipe.Read(path, r.Options.Recipe)
}

// withFaults is the result of a recipe that cannot be read, or of a source that
// cannot be evaluated.
func (res Result) withFaults(err error) Result {
	res = res.with(Error, CodeRecipe, err.Error(), hintOf(err))
	res.Faults = recipe.AllFaults(err)
	if len(res.Faults) > 0 {
		res.Position = res.Faults[0].Pos
		res.Message = res.Faults[0].Message
		res.Hint = res.Faults[0].Hint
	}
	return res
}

// task decides whether there is anything to verify about a source.
func (r *run) task(res Result, rec *recipe.Recipe, s recipe.SharedSource) task {
	src := s.Source
	res.Position = src.Pos
	for _, o := range s.Outputs {
		res.Outputs = appendNew(res.Outputs, o.Name)
		res.Platforms = appendNew(res.Platforms, o.TargetPlatform)
	}
	if src.Err != nil {
		return known(res.withFaults(src.Err))
	}
	if src.Kind != recipe.URLSource {
		res.Other = describe(src)
		return known(res.with(Unattested, CodeNotAURL, fmt.Sprintf("it is a %s source, which has no archive to attest", src.Kind), ""))
	}
	for _, u := range src.URLs {
		res.URLs = append(res.URLs, u.Value)
	}
	if src.HasSHA256 {
		res.Pinned.SHA256 = src.SHA256
	}
	if src.HasMD5 {
		res.Pinned.MD5 = src.MD5
	}
	res.Decision = r.policy.Apply(PolicySource(rec, s), r.today)
	res, src, demanded := r.demanded(res, src)
	if !demanded {
		t := task{source: src, result: res, key: sourceKey(src, res.URLs), done: true, discover: res.Verdict != Error && r.discoverable(src)}
		if t.discover {
			t.key[len(t.key)-1] ^= 0xff // what is looked for is not what a recipe asks for
			t = t.lookedUpIn(rec.Statements)
		}
		return r.fetched(t)
	}
	if src.EmptyDigest {
		return known(res.with(Error, CodeRecipe, "its sha256 or md5 is written and empty, which no archive matches", "write the digest, or remove the line"))
	}
	for _, p := range src.Attestation.Publishers {
		res.Publishers = append(res.Publishers, p.String())
	}
	return task{source: src, result: res, key: sourceKey(src, res.URLs)}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// describe names a source that is no URL.
func describe(s recipe.Source) string {
	if s.Git != nil {
		address := s.Git.URL.Value
		if strings.Contains(address, "://") { // git takes paths and host:path too
			address = fetch.Redact(address)
		}
		return "git " + address
	}
	return "path " + s.Path.Value
}
