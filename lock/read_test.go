package lock_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

const whole = `# a lock
version: 1
sources:
  github cli/cli:
    - repository: https://github.com/cli/cli
      repository_id: "212613049"
      owner_id: "59704711"
      issuer: https://token.actions.githubusercontent.com
      workflow: .github/workflows/deployment.yml
      predicate_types:
        - https://slsa.dev/provenance/v1
    - repository: https://github.com/cli/cli
      immutable_release: true
      predicate_types:
        - https://in-toto.io/attestation/release/v0.2
  pypi flask:
    - identity: release@example.org
      issuer: https://accounts.google.com
      predicate_types:
        - ""
`

func TestParse(t *testing.T) {
	got, err := lock.Parse("a/recipe-verify.lock", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := &lock.File{Path: "a/recipe-verify.lock", Entries: []lock.Entry{
		{Source: "github cli/cli", Pos: recipe.Position{File: "a/recipe-verify.lock", Line: 4, Column: 3}, Signers: []signer.Signer{
			{Publisher: "https://github.com/cli/cli", Release: true, PredicateType: "https://in-toto.io/attestation/release/v0.2"},
			{
				Publisher: "https://github.com/cli/cli", RepositoryID: "212613049", OwnerID: "59704711", Issuer: actions,
				Workflow: ".github/workflows/deployment.yml", PredicateType: slsa,
			},
		}},
		{Source: "pypi flask", Pos: recipe.Position{File: "a/recipe-verify.lock", Line: 16, Column: 3}, Signers: []signer.Signer{
			{Publisher: "release@example.org", Person: true, Issuer: "https://accounts.google.com"},
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := lock.Parse("a/recipe-verify.lock", got.Bytes())
	if diff := cmp.Diff(got, again, cmpopts.IgnoreFields(lock.Entry{}, "Pos")); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// What is written is one value a line, sorted, and without anything of a version.
func TestBytes(t *testing.T) {
	f, err := lock.New([]lock.Signed{
		{Source: at(9, sdist("flask", "3.1.1")), Signers: by("pallets/flask", slsa, publish)},
		{Source: at(3, asset("2.80", "gh_2.80.zip")), Signers: []signer.Signer{
			{Publisher: "https://github.com/cli/cli", RepositoryID: "1", Release: true, PredicateType: "https://in-toto.io/attestation/release/v0.2"},
			{Publisher: "true", Person: true, Issuer: "a: b #c", PredicateType: "line\nbreak \u202e \x7f \"quote\" \\"},
		}},
	}, []string{"linux-64"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `# Who signs the sources of the recipe beside this file. "recipe-verify lock" writes
# it, and "recipe-verify verify --locked" demands it. Look at what changes here.
version: 1
platforms:
  - linux-64
sources:
  github cli/cli:
    - repository: https://github.com/cli/cli
      repository_id: "1"
      immutable_release: true
      predicate_types:
        - https://in-toto.io/attestation/release/v0.2
    - identity: "true"
      issuer: "a: b #c"
      predicate_types:
        - "line\nbreak \u202e \x7f \"quote\" \\"
  pypi flask:
    - repository: https://github.com/pallets/flask
      repository_id: "596892"
      owner_id: "16748505"
      issuer: https://token.actions.githubusercontent.com
      workflow: .github/workflows/release.yml
      predicate_types:
        - https://docs.pypi.org/attestations/publish/v1
        - https://slsa.dev/provenance/v1
`
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Error(diff)
	}
	again, err := lock.Parse("x", f.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, again, cmpopts.IgnoreFields(lock.Entry{}, "Pos"), cmpopts.IgnoreFields(lock.File{}, "Path")); diff != "" {
		t.Error(diff)
	}
}

// Nothing that is wrong is passed over, and each message names the line.
func TestFaults(t *testing.T) {
	edit := func(old, with string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("there is no %q", old)
		}
		return strings.Replace(whole, old, with, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                    {"", "f: the lock file is empty"},
		"a comment only":             {"# nothing\n", "f: the lock file is empty"},
		"a text":                     {"hello\n", `f:1:1: the lock file is "hello", wanted a mapping`},
		"a list":                     {"- version: 1\n", "f:1:1: the lock file is a list"},
		"no version":                 {edit("version: 1\n", ""), "f:2:1: the lock file has no version"},
		"a later version":            {edit("version: 1", "version: 2\nfuture: yes"), "f:2:1: the lock file is of version 2, and this program knows version 1"},
		"version 0":                  {edit("version: 1", "version: 0"), `f:2:10: version is "0", wanted 1`},
		"a version that is a text":   {edit("version: 1", `version: "1"`), `f:2:10: version is "1", wanted 1`},
		"a version that is a list":   {edit("version: 1", "version: [1]"), "f:2:10: version is a list"},
		"two versions":               {edit("version: 1", "version: 1\nversion: 1"), `f:3:1: "version" is there already, at line 2`},
		"no sources":                 {"version: 1\n", "f:1:1: the lock file has no sources"},
		"sources that are nothing":   {"version: 1\nsources:\n", "sources is nothing, wanted a mapping"},
		"sources that are a list":    {"version: 1\nsources: [a]\n", "f:2:10: sources is a list"},
		"an unknown key":             {edit("sources:", "digest: x\nsources:"), `f:3:1: unknown key "digest"`},
		"a source twice":             {edit("  pypi flask:", "  github cli/cli:"), `f:16:3: "github cli/cli" is there already, at line 4`},
		"a source twice, quoted":     {edit("  pypi flask:", `  "github\x20cli/cli":`), `f:16:3: "github cli/cli" is there already`},
		"a source without signers":   {"version: 1\nsources:\n  pypi flask: []\n", `the source "pypi flask" is an empty list, which would demand nothing`},
		"a source that is nothing":   {"version: 1\nsources:\n  pypi flask:\n", `the source "pypi flask" is nothing, wanted a list`},
		"a signer that is nothing":   {"version: 1\nsources:\n  pypi flask:\n    -\n", "a signer is nothing, wanted a mapping"},
		"a signer without a name":    {edit("    - identity: release@example.org\n      issuer", "    - issuer"), "f:17:7: the signer is incomplete: it has neither repository nor identity"},
		"a signer without an issuer": {edit("      issuer: https://accounts.google.com\n", ""), "the signer is incomplete: it has no issuer"},
		"a signer with two names":    {edit("    - identity: release@example.org", "    - identity: release@example.org\n      repository: https://github.com/o/r"), "f:18:7: a signer has a repository or an identity, and not both"},
		"a signer without types":     {edit("      predicate_types:\n        - \"\"\n", ""), "the signer is incomplete: it has no predicate_types"},
		"no types":                   {edit("      predicate_types:\n        - \"\"\n", "      predicate_types: []\n"), "predicate_types is an empty list"},
		"a type that is nothing":     {edit("        - \"\"", "        -"), "a predicate type is nothing, wanted a text"},
		"the same type twice":        {edit("        - \"\"", "        - \"\"\n        - ''"), `the source "pypi flask" has the same signer twice`},
		"an empty identifier":        {edit(`repository_id: "212613049"`, `repository_id: ""`), "f:6:22: repository_id is empty"},
		"an identifier left out":     {edit(`repository_id: "212613049"`, `repository_id:`), "repository_id is nothing, wanted a text"},
		"an identifier that is null": {edit(`repository_id: "212613049"`, `repository_id: ~`), "repository_id is nothing"},
		"a misspelled identifier":    {edit("repository_id:", "repository_ID:"), `f:6:7: unknown key "repository_ID" of a signer`},
		"an identifier twice":        {edit(`owner_id: "59704711"`, `repository_id: "1"`), `f:7:7: "repository_id" is there already, at line 6`},
		"a release that is false":    {edit("immutable_release: true", "immutable_release: false"), `immutable_release is "false", wanted true`},
		"a release with an issuer":   {edit("immutable_release: true", "immutable_release: true\n      issuer: x"), "an immutable release has a repository, and neither issuer nor workflow"},
		"reusable alone":             {edit("      workflow: .github", "      reusable_workflow: .github"), "it has a reusable workflow, and no workflow that calls it"},
		"an anchor":                  {edit("version: 1", "version: &a 1"), "anchors and aliases are not allowed"},
		"an alias":                   {"version: 1\nsources: &a\n  x: *a\n", "anchors and aliases are not allowed"},
		"an alias in a list":         {edit("        - \"\"", "        - *x"), "f: it is not YAML: unknown anchor 'x' referenced"},
		"a merge key":                {edit("    - identity: release@example.org", "    - <<: {identity: release@example.org}"), `a key of a signer is "<<", wanted a text`},
		"a tag":                      {edit("- identity: release", "- identity: !!str release"), `the tag "!!str" is not allowed`},
		"a binary tag":               {edit("  pypi flask:", "  !!binary cHlwaQ==:"), `the tag "!!binary" is not allowed`},
		"a key that is a number":     {edit("  pypi flask:", "  1:"), `a key of sources is "1", wanted a text`},
		"a key that is a list":       {edit("  pypi flask:", "  ? [a]\n  :"), "a key of sources is a list"},
		"two documents":              {whole + "---\nversion: 1\n", "f: it holds more than one YAML document"},
		"a conflict":                 {edit("  pypi flask:", "<<<<<<< HEAD\n  pypi flask:"), "f:16:1: git has left a conflict here"},
		"half of a conflict":         {edit("  pypi flask:", ">>>>>>> theirs\n  pypi flask:"), "f:16:1: git has left a conflict here"},
		"the middle of a conflict":   {edit("  pypi flask:", "=======\r\n  pypi flask:"), "f:16:1: git has left a conflict here"},
		"the base of a conflict":     {edit("  pypi flask:", "||||||| base\n  pypi flask:"), "f:16:1: git has left a conflict here"},
		"not YAML":                   {edit("  pypi flask:", "  pypi flask: ]"), "f:15:1: it is not YAML"},
		"not UTF-8":                  {whole + "# \xff\n", "f: it is not UTF-8"},
		"UTF-16":                     {"\xff\xfev\x00", "f: it is not UTF-8"},
		"nested":                     {"version: 1\nsources: " + strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "nested deeper"},
		"nested in lines":            {"version: 1\nsources:" + strings.Repeat(" -", 2000), "nested deeper"},
		"too long":                   {whole + strings.Repeat("#", lock.MaxSize), "more than the limit of 1048576 bytes"},
		"a long text":                {edit("release@example.org", strings.Repeat("a", 5000)), "identity has more than the limit of 4096 bytes"},
		"a long name":                {edit("pypi flask:", "? "+strings.Repeat("a", 5000)+"\n  :"), "a source's name has more than the limit of 4096 bytes"},
		"an unknown platform":        {edit("sources:", "platforms: [beos-64]\nsources:"), `unknown platform "beos-64"`},
		"no platforms":               {edit("sources:", "platforms: []\nsources:"), "platforms is an empty list"},
		"many signers": {
			"version: 1\nsources:\n  x:\n    - {identity: a, issuer: b, predicate_types: [" + types(40) + "]}\n    - {identity: b, issuer: b, predicate_types: [" + types(40) + "]}\n",
			`the source "x" has more than the limit of 64 signers`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := lock.Parse("f", []byte(c.text))
			var e *lock.Error
			if f != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, %v; wanted %s", f, err, c.want)
			}
			if strings.Contains(err.Error(), "hint:") || len(err.Error()) > 1000 {
				t.Errorf("message: %s", err)
			}
		})
	}
}

// The file may be a stranger's: whatever it holds is read at bounded cost.
func TestHostileLocksAreCheap(t *testing.T) {
	budget.SkipWithRace(t)
	fill := func(head, part string) string { return head + strings.Repeat(part, (lock.MaxSize-len(head))/len(part)) }
	var keys strings.Builder
	for i := 0; keys.Len() < lock.MaxSize-64; i++ {
		fmt.Fprintf(&keys, " %x: [{identity: a}]\n", i)
	}
	for name, text := range map[string]string{
		"keys":            "version: 1\nsources:\n" + keys.String(),
		"the same key":    fill("version: 1\nsources:\n", " a: 1\n"),
		"a list":          fill("version: 1\nsources:\n a:\n", " - 1\n"),
		"a flow list":     fill("version: 1\nsources: {a: [", "1,"),
		"empty lists":     fill("version: 1\nsources: {a: [", "[],"),
		"nested":          fill("version: 1\nsources: ", "["),
		"nested by turns": fill("version: 1\nsources: ", "[{a: "),
		"dashes":          fill("version: 1\nsources:\n", "- "),
		"aliases":         fill("version: &a 1\nsources: [", "*a,"),
		"comments":        fill("", "#\n"),
		"documents":       fill("", "--- \n"),
		"one long text":   fill("version: ", "a"),
		"escapes":         fill(`version: "`, `\u0041`),
		"question marks":  fill("version: 1\nsources:\n", "? "),
	} {
		t.Run(name, func(t *testing.T) {
			budget.Check(t, func() {
				if _, err := lock.Parse("f", []byte(text)); err == nil {
					t.Error("it is taken")
				}
			})
		})
	}
}

func types(n int) string {
	var list []string
	for i := range n {
		list = append(list, "t"+strings.Repeat("x", i))
	}
	return strings.Join(list, ", ")
}

func TestLineEnds(t *testing.T) {
	want, err := lock.Parse("f", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	got, err := lock.Parse("f", bytes.ReplaceAll([]byte(whole), []byte("\n"), []byte("\r\n")))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestBesideNothing(t *testing.T) {
	f, err := lock.Beside(filepath.Join(t.TempDir(), "recipe.yaml"))
	if f != nil || err != nil {
		t.Errorf("got %v, %v", f, err)
	}
	if _, err := lock.Read(filepath.Join(t.TempDir(), lock.Name)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestStore(t *testing.T) {
	dir := t.TempDir()
	one, two, gone := filepath.Join(dir, "one.lock"), filepath.Join(dir, "two.lock"), filepath.Join(dir, "gone.lock")
	for _, p := range []string{one, gone} {
		if err := os.WriteFile(p, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := lock.Store([]lock.Writing{{one, []byte("new")}, {two, []byte("second")}, {gone, nil}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"one.lock": "new", "two.lock": "second"}, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
	// One that cannot be staged leaves the others alone.
	err = lock.Store([]lock.Writing{{one, []byte("third")}, {filepath.Join(dir, "none", "x.lock"), []byte("x")}})
	var e *lock.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(map[string]string{"one.lock": "new", "two.lock": "second"}, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(data)
	}
	return found
}

// What parses is written so that it parses to the same, and in one way.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("version: 1\nplatforms: [all]\nsources: {}\n"))
	f.Add([]byte("version: 1\nsources: {\"a\\n: #\": [{identity: \"\\u2028\", issuer: y, predicate_types: [no, 1, \"\\0\"]}]}\n"))
	f.Add([]byte("<<<<<<< a\n=======\n>>>>>>> b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := lock.Parse("f", data)
		if err != nil {
			var e *lock.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		text := file.Bytes()
		again, err := lock.Parse("f", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(file, again, cmpopts.IgnoreFields(lock.Entry{}, "Pos"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s\n%s", diff, text)
		}
		if !bytes.Equal(text, again.Bytes()) {
			t.Fatalf("%s\n%s", text, again.Bytes())
		}
	})
}
