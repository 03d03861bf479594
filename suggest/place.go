package suggest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// A Kind says what came of a source of a recipe.
type Kind string

// The kinds.
const (
	// Proposed: a block would verify, and its publisher is confirmed or accepted.
	Proposed Kind = "proposed"
	// Doubtful: a block would verify, and nothing confirms its publisher.
	Doubtful Kind = "doubtful"
	// Impossible: there is evidence that verifies, and no block can say so.
	Impossible Kind = "impossible"
	// Refused: there is evidence that verifies, and the policy does not take it.
	Refused Kind = "refused"
	// Invalid: there is evidence, and it does not verify.
	Invalid Kind = "invalid"
	// Attested: there is a block already.
	Attested Kind = "attested"
	// None: there is no evidence where it would be, nobody can attest the
	// archive, or nobody is known who could be asked.
	None Kind = "none"
	// Unavailable: those who could be asked did not answer.
	Unavailable Kind = "unavailable"
	// Faulty: the source could not be evaluated, or the policy is wrong.
	Faulty Kind = "error"
)

// Status is the exit status that a kind stands for. One that is not of the set is
// an error.
func (k Kind) Status() int {
	switch k {
	case Proposed, Doubtful, Impossible, Attested, None:
		return audit.StatusOK
	case Refused, Invalid:
		return audit.StatusRejected
	case Unavailable:
		return audit.StatusUnavailable
	}
	return audit.StatusError
}

// A Place is one entry of a source list in a recipe's file, with what it stands
// for on all platforms and in all variants. Sources that have no address are
// none.
type Place struct {
	Position  recipe.Position
	Sources   []Source // distinct ones, none if it could not be evaluated
	Outputs   []string
	Platforms []string
	Kind      Kind
	// Reason says in words what came of it; Hint what to do, or "".
	Reason, Hint string
	// Proposal is the block, for the kinds Proposed and Doubtful.
	Proposal *Proposal
	// Notes are what else there is to know.
	Notes []string
}

// A Source is what a place stands for on some platforms.
type Source struct {
	URLs      []string
	SHA256    string
	Platforms []string
}

// A Proposal is an attestation block.
type Proposal struct {
	// Publisher is who signed, as the block names him.
	Publisher publishers.Publisher
	// BundleURL is the block's bundle_url as it is written, with templates; "" if
	// it needs none. BundleURLs are what it is rendered to.
	BundleURL  string
	BundleURLs []string
	// Fixed tells that the bundle_url will be another one for the next version,
	// and does not follow by itself.
	Fixed bool
	// Signers are what the certificates of the evidence say that the block finds.
	Signers []Signer
	// Statements are what is said elsewhere about where the project is.
	Statements []Statement
	// Confirmed tells that some of it makes the publisher plausible: a statement
	// of the recipe, the archive's own address or the policy names his repository;
	// or he signed the release before; or the package index names it, and none of
	// these anything else. A name that another repository had before confirms
	// nothing.
	Confirmed bool
	// Accepted tells that Options.Accept names the publisher.
	Accepted bool
}

// A Signer is what a certificate says that verified.
type Signer struct {
	Identity, Issuer string
	Repository       string // that was built, or ""
	RepositoryID     string
	OwnerID          string
	PredicateType    string
}

// A place is a Place that is worked on.
type place struct {
	Place
	sources  []recipe.SharedSource
	results  []audit.Result // of sources, in the same order; empty unless asked
	draft    *draft
	verified []audit.Result // of the draft
}

// A draft is a block that could stand at a place.
type draft struct {
	publisher publishers.Publisher
	ways      []string // the bundle_url of each source, "" for none
	forms     []string // ways of writing it, the best first
	form      int      // the one that is tried
	fixed     bool     // it does not follow the version
}

func (d *draft) bundleURL() string {
	if len(d.forms) == 0 {
		return ""
	}
	return d.forms[d.form]
}

