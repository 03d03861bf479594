package sigstoretest_test

import (
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	. "github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// leaf is the certificate that an instance issues for an identity.
func leaf(t *testing.T, s *Sigstore, id Identity) *x509.Certificate {
	t.Helper()
	log := RekorV1
	if s.Flavor() == GitHubInstance {
		log = NoLog
	}
	c, err := x509.ParseCertificate(s.Sign(Payload("{}"), id, log).Leaf())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCertificateSummary reads identities back with sigstore-go's own reader.
func TestCertificateSummary(t *testing.T) {
	s := New(Options{})
	const commit = "3fa1c7be0d2945c6a2b8ef9d71e3504c8b6d1f27"
	tests := []struct {
		name string
		id   Identity
		want certificate.Summary
	}{
		{
			"GitHub through a reusable workflow",
			GitHub("aspect/rules", func(r *GitHubRun) {
				r.SignerRepository, r.SignerWorkflow = "bazel/.github", ".github/workflows/ruleset.yaml"
				r.SignerRef, r.SignerCommit = "refs/tags/v7", "70a4c1b2e8d95f3360c7e1a2b4d8f90a1c3e5d7f"
				r.Ref, r.Trigger, r.Runner, r.Visibility = "refs/heads/main", "push", "self-hosted", "private"
			}),
			certificate.Summary{
				SubjectAlternativeName: "https://github.com/bazel/.github/.github/workflows/ruleset.yaml@refs/tags/v7",
				Extensions: certificate.Extensions{
					Issuer:                              "https://token.actions.githubusercontent.com",
					GithubWorkflowTrigger:               "push",
					GithubWorkflowSHA:                   commit,
					GithubWorkflowName:                  "Release",
					GithubWorkflowRepository:            "aspect/rules",
					GithubWorkflowRef:                   "refs/heads/main",
					BuildSignerURI:                      "https://github.com/bazel/.github/.github/workflows/ruleset.yaml@refs/tags/v7",
					BuildSignerDigest:                   "70a4c1b2e8d95f3360c7e1a2b4d8f90a1c3e5d7f",
					RunnerEnvironment:                   "self-hosted",
					SourceRepositoryURI:                 "https://github.com/aspect/rules",
					SourceRepositoryDigest:              commit,
					SourceRepositoryRef:                 "refs/heads/main",
					SourceRepositoryIdentifier:          "596532921",
					SourceRepositoryOwnerURI:            "https://github.com/aspect",
					SourceRepositoryOwnerIdentifier:     "16748505",
					BuildConfigURI:                      "https://github.com/aspect/rules/.github/workflows/release.yml@refs/heads/main",
					BuildConfigDigest:                   commit,
					BuildTrigger:                        "push",
					RunInvocationURI:                    "https://github.com/aspect/rules/actions/runs/10112233445/attempts/1",
					SourceRepositoryVisibilityAtSigning: "private",
				},
			},
		},
		{
			"GitLab with subgroups",
			GitLab("group/sub/project"),
			certificate.Summary{
				SubjectAlternativeName: "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/tags/v1.0.0",
				Extensions: certificate.Extensions{
					Issuer:                              "https://gitlab.com",
					BuildSignerURI:                      "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/tags/v1.0.0",
					BuildSignerDigest:                   commit,
					RunnerEnvironment:                   "gitlab-hosted",
					SourceRepositoryURI:                 "https://gitlab.com/group/sub/project",
					SourceRepositoryDigest:              commit,
					SourceRepositoryRef:                 "refs/tags/v1.0.0",
					SourceRepositoryIdentifier:          "55235664",
					SourceRepositoryOwnerURI:            "https://gitlab.com/group/sub",
					SourceRepositoryOwnerIdentifier:     "12885801",
					BuildConfigURI:                      "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/tags/v1.0.0",
					BuildConfigDigest:                   commit,
					BuildTrigger:                        "push",
					RunInvocationURI:                    "https://gitlab.com/group/sub/project/-/jobs/8415754949",
					SourceRepositoryVisibilityAtSigning: "public",
				},
			},
		},
		{
			"e-mail",
			Email("release@example.com", "https://accounts.google.com"),
			certificate.Summary{
				SubjectAlternativeName: "release@example.com",
				Extensions:             certificate.Extensions{Issuer: "https://accounts.google.com"},
			},
		},
		{
			"user name",
			Identity{}.WithSAN(SAN{OtherName, "release!example.com"}).WithIssuer("https://issuer.example"),
			certificate.Summary{
				SubjectAlternativeName: "release!example.com",
				Extensions:             certificate.Extensions{Issuer: "https://issuer.example"},
			},
		},
		{
			"changed extensions",
			URI("https://github.com/a/b", "https://issuer.example").With(ExtSourceRepositoryURI, "https://github.com/c/d").With(ExtIssuerV1, ""),
			certificate.Summary{
				SubjectAlternativeName: "https://github.com/a/b",
				Extensions: certificate.Extensions{
					Issuer: "https://issuer.example", SourceRepositoryURI: "https://github.com/c/d",
				},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := certificate.SummarizeCertificate(leaf(t, s, tt.id))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.CertificateIssuer = "CN=sigstore-intermediate,O=sigstore.example"
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSANsAreVerbatim: what a hostile name says must reach the verifier as it
// is, even where Go's own encoder would refuse it.
func TestSANsAreVerbatim(t *testing.T) {
	s := New(Options{})
	for _, name := range []string{
		"https://github.com@evil.org/pallets/flask",
		"https://github.com/pallets%2fflask/x",
		"https://github.com/evil/../pallets/flask",
		"HTTPS://GitHub.com/Pallets/Flask",
		"https://github.com/pallets/flask\n",
		"",
	} {
		b := s.Sign(Payload("{}"), URI(name, "https://issuer.example"), RekorV1)
		var certificate struct {
			TBS struct {
				Version    int `asn1:"explicit,tag:0"`
				Serial     asn1.RawValue
				Algorithm  asn1.RawValue
				Issuer     asn1.RawValue
				Validity   asn1.RawValue
				Subject    asn1.RawValue
				PublicKey  asn1.RawValue
				Extensions []struct {
					ID       asn1.ObjectIdentifier
					Critical bool `asn1:"optional"`
					Value    []byte
				} `asn1:"explicit,tag:3"`
			}
			Algorithm asn1.RawValue
			Signature asn1.BitString
		}
		if _, err := asn1.Unmarshal(b.Leaf(), &certificate); err != nil {
			t.Fatal(err)
		}
		got, found := "", false
		for _, e := range certificate.TBS.Extensions {
			if !e.ID.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
				continue
			}
			var names []asn1.RawValue
			if _, err := asn1.Unmarshal(e.Value, &names); err != nil {
				t.Fatal(err)
			}
			got, found = string(names[0].Bytes), e.Critical && names[0].Tag == 6
		}
		if !found || got != name {
			t.Errorf("got %q (critical URI: %t), want %q", got, found, name)
		}
	}
}

func TestGitHubInstanceNames(t *testing.T) {
	s := New(Options{Flavor: GitHubInstance})
	c := leaf(t, s, GitHubRelease())
	if got, err := certificate.SummarizeCertificate(c); err == nil && got.Issuer != "" {
		t.Errorf("a release's certificate has the issuer %q", got.Issuer)
	}
	for _, list := range [][]CertificateAuthority{s.Root().CertificateAuthorities, s.Root().TimestampAuthorities} {
		for _, ca := range list {
			for _, raw := range ca.CertChain.Certificates {
				c, err := x509.ParseCertificate(raw.RawBytes)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{"GitHub, Inc."}, c.Subject.Organization); diff != "" {
					t.Errorf("organization of %q (-want +got):\n%s", c.Subject, diff)
				}
			}
		}
	}
	if got := c.URIs[0].String(); got != "https://dotcom.releases.github.com" {
		t.Errorf("got the name %q", got)
	}
}

func TestClock(t *testing.T) {
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	s := New(Options{Now: func() time.Time { return noon }})
	later := noon.Add(48 * time.Hour)
	for _, tt := range []struct {
		name  string
		knobs []Knob
		want  time.Time
	}{
		{"the clock", nil, noon},
		{"a bundle's own time", []Knob{At(later)}, later},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := s.Sign(Attest(fileName, archive), GitHub("a/b"), RekorV1, append(tt.knobs, Stamped())...)
			r, err := check(s.TrustedRoot(), b.JSON(), archive, publicGood...)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.VerifiedTimestamps {
				if !v.Timestamp.Equal(tt.want) {
					t.Errorf("%s by %s is %s, want %s", v.Type, v.URI, v.Timestamp, tt.want)
				}
			}
			if len(r.VerifiedTimestamps) != 2 {
				t.Errorf("got %d proven times, want the log's and the authority's", len(r.VerifiedTimestamps))
			}
		})
	}
}
