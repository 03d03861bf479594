package lock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/signer"
)

const (
	keyVersion        = "version"
	keyPlatforms      = "platforms"
	keySources        = "sources"
	keyRepository     = "repository"
	keyIdentity       = "identity"
	keyRepositoryID   = "repository_id"
	keyOwnerID        = "owner_id"
	keyIssuer         = "issuer"
	keyWorkflow       = "workflow"
	keyReusable       = "reusable_workflow"
	keyRelease        = "immutable_release"
	keyPredicateTypes = "predicate_types"
)

// Beside reads the lock file of a recipe; nil if there is none. Errors are
// *[Error].
func Beside(recipePath string) (*File, error) {
	f, err := Read(Path(recipePath))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// Read reads a lock file. Errors are *[Error], or wrap fs.ErrNotExist.
func Read(path string) (*File, error) {
	data, err := ReadBytes(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// ReadBytes reads the text of a lock file, which may be up to [MaxSize] long. What
// is no regular file, such as a symbolic link, is refused: the folder is a
// stranger's. Errors are *[Error], or wrap fs.ErrNotExist.
func ReadBytes(path string) ([]byte, error) {
	fail := func(problem string) error {
		return &Error{recipe.Position{File: path}, problem, "remove it, and run: recipe-verify lock " + filepath.Dir(path)}
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, &Error{Pos: recipe.Position{File: path}, Problem: cause(err)}
	case !info.Mode().IsRegular():
		return nil, fail("the lock file is no regular file")
	}
	f, err := os.Open(path) //nolint:gosec // beside the recipe
	if err != nil {
		return nil, &Error{Pos: recipe.Position{File: path}, Problem: cause(err)}
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, fail("the lock file was replaced while it was read")
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, &Error{Pos: recipe.Position{File: path}, Problem: cause(err)}
	}
	if len(data) > MaxSize {
		return nil, fail(fmt.Sprintf("it has more than the limit of %d bytes", MaxSize))
	}
	return data, nil
}

// cause is an error without the path that stands before it already.
func cause(err error) string {
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // only if there is nothing around it
		return p.Op + ": " + p.Err.Error()
	}
	return err.Error()
}

// Parse reads the text of a lock file; path is for messages. A nil error means
// that everything in it was understood: what is unknown, there twice or empty is
// an error, and never passed over. Errors are *[Error].
func Parse(path string, data []byte) (*File, error) {
	r := reader{path}
	if len(data) > MaxSize {
		return nil, r.at(0, fmt.Sprintf("it has more than the limit of %d bytes", MaxSize), "")
	}
	if !utf8.Valid(data) {
		return nil, r.at(0, "it is not UTF-8", again)
	}
	if line := conflict(data); line > 0 {
		return nil, r.at(line, "git has left a conflict here", "look at what both sides say, and then: recipe-verify lock "+filepath.Dir(path))
	}
	root, err := r.document(data)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	version, seen := 0, false
	// The version comes first: a later one may know other keys.
	err = r.mapping(root, "the lock file", func(key, value *yaml.Node) error {
		if key.Value != keyVersion {
			return nil
		}
		version, seen = 0, true
		if number, err := strconv.Atoi(value.Value); err == nil && value.Kind == yaml.ScalarNode && value.ShortTag() == "!!int" && number > 0 {
			version = number
			return nil
		}
		return r.fail(value, "", "version is %s, wanted %d", kind(value), Version)
	})
	switch {
	case err != nil:
		return nil, err
	case !seen:
		return nil, r.fail(root, again, "the lock file has no version")
	case version != Version:
		return nil, r.fail(root, "use a newer recipe-verify", "the lock file is of version %d, and this program knows version %d", version, Version)
	}
	hasSources := false
	err = r.mapping(root, "the lock file", func(key, value *yaml.Node) error {
		switch key.Value {
		case keyVersion:
			return nil
		case keyPlatforms:
			return r.platforms(f, value)
		case keySources:
			hasSources = true
			return r.sources(f, value)
		}
		return r.fail(key, "", "unknown key %q, wanted version, platforms or sources", key.Value)
	})
	if err != nil {
		return nil, err
	}
	if !hasSources {
		return nil, r.fail(root, again, "the lock file has no sources")
	}
	slices.SortFunc(f.Entries, func(a, b Entry) int { return strings.Compare(a.Source, b.Source) })
	return f, nil
}

const again = "write it again, with: recipe-verify lock"

// conflict gives the line of a mark that a merge has left, or 0.
func conflict(data []byte) int {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		text = bytes.TrimRight(text, "\r\n")
		for _, mark := range []string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"} {
			if rest, ok := bytes.CutPrefix(text, []byte(mark)); ok && (len(rest) == 0 || rest[0] == ' ') {
				return line
			}
		}
	}
	return 0
}