// placesOf gathers a recipe's sources by their places, and drafts blocks.
func (r *run) placesOf(d *document) []*place {
	var places []*place
	index := map[recipe.Position]*place{}
	var asked int
	for _, s := range d.rec.Sources() {
		if s.Err == nil && s.Kind != recipe.URLSource {
			continue
		}
		p := index[s.Pos]
		if p == nil {
			p = &place{Place: Place{Position: s.Pos}}
			index[s.Pos] = p
			places = append(places, p)
		}
		p.add(s)
		if askable(s.Source) {
			p.results = append(p.results, d.results[asked])
			asked++
		}
	}
	for _, p := range places {
		r.decide(d, p)
	}
	return places
}

func (p *place) add(s recipe.SharedSource) {
	p.sources = append(p.sources, s)
	var one Source
	for _, o := range s.Outputs {
		p.Outputs = appendNew(p.Outputs, o.Name)
		p.Platforms = appendNew(p.Platforms, o.TargetPlatform)
		one.Platforms = appendNew(one.Platforms, o.TargetPlatform)
	}
	if s.Err != nil {
		return
	}
	for _, u := range s.URLs {
		one.URLs = append(one.URLs, u.Value)
	}
	if s.HasSHA256 {
		one.SHA256 = s.SHA256.String()
	}
	p.Sources = append(p.Sources, one)
}

// say sets what came of a place.
func (p *place) say(k Kind, hint, format string, a ...any) {
	p.Kind, p.Hint, p.Reason = k, hint, fmt.Sprintf(format, a...)
}

// which names one of several sources of a place, for messages.
func (p *place) which(i int) string {
	if len(p.sources) < 2 {
		return ""
	}
	var platforms []string
	for _, o := range p.sources[i].Outputs {
		platforms = appendNew(platforms, o.TargetPlatform)
	}
	name := strings.Join(platforms, ", ")
	if u := p.sources[i].URLs; len(u) > 0 {
		name += ", " + fetch.Redact(u[0].Value)
	}
	return fmt.Sprintf(" (%s)", name)
}

// decide says what came of a place, or drafts a block for it.
func (r *run) decide(d *document, p *place) {
	for i, s := range p.sources {
		switch {
		case s.Err != nil:
			p.say(Faulty, s.Err.Hint, "%s", s.Err.Message)
			return
		case s.Attestation != nil:
			p.say(Attested, "", "it has an attestation block")
			return
		case s.EmptyDigest || !s.HasSHA256:
			p.say(None, "", "it pins no sha256, without which no block can stand%s", p.which(i))
			return
		}
	}
	if p.Position.File != d.path {
		p.say(None, "", "it does not stand in the recipe's own file")
		return
	}
	if !p.evidence() {
		return
	}
	common := p.common()
	if len(common) == 0 {
		p.say(Impossible, "divide the source by `if`, so that each part has its own block",
			"one block stands for all of its archives, and they are signed by different publishers: %s", p.signers())
		return
	}
	p.draftFor(r, d, common)
}

// evidence tells whether the evidence of all sources of a place verifies, and
// says what is missing otherwise.
func (p *place) evidence() bool {
	if len(p.results) != len(p.sources) {
		p.say(Unavailable, "", "the run ended before evidence was looked for")
		return false
	}
	worst, genuine := -1, 0
	for i, res := range p.results {
		f := res.Finding
		switch {
		case res.Verdict == audit.Error || f == nil:
			p.say(Faulty, res.Hint, "%s%s", res.Message, p.which(i))
			if res.Verdict == audit.Unavailable {
				p.Kind = Unavailable
			}
			return false
		case f.Kind == audit.Attestable && f.Genuine:
			genuine++
		case worst < 0 || gravity(f) > gravity(p.results[worst].Finding):
			worst = i
		}
		for _, u := range f.Unasked {
			p.Notes = appendNew(p.Notes, "not asked: "+u)
		}
		for _, o := range f.PassedOver {
			p.Notes = appendNew(p.Notes, fmt.Sprintf("passed over: %s: %s", fetch.Redact(o.BundleURL), o.Detail))
		}
	}
	if worst < 0 {
		return true
	}
	f := p.results[worst].Finding
	p.say(kindOf(f), "", "%s%s", f.Detail, p.which(worst))
	if f.Replacement != "" {
		p.Hint = "the release has an asset that could be attested: " + fetch.Redact(f.Replacement)
	}
	if genuine > 0 && p.Kind == None {
		p.Kind = Impossible
		p.Reason = "one block stands for all of its archives, and one of them has no evidence: " + p.Reason
		p.Hint = "divide the source by `if`, so that a part can have a block"
	}
	return false
}

