package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/prepare"
	"github.com/recipe-verify/recipe-verify/trust"
)

const demo = "../testdata"

// child has the test's binary prepare a folder, to be killed.
const child = "RECIPE_VERIFY_PREPARE_CHILD"

// childReplaces has it replace the folder.
const childReplaces = "RECIPE_VERIFY_PREPARE_REPLACE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(child); dir != "" {
		_, err := prepare.Prepare(context.Background(), demo+"/recipes/several", dir, prepare.Options{Gate: demoGate(), Replace: os.Getenv(childReplaces) != ""})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func demoGate() gate.Options {
	m, err := fetch.NewMirror("https://", demo+"/internet")
	if err != nil {
		panic(err)
	}
	return gate.Options{Offline: true, Mirrors: []fetch.Mirror{m}, Trust: trust.Config{Roots: trust.RootFiles(demo + "/trusted-root.json")}, NoHistory: true}
}

func verifyOptions() prepare.VerifyOptions {
	o := demoGate()
	o.Mirrors = nil
	return prepare.VerifyOptions{Gate: o}
}

func mustPrepare(t *testing.T, recipe string, o prepare.Options) (*prepare.Prepared, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "prepared")
	o.Gate = demoGate()
	p, err := prepare.Prepare(context.Background(), filepath.Join(demo, "recipes", recipe), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return p, dir
}

// content is every file of a folder, with its mode.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		info, _ := d.Info()
		files[filepath.ToSlash(rel)] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTwoRunsGiveTheSameBytes(t *testing.T) {
	one, a := mustPrepare(t, "several", prepare.Options{})
	two, b := mustPrepare(t, "several", prepare.Options{})
	if one.Digest != two.Digest {
		t.Errorf("prepared.json has the digests %s and %s", one.Digest, two.Digest)
	}
	if d := cmp.Diff(content(t, a), content(t, b)); d != "" {
		t.Error(d)
	}
}

// Whatever is done to one file of a folder is found, and named.
func TestTampering(t *testing.T) {
	for _, target := range []prepare.Options{{}, {Target: prepare.CEP}, {KeepURLs: true}} {
		p, dir := mustPrepare(t, "pypi", target)
		o := verifyOptions()
		if _, err := prepare.Verify(context.Background(), dir, o); err != nil {
			t.Fatal(err)
		}
		o.Digest = &p.Digest
		if _, err := prepare.Verify(context.Background(), dir, o); err != nil {
			t.Fatal(err)
		}
		o.Digest = nil
		for name := range content(t, dir) {
			path := filepath.Join(dir, filepath.FromSlash(name))
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			restore := func() {
				os.RemoveAll(path)
				if err := os.WriteFile(path, good, info.Mode()); err != nil {
					t.Fatal(err)
				}
			}
			middle := []byte(string(good))
			middle[len(middle)/2] ^= 1
			for what, bad := range map[string][]byte{
				"longer": append([]byte(string(good)), '\n'), "shorter": good[:len(good)-1], "empty": {}, "a bit": middle,
				"a space": append([]byte{' '}, good...),
			} {
				os.Remove(path)
				if err := os.WriteFile(path, bad, info.Mode()); err != nil {
					t.Fatal(err)
				}
				rejected(t, dir, o, name+", "+what)
				restore()
			}
			os.Remove(path)
			rejected(t, dir, o, name+", removed")
			if runtime.GOOS != "windows" {
				elsewhere := filepath.Join(t.TempDir(), "same")
				if err := errors.Join(os.WriteFile(elsewhere, good, 0o600), os.Symlink(elsewhere, path)); err != nil {
					t.Fatal(err)
				}
				rejected(t, dir, o, name+", a symbolic link to the same bytes")
			}
			restore()
		}
		for _, extra := range []string{"build.sh", "archives/more.tar.gz", "attestations/more.json", ".hidden"} {
			path := filepath.Join(dir, extra)
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			rejected(t, dir, o, extra+", added")
			os.Remove(path)
		}
		if _, err := prepare.Verify(context.Background(), dir, o); err != nil {
			t.Errorf("the restored folder: %v", err)
		}
	}
}

func rejected(t *testing.T, dir string, o prepare.VerifyOptions, what string) {
	t.Helper()
	report, err := prepare.Verify(context.Background(), dir, o)
	var refusal *gate.Refusal
	if !errors.As(err, &refusal) || report.Summary.Status == audit.StatusOK || len(refusal.Results) == 0 {
		t.Errorf("%s: found %v, wanted a refusal", what, err)
	}
}

