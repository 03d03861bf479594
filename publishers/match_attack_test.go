package publishers_test

import (
	"errors"
	"testing"

	"github.com/recipe-verify/recipe-verify/publishers"
)

// What a certificate leaves out, or says in a way that cannot be compared, is
// never taken for agreement.
func TestWhatCannotBeComparedIsAMismatch(t *testing.T) {
	const (
		workflow = "https://github.com/pallets/flask/.github/workflows/release.yml"
		private  = "https://git.example.org/pallets/flask/.ci.yml"
	)
	github := publishers.Identity{
		SAN: workflow + "@refs/tags/v1", SANKind: publishers.URIName, Issuer: publishers.GitHubIssuer,
		SourceRepository: "https://github.com/pallets/flask", SourceRef: "refs/tags/v1",
	}
	other := publishers.Identity{
		SAN: private + "@refs/tags/v1", SANKind: publishers.URIName, Issuer: "https://git.example.org",
		SourceRepository: "https://git.example.org/pallets/flask", SourceRef: "refs/tags/v1",
	}
	change := func(id publishers.Identity, f func(*publishers.Identity)) publishers.Identity {
		f(&id)
		return id
	}
	source := func(s string) func(*publishers.Identity) {
		return func(id *publishers.Identity) { id.SourceRepository = s }
	}
	ref := func(s string) func(*publishers.Identity) {
		return func(id *publishers.Identity) { id.SourceRef = s }
	}
	shorthand, err := publishers.Parse("github:pallets/flask@refs/tags/v*")
	if err != nil {
		t.Fatal(err)
	}
	mapping := func(identity, issuer string) publishers.Publisher {
		p, err := publishers.New(identity, issuer)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	exact := mapping(workflow+"@refs/tags/v1", publishers.GitHubIssuer)
	elsewhere := mapping("https://git.example.org/pallets", "https://git.example.org")
	for _, c := range []struct {
		name      string
		publisher publishers.Publisher
		id        publishers.Identity
		want      publishers.Field // "" for a match
	}{
		{"shorthand with ref", shorthand, github, ""},
		{"shorthand with ref, no ref that was built", shorthand, change(github, ref("")), publishers.FieldRef},
		{"shorthand with ref, built from a branch", shorthand, change(github, ref("refs/heads/v1")), publishers.FieldRef},
		{"mapping with ref", exact, github, ""},
		{"mapping with ref, built from a branch", exact, change(github, ref("refs/heads/evil")), publishers.FieldRef},
		{"mapping with ref, no ref that was built", exact, change(github, ref("")), publishers.FieldRef},
		{"mapping without ref, built from a branch", mapping(workflow, publishers.GitHubIssuer), change(github, ref("refs/heads/x")), ""},
		{"other host", elsewhere, other, ""},
		{"other host without a source repository", elsewhere, change(other, source("")), ""},
		{"other host, other source repository", elsewhere, change(other, source("https://git.example.org/evil/x")), publishers.FieldSourceRepository},
		{"other host, source repository by http", elsewhere, change(other, source("http://git.example.org/evil/x")), publishers.FieldIdentity},
		{"other host, source repository by ssh", elsewhere, change(other, source("ssh://git.example.org/evil/x")), publishers.FieldIdentity},
		{"other host, source repository with an escape", elsewhere, change(other, source("https://git.example.org/evil%2fx")), publishers.FieldIdentity},
		{"other host, source repository without a path", elsewhere, change(other, source("https://git.example.org")), publishers.FieldIdentity},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.publisher.Match(c.id)
			var m *publishers.MismatchError
			got := publishers.Field("")
			if errors.As(err, &m) {
				got = m.Field
			}
			if got != c.want {
				t.Errorf("field %q (%v), wanted %q", got, err, c.want)
			}
		})
	}
}
