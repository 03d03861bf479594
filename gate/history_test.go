package gate_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
	"github.com/recipe-verify/recipe-verify/publishers"
)

const (
	earlierFile       = "harbour_lights-2.4.0.tar.gz"
	earlierProvenance = "/integrity/harbour-lights/2.4.0/" + earlierFile + "/provenance"
)

// A project whose release before was built from elsewhere is still verified, and
// somebody is told.
func TestWarnsWhereTheReleaseBeforeWasBuiltElsewhere(t *testing.T) {
	const moved, anew = audit.WarnMoved, audit.WarnReregistered
	id := func(n string) func(*sigstoretest.GitHubRun) {
		return func(r *sigstoretest.GitHubRun) { r.RepositoryID = n }
	}
	before := []byte("the archive of harbour-lights 2.4.0")
	for _, c := range []struct {
		name    string
		signer  sigstoretest.Identity
		content []byte
		knobs   []sigstoretest.Knob
		order   string // of upload: earlier, or later
		change  func(*upstream, *gate.Options)
		want    publishers.WarningCode
	}{
		{"same repository", sigstoretest.GitHub(repository), before, nil, "2025-01-01", nil, ""},
		{"other repository", sigstoretest.GitHub("harbour/harbour-lights", id("7")), before, nil, "2025-01-01", nil, moved},
		{"renamed", sigstoretest.GitHub("harbour/harbour-lights"), before, nil, "2025-01-01", nil, moved},
		{"same name, registered anew", sigstoretest.GitHub(repository, id("7")), before, nil, "2025-01-01", nil, anew},
		{"uploaded later", sigstoretest.GitHub("harbour/harbour-lights"), before, nil, "2027-01-01", nil, ""},
		{"forged", sigstoretest.GitHub("harbour/harbour-lights"), before, []sigstoretest.Knob{sigstoretest.ForgedSignature()}, "2025-01-01", nil, ""},
		{"of another file", sigstoretest.GitHub("harbour/harbour-lights"), []byte("something else"), nil, "2025-01-01", nil, ""},
		{"index out of order", sigstoretest.GitHub("harbour/harbour-lights"), before, nil, "2025-01-01", func(u *upstream, _ *gate.Options) { u.files[simple] = []byte("{") }, ""},
		{"index unavailable", sigstoretest.GitHub("harbour/harbour-lights"), before, nil, "2025-01-01", func(u *upstream, _ *gate.Options) { u.status[simple] = 403 }, ""},
		{"nobody is to be asked", sigstoretest.GitHub("harbour/harbour-lights"), before, nil, "2025-01-01", func(_ *upstream, o *gate.Options) { o.NoHistory = true }, ""},
		{"no archive is fetched", sigstoretest.GitHub("harbour/harbour-lights"), before, nil, "2025-01-01", func(_ *upstream, o *gate.Options) { o.NoDownload = true }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t)
			b := u.sigstore.Sign(sigstoretest.Attest(earlierFile, c.content), c.signer, sigstoretest.RekorV1, c.knobs...)
			u.files[earlierProvenance] = sigstoretest.Provenance(b)
			u.files[simple] = fmt.Appendf(nil, `{"meta":{"api-version":"1.3"},"name":"harbour-lights","files":[
				{"filename":"harbour_lights-2.4.1.tar.gz","hashes":{"sha256":"%x"},"upload-time":"2026-01-01T00:00:00Z","provenance":"https://pypi.org%s"},
				{"filename":"%s","hashes":{"sha256":"%x"},"upload-time":"%sT00:00:00Z","provenance":"https://pypi.org%s"}]}`,
				sha256.Sum256(archive), integrity, earlierFile, sha256.Sum256(before), c.order, earlierProvenance)
			o := u.options()
			if c.change != nil {
				c.change(u, &o)
			}
			report, err := gate.Verify(t.Context(), u.recipe(t, block), o)
			if err != nil || len(report.Results) != 1 || report.Results[0].Verdict != audit.Verified {
				t.Fatalf("%v, %v", err, report.Results)
			}
			var got publishers.WarningCode
			for _, w := range report.Results[0].Warnings {
				got = w.Code
			}
			if got != c.want {
				t.Errorf("warned of %q, wanted %q: %v", got, c.want, report.Results[0].Warnings)
			}
			if o.NoHistory && u.asked[simple] > 0 {
				t.Error("the index was asked")
			}
		})
	}
}
