package recipe

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

// Bounds of what any recipe may cost, whatever it holds. Memory is measured as
// what the process takes above what it had before. The race detector makes work
// some ten times slower and larger, which says nothing about recipes.
const (
	maxMemory = 256 << 20
	maxTime   = 5 * time.Second
)

const okPackage = "package:\n  name: a\n  version: 1\n"

var repeat = strings.Repeat

// fill repeats a line as often as the limits on size and nodes of a file allow.
func fill(prefix, line string) string {
	marks := 0
	for _, c := range line {
		if strings.ContainsRune("\n,[{-?:", c) {
			marks++
		}
	}
	n := (MaxSize - len(prefix)) / len(line)
	if marks > 0 {
		n = min(n, (MaxNodes-2*len(prefix)-1000)/marks)
	}
	return prefix + repeat(line, n)
}

type hostile struct {
	name, text string
	want       string // in the error; "" for none
	options    Options
	// file and content are of a variant file.
	file, content string
}

func inURL(template string) string { return okPackage + "source:\n  url: " + template + "\n" }

func hostileTemplates() []hostile {
	e := func(expression string) string { return inURL("${{ " + expression + " }}") }
	big := `("a" * 60000)`
	return []hostile{
		{name: "text repeated 10^9 times", text: e(`"a" * 10**9`), want: "repetition gives more"},
		{name: "text repeated in steps", text: e(`(` + big + ` * 60000) * 60000`), want: "repetition gives more"},
		{name: "list repeated 10^9 times", text: e(`[0] * 1000000000`), want: "repetition gives more"},
		{name: "empty list repeated 10^18 times", text: e(`[] * 1000000000000000000`), want: "repetition gives more"},
		{name: "huge power", text: e(`10 ** 10 ** 10`), want: "out of the range"},
		{name: "huge integer", text: e(repeat("9", 50_000)), want: "not an integer of 128 bits"},
		{name: "huge product", text: e(`2**100 * 2**100`), want: "out of the range"},
		{name: "huge float", text: e(`9e999`), want: "not a number"},
		{name: "range", text: e(`range(10**9)`), want: `"range" is unknown`},
		{name: "parentheses", text: e(repeat("(", 29_000) + "1" + repeat(")", 29_000)), want: "nested deeper"},
		{name: "lists", text: e(repeat("[", 29_000) + repeat("]", 29_000)), want: "nested deeper"},
		{name: "calls", text: e(repeat("env.get(", 6_000)), want: "nested deeper"},
		{name: "operators", text: e("1" + repeat("+1", 29_000)), want: "chains more"},
		{name: "comparisons", text: e("1" + repeat("<1", 29_000)), want: "chains more"},
		{name: "minus signs", text: e(repeat("-", 59_000) + "1"), want: "nested deeper"},
		{name: "nots", text: e(repeat("not ", 14_000) + "1"), want: "nested deeper"},
		{name: "subscripts", text: e("a" + repeat("[0]", 19_000)), want: "nested deeper"},
		{name: "filters", text: e("a" + repeat("|lower", 9_000)), want: "nested deeper"},
		{name: "tests", text: e("a" + repeat(" is defined", 5_000)), want: "nested deeper"},
		{name: "ternaries", text: e("1" + repeat(" if 1 else 1", 4_000)), want: "nested deeper"},
		{name: "ternaries to the left", text: e("1" + repeat(" if 1", 4_000)), want: "nested deeper"},
		{name: "ands", text: e("1" + repeat(" and 1", 9_000)), want: "not an absolute URL"},
		{name: "strings side by side", text: e(repeat(`"a"`, 19_000)), want: "URL has"},
		{name: "statements", text: inURL("${{ 1 }}" + repeat("{% if 1 %}", 5_000)), want: "nested deeper"},
		{name: "loops", text: inURL(`${{ 1 }}{% for a in "` + repeat("a", 30_000) + `" %}{% for b in "` + repeat("a", 20_000) +
			"\" %}{% endfor %}{% endfor %}"), want: "loops of a template"},
		{name: "loops of loops", text: inURL(`${{ 1 }}` + repeat(`{% for a in "aaaaaaaaaa" %}`, 20) + repeat("{% endfor %}", 20)), want: "loops of a template"},
		{name: "text that doubles", text: inURL(`${{ 1 }}{% set x = "a" %}` + repeat("{% set x = x ~ x %}", 3_000)), want: "text of more than"},
		{name: "list that doubles", text: inURL(`${{ 1 }}{% set x = [1] %}` + repeat("{% set x = [x, x] %}", 2_000) + "${{ x }}"), want: "value of more than"},
		{name: "mapping that doubles", text: inURL(`${{ 1 }}{% set x = 1 %}` + repeat(`{% set x = {"a":x,"b":x} %}`, 1_900) + "${{ x }}"), want: "value of more than"},
		{name: "list that doubles in the context", text: "context:\n  a0: ${{ [1, 2] }}\n" + doubling(60) + okPackage, want: "value of more than"},
		{name: "replace nothing by much", text: e(big + ` | replace("", "b" * 60000)`), want: "text of more than"},
		{name: "join with much", text: e(big + ` | join("b" * 60000)`), want: "text of more than"},
		{name: "replacements", text: e(big + repeat(`|replace("a","a")`, 40)), want: "URL has"},
		{name: "split into characters", text: e(big + ` | list | sort | unique | length`), want: "value of more than"},
		{name: "much output", text: inURL(repeat(`${{ "a" * 60000 }}`, 10)), want: "renders to more"},
		{name: "version specification", text: e(`match("1` + repeat(".1", 100) + `", "` + repeat("1|", 1_500) + `1")`), want: "not an absolute URL"},
		{name: "nested version specification", text: e(`match("1", "` + repeat("(", 3_000) + `1")`), want: "not a version specification"},
		{name: "condition", text: okPackage + "source:\n  if: " + repeat("(", 50_000) + "\n  then: []\n", want: "nested deeper"},
		{name: "template of 4 MiB", text: e(repeat("1", MaxSize-200)), want: "longer than"},
		{name: "macro", text: inURL("${{ 1 }}{% macro a() %}{{ a() }}{% endmacro %}"), want: "not supported"},
		{name: "delimiters of the engine", text: e(`"\x01{ 1 }\x01"`), want: "not an absolute URL"},
	}
}

