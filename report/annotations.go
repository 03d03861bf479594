package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
)

// MaxAnnotations is the most annotations of one level that GitHub shows of a
// step.
const MaxAnnotations = 10

// GitHub writes workflow commands, which GitHub Actions shows as annotations on
// the lines of recipes: errors for failures and downgrades, warnings for what
// was unavailable and for other changes. Of each level the gravest
// [MaxAnnotations] are written; a notice says how many more there are.
type GitHub struct {
	W io.Writer

	errors, warnings gravest
}

// A gravest list keeps the gravest annotations, and counts all.
type gravest struct {
	kept    []annotation
	counted int
}

type annotation struct {
	rank int // 0 is the gravest
	text string
}

func (g *gravest) add(rank int, write func() string) {
	g.counted++
	if len(g.kept) == MaxAnnotations && rank >= g.kept[MaxAnnotations-1].rank {
		return
	}
	g.kept = append(g.kept, annotation{rank, write()})
	slices.SortStableFunc(g.kept, func(a, b annotation) int { return a.rank - b.rank })
	g.kept = g.kept[:min(len(g.kept), MaxAnnotations)]
}

// Header implements [Writer].
func (g *GitHub) Header(*Header) error {
	g.errors, g.warnings = gravest{}, gravest{}
	return nil
}

// Record implements [Writer].
func (g *GitHub) Record(r *Record) error {
	switch rank := slices.Index(failing[:], r.Verdict); {
	case r.Downgrade():
		// Between what is certainly wrong and what may be.
		if rank < 0 || rank > 1 {
			rank = 2
		}
		g.errors.add(rank, func() string { return annotate("error", r) })
	case r.Verdict == audit.Unavailable:
		g.warnings.add(0, func() string { return annotate("warning", r) })
	case r.Verdict.Status() != audit.StatusOK:
		if rank < 0 || rank > 1 {
			rank = 3
		}
		g.errors.add(rank, func() string { return annotate("error", r) })
	case len(r.Changes) > 0:
		g.warnings.add(1, func() string { return annotate("warning", r) })
	}
	return nil
}

// Footer implements [Writer]: it writes everything.
func (g *GitHub) Footer(f *Footer) error {
	var b strings.Builder
	for _, list := range []*gravest{&g.errors, &g.warnings} {
		for _, a := range list.kept {
			b.WriteString(a.text)
		}
	}
	var more []string
	if n := g.errors.counted - len(g.errors.kept); n > 0 {
		more = append(more, fmt.Sprintf("%d more errors", n))
	}
	if n := g.warnings.counted - len(g.warnings.kept); n > 0 {
		more = append(more, fmt.Sprintf("%d more warnings", n))
	}
	if !f.Complete {
		more = append(more, "not every recipe was looked at")
	}
	if len(more) > 0 {
		b.WriteString("::notice title=recipe-verify::" + commandData(strings.Join(more, ", ")+"; see the other reports") + "\n")
	}
	_, err := io.WriteString(g.W, b.String())
	return err
}

// annotate is the command that puts a record on its line.
func annotate(level string, r *Record) string {
	position := r.Position
	if len(r.Faults) > 0 {
		position = r.Faults[0].Position
	}
	file, line, column := splitPosition(position)
	if file == "" {
		file = r.Recipe
	}
	properties := []string{"file=" + commandProperty(printable(file))}
	if line > 0 {
		properties = append(properties, fmt.Sprintf("line=%d", line))
		if column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", column))
		}
	}
	what := string(r.Verdict)
	if r.Verdict.Status() == audit.StatusOK {
		what = "changed"
		if r.Downgrade() {
			what = "downgrade"
		}
	}
	heading := clip(printable(joinNonEmpty(": ", what, recordTitle(r))), 200)
	properties = append(properties, "title="+commandProperty(heading))
	return fmt.Sprintf("::%s %s::%s\n", level, strings.Join(properties, ","), commandData(strings.Join(explain(r), "\n")))
}

// explain says in lines why a record is shown, each safe for a terminal.
func explain(r *Record) []string {
	var lines []string
	failure := r.Verdict.Status() != audit.StatusOK
	switch {
	case failure && len(r.Faults) > 0:
		for _, f := range r.Faults[:min(len(r.Faults), maxFaults)] {
			lines = append(lines, said(f.Position+": "+f.Message))
			if f.Hint != "" {
				lines = append(lines, said("hint: "+f.Hint))
			}
		}
	case failure:
		lines = append(lines, said(r.Message))
		if r.Hint != "" {
			lines = append(lines, said("hint: "+r.Hint))
		}
	}
	for _, c := range r.Changes[:min(len(r.Changes), maxFaults)] {
		lines = append(lines, said(c.String()))
	}
	return lines
}

// splitPosition reads file:line:column, where line and column may be left out.
// Files may hold colons.
func splitPosition(s string) (file string, line, column int) {
	file, last, ok := lastNumber(s)
	if !ok {
		return s, 0, 0
	}
	if rest, first, ok := lastNumber(file); ok {
		return rest, first, last
	}
	return file, last, 0
}

func lastNumber(s string) (before string, n int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[i+1:])
	return s[:i], n, err == nil && n > 0
}

// GitHub's runner decodes these, and no others.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// commandData escapes the message of a workflow command.
func commandData(s string) string { return inert(dataEscapes.Replace(s)) }

// commandProperty escapes the value of a workflow command's property.
func commandProperty(s string) string { return inert(propertyEscapes.Replace(s)) }

// inert breaks "##[", with which a command of the runner's first syntax begins,
// wherever in a line it stands.
func inert(s string) string { return strings.ReplaceAll(s, "##[", `##\[`) }
