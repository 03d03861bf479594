package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/repository"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
)

// auditJobs is how many sources an audit works on at a time. Nearly all of that
// time is waiting for answers.
const auditJobs = 32

// auditFlags are the flags of audit, as they were given.
type auditFlags struct {
	include, exclude        []string
	changedSince, filesFrom string
	download, discover      bool
	reports                 []string
	failOn                  string
	maxUnavailable          int
	since, shard            string
	resume, noCache         bool
	limits                  []string
	maxWait                 string
	date                    string
	quiet                   bool

	formatFlags
	runFlags
}

func newAudit(env Env) *cobra.Command {
	f := &auditFlags{}
	c := &cobra.Command{
		Use:   "audit [DIR|RECIPE]...",
		Short: "Audit a whole repository of recipes",
		Long: `Audit finds the recipes below folders and verifies the evidence of their sources:
what is attested and holds, what is attested and does not, and with --discover
what could be attested and is not. Archives are not fetched unless --download is
given; evidence is verified against the digests that recipes pin.

The policy is the recipe-verify.yaml in the folders that are named, or above
them; those below, beside single recipes, are not read.

See docs/audit.md for reports, shards, comparisons and interrupted runs.`,
		Example: `  recipe-verify audit recipes/
  recipe-verify audit --discover --report text --report html=audit.html --report json=audit.json .
  recipe-verify audit --changed-since origin/main --fail-on mismatch,invalid,missing .
  recipe-verify audit --since last.json --fail-on downgrade,mismatch,invalid --report github .`,
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, env, args)
		},
		DisableAutoGenTag: true,
		ValidArgsFunction: completeRecipes,
	}
	f.register(c)
	return c
}

func (f *auditFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.StringArrayVar(&f.include, "include", nil, "take only recipes whose path below the folder fits `GLOB` (may be repeated)")
	s.StringArrayVar(&f.exclude, "exclude", nil, "leave out recipes and folders whose path fits `GLOB` (may be repeated)")
	s.StringVar(&f.changedSince, "changed-since", "", "take only recipes that git says have changed since `REV`")
	s.StringVar(&f.filesFrom, "files-from", "", "read the recipes' names from `FILE`, one a line; - is the standard input")
	s.BoolVar(&f.download, "download", false, "fetch the archives, and compare their digests")
	s.BoolVar(&f.discover, "discover", false, "look for evidence of sources that name no publisher")
	s.StringArrayVar(&f.reports, "report", nil, "write a report as `FORMAT=FILE`, or FORMAT for the standard output; formats are "+formatNames+" (may be repeated; default: text)")
	s.StringVar(&f.failOn, "fail-on", "mismatch,invalid,missing,unavailable,error", "fail because of these verdicts, and of downgrade, as a comma-separated `LIST`; none for never")
	s.IntVar(&f.maxUnavailable, "max-unavailable", 0, "let up to `N` unavailable sources pass")
	s.StringVar(&f.since, "since", "", "compare with the earlier report in `FILE`, in JSON")
	s.StringVar(&f.shard, "shard", "", "work on the `I/N`-th part of the sources only")
	s.BoolVar(&f.resume, "resume", false, "take over what an interrupted run of the same command has finished")
	s.StringVar(&f.date, "date", "", "say in reports that this is the audit of `DATE`, such as 2026-11-23 (default: SOURCE_DATE_EPOCH, or none)")
	s.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	f.registerHosts(c)
	f.formatFlags.register(c)
	f.runFlags.register(c, "all", auditJobs)
}

// registerHosts registers the flags that say how hosts are asked.
func (f *auditFlags) registerHosts(c *cobra.Command) {
	s := c.Flags()
	s.BoolVar(&f.noCache, "no-cache", false, "keep no evidence on disk, and use none")
	s.StringArrayVar(&f.limits, "limit", nil, "ask a host at most so often, as `HOST=RATE/CONCURRENCY` in requests a second and at a time (may be repeated)")
	s.StringVar(&f.maxWait, "max-wait", "2m", "give up a host that wants to be left alone for longer than `DURATION`")
}

func (f *auditFlags) run(c *cobra.Command, env Env, args []string) error {
	failing, err := parseFailOn(c, f.failOn)
	if err != nil {
		return err
	}
	o, err := f.gateOptions(c, env, args)
	if err != nil {
		return err
	}
	formats, err := f.formats(c, env)
	if err != nil {
		return err
	}
	recipes, err := f.recipes(c, args)
	if err != nil {
		return err
	}
	a := &auditing{failing: failing, maxUnavailable: f.maxUnavailable, footer: report.NewFooter(), recipes: recipes}
	if a.header, err = f.header(c, env, o, recipes); err != nil {
		return err
	}
	if a.baseline, err = f.baseline(c, a.header); err != nil {
		return err
	}
	if len(f.reports) == 0 {
		f.reports = []string{"text"}
	}
	if a.files, err = report.OpenFiles(f.reports, formats, c.OutOrStdout()); err != nil {
		return asUsage("--report", err)
	}
	defer a.files.Discard()
	if a.journal, err = f.journal(c, o, a.header); err != nil {
		return err
	}
	o.Known = a.journal.has
	a.progress = newAuditProgress(c.ErrOrStderr(), env, f.quiet, len(recipes))
	o.Watch = a.progress.watch
	defer collectLess(env)()
	return a.run(c.Context(), o, c.ErrOrStderr())
}

