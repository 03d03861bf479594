package repository

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // git's name of a file's content
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// Limits of what is read of a revision.
const (
	maxListing  = 64 << 20       // bytes of the list of its files
	maxRevision = 1 << 10        // of its name
	maxFiles    = 10_000         // in a recipe's folder
	maxFolder   = 64 << 20       // bytes in a recipe's folder
	maxFile     = recipe.MaxSize // of one that anybody reads; see Tree.Extract
)

// A Checkout is a git work tree whose revisions are read.
type Checkout struct{ work *workTree }

// Open gives the work tree that a folder lies in. Errors are *[GitError].
func Open(dir string) (*Checkout, error) {
	w, err := locate(dir)
	if err != nil {
		return nil, &GitError{Problem: fmt.Sprintf("the folder %q cannot be found: %v", dir, err), err: err}
	}
	if w == nil {
		return nil, &GitError{
			Problem: fmt.Sprintf("%q lies in no git work tree, so there are no revisions", dir),
			Mend:    "run it in a checkout, or name folders and recipes on disk", err: errNotTracked,
		}
	}
	return &Checkout{w}, nil
}

// Top is the work tree's folder, absolute.
func (c *Checkout) Top() string { return c.work.top }

// Name gives the path from the top, with "/", of a path on disk, which need not
// exist; "." is the top. It reports false for what lies outside.
func (c *Checkout) Name(file string) (string, bool) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", false
	}
	if name, ok := below(c.work.top, abs); ok {
		return name, true
	}
	// The folder may have been named through symbolic links.
	top, err := filepath.EvalSymlinks(c.work.top)
	if err != nil {
		return "", false
	}
	rest := ""
	for dir := abs; ; rest, dir = filepath.Join(filepath.Base(dir), rest), filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return below(top, filepath.Join(real, rest))
		}
		if filepath.Dir(dir) == dir {
			return "", false
		}
	}
}

func below(top, file string) (string, bool) {
	name, err := filepath.Rel(top, file)
	if err != nil || !filepath.IsLocal(name) {
		return "", false
	}
	return filepath.ToSlash(name), true
}

// Path gives the place on disk of a path from the top.
func (c *Checkout) Path(name string) string {
	return filepath.Join(c.work.top, filepath.FromSlash(name))
}

// A Tree is the files of a commit. It may be used by several goroutines at a
// time.
type Tree struct {
	work   *workTree
	commit string
	files  []blob // sorted by name
}

// A blob is a file of a commit.
type blob struct {
	name    string // from the top of the work tree, with "/"
	link    bool   // a symbolic link
	content string // git's name of it
}

// Tree lists the files of a revision. Nothing but the commit's name is taken from
// the revision's: it cannot be an option of git. Errors are *[GitError] and the
// context's.
func (c *Checkout) Tree(ctx context.Context, revision string) (*Tree, error) {
	if revision == "" || strings.HasPrefix(revision, "-") || strings.ContainsAny(revision, "\x00\n") || len(revision) > maxRevision {
		return nil, &GitError{Problem: fmt.Sprintf("%.100q is no revision", revision), Mend: "name a commit, branch or tag, such as origin/main or HEAD~1"}
	}
	out, err := c.work.output(ctx, nil, maxRevision, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, &GitError{
				Problem: fmt.Sprintf("the checkout has no revision %q", revision),
				Mend:    "name a revision that is in the checkout; in CI fetch its history (with actions/checkout: fetch-depth: 0). A folder or file of that name is written ./" + revision,
				err:     err,
			}
		}
		return nil, err
	}
	t := &Tree{work: c.work, commit: strings.TrimSpace(string(out))}
	if _, err := hex.DecodeString(t.commit); err != nil || t.commit == "" {
		return nil, &GitError{Problem: fmt.Sprintf("git gives no commit for the revision %q", revision)}
	}
	if out, err = c.work.output(ctx, nil, maxListing, "ls-tree", "-r", "-z", "--full-tree", t.commit); err != nil {
		return nil, err
	}
	t.files, err = parseTree(out)
	return t, err
}

// parseTree reads what ls-tree writes: "mode type object TAB path NUL" for each
// file. Submodules are left out.
func parseTree(listing []byte) ([]blob, error) {
	var files []blob
	for line := range bytes.SplitSeq(listing, []byte{0}) {
		if len(line) == 0 {
			continue
		}
		about, name, ok := strings.Cut(string(line), "\t")
		fields := strings.Fields(about)
		if !ok || len(fields) != 3 {
			return nil, &GitError{Problem: fmt.Sprintf("git lists a file as %.200q, wanted mode, type, object and path", line)}
		}
		if fields[1] == "blob" {
			files = append(files, blob{name: name, link: fields[0] == "120000", content: fields[2]})
		}
	}
	slices.SortFunc(files, func(a, b blob) int { return cmp.Compare(a.name, b.name) })
	return files, nil
}

