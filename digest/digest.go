// Package digest holds the two digests that a recipe can pin an archive by.
// They are arrays, so that they compare with == and cannot be confused with
// each other or with text that was never parsed.
package digest

import (
	"crypto/md5" //nolint:gosec // recipes pin MD5 beside SHA-256; it is never relied on alone
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// SHA256 is the SHA-256 of an archive (FIPS 180-4). The zero value stands for
// "none": no archive has it in practice, and rattler-build uses it as the
// placeholder that never matches.
type SHA256 [sha256.Size]byte

// MD5 is the MD5 of an archive (RFC 1321), which some recipes give beside the
// SHA-256. It proves nothing by itself.
type MD5 [md5.Size]byte

// ParseSHA256 reads 64 hexadecimal digits of either case.
func ParseSHA256(s string) (SHA256, error) {
	var d SHA256
	err := parse(d[:], s, "SHA-256")
	return d, err
}

// ParseMD5 reads 32 hexadecimal digits of either case.
func ParseMD5(s string) (MD5, error) {
	var d MD5
	err := parse(d[:], s, "MD5")
	return d, err
}

func parse(dst []byte, s, name string) error {
	want := hex.EncodedLen(len(dst))
	if len(s) != want {
		return fmt.Errorf("a %s has %d hexadecimal digits, found %d characters", name, want, len(s))
	}
	if _, err := hex.Decode(dst, []byte(s)); err != nil {
		return fmt.Errorf("a %s has %d hexadecimal digits, found %q", name, want, s)
	}
	return nil
}

// String gives lower-case hexadecimal digits.
func (d SHA256) String() string { return hex.EncodeToString(d[:]) }

// IsZero tells whether d stands for "none".
func (d SHA256) IsZero() bool { return d == SHA256{} }

// String gives lower-case hexadecimal digits.
func (d MD5) String() string { return hex.EncodeToString(d[:]) }

// IsZero tells whether d stands for "none".
func (d MD5) IsZero() bool { return d == MD5{} }
