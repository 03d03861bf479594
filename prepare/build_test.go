package prepare_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/prepare"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// build is a build step that reads nothing but a folder: it gives the archives
// that the recipe in it names, by the digest that it pins, each of them compared.
func build(t *testing.T, dir, name string, o recipe.Options) (archives []string) {
	t.Helper()
	rec, err := recipe.Read(filepath.Join(dir, name), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rec.Sources() {
		path := filepath.Join(dir, filepath.FromSlash(s.Path.Value))
		if s.Kind == recipe.URLSource {
			u, err := url.Parse(s.URLs[0].Value)
			if err != nil || u.Scheme != "file" {
				t.Fatalf("source %v, error %v", s.URLs, err)
			}
			path = filepath.FromSlash(u.Path)
		}
		if rel, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(rel) {
			t.Fatalf("%s is not in the folder", path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := digest.SHA256(sha256.Sum256(data)); !s.HasSHA256 || got != s.SHA256 {
			t.Errorf("%s has the sha256 %s, the recipe wants %s", path, got, s.SHA256)
		}
		archives = append(archives, filepath.Base(path))
	}
	return archives
}

func TestBuildReadsTheFolderAlone(t *testing.T) {
	want := []string{"lagoon-0.7.2.tar.gz", "lagoon_tides-0.7.2.tar.gz", "charts-3.1.0.tar.gz", "v0.7.2.tar.gz"}
	for _, target := range []prepare.Target{prepare.RattlerBuild, prepare.CEP} {
		_, dir := mustPrepare(t, "several", prepare.Options{Target: target})
		if d := cmp.Diff(want, build(t, dir, "recipe.yaml", recipe.Options{})); d != "" {
			t.Errorf("%s: %s", target, d)
		}
	}
}

// fixture is a recipe of which nothing is attested, with its archives.
type fixture struct {
	folder, internet, parent string
}

func newFixture(t *testing.T, text string, archives ...string) fixture {
	t.Helper()
	f := fixture{t.TempDir(), t.TempDir(), t.TempDir()}
	for _, a := range archives {
		f.write(t, filepath.Join(f.internet, "example.org", a), "archive "+a, 0o644)
	}
	f.write(t, filepath.Join(f.folder, "recipe.yaml"), text, 0o644)
	return f
}

func (fixture) write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode))
	if err != nil {
		t.Fatal(err)
	}
}

func (f fixture) gate(platforms ...string) gate.Options {
	o := demoGate()
	o.Mirrors = []fetch.Mirror{{From: "https://", To: f.internet}}
	o.Recipe.TargetPlatforms = platforms
	return o
}

func sumOfArchive(name string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte("archive "+name)))
}

// byPlatform is a recipe in which one place is another archive on each platform.
func byPlatform(url string) string {
	return fmt.Sprintf(`context:
  file: ${{ "a-1.tar.gz" if linux else "b-1.tar.gz" }}
  sum: ${{ %q if linux else %q }}
package: {name: x, version: "1"}
source:
  url: %s
  sha256: ${{ sum }}
`, sumOfArchive("a-1.tar.gz"), sumOfArchive("b-1.tar.gz"), url)
}

func TestOnePlaceWithSeveralArchives(t *testing.T) {
	f := newFixture(t, byPlatform("https://example.org/${{ file }}"), "a-1.tar.gz", "b-1.tar.gz")
	for _, target := range []prepare.Target{prepare.RattlerBuild, prepare.CEP} {
		dir := filepath.Join(f.parent, string(target))
		o := prepare.Options{Gate: f.gate("linux-64", "osx-64"), Target: target}
		p, err := prepare.Prepare(context.Background(), f.folder, dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if p.Archives != 2 {
			t.Errorf("%d archives", p.Archives)
		}
		for platform, want := range map[string]string{"linux-64": "a-1.tar.gz", "osx-64": "b-1.tar.gz"} {
			got := build(t, dir, "recipe.yaml", recipe.Options{TargetPlatforms: []string{platform}})
			if d := cmp.Diff([]string{want}, got); d != "" {
				t.Errorf("%s, %s: %s", target, platform, d)
			}
		}
	}
}

func TestPlaceThatCannotBeWritten(t *testing.T) {
	f := newFixture(t, byPlatform(`${{ "https://example.org/" ~ file }}`), "a-1.tar.gz", "b-1.tar.gz")
	dir := filepath.Join(f.parent, "x")
	_, err := prepare.Prepare(context.Background(), f.folder, dir, prepare.Options{Gate: f.gate("linux-64", "osx-64")})
	var e *prepare.Error
	if !errors.As(err, &e) || !strings.Contains(e.Mend, "--keep-urls") {
		t.Errorf("found %v", err)
	}
	empty(t, f.parent)
	if _, err := prepare.Prepare(context.Background(), f.folder, dir, prepare.Options{Gate: f.gate("osx-64")}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"b-1.tar.gz"}, build(t, dir, "recipe.yaml", recipe.Options{TargetPlatforms: []string{"osx-64"}})); d != "" {
		t.Error(d)
	}
}

