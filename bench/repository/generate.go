package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// A shape says how large a repository is.
type shape struct{ recipes, attested, shared int }

// An expected line says what a recipe's source must come to.
type expected struct {
	Recipe  string `json:"recipe"`
	Verdict string `json:"verdict"`
	Code    string `json:"code"`
}

// A signed line is one bundle with the digest that it speaks of.
type signed struct {
	SHA256 string          `json:"sha256"`
	Bundle json.RawMessage `json:"bundle"`
}

// A source is one archive with its evidence.
type source struct {
	name, url, evidence string
	content             []byte
	verdict, code       string
	lines               string // of the recipe
}

// faultEvery is how often an attested source has something wrong with it.
const faultEvery = 40

// generate writes the repository and gives the documents of its internet, by
// path.
func generate(s shape, dir string) (map[string][]byte, error) {
	g := &generator{
		dir: dir, sigstore: sigstoretest.New(sigstoretest.Options{}), documents: map[string][]byte{},
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "root.json"), g.sigstore.TrustedRootJSON(), 0o644); err != nil {
		return nil, err
	}
	var closers []func() error
	for name, to := range map[string]**json.Encoder{"bundles.jsonl": &g.bundles, "expected.jsonl": &g.expected} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		w := bufio.NewWriter(f)
		*to = json.NewEncoder(w)
		closers = append(closers, w.Flush, f.Close)
	}
	if err := g.all(s); err != nil {
		return nil, err
	}
	for _, c := range closers {
		if err := c(); err != nil {
			return nil, err
		}
	}
	return g.documents, nil
}

type generator struct {
	dir               string
	sigstore          *sigstoretest.Sigstore
	documents         map[string][]byte
	bundles, expected *json.Encoder
	written           int
}

// all writes recipes of attested sources first, then the second ones of shared
// sources, then those that name no publisher.
func (g *generator) all(s shape) error {
	var again []source
	for i := range s.attested {
		src, err := g.attest(i)
		if err != nil {
			return err
		}
		if i < s.shared {
			again = append(again, src)
		}
		if err := g.recipe(src); err != nil {
			return err
		}
	}
	for _, src := range again {
		if err := g.recipe(src); err != nil {
			return err
		}
	}
	for g.written < s.recipes {
		if err := g.recipe(plain(g.written)); err != nil {
			return err
		}
	}
	return nil
}

// attest makes the i-th attested source. A quarter lies on GitHub.
func (g *generator) attest(i int) (source, error) {
	name := fmt.Sprintf("project-%05d", i)
	file := fmt.Sprintf("project_%05d-1.%d.0.tar.gz", i, i%50)
	version := fmt.Sprintf("1.%d.0", i%50)
	src := source{name: name, content: []byte(file), verdict: "verified", code: "verified-metadata-only"}
	signer := sigstoretest.GitHub("org-"+name[8:]+"/"+name, func(r *sigstoretest.GitHubRun) { r.Ref = "refs/tags/v" + version })
	publisher := "github:org-" + name[8:] + "/" + name
	var knobs []sigstoretest.Knob
	missing := false
	switch i % faultEvery {
	case 1:
		publisher, src.verdict, src.code = "github:somebody/else", "mismatch", "publisher-mismatch"
	case 2:
		knobs, src.verdict, src.code = []sigstoretest.Knob{sigstoretest.ForgedSignature()}, "invalid", "signature-invalid"
	case 3:
		missing, src.verdict, src.code = true, "missing", "no-evidence"
	}
	b := g.sigstore.Sign(sigstoretest.Attest(file, src.content), signer, sigstoretest.RekorV1, knobs...)
	document := sigstoretest.Provenance(b)
	bundleURL := ""
	if i%4 == 3 {
		src.url = fmt.Sprintf("https://github.com/org-%s/%s/releases/download/v%s/%s", name[8:], name, version, file)
		src.evidence = fmt.Sprintf("/org-%s/%s/releases/download/v%s/%s.sigstore.json", name[8:], name, version, file)
		document = b.JSON()
		bundleURL = "    bundle_url: https://github.com" + src.evidence + "\n"
	} else {
		src.url = fmt.Sprintf("https://pypi.org/packages/source/p/%s/%s", name, file)
		src.evidence = fmt.Sprintf("/integrity/%s/%s/%s/provenance", name, version, file)
	}
	if !missing {
		g.documents[src.evidence] = document
	}
	src.lines = fmt.Sprintf("  attestation:\n%s    publishers:\n      - %s\n", bundleURL, publisher)
	sum := sha256.Sum256(src.content)
	return src, g.bundles.Encode(signed{fmt.Sprintf("%x", sum), b.JSON()})
}

// plain is a source for which the recipe names no publisher.
func plain(i int) source {
	name := fmt.Sprintf("plain-%05d", i)
	src := source{name: name, content: []byte(name), verdict: "unattested", code: "no-attestation-block"}
	src.url = fmt.Sprintf("https://pypi.org/packages/source/p/%s/plain_%05d-2.%d.tar.gz", name, i, i%9)
	if i%3 == 0 {
		src.url = fmt.Sprintf("https://github.com/owner-%05d/%s/archive/refs/tags/v2.%d.tar.gz", i, name, i%9)
	}
	return src
}

const recipeText = `schema_version: 1

context:
  name: %s
  version: "%s"

package:
  name: ${{ name }}
  version: ${{ version }}

source:
  url: %s
  sha256: %x
%s
build:
  number: 0
  noarch: python
  script: ${{ PYTHON }} -m pip install . -vv --no-deps --no-build-isolation

requirements:
  host:
    - python >=3.10
    - pip
    - setuptools
  run:
    - python >=3.10

tests:
  - python:
      imports:
        - %s
      pip_check: true

about:
  homepage: https://example.org/%s
  license: MIT
  license_file: LICENSE
  summary: one of many

extra:
  recipe-maintainers:
    - somebody
`

// recipe writes the next recipe.
func (g *generator) recipe(src source) error {
	name := filepath.Join("recipes", fmt.Sprintf("%s-%d", src.name, g.written), "recipe.yaml")
	g.written++
	path := filepath.Join(g.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf(recipeText, src.name, "1.0.0", src.url, sha256.Sum256(src.content), src.lines, src.name, src.name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	return g.expected.Encode(expected{filepath.ToSlash(name), src.verdict, src.code})
}
