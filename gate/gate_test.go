package gate_test

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// An upstream is a project with its release on a server, PyPI's place included.
type upstream struct {
	*httptest.Server
	sigstore *sigstoretest.Sigstore
	root     string // file
	dir      string

	mu      sync.Mutex
	files   map[string][]byte
	status  map[string]int
	asked   map[string]int
	started chan string // of paths in hang
	hang    map[string]bool
}

var archive = []byte("the archive of harbour-lights 2.4.1")

const (
	sdist      = "/packages/source/h/harbour-lights/harbour_lights-2.4.1.tar.gz"
	integrity  = "/integrity/harbour-lights/2.4.1/harbour_lights-2.4.1.tar.gz/provenance"
	simple     = "/simple/harbour-lights/"
	repository = "harbour-lights/harbour-lights"
)

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{
		sigstore: sigstoretest.New(sigstoretest.Options{}),
		dir:      t.TempDir(),
		files:    map[string][]byte{}, status: map[string]int{}, asked: map[string]int{},
		hang: map[string]bool{}, started: make(chan string, 16),
	}
	u.root = u.write(t, "root.json", string(u.sigstore.TrustedRootJSON()))
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	u.files[sdist] = archive
	u.files[integrity] = u.provenance(repository, archive)
	return u
}

func (u *upstream) provenance(repository string, content []byte, knobs ...sigstoretest.Knob) []byte {
	b := u.sigstore.Sign(sigstoretest.Attest("harbour_lights-2.4.1.tar.gz", content),
		sigstoretest.GitHub(repository), sigstoretest.RekorV1, knobs...)
	return sigstoretest.Provenance(b)
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.asked[r.URL.Path]++
	file, ok := u.files[r.URL.Path]
	status, hang := u.status[r.URL.Path], u.hang[r.URL.Path]
	u.mu.Unlock()
	switch {
	case hang:
		u.started <- r.URL.Path
		<-r.Context().Done()
	case status != 0:
		w.WriteHeader(status)
	case !ok:
		http.NotFound(w, r)
	default:
		_, _ = w.Write(file)
	}
}

