package publishers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/publishers"
)

func TestTagFitsVersion(t *testing.T) {
	const fits, differs = true, false
	for _, c := range []struct {
		name, tag, version, packages string
		want                         bool
	}{
		{"same", "1.2.3", "1.2.3", "", fits},
		{"v", "v1.2.3", "1.2.3", "", fits},
		{"V", "V1.2.3", "1.2.3", "", fits},
		{"v and a dot", "v.1.2.3", "1.2.3", "", fits},
		{"v in the version", "1.2.3", "v1.2.3", "", fits},
		{"r", "r1.2", "1.2", "", fits},
		{"R_", "R_2_5_0", "2.5.0", "", fits},
		{"release-", "release-1.2.3", "1.2.3", "", fits},
		{"release/v", "release/v1.2.3", "1.2.3", "", fits},
		{"no number after a word", "release", "1.2.3", "", differs},
		{"beginning of a word", "relic-1.2.3", "1.2.3", "", differs},

		{"other patch", "v1.2.4", "1.2.3", "", differs},
		{"longer patch", "v1.2.30", "1.2.3", "", differs},
		{"more numbers", "v1.2.3.1", "1.2.3", "", differs},
		{"fewer numbers", "v1.2", "1.2.3", "", differs},
		{"digits in other places", "1.23", "1.2.3", "", differs},
		{"digits in other places, the other way", "1.2.3", "12.3", "", differs},
		{"no separators", "123", "1.2.3", "", differs},
		{"version within", "v11.2.3", "1.2.3", "", differs},
		{"version at the end", "0.1.2.3", "1.2.3", "", differs},
		{"zeros at the end", "v1.2", "1.2.0", "", fits},
		{"zeros at the end, four numbers", "1.2.0.0", "1.2", "", fits},
		{"zeros alone", "v0.0", "0", "", fits},
		{"zero in the middle", "1.0.2", "1.2", "", differs},
		{"zero as a digit", "1.20", "1.2", "", differs},
		{"decimal", "1.02", "1.2", "", differs},
		{"date", "2024.07.04", "2024.7.4", "", fits},
		{"date and v", "v2024.07.04", "2024.7.4", "", fits},
		{"other date", "2024.07.14", "2024.7.4", "", differs},

		{"underscores", "boost_1_80_0", "1.80.0", "boost", fits},
		{"dashes", "curl-8-5-0", "8.5.0", "curl", fits},
		{"dash that a conda version cannot have", "7.1.0-49", "7.1.0.49", "", fits},
		{"the same with an underscore", "7.1.0-49", "7.1.0_49", "", fits},

		{"semantic release candidate", "v1.0.0-rc.1", "1.0.0-rc.1", "", fits},
		{"semantic release candidate against the release", "v1.0.0-rc.1", "1.0.0", "", differs},
		{"semantic release against the candidate", "v1.0.0", "1.0.0-rc.1", "", differs},
		{"semantic, other candidate", "v1.0.0-rc.1", "1.0.0-rc.2", "", differs},
		{"semantic build", "v1.0.0+a", "1.0.0+a", "", fits},
		{"semantic, other build", "v1.0.0+a", "1.0.0+b", "", differs},
		{"semantic, no build", "v1.0.0+a", "1.0.0", "", differs},
		{"semantic, identifiers taken apart otherwise", "v1.0.0-rc1", "1.0.0-rc.1", "", differs},
		{"semantic, letters in another case", "v1.0.0-RC.1", "1.0.0-rc.1", "", differs},
		{"local version", "v1.0+5", "1.0+5", "", fits},
		{"local version of the longer release", "v1.0.0.0+5", "1.0+5", "", fits},
		{"other local version", "v1.0.0.0+6", "1.0+5", "", differs},
		{"plus is no separator", "1.0+5", "1.0.5", "", differs},
		{"PEP 440 candidate", "v1.0.0-rc.1", "1.0.0rc1", "", fits},
		{"PEP 440 candidate, underscore", "1.0.0_rc1", "1.0.0rc1", "", fits},
		{"PEP 440 candidate of the short version", "v1.0-rc.1", "1.0.0rc1", "", fits},
		{"PEP 440 beta", "v1.0.0-beta.2", "1.0.0b2", "", fits},
		{"PEP 440 beta, other number", "v1.0.0-beta.2", "1.0.0b1", "", differs},
		{"PEP 440 alpha", "v1.0.0-alpha2", "1.0.0a2", "", fits},
		{"alpha is no letter of a release", "1.1.1-alpha", "1.1.1a", "", differs},
		{"letter of a release", "OpenSSL_1_1_1a", "1.1.1a", "openssl", fits},
		{"letters in another case", "1.0.0RC1", "1.0.0rc1", "", fits},
		{"candidate of PEP 440 against the release", "1.0rc1", "1.0", "", differs},
		{"candidate zero", "1.0rc0", "1.0rc", "", differs},
		{"post release", "1.0.post1", "1.0", "", differs},

		{"name and dash", "flask-1.2", "1.2", "flask", fits},
		{"name and slash", "flask/v1.2", "1.2", "flask", fits},
		{"name and at", "flask@1.2", "1.2", "flask", fits},
		{"scope", "@acme/flask@1.2.0", "1.2.0", "@acme/flask", fits},
		{"other scope", "@evil/flask@1.2.0", "1.2.0", "@acme/flask flask", differs},
		{"name and v", "flask-v1.2", "1.2", "flask", fits},
		{"name and number", "go1.22.1", "1.22.1", "go", fits},
		{"name in another case", "Flask-1.2", "1.2", "flask", fits},
		{"name with other separators", "zope_interface-5.0", "5.0", "zope.interface", fits},
		{"word and name", "release/flask-1.2", "1.2", "flask", fits},
		{"name that begins as a word does", "rich-1.2", "1.2", "rich", fits},
		{"name before a name", "release/main", "main", "", fits},
		{"name before other characters", "flask-1.2~3", "1.2~3", "flask", fits},
		{"other name", "werkzeug-1.2", "1.2", "flask", differs},
		{"longer name", "flask-cors-1.2", "1.2", "flask", differs},
		{"end of a name", "xflask-1.2", "1.2", "flask", differs},
		{"name without a separator before letters", "flaskrc1", "rc1", "flask", differs},
		{"second name", "flask-1.2", "1.2", "python flask", fits},
		{"name that ends in a digit", "libxml2-2.9", "2.9", "libxml2", fits},
		{"name that ends in a digit, without a separator", "foo21.0", "1.0", "foo2", differs},
		{"name that ends in a digit, and a dot", "foo2.1.0", "1.0", "foo2", differs},
		{"name that is a number", "1.2.3", "2.3", "1", differs},
		{"name that is a version", "v8.1.2", "1.2", "v8", differs},
		{"name that is a version, and a dash", "v8-1.2", "1.2", "v8", differs},
		{"name that begins as a version", "v3.0.0-rc.1", "1", "3.0.0-rc", differs},
		{"name that begins as a version, with its v", "v3.0.0-rc.1", "1.0.0", "v3.0.0-rc", differs},
		{"name that is a version with a word behind", "1_80_0rc-2.0", "2.0", "1_80_0rc", differs},
		{"name with a digit before letters", "7zip-24.01", "24.01", "7zip", fits},
		{"empty name", "-1.2", "1.2", " ", differs},

		{"epoch of the packager", "v2.0", "1!2.0", "", fits},
		{"epoch in both", "1!2.0", "1!2.0.0", "", fits},
		{"other epoch", "2!2.0", "1!2.0", "", differs},

		{"name as version", "main", "main", "", fits},
		{"name as version in another case", "Main", "main", "", differs},
		{"empty", "", "", "", differs},
		{"empty version", "v1", "", "", differs},
		{"empty tag", "", "1", "", differs},
		{"v alone", "v", "v1", "", differs},
		{"other characters", "1.2~3", "1.2.3", "", differs},
		{"other digits", "1.2.\u0663", "1.2.3", "", differs},
		{"NUL", "1.2\x003", "1.2.3", "", differs},
		{"too long", "v1." + strings.Repeat("0", 300), "1", "", differs},
	} {
		t.Run(c.name, func(t *testing.T) {
			var packages []string
			if c.packages != "" {
				packages = strings.Split(c.packages, " ")
			}
			if got := publishers.TagFitsVersion(c.tag, c.version, packages); got != c.want {
				t.Errorf("tag %q, version %q: found %v, wanted %v", c.tag, c.version, got, c.want)
			}
		})
	}
}

