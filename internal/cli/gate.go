package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

// gateFlags leave verifying to those who turned on experimental features, so that
// one line in a script serves everybody.
type gateFlags struct {
	gate, experimental bool
}

func (f *gateFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.BoolVar(&f.gate, "gate", false, "verify only where --experimental is given or "+gate.EnvExperimental+" is true; say so in one line and end with 0 elsewhere")
	s.BoolVar(&f.experimental, "experimental", false, "open the gate of --gate")
}

// open tells whether there is work to do. What is neither yes nor no in the
// environment is an error: it may have been meant to open the gate.
func (f *gateFlags) open(env Env) (bool, error) {
	switch {
	case !f.gate && f.experimental:
		return false, &usageError{
			errors.New("--experimental opens the gate of --gate, and is of no use without it"),
			"verify always works where --gate is not given: leave both out, or give both",
		}
	case !f.gate || f.experimental:
		return true, nil
	}
	return gate.Enabled(env.Getenv)
}

// skip is verify with a closed gate. It reads no file and asks nobody; that the
// flags are right is seen to all the same, so that an open gate holds no
// surprise.
func (f *verifyFlags) skip(c *cobra.Command, env Env, paths []string) error {
	if _, err := f.runFlags.options(c, env, &policy.Policy{}); err != nil {
		return err
	}
	out := newOutput(f.output, c.OutOrStdout())
	handler, err := f.handler(c, env, out)
	if err != nil {
		return err
	}
	if f.format == "text" {
		handler = &gateLine{w: out, quiet: f.quiet}
	}
	if err := handler.Start(audit.Policy{Match: verify.Any}); err != nil { // nothing is enforced
		return err
	}
	summary, err := gate.Skip(paths, handler.Result)
	if err != nil {
		return err
	}
	if err := handler.End(summary); err != nil {
		return err
	}
	return out.commit()
}

// gateLine is the report of a closed gate as text: one line.
type gateLine struct {
	w     *output
	quiet bool
	first audit.Result
}

var _ report.Handler = (*gateLine)(nil)

// Start implements [report.Handler].
func (g *gateLine) Start(audit.Policy) error { return nil }

// Result implements [report.Handler].
func (g *gateLine) Result(r audit.Result) error {
	if g.first.Verdict == "" {
		g.first = r
	}
	return nil
}

// End implements [report.Handler].
func (g *gateLine) End(audit.Summary) error {
	if g.quiet {
		return nil
	}
	_, err := fmt.Fprintf(g.w, "%s  nothing was verified: %s\n", g.first.Verdict, g.first.Message)
	return err
}
