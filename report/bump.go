package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/bump"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/signer"
)

// A BumpDocument says what has changed between two versions of recipes.
// docs/bump-check.schema.json describes it.
type BumpDocument struct {
	Schema        int          `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Tool          Tool         `json:"tool"`
	Old           string       `json:"old" jsonschema:"description=the older version\\, as it was named"`
	New           string       `json:"new" jsonschema:"description=the newer version\\, as it was named"`
	PolicyChanges []BumpChange `json:"policy_changes" jsonschema:"description=in what the policy is another than the older version's"`
	Recipes       []BumpRecipe `json:"recipes" jsonschema:"description=that were compared; of two folders those that differ"`
	Summary       BumpSummary  `json:"summary"`
}

// A BumpRecipe is a recipe and what has changed about its sources.
type BumpRecipe struct {
	Old     string       `json:"old,omitempty" jsonschema:"description=absent for a recipe that is new"`
	New     string       `json:"new,omitempty" jsonschema:"description=absent for a recipe that is gone"`
	State   bump.State   `json:"state" jsonschema:"enum=same,enum=added,enum=gone,enum=changed,enum=unknown,enum=failed,enum=error,description=the gravest of its sources'"`
	Sources []BumpSource `json:"sources"`

	file string // of the newer version, for annotations
}

// A BumpSource is a source in both versions.
type BumpSource struct {
	State   bump.State   `json:"state" jsonschema:"enum=same,enum=added,enum=gone,enum=changed,enum=unknown,enum=failed,enum=error"`
	Old     *BumpAccount `json:"old,omitempty"`
	New     *BumpAccount `json:"new,omitempty"`
	Changes []BumpChange `json:"changes"`
}

// A BumpAccount is what one version has of a source.
type BumpAccount struct {
	Position string        `json:"position"`
	URLs     []string      `json:"urls"`
	Other    string        `json:"other,omitempty" jsonschema:"description=of a source that is no URL"`
	Demanded bool          `json:"demanded" jsonschema:"description=recipe or policy name publishers"`
	Verdict  audit.Verdict `json:"verdict" jsonschema:"enum=verified,enum=unattested,enum=missing,enum=mismatch,enum=invalid,enum=unavailable,enum=error"`
	Code     audit.Code    `json:"code"`
	Message  string        `json:"message"`
	Hint     string        `json:"hint,omitempty"`
	Evidence bump.Evidence `json:"evidence" jsonschema:"enum=genuine,enum=none,enum=unusable,enum=refused,enum=unknown,enum=unreadable"`
	Detail   string        `json:"detail,omitempty"`
	Signers  []BumpSigner  `json:"signers" jsonschema:"description=of all evidence that verifies and is of an accepted kind"`
}

// A BumpSigner is who signed, in terms that outlive a version.
type BumpSigner struct {
	Publisher        string `json:"publisher"`
	Person           bool   `json:"person" jsonschema:"description=publisher is the certificate's name\\, and no repository"`
	Issuer           string `json:"issuer,omitempty"`
	Workflow         string `json:"workflow,omitempty"`
	Reusable         string `json:"reusable_workflow,omitempty"`
	RepositoryID     string `json:"repository_id,omitempty"`
	OwnerID          string `json:"owner_id,omitempty"`
	PredicateType    string `json:"predicate_type"`
	ImmutableRelease bool   `json:"immutable_release"`
}

// A BumpChange is what differs.
type BumpChange struct {
	Kind      signer.Kind `json:"kind" jsonschema:"enum=publisher-changed,enum=issuer-changed,enum=workflow-changed,enum=reusable-workflow-changed,enum=predicate-changed,enum=release-changed,enum=repository-id-changed,enum=owner-id-changed,enum=evidence-disappeared,enum=evidence-appeared,enum=evidence-unusable,enum=new-failure,enum=block-removed,enum=source-gone,enum=source-added,enum=policy-changed"`
	Before    string      `json:"before,omitempty"`
	After     string      `json:"after,omitempty"`
	Downgrade bool        `json:"downgrade"`
	Fails     bool        `json:"fails" jsonschema:"description=it is not accepted\\, and of a kind that has to be"`
}

// A BumpSummary counts recipes.
type BumpSummary struct {
	Recipes    int                `json:"recipes"`
	States     map[bump.State]int `json:"states"`
	ExitStatus int                `json:"exit_status" jsonschema:"enum=0,enum=1,enum=2,enum=3"`
	Warnings   []string           `json:"warnings"`
}

// NewBumpDocument has no recipes yet.
func NewBumpDocument(version, old, now string) *BumpDocument {
	return &BumpDocument{
		Schema: SchemaVersion, Tool: Tool{Name: "recipe-verify", Version: version}, Old: old, New: now,
		PolicyChanges: []BumpChange{}, Recipes: []BumpRecipe{},
		Summary: BumpSummary{States: map[bump.State]int{}, Warnings: []string{}},
	}
}

// Add adds the outcome of a pair of recipes.
func (d *BumpDocument) Add(r bump.Recipe) {
	b := BumpRecipe{State: r.State, Sources: []BumpSource{}}
	if r.Old != nil {
		b.Old, b.file = r.Old.String(), r.Old.File()
	}
	if r.New != nil {
		b.New, b.file = r.New.String(), r.New.File()
	}
	for _, s := range r.Sources {
		b.Sources = append(b.Sources, BumpSource{State: s.State, Old: bumpAccount(s.Old), New: bumpAccount(s.New), Changes: bumpChanges(s.Changes)})
	}
	d.Recipes = append(d.Recipes, b)
	d.Summary.Recipes++
	d.Summary.States[r.State]++
	d.Summary.ExitStatus = audit.WorseStatus(d.Summary.ExitStatus, r.Status)
}

// Policy adds in what the policy has changed, each once.
func (d *BumpDocument) Policy(changes []bump.Change) {
	for _, c := range bumpChanges(changes) {
		if !slices.Contains(d.PolicyChanges, c) {
			d.PolicyChanges = append(d.PolicyChanges, c)
		}
		if c.Fails {
			d.Summary.ExitStatus = audit.WorseStatus(d.Summary.ExitStatus, audit.StatusRejected)
		}
	}
}

// Warn adds warnings about the whole run, each once.
func (d *BumpDocument) Warn(warnings []string) {
	for _, w := range warnings {
		if !slices.Contains(d.Summary.Warnings, w) {
			d.Summary.Warnings = append(d.Summary.Warnings, w)
		}
	}
}

func bumpAccount(a *bump.Account) *BumpAccount {
	if a == nil {
		return nil
	}
	b := &BumpAccount{
		Position: a.Position.String(), URLs: redacted(a.URLs), Other: a.Other, Demanded: a.Demanded,
		Verdict: a.Verdict, Code: a.Code, Message: a.Message, Hint: a.Hint, Evidence: a.Evidence, Signers: []BumpSigner{},
	}
	if a.Evidence != bump.Genuine {
		b.Detail = a.Detail
	}
	for _, s := range a.Signers {
		b.Signers = append(b.Signers, BumpSigner{
			Publisher: s.Publisher, Person: s.Person, Issuer: s.Issuer, Workflow: s.Workflow, Reusable: s.Reusable,
			RepositoryID: s.RepositoryID, OwnerID: s.OwnerID, PredicateType: s.PredicateType, ImmutableRelease: s.Release,
		})
	}
	return b
}

func bumpChanges(changes []bump.Change) []BumpChange {
	list := []BumpChange{}
	for _, c := range changes {
		list = append(list, BumpChange{c.Kind, c.Before, c.After, c.Downgrade, c.Fails})
	}
	return list
}

// WriteJSON writes the document.
func (d *BumpDocument) WriteJSON(w io.Writer) error { return writeJSON(w, d) }

// String says what changed, in words. It may hold foreign text.
func (c BumpChange) String() string {
	return signer.Change{Kind: c.Kind, Before: c.Before, After: c.After}.String()
}

// WriteText writes the document for people; quiet leaves out recipes of which
// there is nothing to say.
func (d *BumpDocument) WriteText(w io.Writer, paint, quiet bool) error {
	t := &Text{W: w, Color: paint}
	var p page
	for _, c := range d.PolicyChanges {
		p.line("%s  the policy", t.bumpState(bump.Failed, !c.Fails))
		t.bumpChange(&p, c)
	}
	for _, r := range d.Recipes {
		if quiet && r.State == bump.Same {
			continue
		}
		p.line("%s  %s", t.bumpState(r.State, false), said(r.title()))
		for _, s := range r.Sources {
			if s.State != bump.Same {
				t.bumpSource(&p, s)
			}
		}
	}
	if !quiet || d.Summary.ExitStatus != audit.StatusOK {
		p.line("%s", d.Summary.count())
	}
	return t.put(&p)
}

func (r *BumpRecipe) title() string {
	switch {
	case r.New == "":
		return r.Old + " (gone)"
	case r.Old == "":
		return r.New + " (new)"
	}
	return r.New + " (before: " + r.Old + ")"
}

func (t *Text) bumpState(s bump.State, accepted bool) string {
	if accepted {
		s = bump.Changed
	}
	word := fmt.Sprintf("%-8s", s)
	switch s {
	case bump.Same, bump.Added, bump.Gone:
		return t.paint(word, color.FgGreen)
	case bump.Changed, bump.Unknown:
		return t.paint(word, color.FgYellow, color.Bold)
	}
	return t.paint(word, color.FgRed, color.Bold)
}

func (t *Text) bumpSource(p *page, s BumpSource) {
	now := s.New
	if now == nil {
		now = s.Old
	}
	p.field("source", said(now.name()))
	p.field("at", said(now.Position))
	if s.Old != nil && s.New != nil && s.Old.name() != s.New.name() {
		p.field("before", said(s.Old.name()))
	}
	for _, side := range []struct {
		name string
		of   *BumpAccount
	}{{"before", s.Old}, {"now", s.New}} {
		if side.of != nil && (side.of.Evidence == bump.Unseen || side.of.Evidence == bump.Unreadable) {
			p.field(side.name, t.paint(said(string(side.of.Evidence)+": "+side.of.Detail), color.FgYellow))
		}
	}
	for _, c := range s.Changes[:min(len(s.Changes), maxLockChanges)] {
		t.bumpChange(p, c)
	}
	if s.New != nil && s.New.Hint != "" && s.New.Verdict.Status() != audit.StatusOK {
		p.field("hint:", said(s.New.Hint))
	}
}

func (t *Text) bumpChange(p *page, c BumpChange) {
	sign, text := " ", said(c.String())
	if c.Fails {
		sign, text = "!", t.paint(text, color.FgRed)
	}
	p.line("  %s %s", sign, text)
}

// name is the source's first address, or what else it is.
func (a *BumpAccount) name() string {
	switch {
	case len(a.URLs) > 0:
		return fetch.Redact(a.URLs[0])
	case a.Other != "":
		return a.Other
	}
	return "(not known)"
}

// count is the line of the summary.
func (s BumpSummary) count() string {
	if s.Recipes == 0 {
		return "no recipe differs"
	}
	line := fmt.Sprintf("%d recipes: ", s.Recipes)
	if s.Recipes == 1 {
		line = "1 recipe: "
	}
	var parts []string
	for _, state := range bump.States() {
		if n := s.States[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return line + strings.Join(parts, ", ")
}

// WriteGitHub writes workflow commands, which GitHub Actions shows as annotations
// on the lines of the newer recipes: errors for what fails, warnings for what was
// not seen and for what is accepted. Of each level [MaxAnnotations] are written.
func (d *BumpDocument) WriteGitHub(w io.Writer) error {
	g := &GitHub{W: w}
	for _, c := range d.PolicyChanges {
		g.bump(c.Fails, bumpAnnotation{heading: "the policy", lines: []string{c.String()}})
	}
	for _, r := range d.Recipes {
		for _, s := range r.Sources {
			if a, fails := r.annotation(s); len(a.lines) > 0 {
				g.bump(fails, a)
			}
		}
	}
	return g.Footer(&Footer{Complete: true})
}

// A bumpAnnotation is what is said of a source, and where.
type bumpAnnotation struct {
	file         string
	line, column int
	heading      string
	lines        []string
}

// annotation says what there is to say of a source, and whether it fails.
func (r *BumpRecipe) annotation(s BumpSource) (a bumpAnnotation, fails bool) {
	now := s.New
	if now == nil {
		now = s.Old
	}
	a.file, a.heading = r.file, string(s.State)+": "+now.name()
	if s.New != nil || r.New == "" {
		_, a.line, a.column = splitPosition(now.Position)
	}
	fails = s.State == bump.Failed || s.State == bump.Faulty
	for _, side := range []*BumpAccount{s.Old, s.New} {
		if side != nil && (side.Evidence == bump.Unseen || side.Evidence == bump.Unreadable) {
			a.lines = append(a.lines, side.Position+": "+side.Detail)
		}
	}
	for _, c := range s.Changes {
		if fails && !c.Fails || c.Kind == bump.SourceAdded && len(s.Changes) == 1 && s.State == bump.Added {
			continue
		}
		a.lines = append(a.lines, c.String())
	}
	return a, fails
}

func (g *GitHub) bump(fails bool, a bumpAnnotation) {
	level, list := "warning", &g.warnings
	if fails {
		level, list = "error", &g.errors
	}
	list.add(0, func() string {
		var properties []string
		if a.file != "" {
			properties = append(properties, "file="+commandProperty(printable(a.file)))
		}
		if a.line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", a.line), fmt.Sprintf("col=%d", max(a.column, 1)))
		}
		properties = append(properties, "title="+commandProperty(clip(printable(a.heading), 200)))
		var lines []string
		for _, l := range a.lines[:min(len(a.lines), maxFaults)] {
			lines = append(lines, said(l))
		}
		return fmt.Sprintf("::%s %s::%s\n", level, strings.Join(properties, ","), commandData(strings.Join(lines, "\n")))
	})
}
