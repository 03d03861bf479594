package html

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/report"
	"github.com/recipe-verify/recipe-verify/verify"
)

// An entry is what the page holds of one source. Its texts are foreign; they
// are escaped where they are written.
type entry struct {
	verdict                     audit.Verdict
	class                       Class
	id                          string // of the source's page, the same in every report
	recipe, source, title, host string
	publisher                   string // who signed, where the evidence verifies
	date                        string // when, sortable
	change                      string // against the earlier report
	downgrade                   bool   // change is a warning sign
	warnings                    []string
	message, hint               string
	sheet                       []line
}

// A line is one line of a source's page: a name and a value, or, without a
// value, a heading. Its address, if there is one, comes from link.go.
type line struct{ label, text, address string }

type sheet []line

// head starts a part of the page.
func (s *sheet) head(label string) { *s = append(*s, line{label: label}) }

// add adds a line if there is something to say.
func (s *sheet) add(label, text string) { s.link(label, text, "") }

func (s *sheet) link(label, text, address string) {
	if text != "" {
		*s = append(*s, line{label, text, address})
	}
}

func (s *sheet) list(label string, texts []string) { s.add(label, strings.Join(texts, "\n")) }

// trim takes away a heading that nothing follows.
func (s *sheet) trim() {
	if n := len(*s); n > 0 && (*s)[n-1].text == "" {
		*s = (*s)[:n-1]
	}
}

func describe(r *report.Record) *entry {
	e := &entry{
		verdict: r.Verdict, class: classOf(r),
		recipe: r.Recipe, source: r.Other, title: r.Other, host: valid(r.Host),
		message: r.Message, hint: r.Hint,
	}
	e.change, e.downgrade, e.warnings = change(r), r.Downgrade(), warnings(r)
	if len(r.URLs) > 0 {
		e.source, e.title = r.URLs[0], titleOf(r.Package, r.URLs[0])
	}
	e.title = cmp.Or(e.title, r.Recipe)
	e.id = pageID(r)
	if e.message == "" && len(r.Faults) > 0 {
		e.message, e.hint = r.Faults[0].Message, r.Faults[0].Hint
	}
	for _, b := range r.Bundles {
		if b.Status == verify.Counted && b.Verified != nil {
			e.publisher = cmp.Or(e.publisher, b.Publisher)
			e.date = cmp.Or(e.date, when(b.Verified.Time))
		}
	}
	if e.class == Attestable && r.Finding.Genuine {
		e.publisher = r.Finding.Publisher
	}
	e.sheet = pageOf(r)
	return e
}

