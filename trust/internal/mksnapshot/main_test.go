package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/tuf"
)

// archive packs one file as npm does.
func archive(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../snapshot/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func seeds(t *testing.T, instance string, trustedRoot, tufRoot []byte) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{instance: map[string]any{
		"root.json": tufRoot,
		"targets":   map[string][]byte{"trusted_root.json": trustedRoot},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSnapshotFromPackage goes the way from an archive to the record.
func TestSnapshotFromPackage(t *testing.T) {
	trustedRoot, tufRoot := read(t, "trusted_root.json"), read(t, "tuf_root.json")
	for _, tc := range []struct {
		name    string
		archive []byte
		want    string // in the error; empty for none
	}{
		{"good", archive(t, seedsFile, seeds(t, tuf.DefaultMirror, trustedRoot, tufRoot)), ""},
		{"not an archive", []byte("x"), "EOF"},
		{"no seeds", archive(t, "package/other.json", nil), "the archive has no"},
		{"seeds over the limit", archive(t, seedsFile, make([]byte, maxSeeds+1)), "more than"},
		{"seeds not JSON", archive(t, seedsFile, []byte("x")), "invalid character"},
		{"another instance", archive(t, seedsFile, seeds(t, "https://tuf.example", trustedRoot, tufRoot)), "has nothing for"},
		{"no trusted root", archive(t, seedsFile, seeds(t, tuf.DefaultMirror, nil, tufRoot)), "no trusted root"},
		{"bad trusted root", archive(t, seedsFile, seeds(t, tuf.DefaultMirror, []byte("{}"), tufRoot)), "media type"},
		{"changed TUF root", archive(t, seedsFile, seeds(t, tuf.DefaultMirror, trustedRoot,
			bytes.Replace(tufRoot, []byte("2027"), []byte("2037"), 1))), "not signed by itself"},
		{"TUF root of another instance", archive(t, seedsFile, seeds(t, tuf.DefaultMirror, trustedRoot, tuf.StagingRoot())), "TUF root"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := provenance{Instance: tuf.DefaultMirror}
			err := func() error {
				data, err := extract(tc.archive)
				if err != nil {
					return err
				}
				tr, tu, err := unseed(data, p.Instance)
				if err != nil {
					return err
				}
				return check(&p, tr, tu)
			}()
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("found error %v, wanted %q in it", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var recorded provenance
			if err := json.Unmarshal(read(t, "snapshot.json"), &recorded); err != nil {
				t.Fatal(err)
			}
			if p.TrustedRootSHA256 != recorded.TrustedRootSHA256 || p.TUFRootSHA256 != recorded.TUFRootSHA256 ||
				p.TUFRootVersion != recorded.TUFRootVersion || !p.TUFRootExpires.Equal(recorded.TUFRootExpires) {
				t.Errorf("found %+v, recorded is %+v", p, recorded)
			}
		})
	}
}

func TestIntegrity(t *testing.T) {
	sum := sha512.Sum512([]byte("archive"))
	want := "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	if err := checkIntegrity([]byte("archive"), want); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", want + "x", "sha1-" + want} {
		if err := checkIntegrity([]byte("archive"), wrong); err == nil {
			t.Errorf("accepted %q", wrong)
		}
	}
	if err := checkIntegrity([]byte("Archive"), want); err == nil {
		t.Error("accepted another archive")
	}
}
