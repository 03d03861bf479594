package ci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/internal/cli"
)

// A block is a file or script in docs/ci.md.
type block struct {
	language string
	name     string // of the file, from its first line; "" for scripts
	text     string
}

func blocks(t *testing.T) []block {
	t.Helper()
	var list []block
	parts := strings.Split(read(t, "docs/ci.md"), "\n```")
	for i := 1; i+1 <= len(parts)-1; i += 2 {
		language, text, _ := strings.Cut(parts[i], "\n")
		b := block{language: language, text: text + "\n"}
		if m := regexp.MustCompile(`^# (\S+)\n`).FindStringSubmatch(text); m != nil {
			b.name = m[1]
		}
		list = append(list, b)
	}
	if len(parts)%2 != 1 {
		t.Fatal("a block in docs/ci.md is not closed")
	}
	return list
}

// files gives the blocks of files with a name.
func files(t *testing.T, name string) []block {
	t.Helper()
	var list []block
	for _, b := range blocks(t) {
		if b.name == name {
			list = append(list, b)
		}
	}
	if len(list) == 0 {
		t.Fatalf("docs/ci.md has no file %s", name)
	}
	return list
}

// No block is passed over by the tests below.
func TestEveryBlockIsTested(t *testing.T) {
	known := []string{
		".pre-commit-config.yaml", ".github/workflows/recipe-verify.yml", ".github/workflows/build.yml", ".gitlab-ci.yml", "azure-pipelines.yml",
	}
	for _, b := range blocks(t) {
		switch {
		case b.language == "sh", b.language == "toml":
		case b.language == "yaml" && slices.Contains(known, b.name):
		default:
			t.Errorf("no test knows what this is (%s):\n%s", b.language, b.text)
		}
	}
}

// bothWays runs something with a recipe that verifies and with one that does not,
// and expects that it goes on to the build with the first only.
func bothWays(t *testing.T, builds bool, env map[string]string, run func(m *machine) (log string, status int)) {
	t.Helper()
	saying(t, "verified ", "mismatch ", builds, env, run)
}

// saying is bothWays for what says other words where all is well and where not.
func saying(t *testing.T, well, wrong string, builds bool, env map[string]string, run func(m *machine) (log string, status int)) {
	t.Helper()
	for _, recipe := range []string{"pypi", "wrong-publisher"} {
		m := newMachine(t, recipe)
		for k, v := range env {
			m.env[k] = v
		}
		log, status := run(m)
		good := recipe == "pypi"
		if good != (status == 0) {
			t.Errorf("%s: status %d\n%s", recipe, status, log)
		}
		word := choose(good, well, wrong)
		if !strings.Contains(log, word) {
			t.Errorf("%s: nothing is %s:\n%s", recipe, word, log)
		}
		if built := strings.Contains(m.calls(), "rattler-build build "); built != (good && builds) {
			t.Errorf("%s: calls are\n%s", recipe, m.calls())
		}
	}
}

var experimental = map[string]string{"RATTLER_BUILD_EXPERIMENTAL": "true"}

func TestScripts(t *testing.T) {
	n := 0
	for _, b := range blocks(t) {
		if b.language != "sh" {
			continue
		}
		n++
		first, _, _ := strings.Cut(b.text, "\n")
		t.Run(first, func(t *testing.T) {
			builds := strings.Contains(b.text, "rattler-build build")
			well, wrong := "verified ", "mismatch "
			if strings.Contains(b.text, "bump-check") {
				well, wrong = "same ", "new-failure: before "
			}
			saying(t, well, wrong, builds, experimental, func(m *machine) (string, int) { return m.bash(b.text, nil) })
			if strings.Contains(b.text, "prepare ") {
				preparedVerifies(t, b.text)
			}
			if !strings.Contains(b.text, "--gate") {
				return
			}
			// With the gate closed it builds, and says that nothing was verified.
			m := newMachine(t, "wrong-publisher")
			log, status := m.bash(b.text, nil, "-e")
			if status != 0 || !strings.Contains(log, "skipped  nothing was verified: ") || !strings.Contains(m.calls(), "rattler-build build ") {
				t.Errorf("status %d, calls %q:\n%s", status, m.calls(), log)
			}
		})
	}
	if n < 3 {
		t.Errorf("found %d scripts", n)
	}
}

