package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/trust"
)

// trustCommand holds the flags of the commands below trust.
type trustCommand struct {
	trustFlags
	policy   string
	noPolicy bool
	offline  bool
	cacheDir string
	timeout  string

	format, output string
	domains        []string
}

func newTrust() *cobra.Command {
	c := &cobra.Command{
		Use:   "trust",
		Short: "Show, update or write out the trusted roots in use",
		Long: `Trust tells whom recipe-verify believes: the Sigstore instances whose
certificates, logs and time stamps count, each with the evidence that is
demanded of its certificates.

The roots are those that verify would use in the current folder, with the same
flags and the same recipe-verify.yaml.`,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTrustShow(), newTrustUpdate(), newTrustExport())
	return c
}

func newTrustShow() *cobra.Command {
	f := &trustCommand{}
	c := &cobra.Command{
		Use:   "show",
		Short: "Show which trusted roots are in use",
		Long: `Show lists the trusted roots in use: where each comes from and how old it is,
which TUF metadata vouched for it, the authorities and logs that it holds, and
what is demanded of its certificates. TUF repositories are asked as verify asks
them, at most once a day.`,
		Example: `  recipe-verify trust show
  recipe-verify trust show --offline --format json`,
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return f.show(c) },
		DisableAutoGenTag: true,
	}
	f.register(c, trust.DefaultTimeout)
	f.registerOffline(c)
	c.Flags().StringVar(&f.format, "format", "text", "show as `FORMAT`, text or json")
	c.Flags().StringVarP(&f.output, "output", "o", "", "write to `FILE`, whole or not at all")
	return c
}

func newTrustUpdate() *cobra.Command {
	f := &trustCommand{}
	c := &cobra.Command{
		Use:   "update",
		Short: "Ask the TUF repositories now",
		Long: `Update asks the TUF repository of every instance in use, whatever the age of the
cache, keeps what verifies, and says what changed.

Exit statuses:
  0    every repository answered, and its answer is kept
  1    an answer did not verify: it was rolled back, expired, changed on the
       way, or signed with other keys; the cache is as it was
  2    the command line or a file is wrong, or the cache cannot be written
  3    a repository could not be reached`,
		Example: `  recipe-verify trust update
  recipe-verify trust update --tuf-url https://tuf.example.org --tuf-root root.json`,
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return f.update(c) },
		DisableAutoGenTag: true,
	}
	f.register(c, updateTimeout)
	return c
}

// updateTimeout is longer than that of a run which has something else to do.
const updateTimeout = 30 * time.Second

func newTrustExport() *cobra.Command {
	f := &trustCommand{}
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the trusted roots in use, for --trusted-root on another machine",
		Long: `Export writes the trusted roots in use, one a line, for --trusted-root on a
machine without a network. A file says nothing about its age: nobody hears there
of a key that was compromised since, so export again now and then.`,
		Example: `  recipe-verify trust export -o roots.jsonl
  recipe-verify verify --offline --trusted-root roots.jsonl recipe.yaml`,
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return f.export(c) },
		DisableAutoGenTag: true,
	}
	f.register(c, trust.DefaultTimeout)
	f.registerOffline(c)
	c.Flags().StringVarP(&f.output, "output", "o", "", "write to `FILE`, whole or not at all")
	c.Flags().StringArrayVar(&f.domains, "domain", nil, "write the root that show calls `NAME` alone (may be repeated)")
	return c
}

func (f *trustCommand) register(c *cobra.Command, timeout time.Duration) {
	s := c.Flags()
	f.trustFlags.register(c)
	s.StringVar(&f.cacheDir, "cache-dir", "", "keep Sigstore's TUF metadata below `DIR` (default: the user's cache folder)")
	s.StringVar(&f.timeout, "timeout", timeout.String(), "give up a repository after `DURATION`")
	s.StringVar(&f.policy, "policy", "", "read options from `FILE` instead of the recipe-verify.yaml in the current folder or above it")
	s.BoolVar(&f.noPolicy, "no-policy", false, "read no recipe-verify.yaml")
	c.MarkFlagsMutuallyExclusive("policy", "no-policy")
}

