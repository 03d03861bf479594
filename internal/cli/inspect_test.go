package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/cli"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/report"
)

var archive = []byte("the archive")

// inspector runs inspect with the trusted root of an instance.
type inspector struct {
	dir  string
	root string
}

func newInspector(t *testing.T, s *sigstoretest.Sigstore) inspector {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "root.json")
	writeFile(t, root, string(s.TrustedRootJSON()))
	return inspector{dir, root}
}

func (i inspector) file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(i.dir, "evidence")
	writeFile(t, path, string(data))
	return path
}

func (i inspector) run(stdin []byte, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	args = append([]string{"inspect", "--no-policy", "--trusted-root", i.root}, args...)
	status = cli.Main(context.Background(), env(), bytes.NewReader(stdin), &out, &errs, args)
	return status, out.String(), errs.String()
}

// document runs inspect for JSON, which has to be of its schema.
func (i inspector) document(t *testing.T, stdin []byte, args ...string) (report.InspectDocument, int) {
	t.Helper()
	status, out, errs := i.run(stdin, append(args, "--format", "json")...)
	var d report.InspectDocument
	if out == "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	validateAs(t, "inspect.schema.json", []byte(out))
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	if d.Summary.ExitStatus != status {
		t.Errorf("status %d, and the document says %d", status, d.Summary.ExitStatus)
	}
	return d, status
}

func github(name string) (sigstoretest.Statement, sigstoretest.Identity) {
	return sigstoretest.SLSA("harbour/lights", sigstoretest.File(name, archive)), sigstoretest.GitHub("harbour/lights")
}

func signed(s *sigstoretest.Sigstore, name string, knobs ...sigstoretest.Knob) *sigstoretest.Bundle {
	statement, identity := github(name)
	return s.Sign(statement, identity, sigstoretest.RekorV1, knobs...)
}

func TestInspectReadsEachForm(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	a, b := signed(s, "a.tar.gz"), signed(s, "b.tar.gz")
	api := func(items ...string) []byte { return []byte(`{"attestations":[` + strings.Join(items, ",") + `]}`) }
	held := func(b *sigstoretest.Bundle) string {
		return `{"repository_id":7,"bundle_url":"https://blob.example/x","bundle":` + string(b.JSON()) + `}`
	}
	const elsewhere = `{"repository_id":7,"bundle_url":"https://blob.example/x?sig=sesame","bundle":null}`
	for _, c := range []struct {
		name      string
		data      []byte
		format    attestation.Format
		bundles   int
		elsewhere int
		status    int
	}{
		{"bundle", a.JSON(), attestation.BundleFormat, 1, 0, 0},
		{"lines", sigstoretest.JSONLines(a, b), attestation.LinesFormat, 2, 0, 0},
		{"array", sigstoretest.JSONArray(a, b), attestation.ArrayFormat, 2, 0, 0},
		{"PEP 740", a.PEP740(), attestation.PEP740Format, 1, 0, 0},
		{"provenance", sigstoretest.Provenance(a, b), attestation.ProvenanceFormat, 2, 0, 0},
		{"API", api(held(a), held(b)), attestation.GitHubFormat, 2, 0, 0},
		{"API, one elsewhere", api(held(a), elsewhere), attestation.GitHubFormat, 1, 1, 3},
		{"API, all elsewhere", api(elsewhere), attestation.GitHubFormat, 0, 1, 3},
		{"snappy", snappy.Encode(nil, a.JSON()), attestation.BundleFormat, 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, from := range []string{i.file(t, c.data), "-"} {
				d, status := i.document(t, c.data, from)
				if status != c.status || d.Format != c.format || len(d.Bundles) != c.bundles || len(d.Elsewhere) != c.elsewhere ||
					d.Snappy != (c.name == "snappy") || d.Origin != from {
					t.Errorf("status %d, format %q, %d bundles, %d elsewhere, snappy %v, origin %q",
						status, d.Format, len(d.Bundles), len(d.Elsewhere), d.Snappy, d.Origin)
				}
				for _, b := range d.Bundles {
					if !b.Genuine || b.Verified == nil || b.Verified.Publisher != "github:harbour/lights" {
						t.Errorf("%+v", b)
					}
				}
				_, text, _ := i.run(c.data, from)
				if strings.Contains(text, "sesame") {
					t.Errorf("a secret is shown:\n%s", text)
				}
				if c.elsewhere > 0 && !strings.Contains(text, "not looked at, since the bundle lies elsewhere") {
					t.Errorf("the text does not tell of the bundle elsewhere:\n%s", text)
				}
			}
		})
	}
}

