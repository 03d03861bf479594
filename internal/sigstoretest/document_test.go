package sigstoretest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	. "github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

func TestLeaves(t *testing.T) {
	got := Leaves([]byte(`{"b":[1,{"a/b":"x"}],"a~":null,"c":{},"d":true}`))
	want := []string{"/a~0", "/b/0", "/b/1/a~1b", "/d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("leaves (-want +got):\n%s", diff)
	}
}

func TestMutate(t *testing.T) {
	tests := []struct {
		name, document, pointer, want string
	}{
		{"text", `{"a":"tag"}`, "/a", `{"a":"tax"}`},
		{"text that ends in x", `{"a":"x"}`, "/a", `{"a":"y"}`},
		{"empty text", `{"a":""}`, "/a", `{"a":"x"}`},
		{"number", `{"a":41}`, "/a", `{"a":42}`},
		{"number as text", `{"a":"41"}`, "/a", `{"a":"42"}`},
		{"boolean", `{"a":true}`, "/a", `{"a":false}`},
		{"null", `{"a":null}`, "/a", `{"a":"x"}`},
		{"binary", `{"sig":"AAAA"}`, "/sig", `{"sig":"AAEA"}`},
		{"binary in a list", `{"hashes":["AAAA","AAAA"]}`, "/hashes/1", `{"hashes":["AAAA","AAEA"]}`},
		{"empty binary", `{"sig":""}`, "/sig", `{"sig":"x"}`},
		{"escaped name", `{"a/b":{"~":1}}`, "/a~1b/~0", `{"a/b":{"~":2}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(Mutate([]byte(tt.document), tt.pointer))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetAndRemove(t *testing.T) {
	document := []byte(`{"a":[1,2,3],"b":{"c":"d"}}`)
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"replace", Set(document, "/b/c", 7), `{"a":[1,2,3],"b":{"c":7}}`},
		{"add", Set(document, "/b/e", []byte{1}), `{"a":[1,2,3],"b":{"c":"d","e":"AQ=="}}`},
		{"remove a member", Remove(document, "/b"), `{"a":[1,2,3]}`},
		{"remove an item", Remove(document, "/a/1"), `{"a":[1,3],"b":{"c":"d"}}`},
		{"the whole", Set(document, "", nil), `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(tt.got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryLeafOfABundleCounts changes each place of a bundle. What sigstore-go
// doesn't notice is listed: the verifier of this project compares the numbers
// and the body of an entry itself.
func TestEveryLeafOfABundleCounts(t *testing.T) {
	const entry = "/verificationMaterial/tlogEntries/0/"
	kind := []string{entry + "kindVersion/kind", entry + "kindVersion/version"}
	v2 := append([]string{
		entry + "canonicalizedBody",
		entry + "inclusionProof/logIndex", entry + "inclusionProof/rootHash", entry + "inclusionProof/treeSize",
	}, kind...)

	s, private := New(Options{}), New(Options{Flavor: GitHubInstance})
	statement, id := Attest(fileName, archive), GitHub("harbour-lights/harbour-lights")
	tests := []struct {
		name    string
		from    *Sigstore
		bundle  *Bundle
		options []sigverify.VerifierOption
		passes  []string
	}{
		{"rekor v1", s, s.Sign(statement, id, RekorV1), publicGood, kind},
		{"rekor v1, chain", s, s.Sign(statement, id, RekorV1, Version(BundleV02)), publicGood, kind},
		{"rekor v1, message", s, s.Sign(Message(archive), id, RekorV1), publicGood, kind},
		{"rekor v2", s, s.Sign(statement, id, RekorV2), publicGood, v2},
		{"rekor v2, message", s, s.Sign(Message(archive), id, RekorV2), publicGood, v2},
		{"github instance", private, private.Sign(statement, id, NoLog), gitHub, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			document := tt.bundle.JSON()
			if _, err := check(tt.from.TrustedRoot(), document, archive, tt.options...); err != nil {
				t.Fatalf("unchanged: %v", err)
			}
			var passes []string
			for _, leaf := range Leaves(document) {
				if _, err := check(tt.from.TrustedRoot(), Mutate(document, leaf), archive, tt.options...); err == nil {
					passes = append(passes, leaf)
				}
			}
			if diff := cmp.Diff(tt.passes, passes); diff != "" {
				t.Errorf("leaves that don't count (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProvenanceShape(t *testing.T) {
	s := New(Options{})
	one, two := GitHub("harbour-lights/harbour-lights"), GitLab("group/project")
	a := s.Sign(Attest(fileName, archive), one, RekorV1)
	b := s.Sign(SLSA("harbour-lights/harbour-lights", File(fileName, archive)), one, RekorV1)
	c := s.Sign(Attest(fileName, archive), two, RekorV1)

	type document struct {
		Version int
		Bundles []struct {
			Publisher    map[string]any
			Attestations []json.RawMessage
		} `json:"attestation_bundles"`
	}
	var got document
	if err := json.Unmarshal(Provenance(a, c, b), &got); err != nil {
		t.Fatal(err)
	}
	want := document{Version: 1}
	want.Bundles = append(want.Bundles, struct {
		Publisher    map[string]any
		Attestations []json.RawMessage
	}{
		map[string]any{"kind": "GitHub", "repository": "harbour-lights/harbour-lights", "workflow": "release.yml", "environment": nil},
		[]json.RawMessage{a.PEP740(), b.PEP740()},
	}, struct {
		Publisher    map[string]any
		Attestations []json.RawMessage
	}{
		map[string]any{"kind": "GitLab", "repository": "group/project", "workflow_filepath": ".gitlab-ci.yml", "environment": nil},
		[]json.RawMessage{c.PEP740()},
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
