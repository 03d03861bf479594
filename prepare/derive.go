package prepare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/edit"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// derived is what follows from a recipe and the results of its sources. It is the
// same when the folder is made and when it is verified.
type derived struct {
	sources []SourceDocument
	files   map[string][]byte // the recipe, the bundles and verified.json
}

// derive works out the files of a folder. The manifest says for what.
func derive(m Manifest, original []byte, rec *recipe.Recipe, results []audit.Result, o recipe.Options) (derived, error) {
	d := derived{files: map[string][]byte{}, sources: []SourceDocument{}}
	names := evidenceNames(results)
	for _, r := range results {
		if len(r.URLs) == 0 {
			continue
		}
		s, err := d.source(r, names)
		if err != nil {
			return d, err
		}
		d.sources = append(d.sources, s)
	}
	if m.For == RattlerBuild {
		v := VerifiedDocument{Schema: 1, Sources: []VerifiedSource{}}
		for _, s := range d.sources {
			if list := s.verified(); len(list) > 0 && !slices.ContainsFunc(v.Sources, func(o VerifiedSource) bool { return o.Archive == s.Archive }) {
				v.Sources = append(v.Sources, VerifiedSource{s.Archive, s.SHA256, list})
			}
		}
		data, err := encode(v)
		if err != nil {
			return d, err
		}
		d.files[verifiedName] = data
	}
	text, err := m.rewrite(original, rec, d.sources, o)
	d.files[m.Recipe] = text
	return d, err
}

// evidenceNames gives each archive the name that its bundles are named by: the
// archive's own, or with its digest where two archives have one name.
func evidenceNames(results []audit.Result) map[string]string {
	names, taken := map[string]string{}, map[string]string{}
	for _, r := range results {
		if len(r.URLs) == 0 {
			continue
		}
		p := archivePath(r.Pinned.SHA256, r.URLs)
		name := path.Base(p)
		if other, ok := taken[strings.ToLower(name)]; ok && other != p {
			name = r.Pinned.SHA256.String() + "-" + name
		} else {
			taken[strings.ToLower(name)] = p
		}
		names[p] = name
	}
	return names
}

// source describes a source, and writes its bundles.
func (d *derived) source(r audit.Result, names map[string]string) (SourceDocument, error) {
	s := SourceDocument{
		Position: fmt.Sprintf("%d:%d", r.Position.Line, r.Position.Column),
		URLs:     r.URLs, SHA256: r.Pinned.SHA256.String(), Size: r.Bytes,
		Archive: archivePath(r.Pinned.SHA256, r.URLs), Verdict: r.Verdict, Publishers: r.Publishers,
	}
	for i, b := range r.Bundles {
		if b.Status != verify.Counted || r.Verdict != audit.Verified {
			continue
		}
		if i >= len(r.Candidates) || b.Verified == nil {
			return s, fmt.Errorf("%s: a bundle that counted is not at hand", r.Position)
		}
		var data bytes.Buffer
		if err := json.Compact(&data, r.Candidates[i].Bundle); err != nil {
			return s, err
		}
		data.WriteByte('\n')
		// Sources that share an archive share its bundles' files.
		name := ""
		for n := 0; ; n++ {
			name = fmt.Sprintf("%s/%s.%d.sigstore.json", evidenceDir, names[s.Archive], n)
			there, taken := d.files[name]
			if !taken || same(there, data.Bytes()) {
				break
			}
		}
		d.files[name] = data.Bytes()
		s.Bundles = append(s.Bundles, BundleDocument{
			Verified: Verified{
				Path: name, SHA256: sumOf(data.Bytes()).sha256.String(), PredicateType: b.Verified.PredicateType,
				SAN: b.Verified.Certificate.SAN, Issuer: b.Verified.Certificate.Issuer,
			},
			Publisher: b.Publisher, Origin: b.Origin,
		})
	}
	return s, nil
}

