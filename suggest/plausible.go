package suggest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A Statement is what something other than the evidence says about where a
// project is, or who signs it.
type Statement struct {
	From StatementKind
	// Name tells statements of one kind apart: the key in the recipe, the link's
	// label, the name of the earlier file.
	Name     string
	Position recipe.Position // of a statement of the recipe
	Says     string          // "github.com/owner/repo", or who signed
	Agrees   bool            // with the signer
}

// A StatementKind says who makes a statement.
type StatementKind string

// The kinds of statements, the one that weighs most first.
const (
	FromPolicy  StatementKind = "policy"          // the user's own
	FromRecipe  StatementKind = "recipe"          // its `about` section
	FromAddress StatementKind = "address"         // that the archive is fetched from
	FromEarlier StatementKind = "earlier-release" // the verified evidence of the release before
	FromLink    StatementKind = "package-index"   // what the index shows; whoever uploads writes it
	maxLinks                  = 16                // of a place, in reports
)

// String says in words what makes the statement.
func (s Statement) String() string {
	switch s.From {
	case FromPolicy:
		return "the policy"
	case FromRecipe:
		return s.Name
	case FromAddress:
		return "the archive's address"
	case FromEarlier:
		return s.Name + ", the release before,"
	}
	return fmt.Sprintf("PyPI's project link %q", s.Name)
}

// A judgement is whether a signer is plausible, and why.
type judgement struct {
	statements []Statement
	confirmed  bool
	notes      []string
}

// judge holds a signer against what is said elsewhere. A name is compared by its
// parsed parts; that it is the same proves little where the repository of that
// name was another one before, so that then nothing confirms it.
func (r *run) judge(d *document, p *place, pub publishers.Publisher, signers []verify.Content) judgement {
	w := &witnesses{signer: repositoryOf(pub)}
	for _, s := range d.rec.Statements {
		w.says(Statement{From: FromRecipe, Name: s.Key, Position: s.Pos}, s.Value)
	}
	for i, s := range p.sources {
		for _, u := range s.URLs {
			w.says(Statement{From: FromAddress}, u.Value)
		}
		f := p.results[i].Finding
		if f == nil {
			continue
		}
		for _, l := range f.Links {
			w.says(Statement{From: FromLink, Name: l.Label}, l.URL)
		}
		w.earlier(f.Earlier, pub, signers)
	}
	for _, named := range r.demanded(d, p.sources[0]).Publishers {
		w.add(Statement{From: FromPolicy, Says: named.String(), Agrees: samePublisher(named, pub)})
	}
	return w.judgement()
}

// witnesses gather statements about a signer.
type witnesses struct {
	signer     origin.Repository // zero if he is none
	statements []Statement
	renamed    []string // what tells that the signer's name was another's before
	links      int
}

// says adds what an address names, if that is a repository.
func (w *witnesses) says(s Statement, address string) {
	named, ok := origin.RepositoryOf(address)
	if !ok {
		return
	}
	s.Says, s.Agrees = named.String(), named.Is(w.signer)
	if s.From == FromLink {
		if w.links++; w.links > maxLinks && !s.Agrees {
			return
		}
	}
	w.add(s)
}

func (w *witnesses) add(s Statement) {
	if !slices.Contains(w.statements, s) {
		w.statements = append(w.statements, s)
	}
}

// earlier adds who signed the release before.
func (w *witnesses) earlier(e *audit.Earlier, pub publishers.Publisher, now []verify.Content) {
	if e == nil {
		return
	}
	for _, then := range e.Signers {
		s := Statement{From: FromEarlier, Name: e.Name, Says: signerName(then)}
		before, err := publisherOf(then)
		if err == nil && samePublisher(before, pub) {
			s.Agrees = len(now) > 0
			for _, c := range now {
				same, problem := sameSigner(then, c)
				s.Agrees = s.Agrees && same
				if problem != "" {
					w.renamed = appendNew(w.renamed, fmt.Sprintf("%s was signed by %s with the %s: somebody registered the name anew", e.Name, s.Says, problem))
				}
			}
		}
		w.add(s)
	}
}

// identifiers are those of the repository and its owner.
func identifiers(c verify.Content) (repository, owner string) {
	if c.Release != nil {
		return c.Release.RepositoryID, c.Release.OwnerID
	}
	return c.Certificate.SourceRepositoryID, c.Certificate.SourceOwnerID
}

