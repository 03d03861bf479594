package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/recipe-verify/recipe-verify/internal/shared"
)

var threatSections = []string{"Evidence", "Identity", "Transport and resources"}

// A threatRow is one row of a table of docs/threat-model.md.
type threatRow struct{ threat, verdict, tests string }

// readThreats reads the tables by their section.
func readThreats(t *testing.T) map[string][]threatRow {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(top, "docs", "threat-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, section := map[string][]threatRow{}, ""
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "#"); ok {
			section = strings.TrimLeft(title, "# ")
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| Threat |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("a row has %d cells, wanted 4: %s", len(cells), line)
			continue
		}
		rows[section] = append(rows[section], threatRow{cells[0], strings.TrimSpace(cells[2]), cells[3]})
	}
	for _, s := range threatSections {
		if len(rows[s]) < 20 {
			t.Errorf("the section %q has %d rows", s, len(rows[s]))
		}
	}
	return rows
}

var quoted = regexp.MustCompile("`([^`]+)`")

// Every row of the threat model names a verdict and tests that are there.
func TestThreatsHaveTests(t *testing.T) {
	verdicts := []string{
		"verified", "mismatch", "invalid", "missing", "unavailable", "error", "error; nothing is sent",
		"warning", "refused", "never", "detected", "nothing corrupt", "escaped",
	}
	cache := map[string]testNames{}
	for section, rows := range readThreats(t) {
		for _, r := range rows {
			if !slices.Contains(verdicts, r.verdict) {
				t.Errorf("%s: unknown verdict %q", section, r.verdict)
			}
			names := quoted.FindAllStringSubmatch(r.tests, -1)
			if len(names) == 0 {
				t.Errorf("%s: %s has no test", section, r.threat)
			}
			for _, n := range names {
				if problem := findTest(t, cache, n[1]); problem != "" {
					t.Errorf("%s: the test %q: %s", section, n[1], problem)
				}
			}
		}
	}
}

// testNames are the test functions of a package's files, each with the texts of
// its file, which the names of its rows are among.
type testNames map[string]map[string]bool

// findTest tells what is wrong with "package Test" or "package Test/row".
func findTest(t *testing.T, cache map[string]testNames, name string) string {
	pkg, test, ok := strings.Cut(name, " ")
	function, row, hasRow := strings.Cut(test, "/")
	if !ok || !strings.HasPrefix(function, "Test") && !strings.HasPrefix(function, "Fuzz") {
		return "it is not written as package Test/row"
	}
	if cache[pkg] == nil {
		cache[pkg] = readTests(t, pkg)
	}
	texts, ok := cache[pkg][function]
	switch {
	case !ok:
		return "there is no such function in the package's tests"
	case hasRow && !texts[row] && !isScript(pkg, row):
		return "there is no such row in the function's file"
	}
	return ""
}

func isScript(pkg, row string) bool {
	_, err := os.Stat(filepath.Join(top, filepath.FromSlash(pkg), "testdata", "script", row+".txtar"))
	return err == nil
}

func readTests(t *testing.T, pkg string) testNames {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := testNames{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil {
					texts[text] = true
				}
			}
			return true
		})
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				found[f.Name.Name] = texts
			}
		}
	}
	return found
}

// The threat model quotes the list of threats in the shared data, section by
// section and word by word, but for the verdicts: so none can be left out, and
// one that is added fails here until it has a row.
func TestThreatModelIsComplete(t *testing.T) {
	list, err := os.ReadFile(shared.Path(t, "spec", "threats.md"))
	if err != nil {
		t.Fatal(err)
	}
	wanted, section := map[string][]string{}, ""
	for line := range strings.Lines(string(list)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
		}
		if bullet, ok := strings.CutPrefix(line, "- "); ok {
			wanted[section] = append(wanted[section], words(bullet)...)
		}
	}
	rows := readThreats(t)
	for _, s := range threatSections {
		var got []string
		for _, r := range rows[s] {
			got = append(got, words(r.threat)...)
		}
		want := wanted[s]
		delete(wanted, s)
		for i := range max(len(want), len(got)) {
			if i >= len(want) || i >= len(got) || want[i] != got[i] {
				t.Errorf("%s: docs/threat-model.md says %q where the list says %q", s, around(got, i), around(want, i))
				break
			}
		}
	}
	for s := range wanted {
		if len(wanted[s]) > 0 {
			t.Errorf("docs/threat-model.md has no section %q", s)
		}
	}
}

var (
	verdict = regexp.MustCompile(`\[[^\]]*\]`)
	aside   = strings.NewReplacer("One row for each.", "")
)

// words are those of a threat, without its verdict, without punctuation around
// them and what is nothing else.
func words(s string) []string {
	var all []string
	for _, w := range strings.Fields(verdict.ReplaceAllString(aside.Replace(s), " ")) {
		if w = strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }); w != "" {
			all = append(all, w)
		}
	}
	return all
}

// around gives the words near a place.
func around(list []string, i int) string {
	return strings.Join(list[min(len(list), max(0, i-3)):min(len(list), i+5)], " ")
}