// What a script prepares verifies later, from the folder alone, and is not there
// at all if the recipe does not verify.
func preparedVerifies(t *testing.T, script string) {
	t.Helper()
	m := newMachine(t, "wrong-publisher")
	m.bash(script, nil)
	if m.exists("prepared") {
		t.Error("there is a folder of what does not verify")
	}
	m = newMachine(t, "pypi")
	m.must(script)
	if !strings.Contains(m.calls(), "rattler-build build --recipe prepared/recipe.yaml") {
		t.Errorf("calls %q", m.calls())
	}
	check(t, os.RemoveAll(filepath.Join(m.work, "internet")))
	check(t, os.Mkdir(filepath.Join(m.work, "internet"), 0o755)) // the policy names it
	if log, status := m.bash("recipe-verify verify prepared", nil); status != 0 || !strings.Contains(log, "1 source: 1 verified") {
		t.Errorf("status %d:\n%s", status, log)
	}
	m.must("chmod -R u+w prepared && for f in prepared/archives/*/*.gz; do echo x >>$f; done")
	if log, status := m.bash("recipe-verify verify prepared", nil); status != 1 || !strings.Contains(log, "mismatch ") {
		t.Errorf("status %d:\n%s", status, log)
	}
}

// A policy that a pull request brings does not let its recipe pass.
func TestPolicyOfTheBaseHolds(t *testing.T) {
	m := newMachine(t, "wrong-publisher")
	evil := strings.ReplaceAll(read(t, "testdata/recipe-verify.yaml"), "trusted-root.json", "evil.json")
	m.write("evil.json", "{}")
	m.write("recipe-verify.yaml", evil+"publishers:\n  - package: harbour-lights\n    publishers: [\"github:harbour-lights/harbour-lights\"]\n")
	m.must("git add -A && git commit -q -m evil")
	for _, b := range blocks(t) {
		if b.language != "sh" || !strings.Contains(b.text, "git checkout origin/main") {
			continue
		}
		log, status := m.bash(b.text, nil, "-e")
		if status != 1 || !strings.Contains(log, "mismatch ") || strings.Contains(log, "evil.json") {
			t.Errorf("status %d:\n%s", status, log)
		}
		return
	}
	t.Error("docs/ci.md does not say how to use the base's policy")
}

func TestPixiTasks(t *testing.T) {
	tasks, after := map[string]string{}, map[string]string{}
	plain := regexp.MustCompile(`^(\w+) = ("(?:[^"\\]|\\.)*")$`)
	table := regexp.MustCompile(`^(\w+) = \{ cmd = ("(?:[^"\\]|\\.)*"), depends-on = \["(\w+)"\] \}$`)
	for _, b := range blocks(t) {
		if b.language != "toml" {
			continue
		}
		for line := range strings.Lines(b.text) {
			line = strings.TrimSpace(line)
			p, q := plain.FindStringSubmatch(line), table.FindStringSubmatch(line)
			switch {
			case line == "[tasks]" || line == "":
				continue
			case q != nil:
				after[q[1]], p = q[3], q
			case p == nil:
				t.Fatalf("cannot read %q", line)
			}
			command, err := strconv.Unquote(p[2])
			check(t, err)
			tasks[p[1]] = command
		}
	}
	run := func(m *machine, name string) (string, int) {
		if before, ok := after[name]; ok {
			if log, status := m.bash(tasks[before], nil, "-e"); status != 0 {
				return log, status
			}
			log, status := m.bash(tasks[name], nil, "-e")
			return "verified " + log, status
		}
		return m.bash(tasks[name], nil, "-e")
	}
	if after["build"] != "verify" || tasks["verify"] == "" || tasks["audit"] == "" {
		t.Fatalf("tasks %v, after %v", tasks, after)
	}
	bothWays(t, false, experimental, func(m *machine) (string, int) { return run(m, "verify") })
	bothWays(t, true, experimental, func(m *machine) (string, int) { return run(m, "build") })
	bothWays(t, false, nil, func(m *machine) (string, int) {
		log, status := run(m, "audit")
		if !m.exists("audit.html") {
			t.Error("there is no audit.html")
		}
		return log, status
	})
}

// Commands that the text names are there, with the options that it names.
func TestCommandsInTextExist(t *testing.T) {
	n := 0
	for _, m := range regexp.MustCompile("`recipe-verify ([a-z][^`]*)`").FindAllStringSubmatch(read(t, "docs/ci.md"), -1) {
		n++
		command, rest, err := cli.New(cli.OS()).Find(strings.Fields(m[1]))
		if err != nil || !command.HasParent() {
			t.Errorf("%q: %v", m[1], err)
			continue
		}
		if err := command.ParseFlags(rest); err != nil {
			t.Errorf("%q: %v", m[1], err)
		}
		if err := command.ValidateArgs(command.Flags().Args()); err != nil {
			t.Errorf("%q: %v", m[1], err)
		}
	}
	if n < 8 {
		t.Errorf("found %d commands", n)
	}
}

