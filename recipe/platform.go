package recipe

import (
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

// AllPlatforms, in [Options].TargetPlatforms, stands for the platforms that
// conda-forge builds for.
const AllPlatforms = "all"

// condaForgePlatforms are the subdirs that conda-forge builds for.
func condaForgePlatforms() []string {
	return []string{
		"linux-64", "linux-aarch64", "linux-ppc64le", "osx-64", "osx-arm64", "win-64", "win-arm64",
	}
}

// knownPlatforms are the subdirs of conda, "noarch" excepted.
func knownPlatforms() []string {
	return []string{
		"linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l", "linux-loongarch64",
		"linux-ppc64le", "linux-ppc64", "linux-ppc", "linux-s390x", "linux-riscv32", "linux-riscv64",
		"osx-64", "osx-arm64", "win-32", "win-64", "win-arm64",
		"emscripten-wasm32", "wasi-wasm32", "freebsd-64", "freebsd-arm64", "zos-z",
		"android-64", "android-aarch64", "ios-64", "ios-arm64", "iossimulator-64", "iossimulator-arm64",
	}
}

// MachinePlatform is the conda subdir of the machine that the program runs on.
func MachinePlatform() string {
	system := map[string]string{"darwin": "osx", "windows": "win"}[runtime.GOOS]
	if system == "" {
		system = runtime.GOOS
	}
	arch := runtime.GOARCH
	switch {
	case arch == "amd64":
		arch = "64"
	case arch == "386":
		arch = "32"
	case arch == "arm64" && system == "linux":
		arch = "aarch64"
	case arch == "loong64":
		arch = "loongarch64"
	}
	if p := system + "-" + arch; slices.Contains(knownPlatforms(), p) {
		return p
	}
	return "linux-64"
}

// IsPlatform tells whether a text names a conda subdir that recipes can be
// evaluated for.
func IsPlatform(name string) bool { return slices.Contains(knownPlatforms(), name) }

// architecture gives the name of a platform's architecture.
func architecture(platform string) string {
	_, arch, _ := strings.Cut(platform, "-")
	switch arch {
	case "64":
		return "x86_64"
	case "32":
		return "x86"
	case "armv7l":
		return "armv7l"
	}
	return arch
}

// A platformScope holds the variables that depend on the platforms alone.
type platformScope struct {
	target map[string]jinja.Value // shared by all recipes, never written to
	build  jinja.Value
}

// platformVariables gives those of two known platforms. The host platform is the
// target platform.
func platformVariables(target, build string) platformScope {
	return platformScope{platformTables()[target], jinja.String(build)}
}

func (p platformScope) lookup(name string) (jinja.Value, bool) {
	if name == "build_platform" {
		return p.build, true
	}
	v, ok := p.target[name]
	return v, ok
}

// platformTables are made once: a recipe looks at one or two of the seventy
// variables, and there are tens of thousands of recipes.
var platformTables = sync.OnceValue(func() map[string]map[string]jinja.Value {
	tables := map[string]map[string]jinja.Value{}
	for _, p := range knownPlatforms() {
		tables[p] = targetVariables(p)
	}
	return tables
})

func targetVariables(target string) map[string]jinja.Value {
	vars := map[string]jinja.Value{
		"target_platform": jinja.String(target),
		"host_platform":   jinja.String(target),
	}
	family, _, _ := strings.Cut(target, "-")
	for _, f := range []string{
		"linux", "osx", "win", "emscripten", "wasi", "freebsd", "zos", "ios", "iossimulator", "android",
	} {
		vars[f] = jinja.Bool(f == family)
	}
	vars["unix"] = jinja.Bool(slices.Contains([]string{"linux", "osx", "ios", "android", "emscripten", "freebsd"}, family))
	arch := architecture(target)
	for _, a := range []string{
		"x86", "x86_64", "aarch64", "arm64", "armv6l", "armv7l", "armv7a", "loongarch64", "ppc64le", "ppc64",
		"ppc", "s390x", "riscv32", "riscv64", "wasm32", "wasm64", "z",
	} {
		vars[a] = jinja.Bool(a == arch)
	}
	for _, p := range knownPlatforms() {
		vars[strings.ReplaceAll(p, "-", "")] = jinja.Bool(p == target)
	}
	switch family {
	case "win":
		vars["SHLIB_EXT"] = jinja.String(".dll")
	case "osx":
		vars["SHLIB_EXT"] = jinja.String(".dylib")
	default:
		vars["SHLIB_EXT"] = jinja.String(".so")
	}
	return vars
}

// platforms resolves the platforms that options name.
func (o Options) platforms() (targets []string, build string, err *Error) {
	machine := MachinePlatform()
	build = o.BuildPlatform
	if build == "" {
		build = machine
	}
	for _, p := range o.TargetPlatforms {
		switch {
		case p == AllPlatforms:
			targets = append(targets, condaForgePlatforms()...)
		case !slices.Contains(knownPlatforms(), p):
			return nil, "", unknownPlatform(p)
		default:
			targets = append(targets, p)
		}
	}
	if len(targets) == 0 {
		targets = []string{machine}
	}
	if !slices.Contains(knownPlatforms(), build) {
		return nil, "", unknownPlatform(build)
	}
	slices.Sort(targets)
	return slices.Compact(targets), build, nil
}

func unknownPlatform(p string) *Error {
	e := &Error{Message: "unknown platform " + quoteText(p)}
	e.Hint = "known platforms are " + strings.Join(knownPlatforms(), ", ")
	if near := nearest(p, knownPlatforms()); near != "" {
		e.Hint = "did you mean " + near + "?"
	}
	return e
}
