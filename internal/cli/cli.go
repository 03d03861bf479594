// Package cli is the command line: it reads flags and the configuration file,
// runs the work, and chooses the exit status.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
)

// An Env is what the command sees of the process that it runs in.
type Env struct {
	Getenv    func(string) string
	LookupEnv func(string) (string, bool)
	// IsTerminal tells whether a stream is a terminal.
	IsTerminal func(stream any) bool
}

// OS is the environment of this process.
func OS() Env {
	return Env{
		Getenv:    os.Getenv,
		LookupEnv: os.LookupEnv,
		IsTerminal: func(stream any) bool {
			f, ok := stream.(*os.File)
			return ok && term.IsTerminal(int(f.Fd()))
		},
	}
}

// An exitError carries an exit status. An empty message means that everything
// has been said.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Main runs the command and gives its exit status (DESIGN.md, "What 'verified'
// means"). The report goes to stdout or to a file, everything else to stderr.
func Main(ctx context.Context, env Env, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	root := New(env)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return audit.StatusOK
	case errors.As(err, &exit) && exit.err == nil:
		return exit.status
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "interrupted")
		return audit.StatusInterrupted
	}
	printError(stderr, command, err)
	if exit != nil {
		return exit.status
	}
	return audit.StatusError
}

// printError says what is wrong, with a hint; a wrong command line without one of
// its own gets the command's help.
func printError(w io.Writer, command *cobra.Command, err error) {
	message := strings.TrimSuffix(err.Error(), "\n")
	fmt.Fprintf(w, "error: %s\n", report.PrintableLines(message)) // it may quote a file's name or content
	if strings.Contains(message, "hint: ") {
		return
	}
	var usage *usageError
	var h interface{ Hint() string }
	switch {
	case errors.As(err, &h) && h.Hint() != "":
		fmt.Fprintf(w, "hint: %s\n", report.PrintableLines(h.Hint()))
	case errors.As(err, &usage):
		fmt.Fprintf(w, "hint: %s --help\n", command.CommandPath())
	}
}

// A usageError is a wrong command line.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return e.hint }

// New builds the command tree. It is exported for the generator of docs/cli.md.
func New(env Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "recipe-verify",
		Short: "Answer who made a recipe's source archives, before a package is built from them",
		Long: `recipe-verify reads conda recipes in rattler-build's v1 format, fetches the
Sigstore attestations that upstream projects published for the source archives,
verifies them completely, and compares the signers with the publishers that the
recipe names. On any mismatch the build must not start.

Exit statuses:
  0    every source is verified, or asks for nothing
  1    a source is missing its attestation, or the attestation is of something
       else or does not verify
  2    the recipe, the policy or the command line is wrong
  3    something could not be obtained; this says nothing about the source
  130  interrupted`,
		Version:           Version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{err, c.CommandPath() + " --help"}
	})
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(newVerify(env), newSources(env), newPolicy(env), newCache(), newTrust(), newInspect(env), newAudit(env), newReport(env), newLock(env), newSuggest(env), newBumpCheck(env), newPrepare(env))
	return root
}

// Version is the module's version as the Go toolchain recorded it, or "devel".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
