package jinja

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// differentialVariable names the folder in which npm's minijinja-js is
// installed: the official engine as WebAssembly.
const differentialVariable = "RECIPE_VERIFY_MINIJINJA_JS"

// An expressionSource writes random expressions, mostly of values that fit.
type expressionSource struct{ *rand.Rand }

func (r expressionSource) pick(list ...string) string { return list[r.IntN(len(list))] }

func (r expressionSource) number(depth int) string {
	if depth <= 0 || r.IntN(4) == 0 {
		return r.pick("0", "1", "2", "7", "-3", "10", "255", "n", "m", "1.5", "true", "65536")
	}
	d := depth - 1
	switch r.IntN(7) {
	case 0:
		return fmt.Sprintf("(%s | length)", r.list(d))
	case 1:
		return fmt.Sprintf("(%s | int)", r.number(d))
	case 2:
		return fmt.Sprintf("(%s | abs)", r.number(d))
	case 3:
		return fmt.Sprintf("(%s if %s else %s)", r.number(d), r.boolean(d), r.number(d))
	}
	return fmt.Sprintf("(%s %s %s)", r.number(d), r.pick("+", "-", "*", "//", "%", "+", "/ 4 +"), r.number(d))
}

func (r expressionSource) text(depth int) string {
	if depth <= 0 || r.IntN(5) == 0 {
		return r.pick(`""`, `"a"`, `'Foo.Bar'`, `"1.2.3"`, `" x "`, "version", "name", `"é"`, `"0"`)
	}
	d := depth - 1
	switch r.IntN(13) {
	case 0:
		return fmt.Sprintf("(%s ~ %s)", r.text(d), r.pick(r.text(d), r.list(0), "n", "m", "-3"))
	case 1:
		return fmt.Sprintf("(%s | %s)", r.text(d), r.pick("lower", "upper", "trim", "reverse"))
	case 2:
		return fmt.Sprintf("(%s | replace(%s, %s))", r.text(d), r.pick(`"."`, `"o"`, `"1"`), r.text(d))
	case 3:
		return fmt.Sprintf("%s[%s:%s]", r.text(d), r.pick("", "0", "1", "9"), r.pick("", "0", "1", "9"))
	case 4:
		return fmt.Sprintf("%s[%s:%s:%s]", r.text(d), r.pick("", "0", "1"), r.pick("", "3", "9"), r.pick("", "1", "2"))
	case 5:
		return fmt.Sprintf("(%s | join(%s))", r.list(d), r.text(d))
	case 6:
		return fmt.Sprintf("(%s | %s)", r.list(0), r.pick("first", "last", "min", "max"))
	case 7:
		return fmt.Sprintf("(%s if %s else %s)", r.text(d), r.boolean(d), r.text(d))
	case 8:
		return fmt.Sprintf("(%s + %s)", r.text(d), r.text(d))
	case 9:
		return fmt.Sprintf("(%s * %s)", r.text(d), r.pick("0", "1", "3"))
	case 10:
		return fmt.Sprintf("%s[%s]", r.text(d), r.pick("0", "-1", "1", "5"))
	case 11:
		return fmt.Sprintf("(%s | default(%s))", r.pick("nope", r.text(d)), r.text(0))
	}
	return fmt.Sprintf("(%s[%s])", r.list(d), r.pick("0", "1", "7"))
}

func (r expressionSource) list(depth int) string {
	if depth <= 0 || r.IntN(5) == 0 {
		return r.pick("[]", "items", `["b", "a", "B"]`, "[3, 1, 2]", `("x", "y")`)
	}
	d := depth - 1
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("(%s | split(%s) | list)", r.text(d), r.pick(`"."`, `"o"`, `" "`))
	case 1:
		return fmt.Sprintf("(%s | %s)", r.list(0), r.pick("sort", "reverse | list", "unique | list", "list"))
	case 2:
		return fmt.Sprintf("[%s, %s]", r.any(d), r.any(d))
	case 3:
		return fmt.Sprintf("%s[%s:%s]", r.list(d), r.pick("", "0", "1"), r.pick("", "1", "9"))
	case 4:
		return fmt.Sprintf("(%s | split | list)", r.text(d))
	}
	return fmt.Sprintf("(%s + %s)", r.list(d), r.list(d))
}

