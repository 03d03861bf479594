package recipe

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// A Position is a place in a file. Line and Column count from 1, Column in
// characters; a zero Line means "somewhere in the file".
type Position struct {
	File         string
	Line, Column int
}

// String gives "file:line:column", or the file alone where the line is not
// known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// IsZero tells whether p names no place.
func (p Position) IsZero() bool { return p == Position{} }

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// A String is a rendered value and where it stands in the recipe.
type String struct {
	Value string
	Pos   Position
	// Text is the value as it is written, before it was rendered: with its
	// templates, and without YAML's quotes. It is "" where nothing of a recipe
	// stands behind the value.
	Text string
}

// Options say for what a recipe is evaluated. The zero value evaluates it for
// the machine's own platform, with the variant files that lie beside it.
type Options struct {
	// TargetPlatforms are conda subdirs, such as "linux-64". Empty means the
	// machine's own; [AllPlatforms] stands for all those that conda-forge
	// builds for.
	TargetPlatforms []string
	// BuildPlatform is the conda subdir that the build runs on. Empty means
	// the machine's own.
	BuildPlatform string
	// VariantFiles override the variant file beside the recipe and each other
	// key by key, in order, like rattler-build's -m.
	VariantFiles []string
	// Variants override the keys of all files.
	Variants map[string][]string
	// AllowEnv are the names of environment variables that a recipe may see
	// besides those that begin with CONDA_OVERRIDE_.
	AllowEnv []string
	// LookupEnv reads an environment variable; nil means that none is set. It
	// is asked only for names that a recipe may see.
	LookupEnv func(string) (string, bool)
	// Lenient turns faults of single sources into their Err, and other tools'
	// keys into warnings, where otherwise the whole recipe is refused.
	Lenient bool
	// Statements asks for what the recipe says about where its project is; see
	// [Statement].
	Statements bool
	// Folder is where the files beside the recipe are read, for a recipe that is
	// not where its path says; "" for the path's own folder. Positions name the
	// path's folder all the same.
	Folder string
}

// folder is where the files beside a recipe are read.
func (o Options) folder(recipePath string) string {
	if o.Folder != "" {
		return o.Folder
	}
	return filepath.Dir(recipePath)
}

// A Recipe is what a recipe says about sources, for all combinations of the
// platforms and variants that it was evaluated for.
type Recipe struct {
	// Path is as given to [Read] or [Parse].
	Path string
	// Outputs has one entry for each output of each combination; entries that
	// agree in name, version, platform and sources are merged.
	Outputs []Output
	// Warnings are what does not keep the recipe from being evaluated.
	Warnings []*Error
	// Statements are those of Options.Statements, each distinct one once, in the
	// order in which they were met.
	Statements []Statement
}

// An Output is a package that the recipe builds, or a staging output, on one
// platform.
type Output struct {
	Name, Version  string
	TargetPlatform string // conda subdir
	// Variant holds the variant keys that were read to evaluate the output,
	// in the first of the combinations that gave this entry.
	Variant map[string]string
	// Staging tells that the output is a staging output, and no package.
	Staging bool
	// Sources are the output's sources in order; those of the top level come
	// first. A source of which Err is set could not be evaluated.
	Sources []Source
}

// A Kind tells the kinds of source apart. The zero value is that of a source
// that could not be evaluated.
type Kind int

// The kinds of source.
const (
	URLSource Kind = iota + 1
	GitSource
	PathSource
)

// String gives the key that makes a source of the kind: "url", "git" or "path".
func (k Kind) String() string {
	switch k {
	case URLSource:
		return "url"
	case GitSource:
		return "git"
	case PathSource:
		return "path"
	}
	return "unknown"
}

// A Source is one entry of a source list, for one combination.
type Source struct {
	// Kind is zero if and only if Err is set.
	Kind Kind
	// Pos is where the entry's mapping begins.
	Pos Position
	// Err says why the source could not be evaluated, for instance because it
	// depends on git or on a variant that is not at hand. Nothing but Pos is
	// to be relied on then: such a source is neither absent nor unattested.
	Err *Error
	// URLs are the mirrors of a URL source in order, parsed and serialized by
	// the WHATWG rules.
	URLs []String
	// SHA256 is the pinned digest if HasSHA256. SHA256Pos is where it stands,
	// or the position of an empty one.
	SHA256    digest.SHA256
	SHA256Pos Position
	HasSHA256 bool
	// SHA256Text is the digest as it is written, before it was rendered.
	SHA256Text string
	MD5        digest.MD5
	HasMD5     bool
	// EmptyDigest tells that sha256 or md5 is written but empty or all zeros:
	// rattler-build takes that as a placeholder, which no archive matches.
	EmptyDigest bool
	// FileName is the name that the archive is stored under, unextracted.
	FileName string
	// TargetDirectory is where below the work folder the source is put.
	TargetDirectory string
	// Git is set for a git source, and for no other.
	Git *Git
	// Path is set for a path source, and for no other.
	Path String
	// Attestation is the attestation block; nil means that there is none.
	Attestation *Attestation
}

// Git is a git source: listed, never fetched.
type Git struct {
	URL String
	// At most one of Rev, Tag and Branch is set.
	Rev, Tag, Branch string
	ExpectedCommit   string
}

// Reference is the revision, tag or branch as git resolves it: "refs/tags/…"
// for a tag, "refs/heads/…" for a branch, and "" for the default branch.
func (g *Git) Reference() string {
	switch {
	case g.Tag != "":
		return "refs/tags/" + g.Tag
	case g.Branch != "":
		return "refs/heads/" + g.Branch
	}
	return g.Rev
}

// An Attestation is the attestation block of a URL source.
type Attestation struct {
	Pos Position
	// Publishers is never empty.
	Publishers []Publisher
	// BundleURLs are absolute http, https or file URLs, or empty where the
	// evidence is found by the source's own URL.
	BundleURLs []String
	// PredicateTypes narrow which attestations count; empty for no limit
	// beyond the verifier's own.
	PredicateTypes []String
}

// A Publisher is an entry of a publishers list.
type Publisher struct {
	publishers.Publisher
	// Text is the entry as rendered, on one line.
	Text string
	Pos  Position
}

// A SharedSource is a source and the outputs that name it.
type SharedSource struct {
	Source
	Outputs []*Output
}

// Sources gives each distinct source once, ordered by position, with the
// outputs that name it. Sources are the same when they stand at the same place
// and were rendered to the same values. Sources whose Err is set are included.
func (r *Recipe) Sources() []SharedSource {
	var list []SharedSource
	index := map[string]int{}
	for i := range r.Outputs {
		out := &r.Outputs[i]
		for _, s := range out.Sources {
			var key identity
			s.identify(&key)
			at, ok := index[string(key)]
			if !ok {
				at = len(list)
				index[string(key)] = at
				list = append(list, SharedSource{Source: s})
			}
			shared := &list[at]
			if n := len(shared.Outputs); n == 0 || shared.Outputs[n-1] != out {
				shared.Outputs = append(shared.Outputs, out)
			}
		}
	}
	sortByPosition(list)
	return list
}
