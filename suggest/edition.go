package suggest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// An edition is a recipe with blocks in it, read again.
type edition struct {
	data   []byte
	rec    *recipe.Recipe
	asked  *recipe.Recipe             // the sources with the new blocks alone
	places map[recipe.Position]*place // where these stand now
}

// maxTries is how often it is tried which of a recipe's drafts it is that cannot
// be written. What is not found out by then is given up together.
const maxTries = 64

// write writes the drafts of a document into a copy. A draft of which no form
// comes back as it should is given up, and its place says why.
func (r *run) write(d *document) {
	tries := maxTries
	for {
		drafts := d.drafts()
		if len(drafts) == 0 {
			return
		}
		e, problems, err := r.edition(d, drafts)
		if err == nil && len(problems) == 0 {
			d.edited = e
			r.follow(d)
			return
		}
		if err != nil {
			problems = r.culprits(d, drafts, err, &tries)
		}
		for p, problem := range problems {
			if p.next(problem); tries <= 0 && p.draft != nil {
				p.giveUp(problem)
			}
		}
	}
}

// culprits finds out, by halves, which of several drafts it is that cannot be
// written together for an error. There is always one.
func (r *run) culprits(d *document, drafts []*place, err error, tries *int) map[*place]error {
	found := map[*place]error{}
	if len(drafts) > 1 && *tries > 0 {
		half := len(drafts) / 2
		for _, some := range [][]*place{drafts[:half], drafts[half:]} {
			*tries--
			_, problems, partly := r.edition(d, some)
			if partly != nil {
				problems = r.culprits(d, some, partly, tries)
			}
			maps.Copy(found, problems)
		}
	}
	if len(found) == 0 { // it is this one, or nobody knows
		for _, p := range drafts {
			found[p] = err
		}
	}
	return found
}

// next tries the next form of a draft, or gives it up.
func (p *place) next(problem error) {
	if p.draft.form++; p.draft.form >= len(p.draft.forms) {
		p.giveUp(problem)
	}
}

func (p *place) giveUp(problem error) {
	hint := ""
	var h interface{ Hint() string }
	if errors.As(problem, &h) {
		hint = h.Hint()
	}
	p.draft = nil
	p.say(Impossible, hint, "the block cannot be written: %s", oneLine(problem))
}

// oneLine is an error without its hint.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// fields are the block.
func (d *draft) fields() []edit.Field {
	var block []edit.Field
	if u := d.bundleURL(); u != "" {
		block = append(block, edit.Field{Key: "bundle_url", Value: u})
	}
	var publisher any = d.publisher.String()
	if !isShorthand(d.publisher) {
		publisher = []edit.Field{
			{Key: "identity", Value: identityOf(d.publisher)},
			{Key: "issuer", Value: d.publisher.Issuer()},
		}
	}
	block = append(block, edit.Field{Key: "publishers", Value: []any{publisher}})
	return []edit.Field{{Key: "attestation", Value: block}}
}

// edition writes blocks, and reads what came of it. Problems are those of single
// places.
func (r *run) edition(d *document, drafts []*place) (edition, map[*place]error, error) {
	var changes []edit.Change
	for _, p := range drafts {
		changes = append(changes, edit.Change{Source: p.Position, Add: p.draft.fields()})
	}
	data, err := edit.Apply(d.path, d.data, changes)
	if err != nil {
		return edition{}, nil, err
	}
	rec, err := recipe.Parse(d.path, data, r.Recipe)
	if err != nil {
		return edition{}, nil, err
	}
	e := edition{data: data, rec: rec, places: map[recipe.Position]*place{}}
	problems, err := e.readBack(d.rec, drafts)
	e.asked = only(rec, func(s recipe.Source) bool { return e.places[s.Pos] != nil })
	e.asked.Warnings = nil
	return e, problems, err
}

