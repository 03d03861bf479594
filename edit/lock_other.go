//go:build !windows

package edit

import (
	"errors"
	"os"

	"github.com/gofrs/flock"
)

var errLocked = errors.New("the file is being written by another program")

// lock keeps other calls away from a file while it is replaced.
func lock(path string) (unlock func(), err error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY)) // not created
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errLocked
	}
	return func() { _ = l.Close() }, nil
}
