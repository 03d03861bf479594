package pypi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
)

// Answers of the Simple API of the largest size cost bounded memory and time.
func TestHostileIndexesAreCheap(t *testing.T) {
	budget.SkipWithRace(t)
	const most = MaxIndex - 200
	repeat := strings.Repeat
	// Built when they are needed: what all of them hold at once would let the
	// garbage collector wait for as much again.
	fill := func(before, text, after string) func() string {
		return func() string { return before + repeat(text, most/len(text)) + after }
	}
	const file = `{"filename":"a-1.tar.gz","hashes":{"sha256":"00"},"provenance":"https://pypi.org/x"},`
	for _, c := range []struct {
		name     string
		body     func() string
		accepted bool
	}{
		{"files", fill(`{"files":[`, file, "{}]}"), false},
		{"empty files", fill(`{"files":[`, "{},", "{}]}"), false},
		{"files without end", fill(`{"files":[`, file, ""), false},
		{"null files", fill(`{"files":[`, "null,", "null]}"), false},
		{"numbers for files", fill(`{"files":[`, "1,", "1]}"), false},
		{"nested lists", fill("", "[", ""), false},
		{"nested lists in a file", fill(`{"files":[{"x":`, "[", ""), false},
		{"closed lists in a file", func() string { return `{"files":[{"x":` + repeat("[", most/2) + repeat("]", most/2) + "}]}" }, false},
		{"nested objects", fill("", `{"a":`, ""), false},
		{"a value before the files", fill(`{"meta":[`, "1,", `1],"files":[]}`), false},
		{"a long name", fill(`{"files":[{"filename":"`, "a", `"}]}`), false},
		{"a name of escapes", fill(`{"files":[{"filename":"`, `\u2028`, `"}]}`), false},
		{"a long link", fill(`{"files":[{"provenance":"`, "a", `"}]}`), false},
		{"as many files as may be", func() string { return `{"files":[` + differing(maxFiles-1) + "{}]}" }, true},
		{"one file more", func() string { return `{"files":[` + differing(maxFiles) + "{}]}" }, false},
		{"a value as long as may be", func() string { return `{"x":"` + repeat("a", maxValue-3000) + `","files":[]}` }, true},
		{"a longer one", func() string { return `{"x":"` + repeat("a", maxValue+3000) + `","files":[]}` }, false},
		{"long values", func() string {
			return `{` + repeat(`"x":"`+repeat("a", maxValue-3000)+`",`, 3) + `"files":[]}`
		}, true},
		{"files of long names", func() string {
			return `{"files":[` + repeat(`{"filename":"`+repeat("a", maxValue-3000)+`"},`, 3) + `{}]}`
		}, true},
		{"digests", fill(`{"files":[{"hashes":{`, `"sha1":"0",`, `"x":""}}]}`), false},
		{"lists of files", fill(`{`, `"files":[],`, `"x":1}`), true}, // the first is the list
		{"keys", fill(`{`, `"a":1,`, `"x":1}`), false},
		{"white space", fill("", " ", ""), false},
		{"one number", fill(`{"x":`, "9", `,"files":[]}`), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body())
			var err error
			budget.Check(t, func() {
				if _, err = fileWithDigest(body, "11"); err != nil {
					return
				}
				found := &projectIndex{}
				err = eachFile(body, func(f simpleFile) bool {
					found.add(f)
					return true
				})
				found.size()
			})
			if (err == nil) != c.accepted {
				t.Errorf("error %v", err)
			}
		})
	}
}

// differing gives files of n names and digests.
func differing(n int) string {
	var b strings.Builder
	digits := []byte("0000000")
	for range n {
		for i := range digits { // count
			if digits[i]++; digits[i] <= '9' {
				break
			}
			digits[i] = '0'
		}
		b.WriteString(`{"filename":"` + string(digits) + `","provenance":"x"},`)
	}
	return b.String()
}

// What is read of an index is what a plain reader of JSON finds in it.
func FuzzIndex(f *testing.F) {
	for _, s := range []string{
		`{"files":[{"filename":"a","hashes":{"sha256":"11"},"provenance":null}]}`, `{"meta":{},"files":[{}]}`, `{"files":[`, `[]`, ``,
		`{"files":[{"filename":"a","hashes":{"sha256":"11"}},{"filename":"b","hashes":{"sha256":"11"},"provenance":"x"}]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		found, err := fileWithDigest([]byte(body), "11")
		var whole struct {
			Files []simpleFile `json:"files"`
		}
		keys := map[string]json.RawMessage{}
		if err != nil || json.Unmarshal([]byte(body), &whole) != nil || json.Unmarshal([]byte(body), &keys) != nil {
			return
		}
		if len(keys) != strings.Count(body, `":`) || keys["files"] == nil { // keys that stand twice, or in another case
			return
		}
		for _, file := range whole.Files {
			if file.Hashes.SHA256 == "11" {
				if found == nil || found.Name != file.Name {
					t.Errorf("found %+v, wanted %+v", found, file)
				}
				return
			}
		}
		if found != nil {
			t.Errorf("found %+v, wanted nothing", found)
		}
	})
}