func (f *trustCommand) registerOffline(c *cobra.Command) {
	c.Flags().BoolVar(&f.offline, "offline", false, "open no network connection")
}

// open puts the policy and the flags together, and reads the files that they
// name.
func (f *trustCommand) open(c *cobra.Command) (*trust.Loader, error) {
	given := c.Flags().Changed
	o, err := f.policyOptions(c)
	if err != nil {
		return nil, err
	}
	o.Offline = choose(given("offline"), f.offline, o.Offline)
	o.CacheDir = choose(given("cache-dir"), f.cacheDir, o.CacheDir)
	if f.trustFlags.named() {
		if o.Trust, err = f.trustFlags.config(); err != nil {
			return nil, err
		}
	}
	t := o.TrustConfig()
	if given("timeout") || t.Timeout == 0 {
		if t.Timeout, err = policy.ParseTimeout(f.timeout); err != nil {
			return nil, &usageError{fmt.Errorf("--timeout: %w", err), c.CommandPath() + " --help"}
		}
	}
	return t.Open()
}

// policyOptions are what a recipe-verify.yaml says about trust.
func (f *trustCommand) policyOptions(c *cobra.Command) (gate.Options, error) {
	if f.noPolicy {
		return gate.Options{}, nil
	}
	path := f.policy
	if c.Flags().Changed("policy") {
		if path == "" {
			return gate.Options{}, wrongValue(c, "--policy", path, "a file, or --no-policy for none")
		}
	} else {
		var err error
		if path, err = policy.Find("."); err != nil || path == "" {
			return gate.Options{}, err
		}
	}
	p, err := policy.Read(path)
	if err != nil {
		return gate.Options{}, err
	}
	return gate.Options{Policy: p}.WithPolicy()
}

// load is what verify would use.
func (f *trustCommand) load(c *cobra.Command) (*trust.Roots, error) {
	loader, err := f.open(c)
	if err != nil {
		return nil, err
	}
	roots, err := loader.Load(c.Context())
	if err != nil {
		return nil, &exitError{loadStatus(err), err}
	}
	return roots, nil
}

// loadStatus is the exit status for a repository that gave no root.
func loadStatus(err error) int {
	var none *trust.NoRootError
	if !errors.As(err, &none) {
		return audit.StatusError // the configuration's
	}
	return updateStatus(none.Err)
}

func (f *trustCommand) show(c *cobra.Command) error {
	write := report.WriteTrustText
	switch f.format {
	case "text":
	case "json":
		write = report.WriteTrustJSON
	default:
		return wrongValue(c, "--format", f.format, "text or json")
	}
	roots, err := f.load(c)
	if err != nil {
		return err
	}
	out := newOutput(f.output, c.OutOrStdout())
	if err := write(out, report.Trust(roots, time.Now())); err != nil {
		return err
	}
	return out.commit()
}

func (f *trustCommand) export(c *cobra.Command) error {
	roots, err := f.load(c)
	if err != nil {
		return err
	}
	domains, err := f.chosen(roots.Domains)
	if err != nil {
		return err
	}
	data, without, err := trust.Export(domains)
	if err != nil {
		return err
	}
	for _, w := range roots.Warnings {
		warn(c.ErrOrStderr(), w)
	}
	if len(without) > 0 {
		warn(c.ErrOrStderr(), fmt.Sprintf("the file is of no use to --trusted-root: name it in a recipe-verify.yaml with insecure_without: %s", without))
	}
	out := newOutput(f.output, c.OutOrStdout())
	if _, err := out.Write(data); err != nil {
		return err
	}
	return out.commit()
}

// chosen are the domains that --domain names, or all of them.
func (f *trustCommand) chosen(all []trust.Domain) ([]trust.Domain, error) {
	if len(f.domains) == 0 {
		return all, nil
	}
	var chosen []trust.Domain
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
		if slices.Contains(f.domains, d.Name) {
			chosen = append(chosen, d)
		}
	}
	for _, name := range f.domains {
		if !slices.Contains(names, name) {
			return nil, &usageError{fmt.Errorf("--domain: found %q, wanted one of %s", name, strings.Join(names, ", ")), "recipe-verify trust show"}
		}
	}
	return chosen, nil
}

