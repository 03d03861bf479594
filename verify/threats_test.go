package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// predicate is the provenance as a statement of another kind.
func predicate(kind string) sigstoretest.Statement {
	s := provenance
	s.PredicateType = kind
	return s
}

// A world is an in-process Sigstore with a verifier that trusts it.
type world struct {
	*sigstoretest.Sigstore
	verifier *verify.Verifier
	domain   trust.Domain
}

func newWorld(t testing.TB, o sigstoretest.Options) world {
	t.Helper()
	s := sigstoretest.New(o)
	return worldOf(t, s, s.TrustedRootJSON(), o.Now)
}

func worldOf(t testing.TB, s *sigstoretest.Sigstore, root []byte, now func() time.Time) world {
	t.Helper()
	domains, err := trust.Parse("test", root)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(domains, now)
	if err != nil {
		t.Fatal(err)
	}
	return world{s, v, domains[0]}
}

var (
	archive       = []byte("flask 3.1.1")
	archiveDigest = digest.SHA256(sha256.Sum256(archive))
	provenance    = sigstoretest.Attest("flask-3.1.1.tar.gz", archive)
	flask         = sigstoretest.GitHub("pallets/flask")
)

// judge verifies a document with a publisher, and gives the code of the
// outcome, "" for verified.
func (w world) judge(t testing.TB, document []byte, publisher string) verify.Code {
	t.Helper()
	p, err := publishers.Parse(publisher)
	if err != nil {
		t.Fatal(err)
	}
	return w.judgeRules(t, document, verify.Rules{Publishers: []publishers.Publisher{p}, Match: verify.Any})
}

func (w world) judgeRules(t testing.TB, document []byte, rules verify.Rules) verify.Code {
	t.Helper()
	candidates, err := attestation.Parse("test", document)
	if err != nil {
		var format *attestation.FormatError
		if !errors.As(err, &format) {
			t.Fatal(err)
		}
		return verify.CodeMalformed
	}
	evidence, _, err := w.verifier.Verify(candidates, archiveDigest, rules)
	if evidence.Verified() != (err == nil) {
		t.Errorf("evidence is verified: %v, and the error is %v", evidence.Verified(), err)
	}
	var mismatch *verify.MismatchError
	var invalid *verify.InvalidError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &mismatch):
		return mismatch.Code
	case errors.As(err, &invalid):
		return invalid.Code
	}
	t.Fatal(err)
	return ""
}

// logs are the two versions of Rekor.
var logs = map[string]sigstoretest.Log{"Rekor v1": sigstoretest.RekorV1, "Rekor v2": sigstoretest.RekorV2}