// output runs a git command and gives what it writes, up to most bytes. A command
// that fails gives a *[GitError] that wraps an [exec.ExitError].
func (w *workTree) output(ctx context.Context, stdin io.Reader, most int, args ...string) ([]byte, error) {
	cmd := w.command(ctx, args...)
	var out, stderr limited
	out.most, stderr.most = most, 4<<10
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &stderr
	if err := cmd.Run(); err != nil {
		return nil, revisionFailed(ctx, err, stderr.String())
	}
	if out.over {
		return nil, &GitError{Problem: fmt.Sprintf("git %s writes more than the limit of %d bytes", args[0], most), Mend: elsewhere}
	}
	return out.Bytes(), nil
}

// elsewhere is what to do about revisions that are too large.
const elsewhere = "check the two revisions out into folders, and name the recipes in them"

func revisionFailed(ctx context.Context, err error, said string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return &GitError{Problem: "git is not installed, and revisions are read with it", Mend: "install git, or name folders and recipes on disk", err: err}
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(said), "fatal: "), "\n")
	return &GitError{Problem: fmt.Sprintf("git cannot read the revision: %q", cmp.Or(line, err.Error())), err: err}
}

// Recipes gives the paths of all recipe.yaml below a folder ("." for all), sorted.
func (t *Tree) Recipes(dir string) []string {
	var found []string
	for _, b := range t.within(dir) {
		if path.Base(b.name) == RecipeName {
			found = append(found, b.name)
		}
	}
	return found
}

// Has tells whether there is a file of this name.
func (t *Tree) Has(name string) bool { return t.find(name) != nil }

// HasFolder tells whether there is a folder of this name.
func (t *Tree) HasFolder(name string) bool { return len(t.within(name)) > 0 }

func (t *Tree) find(name string) *blob {
	i, ok := slices.BinarySearchFunc(t.files, name, func(b blob, name string) int { return cmp.Compare(b.name, name) })
	if !ok {
		return nil
	}
	return &t.files[i]
}

// within gives the files in a folder and those below it.
func (t *Tree) within(dir string) []blob {
	if dir == "." {
		return t.files
	}
	search := func(text string) int {
		i, _ := slices.BinarySearchFunc(t.files, text, func(b blob, text string) int { return cmp.Compare(b.name, text) })
		return i
	}
	return t.files[search(dir+"/"):search(dir+"0")] // "0" comes right after "/"
}

// SameFolder tells whether a folder holds the same files in another commit.
func (t *Tree) SameFolder(other *Tree, dir string) bool {
	return slices.Equal(t.within(dir), other.within(dir))
}

// SameOnDisk tells whether a folder of the work tree holds the files of the
// commit and no others. Of what cannot be read it says that it differs, and so it
// does of files that git writes in another form than it keeps them.
func (t *Tree) SameOnDisk(dir string) bool {
	want := t.within(dir)
	top := filepath.Join(t.work.top, filepath.FromSlash(dir))
	seen := 0
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir() || d.Name() == ".git":
			return nil
		}
		rel, ok := below(t.work.top, file)
		if b := t.find(rel); !ok || b == nil || !b.isFile(file, d) {
			return errDiffers
		}
		seen++
		return nil
	})
	return err == nil && seen == len(want)
}

// SameFile tells whether a file of the work tree is that of the commit.
func (t *Tree) SameFile(name string) bool {
	b := t.find(name)
	file := filepath.Join(t.work.top, filepath.FromSlash(name))
	info, err := os.Lstat(file)
	return b != nil && err == nil && b.isFile(file, fs.FileInfoToDirEntry(info))
}

var errDiffers = errors.New("differs")

