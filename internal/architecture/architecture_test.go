// Package architecture holds the rules of DESIGN.md's table of packages: what
// each package must not know. They are checked by reading imports.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	top   = "../.."
	self  = "github.com/recipe-verify/recipe-verify/"
	local = "local:" // marks a package of this module in rules
)

var (
	network  = []string{"net", "net/http", local + "fetch"}
	sigstore = []string{"github.com/sigstore/", "github.com/theupdateframework/", local + "verify", local + "trust"}
)

// rules says for each package which imports it must not have, itself or through
// packages of this module. A rule that ends in "/" stands for all below it.
var rules = map[string][]string{
	"digest":      slices.Concat(network, sigstore, []string{local + "recipe"}),
	"recipe":      slices.Concat(network, sigstore, []string{local + "attestation", local + "audit"}),
	"edit":        slices.Concat(network, sigstore, []string{local + "attestation", local + "audit", local + "report", local + "policy"}),
	"origin":      slices.Concat(network, sigstore, []string{local + "recipe", local + "attestation", local + "audit"}),
	"publishers":  slices.Concat(network, sigstore, []string{local + "recipe"}),
	"policy":      slices.Concat(network, sigstore, []string{local + "recipe", local + "attestation", local + "audit"}),
	"attestation": slices.Concat(network, sigstore, []string{local + "recipe", local + "audit"}),
	"pypi":        slices.Concat(sigstore, []string{local + "ghrelease", local + "audit", local + "recipe"}),
	"ghrelease":   slices.Concat(sigstore, []string{local + "pypi", local + "audit", local + "recipe"}),
	"fetch":       slices.Concat(sigstore, []string{local + "recipe", local + "attestation", local + "audit"}),
	"trust":       {local + "recipe", local + "attestation", local + "audit", local + "fetch", "github.com/sigstore/sigstore-go/pkg/verify"},
	"verify":      {"net", "net/http", local + "fetch", local + "recipe", local + "audit"},
	"signer":      {local + "fetch", local + "recipe", local + "audit", local + "report"},
	"prepare":     {local + "report", local + "internal/cli"},
	"bump":        {local + "pypi", local + "ghrelease", local + "report", local + "gate", local + "internal/cli"},
	"lock":        {local + "fetch", local + "audit", local + "report"},
	"audit":       {local + "pypi", local + "ghrelease", local + "report", local + "gate", local + "internal/cli"},
	"suggest":     {local + "pypi", local + "ghrelease", local + "report", local + "gate", local + "internal/cli"},
	"report":      {local + "pypi", local + "ghrelease", local + "gate", local + "internal/cli"},
	"report/html": {local + "pypi", local + "ghrelease", local + "gate", local + "internal/cli"},
}

// only says which packages may import something at all.
var only = map[string][]string{
	"github.com/sigstore/sigstore-go/pkg/verify": {"verify", "internal/sigstoretest", "bench/repository"}, // the yardstick of performance
	"github.com/sigstore/sigstore-go/pkg/tuf":    {"trust"},
	self + "internal/tuftest":                    {"internal/tuftest"},
	self + "internal/sigstoretest":               {"internal/demo", "internal/sigstoretest", "bench"},
}

func TestPackagesDoNotKnowWhatTheyMustNot(t *testing.T) {
	imports := readImports(t)
	for pkg, forbidden := range rules {
		if _, ok := imports[pkg]; !ok {
			t.Errorf("there is no package %s", pkg)
		}
		for via, list := range reach(imports, pkg) {
			for _, imported := range list {
				for _, rule := range forbidden {
					rule = strings.Replace(rule, local, self, 1)
					if imported == rule || strings.HasSuffix(rule, "/") && strings.HasPrefix(imported, rule) {
						t.Errorf("%s must not know %s, and imports it in %s", pkg, imported, via)
					}
				}
			}
		}
	}
}

func TestOnlyWhoMayImports(t *testing.T) {
	for pkg, list := range readImports(t) {
		for _, imported := range list {
			allowed, restricted := only[imported]
			ok := slices.ContainsFunc(allowed, func(a string) bool { return pkg == a || strings.HasPrefix(pkg, a+"/") })
			if restricted && !ok {
				t.Errorf("%s imports %s, which is for %v", pkg, imported, allowed)
			}
		}
	}
}

func TestCommandKnowsTheCommandLineAlone(t *testing.T) {
	for _, imported := range readImports(t)["cmd/recipe-verify"] {
		if strings.HasPrefix(imported, self) && imported != self+"internal/cli" || strings.Contains(imported, ".") && !strings.HasPrefix(imported, self) {
			t.Errorf("cmd/recipe-verify imports %s", imported)
		}
	}
}

// reach gives the imports of a package and of all packages of this module that
// it imports, by package.
func reach(imports map[string][]string, pkg string) map[string][]string {
	found := map[string][]string{}
	todo := []string{pkg}
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		if _, seen := found[p]; seen {
			continue
		}
		found[p] = imports[p]
		for _, i := range imports[p] {
			// A verifier is given trust domains, and never has any loaded.
			if inside, ok := strings.CutPrefix(i, self); ok && (pkg != "verify" || inside != "trust") {
				todo = append(todo, inside)
			}
		}
	}
	return found
}

// readImports reads the imports of every package of this module, without tests.
func readImports(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != top && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := strings.TrimPrefix(path.Dir(filepath.ToSlash(name)), top+"/")
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			imports[pkg] = append(imports[pkg], imported)
		}
		if imports[pkg] == nil {
			imports[pkg] = []string{}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}
