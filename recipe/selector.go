package recipe

import (
	"regexp"
	"strings"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

var selectorComment = regexp.MustCompile(`#\s*\[([^\[\]]+)\]`)

// applySelectors keeps the lines of a conda_build_config.yaml whose selectors
// hold. A line is cut at its first "#"; a selector that fails counts as false.
// Lines that go leave an empty one, so that positions stay.
func applySelectors(text string, engine *jinja.Engine, vars jinja.Variables) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		code, comment, has := strings.Cut(line, "#")
		if !has {
			continue
		}
		lines[i] = strings.TrimRight(code, " \t")
		if m := selectorComment.FindStringSubmatch("#" + comment); m != nil {
			if ok, err := engine.Truth(rewriteSelector(m[1]), vars); err != nil || !ok {
				lines[i] = ""
			}
		}
	}
	return strings.Join(lines, "\n")
}

// rewriteSelector turns the Python that selectors are written in into
// expressions, for the two things that occur.
func rewriteSelector(s string) string {
	return strings.NewReplacer(
		"os.environ.get(", "env.get(",
		"environ.get(", "env.get(",
		".startswith(", " is startingwith(",
	).Replace(s)
}
