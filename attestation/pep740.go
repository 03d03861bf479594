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
func (p *parser) provenance(list, version json.RawMessage) error {
	p.document.Format = ProvenanceFormat
	if string(version) != "1" {
		return p.fail("its PEP 740 version is %+q, wanted 1", clip(string(version)))
	}
	bundles, err := p.elements(list)
	if err != nil {
		return err
	}
	for i, b := range bundles {
		p.index = i
		m, err := p.members(b, "the attestation bundle")
		if err != nil {
			return err
		}
		if m["attestations"] == nil {
			return p.fail("it has no list of attestations")
		}
		attestations, err := p.elements(m["attestations"])
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
	p.document.Format = f
	if err := boundValues(data); err != nil { // which refuses a key that stands twice, too
		return p.fail("%v", err)
	}
	a, err := p.members(data, "the PEP 740 attestation")
	if err != nil {
		return err
	}
	if string(a["version"]) != "1" {
		return p.fail("its PEP 740 version is %+q, wanted 1", clip(string(a["version"])))
	}
	material, err := p.members(a["verification_material"], "its verification_material")
	if err != nil {
		return err
	}
	envelope, err := p.members(a["envelope"], "its envelope")
	if err != nil {
		return err
	}
	var certificate, statement, signature string
	var entries []json.RawMessage
	for _, part := range []struct {
		name  string
		value json.RawMessage
		to    any
	}{
		{"certificate", material["certificate"], &certificate},
		{"transparency_entries", material["transparency_entries"], &entries},
		{"statement", envelope["statement"], &statement},
		{"signature", envelope["signature"], &signature},
	} {
		if part.value == nil || string(part.value) == "null" || json.Unmarshal(part.value, part.to) != nil {
			return p.fail("it is no PEP 740 attestation: it has no %s", part.name)
		}
	}
	type object = map[string]any
	bundle, err := json.Marshal(object{
		"mediaType": bundleV03,
		"verificationMaterial": object{
			"certificate": object{"rawBytes": certificate},
			"tlogEntries": entries,
		},
		"dsseEnvelope": object{
			"payload":     statement,
			"payloadType": InTotoPayload,
			"signatures":  []object{{"sig": signature}},
		},
	})
	if err != nil {
		return p.fail("it cannot be rewritten to a bundle")
	}
	return p.add(bundle, f)
}
