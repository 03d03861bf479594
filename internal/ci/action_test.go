package ci_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/cli"
)

// An action is action.yml, as far as GitHub knows it for composite actions.
type action struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	Author      string `yaml:"author"`
	Branding    struct {
		Icon  string `yaml:"icon"`
		Color string `yaml:"color"`
	} `yaml:"branding"`
	Inputs map[string]struct {
		Description string  `yaml:"description"`
		Default     *string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Description string `yaml:"description"`
		Value       string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

// A step is one of an action's or a job's.
type step struct {
	Name  string            `yaml:"name"`
	ID    string            `yaml:"id"`
	If    string            `yaml:"if"`
	Uses  string            `yaml:"uses"`
	With  map[string]string `yaml:"with"`
	Shell string            `yaml:"shell"`
	Env   map[string]string `yaml:"env"`
	Run   string            `yaml:"run"`
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, name))
	check(t, err)
	return string(data)
}

// strictly reads YAML and accepts no key that the type has not.
func strictly(t *testing.T, name, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func readAction(t *testing.T) *action {
	t.Helper()
	var a action
	strictly(t, "action.yml", read(t, "action.yml"), &a)
	return &a
}

// outcome is what became of a composite action or of a job.
type outcome struct {
	status  int // of the first step that failed
	log     string
	summary string
	outputs map[string]string
	used    []use
}

// A use is an action of somebody else that would have run.
type use struct {
	action string
	with   map[string]string
}

// with makes inputs that use the recipe-verify of the test, and no cache.
func with(inputs ...string) map[string]string {
	m := map[string]string{"program": "recipe-verify", "cache": "false"}
	for i := 0; i < len(inputs); i += 2 {
		m[inputs[i]] = inputs[i+1]
	}
	return m
}

// action runs action.yml's steps as GitHub's runner does, with inputs that it
// would be given.
func (m *machine) action(inputs map[string]string) outcome {
	m.t.Helper()
	a := readAction(m.t)
	values := map[string]string{"github.token": "job-token", "runner.os": "Linux"}
	for name, in := range a.Inputs {
		v, given := inputs[name]
		if !given {
			var err error
			v, err = expand(*in.Default, func(n string) string { return values[n] })
			check(m.t, err)
		}
		values["inputs."+name] = v
	}
	for name := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			m.t.Fatalf("the action has no input %q", name)
		}
	}
	o := m.steps(a.Runs.Steps, values)
	for name, out := range a.Outputs {
		v, err := expand(out.Value, func(n string) string { return values[n] })
		check(m.t, err)
		o.outputs[name] = v
	}
	return o
}

// steps runs steps as GitHub's runner does. Outputs of steps go into values.
func (m *machine) steps(steps []step, values map[string]string) outcome {
	m.t.Helper()
	o := outcome{outputs: map[string]string{}}
	get := func(name string) string {
		switch name {
		case "cancelled()":
			return "false"
		}
		return values[name]
	}
	for _, s := range steps {
		wanted := s.If
		if !strings.Contains(wanted, "cancelled()") { // success() is meant
			if o.status != 0 {
				continue
			}
		}
		if wanted != "" {
			v, err := evaluate(strings.TrimSuffix(strings.TrimPrefix(wanted, "${{"), "}}"), get)
			check(m.t, err)
			if !isTrue(v) {
				continue
			}
		}
		evaluated := func(in map[string]string) map[string]string {
			out := map[string]string{}
			for k, v := range in {
				x, err := expand(v, get)
				check(m.t, err)
				out[k] = x
			}
			return out
		}
		status := 0
		switch {
		case strings.HasPrefix(s.Uses, "recipe-verify/recipe-verify@"):
			inner := m.action(mergeMaps(with(), evaluated(s.With)))
			status = inner.status
			o.log += inner.log
			o.summary += inner.summary
			o.used = append(o.used, inner.used...)
			for name, v := range inner.outputs {
				values["steps."+s.ID+".outputs."+name] = v
			}
		case s.Uses != "":
			o.used = append(o.used, use{s.Uses, evaluated(s.With)})
		default:
			script, err := expand(s.Run, get)
			check(m.t, err)
			status = m.step(&o, s, script, evaluated(s.Env), values)
		}
		if status != 0 && o.status == 0 {
			o.status = status
		}
	}
	return o
}

