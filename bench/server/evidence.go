package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

const publisher = "harbour-lights/harbour-lights"

// recipe is the smallest recipe with an attested source; %s are the URL, its
// sha256 and further keys of the attestation block.
const recipe = `package:
  name: harbour-lights
  version: "2.4.1"
source:
  url: %s
  sha256: %s
  attestation:
    publishers:
      - github:` + publisher + `
%s`

// sign makes a bundle for a file of this digest, as a release would publish.
func sign(s *sigstoretest.Sigstore, name string, sum digest.SHA256) *sigstoretest.Bundle {
	statement := sigstoretest.Statement{Subjects: []sigstoretest.Subject{sigstoretest.FileDigest(name, sum)}}
	run := sigstoretest.GitHub(publisher, func(r *sigstoretest.GitHubRun) { r.Ref = "refs/tags/v2.4.1" })
	return s.Sign(statement, run, sigstoretest.RekorV1)
}

// writeLarge writes recipe and trusted root for the archive at url into dir,
// and serves its bundle beside it.
func writeLarge(s *sigstoretest.Sigstore, dir, url string, sum digest.SHA256, mux *http.ServeMux) error {
	bundle := sign(s, "archive.tar.gz", sum).JSON()
	mux.HandleFunc("GET /archive.tar.gz.sigstore.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Write(bundle) //nolint:errcheck // the client went away
	})
	text := fmt.Sprintf(recipe, url, sum, "    bundle_url: "+url+".sigstore.json\n")
	return write(map[string][]byte{
		filepath.Join(dir, "recipe.yaml"): []byte(text),
		filepath.Join(dir, "root.json"):   s.TrustedRootJSON(),
	})
}

// writeSmall writes a recipe of one small source from PyPI, its trusted root,
// and a folder "internet" with archive and evidence into dir.
func writeSmall(s *sigstoretest.Sigstore, dir string) error {
	const file = "harbour_lights-2.4.1.tar.gz"
	const path = "/packages/source/h/harbour-lights/" + file
	archive := make([]byte, 64<<10)
	sum := digest.SHA256(sha256.Sum256(archive))
	index := filepath.Join(dir, "internet", "pypi.org")
	return write(map[string][]byte{
		filepath.Join(dir, "recipe.yaml"):                                                fmt.Appendf(nil, recipe, "https://pypi.org"+path, sum, ""),
		filepath.Join(dir, "root.json"):                                                  s.TrustedRootJSON(),
		filepath.Join(index, filepath.FromSlash(path)):                                   archive,
		filepath.Join(index, "integrity", "harbour-lights", "2.4.1", file, "provenance"): sigstoretest.Provenance(sign(s, file, sum)),
	})
}

func write(files map[string][]byte) error {
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