func kindOf(f *audit.Finding) Kind {
	switch f.Kind {
	case audit.Attestable:
		return Invalid
	case audit.Unknown:
		return Unavailable
	}
	return None
}

// gravity orders findings that are not genuine.
func gravity(f *audit.Finding) int {
	switch kindOf(f) {
	case Invalid:
		return 2
	case Unavailable:
		return 1
	}
	return 0
}

// common are the publishers that signed every source, in the order of the first.
func (p *place) common() []publishers.Publisher {
	list := slices.Clone(p.results[0].Finding.Publishers)
	for _, res := range p.results[1:] {
		list = slices.DeleteFunc(list, func(a publishers.Publisher) bool {
			return !slices.ContainsFunc(res.Finding.Publishers, func(b publishers.Publisher) bool { return samePublisher(a, b) })
		})
	}
	return list
}

func (p *place) signers() string {
	var parts []string
	for i, res := range p.results {
		var names []string
		for _, s := range res.Finding.Publishers {
			names = append(names, s.String())
		}
		parts = append(parts, strings.Join(names, " and ")+p.which(i))
	}
	return strings.Join(parts, "; ")
}

// samePublisher tells whether two publishers of certificates are the same.
func samePublisher(a, b publishers.Publisher) bool {
	if a.Repository() != "" || b.Repository() != "" {
		return a.Repository() == b.Repository() && a.Issuer() == b.Issuer() && a.Ref() == b.Ref()
	}
	return a.String() == b.String() && a.Issuer() == b.Issuer()
}

// draftFor drafts a block for some of the publishers: the one that is plausible,
// if there is one.
func (p *place) draftFor(r *run, d *document, common []publishers.Publisher) {
	dr := &draft{}
	for _, res := range p.results {
		dr.ways = append(dr.ways, res.Finding.Way)
	}
	with, without := 0, 0
	for _, w := range dr.ways {
		if w == "" {
			without++
		} else {
			with++
		}
	}
	if with > 0 && without > 0 {
		p.say(Impossible, "divide the source by `if`, so that each part has its own block",
			"one block stands for all of its archives, and some of them need a bundle_url, and some have none")
		return
	}
	var named []publishers.Publisher
	for _, c := range common {
		if c.IsZero() || !writable(c) || !r.CEP && !isShorthand(c) {
			continue
		}
		named = append(named, c)
	}
	if len(named) == 0 {
		p.say(Impossible, "--cep writes the draft CEP's form, which recipe-verify reads",
			"rattler-build of today takes no publisher but shorthands such as github:owner/repo, and it is signed by %s", p.signers())
		if r.CEP {
			p.Hint = ""
			p.Reason = "its signer cannot be written into a recipe: " + p.signers()
		}
		return
	}
	dr.publisher = named[0]
	for _, c := range named {
		if j := r.judge(d, p, c, p.signersFound(c)); j.confirmed {
			dr.publisher = c
			break
		}
	}
	if with > 0 {
		dr.forms = forms(d.variables(), p.sources, dr.ways)
	}
	p.draft = dr
}

// demanded tells what the policy says of a source's publishers.
func (r *run) demanded(d *document, s recipe.SharedSource) policy.Decision {
	return r.Policy.Apply(audit.PolicySource(d.rec, s), r.today)
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// isShorthand tells whether a publisher is one that rattler-build of today takes.
func isShorthand(p publishers.Publisher) bool {
	again, err := publishers.Parse(p.String())
	return err == nil && samePublisher(again, p)
}

// writable tells whether a publisher's text is plain: no space, nothing that is
// not ASCII and prints, and nothing that a recipe takes for a template.
func writable(p publishers.Publisher) bool {
	identity := identityOf(p)
	if identity == "" || strings.Contains(identity, "{{") || strings.Contains(identity, "{%") {
		return false
	}
	for _, c := range []byte(identity + p.Issuer()) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// identityOf is a publisher's shorthand, or the identity of its mapping.
func identityOf(p publishers.Publisher) string {
	return strings.TrimSuffix(p.String(), " ("+p.Issuer()+")")
}
