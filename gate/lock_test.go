package gate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A statement is something that somebody signed about a file.
type statement struct {
	predicate string // a publish attestation if empty
	change    func(*sigstoretest.GitHubRun)
	identity  *sigstoretest.Identity // in place of the run's
}

// release puts a version of harbour-lights on PyPI, signed as given.
func (u *upstream) release(project, version string, signed ...statement) {
	file := strings.ReplaceAll(project, "-", "_") + "-" + version + ".tar.gz"
	content := []byte(file)
	var bundles []*sigstoretest.Bundle
	for _, s := range signed {
		claim := sigstoretest.Attest(file, content)
		if s.predicate != "" {
			claim.PredicateType = s.predicate
		}
		id := sigstoretest.GitHub(repository, func(r *sigstoretest.GitHubRun) {
			r.Ref = "refs/tags/v" + version
			if s.change != nil {
				s.change(r)
			}
		})
		if s.identity != nil {
			id = *s.identity
		}
		bundles = append(bundles, u.sigstore.Sign(claim, id, sigstoretest.RekorV1))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.files["/packages/source/"+project[:1]+"/"+project+"/"+file] = content
	path := "/integrity/" + project + "/" + version + "/" + file + "/provenance"
	delete(u.files, path)
	if len(bundles) > 0 {
		u.files[path] = sigstoretest.Provenance(bundles...)
	}
	if u.files["/simple/"+project+"/"] == nil {
		u.files["/simple/"+project+"/"] = []byte(`{"meta":{"api-version":"1.3"},"name":"` + project + `","files":[]}`)
	}
}

// source is the recipe's entry for a release.
func source(project, version, block string) string {
	file := strings.ReplaceAll(project, "-", "_") + "-" + version + ".tar.gz"
	return fmt.Sprintf("  - url: https://pypi.org/packages/source/%s/%s/%s\n    sha256: %x\n%s", project[:1], project, file, sha256.Sum256([]byte(file)), block)
}

const (
	ours = "    attestation: {publishers: github:harbour-lights/harbour-lights}\n"
	any2 = "    attestation: {publishers: [github:harbour-lights/harbour-lights, github:somebody/else]}\n"
	slsa = sigstoretest.SLSAProvenance
)

func (u *upstream) write2(t *testing.T, sources ...string) string {
	t.Helper()
	return u.write(t, "recipe.yaml", "package: {name: harbour-lights, version: 1}\nsource:\n"+strings.Join(sources, ""))
}

// lockIt writes the recipe's lock file.
func (u *upstream) lockIt(t *testing.T, path string) {
	t.Helper()
	f, err := gate.Lock(context.Background(), path, u.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Store([]lock.Writing{{Path: lock.Path(path), Data: f.Bytes()}}); err != nil {
		t.Fatal(err)
	}
}

func (u *upstream) locked() gate.Options {
	o := u.options()
	o.Lock, o.NoHistory = lock.Beside, true
	o.Recipe = recipe.Options{TargetPlatforms: []string{"linux-64"}}
	return o
}

// verdicts says what became of each source.
func verdicts(report gate.Report) string {
	var list []string
	for _, r := range report.Results {
		list = append(list, fmt.Sprintf("%s %s", r.Verdict, r.Code))
		if (r.Verdict == audit.Verified) != r.Evidence.Verified() {
			list = append(list, "EVIDENCE")
		}
	}
	return strings.Join(list, ", ")
}

func TestLockOutlivesVersions(t *testing.T) {
	u := newUpstream(t)
	u.release("harbour-lights", "1.0", statement{}, statement{predicate: slsa})
	path := u.write2(t, source("harbour-lights", "1.0", ours))
	u.lockIt(t, path)
	before, err := os.ReadFile(lock.Path(path))
	if err != nil {
		t.Fatal(err)
	}
	u.release("harbour-lights", "2.0rc1", statement{predicate: slsa}, statement{})
	path = u.write2(t, source("harbour-lights", "2.0rc1", ours))
	report, err := gate.Verify(context.Background(), path, u.locked())
	if err != nil || verdicts(report) != "verified verified" {
		t.Errorf("%v: %s", err, verdicts(report))
	}
	u.lockIt(t, path)
	after, err := os.ReadFile(lock.Path(path))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Error(diff)
	}
	for _, forbidden := range []string{"1.0", "2.0", "3fa1c7be", "refs/tags"} {
		if strings.Contains(string(after), forbidden) {
			t.Errorf("the lock has %q: %s", forbidden, after)
		}
	}
}

// What a next version can come with, against a lock of one that was published and
// built by the repository's release workflow.
func TestLockedSigners(t *testing.T) {
	run := func(f func(*sigstoretest.GitHubRun)) []statement {
		return []statement{{change: f}, {change: f, predicate: slsa}}
	}
	without := func(extensions ...int) []statement {
		id := sigstoretest.GitHub(repository, func(r *sigstoretest.GitHubRun) { r.Ref = "refs/tags/v2.0" })
		for _, e := range extensions {
			id = id.With(e, "")
		}
		return []statement{{identity: &id}, {identity: &id, predicate: slsa}}
	}
	for name, c := range map[string]struct {
		now  []statement
		want string // in the message; "" for verified
	}{
		"the same":                   {run(nil), ""},
		"another runner and trigger": {run(func(r *sigstoretest.GitHubRun) { r.Runner, r.Trigger, r.RunID = "self-hosted", "push", "7" }), ""},
		"the name in another case":   {run(func(r *sigstoretest.GitHubRun) { r.Repository = "Harbour-Lights/harbour-lights" }), ""},
		"a third bundle beside them": {append(run(nil), statement{change: func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/extra.yml" }}), ""},
		"a repository of the same name, registered again": {
			run(func(r *sigstoretest.GitHubRun) { r.RepositoryID, r.OwnerID = "999", "888" }),
			"repository-id-changed: before 596532921, now 999; owner-id-changed: before 16748505, now 888",
		},
		"a repository of the same name and owner": {run(func(r *sigstoretest.GitHubRun) { r.RepositoryID = "999" }), "repository-id-changed: before 596532921, now 999"},
		"another owner":                             {run(func(r *sigstoretest.GitHubRun) { r.OwnerID = "888" }), "owner-id-changed: before 16748505, now 888"},
		"another workflow":                          {run(func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/evil.yml" }), "workflow-changed: before .github/workflows/release.yml, now .github/workflows/evil.yml"},
		"the workflow's case":                       {run(func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/Release.yml" }), "workflow-changed"},
		"another repository that the recipe allows": {run(func(r *sigstoretest.GitHubRun) { r.Repository = "somebody/else" }), "publisher-changed"},
		"certificates without identifiers":          {without(sigstoretest.ExtSourceRepositoryID, sigstoretest.ExtSourceOwnerID), "repository-id-changed: before 596532921, now none"},
		"certificates without a workflow":           {without(sigstoretest.ExtBuildConfigURI), "workflow-changed: before .github/workflows/release.yml, now none"},
		"provenance is lost":                        {run(nil)[:1], "evidence-disappeared: before a statement https://slsa.dev/provenance/v1"},
		"only provenance":                           {run(nil)[1:], "evidence-disappeared: before a statement https://docs.pypi.org/attestations/publish/v1"},
		"provenance by another workflow": {
			[]statement{{}, {predicate: slsa, change: func(r *sigstoretest.GitHubRun) { r.Workflow = ".github/workflows/evil.yml" }}},
			"workflow-changed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.release("harbour-lights", "1.0", run(nil)...)
			u.lockIt(t, u.write2(t, source("harbour-lights", "1.0", any2)))
			u.release("harbour-lights", "2.0", c.now...)
			path := u.write2(t, source("harbour-lights", "2.0", any2))
			// Without the lock nobody says no.
			o := u.locked()
			o.Lock = nil
			if _, err := gate.Verify(context.Background(), path, o); err != nil {
				t.Fatal(err)
			}
			report, err := gate.Verify(context.Background(), path, u.locked())
			if c.want == "" {
				if err != nil || verdicts(report) != "verified verified" {
					t.Errorf("%v: %s", err, verdicts(report))
				}
				return
			}
			var refusal *gate.Refusal
			if !errors.As(err, &refusal) || refusal.Status != audit.StatusRejected || verdicts(report) != "mismatch locked-signer-changed" {
				t.Fatalf("%v: %s", err, verdicts(report))
			}
			r := report.Results[0]
			if !strings.Contains(r.Message, c.want) || !strings.Contains(r.Message, lock.Path(path)+":5:3") || !strings.Contains(r.Hint, "recipe-verify lock "+path) {
				t.Errorf("message %q, hint %q", r.Message, r.Hint)
			}
		})
	}
}

// What somebody can do to the recipe while the lock stays as it is.
func TestRecipeChangesUnderALock(t *testing.T) {
	lights, other := source("harbour-lights", "1.0", ours), source("other", "1.0", ours)
	onWin := "  - if: win\n    then:\n    " + strings.ReplaceAll(source("other", "1.0", ours), "\n   ", "\n       ")
	for name, c := range map[string]struct {
		before, now []string
		want        string
	}{
		"nothing":                   {[]string{lights, other}, []string{lights, other}, "verified verified, verified verified"},
		"the order":                 {[]string{lights, other}, []string{other, lights}, "verified verified, verified verified"},
		"a source without evidence": {[]string{lights}, []string{lights, source("plain", "1.0", "")}, "verified verified, unattested no-attestation-block"},
		"a source more":             {[]string{lights}, []string{lights, other}, "verified verified, mismatch lock-outdated"},
		"a source less":             {[]string{lights, other}, []string{lights}, "verified verified, mismatch lock-outdated"},
		"all sources gone":          {[]string{lights}, []string{"  []\n"}, "mismatch lock-outdated"},
		"the block dropped":         {[]string{lights}, []string{source("harbour-lights", "1.0", "")}, "unattested no-attestation-block, mismatch lock-outdated"},
		"another project":           {[]string{lights}, []string{other}, "mismatch lock-outdated, mismatch lock-outdated"},
		"a second source of the project": {
			[]string{lights},
			[]string{lights, source("harbour-lights", "0.9", ours)},
			"mismatch lock-outdated, mismatch lock-outdated, mismatch lock-outdated",
		},
		"a file of the same place elsewhere": {
			[]string{lights},
			[]string{strings.Replace(lights, "https://pypi.org/", "https://mirror.example/", 1)},
			"error no-evidence-address, mismatch lock-outdated",
		},
		"a source more on another platform":            {[]string{lights}, []string{lights, onWin}, "verified verified, mismatch lock-outdated"},
		"a source of another platform":                 {[]string{lights, onWin}, []string{lights, onWin}, "verified verified"},
		"a source less on another platform":            {[]string{lights, onWin}, []string{lights}, "verified verified, mismatch lock-outdated"},
		"a source of another platform loses its block": {[]string{lights, onWin}, []string{lights, strings.Split(onWin, "        attestation")[0]}, "verified verified, mismatch lock-outdated"},
		"a source of another platform cannot be known": {
			[]string{lights},
			[]string{lights, "  - if: win and unknowable == 'x'\n    then: {url: 'https://example.org/a', sha256: '" + strings.Repeat("a", 64) + "'}\n"},
			"verified verified, error recipe-error",
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			for _, project := range []string{"harbour-lights", "other"} {
				u.release(project, "1.0", statement{})
				u.release(project, "0.9", statement{})
			}
			u.lockIt(t, u.write2(t, c.before...))
			report, err := gate.Verify(context.Background(), u.write2(t, c.now...), u.locked())
			if got := verdicts(report); got != c.want {
				t.Errorf("got %q, wanted %q: %v", got, c.want, err)
			}
			if bad := strings.Contains(c.want, "mismatch") || strings.Contains(c.want, "error"); bad != (err != nil) {
				t.Errorf("whether the build may start: %v", err)
			}
		})
	}
}

// A lock that is of no use is an error, and nothing is fetched.
func TestUselessLocks(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"none":           {"", "there is no lock file"},
		"empty":          {" ", "the lock file is empty"},
		"of the future":  {"version: 7\nsources: {}\n", "the lock file is of version 7"},
		"in conflict":    {"version: 1\n<<<<<<< HEAD\nsources: {}\n", "git has left a conflict here"},
		"demands nobody": {"version: 1\nsources:\n  pypi harbour-lights: []\n", "would demand nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			u.release("harbour-lights", "1.0", statement{})
			path := u.write2(t, source("harbour-lights", "1.0", ours))
			if c.text != "" {
				if err := os.WriteFile(lock.Path(path), []byte(c.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			report, err := gate.Verify(context.Background(), path, u.locked())
			var refusal *gate.Refusal
			if !errors.As(err, &refusal) || refusal.Status != audit.StatusError || verdicts(report) != "error lock-error" {
				t.Fatalf("%v: %s", err, verdicts(report))
			}
			if r := report.Results[0]; !strings.Contains(r.Message, c.want) || r.Position.File != lock.Path(path) || r.Hint == "" {
				t.Errorf("%s: %s (%s)", r.Position, r.Message, r.Hint)
			}
			if len(u.asked) > 0 {
				t.Errorf("asked for %v", u.asked)
			}
		})
	}
}

// An entry under a name that only looks like the source's is none.
func TestNamesInALockAreExact(t *testing.T) {
	for _, with := range []string{"pypi Harbour-Lights", "pypi harbour_lights", "pypi harbour-lights ", "PyPI harbour-lights", "pypi harbour-light\u017f"} {
		u := newUpstream(t)
		u.release("harbour-lights", "1.0", statement{})
		path := u.write2(t, source("harbour-lights", "1.0", ours))
		u.lockIt(t, path)
		text, err := os.ReadFile(lock.Path(path))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), "  pypi harbour-lights:", fmt.Sprintf("  %q:", with), 1)
		if changed == string(text) {
			t.Fatal("nothing was replaced")
		}
		if err := os.WriteFile(lock.Path(path), []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		report, err := gate.Verify(context.Background(), path, u.locked())
		if err == nil || verdicts(report) != "mismatch lock-outdated, mismatch lock-outdated" {
			t.Errorf("%q: %v: %s", with, err, verdicts(report))
		}
	}
}

// A recipe that asks for nothing needs no lock, and may not have one that does.
func TestRecipeWithoutEvidenceNeedsNoLock(t *testing.T) {
	u := newUpstream(t)
	path := u.write2(t, source("harbour-lights", "1.0", ""))
	report, err := gate.Verify(context.Background(), path, u.locked())
	if err != nil || verdicts(report) != "unattested no-attestation-block" {
		t.Errorf("%v: %s", err, verdicts(report))
	}
	f, err := gate.Lock(context.Background(), path, u.options())
	if err != nil || len(f.Entries) != 0 {
		t.Errorf("%v, %v", f, err)
	}
}

func TestLockRefuses(t *testing.T) {
	u := newUpstream(t)
	u.release("harbour-lights", "1.0", statement{change: func(r *sigstoretest.GitHubRun) { r.Repository = "evil/x" }})
	path := u.write2(t, source("harbour-lights", "1.0", ours))
	f, err := gate.Lock(context.Background(), path, u.options())
	var refusal *gate.Refusal
	if f != nil || !errors.As(err, &refusal) || refusal.Status != audit.StatusRejected || refusal.Results[0].Code != audit.Code(verify.CodeIdentity) {
		t.Errorf("%v, %v", f, err)
	}
	// A source that cannot be known on some platform may carry evidence.
	path = u.write2(t, "  - if: win and unknowable == 'x'\n    then: {url: 'https://example.org/a', sha256: '"+strings.Repeat("a", 64)+"'}\n")
	if f, err = gate.Lock(context.Background(), path, u.options()); f != nil || !errors.As(err, &refusal) || refusal.Status != audit.StatusError {
		t.Errorf("%v, %v", f, err)
	}
	// For the platforms that are named it can be known.
	o := u.options()
	o.Recipe.TargetPlatforms = []string{"linux-64"}
	if f, err = gate.Lock(context.Background(), path, o); err != nil || len(f.Platforms) != 1 {
		t.Errorf("%v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f, err = gate.Lock(ctx, path, u.options()); f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", f, err)
	}
}

// A recipe of which one source fails has no lock, and those beside it have theirs.
func TestLockRunOfSeveralRecipes(t *testing.T) {
	u := newUpstream(t)
	u.release("harbour-lights", "1.0", statement{})
	u.release("other", "1.0")
	good := u.write2(t, source("harbour-lights", "1.0", ours))
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	half := u.write(t, "half.yaml", string(data)+source("other", "1.0", ours))
	o := u.options()
	o.Lock = func(string) (*lock.File, error) { return nil, errors.New("an earlier lock decides nothing") }
	locked, summary, err := gate.LockRun(context.Background(), []string{half, good}, o, func(audit.Result) error { return nil })
	if err != nil || summary.Status != audit.StatusRejected || len(locked) != 2 {
		t.Fatalf("%v %d %+v", err, summary.Status, locked)
	}
	if locked[0].Recipe != half || locked[0].File != nil || locked[0].Err != nil {
		t.Errorf("a source failed: %+v", locked[0])
	}
	if locked[1].Recipe != good || locked[1].File == nil || len(locked[1].File.Entries) != 1 {
		t.Errorf("all is well: %+v", locked[1])
	}
}

// A lock for some platforms is demanded for these, and for what the run wants.
func TestLockForSomePlatforms(t *testing.T) {
	u := newUpstream(t)
	u.release("harbour-lights", "1.0", statement{})
	u.release("other", "1.0", statement{})
	onWin := "  - if: win\n    then:\n    " + strings.ReplaceAll(source("other", "1.0", ours), "\n   ", "\n       ")
	path := u.write2(t, source("harbour-lights", "1.0", ours), onWin)
	o := u.options()
	o.Recipe.TargetPlatforms = []string{"linux-64"}
	f, err := gate.Lock(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Store([]lock.Writing{{Path: lock.Path(path), Data: f.Bytes()}}); err != nil {
		t.Fatal(err)
	}
	report, err := gate.Verify(context.Background(), path, u.locked())
	if err != nil || verdicts(report) != "verified verified" {
		t.Errorf("%v: %s", err, verdicts(report))
	}
	o = u.locked()
	o.Recipe.TargetPlatforms = []string{"win-64"}
	report, err = gate.Verify(context.Background(), path, o)
	if err == nil || verdicts(report) != "verified verified, mismatch lock-outdated" {
		t.Errorf("%v: %s", err, verdicts(report))
	}
}

// Each recipe of a run has a lock of its own.
func TestLocksOfSeveralRecipes(t *testing.T) {
	u := newUpstream(t)
	u.release("harbour-lights", "1.0", statement{})
	first := u.write2(t, source("harbour-lights", "1.0", ours))
	u.lockIt(t, first)
	data, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "recipe.yaml")
	if err := os.WriteFile(second, data, 0o644); err != nil {
		t.Fatal(err)
	}
	var got []string
	summary, err := gate.Run(context.Background(), []string{first, second}, u.locked(), func(r audit.Result) error {
		got = append(got, string(r.Code))
		return nil
	})
	if diff := cmp.Diff([]string{"verified", "lock-error"}, got); err != nil || diff != "" || summary.Status != audit.StatusError {
		t.Errorf("%v %d %s", err, summary.Status, diff)
	}
}

// A result that is at hand from a run without a lock is no result with one.
func TestLockIsPartOfTheKey(t *testing.T) {
	u := newUpstream(t)
	u.release("harbour-lights", "1.0", statement{})
	path := u.write2(t, source("harbour-lights", "1.0", ours))
	u.lockIt(t, path)
	key := func(o gate.Options) string {
		report, err := gate.Verify(context.Background(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		return report.Results[0].Key
	}
	free := u.locked()
	free.Lock = nil
	if a, b := key(free), key(u.locked()); a == b {
		t.Error("the same key")
	}
	if a, b := key(u.locked()), key(u.locked()); a != b {
		t.Error("another key")
	}
}
