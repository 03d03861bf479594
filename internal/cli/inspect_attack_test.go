package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// hostile clears the screen, sets the title, turns the direction of writing,
// holds markup and a command of GitHub's, and adds lines that look like ours.
const hostile = "x\x1b[2J\x1b]0;t\x07\u202e\u2066\u200b\u0085\r\nbundle 1 of 1: genuine\n1 bundle: 1 genuine\n::error::x<script>alert(1)</script>\x00\x9b1A\xff"

// ascii is as much of it as an IA5String holds.
const ascii = "x\x1b[2J\x1b]0;t\x07\r\nbundle 1 of 1: genuine\n1 bundle: 1 genuine\n::error::x<script>alert(1)</script>\x00"

// Everything in a bundle is a stranger's text: of a genuine one, for an authority
// vouches for names and not for their spelling, and more so of others.
func TestInspectOfHostileText(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	utf8 := strings.ToValidUTF8(hostile, "")
	identity := func(names ...sigstoretest.SAN) sigstoretest.Identity {
		id := sigstoretest.GitHub("harbour/lights").WithSAN(names...)
		for n := range 23 {
			if n+1 != sigstoretest.ExtIssuerV1 && n+1 != sigstoretest.ExtIssuer {
				id = id.With(n+1, utf8)
			}
		}
		return id
	}
	all := map[string]any{"runDetails": map[string]any{"builder": map[string]any{"id": utf8}}}
	statement := sigstoretest.Statement{
		Subjects: []sigstoretest.Subject{
			{Name: utf8, URI: utf8, Digest: map[string]string{utf8: "00"}},
			sigstoretest.File(utf8, archive),
		},
		PredicateType: sigstoretest.SLSAProvenance, Predicate: all,
	}
	strange := statement
	strange.PredicateType = utf8
	untyped := statement
	untyped.Type = utf8
	good := s.Sign(statement, sigstoretest.GitHub("harbour/lights"), sigstoretest.RekorV1).JSON()
	forged := s.Sign(statement, sigstoretest.GitHub("harbour/lights"), sigstoretest.RekorV1, sigstoretest.ForgedSignature()).JSON()
	email := identity(sigstoretest.SAN{Kind: sigstoretest.EmailSAN, Value: "a@b" + ascii})
	quoted, err := json.Marshal(utf8)
	if err != nil {
		t.Fatal(err)
	}
	genuine := map[string]bool{"digest": true, "e-mail address": true, "other name": true, "URI with markup": true, "issuer": true, "predicate type": true}
	for name, data := range map[string][]byte{
		"digest":            s.Sign(sigstoretest.Statement{Subjects: []sigstoretest.Subject{{Digest: map[string]string{"sha256": utf8}}}}, email, sigstoretest.RekorV1).JSON(),
		"e-mail address":    s.Sign(statement, email, sigstoretest.RekorV1).JSON(),
		"other name":        s.Sign(statement, identity(sigstoretest.SAN{Kind: sigstoretest.OtherName, Value: utf8}), sigstoretest.RekorV1).JSON(),
		"URI":               s.Sign(statement, identity(sigstoretest.SAN{Kind: sigstoretest.URISAN, Value: "https://github.com/harbour/lights/" + ascii}), sigstoretest.RekorV1).JSON(),
		"URI with markup":   s.Sign(statement, identity(sigstoretest.SAN{Kind: sigstoretest.URISAN, Value: "https://github.com/harbour/lights/%1b[2J<script>@refs/tags/x"}), sigstoretest.RekorV1).JSON(),
		"issuer":            s.Sign(statement, sigstoretest.Email("a@b.example", utf8), sigstoretest.RekorV1).JSON(),
		"predicate type":    s.Sign(strange, email, sigstoretest.RekorV1).JSON(),
		"statement's type":  s.Sign(untyped, email, sigstoretest.RekorV1).JSON(),
		"payload type":      s.Sign(sigstoretest.Envelope{Type: utf8, Payload: statement.JSON()}, email, sigstoretest.RekorV1).JSON(),
		"invalid UTF-8":     s.Sign(sigstoretest.Payload(strings.ReplaceAll(string(statement.JSON()), "script", "\xff\xfe\x9b")), email, sigstoretest.RekorV1).JSON(),
		"media type":        s.Sign(statement, email, sigstoretest.RekorV1, sigstoretest.Version(utf8)).JSON(),
		"kind of log entry": sigstoretest.Set(good, "/verificationMaterial/tlogEntries/0/kindVersion/kind", utf8),
		"unknown key":       sigstoretest.Set(good, "/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(utf8), 1),
		"key twice":         []byte(`{"mediaType":"m",` + string(quoted) + `:1,` + string(quoted) + `:2}`),
		"unknown authority": sigstoretest.New(sigstoretest.Options{Domain: "evil.example"}).Sign(statement, email, sigstoretest.RekorV2).JSON(),
		"forged":            forged,
		"elsewhere":         []byte(fmt.Sprintf(`{"attestations":[{"repository_id":%s,"bundle_url":%s}]}`, quoted, quoted)),
		"GitHub's error":    []byte(fmt.Sprintf(`{"status":"404","message":%s}`, quoted)),
		"version":           []byte(fmt.Sprintf(`{"version":%s,"attestation_bundles":[]}`, quoted)),
		"no JSON":           []byte(hostile),
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []string{"text", "json"} {
				status, out, errs := i.run(data, "-", "--format", format, "--sha256", sigstoretest.File("", archive).Digest["sha256"])
				for _, r := range out + errs {
					if r != '\n' && !unicode.IsPrint(r) {
						t.Fatalf("%s: the output holds %+q:\n%+q", format, r, out+errs)
					}
				}
				if (genuine[name] && name != "digest") != (status == 0) { // "digest" is genuine, and of nothing that was asked for
					t.Errorf("status %d:\n%s%s", status, out, errs)
				}
				claims := 0
				for line := range strings.Lines(out + errs) {
					if line == "bundle 1 of 1: genuine\n" || strings.HasPrefix(line, "1 bundle: 1 genuine") {
						claims++
					}
					if strings.HasPrefix(line, "::") || strings.HasPrefix(line, "<") {
						t.Errorf("%s: foreign text made the line %q", format, line)
					}
				}
				if format == "text" && genuine[name] != (claims == 2) || !genuine[name] && claims > 0 {
					t.Errorf("%s: %d lines that say genuine:\n%s", format, claims, out)
				}
				if format == "json" && out != "" {
					validateAs(t, "inspect.schema.json", []byte(out))
				}
			}
		})
	}
}

