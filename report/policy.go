package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A PolicyCheckDocument says what a policy demands, and what of it applies to
// the sources of recipes. docs/policycheck.schema.json describes it.
type PolicyCheckDocument struct {
	Schema     int                    `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Policy     string                 `json:"policy" jsonschema:"description=the policy file\\, empty for none"`
	Match      string                 `json:"match" jsonschema:"enum=any,enum=all"`
	Statements []ReasonDocument       `json:"statements" jsonschema:"description=what the file demands of sources and signers\\, and allows them"`
	Sources    []PolicySourceDocument `json:"sources" jsonschema:"description=the sources of the recipes that were named"`
}

// A PolicySourceDocument is what applies to one source.
type PolicySourceDocument struct {
	Recipe     string              `json:"recipe"`
	Position   string              `json:"position" jsonschema:"description=file:line:column of the source"`
	Outputs    []string            `json:"outputs"`
	URLs       []string            `json:"urls"`
	Other      string              `json:"other,omitempty" jsonschema:"description=a source that is no URL"`
	Publishers []PublisherDocument `json:"publishers" jsonschema:"description=who may sign\\, and where that is written"`
	BundleURLs []string            `json:"bundle_urls,omitempty" jsonschema:"description=where the policy says that evidence lies"`
	Policy     []ReasonDocument    `json:"policy" jsonschema:"description=what of the policy applies\\, and where it stands"`
	Demanded   bool                `json:"demanded" jsonschema:"description=the source is not let through without evidence"`
	Outcome    string              `json:"outcome" jsonschema:"description=what all this comes to\\, in words"`
}

// A PublisherDocument is a publisher and where it is named.
type PublisherDocument struct {
	Publisher string `json:"publisher"`
	Position  string `json:"position"`
}

// PolicyCheck begins the document for a policy.
func PolicyCheck(p *policy.Policy, now time.Time) *PolicyCheckDocument {
	d := &PolicyCheckDocument{
		Schema: SchemaVersion, Policy: p.Path, Match: string(policy.Any),
		Statements: reasons(p.Statements(now)), Sources: []PolicySourceDocument{},
	}
	if p.Match != "" {
		d.Match = string(p.Match)
	}
	if d.Statements == nil {
		d.Statements = []ReasonDocument{}
	}
	return d
}

// Add says what of the policy applies to each source of a recipe.
func (d *PolicyCheckDocument) Add(p *policy.Policy, rec *recipe.Recipe, now time.Time) {
	for _, s := range rec.Sources() {
		src := audit.PolicySource(rec, s)
		doc := PolicySourceDocument{
			Recipe: rec.Path, Position: s.Pos.String(), Outputs: list(src.Packages), URLs: redacted(src.URLs),
			Publishers: []PublisherDocument{}, Policy: []ReasonDocument{},
		}
		switch {
		case s.Err != nil:
			doc.Demanded, doc.Outcome = true, "it cannot be evaluated: "+s.Err.Message
		case s.Kind != recipe.URLSource:
			doc.Other, doc.Outcome = s.Kind.String(), "let through: a "+s.Kind.String()+" source has no archive to attest"
		default:
			doc.decide(p.Apply(src, now), s)
		}
		d.Sources = append(d.Sources, doc)
	}
}

// decide says what a decision comes to.
func (d *PolicySourceDocument) decide(decision policy.Decision, s recipe.SharedSource) {
	d.Policy = append(d.Policy, reasons(decision.Because)...)
	d.BundleURLs = redacted(decision.BundleURLs)
	if s.Attestation != nil {
		for _, p := range s.Attestation.Publishers {
			d.Publishers = append(d.Publishers, PublisherDocument{p.String(), p.Pos.String()})
		}
	}
	for _, b := range decision.Because {
		if b.Kind != policy.BecausePublishers {
			continue
		}
		for _, p := range decision.Publishers {
			d.Publishers = append(d.Publishers, PublisherDocument{p.String(), b.Position.String()})
		}
	}
	d.Demanded = true
	switch {
	case decision.Err != nil:
		d.Outcome = "an error of the policy: " + decision.Err.Error()
	case len(d.Publishers) > 0 && !s.HasSHA256:
		d.Outcome = "an error: publishers are named for it, and it pins no sha256"
	case len(d.Publishers) > 0:
		d.Outcome = "evidence is demanded: " + signedBy(d.Publishers)
		if len(decision.Bound) > 0 {
			d.Outcome += ", and by whom the policy demands"
		}
	case decision.Required:
		d.Outcome = "missing: evidence is required, and nobody names publishers"
	case decision.Exception != nil:
		d.Demanded = false
		d.Outcome = "let through until " + decision.Exception.Until.Format(time.DateOnly)
	default:
		d.Demanded = false
		d.Outcome = "let through: nothing is demanded"
	}
}

func signedBy(list []PublisherDocument) string {
	var names []string
	for _, p := range list {
		names = append(names, p.Publisher)
	}
	return "signed by " + strings.Join(names, " or ")
}

// WritePolicyCheckJSON writes the document.
func WritePolicyCheckJSON(w io.Writer, d *PolicyCheckDocument) error { return writeJSON(w, d) }

// WritePolicyCheckText writes the document for people.
func WritePolicyCheckText(w io.Writer, d *PolicyCheckDocument) error {
	var p page
	file := d.Policy
	if file == "" {
		file = "none: nothing is demanded beyond what recipes ask for"
	}
	p.line("policy     %s", printable(file))
	if len(d.Sources) == 0 {
		for _, s := range d.Statements {
			p.statement(s)
		}
		p.line("\n%s", printable(statementCount(d)))
	}
	for _, s := range d.Sources {
		p.line("")
		name := s.Other
		if len(s.URLs) > 0 {
			name = title(audit.Result{URLs: s.URLs})
		}
		p.line("%s  %s", printable(name), printable(s.Position))
		for _, u := range s.URLs {
			p.field("url", printable(u))
		}
		for _, who := range s.Publishers {
			p.field("publisher", printable(who.Publisher+"  "+who.Position))
		}
		for _, u := range s.BundleURLs {
			p.field("evidence", printable(u))
		}
		for _, r := range s.Policy {
			p.statement(r)
		}
		p.field("outcome", printable(s.Outcome))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) statement(r ReasonDocument) {
	p.line("  %s  %s", printable(r.Position), printable(r.Text))
}

func statementCount(d *PolicyCheckDocument) string {
	ended := 0
	for _, s := range d.Statements {
		if s.Kind == policy.BecauseEnded {
			ended++
		}
	}
	line := fmt.Sprintf("%d statements; %s of a source's publishers must have signed it", len(d.Statements), d.Match)
	switch ended {
	case 0:
	case 1:
		line += "; 1 exception does not hold any more"
	default:
		line += fmt.Sprintf("; %d exceptions do not hold any more", ended)
	}
	return line
}