// doubling gives context values that each hold the one before twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  a%d: ${{ [a%d, a%d] }}\n", i+1, i, i)
	}
	return b.String()
}

func hostileYAML() []hostile {
	about := okPackage + "about:\n  x: "
	return []hostile{
		{name: "10,000 nested flow lists", text: "a: " + repeat("[", 10_000) + repeat("]", 10_000), want: "nested deeper"},
		{name: "4,900 nested flow lists", text: "a: " + repeat("[", 4_900) + repeat("]", 4_900), want: "nested deeper"},
		{name: "open brackets", text: "a: " + repeat("[", 1_000_000), want: "nested deeper"},
		{name: "open braces", text: "a: " + repeat("{a: ", 200_000), want: "nested deeper"},
		{name: "nested lists in a line", text: repeat("- ", 1_000_000) + "a", want: "nested deeper"},
		{name: "4,900 nested lists in a line", text: repeat("- ", 4_900) + "a", want: "nested deeper"},
		{name: "nested explicit keys", text: repeat("? ", 1_000_000) + "a", want: "nested deeper"},
		{name: "4,900 nested explicit keys", text: repeat("? ", 4_900) + "a", want: "keys must be scalars"},
		{name: "nested blocks", text: stairs(440), want: "nested deeper"},
		{name: "colons", text: repeat("a: ", 90_000), want: "mapping values are not allowed"},
		{name: "flow list as wide as can be", text: fill(okPackage+"about: [", "x,") + "]"},
		{name: "empty flow lists", text: fill(okPackage+"about: [", "[],") + "]"},
		{name: "empty mappings", text: fill(okPackage+"about: [", "{},") + "]"},
		{name: "commas", text: fill(okPackage+"about: [", ","), want: "cannot parse YAML"},
		{name: "empty lines", text: fill(okPackage, "\n")},
		{name: "million lines", text: okPackage + repeat("\n", 1_000_000), want: "file may have"},
		{name: "comments", text: fill(okPackage, "#\n")},
		{name: "comments after items", text: fill(okPackage+"about:\n", "  - x #"+repeat("x", 60)+"\n")},
		{name: "comments in a row before items", text: fill(okPackage+"about:\n", "  #\n\n  - x\n")},
		{name: "long comment", text: okPackage + "#" + repeat("x", MaxSize-200)},
		{name: "long scalar", text: about + repeat("x", MaxSize-200)},
		{name: "long quoted scalar", text: about + `"` + repeat(`\n`, MaxSize/2-200) + `"`},
		{name: "quoted scalar of lines", text: fill(about+`"`, "x\n ") + `"`},
		{name: "block scalar", text: fill(about+"|\n", "    x\n")},
		{name: "folded scalar", text: fill(about+">\n", "    x\n")},
		{name: "block scalar of blank lines", text: fill(about+"|\n", "\n") + "    x\n"},
		{name: "plain scalar of lines", text: fill(about+"\n", "    x\n")},
		{name: "spaces", text: okPackage + "about: " + repeat(" ", MaxSize-200) + "x"},
		{name: "tabs", text: okPackage + "about:\n" + repeat("\t", 1_000_000), want: "cannot parse YAML"},
		{name: "long key", text: repeat("x", 100_000) + ": 1\n" + okPackage, want: "cannot parse YAML"},
		{name: "aliases", text: "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", want: "anchors are not allowed"},
		{name: "alias bomb", text: okPackage + "about:\n" + bomb(60), want: "anchors are not allowed"},
		{name: "alias bomb by merging", text: okPackage + "about:\n  a0: &a0 {x: 1}\n" + merging(60), want: "anchors are not allowed"},
		{name: "directives", text: repeat("%A\n", 90_000), want: "cannot parse YAML"},
		{name: "documents", text: fill(okPackage, "---\n")},
		{name: "many keys", text: okPackage + "about:\n" + numbered(24_000, "  k%d: v\n")},
		{name: "5 MiB", text: repeat("#", 5<<20), want: "the limit is"},
		{name: "UTF-16 of odd length", text: "\xff\xfea", want: "not valid UTF-8"},
		{name: "not UTF-8", text: okPackage + "about: \xff", want: "not valid UTF-8"},
		{name: "NUL", text: okPackage + "about: \x00", want: "cannot parse YAML"},
	}
}