func (u *upstream) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(u.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// recipe writes a recipe with one source on PyPI and more lines about it.
func (u *upstream) recipe(t *testing.T, more string) string {
	t.Helper()
	sum := sha256.Sum256(archive)
	return u.write(t, "recipe.yaml", fmt.Sprintf(`package: {name: harbour-lights, version: 2.4.1}
source:
  url: https://pypi.org%s
  sha256: %x
%s`, sdist, sum, more))
}

const block = "  attestation: {publishers: github:harbour-lights/harbour-lights}\n"

func (u *upstream) options() gate.Options {
	return gate.Options{
		Trust:   trust.Config{Roots: trust.RootFiles(u.root)},
		Mirrors: []fetch.Mirror{{From: "https://pypi.org/", To: u.URL + "/"}},
		Timeout: time.Second,
	}
}

func TestVerdicts(t *testing.T) {
	sum := md5.Sum(archive)
	good := hex.EncodeToString(sum[:])
	for _, c := range []struct {
		name    string
		change  func(*upstream, *gate.Options)
		recipe  string
		verdict audit.Verdict
		code    audit.Code
		status  int
	}{
		{"verified", nil, block, audit.Verified, audit.CodeVerified, 0},
		{"with md5", nil, "  md5: " + good + "\n" + block, audit.Verified, audit.CodeVerified, 0},
		{"other md5", nil, "  md5: " + strings.Repeat("0a", 16) + "\n" + block, audit.Mismatch, audit.CodeArchiveMD5, 1},
		{"empty md5", nil, "  md5: \"\"\n" + block, audit.Error, audit.CodeRecipe, 2},
		{"no block", nil, "", audit.Unattested, audit.CodeNoBlock, 0},
		{
			"no block, one required", func(_ *upstream, o *gate.Options) { o.RequireAttestations = true },
			"", audit.Missing, audit.CodeNoBlock, 1,
		},
		{
			"other publisher", func(u *upstream, _ *gate.Options) { u.files[integrity] = u.provenance("evil/harbour-lights", archive) },
			block, audit.Mismatch, audit.Code(verify.CodeIdentity), 1,
		},
		{
			"archive replaced", func(u *upstream, _ *gate.Options) { u.files[sdist] = []byte("evil") },
			block, audit.Mismatch, audit.CodeArchiveDigest, 1,
		},
		{
			"archive and evidence replaced", func(u *upstream, _ *gate.Options) {
				u.files[sdist] = []byte("evil")
				u.files[integrity] = u.provenance(repository, []byte("evil"))
			}, block, audit.Mismatch, audit.Code(verify.CodeOtherDigest), 1,
		},
		{
			"evidence broken", func(u *upstream, _ *gate.Options) {
				u.files[integrity] = u.provenance(repository, archive, sigstoretest.WithoutSCT())
			}, block, audit.Invalid, audit.Code(verify.CodeSCT), 1,
		},
		{
			"evidence is no JSON", func(u *upstream, _ *gate.Options) { u.files[integrity] = []byte("<html>") },
			block, audit.Invalid, audit.Code(verify.CodeMalformed), 1,
		},
		{
			"no evidence", func(u *upstream, _ *gate.Options) { delete(u.files, integrity) },
			block, audit.Missing, audit.CodeNoEvidence, 1,
		},
		{
			"evidence, 503", func(u *upstream, _ *gate.Options) { u.status[integrity] = 503 },
			block, audit.Unavailable, audit.CodeFetchFailed, 3,
		},
		{
			"evidence, 403", func(u *upstream, _ *gate.Options) { u.status[integrity] = 403 },
			block, audit.Unavailable, audit.CodeFetchFailed, 3,
		},
		{
			"evidence hangs", func(u *upstream, _ *gate.Options) { u.hang[integrity] = true },
			block, audit.Unavailable, audit.CodeFetchFailed, 3,
		},
		{
			"index, 503", func(u *upstream, _ *gate.Options) { delete(u.files, integrity); u.status[simple] = 503 },
			block, audit.Unavailable, audit.CodeFetchFailed, 3,
		},
		{
			"no archive", func(u *upstream, _ *gate.Options) { delete(u.files, sdist) },
			block, audit.Missing, audit.CodeArchiveMissing, 1,
		},
		{
			"archive, 503", func(u *upstream, _ *gate.Options) { u.status[sdist] = 503 },
			block, audit.Unavailable, audit.CodeFetchFailed, 3,
		},
		{
			"archive too large", func(_ *upstream, o *gate.Options) { o.MaxArchive = 8 },
			block, audit.Error, audit.CodeTooLarge, 2,
		},
		{
			"metadata only, the archive being replaced", func(u *upstream, o *gate.Options) {
				o.NoDownload = true
				u.files[sdist] = []byte("evil")
			}, block, audit.Verified, audit.CodeMetadataOnly, 0,
		},
		{
			"metadata only, evidence of something else", func(u *upstream, o *gate.Options) {
				o.NoDownload = true
				u.files[integrity] = u.provenance(repository, []byte("evil"))
			}, block, audit.Mismatch, audit.Code(verify.CodeOtherDigest), 1,
		},
		{
			"bundle_url", func(u *upstream, o *gate.Options) {
				o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://example.org/", To: u.URL + "/example/"})
				u.files["/example/b.json"] = u.sigstore.Sign(sigstoretest.Message(archive), sigstoretest.GitHub(repository), sigstoretest.RekorV2).JSON()
			}, "  attestation:\n    bundle_url: https://example.org/b.json\n    publishers: github:" + repository + "\n",
			audit.Verified, audit.CodeVerified, 0,
		},
		{
			"bundle_url to nothing, though PyPI has provenance", func(u *upstream, o *gate.Options) {
				o.Mirrors = append(o.Mirrors, fetch.Mirror{From: "https://example.org/", To: u.URL + "/example/"})
			}, "  attestation:\n    bundle_url: https://example.org/b.json\n    publishers: github:" + repository + "\n",
			audit.Missing, audit.CodeNoEvidence, 1,
		},
		{"wrong block", nil, "  attestation: {publisher: x}\n", audit.Error, audit.CodeRecipe, 2},
		{"no publishers", nil, "  attestation: {publishers: []}\n", audit.Error, audit.CodeRecipe, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			o := u.options()
			if c.change != nil {
				c.change(u, &o)
			}
			report, err := gate.Verify(context.Background(), u.recipe(t, c.recipe), o)
			if len(report.Results) != 1 {
				t.Fatalf("%d results, error %v", len(report.Results), err)
			}
			r := report.Results[0]
			if diff := cmp.Diff([]any{c.verdict, c.code, c.status}, []any{r.Verdict, r.Code, report.Summary.Status}); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, r.Message)
			}
			if r.Evidence.Verified() != (c.verdict == audit.Verified) {
				t.Errorf("evidence is verified: %v", r.Evidence.Verified())
			}
			var refusal *gate.Refusal
			if errors.As(err, &refusal) != (c.status != 0) || (err == nil) != (c.status == 0) {
				t.Errorf("error %v with status %d", err, c.status)
			}
			if c.status != 0 && r.Hint == "" {
				t.Errorf("no hint for %q", r.Message)
			}
			if o.NoDownload && u.asked[sdist] > 0 {
				t.Error("the archive was fetched")
			}
		})
	}
}

