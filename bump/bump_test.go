package bump_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/bump"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/signer"
	"github.com/recipe-verify/recipe-verify/trust"
)

const home = "harbour-lights/harbour-lights"

// A world is PyPI and GitHub on one server.
type world struct {
	*httptest.Server
	sigstore *sigstoretest.Sigstore
	dir      string

	mu     sync.Mutex
	files  map[string][]byte
	status map[string]int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{sigstore: sigstoretest.New(sigstoretest.Options{}), dir: t.TempDir(), files: map[string][]byte{}, status: map[string]int{}}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	write(t, filepath.Join(w.dir, "root.json"), string(w.sigstore.TrustedRootJSON()))
	return w
}

func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	file, ok := w.files[r.URL.Path]
	switch status := w.status[r.URL.Path]; {
	case status != 0:
		out.WriteHeader(status)
	case !ok:
		http.NotFound(out, r)
	default:
		_, _ = out.Write(file)
	}
}

func (w *world) options() gate.Options {
	o := gate.Options{Trust: trust.Config{Roots: trust.RootFiles(filepath.Join(w.dir, "root.json"))}, Timeout: time.Second}
	for _, host := range []string{"pypi.org", "github.com", "api.github.com"} {
		o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://" + host + "/", To: w.URL + "/"})
	}
	return o
}

// A run is who signed a release, and what was stated.
type run struct {
	identity  sigstoretest.Identity
	predicate string
	knobs     []sigstoretest.Knob
}

func by(repository string, change ...func(*sigstoretest.GitHubRun)) run {
	return run{identity: sigstoretest.GitHub(repository, change...)}
}

func (r run) stating(predicate string) run { r.predicate = predicate; return r }

func (r run) with(knobs ...sigstoretest.Knob) run { r.knobs = knobs; return r }

// attest puts the provenance of a release on PyPI.
func (w *world) attest(version string, runs ...run) {
	if len(runs) == 0 {
		return
	}
	var bundles []*sigstoretest.Bundle
	for _, r := range runs {
		s := sigstoretest.Attest(fileName(version), content(version))
		if r.predicate != "" {
			s.PredicateType = r.predicate
		}
		bundles = append(bundles, w.sigstore.Sign(s, r.identity, sigstoretest.RekorV1, r.knobs...))
	}
	w.files[provenance(version)] = sigstoretest.Provenance(bundles...)
}

func fileName(version string) string { return "harbour_lights-" + version + ".tar.gz" }
func content(version string) []byte  { return []byte("the archive of harbour-lights " + version) }
func provenance(version string) string {
	return "/integrity/harbour-lights/" + version + "/" + fileName(version) + "/provenance"
}

// source is the source of a version on PyPI, with more lines.
func source(version string, more ...string) string {
	return at("https://pypi.org/packages/source/h/harbour-lights/"+fileName(version), string(content(version)), more...)
}

func at(url, content string, more ...string) string {
	return fmt.Sprintf("  - url: %s\n    sha256: %x\n", url, sha256.Sum256([]byte(content))) + strings.Join(more, "")
}

func recipe(version string, sources ...string) string {
	return fmt.Sprintf("package: {name: harbour-lights, version: %q}\nsource:\n%s", version, strings.Join(sources, ""))
}