// softMemory is how much memory an audit may take before garbage is collected as
// often as by default; it promises less than 200 MiB.
const softMemory = 140 << 20

// collectLess has garbage collected less often while there is memory for it: an
// audit lives on few bytes and throws many away. GOGC and GOMEMLIMIT win. It
// gives what sets everything back.
func collectLess(env Env) (restore func()) {
	if env.Getenv("GOGC") != "" || env.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(400), debug.SetMemoryLimit(softMemory)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// gateOptions puts the policy and the flags together.
func (f *auditFlags) gateOptions(c *cobra.Command, env Env, args []string) (o gate.Options, err error) {
	p, err := f.policyFlags.above(c, args)
	if err != nil {
		return o, err
	}
	if len(f.platforms) == 0 {
		f.platforms = []string{recipe.AllPlatforms}
	}
	if o, err = f.runFlags.options(c, env, p); err != nil {
		return o, err
	}
	o.NoDownload, o.NoHistory = !f.download, true // --since compares whole repositories
	o.Discover = f.discover
	o.GitHubToken = env.Getenv("GITHUB_TOKEN")
	if f.maxUnavailable < 0 {
		return o, wrongValue(c, "--max-unavailable", fmt.Sprint(f.maxUnavailable), "a number from 0 on")
	}
	if f.shard != "" {
		if o.Shard, err = audit.ParseShard(f.shard); err != nil {
			return o, flagError("--shard", err)
		}
	}
	if o.MaxWait, err = policy.ParseTimeout(f.maxWait); err != nil {
		return o, flagError("--max-wait", err)
	}
	o.Limits = map[string]fetch.Limit{}
	for _, s := range f.limits {
		host, limit, err := fetch.ParseLimit(s)
		if err != nil {
			return o, flagError("--limit", err)
		}
		o.Limits[host] = limit
	}
	if !f.noCache {
		if dir, err := fetch.CacheDir(o.CacheDir); err == nil { // without a folder there is no cache
			o.Evidence = &fetch.Cache{Dir: dir}
		}
	}
	return o, nil
}

// recipes finds what is to be audited. No recipe at all is an error: nobody
// audits nothing on purpose, except of what has changed.
func (f *auditFlags) recipes(c *cobra.Command, args []string) (found []string, err error) {
	o := repository.Options{Include: f.include, Exclude: f.exclude, ChangedSince: f.changedSince}
	if c.Flags().Changed("changed-since") && f.changedSince == "" {
		return nil, wrongValue(c, "--changed-since", "", "a revision")
	}
	listed := c.Flags().Changed("files-from")
	if listed {
		if len(args) > 0 {
			return nil, &usageError{errors.New("--files-from and folders exclude each other"), ""}
		}
		if args, err = readList(f.filesFrom, c.InOrStdin()); err != nil {
			return nil, err
		}
	} else if len(args) == 0 {
		args = []string{"."}
	}
	if found, err = repository.Find(c.Context(), args, o); err != nil {
		return nil, err
	}
	if len(found) == 0 && f.changedSince == "" && !listed {
		return nil, &usageError{
			fmt.Errorf("there is no recipe.yaml below %s", strings.Join(quoted(args), " and ")),
			"name the folder that holds the recipes; recipes in the older format (meta.yaml) are not read",
		}
	}
	return found, nil
}

func quoted(list []string) []string {
	var q []string
	for _, s := range list {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return q
}

func readList(path string, stdin io.Reader) ([]string, error) {
	if path == "-" {
		return repository.List(stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return repository.List(file)
}

// header says what is audited. It is the same for all shards, but for the shard.
func (f *auditFlags) header(c *cobra.Command, env Env, o gate.Options, recipes []string) (*report.Header, error) {
	h := report.NewHeader(o.Demands(), c.Root().Version)
	h.Recipes, h.Discover, h.Shard = len(recipes), f.discover, o.Shard.String()
	names := sha256.New()
	for _, r := range recipes {
		fmt.Fprintln(names, filepath.ToSlash(r))
	}
	h.Set = digest.SHA256(names.Sum(nil)).String()
	date := f.date
	if date == "" {
		if epoch := env.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
			var seconds int64
			if _, err := fmt.Sscanf(epoch, "%d", &seconds); err != nil {
				return nil, &usageError{fmt.Errorf("SOURCE_DATE_EPOCH: found %q, wanted seconds since 1970", epoch), "unset it, or give --date"}
			}
			date = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
		}
	}
	if date != "" {
		t, err := time.Parse(time.RFC3339, date)
		if err != nil {
			if t, err = time.Parse(time.DateOnly, date); err != nil {
				return nil, wrongValue(c, "--date", date, "a date such as 2026-11-23 or 2026-11-23T08:00:00Z")
			}
		}
		h.Date = t.UTC().Format(time.RFC3339)
	}
	return h, nil
}

// baseline reads the earlier report, if there is one to compare with.
func (f *auditFlags) baseline(c *cobra.Command, h *report.Header) (*report.Baseline, error) {
	if f.since == "" {
		if c.Flags().Changed("since") {
			return nil, wrongValue(c, "--since", "", "an earlier report")
		}
		return nil, nil
	}
	file, err := os.Open(f.since)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	reader, err := report.NewReader(f.since, io.TeeReader(file, sum))
	if err != nil {
		return nil, err
	}
	b, err := report.ReadBaseline(reader)
	if err != nil {
		return nil, err
	}
	h.Since = digest.SHA256(sum.Sum(nil)).String()
	return b, nil
}

// An auditing is one run of audit.
type auditing struct {
	header         *report.Header
	footer         *report.Footer
	files          *report.Files
	baseline       *report.Baseline
	journal        *journal
	progress       *auditProgress
	recipes        []string
	failing        map[string]bool
	maxUnavailable int
}

// run audits, writes the reports, and gives the exit status as an error.
func (a *auditing) run(ctx context.Context, o gate.Options, stderr io.Writer) error {
	defer a.journal.close()
	if err := a.files.Header(a.header); err != nil {
		return err
	}
	summary := audit.Summary{Complete: true}
	var err error
	if len(a.recipes) > 0 {
		summary, err = gate.Run(ctx, a.recipes, o, a.result)
	}
	stats := a.progress.close()
	if err != nil && ctx.Err() == nil {
		return err
	}
	a.footer.Recipes, a.footer.Complete = summary.Recipes, summary.Complete
	a.footer.Warnings = append(a.footer.Warnings, summary.Warnings...)
	if a.baseline != nil {
		a.footer.Warnings = append(a.footer.Warnings, a.baseline.Warnings()...)
	}
	if ctx.Err() != nil {
		a.footer.ExitStatus = audit.StatusInterrupted
	}
	if err := errors.Join(a.files.Footer(a.footer), a.files.Commit()); err != nil {
		return err
	}
	if stats.CacheProblem != nil {
		warn(stderr, "the cache of evidence: "+stats.CacheProblem.Error())
	}
	open := !summary.Complete || a.footer.Verdicts[audit.Unavailable] > 0
	if err := a.journal.end(open); err != nil {
		warn(stderr, err.Error())
	}
	if open && a.journal.usable() {
		fmt.Fprintln(stderr, "hint: go on with the same command and --resume")
	}
	if status := a.status(); status != audit.StatusOK {
		return &exitError{status: status}
	}
	return nil
}

// result writes one result to all reports.
func (a *auditing) result(r audit.Result) error {
	if r.Code == audit.CodeInterrupted {
		return nil // the report holds what is finished
	}
	record := report.NewRecord(r)
	if r.Resumed {
		record = a.journal.take(record)
	} else if err := a.journal.add(record); err != nil {
		return err
	}
	if a.baseline != nil {
		record.Changes = a.baseline.Compare(record)
	}
	a.footer.Add(record)
	a.progress.add(record)
	return a.files.Record(record)
}

// status is the exit status: of what is to fail, the worst.
func (a *auditing) status() int {
	status := audit.StatusOK
	if !a.footer.Complete {
		return audit.StatusInterrupted
	}
	for verdict, n := range a.footer.Verdicts {
		if n == 0 || !a.failing[string(verdict)] || verdict == audit.Unavailable && n <= a.maxUnavailable {
			continue
		}
		status = audit.WorseStatus(status, verdict.Status())
	}
	if a.failing[failDowngrade] && a.footer.Downgrades > 0 {
		status = audit.WorseStatus(status, audit.StatusRejected)
	}
	return status
}

const failDowngrade = "downgrade"

// parseFailOn reads the list of what is to fail.
func parseFailOn(c *cobra.Command, text string) (map[string]bool, error) {
	known := []string{string(audit.Mismatch), string(audit.Invalid), string(audit.Missing), string(audit.Unavailable), string(audit.Error), failDowngrade}
	failing := map[string]bool{}
	if text == "none" {
		return failing, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		if !slices.Contains(known, word) {
			return nil, wrongValue(c, "--fail-on", word, "some of "+strings.Join(known, ", ")+"; or none")
		}
		failing[word] = true
	}
	return failing, nil
}

// asUsage makes a wrong command line of an error about a flag's value.
func asUsage(flag string, err error) error {
	var spec *report.SpecError
	if errors.As(err, &spec) {
		return &usageError{fmt.Errorf("%s: %w", flag, err), spec.Hint()}
	}
	return fmt.Errorf("%s: %w", flag, err)
}