// readBack compares the recipe with the blocks with the one without: the same
// outputs with the same sources, and the wanted blocks where they are to be.
func (e *edition) readBack(before *recipe.Recipe, drafts []*place) (map[*place]error, error) {
	wanted := map[recipe.Position]*place{}
	for _, p := range drafts {
		wanted[p.Position] = p
	}
	problems := map[*place]error{}
	if len(before.Outputs) != len(e.rec.Outputs) {
		return nil, fmt.Errorf("with the block the recipe has %d outputs, and %d without", len(e.rec.Outputs), len(before.Outputs))
	}
	for i, a := range before.Outputs {
		b := e.rec.Outputs[i]
		if a.Name != b.Name || a.Version != b.Version || a.TargetPlatform != b.TargetPlatform || a.Staging != b.Staging || len(a.Sources) != len(b.Sources) {
			return nil, fmt.Errorf("with the block the recipe has another output %q", a.Name)
		}
		for j, s := range a.Sources {
			now := b.Sources[j]
			p := wanted[s.Pos]
			if !sameSource(s, now) {
				return nil, fmt.Errorf("with the block the recipe has another source at %s", s.Pos)
			}
			if p == nil {
				if !sameBlock(s.Attestation, now.Attestation) {
					return nil, fmt.Errorf("with the block the recipe has another block at %s", s.Pos)
				}
				continue
			}
			if known := e.places[now.Pos]; known != nil && known != p {
				return nil, fmt.Errorf("with the block two sources stand at %s", now.Pos)
			}
			e.places[now.Pos] = p
			if err := p.isWanted(s, now.Attestation); err != nil {
				problems[p] = err
			}
		}
	}
	return problems, nil
}

// isWanted tells what is wrong with a block that was read again.
func (p *place) isWanted(s recipe.Source, a *recipe.Attestation) error {
	d := p.draft
	if a == nil {
		return errors.New("it does not come back when the recipe is read")
	}
	if len(a.Publishers) != 1 || !samePublisher(a.Publishers[0].Publisher, d.publisher) || len(a.PredicateTypes) > 0 {
		return fmt.Errorf("its publishers come back as %q, wanted %q", texts(a.Publishers), d.publisher)
	}
	at := slices.IndexFunc(p.sources, func(known recipe.SharedSource) bool { return sameSource(known.Source, s) })
	if at < 0 {
		return errors.New("its source is none of those that were looked at")
	}
	way := d.ways[at]
	switch {
	case way == "" && len(a.BundleURLs) == 0:
		return nil
	case way == "" || len(a.BundleURLs) != 1 || a.BundleURLs[0].Value != way:
		return fmt.Errorf("its bundle_url comes back as %q, wanted %q%s", values(a.BundleURLs), way, p.which(at))
	}
	return nil
}

func texts(list []recipe.Publisher) []string {
	var all []string
	for _, p := range list {
		all = append(all, p.Text)
	}
	return all
}

func values(list []recipe.String) []string {
	var all []string
	for _, s := range list {
		all = append(all, s.Value)
	}
	return all
}

// sameSource compares all that a source says but for its block and where it
// stands.
func sameSource(a, b recipe.Source) bool {
	if (a.Err == nil) != (b.Err == nil) {
		return false
	}
	if a.Err != nil {
		return a.Err.Message == b.Err.Message
	}
	if (a.Git == nil) != (b.Git == nil) || a.Git != nil && (a.Git.URL.Value != b.Git.URL.Value ||
		a.Git.Reference() != b.Git.Reference() || a.Git.ExpectedCommit != b.Git.ExpectedCommit) {
		return false
	}
	return a.Kind == b.Kind && slices.Equal(values(a.URLs), values(b.URLs)) &&
		a.SHA256 == b.SHA256 && a.HasSHA256 == b.HasSHA256 && a.MD5 == b.MD5 && a.HasMD5 == b.HasMD5 && a.EmptyDigest == b.EmptyDigest &&
		a.FileName == b.FileName && a.TargetDirectory == b.TargetDirectory && a.Path.Value == b.Path.Value
}

func sameBlock(a, b *recipe.Attestation) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(texts(a.Publishers), texts(b.Publishers)) &&
		slices.Equal(values(a.BundleURLs), values(b.BundleURLs)) && slices.Equal(values(a.PredicateTypes), values(b.PredicateTypes))
}