// Whom to believe is for whoever verifies to say: the trusted root in the folder
// is not believed.
func TestWhoVerifiesDecidesWhomToBelieve(t *testing.T) {
	_, dir := mustPrepare(t, "several", prepare.Options{})
	o := verifyOptions()
	o.Gate.Trust = trust.Config{} // the public-good instance
	report, err := prepare.Verify(context.Background(), dir, o)
	var refusal *gate.Refusal
	if !errors.As(err, &refusal) || report.Summary.Verdicts[audit.Verified] != 0 {
		t.Fatalf("found %v, verdicts %v", err, report.Summary.Verdicts)
	}
	for _, r := range refusal.Results {
		if r.Verdict == audit.Invalid && !strings.Contains(r.Hint, "--trusted-root") {
			t.Errorf("hint %q", r.Hint)
		}
	}
}

func TestNothingAppearsWhenSomethingFails(t *testing.T) {
	for recipe, want := range map[string]int{"tampered": audit.StatusRejected, "wrong-publisher": audit.StatusRejected} {
		parent := t.TempDir()
		_, err := prepare.Prepare(context.Background(), filepath.Join(demo, "recipes", recipe), filepath.Join(parent, "x"), prepare.Options{Gate: demoGate()})
		var refusal *gate.Refusal
		if !errors.As(err, &refusal) || refusal.Status != want {
			t.Errorf("%s: found %v", recipe, err)
		}
		empty(t, parent)
	}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("found %v in the folder, error %v", entries, err)
	}
}

func TestWhatCannotBePrepared(t *testing.T) {
	const about = "package: {name: a, version: '1'}\n"
	for name, c := range map[string]struct{ recipe, want string }{
		"git":         {about + "source: {git: https://github.com/a/b, rev: v1}\n", "git source"},
		"no sha256":   {about + "source: {url: https://example.org/a.tar.gz}\n", "pins no sha256"},
		"path out":    {about + "source: {path: ../x}\n", "not in the recipe's folder"},
		"absent path": {about + "source: {path: x}\n", "not in the recipe's folder"},
	} {
		t.Run(name, func(t *testing.T) {
			folder, parent := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "recipe.yaml"), []byte(c.recipe), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := prepare.Prepare(context.Background(), folder, filepath.Join(parent, "x"), prepare.Options{Gate: demoGate()})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, wanted %q", err, c.want)
			}
			empty(t, parent)
		})
	}
}

// A link out of the recipe's folder is no way to have a stranger's file copied.
func TestLinksOutOfTheFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege")
	}
	folder, parent := t.TempDir(), t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(folder, "recipe.yaml"), []byte("package: {name: a, version: '1'}\n"), 0o600),
		os.Symlink("/etc/hostname", filepath.Join(folder, "patch")),
	)
	if err != nil {
		t.Fatal(err)
	}
	_, err = prepare.Prepare(context.Background(), folder, filepath.Join(parent, "x"), prepare.Options{Gate: demoGate()})
	if err == nil || !strings.Contains(err.Error(), "out of the recipe's folder") {
		t.Errorf("found %v", err)
	}
	empty(t, parent)
}

// A run that is killed at any moment leaves no folder or a whole one, and the next
// run removes what it left beside it.
func TestKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes end otherwise there")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	dir := filepath.Join(parent, "prepared")
	run := func() *exec.Cmd {
		c := exec.Command(self)
		c.Env = append(os.Environ(), child+"="+dir)
		return c
	}
	begin := time.Now()
	if out, err := run().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(begin)
	wanted := content(t, dir)
	none, complete := 0, 0
	for range 40 {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		c := run()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(whole + whole/4))
		c.Process.Kill() //nolint:errcheck // it may have ended
		c.Wait()         //nolint:errcheck // it was killed
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			none++
			continue
		}
		complete++
		if d := cmp.Diff(wanted, content(t, dir)); d != "" {
			t.Fatal(d)
		}
	}
	t.Logf("none %d times, whole %d times", none, complete)
	if none == 0 {
		t.Error("no run was killed in time")
	}
	os.RemoveAll(dir)
	if out, err := run().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if e.Name() != "prepared" && (err != nil || time.Since(info.ModTime()) > time.Minute) {
			t.Errorf("left behind: %s", e.Name())
		}
		if _, err := os.Lstat(filepath.Join(parent, e.Name(), "lock")); err == nil {
			t.Errorf("left behind with its lock: %s", e.Name())
		}
	}
}

// Of several runs for one folder one makes it, and the others say so.
func TestConcurrently(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "prepared")
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = prepare.Prepare(context.Background(), demo+"/recipes/several", dir, prepare.Options{Gate: demoGate()})
		})
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d runs made the folder: %v", good, errs)
	}
	if _, err := prepare.Verify(context.Background(), dir, verifyOptions()); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("found %v, %v", entries, err)
	}
}

func TestInterrupted(t *testing.T) {
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := prepare.Prepare(ctx, demo+"/recipes/several", filepath.Join(parent, "x"), prepare.Options{Gate: demoGate()}); err == nil {
		t.Error("found no error")
	}
	empty(t, parent)
}