func (r expressionSource) boolean(depth int) string {
	if depth <= 0 || r.IntN(6) == 0 {
		return r.pick("true", "false", "True", "win", "(none is none)", "(nope is defined)", "(n is number)")
	}
	d := depth - 1
	switch r.IntN(9) {
	case 0:
		return fmt.Sprintf("(not %s)", r.boolean(d))
	case 1:
		return fmt.Sprintf("(%s %s %s)", r.boolean(d), r.pick("and", "or"), r.boolean(d))
	case 2:
		return fmt.Sprintf("(%s %s %s)", r.number(d), r.pick("==", "!=", "<", "<=", ">", ">="), r.number(d))
	case 3:
		return fmt.Sprintf("(%s %s %s)", r.text(d), r.pick("==", "!=", "<", ">", "in", "not in"), r.text(d))
	case 4:
		return fmt.Sprintf("(%s %s %s)", r.any(d), r.pick("in", "not in"), r.list(d))
	case 5:
		return fmt.Sprintf("(%s is %s)", r.any(d), r.pick("defined", "string", "number", "integer", "float", "none", "boolean", "not undefined"))
	case 6:
		return fmt.Sprintf("(%s is %s)", r.number(d), r.pick("odd", "even"))
	case 7:
		return fmt.Sprintf("(%s is %s %s)", r.text(d), r.pick("startingwith", "endingwith"), r.pick(`"a"`, `"1"`, "name"))
	}
	return fmt.Sprintf("(%s in [%s, %s])", r.any(d), r.any(d), r.any(d))
}

func (r expressionSource) any(depth int) string {
	switch r.IntN(4) {
	case 0:
		return r.number(depth)
	case 1:
		return r.boolean(depth)
	case 2:
		return r.list(depth)
	}
	return r.text(depth)
}

// TestDifferential compares random expressions with the official engine. Where
// that gives a text, this package gives the same, or refuses an undefined value
// that it should have refused. minijinja-js is of a version that writes
// constants in lower case.
func TestDifferential(t *testing.T) {
	folder := os.Getenv(differentialVariable)
	if folder == "" {
		t.Skipf("%s does not name a folder with minijinja-js in it", differentialVariable)
	}
	script, err := os.ReadFile("testdata/differential.cjs")
	if err != nil {
		t.Fatal(err)
	}
	source := expressionSource{rand.New(rand.NewPCG(1, 2))} //nolint:gosec // reproducible input for a test
	var expressions []string
	for len(expressions) < 20_000 {
		expressions = append(expressions, source.any(4))
	}
	type input struct {
		Context     map[string]any `json:"context"`
		Expressions []string       `json:"expressions"`
	}
	in, err := json.Marshal(input{
		map[string]any{"n": 7, "m": -12, "version": "1.2.3", "name": "Foo", "win": false, "items": []string{"x", "y", "z"}}, expressions,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", string(script))
	cmd.Dir = folder
	cmd.Stdin = bytes.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var results []struct{ Text, Error string }
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatal(err)
	}
	vars := variables{
		"n": Int(7), "m": Int(-12), "version": String("1.2.3"), "name": String("Foo"), "win": Bool(false),
		"items": List([]Value{String("x"), String("y"), String("z")}),
	}
	same, stricter, laxer := 0, 0, 0
	for i, expression := range expressions {
		text, err := New(Config{Budget: 1e6}).Render("${{ "+expression+" }}", vars)
		official := results[i]
		switch {
		case err != nil && official.Error != "", err == nil && official.Error == "" && strings.EqualFold(text, official.Text):
			same++
		case err == nil && official.Error == "":
			t.Errorf("%s: %q, official %q", expression, text, official.Text)
		case err == nil:
			// minijinja-js is of an older version, which panics at some
			// comparisons and reads less after "is defined".
			laxer++
		case strings.HasPrefix(err.Error(), "undefined") || err.Error() == "division by zero":
			stricter++
		default:
			t.Errorf("%s: %v, official %q", expression, err, official.Text)
		}
	}
	t.Logf("%d same, %d refused here only, %d refused there only", same, stricter, laxer)
	if same < len(expressions)*9/10 {
		t.Errorf("%d of %d expressions agree, wanted nine of ten", same, len(expressions))
	}
}
