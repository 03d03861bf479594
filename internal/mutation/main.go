// Command mutation removes the security checks from the code, one at a time, and
// runs the tests that must notice. It is for whoever adds or changes a check:
//
//	go run ./internal/mutation [-list] [NAME…]
//
// With names it tries only the mutations whose name or file contains one of them.
// Files are replaced by "go test -overlay" alone: nothing in the tree is written, so
// that a run that is interrupted leaves no hole behind. It takes minutes and is
// no part of the continuous tests; docs/threat-model.md says more.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// timeout is how long the tests of one mutation may take. A test that hangs
// without a check has noticed that it is gone.
const timeout = 3 * time.Minute

// A mutation removes one check.
type mutation struct {
	name     string   // what is no longer checked
	file     string   // below the module's folder
	old      string   // the text to replace, which stands in the file exactly once
	new      string   // what it is replaced with
	packages []string // whose tests must notice, "./verify" for instance
	run      string   // the tests among them, as for "go test -run"; all if empty
}

// An outcome is what became of a mutation.
type outcome string

const (
	killed   outcome = "killed"   // a test failed: the check is tested
	survived outcome = "survived" // no test noticed
	broken   outcome = "broken"   // it proves nothing: the text is not there once, or the result does not compile
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mutation", flag.ContinueOnError)
	flags.SetOutput(stderr)
	list := flags.Bool("list", false, "list the mutations and try none")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	top, err := moduleRoot(ctx)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	var wanted []mutation
	for _, m := range mutations {
		if len(flags.Args()) == 0 || slices.ContainsFunc(flags.Args(), func(s string) bool { return strings.Contains(m.file+" "+m.name, s) }) {
			wanted = append(wanted, m)
		}
	}
	if len(wanted) == 0 {
		fmt.Fprintln(stderr, "no mutation has such a name or file; -list gives all")
		return 2
	}
	if *list {
		for _, m := range wanted {
			fmt.Fprintf(stdout, "%s\t%s\n", m.file, m.name)
		}
		return 0
	}
	return attack(ctx, top, wanted, stdout)
}

// attack tries mutations and gives the exit status.
func attack(ctx context.Context, top string, list []mutation, w io.Writer) int {
	count := map[outcome]int{}
	baseline := map[string]error{}
	for _, m := range list {
		began := time.Now()
		key := m.run + " " + strings.Join(m.packages, " ")
		if _, ok := baseline[key]; !ok {
			baseline[key] = passes(ctx, top, m)
		}
		o, detail := broken, ""
		if err := baseline[key]; err != nil {
			detail = "its tests fail without it: " + err.Error()
		} else {
			o, detail = m.try(ctx, top)
		}
		if ctx.Err() != nil {
			fmt.Fprintln(w, "interrupted")
			return 130
		}
		count[o]++
		fmt.Fprintf(w, "%-8s  %s  %s (%.0f s)\n", o, m.name, detail, time.Since(began).Seconds())
	}
	fmt.Fprintf(w, "%d killed, %d survived, %d broken\n", count[killed], count[survived], count[broken])
	if count[killed] != len(list) {
		return 1
	}
	return 0
}

// passes tells whether the tests pass as things are; the go command remembers.
func passes(ctx context.Context, top string, m mutation) error {
	out, err := goTool(ctx, top, append([]string{"test", "-vet=off", "-run=" + m.run, "-timeout=" + timeout.String()}, m.packages...)...)
	if err != nil {
		return errors.New(failure(out))
	}
	return nil
}

// try applies a mutation and runs its tests.
func (m mutation) try(ctx context.Context, top string) (outcome, string) {
	path := filepath.Join(top, filepath.FromSlash(m.file))
	text, err := os.ReadFile(path)
	if err != nil {
		return broken, err.Error()
	}
	mutant, err := m.apply(string(text))
	if err != nil {
		return broken, err.Error()
	}
	dir, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return broken, err.Error()
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, path, mutant)
	if err != nil {
		return broken, err.Error()
	}
	if out, err := goTool(ctx, top, "build", "-overlay="+overlay, "./"+filepath.ToSlash(filepath.Dir(m.file))); err != nil {
		return broken, "does not compile: " + failure(out)
	}
	args := []string{"test", "-overlay=" + overlay, "-vet=off", "-count=1", "-failfast", "-run=" + m.run, "-timeout=" + timeout.String()}
	out, err := goTool(ctx, top, append(args, m.packages...)...)
	switch {
	case err == nil:
		return survived, "no test noticed"
	case !ran.MatchString(out):
		return broken, "its tests did not run: " + failure(out)
	}
	return killed, "by " + failure(out)
}

// ran finds the line about a package whose tests ran, in contrast to one that
// could not be built, and failed.
var ran = regexp.MustCompile(`(?m)^FAIL\t\S+\t[0-9.]+s$`)

// apply replaces the check's text.
func (m mutation) apply(text string) (string, error) {
	if n := strings.Count(text, m.old); n != 1 {
		return "", fmt.Errorf("%s has its text %d times, wanted once", m.file, n)
	}
	return strings.Replace(text, m.old, m.new, 1), nil
}

// writeOverlay writes the mutant and the file that tells the go command to
// compile it in the place of the one at path.
func writeOverlay(dir, path, mutant string) (string, error) {
	file := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(file, []byte(mutant), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: file}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, overlay, 0o600)
}

func goTool(ctx context.Context, top string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = top
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// failure names the most inner test that failed first, or gives the first lines
// of the output where none is named.
func failure(out string) string {
	var name string
	for _, m := range failed.FindAllStringSubmatch(out, -1) {
		if name != "" && !strings.HasPrefix(m[1], name+"/") {
			break
		}
		name = m[1]
	}
	if name != "" {
		return name
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[:min(3, len(lines))], " | ")
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("found no go.mod; run it in the module's folder")
	}
	return filepath.Dir(mod), nil
}
