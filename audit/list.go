package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A task is one result to come: a source to look at, or a result that is
// already known.
type task struct {
	source recipe.Source
	result Result
	done   bool
}

func known(r Result) task { return task{result: r, done: true} }

// list reads one recipe and lists its distinct sources.
func (r *run) list(path string) []task {
	res := Result{Recipe: path}
	found, err := recipe.Find(path)
	if err != nil {
		return []task{known(res.withFaults(err))}
	}
	res.Recipe = found
	rec, err := recipe.Read(found, r.Options.Recipe)
	if err != nil {
		return []task{known(res.withFaults(err))}
	}
	for _, w := range rec.OtherWarnings() {
		r.recipeWarnings = append(r.recipeWarnings, w.Pos.String()+": "+w.Message)
	}
	var tasks []task
	for _, s := range rec.Sources() {
		tasks = append(tasks, r.task(res, s))
	}
	if len(tasks) == 0 {
		return []task{known(res.with(Unattested, CodeNoSources, "the recipe has no source for this platform", ""))}
	}
	return tasks
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
func (r *run) task(res Result, s recipe.SharedSource) task {
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
	if src.Attestation == nil {
		if r.Options.RequireAttestations {
			return known(res.with(Missing, CodeNoBlock, "the source has no attestation block, and one is required", ""))
		}
		res = res.with(Unattested, CodeNoBlock, "the recipe names no publisher for it", "")
		res.Hint = ""
		return known(res)
	}
	if src.EmptyDigest {
		return known(res.with(Error, CodeRecipe, "its sha256 or md5 is written and empty, which no archive matches", "write the digest, or remove the line"))
	}
	for _, p := range src.Attestation.Publishers {
		res.Publishers = append(res.Publishers, p.String())
	}
	return task{source: src, result: res}
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
