package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// WarnMoved is the code of the warning that an archive lies in another
// repository than the one that it was built from.
const WarnMoved publishers.WarningCode = "repository-moved"

// PolicySource is what a policy looks at of a URL source of a recipe. A staging
// output is no package: any package of the recipe can inherit what it unpacks,
// and so is taken to use its sources. Its own name is a sibling's, which can only
// make more be demanded.
func PolicySource(rec *recipe.Recipe, s recipe.SharedSource) policy.Source {
	src := policy.Source{Recipe: rec.Path}
	users, staged := s.Outputs, slices.ContainsFunc(s.Outputs, func(o *recipe.Output) bool { return o.Staging })
	if staged {
		users = nil
		for i := range rec.Outputs {
			users = append(users, &rec.Outputs[i])
		}
	}
	for _, o := range users {
		if o.Name != "" && !o.Staging {
			src.Packages = appendNew(src.Packages, o.Name)
		}
		if o.Version != "" && !o.Staging && !strings.Contains(o.Version, "${{") { // one that is not known is compared with nothing
			src.Versions = appendNew(src.Versions, o.Version)
		}
	}
	for _, o := range rec.Outputs {
		if o.Name != "" && !slices.Contains(src.Packages, o.Name) {
			src.Siblings = appendNew(src.Siblings, o.Name)
		}
	}
	for _, u := range s.URLs {
		src.URLs = append(src.URLs, u.Value)
	}
	if a := s.Attestation; a != nil {
		src.HasBlock = true
		for _, p := range a.Publishers {
			src.Publishers = append(src.Publishers, p.Publisher)
		}
		for _, t := range a.PredicateTypes {
			src.PredicateTypes = append(src.PredicateTypes, t.Value)
		}
	}
	return src
}

// demanded applies the policy to a source. A source without a block for which
// the policy names publishers goes on as if the recipe had one. The result is
// final if ok is false.
func (r *run) demanded(res Result, src recipe.Source) (_ Result, _ recipe.Source, ok bool) {
	d := res.Decision
	switch {
	case d.Err != nil:
		return res.with(Error, CodePolicy, d.Err.Error(), d.Err.Hint()), src, false
	case src.Attestation != nil:
		return res, src, true
	case len(d.Publishers) == 0:
		return res.unnamed(), src, false
	case !src.HasSHA256 && !src.EmptyDigest:
		return res.with(Error, CodeRecipe, "the policy names publishers for it, and it pins no sha256: "+blame(d, policy.BecausePublishers),
			"add the archive's sha256 to the source"), src, false
	}
	a := &recipe.Attestation{Pos: src.Pos}
	for _, p := range d.Publishers {
		a.Publishers = append(a.Publishers, recipe.Publisher{Publisher: p, Text: p.String(), Pos: src.Pos})
	}
	for _, u := range d.BundleURLs {
		a.BundleURLs = append(a.BundleURLs, recipe.String{Value: u, Pos: src.Pos})
	}
	src.Attestation = a
	return res, src, true
}

// unnamed is the result of a source for which nobody names publishers.
func (res Result) unnamed() Result {
	d := res.Decision
	switch {
	case d.Required:
		hint := ""
		if blame(d, policy.BecausePartly) != "" {
			hint = "name the package in the policy's entry, or all addresses"
		}
		return res.with(Missing, CodeNoBlock, "the source has no attestation block, and one is required: "+d.RequiredBy(), hint)
	case d.Exception != nil:
		res = res.with(Unattested, CodeExcepted, "the recipe names no publisher for it; "+blame(d, policy.BecauseException), "")
	default:
		res = res.with(Unattested, CodeNoBlock, "the recipe names no publisher for it", "")
	}
	res.Hint = ""
	return res
}

// blame gives the reasons of a kind, with their places.
func blame(d policy.Decision, kind policy.ReasonKind) string {
	var parts []string
	for _, b := range d.Because {
		if b.Kind == kind {
			parts = append(parts, fmt.Sprintf("%s (%s)", b.Text, b.Position))
		}
	}
	return strings.Join(parts, "; ")
}

// rules are what a task's recipe and the policy demand of evidence.
func (r *run) rules(t task) verify.Rules {
	d := t.result.Decision
	rules := verify.Rules{
		Match: r.Options.Match, URLs: t.result.URLs,
		PredicateTypes: d.PredicateTypes, Terms: d.Terms, Bound: d.Bound,
		NoImmutableReleases: d.NoImmutableReleases,
	}
	if rules.Match == 0 {
		rules.Match = verify.Any
		if d.Match == policy.All {
			rules.Match = verify.All
		}
	}
	for _, p := range t.source.Attestation.Publishers {
		rules.Publishers = append(rules.Publishers, p.Publisher)
	}
	return rules
}

// withWarnings adds what is unusual about verified evidence in the light of the
// source's addresses.
func (res Result) withWarnings() Result {
	var built []string
	for _, b := range res.Evidence.Bundles() {
		switch c := b.Verified; {
		case c == nil:
		case c.Release != nil:
			built = appendNew(built, "https://github.com/"+c.Release.Repository)
		case c.Certificate.SourceRepository != "":
			built = appendNew(built, c.Certificate.SourceRepository)
		}
	}
	if len(built) == 0 {
		return res
	}
	for _, address := range res.URLs {
		o := origin.Parse(address)
		if o.Kind != origin.KindGitHubRelease && o.Kind != origin.KindGitHubArchive {
			continue
		}
		lies := "https://github.com/" + o.Owner + "/" + o.Repository
		if !slices.ContainsFunc(built, func(b string) bool { return strings.EqualFold(b, lies) }) {
			res.Warnings = append(res.Warnings, publishers.Warning{
				Code:    WarnMoved,
				Message: fmt.Sprintf("the archive lies in %s, and was built from %s: the project moved, or one of the two is somebody else's", lies, strings.Join(built, " and ")),
			})
			break
		}
	}
	return res
}
