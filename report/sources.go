package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// A SourcesDocument lists the sources of recipes, without having looked at any
// of them. docs/sources.schema.json describes it.
type SourcesDocument struct {
	Schema  int             `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Recipes []RecipeSources `json:"recipes"`
}

// RecipeSources are the sources of one recipe.
type RecipeSources struct {
	Path     string          `json:"path"`
	Outputs  []OutputSources `json:"outputs" jsonschema:"description=one for each output of each combination of platform and variant; those that agree are merged"`
	Staging  []OutputSources `json:"staging,omitempty" jsonschema:"description=staging outputs\\, which become no package"`
	Warnings []FaultDocument `json:"warnings,omitempty"`
	Faults   []FaultDocument `json:"faults,omitempty" jsonschema:"description=why the recipe could not be read; there are no outputs then"`
}

// OutputSources are the sources of one output.
type OutputSources struct {
	Name           string            `json:"name"`
	Version        string            `json:"version"`
	TargetPlatform string            `json:"target_platform"`
	Variant        map[string]string `json:"variant" jsonschema:"description=the variant keys that were used"`
	Sources        []SourceDocument  `json:"sources"`
}

// A SourceDocument is one source: with url, git, path, or an error.
type SourceDocument struct {
	URL             []string             `json:"url,omitempty"`
	Git             string               `json:"git,omitempty"`
	Rev             string               `json:"rev,omitempty" jsonschema:"description=as git resolves it: refs/tags/… for a tag\\, refs/heads/… for a branch"`
	ExpectedCommit  string               `json:"expected_commit,omitempty"`
	Path            string               `json:"path,omitempty"`
	SHA256          string               `json:"sha256,omitempty"`
	MD5             string               `json:"md5,omitempty"`
	FileName        string               `json:"file_name,omitempty"`
	TargetDirectory string               `json:"target_directory,omitempty"`
	Attestation     *AttestationDocument `json:"attestation,omitempty"`
	Position        string               `json:"position"`
	Error           *FaultDocument       `json:"error,omitempty" jsonschema:"description=why the source could not be evaluated"`
}

// An AttestationDocument is an attestation block.
type AttestationDocument struct {
	Publishers     []string `json:"publishers"`
	BundleURLs     []string `json:"bundle_url,omitempty"`
	PredicateTypes []string `json:"predicate_type,omitempty"`
	Position       string   `json:"position"`
}

// Sources describes a recipe that was read.
func Sources(r *recipe.Recipe) RecipeSources {
	d := RecipeSources{Path: r.Path, Outputs: []OutputSources{}}
	for _, w := range r.OtherWarnings() {
		d.Warnings = append(d.Warnings, fault(w))
	}
	for _, o := range r.Outputs {
		out := OutputSources{
			Name: o.Name, Version: o.Version, TargetPlatform: o.TargetPlatform,
			Variant: o.Variant, Sources: []SourceDocument{},
		}
		if out.Variant == nil {
			out.Variant = map[string]string{}
		}
		for _, s := range o.Sources {
			out.Sources = append(out.Sources, source(s))
		}
		if o.Staging {
			d.Staging = append(d.Staging, out)
		} else {
			d.Outputs = append(d.Outputs, out)
		}
	}
	return d
}

// UnreadableSources describes a recipe that could not be read.
func UnreadableSources(path string, faults []*recipe.Error) RecipeSources {
	d := RecipeSources{Path: path, Outputs: []OutputSources{}}
	for _, f := range faults {
		d.Faults = append(d.Faults, fault(f))
	}
	return d
}

func fault(e *recipe.Error) FaultDocument {
	return FaultDocument{Position: e.Pos.String(), Message: e.Message, Hint: e.Hint}
}

func source(s recipe.Source) SourceDocument {
	d := SourceDocument{
		Path: s.Path.Value, FileName: s.FileName, TargetDirectory: s.TargetDirectory,
		URL: values(s.URLs), Position: s.Pos.String(),
	}
	if s.Err != nil {
		f := fault(s.Err)
		d.Error = &f
	}
	if s.Git != nil {
		d.Git, d.Rev, d.ExpectedCommit = s.Git.URL.Value, s.Git.Reference(), s.Git.ExpectedCommit
	}
	if s.HasSHA256 {
		d.SHA256 = s.SHA256.String()
	}
	if s.HasMD5 {
		d.MD5 = s.MD5.String()
	}
	if a := s.Attestation; a != nil {
		d.Attestation = &AttestationDocument{
			BundleURLs: values(a.BundleURLs), PredicateTypes: values(a.PredicateTypes), Position: a.Pos.String(),
		}
		for _, p := range a.Publishers {
			d.Attestation.Publishers = append(d.Attestation.Publishers, p.String())
		}
	}
	return d
}

func values(list []recipe.String) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, s.Value)
	}
	return texts
}

// WriteSourcesJSON writes sources as one document.
func WriteSourcesJSON(w io.Writer, recipes []RecipeSources) error {
	return writeJSON(w, SourcesDocument{Schema: SchemaVersion, Recipes: recipes})
}

// WriteSourcesText writes sources for people: each distinct list of sources of
// an output once, with the platforms that have it.
func WriteSourcesText(w io.Writer, recipes []RecipeSources) error {
	var p page
	for _, r := range recipes {
		p.line("%s", printable(r.Path))
		for _, g := range group(r.Outputs) {
			g.write(&p, "")
		}
		for _, g := range group(r.Staging) {
			g.write(&p, "staging ")
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// An outputGroup is what is said once of outputs that differ in platform and
// variant alone.
type outputGroup struct {
	OutputSources
	platforms []string
}

func group(outputs []OutputSources) []outputGroup {
	var groups []outputGroup
	index := map[string]int{}
	for _, o := range outputs {
		key := fmt.Sprintf("%q %q %s", o.Name, o.Version, sourcesKey(o.Sources))
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, outputGroup{OutputSources: o})
		}
		if !slices.Contains(groups[i].platforms, o.TargetPlatform) {
			groups[i].platforms = append(groups[i].platforms, o.TargetPlatform)
		}
	}
	return groups
}

func sourcesKey(list []SourceDocument) string {
	data, err := json.Marshal(list)
	if err != nil {
		return err.Error() // strings and numbers can always be written
	}
	return string(data)
}

func (g outputGroup) write(p *page, kind string) {
	p.line("  %s%s %s (%s)", kind, printable(g.Name), printable(g.Version), strings.Join(g.platforms, ", "))
	if len(g.Sources) == 0 {
		p.line("    no sources")
	}
	for _, s := range g.Sources {
		s.write(p)
	}
}

func (s SourceDocument) write(p *page) {
	detail := func(name, value string) {
		if value != "" {
			p.line("        %-10s %s", name, printable(value))
		}
	}
	switch {
	case s.Error != nil:
		p.line("    error %s", printable(s.Error.Position+": "+s.Error.Message))
		detail("hint:", s.Error.Hint)
		return
	case s.Git != "":
		p.line("    git   %s", printable(s.Git))
		detail("rev", s.Rev)
	case len(s.URL) > 0:
		p.line("    url   %s", printable(s.URL[0]))
		for _, mirror := range s.URL[1:] {
			p.line("      or  %s", printable(mirror))
		}
	default:
		p.line("    path  %s", printable(s.Path))
	}
	detail("at", s.Position)
	detail("sha256", s.SHA256)
	detail("md5", s.MD5)
	detail("file_name", s.FileName)
	detail("into", s.TargetDirectory)
	if a := s.Attestation; a != nil {
		detail("publishers", strings.Join(a.Publishers, ", "))
		detail("bundles", strings.Join(a.BundleURLs, ", "))
		detail("predicates", strings.Join(a.PredicateTypes, ", "))
	}
}