func (s SourceDocument) verified() []Verified {
	var list []Verified
	for _, b := range s.Bundles {
		list = append(list, b.Verified)
	}
	return list
}

// rewrite gives the recipe of the folder.
func (m Manifest) rewrite(original []byte, rec *recipe.Recipe, sources []SourceDocument, o recipe.Options) ([]byte, error) {
	if m.KeepURLs && m.For == RattlerBuild {
		return original, nil
	}
	var changes []edit.Change
	var order []recipe.Position
	places := map[recipe.Position][]recipe.Source{}
	for _, s := range rec.Sources() {
		if s.Kind != recipe.URLSource {
			continue
		}
		if places[s.Pos] == nil {
			order = append(order, s.Pos)
		}
		places[s.Pos] = append(places[s.Pos], s.Source)
	}
	for _, pos := range order {
		c, err := m.change(places[pos], sources)
		if err != nil {
			return nil, err
		}
		if len(c.Add) > 0 {
			changes = append(changes, c)
		}
	}
	text, err := edit.Apply(rec.Path, original, changes)
	if err != nil {
		return nil, err
	}
	return text, m.agrees(rec, text, o)
}

// change is what becomes of the source at one place, which is an archive for each
// of its renderings.
func (m Manifest) change(renderings []recipe.Source, sources []SourceDocument) (edit.Change, error) {
	first := renderings[0]
	c := edit.Change{Source: first.Pos}
	archive, name := m.address(first), path.Base(archiveOf(first))
	for _, r := range renderings[1:] {
		if m.address(r) == archive {
			continue
		}
		text := first.URLs[0].Text
		name = text[strings.LastIndexByte(text, '/')+1:]
		archive = m.prefix() + archivesDir + "/" + first.SHA256Text + "/" + name
		break
	}
	if !m.KeepURLs {
		c.Remove = append(c.Remove, "url")
		key := "path"
		if m.For == CEP {
			key = "url"
		}
		c.Add = append(c.Add, edit.Field{Key: key, Value: archive})
		if m.For == RattlerBuild && first.FileName == "" && !isArchive(name) {
			c.Add = append(c.Add, edit.Field{Key: "file_name", Value: name})
		}
	}
	if first.Attestation == nil {
		return c, nil
	}
	if m.For == RattlerBuild {
		c.Remove = append(c.Remove, "attestation")
		return c, nil
	}
	block, err := m.block(renderings, sources)
	if err != nil {
		return c, err
	}
	c.Remove = append(c.Remove, "attestation")
	c.Add = append(c.Add, edit.Field{Key: "attestation", Value: block})
	return c, nil
}

// block is an attestation block with the list of what was verified (draft CEP).
func (m Manifest) block(renderings []recipe.Source, sources []SourceDocument) ([]edit.Field, error) {
	var block []edit.Field
	for i, r := range renderings {
		b := blockOf(r.Attestation)
		for _, s := range sources {
			if s.Position != fmt.Sprintf("%d:%d", r.Pos.Line, r.Pos.Column) || s.SHA256 != r.SHA256.String() {
				continue
			}
			var list []any
			for _, v := range s.verified() {
				list = append(list, []edit.Field{
					{Key: "path", Value: v.Path},
					{Key: "sha256", Value: v.SHA256},
					{Key: "predicate_type", Value: v.PredicateType},
					{Key: "san", Value: v.SAN},
					{Key: "issuer", Value: v.Issuer},
				})
			}
			b = append(b, edit.Field{Key: "verified", Value: list})
			break
		}
		if i > 0 && fmt.Sprint(b) != fmt.Sprint(block) {
			return nil, &Error{
				Path: r.Pos.String(), Problem: "its archive differs between platforms or variants, and the list of what was verified can be written for one only",
				Mend: "prepare for one --target-platform, or with --for rattler-build",
			}
		}
		block = b
	}
	return block, nil
}

