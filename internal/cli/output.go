package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// output is where the report goes: a stream as it comes, or a file that appears
// whole when the run ends, and not at all if it does not.
type output struct {
	stream io.Writer
	path   string // "" for a stream
	buffer bytes.Buffer
}

func newOutput(path string, stdout io.Writer) *output {
	if path == "" || path == "-" {
		return &output{stream: stdout}
	}
	o := &output{path: path}
	o.stream = &o.buffer
	return o
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) { return o.stream.Write(p) }

// commit puts a file in its place by renaming a finished one, which replaces
// what was there on every system that Go builds for; google/renameio does not
// do that on Windows. What is no regular file, such as /dev/null, is written to.
func (o *output) commit() (err error) {
	if o.path == "" {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("--output: %w", err)
		}
	}()
	if info, err := os.Stat(o.path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(o.path, o.buffer.Bytes(), 0o644)
	}
	temp, err := os.CreateTemp(filepath.Dir(o.path), "."+filepath.Base(o.path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // gone already if all went well
	_, err = temp.Write(o.buffer.Bytes())
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), o.path)
}
