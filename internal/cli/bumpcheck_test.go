package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// A bumped project is one on PyPI with two releases, and a recipe's repository
// whose last commit is the bump.
type bumped struct {
	sigstore *sigstoretest.Sigstore
	web      string // a folder that stands for the internet
	args     []string

	home, work string // folders of this package and of the recipes
}

const lights = "harbour-lights/harbour-lights"

func newBumped(t *testing.T) *bumped {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	b := &bumped{sigstore: sigstoretest.New(sigstoretest.Options{}), web: t.TempDir()}
	root := filepath.Join(b.web, "root.json")
	writeFile(t, root, string(b.sigstore.TrustedRootJSON()))
	b.args = []string{"--offline", "--no-policy", "--trusted-root", root, "--mirror", "https://=" + b.web}
	var err error
	if b.home, err = os.Getwd(); err != nil {
		t.Fatal(err)
	}
	b.work = t.TempDir()
	t.Chdir(b.work)
	b.git(t, "init", "-q")
	return b
}

func (b *bumped) git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
}

// release puts a release on PyPI, signed by id unless that is nil, and commits the
// recipe for it.
func (b *bumped) release(t *testing.T, version string, id *sigstoretest.Identity, predicate string) {
	t.Helper()
	file := "harbour_lights-" + version + ".tar.gz"
	if id != nil {
		s := sigstoretest.Attest(file, []byte(version))
		s.PredicateType = predicate
		place := filepath.Join(b.web, "pypi.org", "integrity", "harbour-lights", version, file, "provenance")
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, place, string(sigstoretest.Provenance(b.sigstore.Sign(s, *id, sigstoretest.RekorV1))))
	}
	b.commit(t, fmt.Sprintf("package: {name: harbour-lights, version: %q}\nsource:\n  url: https://pypi.org/packages/source/h/harbour-lights/%s\n  sha256: %x\n", version, file, sha256.Sum256([]byte(version))))
}

func (b *bumped) commit(t *testing.T, recipe string) {
	t.Helper()
	if err := os.MkdirAll("recipe", 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join("recipe", "recipe.yaml"), recipe)
	b.git(t, "add", "-A")
	b.git(t, "commit", "-q", "-m", "x")
}

