package html_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/report/html"
	"github.com/recipe-verify/recipe-verify/verify"
)

// hostileTexts would do harm on a page that took them for more than text.
var hostileTexts = []string{
	`</script><script>document.title='owned'</script>`,
	`<img src=x onerror="document.title='owned'">`,
	`javascript:document.title='owned'`,
	"\x1b[31m\x1b]0;owned\x07\x9b1A",
	"\u202egpj.exe\u2066 \u200b\ufeff\u2028\u2029\x00",
	`<!--<script>`, `]]>`, `{{.}}`, `&lt;b&gt;`, `"onmouseover="document.title='owned'`,
	`<svg onload="document.title='owned'">`, "\U000e0041\U0010ffff",
}

// generated makes the record of source number i. A tenth is hosted nowhere
// known, half comes from PyPI, a quarter from GitHub.
func generated(i int) *report.Record {
	name := fmt.Sprintf("package-%05d", i)
	version := fmt.Sprintf("%d.%d.%d", i%7, i%11, i%13)
	sum := sha256.Sum256([]byte(name))
	r := &report.Record{}
	r.Recipe = fmt.Sprintf("recipes/%s/recipe.yaml", name)
	r.Position = r.Recipe + ":12:5"
	r.Package, r.Version = name, version
	r.Outputs = []string{name}
	r.TargetPlatforms = []string{"linux-64", "osx-arm64", "win-64"}
	r.Pinned.SHA256 = hex.EncodeToString(sum[:])
	r.Verdict, r.Code = audit.Unattested, audit.CodeNoBlock
	r.Message = "the recipe has no attestation block for it"
	switch {
	case i%2 == 0:
		r.Host = "pypi.org"
		r.URLs = []string{fmt.Sprintf("https://pypi.org/packages/source/%c/%s/%s-%s.tar.gz", name[0], name, name, version)}
		r.Finding = &report.FindingDocument{Kind: audit.NoEvidence, Detail: "there is no attestation where it would be"}
	case i%4 == 1:
		r.Host = "github.com"
		r.URLs = []string{fmt.Sprintf("https://github.com/owner-%d/%s/archive/refs/tags/v%s.tar.gz", i%300, name, version)}
		r.Finding = &report.FindingDocument{Kind: audit.NotAttestable, Detail: "GitHub makes such an archive anew on each request"}
	default:
		r.Host = []string{"files.example.org", "cran.example.org", "ftp.example.net", "downloads.example.com"}[i/4%4]
		r.URLs = []string{fmt.Sprintf("https://%s/%s/%s-%s.tar.xz", r.Host, name, name, version)}
		r.Finding = &report.FindingDocument{Kind: audit.NotAsked, Detail: "no place is known that could have evidence of it"}
	}
	switch {
	case i%4 == 0:
		sign(r, i)
		if i%600 == 0 {
			r.Bundles[0].Warnings = []publishers.Warning{{Code: publishers.WarnBranch, Message: "it was signed from the branch \"main\", not from a tag"}}
		}
	case i%10 == 2:
		r.Finding = &report.FindingDocument{Kind: audit.Attestable, Genuine: true, Publisher: fmt.Sprintf("github:owner-%d/%s", i%300, name), Detail: "there is evidence"}
	case i%1000 == 101:
		r.Verdict, r.Code = audit.Unavailable, audit.CodeFetchFailed
		r.Message, r.Finding = "GET https://example.org/: status 503", nil
	}
	switch i % 2500 {
	case 1204:
		r.Verdict, r.Code = audit.Mismatch, "signed-by-another-publisher"
		r.Message = "it is signed by github:somebody/else, and the recipe wants " + r.Publishers[0]
		r.Hint = "if the project has moved, name its new repository in the recipe"
		r.Bundles[0].Status, r.Bundles[0].Reason, r.Bundles[0].Publisher = verify.Unmatched, "another publisher", ""
	case 77:
		r.Verdict, r.Code, r.Message = audit.Missing, audit.CodeNoEvidence, "PyPI has no provenance for this file"
		r.Changes = []report.Change{{Kind: report.EvidenceDisappeared, Before: "github:owner/" + name, Downgrade: true}}
	case 2003:
		r.Verdict, r.Code, r.Message = audit.Error, audit.CodeRecipe, "unknown key \"sorce\""
		r.Hint, r.URLs, r.Host = "did you mean \"source\"?", nil, ""
	}
	return r
}

// sign gives a record evidence that verified.
func sign(r *report.Record, i int) {
	repository := fmt.Sprintf("https://github.com/owner-%d/%s", i%300, r.Package)
	publisher := fmt.Sprintf("github:owner-%d/%s", i%300, r.Package)
	signed := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * 17 * time.Minute)
	index := int64(200_000_000 + i)
	commit := sha256.Sum256([]byte(repository))
	r.Verdict, r.Code, r.Message = audit.Verified, audit.CodeMetadataOnly, ""
	r.Publishers = []string{publisher}
	r.Finding = nil
	r.Resolver = "pypi"
	r.EvidenceAddresses = []string{fmt.Sprintf("https://pypi.org/integrity/%s/%s/%s-%s.tar.gz/provenance", r.Package, r.Version, r.Package, r.Version)}
	r.Bundles = []report.BundleDocument{{
		Origin: r.EvidenceAddresses[0], Format: attestation.ProvenanceFormat, Status: verify.Counted, Publisher: publisher, Domain: "public-good",
		Verified: &report.ContentDocument{
			PredicateType: "https://docs.pypi.org/attestations/publish/v1",
			Subjects:      []report.SubjectDocument{{Name: fmt.Sprintf("%s-%s.tar.gz", r.Package, r.Version), Digest: map[string]string{"sha256": r.Pinned.SHA256}}},
			SAN:           repository + "/.github/workflows/release.yml@refs/tags/v" + r.Version, SANType: "uri",
			Issuer: "https://token.actions.githubusercontent.com",
			Extensions: &report.ExtensionsDocument{
				SourceRepository: repository, SourceDigest: hex.EncodeToString(commit[:20]), SourceRef: "refs/tags/v" + r.Version,
				SourceRepositoryID: fmt.Sprint(700_000 + i), SourceOwnerID: fmt.Sprint(1000 + i%300), BuildTrigger: "release", RunnerEnvironment: "github-hosted",
				RunInvocationURI: fmt.Sprintf("%s/actions/runs/%d/attempts/1", repository, 9_000_000_000+i),
			},
			LogEntries: []report.LogEntryDocument{{
				Log: "https://rekor.sigstore.dev", Index: &index, Kind: "dsse 0.0.1", Time: &signed,
				Search: fmt.Sprintf("https://search.sigstore.dev/?logIndex=%d", index),
			}},
			Time: &signed, TimeSource: "https://rekor.sigstore.dev",
		},
	}}
}