// step runs a script, and takes in what it says to the runner.
func (m *machine) step(o *outcome, s step, script string, env, values map[string]string) int {
	m.t.Helper()
	dir := m.t.TempDir()
	files := map[string]string{}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"} {
		files[name] = filepath.Join(dir, strings.ToLower(name))
		check(m.t, os.WriteFile(files[name], nil, 0o644))
		env[name] = files[name]
	}
	env["RUNNER_TEMP"], env["GITHUB_ACTION_PATH"], env["GITHUB_ACTIONS"] = m.temp, top, "true"
	options := []string{"-e"}
	if s.Shell == "bash" {
		options = append(options, "-o", "pipefail")
	}
	log, status := m.bash(script, env, options...)
	o.log += log
	said := func(name string) string {
		data, err := os.ReadFile(files[name])
		check(m.t, err)
		return string(data)
	}
	o.summary += said("GITHUB_STEP_SUMMARY")
	for line := range strings.Lines(said("GITHUB_OUTPUT")) {
		k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok || !regexp.MustCompile(`^[a-z-]+$`).MatchString(k) {
			m.t.Errorf("%s: the runner would not understand the output %q", s.Name, line)
		}
		values["steps."+s.ID+".outputs."+k] = v
	}
	if p := strings.TrimSpace(said("GITHUB_PATH")); p != "" {
		m.env["PATH"] = p + ":" + m.env["PATH"]
	}
	return status
}

func mergeMaps(list ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range list {
		maps.Copy(all, m)
	}
	return all
}

func TestActionPasses(t *testing.T) {
	m := newMachine(t, "pypi")
	o := m.action(with())
	if o.status != 0 {
		t.Fatalf("status %d:\n%s", o.status, o.log)
	}
	if o.outputs["status"] != "0" || !m.exists(o.outputs["report"]) || !m.exists(o.outputs["sarif"]) {
		t.Errorf("outputs %v", o.outputs)
	}
	if !strings.Contains(o.summary, "| verified | ") || strings.Contains(o.log, "::error") {
		t.Errorf("the summary is\n%s\nthe log\n%s", o.summary, o.log)
	}
	if len(o.used) != 0 {
		t.Errorf("other actions ran: %v", o.used)
	}
	report, err := os.ReadFile(o.outputs["report"])
	check(t, err)
	if n := bytes.Count(report, []byte(`"verdict":"verified"`)); n < 5 {
		t.Errorf("%d sources verified:\n%s", n, report)
	}
}

