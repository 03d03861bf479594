package prepare

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// leftOut are folders of a recipe's folder that no build reads: what version
// control and pixi keep there. A file of the name is what a worktree has.
var leftOut = map[string]bool{".git": true, ".hg": true, ".svn": true, ".jj": true, ".pixi": true}

// A copying is the copying of a recipe's folder.
type copying struct {
	from, to *os.Root
	folder   string // from, for messages
	recipe   string // the name of the recipe, which is not copied
	exclude  []string
	// skip tells of a path whether it is the prepared folder, or what is made of
	// it.
	skip  func(path string) bool
	files map[string]copied
	bytes int64
}

// copied is a file that was copied.
type copied struct {
	sum
	executable bool
}

// run copies all regular files, and reads each once.
func (c *copying) run(ctx context.Context) error {
	return fs.WalkDir(c.from.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return c.fail(name, "cannot be read", "", err)
		case name == "." || name == c.recipe:
			return nil
		case leftOut[d.Name()] || c.skip(filepath.Join(c.folder, filepath.FromSlash(name))) || c.excluded(name):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !isPath(name):
			return c.fail(name, fmt.Sprintf("%q is a name that not every system has", name), "rename it, or leave it out with --exclude", nil)
		case ownName(name):
			return c.fail(name, "the recipe's folder has a file or folder of a name that a prepared folder needs for itself",
				"rename it, or leave it out with --exclude "+name, nil)
		case d.IsDir():
			return c.to.Mkdir(filepath.FromSlash(name), 0o777)
		}
		return c.file(ctx, name, d)
	})
}

func (c *copying) excluded(name string) bool {
	for _, glob := range c.exclude {
		if ok, err := doublestar.Match(glob, name); err == nil && ok {
			return true
		}
	}
	return false
}

func (c *copying) fail(name, problem, mend string, err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return &Error{Path: filepath.Join(c.folder, filepath.FromSlash(name)), Problem: problem, Mend: mend, Err: err}
}

// file copies one file. A symbolic link becomes the file that it leads to, which
// has to lie in the folder.
func (c *copying) file(ctx context.Context, name string, d fs.DirEntry) error {
	path := filepath.FromSlash(name)
	info, err := c.from.Stat(path)
	if err != nil {
		problem := "cannot be read"
		if d.Type()&fs.ModeSymlink != 0 {
			problem = "is a symbolic link that leads nowhere, or out of the recipe's folder"
		}
		return c.fail(name, problem, "replace it by the file, or leave it out with --exclude "+name, err)
	}
	if !info.Mode().IsRegular() { // which would wait for a pipe's writer
		return c.fail(name, "is no regular file, and no link to one", "leave it out with --exclude "+name, nil)
	}
	if len(c.files) == MaxFiles {
		return c.tooMuch(fmt.Sprintf("holds more than %d files", MaxFiles))
	}
	in, err := c.from.Open(path)
	if err != nil {
		return c.fail(name, "cannot be read", "", err)
	}
	defer in.Close()
	h := sha256.New()
	left := MaxFolder - c.bytes
	exec := info.Mode()&0o111 != 0
	mode := fs.FileMode(0o666)
	if exec {
		mode = 0o777
	}
	out, err := c.to.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(&reader{ctx, in}, left+1))
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return c.fail(name, "cannot be copied", "", err)
	}
	if n > left {
		return c.tooMuch(fmt.Sprintf("holds more than %d bytes", MaxFolder))
	}
	c.bytes += n
	f := copied{executable: exec, sum: sum{size: n}}
	h.Sum(f.sha256[:0])
	c.files[name] = f
	return nil
}

func (c *copying) tooMuch(problem string) error {
	return &Error{
		Path: c.folder, Problem: "the recipe's folder " + problem,
		Mend: "leave out what the build does not need with --exclude GLOB, or give the recipe a folder of its own",
	}
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// holds tells whether a path source can be built from what was copied: it has to
// be a file or folder of the recipe's.
func (c *copying) holds(source string) bool {
	name := filepath.ToSlash(filepath.Clean(filepath.FromSlash(source)))
	if name == "." {
		return true
	}
	if !isPath(name) {
		return false
	}
	if _, ok := c.files[name]; ok || name == c.recipe {
		return true
	}
	for f := range c.files {
		if strings.HasPrefix(f, name+"/") {
			return true
		}
	}
	return false
}
