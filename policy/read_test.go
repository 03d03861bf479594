package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/recipe-verify/recipe-verify/policy"
)

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("dir/recipe-verify.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return p
}

// What is written is enforced, or the file is refused: nothing of it is passed
// over.
func TestNothingOfTheFileIsPassedOver(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"second document":         {"offline: true\n---\nrequire_attestations: true\n", ": it holds more than one YAML document"},
		"empty first document":    {"---\n---\nrequire_attestations: true\n", ": it holds more than one YAML document"},
		"second is not YAML":      {"require_attestations: true\n---\n}\n", ": it holds more than one YAML document"},
		"end and more":            {"offline: true\n...\nrequire_attestations: true\n", ": it holds more than one YAML document"},
		"unknown key":             {"require_attestation: true\n", `:1:1: unknown key "require_attestation"`},
		"key in other case":       {"Require: [{all: true}]\n", `:1:1: unknown key "Require"`},
		"key with a space":        {"'require ': [{all: true}]\n", `:1:1: unknown key "require "`},
		"key with a look-alike":   {"r\u0435quire: [{all: true}]\n", ":1:1: unknown key"},
		"key twice":               {"require_attestations: true\nrequire_attestations: false\n", `:2:1: the key "require_attestations" stands twice`},
		"key twice in an entry":   {"rules: [{refs: [refs/tags/*], refs: [refs/heads/*]}]\n", `:1:31: the key "refs" stands twice`},
		"merge key":               {"<<: {require_attestations: true}\n", `:1:1: unknown key "<<"`},
		"merge key in an entry":   {"rules: [{<<: {hosted_runners_only: true}}]\n", `:1:10: unknown key "<<"`},
		"anchor":                  {"offline: &a true\n", ":1:10: anchors and aliases are not allowed"},
		"alias":                   {"offline: &a true\nrequire_attestations: *a\n", ":1:10: anchors and aliases"},
		"tag":                     {"require_attestations: !!str true\n", `:1:23: the tag "!!str" is not allowed`},
		"tag on the file":         {"!x\noffline: true\n", "the tag"},
		"key is a list":           {"[require]: true\n", ":1:1: a key of the file is a list"},
		"list as the file":        {"- require_attestations: true\n", ":1:1: the file is no mapping, found a list"},
		"text as the file":        {"require\n", `:1:1: the file is no mapping, found "require"`},
		"null":                    {"null\n", ":1:1: the file is no mapping, found nothing"},
		"yes":                     {"require_attestations: yes\n", `:1:23: found "yes", wanted true or false`},
		"True":                    {"require_attestations: True\n", `:1:23: found "True", wanted true or false`},
		"require as text":         {"require: pypi\n", `:1:10: require is no list, found "pypi"`},
		"require as a mapping":    {"require: {kind: pypi}\n", ":1:10: require is no list, found a mapping"},
		"require of text":         {"require: [pypi]\n", `:1:11: a requirement is no mapping, found "pypi"`},
		"require null":            {"require:\n", ":1:9: require is no list, found nothing"},
		"require empty":           {"require: []\n", ":1:10: the list of require is empty"},
		"require of nothing":      {"require: [{}]\n", ":1:11: a requirement says of nothing that it is required"},
		"require null entry":      {"require: [~]\n", ":1:11: a requirement is no mapping, found nothing"},
		"require all false":       {"require: [{all: false}]\n", ":1:17: all: false requires nothing"},
		"require all and some":    {"require: [{all: true, package: a}]\n", ":1:11: a requirement of all sources names some of them"},
		"require unknown kind":    {"require: [{kind: PyPI}]\n", `:1:18: unknown kind "PyPI"`},
		"require empty kinds":     {"require: [{kind: []}]\n", ":1:18: the list of kinds is empty"},
		"require null package":    {"require: [{package: }]\n", ":1:21: found nothing, wanted a value"},
		"require empty package":   {"require: [{package: ''}]\n", ":1:21: found nothing, wanted a value"},
		"package with ?":          {"require: [{package: 'numpy?'}]\n", `:1:21: the pattern "numpy?" holds '?'`},
		"package with a space":    {"require: [{package: 'numpy, scipy'}]\n", `holds ','`},
		"package as a mapping":    {"require: [{package: {name: a}}]\n", ":1:21: found a mapping, wanted a single value"},
		"url without scheme":      {"require: [{url: github.com/pallets/**}]\n", "does not begin with https://"},
		"url with * host":         {"require: [{url: 'https://*.example.org/**'}]\n", `has a "*" in its host`},
		"url too short":           {"require: [{url: https://github.com/pallets/*}]\n", "is too short to fit an archive's address"},
		"url of a folder":         {"require: [{url: https://example.org/files/}]\n", `ends in "/"`},
		"url of a host":           {"require: [{url: https://example.org}]\n", "is too short"},
		"url with a query":        {"require: [{url: 'https://example.org/a?b=*'}]\n", "has a query"},
		"url with a user":         {"require: [{url: 'https://me@example.org/**'}]\n", "has no plain host"},
		"url with capital host":   {"require: [{url: 'https://Example.org/**'}]\n", "has no plain host"},
		"url with a port":         {"require: [{url: 'https://example.org:443/**'}]\n", "the scheme's own port"},
		"url with dot segments":   {"require: [{url: 'https://example.org/a/../**'}]\n", "a dot segment"},
		"url with an IDN":         {"require: [{url: 'https://exämple.org/**'}]\n", "holds the character"},
		"exception without scope": {"exceptions: [{reason: x, until: 2027-01-31}]\n", ":1:14: an exception does not say from what"},
		"exception of all":        {"exceptions: [{all: true, reason: x, until: 2027-01-31}]\n", `:1:15: unknown key "all"`},
		"exception no reason":     {"exceptions: [{package: a, until: 2027-01-31}]\n", ":1:14: an exception gives no reason"},
		"exception blank reason":  {"exceptions: [{package: a, reason: ' ', until: 2027-01-31}]\n", "wanted a sentence"},
		"exception no end":        {"exceptions: [{package: a, reason: x}]\n", ":1:14: an exception has no end"},
		"exception until a time":  {"exceptions: [{package: a, reason: x, until: 2027-01-31T10:00:00Z}]\n", `:1:45: found "2027-01-31T10:00:00Z", wanted a day`},
		"exception until no day":  {"exceptions: [{package: a, reason: x, until: 2027-02-30}]\n", `found "2027-02-30", wanted a day`},
		"exception until short":   {"exceptions: [{package: a, reason: x, until: 2027-1-31}]\n", "wanted a day"},
		"exception until never":   {"exceptions: [{package: a, reason: x, until: never}]\n", "wanted a day"},
		"exception until null":    {"exceptions: [{package: a, reason: x, until: }]\n", "found nothing"},
		"recipe above":            {"exceptions: [{recipe: ../x/**, reason: x, until: 2027-01-31}]\n", "is no path below the policy's folder"},
		"recipe absolute":         {"exceptions: [{recipe: /x/**, reason: x, until: 2027-01-31}]\n", "is no path below the policy's folder"},
		"publishers of nothing":   {"publishers: [{publishers: ['github:a/b']}]\n", "an entry of publishers does not say of which sources"},
		"publishers empty":        {"publishers: [{package: a, publishers: []}]\n", ":1:39: the list of publishers is empty"},
		"publishers none":         {"publishers: [{package: a}]\n", ":1:14: an entry of publishers names none"},
		"publishers as text":      {"publishers: [{package: a, publishers: 'github:a/b'}]\n", "publishers is no list"},
		"publishers as a mapping": {"publishers: {flask: [github:pallets/flask]}\n", ":1:13: publishers is no list"},
		"publisher pattern":       {"publishers: [{package: a, publishers: ['github:a/*']}]\n", `:1:40: publisher "github:a/*"`},
		"publisher unknown host":  {"publishers: [{package: a, publishers: ['codeberg:a/b']}]\n", "unknown provider"},
		"publisher no issuer":     {"publishers: [{package: a, publishers: [{identity: a@b.c}]}]\n", "has no issuer"},
		"bundle_url a file":       {"publishers: [{package: a, publishers: ['github:a/b'], bundle_url: a.json}]\n", "wanted an http(s) address"},
		"bundle_url typo":         {"publishers: [{package: a, publishers: ['github:a/b'], bundle_url: '{ur}.json'}]\n", "wanted an http(s) address"},
		"rule of nothing":         {"rules: [{publishers: ['github:a/*']}]\n", ":1:9: the rule demands nothing"},
		"rule of false":           {"rules: [{tag_is_version: false, hosted_runners_only: false}]\n", "the rule demands nothing"},
		"rule empty refs":         {"rules: [{refs: []}]\n", ":1:16: the list of refs is empty"},
		"rule empty publishers":   {"rules: [{publishers: [], refs: [refs/tags/*]}]\n", "the list of publishers is empty"},
		"rule short ref":          {"rules: [{refs: [v1]}]\n", ":1:9: the rule has the ref"},
		"rule id":                 {"rules: [{repository_ids: [pallets]}]\n", "the rule has the identifier"},
		"rule value twice":        {"rules: [{triggers: [push, push]}]\n", `:1:27: "push" stands twice`},
		"rule bare publisher":     {"rules: [{publishers: [pallets], refs: [refs/tags/*]}]\n", `:1:23: publisher "pallets"`},
		"workflow without ref":    {"reusable_workflows: [{publishers: ['github:a/*'], workflow: 'github:o/r/.github/workflows/x.yml'}]\n", "has no ref"},
		"workflow for nobody":     {"reusable_workflows: [{workflow: 'github:o/r/.github/workflows/x.yml@refs/tags/v*'}]\n", "lacks publishers or workflow"},
		"issuer pattern":          {"issuers: [{host: github.com, issuers: ['https://x/*']}]\n", "wanted an https address"},
		"issuer http":             {"issuers: [{host: github.com, issuers: ['http://x']}]\n", "wanted an https address"},
		"issuer host":             {"issuers: [{host: 'https://github.com', issuers: ['https://x']}]\n", "found the host"},
		"issuer host twice":       {"issuers: [{host: a.b, issuers: ['https://x']}, {host: a.b, issuers: ['https://y']}]\n", `the host "a.b" stands twice`},
		"predicate type":          {"predicate_types: [provenance]\n", "wanted a URI"},
		"predicate types empty":   {"predicate_types: []\n", "is empty"},
		"unknown key of trust":    {"trust: {root: [x]}\n", `:1:9: unknown key "root"`},
		"roots as a string":       {"trust: {roots: x}\n", "roots is no list"},
		"empty root":              {"trust: {roots: ['']}\n", "found nothing"},
		"root without file":       {"trust: {roots: [{insecure_without: [transparency-log]}]}\n", "a root lacks its file"},
		"half a TUF repository":   {"trust: {tuf: [{url: 'https://x'}]}\n", "lacks url or root"},
		"no trust at all":         {"trust: {public_good: false}\n", "no root is trusted"},
		"match of none":           {"match: none\n", "wanted any or all"},
		"half a mirror":           {"mirrors: [{from: 'https://x'}]\n", "a mirror lacks from or to"},
		"timeout":                 {"timeout: 30\n", "found the duration"},
		"nested flow":             {strings.Repeat("[", 20000), "nested deeper"},
		"nested marks":            {strings.Repeat("- ", 20000), "nested deeper"},
		"nested a little":         {"require: " + strings.Repeat("[", 20) + strings.Repeat("]", 20), ":1:25: collections are nested deeper"},
		"too large":               {"#" + strings.Repeat("x", 1<<20), "more than the limit"},
		"control character":       {"cache_dir: \"a\\u001bb\"\n", "there is a control character"},
		"white space":             {"cache_dir: 'a '\n", "there is white space around"},
		"invalid UTF-8":           {"offline: \xff\n", "it is not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse("p.yaml", []byte(row.text))
			var fault *policy.Error
			if !errors.As(err, &fault) {
				t.Fatalf("error %v, wanted *policy.Error", err)
			}
			if !strings.HasPrefix(err.Error(), "p.yaml:") || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %q, wanted p.yaml… and %q", err, row.want)
			}
		})
	}
}

func TestEmptyFilesSayNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing but words\n"} {
		p, err := policy.Parse("p.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: error %v", text, err)
		}
		if diff := cmp.Diff(&policy.Policy{Path: "p.yaml"}, p, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// The example of docs/policy.md, each value where it belongs.
func TestWholeFile(t *testing.T) {
	p := parse(t, `# why
---
trust:
  public_good: true
  roots: [roots/internal.json, {file: /x.json, insecure_without: [transparency-log, certificate-log]}]
  tuf: [{url: https://tuf.example.org, root: tuf-root.json}]
mirrors: [{from: "https://a/", to: files}, {from: "https://b/", to: HTTPS://c/}]
offline: true
cache_dir: cache
timeout: 1m
max_archive_size: 2GiB
match: all
predicate_types: https://slsa.dev/provenance/v1
immutable_releases: false
require_attestations: false
require:
  - kind: [pypi, github-release]
  - package: "numpy*"
    url: https://github.com/pallets/**
  - all: true
exceptions:
  - recipe: recipes/leftpad/**
    reason: >
      upstream does not sign yet,
      see issue 12
    until: 2027-01-31
`)
	type summary struct {
		Roots    []string
		Without  []string
		TUF      string
		Mirrors  []string
		Cache    string
		Timeout  time.Duration
		Max      int64
		Match    policy.Match
		Types    []string
		Require  []string
		All      []bool
		Position string
		Reason   string
		Until    string
	}
	got := summary{
		Roots: []string{p.Trust.Roots[0].Path, p.Trust.Roots[1].Path}, Without: p.Trust.Roots[1].InsecureWithout,
		TUF: p.Trust.TUF[0].URL + " " + p.Trust.TUF[0].Root, Mirrors: []string{p.Mirrors[0].To, p.Mirrors[1].To},
		Cache: p.CacheDir, Timeout: p.Timeout, Max: p.MaxArchive, Match: p.Match, Types: p.PredicateTypes,
		Position: p.Require[1].Position.String(), Reason: p.Exceptions[0].Reason, Until: p.Exceptions[0].Until.Format(time.RFC3339),
	}
	for _, q := range p.Require {
		got.Require, got.All = append(got.Require, q.Selection.String()), append(got.All, q.All)
	}
	want := summary{
		Roots: []string{filepath.Join("dir", "roots", "internal.json"), "/x.json"}, Without: []string{"transparency-log", "certificate-log"},
		TUF: "https://tuf.example.org " + filepath.Join("dir", "tuf-root.json"), Mirrors: []string{filepath.Join("dir", "files"), "HTTPS://c/"},
		Cache: filepath.Join("dir", "cache"), Timeout: time.Minute, Max: 2 << 30, Match: policy.All, Types: []string{"https://slsa.dev/provenance/v1"},
		Require:  []string{"kind pypi or github-release", "package numpy*, url https://github.com/pallets/**", "every source"},
		All:      []bool{false, false, true},
		Position: "dir/recipe-verify.yaml:18:5",
		Reason:   "upstream does not sign yet, see issue 12",
		Until:    "2027-01-31T00:00:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if p.Trust.PublicGood == nil || !*p.Trust.PublicGood || !p.Offline || !p.NoImmutableReleases {
		t.Errorf("truth values: %+v", p)
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(to, name string) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.FromSlash(to), path); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	write("repo/recipe-verify.yaml", "")
	write("repo/a/b/recipe.yaml", "")
	write("repo/near/recipe-verify.yaml", "")
	write("repo/near/c/recipe.yaml", "")
	write("none/a/recipe.yaml", "")
	write("folder/recipe-verify.yaml/x", "")
	link("gone.yaml", "dangling/recipe-verify.yaml")
	link("../repo/recipe-verify.yaml", "linked/recipe-verify.yaml")
	link("../repo/a", "elsewhere/a")
	link("../none/a", "repo/away")

	for name, row := range map[string]struct{ dir, want, fault string }{
		"beside":                        {"repo", "repo/recipe-verify.yaml", ""},
		"above":                         {"repo/a/b", "repo/recipe-verify.yaml", ""},
		"the nearest":                   {"repo/near/c", "repo/near/recipe-verify.yaml", ""},
		"none":                          {"none/a", "", ""},
		"a folder that is not there":    {"repo/x/y/z", "repo/recipe-verify.yaml", ""},
		"a folder of that name":         {"folder", "", "it is no regular file"},
		"a link to nowhere":             {"dangling", "", "it cannot be read"},
		"a link to a file":              {"linked", "linked/recipe-verify.yaml", ""},
		"a recipe that is a link":       {"elsewhere/a/b", "repo/recipe-verify.yaml", ""},
		"a link out of the repository":  {"repo/away", "repo/recipe-verify.yaml", ""},
		"below a file, which is no dir": {"repo/recipe-verify.yaml/x", "", "it cannot be seen"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := policy.Find(filepath.Join(root, filepath.FromSlash(row.dir)))
			if row.fault != "" {
				var fault *policy.Error
				if !errors.As(err, &fault) || !strings.Contains(err.Error(), row.fault) {
					t.Fatalf("found %q, error %v, wanted one with %q", got, err, row.fault)
				}
				return
			}
			want := ""
			if row.want != "" {
				want = filepath.Join(root, filepath.FromSlash(row.want))
			}
			real, realErr := filepath.EvalSymlinks(root)
			if err != nil || realErr != nil || got != want && got != strings.Replace(want, root, real, 1) {
				t.Errorf("found %q, error %v, wanted %q", got, err, want)
			}
		})
	}
}

