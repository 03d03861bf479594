package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// CSV writes a table with a line for each source (RFC 4180), as text in UTF-8.
//
// Spreadsheets take a cell that begins with =, +, - or @ for a formula, whatever
// its quotes. Such cells get an apostrophe in front, which spreadsheets take for
// "this is text"; so does what follows a semicolon, at which some divide cells.
// Characters that a terminal acts on are written as escapes.
type CSV struct {
	W io.Writer

	w *csv.Writer
}

// csvColumns are the names of the columns.
func csvColumns() []string {
	return []string{
		"recipe", "position", "package", "version", "host", "url", "sha256",
		"verdict", "code", "message", "publishers",
		"signer", "issuer", "repository", "workflow", "commit", "time",
		"finding", "finding_genuine", "finding_publisher", "replacement",
		"changes", "downgrade", "warnings",
	}
}

// Header implements [Writer].
func (c *CSV) Header(*Header) error {
	c.w = csv.NewWriter(c.W)
	c.w.UseCRLF = true
	return c.w.Write(csvColumns())
}

// Record implements [Writer].
func (c *CSV) Record(r *Record) error {
	var address, publisher, issuer, repository, workflow, commit, when string
	if address = r.Other; len(r.URLs) > 0 {
		address = r.URLs[0]
	}
	if s := r.Signer(); s != nil {
		publisher, issuer = s.SAN, s.Issuer
		if e := s.Extensions; e != nil {
			repository, workflow, commit = e.SourceRepository, e.BuildConfigURI, e.SourceDigest
		}
		if s.Release != nil {
			repository = "https://github.com/" + s.Release.Repository
		}
	}
	if t := r.When(); !t.IsZero() {
		when = t.UTC().Format(time.RFC3339)
	}
	finding := make([]string, 4)
	if f := r.Finding; f != nil {
		finding = []string{string(f.Kind), strconv.FormatBool(f.Genuine), f.Publisher, f.Replacement}
	}
	var changes, warnings []string
	for _, change := range r.Changes {
		changes = append(changes, change.String())
	}
	for _, w := range r.Warnings {
		warnings = append(warnings, w.Message)
	}
	for _, b := range r.Bundles {
		for _, w := range b.Warnings {
			warnings = append(warnings, w.Message)
		}
	}
	row := []string{
		r.Recipe, r.Position, r.Package, r.Version, r.Host, address, r.Pinned.SHA256,
		string(r.Verdict), string(r.Code), r.Message, strings.Join(r.Publishers, "; "),
		publisher, issuer, repository, workflow, commit, when,
	}
	row = append(append(row, finding...), strings.Join(changes, "; "), strconv.FormatBool(r.Downgrade()), strings.Join(warnings, "; "))
	for i, s := range row {
		row[i] = cell(s)
	}
	return c.w.Write(row)
}

// maxCell is the most characters of a cell; Excel takes 32,767.
const maxCell = 32_000

// cell makes foreign text safe in a spreadsheet and on a terminal. Where the comma
// is the decimal sign, spreadsheets divide lines at semicolons, whatever quotes
// stand before: so what follows one is made safe as the beginning of a cell is.
func cell(s string) string {
	parts := strings.Split(sayUpTo(s, maxCell), ";")
	for i, part := range parts {
		first, _ := utf8.DecodeRuneInString(strings.TrimLeft(part, ` "'`))
		if strings.ContainsRune("=+-@＝＋－＠", first) { // their full-width forms too
			parts[i] = "'" + part
		}
	}
	return clip(strings.Join(parts, ";"), maxCell)
}

// Footer implements [Writer].
func (c *CSV) Footer(*Footer) error {
	c.w.Flush()
	return c.w.Error()
}
