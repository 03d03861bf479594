package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
)

// file reads a file, below the root of a folder mirror or wherever a file: URL
// says. Below a root nothing leads out of it, symbolic links included.
func (t *transfer) file(at place) (outcome, error) {
	path := at.file
	var opener interface {
		Stat(string) (fs.FileInfo, error)
		Open(string) (*os.File, error)
	} = plainFiles{}
	if at.root != "" {
		root, err := os.OpenRoot(at.root)
		if err != nil {
			u := t.broken(nil, fmt.Sprintf("a mirror folder that cannot be opened: %v", err), "a folder", nil)
			u.Err, u.hint = err, "check the folder of --mirror"
			return outcome{}, u
		}
		defer root.Close()
		opener, path = root, filepath.Join(at.root, filepath.FromSlash(at.file))
	}
	t.have.address = path
	// Opening a pipe would wait for its writer.
	info, err := opener.Stat(filepath.FromSlash(at.file))
	if err != nil {
		return outcome{}, t.fileError(path, err)
	}
	if !info.Mode().IsRegular() {
		return outcome{}, t.noFile(path, "a "+kind(info.Mode()))
	}
	if info.Size() > t.asked.limit {
		return outcome{}, t.tooLarge(info.Size())
	}
	f, err := opener.Open(filepath.FromSlash(at.file))
	if err != nil {
		return outcome{}, t.fileError(path, err)
	}
	defer f.Close()
	t.have.total = info.Size()
	if err := t.read(f); err != nil {
		return outcome{}, err
	}
	return outcome{address: path, header: http.Header{}, size: t.have.size}, nil
}

// plainFiles opens files by their path.
type plainFiles struct{}

func (plainFiles) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }
func (plainFiles) Open(name string) (*os.File, error)    { return os.Open(name) }

func (t *transfer) read(f *os.File) error {
	buf := t.client.buffer()
	defer t.client.buffers.Put(buf)
	t.report(false)
	for {
		if t.parent.Err() != nil {
			return t.ended()
		}
		n, err := f.Read(*buf)
		if t.have.size+int64(n) > t.asked.limit {
			return t.tooLarge(-1)
		}
		t.have.size += int64(n)
		if _, err := t.to.Write((*buf)[:n]); err != nil {
			return err
		}
		t.report(false)
		if err == io.EOF {
			break
		}
		if err != nil {
			return t.fileError(t.have.address, err)
		}
	}
	if t.have.size != t.have.total {
		return t.fileUnavailable(fmt.Sprintf("%d bytes", t.have.size), fmt.Sprintf("%d, as when it was opened", t.have.total), nil)
	}
	t.report(true)
	return nil
}

func (t *transfer) fileError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return t.noFile(path, "no file")
	}
	// The path, which stands in the message already, may hold anything.
	cause := err
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		cause = pathErr.Err
	}
	return t.fileUnavailable(clip(cause.Error()), "a file that can be read", err)
}

func (t *transfer) noFile(path, found string) error {
	return &NotFoundError{URL: t.asked.url, Address: path, Found: found, Wanted: "a file"}
}

func (t *transfer) fileUnavailable(found, wanted string, err error) error {
	return &UnavailableError{
		URL: t.asked.url, Address: t.have.address, Found: found, Wanted: wanted, Err: err,
		hint: "check the file and its permissions",
	}
}

func kind(m fs.FileMode) string {
	if m.IsDir() {
		return "folder"
	}
	return "special file"
}