func TestActionFails(t *testing.T) {
	m := newMachine(t, "wrong-publisher")
	for name, tc := range map[string]struct {
		inputs  map[string]string
		status  int
		log     string
		summary string
		never   string
	}{
		"the recipe that changed": {with("changed-since", m.env["BASE"]), 1, "::error file=recipe.yaml,line=", "| mismatch | 1 |", "recipes/pypi"},
		"all of them":             {with(), 1, "::error file=recipe.yaml,line=", "| mismatch | 1 |", ""},
		"without annotations":     {with("annotations", "false"), 1, "mismatch", "| mismatch | 1 |", "::error"},
		"without summary":         {with("summary", "false"), 1, "::error", "", ""},
		"one that is not wrong":   {with("paths", "recipes/pypi"), 0, "verified", "| verified | ", "::error"},
		"several lines":           {with("paths", "\nrecipes/pypi\n\n  \nrecipe.yaml\r\n"), 1, "::error", "| mismatch | 1 |", "::error file=/"},
		"two paths":               {with("paths", "recipes/pypi\nrecipe.yaml"), 1, "::error", "| mismatch | 1 |", ""},
		"another policy":          {with("policy", "none.yaml"), 2, "none.yaml", "", ""},
		"that does not fail":      {with("fail-on", "none"), 0, "::error", "| mismatch | 1 |", ""},
		"unknown fail-on":         {with("fail-on", "everything"), 2, "--fail-on", "", ""},
		"option":                  {with("args", "--exclude=recipe.yaml"), 0, "verified", "| verified |", "::error"},
		"two options":             {with("args", "--exclude\nrecipe.yaml"), 0, "verified", "| verified |", "::error"},
		"path like an option":     {with("paths", "--fail-on=none"), 2, "--fail-on=none", "| error | 1 |", ""},
		"neither yes nor no":      {with("download", "yes"), 2, "::error title=recipe-verify::the input download is neither true nor false", "", ""},
		"no such switch":          {with("sarif", "True"), 2, "::error title=recipe-verify::the input sarif is neither true nor false", "", ""},
		"no such cache":           {with("cache", ""), 2, "::error title=recipe-verify::the input cache is neither true nor false", "", ""},
		"no such program":         {with("program", "no-such-program"), 2, "::error title=recipe-verify::there is no such program as the input program names", "", ""},
		"no such version":         {with("program", "", "version", "latest"), 2, "::error title=recipe-verify::the input version is neither", "", ""},
		"a branch as version":     {with("program", "", "version", "main"), 2, "::error title=recipe-verify::the input version is neither", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m.t = t
			o := m.action(tc.inputs)
			if o.status != tc.status || !strings.Contains(o.log, tc.log) || !strings.Contains(o.summary, tc.summary) || tc.never != "" && strings.Contains(o.log, tc.never) {
				t.Errorf("status %d, wanted %d; log:\n%s\nsummary:\n%s", o.status, tc.status, o.log, o.summary)
			}
			if tc.summary == "" && o.summary != "" {
				t.Errorf("there is a summary:\n%s", o.summary)
			}
		})
	}
	m.t = t
	if calls := m.calls(); strings.Contains(calls, "install") {
		t.Errorf("something was installed:\n%s", calls)
	}
}

// What a report says is uploaded, and evidence is kept, also where sources fail.
func TestActionUploadsAndKeeps(t *testing.T) {
	m := newMachine(t, "wrong-publisher")
	o := m.action(with("sarif", "true", "sarif-category", "feedstock", "cache", "true"))
	if o.status != 1 {
		t.Fatalf("status %d:\n%s", o.status, o.log)
	}
	cache := filepath.Join(m.temp, "recipe-verify-cache")
	var names []string
	for _, u := range o.used {
		name, _, _ := strings.Cut(u.action, "@")
		names = append(names, name)
		switch name {
		case "actions/cache/restore", "actions/cache/save":
			if u.with["path"] != cache || !regexp.MustCompile(`^recipe-verify-evidence-1-Linux-20\d\d-\d\d-\d\d$`).MatchString(u.with["key"]) {
				t.Errorf("%s with %v", name, u.with)
			}
		case "github/codeql-action/upload-sarif":
			if u.with["sarif_file"] != o.outputs["sarif"] || u.with["category"] != "feedstock" || !m.exists(u.with["sarif_file"]) {
				t.Errorf("%s with %v", name, u.with)
			}
		}
	}
	if diff := cmp.Diff([]string{"actions/cache/restore", "actions/cache/save", "github/codeql-action/upload-sarif"}, names); diff != "" {
		t.Errorf("other actions (-want +got):\n%s", diff)
	}
}

