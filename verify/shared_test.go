package verify_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A realCase is a file of real evidence, with what it has to be judged.
type realCase struct {
	file   string
	root   string // of ../shared/trust
	sha256 string // or the archive that has it
	right  string // the publisher that signed it
	urls   []string
	want   verify.Code // with the right publisher; "" for verified
	other  verify.Code // with another publisher
}

const (
	google      = "https://accounts.google.com"
	githubOAuth = "https://github.com/login/oauth"
)

var realCases = []realCase{
	{
		file: "pep740/pypi_attestations-0.0.19.tar.gz.publish.attestation", root: "public-good",
		sha256: "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3",
		right:  "github:trailofbits/pypi-attestations", other: verify.CodeIdentity,
	},
	{
		file: "pep740/pypi_attestations-0.0.19.tar.gz.slsa.attestation", root: "public-good",
		sha256: "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3",
		right:  "github:trailofbits/pypi-attestations@refs/tags/v0.0.*", other: verify.CodeIdentity,
	},
	{
		file: "pep740/pypi_attestations-0.0.28.tar.gz.publish.attestation", root: "public-good",
		sha256: "e5e75beaddbb674c390ed1a43cb32b7274990da6be7190c812a530b18db6137f",
		right:  "github:PyPI/pypi-attestations", other: verify.CodeIdentity,
	},
	{
		file: "pep740/pypi_attestation_models-0.0.4a2.tar.gz.attestation", root: "public-good",
		sha256: "c9709ce6fd5b67b59b4a28758cf14d3f411803c4b89b6068b1f1a8e4ee94c8ef",
		right:  "github:trailofbits/pypi-attestation-models", other: verify.CodeIdentity,
	},
	{
		file: "pep740/gitlab_oidc_project-0.0.3.tar.gz.publish.attestation", root: "public-good",
		sha256: "c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8",
		right:  "gitlab:facutuesca/gitlab-oidc-project@refs/heads/main", other: verify.CodeIssuer,
	},
	{
		file: "pep740/sampleproject-3.0.0.tar.gz.publish.attestation", root: "public-good",
		sha256: "117ed88e5db073bb92969a7545745fd977ee85b7019706dd256a64058f70963d",
		right:  "919436158236-compute@developer.gserviceaccount.com " + google, other: verify.CodeIssuer,
	},
	{
		file: "pep740/rfc8785-0.1.2-py3-none-any.whl.attestation", root: "staging",
		sha256: "c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201",
		right:  "william@yossarian.net " + githubOAuth, other: verify.CodeIssuer,
	},
	{
		file: "cep27/signed-package-2.1.0-hb0f4dca_0.conda.sigstore.json", root: "public-good",
		sha256: "54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f",
		right:  "github:prefix-dev/sigstore-example", other: verify.CodeIdentity,
	},
	{
		file: "cep27/signed-package-2.1.0-hb0f4dca_0.conda.staging-rekor2.sigstore.json", root: "staging",
		sha256: "54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f",
		right:  "jku@goto.fi " + githubOAuth, other: verify.CodeIssuer,
	},
	{
		file: "bundles/cosign-3.0.5-1.aarch64.rpm.sigstore.json", root: "public-good",
		sha256: "b79ad4e47164ddb242db7ac6a784e51cb286e86f4f9a6ca39c053842450853e5",
		right:  "keyless@projectsigstore.iam.gserviceaccount.com " + google, other: verify.CodeIssuer,
	},
	{
		// Its statement lists a SHA-512 alone, and a recipe pins a SHA-256.
		file: "bundles/sigstore-js-2.1.0.bundle-v0.1.json", root: "public-good",
		sha256: "file:bundles/sigstore-js-2.1.0.tgz",
		right:  "github:sigstore/sigstore-js", want: verify.CodeOtherDigest, other: verify.CodeOtherDigest,
	},
	{
		// A bundle of version 0.1 whose proof has no checkpoint: it verifies by
		// the log's promise, where the file is known not to be PyPI's.
		file: "bundles/Python-3.12.5.tgz.sigstore", root: "public-good",
		sha256: "38dc4e2c261d49c661196066edbfb70fdb16be4a79cc8220c224dfeb5636d405",
		right:  "thomas@python.org " + google, other: verify.CodeIssuer,
		urls: []string{"https://www.python.org/ftp/python/3.12.5/Python-3.12.5.tgz"},
	},
	{
		file: "bundles/Python-3.12.5.tgz.sigstore", root: "public-good",
		sha256: "38dc4e2c261d49c661196066edbfb70fdb16be4a79cc8220c224dfeb5636d405",
		right:  "thomas@python.org " + google, want: verify.CodeLogEntry, other: verify.CodeLogEntry,
		urls: []string{"https://mirror.example/Python-3.12.5.tgz", "https://files.pythonhosted.org/packages/source/p/python/Python-3.12.5.tgz"},
	},
	{
		file: "github/github_provenance_demo-0.0.12-py3-none-any.whl.jsonl", root: "github",
		sha256: "file:github/github_provenance_demo-0.0.12-py3-none-any.whl",
		right:  "github:actions/attest-demo", other: verify.CodeIdentity,
	},
	{
		file: "github/private-repository-2026.sigstore.json", root: "github",
		sha256: "caa015ef69e9bc31a41322d6c71563ed9600c75bb988e4d639b1edc578580551",
		right:  "github:neverendingsupport/nes-java-test-lib-a", want: verify.CodeReusableWorkflow, other: verify.CodeIdentity,
	},
	{
		file: "github/reusable-workflow.sigstore.json", root: "public-good",
		sha256: "49a3aa6075e0f49f82843e74b5baa614ad2a588e6675612bf108a0a008c5ac25",
		right:  "github:malancas/attest-demo", want: verify.CodeReusableWorkflow, other: verify.CodeIdentity,
	},
	{
		// Somebody who runs the workflow is not the workflow's owner.
		file: "github/reusable-workflow.sigstore.json", root: "public-good",
		sha256: "49a3aa6075e0f49f82843e74b5baa614ad2a588e6675612bf108a0a008c5ac25",
		right:  "github:github/artifact-attestations-workflows", want: verify.CodeReusableWorkflow, other: verify.CodeIdentity,
	},
	{
		file: "github/immutable-release-v0.2.sigstore.json", root: "github",
		sha256: "76f1fe8593bf227cca2c089e3c16dc95014a8d3e89c5dd220530469ca043c428",
		right:  "github:jdx/communique@refs/tags/v0.*", other: verify.CodeIdentity,
		urls: []string{"https://github.com/jdx/communique/releases/download/v0.1.9/communique-aarch64-apple-darwin.tar.gz"},
	},
	{
		file: "github/immutable-release-v0.2.sigstore.json", root: "github",
		sha256: "76f1fe8593bf227cca2c089e3c16dc95014a8d3e89c5dd220530469ca043c428",
		right:  "github:jdx/communique", want: verify.CodeRelease, other: verify.CodeRelease,
		urls: []string{"https://github.com/jdx/communique/releases/download/v0.1.8/communique-aarch64-apple-darwin.tar.gz"},
	},
	{
		// Statements about an organization, with "type" for "_type": genuine, and
		// nothing that says who released a file.
		file: "github/attestations-api-response.json", root: "public-good",
		sha256: "2775bba8b2170bef2f91b79d4f179fd87724ffee32b4a20b8304856fd3bf4b8f",
		right:  "github:carabiner-dev/demo-repo", want: verify.CodePredicate, other: verify.CodePredicate,
	},
	{
		file: "../internet/github.com/aspect-build/rules_lint/releases/download/v1.3.1/rules_lint-v1.3.1.tar.gz.intoto.jsonl", root: "public-good",
		sha256: "file:../internet/github.com/aspect-build/rules_lint/releases/download/v1.3.1/rules_lint-v1.3.1.tar.gz",
		right:  "github:aspect-build/rules_lint", want: verify.CodeReusableWorkflow, other: verify.CodeIdentity,
	},
	{
		file: "../internet/pypi.org/integrity/pypi-attestations/0.0.19/pypi_attestations-0.0.19.tar.gz/provenance", root: "public-good",
		sha256: "file:../internet/files.pythonhosted.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz",
		right:  "github:trailofbits/pypi-attestations", other: verify.CodeIdentity,
		urls: []string{"https://pypi.org/packages/source/p/pypi-attestations/pypi_attestations-0.0.19.tar.gz"},
	},
	{
		file: "../internet/pypi.org/integrity/sampleproject/4.0.0/sampleproject-4.0.0.tar.gz/provenance", root: "public-good",
		sha256: "0ace7980f82c5815ede4cd7bf9f6693684cec2ae47b9b7ade9add533b8627c6b",
		right:  "github:pypa/sampleproject", other: verify.CodeIdentity,
	},
}

