package lock

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/signer"
)

const header = `# Who signs the sources of the recipe beside this file. "recipe-verify lock" writes
# it, and "recipe-verify verify --locked" demands it. Look at what changes here.
`

// Bytes gives the text of the lock file: one value a line, in a fixed order, so
// that two locks that say the same are the same bytes. Parse reads it.
func (f *File) Bytes() []byte {
	var b strings.Builder
	b.WriteString(header)
	fmt.Fprintf(&b, "version: %d\n", Version)
	if len(f.Platforms) > 0 {
		b.WriteString("platforms:\n")
		for _, p := range f.Platforms {
			fmt.Fprintf(&b, "  - %s\n", scalar(p))
		}
	}
	if len(f.Entries) == 0 {
		b.WriteString("sources: {}\n")
		return []byte(b.String())
	}
	b.WriteString("sources:\n")
	for _, e := range f.Entries {
		fmt.Fprintf(&b, "  %s:\n", scalar(e.Source))
		for _, s := range grouped(e.Signers) {
			s.write(&b)
		}
	}
	return []byte(b.String())
}

// A statement is a signer with all predicate types that he signed.
type statement struct {
	signer.Signer
	predicateTypes []string
}

// grouped puts the predicate types of signers together who differ in nothing
// else.
func grouped(signers []signer.Signer) []statement {
	var list []statement
	for _, s := range signer.Sorted(signers) {
		predicate := s.PredicateType
		s.PredicateType = ""
		if n := len(list); n > 0 && list[n-1].Signer.Same(s) {
			list[n-1].predicateTypes = append(list[n-1].predicateTypes, predicate)
			continue
		}
		list = append(list, statement{s, []string{predicate}})
	}
	return list
}

func (s statement) write(b *strings.Builder) {
	indent := "    - "
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(b, "%s%s: %s\n", indent, key, value)
			indent = "      "
		}
	}
	text := func(key, value string) {
		if value != "" {
			line(key, scalar(value))
		}
	}
	who := keyRepository
	if s.Person {
		who = keyIdentity
	}
	text(who, s.Publisher)
	text(keyRepositoryID, s.RepositoryID)
	text(keyOwnerID, s.OwnerID)
	text(keyIssuer, s.Issuer)
	text(keyWorkflow, s.Workflow)
	text(keyReusable, s.Reusable)
	if s.Release {
		line(keyRelease, "true")
	}
	fmt.Fprintf(b, "%s%s:\n", indent, keyPredicateTypes)
	for _, p := range s.predicateTypes {
		fmt.Fprintf(b, "        - %s\n", scalar(p))
	}
}

// plain are texts that nothing in YAML could take for anything else, but for
// words such as true.
var plain = regexp.MustCompile(`^[A-Za-z./][A-Za-z0-9./_@+~()-]*(?:[ :#]?[A-Za-z0-9./_@+~()-]+)*$`)

// scalar writes a text as YAML.
func scalar(s string) string {
	if plain.MatchString(s) {
		var n yaml.Node
		if yaml.Unmarshal([]byte(s), &n) == nil && len(n.Content) == 1 && n.Content[0].Kind == yaml.ScalarNode &&
			n.Content[0].ShortTag() == "!!str" && n.Content[0].Value == s {
			return s
		}
	}
	return strconv.QuoteToASCII(s) // whose escapes are YAML's too (YAML 1.2.2, 5.7)
}