func (b *bumped) run(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append(append([]string{"bump-check"}, b.args...), args...)
	if got := cli.Main(context.Background(), env(), nil, &out, &errs, args); got != status {
		t.Fatalf("%q: status %d, wanted %d: %s%s", args, got, status, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// json runs the command, and validates what it writes.
func (b *bumped) json(t *testing.T, status int) map[string]any {
	t.Helper()
	out, _ := b.run(t, status, "--format", "json", "HEAD~1", "HEAD")
	t.Chdir(b.home)
	defer t.Chdir(b.work)
	return validateAs(t, "bump-check.schema.json", []byte(out))
}

// The cases of a bump that the command is for. In each form it says the same.
func TestBumpCheck(t *testing.T) {
	signed := func(repository string, change ...func(*sigstoretest.GitHubRun)) *sigstoretest.Identity {
		id := sigstoretest.GitHub(repository, change...)
		return &id
	}
	for _, c := range []struct {
		name      string
		now       *sigstoretest.Identity
		predicate string
		kinds     []string
	}{
		{"same", signed(lights), "", nil},
		{"moved repository", signed("harbour/lights"), "", []string{"publisher-changed"}},
		{"other workflow", signed(lights, func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/nightly.yml" }), "", []string{"workflow-changed"}},
		{"lost provenance", nil, "", []string{"evidence-disappeared"}},
		{"registered again", signed(lights, func(r *sigstoretest.GitHubRun) { r.RepositoryID, r.OwnerID = "7", "8" }), "", []string{"repository-id-changed", "owner-id-changed"}},
		{"other predicate", signed(lights), sigstoretest.SLSAProvenance, []string{"predicate-changed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBumped(t)
			b.release(t, "1.0", signed(lights), "")
			b.release(t, "1.1", c.now, c.predicate)
			status := 0
			if c.kinds != nil {
				status = 1
			}
			text, _ := b.run(t, status, "HEAD~1", "HEAD")
			notes, _ := b.run(t, status, "--format", "github", "HEAD~1", ".")
			document := b.json(t, status)
			source := document["recipes"].([]any)[0].(map[string]any)["sources"].([]any)[0].(map[string]any)
			changes := source["changes"].([]any)
			if len(changes) != len(c.kinds) {
				t.Fatalf("changes %v, wanted %v", changes, c.kinds)
			}
			for i, kind := range c.kinds {
				if got := changes[i].(map[string]any); got["kind"] != kind || got["fails"] != true {
					t.Errorf("got %v, wanted %s", got, kind)
				}
				if !strings.Contains(text, "\n  ! "+kind+": before ") {
					t.Errorf("the text does not tell of %s:\n%s", kind, text)
				}
				if !strings.HasPrefix(notes, "::error file=recipe/recipe.yaml,line=3,col=3,") || !strings.Contains(notes, kind) {
					t.Errorf("the annotation does not tell of %s:\n%s", kind, notes)
				}
			}
			if c.kinds == nil && (notes != "" || !strings.HasPrefix(text, "same ")) {
				t.Errorf("%s%s", text, notes)
			}
			b.run(t, 0, "--accept", strings.Join(append(c.kinds, "block-removed"), ","), "HEAD~1", "HEAD")
			b.run(t, status, "--accept", "issuer-changed", "HEAD~1", "HEAD")
		})
	}
}

// What cannot be looked at is not the same, and no pass.
func TestBumpCheckUnavailable(t *testing.T) {
	b := newBumped(t)
	id := sigstoretest.GitHub(lights)
	b.release(t, "1.0", &id, "")
	b.release(t, "1.1", &id, "")
	b.args = []string{"--offline", "--no-policy", "--trusted-root", filepath.Join(b.web, "root.json")}
	text, _ := b.run(t, 3, "HEAD~1", "HEAD")
	if !strings.HasPrefix(text, "unknown ") || !strings.Contains(text, "\n  before     unknown: ") || !strings.Contains(text, "\n  now        unknown: ") {
		t.Error(text)
	}
	b.json(t, 3)
	notes, _ := b.run(t, 3, "--format", "github", "HEAD~1", "HEAD")
	if !strings.HasPrefix(notes, "::warning ") {
		t.Error(notes)
	}
}

// Nothing that a stranger wrote acts on a terminal or on GitHub's runner: names of
// folders, addresses, and what is wrong with a recipe.
func TestBumpCheckOfHostileText(t *testing.T) {
	b := newBumped(t)
	b.commit(t, "package: {name: x, version: 1}\nsource:\n  url: https://example.org/x\n")
	hostile := "r\x1b[31m\u202e::error::x\r"
	if err := os.MkdirAll(hostile, 0o755); err != nil {
		t.Skip(err)
	}
	writeFile(t, filepath.Join(hostile, "recipe.yaml"), "package: {name: x, version: 1}\nsource:\n  - url: \"https://example.org/\\e[31m\\u202e%0A::error::x\"\n  - {path: \"\\e]0;x\\a\\r\\n::error::y\"}\n  - {url: https://example.org/x, nonsense\\e: 1}\n")
	b.git(t, "add", "-A")
	b.git(t, "commit", "-q", "-m", "x")
	for _, format := range []string{"text", "json", "github"} {
		out, errs := b.run(t, 2, "--format", format, "HEAD~1", "HEAD")
		for _, r := range out + errs {
			if r != '\n' && r < ' ' || r == 0x7f || r == 0x9b || r == 0x202e {
				t.Errorf("%s: %q has %q", format, out+errs, r)
				break
			}
		}
		for line := range strings.Lines(out) {
			if format == "github" && strings.HasPrefix(line, "::") && !strings.Contains(line, " file=") {
				t.Errorf("a command of the recipe's own: %q", line)
			}
			if format != "github" && strings.HasPrefix(line, "::") {
				t.Errorf("%s: %q", format, line)
			}
		}
	}
	if out, errs := b.run(t, 2, hostile, "HEAD"); out != "" || strings.ContainsAny(errs, "\x1b\r") {
		t.Errorf("%q %q", out, errs)
	}
}