type reader struct{ path string }

func (r reader) at(line int, problem, hint string) error {
	p := recipe.Position{File: r.path, Line: line}
	if line > 0 {
		p.Column = 1
	}
	return &Error{p, problem, hint}
}

func (r reader) pos(n *yaml.Node) recipe.Position {
	return recipe.Position{File: r.path, Line: n.Line, Column: n.Column}
}

func (r reader) fail(n *yaml.Node, hint, format string, a ...any) error {
	return &Error{r.pos(n), fmt.Sprintf(format, a...), hint}
}

// document gives the only document of a file.
func (r reader) document(data []byte) (*yaml.Node, error) {
	if tooDeep(data) {
		return nil, r.at(0, "it is nested deeper than a lock file is", again)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, r.at(0, "the lock file is empty", again)
	case err != nil:
		problem := strings.TrimPrefix(err.Error(), "yaml: ")
		line := 0
		if rest, ok := strings.CutPrefix(problem, "line "); ok {
			number, text, _ := strings.Cut(rest, ": ")
			if n, err := strconv.Atoi(number); err == nil {
				line, problem = n, text
			}
		}
		return nil, r.at(line, "it is not YAML: "+problem, again)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, r.at(0, "it holds more than one YAML document", again)
	}
	return doc.Content[0], nil
}

// tooDeep refuses what would cost the YAML parser too much, before it runs. It
// doesn't know text from structure, so it allows many times more than there is.
func tooDeep(data []byte) bool {
	const most = 500
	flow, marks := 0, 0
	for _, c := range data {
		switch c {
		case '[', '{':
			flow++
		case ']', '}':
			flow = max(0, flow-1)
		case '-', '?', ':':
			marks++
		case ' ', '\t', '\r':
		default:
			marks = 0
		}
		if flow > most || marks > most {
			return true
		}
	}
	return false
}

// simple refuses what makes a document say something else than it seems to.
func (r reader) simple(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		return r.fail(n, again, "anchors and aliases are not allowed in a lock file")
	case n.Style&yaml.TaggedStyle != 0:
		return r.fail(n, again, "the tag %q is not allowed in a lock file", n.Tag)
	}
	return nil
}

