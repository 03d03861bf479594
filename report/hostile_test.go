package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

// hostile clears the screen, moves the cursor, sets the title, turns the
// direction of writing, and adds a line that looks like a verdict.
const hostile = "x\x1b[2J\x1b]0;t\x07\u202e\u2066\u200b\r\nverified     evil.tar.gz\x00\x9b1A"

func hostileResult(v audit.Verdict) audit.Result {
	content := &verify.Content{
		MediaType: hostile, PredicateType: hostile,
		Subjects:    []attestation.Subject{{Name: hostile, URI: hostile, Digests: map[string]string{hostile: hostile}}},
		Certificate: verify.Certificate{SAN: hostile, SANKind: publishers.URIName, Issuer: hostile, SourceRepository: hostile, SourceRef: hostile, BuildTrigger: hostile, RunnerEnvironment: hostile},
		LogEntries:  []verify.LogEntry{{Log: hostile, Kind: hostile}},
		Time:        time.Unix(0, 0), TimeSource: hostile,
		Release: &publishers.Release{Repository: hostile, Tag: hostile},
	}
	return audit.Result{
		Recipe: hostile, Position: recipe.Position{File: hostile, Line: 1, Column: 1},
		URLs: []string{"https://example.org/" + hostile}, Address: hostile, Publishers: []string{hostile},
		EvidenceAddresses: []string{hostile}, Resolver: hostile,
		Bundles: []verify.Bundle{{Origin: hostile, Reason: hostile, Publisher: hostile, Verified: content}},
		Verdict: v, Code: audit.Code(hostile), Message: hostile, Hint: hostile,
	}
}

func TestTextEscapesForeignStrings(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var b bytes.Buffer
		text := &report.Text{W: &b, Verbose: verbose}
		policy := audit.Policy{TrustedRoots: []string{hostile}, ConfigFile: hostile, Mirrors: []string{hostile}, PredicateTypes: []string{hostile}}
		err := text.Start(policy)
		faulty := hostileResult(audit.Error)
		faulty.Faults = []*recipe.Error{{Pos: recipe.Position{File: hostile, Line: 1, Column: 1}, Message: hostile, Hint: hostile, Line: hostile, Width: 1}}
		results := []audit.Result{faulty}
		for _, v := range []audit.Verdict{audit.Verified, audit.Unattested, audit.Missing, audit.Mismatch, audit.Invalid, audit.Unavailable, audit.Error} {
			results = append(results, hostileResult(v))
		}
		for _, r := range results {
			if err == nil {
				err = text.Result(r)
			}
		}
		if err == nil {
			err = text.End(audit.Summary{Warnings: []string{hostile}})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("the report holds %+q", r)
			}
		}
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "verified     evil") {
				t.Errorf("foreign text made the line %q", line)
			}
		}
	}
}

func TestJSONOfForeignStrings(t *testing.T) {
	var b bytes.Buffer
	j := &report.JSON{W: &b}
	if err := j.Start(audit.Policy{}); err != nil {
		t.Fatal(err)
	}
	if err := j.Result(hostileResult(audit.Mismatch)); err != nil {
		t.Fatal(err)
	}
	if err := j.End(audit.Summary{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && unicode.IsControl(r) && r < 0x80 {
			t.Fatalf("the report holds %+q", r)
		}
	}
}

func TestSecretsInAddressesAreNotReported(t *testing.T) {
	r := audit.Result{
		URLs:              []string{"https://user:sesame@example.org/a.tar.gz?token=sesame"},
		Address:           "https://user:sesame@mirror.example.org/a.tar.gz?token=sesame",
		EvidenceAddresses: []string{"https://example.org/b.json?sig=sesame"},
		Bundles:           []verify.Bundle{{Origin: "https://example.org/b.json?sig=sesame", Status: verify.SetAside}},
		Verdict:           audit.Verified,
	}
	var text, document bytes.Buffer
	for _, h := range []report.Handler{&report.Text{W: &text, Verbose: true}, &report.JSON{W: &document}} {
		if err := h.Start(audit.Policy{}); err != nil {
			t.Fatal(err)
		}
		if err := h.Result(r); err != nil {
			t.Fatal(err)
		}
		if err := h.End(audit.Summary{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, got := range map[string]string{"text": text.String(), "JSON": document.String()} {
		if strings.Contains(got, "sesame") {
			t.Errorf("the %s report holds a secret:\n%s", name, got)
		}
	}
}

// What is printed ends in the logs of GitHub's runner, which must find no
// workflow command in it.
func TestTextHoldsNoWorkflowCommand(t *testing.T) {
	for _, text := range []string{"::error::x", "  ::stop-commands::x", "\t::add-mask::x", ":::error::x", "##[error]x", "x ##[add-mask]y", "###[group]x", "##\x00##[group]x"} {
		for _, got := range []string{report.PrintableLines(text), report.PrintableLines("x\n" + text), report.PrintableLines("x\n\n " + text + "\n" + text)} {
			if found := runner(t, got); len(found) > 0 {
				t.Errorf("%q: %q holds %+v", text, got, found)
			}
		}
		h, records, change := hostileReport(text)
		for _, r := range records {
			for i := range r.Faults {
				r.Faults[i].Position = text
			}
		}
		var b bytes.Buffer
		writeAll(t, &report.AuditText{W: &b, Verbose: true}, h, records, change)
		if found := runner(t, b.String()); len(found) > 0 {
			t.Errorf("%q: the report holds %+v", text, found)
		}
	}
	for _, text := range []string{"C::D", "a :: b", "# [x]", "#[x]", "a: b", "https://[::1]/"} {
		if got := report.PrintableLines(text); got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}
