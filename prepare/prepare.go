package prepare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/trust"
)

// Prepare verifies a recipe's sources (see [gate.Verify]) and makes dir of them.
// A nil error proves that every source was verified or allowed without evidence,
// that dir holds the archives that were, and that [Verify] verified it as it is
// now. Otherwise dir is as it was before: a source that is not as it should be
// makes the error a [*gate.Refusal], what cannot be prepared an [*Error].
func Prepare(ctx context.Context, path, dir string, o Options) (*Prepared, error) {
	o.Target = target(o.Target)
	found, err := recipe.Find(path)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(found)
	if err != nil {
		return nil, err
	}
	if len(data) > recipe.MaxSize {
		return nil, &Error{Path: found, Problem: fmt.Sprintf("it has more than %d bytes", recipe.MaxSize)}
	}
	place, err := openPlace(dir, o.Replace)
	if err != nil {
		return nil, err
	}
	defer place.close()
	p := &preparation{options: o, path: found, original: data, place: place, environment: map[string]*string{}}
	if err := p.run(ctx); err != nil {
		return p.prepared, err
	}
	if err := ctx.Err(); err != nil {
		return p.prepared, err
	}
	return p.prepared, place.commit()
}

func target(t Target) Target {
	if t == "" {
		return RattlerBuild
	}
	return t
}

// A preparation is one call of Prepare.
type preparation struct {
	options  Options
	path     string
	original []byte
	place    *place
	prepared *Prepared

	mu          sync.Mutex
	environment map[string]*string // what the recipe read
	domains     []trust.Domain
	kept        int
}

func (p *preparation) run(ctx context.Context) error {
	o, err := p.options.Gate.WithPolicy()
	if err != nil {
		return err
	}
	o.Recipe.LookupEnv = p.record(o.Recipe.LookupEnv)
	evaluated := o.Recipe
	o.Read = func(string) (*recipe.Recipe, error) { return recipe.Parse(p.path, p.original, evaluated) }
	roots := o.Roots
	if roots == nil {
		loader, err := o.TrustConfig().Open()
		if err != nil {
			return err
		}
		roots = loader.Load
	}
	o.Roots = func(ctx context.Context) (*trust.Roots, error) {
		loaded, err := roots(ctx)
		if err == nil {
			p.mu.Lock()
			p.domains = loaded.Domains
			p.mu.Unlock()
		}
		return loaded, err
	}
	o.NoDownload, o.Discover, o.Propose, o.Archives, o.KeepCandidates = false, false, false, true, true
	o.Fetch = p.fetch
	report, err := gate.Verify(ctx, p.path, o)
	p.prepared = &Prepared{Dir: p.place.dir, Recipe: filepath.Join(p.place.dir, filepath.Base(p.path)), Report: report}
	if err != nil {
		return err
	}
	rec, err := o.Read(p.path)
	if err != nil {
		return err
	}
	return p.write(ctx, rec, report.Results)
}

// record remembers what a recipe reads of the environment, which decides what its
// sources are.
func (p *preparation) record(lookup func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := "", false
		if lookup != nil {
			value, ok = lookup(name)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.environment[name] = nil; ok {
			p.environment[name] = &value
		}
		return value, ok
	}
}

// fetch keeps an archive, under its digest.
func (p *preparation) fetch(ctx context.Context, client *fetch.Client, w audit.Wanted) (*fetch.Archive, error) {
	p.mu.Lock()
	p.kept++
	name := fmt.Sprintf("incoming-%d", p.kept)
	p.mu.Unlock()
	k, err := newKeeper(join(p.place.staging, name))
	if err != nil {
		return nil, err
	}
	defer os.Remove(k.Name())
	w.Options.Keep = k
	a, err := client.Archive(ctx, w.URLs, w.Options)
	if err = errors.Join(err, k.finish(err == nil)); err != nil || a.SHA256 != w.SHA256 {
		return a, err
	}
	to := join(p.place.content, archivePath(w.SHA256, w.URLs))
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return nil, err
	}
	return a, os.Rename(k.Name(), to)
}

// A keeper writes an archive to a file.
type keeper struct{ *os.File }

func newKeeper(path string) (*keeper, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return &keeper{f}, err
}

// Reset implements fetch.Keeper.
func (k *keeper) Reset() error {
	_, err := k.Seek(0, 0)
	return errors.Join(err, k.Truncate(0))
}

// finish makes a good file read-only.
func (k *keeper) finish(good bool) error {
	if !good {
		return k.Close()
	}
	return errors.Join(k.Chmod(0o444), k.Sync(), k.Close())
}

