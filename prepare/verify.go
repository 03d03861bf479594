package prepare

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/pypi"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Verify verifies a prepared folder again, and asks nobody: the original recipe's
// sources with the archives and bundles that are in the folder, under the options
// that are given. A nil error proves that all sources are as [gate.Verify] wants
// them; that the recipe in the folder is the one that is made of them; and that
// every file is as prepared.json lists it, no more and no fewer. It proves that
// the folder is the one that was made only with [VerifyOptions.Digest].
//
// Otherwise the error is a [*gate.Refusal]; what is wrong with the folder itself
// is a result with [CodeFolder].
func Verify(ctx context.Context, dir string, o VerifyOptions) (gate.Report, error) {
	location, err := filepath.Abs(dir)
	if err != nil {
		return gate.Report{}, err
	}
	return verifyIn(ctx, dir, location, o)
}

// A folder is a prepared folder that is verified.
type folder struct {
	dir, location string // where it lies, and where it is to lie
	options       VerifyOptions
	root          *os.Root
	manifest      Manifest
	faults        []fault
}

// A fault is something that is wrong with a folder.
type fault struct{ name, problem, mend string }

func (f *folder) fault(name, format string, a ...any) {
	if len(f.faults) < recipe.MaxFaults {
		f.faults = append(f.faults, fault{name: name, problem: fmt.Sprintf(format, a...)})
	}
}

func verifyIn(ctx context.Context, dir, location string, o VerifyOptions) (report gate.Report, err error) {
	f := &folder{dir: dir, location: location, options: o}
	if f.root, err = os.OpenRoot(dir); err != nil {
		return report, err
	}
	defer f.root.Close()
	if f.open() {
		if err := f.files(ctx); err != nil {
			return report, err
		}
		var refusal *gate.Refusal
		if report, err = f.sources(ctx); err != nil && !errors.As(err, &refusal) {
			return report, err
		}
	}
	return f.judge(report)
}

// judge puts what is wrong with the folder beside what is wrong with its sources.
func (f *folder) judge(report gate.Report) (gate.Report, error) {
	if report.Summary.Verdicts == nil {
		report.Summary.Verdicts = map[audit.Verdict]int{}
	}
	for _, x := range f.faults {
		path := filepath.Join(f.dir, filepath.FromSlash(x.name))
		mend := x.mend
		if mend == "" {
			mend = "the folder was changed after it was prepared: prepare it anew, and find out who changed it"
		}
		report.Results = append(report.Results, audit.Result{
			Recipe: path, Position: recipe.Position{File: path},
			Verdict: audit.Error, Code: CodeFolder, Message: x.problem, Hint: mend,
		})
		report.Summary.Sources++
		report.Summary.Verdicts[audit.Error]++
		report.Summary.Status = audit.WorseStatus(report.Summary.Status, audit.StatusError)
	}
	refusal := &gate.Refusal{Status: report.Summary.Status}
	for i, r := range report.Results {
		if r.Code == audit.Code(verify.CodeUnknownAuthority) {
			r.Hint = fmt.Sprintf("whom to believe is never taken from the folder; if you know where it is from: --trusted-root %s", join(f.dir, rootName))
			report.Results[i] = r
		}
		if r.Verdict.Status() != audit.StatusOK {
			refusal.Results = append(refusal.Results, r)
		}
	}
	switch {
	case len(refusal.Results) > 0:
		return report, refusal
	case report.Summary.Status != audit.StatusOK || len(f.manifest.Files) == 0:
		return report, errors.New("the run ended without a verdict")
	}
	return report, nil
}

