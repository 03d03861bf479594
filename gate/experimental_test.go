package gate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/gate"
)

func TestEnabled(t *testing.T) {
	for _, tc := range []struct {
		value string
		want  bool
		err   string
	}{
		{value: "true", want: true},
		{value: "True", want: true},
		{value: "TRUE ", want: true}, // as "set NAME=TRUE && build" makes it on Windows
		{value: "t", want: true},
		{value: "1", want: true},
		{value: "yes", want: true},
		{value: "Y", want: true},
		{value: "on", want: true},
		{value: ""},
		{value: " "},
		{value: "false"},
		{value: "F"},
		{value: "0"},
		{value: "No"},
		{value: "n"},
		{value: "off"},
		{value: "truee", err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "truee", wanted true or false`},
		{value: "2", err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "2", wanted true or false`},
		{value: "01", err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "01", wanted true or false`},
		{value: "enabled", err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "enabled", wanted true or false`},
		{value: `"true"`, err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "\"true\"", wanted true or false`},
		{value: "\x1b[2Jfalse", err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "\x1b[2Jfalse", wanted true or false`},
		{value: "tr\u00fce", err: `the environment variable RATTLER_BUILD_EXPERIMENTAL: found "trüe", wanted true or false`},
	} {
		asked := []string{}
		got, err := gate.Enabled(func(name string) string {
			asked = append(asked, name)
			return tc.value
		})
		message := ""
		if err != nil {
			message = err.Error()
			var env *gate.EnvError
			if !errors.As(err, &env) || env.Hint() == "" {
				t.Errorf("%q: %v is no *gate.EnvError with a hint", tc.value, err)
			}
		}
		if got != tc.want || message != tc.err {
			t.Errorf("%q: got %t, %q; wanted %t, %q", tc.value, got, message, tc.want, tc.err)
		}
		if diff := cmp.Diff([]string{gate.EnvExperimental}, asked); diff != "" {
			t.Errorf("%q: other variables were read (-want +got):\n%s", tc.value, diff)
		}
	}
}

func TestSkipReadsNothing(t *testing.T) {
	paths := []string{"no/such/recipe.yaml", "", "\x00"}
	var seen []string
	summary, err := gate.Skip(paths, func(r audit.Result) error {
		seen = append(seen, r.Recipe)
		if r.Verdict != audit.Skipped || r.Code != audit.CodeGateClosed || r.Evidence.Verified() {
			t.Errorf("%q: %s, %s", r.Recipe, r.Verdict, r.Code)
		}
		if r.Place.Recipe != len(seen)-1 || !strings.Contains(r.Message, gate.EnvExperimental) {
			t.Errorf("%q: %+v %q", r.Recipe, r.Place, r.Message)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(paths, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := audit.Summary{Recipes: 3, Sources: 3, Verdicts: map[audit.Verdict]int{audit.Skipped: 3}}
	if diff := cmp.Diff(want, summary); diff != "" {
		t.Errorf("the summary (-want +got):\n%s", diff)
	}
}

func TestSkipEndsWithTheCallersError(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	_, err := gate.Skip([]string{"a", "b"}, func(audit.Result) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls, wanted %v after one", err, calls, stop)
	}
}
