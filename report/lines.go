package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxLine is the most bytes that one line of a report may have.
const MaxLine = 4 << 20

// A line is what stands in one line of an audit's report.
type line struct {
	Type string `json:"type" jsonschema:"enum=header,enum=source,enum=summary"`
}

// HeaderLine, RecordLine and FooterLine are the lines of a report.
type (
	HeaderLine struct {
		line
		Header
	}
	RecordLine struct {
		line
		Record
	}
	FooterLine struct {
		line
		Footer
	}
)

// Lines writes JSON Lines: a header, a line for each source, and a summary.
// docs/audit.schema.json describes them.
type Lines struct{ W io.Writer }

// Header implements [Writer].
func (l *Lines) Header(h *Header) error { return writeLine(l.W, HeaderLine{line{"header"}, *h}) }

// Record implements [Writer].
func (l *Lines) Record(r *Record) error { return writeLine(l.W, RecordLine{line{"source"}, *r}) }

// Footer implements [Writer].
func (l *Lines) Footer(f *Footer) error { return writeLine(l.W, FooterLine{line{"summary"}, *f}) }

// writeLine writes a document on one line, escaped as [writeJSON] does.
func writeLine(w io.Writer, document any) error {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(printableJSON(plain.Bytes()))
	return err
}

// printableJSON escapes characters that a terminal may act on, or that change
// the direction of writing; outside of strings a document has none.
func printableJSON(plain []byte) []byte {
	if isPlain(plain) {
		return plain
	}
	safe := make([]byte, 0, len(plain)+len(plain)/8)
	for _, r := range string(plain) {
		if r < 0x7f || unicode.IsPrint(r) {
			safe = utf8.AppendRune(safe, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			safe = fmt.Appendf(safe, `\u%04x`, unit)
		}
	}
	return safe
}

func isPlain(text []byte) bool {
	for _, c := range text {
		if c >= 0x7f {
			return false
		}
	}
	return true
}

// A FormatError says why a file is no report, or which line of it.
type FormatError struct {
	Name    string // of the file
	Line    int    // 0 for the whole
	Problem string
	Mend    string
}

// Error implements error.
func (e *FormatError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Name, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Problem)
}

// Hint says what to do, or "".
func (e *FormatError) Hint() string { return e.Mend }

// A Reader reads an audit's report, one line at a time, in bounded memory. It
// reads the report of verify too, of up to [MaxVerifyReport] bytes, as one of an
// audit.
type Reader struct {
	name   string
	r      *bufio.Reader
	at     int
	header Header
	footer *Footer
	last   [2]int
	any    bool
	verify *verifyReport // of a report of verify, else nil
}

// NewReader reads the header of the report in r, which is called name in errors.
// Errors are of type *[FormatError], or r's.
func NewReader(name string, r io.Reader) (*Reader, error) {
	reader := &Reader{name: name, r: bufio.NewReaderSize(r, 64<<10)}
	text, err := reader.line()
	switch {
	case errors.Is(err, io.EOF):
		return nil, reader.fail("the file is empty")
	case err != nil:
		return nil, err
	}
	if opensDocument(text) {
		if err := reader.readDocument(text); err != nil {
			return nil, err
		}
		return reader, nil
	}
	var l HeaderLine
	if json.Unmarshal(text, &l) != nil || l.Type != "header" {
		return nil, reader.notAReport()
	}
	if l.Schema != AuditSchema {
		return nil, reader.otherSchema(l.Schema, AuditSchema)
	}
	reader.header = l.Header
	return reader, nil
}

func (r *Reader) notAReport() error {
	e := r.fail("it is no report of recipe-verify audit in JSON Lines, and none of verify in JSON")
	e.Mend = "make one with recipe-verify audit --report json=FILE"
	return e
}

func (r *Reader) otherSchema(found, wanted int) error {
	e := r.fail("its schema is %d, wanted %d", found, wanted)
	e.Mend = "use the version of recipe-verify that wrote it, or audit again"
	return e
}

func (r *Reader) fail(format string, a ...any) *FormatError {
	return &FormatError{Name: r.name, Line: r.at, Problem: fmt.Sprintf(format, a...)}
}

// line reads the next line, without its end.
func (r *Reader) line() ([]byte, error) {
	r.at++
	var text []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if len(text)+len(part) > MaxLine {
			return nil, r.fail("the line has more than the limit of %d bytes", MaxLine)
		}
		text = append(text, part...)
		switch {
		case err == nil && tooManyValues(text):
			return nil, r.fail("the line has more than the limit of %d values", maxValues)
		case err == nil:
			return text[:len(text)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(text) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, r.cut()
		default:
			return nil, err
		}
	}
}

// A CutError says that a report ends before its summary, as an interrupted
// writer leaves it. What was read up to there is whole.
type CutError struct{ FormatError }

func (r *Reader) cut() error {
	e := &CutError{*r.fail("the report ends in the middle, without a summary")}
	e.Mend = "audit again; --resume takes over what is finished"
	return e
}

// Header gives what was audited.
func (r *Reader) Header() *Header { return &r.header }

// Next gives the next record. At the end the error is io.EOF, and Footer has the
// summary; a report that is cut gives a *[CutError] in its place. Other errors
// are of type *[FormatError], or those of the file.
func (r *Reader) Next() (*Record, error) {
	if r.verify != nil {
		record, err := r.verify.record()
		if err != nil {
			r.footer = r.verify.footer
		}
		return record, err
	}
	text, err := r.line()
	switch {
	case errors.Is(err, io.EOF) && r.footer == nil:
		return nil, r.cut()
	case err != nil:
		return nil, err
	case r.footer != nil:
		return nil, r.fail("there is more after the summary")
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, r.fail("the line is not JSON")
	}
	switch l.Type {
	case "source":
		var record RecordLine
		if err := json.Unmarshal(text, &record); err != nil {
			return nil, r.fail("the line is no source of a report")
		}
		if p := record.Place; p[0] < 0 || p[1] < 0 || r.any && !before(r.last, p) {
			return nil, r.fail("its sources are not in order")
		}
		r.any, r.last = true, record.Place
		return &record.Record, nil
	case "summary":
		var footer FooterLine
		if err := json.Unmarshal(text, &footer); err != nil {
			return nil, r.fail("the line is no summary of a report")
		}
		r.footer = &footer.Footer
		return r.Next()
	}
	return nil, r.fail("the line is of the unknown type %q", l.Type)
}

// Footer gives the summary, after Next has given io.EOF; nil before.
func (r *Reader) Footer() *Footer { return r.footer }

func before(a, b [2]int) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

// Convert writes a report anew in another format.
func Convert(r *Reader, w Writer) error {
	if err := w.Header(r.Header()); err != nil {
		return err
	}
	for {
		record, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return w.Footer(r.Footer())
		case err != nil:
			return err
		}
		if err := w.Record(record); err != nil {
			return err
		}
	}
}
