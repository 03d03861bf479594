package sigstoretest_test

import (
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

const fileName = "harbour_lights-2.4.1.tar.gz"

var archive = []byte("an archive")

// publicGood are the options that a certificate of an instance with logs is
// judged by, gitHub those of GitHub's own.
var (
	publicGood = []sigverify.VerifierOption{
		sigverify.WithSignedCertificateTimestamps(1),
		sigverify.WithTransparencyLog(1),
		sigverify.WithObserverTimestamps(1),
	}
	gitHub = []sigverify.VerifierOption{sigverify.WithSignedTimestamps(1)}
)

// check verifies a bundle's JSON with sigstore-go over the digest of content.
func check(tr *root.TrustedRoot, document, content []byte, options ...sigverify.VerifierOption) (*sigverify.VerificationResult, error) {
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(document); err != nil {
		return nil, err
	}
	v, err := sigverify.NewVerifier(tr, options...)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	return v.Verify(b, sigverify.NewPolicy(sigverify.WithArtifactDigest("sha256", sum[:]), sigverify.WithoutIdentitiesUnsafe()))
}

func TestEveryKindOfBundleVerifies(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	ecdsa := sigstoretest.New(sigstoretest.Options{RekorV2Key: sigstoretest.ECDSA})
	private := sigstoretest.New(sigstoretest.Options{Flavor: sigstoretest.GitHubInstance})
	id := sigstoretest.GitHub("harbour-lights/harbour-lights")
	statement := sigstoretest.Attest(fileName, archive)
	v01 := statement
	v01.Type = sigstoretest.StatementV01

	tests := []struct {
		name    string
		from    *sigstoretest.Sigstore
		bundle  *sigstoretest.Bundle
		options []sigverify.VerifierOption
	}{
		{"rekor v1", s, s.Sign(statement, id, sigstoretest.RekorV1), publicGood},
		{"rekor v1, statement v0.1", s, s.Sign(v01, id, sigstoretest.RekorV1), publicGood},
		{"rekor v1, intoto entry", s, s.Sign(statement, id, sigstoretest.RekorV1, sigstoretest.InToto()), publicGood},
		{"rekor v1, stamped", s, s.Sign(statement, id, sigstoretest.RekorV1, sigstoretest.Stamped()), append(publicGood[:3:3], sigverify.WithSignedTimestamps(1))},
		{"rekor v1, bundle v0.2", s, s.Sign(statement, id, sigstoretest.RekorV1, sigstoretest.Version(sigstoretest.BundleV02)), publicGood},
		{"rekor v1, bundle v0.1", s, s.Sign(statement, id, sigstoretest.RekorV1, sigstoretest.Version(sigstoretest.BundleV01)), publicGood},
		{"rekor v1, message", s, s.Sign(sigstoretest.Message(archive), id, sigstoretest.RekorV1), publicGood},
		{"rekor v2", s, s.Sign(statement, id, sigstoretest.RekorV2), publicGood},
		{"rekor v2, message", s, s.Sign(sigstoretest.Message(archive), id, sigstoretest.RekorV2), publicGood},
		{"rekor v2, bundle v0.2", s, s.Sign(statement, id, sigstoretest.RekorV2, sigstoretest.Version(sigstoretest.BundleV02)), publicGood},
		{"rekor v2, ECDSA", ecdsa, ecdsa.Sign(statement, id, sigstoretest.RekorV2), publicGood},
		{"gitlab", s, s.Sign(statement, sigstoretest.GitLab("group/sub/project"), sigstoretest.RekorV1), publicGood},
		{"e-mail", s, s.Sign(statement, sigstoretest.Email("release@example.com", "https://accounts.google.com"), sigstoretest.RekorV2), publicGood},
		{"github instance", private, private.Sign(statement, id, sigstoretest.NoLog), gitHub},
		{"immutable release", private, private.Sign(sigstoretest.Release{
			Repository: "tidewater/anchor", Tag: "v1.9.0", Assets: []sigstoretest.Subject{sigstoretest.File(fileName, archive)},
		}.Statement(), sigstoretest.GitHubRelease(), sigstoretest.NoLog), gitHub},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := check(tt.from.TrustedRoot(), tt.bundle.JSON(), archive, tt.options...); err != nil {
				t.Errorf("over its own archive: %v", err)
			}
			if _, err := check(tt.from.TrustedRoot(), tt.bundle.JSON(), []byte("another"), tt.options...); err == nil {
				t.Error("over another archive: verified")
			}
			stranger := sigstoretest.New(sigstoretest.Options{Flavor: tt.from.Flavor()})
			if _, err := check(stranger.TrustedRoot(), tt.bundle.JSON(), archive, tt.options...); err == nil {
				t.Error("against another instance's root: verified")
			}
		})
	}
}

// TestConcurrentSigning is for the race detector; and entries of one log must
// not share a place.
func TestConcurrentSigning(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	tr := s.TrustedRoot()
	var group sync.WaitGroup
	var places sync.Map
	for range 8 {
		group.Go(func() {
			b := s.Sign(sigstoretest.Attest(fileName, archive), sigstoretest.GitHub("a/b"), sigstoretest.RekorV2)
			if _, err := check(tr, b.JSON(), archive, publicGood...); err != nil {
				t.Error(err)
			}
			if _, taken := places.LoadOrStore(b.Entry().LogIndex, true); taken {
				t.Errorf("two entries have the index %d", b.Entry().LogIndex)
			}
		})
	}
	group.Wait()
}
