package recipe

import (
	"slices"
	"strconv"
	"strings"
)

// quoteText quotes input for a message.
func quoteText(s string) string { return strconv.Quote(clip(s)) }

// nearest gives the name that s was probably meant to be, or "".
func nearest(s string, names []string) string {
	best, bestDistance := "", 3
	if len(s) > 40 {
		return ""
	}
	for _, n := range names {
		if d := distance(strings.ToLower(s), strings.ToLower(n)); d < bestDistance && d < max(2, len(n)/2+1) {
			best, bestDistance = n, d
		}
	}
	return best
}

// distance is the edit distance of two short strings (insertion, deletion,
// substitution).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// didYouMean is the hint for an unknown key.
func didYouMean(key string, allowed []string) string {
	if n := nearest(key, allowed); n != "" {
		return "did you mean `" + n + "`?"
	}
	sorted := slices.Sorted(slices.Values(allowed))
	return "allowed are " + strings.Join(sorted, ", ")
}