func blockOf(a *recipe.Attestation) []edit.Field {
	var list []any
	for _, p := range a.Publishers {
		if _, _, shorthand := strings.Cut(p.Text, " ("); shorthand { // {identity, issuer}
			list = append(list, []edit.Field{
				{Key: "identity", Value: strings.TrimSuffix(p.Text, " ("+p.Issuer()+")")}, {Key: "issuer", Value: p.Issuer()},
			})
			continue
		}
		list = append(list, p.Text)
	}
	block := []edit.Field{{Key: "publishers", Value: list}}
	if urls := values(a.BundleURLs); len(urls) == 1 {
		block = append(block, edit.Field{Key: "bundle_url", Value: urls[0]})
	} else if len(urls) > 1 {
		block = append(block, edit.Field{Key: "bundle_url", Value: urls})
	}
	if types := values(a.PredicateTypes); len(types) > 0 {
		block = append(block, edit.Field{Key: "predicate_type", Value: types})
	}
	return block
}

func values(list []recipe.String) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, s.Value)
	}
	return texts
}

func archiveOf(s recipe.Source) string { return archivePath(s.SHA256, values(s.URLs)) }

// prefix stands before the path of an archive in the recipe. In an address no
// character of the folder's own path means anything else.
func (m Manifest) prefix() string {
	if m.For != CEP {
		return ""
	}
	u := url.URL{Scheme: "file", Path: strings.TrimSuffix("/"+strings.TrimPrefix(m.Location, "/"), "/") + "/"}
	return u.String()
}

// address is how the recipe names a source's archive.
func (m Manifest) address(s recipe.Source) string {
	name := archiveOf(s)
	if m.For == CEP {
		name = (&url.URL{Path: name}).EscapedPath() // the name may hold "%20" as it stands
	}
	return m.prefix() + name
}

// endings are those of archives that rattler-build unpacks.
var endings = []string{".tar", ".tar.gz", ".tgz", ".taz", ".tar.bz2", ".tbz", ".tbz2", ".tz2", ".tar.xz", ".txz", ".tar.lzma", ".tlz", ".tar.zst", ".tzst", ".tar.z", ".zip", ".7z"}

func isArchive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) })
}

// agrees reads a rewritten recipe again. It has to have the same outputs as the
// original, with the archives in the place of the URLs.
func (m Manifest) agrees(rec *recipe.Recipe, text []byte, o recipe.Options) error {
	if o.Folder == "" {
		o.Folder = filepath.Dir(rec.Path)
	}
	back, err := recipe.Parse(rec.Path, text, o)
	if err != nil {
		return fmt.Errorf("the recipe of the folder would not be one: %w", err)
	}
	wanted, found := map[string]bool{}, map[string]bool{}
	for _, out := range rec.Outputs {
		wanted[m.outline(out, true)] = true
	}
	for _, out := range back.Outputs {
		found[m.outline(out, false)] = true
	}
	for line := range wanted {
		if !found[line] || len(found) != len(wanted) {
			return &Error{
				Path:    rec.Path,
				Problem: "the recipe cannot be written so that every platform and variant gets its own archives",
				Mend:    "prepare for one --target-platform, or with --keep-urls",
			}
		}
	}
	return nil
}

// outline is an output and its sources, as they are to be in the folder's recipe.
func (m Manifest) outline(out recipe.Output, before bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %t", out.Name, out.Version, out.TargetPlatform, out.Staging)
	for _, s := range out.Sources {
		at := s.Path.Value
		switch {
		case s.Kind == recipe.URLSource && before && m.KeepURLs, s.Kind == recipe.URLSource && !before:
			at = strings.Join(values(s.URLs), " ")
		case s.Kind == recipe.URLSource:
			at = m.address(s)
		}
		fmt.Fprintf(&b, " %q in %q", at, s.TargetDirectory)
		if s.HasSHA256 {
			fmt.Fprintf(&b, " %s", s.SHA256)
		}
		if s.HasMD5 {
			fmt.Fprintf(&b, " %s", s.MD5)
		}
	}
	return b.String()
}
