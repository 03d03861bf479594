package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/audit"
)

// A block holds the rows of some sources as they stand in the file: each text
// once, and rows as numbers that point at texts. So 30,000 sources need some
// megabytes, and the writer's memory holds one block only.
//
//	{"s": ["", "text", …], "r": [[verdict, class, flags, id, …, label, text, address, …], …]}
type block struct {
	texts []string
	index map[string]int
	rows  [][]int
	bytes int // of texts
}

const (
	blockRows  = 512
	blockBytes = 1 << 20
)

func newBlock() *block {
	b := &block{index: map[string]int{}}
	b.ref("") // reference 0 is the empty text
	return b
}

func (b *block) full() bool { return len(b.rows) >= blockRows || b.bytes >= blockBytes }

func (b *block) ref(s string) int {
	s = valid(s)
	i, ok := b.index[s]
	if !ok {
		i = len(b.texts)
		b.index[s] = i
		b.texts = append(b.texts, s)
		b.bytes += len(s)
	}
	return i
}

// valid replaces what is no UTF-8 as JSON does, so that a report that was written
// to JSON and read back makes the same page.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// add appends a source. assets/report.js knows the order by name.
func (b *block) add(e *entry) {
	row := make([]int, 0, 12+3*len(e.sheet))
	row = append(row, verdictIndex(e.verdict), int(e.class), e.flags())
	for _, s := range []string{
		e.id, e.recipe, e.source, e.title, e.host, e.publisher, e.date, e.message, e.hint,
	} {
		row = append(row, b.ref(s))
	}
	for _, l := range e.sheet {
		row = append(row, b.ref(l.label), b.ref(l.text), b.ref(l.address))
	}
	b.rows = append(b.rows, row)
}

// Flags of a source, for the filter of the table.
const (
	flagChanged = 1 << iota
	flagDowngrade
	flagWarning
)

func (e *entry) flags() int {
	f := 0
	if e.change != "" {
		f |= flagChanged
	}
	if e.downgrade {
		f |= flagDowngrade
	}
	if len(e.warnings) > 0 {
		f |= flagWarning
	}
	return f
}

func (b *block) encode() ([]byte, error) {
	return encode(struct {
		Texts []string `json:"s"`
		Rows  [][]int  `json:"r"`
	}{b.texts, b.rows})
}

// encode writes JSON that can stand in a script element: the characters that
// HTML knows (<, > and &) are escaped, so that neither an end tag nor a comment
// can come about, and whatever cannot be seen is escaped too.
func encode(v any) ([]byte, error) {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(true)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	data := bytes.TrimSuffix(plain.Bytes(), []byte("\n"))
	safe := make([]byte, 0, len(data))
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r < 0x7f || unicode.IsPrint(r) {
			safe = append(safe, data[:size]...)
		} else {
			for _, unit := range utf16.AppendRune(nil, r) {
				safe = fmt.Appendf(safe, `\u%04x`, unit)
			}
		}
		data = data[size:]
	}
	return safe, nil
}

// verdicts is the order of verdicts in the data and in the table, the worst
// first.
var verdicts = [...]audit.Verdict{
	audit.Invalid, audit.Mismatch, audit.Missing, audit.Error, audit.Unavailable, audit.Skipped, audit.Unattested, audit.Verified,
}

// verdictIndex gives a verdict's place. One that is not of the set is an error,
// as for exit statuses.
func verdictIndex(v audit.Verdict) int {
	for i, known := range verdicts {
		if v == known {
			return i
		}
	}
	return verdictIndex(audit.Error)
}

// A mark is a word with its icon and colour.
type mark struct {
	Label string `json:"label"`
	Class string `json:"class"`
	Icon  string `json:"icon"`
	Order int    `json:"order"`
}

func verdictMark(v audit.Verdict) mark {
	i := verdictIndex(v)
	m := mark{Label: string(verdicts[i]), Order: i}
	switch verdicts[i] {
	case audit.Verified:
		m.Class, m.Icon = "attested", "check"
	case audit.Unattested, audit.Skipped:
		m.Class, m.Icon = "unknown", "dot"
	case audit.Unavailable:
		m.Class, m.Icon = "attestable", "away"
	case audit.Error:
		m.Class, m.Icon = "failing", "alert"
	default:
		m.Class, m.Icon = "failing", "cross"
	}
	return m
}

// A dictionary tells the script the words for the numbers in rows.
type dictionary struct {
	Verdicts []mark `json:"verdicts"`
	Coverage []mark `json:"coverage"`
}

func newDictionary() dictionary {
	var d dictionary
	for _, v := range verdicts {
		d.Verdicts = append(d.Verdicts, verdictMark(v))
	}
	for c := range classes {
		i := c.info()
		d.Coverage = append(d.Coverage, mark{Label: i.Label, Class: i.Class, Icon: i.Icon, Order: int(c)})
	}
	return d
}
