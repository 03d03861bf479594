package suggest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// batch is how many recipes are worked on together: their evidence, which is
// looked at twice, is still remembered the second time.
const batch = 256

// A Round is one pass over recipes: one that looks for evidence where recipes
// name no publisher, or one that verifies the blocks of recipes. Archives are
// fetched in neither.
type Round struct {
	// Propose asks for findings of [audit.Options.Propose]. The policy's own
	// publishers do not count then.
	Propose bool
	// Read reads a recipe in place of recipe.Read. It may be called by several
	// goroutines at a time.
	Read func(path string) (*recipe.Recipe, error)
}

// An Auditor makes one round over recipes and hands over a result for each
// source, as [audit.Auditor.Run] does. Rounds of one Auditor share what they
// fetched. Package gate has one.
type Auditor func(ctx context.Context, paths []string, r Round, handle func(audit.Result) error) (audit.Summary, error)

// Options say what is proposed. The zero value proposes blocks that rattler-build
// of today takes, for this machine's platform.
type Options struct {
	// Recipe says for which platforms and variants a recipe is evaluated: a block
	// is proposed only where it is right for all of them.
	Recipe recipe.Options
	// Policy is the one that the Auditor enforces; nil for none.
	Policy *policy.Policy
	// Accept are publishers that are taken although nothing confirms them.
	Accept []publishers.Pattern
	// CEP allows forms of the draft CEP that rattler-build of today refuses:
	// publishers as mappings of identity and issuer.
	CEP bool
	// Seen is told of each source that was looked at; nil for nobody.
	Seen func(recipe int, r audit.Result)
}

// A Result is what is proposed for the recipes, in their order.
type Result struct {
	Recipes  []Recipe
	Warnings []string // about the whole run, such as the age of the trusted root
}

// A Recipe is one recipe and what is proposed for it.
type Recipe struct {
	Path string
	// Faults are why it could not be read; there is nothing else then.
	Faults []*recipe.Error
	// Places are its sources, ordered as they stand in the file.
	Places []Place
	// Before is the file's content that was read, and After the one with the
	// blocks of all places that are [Proposed]. Both are nil if there are none.
	Before, After []byte
}

// Status is the exit status that the result stands for: 0 if every source was
// looked at, 1 if there is evidence that does not hold, 2 for a recipe that is
// wrong, 3 if something could not be obtained; the worst in the order 2, 1, 3, 0.
func (r *Result) Status() int {
	status := audit.StatusOK
	for _, rec := range r.Recipes {
		if len(rec.Faults) > 0 {
			status = audit.WorseStatus(status, audit.StatusError)
		}
		for _, p := range rec.Places {
			status = audit.WorseStatus(status, p.Kind.Status())
		}
	}
	return status
}

// Readable tells whether every recipe could be read. If not, nothing is to be
// written.
func (r *Result) Readable() bool {
	return !slices.ContainsFunc(r.Recipes, func(rec Recipe) bool { return len(rec.Faults) > 0 })
}

// Files are the changes that the result proposes, for [edit.Write].
func (r *Result) Files() []edit.File {
	var files []edit.File
	for _, rec := range r.Recipes {
		if rec.After != nil {
			files = append(files, edit.File{Path: rec.Path, Before: rec.Before, After: rec.After})
		}
	}
	return files
}

// Run proposes blocks for the recipes at the given paths (files, or folders as
// [recipe.Find] takes them). Nothing is written. Its error is the auditor's, for
// options that nothing can be verified with, and the context's; what is wrong
// with a recipe or a source is in the result.
func Run(ctx context.Context, paths []string, auditor Auditor, o Options) (*Result, error) {
	if len(paths) == 0 {
		return nil, errors.New("no recipe is given, so nothing can be proposed")
	}
	o.Recipe.Statements = true
	r := &run{Options: o, auditor: auditor, today: time.Now(), warned: map[string]bool{}}
	for first := 0; first < len(paths); first += batch {
		b := paths[first:min(len(paths), first+batch)]
		if err := r.batch(ctx, first, b); err != nil {
			return nil, err
		}
	}
	return &r.result, nil
}

// A run is one call of Run.
type run struct {
	Options
	auditor Auditor
	today   time.Time // exceptions of the policy end
	result  Result
	warned  map[string]bool
}

// A document is a recipe that is worked on.
type document struct {
	path string
	data []byte
	rec  *recipe.Recipe
	// asked are the sources that are looked at: what audit sees of the recipe.
	asked   *recipe.Recipe
	results map[int]audit.Result // by index in asked.Sources
	faults  []*recipe.Error

	places []*place // all of the file
	edited edition  // with the blocks of all places that have a draft
	vars   variables
}

// variables are those of the recipe's context.
func (d *document) variables() variables {
	if d.vars == nil {
		d.vars = contextOf(d.data)
	}
	return d.vars
}

