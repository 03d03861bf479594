package ci_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A hook is one of .pre-commit-hooks.yaml.
type hook struct {
	ID            string   `yaml:"id"`
	Name          string   `yaml:"name"`
	Description   string   `yaml:"description"`
	Entry         string   `yaml:"entry"`
	Args          []string `yaml:"args"`
	Language      string   `yaml:"language"`
	Files         string   `yaml:"files"`
	RequireSerial bool     `yaml:"require_serial"`
	PassFilenames *bool    `yaml:"pass_filenames"`
	Minimum       string   `yaml:"minimum_pre_commit_version"`
}

func hooks(t *testing.T) map[string]hook {
	t.Helper()
	var list []hook
	strictly(t, ".pre-commit-hooks.yaml", read(t, ".pre-commit-hooks.yaml"), &list)
	byID := map[string]hook{}
	for _, h := range list {
		if _, twice := byID[h.ID]; twice || h.Name == "" || h.Description == "" || h.Entry == "" {
			t.Errorf("%+v", h)
		}
		byID[h.ID] = h
	}
	return byID
}

// Hooks run on what they are for, and fail where a recipe does.
func TestHooks(t *testing.T) {
	for id, h := range hooks(t) {
		t.Run(id, func(t *testing.T) {
			byName := h.PassFilenames == nil || *h.PassFilenames
			if h.Language != "golang" && h.Language != "system" || !strings.HasPrefix(h.Entry, "recipe-verify ") || strings.ContainsAny(h.Entry, `'"\$`) {
				t.Errorf("%+v", h)
			}
			// Several at a time would ask the same hosts, and not heed their limits.
			if !h.RequireSerial {
				t.Error("it runs several times at once")
			}
			files := regexp.MustCompile(h.Files)
			for path, want := range map[string]bool{
				"recipe.yaml": true, "recipe/recipe.yaml": true, "recipes/zlib/recipe.yaml": true,
				"my-recipe.yaml": false, "recipe.yaml.orig": false, "recipe.yml": false, "recipes/recipe_yaml": false,
			} {
				if files.MatchString(path) != want {
					t.Errorf("%s: takes it: %t", path, !want)
				}
			}
			if locks := files.MatchString("recipe/recipe-verify.lock"); locks == byName {
				t.Errorf("takes lock files: %t, and gives names: %t", locks, byName)
			}
			// A file's name, such as --trusted-root=x/recipe.yaml, is no option.
			if byName && (len(h.Args) == 0 || h.Args[len(h.Args)-1] != "--") {
				t.Errorf("names of files may be options: args %q", h.Args)
			}
			bothWays(t, false, nil, func(m *machine) (string, int) {
				command := strings.Join(append([]string{h.Entry}, h.Args...), " ")
				if byName {
					command += " recipes/pypi/recipe.yaml recipe.yaml"
				}
				log, status := m.bash(command, nil)
				if status == 0 { // it says nothing, or little
					log += "verified "
				}
				return log, status
			})
		})
	}
}

// A folder of a stranger that is called like an option is a folder.
func TestHooksTakeNoOptionsFromNames(t *testing.T) {
	for id, h := range hooks(t) {
		if h.PassFilenames != nil && !*h.PassFilenames {
			continue
		}
		m := newMachine(t, "wrong-publisher")
		const folder = "--policy=evil"
		m.write(folder+"/recipe.yaml", read(t, "testdata/recipes/wrong-publisher/recipe.yaml"))
		log, status := m.bash(strings.Join(append([]string{h.Entry}, h.Args...), " ")+" "+folder+"/recipe.yaml", nil)
		if status != 1 || !strings.Contains(log, "mismatch ") || !strings.Contains(log, folder) {
			t.Errorf("%s: status %d:\n%s", id, status, log)
		}
	}
}

// docs/ci.md names hooks that there are.
func TestHooksAreDocumented(t *testing.T) {
	for _, b := range files(t, ".pre-commit-config.yaml") {
		var config struct {
			Repos []struct {
				Repo  string `yaml:"repo"`
				Rev   string `yaml:"rev"`
				Hooks []struct {
					ID   string   `yaml:"id"`
					Args []string `yaml:"args"`
				} `yaml:"hooks"`
			} `yaml:"repos"`
		}
		strictly(t, b.name, b.text, &config)
		for _, r := range config.Repos {
			for _, h := range r.Hooks {
				if _, ok := hooks(t)[h.ID]; !ok {
					t.Errorf("there is no hook %q", h.ID)
				}
			}
			if r.Repo != "https://github.com/recipe-verify/recipe-verify" || r.Rev == "" || len(r.Hooks) == 0 {
				t.Errorf("%+v", r)
			}
		}
	}
	for id := range hooks(t) {
		if !strings.Contains(read(t, "docs/ci.md"), id) {
			t.Errorf("docs/ci.md does not name %s", id)
		}
	}
}

// A recipe that verifies, and was signed by another repository of that name than
// when it was locked, stops CI and hook.
func TestLockedSignersHold(t *testing.T) {
	m := newMachine(t, "pypi")
	lock := filepath.Join(m.work, "recipe-verify.lock")
	text, err := os.ReadFile(lock)
	check(t, err)
	forged := regexp.MustCompile(`(?m)^( +(?:- )?repository_id: ).*$`).ReplaceAllString(string(text), `${1}"42"`)
	if forged == string(text) {
		t.Fatalf("there is no identifier in\n%s", text)
	}
	check(t, os.WriteFile(lock, []byte(forged), 0o644))
	var w workflow
	strictly(t, "workflow", files(t, ".github/workflows/recipe-verify.yml")[0].text, &w)
	o := m.steps(w.Jobs["changed"].Steps, map[string]string{"github.event.pull_request.base.sha": m.env["BASE"]})
	if o.status != 1 || !strings.Contains(o.log, "repository-id-changed: before 42, now ") {
		t.Errorf("status %d:\n%s", o.status, o.log)
	}
	if log, status := m.bash(hooks(t)["recipe-verify-lock"].Entry, nil); status != 1 || !strings.Contains(log, "repository-id-changed") {
		t.Errorf("the hook ends with %d:\n%s", status, log)
	}
	if log, status := m.bash(hooks(t)["recipe-verify"].Entry+" --locked recipe.yaml", nil); status != 1 || !strings.Contains(log, "repository-id-changed") {
		t.Errorf("the hook with --locked ends with %d:\n%s", status, log)
	}
}