// Whatever is broken, absent or of another entry makes evidence that lists the
// digest invalid (spec/threats.md, "Evidence").
func TestBrokenEvidenceIsInvalid(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	w := newWorld(t, sigstoretest.Options{Now: clock})
	stranger := sigstoretest.New(sigstoretest.Options{Now: clock})
	type knobs = []sigstoretest.Knob
	for name, log := range logs {
		other := w.Sign(sigstoretest.Attest("other", []byte("other")), flask, log)
		v1 := log == sigstoretest.RekorV1
		for _, c := range []struct {
			name  string
			knobs knobs
			want  verify.Code
		}{
			{"nothing", nil, ""},
			{"signature of another key", knobs{sigstoretest.ForgedSignature()}, verify.CodeSignature},
			{"authority of another instance", knobs{sigstoretest.CertificateFrom(stranger)}, verify.CodeUnknownAuthority},
			{"no SCT", knobs{sigstoretest.WithoutSCT()}, verify.CodeSCT},
			{"SCT of a log that nobody knows", knobs{sigstoretest.ForeignSCT()}, verify.CodeSCT},
			{"SCT of another instance", knobs{sigstoretest.SCTFrom(stranger)}, verify.CodeSCT},
			{"SCT by another key", knobs{sigstoretest.ForgedSCT()}, verify.CodeSCT},
			{"SCT from before its log", knobs{sigstoretest.SCTAt(now.AddDate(-9, 0, 0))}, verify.CodeSCT},
			{"no entry", knobs{sigstoretest.WithoutEntry()}, verify.CodeLogEntry},
			{"no proof", knobs{sigstoretest.WithoutProof()}, verify.CodeLogEntry},
			{"no proof, in a bundle of version 0.1", knobs{sigstoretest.WithoutProof(), sigstoretest.Version(sigstoretest.BundleV01)}, verify.CodeLogEntry},
			{"no checkpoint", knobs{sigstoretest.WithoutCheckpoint()}, verify.CodeMalformed},
			{"checkpoint by another key", knobs{sigstoretest.ForgedCheckpoint()}, verify.CodeLogEntry},
			{"checkpoint of another state", knobs{sigstoretest.CheckpointOf(other)}, verify.CodeLogEntry},
			{"entry of another bundle", knobs{sigstoretest.EntryOf(other)}, verify.CodeLogEntry},
			{"entry in another instance's log", knobs{sigstoretest.EntryFrom(stranger)}, verify.CodeLogEntry},
			{"entry of other content", knobs{sigstoretest.Logged(sigstoretest.Attest("x", []byte("x")))}, verify.CodeLogEntry},
			{"two signatures", knobs{sigstoretest.ExtraSignatures(1)}, verify.CodeMalformed},
			{"certificate from before", knobs{sigstoretest.CertificateValid(now.Add(-time.Hour), now.Add(-time.Minute))}, verify.CodeCertificate},
			{"certificate from afterwards", knobs{sigstoretest.CertificateValid(now.Add(time.Minute), now.Add(time.Hour))}, verify.CodeCertificate},
			{"time in the future", knobs{sigstoretest.At(now.Add(24 * time.Hour))}, verify.CodeTimestamp},
			{"time from before the authority", knobs{sigstoretest.At(now.AddDate(-2, 0, 0))}, verify.CodeUnknownAuthority},
		} {
			if v1 && strings.HasPrefix(c.name, "certificate from") {
				c.want = verify.CodeLogEntry // the log's own time lies outside of it
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				b := w.Sign(provenance, flask, log, c.knobs...)
				if got := w.judge(t, b.JSON(), "github:pallets/flask"); got != c.want {
					t.Errorf("code %q, wanted %q", got, c.want)
				}
			})
		}
	}
}

// Rows that only one version of the log has.
func TestBrokenTimesAreInvalid(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	w := newWorld(t, sigstoretest.Options{Now: clock})
	stranger := sigstoretest.New(sigstoretest.Options{Now: clock})
	other := w.Sign(sigstoretest.Attest("other", []byte("other")), flask, sigstoretest.RekorV2)
	for _, c := range []struct {
		name  string
		log   sigstoretest.Log
		knobs []sigstoretest.Knob
		want  verify.Code
	}{
		{"v1: no promise", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.WithoutPromise()}, verify.CodeLogEntry},
		{"v1: promise by another key", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.ForgedPromise()}, verify.CodeLogEntry},
		{"v1: logged after the certificate", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.LoggedAt(now.Add(-2 * time.Hour))}, verify.CodeLogEntry},
		{"v1: a time stamp beside that is good", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.Stamped()}, ""},
		{"v1: a time stamp beside of another signature", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.TimestampOf(other)}, verify.CodeTimestamp},
		{"v1: a time stamp beside of another authority", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.TimestampFrom(stranger)}, verify.CodeTimestamp},
		{"v1: intoto entry", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.InToto()}, ""},
		{"v1: bundle of version 0.1", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.Version(sigstoretest.BundleV01)}, ""},
		{"v1: bundle of version 0.2", sigstoretest.RekorV1, []sigstoretest.Knob{sigstoretest.Version(sigstoretest.BundleV02)}, ""},
		{"v2: no time stamp", sigstoretest.RekorV2, []sigstoretest.Knob{sigstoretest.WithoutTimestamp()}, verify.CodeTimestamp},
		{"v2: time stamp of another signature", sigstoretest.RekorV2, []sigstoretest.Knob{sigstoretest.TimestampOf(other)}, verify.CodeTimestamp},
		{"v2: time stamp of another authority", sigstoretest.RekorV2, []sigstoretest.Knob{sigstoretest.TimestampFrom(stranger)}, verify.CodeTimestamp},
		{"v2: stamped after the certificate", sigstoretest.RekorV2, []sigstoretest.Knob{sigstoretest.StampedAt(now.Add(-2 * time.Hour))}, verify.CodeCertificate},
		{"no log at all", sigstoretest.NoLog, nil, verify.CodeLogEntry},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.Sign(provenance, flask, c.log, c.knobs...)
			if got := w.judge(t, b.JSON(), "github:pallets/flask"); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