// A workflow is one of GitHub's, as far as this page uses it.
type workflow struct {
	Name        string            `yaml:"name"`
	On          yaml.Node         `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]job    `yaml:"jobs"`
}

type job struct {
	If          string            `yaml:"if"`
	RunsOn      string            `yaml:"runs-on"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Steps       []step            `yaml:"steps"`
}

func TestGitHubWorkflows(t *testing.T) {
	for name, jobs := range map[string][]string{".github/workflows/recipe-verify.yml": {"all", "changed"}, ".github/workflows/build.yml": {"build"}} {
		for _, b := range files(t, name) {
			var w workflow
			strictly(t, name, b.text, &w)
			pinned(t, name, b.text)
			if strings.Contains(b.text, "pull_request_target") || w.Permissions == nil {
				t.Errorf("%s: has too many permissions, or gives them to strangers", name)
			}
			for _, id := range jobs {
				j, ok := w.Jobs[id]
				if !ok || j.RunsOn == "" {
					t.Fatalf("%s: there is no job %s", name, id)
				}
				t.Run(id, func(t *testing.T) { githubJob(t, id, j) })
			}
			if len(w.Jobs) != len(jobs) {
				t.Errorf("%s: %d jobs, and %d are tested", name, len(w.Jobs), len(jobs))
			}
		}
	}
}

func githubJob(t *testing.T, id string, j job) {
	for _, s := range j.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("an expression is part of the script %q", s.Run)
		}
	}
	var used []use
	bothWays(t, id == "build", j.Env, func(m *machine) (string, int) {
		o := m.steps(j.Steps, map[string]string{
			"github.event.pull_request.base.sha": m.env["BASE"], "github.event_name": "pull_request", "runner.os": "Linux", "github.token": "job-token",
		})
		used = o.used
		return o.log, o.status
	})
	// Of the run that failed:
	var names []string
	for _, u := range used {
		name, _, _ := strings.Cut(u.action, "@")
		names = append(names, name)
		if name == "actions/checkout" && u.with["persist-credentials"] != "false" {
			t.Error("the checkout keeps the token")
		}
		if name == "actions/upload-artifact" && filepath.Base(u.with["path"]) != "report.json" {
			t.Errorf("uploads %v", u.with)
		}
	}
	want := map[string][]string{
		"changed": {"actions/checkout"},
		"all":     {"actions/checkout", "github/codeql-action/upload-sarif", "actions/upload-artifact"},
		"build":   {"actions/checkout", "actions/setup-go"},
	}
	if diff := cmp.Diff(want[id], names); diff != "" {
		t.Errorf("actions of a run that failed (-want +got):\n%s", diff)
	}
}

// A gitlabJob is a job of GitLab CI, as far as this page uses it.
type gitlabJob struct {
	Extends   string            `yaml:"extends"`
	Image     string            `yaml:"image"`
	Variables map[string]string `yaml:"variables"`
	Cache     struct {
		Key   string   `yaml:"key"`
		Paths []string `yaml:"paths"`
	} `yaml:"cache"`
	Rules []struct {
		If string `yaml:"if"`
	} `yaml:"rules"`
	BeforeScript []string `yaml:"before_script"`
	Script       []string `yaml:"script"`
	Artifacts    struct {
		When    string            `yaml:"when"`
		Paths   []string          `yaml:"paths"`
		Reports map[string]string `yaml:"reports"`
	} `yaml:"artifacts"`
}

func TestGitLabCI(t *testing.T) {
	for _, b := range files(t, ".gitlab-ci.yml") {
		jobs := map[string]gitlabJob{}
		strictly(t, b.name, b.text, &jobs)
		ran := 0
		for name, j := range jobs {
			if strings.HasPrefix(name, ".") {
				if len(j.Script) > 0 || slices.Contains(j.Cache.Paths, ".cache/recipe-verify/") {
					t.Errorf("%s: %+v", name, j)
				}
				continue
			}
			ran++
			base, ok := jobs[j.Extends]
			if !ok || len(j.Rules) != 1 || base.Image == "" {
				t.Fatalf("%s extends %q", name, j.Extends)
			}
			t.Run(name, func(t *testing.T) {
				bothWays(t, false, base.Variables, func(m *machine) (string, int) {
					// As GitLab's runner does: all of it in one shell.
					script := strings.Join(slices.Concat([]string{"set -eo pipefail"}, base.BeforeScript, j.Script), "\n")
					log, status := m.bash(script, map[string]string{"CI_MERGE_REQUEST_DIFF_BASE_SHA": m.env["BASE"]})
					installed(t, m)
					for _, file := range append(slices.Clone(base.Artifacts.Paths), base.Artifacts.Reports["junit"]) {
						if !m.exists(file) {
							t.Errorf("there is no %s to keep", file)
						}
					}
					if want := evidence(t, ".cache/recipe-verify"); base.Cache.Paths[0] != want+"/" {
						t.Errorf("keeps %s, wanted %s", base.Cache.Paths[0], want)
					}
					return log, status
				})
			})
		}
		if ran != 2 {
			t.Errorf("%d jobs", ran)
		}
	}
}