// sameSigner tells whether two signers of the same name are the same: by the
// repository's identifier, which is never given again, or for people by the name
// itself. The problem is what tells that they are not; it is "" where nobody
// knows.
func sameSigner(then, now verify.Content) (same bool, problem string) {
	repoThen, ownerThen := identifiers(then)
	repoNow, ownerNow := identifiers(now)
	switch {
	case repoThen != "" && repoThen == repoNow:
		return true, ""
	case repoThen != "" && repoNow != "":
		return false, fmt.Sprintf("repository identifier %s, and this by one with %s", repoThen, repoNow)
	case ownerThen != "" && ownerNow != "" && ownerThen != ownerNow:
		return false, fmt.Sprintf("owner identifier %s, and this by one with %s", ownerThen, ownerNow)
	}
	return repoThen+ownerThen+repoNow+ownerNow == "" && then.Release == nil && then.Certificate.SourceRepository == "", ""
}

// judgement weighs the statements.
func (w *witnesses) judgement() judgement {
	j := judgement{statements: w.statements}
	slices.SortStableFunc(j.statements, func(a, b Statement) int { return weight(a.From) - weight(b.From) })
	var link, contradicted bool
	for _, s := range j.statements {
		switch {
		case s.From == FromLink:
			link = link || s.Agrees
		case s.Agrees:
			j.confirmed = true
		default:
			contradicted = true
		}
	}
	j.confirmed = j.confirmed || link && !contradicted
	if len(w.renamed) > 0 {
		j.confirmed = false
		j.notes = append(j.notes, w.renamed...)
	}
	if present := w.present(); present != "" {
		signer := "no repository"
		if !w.signer.IsZero() {
			signer = w.signer.String()
		}
		j.notes = append(j.notes, fmt.Sprintf("the project's present repository is %s, and the signer's is %s", present, signer))
	}
	return j
}

func weight(k StatementKind) int {
	return slices.Index([]StatementKind{FromPolicy, FromRecipe, FromAddress, FromEarlier, FromLink}, k)
}

// present is the repository where the project says that it is, if that is not the
// signer's: by the recipe's first word on it, or else by the index's.
func (w *witnesses) present() string {
	best, rank := Statement{}, len(presentKeys)
	for _, s := range w.statements {
		at := slices.Index(presentKeys, s.Name)
		if s.From == FromLink {
			at = slices.Index(presentKeys, strings.ToLower(s.Name))
		} else if s.From != FromRecipe {
			continue
		}
		if at >= 0 && at < rank {
			best, rank = s, at
		}
	}
	if best.Agrees {
		return ""
	}
	return best.Says
}

// presentKeys are the statements that say where a project is, the plainest first;
// after the recipe's own the labels of links, in lower case.
var presentKeys = []string{
	"about.repository", "about.dev_url", "about.homepage",
	"repository", "source", "source code", "code", "github", "gitlab", "homepage", "home",
}

// repositoryOf is the repository that a publisher is.
func repositoryOf(p publishers.Publisher) origin.Repository {
	host, path, ok := strings.Cut(p.Repository(), "/")
	if !ok {
		return origin.Repository{}
	}
	return origin.Repository{Host: host, Path: path}
}

// publisherOf is the publisher that a recipe would name a signer by, as package
// audit has it.
func publisherOf(c verify.Content) (publishers.Publisher, error) {
	if c.Release != nil {
		return publishers.Parse("github:" + c.Release.Repository)
	}
	id := c.Certificate.Identity()
	if p, err := publishers.Parse(id.Publisher()); err == nil {
		return p, nil
	}
	return publishers.New(id.SAN, id.Issuer)
}

func signerName(c verify.Content) string {
	if p, err := publisherOf(c); err == nil {
		if repository := repositoryOf(p); !repository.IsZero() {
			return repository.String()
		}
		return p.String()
	}
	return c.Certificate.SAN
}

// signersFound are what the found evidence says that would count for a publisher.
func (p *place) signersFound(pub publishers.Publisher) []verify.Content {
	var list []verify.Content
	for _, res := range p.results {
		for _, b := range res.Bundles {
			if b.Verified == nil {
				continue
			}
			if by, err := publisherOf(*b.Verified); err == nil && samePublisher(by, pub) {
				list = append(list, *b.Verified)
			}
		}
	}
	return list
}

// signersVerified are what the evidence says that the block finds.
func (p *place) signersVerified() []verify.Content {
	var list []verify.Content
	for _, res := range p.verified {
		for _, b := range res.Evidence.Bundles() {
			if b.Verified != nil {
				list = append(list, *b.Verified)
			}
		}
	}
	return list
}
