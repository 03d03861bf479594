package sigstoretest

import "encoding/json"

// attestation is PEP 740's attestation object.
type attestation struct {
	Version              int              `json:"version"`
	VerificationMaterial pep740Material   `json:"verification_material"`
	Envelope             pep740Enveloping `json:"envelope"`
}

type pep740Material struct {
	Certificate []byte      `json:"certificate"`
	Entries     []*LogEntry `json:"transparency_entries"`
}

type pep740Enveloping struct {
	Statement []byte `json:"statement"`
	Signature []byte `json:"signature"`
}

func (b *Bundle) attestation() attestation {
	a := attestation{
		Version:              1,
		VerificationMaterial: pep740Material{Certificate: b.Leaf(), Entries: b.VerificationMaterial.Entries},
		Envelope:             pep740Enveloping{Signature: b.Signature()},
	}
	if a.VerificationMaterial.Entries == nil {
		a.VerificationMaterial.Entries = []*LogEntry{}
	}
	if b.DSSEEnvelope != nil {
		a.Envelope.Statement = b.DSSEEnvelope.Payload
	}
	return a
}

// PEP740 writes the bundle as PEP 740's attestation object, which has no place
// for time stamps, payload types and signatures after the first.
func (b *Bundle) PEP740() []byte { return must(json.Marshal(b.attestation())) }

// Provenance is the document that PyPI's Integrity API gives for a file: one
// attestation bundle for each signer, in the order of their first bundle, with
// that signer's publisher object beside it.
func Provenance(bundles ...*Bundle) []byte {
	var groups [][]*Bundle
	place := map[string]int{}
	for _, b := range bundles {
		publisher := string(must(json.Marshal(b.identity.publisher)))
		i, ok := place[publisher]
		if !ok {
			i = len(groups)
			place[publisher] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], b)
	}
	return ProvenanceOf(groups...)
}

// ProvenanceOf is [Provenance] with the grouping given. The publisher object of
// a group is that of its first bundle, and null for an empty one.
func ProvenanceOf(groups ...[]*Bundle) []byte {
	type group struct {
		Publisher    map[string]any `json:"publisher"`
		Attestations []attestation  `json:"attestations"`
	}
	out := struct {
		Version int     `json:"version"`
		Bundles []group `json:"attestation_bundles"`
	}{1, []group{}}
	for _, bundles := range groups {
		g := group{Attestations: []attestation{}}
		for i, b := range bundles {
			if i == 0 {
				g.Publisher = b.identity.publisher
			}
			g.Attestations = append(g.Attestations, b.attestation())
		}
		out.Bundles = append(out.Bundles, g)
	}
	return must(json.Marshal(out))
}
