package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

// Names of variant files.
const (
	variantsFile         = "variants.yaml"
	condaBuildConfigFile = "conda_build_config.yaml"
)

// MaxCombinations is the most combinations of variants that a recipe is
// evaluated for, over all platforms.
const MaxCombinations = 10_000

// A variantKey is a key of a variant file with its values.
type variantKey struct {
	name   string // with "_" for "-" and "."
	values []jinja.Value
	pos    Position
	group  *zipGroup // nil for a key that varies alone
}

// A zipGroup holds keys that vary together.
type zipGroup struct {
	keys []string
	pos  Position
	err  *Error // where the keys have different numbers of values
}

// variants are the keys that a recipe may use on a platform.
type variants struct {
	keys map[string]*variantKey
	zips []*zipGroup
}

// variantFiles are the variant files of a recipe, read once.
type variantFiles struct {
	texts []variantText
}

type variantText struct {
	path string
	data []byte
}

// readVariantFiles reads the file beside the recipe, if there is one, and those
// that options name.
func readVariantFiles(recipePath string, o Options) (*variantFiles, *Error) {
	files := &variantFiles{}
	for _, name := range []string{variantsFile, condaBuildConfigFile} {
		path := filepath.Join(filepath.Dir(recipePath), name)
		data, err := readFile(filepath.Join(o.folder(recipePath), name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fileError(path, err)
		}
		files.texts = append(files.texts, variantText{path, data})
		break
	}
	for _, path := range o.VariantFiles {
		data, err := readFile(path)
		if err != nil {
			return nil, fileError(path, err)
		}
		files.texts = append(files.texts, variantText{path, data})
	}
	return files, nil
}

func fileError(path string, err error) *Error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return &Error{Pos: Position{File: path}, Message: "cannot read the file: " + err.Error()}
}

// readFile reads a regular file up to the limit, and one byte more if there is
// more.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path) //nolint:gosec // a path that the user gave, or beside it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, MaxSize+1)
}

// variantsFor reads the files for one platform; selectors, conditionals and
// templates in them depend on it.
func (ev *evaluation) variantsFor(files *variantFiles, o Options, vars *scope) (*variants, *Error) {
	v := &variants{keys: map[string]*variantKey{}}
	for _, t := range files.texts {
		if err := ev.readVariants(v, t, vars); err != nil {
			return nil, err
		}
	}
	delete(v.keys, "target_platform")
	delete(v.keys, "build_platform")
	for name, values := range o.Variants {
		k := &variantKey{name: normalizeKey(name)}
		for _, s := range values {
			k.values = append(k.values, jinja.String(s))
		}
		v.keys[k.name] = k
	}
	v.bind()
	return v, nil
}

func normalizeKey(name string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(name)
}

// readVariants adds the keys of a file, overriding those of files before it.
func (ev *evaluation) readVariants(v *variants, t variantText, vars *scope) *Error {
	data := t.data
	buildConfig := filepath.Base(t.path) == condaBuildConfigFile
	if buildConfig {
		if len(data) > MaxSize {
			return &Error{Pos: Position{File: t.path}, Message: fmt.Sprintf("file has more than %d bytes", MaxSize)}
		}
		text, ok := decode(data)
		if !ok {
			return &Error{Pos: Position{File: t.path}, Message: "file is not valid UTF-8"}
		}
		data = []byte(applySelectors(text, ev.engine, vars))
	}
	doc, err := parseDocument(t.path, data)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(doc.root.Content); i += 2 {
		key, node := doc.root.Content[i], doc.root.Content[i+1]
		if key.Value == "zip_keys" {
			if v.zips, err = doc.zipKeys(node); err != nil {
				return err
			}
			continue
		}
		if node.Kind == yaml.MappingNode && lookup(node, "if") == nil {
			continue // such as pin_run_as_build
		}
		k := &variantKey{name: normalizeKey(key.Value), pos: doc.pos(key)}
		list := []*yaml.Node{node}
		if node.Kind == yaml.SequenceNode {
			list = node.Content
		} else if isNull(node) {
			continue // all its items went with their selectors
		}
		if k.values, err = ev.variantValues(doc, list, vars, !buildConfig, 0); err != nil {
			return err
		}
		if len(k.values) == 0 {
			continue // a list whose items all depend on other platforms
		}
		v.keys[k.name] = k
	}
	return nil
}

