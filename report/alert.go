package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/origin"
)

// A level is how grave an alert is, by SARIF's names.
type level string

const (
	levelError   level = "error"
	levelWarning level = "warning"
	levelNote    level = "note"
)

// An alert is something that is to be said at a line of a recipe. Its texts are
// safe for a terminal, on one line, and of bounded length.
type alert struct {
	rule         *rule
	level        level
	file         string // with slashes; "" if it is not known
	line, column int    // 0 if they are not known
	what         string // the archive's file name, or what else the source is
	message      string
	hint         string // "" for none
	verdict      audit.Verdict
}

// maxAlerts is the most alerts about one source.
const maxAlerts = 10

// alertsOf gives what is to be said of a record: why it fails, what changed, and
// that it could be attested. Nothing is said of other sources that are verified
// or unattested.
func alertsOf(r *Record) []alert {
	var list []alert
	base := alert{what: said(recordTitle(r)), verdict: r.Verdict}
	base.place(r.Position)
	add := func(rule *rule, l level, message, hint string) *alert {
		a := base
		a.rule, a.level, a.message, a.hint = rule, l, said(message), said(hint)
		list = append(list, a)
		return &list[len(list)-1]
	}
	switch {
	case r.Verdict.Status() == audit.StatusOK:
		if f := r.Finding; f != nil && f.Kind == audit.Attestable {
			hint := "look at what the project says about its releases before you name a publisher"
			if f.Genuine {
				hint = cmp.Or(attestableHint(f), hint)
			}
			add(ruleFor(ruleAttestable), levelNote, joinNonEmpty(": ", "the source could be attested", f.Detail), hint)
		}
	case len(r.Faults) > 0:
		for _, f := range r.Faults[:min(len(r.Faults), maxAlerts)] {
			add(ruleFor(string(r.Code)), levelOf(r.Verdict), f.Message, f.Hint).place(f.Position)
		}
	default:
		add(ruleFor(string(r.Code)), levelOf(r.Verdict), r.Message, r.Hint)
	}
	for _, c := range r.Changes[:min(len(r.Changes), maxAlerts)] {
		l := levelNote
		if c.Downgrade {
			l = levelError
		}
		add(ruleFor(changeRule+string(c.Kind)), l, "since the earlier report: "+c.String(), "")
	}
	return list
}

func attestableHint(f *FindingDocument) string {
	if f.Publisher == "" {
		return ""
	}
	hint := "if that is who should sign it, add an attestation block with publishers: [" + f.Publisher + "]"
	if len(f.BundleURLs) > 0 {
		hint += " and bundle_url: " + f.BundleURLs[0]
	}
	return hint
}

func levelOf(v audit.Verdict) level {
	if v == audit.Unavailable {
		return levelWarning
	}
	return levelError
}

// place reads "file:line:column".
func (a *alert) place(position string) { a.file, a.line, a.column = splitPosition(position) }

// lasting names a source the same in every run, without lines and versions.
func lasting(r *Record) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", r.Recipe, projectOf(r), origin.Shape(fileOf(r))))
	return sum[:]
}

// fingerprint names an alert about a source that [lasting] names.
func (a *alert) fingerprint(source []byte) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %x", a.rule.id, source))
	return hex.EncodeToString(sum[:16])
}
