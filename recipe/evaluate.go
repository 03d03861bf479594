package recipe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

// Limits of an evaluation.
const (
	// MaxSources is the most sources and outputs that a recipe may have over
	// all combinations, after equal outputs are merged.
	MaxSources = 50_000
	// MaxRendered is the most bytes of text that those sources may hold.
	MaxRendered = 16 << 20
	// MaxContext is the most bytes and items of a context.
	MaxContext = 4 << 20
	// MaxFaults is the most faults that are reported.
	MaxFaults = 100
	// maxSteps is the budget for templates and walks over all combinations. The
	// largest of two thousand real recipes takes 40,000 for all platforms.
	maxSteps = 3_000_000
)

// An evaluation is the work on one recipe.
type evaluation struct {
	doc       *document
	engine    *jinja.Engine
	options   Options
	recipe    *Recipe
	known     map[string]bool // outputs, by identity
	sources   int
	rendered  int             // bytes of the sources that are kept
	pending   int             // bytes of the sources of the combination at work
	reported  map[string]bool // faults and warnings
	faults    Faults
	exhausted *Error // set when a limit of the whole evaluation is reached
	stated    map[Statement]bool
}

// Parse evaluates a recipe that is given as bytes. Path stands in positions,
// and variant files are looked for beside it, or in Options.Folder. Results and errors are as those
// of [Read].
func Parse(path string, data []byte, o Options) (*Recipe, error) {
	targets, build, optionErr := o.platforms()
	if optionErr != nil {
		return nil, optionErr
	}
	doc, err := parseDocument(path, data)
	if err != nil {
		return nil, err
	}
	files, err := readVariantFiles(path, o)
	if err != nil {
		return nil, err
	}
	ev := &evaluation{
		doc: doc, options: o, recipe: &Recipe{Path: path},
		known: map[string]bool{}, reported: map[string]bool{}, stated: map[Statement]bool{},
	}
	ev.engine = jinja.New(jinja.Config{Env: o.environment, File: ev.loadFile, Budget: maxSteps})
	ev.checkTopLevel()
	combinations := 0
	for _, target := range targets {
		vars := &scope{platform: platformVariables(target, build)}
		keys, err := ev.variantsFor(files, o, vars)
		if err != nil {
			return nil, err
		}
		ev.explore(keys, vars.platform, combination{}, nil, &combinations)
	}
	if ev.exhausted != nil {
		ev.fail(ev.exhausted)
	}
	if len(ev.faults) > 0 {
		slices.SortStableFunc(ev.faults, func(a, b *Error) int { return a.Pos.compare(b.Pos) })
		return nil, ev.faults
	}
	return ev.recipe, nil
}

// fail notes a fault of the whole recipe, once. Of very many faults some are
// left out, but never all.
func (ev *evaluation) fail(e *Error) {
	if len(ev.faults) < MaxFaults && !ev.reported["fault "+e.Error()] {
		ev.reported["fault "+e.Error()] = true
		ev.faults = append(ev.faults, e)
	}
}

func (ev *evaluation) warn(e *Error) {
	if len(ev.recipe.Warnings) < MaxFaults && !ev.reported["warning "+e.Error()] {
		ev.reported["warning "+e.Error()] = true
		ev.recipe.Warnings = append(ev.recipe.Warnings, e)
	}
}

// objection is for what rattler-build refuses: a fault, or when lenient a
// warning.
func (ev *evaluation) objection(e *Error) {
	if ev.options.Lenient {
		ev.warn(e)
	} else {
		ev.fail(e)
	}
}

// stop ends the evaluation at a limit.
func (ev *evaluation) stop(n *yaml.Node, format string, a ...any) {
	if ev.exhausted == nil {
		ev.exhausted = ev.doc.fault(n, fmt.Sprintf(format, a...))
	}
}

// walk pays for the visit of a node, and tells whether to go on.
func (ev *evaluation) walk(n *yaml.Node) bool {
	return ev.spend(n, 4+len(n.Content)/4)
}

// spend pays for work, and tells whether to go on.
func (ev *evaluation) spend(n *yaml.Node, steps int) bool {
	if ev.exhausted == nil && ev.engine.Spend(steps) != nil {
		ev.stop(n, "evaluating the recipe for all platforms and variants takes too many steps")
	}
	return ev.exhausted == nil
}

