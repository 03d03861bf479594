package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Format makes a writer of reports.
type Format func(io.Writer) Writer

// appended are formats whose file other programs write to as well.
const appended = "github-summary"

// Files are the reports of one audit, each in its file. A file appears whole when
// the audit has ended, or not at all; what was there before stays until then.
type Files struct {
	list []*reportFile
}

type reportFile struct {
	Writer
	path string // "" for a stream
	temp *os.File
	buf  *bufio.Writer
	add  bool // to what is there
}

// A SpecError says what is wrong with a report that was asked for.
type SpecError struct {
	Spec, Problem, Mend string
}

// Error implements error.
func (e *SpecError) Error() string { return fmt.Sprintf("%q %s", e.Spec, e.Problem) }

// Hint says what to write.
func (e *SpecError) Hint() string { return e.Mend }

// OpenFiles makes the reports that specs name: FORMAT=FILE, or FORMAT alone for
// stdout. The files' folders must exist, and be writable. Errors about a spec are
// of type *[SpecError].
func OpenFiles(specs []string, formats map[string]Format, stdout io.Writer) (_ *Files, err error) {
	f := &Files{}
	defer func() {
		if err != nil {
			f.Discard()
		}
	}()
	seen := map[string]string{}
	for _, spec := range specs {
		format, path, _ := strings.Cut(spec, "=")
		make, ok := formats[format]
		if !ok {
			return f, &SpecError{spec, "names no known format", "known formats: " + strings.Join(slices.Sorted(maps.Keys(formats)), ", ") + "; write FORMAT=FILE"}
		}
		if path == "-" {
			path = ""
		}
		key := path
		if key != "" {
			key = filepath.Clean(path)
		}
		if other, twice := seen[key]; twice {
			return f, &SpecError{spec, fmt.Sprintf("goes where %q goes", other), "give each report a file of its own"}
		}
		seen[key] = spec
		r, err := openReport(path, format == appended, stdout)
		if err != nil {
			return f, err
		}
		r.Writer = make(r.buf)
		f.list = append(f.list, r)
	}
	return f, nil
}

func openReport(path string, add bool, stdout io.Writer) (*reportFile, error) {
	if path == "" {
		return &reportFile{buf: bufio.NewWriter(stdout)}, nil
	}
	// What is no regular file, such as /dev/null or a pipe, cannot be replaced.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, &SpecError{path, "is a folder", "name a file"}
		}
		temp, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &reportFile{temp: temp, buf: bufio.NewWriter(temp)}, nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &reportFile{path: path, temp: temp, buf: bufio.NewWriterSize(temp, 256<<10), add: add}, nil
}

// Header implements [Writer].
func (f *Files) Header(h *Header) error {
	return f.each(func(w Writer) error { return w.Header(h) })
}

// Record implements [Writer].
func (f *Files) Record(r *Record) error {
	return f.each(func(w Writer) error { return w.Record(r) })
}

// Footer implements [Writer].
func (f *Files) Footer(s *Footer) error {
	s = s.bounded()
	return f.each(func(w Writer) error { return w.Footer(s) })
}

func (f *Files) each(do func(Writer) error) error {
	for _, r := range f.list {
		if err := do(r.Writer); err != nil {
			return r.failed(err)
		}
	}
	return nil
}

func (r *reportFile) failed(err error) error {
	if r.path == "" {
		return err
	}
	return fmt.Errorf("the report %s cannot be written: %w", r.path, err)
}

// Commit puts every file in its place. After an error those that are not yet in
// their place are removed.
func (f *Files) Commit() error {
	defer f.Discard()
	for _, r := range f.list {
		if err := r.commit(); err != nil {
			return r.failed(err)
		}
	}
	return nil
}

func (r *reportFile) commit() error {
	if err := r.buf.Flush(); err != nil || r.temp == nil {
		return err
	}
	if r.path == "" {
		err := r.temp.Close()
		r.temp = nil
		return err
	}
	if r.add {
		return r.append()
	}
	err := errors.Join(r.temp.Chmod(0o644), r.temp.Sync(), r.temp.Close())
	if err == nil {
		err = os.Rename(r.temp.Name(), r.path)
	}
	if err == nil {
		r.temp = nil
	}
	return err
}

// append adds a finished report to the end of a file in one go.
func (r *reportFile) append() error {
	if _, err := r.temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	to, err := os.OpenFile(r.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, r.temp)
	return errors.Join(err, to.Close())
}

// Discard removes what has not been put in its place.
func (f *Files) Discard() {
	for _, r := range f.list {
		if r.temp != nil {
			r.temp.Close() //nolint:errcheck // it is removed
			if r.path != "" {
				os.Remove(r.temp.Name()) //nolint:errcheck // nothing can be done about it
			}
			r.temp = nil
		}
	}
}
