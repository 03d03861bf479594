package recipe

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attested gives a recipe with a URL source, a digest and a block. The block's
// lines stand at a depth of four spaces, from line 8 on.
func attested(block string) string {
	return "context:\n  owner: pallets\n" + head + "source:\n  url: https://github.com/pallets/flask/a.tgz\n  sha256: " + digestOf("a") +
		"\n  attestation:\n" + block
}

func TestAttestation(t *testing.T) {
	type block struct{ Publishers, BundleURLs, PredicateTypes []string }
	tests := []struct {
		name, recipe string
		options      Options
		want         block
	}{
		{name: "scalar", recipe: attested("    publishers: github:pallets/flask\n"), want: block{Publishers: []string{"github:pallets/flask"}}},
		{
			name: "list", recipe: attested("    publishers:\n      - github:pallets/flask@refs/tags/*\n      - gitlab:a/b/c\n"),
			want: block{Publishers: []string{"github:pallets/flask@refs/tags/*", "gitlab:a/b/c"}},
		},
		{
			name: "mapping", recipe: attested("    publishers:\n      - identity: https://github.com/a/b\n        issuer: https://issuer.example\n"),
			want: block{Publishers: []string{"https://github.com/a/b (https://issuer.example)"}},
		},
		{
			name: "lone mapping", recipe: attested("    publishers:\n      identity: a@e.org\n      issuer: https://accounts.example\n"),
			want: block{Publishers: []string{"a@e.org (https://accounts.example)"}},
		},
		{
			name: "templates", recipe: attested("    publishers: github:${{ owner }}/flask\n    bundle_url: https://e.org/${{ owner }}.json\n    predicate_type: https://${{ owner }}.example/v1\n"),
			want: block{[]string{"github:pallets/flask"}, []string{"https://e.org/pallets.json"}, []string{"https://pallets.example/v1"}},
		},
		{
			name: "template in a mapping", recipe: attested("    publishers:\n      - identity: https://github.com/${{ owner }}/b\n        issuer: https://i.example\n"),
			want: block{Publishers: []string{"https://github.com/pallets/b (https://i.example)"}},
		},
		{
			name: "lists", recipe: attested("    publishers: [github:a/b]\n    bundle_url: [https://e.org/1, 'file:///2']\n    predicate_type: [a, b]\n"),
			want: block{[]string{"github:a/b"}, []string{"https://e.org/1", "file:///2"}, []string{"a", "b"}},
		},
		{
			name: "conditionals", recipe: attested("    publishers:\n      - if: win\n        then: github:a/win\n        else:\n          - github:a/b\n          - if: linux\n            then: [github:a/linux]\n"),
			want: block{Publishers: []string{"github:a/b", "github:a/linux"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse("recipe.yaml", []byte(tt.recipe), linux)
			if err != nil {
				t.Fatal(err)
			}
			a := r.Outputs[0].Sources[0].Attestation
			if a == nil {
				t.Fatal("no block")
			}
			var got block
			for _, p := range a.Publishers {
				if p.IsZero() {
					t.Errorf("publisher %q matches nobody", p.Text)
				}
				got.Publishers = append(got.Publishers, p.Text)
			}
			for _, u := range a.BundleURLs {
				got.BundleURLs = append(got.BundleURLs, u.Value)
			}
			for _, p := range a.PredicateTypes {
				got.PredicateTypes = append(got.PredicateTypes, p.Value)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("block (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttestationPositions(t *testing.T) {
	r, err := Parse("r.yaml", []byte(attested("    publishers:\n      - github:pallets/flask\n    bundle_url: https://e.org/b\n")), linux)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Outputs[0].Sources[0]
	got := []string{
		s.Pos.String(), s.URLs[0].Pos.String(), s.SHA256Pos.String(), s.Attestation.Pos.String(),
		s.Attestation.Publishers[0].Pos.String(), s.Attestation.BundleURLs[0].Pos.String(),
	}
	want := []string{"r.yaml:7:3", "r.yaml:7:8", "r.yaml:8:11", "r.yaml:9:3", "r.yaml:11:9", "r.yaml:12:17"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
}

type faultTest struct {
	name, recipe string
	// want is the first fault, "position: message" with the hint behind " | ".
	want string
}

func runFaultTests(t *testing.T, tests []faultTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse("r.yaml", []byte(tt.recipe), linux)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("result %+v, error %v, wanted a fault", r, err)
			}
			if r != nil {
				t.Errorf("a recipe beside the error")
			}
			got := strings.Replace(e.Error(), "\nhint: ", " | ", 1)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttestationFaults(t *testing.T) {
	url := head + "source:\n  url: https://e.org/a\n"
	block := "  attestation:\n    publishers: github:a/b\n"
	digest := "  sha256: " + digestOf("a") + "\n"
	const addDigest = " | write `sha256: ` and the SHA-256 of the archive"
	const anyPublishers = "`publishers: [github:owner/repo]`"
	runFaultTests(t, []faultTest{
		{"no digest", url + block, "r.yaml:6:3: attestation block without a `sha256` beside it" + addDigest},
		{"md5 is no digest", url + "  md5: " + strings.Repeat("a", 32) + "\n" + block, "r.yaml:7:3: attestation block without a `sha256` beside it" + addDigest},
		{"empty digest", url + "  sha256: ''\n" + block, "r.yaml:6:11: sha256 beside an attestation block is an empty placeholder" + addDigest},
		{"null digest", url + "  sha256:\n" + block, "r.yaml:6:10: sha256 beside an attestation block is an empty placeholder" + addDigest},
		{"digest of zeros", url + "  sha256: " + zeros + "\n" + block, "r.yaml:6:11: sha256 beside an attestation block is an empty placeholder" + addDigest},
		{"digest of an empty template", url + "  sha256: ${{ '' }}\n" + block, "r.yaml:6:11: sha256 beside an attestation block is an empty placeholder" + addDigest},
		{"short digest", url + "  sha256: abc\n" + block, "r.yaml:6:11: a SHA-256 has 64 hexadecimal digits, found 3 characters"},
		{"no publishers", attested("    bundle_url: https://e.org/a\n"), "r.yaml:9:3: attestation block names no publishers | add `publishers: [github:pallets/flask]`"},
		{"empty block", url + digest + "  attestation:\n", "r.yaml:7:3: attestation block names no publishers | add " + anyPublishers},
		{"empty mapping", url + digest + "  attestation: {}\n", "r.yaml:7:3: attestation block names no publishers | add " + anyPublishers},
		{"empty list", url + digest + "  attestation:\n    publishers: []\n", "r.yaml:8:5: list of publishers is empty | write " + anyPublishers},
		{"null", url + digest + "  attestation:\n    publishers:\n", "r.yaml:8:5: list of publishers is empty | write " + anyPublishers},
		{"conditionals that leave none", url + digest + "  attestation:\n    publishers:\n      - if: win\n        then: github:a/b\n", "r.yaml:8:5: list of publishers is empty | write " + anyPublishers},
		{"true", url + digest + "  attestation: true\n", "r.yaml:7:16: attestation must be a mapping with `publishers`, found a scalar | write " + anyPublishers},
		{"list for a block", url + digest + "  attestation: [github:a/b]\n", "r.yaml:7:16: attestation must be a mapping with `publishers`, found a list | write " + anyPublishers},
		{
			"empty template", url + digest + "  attestation:\n    publishers:\n      - ${{ '' }}\n",
			"r.yaml:9:9: publisher \"\" is empty | write github:owner/repo, gitlab:group/project, or a mapping with identity and issuer",
		},
		{
			"unknown provider", url + digest + "  attestation:\n    publishers: bitbucket:a/b\n",
			"r.yaml:8:17: publisher \"bitbucket:a/b\" has the unknown provider \"bitbucket\" | known providers are github and gitlab; for others write a mapping with identity and issuer",
		},
		{
			"no issuer", url + digest + "  attestation:\n    publishers:\n      - identity: https://github.com/a/b\n",
			"r.yaml:9:9: publisher has no `issuer` | write {identity: https://…, issuer: https://…}",
		},
		{
			"unknown key of a publisher", url + digest + "  attestation:\n    publishers:\n      - identitiy: a\n        issuer: b\n",
			"r.yaml:9:9: unknown key \"identitiy\" in a publisher | did you mean `identity`?",
		},
		{
			"list of lists", url + digest + "  attestation:\n    publishers:\n      - github:a/b\n      - a:\n          b: c\n",
			"r.yaml:10:9: unknown key \"a\" in a publisher | allowed are identity, issuer",
		},
		{"unknown key of a block", url + digest + "  attestation:\n    publisher: github:a/b\n", "r.yaml:8:5: unknown key \"publisher\" in an attestation block | did you mean `publishers`?"},
		{"unknown key beside it", url + digest + "  attestations:\n    publishers: github:a/b\n", "r.yaml:7:3: unknown key \"attestations\" in a url source | did you mean `attestation`?"},
		{"git source", head + "source:\n  git: https://e.org/a\n" + block, "r.yaml:6:3: attestation stands on URL sources only, and this is a git source | remove the block, or use a URL source"},
		{"path source", head + "source:\n  path: a\n" + digest + block, "r.yaml:7:3: attestation stands on URL sources only, and this is a path source | remove the block, or use a URL source"},
		{"relative bundle_url", url + digest + block + "    bundle_url: a.json\n", "r.yaml:9:17: \"a.json\" is not an absolute URL | write an absolute URL, such as https://…"},
		{"bundle_url without host", url + digest + block + "    bundle_url: 'https://'\n", "r.yaml:9:17: \"https://\" is not an absolute URL | write an absolute URL, such as https://…"},
		{"bundle_url of another scheme", url + digest + block + "    bundle_url: ftp://e.org/a\n", "r.yaml:9:17: bundle_url has the scheme \"ftp\", wanted https, http or file | write an https URL"},
		{"empty bundle_url", url + digest + block + "    bundle_url: ''\n", "r.yaml:9:17: URL is empty | write an absolute URL, such as https://…"},
		{"null bundle_url", url + digest + block + "    bundle_url:\n", "r.yaml:9:16: bundle_url is empty | write the address of a bundle, or remove the key"},
		{"no bundle_url", url + digest + block + "    bundle_url: []\n", "r.yaml:9:17: bundle_url is empty | write the address of a bundle, or remove the key"},
		{"bundle_url mapping", url + digest + block + "    bundle_url: {a: b}\n", "r.yaml:9:17: wanted a scalar, found a mapping"},
		{
			"empty predicate type", url + digest + block + "    predicate_type: ''\n",
			"r.yaml:9:21: predicate type is empty | write a predicate type, such as https://slsa.dev/provenance/v1, or remove the key",
		},
		{
			"null predicate type", url + digest + block + "    predicate_type:\n",
			"r.yaml:9:20: predicate_type is empty | write a predicate type, such as https://slsa.dev/provenance/v1, or remove the key",
		},
		{"duplicate block", url + digest + block + block, "r.yaml:9:3: duplicate key \"attestation\", first given in line 7"},
	})
}

// Whatever is wrong with a block, the source is never one without a block.
func TestFaultyBlockIsNotOverlooked(t *testing.T) {
	blocks := []string{"", "    publishers:\n", "    publishers: ${{ nope }}\n", "    publishers:\n      - if: nope\n        then: github:a/b\n", "    x: y\n"}
	for _, lenient := range []bool{false, true} {
		for _, b := range blocks {
			o := linux
			o.Lenient = lenient
			r, err := Parse("r.yaml", []byte(attested(b)), o)
			if err != nil {
				continue
			}
			s := r.Outputs[0].Sources[0]
			if s.Err == nil || s.Kind != 0 || s.URLs != nil {
				t.Errorf("lenient %v, block %q: source %+v, wanted an error", lenient, b, s)
			}
		}
	}
}
