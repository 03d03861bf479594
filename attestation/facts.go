package attestation

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A Fact is one notable thing that a predicate says, under a name for people.
type Fact struct{ Name, Value string }

// Limits of what is shown of a predicate.
const (
	maxFacts     = 1 << 20 // bytes of a predicate that is looked into; real ones have less than 100 KiB
	maxFactValue = 1024    // bytes of one value
)

// factPlaces says where in a predicate the notable facts stand, by predicate
// type. Members are parted by dots; a number is a place in a list.
var factPlaces = map[string][]Fact{
	"https://slsa.dev/provenance/v1": {
		{"builder", "runDetails.builder.id"},
		{"build type", "buildDefinition.buildType"},
		{"built from", "buildDefinition.resolvedDependencies.0.uri"},
		{"commit", "buildDefinition.resolvedDependencies.0.digest.gitCommit"},
		{"workflow", "buildDefinition.externalParameters.workflow.path"},
		{"workflow of", "buildDefinition.externalParameters.workflow.repository"},
		{"workflow at", "buildDefinition.externalParameters.workflow.ref"},
		{"run", "runDetails.metadata.invocationId"},
		{"started", "runDetails.metadata.startedOn"},
		{"finished", "runDetails.metadata.finishedOn"},
	},
	"https://slsa.dev/provenance/v0.2": {
		{"builder", "builder.id"},
		{"build type", "buildType"},
		{"built from", "invocation.configSource.uri"},
		{"commit", "invocation.configSource.digest.sha1"},
		{"workflow", "invocation.configSource.entryPoint"},
		{"run", "metadata.buildInvocationId"},
		{"started", "metadata.buildStartedOn"},
		{"finished", "metadata.buildFinishedOn"},
	},
	"https://schemas.conda.org/attestations-publish-1.schema.json": {
		{"channel", "targetChannel"},
	},
	"https://in-toto.io/attestation/release/v0.1": releasePlaces,
	"https://in-toto.io/attestation/release/v0.2": releasePlaces,
}

var releasePlaces = []Fact{
	{"repository", "repository"},
	{"tag", "tag"},
	{"purl", "purl"},
	{"repository id", "repositoryId"},
	{"owner id", "ownerId"},
	{"release id", "databaseId"},
}

// Facts gives what is notable in the predicate, of the types that say who built
// or published a file; none for others, and for predicates that are longer than
// any real one. PyPI's publish attestations say nothing beyond their type. What
// stands twice, or is no text or number, is left out. Nothing that decides
// anything is read from here.
func (c Claims) Facts() []Fact {
	if len(c.Predicate) > maxFacts {
		return nil
	}
	places := factPlaces[c.PredicateType]
	values := make([]string, len(places))
	var wanted []wantedFact
	for i, p := range places {
		wanted = append(wanted, wantedFact{strings.Split(p.Value, "."), &values[i]})
	}
	pickFacts(c.Predicate, wanted)
	var facts []Fact
	for i, p := range places {
		if values[i] != "" {
			facts = append(facts, Fact{p.Name, values[i]})
		}
	}
	return facts
}

// wantedFact is a value that is looked for, and where from here on.
type wantedFact struct {
	place []string
	to    *string
}

// pickFacts reads wanted values, passing over the rest once.
func pickFacts(data json.RawMessage, wanted []wantedFact) {
	if len(wanted) == 0 || len(data) == 0 {
		return
	}
	descend := func(name string, dec *json.Decoder) error {
		var below []wantedFact
		for _, w := range wanted {
			if len(w.place) > 0 && w.place[0] == name {
				below = append(below, wantedFact{w.place[1:], w.to})
			}
		}
		if len(below) == 0 {
			return skip(dec)
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return err
		}
		pickFacts(v, below)
		return nil
	}
	var err error
	switch data[0] {
	case '{':
		err = eachKey(data, descend)
	case '[':
		first := "0"
		err = eachElement(json.NewDecoder(bytes.NewReader(data)), func(dec *json.Decoder) error {
			name := first
			first = ""
			return descend(name, dec)
		})
	default:
		for _, w := range wanted {
			if len(w.place) == 0 {
				*w.to = plainText(data)
			}
		}
	}
	if err != nil { // it could be read in two ways, or is no JSON
		for _, w := range wanted {
			*w.to = ""
		}
	}
}

// plainText is a text or number, or "" for anything else.
func plainText(data json.RawMessage) string {
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(data, &text) == nil && len(text) <= maxFactValue:
		return text
	case json.Unmarshal(data, &number) == nil && len(number) <= maxFactValue:
		return number.String()
	}
	return ""
}
