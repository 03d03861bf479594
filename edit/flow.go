package edit

import (
	"slices"
	"strings"
)

// flow makes the splices for a mapping in flow style: within the lines, so that
// they need no indentation.
func (l *layout) flow(p plan, entries []entry) ([]splice, error) {
	last := len(entries) - 1
	text := flowFields(p.Add)
	stays := -1 // the last one that does
	for i, e := range entries {
		if !e.removed {
			stays = i
		}
	}
	if stays < 0 {
		return []splice{{entries[0].start, entries[last].end, text}}, nil
	}
	var list []splice
	for i := range stays {
		if entries[i].removed {
			from, to := l.flowEntry(entries[i], entries[i+1])
			list = append(list, splice{from, to, ""})
		}
	}
	end := entries[last].end
	if stays < last {
		from := entries[stays+1].start
		if text == "" && !strings.Contains(l.text[entries[stays].end:from], "#") {
			from = entries[stays].end // with the comma
		}
		return append(list, splice{from, end, text}), nil
	}
	if text == "" {
		return list, nil
	}
	if comma := l.space(end); comma < len(l.text) && l.text[comma] == ',' {
		return append(list, splice{comma + 1, comma + 1, " " + text}), nil
	}
	text = ", " + text
	if l.text[end-1] == ':' { // of a key without a value, and "key:," would be text
		text = " " + text
	}
	return append(list, splice{end, end, text}), nil
}

// flowEntry gives what goes with a key that has another one behind it: the
// comma, the comment in the line and the white space.
func (l *layout) flowEntry(e, next entry) (from, to int) {
	to = l.space(e.end)
	if to < next.start && l.text[to] == ',' {
		to++
	}
	if i := l.blanks(to); i < next.start && l.text[i] == '#' {
		to = l.toBreak(i)
	}
	if strings.TrimSpace(l.text[to:next.start]) == "" {
		to = next.start
	}
	return e.start, to
}

// flowFields writes fields within a line.
func flowFields(fields []Field) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, flowScalar(f.Key)+": "+flowValue(f.Value))
	}
	return strings.Join(parts, ", ")
}

func flowValue(v any) string {
	switch v := v.(type) {
	case string:
		return flowScalar(v)
	case []string:
		return flowValue(anys(v))
	case []Field:
		return "{" + flowFields(v) + "}"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, flowValue(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "" // writable has refused it
}

// flowScalar quotes all but plain words: what YAML readers take for plain text
// between braces differs.
func flowScalar(s string) string {
	word := s != "" && s[0] != '-' && s[0] != '.' && !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return c >= 0x80 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-", rune(c))
	})
	if word && plain(s) {
		return s
	}
	return quote(s)
}
