package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Limits of [SARIF]: GitHub refuses a run with more than 25,000 results.
const (
	// MaxResults is the most results, of which MaxNotes are the most notes, such
	// as that a source could be attested. What is left out is counted in a
	// notification.
	MaxResults = 25_000
	MaxNotes   = 5_000
)

// SARIF writes SARIF 2.1.0 for code scanning: a result for each source that is
// neither verified nor unattested, a note for those that could be attested, and
// a result for each change since an earlier report. Results are written as they
// come.
type SARIF struct {
	W io.Writer

	header       Header
	results      int
	notes        int
	omitted      int
	recipe       string
	fingerprints map[string]int // of the recipe
}

// What follows are SARIF's objects, as far as they are used.
type (
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifRule struct {
		ID         string         `json:"id"`
		Name       string         `json:"name,omitempty"`
		Short      sarifText      `json:"shortDescription"`
		Full       sarifText      `json:"fullDescription"`
		Help       sarifText      `json:"help"`
		HelpURI    string         `json:"helpUri"`
		Default    sarifDefault   `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	sarifDefault struct {
		Level level `json:"level"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        level             `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]any    `json:"properties"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact sarifArtifact `json:"artifactLocation"`
			Region   *sarifRegion  `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifTool struct {
		Driver struct {
			Name           string      `json:"name"`
			Version        string      `json:"version"`
			InformationURI string      `json:"informationUri"`
			Rules          []sarifRule `json:"rules"`
		} `json:"driver"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		ExitCode      int                 `json:"exitCode"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level   level     `json:"level"`
		Message sarifText `json:"message"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	// sarifRoot stands for the checkout; GitHub knows it by this name.
	sarifRoot = "%SRCROOT%"
	homepage  = "https://github.com/recipe-verify/recipe-verify"
)

// Header implements [Writer].
func (s *SARIF) Header(h *Header) error {
	s.header = *h
	var tool sarifTool
	tool.Driver.Name, tool.Driver.Version, tool.Driver.InformationURI = "recipe-verify", strings.TrimPrefix(said(h.Tool.Version), "v"), homepage
	for i := range rules {
		tool.Driver.Rules = append(tool.Driver.Rules, rules[i].sarif())
	}
	return s.put("{\"$schema\":%j,\n\"version\":\"2.1.0\",\n\"runs\":[{\"tool\":%j,\n\"columnKind\":\"unicodeCodePoints\",\n\"originalUriBaseIds\":%j,\n\"results\":[",
		sarifSchema, tool, map[string]any{sarifRoot: map[string]any{"description": sarifText{Text: "The folder that the audit ran in."}}})
}

// severity is how GitHub ranks a rule; it has no part in a verdict.
func (r *rule) severity() string {
	switch {
	case r.level == levelNote:
		return "1.0"
	case r.level == levelWarning:
		return "3.0"
	case r.help == helpTampered, r.help == helpSigner, strings.HasPrefix(r.help, helpChange):
		return "9.0"
	}
	return "7.0"
}

func (r *rule) sarif() sarifRule {
	return sarifRule{
		ID: r.id, Name: r.name(),
		Short: sarifText{Text: r.short}, Full: sarifText{Text: r.short + " " + r.help},
		Help:    sarifText{Text: r.help, Markdown: "**" + r.short + "**\n\n" + r.help},
		HelpURI: homepage + "/blob/main/docs/audit.md",
		Default: sarifDefault{r.level},
		Properties: map[string]any{
			"tags": []string{"security", "supply-chain"}, "precision": "very-high", "security-severity": r.severity(),
		},
	}
}

// Record implements [Writer].
func (s *SARIF) Record(r *Record) error {
	if s.fingerprints == nil || r.Recipe != s.recipe {
		s.recipe, s.fingerprints = r.Recipe, map[string]int{}
	}
	alerts := alertsOf(r)
	if len(alerts) == 0 {
		return nil
	}
	source := lasting(r)
	for _, a := range alerts {
		print := a.fingerprint(source)
		s.fingerprints[print]++
		if a.level == levelNote {
			s.notes++
		}
		if s.results == MaxResults || a.level == levelNote && s.notes > MaxNotes {
			s.omitted++
			continue
		}
		comma := ","
		if s.results == 0 {
			comma = ""
		}
		s.results++
		if err := s.put(comma+"\n%j", s.result(&a, r, fmt.Sprintf("%s:%d", print, s.fingerprints[print]))); err != nil {
			return err
		}
	}
	return nil
}

func (s *SARIF) result(a *alert, r *Record, print string) sarifResult {
	text := a.message
	if a.what != "" {
		text = a.what + ": " + text
	}
	if a.hint != "" {
		text += ". Hint: " + a.hint
	}
	res := sarifResult{
		RuleID: a.rule.id, RuleIndex: a.rule.index(), Level: a.level, Message: sarifText{Text: sarifMessage(text)},
		// GitHub tells alerts apart by the first, which it else makes of the line.
		Fingerprints: map[string]string{"primaryLocationLineHash": print, "recipeVerify/v1": print},
		Properties:   map[string]any{"verdict": said(string(r.Verdict)), "code": said(string(r.Code))},
	}
	for name, value := range map[string]string{
		"package": r.Package, "version": r.Version, "sha256": r.Pinned.SHA256, "other": r.Other,
	} {
		if value != "" {
			res.Properties[name] = said(value)
		}
	}
	for name, values := range map[string][]string{"urls": r.URLs, "publishers": r.Publishers} {
		if len(values) > 0 {
			res.Properties[name] = saidAll(values)
		}
	}
	if f := r.Finding; f != nil && f.Publisher != "" {
		res.Properties["foundPublisher"], res.Properties["foundGenuine"] = said(f.Publisher), f.Genuine
	}
	if a.file != "" {
		var l sarifLocation
		l.Physical.Artifact = artifactOf(a.file)
		if a.line > 0 {
			l.Physical.Region = &sarifRegion{a.line, a.column}
		}
		res.Locations = []sarifLocation{l}
	}
	return res
}

func saidAll(values []string) []string {
	var list []string
	for _, v := range values[:min(len(values), maxAlerts)] {
		list = append(list, said(v))
	}
	return list
}

// artifactOf is a file's address: relative to the checkout unless it lies
// elsewhere. A part with a colon is never a scheme.
func artifactOf(file string) sarifArtifact {
	file = strings.TrimPrefix(file, "./")
	var parts []string
	for part := range strings.SplitSeq(file, "/") {
		parts = append(parts, strings.ReplaceAll(url.PathEscape(part), ":", "%3A"))
	}
	address := strings.Join(parts, "/")
	switch {
	case strings.HasPrefix(file, "/"):
		return sarifArtifact{URI: "file://" + strings.ReplaceAll(address, "//", "/")}
	case len(file) > 2 && file[1] == ':' && file[2] == '/': // a drive of Windows
		return sarifArtifact{URI: "file:///" + address}
	}
	return sarifArtifact{URI: address, Base: sarifRoot}
}

// sarifMessage escapes what SARIF takes for placeholders (3.11.5) and links
// (3.11.6).
func sarifMessage(s string) string {
	s = strings.NewReplacer("{", "{{", "}", "}}").Replace(s)
	if strings.Contains(s, "](") {
		s = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
	}
	return s
}

// Footer implements [Writer].
func (s *SARIF) Footer(f *Footer) error {
	in := sarifInvocation{Successful: f.Complete, ExitCode: f.ExitStatus, Notifications: []sarifNotification{}}
	notify := func(l level, text string) {
		in.Notifications = append(in.Notifications, sarifNotification{l, sarifText{Text: sarifMessage(said(text))}})
	}
	if !f.Complete {
		notify(levelError, "not every recipe was looked at")
	}
	if s.omitted > 0 {
		notify(levelWarning, fmt.Sprintf("%d results are left out: a run has %d at most, and %d notes", s.omitted, MaxResults, MaxNotes))
	}
	for _, w := range f.Warnings[:min(len(f.Warnings), 100)] {
		notify(levelWarning, w)
	}
	counts := map[string]any{"recipes": f.Recipes, "sources": f.Sources, "verdicts": f.Verdicts}
	return s.put("],\n\"invocations\":[%j],\n\"properties\":%j}]}\n", in, counts)
}

// put writes a text, with a value as JSON in the place of each %j.
func (s *SARIF) put(format string, values ...any) error {
	var b bytes.Buffer
	for i, part := range strings.Split(format, "%j") {
		if i > 0 {
			data, err := json.Marshal(values[i-1])
			if err != nil {
				return err
			}
			b.Write(printableJSON(data))
		}
		b.WriteString(part)
	}
	_, err := s.W.Write(b.Bytes())
	return err
}
