package policy

import (
	"slices"
	"time"

	"github.com/recipe-verify/recipe-verify/origin"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// FileName is the name that a policy is found by.
const FileName = "recipe-verify.yaml"

// Limits of a policy file.
const (
	// MaxSize is the most bytes that the file may have.
	MaxSize = 1 << 20
	// MaxDepth is the deepest nesting of its collections.
	MaxDepth = 16
	// MaxPattern is the longest pattern of a package or an address, in bytes.
	MaxPattern = 512
	// MaxPublishers is the most publishers of one entry.
	MaxPublishers = 64
)

// MaxException is how far ahead an exception may end: two years. One that ends
// later is no exception but a rule, and is refused.
const MaxException = 2 * 366 * 24 * time.Hour

// A Match says how many of a source's publishers must have signed.
type Match string

// The ways to match; "" leaves it open.
const (
	Any Match = "any"
	All Match = "all"
)

// A Policy is what a policy file says. Keys that are absent leave zero values;
// the zero value is no file and demands nothing. Values come from [Read],
// [Parse] and, for what flags override, from whoever copies one.
type Policy struct {
	Path string // "" for none

	// These are for a whole run.

	Trust      Trust
	Mirrors    []Mirror
	Offline    bool
	CacheDir   string
	Timeout    time.Duration // 0 for the default
	MaxArchive int64         // 0 for the default

	// These are for each source.

	Match Match
	// PredicateTypes are accepted where a recipe lists none; nil for the
	// verifier's own.
	PredicateTypes []string
	// NoImmutableReleases refuses GitHub's attestations of immutable releases.
	NoImmutableReleases bool
	Issuers             []Issuers
	Require             []Requirement
	Exceptions          []Exception
	Publishers          []Assignment
	Rules               []Rule
	Reusable            []Reusable
}

// Trust is the section about trusted roots.
type Trust struct {
	Position   Position // of the section; zero without one
	PublicGood *bool    // nil where nothing is said
	Roots      []Root
	TUF        []TUF
}

// A Root is a trusted root file.
type Root struct {
	Position Position
	Path     string // a relative one was made relative to the policy's folder
	// InsecureWithout names proofs that evidence of this root may lack, as
	// they were written.
	InsecureWithout []string
}

// TUF is a TUF repository of trusted roots.
type TUF struct {
	Position Position
	URL      string
	Root     string // path of the first root.json, like Root.Path
}

// A Mirror says where addresses that begin with From are fetched.
type Mirror struct {
	Position Position
	From     string
	To       string // a folder was made relative to the policy's
}

// Issuers are accepted issuers of one host.
type Issuers struct {
	Position Position
	publishers.HostIssuers
}

// A Requirement says that sources must carry evidence.
type Requirement struct {
	Position Position
	All      bool // every URL source; the selection is empty then
	Selection
}

// An Exception lifts requirements for a time.
type Exception struct {
	Position Position
	Selection
	Recipes []string // patterns of the recipe's path, relative to the policy's folder
	Reason  string
	Until   time.Time // midnight UTC of the last day on which it holds
}

// Ended tells whether an exception does not hold any more.
func (e Exception) Ended(now time.Time) bool {
	return !now.UTC().Before(e.Until.AddDate(0, 0, 1))
}

// tooLong tells whether an exception ends further ahead than is allowed.
func (e Exception) tooLong(now time.Time) bool {
	return e.Until.Sub(now) > MaxException
}

// An Assignment names publishers for sources whose recipes have no block.
type Assignment struct {
	Position Position
	Selection
	Publishers     []publishers.Publisher
	BundleURL      string // "" where the resolvers know; "{url}" is the source's first address
	PredicateTypes []string
	// Enforce binds recipes that have a block, too.
	Enforce bool
}

// A Rule is what is demanded of signers of the sources that it selects.
type Rule struct {
	Position Position
	Selection
	publishers.Rule
}

// A Reusable workflow may sign for others.
type Reusable struct {
	Position Position
	publishers.ReusableWorkflow
}

// Kinds are the kinds of address that a selection can name.
func Kinds() []origin.Kind {
	return []origin.Kind{
		origin.KindPyPI, origin.KindGitHubRelease, origin.KindGitHubArchive, origin.KindGitLabArchive,
		origin.KindCrates, origin.KindNPM, origin.KindOther,
	}
}

// RequiresAll tells whether evidence is required of every source, exceptions
// aside.
func (p *Policy) RequiresAll() bool {
	return p != nil && slices.ContainsFunc(p.Require, func(q Requirement) bool { return q.All })
}

// WithAllRequired gives a copy of the policy that requires evidence of every
// source. By says who wants it, in the place of a position.
func (p *Policy) WithAllRequired(by string) *Policy {
	var with Policy
	if p != nil {
		with = *p
	}
	with.Require = append(slices.Clone(with.Require), Requirement{Position: Position{File: by}, All: true})
	return &with
}
