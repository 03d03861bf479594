package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"testing"
)

// edit changes a trusted root's JSON.
func edit(t testing.TB, data []byte, change func(map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func withoutLogs(t testing.TB, data []byte) []byte {
	return edit(t, data, func(m map[string]any) { delete(m, "tlogs"); delete(m, "ctlogs") })
}

// authority makes a chain of certificates, the last of them self-signed, each
// of the organizations given: GitHub's have one.
func authority(t testing.TB, organizations ...[]string) []any {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certs := make([]any, len(organizations))
	var parent *x509.Certificate
	for i := len(organizations) - 1; i >= 0; i-- {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)),
			Subject:      pkix.Name{Organization: organizations[i], CommonName: "test"},
			NotBefore:    born.AddDate(-1, 0, 0), NotAfter: born.AddDate(9, 0, 0),
			IsCA: i > 0 || len(organizations) == 1, BasicConstraintsValid: true,
		}
		if parent == nil {
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		certs[i], parent = map[string]any{"rawBytes": der}, c
	}
	return certs
}

// logless makes a trusted root without logs. Its JSON always claims to be
// GitHub's.
func logless(t testing.TB, cas, tsas [][]any) []byte {
	t.Helper()
	list := func(chains [][]any) []any {
		var out []any
		for _, c := range chains {
			out = append(out, map[string]any{
				"subject":   map[string]any{"organization": gitHubOrganization, "commonName": "Internal Services Root"},
				"uri":       "fulcio.githubapp.com",
				"certChain": map[string]any{"certificates": c},
				"validFor":  map[string]any{"start": "2026-01-01T00:00:00Z"},
			})
		}
		return out
	}
	data, err := json.Marshal(map[string]any{
		"mediaType":              "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"certificateAuthorities": list(cas),
		"timestampAuthorities":   list(tsas),
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var gitHubOrg = []string{gitHubOrganization}

// gitHubRoot makes a root of the shape that GitHub's has.
func gitHubRoot(t testing.TB) []byte {
	t.Helper()
	return logless(t,
		[][]any{authority(t, gitHubOrg, gitHubOrg, gitHubOrg)},
		[][]any{authority(t, gitHubOrg, gitHubOrg, gitHubOrg)})
}
