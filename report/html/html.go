// Package html writes a report as one HTML file that needs nothing else: no
// server, no network, no build.
//
// Everything in a report is foreign text. What a browser is told to do with it:
//
//   - The rows stand in script elements of the type application/json, which are
//     never run, as JSON without <, > and & (block.go). The script of the page
//     puts them in place as text only.
//   - The summary is made by html/template.
//   - Links lead to a few known hosts and are put together from parts of
//     verified content (link.go).
//   - A Content-Security-Policy allows the page's own script and style, by their
//     hashes, and nothing else: no request, no form, no frame, no other script.
//   - Characters that cannot be seen, or that change the direction of writing,
//     are shown as escapes, and foreign text is isolated from the text around it.
//
// The file is written as a stream: rows first, which a browser does not show,
// then the summary. The writer's memory holds one block of rows, counts by host,
// and the few failures that the summary names.
package html

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/recipe-verify/recipe-verify/report"
)

var (
	//go:embed assets/report.css
	style string
	//go:embed assets/report.js
	script string
	//go:embed assets/page.tmpl
	templates string
)

// Options are what a page shows beside its records.
type Options struct {
	// Earlier are earlier reports, in any order; without one, coverage over time
	// is left out.
	Earlier []*Snapshot
}

var _ report.Writer = (*Writer)(nil)

// A Writer writes a page. It implements [report.Writer]. Errors are those of the
// writer that it was made with.
type Writer struct {
	out     *bufio.Writer
	options Options
	header  *report.Header
	block   *block
	summary summary
}

// New makes a writer. Its caller closes w.
func New(w io.Writer, o Options) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 64<<10), options: o, block: newBlock()}
}

// Header implements [report.Writer].
func (w *Writer) Header(h *report.Header) error {
	w.header = h
	_, err := fmt.Fprintf(w.out, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>recipe-verify audit</title>
<style>%s</style>
</head>
<body>
`, hash(script), hash(style), style)
	return err
}

// hash names a script or style as a Content-Security-Policy does.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Record implements [report.Writer].
func (w *Writer) Record(r *report.Record) error {
	e := describe(r)
	w.summary.add(e)
	w.block.add(e)
	if !w.block.full() {
		return nil
	}
	return w.flush()
}

func (w *Writer) flush() error {
	if len(w.block.rows) == 0 {
		return nil
	}
	data, err := w.block.encode()
	if err != nil {
		return err
	}
	w.block = newBlock()
	return w.data(`class="rows"`, data)
}

func (w *Writer) data(attribute string, data []byte) error {
	_, err := fmt.Fprintf(w.out, "<script type=\"application/json\" %s>%s</script>\n", attribute, data)
	return err
}

// Footer implements [report.Writer]: it writes the summary and ends the page.
func (w *Writer) Footer(f *report.Footer) error {
	if err := w.flush(); err != nil {
		return err
	}
	dictionary, err := encode(newDictionary())
	if err != nil {
		return err
	}
	if err := w.data(`id="meta"`, dictionary); err != nil {
		return err
	}
	page := w.summary.page(w.header, f, w.options.Earlier)
	if err := pages.ExecuteTemplate(w.out, "body", page); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.out, "<script>%s</script>\n</body>\n</html>\n", script); err != nil {
		return err
	}
	return w.out.Flush()
}