// explore evaluates the recipe for all combinations of the keys that it reads.
// It starts from one and goes on with the choices that the recipe turned out
// to depend on, so that keys which nothing reads cost nothing. done is what
// evaluating with chosen has read, or nil.
func (ev *evaluation) explore(keys *variants, platform platformScope, chosen combination, done *selection, count *int) {
	if ev.exhausted != nil {
		return
	}
	if done == nil {
		if *count++; *count > MaxCombinations {
			ev.stop(ev.doc.root, "recipe has more than %d combinations of variants", MaxCombinations)
			return
		}
		done = &selection{variants: keys, chosen: chosen, read: map[string]bool{}}
		ev.combination(&scope{platform: platform, selection: done})
	}
	// Going deeper costs a copy of the choices and a look at what was read.
	if !ev.spend(ev.doc.root, len(chosen)+len(done.read)) {
		return
	}
	choice, values := done.open()
	if choice == "" {
		return
	}
	for i := range values {
		next := maps.Clone(chosen)
		next[choice] = i
		if i > 0 {
			ev.explore(keys, platform, next, nil, count)
			continue
		}
		// Keys that are not chosen have their first value.
		same := *done
		same.chosen = next
		ev.explore(keys, platform, next, &same, count)
	}
}

func singleKeys() []string {
	return []string{
		"$schema", "package", "build", "about", "requirements", "extra", "source", "tests", "schema_version", "context",
	}
}

func multiKeys() []string {
	return []string{
		"$schema", "recipe", "version", "build", "about", "extra", "source", "tests", "outputs", "schema_version", "context",
	}
}

// checkTopLevel looks at the keys of the top level.
func (ev *evaluation) checkTopLevel() {
	root := ev.doc.root
	allowed := singleKeys()
	outputs := lookup(root, "outputs")
	if outputs != nil {
		allowed = multiKeys()
	}
	pairs(root, func(key, _ *yaml.Node) {
		switch {
		case slices.Contains(allowed, key.Value):
		case key.Value == "cache":
			e := ev.doc.fault(key, "top-level `cache` is no longer known to rattler-build")
			e.Hint = "use a staging output"
			ev.warn(e)
		default:
			ev.objection(ev.unknownKey(key, allowed, "at the top level"))
		}
	})
	if v := lookup(root, "schema_version"); v != nil && v.Value != "1" {
		ev.fail(ev.doc.fault(v, "schema_version must be 1, found "+quoteText(v.Value)))
	}
	if outputs == nil && lookup(root, "package") == nil {
		e := ev.doc.fault(root, "recipe has neither `package` nor `outputs`")
		e.Hint = "recipes of conda-build (meta.yaml) are not supported"
		ev.fail(e)
	}
	if outputs != nil && outputs.Kind != yaml.SequenceNode && !isNull(outputs) {
		ev.fail(ev.doc.fault(outputs, "outputs must be a list"))
	}
}

func (ev *evaluation) unknownKey(key *yaml.Node, allowed []string, where string) *Error {
	e := ev.doc.fault(key, fmt.Sprintf("unknown key %q %s", clip(key.Value), where))
	e.Hint = didYouMean(key.Value, allowed)
	return e
}

// combination evaluates the recipe for one combination.
func (ev *evaluation) combination(vars *scope) {
	if !ev.walk(ev.doc.root) {
		return
	}
	ev.pending = 0
	root := ev.doc.root
	ev.contextOf(lookup(root, "context"), vars)
	ev.statements(lookup(root, "about"), vars)
	if outputs := lookup(root, "outputs"); outputs != nil {
		ev.multiple(outputs, vars)
		return
	}
	pkg := lookup(root, "package")
	if pkg == nil || len(ev.faults) > 0 && pkg.Kind != yaml.MappingNode {
		return
	}
	var out Output
	out.Name = ev.label(pkg, "name", vars)
	out.Version = ev.label(pkg, "version", vars)
	// build.skip drops outputs of recipes with several outputs only.
	out.Sources = ev.sourceList(lookup(root, "source"), vars)
	ev.add(out, vars)
	ev.legacyCache(vars)
}

