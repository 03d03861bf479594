package prepare

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// Names in a prepared folder.
const (
	manifestName = "prepared.json"
	rootName     = "trusted_root.json"
	archivesDir  = "archives"
	evidenceDir  = "attestations"
	originalName = evidenceDir + "/original-recipe.yaml"
	verifiedName = evidenceDir + "/verified.json"
	ignoreName   = ".gitignore"
)

// ManifestSchema is the version of prepared.json's form.
const ManifestSchema = 1

// A Manifest is prepared.json: what a folder holds, and what is needed to make it
// again from its archives, its bundles and the original recipe.
// docs/prepared.schema.json describes it. Nothing in it is trusted.
type Manifest struct {
	Schema   int    `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Recipe   string `json:"recipe" jsonschema:"description=name of the recipe's file"`
	For      Target `json:"for" jsonschema:"enum=rattler-build,enum=cep"`
	KeepURLs bool   `json:"keep_urls"`
	Location string `json:"location,omitempty" jsonschema:"description=where the folder has to lie\\, since the recipe names its archives by absolute address"`
	// Evaluation is for what the recipe was evaluated.
	Evaluation Evaluation       `json:"evaluation"`
	Sources    []SourceDocument `json:"sources" jsonschema:"description=the URL sources\\, in the order of the recipe"`
	Files      []FileDocument   `json:"files" jsonschema:"description=every other file of the folder\\, by path"`
	// Checksum is the SHA-256 of this document with an empty one. It tells that a
	// document was damaged, and proves nothing about who wrote it.
	Checksum string `json:"checksum" jsonschema:"description=SHA-256 of this document with an empty checksum: tells damage\\, and proves nothing"`
}

// An Evaluation is for what a recipe is evaluated.
type Evaluation struct {
	TargetPlatforms []string            `json:"target_platforms"`
	BuildPlatform   string              `json:"build_platform"`
	Variants        map[string][]string `json:"variants,omitempty"`
	VariantFiles    []string            `json:"variant_files,omitempty" jsonschema:"description=paths in the folder of those that were named beside the recipe's own"`
	AllowEnv        []string            `json:"allow_env,omitempty"`
	Environment     map[string]*string  `json:"environment,omitempty" jsonschema:"description=environment variables that the recipe read; null for one that was not set"`
	Lenient         bool                `json:"lenient,omitempty"`
}

// A SourceDocument is a URL source.
type SourceDocument struct {
	Position   string           `json:"position" jsonschema:"description=line:column in the original recipe"`
	URLs       []string         `json:"urls"`
	SHA256     string           `json:"sha256"`
	Size       int64            `json:"size"`
	Archive    string           `json:"archive" jsonschema:"description=path in the folder"`
	Verdict    audit.Verdict    `json:"verdict" jsonschema:"enum=verified,enum=unattested"`
	Publishers []string         `json:"publishers,omitempty" jsonschema:"description=those who may have signed it\\, as recipe or policy name them"`
	Bundles    []BundleDocument `json:"bundles,omitempty" jsonschema:"description=those that prove it"`
}

// A BundleDocument is a verified bundle.
type BundleDocument struct {
	Verified
	Publisher string `json:"publisher" jsonschema:"description=the publisher that it counts for"`
	Origin    string `json:"origin" jsonschema:"description=the address of the document that it came in"`
}

// Verified is an entry of the draft CEP's list of the same name.
type Verified struct {
	Path          string `json:"path" jsonschema:"description=of the bundle in the folder"`
	SHA256        string `json:"sha256" jsonschema:"description=of the bundle's file"`
	PredicateType string `json:"predicate_type" jsonschema:"description=empty for a signature over the archive itself"`
	SAN           string `json:"san"`
	Issuer        string `json:"issuer"`
}

// A FileDocument is a file of the folder.
type FileDocument struct {
	Path       string `json:"path"`
	SHA256     string `json:"sha256"`
	Size       int64  `json:"size"`
	Executable bool   `json:"executable,omitempty"`
}

// VerifiedDocument is attestations/verified.json: the lists that the draft CEP has
// in the recipe, for a recipe that cannot hold them.
type VerifiedDocument struct {
	Schema  int              `json:"schema" jsonschema:"enum=1,description=version of this document's form"`
	Sources []VerifiedSource `json:"sources"`
}

// A VerifiedSource is a source with evidence.
type VerifiedSource struct {
	Archive  string     `json:"archive"`
	SHA256   string     `json:"sha256"`
	Verified []Verified `json:"verified"`
}

// encode writes a document the one way in which it is written.
func encode(document any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// encode gives the bytes of prepared.json, with its checksum.
func (m Manifest) encode() ([]byte, error) {
	m.Checksum = ""
	plain, err := encode(m)
	if err != nil {
		return nil, err
	}
	m.Checksum = fmt.Sprintf("%x", sha256.Sum256(plain))
	data, err := encode(m)
	if err == nil && int64(len(data)) > MaxManifest {
		err = fmt.Errorf("%s would have %d bytes, the limit is %d", manifestName, len(data), MaxManifest)
	}
	return data, err
}

// parseManifest reads prepared.json. A nil error means that it is written exactly
// as this program writes such a document, and is not damaged.
func parseManifest(data []byte) (Manifest, error) {
	var m Manifest
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return m, fmt.Errorf("it is no JSON document: %w", err)
	}
	if version.Schema != ManifestSchema {
		return m, fmt.Errorf("it has the schema %d, wanted %d", version.Schema, ManifestSchema)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("it cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, errors.New("something follows the document")
	}
	back, err := m.encode()
	if err != nil {
		return m, err
	}
	if !bytes.Equal(back, data) {
		return m, errors.New("it was changed, and its checksum is not of what it says")
	}
	return m, m.check()
}

// check refuses paths that lead anywhere else, and what could not have been
// written.
func (m Manifest) check() error {
	if !isName(m.Recipe) {
		return fmt.Errorf("the recipe's name is %q", m.Recipe)
	}
	if m.For != RattlerBuild && m.For != CEP {
		return fmt.Errorf("it is for %q, wanted %s or %s", m.For, RattlerBuild, CEP)
	}
	for i, f := range m.Files {
		if !isPath(f.Path) || f.Path == manifestName || i > 0 && m.Files[i-1].Path >= f.Path {
			return fmt.Errorf("its list of files is not in order at %q", f.Path)
		}
	}
	for _, p := range m.Evaluation.VariantFiles {
		if m.file(p) == nil {
			return fmt.Errorf("the variant file %q is not in its list of files", p)
		}
	}
	for _, s := range m.Sources {
		for _, b := range s.Bundles {
			if m.file(b.Path) == nil {
				return fmt.Errorf("the bundle %q is not in its list of files", b.Path)
			}
		}
	}
	return nil
}

// file finds a file in the list.
func (m Manifest) file(path string) *FileDocument {
	i, ok := slices.BinarySearchFunc(m.Files, path, func(f FileDocument, path string) int {
		switch {
		case f.Path < path:
			return -1
		case f.Path > path:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &m.Files[i]
}

// of says for what a recipe is evaluated, with everything written out.
func evaluationOf(o recipe.Options) Evaluation {
	e := Evaluation{
		TargetPlatforms: o.TargetPlatforms, BuildPlatform: o.BuildPlatform,
		Variants: o.Variants, AllowEnv: o.AllowEnv, Lenient: o.Lenient,
	}
	if len(e.TargetPlatforms) == 0 {
		e.TargetPlatforms = []string{recipe.MachinePlatform()}
	}
	if e.BuildPlatform == "" {
		e.BuildPlatform = recipe.MachinePlatform()
	}
	return e
}

// options are those that evaluate the original recipe in a folder.
func (e Evaluation) options(dir string) recipe.Options {
	o := recipe.Options{
		TargetPlatforms: e.TargetPlatforms, BuildPlatform: e.BuildPlatform,
		Variants: e.Variants, AllowEnv: e.AllowEnv, Lenient: e.Lenient, Folder: dir,
		LookupEnv: func(name string) (string, bool) {
			if v := e.Environment[name]; v != nil {
				return *v, true
			}
			return "", false
		},
	}
	for _, p := range e.VariantFiles {
		o.VariantFiles = append(o.VariantFiles, join(dir, p))
	}
	return o
}

// A sum is what is known of a file's content.
type sum struct {
	sha256 digest.SHA256
	size   int64
}

func sumOf(data []byte) sum { return sum{sha256.Sum256(data), int64(len(data))} }
