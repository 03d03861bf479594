package suggest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// finish makes the result of a document of which everything is known.
func (r *run) finish(d *document) Recipe {
	out := Recipe{Path: d.path, Faults: d.faults}
	for _, p := range d.drafts() {
		r.propose(d, p)
	}
	var proposed []*place
	for _, p := range d.places {
		if p.Kind == Proposed {
			proposed = append(proposed, p)
		}
	}
	if len(proposed) > 0 {
		out.Before = d.data
		if out.After = d.edited.data; len(proposed) < len(d.drafts()) {
			// The others are left out. Each block stands for itself, so that what
			// was verified holds for those that stay.
			e, problems, err := r.edition(d, proposed)
			for _, p := range proposed {
				if err == nil {
					err = problems[p]
				}
			}
			if out.After = e.data; err != nil {
				out.Before, out.After = nil, nil
				for _, p := range proposed {
					p.Proposal = nil
					p.say(Impossible, "", "the block cannot be written: %s", oneLine(err))
				}
			}
		}
	}
	for _, p := range d.places {
		out.Places = append(out.Places, p.Place)
	}
	return out
}

// propose judges a draft by what verifying it came to.
func (r *run) propose(d *document, p *place) {
	if len(p.verified) != len(p.sources) {
		p.say(Unavailable, "", "the run ended before the block was verified")
		return
	}
	for i, res := range p.verified {
		switch res.Verdict {
		case audit.Verified:
		case audit.Unavailable:
			p.say(Unavailable, res.Hint, "the block could not be verified: %s%s", res.Message, p.which(i))
			return
		default:
			p.say(Refused, res.Hint, "there is evidence that verifies, and a block for it does not: %s%s", res.Message, p.which(i))
			return
		}
	}
	signers := p.signersVerified()
	if len(signers) == 0 {
		p.say(Unavailable, "", "the block could not be verified: nobody signed it")
		return
	}
	for _, s := range p.sources {
		if named := r.demanded(d, s).Publishers; len(named) > 0 && !anySigned(r, d, s, signers) {
			p.say(Refused, "look at it, and change the policy if that is right",
				"it is signed by %s, and the policy names %s for it", p.draft.publisher, namesOf(named))
			return
		}
	}
	j := r.judge(d, p, p.draft.publisher, signers)
	p.Notes = append(p.Notes, j.notes...)
	prop := &Proposal{
		Publisher: p.draft.publisher, BundleURL: p.draft.bundleURL(), Fixed: p.draft.fixed,
		Statements: j.statements, Confirmed: j.confirmed,
		Accepted: slices.ContainsFunc(r.Accept, func(a publishers.Pattern) bool { return a.Matches(p.draft.publisher) }),
	}
	for _, w := range p.draft.ways {
		if w != "" {
			prop.BundleURLs = appendNew(prop.BundleURLs, w)
		}
	}
	for _, s := range signers {
		if one := signerOf(s); !slices.Contains(prop.Signers, one) {
			prop.Signers = append(prop.Signers, one)
		}
	}
	p.Proposal = prop
	p.conclude()
}

// conclude says what a proposal comes to.
func (p *place) conclude() {
	prop := p.Proposal
	if prop.Fixed {
		p.Notes = append(p.Notes, "the bundle_url does not follow the version: write it anew with each")
	}
	for _, w := range prop.BundleURLs {
		if isLookup(w) {
			p.Notes = append(p.Notes, "the bundle_url is a look-up in GitHub's API: recipe-verify reads its answers, and other tools may not")
			break
		}
	}
	switch {
	case prop.Confirmed:
		p.say(Proposed, "", "signed by %s", prop.Publisher)
	case prop.Accepted:
		p.say(Proposed, "", "signed by %s, which nothing confirms, and which was accepted", prop.Publisher)
	default:
		hint := ""
		if isShorthand(prop.Publisher) {
			hint = "if that is the project, accept it: --accept " + prop.Publisher.String()
		}
		p.say(Doubtful, hint, "signed by %s, and nothing confirms that this is the project", prop.Publisher)
	}
}

func anySigned(r *run, d *document, s recipe.SharedSource, signers []verify.Content) bool {
	decision := r.demanded(d, s)
	for _, named := range decision.Publishers {
		for _, c := range signers {
			if c.Release != nil && decision.Terms.MatchRelease(named, *c.Release) == nil ||
				c.Release == nil && decision.Terms.Match(named, c.Certificate.Identity()) == nil {
				return true
			}
		}
	}
	return false
}

func namesOf(list []publishers.Publisher) string {
	text := ""
	for i, p := range list {
		if i > 0 {
			text += " and "
		}
		text += p.String()
	}
	return text
}

func signerOf(c verify.Content) Signer {
	s := Signer{Identity: c.Certificate.SAN, Issuer: c.Certificate.Issuer, Repository: c.Certificate.SourceRepository, PredicateType: c.PredicateType}
	if c.Release != nil {
		s.Repository = "https://github.com/" + c.Release.Repository
	}
	s.RepositoryID, s.OwnerID = identifiers(c)
	return s
}

// readFile reads a regular file up to recipe.MaxSize, and one byte more if there
// is more.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, recipe.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the file: %w", err)
	}
	return data, nil
}