// label renders a package's name or version. What cannot be known is given as
// it is written, with a warning.
func (ev *evaluation) label(n *yaml.Node, key string, vars *scope) string {
	if n.Kind != yaml.MappingNode {
		ev.fail(ev.doc.fault(n, "wanted a mapping with name and version, found a "+kindName(n)))
		return ""
	}
	v := lookup(n, key)
	if v == nil {
		if key == "name" {
			ev.fail(ev.doc.fault(n, "package has no name"))
		}
		return ""
	}
	text, err := ev.text(ev.doc, v, vars)
	if err != nil {
		if !err.Unknowable {
			ev.fail(err)
		}
		ev.warn(err)
		return v.Value
	}
	return text
}

// legacyCache lists the sources of a top-level cache.
func (ev *evaluation) legacyCache(vars *scope) {
	cache := lookup(ev.doc.root, "cache")
	if cache == nil {
		return
	}
	if source := lookup(cache, "source"); source != nil {
		ev.add(Output{Name: "cache", Staging: true, Sources: ev.sourceList(source, vars)}, vars)
	}
}

func outputKeys(staging bool) []string {
	if staging {
		return []string{"staging", "source", "requirements", "build"}
	}
	return []string{"package", "inherit", "source", "requirements", "build", "tests", "about", "extra"}
}

// multiple evaluates the outputs of a recipe that has several.
func (ev *evaluation) multiple(outputs *yaml.Node, vars *scope) {
	ev.legacyCache(vars)
	if outputs.Kind != yaml.SequenceNode {
		return
	}
	for _, n := range outputs.Content {
		if !ev.walk(n) {
			return
		}
		// What one output reads does not multiply the others' variants in
		// the report, but all of it has to be explored.
		all := vars.selection.read
		vars.selection.read = maps.Clone(all)
		ev.output(n, vars)
		maps.Copy(all, vars.selection.read)
		vars.selection.read = all
	}
}

func (ev *evaluation) output(n *yaml.Node, vars *scope) {
	staging := lookup(n, "staging")
	pkg := lookup(n, "package")
	switch {
	case n.Kind != yaml.MappingNode:
		ev.fail(ev.doc.fault(n, "output must be a mapping with `package` or `staging`, found a "+kindName(n)))
		return
	case lookup(n, "if") != nil:
		e := ev.doc.fault(n, "conditionals are not allowed in outputs")
		e.Hint = "use build.skip in the output"
		ev.fail(e)
		return
	case staging == nil && pkg == nil:
		ev.fail(ev.doc.fault(n, "output has neither `package` nor `staging`"))
		return
	}
	allowed := outputKeys(staging != nil)
	pairs(n, func(key, _ *yaml.Node) {
		if !slices.Contains(allowed, key.Value) {
			ev.objection(ev.unknownKey(key, allowed, "in an output"))
		}
	})
	if ev.skipped(lookup(ev.doc.root, "build"), vars) || ev.skipped(lookup(n, "build"), vars) {
		return
	}
	ev.statements(lookup(n, "about"), vars)
	common := lookup(ev.doc.root, "recipe")
	out := Output{Staging: staging != nil}
	named := pkg
	if staging != nil {
		named = staging
	}
	out.Name = ev.label(named, "name", vars)
	out.Version = ev.label(named, "version", vars)
	if lookup(named, "version") == nil && common != nil {
		out.Version = ev.label(common, "version", vars)
	}
	if staging != nil || !inherits(lookup(n, "inherit")) {
		out.Sources = ev.sourceList(lookup(ev.doc.root, "source"), vars)
	}
	out.Sources = append(out.Sources, ev.sourceList(lookup(n, "source"), vars)...)
	ev.add(out, vars)
}

// inherits tells whether an output takes its work from a staging output.
func inherits(n *yaml.Node) bool {
	if n == nil || n.Kind == yaml.ScalarNode {
		return !isNull(n) && n.Value != "" && (!isPlain(n) || n.Value != "~" && n.Value != "null")
	}
	return true
}

