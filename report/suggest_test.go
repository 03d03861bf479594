package report_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/suggest"
)

var suggestKinds = []suggest.Kind{
	suggest.Proposed, suggest.Doubtful, suggest.Impossible, suggest.Refused, suggest.Invalid,
	suggest.Attested, suggest.None, suggest.Unavailable, suggest.Faulty,
}

// suggestions have one source of each kind; every text in them is foreign.
func suggestions(t *testing.T, foreign, address string) *suggest.Result {
	t.Helper()
	who, err := publishers.New(foreign+"@example.org", "https://issuer.example")
	if err != nil {
		who, err = publishers.Parse("github:owner/repo")
	}
	if err != nil {
		t.Fatal(err)
	}
	pos := recipe.Position{File: foreign, Line: 7, Column: 3}
	rec := suggest.Recipe{Path: foreign, Before: []byte("a"), After: []byte("b")}
	for _, k := range suggestKinds {
		p := suggest.Place{
			Position: pos, Outputs: []string{foreign}, Platforms: []string{foreign},
			Sources: []suggest.Source{{URLs: []string{address}, SHA256: foreign, Platforms: []string{foreign}}, {URLs: []string{address}}},
			Kind:    k, Reason: foreign, Hint: foreign, Notes: []string{foreign},
		}
		if k == suggest.Proposed || k == suggest.Doubtful {
			p.Proposal = &suggest.Proposal{
				Publisher: who, BundleURL: address, BundleURLs: []string{address}, Accepted: k == suggest.Proposed,
				Signers: []suggest.Signer{{Identity: foreign, Issuer: foreign, Repository: foreign, RepositoryID: foreign, OwnerID: foreign, PredicateType: foreign}},
			}
			for _, from := range []suggest.StatementKind{suggest.FromPolicy, suggest.FromRecipe, suggest.FromAddress, suggest.FromEarlier, suggest.FromLink} {
				p.Proposal.Statements = append(p.Proposal.Statements, suggest.Statement{From: from, Name: foreign, Position: pos, Says: foreign})
			}
		}
		rec.Places = append(rec.Places, p)
	}
	return &suggest.Result{
		Recipes: []suggest.Recipe{rec, {
			Path: foreign, Faults: []*recipe.Error{{Pos: pos, Message: foreign, Hint: foreign, Line: foreign, Width: 1}},
		}},
		Warnings: []string{foreign},
	}
}

func writeSuggestions(t *testing.T, r *suggest.Result) (text, document string) {
	t.Helper()
	var a, b bytes.Buffer
	d := report.NewSuggestDocument(r, true, "devel")
	if err := report.WriteSuggestText(&a, d, true); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteSuggestJSON(&b, d); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

func TestSuggestionsOfForeignStrings(t *testing.T) {
	text, document := writeSuggestions(t, suggestions(t, hostile, "https://example.org/"+hostile))
	for name, got := range map[string]string{"text": text, "JSON": document} {
		for _, r := range got {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("the %s holds %+q", name, r)
			}
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "verified     evil") {
			t.Errorf("foreign text made the line %q", line)
		}
	}
	for _, command := range []string{"::error::x", "##[error]x"} {
		text, _ := writeSuggestions(t, suggestions(t, command, command))
		if found := runner(t, text); len(found) > 0 {
			t.Errorf("%q: the report holds %+v", command, found)
		}
	}
}

func TestSuggestionsHideSecretsInAddresses(t *testing.T) {
	text, document := writeSuggestions(t, suggestions(t, "x", "https://user:sesame@example.org/a.tar.gz?token=sesame"))
	if strings.Contains(text+document, "sesame") {
		t.Errorf("a secret is reported:\n%s\n%s", text, document)
	}
}

// What is written is of the schema, and the schema says no to anything else.
func TestSuggestionsAreOfTheirSchema(t *testing.T) {
	schema, err := validator.NewCompiler().Compile("../docs/suggest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*suggest.Result{{}, suggestions(t, hostile, "https://example.org/"+hostile)} {
		_, text := writeSuggestions(t, r)
		document, err := validator.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("not of the schema: %v\n%s", err, text)
		}
		object := document.(map[string]any)
		for _, change := range []func(){
			func() { object["extra"] = 1 },
			func() { delete(object, "extra"); delete(object, "written") },
			func() { object["written"], object["schema"] = true, 2 },
		} {
			if change(); schema.Validate(document) == nil {
				t.Errorf("the schema takes %.100v", object)
			}
		}
	}
	_, text := writeSuggestions(t, suggestions(t, "x", "https://example.org/a"))
	if document, err := validator.UnmarshalJSON(strings.NewReader(strings.Replace(text, `"kind": "refused"`, `"kind": "fine"`, 1))); err != nil || schema.Validate(document) == nil {
		t.Errorf("the schema takes an unknown kind; error %v", err)
	}
}
