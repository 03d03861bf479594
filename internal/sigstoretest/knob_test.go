package sigstoretest_test

import (
	"strings"
	"testing"
	"time"

	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	. "github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// TestKnobs shows that each knob breaks a bundle, and in the place that it
// names: the text is of sigstore-go's own errors.
func TestKnobs(t *testing.T) {
	s, other := New(Options{}), New(Options{})
	private, otherPrivate := New(Options{Flavor: GitHubInstance}), New(Options{Flavor: GitHubInstance})
	statement, id := Attest(fileName, archive), GitHub("harbour-lights/harbour-lights")
	second := s.Sign(statement, id, RekorV1)
	secondV2 := s.Sign(statement, id, RekorV2)
	now := s.Now()
	hour := time.Hour

	tests := []struct {
		name  string
		from  *Sigstore
		log   Log
		knobs []Knob
		want  string
	}{
		{"no SCT", s, RekorV1, []Knob{WithoutSCT()}, "only able to verify 0 SCT entries"},
		{"SCT of an unknown log", s, RekorV1, []Knob{ForeignSCT()}, "only able to verify 0 SCT entries"},
		{"SCT of another instance", s, RekorV1, []Knob{SCTFrom(other)}, "only able to verify 0 SCT entries"},
		{"SCT signed by another key", s, RekorV1, []Knob{ForgedSCT()}, "only able to verify 0 SCT entries"},
		{"certificate of another instance", s, RekorV1, []Knob{CertificateFrom(other)}, "certificate"},
		{"certificate expired when logged", s, RekorV1, []Knob{LoggedAt(now.Add(hour))}, "integrated time outside certificate validity"},
		{"logged before the certificate", s, RekorV1, []Knob{LoggedAt(now.Add(-hour))}, "integrated time outside certificate validity"},
		{"certificate of another day", s, RekorV1, []Knob{CertificateValid(now.Add(-24*hour), now.Add(-23*hour))}, "integrated time outside certificate validity"},
		{"before the log's key", s, RekorV1, []Knob{At(now.AddDate(-2, 0, 0))}, "not enough verified log entries"},
		{"signature by another key", s, RekorV1, []Knob{ForgedSignature()}, "verify"},
		{"a second signature", s, RekorV1, []Knob{ExtraSignatures(1)}, "signature"},
		{"other content logged", s, RekorV1, []Knob{Logged(Attest(fileName, []byte("other")))}, "payload hash"},
		{"other content logged as intoto", s, RekorV1, []Knob{InToto(), Logged(Attest(fileName, []byte("other")))}, "payload hash"},
		{"entry in another instance's log", s, RekorV1, []Knob{EntryFrom(other)}, "not enough verified log entries"},
		{"entry of another bundle", s, RekorV1, []Knob{EntryOf(second)}, "does not match"},
		{"no entry", s, RekorV1, []Knob{WithoutEntry()}, "not enough verified log entries"},
		{"no promise", s, RekorV1, []Knob{WithoutPromise()}, "threshold not met for verified signed & log entry integrated timestamps"},
		{"promise signed by another key", s, RekorV1, []Knob{ForgedPromise()}, "not enough verified log entries"},
		{"no proof", s, RekorV1, []Knob{WithoutProof()}, "inclusion proof missing"},
		{"no checkpoint", s, RekorV1, []Knob{WithoutCheckpoint()}, "missing required checkpoint"},
		{"checkpoint signed by another key", s, RekorV1, []Knob{ForgedCheckpoint()}, "checkpoint"},
		{"checkpoint of another state", s, RekorV1, []Knob{CheckpointOf(second)}, "root hash does not match"},

		{"v2: no SCT", s, RekorV2, []Knob{WithoutSCT()}, "only able to verify 0 SCT entries"},
		{"v2: SCT of an unknown log", s, RekorV2, []Knob{ForeignSCT()}, "only able to verify 0 SCT entries"},
		{"v2: SCT signed by another key", s, RekorV2, []Knob{ForgedSCT()}, "only able to verify 0 SCT entries"},
		{"v2: SCT before the log's key", s, RekorV2, []Knob{SCTAt(now.AddDate(-2, 0, 0))}, "only able to verify 0 SCT entries"},
		{"v2: certificate of another instance", s, RekorV2, []Knob{CertificateFrom(other)}, "certificate"},
		{"v2: certificate expired when stamped", s, RekorV2, []Knob{StampedAt(now.Add(hour))}, "certificate"},
		{"v2: stamped before the authority", s, RekorV2, []Knob{At(now.AddDate(-2, 0, 0))}, "threshold not met"},
		{"v2: signature by another key", s, RekorV2, []Knob{ForgedSignature()}, "verify"},
		{"v2: a second signature", s, RekorV2, []Knob{ExtraSignatures(1)}, "signature"},
		{"v2: other content logged", s, RekorV2, []Knob{Logged(Attest(fileName, []byte("other")))}, "verifying log entry"},
		{"v2: entry in another instance's log", s, RekorV2, []Knob{EntryFrom(other)}, "not enough verified log entries"},
		{"v2: entry of another bundle", s, RekorV2, []Knob{EntryOf(secondV2)}, "verifying log entry"},
		{"v2: no entry", s, RekorV2, []Knob{WithoutEntry()}, "not enough verified log entries"},
		{"v2: no proof", s, RekorV2, []Knob{WithoutProof()}, "inclusion proof missing"},
		{"v2: no checkpoint", s, RekorV2, []Knob{WithoutCheckpoint()}, "missing required checkpoint"},
		{"v2: checkpoint signed by another key", s, RekorV2, []Knob{ForgedCheckpoint()}, "checkpoint"},
		{"v2: checkpoint of another state", s, RekorV2, []Knob{CheckpointOf(secondV2)}, "verifying inclusion"},
		{"v2: no time stamp", s, RekorV2, []Knob{WithoutTimestamp()}, "threshold not met"},
		{"v2: time stamp of another instance", s, RekorV2, []Knob{TimestampFrom(other)}, "threshold not met"},
		{"v2: time stamp of another signature", s, RekorV2, []Knob{TimestampOf(secondV2)}, "threshold not met"},

		{"github: certificate of another instance", private, NoLog, []Knob{CertificateFrom(otherPrivate)}, "certificate"},
		{"github: certificate expired when stamped", private, NoLog, []Knob{StampedAt(now.Add(hour))}, "certificate"},
		{"github: no time stamp", private, NoLog, []Knob{WithoutTimestamp()}, "threshold not met"},
		{"github: time stamp of another instance", private, NoLog, []Knob{TimestampFrom(otherPrivate)}, "threshold not met"},
		{"github: signature by another key", private, NoLog, []Knob{ForgedSignature()}, "verify"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := publicGood
			if tt.from.Flavor() == GitHubInstance {
				options = gitHub
			}
			document := tt.from.Sign(statement, id, tt.log, tt.knobs...).JSON()
			_, err := check(tt.from.TrustedRoot(), document, archive, options...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestKnobsThatTheLibraryLetsPass holds what sigstore-go accepts and this
// project's own verifier must not, so that a change of the library shows.
func TestKnobsThatTheLibraryLetsPass(t *testing.T) {
	s := New(Options{})
	statement, id := Attest(fileName, archive), GitHub("harbour-lights/harbour-lights")
	future := s.Now().Add(24 * time.Hour)
	notYet := s.Root()
	for i := range notYet.TLogs {
		notYet.TLogs[i].PublicKey.ValidFor = Until(s.Now().AddDate(-1, 0, 0), s.Now().Add(-time.Hour))
	}
	unlogged := s.Sign(statement, id, RekorV1)
	beside := New(Options{}).Sign(statement, id, RekorV1).Entry()
	unlogged.VerificationMaterial.Entries = append(unlogged.VerificationMaterial.Entries, beside)

	tests := []struct {
		name   string
		root   *Root
		bundle *Bundle
	}{
		{"v1 from the future", s.Root(), s.Sign(statement, id, RekorV1, At(future))},
		{"v2 from the future", s.Root(), s.Sign(statement, id, RekorV2, At(future))},
		{"v2 after the log's key", notYet, s.Sign(statement, id, RekorV2)},
		{"old bundle without proof", s.Root(), s.Sign(statement, id, RekorV1, Version(BundleV01), WithoutProof())},
		{"an entry of an unknown log beside a good one", s.Root(), unlogged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := check(tt.root.TrustedRoot(), tt.bundle.JSON(), archive, publicGood...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRootWindows shows that a trusted root can be changed, and that what is
// outside of a window doesn't verify.
func TestRootWindows(t *testing.T) {
	s := New(Options{})
	statement, id := Attest(fileName, archive), GitHub("harbour-lights/harbour-lights")
	v1, v2 := s.Sign(statement, id, RekorV1), s.Sign(statement, id, RekorV2)
	over := Until(s.Now().AddDate(-1, 0, 0), s.Now().Add(-time.Hour))
	tests := []struct {
		name   string
		bundle *Bundle
		change func(*Root)
		want   string
	}{
		{"authority is over", v1, func(r *Root) { r.CertificateAuthorities[0].ValidFor = over }, "leaf certificate verification failed"},
		{"authority is unknown", v1, func(r *Root) { r.CertificateAuthorities = nil }, "certificate"},
		{"certificate log is over", v1, func(r *Root) { r.CTLogs[0].PublicKey.ValidFor = over }, "only able to verify 0 SCT entries"},
		{"log is over", v1, func(r *Root) { r.TLogs[0].PublicKey.ValidFor = over }, "not enough verified log entries"},
		{"log is unknown", v1, func(r *Root) { r.TLogs = r.TLogs[1:] }, "not enough verified log entries"},
		{"v2 log is unknown", v2, func(r *Root) { r.TLogs = r.TLogs[:1] }, "not enough verified log entries"},
		{"time-stamp authority is over", v2, func(r *Root) { r.TimestampAuthorities[0].ValidFor = over }, "threshold not met"},
		{"time-stamp authority is unknown", v2, func(r *Root) { r.TimestampAuthorities = nil }, "threshold not met"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.Root()
			tt.change(r)
			_, err := check(r.TrustedRoot(), tt.bundle.JSON(), archive, publicGood...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestMerge shows the fault that merging roots and options makes: a certificate
// of the public instance passes without any log.
func TestMerge(t *testing.T) {
	s, private := New(Options{}), New(Options{Flavor: GitHubInstance})
	b := s.Sign(Attest(fileName, archive), GitHub("harbour-lights/harbour-lights"), NoLog, WithoutSCT())
	merged := Merge(s.Root(), private.Root()).TrustedRoot()
	if _, err := check(merged, b.JSON(), archive, sigverify.WithSignedTimestamps(1)); err != nil {
		t.Errorf("careless options over merged roots: %v", err)
	}
	if _, err := check(merged, b.JSON(), archive, publicGood...); err == nil {
		t.Error("full options over merged roots: verified")
	}
}
