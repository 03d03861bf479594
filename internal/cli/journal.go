package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/gate"
	"github.com/recipe-verify/recipe-verify/report"
)

// A journal holds the finished results of an audit while it runs, so that
// another run of the same command can go on after this one was interrupted, by
// whatever. It is a file of JSON Lines below the cache folder. What could not be
// obtained is not in it: that is tried again.
//
// A journal is only for the very same question: its name is a digest of the
// recipes, the policy, the trusted roots and the program. Whoever can write to
// the cache folder can write results into it, as into the report itself.
type journal struct {
	path    string
	lock    *flock.Flock
	file    *os.File
	w       *bufio.Writer
	flushed time.Time
	at      map[string]int64 // where in the file an earlier run's record begins
	earlier *os.File
}

const journalFolder = "audits"

// journal opens the journal of a run. Without --resume what is there is thrown
// away. Where none can be kept, the run goes without one, unless it is to go on.
func (f *auditFlags) journal(c *cobra.Command, o gate.Options, h *report.Header) (*journal, error) {
	if f.noCache && !f.resume {
		return &journal{}, nil
	}
	j, err := openJournal(o, h, f.resume)
	if err == nil {
		return j, nil
	}
	if f.resume {
		return nil, fmt.Errorf("--resume: %w", err)
	}
	warn(c.ErrOrStderr(), "the audit cannot be resumed if it is interrupted: "+err.Error())
	return &journal{}, nil
}

func openJournal(o gate.Options, h *report.Header, resume bool) (*journal, error) {
	name, err := journalName(o, h)
	if err != nil {
		return nil, err
	}
	base, err := fetch.CacheDir(o.CacheDir)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(filepath.Dir(base), journalFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	j := &journal{path: filepath.Join(dir, name+".jsonl"), at: map[string]int64{}}
	j.lock = flock.New(j.path + ".lock")
	switch locked, err := j.lock.TryLock(); {
	case err != nil:
		return nil, err
	case !locked:
		return nil, errors.New("another run of the same command is at work")
	}
	if !resume || expired(j.path) {
		if err := os.Remove(j.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, j.lock.Unlock())
		}
	}
	if err := j.open(); err != nil {
		return nil, errors.Join(err, j.lock.Unlock())
	}
	return j, nil
}

// journalAge is how long a journal can be gone on with: what it says was true of
// the trusted roots and the clock of that time.
const journalAge = 24 * time.Hour

func expired(path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) > journalAge
}

// journalName is a digest of whatever results depend on, beside the sources
// themselves, which are in the keys of records.
func journalName(o gate.Options, h *report.Header) (string, error) {
	sum := sha256.New()
	same := *h
	same.Since, same.Date = "", ""
	header, err := json.Marshal(same)
	if err != nil {
		return "", err
	}
	sum.Write(header)
	if o.Policy != nil && o.Policy.Path != "" {
		text, err := os.ReadFile(o.Policy.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "policy %d\n%s", len(text), text)
	}
	for _, r := range o.TrustConfig().Roots {
		text, err := os.ReadFile(r.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "root %d\n%s", len(text), text)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:16]), nil
}

// open reads where records of an earlier run lie, cuts off a last line that was
// not finished, and goes on behind it.
func (j *journal) open() error {
	file, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	end, err := j.index(file)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	j.file, j.earlier = file, file
	j.w = bufio.NewWriterSize(file, 64<<10)
	j.flushed = time.Now()
	return nil
}

func (j *journal) index(file *os.File) (end int64, err error) {
	r := bufio.NewReaderSize(file, report.MaxLine)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return end, nil // the end, or what is too long to be a record
		}
		var record struct {
			Key     string        `json:"key"`
			Verdict audit.Verdict `json:"verdict"`
		}
		if json.Unmarshal(line, &record) != nil || record.Key == "" || record.Verdict == "" {
			return end, nil
		}
		j.at[record.Key] = end
		end += int64(len(line))
	}
}

// usable tells whether a later run could go on from this journal.
func (j *journal) usable() bool { return j.path != "" }

// has tells whether an earlier run finished the source.
func (j *journal) has(key string) bool {
	_, ok := j.at[key]
	return ok
}

// take gives what an earlier run found, at the place and under the names that
// the recipe has now.
func (j *journal) take(now *report.Record) *report.Record {
	then, err := j.read(j.at[now.Key])
	if err != nil || then.Key != now.Key {
		now.Verdict, now.Code = audit.Unavailable, audit.CodeInterrupted
		now.Message, now.Hint = "what an earlier run found cannot be read again", "run the command again without --resume"
		return now
	}
	merged := *then
	merged.Place, merged.Recipe, merged.Position = now.Place, now.Recipe, now.Position
	merged.Outputs, merged.TargetPlatforms = now.Outputs, now.TargetPlatforms
	merged.Package, merged.Version, merged.Policy = now.Package, now.Version, now.Policy
	merged.Changes = nil
	return &merged
}

func (j *journal) read(at int64) (*report.Record, error) {
	line, err := bufio.NewReaderSize(io.NewSectionReader(j.earlier, at, report.MaxLine), 16<<10).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var record report.Record
	return &record, json.Unmarshal(line, &record)
}

// flushEvery is how much of a run may be lost by a kill.
const flushEvery = time.Second

// add keeps a finished result. Recipes that ask for nothing are read anew in no
// time, and are not kept.
func (j *journal) add(r *report.Record) error {
	if j.w == nil || r.Verdict == audit.Unavailable || r.Verdict == audit.Unattested && r.Finding == nil || r.Verdict == audit.Error ||
		r.Finding != nil && r.Finding.Kind == audit.Unknown || j.has(r.Key) {
		return nil
	}
	err := (&report.Lines{W: j.w}).Record(r)
	if err == nil && time.Since(j.flushed) > flushEvery {
		err = j.w.Flush()
		j.flushed = time.Now()
	}
	if err != nil { // a full disk is no reason to stop: the audit cannot be resumed then
		j.w = nil
	}
	return nil
}

// end keeps the journal if the run is not finished, and removes it otherwise.
func (j *journal) end(open bool) error {
	if j.path == "" {
		return nil
	}
	if j.w == nil {
		j.path = ""
		return errors.New("the journal could not be written, so the audit cannot be resumed")
	}
	if open {
		return j.w.Flush()
	}
	j.w = nil
	return os.Remove(j.path)
}

func (j *journal) close() {
	if j.w != nil {
		j.w.Flush() //nolint:errcheck // what was not kept is done again
		j.w = nil
	}
	if j.file != nil {
		j.file.Close() //nolint:errcheck // as above
		j.file, j.earlier = nil, nil
	}
	if j.lock != nil {
		j.lock.Unlock() //nolint:errcheck // it ends with the process
	}
}