// Results that a cache brings along are not believed: the folder of journals is
// removed before the run, whatever options say.
func TestActionBelievesNoCachedResults(t *testing.T) {
	m := newMachine(t, "wrong-publisher")
	journal := filepath.Join(m.temp, "recipe-verify-cache", "audits")
	if m.action(with("cache", "true")); !m.exists(journal) {
		t.Fatal("journals lie somewhere else")
	}
	check(t, os.WriteFile(filepath.Join(journal, "forged.jsonl"), []byte("{}\n"), 0o644))
	o := m.action(with("cache", "true", "args", "--resume"))
	if o.status != 1 || m.exists(filepath.Join(journal, "forged.jsonl")) {
		t.Errorf("status %d, journal there: %t\n%s", o.status, m.exists(filepath.Join(journal, "forged.jsonl")), o.log)
	}
}

// By default the program is built from the action's own checkout, with the Go
// that was set up, and a version is installed by Go as well.
func TestActionInstalls(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	m := newMachine(t, "pypi")
	o := m.action(map[string]string{"version": "v1.2.3", "cache": "false"})
	if want := "go install github.com/recipe-verify/recipe-verify/cmd/recipe-verify@v1.2.3\n"; m.calls() != want || o.status != 0 {
		t.Errorf("status %d, calls %q, wanted %q:\n%s", o.status, m.calls(), want, o.log)
	}
	if path, _, _ := strings.Cut(m.env["PATH"], ":"); !strings.HasPrefix(path, m.temp) || !m.exists(filepath.Join(path, "recipe-verify")) {
		t.Errorf("later steps do not find it: PATH is %s", m.env["PATH"])
	}
	if len(o.used) != 1 || !strings.HasPrefix(o.used[0].action, "actions/setup-go@") || o.used[0].with["cache"] != "false" {
		t.Errorf("other actions: %v", o.used)
	}

	check(t, os.Remove(filepath.Join(m.bin, "go"))) // the real one takes over
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"} {
		v, err := exec.Command("go", "env", name).Output()
		check(t, err)
		m.env[name] = strings.TrimSpace(string(v))
	}
	m.env["GOFLAGS"] = "-mod=vendor" // of a job about something else
	o = m.action(map[string]string{"cache": "false"})
	if o.status != 0 || !strings.Contains(o.summary, "| verified |") {
		t.Errorf("status %d:\n%s", o.status, o.log)
	}
}

