package cli_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/suggest"
)

// An attestingWorld is PyPI and GitHub on loopback, where every archive of a set
// of recipes is attested: by the repository that it lies in, or that its recipe
// states.
type attestingWorld struct {
	*httptest.Server
	sigstore *sigstoretest.Sigstore

	mu      sync.Mutex
	known   map[string]bool       // digests
	pypi    map[string][]attested // by project
	assets  map[string][]attested // by path on github.com
	folders map[string][]attested // by the folder of assets
	answers map[string][]byte
}

// attested is an archive and who attests it.
type attested struct{ file, version, sha256, repository string }

func newAttestingWorld(t *testing.T) *attestingWorld {
	t.Helper()
	w := &attestingWorld{
		sigstore: sigstoretest.New(sigstoretest.Options{}), known: map[string]bool{},
		pypi: map[string][]attested{}, assets: map[string][]attested{}, folders: map[string][]attested{}, answers: map[string][]byte{},
	}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

// attest has the archives of a recipe attested, as far as anybody could.
func (w *attestingWorld) attest(rec *recipe.Recipe) {
	stated := ""
	for _, s := range rec.Statements {
		if r, ok := origin.RepositoryOf(s.Value); ok && r.Host == "github.com" && stated == "" {
			stated = r.Path
		}
	}
	for _, s := range rec.Sources() {
		if s.Err != nil || s.Kind != recipe.URLSource || !s.HasSHA256 {
			continue
		}
		w.known[s.SHA256.String()] = true
		for _, u := range s.URLs {
			a := attested{sha256: s.SHA256.String(), repository: stated}
			switch o := origin.Parse(u.Value); {
			case o.Kind == origin.KindPyPI && o.File != "":
				if a.file, a.version = o.File, o.Version; a.repository == "" {
					a.repository = "projects/" + o.Project
				}
				w.pypi[o.Project] = appendOnce(w.pypi[o.Project], a)
			case o.Kind == origin.KindGitHubRelease:
				parsed, err := url.Parse(u.Value)
				if err != nil {
					continue
				}
				a.file, a.repository = o.Asset, o.Owner+"/"+o.Repository
				w.assets[parsed.EscapedPath()] = appendOnce(w.assets[parsed.EscapedPath()], a)
				folder := path.Dir(parsed.EscapedPath())
				w.folders[folder] = appendOnce(w.folders[folder], a)
			}
		}
	}
}

func appendOnce(list []attested, a attested) []attested {
	if slices.Contains(list, a) {
		return list
	}
	return append(list, a)
}

// sign makes the bundle of an archive.
func (w *attestingWorld) sign(a attested) *sigstoretest.Bundle {
	var sum [32]byte
	if _, err := hex.Decode(sum[:], []byte(a.sha256)); err != nil {
		panic(err)
	}
	return w.sigstore.Sign(sigstoretest.Statement{Subjects: []sigstoretest.Subject{sigstoretest.FileDigest(a.file, sum)}},
		sigstoretest.GitHub(a.repository), sigstoretest.RekorV1)
}

func (w *attestingWorld) lines(list []attested) []byte {
	var bundles []*sigstoretest.Bundle
	for _, a := range list {
		bundles = append(bundles, w.sign(a))
	}
	if len(bundles) == 0 {
		return nil
	}
	return sigstoretest.JSONLines(bundles...)
}

// ServeHTTP answers by host, which is the first part of the path.
func (w *attestingWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	answer, ok := w.answers[r.URL.EscapedPath()]
	if !ok {
		answer = w.answer(r.URL.EscapedPath())
		w.answers[r.URL.EscapedPath()] = answer
	}
	w.mu.Unlock()
	if answer == nil {
		http.NotFound(rw, r)
		return
	}
	_, _ = rw.Write(answer)
}

func (w *attestingWorld) answer(address string) []byte {
	host, rest, _ := strings.Cut(strings.TrimPrefix(address, "/"), "/")
	parts := strings.Split(rest, "/")
	switch {
	case host == "pypi.org" && parts[0] == "integrity" && len(parts) == 5:
		file, _ := url.PathUnescape(parts[3])
		var bundles []*sigstoretest.Bundle
		for _, a := range w.pypi[parts[1]] {
			if a.file == file {
				bundles = append(bundles, w.sign(a))
			}
		}
		if len(bundles) > 0 {
			return sigstoretest.Provenance(bundles...)
		}
	case host == "pypi.org" && parts[0] == "simple":
		return w.simple(parts[1])
	case host == "pypi.org" && parts[0] == "pypi" && len(parts) == 4:
		if list := w.pypi[parts[1]]; len(list) > 0 {
			return fmt.Appendf(nil, `{"info":{"project_urls":{"Source":"https://github.com/%s"}}}`, list[0].repository)
		}
	case host == "api.github.com" && parts[0] == "repos" && len(parts) == 5 && parts[3] == "attestations":
		sum := strings.TrimPrefix(parts[4], "sha256:")
		if w.known[sum] {
			return fmt.Appendf(nil, `{"attestations":[{"repository_id":1,"bundle":%s}]}`, w.sign(attested{file: "archive", sha256: sum, repository: parts[1] + "/" + parts[2]}).JSON())
		}
	case host == "github.com":
		return w.beside("/" + rest)
	}
	return nil
}

// beside has a file beside some assets, one for all assets of others, and nothing
// beside the rest.
func (w *attestingWorld) beside(address string) []byte {
	among := func(list []attested, which ...byte) (some []attested) {
		for _, a := range list {
			if slices.Contains(which, a.sha256[0]&3) { // of a hexadecimal digit
				some = append(some, a)
			}
		}
		return some
	}
	if asset, ok := strings.CutSuffix(address, ".sigstore.json"); ok {
		return w.lines(among(w.assets[asset], 0))
	}
	if asset, ok := strings.CutSuffix(address, ".intoto.jsonl"); ok && path.Base(asset) != "multiple" {
		return w.lines(among(w.assets[asset], 1))
	}
	if path.Base(address) == "multiple.intoto.jsonl" {
		return w.lines(among(w.folders[path.Dir(address)], 2))
	}
	return nil
}

func (w *attestingWorld) simple(project string) []byte {
	type file struct {
		Filename   string            `json:"filename"`
		Hashes     map[string]string `json:"hashes"`
		Provenance string            `json:"provenance"`
		Uploaded   string            `json:"upload-time"`
	}
	var answer struct {
		Files []file `json:"files"`
	}
	for i, a := range w.pypi[project] {
		answer.Files = append(answer.Files, file{
			a.file,
			map[string]string{"sha256": a.sha256},
			fmt.Sprintf("https://pypi.org/integrity/%s/%s/%s/provenance", project, a.version, url.PathEscape(a.file)),
			fmt.Sprintf("2025-01-01T00:%02d:00Z", i%60),
		})
	}
	data, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return data
}

// run runs the command against this world.
func (w *attestingWorld) run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "root.json"), string(w.sigstore.TrustedRootJSON()))
	args = append(args, "--no-policy", "--trusted-root", filepath.Join(dir, "root.json"), "--no-cache", "--limit", "*=0/0", "--jobs", "16")
	for _, host := range []string{"pypi.org", "github.com", "api.github.com", "raw.githubusercontent.com"} {
		args = append(args, "--mirror", "https://"+host+"/="+w.URL+"/"+host+"/", "--limit", host+"=0/0")
	}
	env := cli.OS()
	env.Getenv = func(string) string { return "" }
	var out, errs bytes.Buffer
	status = cli.Main(context.Background(), env, strings.NewReader(""), &out, &errs, args)
	return status, out.String(), errs.String()
}