// The working folder may be named through a link, and ".." leads elsewhere then.
func TestFindAboveTheRealWorkingFolder(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "repo", "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "repo", policy.FileName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(root, "short")
	if err := os.Symlink(deep, short); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	t.Chdir(short)
	t.Setenv("PWD", short)
	got, err := policy.Find(".")
	if err != nil || got != filepath.Join("..", "..", policy.FileName) {
		t.Errorf("found %q, error %v", got, err)
	}
}

// A file that cannot be looked at may be a policy.
func TestFindWhatCannotBeSeen(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root sees everything")
	}
	root := t.TempDir()
	closed := filepath.Join(root, "closed")
	if err := os.Mkdir(closed, 0o000); err != nil {
		t.Fatal(err)
	}
	if path, err := policy.Find(closed); err == nil {
		t.Errorf("found %q and no error in a folder that cannot be searched", path)
	}
}

func TestReadNeedsTheFile(t *testing.T) {
	if _, err := policy.Read(filepath.Join(t.TempDir(), "absent.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := policy.Read(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "---", "--- \n...", "%YAML 1.1\n---\n", "trust: {roots: [a]}", "? a\n: b", "!!binary x", "&a [*a]", "a: &a {<<: *a}",
		"require: [{url: 'https://github.com/a/**', kind: pypi, package: [a, 'b*']}]",
		"exceptions: [{package: a, reason: >\n  x\n, until: 2027-01-31}]",
		"publishers: [{package: a, publishers: ['github:a/b', {identity: a, issuer: b}], bundle_url: '{url}.x'}]",
		"rules: [{refs: [refs/tags/*], triggers: push, repository_ids: 1}]",
		"reusable_workflows: [{publishers: ['*'], workflow: 'github:a/b/c@refs/tags/v*'}]",
	} {
		f.Add(s)
	}
	source := policy.Source{Recipe: "recipe.yaml", Packages: []string{"a"}, URLs: []string{"https://github.com/a/b/releases/download/v1/c"}}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		start := time.Now()
		defer func() {
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		}()
		p, err := policy.Parse("p.yaml", []byte(text))
		var fault *policy.Error
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("error %v is no *policy.Error", err)
		}
		if err == nil {
			p.Apply(source, time.Now())
		}
	})
}