// isFile tells whether a file on disk has the blob's content.
func (b *blob) isFile(file string, d fs.DirEntry) bool {
	if b.link || !d.Type().IsRegular() {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxFolder {
		return false
	}
	var sum hash.Hash
	switch len(b.content) {
	case hex.EncodedLen(sha1.Size):
		sum = sha1.New() //nolint:gosec // as git does; content that collides is the commit's author's
	case hex.EncodedLen(sha256.Size):
		sum = sha256.New()
	default:
		return false
	}
	fmt.Fprintf(sum, "blob %d\x00", info.Size())
	n, err := io.Copy(sum, io.LimitReader(f, info.Size()+1))
	return err == nil && n == info.Size() && hex.EncodeToString(sum.Sum(nil)) == b.content
}

// Extract writes a folder of the commit, with what is below it, into an empty
// folder on disk. Symbolic links and submodules are left out, with one exception:
// if a file that wanted names is a link, that is an error, since a checkout would
// follow it. A file that is larger than anybody reads is written as one that is
// too large. Nothing is written outside of into, whatever the commit names its
// files. Errors are *[GitError], the file system's and the context's.
func (t *Tree) Extract(ctx context.Context, dir, into string, wanted ...string) error {
	files := t.within(dir)
	if len(files) > maxFiles {
		return &GitError{Problem: fmt.Sprintf("the folder %q has more than the limit of %d files", dir, maxFiles), Mend: elsewhere}
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	regular := files[:0:0]
	for _, b := range files {
		rel := b.below(dir)
		switch {
		case !fs.ValidPath(rel) || rel == "." || !filepath.IsLocal(filepath.FromSlash(rel)):
			return &GitError{Problem: fmt.Sprintf("the commit has a file %.200q, which no checkout could have", b.name)}
		case b.link && slices.Contains(wanted, rel):
			return &GitError{Problem: fmt.Sprintf("%q is a symbolic link, which is not followed in a revision", b.name), Mend: elsewhere}
		case !b.link:
			regular = append(regular, b)
		}
	}
	sizes, err := t.sizes(ctx, regular)
	if err != nil {
		return err
	}
	return t.write(ctx, dir, root, regular, sizes)
}

// below is the blob's path within a folder that it lies in.
func (b *blob) below(dir string) string {
	if dir == "." {
		return b.name
	}
	return strings.TrimPrefix(b.name, dir+"/")
}

// request is what cat-file reads: the names of objects, a line each.
func request(files []blob) io.Reader {
	var list strings.Builder
	for _, b := range files {
		list.WriteString(b.content + "\n")
	}
	return strings.NewReader(list.String())
}

// sizes asks git how large files are.
func (t *Tree) sizes(ctx context.Context, files []blob) ([]int64, error) {
	if len(files) == 0 {
		return nil, nil
	}
	out, err := t.work.output(ctx, request(files), maxListing, "cat-file", "--batch-check")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(files) {
		return nil, &GitError{Problem: fmt.Sprintf("git answers for %d of %d files", len(lines), len(files))}
	}
	sizes := make([]int64, len(files))
	for i, line := range lines {
		if sizes[i], err = files[i].header(line); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

// header reads "object type size".
func (b *blob) header(line string) (int64, error) {
	fields := strings.Fields(line)
	if len(fields) == 3 && fields[0] == b.content && fields[1] == "blob" {
		if size, err := strconv.ParseInt(fields[2], 10, 64); err == nil && size >= 0 {
			return size, nil
		}
	}
	return 0, &GitError{
		Problem: fmt.Sprintf("the checkout has not the content of %q: git says %.200q", b.name, line),
		Mend:    "fetch all of the history (with actions/checkout: fetch-depth: 0, and no filter)",
	}
}

// write has git write the contents, one after the other.
func (t *Tree) write(ctx context.Context, dir string, root *os.Root, files []blob, sizes []int64) error {
	var small []blob
	total := int64(0)
	for i, b := range files {
		if sizes[i] > maxFile {
			if err := writeFile(root, b.below(dir), nil, maxFile+1); err != nil {
				return err
			}
			continue
		}
		small = append(small, b)
		if total += sizes[i]; total > maxFolder {
			return &GitError{Problem: fmt.Sprintf("the folder %q has more than the limit of %d bytes", dir, int64(maxFolder)), Mend: elsewhere}
		}
	}
	if len(small) == 0 {
		return nil
	}
	out, err := t.work.output(ctx, request(small), maxFolder+maxFiles*256, "cat-file", "--batch")
	if err != nil {
		return err
	}
	contents := bufio.NewReader(bytes.NewReader(out))
	for _, b := range small {
		line, err := contents.ReadString('\n')
		if err != nil {
			return &GitError{Problem: fmt.Sprintf("git's answer ends before %q", b.name), err: err}
		}
		size, err := b.header(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		if err := writeFile(root, b.below(dir), io.LimitReader(contents, size), size); err != nil {
			return err
		}
		if end, err := contents.ReadByte(); err != nil || end != '\n' {
			return &GitError{Problem: fmt.Sprintf("git's answer is cut in %q", b.name), err: err}
		}
	}
	return nil
}

// writeFile writes a new file of so many bytes; zeros without content.
func writeFile(root *os.Root, name string, content io.Reader, size int64) error {
	name = filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if content == nil {
		return errors.Join(f.Truncate(size), f.Close())
	}
	n, err := io.Copy(f, content)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, f.Close())
}
