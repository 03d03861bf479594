package trust_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// TestAttackByTheWeaker is what [trust.Compatible] is for, with real evidence: a
// bundle that no log knows is invalid for its instance, would verify by a root
// that has the same authority and no log, and no configuration lets that root
// stand beside the instance's.
func TestAttackByTheWeaker(t *testing.T) {
	corp, stranger := sigstoretest.New(sigstoretest.Options{}), sigstoretest.New(sigstoretest.Options{})
	archive := []byte("an archive")
	b := corp.Sign(sigstoretest.Attest("a-1.0.tar.gz", archive), sigstoretest.GitHub("a/b"), sigstoretest.NoLog, sigstoretest.TimestampFrom(stranger))
	weak := stranger.Root()
	weak.TLogs, weak.CTLogs, weak.CertificateAuthorities = nil, nil, corp.Root().CertificateAuthorities
	dir := t.TempDir()
	file := func(name string, data []byte, without ...trust.Log) trust.RootFile {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return trust.RootFile{Path: path, InsecureWithout: without}
	}
	full := file("corp.json", corp.TrustedRootJSON())
	less := file("weak.json", weak.JSON(), trust.TransparencyLog, trust.CertificateLog)
	judge := func(files ...trust.RootFile) error {
		roots, err := trust.Config{Roots: files}.Load(t.Context())
		if err != nil {
			return err
		}
		v, err := verify.New(roots.Domains, nil)
		if err != nil {
			return err
		}
		candidates, err := attestation.Parse("test", b.JSON())
		if err != nil {
			t.Fatal(err)
		}
		p, err := publishers.Parse("github:a/b")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = v.Verify(candidates, digest.SHA256(sha256.Sum256(archive)), verify.Rules{Publishers: []publishers.Publisher{p}, Match: verify.Any})
		return err
	}
	var invalid *verify.InvalidError
	if err := judge(full); !errors.As(err, &invalid) || invalid.Code != verify.CodeLogEntry {
		t.Errorf("its own root: found error %v, wanted one about the log", err)
	}
	if err := judge(less); err != nil {
		t.Errorf("the weak root alone: found error %v; it shows nothing then", err)
	}
	var conflict *trust.ConflictError
	if err := judge(full, less); !errors.As(err, &conflict) {
		t.Errorf("both: found error %v, wanted a ConflictError", err)
	}
	if err := judge(less, full); !errors.As(err, &conflict) {
		t.Errorf("both, the weak first: found error %v, wanted a ConflictError", err)
	}
}
