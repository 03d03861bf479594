package jinja

import (
	"fmt"
	"strings"

	minijinja "github.com/mitsuhiko/minijinja/minijinja-go/v2"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"
)

// arguments are those of one call.
type arguments struct {
	name       string
	positional []Value
	keywords   map[string]Value
}

// get takes the argument at a position or of a name.
func (a *arguments) get(position int, name string) (Value, bool) {
	if position < len(a.positional) {
		return a.positional[position], true
	}
	v, ok := a.keywords[name]
	return v, ok
}

// check fails if there are too few arguments, or other ones than those named.
func (a *arguments) check(least int, names ...string) error {
	if len(a.positional) > len(names) {
		return invalid("%q takes at most %d arguments, found %d", a.name, len(names), len(a.positional))
	}
	for k := range a.keywords {
		found := false
		for i, n := range names {
			found = found || n == k && i >= len(a.positional)
		}
		if !found {
			return invalid("%q takes no argument %q", a.name, clip(k))
		}
	}
	for i := range least {
		if _, ok := a.get(i, names[i]); !ok {
			return invalid("%q lacks its argument %q", a.name, names[i])
		}
	}
	return nil
}

// text takes a string argument.
func (a *arguments) text(position int, name string) (string, error) {
	v, _ := a.get(position, name)
	s, ok := v.AsString()
	if !ok {
		return "", invalid("%q wants a string for %q, found %s", a.name, name, v.Kind())
	}
	return s, nil
}

type function func(e *Engine, a *arguments) (Value, error)

// add makes a function known to the engine, and to recipes if it is public.
// Its error ends the evaluation, whatever the engine makes of it.
func (e *Engine) add(name string, f function) {
	public := strings.Replace(strings.TrimPrefix(name, reserved), "env_", "env.", 1)
	e.engine.AddFunction(name, func(s *minijinja.State, args []Value, kwargs map[string]Value) (Value, error) {
		if used, _, ok := s.FuelLevels(); ok {
			e.fuelUsed = used
		}
		v, err := f(e, &arguments{public, args, kwargs})
		return v, e.keep(err)
	})
	if !strings.HasPrefix(name, reserved) {
		e.names.functions[name] = true
	}
}

func (e *Engine) keep(err error) error {
	if err != nil && e.fault == nil {
		e.fault = err
	}
	return err
}

// addOutput adds what translated templates give their results to.
func (e *Engine) addOutput() {
	e.add(fnResult, func(e *Engine, a *arguments) (Value, error) {
		e.result = a.positional[0]
		if e.result.IsUndefined() {
			if !e.result.IsSilentUndefined() {
				return value.Undefined(), e.undefined()
			}
			e.result = value.FromString("")
		}
		if e.result.IsCallable() {
			return value.Undefined(), invalid("function is not called")
		}
		_, err := e.checked(e.result)
		return value.FromString(""), err
	})
	e.add(fnPrint, func(e *Engine, a *arguments) (Value, error) {
		if err := e.defined(a.positional...); err != nil {
			return value.Undefined(), err
		}
		if a.positional[0].IsCallable() {
			return value.Undefined(), invalid("function is not called")
		}
		return e.newText(Text(a.positional[0]))
	})
	e.add(fnEnd, func(e *Engine, _ *arguments) (Value, error) {
		e.finished = true
		return value.FromString(""), nil
	})
}