// A proven time counts only while the root says that the keys were valid.
func TestTimesOutsideTheRootsWindows(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	now := s.Now()
	over := sigstoretest.Until(now.AddDate(-1, 0, 0), now.Add(-time.Hour))
	yetToCome := sigstoretest.Until(now.Add(time.Hour), now.AddDate(1, 0, 0))
	for name, log := range logs {
		b := s.Sign(provenance, flask, log)
		logID := b.Entry().LogID.KeyID
		for _, c := range []struct {
			name   string
			change func(*sigstoretest.Root, sigstoretest.ValidFor)
			want   verify.Code
		}{
			{"authority", func(r *sigstoretest.Root, v sigstoretest.ValidFor) { r.CertificateAuthorities[0].ValidFor = v }, verify.CodeCertificate},
			{"certificate log", func(r *sigstoretest.Root, v sigstoretest.ValidFor) { r.CTLogs[0].PublicKey.ValidFor = v }, verify.CodeSCT},
			{"log", func(r *sigstoretest.Root, v sigstoretest.ValidFor) {
				for i := range r.TLogs {
					if bytes.Equal(r.TLogs[i].LogID.KeyID, logID) {
						r.TLogs[i].PublicKey.ValidFor = v
					}
				}
			}, verify.CodeLogEntry},
		} {
			for when, window := range map[string]sigstoretest.ValidFor{"over": over, "yet to come": yetToCome} {
				t.Run(name+"/"+c.name+"/"+when, func(t *testing.T) {
					root := s.Root()
					c.change(root, window)
					w := worldOf(t, s, root.JSON(), nil)
					if got := w.judge(t, b.JSON(), "github:pallets/flask"); got != c.want {
						t.Errorf("code %q, wanted %q", got, c.want)
					}
				})
			}
		}
	}
}

// Each field of each kind of evidence, changed by as little as can be.
func TestTamperedEvidenceIsInvalid(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	v1 := w.Sign(provenance, flask, sigstoretest.RekorV1)
	v2 := w.Sign(provenance, flask, sigstoretest.RekorV2)
	for name, document := range map[string][]byte{
		"bundle, Rekor v1":            v1.JSON(),
		"bundle, Rekor v2":            v2.JSON(),
		"bundle 0.1":                  w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.Version(sigstoretest.BundleV01)).JSON(),
		"bundle with intoto":          w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.InToto()).JSON(),
		"message signature, Rekor v1": w.Sign(sigstoretest.Message(archive), flask, sigstoretest.RekorV1).JSON(),
		"message signature, Rekor v2": w.Sign(sigstoretest.Message(archive), flask, sigstoretest.RekorV2).JSON(),
		"PEP 740":                     v1.PEP740(),
		"PyPI's provenance":           sigstoretest.Provenance(v1),
	} {
		t.Run(name, func(t *testing.T) {
			if got := w.judge(t, document, "github:pallets/flask"); got != "" {
				t.Fatalf("untouched: code %q", got)
			}
			for _, leaf := range sigstoretest.Leaves(document) {
				if strings.Contains(leaf, "/publisher") || strings.HasSuffix(leaf, "/keyid") {
					continue // nobody signs these, and nothing is read from them
				}
				for what, changed := range map[string][]byte{
					"changed": sigstoretest.Mutate(document, leaf),
					"removed": sigstoretest.Remove(document, leaf),
				} {
					got := w.judge(t, changed, "github:pallets/flask")
					if got == "" && strings.HasSuffix(leaf, "/signedTimestamp") {
						continue // certificates in a time stamp are not signed; TestTamperedRealEvidence looks at what it says
					}
					if !tamperedCodes(strings.NewReplacer("/", ".", "statement", "payload").Replace(leaf), got) {
						t.Errorf("%s %s: code %q", leaf, what, got)
					}
				}
			}
		})
	}
}

