package verify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/verify"
)

const elsewhere = "https://www.python.org/ftp/flask-3.1.1.tar.gz"

// old makes a bundle as CPython published them: version 0.1, and a proof without
// a checkpoint.
func (w world) old(content sigstoretest.Content, knobs ...sigstoretest.Knob) *sigstoretest.Bundle {
	return w.Sign(content, flask, sigstoretest.RekorV1, append(knobs, sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithoutCheckpoint())...)
}

func flaskRules(t testing.TB, urls ...string) verify.Rules {
	return verify.Rules{Publishers: []publishers.Publisher{publisherOf(t, "github:pallets/flask")}, Match: verify.Any, URLs: urls}
}

// The log's promise is enough for bundles of the kind that CPython published,
// and for no others; and for files that are known to be no PyPI's.
func TestPromiseWithoutCheckpoint(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	message := sigstoretest.Message(archive)
	two := w.old(message)
	two.VerificationMaterial.Entries = append(two.VerificationMaterial.Entries, w.old(message).Entry())
	beside := w.old(message)
	beside.VerificationMaterial.Entries = append(beside.VerificationMaterial.Entries, w.Sign(message, flask, sigstoretest.RekorV1).Entry())
	renamed := w.old(message)
	renamed.MediaType = "application/vnd.dev.sigstore.bundle.v0.1+json"
	for _, c := range []struct {
		name   string
		bundle *sigstoretest.Bundle
		urls   []string
		want   verify.Code
	}{
		{"CPython's kind", w.old(message), []string{elsewhere}, ""},
		{"address unknown", w.old(message), nil, verify.CodeLogEntry},
		{"on PyPI", w.old(message), []string{"https://pypi.org/packages/source/f/flask/flask-3.1.1.tar.gz"}, verify.CodeLogEntry},
		{"on PyPI, with a port", w.old(message), []string{"https://PyPI.org.:443/packages/source/f/flask/flask-3.1.1.tar.gz"}, verify.CodeLogEntry},
		{"on PyPI's old host", w.old(message), []string{"http://pypi.io/packages/source/f/flask/flask-3.1.1.tar.gz"}, verify.CodeLogEntry},
		{"on PyPI's file host", w.old(message), []string{"https://files.pythonhosted.org/packages/flask-3.1.1.tar.gz"}, verify.CodeLogEntry},
		{"on PyPI too", w.old(message), []string{elsewhere, "https://files.pythonhosted.org/packages/flask-3.1.1.tar.gz"}, verify.CodeLogEntry},
		{"address that cannot be read", w.old(message), []string{"https://pypi.org:x/%zz"}, verify.CodeLogEntry},
		{"not PyPI's, of a similar name", w.old(message), []string{"https://notpypi.org/flask-3.1.1.tar.gz"}, ""},
		{"a statement", w.old(provenance), []string{elsewhere}, verify.CodeLogEntry},
		{"a statement logged as hashedrekord", w.old(provenance, sigstoretest.HashedRekord()), []string{elsewhere}, verify.CodeLogEntry},
		{"no proof at all", w.Sign(message, flask, sigstoretest.RekorV1, sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithoutProof()), []string{elsewhere}, verify.CodeLogEntry},
		{"version 0.2", w.Sign(message, flask, sigstoretest.RekorV1, sigstoretest.Version(sigstoretest.BundleV02), sigstoretest.WithoutCheckpoint()), []string{elsewhere}, verify.CodeMalformed},
		{"version 0.1, written as later ones are", renamed, []string{elsewhere}, verify.CodeMalformed},
		{"version 0.3", w.Sign(message, flask, sigstoretest.RekorV1, sigstoretest.WithoutCheckpoint()), []string{elsewhere}, verify.CodeMalformed},
		{"Rekor v2", w.Sign(message, flask, sigstoretest.RekorV2, sigstoretest.Version(sigstoretest.BundleV01), sigstoretest.WithoutCheckpoint()), []string{elsewhere}, verify.CodeLogEntry},
		{"no promise", w.old(message, sigstoretest.WithoutPromise()), []string{elsewhere}, verify.CodeLogEntry},
		{"forged promise", w.old(message, sigstoretest.ForgedPromise()), []string{elsewhere}, verify.CodeLogEntry},
		{"forged signature", w.old(message, sigstoretest.ForgedSignature()), []string{elsewhere}, verify.CodeLogEntry}, // an entry that no log takes
		{"no SCT", w.old(message, sigstoretest.WithoutSCT()), []string{elsewhere}, verify.CodeSCT},
		{"entry of other content", w.old(message, sigstoretest.Logged(sigstoretest.Message("x"))), []string{elsewhere}, verify.CodeLogEntry},
		{"entry of another bundle", w.old(message, sigstoretest.EntryOf(w.old(message))), []string{elsewhere}, verify.CodeLogEntry},
		{"two entries", two, []string{elsewhere}, verify.CodeLogEntry},
		{"a whole entry beside", beside, []string{elsewhere}, verify.CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.judgeRules(t, c.bundle.JSON(), flaskRules(t, c.urls...)); got != c.want {
				t.Errorf("code %q, wanted %q", got, c.want)
			}
		})
	}
}