// addOperators adds what operators and literals are translated to.
func (e *Engine) addOperators() {
	e.add(fnFold, func(e *Engine, a *arguments) (Value, error) {
		v := a.positional[0]
		for i := 1; i+1 < len(a.positional); i += 2 {
			var err error
			if v, err = e.binary(Text(a.positional[i]), v, a.positional[i+1]); err != nil {
				return value.Undefined(), err
			}
		}
		return v, nil
	})
	e.add(fnCompare, func(e *Engine, a *arguments) (Value, error) {
		for i := 0; i+2 < len(a.positional); i += 2 {
			ok, err := e.compare(Text(a.positional[i+1]), a.positional[i], a.positional[i+2])
			if err != nil || !ok {
				return value.FromBool(false), err
			}
		}
		return value.FromBool(true), nil
	})
	e.add(fnNegate, func(e *Engine, a *arguments) (Value, error) { return e.negate(a.positional[0]) })
	e.add(fnItem, func(e *Engine, a *arguments) (Value, error) { return e.item(a.positional[0], a.positional[1]) })
	e.add(fnAttribute, func(e *Engine, a *arguments) (Value, error) {
		if a.positional[0].Kind() == value.KindString && a.positional[1].Kind() == value.KindString {
			e.undefinedName = "[" + clip(Text(a.positional[1])) + "]"
			return value.Undefined(), e.defined(a.positional[0])
		}
		return e.item(a.positional[0], a.positional[1])
	})
	e.add(fnSlice, func(e *Engine, a *arguments) (Value, error) { return e.slice(a.positional[0], a.positional[1:]) })
	e.add(fnChecked, func(e *Engine, a *arguments) (Value, error) { return e.checked(a.positional[0]) })
	e.add(fnItems, func(e *Engine, a *arguments) (Value, error) {
		items, err := e.list(a.positional[0])
		if err != nil {
			return value.Undefined(), err
		}
		// The engine takes no fuel for going round a loop.
		if e.rounds += len(items); e.rounds > Fuel {
			return value.Undefined(), tooMuch("loops of a template go round more than %d times", Fuel)
		}
		return e.newList(items)
	})
	e.add(fnFail, func(_ *Engine, a *arguments) (Value, error) {
		format, name := Text(a.positional[0]), Text(a.positional[1])
		return value.Undefined(), invalid(format, name)
	})
	e.add(fnGit, func(_ *Engine, a *arguments) (Value, error) {
		return value.Undefined(), notStatic(fmt.Sprintf("git.%s runs git", Text(a.positional[0])))
	})
	e.add(fnEnvGet, envGet)
	e.add(fnEnvExists, envExists)
}

func notStatic(why string) error {
	return &Error{
		Kind: NotStatic, Message: "value is not statically evaluable: " + why, Offset: -1,
		Hint: "write the value into the recipe; no process is started to evaluate it",
	}
}

func (e *Engine) environment(a *arguments) (v Variable, name string, err error) {
	if name, err = a.text(0, "name"); err != nil || e.config.Env == nil {
		return Variable{}, name, err
	}
	return e.config.Env(name), name, nil
}

func envGet(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "name", "default"); err != nil {
		return value.Undefined(), err
	}
	v, name, err := e.environment(a)
	switch fallback, has := a.get(1, "default"); {
	case err != nil:
		return value.Undefined(), err
	case v.Set:
		return e.newText(v.Text)
	case has:
		return fallback, nil
	}
	hint := fmt.Sprintf("write env.get(%q, default=…), or set the variable", clip(name))
	if v.Hint != "" {
		hint = v.Hint
	}
	return value.Undefined(), &Error{
		Kind: Undefined, Message: fmt.Sprintf("environment variable %q is not set", clip(name)), Offset: -1, Hint: hint,
	}
}

func envExists(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "name"); err != nil {
		return value.Undefined(), err
	}
	v, _, err := e.environment(a)
	return value.FromBool(v.Set), err
}

func (e *Engine) addFunctions() {
	e.add("match", matchFunction)
	e.add("compiler", func(e *Engine, a *arguments) (Value, error) { return e.toolchain(a, "compiler") })
	e.add("stdlib", func(e *Engine, a *arguments) (Value, error) { return e.toolchain(a, "stdlib") })
	e.add("cdt", cdtFunction)
	for _, name := range []string{"pin_subpackage", "pin_compatible"} {
		e.add(name, func(_ *Engine, a *arguments) (Value, error) {
			return value.Undefined(), &Error{
				Kind: NotStatic, Message: fmt.Sprintf("value is not statically evaluable: %s is known when packages are resolved", a.name), Offset: -1,
				Hint: a.name + " belongs into requirements; write the version of a source in context",
			}
		})
	}
	for name, prefixes := range platformFamilies() {
		e.add(name, func(e *Engine, a *arguments) (Value, error) { return e.isPlatform(a, prefixes) })
	}
	e.add("load_from_file", func(e *Engine, a *arguments) (Value, error) {
		if err := a.check(1, "path"); err != nil {
			return value.Undefined(), err
		}
		path, err := a.text(0, "path")
		if err != nil {
			return value.Undefined(), err
		}
		if e.config.File == nil {
			return value.Undefined(), notStatic("files are not read here")
		}
		v, err := e.config.File(path)
		if err != nil {
			return value.Undefined(), err
		}
		return e.checked(v)
	})
}