const (
	block     = "    attestation: {publishers: [github:" + home + "]}\n"
	movedHome = "    attestation: {publishers: [github:harbour/harbour-lights]}\n"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// check compares two recipes as texts; "" for none.
func (w *world) check(t *testing.T, old, now string, o gate.Options, accept ...signer.Kind) (bump.Recipe, bump.Summary) {
	t.Helper()
	var p bump.Pair
	if old != "" {
		p.Old = &bump.Version{Path: write(t, filepath.Join(w.dir, "old", "recipe.yaml"), old)}
	}
	if now != "" {
		p.New = &bump.Version{Path: write(t, filepath.Join(w.dir, "new", "recipe.yaml"), now)}
	}
	var got []bump.Recipe
	summary, err := gate.BumpCheck(t.Context(), []bump.Pair{p}, o, accept, func(r bump.Recipe) error {
		got = append(got, r)
		return nil
	})
	if err != nil || len(got) != 1 || got[0].Status != summary.Status {
		t.Fatalf("%v, %d outcomes, status %d", err, len(got), summary.Status)
	}
	return got[0], summary
}

// told writes an outcome in short: states with kinds, "!" before those that fail.
func told(r bump.Recipe) []string {
	list := []string{}
	for _, s := range r.Sources {
		line := string(s.State)
		for _, c := range s.Changes {
			mark := " "
			if c.Fails {
				mark = " !"
			}
			line += mark + string(c.Kind)
		}
		list = append(list, line)
	}
	return list
}

const before, after = "2.4.0", "2.4.1"

// The cases of a bump, each with evidence that recipes demand and with evidence
// that is only there.
func TestSigners(t *testing.T) {
	id := func(repository, owner string) func(*sigstoretest.GitHubRun) {
		return func(r *sigstoretest.GitHubRun) { r.RepositoryID, r.OwnerID = repository, owner }
	}
	workflow := func(name string) func(*sigstoretest.GitHubRun) {
		return func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/" + name }
	}
	called := func(r *sigstoretest.GitHubRun) {
		r.SignerRepository, r.SignerWorkflow = home, ".github/workflows/reusable.yml"
	}
	tagged := func(r *sigstoretest.GitHubRun) { r.Ref, r.RunID = "refs/tags/v2.4.1", "99" }
	slsa := sigstoretest.SLSAProvenance
	for _, c := range []struct {
		name string
		old  []run
		now  []run
		want string
	}{
		{"same", []run{by(home)}, []run{by(home)}, "same"},
		{"same, of another tag and run", []run{by(home)}, []run{by(home, tagged)}, "same"},
		{"same, spelled in other letters", []run{by(home)}, []run{by("Harbour-Lights/Harbour-Lights")}, "same"},
		{"same two statements, in another order", []run{by(home), by(home).stating(slsa)}, []run{by(home).stating(slsa), by(home)}, "same"},
		{"same, with another statement beside it that does not count", []run{by(home)}, []run{by(home), by(home).stating(sigstoretest.SPDX)}, "same"},
		{"other workflow", []run{by(home)}, []run{by(home, workflow("other.yml"))}, "failed !workflow-changed"},
		{"a workflow that is called", []run{by(home)}, []run{by(home, called)}, "failed !reusable-workflow-changed"},
		{"repository registered again", []run{by(home)}, []run{by(home, id("7", "16748505"))}, "failed !repository-id-changed"},
		{"owner registered again", []run{by(home)}, []run{by(home, id("7", "8"))}, "failed !repository-id-changed !owner-id-changed"},
		{"repository moved, and the same", []run{by(home)}, []run{by("harbour/harbour-lights")}, "failed !publisher-changed"},
		{"another repository", []run{by(home)}, []run{by("harbour/harbour-lights", id("7", "8"))}, "failed !publisher-changed !repository-id-changed !owner-id-changed"},
		{"other predicate", []run{by(home)}, []run{by(home).stating(slsa)}, "failed !predicate-changed"},
		{"one of two statements lost", []run{by(home), by(home).stating(slsa)}, []run{by(home).stating(slsa)}, "failed !evidence-disappeared"},
		{"one statement more", []run{by(home)}, []run{by(home), by(home).stating(slsa)}, "changed evidence-appeared"},
		{"somebody else beside the same", []run{by(home)}, []run{by(home), by("evil/lights", id("7", "8"))}, "changed evidence-appeared"},
		{"somebody else before the same", []run{by(home)}, []run{by("evil/lights", id("7", "8")), by(home)}, "changed evidence-appeared"},
		{"somebody else in place of the second", []run{by(home), by("harbour/audit")}, []run{by(home), by("evil/audit")}, "failed !publisher-changed"},
		{"other issuer", []run{{identity: sigstoretest.GitHub(home)}}, []run{{identity: sigstoretest.GitHub(home).WithIssuer("https://token.example.org")}}, "failed !issuer-changed"},
		{"no identifiers before", []run{{identity: sigstoretest.GitHub(home).With(sigstoretest.ExtSourceRepositoryID, "")}}, []run{by(home)}, "failed !repository-id-changed"},
		{"no identifiers now", []run{by(home)}, []run{{identity: sigstoretest.GitHub(home).With(sigstoretest.ExtSourceRepositoryID, "")}}, "failed !repository-id-changed"},
		{"lost provenance", []run{by(home)}, nil, "failed !evidence-disappeared"},
		{"tampered with", []run{by(home)}, []run{by(home).with(sigstoretest.ForgedSignature())}, "failed !new-failure"},
		{"tampered with beside good evidence", []run{by(home)}, []run{by(home), by(home).with(sigstoretest.ForgedSignature())}, "failed !new-failure"},
		{"an SBOM alone now", []run{by(home)}, []run{by(home).stating(sigstoretest.SPDX)}, "failed !new-failure"},
		{"first evidence", nil, []run{by(home)}, "changed evidence-appeared"},
		{"first evidence, and tampered with", nil, []run{by(home).with(sigstoretest.ForgedSignature())}, "changed evidence-unusable"},
		{"tampered with before", []run{by(home).with(sigstoretest.ForgedSignature())}, []run{by(home)}, "changed evidence-appeared"},
		{"never any", nil, nil, "same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.attest(before, c.old...)
			w.attest(after, c.now...)
			r, _ := w.check(t, recipe(before, source(before)), recipe(after, source(after)), w.options())
			if diff := cmp.Diff([]string{c.want}, told(r)); diff != "" {
				t.Errorf("nobody demands evidence (-want +got):\n%s", diff)
			}
			want := audit.StatusOK
			if strings.Contains(c.want, "!") {
				want = audit.StatusRejected
			}
			if r.Status != want {
				t.Errorf("status %d, wanted %d", r.Status, want)
			}
		})
	}
}