// pageID names a source's page by what stays the same from report to report.
func pageID(r *report.Record) string {
	key := append([]string{r.Recipe, r.Other, r.Pinned.SHA256, r.Pinned.MD5}, r.URLs...)
	sum := sha256.Sum256([]byte(valid(strings.Join(key, "\x00"))))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// titleOf is the archive's file name, after the package's name if the file name
// does not hold it: the archives of tags are called v1.0.tar.gz.
func titleOf(pkg, address string) string {
	name := fileName(address)
	if pkg == "" || strings.Contains(strings.ToLower(name), strings.ToLower(pkg)) {
		return name
	}
	return pkg + ": " + name
}

// fileName is an address's last segment.
func fileName(address string) string {
	u, _, _ := strings.Cut(address, "?")
	if name := path.Base(u); name != "/" && name != "." {
		return name
	}
	return address
}

func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// pageOf makes the page of a source: the evidence that counted, what changed,
// what could be, what the source is, and what else was considered.
func pageOf(r *report.Record) []line {
	var s sheet
	bundles := inOrder(r.Bundles)
	counted := 0
	for ; counted < len(bundles) && bundles[counted].Status == verify.Counted; counted++ {
		bundle(&s, bundles[counted], r.Pinned.SHA256)
	}
	s.head("Warnings")
	s.list("unusual", warnings(r))
	s.trim()
	changesOf(&s, r)
	findingOf(&s, r)
	sourceOf(&s, r)
	policyOf(&s, r)
	s.head("Where evidence was looked for")
	s.add("by", r.Resolver)
	s.list("at", r.EvidenceAddresses)
	s.trim()
	for _, b := range bundles[counted:] {
		bundle(&s, b, r.Pinned.SHA256)
	}
	if len(r.Faults) > 0 {
		s.head("Faults of the recipe")
		for _, f := range r.Faults {
			s.add("fault", join(": ", f.Position, f.Message))
			s.add("hint", f.Hint)
		}
	}
	return s
}

func sourceOf(s *sheet, r *report.Record) {
	s.head("The source")
	s.add("recipe", r.Recipe)
	if at, ok := strings.CutPrefix(r.Position, r.Recipe+":"); ok {
		s.add("line and column", at)
	} else if r.Position != r.Recipe {
		s.add("position", r.Position)
	}
	s.add("package", join(" ", r.Package, r.Version))
	s.list("outputs", r.Outputs)
	s.list("platforms", r.TargetPlatforms)
	if len(r.URLs) > 1 {
		s.list("also at", r.URLs[1:])
	}
	s.add("fetched from", r.Address)
	s.list("publishers", r.Publishers)
	s.add("pinned sha256", r.Pinned.SHA256)
	s.add("pinned md5", r.Pinned.MD5)
	if r.Measured.SHA256 != "" && r.Measured != r.Pinned {
		s.add("measured sha256", r.Measured.SHA256)
		s.add("measured md5", r.Measured.MD5)
	}
	if r.Bytes > 0 {
		s.add("size", fmt.Sprintf("%d bytes", r.Bytes))
	}
	s.add("reason", string(r.Code))
}

// inOrder puts the bundles that counted first.
func inOrder(bundles []report.BundleDocument) []report.BundleDocument {
	return slices.SortedStableFunc(slices.Values(bundles), func(a, b report.BundleDocument) int {
		return cmp.Compare(statusOrder(a.Status), statusOrder(b.Status))
	})
}

func statusOrder(s verify.Status) int {
	switch s {
	case verify.Counted:
		return 0
	case verify.SetAside:
		return 2
	}
	return 1
}

func bundle(s *sheet, b report.BundleDocument, pinned string) {
	switch b.Status {
	case verify.Counted:
		s.head("Signed, and verified")
		s.add("signed by", b.Publisher)
	case verify.SetAside:
		s.head("Set aside")
	default:
		s.head("Rejected")
		s.add("status", string(b.Status))
	}
	s.add("because", b.Reason)
	s.add("code", string(b.Code))
	if c := b.Verified; c != nil {
		verified(s, c, pinned)
	}
	if c := b.Unverified; c != nil {
		unverified(s, c, pinned)
	}
	s.add("trust domain", b.Domain)
	s.add("found at", b.Origin)
	s.add("bundle", fmt.Sprintf("%d of a document in the form %s", b.Index, b.Format))
}

func verified(s *sheet, c *report.ContentDocument, pinned string) {
	s.add("when", join(", proven by ", when(c.Time), c.TimeSource))
	if c.Release != nil {
		s.link("release", c.Release.Tag+" of github.com/"+c.Release.Repository+", attested by GitHub", releaseLink(c.Release.Repository, c.Release.Tag))
	}
	if x := c.Extensions; x != nil {
		s.link("repository", x.SourceRepository, repositoryLink(x.SourceRepository))
		s.link("commit", x.SourceDigest, commitLink(x.SourceRepository, x.SourceDigest))
		s.add("ref", x.SourceRef)
		s.add("environment", x.Environment)
		s.link("run", x.RunInvocationURI, runLink(x.RunInvocationURI))
		s.add("trigger", join(", on a runner that is ", x.BuildTrigger, x.RunnerEnvironment))
		s.add("repository id", x.SourceRepositoryID)
		s.add("owner id", x.SourceOwnerID)
	}
	s.add("identity", c.SAN)
	s.add("issuer", c.Issuer)
	for _, e := range c.LogEntries {
		text := join(", ", e.Log, e.Kind)
		if e.Index != nil {
			text = fmt.Sprintf("entry %d of %s", *e.Index, text)
		}
		if e.Promise {
			text += ", by the log's signed promise alone"
		}
		s.link("log", text, logLink(e))
	}
	s.add("statement", c.PredicateType)
	s.list("subjects", subjects(c.Subjects, pinned))
}

// unverified tells what a bundle claims. Nothing in it becomes a link.
func unverified(s *sheet, c *report.ContentDocument, pinned string) {
	s.add("claims, not verified", join(", ", c.SAN, c.Issuer))
	if x := c.Extensions; x != nil {
		s.add("claims to be of", join(" ", x.SourceRepository, x.SourceRef))
	}
	s.add("claims to state", c.PredicateType)
	s.list("claims to be about", subjects(c.Subjects, pinned))
}

// maxSubjects is how many subjects of a statement a page lists. A statement may
// have a thousand; the JSON report has them all.
const maxSubjects = 12

// subjects names what a statement speaks of. The pinned digest is called by that
// name: whether it is there matters more than its digits, which the page has.
func subjects(list []report.SubjectDocument, pinned string) []string {
	var texts []string
	for i, d := range list {
		if i == maxSubjects {
			texts = append(texts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		digest := d.Digest["sha256"]
		switch {
		case digest == "":
		case digest == pinned:
			digest = "the pinned sha256"
		default:
			digest = "sha256 " + digest
		}
		texts = append(texts, join(", ", cmp.Or(d.Name, d.URI), digest))
	}
	return texts
}

func join(separator, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + separator + b
}
