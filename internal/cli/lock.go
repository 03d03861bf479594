package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/repository"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/report"
)

// lockFlags are the flags of lock, as they were given.
type lockFlags struct {
	check, diff      bool
	format, color    string
	include, exclude []string

	runFlags
}

func newLock(env Env) *cobra.Command {
	f := &lockFlags{}
	c := &cobra.Command{
		Use:   "lock [DIR|RECIPE]...",
		Short: "Record who signs the sources of recipes",
		Long: `Lock verifies the evidence of recipes as verify --no-download does, for all
platforms, and writes down beside each recipe, in recipe-verify.lock, who signed
its sources: repository and owner with their identifiers, issuer, workflow and
the types of statements. Nothing in it is of one version. From then on
verify --locked demands just that.

Folders are searched for recipes, as audit does. Nothing is written unless every
source of every recipe is as it should be. A recipe whose sources carry no
evidence gets no lock file, and one that it has is removed. What changes is shown:
look at it before you commit the file.

See docs/lock.md.`,
		Example: `  recipe-verify lock recipe.yaml && git add recipe-verify.lock
  recipe-verify verify --locked recipe.yaml
  recipe-verify lock --check recipes/`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return f.run(c, env, args)
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	s := c.Flags()
	s.BoolVar(&f.check, "check", false, "write nothing, and fail if a lock file is not as it would be written")
	s.BoolVar(&f.diff, "diff", false, "write nothing, and print a unified diff of the lock files")
	s.StringVar(&f.format, "format", "text", "report as `FORMAT`, text or json")
	s.StringVar(&f.color, "color", "auto", "colour the text, `WHEN` is auto, always or never; NO_COLOR is honoured")
	s.StringArrayVar(&f.include, "include", nil, "take only recipes whose path below the folder fits `GLOB` (may be repeated)")
	s.StringArrayVar(&f.exclude, "exclude", nil, "leave out recipes and folders whose path fits `GLOB` (may be repeated)")
	f.register(c, "all", auditJobs)
	c.MarkFlagsMutuallyExclusive("check", "diff")
	return c
}

func (f *lockFlags) run(c *cobra.Command, env Env, args []string) error {
	out := c.OutOrStdout()
	paint, err := f.checked(c, env, out)
	if err != nil {
		return err
	}
	recipes, err := f.recipes(c, args)
	if err != nil {
		return err
	}
	groups, err := f.byPolicy(c, env, recipes)
	if err != nil {
		return err
	}
	l := &locking{document: report.NewLockDocument(c.Root().Version)}
	text := &report.Text{W: out, Color: paint, Quiet: true}
	for _, g := range groups {
		if err := l.verify(c.Context(), g, func(r audit.Result) error {
			if f.format == "text" {
				return text.Result(r)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for _, w := range l.summary.Warnings {
		warn(c.ErrOrStderr(), w)
	}
	if err := l.compare(); err != nil {
		return err
	}
	return f.finish(c, l, paint)
}

// checked checks the flags, and tells whether text is coloured.
func (f *lockFlags) checked(c *cobra.Command, env Env, out io.Writer) (bool, error) {
	if f.format != "text" && f.format != "json" {
		return false, wrongValue(c, "--format", f.format, "text or json")
	}
	if f.format == "json" && f.diff {
		return false, &usageError{errors.New("--diff is text, and --format json is not"), "leave one of them out"}
	}
	return useColor(c, env, f.color, out)
}

func (f *lockFlags) recipes(c *cobra.Command, args []string) ([]string, error) {
	found, err := repository.Find(c.Context(), args, repository.Options{Include: f.include, Exclude: f.exclude})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &usageError{
			fmt.Errorf("there is no recipe.yaml below %s", strings.Join(quoted(args), " and ")),
			"name the folder that holds the recipes; recipes in the older format (meta.yaml) are not read",
		}
	}
	return found, nil
}

// A lockGroup are recipes that have the same policy.
type lockGroup struct {
	recipes []string
	options gate.Options
}

// byPolicy puts recipes together that verify would verify by the same policy,
// since that policy holds when the lock is demanded.
func (f *lockFlags) byPolicy(c *cobra.Command, env Env, recipes []string) ([]*lockGroup, error) {
	var groups []*lockGroup
	at := map[string]*lockGroup{}
	for _, path := range recipes {
		key := ""
		if !f.noPolicy && f.policy == "" {
			found, err := policy.Find(folderOf(path))
			if err != nil {
				return nil, err
			}
			if found != "" {
				if key, err = filepath.Abs(found); err != nil {
					return nil, err
				}
			}
		}
		g := at[key]
		if g == nil {
			g = &lockGroup{}
			p, err := f.policyFlags.read(c, []string{path})
			if err != nil {
				return nil, err
			}
			if g.options, err = f.options(c, env, p); err != nil {
				return nil, err
			}
			g.options.GitHubToken = env.Getenv("GITHUB_TOKEN")
			at[key] = g
			groups = append(groups, g)
		}
		g.recipes = append(g.recipes, path)
	}
	return groups, nil
}

// lockedFlag has verify demand what lock files say.
type lockedFlag struct{ locked bool }

func (f *lockedFlag) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.locked, "locked", false, "sources must be signed by those whom the recipe's lock file names; see recipe-verify lock")
}

func (f *lockedFlag) apply(o *gate.Options) {
	if f.locked {
		o.Lock = lock.Beside
	}
}

// A locking is one run of lock.
type locking struct {
	document *report.LockDocument
	summary  audit.Summary
	recipes  []gate.LockedRecipe
	writings []lock.Writing
	diff     strings.Builder
}

// verify verifies the recipes of a group; failing is given each result that is
// not as it should be.
func (l *locking) verify(ctx context.Context, g *lockGroup, failing func(audit.Result) error) error {
	recipes, summary, err := gate.LockRun(ctx, g.recipes, g.options, func(r audit.Result) error {
		if r.Verdict.Status() == audit.StatusOK {
			return nil
		}
		l.document.Fail(r)
		return failing(r)
	})
	if err != nil {
		if ctx.Err() != nil {
			return &exitError{audit.StatusInterrupted, errors.New("interrupted")}
		}
		return err
	}
	l.recipes = append(l.recipes, recipes...)
	s := &l.summary
	s.Recipes, s.Sources, s.Status = s.Recipes+summary.Recipes, s.Sources+summary.Sources, audit.WorseStatus(s.Status, summary.Status)
	if s.Verdicts == nil {
		s.Verdicts = map[audit.Verdict]int{}
	}
	for v, n := range summary.Verdicts {
		s.Verdicts[v] += n
	}
	for _, w := range summary.Warnings {
		if !slices.Contains(s.Warnings, w) {
			s.Warnings = append(s.Warnings, w)
		}
	}
	return nil
}

// compare holds what lock files should say against what they say.
func (l *locking) compare() error {
	for _, r := range l.recipes {
		switch {
		case r.Err != nil:
			return r.Err
		case r.File == nil:
			continue // the result has been told
		}
		if err := l.compareOne(r); err != nil {
			return err
		}
	}
	return nil
}

func (l *locking) compareOne(r gate.LockedRecipe) error {
	path := lock.Path(r.Recipe)
	present, err := lock.ReadBytes(path)
	exists := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d := report.LockFileDocument{Recipe: r.Recipe, Path: path, Sources: len(r.File.Entries), State: report.LockMissing, Changes: []report.LockChange{}}
	w := lock.Writing{Path: path}
	if len(r.File.Entries) > 0 {
		w.Data = r.File.Bytes()
	}
	switch {
	case !exists && w.Data == nil:
		return nil
	case exists && w.Data == nil:
		d.State = report.LockObsolete
	case exists && bytes.Equal(bytes.ReplaceAll(present, []byte("\r\n"), []byte("\n")), w.Data): // as git may check it out
		d.State = report.LockCurrent
	case exists:
		d.State = report.LockOutdated
	}
	if d.State != report.LockCurrent {
		var before *lock.File
		if exists {
			if before, err = lock.Parse(path, present); err != nil {
				d.Problem = err.Error()
			}
		}
		d.Changes = report.LockChanges(lock.Differences(before, r.File))
		l.writings = append(l.writings, w)
		l.diff.WriteString(edit.Diff(filepath.ToSlash(path), present, w.Data))
	}
	l.document.Files = append(l.document.Files, d)
	return nil
}

// finish writes the files, or not, and the report.
func (f *lockFlags) finish(c *cobra.Command, l *locking, paint bool) error {
	status := l.summary.Status
	if status == audit.StatusOK && !f.check && !f.diff {
		if err := lock.Store(l.writings); err != nil {
			return err
		}
		l.document.Written = true
	}
	if status == audit.StatusOK && f.check && len(l.writings) > 0 {
		status = audit.StatusRejected
	}
	l.document.Finish(l.summary)
	var err error
	switch out := c.OutOrStdout(); {
	case f.format == "json":
		err = l.document.WriteJSON(out)
	case l.summary.Status != audit.StatusOK:
		fmt.Fprintln(c.ErrOrStderr(), "nothing is locked, since not every source is as it should be")
	case f.diff:
		_, err = io.WriteString(out, report.PrintableLines(l.diff.String()))
	default:
		err = l.document.WriteText(out, paint)
	}
	if err != nil {
		return err
	}
	if status == audit.StatusOK {
		return nil
	}
	if f.check && l.summary.Status == audit.StatusOK {
		fmt.Fprintln(c.ErrOrStderr(), "hint: look at what has changed and why, and then: recipe-verify lock")
	}
	return &exitError{status: status}
}