func TestInspectStatus(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	good, bad := signed(s, "a.tar.gz"), signed(s, "a.tar.gz", sigstoretest.ForgedSignature())
	other := s.Sign(sigstoretest.SLSA("harbour/lights", sigstoretest.File("b.tar.gz", []byte("b"))), sigstoretest.GitHub("harbour/lights"), sigstoretest.RekorV2)
	path := filepath.Join(i.dir, "a.tar.gz")
	writeFile(t, path, string(archive))
	sum := sigstoretest.File("", archive).Digest["sha256"]
	elsewhere := `{"bundle":null,"bundle_url":"https://blob.example/x"}`
	for _, c := range []struct {
		name   string
		data   []byte
		args   []string
		status int
	}{
		{"genuine", good.JSON(), nil, 0},
		{"not genuine", bad.JSON(), nil, 1},
		{"one of two is genuine", sigstoretest.JSONLines(good, bad), nil, 1},
		{"of the artifact", good.JSON(), []string{"--artifact", path}, 0},
		{"of the digest", good.JSON(), []string{"--sha256", sum}, 0},
		{"of the digest in upper case", good.JSON(), []string{"--sha256", strings.ToUpper(sum)}, 0},
		{"of another artifact", other.JSON(), []string{"--artifact", path}, 1},
		{"one of two is of the artifact", sigstoretest.JSONLines(other, good), []string{"--artifact", path}, 0},
		{"the one of the artifact is not genuine", sigstoretest.JSONLines(other, bad), []string{"--artifact", path}, 1},
		{"the one of the artifact may lie elsewhere", []byte(`{"attestations":[{"bundle":` + string(other.JSON()) + `},` + elsewhere + `]}`), []string{"--artifact", path}, 3},
		{"a broken one beside one elsewhere", []byte(`{"attestations":[{"bundle":` + string(bad.JSON()) + `},` + elsewhere + `]}`), nil, 1},
		{"no evidence", []byte("<html>"), nil, 2},
		{"empty", nil, nil, 2},
		{"absent artifact", good.JSON(), []string{"--artifact", filepath.Join(i.dir, "none")}, 2},
		{"artifact that is a folder", good.JSON(), []string{"--artifact", i.dir}, 2},
		{"malformed digest", good.JSON(), []string{"--sha256", "abc"}, 2},
		{"empty digest", good.JSON(), []string{"--sha256", ""}, 2},
		{"empty artifact", good.JSON(), []string{"--artifact", ""}, 2},
		{"both", good.JSON(), []string{"--sha256", sum, "--artifact", path}, 2},
		{"unknown format", good.JSON(), []string{"--format", "yaml"}, 2},
		{"another argument", good.JSON(), []string{"more"}, 2},
		{"absent root", good.JSON(), []string{"--trusted-root", filepath.Join(i.dir, "none")}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := i.run(nil, append([]string{i.file(t, c.data)}, c.args...)...)
			if status != c.status {
				t.Errorf("status %d, wanted %d:\n%s%s", status, c.status, out, errs)
			}
			if (status == 2) != (out == "") || (status == 2) != (errs != "") {
				t.Errorf("standard output %q, standard error %q", out, errs)
			}
		})
	}
	for _, arg := range []string{i.dir, filepath.Join(i.dir, "none"), ""} {
		if status, _, errs := i.run(nil, arg); status != 2 || errs == "" {
			t.Errorf("%q: status %d, %q", arg, status, errs)
		}
	}
}