// mapping reads each key of a mapping, which is there once.
func (r reader) mapping(n *yaml.Node, what string, each func(key, value *yaml.Node) error) error {
	if err := r.simple(n); err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode {
		return r.fail(n, again, "%s is %s, wanted a mapping", what, kind(n))
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if err := errors.Join(r.simple(key), r.simple(value)); err != nil {
			return first(err)
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			return r.fail(key, again, "a key of %s is %s, wanted a text", what, kind(key))
		}
		if line, twice := seen[key.Value]; twice {
			return r.fail(key, again, "%q is there already, at line %d", key.Value, line)
		}
		seen[key.Value] = key.Line
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

// first gives the first of joined errors.
func first(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

// list reads the elements of a list, of which there is at least one.
func (r reader) list(n *yaml.Node, what string, most int, each func(*yaml.Node) error) error {
	switch {
	case n.Kind != yaml.SequenceNode:
		return r.fail(n, again, "%s is %s, wanted a list", what, kind(n))
	case len(n.Content) == 0:
		return r.fail(n, again, "%s is an empty list, which would demand nothing", what)
	case len(n.Content) > most:
		return r.fail(n, again, "%s has more than the limit of %d elements", what, most)
	}
	for _, c := range n.Content {
		if err := r.simple(c); err != nil {
			return err
		}
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

// text reads a text. Numbers are taken as they are written.
func (r reader) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" && n.ShortTag() != "!!int" {
		return "", r.fail(n, again, "%s is %s, wanted a text", what, kind(n))
	}
	if len(n.Value) > MaxText {
		return "", r.fail(n, again, "%s has more than the limit of %d bytes", what, MaxText)
	}
	return n.Value, nil
}

func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	case len(n.Value) > 100:
		return fmt.Sprintf("%q…", strings.ToValidUTF8(n.Value[:100], ""))
	}
	return fmt.Sprintf("%q", n.Value)
}

func (r reader) platforms(f *File, n *yaml.Node) error {
	return r.list(n, keyPlatforms, 100, func(n *yaml.Node) error {
		p, err := r.text(n, "a platform")
		if err == nil && !recipe.IsPlatform(p) && p != recipe.AllPlatforms {
			err = r.fail(n, "", "unknown platform %q", p)
		}
		f.Platforms = append(f.Platforms, p)
		return err
	})
}

func (r reader) sources(f *File, n *yaml.Node) error {
	if len(n.Content) > 2*MaxEntries {
		return r.fail(n, "", "it has more than the limit of %d sources", MaxEntries)
	}
	return r.mapping(n, keySources, func(key, value *yaml.Node) error {
		if _, err := r.text(key, "a source's name"); err != nil {
			return err
		}
		e := Entry{Source: key.Value, Pos: r.pos(key)}
		err := r.list(value, fmt.Sprintf("the source %q", key.Value), MaxSigners, func(n *yaml.Node) error {
			signers, err := r.signer(n)
			e.Signers = append(e.Signers, signers...)
			return err
		})
		if len(e.Signers) > MaxSigners {
			err = errors.Join(err, r.fail(key, "", "the source %q has more than the limit of %d signers", key.Value, MaxSigners))
		}
		if sorted := signer.Sorted(e.Signers); err == nil && len(sorted) < len(e.Signers) {
			err = r.fail(key, again, "the source %q has the same signer twice", key.Value)
		}
		e.Signers = signer.Sorted(e.Signers)
		f.Entries = append(f.Entries, e)
		return err
	})
}

// signer reads a signer, which stands for one of each of its predicate types.
func (r reader) signer(n *yaml.Node) ([]signer.Signer, error) {
	var s signer.Signer
	var predicates []string
	texts := map[string]*string{
		keyRepositoryID: &s.RepositoryID, keyOwnerID: &s.OwnerID, keyIssuer: &s.Issuer,
		keyWorkflow: &s.Workflow, keyReusable: &s.Reusable,
	}
	err := r.mapping(n, "a signer", func(key, value *yaml.Node) (err error) {
		switch to := texts[key.Value]; {
		case to != nil:
			if *to, err = r.text(value, key.Value); err == nil && *to == "" {
				err = r.fail(value, "remove the line", "%s is empty", key.Value)
			}
			return err
		case key.Value == keyRepository, key.Value == keyIdentity:
			if s.Publisher != "" {
				return r.fail(key, "", "a signer has a repository or an identity, and not both")
			}
			s.Publisher, err = r.text(value, key.Value)
			s.Person = key.Value == keyIdentity
			return err
		case key.Value == keyRelease:
			if value.ShortTag() != "!!bool" || value.Value != "true" {
				return r.fail(value, "", "%s is %s, wanted true or no such line", key.Value, kind(value))
			}
			s.Release = true
			return nil
		case key.Value == keyPredicateTypes:
			return r.list(value, keyPredicateTypes, MaxSigners, func(n *yaml.Node) error {
				p, err := r.text(n, "a predicate type")
				predicates = append(predicates, p)
				return err
			})
		}
		return r.fail(key, "", "unknown key %q of a signer", key.Value)
	})
	if err != nil {
		return nil, err
	}
	if problem := faulty(s); problem != nil {
		return nil, r.fail(n, again, "the signer is incomplete: %s", problem.Error())
	}
	if len(predicates) == 0 {
		return nil, r.fail(n, again, "the signer is incomplete: it has no %s", keyPredicateTypes)
	}
	var list []signer.Signer
	for _, p := range predicates {
		s.PredicateType = p
		list = append(list, s)
	}
	return list, nil
}
