// Package config reads recipe-verify.yaml, the file in which an organisation
// keeps what every run of the command shall use.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/verify"
)

// FileName is the name that the file is found by.
const FileName = "recipe-verify.yaml"

// maxFile is the most bytes that the file may have.
const maxFile = 1 << 20

// A File is what a configuration file says. Absent keys leave zero values.
type File struct {
	Path                string
	TrustedRoots        []string // paths, relative ones made relative to the file's folder
	Mirrors             []fetch.Mirror
	Offline             bool
	CacheDir            string
	Timeout             time.Duration
	MaxArchive          int64
	Match               verify.Match
	RequireAttestations bool
}

// An Error is a fault of the file, with its place.
type Error struct {
	Path         string
	Line, Column int // 0 for the whole file
	Problem      string
	Mend         string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Problem
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Problem)
}

// Hint says what to write instead, or "".
func (e *Error) Hint() string { return e.Mend }

// Find looks for the file in a folder and in those above it. It gives "" if
// there is none.
func Find(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for up := dir; ; up = filepath.Join(up, "..") {
		path := filepath.Join(up, FileName)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", err
		}
		parent := filepath.Dir(abs)
		if parent == abs {
			return "", nil
		}
		abs = parent
	}
}

// Read reads a configuration file. Unknown and repeated keys are errors, since
// a rule that is misspelled would otherwise not be enforced. Errors about the
// content are *[Error].
func Read(path string) (*File, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return f, nil
	case err != nil:
		return nil, &Error{Path: path, Problem: "it is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Error{Path: path, Problem: "it holds more than one YAML document", Mend: "put all keys into one, without a line ---"}
	}
	r := reader{path: path, dir: filepath.Dir(path)}
	return f, r.file(doc.Content[0], f)
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, &Error{Path: path, Problem: fmt.Sprintf("it has more than the limit of %d bytes", maxFile)}
	}
	return data, nil
}

type reader struct{ path, dir string }

func (r reader) fail(n *yaml.Node, hint, format string, a ...any) error {
	return &Error{Path: r.path, Line: n.Line, Column: n.Column, Problem: fmt.Sprintf(format, a...), Mend: hint}
}

func (r reader) file(n *yaml.Node, f *File) error {
	return r.mapping(n, "the file", map[string]func(*yaml.Node) error{
		"trust": func(n *yaml.Node) error {
			return r.mapping(n, "trust", map[string]func(*yaml.Node) error{
				"roots": func(n *yaml.Node) error { return r.roots(n, f) },
			})
		},
		"mirrors": func(n *yaml.Node) error { return r.mirrors(n, f) },
		"offline": func(n *yaml.Node) error { return r.boolean(n, &f.Offline) },
		"cache_dir": func(n *yaml.Node) error {
			return r.scalar(n, func(s string) error { f.CacheDir = r.local(s); return nil })
		},
		"timeout": func(n *yaml.Node) error {
			return r.scalar(n, func(s string) (err error) { f.Timeout, err = ParseTimeout(s); return })
		},
		"max_archive_size": func(n *yaml.Node) error {
			return r.scalar(n, func(s string) (err error) { f.MaxArchive, err = ParseSize(s); return })
		},
		"match": func(n *yaml.Node) error {
			return r.scalar(n, func(s string) (err error) { f.Match, err = ParseMatch(s); return })
		},
		"require_attestations": func(n *yaml.Node) error { return r.boolean(n, &f.RequireAttestations) },
	})
}

// mapping reads each key of a mapping by its reader.
func (r reader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return r.fail(n, "", "%s is no mapping", what)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		read, ok := keys[key.Value]
		if !ok || key.Kind != yaml.ScalarNode {
			return r.fail(key, "known keys: "+sortedKeys(keys), "unknown key %q", key.Value)
		}
		if seen[key.Value] {
			return r.fail(key, "remove one of them", "the key %q stands twice", key.Value)
		}
		seen[key.Value] = true
		if err := read(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) list(n *yaml.Node, each func(*yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return r.fail(n, "", "wanted a list")
	}
	for _, item := range n.Content {
		if err := each(item); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) scalar(n *yaml.Node, set func(string) error) error {
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		return r.fail(n, "", "wanted a value")
	}
	if err := set(n.Value); err != nil {
		return r.fail(n, "", "%v", err)
	}
	return nil
}

func (r reader) boolean(n *yaml.Node, to *bool) error {
	return r.scalar(n, func(s string) error {
		switch s {
		case "true":
			*to = true
		case "false":
			*to = false
		default:
			return fmt.Errorf("found %q, wanted true or false", s)
		}
		return nil
	})
}

func (r reader) local(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

func (r reader) roots(n *yaml.Node, f *File) error {
	return r.list(n, func(n *yaml.Node) error {
		return r.scalar(n, func(s string) error {
			f.TrustedRoots = append(f.TrustedRoots, r.local(s))
			return nil
		})
	})
}

func (r reader) mirrors(n *yaml.Node, f *File) error {
	return r.list(n, func(n *yaml.Node) error {
		var from, to string
		keep := func(dst *string) func(*yaml.Node) error {
			return func(n *yaml.Node) error {
				return r.scalar(n, func(s string) error { *dst = s; return nil })
			}
		}
		if err := r.mapping(n, "a mirror", map[string]func(*yaml.Node) error{"from": keep(&from), "to": keep(&to)}); err != nil {
			return err
		}
		if from == "" || to == "" {
			return r.fail(n, "write {from: https://…, to: https://… or a folder}", "a mirror lacks from or to")
		}
		if !strings.HasPrefix(to, "http://") && !strings.HasPrefix(to, "https://") {
			to = r.local(to)
		}
		m, err := fetch.NewMirror(from, to)
		if err != nil {
			return r.fail(n, "", "%v", err)
		}
		f.Mirrors = append(f.Mirrors, m)
		return nil
	})
}

// ParseTimeout reads a duration such as 30s or 2m.
func ParseTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("found the duration %q, wanted for example 30s or 2m", s)
	}
	return d, nil
}

// ParseSize reads a number of bytes such as 16GiB or 500 MB.
func ParseSize(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > 1<<62 {
		return 0, fmt.Errorf("found the size %q, wanted for example 16GiB or 500MB", s)
	}
	return int64(n), nil
}

// ParseMatch reads "any" or "all".
func ParseMatch(s string) (verify.Match, error) {
	switch s {
	case "any":
		return verify.Any, nil
	case "all":
		return verify.All, nil
	}
	return 0, fmt.Errorf("found %q, wanted any or all", s)
}

func sortedKeys(m map[string]func(*yaml.Node) error) string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}
