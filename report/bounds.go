package report

// maxValues is the most objects, lists and items of a line: 64 bundles of 1,024
// subjects have fewer. An empty object takes three bytes of a line and some
// hundred of memory.
const maxValues = 200_000

// tooManyValues tells whether a line would take much more memory than its
// length, without building any of it.
func tooManyValues(line []byte) bool { return countValues(line) > maxValues }

// countValues counts the objects, lists and items of a JSON text.
func countValues(line []byte) int {
	values, inText := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{', c == '[', c == ',':
			values++
		}
	}
	return values
}
