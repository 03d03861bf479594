package publishers_test

import (
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// Names, patterns and identities of megabytes cost little, and messages about
// them stay short.
func TestHostileNamesAreCheap(t *testing.T) {
	budget.SkipWithRace(t)
	const n = 4 << 20
	repeat := strings.Repeat
	flask := publisher(t, "github:pallets/flask@refs/tags/*a*a*a*a*a*a*a*b")
	mapped := mapping(t, "https://example.org/"+repeat("a/", 500)+"b", "https://issuer.example.org")
	for name, s := range map[string]string{
		"letters":     repeat("a", n),
		"owners":      "github:" + repeat("a/", n/2),
		"stars":       "github:" + repeat("*", n),
		"at signs":    "github:a/b" + repeat("@refs/", n/6),
		"groups":      "gitlab:" + repeat("g/", n/2) + "p",
		"double":      "gitlab:g/p" + repeat("//", n/2),
		"a long ref":  "https://github.com/pallets/flask/.github/workflows/r.yml@refs/tags/" + repeat("a", n),
		"refs":        "https://github.com/pallets/flask/.github/workflows/r.yml@refs/tags/" + repeat("a/", n/2),
		"segments":    "https://github.com/" + repeat("a/", n/2),
		"empty":       "https://github.com" + repeat("/", n),
		"escapes":     "https://github.com/" + repeat("%2f", n/3),
		"a long host": "https://" + repeat("a.", n/2) + "/a/b",
		"controls":    repeat("\x1b[31m", n/5),
		"no UTF-8":    repeat("\xff", n),
		"schemes":     repeat("https://", n/8),
	} {
		t.Run(name, func(t *testing.T) {
			budget.Check(t, func() {
				var errs []error
				_, err := publishers.Parse(s)
				errs = append(errs, err)
				_, err = publishers.New(s, "https://issuer.example.org")
				errs = append(errs, err)
				_, err = publishers.ParsePattern(s)
				errs = append(errs, err)
				_, err = publishers.ParseWorkflow(s)
				errs = append(errs, err)
				for _, p := range []publishers.Publisher{flask, mapped} {
					for _, id := range []publishers.Identity{
						{SAN: s, SANKind: publishers.URIName, Issuer: p.Issuer(), SourceRepository: s, SourceRef: s, BuildConfigURI: s},
						{SAN: "https://github.com/pallets/flask/x@refs/tags/" + s, SANKind: publishers.URIName, Issuer: p.Issuer(), SourceRepository: "https://github.com/pallets/flask", SourceRef: s},
						{SAN: s, SANKind: publishers.EmailName, Issuer: s},
					} {
						terms := publishers.Terms{Version: []string{"1.0"}, Packages: []string{"flask"}}
						errs = append(errs, terms.Match(p, id))
						for _, w := range terms.Warnings(p, id) {
							if len(w.Message) > 4000 {
								t.Errorf("a warning of %d bytes", len(w.Message))
							}
						}
					}
				}
				publishers.TagFitsVersion(s, s[:len(s)-1], []string{s})
				for _, err := range errs {
					if err != nil && len(err.Error()) > 4000 {
						t.Errorf("a message of %d bytes", len(err.Error()))
					}
				}
			})
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"github:pallets/flask", "gitlab:g/s/p@refs/tags/v*", "github:bazel-contrib/.github/.github/workflows/x.yml@refs/tags/v*", "https://github.com/a/b@refs/tags/v1", "github:a/b@", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// What is read is what was written, and reads the same again.
		if p, err := publishers.Parse(s); (err == nil) == p.IsZero() || err == nil && publisher(t, p.String()).Repository() != p.Repository() {
			t.Errorf("%q: %q, error %v", s, p.String(), err)
		}
		if w, err := publishers.ParseWorkflow(s); (err == nil) == w.IsZero() || err == nil && w.String() != s {
			t.Errorf("workflow %q: %q, error %v", s, w.String(), err)
		}
		if p, err := publishers.New(s, "https://issuer.example.org"); (err == nil) == p.IsZero() {
			t.Errorf("identity %q: %q, error %v", s, p.String(), err)
		}
	})
}
