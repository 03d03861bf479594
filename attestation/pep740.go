package attestation

import (
	"encoding/json"
)

// Media types of the rewritten bundles (sigstore_bundle.proto; DSSE protocol).
const (
	bundleV03     = "application/vnd.dev.sigstore.bundle.v0.3+json"
	InTotoPayload = "application/vnd.in-toto+json"
)

// provenance reads the bundles of a PEP 740 provenance object, each attestation
// of each. The publisher beside them is not signed and is left unread.
func (p *parser) provenance(list json.RawMessage, version json.Number) error {
	if version != "1" {
		return p.fail("its PEP 740 version is %q, wanted 1", version.String())
	}
	bundles, err := p.elements(list)
	if err != nil {
		return err
	}
	for i, b := range bundles {
		p.index = i
		var bundle struct {
			Attestations json.RawMessage `json:"attestations"`
		}
		if err := json.Unmarshal(b, &bundle); err != nil || bundle.Attestations == nil {
			return p.fail("it has no list of attestations")
		}
		attestations, err := p.elements(bundle.Attestations)
		if err != nil {
			return err
		}
		for _, a := range attestations {
			if err := p.pep740(a, ProvenanceFormat); err != nil {
				return err
			}
		}
	}
	p.index = -1
	return nil
}

// pep740 rewrites one PEP 740 attestation object to a bundle of version 0.3,
// which demands an inclusion proof: an object without one could otherwise be
// passed off as an older bundle, where a promise is enough.
func (p *parser) pep740(data json.RawMessage, f Format) error {
	var a struct {
		Version  json.Number `json:"version"`
		Material struct {
			Certificate string            `json:"certificate"`
			Entries     []json.RawMessage `json:"transparency_entries"`
		} `json:"verification_material"`
		Envelope struct {
			Statement string `json:"statement"`
			Signature string `json:"signature"`
		} `json:"envelope"`
	}
	if err := boundValues(data); err != nil {
		return p.fail("%v", err)
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return p.fail("it is no PEP 740 attestation")
	}
	if a.Version != "1" {
		return p.fail("its PEP 740 version is %q, wanted 1", a.Version.String())
	}
	type object = map[string]any
	bundle, err := json.Marshal(object{
		"mediaType": bundleV03,
		"verificationMaterial": object{
			"certificate": object{"rawBytes": a.Material.Certificate},
			"tlogEntries": a.Material.Entries,
		},
		"dsseEnvelope": object{
			"payload":     a.Envelope.Statement,
			"payloadType": InTotoPayload,
			"signatures":  []object{{"sig": a.Envelope.Signature}},
		},
	})
	if err != nil {
		return p.fail("it cannot be rewritten to a bundle")
	}
	return p.add(bundle, f)
}