// write writes everything but the archives, which are there.
func (p *preparation) write(ctx context.Context, rec *recipe.Recipe, results []audit.Result) error {
	m := Manifest{
		Schema: ManifestSchema, Recipe: filepath.Base(p.path), For: p.options.Target, KeepURLs: p.options.KeepURLs,
		Evaluation: evaluationOf(p.options.Gate.Recipe), Files: []FileDocument{},
	}
	if m.For == CEP && !m.KeepURLs {
		m.Location = filepath.ToSlash(p.place.dir)
	}
	if len(p.environment) > 0 {
		m.Evaluation.Environment = p.environment
	}
	to, err := os.OpenRoot(p.place.content)
	if err != nil {
		return err
	}
	defer to.Close()
	files, err := p.copy(ctx, to, rec)
	if err != nil {
		return err
	}
	if err := p.variants(&m, files); err != nil {
		return err
	}
	d, err := derive(m, p.original, rec, results, p.options.Gate.Recipe)
	if err != nil {
		return err
	}
	m.Sources = d.sources
	maps.Copy(d.files, map[string][]byte{originalName: p.original})
	if root, err := p.root(results); err != nil {
		return err
	} else if root != nil {
		d.files[rootName] = root
	}
	if _, ok := files[ignoreName]; !ok {
		d.files[ignoreName] = []byte("/" + archivesDir + "/\n")
	}
	for name, data := range d.files {
		if _, taken := files[name]; taken {
			return &Error{Path: filepath.Join(filepath.Dir(p.path), name), Problem: "the recipe's folder has a file of a name that a prepared folder needs for itself", Mend: "rename it, or leave it out with --exclude " + name}
		}
		if err := writeFile(join(p.place.content, name), data); err != nil {
			return err
		}
		files[name] = copied{sum: sumOf(data)}
	}
	for _, s := range m.Sources {
		d, err := digest.ParseSHA256(s.SHA256)
		if err != nil {
			return err
		}
		files[s.Archive] = copied{sum: sum{d, s.Size}}
	}
	return p.seal(ctx, m, files)
}

// seal writes the manifest, and verifies what was made.
func (p *preparation) seal(ctx context.Context, m Manifest, files map[string]copied) error {
	archives := map[string]bool{}
	for _, s := range m.Sources {
		archives[s.Archive] = true
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		m.Files = append(m.Files, FileDocument{Path: name, SHA256: f.sha256.String(), Size: f.size, Executable: f.executable})
		p.prepared.Bytes += f.size
	}
	data, err := m.encode()
	if err != nil {
		return err
	}
	if err := writeFile(join(p.place.content, manifestName), data); err != nil {
		return err
	}
	p.prepared.Digest = sumOf(data).sha256
	p.prepared.Archives, p.prepared.Files = len(archives), len(m.Files)+1
	p.prepared.Bytes += int64(len(data))
	o := p.options.Gate
	o.Roots = func(context.Context) (*trust.Roots, error) { return &trust.Roots{Domains: p.domains}, nil }
	if _, err := verifyIn(ctx, p.place.content, p.place.dir, VerifyOptions{Gate: o, Digest: &p.prepared.Digest}); err != nil {
		return fmt.Errorf("the folder that was made does not verify, and is not kept: %w", err)
	}
	return syncFolders(p.place.content)
}

// copy copies the other files of the recipe's folder.
func (p *preparation) copy(ctx context.Context, to *os.Root, rec *recipe.Recipe) (map[string]copied, error) {
	folder := filepath.Dir(p.path)
	from, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	c := &copying{
		from: from, to: to, folder: folder, recipe: filepath.Base(p.path), exclude: p.options.Exclude,
		skip: p.place.owns, files: map[string]copied{},
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	for _, s := range rec.Sources() {
		switch {
		case s.Err != nil:
			return nil, s.Err
		case s.Kind == recipe.GitSource:
			return nil, &Error{Path: s.Pos.String(), Problem: "it is a git source, which a prepared folder cannot hold", Mend: "name an archive of that revision by url and sha256"}
		case s.Kind == recipe.PathSource && !c.holds(s.Path.Value):
			return nil, &Error{
				Path: s.Pos.String(), Problem: fmt.Sprintf("the path source %q is not in the recipe's folder", s.Path.Value),
				Mend: "put it into the recipe's folder",
			}
		}
	}
	return c.files, nil
}

// variants puts the variant files that were named beside the recipe's own into
// the folder.
func (p *preparation) variants(m *Manifest, files map[string]copied) error {
	for i, file := range p.options.Gate.Recipe.VariantFiles {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		// The name decides how a file is read.
		name := path.Join(evidenceDir, fmt.Sprintf("variants-%d", i), plainName(filepath.Base(file)))
		if err := writeFile(join(p.place.content, name), data); err != nil {
			return err
		}
		files[name] = copied{sum: sumOf(data)}
		m.Evaluation.VariantFiles = append(m.Evaluation.VariantFiles, name)
	}
	return nil
}

// root is the trusted root of the domains that verified something; nil if none
// did.
func (p *preparation) root(results []audit.Result) ([]byte, error) {
	used := map[string]bool{}
	for _, r := range results {
		for _, b := range r.Evidence.Bundles() {
			used[b.Domain] = true
		}
	}
	var domains []trust.Domain
	for _, d := range p.domains {
		if used[d.Name] {
			domains = append(domains, d)
		}
	}
	if len(domains) == 0 {
		return nil, nil
	}
	file, _, err := trust.Export(domains)
	return file, err
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncFolders has the entries of all folders written to disk, where the system
// can.
func syncFolders(top string) error {
	return filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			syncFolder(path)
		}
		return err
	})
}

func syncFolder(path string) {
	if f, err := os.Open(path); err == nil {
		_ = f.Sync() // not every system can
		f.Close()
	}
}

func same(a, b []byte) bool { return bytes.Equal(a, b) }