// drafts are the places that a block is drafted for.
func (d *document) drafts() []*place {
	var list []*place
	for _, p := range d.places {
		if p.draft != nil {
			list = append(list, p)
		}
	}
	return list
}

// batch works on some recipes: it looks for evidence, writes the blocks into
// copies, and verifies those.
func (r *run) batch(ctx context.Context, first int, paths []string) error {
	docs := make([]*document, len(paths))
	byPath := map[string]*document{}
	var readable []string
	var at []int // index in docs
	for i, path := range paths {
		found, err := recipe.Find(path)
		if err != nil {
			docs[i] = &document{path: path, faults: faultsOf(path, err)}
			continue
		}
		docs[i] = byPath[found]
		if docs[i] != nil {
			continue
		}
		docs[i] = &document{path: found, results: map[int]audit.Result{}}
		byPath[found] = docs[i]
		readable, at = append(readable, found), append(at, i)
	}
	if len(readable) > 0 {
		if err := r.look(ctx, first, readable, at, docs, byPath); err != nil {
			return err
		}
	}
	done := map[*document]bool{}
	for _, d := range docs {
		if !done[d] {
			done[d] = true
			r.result.Recipes = append(r.result.Recipes, r.finish(d))
		}
	}
	return nil
}

func (r *run) look(ctx context.Context, first int, readable []string, at []int, docs []*document, byPath map[string]*document) error {
	read := func(path string) (*recipe.Recipe, error) {
		d := byPath[path]
		if d == nil {
			return nil, &recipe.Error{Pos: recipe.Position{File: path}, Message: "recipe is none of those that were asked for"}
		}
		return d.read(r.Recipe)
	}
	err := r.round(ctx, readable, Round{Propose: true, Read: read}, func(res audit.Result) {
		i := at[res.Place.Recipe]
		docs[i].results[res.Place.Source] = res
		if r.Seen != nil {
			r.Seen(first+i, res)
		}
	})
	if err != nil {
		return err
	}
	var drafted []string
	for _, path := range readable {
		d := byPath[path]
		if len(d.faults) > 0 || d.rec == nil {
			continue
		}
		d.places = r.placesOf(d)
		if r.write(d); len(d.drafts()) > 0 {
			drafted = append(drafted, path)
		}
	}
	if len(drafted) == 0 {
		return nil
	}
	return r.verify(ctx, drafted, byPath)
}

// verify verifies the drafts as they would be written, and judges who signed.
func (r *run) verify(ctx context.Context, drafted []string, byPath map[string]*document) error {
	read := func(path string) (*recipe.Recipe, error) { return byPath[path].edited.asked, nil }
	return r.round(ctx, drafted, Round{Read: read}, func(res audit.Result) {
		d := byPath[drafted[res.Place.Recipe]]
		if p := d.edited.places[res.Position]; p != nil {
			p.verified = append(p.verified, res)
		}
	})
}

// round makes a round. An interrupted one is an error, since nobody knows what it
// would have found.
func (r *run) round(ctx context.Context, paths []string, round Round, handle func(audit.Result)) error {
	summary, err := r.auditor(ctx, paths, round, func(res audit.Result) error {
		handle(res)
		return nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && !summary.Complete {
		err = errors.New("the run ended before every recipe was looked at")
	}
	for _, w := range summary.Warnings {
		if !r.warned[w] {
			r.warned[w] = true
			r.result.Warnings = append(r.result.Warnings, w)
		}
	}
	return err
}

// read reads the file, once, and keeps what is read: all that follows is about
// these bytes.
func (d *document) read(o recipe.Options) (*recipe.Recipe, error) {
	data, err := readFile(d.path)
	if err == nil {
		d.data = data
		d.rec, err = recipe.Parse(d.path, data, o)
	}
	if err != nil {
		d.faults = faultsOf(d.path, err)
		return nil, err
	}
	d.asked = only(d.rec, askable)
	return d.asked, nil
}

func faultsOf(path string, err error) []*recipe.Error {
	if faults := recipe.AllFaults(err); len(faults) > 0 {
		return faults
	}
	return []*recipe.Error{{Pos: recipe.Position{File: path}, Message: err.Error()}}
}

// askable tells whether evidence is looked for.
func askable(s recipe.Source) bool {
	return s.Err == nil && s.Kind == recipe.URLSource && s.Attestation == nil && s.HasSHA256 && !s.EmptyDigest
}

// only gives a recipe with some of its sources.
func only(rec *recipe.Recipe, wanted func(recipe.Source) bool) *recipe.Recipe {
	part := *rec
	part.Outputs = slices.Clone(rec.Outputs)
	for i := range part.Outputs {
		out := &part.Outputs[i]
		var kept []recipe.Source
		for _, s := range out.Sources {
			if wanted(s) {
				kept = append(kept, s)
			}
		}
		out.Sources = kept
	}
	return &part
}