// Who signed is compared for one and the same bundle that lists the digest.
func TestIdentities(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	id := func(change func(*sigstoretest.GitHubRun)) sigstoretest.Identity {
		return sigstoretest.GitHub("pallets/flask", change)
	}
	two := flask.WithSAN(append(append([]sigstoretest.SAN{}, flask.SANs...), sigstoretest.SAN{Kind: sigstoretest.EmailSAN, Value: "evil@example.org"})...)
	for _, c := range []struct {
		name string
		id   sigstoretest.Identity
		want verify.Code
	}{
		{"publisher", flask, ""},
		{"other repository", sigstoretest.GitHub("pallets/flask-cors"), verify.CodeIdentity},
		{"other owner", sigstoretest.GitHub("evil/flask"), verify.CodeIdentity},
		{"gitlab", sigstoretest.GitLab("pallets/flask"), verify.CodeIssuer},
		{"other issuer", flask.WithIssuer("https://token.actions.githubusercontent.com/"), verify.CodeIssuer},
		{"e-mail", sigstoretest.Email("release@flask.org", "https://accounts.google.com"), verify.CodeIssuer},
		{"reusable workflow of the publisher, run by another", sigstoretest.GitHub("evil/x", func(r *sigstoretest.GitHubRun) {
			r.SignerRepository, r.SignerWorkflow = "pallets/flask", ".github/workflows/release.yml"
		}), verify.CodeReusableWorkflow},
		{"somebody else's reusable workflow", id(func(r *sigstoretest.GitHubRun) {
			r.SignerRepository, r.SignerWorkflow = "evil/ci", ".github/workflows/release.yml"
		}), verify.CodeReusableWorkflow},
		{"SAN in an e-mail field", flask.WithSAN(sigstoretest.SAN{Kind: sigstoretest.EmailSAN, Value: flask.SANs[0].Value}), verify.CodeIdentity},
		{"two SANs", two, verify.CodeCertificate},
		{"host with more after it", flask.WithSAN(sigstoretest.SAN{Kind: sigstoretest.URISAN, Value: "https://github.com.evil.org/pallets/flask/.github/workflows/r.yml@refs/tags/v1"}), verify.CodeIdentity},
		{"encoded slash", flask.WithSAN(sigstoretest.SAN{Kind: sigstoretest.URISAN, Value: "https://github.com/pallets%2fflask/.github/workflows/r.yml@refs/tags/v1"}), verify.CodeIdentity},
		{"user name", flask.WithSAN(sigstoretest.SAN{Kind: sigstoretest.OtherName, Value: flask.SANs[0].Value}), verify.CodeIdentity},
		{"no source repository", flask.With(sigstoretest.ExtSourceRepositoryURI, "").With(sigstoretest.ExtRepositoryV1, ""), verify.CodeIdentity},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.Sign(provenance, c.id, sigstoretest.RekorV1)
			if got := w.judge(t, b.JSON(), "github:pallets/flask"); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestSeveralBundles(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	sign := func(content sigstoretest.Content, repository string, knobs ...sigstoretest.Knob) *sigstoretest.Bundle {
		return w.Sign(content, sigstoretest.GitHub(repository), sigstoretest.RekorV1, knobs...)
	}
	good := sign(provenance, "pallets/flask")
	elsewhere := sign(sigstoretest.Attest("x", []byte("x")), "pallets/flask")
	stranger := sign(provenance, "evil/flask")
	broken := sign(provenance, "pallets/flask", sigstoretest.ForgedCheckpoint())
	brokenElsewhere := sign(sigstoretest.Attest("x", []byte("x")), "pallets/flask", sigstoretest.ForgedCheckpoint())
	sbom := w.Sign(predicate(sigstoretest.SPDX), flask, sigstoretest.RekorV1)
	flaskOnly, both := []string{"github:pallets/flask"}, []string{"github:pallets/flask", "github:evil/flask"}
	for _, c := range []struct {
		name       string
		bundles    []*sigstoretest.Bundle
		publishers []string
		match      verify.Match
		want       verify.Code
	}{
		{"one of another file is set aside", []*sigstoretest.Bundle{elsewhere, good}, flaskOnly, verify.Any, ""},
		{"only of another file", []*sigstoretest.Bundle{elsewhere}, flaskOnly, verify.Any, verify.CodeOtherDigest},
		{"digest in one, identity in another", []*sigstoretest.Bundle{stranger, elsewhere}, flaskOnly, verify.Any, verify.CodeIdentity},
		{"a stranger's beside", []*sigstoretest.Bundle{stranger, good}, flaskOnly, verify.Any, ""},
		{"a broken one beside", []*sigstoretest.Bundle{good, broken}, flaskOnly, verify.Any, verify.CodeLogEntry},
		{"a broken one of another file beside", []*sigstoretest.Bundle{good, brokenElsewhere}, flaskOnly, verify.Any, ""},
		{"an SBOM alone", []*sigstoretest.Bundle{sbom}, flaskOnly, verify.Any, verify.CodePredicate},
		{"an SBOM beside", []*sigstoretest.Bundle{sbom, good}, flaskOnly, verify.Any, ""},
		{"an SBOM of ours, provenance of a stranger's", []*sigstoretest.Bundle{sbom, stranger}, flaskOnly, verify.Any, verify.CodeIdentity},
		{"one of two publishers", []*sigstoretest.Bundle{good}, both, verify.Any, ""},
		{"all of two publishers, one absent", []*sigstoretest.Bundle{good}, both, verify.All, verify.CodeNotAllPublishers},
		{"all of two publishers", []*sigstoretest.Bundle{good, stranger}, both, verify.All, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := verify.Rules{Match: c.match}
			for _, s := range c.publishers {
				rules.Publishers = append(rules.Publishers, publisherOf(t, s))
			}
			if got := w.judgeRules(t, sigstoretest.JSONLines(c.bundles...), rules); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

func TestPredicateTypes(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for _, c := range []struct {
		name     string
		content  sigstoretest.Content
		accepted []string
		want     verify.Code
	}{
		{"provenance", provenance, nil, ""},
		{"publish", predicate(sigstoretest.PyPIPublish), nil, ""},
		{"SBOM", predicate(sigstoretest.SPDX), nil, verify.CodePredicate},
		{"test result", predicate(sigstoretest.TestResult), nil, verify.CodePredicate},
		{"type with more after it", predicate(sigstoretest.SLSAProvenance + "x"), nil, verify.CodePredicate},
		{"SBOM, asked for", predicate(sigstoretest.SPDX), []string{sigstoretest.SPDX}, ""},
		{"provenance, where an SBOM is asked for", provenance, []string{sigstoretest.SPDX}, verify.CodePredicate},
		{"message signature", sigstoretest.Message(archive), nil, ""},
		{"message signature, where provenance is asked for", sigstoretest.Message(archive), []string{sigstoretest.SLSAProvenance}, verify.CodePredicate},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.Sign(c.content, flask, sigstoretest.RekorV2)
			rules := verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, "github:pallets/flask")}, Match: verify.Any, PredicateTypes: c.accepted}
			if got := w.judgeRules(t, b.JSON(), rules); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

// A good signature over a payload that is no statement of a known type.
func TestSignedNonsenseIsInvalid(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	statement, err := json.Marshal(map[string]any{
		"_type": sigstoretest.StatementV1, "predicateType": sigstoretest.SLSAProvenance,
		"subject": []any{map[string]any{"name": "x", "digest": map[string]string{"sha256": archiveDigest.String()}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	good := string(statement)
	many := strings.Replace(good, `"subject":[`, `"subject":[`+strings.Repeat(`{"name":"y","digest":{"sha256":"`+strings.Repeat("00", 32)+`"}},`, attestation.MaxSubjects), 1)
	for name, payload := range map[string]string{
		"nothing":           "",
		"text":              "flask-3.1.1.tar.gz " + archiveDigest.String(),
		"cut off":           good[:len(good)-1],
		"list":              "[" + good + "]",
		"unknown type":      strings.Replace(good, "Statement/v1", "Statement/v9", 1),
		"no subject":        strings.Replace(good, "subject", "subjects", 1),
		"too many subjects": many,
		"two subject lists": strings.Replace(good, `"_type"`, `"Subject":[],"_type"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			b := w.Sign(sigstoretest.Payload(payload), flask, sigstoretest.RekorV1)
			if got := w.judge(t, b.JSON(), "github:pallets/flask"); got != verify.CodeMalformed {
				t.Errorf("code %q, wanted %q", got, verify.CodeMalformed)
			}
		})
	}
	b := w.Sign(sigstoretest.Payload(good), flask, sigstoretest.RekorV1)
	if got := w.judge(t, b.JSON(), "github:pallets/flask"); got != "" {
		t.Errorf("the statement that they derive from has code %q", got)
	}
}

// The log is dropped for GitHub's own authority and for nobody else's.
func TestTrustDomainsKeepTheirRequirements(t *testing.T) {
	public := sigstoretest.New(sigstoretest.Options{})
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	both := append(append(append([]byte{}, public.TrustedRootJSON()...), '\n'), github.TrustedRootJSON()...)
	w := worldOf(t, public, both, nil)
	for _, c := range []struct {
		name   string
		bundle *sigstoretest.Bundle
		want   verify.Code
	}{
		{"public good", public.Sign(provenance, flask, sigstoretest.RekorV2), ""},
		{"GitHub", github.Sign(provenance, flask, sigstoretest.NoLog), ""},
		{"public good without a log", public.Sign(provenance, flask, sigstoretest.NoLog), verify.CodeLogEntry},
		{"public good stamped by GitHub, without a log", public.Sign(provenance, flask, sigstoretest.NoLog, sigstoretest.TimestampFrom(github)), verify.CodeLogEntry},
		{"public good in the log, stamped by GitHub", public.Sign(provenance, flask, sigstoretest.RekorV2, sigstoretest.TimestampFrom(github)), verify.CodeTimestamp},
		{"GitHub without a time stamp", github.Sign(provenance, flask, sigstoretest.NoLog, sigstoretest.WithoutTimestamp()), verify.CodeTimestamp},
		{"GitHub stamped by the public good", github.Sign(provenance, flask, sigstoretest.NoLog, sigstoretest.TimestampFrom(public)), verify.CodeTimestamp},
		{"public good's certificate, GitHub's time stamp", github.Sign(provenance, flask, sigstoretest.NoLog, sigstoretest.CertificateFrom(public)), verify.CodeLogEntry},
		{"release identity from the public good", public.Sign(release("v1").Statement(), sigstoretest.GitHubRelease(), sigstoretest.RekorV2), verify.CodeIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.judge(t, c.bundle.JSON(), "github:pallets/flask"); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

func release(tag string) sigstoretest.Release {
	return sigstoretest.Release{
		Repository: "pallets/flask", Tag: tag,
		Assets: []sigstoretest.Subject{sigstoretest.File("flask-3.1.1.tar.gz", archive)},
	}
}

// GitHub's attestation of a release counts for that release's asset alone.
func TestImmutableReleases(t *testing.T) {
	github := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	w := worldOf(t, github, github.TrustedRootJSON(), nil)
	const asset = "https://github.com/Pallets/Flask/releases/download/3.1.1/flask-3.1.1.tar.gz"
	for _, c := range []struct {
		name, url, publisher string
		id                   sigstoretest.Identity
		want                 verify.Code
	}{
		{"asset", asset, "github:pallets/flask", sigstoretest.GitHubRelease(), ""},
		{"asset and tag", asset, "github:pallets/flask@refs/tags/3.*", sigstoretest.GitHubRelease(), ""},
		{"other tag wanted", asset, "github:pallets/flask@refs/tags/2.*", sigstoretest.GitHubRelease(), verify.CodeRef},
		{"other publisher", asset, "github:pallets/click", sigstoretest.GitHubRelease(), verify.CodeIdentity},
		{"asset of another tag", strings.Replace(asset, "/3.1.1/", "/3.1.0/", 1), "github:pallets/flask", sigstoretest.GitHubRelease(), verify.CodeRelease},
		{"asset of another repository", strings.Replace(asset, "Pallets/Flask", "evil/flask", 1), "github:pallets/flask", sigstoretest.GitHubRelease(), verify.CodeRelease},
		{"asset on another host", strings.Replace(asset, "github.com", "github.com.evil.org", 1), "github:pallets/flask", sigstoretest.GitHubRelease(), verify.CodeRelease},
		{"other asset", strings.Replace(asset, "flask-3.1.1.tar.gz", "flask-3.1.1.zip", 1), "github:pallets/flask", sigstoretest.GitHubRelease(), verify.CodeRelease},
		{"no address", "", "github:pallets/flask", sigstoretest.GitHubRelease(), verify.CodeRelease},
		{"by a workflow of a stranger", asset, "github:pallets/flask", sigstoretest.GitHub("evil/flask"), verify.CodeIdentity},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := github.Sign(release("3.1.1").Statement(), c.id, sigstoretest.NoLog)
			rules := verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, c.publisher)}, Match: verify.Any}
			if c.url != "" {
				rules.URLs = []string{c.url}
			}
			if got := w.judgeRules(t, b.JSON(), rules); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

// Without rules nothing is verified, whatever the evidence.
func TestEmptyRulesAreRefused(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	candidates, err := attestation.Parse("", w.Sign(provenance, flask, sigstoretest.RekorV1).JSON())
	if err != nil {
		t.Fatal(err)
	}
	p := []publishers.Publisher{publisherOf(t, "github:pallets/flask")}
	for name, rules := range map[string]verify.Rules{
		"zero":               {},
		"no publisher":       {Match: verify.Any},
		"empty publisher":    {Match: verify.Any, Publishers: append(p, publishers.Publisher{})},
		"no match":           {Publishers: p},
		"no predicate types": {Match: verify.Any, Publishers: p, PredicateTypes: []string{}},
	} {
		var wrong *verify.RulesError
		if evidence, _, err := w.verifier.Verify(candidates, archiveDigest, rules); evidence.Verified() || !errors.As(err, &wrong) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	var wrong *verify.RulesError
	good := verify.Rules{Match: verify.Any, Publishers: p}
	if _, _, err := w.verifier.Verify(candidates, digest.SHA256{}, good); !errors.As(err, &wrong) {
		t.Errorf("no digest: error %v", err)
	}
	if evidence, _, err := w.verifier.Verify(nil, archiveDigest, good); err == nil || evidence.Verified() {
		t.Error("no candidates were verified")
	}
	if (verify.Evidence{}).Verified() {
		t.Error("the zero evidence is verified")
	}
	if _, err := verify.New(nil, nil); !errors.As(err, &wrong) {
		t.Errorf("no domains: error %v", err)
	}
	if _, err := verify.New([]trust.Domain{{Require: w.domain.Require}}, nil); !errors.As(err, &wrong) {
		t.Errorf("a domain without a root: error %v", err)
	}
	if _, err := verify.New([]trust.Domain{{Root: w.domain.Root}}, nil); !errors.As(err, &wrong) {
		t.Errorf("a domain without requirements: error %v", err)
	}
}

func TestSubjectNames(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	candidates, err := attestation.Parse("", w.Sign(provenance, flask, sigstoretest.RekorV1).JSON())
	if err != nil {
		t.Fatal(err)
	}
	rules := verify.Rules{Match: verify.Any, Publishers: []publishers.Publisher{publisherOf(t, "github:pallets/flask")}}
	for name, want := range map[string]bool{"flask-3.1.1.tar.gz": true, "click-8.0.tar.gz": false} {
		candidates[0].MatchSubject = func(s string) bool { return s == name }
		evidence, bundles, _ := w.verifier.Verify(candidates, archiveDigest, rules)
		if evidence.Verified() != want {
			t.Errorf("%s: verified is %v (%s)", name, evidence.Verified(), bundles[0].Code)
		}
	}
}

// A report may quote a bundle's own words of log and time only if signed.
func TestContentOfEvidence(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for name, log := range logs {
		candidates, err := attestation.Parse("", w.Sign(provenance, flask, log).JSON())
		if err != nil {
			t.Fatal(err)
		}
		rules := verify.Rules{Match: verify.Any, Publishers: []publishers.Publisher{publisherOf(t, "github:pallets/flask")}}
		evidence, _, err := w.verifier.Verify(candidates, archiveDigest, rules)
		if err != nil {
			t.Fatal(err)
		}
		c := evidence.Bundles()[0].Verified
		if c.Time.IsZero() || len(c.LogEntries) != 1 || c.LogEntries[0].Index < 0 || c.Certificate.SourceRepository != "https://github.com/pallets/flask" {
			t.Errorf("%s: %+v", name, c)
		}
		if e := c.LogEntries[0]; !strings.HasPrefix(e.Log, "https://") || e.Time.IsZero() != e.RekorV2 {
			t.Errorf("%s: log entry %+v", name, e)
		}
	}
}

// What a bundle says that was not verified is told as that, and completely.
func TestContentOfWhatIsNoEvidence(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	for name, c := range map[string]struct {
		bundle *sigstoretest.Bundle
		status verify.Status
	}{
		"broken":       {w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.ForgedCheckpoint()), verify.Broken},
		"other digest": {w.Sign(sigstoretest.Attest("x", []byte("x")), flask, sigstoretest.RekorV1), verify.SetAside},
		"promise":      {w.old(sigstoretest.Message(archive)), verify.Broken},
	} {
		_, bundles, _ := w.verifier.Verify([]attestation.Candidate{candidateOf(t, c.bundle)}, archiveDigest, flaskRules(t))
		b := bundles[0]
		if b.Status != c.status || b.Verified != nil || b.Unverified == nil {
			t.Errorf("%s: %+v", name, b)
			continue
		}
		if u := b.Unverified; u.Certificate.SAN != flask.SANs[0].Value || len(u.LogEntries) != 1 || u.LogEntries[0].Log != "" || !u.Time.IsZero() {
			t.Errorf("%s: unverified content %+v", name, u)
		}
	}
}