// Characters that mean something in an address, a template or to YAML mean
// nothing in the path of the folder, nor in the name of an archive.
func TestOddNames(t *testing.T) {
	const name = "a%20b.zip" // as it stands, since a build tool takes it so
	f := newFixture(t, "package: {name: x, version: '1'}\nsource: {url: https://example.org/"+name+", sha256: "+sumOfArchive("a b.zip")+"}\n", "a b.zip")
	for _, target := range []prepare.Target{prepare.RattlerBuild, prepare.CEP} {
		for _, folder := range []string{"plain", "with space", "100%41", "a#b?c", "${{ x }}", "é: '\""} {
			if runtime.GOOS == "windows" && strings.ContainsAny(folder, `?:"`) {
				continue
			}
			dir := filepath.Join(f.parent, string(target), folder)
			if _, err := prepare.Prepare(context.Background(), f.folder, dir, prepare.Options{Gate: f.gate(), Target: target}); err != nil {
				t.Errorf("%s in %q: %v", target, folder, err)
				continue
			}
			if d := cmp.Diff([]string{name}, build(t, dir, "recipe.yaml", recipe.Options{})); d != "" {
				t.Errorf("%s in %q: %s", target, folder, d)
			}
		}
	}
}

// An archive of which no evidence is demanded is held against its digest, when
// the folder is made and when it is verified.
func TestUnattestedArchives(t *testing.T) {
	f := newFixture(t, "package: {name: x, version: '1'}\nsource: {url: https://example.org/a.py, sha256: "+sumOfArchive("a.py")+"}\n", "a.py")
	dir := filepath.Join(f.parent, "x")
	if _, err := prepare.Prepare(context.Background(), f.folder, dir, prepare.Options{Gate: f.gate()}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "recipe.yaml"))
	if err != nil || !strings.Contains(string(text), "file_name: a.py") {
		t.Errorf("the recipe is %s, error %v", text, err)
	}
	archive := filepath.Join(dir, "archives", sumOfArchive("a.py"), "a.py")
	if info, err := os.Stat(archive); err != nil || info.Mode().Perm()&0o222 != 0 {
		t.Errorf("found %v, %v, wanted a file that is read-only", info, err)
	}
	os.Remove(archive)
	f.write(t, archive, "archive b.py", 0o444)
	report, err := prepare.Verify(context.Background(), dir, verifyOptions())
	var refusal *gate.Refusal
	if !errors.As(err, &refusal) || refusal.Status != audit.StatusRejected || report.Results[0].Code != audit.CodeArchiveDigest {
		t.Errorf("found %v", err)
	}
	f.write(t, filepath.Join(f.internet, "example.org", "a.py"), "another", 0o644)
	_, err = prepare.Prepare(context.Background(), f.folder, filepath.Join(f.parent, "y"), prepare.Options{Gate: f.gate()})
	if !errors.As(err, &refusal) || refusal.Results[0].Verdict != audit.Mismatch {
		t.Errorf("found %v", err)
	}
	if _, err := os.Lstat(filepath.Join(f.parent, "y")); err == nil {
		t.Error("the folder is there")
	}
}