// evidence is where the program keeps evidence below a folder for its cache: what
// may be kept in a cache of the service.
func evidence(t *testing.T, dir string) string {
	t.Helper()
	folder, err := fetch.CacheDir(dir)
	check(t, err)
	return filepath.ToSlash(folder)
}

// installed checks that the program was installed by a version.
func installed(t *testing.T, m *machine) {
	t.Helper()
	want := regexp.MustCompile(`(?m)^go install github\.com/recipe-verify/recipe-verify/cmd/recipe-verify@v\d+\.\d+\.\d+$`)
	if !want.MatchString(m.calls()) {
		t.Errorf("calls %q", m.calls())
	}
	if _, err := os.Stat(filepath.Join(top, "cmd", "recipe-verify", "main.go")); err != nil {
		t.Error("that is not where the program is")
	}
}

func TestAzurePipelines(t *testing.T) {
	for _, b := range files(t, "azure-pipelines.yml") {
		var p struct {
			Trigger string            `yaml:"trigger"`
			PR      []string          `yaml:"pr"`
			Pool    map[string]string `yaml:"pool"`
			Steps   []struct {
				Checkout    string            `yaml:"checkout"`
				FetchDepth  string            `yaml:"fetchDepth"`
				Task        string            `yaml:"task"`
				Inputs      map[string]string `yaml:"inputs"`
				Condition   string            `yaml:"condition"`
				Bash        string            `yaml:"bash"`
				DisplayName string            `yaml:"displayName"`
			} `yaml:"steps"`
		}
		strictly(t, b.name, b.text, &p)
		scripts := 0
		for _, s := range p.Steps {
			if want := evidence(t, "$(Pipeline.Workspace)/recipe-verify"); strings.HasPrefix(s.Task, "Cache@") && s.Inputs["path"] != want {
				t.Errorf("keeps %s, wanted %s", s.Inputs["path"], want)
			}
			if s.Bash == "" {
				continue
			}
			scripts++
			// $(…) is put into a script before bash reads it, whatever is in it.
			if strings.Contains(s.Bash, "$(") {
				t.Errorf("a variable is part of the script:\n%s", s.Bash)
			}
			for _, branch := range []string{"main", "refs/heads/main"} {
				bothWays(t, false, nil, func(m *machine) (string, int) {
					log, status := m.bash(s.Bash, map[string]string{
						"AGENT_TEMPDIRECTORY": m.temp, "PIPELINE_WORKSPACE": m.temp, "SYSTEM_PULLREQUEST_TARGETBRANCH": branch,
					})
					installed(t, m)
					if !m.exists(filepath.Join(m.temp, "recipe-verify.xml")) {
						t.Error("there are no results to publish")
					}
					return log, status
				})
			}
		}
		if scripts != 1 {
			t.Errorf("%d scripts", scripts)
		}
	}
}

// Checkers of others read the files too, where they are installed; .ci/run
// installs them.
func TestWorkflowsWithActionlint(t *testing.T) {
	program := os.Getenv("RECIPE_VERIFY_ACTIONLINT")
	if program == "" {
		t.Skip("RECIPE_VERIFY_ACTIONLINT names no actionlint")
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, ".github", "workflows")
	check(t, os.MkdirAll(folder, 0o755))
	check(t, exec.Command("git", "init", "-q", dir).Run())
	check(t, os.WriteFile(filepath.Join(dir, "action.yml"), []byte(read(t, "action.yml")), 0o644))
	for _, name := range []string{".github/workflows/recipe-verify.yml", ".github/workflows/build.yml"} {
		for i, b := range files(t, name) {
			text := strings.ReplaceAll(b.text, "recipe-verify/recipe-verify@COMMIT", "./") // so that its inputs are checked
			check(t, os.WriteFile(filepath.Join(folder, strconv.Itoa(i)+filepath.Base(name)), []byte(text), 0o644))
		}
	}
	c := exec.Command(program)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestScriptsWithShellcheck(t *testing.T) {
	program, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("there is no shellcheck")
	}
	scripts := map[string]string{}
	for _, s := range readAction(t).Runs.Steps {
		if s.Run != "" {
			scripts["action.yml: "+s.Name] = s.Run
		}
	}
	for _, b := range blocks(t) {
		if b.language == "sh" {
			scripts[b.text] = b.text
		}
	}
	for name, script := range scripts {
		c := exec.Command(program, "--shell=bash", "--exclude=SC2153,SC2154", "-") // inputs come from outside
		c.Stdin = strings.NewReader(script)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
