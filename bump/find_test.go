package bump_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/bump"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/policy"
)

func git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
}

// checkout makes the working directory a repository with two commits, "one" and
// "two", and a work tree.
func checkout(t *testing.T, one, two, work map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	t.Chdir(t.TempDir())
	git(t, "init", "-q")
	for _, c := range []struct {
		tag   string
		files map[string]string
	}{{"one", one}, {"two", two}, {"", work}} {
		if c.files == nil {
			continue
		}
		git(t, "rm", "-q", "-r", "--ignore-unmatch", ".")
		for name, content := range c.files {
			write(t, name, content)
		}
		if c.tag != "" {
			git(t, "add", "-A")
			git(t, "commit", "-q", "--allow-empty", "-m", c.tag)
			git(t, "tag", c.tag)
		}
	}
}

func TestFind(t *testing.T) {
	one := map[string]string{
		"a/recipe.yaml": "a1", "b/recipe.yaml": "b", "b/build.sh": "b", "c/recipe.yaml": "c", "c/sub/data": "1", "gone/recipe.yaml": "g", "deep/d/recipe.yaml": "d1", "readme": "1",
	}
	two := map[string]string{
		"a/recipe.yaml": "a2", "b/recipe.yaml": "b", "b/build.sh": "b", "c/recipe.yaml": "c", "c/sub/data": "2", "new/recipe.yaml": "n", "newer/recipe.yaml": "n", "deep/d/recipe.yaml": "d2", "readme": "2",
	}
	work := map[string]string{"a/recipe.yaml": "a2", "b/recipe.yaml": "b", "b/build.sh": "b", "b/variants.yaml": "x: [1]", "c/recipe.yaml": "c", "c/sub/data": "2", "new/recipe.yaml": "n", "newer/recipe.yaml": "n", "deep/d/recipe.yaml": "d3", "one": "a file with the name of a tag"}
	for _, c := range []struct {
		name, old, now, within string
		want                   []string // or an error
	}{
		{"two revisions", "one", "two", "", []string{"one:a/recipe.yaml two:a/recipe.yaml", "one:c/recipe.yaml two:c/recipe.yaml", "one:deep/d/recipe.yaml two:deep/d/recipe.yaml", "one:gone/recipe.yaml -", "- two:new/recipe.yaml", "- two:newer/recipe.yaml"}},
		{"the same", "two", "two", "", nil},
		{"below a folder", "one", "two", "deep", []string{"one:deep/d/recipe.yaml two:deep/d/recipe.yaml"}},
		{"of one recipe", "one", "two", "deep/d/recipe.yaml", []string{"one:deep/d/recipe.yaml two:deep/d/recipe.yaml"}},
		{"of one recipe that is gone", "one", "two", "gone/recipe.yaml", []string{"one:gone/recipe.yaml -"}},
		{"the work tree", "two", ".", "", []string{"two:b/recipe.yaml b/recipe.yaml", "two:deep/d/recipe.yaml deep/d/recipe.yaml"}},
		{"the work tree by another name", "two", "./deep/../deep/", "", []string{"two:deep/d/recipe.yaml deep/d/recipe.yaml"}},
		{"the work tree as the older", "deep/", "two", "", []string{"deep/d/recipe.yaml two:deep/d/recipe.yaml"}},
		{"a file", "one", "a/recipe.yaml", "", []string{"one:a/recipe.yaml a/recipe.yaml"}},
		{"another recipe", "one:b/recipe.yaml", "two:c", "", []string{"one:b/recipe.yaml two:c/recipe.yaml"}},
		{"from here", "one:./b", "two:b", "", nil},
		{"one path for both", "one:deep", "two", "", []string{"one:deep/d/recipe.yaml two:deep/d/recipe.yaml"}},
		{"two folders on disk", "./a", "./b", "", []string{"a/recipe.yaml b/recipe.yaml"}},
		{"a folder with a bare name is a revision", "a", "two", "", []string{`the checkout has no revision "a"`}},
		{"a file of that name is not looked at", "one:a", "two:a", "", []string{"one:a/recipe.yaml two:a/recipe.yaml"}},
		{"nowhere", "one:x", "two", "", []string{`the revision "one" has no file or folder "x"`}},
		{"no recipe", "one:readme", "two:readme", "", []string{"one:readme two:readme"}},
		{"nothing below", "one", "two", "nowhere", []string{`there is no recipe.yaml in "one:nowhere" and in "two:nowhere"`}},
		{"outside", "one", "two", "..", []string{`".." lies outside of the checkout`}},
		{"outside of the repository", "one:../x", "two", "", []string{`"one:../x" names no place in the repository`}},
		{"a path too many", "one", ".", "deep", []string{`"deep" is one path too many: what is compared is named already`}},
		{"a path too many beside another", "one:a", "two", "deep", []string{`"deep" is one path too many: what is compared is named already`}},
		{"an option of git", "-x", "two", "", []string{`"-x" is no revision`}},
		{"no name", ":a", "two", "", []string{`":a" names no revision`}},
		{"empty", "", "two", "", []string{"a version is empty, wanted a recipe, folder or revision"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkout(t, one, two, work)
			pairs, err := bump.Find(t.Context(), c.old, c.now, c.within)
			var got []string
			if err != nil {
				got = []string{err.Error()}
				if h, ok := err.(interface{ Hint() string }); !ok || h.Hint() == "" {
					t.Errorf("%v has no hint", err)
				}
			}
			for _, p := range pairs {
				names := []string{"-", "-"}
				for i, v := range []*bump.Version{p.Old, p.New} {
					if v != nil {
						names[i] = filepath.ToSlash(v.String())
					}
				}
				got = append(got, strings.Join(names, " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// One recipe that is gone and one that is new are a recipe that was renamed; of
// more nobody knows which is which.
func TestRenamed(t *testing.T) {
	checkout(t, map[string]string{"a/recipe.yaml": "1"}, map[string]string{"b/recipe.yaml": "2"}, nil)
	pairs, err := bump.Find(t.Context(), "one", "two", "")
	if err != nil || len(pairs) != 1 || pairs[0].Old == nil || pairs[0].New == nil {
		t.Errorf("%v, %v", pairs, err)
	}
}

// What a recipe reads beside it comes from its revision, and messages name that
// revision and not where it was read.
func TestRevisionsAreReadWhole(t *testing.T) {
	w := newWorld(t)
	w.attest(before, by(home))
	w.attest(after, by(home))
	text := "package: {name: x, version: 1}\nsource:\n  url: https://pypi.org/packages/source/h/harbour-lights/harbour_lights-${{ which }}.tar.gz\n" +
		"  sha256: ${{ load_from_file('digests.json')['d'] }}\n"
	digest := func(version string) string {
		_, sum, _ := strings.Cut(source(version), "sha256: ")
		return `{"d": "` + strings.TrimSpace(sum) + `"}`
	}
	checkout(t,
		map[string]string{"recipe.yaml": text, "variants.yaml": "which: ['2.4.0']\n", "digests.json": digest(before)},
		map[string]string{"recipe.yaml": text, "variants.yaml": "which: ['2.4.1']\n", "digests.json": digest(after)},
		map[string]string{"recipe.yaml": "nonsense", "variants.yaml": "nonsense", "digests.json": "nonsense"})
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	pairs, err := bump.Find(t.Context(), "one", "two", "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	_, err = gate.BumpCheck(t.Context(), pairs, w.options(), nil, func(r bump.Recipe) error {
		for _, s := range r.Sources {
			got = append(got, string(s.State), s.Old.Position.String(), s.Old.URLs[0], s.New.Position.String(), s.New.URLs[0])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const pypi = "https://pypi.org/packages/source/h/harbour-lights/"
	want := []string{"same", "one:recipe.yaml:3:3", pypi + fileName(before), "two:recipe.yaml:3:3", pypi + fileName(after)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
}

// A recipe of a revision that is a symbolic link is not followed, and a fault in
// a file beside it names the revision.
func TestFaultsOfRevisions(t *testing.T) {
	w := newWorld(t)
	outcome := func(t *testing.T) bump.Account {
		t.Helper()
		git(t, "add", "-A")
		git(t, "commit", "-q", "-m", "three")
		pairs, err := bump.Find(t.Context(), "one", "HEAD", "r/recipe.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var got []bump.Account
		_, err = gate.BumpCheck(t.Context(), pairs, w.options(), nil, func(r bump.Recipe) error {
			for _, s := range r.Sources {
				if s.New != nil && s.State == bump.Faulty {
					got = append(got, *s.New)
				}
			}
			return nil
		})
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		return got[0]
	}
	one := map[string]string{"r/recipe.yaml": recipe(before, source(before))}
	t.Run("link", func(t *testing.T) {
		checkout(t, one, one, nil)
		if err := os.Remove("r/recipe.yaml"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/etc/passwd", "r/recipe.yaml"); err != nil {
			t.Skip(err)
		}
		if a := outcome(t); !strings.Contains(a.Message, "is a symbolic link") || a.Position.String() != "HEAD:r/recipe.yaml" {
			t.Errorf("%s: %s", a.Position, a.Message)
		}
	})
	t.Run("linked variants", func(t *testing.T) {
		checkout(t, one, one, nil)
		if err := os.Symlink("/etc/passwd", "r/variants.yaml"); err != nil {
			t.Skip(err)
		}
		if a := outcome(t); !strings.Contains(a.Message, "is a symbolic link") {
			t.Errorf("%s: %s", a.Position, a.Message)
		}
	})
	t.Run("variants", func(t *testing.T) {
		checkout(t, one, one, nil)
		write(t, "r/variants.yaml", "x: [\n")
		if a := outcome(t); a.Position.File != "HEAD:r/variants.yaml" || strings.Contains(a.Message+a.Hint, os.TempDir()) {
			t.Errorf("%s: %s", a.Position, a.Message)
		}
	})
}

// Who proposes a version does not choose whom to believe.
func TestPolicyChanges(t *testing.T) {
	const file, roots = "recipe-verify.yaml", "trust:\n  roots: [root.json]\n"
	base := func(more ...string) map[string]string {
		files := map[string]string{"r/recipe.yaml": "1"}
		for i := 0; i < len(more); i += 2 {
			files[more[i]] = more[i+1]
		}
		return files
	}
	for _, c := range []struct {
		name string
		one  map[string]string
		work map[string]string
		want []string
	}{
		{"none", base(), base(), nil},
		{"same", base(file, roots, "root.json", "x"), base(file, roots, "root.json", "x"), nil},
		{"new", base(), base(file, roots), []string{"- " + file, "- root.json"}},
		{"new and nearer", base(file, "offline: true"), base(file, "offline: true", "r/"+file, "offline: false"), []string{"one:" + file + " r/" + file, "- r/" + file}},
		{"gone", base(file, "offline: true"), base(), []string{"one:" + file + " -"}},
		{"nearer one gone", base(file, "offline: true", "r/"+file, "offline: false"), base(file, "offline: true"), []string{"one:r/" + file + " " + file}},
		{"other content", base(file, "offline: true"), base(file, "offline: false"), []string{"one:" + file + " " + file}},
		{"other root", base(file, roots, "root.json", "x"), base(file, roots, "root.json", "y"), []string{"one:root.json root.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkout(t, c.one, base("r/recipe.yaml", "2"), c.work)
			if c.work["r/"+file] == "" {
				_ = os.Remove("r/" + file)
			}
			pairs, err := bump.Find(t.Context(), "one", "r/recipe.yaml", "")
			if err != nil {
				t.Fatal(err)
			}
			found, err := policy.Find(pairs[0].Folder())
			if err != nil {
				t.Fatal(err)
			}
			used := &policy.Policy{}
			if found != "" {
				if used, err = policy.Read(found); err != nil {
					t.Fatal(err)
				}
			}
			top, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			short := func(s string) string {
				if rel, err := filepath.Rel(top, s); err == nil && filepath.IsAbs(s) {
					s = rel
				}
				if s == "" {
					return "-"
				}
				return filepath.ToSlash(s)
			}
			var got []string
			for _, change := range pairs[0].PolicyChanges(used, true) {
				if change.Kind != bump.PolicyChanged || !change.Downgrade {
					t.Errorf("%v", change)
				}
				got = append(got, short(change.Before)+" "+short(change.After))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if changes := pairs[0].PolicyChanges(&policy.Policy{}, false); changes != nil {
				t.Errorf("without a policy: %v", changes)
			}
		})
	}
}
