package fetch

import (
	"errors"
	"fmt"
	"io"
)

// A Keeper is given the bytes of an archive while they are measured.
type Keeper interface {
	io.Writer
	// Reset forgets all that was written, for the archive begins again. It is
	// called before the first byte of each URL, too.
	Reset() error
}

// KeepError says that a Keeper failed. It is about the place that the archive
// goes to, and says nothing about the archive.
type KeepError struct {
	URL string // as asked for
	Err error
}

// Error names the URL, redacted, and the Keeper's own error.
func (e *KeepError) Error() string {
	return fmt.Sprintf("%q was fetched and cannot be kept: %v", Redact(e.URL), e.Err)
}

// Unwrap gives the Keeper's error.
func (e *KeepError) Unwrap() error { return e.Err }

// Hint says what a user can do.
func (e *KeepError) Hint() string {
	return "make room where archives are kept, and see to its permissions"
}

// keeping hands an archive's bytes to a Keeper, until that fails.
type keeping struct {
	*archiveBody
	url    string
	keeper Keeper
	failed *KeepError
}

func (k *keeping) Write(p []byte) (int, error) {
	if k.failed == nil {
		k.fail(write(k.keeper, p))
	}
	if k.failed != nil {
		return 0, k.failed
	}
	return k.archiveBody.Write(p)
}

func write(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	if err == nil && n != len(p) {
		return io.ErrShortWrite
	}
	return err
}

func (k *keeping) Reset() {
	if k.failed == nil {
		k.fail(k.keeper.Reset())
	}
	k.archiveBody.Reset()
}

func (k *keeping) fail(err error) {
	if err != nil {
		k.failed = &KeepError{k.url, err}
	}
}

// kept tells whether an error is a Keeper's, which no other attempt and no other
// address mends.
func kept(err error) (*KeepError, bool) { return errors.AsType[*KeepError](err) }