// numbers gives the runs of digits in a version, without zeros before them and,
// from the end, without those that are zero.
func numbers(s string) []string {
	list := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	for i := range list {
		list[i] = strings.TrimLeft(list[i], "0")
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// A version fits itself, with a v and with a name before it; and whatever fits
// without names has the same numbers other than zero, in the same order.
func FuzzTagFitsVersion(f *testing.F) {
	for _, s := range [][3]string{
		{"v1.2.3", "1.2.3", ""},
		{"flask-1.0.0-rc.1", "1.0.0rc1", "flask"},
		{"OpenSSL_1_1_1a", "1.1.1a", "openssl"},
		{"release/v2024.07.04", "2024.7.4", "x"},
		{"1!2.0+local.1", "1!2.0+local.1", "y2"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, tag, version, name string) {
		if len(tag) > 200 || len(version) > 200 || len(name) > 40 {
			return
		}
		if version != "" {
			if !publishers.TagFitsVersion(version, version, nil) {
				t.Errorf("%q does not fit itself", version)
			}
			if version[0] >= '0' && version[0] <= '9' && strings.Trim(version, "0123456789.") == "" && !strings.Contains(version, "..") {
				for _, prefix := range []string{"v", "release-", "abc-", "abc/v", "abc@"} {
					if !publishers.TagFitsVersion(prefix+version, version, []string{"abc"}) {
						t.Errorf("%q does not fit after %q", version, prefix)
					}
				}
			}
		}
		if publishers.TagFitsVersion(tag, version, []string{name}) && !publishers.TagFitsVersion(tag, version, nil) && name == "" {
			t.Errorf("an empty name makes %q fit %q", tag, version)
		}
		if !publishers.TagFitsVersion(tag, version, nil) {
			return
		}
		found, wanted := numbers(tag), numbers(version)
		if i := strings.IndexByte(version, '!'); i >= 0 && !strings.Contains(tag, "!") {
			wanted = numbers(version[i+1:])
		}
		if !slices.Equal(found, wanted) {
			t.Errorf("tag %q fits version %q", tag, version)
		}
	})
}