// All that decides what a recipe's sources are is in the folder: variants, files
// beside the recipe, and the environment.
func TestFolderIsVerifiedAsItWasPrepared(t *testing.T) {
	f := newFixture(t, `context:
  part: ${{ env.get("CONDA_OVERRIDE_PART", default="none") }}
package: {name: x, version: "1"}
source:
  url: https://example.org/${{ letter }}-${{ part }}.tar.gz
  sha256: `+sumOfArchive("b-7.tar.gz")+"\n", "b-7.tar.gz")
	f.write(t, filepath.Join(f.folder, "variants.yaml"), "letter: [a]\n", 0o644)
	f.write(t, filepath.Join(f.folder, "build.sh"), "#!/bin/sh\n", 0o755)
	f.write(t, filepath.Join(f.folder, "patches", "one.patch"), "--- a\n", 0o644)
	f.write(t, filepath.Join(f.folder, ".gitignore"), "*.log\n", 0o644)
	f.write(t, filepath.Join(f.folder, ".git", "config"), "secret", 0o644)
	f.write(t, filepath.Join(f.folder, "notes", "mine.txt"), "not for others", 0o644)
	more := filepath.Join(t.TempDir(), "more.yaml")
	f.write(t, more, "letter: [b]\n", 0o644)
	o := prepare.Options{Gate: f.gate("linux-64"), Exclude: []string{"notes"}}
	o.Gate.Recipe.VariantFiles = []string{more}
	o.Gate.Recipe.LookupEnv = func(name string) (string, bool) { return "7", name == "CONDA_OVERRIDE_PART" }
	dir := filepath.Join(f.parent, "x")
	if _, err := prepare.Prepare(context.Background(), f.folder, dir, o); err != nil {
		t.Fatal(err)
	}
	report, err := prepare.Verify(context.Background(), dir, verifyOptions())
	if err != nil || len(report.Results) != 1 || report.Results[0].URLs[0] != "https://example.org/b-7.tar.gz" {
		t.Errorf("found %v, %+v", err, report.Results)
	}
	var names []string
	for name := range content(t, dir) {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{
		".gitignore", "archives/" + sumOfArchive("b-7.tar.gz") + "/b-7.tar.gz", "attestations/original-recipe.yaml",
		"attestations/variants-0/more.yaml", "attestations/verified.json", "build.sh", "patches/one.patch", "prepared.json", "recipe.yaml", "variants.yaml",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	if info, err := os.Stat(filepath.Join(dir, "build.sh")); runtime.GOOS != "windows" && (err != nil || info.Mode()&0o111 == 0) {
		t.Errorf("build.sh: %v, %v", info, err)
	}
}

// What a recipe's folder must not bring along.
func TestFoldersThatAreRefused(t *testing.T) {
	const text = "package: {name: x, version: '1'}\n"
	for name, c := range map[string]struct {
		file, want string
	}{
		"archives":       {"archives/x", "needs for itself"},
		"other case":     {"Attestations/x", "needs for itself"},
		"manifest":       {"prepared.json", "needs for itself"},
		"root":           {"trusted_root.json", "needs for itself"},
		"invalid UTF-8":  {"a\xffb", "a name that not every system has"},
		"nothing amiss ": {"sub/archives/x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, text)
			path := filepath.Join(f.folder, c.file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o600)); err != nil {
				t.Skip("the file system does not take the name:", err)
			}
			_, err := prepare.Prepare(context.Background(), f.folder, filepath.Join(f.parent, "x"), prepare.Options{Gate: f.gate()})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("found %v, wanted %q", err, c.want)
			}
			if c.want != "" {
				empty(t, f.parent)
			}
		})
	}
}

// From wherever a folder is made, and in whatever order archives come, it is the
// same.
func TestSameBytesFromElsewhere(t *testing.T) {
	abs, err := filepath.Abs(demo)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := mustPrepare(t, "several", prepare.Options{})
	o := demoGate()
	o.Mirrors[0].To = filepath.Join(abs, "internet")
	o.Trust.Roots[0].Path = filepath.Join(abs, "trusted-root.json")
	o.Jobs = 1
	parent := t.TempDir()
	t.Chdir(filepath.Join(abs, "recipes", "several"))
	two, err := prepare.Prepare(context.Background(), ".", filepath.Join(parent, "x"), prepare.Options{Gate: o})
	if err != nil {
		t.Fatal(err)
	}
	if one.Digest != two.Digest {
		t.Errorf("prepared.json has the digests %s and %s", one.Digest, two.Digest)
	}
}

// A folder whose prepared.json is gone is not taken for an ordinary recipe, all of
// whose sources are files beside it.
func TestTracesOfAPreparedFolder(t *testing.T) {
	_, dir := mustPrepare(t, "pypi", prepare.Options{})
	for _, path := range []string{dir, filepath.Join(dir, "recipe.yaml")} {
		if got, ok := prepare.FolderOf(path); !ok || got != dir {
			t.Errorf("%s: found %q, %t", path, got, ok)
		}
	}
	if err := os.Remove(filepath.Join(dir, "prepared.json")); err != nil {
		t.Fatal(err)
	}
	if _, ok := prepare.FolderOf(dir); !ok {
		t.Error("without prepared.json it is none")
	}
	rejected(t, dir, verifyOptions(), "prepared.json, removed")
	if _, ok := prepare.FolderOf(filepath.Join(demo, "recipes", "pypi")); ok {
		t.Error("an ordinary recipe is one")
	}
}