func TestInspectFetches(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	b := signed(s, "a.tar.gz")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bundle":
			_, _ = w.Write(b.JSON())
		case "/block":
			w.Header().Set("Content-Type", "application/x-snappy")
			_, _ = w.Write(snappy.Encode(nil, b.JSON()))
		case "/html":
			fmt.Fprint(w, "<!doctype html>")
		case "/large":
			_, _ = w.Write(bytes.Repeat([]byte(" "), attestation.MaxDocument+1))
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		name, address string
		args          []string
		status        int
		says          string
	}{
		{"bundle", server.URL + "/bundle?token=sesame", nil, 0, "bundle 1 of 1: genuine"},
		{"block", server.URL + "/block", nil, 0, "in a snappy block"},
		{"HTML", server.URL + "/html?token=sesame", nil, 2, "an HTML page"},
		{"absent", server.URL + "/none?token=sesame", nil, 3, "does not exist"},
		{"forbidden", server.URL + "/forbidden", nil, 3, "403"},
		{"too large", server.URL + "/large", nil, 2, "16"},
		{"link-local by redirect", server.URL + "/metadata", nil, 2, "refused"},
		{"link-local", "http://169.254.169.254/latest", nil, 2, "refused"},
		{"offline", server.URL + "/bundle", []string{"--offline"}, 2, "offline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := i.run(nil, append([]string{c.address}, c.args...)...)
			if status != c.status || !strings.Contains(out+errs, c.says) || strings.Contains(out+errs, "sesame") {
				t.Errorf("status %d, wanted %d and %q:\n%s%s", status, c.status, c.says, out, errs)
			}
		})
	}
}

// Whatever place of a bundle is changed: either it is not genuine, and then
// nothing that it says stands under words that claim so; or what was changed is
// nothing that is shown.
func TestInspectOfTamperedEvidence(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	for _, log := range []sigstoretest.Log{sigstoretest.RekorV1, sigstoretest.RekorV2} {
		statement, identity := github("a.tar.gz")
		original := s.Sign(statement, identity, log).JSON()
		whole, _ := i.document(t, original, "-")
		for _, place := range sigstoretest.Leaves(original) {
			changed := sigstoretest.Mutate(original, place)
			status, text, errs := i.run(changed, "-")
			if status == 2 {
				if text != "" || errs == "" {
					t.Errorf("%s: %q, %q", place, text, errs)
				}
				continue
			}
			d, _ := i.document(t, changed, "-")
			if d.Bundles[0].Genuine {
				if diff := cmp.Diff(whole.Bundles[0].Verified, d.Bundles[0].Verified); diff != "" {
					t.Errorf("%s changed what is genuine (-original +changed):\n%s", place, diff)
				}
				continue
			}
			before, _, _ := strings.Cut(text, "what it says, and nothing proves:")
			if status != 1 || d.Bundles[0].Verified != nil || strings.Contains(before, "harbour") || strings.Contains(text, ": genuine\n") {
				t.Errorf("%s: status %d\n%s", place, status, text)
			}
			if !strings.Contains(text, "0 genuine, 1 not") || !strings.Contains(text, "no bundle is genuine") {
				t.Errorf("%s:\n%s", place, text)
			}
		}
	}
}

// An instance that nobody trusts can say anything.
func TestInspectOfAnUnknownAuthority(t *testing.T) {
	i := newInspector(t, sigstoretest.New(sigstoretest.Options{}))
	foreign := signed(sigstoretest.New(sigstoretest.Options{}), "a.tar.gz")
	sum := sigstoretest.File("", archive).Digest["sha256"]
	d, status := i.document(t, foreign.JSON(), "-", "--sha256", sum)
	b := d.Bundles[0]
	if status != 1 || b.Genuine || b.Verified != nil || b.Unverified.Publisher != "github:harbour/lights" || d.Summary.SpeakOf != 0 {
		t.Errorf("status %d: %+v", status, b)
	}
	for _, c := range b.Checks {
		if c.Outcome == "holds" {
			t.Errorf("the check %s holds", c.Name)
		}
	}
}

