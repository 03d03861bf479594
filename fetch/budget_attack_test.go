package fetch

import (
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
)

// What lies on disk may be anybody's: entries of the cache with a good checksum,
// and netrc files, of the largest sizes.
func TestHostileFilesAreCheap(t *testing.T) {
	repeat := strings.Repeat
	id := numberedID(1)
	for name, text := range map[string]string{
		"lists":         repeat("[", maxEntry-100),
		"objects":       repeat(`{"a":`, maxEntry/5-100),
		"keys":          "{" + repeat(`"status":200,`, maxEntry/13-10) + `"x":1}`,
		"header":        `{"status":404,"header":{` + repeat(`"a":["b"],`, maxEntry/10-10) + `"x":[]}}`,
		"a long number": `{"size":` + repeat("9", maxEntry-100) + "}",
		"escapes":       `{"url":"` + repeat(`\u2028`, maxEntry/6-20) + `"}`,
		"a far time":    `{"checked":"` + repeat("9", maxEntry-100) + `-01-01T00:00:00Z"}`,
	} {
		t.Run("entry/"+name, func(t *testing.T) {
			budget.Check(t, func() {
				if _, err := parseEntry([]byte(entryMagic+sumOf([]byte(text))+"\n"+text), id); err == nil {
					t.Error("it was taken for good")
				}
			})
		})
	}
	for name, text := range map[string]string{
		"machines":     repeat("machine a login b password c\n", maxNetrc/29),
		"one word":     repeat("a", maxNetrc),
		"open entries": repeat("machine ", maxNetrc/8),
		"macros":       repeat("macdef a\nb\n\n", maxNetrc/12),
		"comments":     repeat("#\n", maxNetrc/2),
		"spaces":       repeat(" ", maxNetrc),
		"words":        repeat("a ", maxNetrc/2),
		"no UTF-8":     repeat("\xff", maxNetrc),
	} {
		t.Run("netrc/"+name, func(t *testing.T) {
			budget.Check(t, func() { _, _ = parseNetrc(text) })
		})
	}
}

func FuzzNetrc(f *testing.F) {
	for _, s := range []string{"machine a login b password c", "default login a password b", "machine a macdef x\nmachine b\n\n", "machine", "# machine a\nmachine b login c # d\n password e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		logins, err := parseNetrc(text)
		if err != nil && logins != nil {
			t.Errorf("%q: logins beside the error %v", text, err)
		}
		for host, l := range logins {
			// No host comes from elsewhere than from a word of the file, and none
			// has half a login.
			if l.user == "" || l.password == "" || !strings.Contains(strings.ToLower(text), host) {
				t.Errorf("%q: login %+v of the host %q", text, l, host)
			}
		}
	})
}