// variantValues evaluates the items of a key. In conda_build_config.yaml
// numbers are strings, and there are neither conditionals nor templates.
func (ev *evaluation) variantValues(doc *document, list []*yaml.Node, vars *scope, typed bool, depth int) ([]jinja.Value, *Error) {
	var values []jinja.Value
	for _, n := range list {
		switch {
		case n.Kind == yaml.MappingNode && typed:
			branch, err := ev.branch(doc, n, vars)
			if err != nil {
				return nil, err
			}
			more, err := ev.variantValues(doc, branch, vars, typed, depth+1)
			if err != nil {
				return nil, err
			}
			values = append(values, more...)
		case n.Kind != yaml.ScalarNode:
			return nil, doc.fault(n, "variant values must be scalars")
		case typed:
			v, err := ev.typedScalar(doc, n, vars)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		default:
			values = append(values, buildConfigValue(n))
		}
	}
	if len(values) > MaxCombinations {
		return nil, doc.fault(list[0], fmt.Sprintf("key has more than %d values", MaxCombinations))
	}
	return values, nil
}

func buildConfigValue(n *yaml.Node) jinja.Value {
	if v := literal(n.Value); isPlain(n) && (n.Value == "true" || n.Value == "false") {
		return v
	}
	return jinja.String(n.Value)
}

// zipKeys reads a list of lists of keys, or one list of keys.
func (d *document) zipKeys(n *yaml.Node) ([]*zipGroup, *Error) {
	if isNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, d.fault(n, "zip_keys must be a list of lists of keys")
	}
	groups := n.Content
	if len(groups) > 0 && groups[0].Kind == yaml.ScalarNode {
		groups = []*yaml.Node{n}
	}
	var zips []*zipGroup
	for _, g := range groups {
		if g.Kind != yaml.SequenceNode {
			return nil, d.fault(g, "zip_keys must be a list of lists of keys")
		}
		group := &zipGroup{pos: d.pos(g)}
		for _, k := range g.Content {
			if k.Kind != yaml.ScalarNode {
				return nil, d.fault(k, "zip_keys must be a list of lists of keys")
			}
			group.keys = append(group.keys, normalizeKey(k.Value))
		}
		zips = append(zips, group)
	}
	return zips, nil
}

// bind joins keys with the groups that hold them. Keys that no file gives
// values for are left out of a group.
func (v *variants) bind() {
	for _, k := range v.keys {
		k.group = nil
	}
	for _, g := range v.zips {
		g.keys = slices.DeleteFunc(g.keys, func(name string) bool {
			k := v.keys[name]
			return k == nil || k.group != nil
		})
		for _, name := range g.keys {
			k := v.keys[name]
			k.group = g
			if first := v.keys[g.keys[0]]; len(k.values) != len(first.values) {
				g.err = &Error{
					Pos: g.pos, Message: fmt.Sprintf(
						"zip_keys bind %q with %d values and %q with %d", first.name, len(first.values), name, len(k.values)),
					Hint: "keys that are bound together need equally many values",
				}
			}
		}
	}
}

// A combination is a choice of values: an index for each key that varies, by
// the name of the key or of its group's first.
type combination map[string]int

// choice gives the name under which a key's index is stored.
func (k *variantKey) choice() string {
	if k.group != nil {
		return k.group.keys[0]
	}
	return k.name
}

// A selection gives values for one combination, and notes which keys are read.
type selection struct {
	variants *variants
	chosen   combination
	read     map[string]bool
}

// lookup gives the value of a key.
func (s *selection) lookup(name string) (jinja.Value, bool, error) {
	k := s.variants.keys[name]
	if k == nil {
		return jinja.Value{}, false, nil
	}
	if k.group != nil && k.group.err != nil {
		return jinja.Value{}, false, k.group.err
	}
	s.read[name] = true
	return k.values[s.chosen[k.choice()]], true, nil
}

// open gives the first choice, by name, that was read and has not been made.
func (s *selection) open() (choice string, values int) {
	names := make([]string, 0, len(s.read))
	for name := range s.read {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		k := s.variants.keys[name]
		if _, made := s.chosen[k.choice()]; !made && len(k.values) > 1 {
			return k.choice(), len(k.values)
		}
	}
	return "", 0
}

// used gives the text of the values that were read.
func (s *selection) used() map[string]string {
	used := make(map[string]string, len(s.read))
	for name := range s.read {
		k := s.variants.keys[name]
		used[name] = jinja.Text(k.values[s.chosen[k.choice()]])
	}
	return used
}