// What a block demands comes beside what is compared.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, now []run
		blocks   [2]string
		want     string
	}{
		{"same", []run{by(home)}, []run{by(home)}, [2]string{block, block}, "same"},
		{"a block at last", []run{by(home)}, []run{by(home)}, [2]string{"", block}, "same"},
		{"block removed, evidence the same", []run{by(home)}, []run{by(home)}, [2]string{block, ""}, "failed !block-removed"},
		{"block and evidence removed", []run{by(home)}, nil, [2]string{block, ""}, "failed !block-removed !evidence-disappeared"},
		{"repository moved, and the block with it", []run{by(home)}, []run{by("harbour/harbour-lights")}, [2]string{block, movedHome}, "failed !publisher-changed"},
		{"repository moved, and the block did not", []run{by(home)}, []run{by("harbour/harbour-lights")}, [2]string{block, block}, "failed !publisher-changed !new-failure"},
		{"lost provenance", []run{by(home)}, nil, [2]string{block, block}, "failed !evidence-disappeared !new-failure"},
		{"tampered with", []run{by(home)}, []run{by(home).with(sigstoretest.ForgedPromise())}, [2]string{block, block}, "failed !new-failure"},
		{"demanded in vain before and now", nil, nil, [2]string{block, block}, "failed !new-failure"},
		{"demanded in vain before", nil, []run{by(home)}, [2]string{block, block}, "changed evidence-appeared"},
		{"somebody signs beside whom the block names", []run{by(home), by("harbour/audit")}, []run{by(home)}, [2]string{block, block}, "failed !evidence-disappeared"},
		{"signer of before was not whom the block named", []run{by("harbour/harbour-lights")}, []run{by(home)}, [2]string{block, block}, "failed !publisher-changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.attest(before, c.old...)
			w.attest(after, c.now...)
			r, _ := w.check(t, recipe(before, source(before, c.blocks[0])), recipe(after, source(after, c.blocks[1])), w.options())
			if diff := cmp.Diff([]string{c.want}, told(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Sources come and go, and change places.
func TestSources(t *testing.T) {
	elsewhere := at("https://example.org/harbour-lights-2.4.1.tar.gz", string(content(after)))
	archive := at("https://github.com/"+home+"/archive/v2.4.1.tar.gz", "x")
	patch := at("https://example.org/fix.patch", "patch")
	git := "  - git: https://github.com/" + home + "\n    tag: v2.4.1\n"
	oldGit := strings.Replace(git, after, before, 1)
	unpinned := "  - url: https://pypi.org/packages/source/h/harbour-lights/" + fileName(after) + "\n"
	both := []run{by(home)}
	for _, c := range []struct {
		name     string
		old, now []string
		want     []string
		status   int
	}{
		{"only source leaves PyPI", []string{source(before)}, []string{elsewhere}, []string{"failed !evidence-disappeared"}, 1},
		{"only source leaves PyPI for an archive of the tag", []string{source(before)}, []string{archive}, []string{"failed !evidence-disappeared"}, 1},
		{"only source becomes git", []string{source(before)}, []string{git}, []string{"added source-added", "failed !source-gone"}, 1},
		{"not pinned any more", []string{source(before)}, []string{unpinned}, []string{"failed !evidence-disappeared"}, 1},
		{"one of two leaves PyPI", []string{source(before), patch}, []string{elsewhere, patch}, []string{"added source-added", "same", "failed !source-gone"}, 1},
		{"sources change places", []string{source(before), patch}, []string{patch, source(after)}, []string{"same", "same"}, 0},
		{"source without evidence gone", []string{source(before), patch}, []string{source(after)}, []string{"same", "gone"}, 0},
		{"new source without evidence", []string{source(before)}, []string{source(after), patch}, []string{"same", "added source-added"}, 0},
		{"new source with evidence", []string{patch}, []string{patch, source(after)}, []string{"same", "added source-added"}, 0},
		{"git sources", []string{oldGit}, []string{git}, []string{"same"}, 0},
		{"second file of the project without evidence", []string{source(before)}, []string{source(after), at("https://pypi.org/packages/source/h/harbour-lights/harbour_lights-2.4.1.zip", "zip")}, []string{"same", "failed !evidence-disappeared"}, 1},
		{"all sources gone", []string{source(before)}, []string{}, []string{"failed !source-gone"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.attest(before, both...)
			w.attest(after, both...)
			w.files["/repos/"+home+"/releases/tags/v2.4.1"] = []byte(`{"assets":[]}`)
			now := recipe(after, c.now...)
			if len(c.now) == 0 {
				now = "package: {name: harbour-lights, version: 2.4.1}\n"
			}
			r, _ := w.check(t, recipe(before, c.old...), now, w.options())
			if diff := cmp.Diff(c.want, told(r)); diff != "" || r.Status != c.status {
				t.Errorf("status %d, wanted %d (-want +got):\n%s", r.Status, c.status, diff)
			}
		})
	}
}

// A recipe that is new, or gone.
func TestOneSide(t *testing.T) {
	w := newWorld(t)
	w.attest(before, by(home))
	for _, c := range []struct {
		name, old, now string
		want           []string
		status         int
	}{
		{"new recipe", "", recipe(before, source(before)), []string{"added source-added"}, 0},
		{"new recipe with a block that lies", "", recipe(before, source(before, movedHome)), []string{"failed source-added !new-failure"}, 1},
		{"recipe gone", recipe(before, source(before)), "", []string{"failed !source-gone"}, 1},
		{"recipe without evidence gone", recipe(after, source(after)), "", []string{"gone"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := w.check(t, c.old, c.now, w.options())
			if diff := cmp.Diff(c.want, told(r)); diff != "" || r.Status != c.status {
				t.Errorf("status %d, wanted %d (-want +got):\n%s", r.Status, c.status, diff)
			}
		})
	}
}

// Nothing is the same that was not seen, and a fault on either side is an error.
func TestNotSeen(t *testing.T) {
	broken := "package: {name: x, version: 1}\nsource: {url: [}\n"
	for _, c := range []struct {
		name     string
		old, now string
		down     []string
		want     []string
		status   int
	}{
		{"before", recipe(before, source(before)), recipe(after, source(after)), []string{before}, []string{"unknown"}, 3},
		{"now", recipe(before, source(before)), recipe(after, source(after)), []string{after}, []string{"unknown"}, 3},
		{"on both sides", recipe(before, source(before)), recipe(after, source(after)), []string{before, after}, []string{"unknown"}, 3},
		{"now, though demanded", recipe(before, source(before, block)), recipe(after, source(after, block)), []string{after}, []string{"unknown"}, 3},
		{"now, and the block is gone", recipe(before, source(before, block)), recipe(after, source(after)), []string{after}, []string{"failed !block-removed"}, 1},
		{"of a source that is new", recipe(before, at("https://example.org/x", "x"), at("https://example.org/y", "y")), recipe(after, source(after), at("https://example.org/x", "x"), at("https://example.org/y", "y")), []string{after}, []string{"unknown source-added", "same", "same"}, 3},
		{"of a source that is gone", recipe(before, source(before), at("https://example.org/x", "x")), recipe(after, at("https://example.org/x", "x")), []string{before}, []string{"same", "unknown"}, 3},
		{"broken before", broken, recipe(after, source(after)), nil, []string{"error"}, 2},
		{"broken now", recipe(before, source(before)), broken, nil, []string{"error source-added"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.attest(before, by(home))
			w.attest(after, by(home))
			for _, version := range c.down {
				w.status[provenance(version)] = http.StatusForbidden
			}
			r, _ := w.check(t, c.old, c.now, w.options())
			if diff := cmp.Diff(c.want, told(r)); diff != "" || r.Status != c.status {
				t.Errorf("status %d, wanted %d (-want +got):\n%s", r.Status, c.status, diff)
			}
		})
	}
}

// What is accepted does not fail, and is said all the same.
func TestAccept(t *testing.T) {
	w := newWorld(t)
	other := func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/other.yml" }
	w.attest(before, by(home))
	w.attest(after, by(home, other).stating(sigstoretest.SLSAProvenance))
	for _, c := range []struct {
		name   string
		block  string // of the newer version
		accept []signer.Kind
		want   string
		status int
	}{
		{"nothing", "", nil, "failed !workflow-changed !predicate-changed", 1},
		{"one of two", "", []signer.Kind{signer.WorkflowChanged}, "failed workflow-changed !predicate-changed", 1},
		{"another", "", []signer.Kind{signer.PublisherChanged}, "failed !workflow-changed !predicate-changed", 1},
		{"all", "", []signer.Kind{signer.WorkflowChanged, signer.PredicateChanged}, "changed workflow-changed predicate-changed", 0},
		{"a failure, which cannot be", movedHome, append(bump.Acceptable(), bump.NewFailure), "failed workflow-changed predicate-changed !new-failure", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := w.check(t, recipe(before, source(before)), recipe(after, source(after, c.block)), w.options(), c.accept...)
			if diff := cmp.Diff([]string{c.want}, told(r)); diff != "" || r.Status != c.status {
				t.Errorf("status %d, wanted %d (-want +got):\n%s", r.Status, c.status, diff)
			}
		})
	}
	if slices.Contains(bump.Acceptable(), bump.NewFailure) {
		t.Error("a failure is acceptable")
	}
}

// A run that is interrupted says nothing.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	path := write(t, filepath.Join(w.dir, "recipe.yaml"), recipe(before, source(before)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := &bump.Version{Path: path}
	s, err := gate.BumpCheck(ctx, []bump.Pair{{Old: v, New: v}}, w.options(), nil, func(bump.Recipe) error {
		t.Error("an outcome was handed over")
		return nil
	})
	if err == nil || s.Status == audit.StatusOK {
		t.Errorf("status %d, %v", s.Status, err)
	}
}
