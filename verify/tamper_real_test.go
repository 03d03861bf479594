package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Every field of every kind of real evidence, changed by one bit, at either
// end, to nothing and by more, makes it fail, and with the verdict that the
// field's meaning gives.
func TestTamperedRealEvidence(t *testing.T) {
	for _, c := range realCases {
		if c.want != "" {
			continue // it does not verify untouched
		}
		t.Run(c.root+"/"+c.file, func(t *testing.T) {
			d := realDigest(t, c.sha256)
			for _, candidate := range realCandidates(t, c.file) {
				whole, _ := judgeEvidence(t, c.root, []attestation.Candidate{candidate}, d, c.right, c.urls)
				var document any
				if err := json.Unmarshal(candidate.Bundle, &document); err != nil {
					t.Fatal(err)
				}
				check := func(path string, value any) {
					changed, err := json.Marshal(document)
					if err != nil {
						t.Fatal(err)
					}
					candidate.Bundle = changed
					evidence, got := judgeEvidence(t, c.root, []attestation.Candidate{candidate}, d, c.right, c.urls)
					if got == "" && strings.HasSuffix(path, ".signedTimestamp") {
						// A time stamp carries certificates that its signature
						// does not cover. What it says must be the same.
						if !evidence.Bundles()[0].Verified.Time.Equal(whole.Bundles()[0].Verified.Time) {
							t.Errorf("%s changed to %.60v: verified with another time", path, value)
						}
						return
					}
					if !tamperedCodes(path, got) {
						t.Errorf("%s changed to %.60v: code %q", path, value, got)
					}
				}
				eachLeaf(document, "", func(path string, value any, set func(any)) {
					for _, other := range alterations(value) {
						set(other)
						check(path, other)
					}
					set(value)
				})
			}
		})
	}
}

// tamperedCodes tells whether a code fits a field that was changed: whatever is
// signed or is part of a signature makes the bundle invalid; only the digest
// that it speaks of makes it a bundle of another file.
func tamperedCodes(path string, got verify.Code) bool {
	switch got {
	case verify.CodeMalformed, verify.CodeNoCertificate, verify.CodeUnknownAuthority, verify.CodeCertificate,
		verify.CodeSCT, verify.CodeLogEntry, verify.CodeTimestamp, verify.CodeSignature:
		return true
	case verify.CodeOtherDigest:
		return strings.HasSuffix(path, ".payload") || strings.Contains(path, ".messageDigest")
	}
	return false
}

// eachLeaf visits every value of a document that holds no others.
func eachLeaf(v any, path string, visit func(path string, value any, set func(any))) {
	step := func(name string, child any, set func(any)) {
		switch child.(type) {
		case map[string]any, []any:
			eachLeaf(child, path+"."+name, visit)
		default:
			visit(path+"."+name, child, set)
		}
	}
	switch x := v.(type) {
	case map[string]any:
		for k, child := range x {
			step(k, child, func(n any) { x[k] = n })
		}
	case []any:
		for i, child := range x {
			step(strconv.Itoa(i), child, func(n any) { x[i] = n })
		}
	}
}

// alterations gives a value changed in several ways.
func alterations(v any) []any {
	s, ok := v.(string)
	if !ok {
		return []any{"x"}
	}
	all := []any{s + "x", ""}
	if n, err := strconv.Atoi(s); err == nil {
		all = append(all, fmt.Sprint(n+1))
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) == 0 {
		return all
	}
	for _, at := range []int{0, len(raw) / 3, len(raw) / 2, len(raw) - 1} {
		raw[at] ^= 1
		all = append(all, base64.StdEncoding.EncodeToString(raw))
		raw[at] ^= 1
	}
	return all
}