func warn(w io.Writer, message string) {
	fmt.Fprintf(w, "warning: %s\n", report.PrintableLines(message))
}

func (f *trustCommand) update(c *cobra.Command) error {
	loader, err := f.open(c)
	if err != nil {
		return err
	}
	updates, err := loader.Update(c.Context())
	if err != nil {
		return err
	}
	status := audit.StatusOK
	for _, u := range updates {
		for _, w := range u.Warnings {
			warn(c.ErrOrStderr(), w)
		}
		if u.Err != nil {
			printError(c.ErrOrStderr(), c, describeUpdateError(u))
			status = worse(status, updateStatus(u.Err))
			continue
		}
		fmt.Fprint(c.OutOrStdout(), report.PrintableLines(describeUpdate(u)))
	}
	if status != audit.StatusOK {
		return &exitError{status: status}
	}
	return nil
}

// updateStatus tells a repository that did not answer from one whose answer does
// not verify.
func updateStatus(err error) int {
	var unavailable *trust.UnavailableError
	var cache *trust.CacheError
	switch {
	case errors.As(err, &unavailable):
		return audit.StatusUnavailable
	case errors.As(err, &cache):
		return audit.StatusError
	case errors.Is(err, context.Canceled):
		return audit.StatusInterrupted
	}
	return audit.StatusRejected
}

// worse is the worse of two statuses, in the order of DESIGN.md: 2, 1, 3, 0.
func worse(a, b int) int {
	order := []int{audit.StatusOK, audit.StatusUnavailable, audit.StatusRejected, audit.StatusError}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

func describeUpdateError(u trust.Update) error {
	var unavailable *trust.UnavailableError
	var cache *trust.CacheError
	switch {
	case errors.As(u.Err, &unavailable):
		return fmt.Errorf("the TUF repository %s could not be reached: %w\nhint: %s", u.Repository, u.Err, kept(u))
	case errors.As(u.Err, &cache):
		return u.Err
	}
	return fmt.Errorf("the answer of the TUF repository %s is not accepted: %w\nhint: %s; if the repository's owner knows nothing of it, somebody on the way may have changed or replayed the answer", u.Repository, u.Err, kept(u))
}

// kept says what remains in use.
func kept(u trust.Update) string {
	if u.Before == nil {
		return "there is no trusted root of it yet"
	}
	return "the trusted root remains what it was before, as recipe-verify trust show --offline tells"
}

func describeUpdate(u trust.Update) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", u.Name, u.Repository)
	after := u.After
	sum, before := after.SHA256.String(), (*trust.Metadata)(nil)
	if u.Before != nil {
		before = u.Before.TUF
		if u.Before.SHA256 == after.SHA256 {
			sum += " (unchanged)"
		} else {
			sum = u.Before.SHA256.String() + " → " + sum
		}
	}
	fmt.Fprintf(&b, "  %-13s %s\n", "metadata", describeVersions(before, after.TUF))
	fmt.Fprintf(&b, "  %-13s %s\n", "expires", after.TUF.Expires.UTC().Format(time.RFC3339))
	fmt.Fprintf(&b, "  %-13s %s\n", "trusted root", sum)
	return b.String()
}

func describeVersions(before, after *trust.Metadata) string {
	if before == nil {
		before = &trust.Metadata{}
	}
	var parts []string
	changed := false
	for _, r := range []struct {
		role          string
		before, after int64
	}{
		{"root", before.Root, after.Root},
		{"timestamp", before.Timestamp, after.Timestamp},
		{"snapshot", before.Snapshot, after.Snapshot},
		{"targets", before.Targets, after.Targets},
	} {
		if r.before == r.after || r.before == 0 {
			parts = append(parts, fmt.Sprintf("%s %d", r.role, r.after))
		} else {
			parts = append(parts, fmt.Sprintf("%s %d → %d", r.role, r.before, r.after))
		}
		changed = changed || r.before != r.after
	}
	words := strings.Join(parts, ", ")
	if !changed {
		words += " (unchanged)"
	}
	return words
}