// Every recipe of conda-forge gets its blocks by one command: the recipes give
// the same sources as before, every block verifies, and nothing was changed but
// lines added.
func TestRoundTripOverAllFeedstocks(t *testing.T) {
	feedstocks := shared.Path(t, "recipes", "feedstocks")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	dir := t.TempDir()
	w := newAttestingWorld(t)
	before := copyRecipes(t, feedstocks, dir, w)
	command := func(args ...string) string {
		t.Helper()
		c := exec.Command(git, append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	command("init", "-q")
	command("add", ".")
	command("commit", "-qm", "before")

	status, stdout, stderr := w.run(t, "suggest", "--write", "--accept", "*", "--format", "json", "--quiet", dir)
	var d report.SuggestDocument
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || status != 0 || !d.Written {
		t.Fatalf("status %d, %v\n%s", status, err, stderr)
	}
	t.Logf("%d recipes, %d sources: %v", d.Summary.Recipes, d.Summary.Sources, d.Summary.Kinds)
	blocks := checkProposals(t, d)

	// Lines were added, and nothing else; and where they were, and nowhere else.
	changed := 0
	for line := range strings.Lines(command("diff", "--numstat")) {
		fields := strings.Fields(line)
		if changed++; len(fields) != 3 || fields[0] == "0" || fields[1] != "0" {
			t.Errorf("git diff says %q", line)
		}
	}
	if changed != d.Summary.Changed || changed == 0 {
		t.Errorf("git says that %d recipes changed, the report says %d", changed, d.Summary.Changed)
	}

	// The sources are the same.
	for name, was := range before {
		rec, err := recipe.Read(filepath.Join(dir, name, "recipe.yaml"), everywhere)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(was, sourcesOf(t, rec)); diff != "" {
			t.Errorf("%s has other sources (-before +after):\n%s", name, diff)
		}
		blocks[filepath.Join(dir, name, "recipe.yaml")] -= blocksOf(rec)
	}
	for name, n := range blocks {
		if n != 0 {
			t.Errorf("%s: %d blocks more were said to be written than there are", name, n)
		}
	}

	// And every block verifies.
	out := filepath.Join(t.TempDir(), "audit.json")
	status, _, stderr = w.run(t, "audit", "--report", "json="+out, "--quiet", dir)
	_, summary := readAudit(t, out)
	verdicts, _ := summary["verdicts"].(map[string]any)
	if status != 0 || len(verdicts) != 2 || verdicts[string(audit.Verified)] == nil || verdicts[string(audit.Unattested)] == nil {
		t.Errorf("the audit ends with status %d: %v\n%s", status, verdicts, stderr)
	}

	// A second run has nothing more to propose.
	_, stdout, _ = w.run(t, "suggest", "--diff", "--accept", "*", "--quiet", dir)
	if stdout != "" {
		t.Errorf("a second run proposes\n%.2000s", stdout)
	}
}

var everywhere = recipe.Options{TargetPlatforms: []string{recipe.AllPlatforms}, Statements: true}

// copyRecipes copies the recipes, has their archives attested, and gives their
// sources by the feedstock's name.
func copyRecipes(t *testing.T, feedstocks, dir string, w *attestingWorld) map[string]string {
	t.Helper()
	names, err := os.ReadDir(feedstocks)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for i, name := range names {
		if raceEnabled && i%10 != 0 {
			continue
		}
		from, to := filepath.Join(feedstocks, name.Name()), filepath.Join(dir, name.Name())
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !f.Type().IsRegular() || filepath.Ext(f.Name()) == ".jsonl" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(from, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(to, f.Name()), string(data))
		}
		rec, err := recipe.Read(filepath.Join(to, "recipe.yaml"), everywhere)
		if err != nil {
			t.Fatal(err)
		}
		w.attest(rec)
		before[name.Name()] = sourcesOf(t, rec)
	}
	if raceEnabled {
		t.Logf("the race detector sees a tenth: %d recipes", len(before))
	} else if len(before) < 2000 {
		t.Errorf("there are %d recipes only", len(before))
	}
	return before
}

// sourcesOf lists what the command `sources` does, without blocks and positions.
func sourcesOf(t *testing.T, rec *recipe.Recipe) string {
	t.Helper()
	d := report.Sources(rec)
	for i := range d.Warnings {
		d.Warnings[i].Position = ""
	}
	for _, outputs := range [][]report.OutputSources{d.Outputs, d.Staging} {
		for _, o := range outputs {
			for i := range o.Sources {
				o.Sources[i].Attestation, o.Sources[i].Position = nil, ""
			}
		}
	}
	data, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocksOf counts the places with a block.
func blocksOf(rec *recipe.Recipe) int {
	places := map[recipe.Position]bool{}
	for _, s := range rec.Sources() {
		if s.Attestation != nil {
			places[s.Pos] = true
		}
	}
	return len(places)
}

// checkProposals looks that nothing is left out that could have a block, and
// counts the blocks of each recipe.
func checkProposals(t *testing.T, d report.SuggestDocument) map[string]int {
	t.Helper()
	blocks := map[string]int{}
	var derived, follow, lookups, fixed int
	for _, r := range d.Recipes {
		for _, s := range r.Sources {
			if s.Kind != suggest.Proposed {
				if attestable(s) {
					t.Errorf("%s: %s: %s", s.Position, s.Kind, s.Reason)
				}
				continue
			}
			blocks[r.Path]++
			switch p := s.Proposal; {
			case p.BundleURL == "":
				derived++
			case !p.Fixed:
				follow++
			case strings.HasPrefix(p.BundleURL, "https://api.github.com/"):
				lookups++
			default:
				fixed++
				t.Logf("%s: its bundle_url is %s", s.Position, p.BundleURL)
			}
		}
	}
	t.Logf("%d need no bundle_url, %d follow the version, %d are look-ups by digest, %d do not follow", derived, follow, lookups, fixed)
	return blocks
}

// attestable tells whether somebody could attest a source without a block: it is
// pinned, and lies on PyPI or GitHub.
func attestable(s report.SuggestSource) bool {
	for _, a := range s.Archives {
		for _, u := range a.URLs {
			switch o := origin.Parse(u); o.Kind {
			case origin.KindPyPI, origin.KindGitHubRelease, origin.KindGitHubArchive:
				return a.SHA256 != "" && (o.Kind != origin.KindPyPI || o.File != "")
			}
		}
	}
	return false
}