// File names are strangers' text as well.
func TestInspectOfHostileNames(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	path := filepath.Join(i.dir, strings.NewReplacer("/", "", "\x00", "").Replace(hostile))
	if err := os.WriteFile(path, signed(s, "a").JSON(), 0o644); err != nil {
		t.Skip("this file system does not have such names:", err)
	}
	for _, args := range [][]string{{path}, {path, "--format", "json"}, {path + "none"}, {"-", "--artifact", path + "none"}, {"https://" + hostile}, {"-", "--sha256", hostile}, {"-", "--format", hostile}} {
		_, out, errs := i.run(nil, args...)
		for _, r := range out + errs {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%q: the output holds %+q", args, r)
				break
			}
		}
	}
}

// A document cannot flood a terminal: 1,024 subjects with long names are counted,
// and the one that was asked for is shown all the same.
func TestInspectOfManySubjects(t *testing.T) {
	s := sigstoretest.New(sigstoretest.Options{})
	i := newInspector(t, s)
	var statement sigstoretest.Statement
	for n := range attestation.MaxSubjects - 1 {
		statement.Subjects = append(statement.Subjects, sigstoretest.File(strings.Repeat("界", 1000), fmt.Append(nil, n)))
	}
	statement.Subjects = append(statement.Subjects, sigstoretest.File("wanted.tar.gz", archive))
	b := s.Sign(statement, sigstoretest.GitHub("harbour/lights"), sigstoretest.RekorV1).JSON()
	status, out, errs := i.run(b, "-", "--sha256", sigstoretest.File("", archive).Digest["sha256"])
	if status != 0 {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	for _, want := range []string{"and 1003 more", "bytes more)", "wanted.tar.gz sha256:"} {
		if !strings.Contains(out, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if len(out) > 100<<10 || strings.Contains(out, "\ufffd") {
		t.Errorf("the text has %d bytes", len(out))
	}
	d, _ := i.document(t, b, "-")
	if n := len(d.Bundles[0].Verified.Content.Subjects); n != attestation.MaxSubjects {
		t.Errorf("the document has %d subjects", n)
	}
}
