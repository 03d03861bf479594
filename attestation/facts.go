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
		{"of", "buildDefinition.externalParameters.workflow.repository"},
		{"at", "buildDefinition.externalParameters.workflow.ref"},
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
// or published a file; none for others, and for predicates that cannot be read
// or are longer than any real one. PyPI's publish attestations say nothing
// beyond their type. Nothing that decides anything is read from here.
func (c Claims) Facts() []Fact {
	if len(c.Predicate) > maxFacts {
		return nil
	}
	var facts []Fact
	for _, place := range factPlaces[c.PredicateType] {
		if v := textAt(c.Predicate, strings.Split(place.Value, ".")); v != "" {
			facts = append(facts, Fact{place.Name, v})
		}
	}
	return facts
}

// textAt is the text or number at a place, or "".
func textAt(data json.RawMessage, place []string) string {
	for _, name := range place {
		var next json.RawMessage
		visit := func(dec *json.Decoder) error {
			if next != nil {
				return skip(dec)
			}
			return dec.Decode(&next)
		}
		var err error
		if name == "0" {
			err = eachElement(json.NewDecoder(bytes.NewReader(data)), visit)
		} else {
			err = eachKey(data, func(key string, dec *json.Decoder) error {
				if key != name {
					return skip(dec)
				}
				return visit(dec)
			})
		}
		if err != nil || next == nil {
			return ""
		}
		data = next
	}
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