func TestInspectShowsReusableWorkflows(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	identity := sigstoretest.GitHub("harbour/lights", func(r *sigstoretest.GitHubRun) {
		r.SignerRepository, r.SignerWorkflow = "Tidewater/workflows", ".github/workflows/shared.yml"
		r.Environment = "pypi"
	})
	b := s.Sign(sigstoretest.Attest("a.tar.gz", archive), identity, sigstoretest.RekorV1)
	d, _ := i.document(t, b.JSON(), "-")
	got := *d.Bundles[0].Verified
	got.Content, got.ValidFrom, got.ValidUntil = nil, nil, nil
	want := report.InspectedContent{
		Publisher: "github:harbour/lights", Workflow: ".github/workflows/shared.yml",
		Reusable: "https://github.com/tidewater/workflows", Environment: "pypi",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// All real evidence is read, and is genuine against the roots beside it; what
// each says of its signer is right.
func TestInspectOfRealEvidence(t *testing.T) {
	i := inspector{t.TempDir(), shared.Path(t, "trust", "public-good.json")}
	more := []string{"--trusted-root", shared.Path(t, "trust", "github.json"), "--trusted-root", shared.Path(t, "trust", "staging.json")}
	want := map[string]string{
		"bundles/Python-3.12.5.tgz.sigstore":                                                     "public-good thomas@python.org (https://accounts.google.com)",
		"bundles/cosign-3.0.5-1.aarch64.rpm.sigstore.json":                                       "public-good keyless@projectsigstore.iam.gserviceaccount.com (https://accounts.google.com)",
		"bundles/sigstore-js-2.1.0.bundle-v0.1.json":                                             "public-good github:sigstore/sigstore-js",
		"cep27/signed-package-2.1.0-hb0f4dca_0.conda.sigstore.json":                              "public-good github:prefix-dev/sigstore-example",
		"cep27/signed-package-2.1.0-hb0f4dca_0.conda.staging-rekor2.sigstore.json":               "staging jku@goto.fi (https://github.com/login/oauth)",
		"github/github_provenance_demo-0.0.12-py3-none-any.whl.jsonl":                            "github github:actions/attest-demo",
		"github/attestations-api-response.json":                                                  "public-good github:carabiner-dev/demo-repo",
		"github/immutable-release-v0.2.sigstore.json":                                            "github github:jdx/communique",
		"github/private-repository-2026.sigstore.json":                                           "github github:neverendingsupport/nes-java-test-lib-a",
		"github/reusable-workflow.sigstore.json":                                                 "public-good github:malancas/attest-demo",
		"pep740/gitlab_oidc_project-0.0.3.tar.gz.publish.attestation":                            "public-good gitlab:facutuesca/gitlab-oidc-project",
		"pep740/pypi_attestation_models-0.0.4a2.tar.gz.attestation":                              "public-good github:trailofbits/pypi-attestation-models",
		"pep740/pypi_attestations-0.0.19.tar.gz.publish.attestation":                             "public-good github:trailofbits/pypi-attestations",
		"pep740/pypi_attestations-0.0.19.tar.gz.slsa.attestation":                                "public-good github:trailofbits/pypi-attestations",
		"pep740/pypi_attestations-0.0.28.tar.gz.publish.attestation":                             "public-good github:pypi/pypi-attestations",
		"pep740/rfc8785-0.1.2-py3-none-any.whl.attestation":                                      "staging william@yossarian.net (https://github.com/login/oauth)",
		"pep740/sampleproject-3.0.0.tar.gz.publish.attestation":                                  "public-good 919436158236-compute@developer.gserviceaccount.com (https://accounts.google.com)",
		"../internet/pypi.org/integrity/pypi-attestations/0.0.19/*/provenance":                   "public-good github:trailofbits/pypi-attestations",
		"../internet/pypi.org/integrity/sampleproject/4.0.0/*/provenance":                        "public-good github:pypa/sampleproject",
		"../internet/github.com/aspect-build/rules_lint/releases/download/v1.3.1/*.intoto.jsonl": "public-good github:aspect-build/rules_lint",
	}
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "attestations"), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, _ := filepath.Rel(shared.Path(t, "attestations"), file)
		if _, ok := want[filepath.ToSlash(name)]; !ok && !isArchive(t, file) {
			t.Errorf("nothing is expected of %s", name)
		}
	}
	for pattern, expected := range want {
		t.Run(pattern, func(t *testing.T) {
			paths, err := filepath.Glob(filepath.Join(shared.Path(t, "attestations"), filepath.FromSlash(pattern)))
			if err != nil || len(paths) != 1 {
				t.Fatalf("found %q, error %v", paths, err)
			}
			d, status := i.document(t, nil, append([]string{paths[0]}, more...)...)
			if status != 0 || len(d.Bundles) == 0 {
				t.Fatalf("status %d, %d bundles", status, len(d.Bundles))
			}
			for _, b := range d.Bundles {
				if got := b.TrustDomain + " " + b.Verified.Publisher; got != expected {
					t.Errorf("found %q, wanted %q", got, expected)
				}
			}
			if status, text, _ := i.run(nil, append([]string{paths[0]}, more...)...); status != 0 || !strings.Contains(text, "publisher   "+d.Bundles[0].Verified.Publisher) {
				t.Errorf("status %d:\n%s", status, text)
			}
		})
	}
}

// isArchive tells archives from evidence.
func isArchive(t *testing.T, path string) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.HasPrefix(data, []byte("\x1f\x8b")) || bytes.HasPrefix(data, []byte("PK"))
}