// PyPI's own objects become bundles whose version nobody chooses, and lists of
// bundles are no files of CPython's.
func TestPromiseIsForSingleBundlesAlone(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	b := w.old(sigstoretest.Message(archive))
	rules := flaskRules(t, elsewhere)
	for _, format := range []attestation.Format{attestation.PEP740Format, attestation.ProvenanceFormat, attestation.LinesFormat, attestation.ArrayFormat, attestation.GitHubFormat, ""} {
		_, bundles, err := w.verifier.Verify([]attestation.Candidate{{Bundle: b.JSON(), Format: format}}, archiveDigest, rules)
		if err == nil || bundles[0].Code != verify.CodeLogEntry {
			t.Errorf("%q: error %v", format, err)
		}
	}
	_, bundles, err := w.verifier.Verify([]attestation.Candidate{{Bundle: b.JSON(), Format: attestation.BundleFormat, Origin: "https://pypi.org/x"}}, archiveDigest, rules)
	if err == nil || bundles[0].Code != verify.CodeLogEntry {
		t.Errorf("from PyPI: error %v", err)
	}
	for name, document := range map[string][]byte{
		"PEP 740":       w.old(provenance).PEP740(),
		"lines":         sigstoretest.JSONLines(b, b),
		"relabelled":    w.Sign(provenance, flask, sigstoretest.RekorV1, sigstoretest.WithoutCheckpoint()).As(sigstoretest.BundleV01).JSON(),
		"0.1 elsewhere": []byte(strings.Replace(string(b.JSON()), "version=0.1", "version=0.10", 1)),
	} {
		if got := w.judgeRules(t, document, rules); got != verify.CodeLogEntry && got != verify.CodeMalformed {
			t.Errorf("%s: code %q", name, got)
		}
	}
}

// What counts by a promise says so.
func TestPromiseIsReported(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	candidates, err := attestation.Parse("", w.old(sigstoretest.Message(archive)).JSON())
	if err != nil {
		t.Fatal(err)
	}
	evidence, _, err := w.verifier.Verify(candidates, archiveDigest, flaskRules(t, elsewhere))
	if err != nil {
		t.Fatal(err)
	}
	b := evidence.Bundles()[0]
	if len(b.Verified.LogEntries) != 1 || !b.Verified.LogEntries[0].Promise || b.Verified.LogEntries[0].Index < 0 {
		t.Errorf("log entries %+v", b.Verified.LogEntries)
	}
	var codes []publishers.WarningCode
	for _, w := range b.Warnings {
		codes = append(codes, w.Code)
	}
	if diff := cmp.Diff([]publishers.WarningCode{verify.WarnPromise}, codes); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Each field of such a bundle changed or removed: the exact code.
func TestTamperedPromise(t *testing.T) {
	w := newWorld(t, sigstoretest.Options{})
	const entry = "/verificationMaterial/tlogEntries/0"
	document := w.old(sigstoretest.Message(archive)).JSON()
	changed := map[string]verify.Code{
		"/mediaType": verify.CodeMalformed,
		"/messageSignature/messageDigest/algorithm":                          verify.CodeMalformed,
		"/messageSignature/messageDigest/digest":                             verify.CodeOtherDigest,
		"/messageSignature/signature":                                        verify.CodeLogEntry,
		"/verificationMaterial/x509CertificateChain/certificates/0/rawBytes": verify.CodeUnknownAuthority,
		entry + "/canonicalizedBody":                                         verify.CodeLogEntry,
		entry + "/inclusionPromise/signedEntryTimestamp":                     verify.CodeLogEntry,
		entry + "/inclusionProof/hashes/0":                                   verify.CodeLogEntry,
		entry + "/inclusionProof/hashes/1":                                   verify.CodeLogEntry,
		entry + "/inclusionProof/logIndex":                                   verify.CodeLogEntry,
		entry + "/inclusionProof/rootHash":                                   verify.CodeLogEntry,
		entry + "/inclusionProof/treeSize":                                   verify.CodeLogEntry,
		entry + "/integratedTime":                                            verify.CodeLogEntry,
		entry + "/kindVersion/kind":                                          verify.CodeLogEntry,
		entry + "/kindVersion/version":                                       verify.CodeLogEntry,
		entry + "/logId/keyId":                                               verify.CodeLogEntry,
		entry + "/logIndex":                                                  verify.CodeLogEntry,
	}
	removed := map[string]verify.Code{
		"/messageSignature/messageDigest/digest":                             verify.CodeMalformed,
		"/verificationMaterial/x509CertificateChain/certificates/0/rawBytes": verify.CodeNoCertificate,
	}
	seen := map[string]verify.Code{}
	for _, leaf := range sigstoretest.Leaves(document) {
		want, ok := changed[leaf]
		if !ok {
			t.Errorf("%s has no expectation", leaf)
		}
		seen[leaf] = want
		if got := w.judgeRules(t, sigstoretest.Mutate(document, leaf), flaskRules(t, elsewhere)); got != want {
			t.Errorf("%s changed: code %q, wanted %q", leaf, got, want)
		}
		if other, ok := removed[leaf]; ok {
			want = other
		}
		if got := w.judgeRules(t, sigstoretest.Remove(document, leaf), flaskRules(t, elsewhere)); got != want {
			t.Errorf("%s removed: code %q, wanted %q", leaf, got, want)
		}
	}
	if diff := cmp.Diff(changed, seen); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	var empty struct{}
	withEmpty := sigstoretest.Set(document, entry+"/inclusionProof/checkpoint", empty)
	if !json.Valid(withEmpty) {
		t.Fatal("no JSON")
	}
	if got := w.judgeRules(t, withEmpty, flaskRules(t, elsewhere)); got != verify.CodeMalformed {
		t.Errorf("empty checkpoint: code %q", got)
	}
}
