package report

import (
	"io"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/suggest"
)

// A SuggestDocument is what recipe-verify suggest proposes.
// docs/suggest.schema.json describes it.
type SuggestDocument struct {
	Schema  int             `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Tool    Tool            `json:"tool"`
	Written bool            `json:"written" jsonschema:"description=the proposed blocks were written into the recipes"`
	Recipes []SuggestRecipe `json:"recipes"`
	Summary SuggestSummary  `json:"summary"`
}

// A SuggestRecipe is what is proposed for one recipe.
type SuggestRecipe struct {
	Path    string          `json:"path"`
	Changed bool            `json:"changed" jsonschema:"description=there are blocks to write\\, or that were written"`
	Sources []SuggestSource `json:"sources" jsonschema:"description=the recipe's URL sources\\, one for each place in the file"`
	Faults  []FaultDocument `json:"faults,omitempty" jsonschema:"description=why the recipe could not be read; there are no sources then"`
}

// A SuggestSource is one entry of a source list.
type SuggestSource struct {
	Position        string            `json:"position"`
	Archives        []SuggestArchive  `json:"archives" jsonschema:"description=what it stands for on the platforms and in the variants"`
	Outputs         []string          `json:"outputs"`
	TargetPlatforms []string          `json:"target_platforms"`
	Kind            suggest.Kind      `json:"kind" jsonschema:"enum=proposed,enum=doubtful,enum=impossible,enum=refused,enum=invalid,enum=attested,enum=none,enum=unavailable,enum=error"`
	Reason          string            `json:"reason"`
	Hint            string            `json:"hint,omitempty"`
	Notes           []string          `json:"notes,omitempty"`
	Proposal        *ProposalDocument `json:"proposal,omitempty" jsonschema:"description=of the kinds proposed and doubtful"`
}

// A SuggestArchive is an archive that a source stands for.
type SuggestArchive struct {
	URLs            []string `json:"urls"`
	SHA256          string   `json:"sha256,omitempty"`
	TargetPlatforms []string `json:"target_platforms"`
}

// A ProposalDocument is an attestation block, and what speaks for it. It verifies
// as it stands.
type ProposalDocument struct {
	Publisher  string              `json:"publisher" jsonschema:"description=read from certificates that verified"`
	BundleURL  string              `json:"bundle_url,omitempty" jsonschema:"description=as it is written\\, with templates; absent if none is needed"`
	BundleURLs []string            `json:"bundle_urls,omitempty" jsonschema:"description=what bundle_url is rendered to"`
	Fixed      bool                `json:"fixed" jsonschema:"description=bundle_url does not follow the recipe's version"`
	Confirmed  bool                `json:"confirmed" jsonschema:"description=some statement makes the publisher plausible"`
	Accepted   bool                `json:"accepted" jsonschema:"description=the user accepts the publisher"`
	Signers    []SignerDocument    `json:"signers"`
	Statements []StatementDocument `json:"statements" jsonschema:"description=what is said elsewhere about where the project is"`
}

// A SignerDocument is what a certificate says that verified.
type SignerDocument struct {
	SAN           string `json:"san"`
	Issuer        string `json:"issuer,omitempty"`
	Repository    string `json:"repository,omitempty"`
	RepositoryID  string `json:"repository_id,omitempty"`
	OwnerID       string `json:"owner_id,omitempty"`
	PredicateType string `json:"predicate_type,omitempty"`
}

// A StatementDocument is what something else than the evidence says.
type StatementDocument struct {
	From     suggest.StatementKind `json:"from" jsonschema:"enum=policy,enum=recipe,enum=address,enum=earlier-release,enum=package-index"`
	Name     string                `json:"name,omitempty" jsonschema:"description=the recipe's key\\, the earlier file\\, the link's label"`
	Position string                `json:"position,omitempty"`
	Says     string                `json:"says"`
	Agrees   bool                  `json:"agrees" jsonschema:"description=with the publisher that is proposed"`
}

// A SuggestSummary counts sources.
type SuggestSummary struct {
	Recipes    int                  `json:"recipes"`
	Changed    int                  `json:"changed" jsonschema:"description=recipes with blocks to write"`
	Sources    int                  `json:"sources"`
	Kinds      map[suggest.Kind]int `json:"kinds"`
	ExitStatus int                  `json:"exit_status"`
	Warnings   []string             `json:"warnings"`
}

// NewSuggestDocument describes proposals; written tells whether they are in the
// recipes now.
func NewSuggestDocument(r *suggest.Result, written bool, version string) SuggestDocument {
	d := SuggestDocument{
		Schema: SchemaVersion, Tool: Tool{Name: "recipe-verify", Version: version}, Written: written, Recipes: []SuggestRecipe{},
		Summary: SuggestSummary{Kinds: map[suggest.Kind]int{}, ExitStatus: r.Status(), Warnings: boundedWarnings(r.Warnings)},
	}
	for _, rec := range r.Recipes {
		one := SuggestRecipe{Path: rec.Path, Changed: rec.After != nil, Sources: []SuggestSource{}}
		for _, f := range rec.Faults {
			one.Faults = append(one.Faults, fault(f))
		}
		for _, p := range rec.Places {
			one.Sources = append(one.Sources, suggestSource(p))
			d.Summary.Sources++
			d.Summary.Kinds[p.Kind]++
		}
		if d.Summary.Recipes++; one.Changed {
			d.Summary.Changed++
		}
		d.Recipes = append(d.Recipes, one)
	}
	return d
}

// boundedWarnings are those that a report of an audit would hold.
func boundedWarnings(all []string) []string {
	return (&Footer{SummaryCounts: SummaryCounts{Warnings: all}}).bounded().Warnings
}

func suggestSource(p suggest.Place) SuggestSource {
	s := SuggestSource{
		Position: p.Position.String(), Archives: []SuggestArchive{}, Outputs: list(p.Outputs), TargetPlatforms: list(p.Platforms),
		Kind: p.Kind, Reason: p.Reason, Hint: p.Hint, Notes: p.Notes,
	}
	for _, a := range p.Sources {
		s.Archives = append(s.Archives, SuggestArchive{URLs: redacted(a.URLs), SHA256: a.SHA256, TargetPlatforms: list(a.Platforms)})
	}
	if p.Proposal != nil {
		s.Proposal = proposal(p.Proposal)
	}
	return s
}

func proposal(p *suggest.Proposal) *ProposalDocument {
	d := &ProposalDocument{
		Publisher: p.Publisher.String(), BundleURL: p.BundleURL, BundleURLs: redactedOrNil(p.BundleURLs),
		Fixed: p.Fixed, Confirmed: p.Confirmed, Accepted: p.Accepted,
		Signers: []SignerDocument{}, Statements: []StatementDocument{},
	}
	for _, u := range p.BundleURLs {
		if shown := fetch.Redact(u); shown != u { // the text holds what is hidden there
			d.BundleURL = shown
		}
	}
	for _, s := range p.Signers {
		d.Signers = append(d.Signers, SignerDocument{
			SAN: s.Identity, Issuer: s.Issuer, Repository: s.Repository,
			RepositoryID: s.RepositoryID, OwnerID: s.OwnerID, PredicateType: s.PredicateType,
		})
	}
	for _, s := range p.Statements {
		one := StatementDocument{From: s.From, Name: s.Name, Says: s.Says, Agrees: s.Agrees}
		if !s.Position.IsZero() {
			one.Position = s.Position.String()
		}
		d.Statements = append(d.Statements, one)
	}
	return d
}

// WriteSuggestJSON writes the document.
func WriteSuggestJSON(w io.Writer, d SuggestDocument) error { return writeJSON(w, d) }