// stairs gives blocks of which each is indented deeper than the one before.
func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// bomb gives lists that hold the one before ten times: 10ⁿ values.
func bomb(n int) string {
	var b strings.Builder
	b.WriteString("  a0: &a0 x\n")
	for i := range n {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

// merging gives mappings that merge the one before twice.
func merging(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	return b.String()
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func hostileSources() []hostile {
	all := Options{TargetPlatforms: []string{AllPlatforms}}
	matrix := Options{Variants: map[string][]string{}}
	product := ""
	for i := range 9 {
		name := fmt.Sprintf("k%d", i)
		matrix.Variants[name] = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
		product += "${{ " + name + " }}"
	}
	source := okPackage + "source:\n"
	long := "context:\n  long: ${{ \"a\" * 3000 }}\n"
	return []hostile{
		{name: "mirrors", text: fill(source+"  url:\n", "    - https://example.org/a\n"), options: all},
		{name: "sources", text: fill(source, "  - url: https://example.org/a\n"), options: all, want: "more than 50000 sources and outputs"},
		{name: "sources of templates", text: fill(source, "  - path: ${{1}}\n"), options: all, want: "more than"},
		{name: "long sources", text: fill(long+source, "  - path: ${{long}}${{long}}\n"), options: all, want: "hold more than"},
		{name: "long context", text: "context:\n  a: ${{ \"a\" * 60000 }}\n" + numbered(20_000, "  a%d: x${{ a }}\n") + okPackage, options: all, want: "context holds more than"},
		{
			name: "publishers", text: fill(source+"  url: https://example.org/a\n  sha256: "+repeat("a", 64)+"\n  attestation:\n    publishers:\n", "      - github:a/b\n"),
			options: all, want: "the limit is 64",
		},
		{name: "matrix of 10^9", text: inURL("https://example.org/" + product), options: matrix, want: "more than 10000 combinations"},
		{name: "matrix of 10^9 over many sources", text: "context:\n  x: " + product + "\n" + fill(source, "  - path: x\n"), options: matrix, want: "too many steps"},
		{name: "matrix of 10^9 over many outputs", text: "context:\n  x: " + product + "\n" +
			fill("recipe:\n  name: a\noutputs:\n", "  - package:\n      name: ${{x}}\n"), options: matrix, want: "too many steps"},
		{name: "matrix of 10^9 over faults", text: inURL(product + " "), options: matrix, want: "not an absolute URL"},
		{name: "matrix over conditionals", text: "context:\n  x: " + product + "\n" + fill(source, "  - if: k1\n    then: []\n"), options: matrix, want: "too many steps"},
		{name: "mutually excluding keys", text: fill(source, "  - if: nope\n    then: []\n")},
		{name: "skips", text: fill("recipe:\n  name: a\n# "+repeat("x ", 60)+"\nbuild:\n  skip:\n", "    - false\n") + "outputs:\n" + numbered(5, "  - package:\n      name: a%d\n"), options: all, want: "too many steps"},
	}
}

func hostileVariants() []hostile {
	all := Options{TargetPlatforms: []string{AllPlatforms}}
	read := "context:\n" + numbered(10_000, "  c%d: x\n") + okPackage
	keys := numbered(10_000, "k%d: [1, 2]\n")
	used := numbered(10_000, "  c%[1]d: ${{ k%[1]d }}\n")
	return []hostile{
		{name: "many keys of two values", text: "context:\n" + used + okPackage, file: variantsFile, content: keys, want: "too many steps"},
		{name: "many keys that nothing reads", text: read, file: variantsFile, content: keys, options: all},
		{name: "one key of many values", text: "context:\n  a: ${{ k }}\n" + okPackage, file: variantsFile, content: fill("k: [", "1,") + "1]", want: "more than 10000 values"},
		{name: "selectors", text: okPackage, file: condaBuildConfigFile, content: "k:\n" + numbered(40_000, "  - 1 # [nope%d]\n"), options: all, want: "too many steps"},
		{name: "short lines with selectors", text: okPackage, file: condaBuildConfigFile, content: repeat("#[a]\n", 800_000), options: all, want: "file may have"},
		{name: "selector of parentheses", text: okPackage, file: condaBuildConfigFile, content: "k: # [" + repeat("(", 4_000_000) + "]\n"},
		{name: "zip keys", text: "context:\n  a: ${{ k0 }}\n" + okPackage, file: variantsFile, content: "k0: [1, 2]\n" + fill("zip_keys:\n", "  - [k0]\n")},
		{name: "conditionals", text: okPackage, file: variantsFile, content: fill("k:\n", "  - if: linux\n    then: 1\n"), options: all, want: "more than 10000 values"},
	}
}

// TestHostile measures what recipes cost that are made to cost much.
func TestHostile(t *testing.T) {
	for _, h := range slices.Concat(hostileTemplates(), hostileYAML(), hostileSources(), hostileVariants()) {
		t.Run(h.name, func(t *testing.T) {
			if h.file != "" {
				path := filepath.Join(t.TempDir(), h.file)
				if err := os.WriteFile(path, []byte(h.content), 0o600); err != nil {
					t.Fatal(err)
				}
				h.options.VariantFiles = []string{path}
			}
			stop := watchMemory()
			start := time.Now()
			_, err := Parse("recipe.yaml", []byte(h.text), h.options)
			took := time.Since(start)
			memory := stop()
			if testing.Verbose() {
				t.Logf("%d ms, %d MiB, %.200s", took.Milliseconds(), memory>>20, fmt.Sprint(err))
			}
			switch {
			case h.want == "" && err != nil:
				t.Errorf("error %.300s", err.Error())
			case h.want != "" && (err == nil || !strings.Contains(err.Error(), h.want)):
				t.Errorf("error %.300s, wanted one with %q", fmt.Sprint(err), h.want)
			}
			if raceEnabled {
				return
			}
			if took > 4*maxTime { // a busy machine's time is longer
				t.Errorf("took %s, wanted at most %s", took, maxTime)
			}
			if memory > maxMemory {
				t.Errorf("took %d MiB, wanted at most %d", memory>>20, maxMemory>>20)
			}
		})
	}
}

// watchMemory measures the memory that the Go runtime takes from the system. The
// function that it returns gives the most that was taken above the beginning.
func watchMemory() func() int64 {
	runtime.GC()
	debug.FreeOSMemory()
	taken := func() int64 {
		s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(s)
		return int64(s[0].Value.Uint64() - s[1].Value.Uint64()) //nolint:gosec // far below 2^63
	}
	before, done, result := taken(), make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for {
			most = max(most, taken()-before)
			select {
			case <-done:
				result <- max(most, taken()-before)
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() int64 { close(done); return <-result }
}