// What is not needed any more is not waited for.
func TestBadEvidenceCancelsTheDownload(t *testing.T) {
	u := newUpstream(t)
	u.hang[sdist] = true
	u.files[integrity] = u.provenance("evil/x", archive)
	o := u.options()
	o.Timeout = time.Minute
	start := time.Now()
	report, err := gate.Verify(context.Background(), u.recipe(t, block), o)
	if err == nil || report.Results[0].Verdict != audit.Mismatch {
		t.Errorf("verdict %q", report.Results[0].Verdict)
	}
	if spent := time.Since(start); spent > 20*time.Second {
		t.Errorf("took %v", spent)
	}
}

func TestInterrupt(t *testing.T) {
	for _, path := range []string{sdist, integrity} {
		u := newUpstream(t)
		u.hang[path] = true
		o := u.options()
		o.Timeout = time.Minute
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-u.started
			cancel()
		}()
		start := time.Now()
		report, err := gate.Verify(ctx, u.recipe(t, block), o)
		if !errors.Is(err, context.Canceled) || report.Summary.Status != audit.StatusInterrupted {
			t.Errorf("%s: error %v, status %d", path, err, report.Summary.Status)
		}
		if spent := time.Since(start); spent > 10*time.Second {
			t.Errorf("%s: took %v", path, spent)
		}
	}
}

// Several recipes, in order, whatever is done first; the worst status wins.
func TestOrderAndStatus(t *testing.T) {
	u := newUpstream(t)
	var paths []string
	var want []audit.Verdict
	for i, r := range []struct {
		more string
		want audit.Verdict
	}{{block, audit.Verified}, {"", audit.Unattested}, {strings.Replace(block, "harbour", "other", 1), audit.Mismatch}, {"  sha: x\n", audit.Error}, {block, audit.Verified}} {
		data, err := os.ReadFile(u.recipe(t, r.more))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, u.write(t, fmt.Sprintf("%d.yaml", i), string(data)))
		want = append(want, r.want)
	}
	var got []audit.Verdict
	summary, err := gate.Run(context.Background(), paths, u.options(), func(r audit.Result) error {
		got = append(got, r.Verdict)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if summary.Status != audit.StatusError || summary.Recipes != 5 || summary.Sources != 5 {
		t.Errorf("summary %+v", summary)
	}
}

func TestHandlerErrorEndsTheRun(t *testing.T) {
	u := newUpstream(t)
	stop := errors.New("stop")
	_, err := gate.Run(context.Background(), []string{u.recipe(t, block), u.recipe(t, block)}, u.options(), func(audit.Result) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

// Without network, cache or trusted root: an error in time, and no hang.
func TestNothingAtHand(t *testing.T) {
	u := newUpstream(t)
	for name, o := range map[string]gate.Options{
		"offline":     {Offline: true, CacheDir: t.TempDir()},
		"unreachable": {CacheDir: t.TempDir(), Timeout: 2 * time.Second, Mirrors: []fetch.Mirror{{From: "https://", To: "http://127.0.0.1:1/"}}},
	} {
		start := time.Now()
		report, err := gate.Verify(context.Background(), u.recipe(t, block), o)
		if err == nil || report.Summary.Status == 0 {
			t.Errorf("%s: verified", name)
		}
		if report.Results[0].Hint == "" {
			t.Errorf("%s: no hint for %q", name, report.Results[0].Message)
		}
		if spent := time.Since(start); spent > 15*time.Second {
			t.Errorf("%s: took %v", name, spent)
		}
	}
}

func TestUnreadableRootIsAnError(t *testing.T) {
	u := newUpstream(t)
	o := u.options()
	o.Trust.Roots = trust.RootFiles(filepath.Join(u.dir, "absent.json"))
	if _, err := gate.Verify(context.Background(), u.recipe(t, block), o); err == nil {
		t.Error("no error")
	}
}
