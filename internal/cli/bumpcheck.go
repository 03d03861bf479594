package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/bump"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/signer"
)

// bumpFlags are the flags of bump-check, as they were given.
type bumpFlags struct {
	accept        []string
	format, color string
	quiet         bool

	runFlags
}

func newBumpCheck(env Env) *cobra.Command {
	f := &bumpFlags{}
	c := &cobra.Command{
		Use:   "bump-check OLD NEW [RECIPE|DIR]",
		Short: "Compare the evidence of two versions of recipes",
		Long: `Bump-check compares who signed the sources of two versions of a recipe: the same
repository and owner by their identifiers, workflow, issuer and types of
statements? Is evidence lost, or is it not demanded any more? It looks at evidence
that recipes demand and at evidence that is only there, and fetches no archive.

OLD and NEW are each a recipe or folder on disk (".", "..", or a path that begins
with "./", "../" or "/", or ends in "/", ".yaml" or ".yml"), REVISION:PATH, or a
git revision, which stands for what the other one names. Of two revisions all
recipes that differ are compared, or those below the third argument.

Exit status 1 says that somebody has to look: a change that --accept does not
name, or evidence of NEW that is not what is demanded. 3 says that one side could
not be looked at.

See docs/bump-check.md.`,
		Example: `  recipe-verify bump-check HEAD .
  recipe-verify bump-check origin/main HEAD
  recipe-verify bump-check --format github origin/main HEAD recipes/
  recipe-verify bump-check --accept workflow-changed HEAD~1:recipe/recipe.yaml recipe/recipe.yaml`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 {
				return &usageError{fmt.Errorf("found %d arguments, wanted two versions, and at most one path", len(args)), ""}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			within := ""
			if len(args) == 3 {
				if within = args[2]; within == "" {
					return &usageError{errors.New("the path is empty"), "look whether a variable is set that should hold it"}
				}
			}
			return f.run(c, env, args[0], args[1], within)
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	s := c.Flags()
	s.StringArrayVar(&f.accept, "accept", nil, "changes of these kinds do not fail, a comma-separated `LIST` of "+kindNames()+" (may be repeated)")
	s.StringVar(&f.format, "format", "text", "report as `FORMAT`: text, json, or github for annotations")
	s.StringVar(&f.color, "color", "auto", "colour the text, `WHEN` is auto, always or never; NO_COLOR is honoured")
	s.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing of what is the same")
	f.register(c, "all", auditJobs)
	return c
}

func kindNames() string {
	var names []string
	for _, k := range bump.Acceptable() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// accepted reads the kinds of changes that do not fail.
func (f *bumpFlags) accepted(c *cobra.Command) ([]signer.Kind, error) {
	var list []signer.Kind
	for _, text := range f.accept {
		for word := range strings.SplitSeq(text, ",") {
			if !slices.Contains(bump.Acceptable(), signer.Kind(word)) {
				return nil, wrongValue(c, "--accept", word, "some of "+kindNames())
			}
			list = append(list, signer.Kind(word))
		}
	}
	return list, nil
}

func (f *bumpFlags) run(c *cobra.Command, env Env, old, now, within string) error {
	accept, err := f.accepted(c)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"text", "json", "github"}, f.format) {
		return wrongValue(c, "--format", f.format, "text, json or github")
	}
	paint, err := useColor(c, env, f.color, c.OutOrStdout())
	if err != nil {
		return err
	}
	pairs, err := bump.Find(c.Context(), old, now, within)
	if err != nil {
		return err
	}
	d := report.NewBumpDocument(c.Root().Version, old, now)
	groups, err := f.byPolicy(c, env, pairs)
	if err != nil {
		return err
	}
	for _, g := range groups {
		d.Policy(policyChanges(g, accept))
		summary, err := gate.BumpCheck(c.Context(), g.pairs, g.options, accept, func(r bump.Recipe) error {
			d.Add(r)
			return nil
		})
		if err != nil {
			if c.Context().Err() != nil {
				return &exitError{audit.StatusInterrupted, errors.New("interrupted")}
			}
			return err
		}
		d.Warn(summary.Warnings)
	}
	return f.write(c, d, paint)
}

func (f *bumpFlags) write(c *cobra.Command, d *report.BumpDocument, paint bool) error {
	if f.format != "json" {
		for _, w := range d.Summary.Warnings {
			warn(c.ErrOrStderr(), w)
		}
	}
	var err error
	switch out := c.OutOrStdout(); f.format {
	case "json":
		err = d.WriteJSON(out)
	case "github":
		err = d.WriteGitHub(out)
	default:
		err = d.WriteText(out, paint, f.quiet)
	}
	if err != nil {
		return err
	}
	if status := d.Summary.ExitStatus; status != audit.StatusOK {
		return &exitError{status: status}
	}
	return nil
}

// A bumpGroup are pairs of recipes that have the same policy.
type bumpGroup struct {
	pairs   []bump.Pair
	policy  *policy.Policy
	found   bool // by its place
	options gate.Options
}

// byPolicy puts pairs together for which one policy holds. Two versions are always
// compared by one: that of the older version if it lies on disk, and otherwise
// that of the checkout.
func (f *bumpFlags) byPolicy(c *cobra.Command, env Env, pairs []bump.Pair) ([]*bumpGroup, error) {
	var groups []*bumpGroup
	at := map[string]*bumpGroup{}
	byFolder := map[string]string{}
	for _, p := range pairs {
		folder := p.Folder()
		key, known := byFolder[folder]
		if !known && !f.noPolicy && f.policy == "" {
			found, err := policy.Find(folder)
			if err != nil {
				return nil, err
			}
			if key = found; found != "" {
				if key, err = filepath.Abs(found); err != nil {
					return nil, err
				}
			}
			byFolder[folder] = key
		}
		g := at[key]
		if g == nil {
			read, err := f.policyFlags.read(c, []string{filepath.Join(folder, recipeFile)})
			if err != nil {
				return nil, err
			}
			g = &bumpGroup{policy: read, found: !f.noPolicy && f.policy == ""}
			if g.options, err = f.options(c, env, read); err != nil {
				return nil, err
			}
			g.options.GitHubToken = env.Getenv("GITHUB_TOKEN")
			at[key] = g
			groups = append(groups, g)
		}
		g.pairs = append(g.pairs, p)
	}
	return groups, nil
}

// policyChanges tells in what a group's policy is another than that of the older
// versions.
func policyChanges(g *bumpGroup, accept []signer.Kind) []bump.Change {
	var list []bump.Change
	for _, p := range g.pairs {
		for _, c := range p.PolicyChanges(g.policy, g.found) {
			change := bump.Change{Change: c, Fails: !slices.Contains(accept, c.Kind)}
			if !slices.Contains(list, change) {
				list = append(list, change)
			}
		}
	}
	return list
}
