package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/report"
)

// cacheFlags are the flags that all cache commands have.
type cacheFlags struct {
	dir, format string
}

func newCache() *cobra.Command {
	c := &cobra.Command{
		Use:   "cache",
		Short: "Look after the cache of evidence",
		Long: `Cache looks after the evidence that audits keep on disk, so that they need not
fetch it again.

What is kept is bytes, never verdicts: every run verifies them again. A file
that is not what was written is never used, and the cache can be removed at any
time, also while it is in use. Sigstore's TUF metadata lies elsewhere and is
left alone.`,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs, // else an unknown command shows the help, with status 0
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCacheInfo(), newCacheClean(), newCacheVerify())
	return c
}

func (f *cacheFlags) register(c *cobra.Command) {
	c.Args = cobra.NoArgs
	c.DisableAutoGenTag = true
	c.Flags().StringVar(&f.dir, "cache-dir", "", "the cache is below `DIR` (default: the user's cache folder)")
	c.Flags().StringVar(&f.format, "format", "text", "answer as `FORMAT`, text or json")
}

// open gives the cache that the flags name.
func (f *cacheFlags) open(c *cobra.Command) (*fetch.Cache, error) {
	if f.format != "text" && f.format != "json" {
		return nil, wrongValue(c, "--format", f.format, "text or json")
	}
	if c.Flags().Changed("cache-dir") && f.dir == "" {
		return nil, wrongValue(c, "--cache-dir", f.dir, "a folder")
	}
	dir, err := fetch.CacheDir(f.dir)
	if err != nil {
		return nil, &usageError{err, "name the folder with --cache-dir DIR"}
	}
	return &fetch.Cache{Dir: dir}, nil
}

// cacheReport is what a cache command answers, as JSON.
type cacheReport struct {
	Folder  string       `json:"folder"`
	Entries int          `json:"entries"`
	Blobs   int          `json:"blobs"`
	Bytes   int64        `json:"bytes"`
	Oldest  *time.Time   `json:"oldest,omitempty"` // last use
	Newest  *time.Time   `json:"newest,omitempty"`
	Bad     *[]cacheFile `json:"bad,omitempty"` // of verify
}

type cacheFile struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Removed bool   `json:"removed"`
}

func newCacheReport(cache *fetch.Cache, info fetch.CacheInfo) *cacheReport {
	r := &cacheReport{Folder: cache.Dir, Entries: info.Entries, Blobs: info.Blobs, Bytes: info.Bytes}
	if !info.Oldest.IsZero() {
		oldest, newest := info.Oldest.UTC().Truncate(time.Second), info.Newest.UTC().Truncate(time.Second)
		r.Oldest, r.Newest = &oldest, &newest
	}
	return r
}

// what says what a report counts.
func (r *cacheReport) what() string {
	return fmt.Sprintf("%s with %s, %s",
		count(r.Entries, "answer", "answers"), count(r.Blobs, "body", "bodies"), humanize.IBytes(uint64(max(r.Bytes, 0))))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// write answers as JSON, or with lines.
func (f *cacheFlags) write(w io.Writer, r *cacheReport, lines ...string) error {
	if f.format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, report.PrintableLines(line)); err != nil {
			return err
		}
	}
	return nil
}

func newCacheInfo() *cobra.Command {
	f := &cacheFlags{}
	c := &cobra.Command{
		Use:   "info",
		Short: "Say what the cache holds",
		RunE: func(c *cobra.Command, _ []string) error {
			cache, err := f.open(c)
			if err != nil {
				return err
			}
			defer cache.Close()
			info, err := cache.Info(c.Context())
			if err != nil {
				return err
			}
			r := newCacheReport(cache, info)
			lines := []string{r.Folder, r.what()}
			if r.Oldest != nil {
				lines = append(lines, fmt.Sprintf("last used between %s and %s", r.Oldest.Format(time.RFC3339), r.Newest.Format(time.RFC3339)))
			}
			return f.write(c.OutOrStdout(), r, lines...)
		},
	}
	f.register(c)
	return c
}

func newCacheClean() *cobra.Command {
	f := &cacheFlags{}
	olderThan := ""
	c := &cobra.Command{
		Use:   "clean",
		Short: "Remove what the cache holds",
		Long: `Clean removes everything from the cache, or what was not used for a while.
Files that are not the cache's own stay.`,
		Example: `  recipe-verify cache clean --older-than 30d`,
		RunE: func(c *cobra.Command, _ []string) error {
			cache, err := f.open(c)
			if err != nil {
				return err
			}
			defer cache.Close()
			unused := time.Duration(0)
			if c.Flags().Changed("older-than") {
				if unused, err = parseAge(olderThan); err != nil {
					return &usageError{fmt.Errorf("--older-than: %w", err), c.CommandPath() + " --help"}
				}
			}
			removed, err := cache.Clean(c.Context(), unused)
			if err != nil {
				return err
			}
			r := newCacheReport(cache, removed)
			return f.write(c.OutOrStdout(), r, "removed "+r.what()+" from "+r.Folder)
		},
	}
	f.register(c)
	c.Flags().StringVar(&olderThan, "older-than", "", "remove only what was not used for `DURATION`, such as 12h or 30d")
	return c
}

// parseAge reads a duration, in which d stands for days.
func parseAge(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > math.MaxInt64/uint64(day) {
			return 0, fmt.Errorf("found %q, wanted a duration such as 12h or 30d", s)
		}
		return time.Duration(n) * day, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("found %q, wanted a duration such as 12h or 30d", s)
	}
	return d, nil
}

func newCacheVerify() *cobra.Command {
	f := &cacheFlags{}
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check that the cache holds what was written",
		Long: `Verify reads every file of the cache, and removes those that do not have the
digest that they were written with. The status is 1 if there were any. No run
would have used them: this finds a failing disk, or somebody who changes files.`,
		RunE: func(c *cobra.Command, _ []string) error {
			cache, err := f.open(c)
			if err != nil {
				return err
			}
			defer cache.Close()
			check, err := cache.Verify(c.Context())
			if err != nil {
				return err
			}
			r := newCacheReport(cache, check.CacheInfo)
			bad, lines := []cacheFile{}, []string{}
			for _, b := range check.Bad {
				bad = append(bad, cacheFile(b))
				line := "removed " + b.Path + ": " + b.Problem
				if !b.Removed {
					line = "could not remove " + b.Path + ": " + b.Problem
				}
				lines = append(lines, line)
			}
			r.Bad = &bad
			lines = append(lines, fmt.Sprintf("%s: %s are good, %s bad", r.Folder, r.what(), count(len(bad), "file was", "files were")))
			if err := f.write(c.OutOrStdout(), r, lines...); err != nil {
				return err
			}
			if len(bad) > 0 {
				return &exitError{status: audit.StatusRejected}
			}
			return nil
		},
	}
	f.register(c)
	return c
}