func TestRealEvidence(t *testing.T) {
	for _, c := range realCases {
		t.Run(c.root+"/"+c.file, func(t *testing.T) {
			candidates := realCandidates(t, c.file)
			d := realDigest(t, c.sha256)
			for name, row := range map[string]struct {
				roots, publisher string
				want             verify.Code
			}{
				"right publisher": {c.root, c.right, c.want},
				"other publisher": {c.root, "github:octocat/hello-world", c.other},
			} {
				t.Run(name, func(t *testing.T) {
					got := judge(t, row.roots, candidates, d, row.publisher, c.urls)
					if diff := cmp.Diff(row.want, got); diff != "" {
						t.Errorf("code (-want +got):\n%s", diff)
					}
				})
			}
			for _, wrong := range []string{"public-good", "staging", "github"} {
				if wrong == c.root {
					continue
				}
				t.Run("root "+wrong, func(t *testing.T) {
					got := judge(t, wrong, candidates, d, c.right, c.urls)
					want := verify.CodeUnknownAuthority
					switch c.want {
					case verify.CodeOtherDigest, verify.CodeMalformed:
						want = c.want // found before any root is asked
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("code (-want +got):\n%s", diff)
					}
				})
			}
		})
	}
}

func realCandidates(t *testing.T, file string) []attestation.Candidate {
	t.Helper()
	data, err := os.ReadFile(shared.Path(t, "attestations", file))
	if err != nil {
		t.Fatal(err)
	}
	candidates, err := attestation.Parse(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return candidates
}

func realDigest(t *testing.T, s string) digest.SHA256 {
	t.Helper()
	if len(s) > 5 && s[:5] == "file:" {
		data, err := os.ReadFile(shared.Path(t, "attestations", s[5:]))
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(data)
	}
	d, err := digest.ParseSHA256(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// judge verifies candidates and gives the code of the outcome, "" for verified.
func judge(t *testing.T, root string, candidates []attestation.Candidate, d digest.SHA256, publisher string, urls []string) verify.Code {
	t.Helper()
	_, code := judgeEvidence(t, root, candidates, d, publisher, urls)
	return code
}

func judgeEvidence(t *testing.T, root string, candidates []attestation.Candidate, d digest.SHA256, publisher string, urls []string) (verify.Evidence, verify.Code) {
	t.Helper()
	roots, err := trust.FromFiles(shared.Path(t, "trust", root+".json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(roots.Domains, nil)
	if err != nil {
		t.Fatal(err)
	}
	rules := verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, publisher)}, Match: verify.Any, URLs: urls}
	evidence, bundles, err := v.Verify(candidates, d, rules)
	if len(bundles) != len(candidates) {
		t.Errorf("%d of %d candidates are accounted for", len(bundles), len(candidates))
	}
	if evidence.Verified() != (err == nil) {
		t.Errorf("evidence is verified: %v, and the error is %v", evidence.Verified(), err)
	}
	var mismatch *verify.MismatchError
	var invalid *verify.InvalidError
	switch {
	case err == nil:
		return evidence, ""
	case errors.As(err, &mismatch):
		t.Log(mismatch)
		return evidence, mismatch.Code
	case errors.As(err, &invalid):
		t.Log(invalid, invalid.Detail)
		return evidence, invalid.Code
	}
	t.Fatal(err)
	return evidence, ""
}

// publisherOf reads a shorthand, or an identity and an issuer with a space
// between them.
func publisherOf(t testing.TB, s string) publishers.Publisher {
	t.Helper()
	p, err := publishers.Parse(s)
	for i := range s {
		if s[i] == ' ' {
			p, err = publishers.New(s[:i], s[i+1:])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}
