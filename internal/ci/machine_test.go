package ci_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// top is the project's folder.
var top = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// A machine is what a CI service gives a job: a checkout, programs, and an
// environment. Its programs beside recipe-verify are stand-ins that write down how
// they were called.
type machine struct {
	t    *testing.T
	work string // the checkout
	bin  string
	temp string
	log  string // calls of the stand-ins
	env  map[string]string
}

// newMachine makes a machine whose checkout is the demonstration: the recipes that
// verify, and recipe.yaml as the one that is to be built. It is what has changed
// since origin/main, where it verifies: the recipe of that folder of the
// demonstration. All that verifies on origin/main is locked.
func newMachine(t *testing.T, recipe string) *machine {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the scripts are for bash")
	}
	for _, program := range []string{"bash", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s to run scripts with", program)
		}
	}
	dir := t.TempDir()
	m := &machine{t: t, work: filepath.Join(dir, "work"), bin: filepath.Join(dir, "bin"), temp: filepath.Join(dir, "temp"), log: filepath.Join(dir, "calls")}
	for _, d := range []string{m.bin, m.temp, filepath.Join(dir, "home"), filepath.Join(dir, "go", "bin")} {
		check(t, os.MkdirAll(d, 0o755))
	}
	demo := filepath.Join(top, "testdata")
	check(t, os.CopyFS(m.work, os.DirFS(demo)))
	for _, bad := range []string{"wrong-publisher", "tampered", "no-block"} {
		check(t, os.RemoveAll(filepath.Join(m.work, "recipes", bad)))
	}
	m.write("variants.yaml", "python:\n  - \"3.13\"\n")
	m.env = map[string]string{
		"PATH": m.bin + ":" + filepath.Join(dir, "go", "bin") + ":" + os.Getenv("PATH"),
		"HOME": filepath.Join(dir, "home"), "XDG_CACHE_HOME": filepath.Join(dir, "home", ".cache"),
		"GOPATH": filepath.Join(dir, "go"), "CALLS": m.log, "LC_ALL": "C.UTF-8",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
		"GIT_CONFIG_NOSYSTEM": "1",
	}
	m.program("rattler-build", `echo "rattler-build $*" >>"$CALLS"`)
	m.program("go", `echo "go $*" >>"$CALLS"
case $1 in
install) mkdir -p "${GOBIN:=$GOPATH/bin}" && ln -sf "$(command -v recipe-verify)" "$GOBIN/recipe-verify" ;;
env) echo "$GOPATH" ;;
*) exit 1 ;;
esac`)
	demonstrated := func(recipe string) string {
		text, err := os.ReadFile(filepath.Join(demo, "recipes", recipe, "recipe.yaml"))
		check(t, err)
		return string(text)
	}
	m.write("recipe.yaml", demonstrated("pypi")+"# to be changed\n")
	m.must("recipe-verify lock .")
	m.must("git init -q -b main . && git add -A && git commit -q -m base && git update-ref refs/remotes/origin/main HEAD")
	m.write("recipe.yaml", demonstrated(recipe))
	m.must("git checkout -q -b change && git add -A && git commit -q -m change")
	m.env["BASE"] = strings.TrimSpace(m.must("git rev-parse main"))
	return m
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.work, name)
	check(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(m.t, os.WriteFile(path, []byte(text), 0o644))
}

// program puts a shell script into the folder of programs.
func (m *machine) program(name, script string) {
	m.t.Helper()
	check(m.t, os.WriteFile(filepath.Join(m.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// bash runs a script in the checkout, and gives what it wrote and its status.
func (m *machine) bash(script string, env map[string]string, options ...string) (string, int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	file := filepath.Join(m.t.TempDir(), "script.sh")
	check(m.t, os.WriteFile(file, []byte(script), 0o644))
	c := exec.CommandContext(ctx, "bash", append(append([]string{"--noprofile", "--norc"}, options...), file)...)
	c.Dir = m.work
	for _, vars := range []map[string]string{m.env, env} {
		for k, v := range vars {
			c.Env = append(c.Env, k+"="+v)
		}
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String(), c.ProcessState.ExitCode()
}

func (m *machine) must(script string) string {
	m.t.Helper()
	out, status := m.bash(script, nil, "-e")
	if status != 0 {
		m.t.Fatalf("status %d of %s:\n%s", status, script, out)
	}
	return out
}

// calls gives the calls of the stand-ins so far.
func (m *machine) calls() string {
	m.t.Helper()
	data, err := os.ReadFile(m.log)
	if err != nil && !os.IsNotExist(err) {
		m.t.Fatal(err)
	}
	return string(data)
}

func (m *machine) exists(path string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(m.work, path)
	}
	_, err := os.Lstat(path)
	return err == nil
}