func platformFamilies() map[string][]string {
	return map[string][]string{
		"is_linux":   {"linux"},
		"is_osx":     {"osx"},
		"is_windows": {"win"},
		"is_unix":    {"linux", "osx", "ios", "iossimulator", "android", "emscripten", "freebsd"},
		"is_ios":     {"ios", "iossimulator"},
		"is_android": {"android"},
	}
}

// isPlatform tells whether a conda subdir, the target's unless one is given,
// belongs to a family.
func (e *Engine) isPlatform(a *arguments, families []string) (Value, error) {
	if err := a.check(0, "platform"); err != nil {
		return value.Undefined(), err
	}
	platform := ""
	if _, ok := a.get(0, "platform"); ok {
		var err error
		if platform, err = a.text(0, "platform"); err != nil {
			return value.Undefined(), err
		}
	} else {
		var err error
		if platform, err = e.variableText("target_platform"); err != nil {
			return value.Undefined(), err
		}
	}
	family, _, _ := strings.Cut(platform, "-")
	for _, f := range families {
		if f == family {
			return value.FromBool(true), nil
		}
	}
	return value.FromBool(false), nil
}

// variableText gives the text of a variable, "" if there is none.
func (e *Engine) variableText(name string) (string, error) {
	v, ok, err := e.variables.Lookup(name)
	if err != nil || !ok {
		return "", err
	}
	return Text(v), nil
}

// toolchain gives the name of a compiler's or a C library's package, as in
// "gcc_linux-64 =14", from the variant.
func (e *Engine) toolchain(a *arguments, kind string) (Value, error) {
	if err := a.check(1, "language"); err != nil {
		return value.Undefined(), err
	}
	language, err := a.text(0, "language")
	if err != nil {
		return value.Undefined(), err
	}
	parts := [3]string{}
	for i, name := range []string{"target_platform", language + "_" + kind, language + "_" + kind + "_version"} {
		if parts[i], err = e.variableText(name); err != nil {
			return value.Undefined(), err
		}
	}
	platform, name, version := parts[0], parts[1], parts[2]
	if name == "" {
		name = defaultToolchain(kind, language, platform)
	}
	text := name + "_" + platform
	if version != "" {
		text += " =" + version
	}
	return e.newText(text)
}

func defaultToolchain(kind, language, platform string) string {
	family, _, _ := strings.Cut(platform, "-")
	names := map[string]string{
		"linux compiler c": "gcc", "linux compiler cxx": "gxx", "linux compiler fortran": "gfortran",
		"osx compiler c": "clang", "osx compiler cxx": "clangxx", "osx compiler fortran": "gfortran",
		"win compiler c": "vs2017", "win compiler cxx": "vs2017", "win compiler fortran": "gfortran",
		"linux stdlib c": "sysroot", "osx stdlib c": "macosx_deployment_target", "win stdlib c": "vs",
	}
	if name, ok := names[family+" "+kind+" "+language]; ok {
		return name
	}
	return language
}

// cdtFunction gives the name of a core dependency tree package.
func cdtFunction(e *Engine, a *arguments) (Value, error) {
	if err := a.check(1, "name"); err != nil {
		return value.Undefined(), err
	}
	name, err := a.text(0, "name")
	if err != nil {
		return value.Undefined(), err
	}
	parts := map[string]string{}
	for _, key := range []string{"cdt_name", "cdt_arch", "target_platform"} {
		if parts[key], err = e.variableText(key); err != nil {
			return value.Undefined(), err
		}
	}
	arch := parts["cdt_arch"]
	if arch == "" {
		_, arch, _ = strings.Cut(parts["target_platform"], "-")
		switch arch {
		case "64":
			arch = "x86_64"
		case "32":
			arch = "i686"
		}
	}
	distribution := parts["cdt_name"]
	if distribution == "" {
		distribution = "cos6"
	}
	package_, constraint, _ := strings.Cut(name, " ")
	return e.newText(strings.TrimSpace(package_ + "-" + distribution + "-" + arch + " " + constraint))
}