// skipped evaluates build.skip. An output for which it cannot be known is not
// skipped: rather verify a source too many.
func (ev *evaluation) skipped(build *yaml.Node, vars *scope) bool {
	skip := lookup(build, "skip")
	if isNull(skip) {
		return false
	}
	result := false
	ev.expand(skip, vars, func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			ev.warn(ev.doc.fault(n, "skip conditions must be expressions"))
			return
		}
		expression, err := ev.text(ev.doc, n, vars)
		if err == nil {
			var truth bool
			var truthErr error
			if truth, truthErr = ev.engine.Truth(expression, vars); truthErr == nil {
				result = result || truth
				return
			}
			err = ev.templateError(ev.doc, n, vars, truthErr)
		}
		ev.warn(err)
	}, func(_ *yaml.Node, err *Error) { ev.warn(err) })
	return result
}

// expand calls visit for each item of a list, or for a lone item, and resolves
// conditionals. Conditionals that cannot be evaluated go to failed, with why.
func (ev *evaluation) expand(n *yaml.Node, vars *scope, visit func(*yaml.Node), failed func(*yaml.Node, *Error)) {
	if !ev.walk(n) {
		return
	}
	switch {
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			ev.expand(item, vars, visit, failed)
		}
	case n.Kind == yaml.MappingNode && lookup(n, "if") != nil:
		branch, err := ev.branch(ev.doc, n, vars)
		if err != nil {
			failed(n, err)
			return
		}
		for _, item := range branch {
			ev.expand(item, vars, visit, failed)
		}
	default:
		visit(n)
	}
}

// branch gives the items of the branch that a conditional takes.
func (ev *evaluation) branch(doc *document, n *yaml.Node, vars *scope) ([]*yaml.Node, *Error) {
	test, then, otherwise := lookup(n, "if"), lookup(n, "then"), lookup(n, "else")
	for i := 0; i < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Value != "if" && key.Value != "then" && key.Value != "else" {
			e := doc.fault(key, fmt.Sprintf("unknown key %q in a conditional", clip(key.Value)))
			e.Hint = didYouMean(key.Value, []string{"if", "then", "else"})
			return nil, e
		}
	}
	switch {
	case test == nil:
		return nil, doc.fault(n, "wanted a scalar or a conditional with `if` and `then`, found a mapping")
	case then == nil:
		return nil, doc.fault(n, "conditional has no `then`")
	case test.Kind != yaml.ScalarNode:
		return nil, doc.fault(test, "condition must be an expression, found a "+kindName(test))
	case strings.Contains(test.Value, "${{"):
		e := doc.fault(test, "condition must be a bare expression")
		e.Hint = "write it without ${{ }}"
		return nil, e
	}
	truth, err := ev.engine.Truth(test.Value, vars)
	if err != nil {
		return nil, ev.templateError(doc, test, vars, err)
	}
	taken := then
	if !truth {
		taken = otherwise
	}
	switch {
	case isNull(taken):
		return nil, nil
	case taken.Kind == yaml.SequenceNode:
		return taken.Content, nil
	}
	return []*yaml.Node{taken}, nil
}

// add adds an output, or merges it with one that says the same.
func (ev *evaluation) add(out Output, vars *scope) {
	if !ev.spend(ev.doc.root, 20+10*len(out.Sources)+len(vars.selection.read)) {
		return
	}
	out.TargetPlatform = jinja.Text(vars.platform.target["target_platform"])
	var key identity
	key.add(out.Name, out.Version, out.TargetPlatform, strconv.FormatBool(out.Staging))
	for i := range out.Sources {
		out.Sources[i].identify(&key)
	}
	if ev.known[string(key)] {
		return
	}
	ev.sources += 1 + len(out.Sources)
	ev.rendered += len(key)
	if ev.sources > MaxSources {
		ev.stop(ev.doc.root, "recipe has more than %d sources and outputs over all platforms and variants", MaxSources)
		return
	}
	if ev.rendered > MaxRendered {
		ev.stop(ev.doc.root, "sources of the recipe hold more than %d bytes over all platforms and variants", MaxRendered)
		return
	}
	out.Variant = vars.selection.used()
	ev.known[string(key)] = true
	ev.recipe.Outputs = append(ev.recipe.Outputs, out)
}