// read reads a file of the folder, bounded.
func (f *folder) read(name string, most int64) ([]byte, error) {
	path := filepath.FromSlash(name)
	info, err := f.root.Lstat(path)
	if err != nil {
		return nil, plainError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	file, err := f.root.Open(path)
	if err != nil {
		return nil, plainError(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return data, err
}

func plainError(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// open reads the manifest, and tells whether there is anything to go on with.
func (f *folder) open() bool {
	data, err := f.read(manifestName, MaxManifest)
	if err != nil {
		f.fault(manifestName, "it cannot be read: %v", err)
		return false
	}
	if want := f.options.Digest; want != nil && sumOf(data).sha256 != *want {
		f.fault(manifestName, "it has the sha256 %s, wanted %s: the folder is not the one that was made", sumOf(data).sha256, want)
		return false
	}
	if f.manifest, err = parseManifest(data); err != nil {
		f.fault(manifestName, "%v", err)
		return false
	}
	m := f.manifest
	if m.Location != "" && m.Location != filepath.ToSlash(f.location) {
		f.faults = append(f.faults, fault{
			manifestName, fmt.Sprintf("the folder was made to lie at %q, since its recipe names archives by absolute address, and lies at %q", m.Location, f.location),
			"prepare it where it is to be built from",
		})
	}
	return true
}

// files holds every file against the manifest. Archives are hashed later, by
// whoever verifies sources.
func (f *folder) files(ctx context.Context) error {
	archives := map[string]bool{}
	for _, s := range f.manifest.Sources {
		archives[s.Archive] = true
	}
	seen := map[string]bool{}
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			f.fault(name, "it cannot be read: %v", plainError(err))
			return nil
		case d.IsDir() || name == manifestName:
			return nil
		}
		seen[name] = true
		listed := f.manifest.file(name)
		switch {
		case listed == nil:
			f.fault(name, "the folder has a file that prepared.json does not list")
		case !d.Type().IsRegular():
			f.fault(name, "it is no regular file")
		default:
			f.compare(ctx, *listed, archives[name])
		}
		return nil
	})
	for _, l := range f.manifest.Files {
		if !seen[l.Path] {
			f.fault(l.Path, "prepared.json lists the file, and it is not there")
		}
	}
	return errors.Join(err, ctx.Err())
}

func (f *folder) compare(ctx context.Context, listed FileDocument, archive bool) {
	file, err := f.root.Open(filepath.FromSlash(listed.Path))
	if err != nil {
		f.fault(listed.Path, "it cannot be read: %v", plainError(err))
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		f.fault(listed.Path, "it cannot be read: %v", plainError(err))
		return
	}
	if info.Size() != listed.Size && !archive {
		f.fault(listed.Path, "it has %d bytes, wanted %d", info.Size(), listed.Size)
		return
	}
	if executable := info.Mode()&0o111 != 0; executable != listed.Executable && filepath.Separator == '/' {
		f.fault(listed.Path, "found executable: %t, wanted %t", executable, listed.Executable)
	}
	if archive {
		return
	}
	h := sha256.New()
	if _, err := io.Copy(h, &reader{ctx, file}); err != nil && ctx.Err() == nil {
		f.fault(listed.Path, "it cannot be read: %v", plainError(err))
		return
	}
	if found := digest.SHA256(h.Sum(nil)); found.String() != listed.SHA256 {
		f.fault(listed.Path, "it has the sha256 %s, wanted %s", found, listed.SHA256)
	}
}

// sources verifies the original recipe's sources, and compares what is made of
// them with the folder.
func (f *folder) sources(ctx context.Context) (gate.Report, error) {
	original, err := f.read(originalName, recipe.MaxSize)
	if err != nil {
		f.fault(originalName, "it cannot be read: %v", err)
		return gate.Report{}, nil
	}
	path := join(f.dir, originalName)
	evaluated := f.manifest.Evaluation.options(f.dir)
	rec, err := recipe.Parse(path, original, evaluated)
	if err != nil {
		f.fault(originalName, "%v", err)
		return gate.Report{}, nil
	}
	rec.Path = join(f.dir, f.manifest.Recipe) // which a policy's patterns are about
	o := f.options.Gate
	o.Recipe, o.Read = evaluated, func(string) (*recipe.Recipe, error) { return rec, nil }
	o.Offline, o.NoHistory, o.NoDownload, o.Discover, o.Propose = true, true, false, false, false
	o.Archives, o.KeepCandidates = true, true
	o.Mirrors, o.Evidence = nil, nil
	o.Fetch, o.Resolver = f.archive, evidence{f}
	if beside := o.Lock; beside != nil {
		o.Lock = func(string) (*lock.File, error) { return beside(join(f.dir, f.manifest.Recipe)) }
	}
	report, err := gate.Verify(ctx, path, o)
	var refusal *gate.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return report, err
	}
	if err == nil {
		f.derived(original, rec, report.Results, evaluated)
	}
	return report, err
}

