package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/report/html"
)

// formatFlags are what reports of audits can be told.
type formatFlags struct {
	verbose bool
	color   string
	earlier []string
}

func (f *formatFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.BoolVarP(&f.verbose, "verbose", "v", false, "list what could be attested, in the report as text")
	s.StringVar(&f.color, "color", "auto", "colour the text, `WHEN` is auto, always or never; NO_COLOR is honoured")
	s.StringArrayVar(&f.earlier, "earlier", nil, "show in the report as HTML how coverage changed since the report in `FILE`, in JSON and with a --date (may be repeated)")
}

// formats makes the formats that audits can be reported in.
func (f *formatFlags) formats(c *cobra.Command, env Env) (map[string]report.Format, error) {
	color, err := useColor(c, env, f.color, c.OutOrStdout())
	if err != nil {
		return nil, err
	}
	var page html.Options
	for _, name := range f.earlier {
		in, err := openReport(name, c.InOrStdin())
		if err != nil {
			return nil, err
		}
		snapshot, err := html.ReadSnapshot(in.Reader)
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, fmt.Errorf("--earlier %s: %w", name, err)
		}
		page.Earlier = append(page.Earlier, snapshot)
	}
	return map[string]report.Format{
		"text":           func(w io.Writer) report.Writer { return &report.AuditText{W: w, Color: color, Verbose: f.verbose} },
		"json":           func(w io.Writer) report.Writer { return &report.Lines{W: w} },
		"html":           func(w io.Writer) report.Writer { return html.New(w, page) },
		"sarif":          func(w io.Writer) report.Writer { return &report.SARIF{W: w} },
		"junit":          func(w io.Writer) report.Writer { return &report.JUnit{W: w} },
		"csv":            func(w io.Writer) report.Writer { return &report.CSV{W: w} },
		"github":         func(w io.Writer) report.Writer { return &report.GitHub{W: w} },
		"github-summary": func(w io.Writer) report.Writer { return &report.GitHubSummary{W: w} },
	}, nil
}

// formatNames are the names of the formats, for help.
const formatNames = "csv, github, github-summary, html, json, junit, sarif, text"

func newReport(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:               "report",
		Short:             "Convert and merge the reports of audits",
		Long:              `Report works on the reports that audit writes as JSON (--report json=FILE). It asks nobody and verifies nothing.`,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newReportConvert(env), newReportMerge())
	return c
}

func newReportConvert(env Env) *cobra.Command {
	var to []string
	f := &formatFlags{}
	c := &cobra.Command{
		Use:   "convert REPORT.json",
		Short: "Write a report in other formats",
		Long: `Convert writes the report of an audit, or that of verify --format json, in other
formats. - stands for the standard input. The exit status is 0 if the reports were written, whatever they say, and 2
if they could not be.`,
		Example: `  recipe-verify report convert --to html=audit.html --to sarif=audit.sarif audit.json
  recipe-verify verify --format json recipe.yaml | recipe-verify report convert --to github -`,
		Args:              oneReport,
		DisableAutoGenTag: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(to) == 0 {
				to = []string{"text"}
			}
			formats, err := f.formats(c, env)
			if err != nil {
				return err
			}
			in, err := openReport(args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			defer in.Close()
			return writeReports(to, formats, c.OutOrStdout(), func(w report.Writer) error {
				return report.Convert(in.Reader, w)
			}, "--to")
		},
	}
	c.Flags().StringArrayVar(&to, "to", nil, "write `FORMAT=FILE`, or FORMAT for the standard output; formats are "+formatNames+" (may be repeated; default: text)")
	f.register(c)
	return c
}

func oneReport(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return &usageError{fmt.Errorf("found %d reports, wanted one", len(args)), "make one with recipe-verify audit --report json=FILE; unite those of shards with recipe-verify report merge"}
	}
	return nil
}

func newReportMerge() *cobra.Command {
	output := "-"
	c := &cobra.Command{
		Use:   "merge SHARD.json...",
		Short: "Unite the reports of all shards of an audit",
		Long: `Merge unites the reports that audit --shard wrote, in any order, into the bytes
that one run in one part would have written. That a shard is missing, is there
twice or is of another audit is an error. The exit status is 0 if the report was
written, whatever it says.`,
		Example:           `  recipe-verify report merge -o audit.json shard-*.json`,
		DisableAutoGenTag: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{errors.New("no report is named"), ""}
			}
			var shards []*report.Reader
			for _, name := range args {
				in, err := openReport(name, c.InOrStdin())
				if err != nil {
					return err
				}
				defer in.Close()
				shards = append(shards, in.Reader)
			}
			return writeReports([]string{"json=" + output}, map[string]report.Format{
				"json": func(w io.Writer) report.Writer { return &report.Lines{W: w} },
			}, c.OutOrStdout(), func(w report.Writer) error {
				return report.Merge(shards, w)
			}, "--output")
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "-", "write the report to `FILE`, whole or not at all")
	return c
}

// An openedReport is a report that is read.
type openedReport struct {
	*report.Reader
	io.Closer
}

func openReport(name string, stdin io.Reader) (*openedReport, error) {
	file, shown := io.NopCloser(stdin), "standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		file, shown = f, name
	}
	r, err := report.NewReader(shown, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &openedReport{r, file}, nil
}

// writeReports opens reports, has them written, and puts them in their place.
func writeReports(specs []string, formats map[string]report.Format, stdout io.Writer, write func(report.Writer) error, flag string) error {
	files, err := report.OpenFiles(specs, formats, stdout)
	if err != nil {
		return asUsage(flag, err)
	}
	defer files.Discard()
	if err := write(files); err != nil {
		return err
	}
	return files.Commit()
}