// follow finds out which bundle_urls change with the recipe's version as the
// sources' own addresses do, by reading the recipe with another version.
func (r *run) follow(d *document) {
	for _, p := range d.drafts() {
		p.draft.fixed = p.draft.bundleURL() != "" && !p.draft.byDigest(p.sources)
	}
	if !slices.ContainsFunc(d.drafts(), func(p *place) bool { return p.draft.fixed }) {
		return
	}
	data, old, other := otherVersion(d.edited.data)
	if data == nil {
		return
	}
	rec, err := recipe.Parse(d.path, data, r.Recipe)
	if err != nil || len(rec.Outputs) != len(d.edited.rec.Outputs) {
		return
	}
	followed := map[*place]bool{}
	for i, a := range d.edited.rec.Outputs {
		b := rec.Outputs[i]
		if len(a.Sources) != len(b.Sources) {
			return
		}
		for j, s := range a.Sources {
			p := d.edited.places[s.Pos]
			if p == nil {
				continue
			}
			ok := follows(s, b.Sources[j], old, other)
			if before, seen := followed[p]; seen {
				ok = ok && before
			}
			followed[p] = ok
		}
	}
	for p, ok := range followed {
		p.draft.fixed = p.draft.fixed && !ok
	}
}

// byDigest tells whether a bundle_url is written with the recipe's own digest.
func (d *draft) byDigest(sources []recipe.SharedSource) bool {
	text := strings.TrimSpace(sources[0].SHA256Text)
	return isTemplated(text) && strings.HasSuffix(d.bundleURL(), text)
}

// follows tells whether a bundle_url changed as its source's address did.
func follows(a, b recipe.Source, old, other string) bool {
	if a.Attestation == nil || b.Attestation == nil || len(a.Attestation.BundleURLs) != 1 || len(b.Attestation.BundleURLs) != 1 || len(a.URLs) != len(b.URLs) {
		return false
	}
	was, is := a.Attestation.BundleURLs[0].Value, b.Attestation.BundleURLs[0].Value
	if was == is {
		return false
	}
	for i, u := range a.URLs {
		suffix, beside := strings.CutPrefix(was, u.Value)
		if beside && is == b.URLs[i].Value+suffix {
			return true
		}
		folder, nowIn := u.Value[:strings.LastIndexByte(u.Value, '/')+1], b.URLs[i].Value[:strings.LastIndexByte(b.URLs[i].Value, '/')+1]
		file, inside := strings.CutPrefix(was, folder)
		if inside && folder != nowIn && is == nowIn+strings.ReplaceAll(file, old, other) {
			return true
		}
	}
	return is == strings.ReplaceAll(was, old, other)
}

// otherVersion gives the recipe with another version, if that is written down as
// it is in the context.
func otherVersion(data []byte) (changed []byte, old, other string) {
	context := contextNode(data)
	if context == nil {
		return nil, "", ""
	}
	n := value(context, "version")
	if n == nil || n.Kind != yaml.ScalarNode || n.Value == "" || isTemplated(n.Value) {
		return nil, "", ""
	}
	at := offset(data, n.Line, n.Column)
	if at < 0 {
		return nil, "", ""
	}
	if at < len(data) && (data[at] == '"' || data[at] == '\'') {
		at++
	}
	if !strings.HasPrefix(string(data[at:min(len(data), at+len(n.Value))]), n.Value) {
		return nil, "", ""
	}
	if other = bumped(n.Value); other == "" {
		return nil, "", ""
	}
	return slices.Concat(data[:at], []byte(other), data[at+len(n.Value):]), n.Value, other
}

// bumped is another version of the same shape, or "".
func bumped(version string) string {
	for i := len(version) - 1; i >= 0; i-- {
		if isDigit(version[i]) {
			return version[:i] + string('0'+(version[i]-'0'+1)%10) + version[i+1:]
		}
	}
	return ""
}

// offset is the place in the bytes of a line and a column in characters, or -1.
func offset(data []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := slices.Index(data[at:], '\n')
		if next < 0 {
			return -1
		}
		at += next + 1
	}
	for i := range string(data[at:]) {
		if column--; column == 0 {
			return at + i
		}
	}
	return -1
}
