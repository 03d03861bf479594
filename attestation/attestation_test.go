package attestation_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
)

const sum = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"

func statement(subjects string) string {
	return `{"_type":"https://in-toto.io/Statement/v1","subject":[` + subjects +
		`],"predicateType":"https://slsa.dev/provenance/v1","predicate":{}}`
}

const subject = `{"name":"a.tar.gz","digest":{"sha256":"` + sum + `"}}`

// bundleOf wraps a payload in the parts of a bundle that are read before
// anything is verified.
func bundleOf(payload string) string {
	return fmt.Sprintf(`{"mediaType":"m","dsseEnvelope":{"payload":%q,"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`,
		base64.StdEncoding.EncodeToString([]byte(payload)))
}

func pep740(payload string) string {
	return fmt.Sprintf(`{"version":1,"verification_material":{"certificate":"AA==","transparency_entries":[{"logIndex":"7"}]},"envelope":{"statement":%q,"signature":"AA=="}}`,
		base64.StdEncoding.EncodeToString([]byte(payload)))
}

func TestParse(t *testing.T) {
	b, a := bundleOf(statement(subject)), pep740(statement(subject))
	many := strings.Repeat(b+"\n", attestation.MaxBundles+1)
	for _, c := range []struct {
		name, document string
		want           []attestation.Format
		problem        string
	}{
		{"bundle", b, []attestation.Format{attestation.BundleFormat}, ""},
		{"lines", b + "\n" + b + "\n", []attestation.Format{attestation.LinesFormat, attestation.LinesFormat}, ""},
		{"lines without a break", b + b, []attestation.Format{attestation.LinesFormat, attestation.LinesFormat}, ""},
		{"array", "[" + b + "," + b + "]", []attestation.Format{attestation.ArrayFormat, attestation.ArrayFormat}, ""},
		{"attestation", a, []attestation.Format{attestation.PEP740Format}, ""},
		{
			"provenance, each entry of each bundle",
			`{"version":1,"attestation_bundles":[{"publisher":{},"attestations":[` + a + `,` + a + `]},{"attestations":[` + a + `]}]}`,
			[]attestation.Format{attestation.ProvenanceFormat, attestation.ProvenanceFormat, attestation.ProvenanceFormat},
			"",
		},
		{"GitHub", `{"attestations":[{"bundle":` + b + `}]}`, []attestation.Format{attestation.GitHubFormat}, ""},

		{"empty", "", nil, "it is empty"},
		{"white space", " \n", nil, "it is empty"},
		{"HTML", "<!doctype html>", nil, "an HTML page"},
		{"cut off", b[:len(b)-4], nil, "not JSON"},
		{"string", `"bundle"`, nil, "no JSON object"},
		{"null", `null`, nil, "no JSON object"},
		{"other object", `{"message":"Not Found"}`, nil, "neither a Sigstore bundle"},
		{"empty array", `[]`, nil, "holds no attestation"},
		{"array of strings", `["x"]`, nil, "no JSON object"},
		{"provenance without bundles", `{"version":1,"attestation_bundles":[]}`, nil, "holds no attestation"},
		{"provenance of another version", `{"version":2,"attestation_bundles":[{"attestations":[` + a + `]}]}`, nil, `version is "2"`},
		{"provenance without version", `{"attestation_bundles":[{"attestations":[` + a + `]}]}`, nil, `version is ""`},
		{"provenance that is no list", `{"version":1,"attestation_bundles":{}}`, nil, "no list"},
		{"GitHub without the bundle itself", `{"attestations":[{"bundle":null,"bundle_url":"https://x"}]}`, nil, "only an address"},
		{"GitHub, empty", `{"attestations":[]}`, nil, "holds no attestation"},
		{"too many lines", many, nil, "more than 64 bundles"},
		{"too many in an array", "[" + strings.TrimSuffix(strings.Repeat(b+",", 65), ",") + "]", nil, "more than 64 bundles"},
		{"not UTF-8", `{"mediaType":"` + "\xff" + `"}`, nil, "not UTF-8"},
		{"too many values", `{"mediaType":"m","x":[` + strings.Repeat("1,", 5000) + `1]}`, nil, "more than 4096 values"},
		{"too deep", `{"mediaType":"m","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, nil, "nests deeper"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := attestation.Parse("https://example.org/x", []byte(c.document))
			if c.problem != "" {
				var format *attestation.FormatError
				if !errors.As(err, &format) || !strings.Contains(err.Error(), c.problem) {
					t.Fatalf("error %v, wanted one with %q", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var formats []attestation.Format
			for i, candidate := range got {
				formats = append(formats, candidate.Format)
				if candidate.Index != i || candidate.Origin != "https://example.org/x" {
					t.Errorf("candidate %d has index %d and origin %q", i, candidate.Index, candidate.Origin)
				}
				claims, err := candidate.Unverified()
				if err != nil || len(claims.Subjects) != 1 {
					t.Errorf("claims %v, error %v", claims, err)
				}
			}
			if diff := cmp.Diff(c.want, formats); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A PEP 740 object must not choose the version of the bundle that it becomes:
// an old one would verify without a proof.
func TestPEP740BecomesVersion03(t *testing.T) {
	object := strings.Replace(pep740(statement(subject)), `{"version":1,`,
		`{"version":1,"media_type":"application/vnd.dev.sigstore.bundle+json;version=0.1",`, 1)
	got, err := attestation.Parse("", []byte(object))
	if err != nil {
		t.Fatal(err)
	}
	claims, err := got[0].Unverified()
	if err != nil {
		t.Fatal(err)
	}
	if want := "application/vnd.dev.sigstore.bundle.v0.3+json"; claims.MediaType != want {
		t.Errorf("media type %q, wanted %q", claims.MediaType, want)
	}
}

func TestUnverified(t *testing.T) {
	d, err := digest.ParseSHA256(sum)
	if err != nil {
		t.Fatal(err)
	}
	message := func(algorithm string, sum []byte) string {
		return fmt.Sprintf(`{"mediaType":"m","messageSignature":{"messageDigest":{"algorithm":%q,"digest":%q},"signature":"AA=="}}`,
			algorithm, base64.StdEncoding.EncodeToString(sum))
	}
	replace := func(old, new string) string {
		return strings.Replace(bundleOf(statement(subject)), old, new, 1)
	}
	many := strings.TrimSuffix(strings.Repeat(subject+",", attestation.MaxSubjects+1), ",")
	for _, c := range []struct {
		name, bundle string
		lists        int
		problem      string
	}{
		{"statement", bundleOf(statement(subject)), 1, ""},
		{"statement of version 0.1", bundleOf(strings.Replace(statement(subject), "Statement/v1", "Statement/v0.1", 1)), 1, ""},
		{"two subjects of the digest", bundleOf(statement(subject + "," + subject)), 2, ""},
		{"other digest", bundleOf(statement(`{"name":"x","digest":{"sha256":"` + strings.Repeat("0a", 32) + `"}}`)), 0, ""},
		{"other algorithm", bundleOf(statement(`{"name":"x","digest":{"sha512":"` + sum + sum + `"}}`)), 0, ""},
		{"algorithm in other case", bundleOf(statement(`{"name":"x","digest":{"SHA256":"` + sum + `"}}`)), 0, ""},
		{"digest in upper case", bundleOf(statement(strings.ToUpper(`{"x":"`) + `","digest":{"sha256":"` + strings.ToUpper(sum) + `"}}`)), 1, ""},
		{"message signature", message("SHA2_256", d[:]), 1, ""},

		{"message signature of another algorithm", message("SHA2_512", d[:]), 0, "wanted SHA2_256"},
		{"message signature without digest", message("SHA2_256", nil), 0, "has 0 bytes"},
		{"both", strings.Replace(message("SHA2_256", d[:]), `"mediaType":"m",`, bundleOf(statement(subject))[1:len(bundleOf(statement(subject)))-1]+",", 1), 0, "holds both"},
		{"neither", `{"mediaType":"m"}`, 0, "holds neither"},
		{"no object", `[]`, 0, "cannot be read"},
		{"no subject", bundleOf(statement("")), 0, "no subject"},
		{"unknown type", bundleOf(strings.Replace(statement(subject), "in-toto.io/Statement/v1", "evil.org/v1", 1)), 0, "has the type"},
		{"type of a later version", bundleOf(strings.Replace(statement(subject), "Statement/v1", "Statement/v2", 1)), 0, "has the type"},
		{"no type", bundleOf(strings.Replace(statement(subject), "_type", "__type", 1)), 0, "has the type"},
		{"type under its protobuf name", bundleOf(strings.Replace(statement(subject), "_type", "type", 1)), 1, ""},
		{"type under both names", bundleOf(strings.Replace(statement(subject), `"_type"`, `"type":"https://in-toto.io/Statement/v1","_type"`, 1)), 0, "stands twice"},
		{"no predicate type", bundleOf(strings.Replace(statement(subject), "predicateType", "predicatetype", 1)), 0, "no predicateType"},
		{"malformed payload", bundleOf(`{"_type":`), 0, "not JSON"},
		{"payload with more after it", bundleOf(statement(subject) + "{}"), 0, "more follows"},
		{"payload that is not UTF-8", bundleOf(strings.Replace(statement(subject), "a.tar.gz", "a\xff", 1)), 0, "not UTF-8"},
		{"payload that is a list", bundleOf("[]"), 0, "has no"},
		{"subject twice", bundleOf(strings.Replace(statement(subject), `"predicate":{}`, `"subject":[`+subject+`]`, 1)), 0, "stands twice"},
		{"subject twice in other case", bundleOf(strings.Replace(statement(subject), `"predicate":{}`, `"Subject":[`+subject+`]`, 1)), 0, "stands twice"},
		{"digest twice", bundleOf(statement(`{"name":"x","digest":{"sha256":"` + sum + `","sha256":"` + sum + `"}}`)), 0, "stands twice"},
		{"too many subjects", bundleOf(statement(many)), 0, "more than 1024 subjects"},
		{"two signatures", replace(`[{"sig":"AA=="}]`, `[{"sig":"AA=="},{"sig":"AA=="}]`), 0, "has 2 signatures"},
		{"no signature", replace(`[{"sig":"AA=="}]`, `[]`), 0, "has 0 signatures"},
		{"other payload type", replace("application/vnd.in-toto+json", "text/plain"), 0, "wanted an in-toto statement"},
		{"payload that is not base64", replace(`"payload":"`, `"payload":"!`), 0, "not base64"},
		{"envelope twice", replace(`"mediaType":"m"`, `"dsseEnvelope":{}`), 0, "stands twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims, err := attestation.Candidate{Bundle: []byte(c.bundle)}.Unverified()
			if c.problem != "" {
				var bad *attestation.MalformedError
				if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.problem) {
					t.Fatalf("error %v, wanted one with %q", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := len(claims.Lists(d)); got != c.lists {
				t.Errorf("%d subjects have the digest, wanted %d", got, c.lists)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		bundleOf(statement(subject)), pep740(statement(subject)), "[" + bundleOf(statement(subject)) + "]",
		`{"version":1,"attestation_bundles":[{"attestations":[` + pep740(statement(subject)) + `]}]}`,
		`{"attestations":[{"bundle":{}}]}`, `{"attestations":[{"bundle":null,"bundle_url":"https://x"}]}`,
		pack(bundleOf(statement(subject))), `{"base64Signature":""}`, `{"message":"Not Found","status":"404"}`, "\x1f\x8b", "<html>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		candidates, err := attestation.Parse("", data)
		if (err == nil) != (len(candidates) > 0) {
			t.Fatalf("%d candidates and error %v", len(candidates), err)
		}
		for _, c := range candidates {
			if !json.Valid(c.Bundle) {
				t.Error("a candidate is not JSON")
			}
			claims, err := c.Unverified()
			if err == nil && len(claims.Subjects) == 0 {
				t.Error("claims without a subject")
			}
		}
	})
}
