package gate

import (
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
)

// EnvExperimental is the environment variable that turns on rattler-build's
// experimental features. Attestation blocks are one of them, so it opens the gate
// too.
const EnvExperimental = "RATTLER_BUILD_EXPERIMENTAL"

// An EnvError is a variable of the environment that says neither yes nor no.
type EnvError struct{ Name, Value string }

// Error implements error.
func (e *EnvError) Error() string {
	return fmt.Sprintf("the environment variable %s: found %q, wanted true or false", e.Name, e.Value)
}

// Hint says how to mend it.
func (e *EnvError) Hint() string {
	return fmt.Sprintf("set %s=true to verify, or unset it to leave sources unverified", e.Name)
}

// Enabled tells whether [EnvExperimental] is true in an environment, for a build
// tool that verifies only where experimental features are turned on. Unset and
// empty are false. Case and surrounding space do not matter. A value that is
// neither true nor false makes a *[EnvError]: it may have been meant to open the
// gate, so take it for an end of the build.
func Enabled(getenv func(string) string) (bool, error) {
	value := getenv(EnvExperimental)
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "t", "yes", "y", "on", "1":
		return true, nil
	case "", "false", "f", "no", "n", "off", "0":
		return false, nil
	}
	return false, &EnvError{EnvExperimental, value}
}

// Skip stands in the place of [Run] where the gate is closed: it hands over one
// result for each path, with the verdict audit.Skipped, and reads nothing. The
// summary is not complete, since no recipe was looked at.
func Skip(paths []string, handle func(audit.Result) error) (audit.Summary, error) {
	summary := audit.Summary{Verdicts: map[audit.Verdict]int{}}
	for i, path := range paths {
		r := audit.Result{
			Place: audit.Place{Recipe: i}, Recipe: path,
			Verdict: audit.Skipped, Code: audit.CodeGateClosed,
			Message: "the gate is closed: neither --experimental nor " + EnvExperimental + " asks for verification",
		}
		if err := handle(r); err != nil {
			return summary, err
		}
		summary.Recipes++
		summary.Sources++
		summary.Verdicts[audit.Skipped]++
	}
	return summary, nil
}
