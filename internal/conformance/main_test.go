package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

const identity, issuer = "https://github.com/pallets/flask/.github/workflows/release.yml@refs/tags/v1.0.0", "https://token.actions.githubusercontent.com"

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The protocol's command line, in its order: exit 0 for what verifies, 1 and a
// reason for everything else.
func TestVerifyBundle(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	other := sigstoretest.New(sigstoretest.Options{})
	flask, archive := sigstoretest.GitHub("pallets/flask"), []byte("flask 3.1.1")
	statement := sigstoretest.Statement{Subjects: []sigstoretest.Subject{sigstoretest.File("a.txt", archive)}, PredicateType: "https://example.com/test"}
	dir := t.TempDir()
	keyedBundle := s.Sign(sigstoretest.Message(archive), flask, sigstoretest.RekorV1, sigstoretest.BareKey())
	file := func(name string, data []byte) string { return write(t, dir, name, data) }
	good := file("good.json", s.Sign(statement, flask, sigstoretest.RekorV1).JSON())
	message := file("message.json", s.Sign(sigstoretest.Message(archive), flask, sigstoretest.RekorV2).JSON())
	promised := file("promised.json", s.Sign(sigstoretest.Message(archive), flask, sigstoretest.RekorV1, sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithoutCheckpoint()).JSON())
	// What the suite has and no recipe could use: no repository that was built,
	// and a digest of another kind.
	bare := sigstoretest.URI(identity, issuer)
	sum512 := sha512.Sum512(archive)
	long := sigstoretest.Statement{Subjects: []sigstoretest.Subject{{Name: "a.txt", Digest: map[string]string{"sha512": hex.EncodeToString(sum512[:])}}}}
	unbuilt := file("unbuilt.json", s.Sign(statement, bare, sigstoretest.RekorV1, sigstoretest.InToto()).JSON())
	sha512 := file("sha512.json", s.Sign(long, bare, sigstoretest.RekorV1, sigstoretest.InToto(), sigstoretest.Version(sigstoretest.BundleV02)).JSON())
	forged := file("forged.json", s.Sign(long, bare, sigstoretest.RekorV1, sigstoretest.ForgedSignature()).JSON())
	broken := file("broken.json", s.Sign(statement, flask, sigstoretest.RekorV1, sigstoretest.ForgedCheckpoint()).JSON())
	lines := file("lines.json", sigstoretest.JSONLines(s.Sign(statement, flask, sigstoretest.RekorV1), s.Sign(statement, flask, sigstoretest.RekorV1)))
	keyed, key := file("keyed.json", keyedBundle.JSON()), file("key.pub", keyedBundle.PublicKey())
	otherKey := file("other.pub", s.Sign(statement, flask, sigstoretest.RekorV1, sigstoretest.BareKey()).PublicKey())
	root, otherRoot := file("root.json", s.TrustedRootJSON()), file("other.json", other.TrustedRootJSON())
	artifact, another := file("a.txt", archive), file("b.txt", []byte("b"))
	sum := sha256.Sum256(archive)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	as := func(identity, issuer string) []string {
		return []string{"--certificate-identity", identity, "--certificate-oidc-issuer", issuer}
	}
	for _, c := range []struct {
		name   string
		bundle string
		by     []string
		root   string
		what   string
		want   string // in the reason; "" for verified
	}{
		{"file", good, as(identity, issuer), root, artifact, ""},
		{"digest", good, as(identity, issuer), root, digest, ""},
		{"message signature", message, as(identity, issuer), root, artifact, ""},
		{"promise", promised, as(identity, issuer), root, artifact, ""},
		{"no source repository", unbuilt, as(identity, issuer), root, artifact, ""},
		{"no source repository, another file", unbuilt, as(identity, issuer), root, another, "speaks of another file"},
		{"no source repository, another issuer", unbuilt, as(identity, issuer+"/"), root, artifact, "issuer"},
		{"no source repository, a longer identity", unbuilt, as(identity[:len(identity)-1], issuer), root, artifact, "signed by"},
		{"SHA-512", sha512, as(identity, issuer), root, artifact, ""},
		{"SHA-512, another file", sha512, as(identity, issuer), root, another, "speaks of another file"},
		{"SHA-512, a digest", sha512, as(identity, issuer), root, digest, "speaks of another file"},
		{"SHA-512, another identity", sha512, as("x"+identity, issuer), root, artifact, "x"},
		{"SHA-512, another root", sha512, as(identity, issuer), otherRoot, artifact, "speaks of another file"},
		{"SHA-512, forged", forged, as(identity, issuer), root, artifact, "speaks of another file"},
		{"key", keyed, []string{"--key", key}, root, artifact, ""},
		{"another file", good, as(identity, issuer), root, another, "speaks of another file"},
		{"another digest", good, as(identity, issuer), root, "sha256:" + strings.Repeat("00", 32), "no SHA-256"},
		{"digest of another length", good, as(identity, issuer), root, digest[:70], "no such file"},
		{"digest of another algorithm", good, as(identity, issuer), root, "sha512:" + strings.Repeat("00", 64), "no such file"},
		{"another identity", good, as(strings.Replace(identity, "flask", "click", 1), issuer), root, artifact, "signed by"},
		{"another ref", good, as(strings.Replace(identity, "v1.0.0", "v1.0.1", 1), issuer), root, artifact, "signed by"},
		{"another issuer", good, as(identity, "https://example.com"), root, artifact, "issuer"},
		{"another root", good, as(identity, issuer), otherRoot, artifact, "none of the trusted roots vouches for"},
		{"the public-good root", good, as(identity, issuer), "", artifact, "none of the trusted roots vouches for"},
		{"broken", broken, as(identity, issuer), root, artifact, "transparency log entry does not verify"},
		{"two bundles", lines, as(identity, issuer), root, artifact, "no single Sigstore bundle"},
		{"no bundle's file", filepath.Join(dir, "absent"), as(identity, issuer), root, artifact, "no such file"},
		{"no root's file", good, as(identity, issuer), filepath.Join(dir, "absent"), artifact, "no such file"},
		{"a bundle for a root", good, as(identity, issuer), good, artifact, "trusted root"},
		{"key for a certificate", good, []string{"--key", key}, root, artifact, "not signed with a bare key"},
		{"identity for a key", keyed, as(identity, issuer), root, artifact, "bare key"},
		{"another key", keyed, []string{"--key", otherKey}, root, artifact, "does not verify with the key"},
		{"key of the public-good log", keyed, []string{"--key", key}, "", artifact, "does not verify with the key"},
		{"no key in the file", keyed, []string{"--key", artifact}, root, artifact, "no key in PEM"},
		{"a bundle's key and an identity", keyed, append([]string{"--key", key}, as(identity, issuer)...), root, artifact, "wanted one of them"},
		{"no identity", good, nil, root, artifact, "are given"},
		{"no issuer", good, []string{"--certificate-identity", identity}, root, artifact, "are given"},
		{"staging without its root", good, append([]string{"--staging"}, as(identity, issuer)...), "", artifact, "--trusted-root"},
		{"staging with its root", good, append([]string{"--staging"}, as(identity, issuer)...), root, artifact, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"verify-bundle", "--bundle", c.bundle}, c.by...)
			if c.root != "" {
				args = append(args, "--trusted-root", c.root)
			}
			var stderr strings.Builder
			status := run(append(args, c.what), &stderr)
			if (status == 0) != (c.want == "") || status > 1 || !strings.Contains(stderr.String(), c.want) {
				t.Errorf("status %d, wanted a reason with %q:\n%s", status, c.want, &stderr)
			}
		})
	}
	for _, args := range [][]string{nil, {"sign-bundle"}, {"verify-bundle"}, {"verify-bundle", "--bundle"}, {"verify-bundle", "--unknown"}, {"verify-bundle", "--bundle", good, artifact, artifact}} {
		var stderr strings.Builder
		if status := run(args, &stderr); status != 1 || stderr.Len() == 0 {
			t.Errorf("%q: status %d", args, status)
		}
	}
}

// Real bundles with the default root, as the suite calls a client.
func TestRealBundles(t *testing.T) {
	for _, c := range []struct{ file, identity, issuer, digest string }{
		{"bundles/Python-3.12.5.tgz.sigstore", "thomas@python.org", "https://accounts.google.com", "38dc4e2c261d49c661196066edbfb70fdb16be4a79cc8220c224dfeb5636d405"},
		{"bundles/cosign-3.0.5-1.aarch64.rpm.sigstore.json", "keyless@projectsigstore.iam.gserviceaccount.com", "https://accounts.google.com", "b79ad4e47164ddb242db7ac6a784e51cb286e86f4f9a6ca39c053842450853e5"},
	} {
		bundle := shared.Path(t, "attestations", c.file)
		for identity, want := range map[string]int{c.identity: 0, "x" + c.identity: 1} {
			var stderr strings.Builder
			if got := run([]string{"verify-bundle", "--bundle", bundle, "--certificate-identity", identity, "--certificate-oidc-issuer", c.issuer, "sha256:" + c.digest}, &stderr); got != want {
				t.Errorf("%s by %s: status %d, wanted %d: %s", c.file, identity, got, want, &stderr)
			}
		}
	}
}
