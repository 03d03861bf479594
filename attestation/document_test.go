package attestation_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/recipe-verify/recipe-verify/attestation"
)

func pack(text string) string { return string(snappy.Encode(nil, []byte(text))) }

// Each form is recognised as a snappy block, too.
func TestReadSnappy(t *testing.T) {
	b, a := bundleOf(statement(subject)), pep740(statement(subject))
	for _, c := range []struct {
		name, document string
		want           attestation.Format
	}{
		{"bundle", b, attestation.BundleFormat},
		{"lines", b + "\n" + b, attestation.LinesFormat},
		{"array", "[" + b + "]", attestation.ArrayFormat},
		{"attestation", a, attestation.PEP740Format},
		{"provenance", `{"version":1,"attestation_bundles":[{"attestations":[` + a + `]}]}`, attestation.ProvenanceFormat},
		{"GitHub", `{"attestations":[{"bundle":` + b + `}]}`, attestation.GitHubFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, err := attestation.Read("x", []byte(c.document))
			if err != nil || plain.Snappy || plain.Format != c.want {
				t.Fatalf("plain: format %q, snappy %v, error %v", plain.Format, plain.Snappy, err)
			}
			packed, err := attestation.Read("x", []byte(pack(c.document)))
			if err != nil || !packed.Snappy {
				t.Fatalf("packed: snappy %v, error %v", packed.Snappy, err)
			}
			packed.Snappy = false
			if diff := cmp.Diff(plain, packed); diff != "" {
				t.Errorf("(-plain +packed):\n%s", diff)
			}
		})
	}
}

// A block's claim is compared with the limit before memory for it is taken, and
// a block within a block is not opened.
func TestReadRefusesSnappyBombs(t *testing.T) {
	b := bundleOf(statement(subject))
	spaces := strings.Repeat(" ", attestation.MaxDocument-len(b)) + b
	corrupt := []byte(pack(b))
	corrupt[0] ^= 1 // one byte more or less than there is
	for _, c := range []struct{ name, document, problem string }{
		{"claims 4 GiB", "\xff\xff\xff\xff\x0f" + strings.Repeat("a", 100), "as a snappy block of 4294967295 bytes, more than the limit"},
		{"claims more than 4 GiB", "\xff\xff\xff\xff\xff\xff\x7f", "neither JSON nor a snappy block"},
		{"claims 1 byte more than the limit", "\x81\x80\x80\x08", "more than the limit of 16777216"},
		{"claims 16 MiB, and is short", "\x80\x80\x80\x08aaaa", "cannot become 16777216"},
		{"cut off", pack(b)[:len(pack(b))-9], "neither JSON nor a snappy block"},
		{"corrupt", string(corrupt), "neither JSON nor a snappy block"},
		{"within another", pack(pack(strings.Repeat(b, 3))), "not JSON"},
		{"framed", "\xff\x06\x00\x00sNaPpY" + pack(b), "neither JSON nor a snappy block"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := attestation.Read("", []byte(c.document))
			var format *attestation.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("error %v, wanted one with %q", err, c.problem)
			}
		})
	}
	if _, err := attestation.Read("", []byte(pack(spaces))); err != nil {
		t.Errorf("a block of exactly the limit: %v", err)
	}
}

func TestSize(t *testing.T) {
	text := strings.Repeat("a", 3000)
	for _, c := range []struct {
		name, document string
		want           int64
	}{
		{"JSON", "{}", 2},
		{"nothing", "", 0},
		{"block", pack(text), 3000},
		{"block that claims 4 GiB", "\xff\xff\xff\xff\x0f", 1<<32 - 1},
		{"block that claims less than it has", "\x80\x01" + text, 3002},
		{"neither", "\xff\xff\xff\xff\xff\xff\x7f", 7},
	} {
		if got := attestation.Size([]byte(c.document)); got != c.want {
			t.Errorf("%s: found %d, wanted %d", c.name, got, c.want)
		}
	}
}