// archive gives an archive of the folder.
func (f *folder) archive(ctx context.Context, client *fetch.Client, w audit.Wanted) (*fetch.Archive, error) {
	abs, err := filepath.Abs(join(f.dir, archivePath(w.SHA256, w.URLs)))
	if err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/")}
	a, err := client.Archive(ctx, []string{u.String()}, w.Options)
	if a != nil && len(w.URLs) > 0 {
		a.URL = w.URLs[0]
	}
	return a, err
}

// derived compares the files that follow from the recipe and its evidence.
func (f *folder) derived(original []byte, rec *recipe.Recipe, results []audit.Result, o recipe.Options) {
	d, err := derive(f.manifest, original, rec, results, o)
	if err != nil {
		f.fault(f.manifest.Recipe, "what is to be in it cannot be told: %v", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		found, err := f.read(name, MaxManifest)
		if err != nil {
			f.fault(name, "it cannot be read: %v", err)
		} else if !bytes.Equal(found, d.files[name]) {
			f.fault(name, "it is not what follows from the original recipe and its evidence")
		}
	}
	wanted, errWanted := encode(d.sources)
	found, errFound := encode(f.manifest.Sources)
	if err := errors.Join(errWanted, errFound); err != nil || !bytes.Equal(wanted, found) {
		f.faults = append(f.faults, fault{
			manifestName, "its list of sources is not what follows from the original recipe and its evidence",
			"if it was prepared under a policy, which names publishers too, name that: --policy FILE; otherwise the folder was changed after it was prepared",
		})
	}
}

// evidence is the evidence in a folder, as a resolver.
type evidence struct{ *folder }

// Name implements attestation.Resolver.
func (evidence) Name() string { return "prepared-folder" }

// Resolve implements attestation.Resolver: the bundles that the manifest lists for
// a source.
func (e evidence) Resolve(_ context.Context, q attestation.Query) (attestation.Answer, error) {
	var answer attestation.Answer
	seen := map[string]bool{}
	for _, s := range e.manifest.Sources {
		if s.SHA256 != q.SHA256.String() || !slices.Equal(s.URLs, q.URLs) {
			continue
		}
		for _, b := range s.Bundles {
			if seen[b.Path] {
				continue
			}
			seen[b.Path] = true
			answer.Addresses = append(answer.Addresses, join(e.dir, b.Path))
			data, err := e.read(b.Path, attestation.MaxDocument)
			if err != nil {
				return answer, &attestation.NoneError{Where: "the prepared folder", What: b.Path, Mend: "prepare it anew"}
			}
			candidates, err := attestation.Parse(b.Origin, data)
			if err != nil {
				return answer, err
			}
			for _, c := range candidates {
				if file, ok := onPyPI(q); ok {
					c.MatchSubject = file.SameFile
				}
				answer.Candidates = append(answer.Candidates, c)
			}
		}
	}
	if len(answer.Candidates) == 0 {
		return answer, &attestation.NoneError{Where: "the prepared folder", What: strings.Join(q.URLs, " or ")}
	}
	return answer, nil
}

// onPyPI gives the distribution that a source's provenance is of, where PyPI is
// where it comes from: subjects have to have its name then.
func onPyPI(q attestation.Query) (pypi.File, bool) {
	if len(q.BundleURLs) > 0 {
		return pypi.File{}, false
	}
	for _, u := range q.URLs {
		if f, ok := pypi.ParseURL(u); ok {
			return f, true
		}
	}
	return pypi.File{}, false
}
