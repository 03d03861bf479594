package signer_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/signer"
	"github.com/recipe-verify/recipe-verify/verify"
)

const (
	actions = "https://token.actions.githubusercontent.com"
	publish = "https://docs.pypi.org/attestations/publish/v1"
	slsa    = "https://slsa.dev/provenance/v1"
	flask   = "https://github.com/pallets/flask"
)

// built is what a workflow's certificate says.
func built(change ...func(*verify.Certificate)) verify.Content {
	c := verify.Certificate{
		SAN: flask + "/.github/workflows/publish.yaml@refs/tags/3.1.1", SANKind: publishers.URIName, Issuer: actions,
		SourceRepository: flask, SourceRepositoryID: "596892", SourceOwnerID: "16748505",
		SourceRef: "refs/tags/3.1.1", SourceDigest: strings.Repeat("ab", 20),
		BuildConfigURI: flask + "/.github/workflows/publish.yaml@refs/tags/3.1.1",
	}
	for _, f := range change {
		f(&c)
	}
	return verify.Content{PredicateType: publish, Certificate: c}
}

func pallets(change ...func(*signer.Signer)) signer.Signer {
	s := signer.Signer{
		Publisher: flask, Issuer: actions, Workflow: ".github/workflows/publish.yaml",
		RepositoryID: "596892", OwnerID: "16748505", PredicateType: publish,
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

func TestOf(t *testing.T) {
	const called = "https://github.com/org/workflows/.github/workflows/release.yml"
	for name, c := range map[string]struct {
		content verify.Content
		want    signer.Signer
	}{
		"a workflow": {built(), pallets()},
		"another version": {built(func(c *verify.Certificate) {
			c.SAN = flask + "/.github/workflows/publish.yaml@refs/tags/3.1.2"
			c.BuildConfigURI, c.SourceRef, c.SourceDigest = c.SAN, "refs/tags/3.1.2", strings.Repeat("cd", 20)
		}), pallets()},
		"a commit in the place of the ref": {built(func(c *verify.Certificate) {
			c.SAN = flask + "/.github/workflows/publish.yaml@" + strings.Repeat("ab", 20)
			c.BuildConfigURI = c.SAN
		}), pallets()},
		"a ref with an at sign": {built(func(c *verify.Certificate) {
			c.SAN = flask + "/.github/workflows/publish.yaml@refs/tags/flask@3.1.1"
			c.BuildConfigURI = c.SAN
		}), pallets()},
		"a reusable workflow of another repository": {
			built(func(c *verify.Certificate) { c.SAN = called + "@refs/heads/main" }),
			pallets(func(s *signer.Signer) { s.Reusable = called }),
		},
		"a reusable workflow of the same repository": {built(func(c *verify.Certificate) {
			c.SAN = flask + "/.github/workflows/build.yaml@refs/tags/3.1.1"
		}), pallets(func(s *signer.Signer) { s.Reusable = ".github/workflows/build.yaml" })},
		"a workflow below a repository whose name begins alike": {built(func(c *verify.Certificate) {
			c.BuildConfigURI = flask + "-evil/.github/workflows/publish.yaml@refs/tags/3.1.1"
			c.SAN = c.BuildConfigURI
		}), pallets(func(s *signer.Signer) { s.Workflow = flask + "-evil/.github/workflows/publish.yaml" })},
		"GitLab, whose path begins with two slashes": {built(func(c *verify.Certificate) {
			c.SourceRepository, c.Issuer = "https://gitlab.com/o/r", "https://gitlab.com"
			c.SAN = "https://gitlab.com/o/r//.gitlab-ci.yml@refs/tags/v1"
			c.BuildConfigURI = c.SAN
		}), pallets(func(s *signer.Signer) {
			s.Publisher, s.Issuer, s.Workflow = "https://gitlab.com/o/r", "https://gitlab.com", ".gitlab-ci.yml"
		})},
		"a certificate of 2021": {
			verify.Content{PredicateType: slsa, Certificate: verify.Certificate{
				SAN: flask + "/.github/workflows/publish.yaml@refs/tags/1", SANKind: publishers.URIName, Issuer: actions,
			}},
			signer.Signer{Publisher: flask, Issuer: actions, PredicateType: slsa},
		},
		"a person": {
			verify.Content{Certificate: verify.Certificate{SAN: "Release@Example.org", SANKind: publishers.EmailName, Issuer: "https://accounts.google.com"}},
			signer.Signer{Publisher: "Release@Example.org", Issuer: "https://accounts.google.com", Person: true},
		},
		"an address that is no workflow's": {
			verify.Content{Certificate: verify.Certificate{SAN: "https://example.org/robot", SANKind: publishers.URIName, Issuer: "https://example.org"}},
			signer.Signer{Publisher: "https://example.org/robot", Issuer: "https://example.org", Person: true},
		},
		"an e-mail address that looks like a workflow": {
			verify.Content{Certificate: verify.Certificate{SAN: flask + "/.github/workflows/x.yaml@example.org", SANKind: publishers.EmailName, Issuer: actions}},
			signer.Signer{Publisher: flask + "/.github/workflows/x.yaml@example.org", Issuer: actions, Person: true},
		},
		"an immutable release": {
			verify.Content{
				PredicateType: "https://in-toto.io/attestation/release/v0.2", Release: &publishers.Release{Repository: "pallets/flask", Tag: "3.1.1", RepositoryID: "596892", OwnerID: "16748505"},
				Certificate: verify.Certificate{SAN: "https://dotcom.releases.github.com", SANKind: publishers.URIName, Issuer: "https://example.org", SourceRepository: "https://github.com/evil/x"},
			},
			signer.Signer{Publisher: flask, RepositoryID: "596892", OwnerID: "16748505", PredicateType: "https://in-toto.io/attestation/release/v0.2", Release: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, signer.Of(c.content)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// All is of verified evidence; the zero value has no signers.
func TestAllOfNothing(t *testing.T) {
	if got := signer.All(verify.Evidence{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func kinds(changes []signer.Change) string {
	var list []string
	for _, c := range changes {
		k := string(c.Kind)
		if c.Downgrade {
			k += "!"
		}
		list = append(list, k)
	}
	return strings.Join(list, " ")
}

func TestCompare(t *testing.T) {
	with := func(f func(*signer.Signer)) []signer.Signer { return []signer.Signer{pallets(f)} }
	person := signer.Signer{Publisher: "release@example.org", Issuer: "https://accounts.google.com", PredicateType: publish, Person: true}
	release := signer.Signer{Publisher: flask, RepositoryID: "596892", OwnerID: "16748505", PredicateType: publish, Release: true}
	provenance := pallets(func(s *signer.Signer) { s.PredicateType = slsa })
	for name, c := range map[string]struct {
		before, now []signer.Signer
		want        string
	}{
		"the same":        {nil, with(func(*signer.Signer) {}), ""},
		"another case":    {nil, with(func(s *signer.Signer) { s.Publisher = "https://GitHub.com/Pallets/Flask" }), ""},
		"a slash":         {nil, with(func(s *signer.Signer) { s.Publisher += "/" }), ""},
		"twice the same":  {nil, []signer.Signer{pallets(), pallets()}, ""},
		"a longer name":   {nil, with(func(s *signer.Signer) { s.Publisher += "2" }), "publisher-changed!"},
		"the Kelvin sign": {nil, with(func(s *signer.Signer) { s.Publisher = "https://github.com/pallets/flas\u212a" }), "publisher-changed!"},
		"a repository of the same name, registered again":     {nil, with(func(s *signer.Signer) { s.RepositoryID, s.OwnerID = "1", "2" }), "repository-id-changed! owner-id-changed!"},
		"a repository that was registered again by its owner": {nil, with(func(s *signer.Signer) { s.RepositoryID = "1" }), "repository-id-changed!"},
		"renamed":                     {nil, with(func(s *signer.Signer) { s.Publisher = "https://github.com/pallets/flask2" }), "publisher-changed!"},
		"identifiers disappear":       {nil, with(func(s *signer.Signer) { s.RepositoryID, s.OwnerID = "", "" }), "repository-id-changed! owner-id-changed!"},
		"identifiers appear":          {with(func(s *signer.Signer) { s.RepositoryID, s.OwnerID = "", "" }), with(func(*signer.Signer) {}), "repository-id-changed owner-id-changed"},
		"another issuer":              {nil, with(func(s *signer.Signer) { s.Issuer = actions + "/acme" }), "issuer-changed!"},
		"another workflow":            {nil, with(func(s *signer.Signer) { s.Workflow = ".github/workflows/evil.yaml" }), "workflow-changed"},
		"a workflow in another case":  {nil, with(func(s *signer.Signer) { s.Workflow = ".github/workflows/Publish.yaml" }), "workflow-changed"},
		"a reusable workflow":         {nil, with(func(s *signer.Signer) { s.Reusable = ".github/workflows/b.yaml" }), "reusable-workflow-changed"},
		"another predicate":           {nil, []signer.Signer{provenance}, "predicate-changed"},
		"a person":                    {nil, []signer.Signer{person}, "publisher-changed! issuer-changed! workflow-changed repository-id-changed! owner-id-changed!"},
		"a person in another case":    {[]signer.Signer{person}, []signer.Signer{{Publisher: "Release@example.org", Issuer: person.Issuer, PredicateType: publish, Person: true}}, "publisher-changed!"},
		"a person called like one":    {nil, with(func(s *signer.Signer) { s.Person = true }), "publisher-changed!"},
		"GitHub for the workflow":     {nil, []signer.Signer{release}, "workflow-changed release-changed!"},
		"the workflow for GitHub":     {[]signer.Signer{release}, []signer.Signer{pallets()}, "workflow-changed release-changed"},
		"nobody any more":             {nil, []signer.Signer{}, "evidence-disappeared!"},
		"somebody at last":            {[]signer.Signer{}, with(func(*signer.Signer) {}), "evidence-appeared"},
		"one more statement":          {nil, []signer.Signer{provenance, pallets()}, "evidence-appeared"},
		"one statement less":          {[]signer.Signer{provenance, pallets()}, with(func(*signer.Signer) {}), "evidence-disappeared!"},
		"one of two by somebody else": {[]signer.Signer{provenance, pallets()}, []signer.Signer{pallets(), pallets(func(s *signer.Signer) { s.PredicateType, s.RepositoryID = slsa, "1" })}, "repository-id-changed!"},
		"both by somebody else, each held against its own, and said once": {
			[]signer.Signer{provenance, pallets()},
			[]signer.Signer{pallets(func(s *signer.Signer) { s.RepositoryID = "1" }), pallets(func(s *signer.Signer) { s.PredicateType, s.RepositoryID = slsa, "1" })},
			"repository-id-changed!",
		},
		"one for two": {
			[]signer.Signer{provenance, pallets()}, with(func(s *signer.Signer) { s.RepositoryID = "1" }), "repository-id-changed! evidence-disappeared!",
		},
		"statements change hands": {
			[]signer.Signer{pallets(), {Publisher: "https://github.com/o/r", Issuer: actions, PredicateType: slsa}},
			[]signer.Signer{pallets(func(s *signer.Signer) { s.PredicateType = slsa }), {Publisher: "https://github.com/o/r", Issuer: actions, PredicateType: publish}},
			"predicate-changed predicate-changed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.before
			if before == nil {
				before = []signer.Signer{pallets()}
			}
			got := signer.Compare(before, c.now)
			if kinds(got) != c.want {
				t.Errorf("got %q, wanted %q: %v", kinds(got), c.want, got)
			}
			slices.Reverse(before)
			slices.Reverse(c.now)
			if diff := cmp.Diff(got, signer.Compare(before, c.now)); diff != "" {
				t.Errorf("the order matters: %s", diff)
			}
		})
	}
}

// Whatever field differs is a change, one that is added later included.
func TestEveryFieldCounts(t *testing.T) {
	base := pallets(func(s *signer.Signer) { s.Reusable = "r" })
	for i, text := range base.Texts() {
		changed := base
		*changed.Texts()[i] = *text + "x"
		if got := signer.Compare([]signer.Signer{base}, []signer.Signer{changed}); len(got) != 1 {
			t.Errorf("text %d: %v", i, got)
		}
		if base.Same(changed) || len(signer.Sorted([]signer.Signer{base, changed})) != 2 {
			t.Errorf("text %d: they are the same", i)
		}
	}
	texts := 0
	for _, f := range reflect.VisibleFields(reflect.TypeFor[signer.Signer]()) {
		if f.Type.Kind() == reflect.String {
			texts++
		}
	}
	if texts != len(base.Texts()) {
		t.Errorf("a signer has %d texts, and Texts gives %d", texts, len(base.Texts()))
	}
}

func TestChangeText(t *testing.T) {
	for _, c := range []struct {
		change signer.Change
		want   string
	}{
		{signer.Change{Kind: signer.WorkflowChanged, Before: "a", After: "b"}, "workflow-changed: before a, now b"},
		{signer.Change{Kind: signer.RepositoryIDChanged, Before: "1"}, "repository-id-changed: before 1, now none"},
		{signer.Change{Kind: signer.Appeared, After: "b"}, "evidence-appeared: now b"},
	} {
		if got := c.change.String(); got != c.want {
			t.Errorf("got %q, wanted %q", got, c.want)
		}
	}
	renamed := signer.Compare([]signer.Signer{pallets()}, []signer.Signer{pallets(func(s *signer.Signer) { s.Publisher = "https://github.com/x/y" })})
	if !strings.Contains(renamed[0].After, "renamed or transferred") {
		t.Errorf("%v", renamed)
	}
}