// hostile makes the record of a source whose every text is hostile.
func hostile(text string) *report.Record {
	r := generated(4)
	r.Recipe, r.Position, r.Host = text, text, text
	r.URLs = []string{text, text}
	r.Package, r.Version, r.Message, r.Hint, r.Resolver = text, text, text, text, text
	r.Outputs, r.TargetPlatforms, r.Publishers, r.EvidenceAddresses = []string{text}, []string{text}, []string{text}, []string{text}
	r.Verdict, r.Code, r.Finding = audit.Mismatch, audit.Code(text), &report.FindingDocument{
		Kind: audit.FindingKind(text), Publisher: text, BundleURLs: []string{text}, Replacement: text, Detail: text,
	}
	r.Changes = []report.Change{{Kind: report.ChangeKind(text), Before: text, After: text}}
	r.Warnings = []publishers.Warning{{Code: publishers.WarningCode(text), Message: text}}
	r.Policy = []report.ReasonDocument{{Kind: policy.ReasonKind(text), Position: text, Text: text}}
	b := &r.Bundles[0]
	b.Origin, b.Reason, b.Publisher, b.Domain, b.MediaType, b.Code = text, text, text, text, text, verify.Code(text)
	b.Verified = &report.ContentDocument{
		PredicateType: text, SAN: text, Issuer: text, TimeSource: text,
		Subjects: []report.SubjectDocument{{Name: text, Digest: map[string]string{"sha256": text}}},
		Extensions: &report.ExtensionsDocument{
			SourceRepository: text, SourceDigest: text, SourceRef: text, RunInvocationURI: text,
			BuildTrigger: text, RunnerEnvironment: text, SourceRepositoryID: text, SourceOwnerID: text,
		},
		LogEntries: []report.LogEntryDocument{{Log: text, Kind: text, Index: b.Verified.LogEntries[0].Index, Search: text}},
	}
	b.Unverified = b.Verified
	return r
}

// hostileRecords are records of every hostile text.
func hostileRecords() []*report.Record {
	var records []*report.Record
	for _, text := range hostileTexts {
		records = append(records, hostile(text))
	}
	return records
}

// visible is how the page must show a text: what cannot be seen, as escapes.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		quoted := strings.Trim(strconv.QuoteRune(r), "'")
		switch {
		case r == '\\' || r == '\'' || r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case strings.HasPrefix(quoted, `\U`), strings.HasPrefix(quoted, `\u`):
			b.WriteString(quoted)
		default: // \n and \x07 are written alike here
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// earlier are reports of five months, each of an eighth of the sources, with
// ever more evidence.
func earlier(t testing.TB, n int) []*html.Snapshot {
	t.Helper()
	var list []*html.Snapshot
	for month := range 5 {
		s, err := html.NewSnapshot(&report.Header{Date: fmt.Sprintf("2026-%02d-15T00:00:00Z", month+1)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n / 8 {
			r := generated(i)
			if r.Verdict == audit.Verified && i%6 > month+1 {
				r.Verdict, r.Finding = audit.Unattested, generated(2).Finding
			}
			s.Add(r)
		}
		list = append(list, s)
	}
	return list
}

// write writes a page of n generated records and the given ones.
func write(t testing.TB, out io.Writer, n int, more ...*report.Record) {
	t.Helper()
	writeTo(t, html.New(out, html.Options{Earlier: earlier(t, n)}), n, more...)
}

// writeTo writes a report of n generated records and the given ones.
func writeTo(t testing.TB, w report.Writer, n int, more ...*report.Record) {
	t.Helper()
	header := &report.Header{
		Schema: report.AuditSchema, Tool: report.Tool{Name: "recipe-verify", Version: "1.0.0"},
		Date: "2026-06-15T12:00:00Z", Discover: true,
	}
	header.Policy.TrustedRoots = []string{"the public-good instance, by TUF", "GitHub, by TUF"}
	header.Policy.MetadataOnly = true
	if err := w.Header(header); err != nil {
		t.Fatal(err)
	}
	for i := range n + len(more) {
		var r *report.Record
		if i < n {
			r = generated(i)
		} else {
			r = more[i-n]
		}
		r.Place = [2]int{i, 0}
		if err := w.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	footer := &report.Footer{Complete: true}
	footer.Recipes = n
	footer.Warnings = []string{"the trusted root is 40 days old"}
	if err := w.Footer(footer); err != nil {
		t.Fatal(err)
	}
}
