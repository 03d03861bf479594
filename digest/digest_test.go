package digest_test

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/digest"
)

func TestParseSHA256(t *testing.T) {
	want := digest.SHA256(sha256.Sum256([]byte("x")))
	for _, s := range []string{want.String(), strings.ToUpper(want.String())} {
		if got, err := digest.ParseSHA256(s); err != nil || got != want {
			t.Errorf("%q: %v, error %v", s, got, err)
		}
	}
	for name, s := range map[string]string{
		"empty": "", "short": want.String()[1:], "long": want.String() + "0", "no hex": strings.Repeat("g", 64),
		"space": " " + want.String()[1:], "prefix": "sha256:" + want.String(), "sign": "+" + want.String()[1:],
	} {
		if got, err := digest.ParseSHA256(s); err == nil {
			t.Errorf("%s: %v without an error", name, got)
		}
	}
}

func TestParseMD5(t *testing.T) {
	want := digest.MD5(md5.Sum([]byte("x")))
	if got, err := digest.ParseMD5(want.String()); err != nil || got != want || got.IsZero() {
		t.Errorf("%v, error %v", got, err)
	}
	if _, err := digest.ParseMD5(strings.Repeat("0", 64)); err == nil {
		t.Error("a SHA-256 was taken for an MD5")
	}
}

func ExampleParseSHA256() {
	_, err := digest.ParseSHA256("9bb1add0")
	fmt.Println(err)
	// Output: a SHA-256 has 64 hexadecimal digits, found 8 characters
}