func TestReadElsewhere(t *testing.T) {
	b := bundleOf(statement(subject))
	document := `{"attestations":[
		{"repository_id":7,"bundle_url":"https://blob.example/one?sig=x","bundle":null},
		{"repository_id":8,"bundle_url":"https://blob.example/two","bundle":` + b + `},
		{"bundle_url":"https://blob.example/three"}]}`
	d, err := attestation.Read("https://api.example", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	want := []attestation.Reference{
		{Item: 0, URL: "https://blob.example/one?sig=x", RepositoryID: "7"},
		{Item: 2, URL: "https://blob.example/three"},
	}
	if diff := cmp.Diff(want, d.Elsewhere); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(d.Candidates) != 1 || d.Candidates[0].Index != 0 {
		t.Errorf("found %d candidates", len(d.Candidates))
	}
	// Who needs every bundle must not verify one of two.
	_, err = attestation.Parse("", []byte(document))
	var format *attestation.FormatError
	if !errors.As(err, &format) || !strings.Contains(err.Error(), "only an address") || format.Hint() == "" {
		t.Errorf("error %v", err)
	}
	for name, item := range map[string]string{
		"neither":              `{"bundle":null}`,
		"empty address":        `{"bundle":null,"bundle_url":""}`,
		"address is no text":   `{"bundle":null,"bundle_url":{}}`,
		"bundle is text":       `{"bundle":"{}","bundle_url":"https://blob.example/x"}`,
		"bundle is false":      `{"bundle":false,"bundle_url":"https://blob.example/x"}`,
		"bundle stands twice":  `{"bundle":` + b + `,"Bundle":` + b + `}`,
		"item is no object":    `7`,
		"address stands twice": `{"bundle":null,"bundle_url":"https://a","bundle_url":"https://b"}`,
	} {
		if _, err := attestation.Read("", []byte(`{"attestations":[`+item+`]}`)); !errors.As(err, &format) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// What people give in place of evidence is named, with what to do.
func TestReadNamesWhatIsNoEvidence(t *testing.T) {
	signature := base64.StdEncoding.EncodeToString(append([]byte{0x30, 0x45}, make([]byte, 69)...))
	for _, c := range []struct{ name, document, problem, hint string }{
		{"HTML", "\n <!DOCTYPE HTML>\n<html>", "an HTML page", "address of the file itself"},
		{"HTML without a type", "<html lang=en>", "an HTML page", "address of the file itself"},
		{"XML", `<?xml version="1.0"?><Error><Code>AccessDenied`, "an XML document", "expired"},
		{"gzip", "\x1f\x8b\x08\x00\x00", "a gzip file", "--artifact"},
		{"wheel", "PK\x03\x04\x14", "a zip file", "--artifact"},
		{"zstd", "\x28\xb5\x2f\xfd\x24", "a zstd file", "--artifact"},
		{"xz", "\xfd7zXZ\x00\x00", "an xz file", "--artifact"},
		{"bzip2", "BZh91AY&SY", "a bzip2 file", "--artifact"},
		{"PGP, armoured", "-----BEGIN PGP SIGNATURE-----\n\niQIz", "an OpenPGP signature", "Sigstore evidence only"},
		{"PGP, binary", "\x89\x02\x33\x04\x00\x01\x08\x00\x1d", "a binary OpenPGP signature", "Sigstore evidence only"},
		{"PGP, new packet", "\xc2\x75\x04\x00\x16\x0a\x00\x1d\x16\x21", "a binary OpenPGP signature", "Sigstore evidence only"},
		{"SSH", "-----BEGIN SSH SIGNATURE-----", "an SSH signature", "Sigstore evidence only"},
		{"minisign", "untrusted comment: signature from minisign", "a minisign or signify", "Sigstore evidence only"},
		{"certificate", "-----BEGIN CERTIFICATE-----", "a certificate alone", "give the bundle"},
		{"public key", "-----BEGIN PUBLIC KEY-----", "a public key", "Sigstore evidence only"},
		{"checksums", sum + "  a.tar.gz\n", "a list of checksums", "Sigstore evidence only"},
		{"cosign's signature", signature + "\n", "a signature alone", "--bundle"},
		{"byte-order mark", "\xef\xbb\xbf{}", "a byte-order mark", "UTF-8"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "UTF-16", "PowerShell"},
		{"cosign's old bundle", `{"base64Signature":"MEU=","cert":"LS0t","rekorBundle":{}}`, "the form that cosign wrote before", "--new-bundle-format"},
		{"envelope alone", `{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}`, "a signed envelope (DSSE) alone", "Sigstore bundle"},
		{"statement alone", statement(subject), "a statement that nobody signed", "give the bundle"},
		{"trusted root", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`, "a trusted root", "--trusted-root"},
		{"TUF", `{"signed":{},"signatures":[]}`, "metadata of a TUF repository", ""},
		{"Simple API", `{"files":[],"meta":{}}`, "a Python package index", "provenance key"},
		{"GitHub has none", `{"message":"Not Found","documentation_url":"https://docs.github.com","status":"404"}`, `an error of GitHub's API: "Not Found"`, "no attestation of that digest"},
		{"GitHub's limit", `{"message":"API rate limit exceeded for 1.2.3.4","documentation_url":"x"}`, "rate limit exceeded", "60 requests an hour"},
		{"GitHub, hostile", `{"message":"\u001b[2J\u202e","status":"404"}`, `"\x1b[2J\u202e"`, ""},
		{"ends too early", `{"mediaType":"m","x":`, "ends too early", ""},
		{"other text", "hello", "not JSON at byte 0", ""},
		{"other binary", "\x80\x00\x00\x00", "neither JSON nor a snappy block", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "statement alone" {
				c.problem = "an in-toto statement that nobody signed"
			}
			_, err := attestation.Read("", []byte(c.document))
			var format *attestation.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), c.problem) || !strings.Contains(format.Hint(), c.hint) {
				t.Fatalf("error %v, hint %q; wanted %q, %q", err, format.Hint(), c.problem, c.hint)
			}
			if (c.hint == "") != (format.Hint() == "") {
				t.Errorf("hint %q", format.Hint())
			}
		})
	}
}

// A key that stands twice is refused wherever it decides what is read, in each
// spelling that encoding/json or protobuf's JSON takes for the same: signers'
// tools and ours could otherwise be shown different documents.
func TestKeysStandOnce(t *testing.T) {
	evil := base64.StdEncoding.EncodeToString([]byte(statement(`{"name":"evil","digest":{"sha256":"` + strings.Repeat("0", 64) + `"}}`)))
	b, a := bundleOf(statement(subject)), pep740(statement(subject))
	add := func(document, after, member string) string {
		if !strings.Contains(document, after) {
			t.Fatalf("%q is not in %q", after, document)
		}
		return strings.Replace(document, after, after+member+",", 1)
	}
	envelope := `{"payload":"` + evil + `","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}`
	for name, document := range map[string]string{
		"envelope":                  add(b, `{`, `"dsseEnvelope":`+envelope),
		"envelope in proto's name":  add(b, `{`, `"dsse_envelope":`+envelope),
		"envelope, escaped":         add(b, `{`, `"dsse\u0045nvelope":`+envelope),
		"envelope in other case":    add(b, `{`, `"DSSEenvelope":`+envelope),
		"payload":                   add(b, `"dsseEnvelope":{`, `"payload":"`+evil+`"`),
		"payload, Kelvin":           add(b, `"dsseEnvelope":{`, `"payload":"`+evil+`","\u212aey":1,"key":2`),
		"payload type":              add(b, `"dsseEnvelope":{`, `"payload_type":"x"`),
		"media type":                add(b, `{`, `"media_type":"x"`),
		"signature":                 add(b, `"signatures":[{`, `"sig":"BB=="`),
		"log entries of PEP 740":    add(a, `"verification_material":{`, `"transparency_entries":[]`),
		"log index of PEP 740":      add(a, `"transparency_entries":[{`, `"log_index":"8"`),
		"statement of PEP 740":      add(a, `"envelope":{`, `"statement":"`+evil+`"`),
		"statement, in other case":  add(a, `"envelope":{`, `"Statement":"`+evil+`"`),
		"envelope of PEP 740":       add(a, `{`, `"envelope":{"statement":"`+evil+`","signature":"AA=="}`),
		"version of PEP 740":        add(a, `{`, `"version":2`),
		"attestations":              `{"version":1,"attestation_bundles":[{"attestations":[` + a + `],"attestations":[]}]}`,
		"attestation bundles":       `{"version":1,"attestation_bundles":[{"attestations":[` + a + `]}],"attestation_bundles":[]}`,
		"attestation bundles, case": `{"version":1,"attestation_bundles":[{"attestations":[` + a + `]}],"attestationBundles":[]}`,
		"GitHub's list":             `{"attestations":[{"bundle":` + b + `}],"Attestations":[]}`,
		"bundle in an array":        `[` + add(b, `{`, `"dsseEnvelope":`+envelope) + `]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attestation.Parse("", []byte(document))
			var format *attestation.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), "stands twice") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// Whatever spelling of a bundle we read, the verifier's library reads the same
// out of it, or refuses it.
func FuzzUnverifiedReadsWhatTheVerifierReads(f *testing.F) {
	b := bundleOf(statement(subject))
	f.Add([]byte(b))
	f.Add([]byte(strings.Replace(b, `"dsseEnvelope"`, `"dsse\u0045nvelope"`, 1)))
	f.Add([]byte(strings.Replace(b, `{`, `{"dsse_envelope":{},`, 1)))
	f.Add([]byte(strings.Replace(b, `"payload":"`, `"payload":"\n`, 1)))
	f.Add([]byte(`{"mediaType":"m","messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + base64.StdEncoding.EncodeToString(make([]byte, 32)) + `"},"signature":"AA=="}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		claims, err := attestation.Candidate{Bundle: data}.Unverified()
		if err != nil {
			return
		}
		var m protobundle.Bundle
		if protojson.Unmarshal(data, &m) != nil {
			return
		}
		if m.GetMediaType() != claims.MediaType {
			t.Errorf("media type %q and %q", claims.MediaType, m.GetMediaType())
		}
		if claims.MessageSignature {
			if sum, ok := claims.Subjects[0].SHA256(); !ok || !bytes.Equal(sum[:], m.GetMessageSignature().GetMessageDigest().GetDigest()) {
				t.Errorf("digest %v and %x", claims.Subjects, m.GetMessageSignature().GetMessageDigest().GetDigest())
			}
			return
		}
		again := bundleOf(string(m.GetDsseEnvelope().GetPayload()))
		other, err := attestation.Candidate{Bundle: []byte(again)}.Unverified()
		if err != nil {
			t.Fatalf("the verifier sees a statement that cannot be read: %v", err)
		}
		if diff := cmp.Diff(claims.Subjects, other.Subjects); diff != "" {
			t.Errorf("(-ours +the verifier's):\n%s", diff)
		}
	})
}

func FuzzReadSnappy(f *testing.F) {
	f.Add([]byte(pack(bundleOf(statement(subject)))))
	f.Add([]byte("\x80\x80\x80\x08"))
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := attestation.Read("", data)
		if (err == nil) != (len(d.Candidates)+len(d.Elsewhere) > 0) {
			t.Errorf("%d candidates, %d elsewhere, error %v", len(d.Candidates), len(d.Elsewhere), err)
		}
		for _, c := range d.Candidates {
			if claims, err := c.Unverified(); err == nil {
				claims.Facts()
			}
		}
	})
}