// Inputs are data: none can run anything, and none makes a line that the runner
// takes for a command.
func TestActionRunsNoInput(t *testing.T) {
	m := newMachine(t, "pypi")
	for name := range readAction(t).Inputs {
		for _, evil := range []string{
			"$(touch pwned)", "`touch pwned`", "x; touch pwned #", "'; touch pwned; '", "\"; touch pwned; \"",
			"x\ntouch pwned", "x\n::set-output name=a::b\nstatus=0", "a[$(touch pwned)]", "$PROGRAM", "-x", "*",
		} {
			t.Run(name+" "+evil, func(t *testing.T) {
				m.t = t
				o := m.action(with(name, evil, "paths", choose(name == "paths", evil, "recipes/pypi")))
				if m.exists("pwned") {
					t.Fatalf("it ran:\n%s", o.log)
				}
				if strings.Contains(o.log, "\n::set-output") || strings.HasPrefix(o.log, "::set-output") {
					t.Errorf("the runner would take this for a command:\n%s", o.log)
				}
				if o.status == 0 && name != "github-token" && name != "sarif-category" && name != "version" && name != "changed-since" && !(name == "args" && evil == "-x") {
					if name != "args" {
						t.Errorf("%s: %q passes:\n%s", name, evil, o.log)
					}
				}
			})
		}
	}
}

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func TestActionIsWellFormed(t *testing.T) {
	a, text := readAction(t), read(t, "action.yml")
	if a.Name == "" || len(a.Description) > 125 || a.Runs.Using != "composite" {
		t.Errorf("the marketplace wants a name, and a short description: %q, %q, %q", a.Name, a.Description, a.Runs.Using)
	}
	for name, in := range a.Inputs {
		if in.Description == "" || in.Default == nil {
			t.Errorf("the input %s has no description, or no default", name)
		}
		if !strings.Contains(text, "inputs."+name+" ") {
			t.Errorf("the input %s is of no use", name)
		}
	}
	set := map[string]bool{"restore.cache-hit": true}
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s: an expression is part of the script", s.Name)
		}
		if s.Run != "" && (s.Shell != "bash" || !strings.HasPrefix(s.Run, "set -euo pipefail\n")) {
			t.Errorf("%s: %q, and begins with %.30q", s.Name, s.Shell, s.Run)
		}
		for _, m := range regexp.MustCompile(`echo "([a-z-]+)=`).FindAllStringSubmatch(s.Run, -1) {
			set[s.ID+"."+m[1]] = true
		}
	}
	for _, m := range regexp.MustCompile(`inputs\.([\w-]+)`).FindAllStringSubmatch(text, -1) {
		if _, ok := a.Inputs[m[1]]; !ok {
			t.Errorf("there is no input %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`steps\.(\w+)\.outputs\.([\w-]+)`).FindAllStringSubmatch(text, -1) {
		if !set[m[1]+"."+m[2]] {
			t.Errorf("no step sets %s", m[0])
		}
	}
	pinned(t, "action.yml", text)
}

// pinned checks that other people's actions are named by a full commit, with the
// version beside it.
func pinned(t *testing.T, name, text string) {
	t.Helper()
	want := regexp.MustCompile(`uses: (recipe-verify/recipe-verify@COMMIT # of a release|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "uses:") && !want.MatchString(line) {
			t.Errorf("%s: %q does not name a commit and its version", name, line)
		}
	}
}

// The table of inputs and outputs in docs/ci.md is the action's.
func TestActionIsDocumented(t *testing.T) {
	a, text := readAction(t), read(t, "docs/ci.md")
	var inputs, outputs []string
	defaults := map[string]string{}
	into := &inputs
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		switch {
		case len(cells) > 2 && strings.TrimSpace(cells[1]) == "input":
			into = &inputs
		case len(cells) > 2 && strings.TrimSpace(cells[1]) == "output":
			into = &outputs
		case len(cells) > 2 && strings.HasPrefix(cells[1], " `"):
			names := strings.Split(strings.Trim(cells[1], " "), ", ")
			values := strings.Split(strings.TrimSpace(cells[2]), "`, `")
			for i, n := range names {
				n = strings.Trim(n, "`")
				*into = append(*into, n)
				if into == &inputs {
					defaults[n] = strings.Trim(values[min(i, len(values)-1)], "` ")
				}
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(a.Inputs)), slices.Sorted(slices.Values(inputs))); diff != "" {
		t.Errorf("inputs (-action +documented):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(a.Outputs)), slices.Sorted(slices.Values(outputs))); diff != "" {
		t.Errorf("outputs (-action +documented):\n%s", diff)
	}
	for name, in := range a.Inputs {
		if want := *in.Default; defaults[name] != want && name != "github-token" {
			t.Errorf("the default of %s is documented as %q, and is %q", name, defaults[name], want)
		}
	}
	audit, _, err := cli.New(cli.Env{}).Find([]string{"audit"})
	check(t, err)
	if got, want := *a.Inputs["fail-on"].Default, audit.Flag("fail-on").DefValue; got != want {
		t.Errorf("fail-on is %q by default, and audit's is %q", got, want)
	}
}

// The version of Go in files for CI is that of go.mod.
func TestGoVersions(t *testing.T) {
	m := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	for _, name := range []string{"action.yml", "docs/ci.md"} {
		found := regexp.MustCompile(`(?:go-version: "|golang:|version: ")(\d+\.\d+)`).FindAllStringSubmatch(read(t, name), -1)
		if len(found) == 0 {
			t.Errorf("%s names no version of Go", name)
		}
		for _, f := range found {
			if f[1] != m[1] {
				t.Errorf("%s: found %q, wanted Go %s", name, f[0], m[1])
			}
		}
	}
}
