package edit

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// An encoding is how a file holds its text: UTF-8, or UTF-16 in an order.
type encoding struct {
	mark  string // the byte order mark, or ""
	order binary.AppendByteOrder
}

// decode gives a file's text as UTF-8, without byte order mark. What cannot be
// given back byte for byte is an error.
func decode(name string, data []byte) (encoding, string, error) {
	var e encoding
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		e, order = encoding{"\xff\xfe", binary.LittleEndian}, binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		e, order = encoding{"\xfe\xff", binary.BigEndian}, binary.BigEndian
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		e.mark = "\xef\xbb\xbf"
	}
	rest := data[len(e.mark):]
	fault := &recipe.Error{
		Pos: recipe.Position{File: name}, Message: "file is not valid UTF-8 or UTF-16", Hint: "store the file as UTF-8",
	}
	if order == nil {
		if !utf8.Valid(rest) {
			return e, "", fault
		}
		return e, string(rest), nil
	}
	units := make([]uint16, 0, len(rest)/2)
	for i := 0; i+1 < len(rest); i += 2 {
		units = append(units, order.Uint16(rest[i:]))
	}
	text := string(utf16.Decode(units))
	if !bytes.Equal(e.encode(text), data) { // half a character, or half a pair
		return e, "", fault
	}
	return e, text, nil
}

// encode is the reverse of decode.
func (e encoding) encode(text string) []byte {
	data := []byte(e.mark)
	if e.order == nil {
		return append(data, text...)
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		data = e.order.AppendUint16(data, unit)
	}
	return data
}
