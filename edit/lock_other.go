//go:build !windows

package edit

import (
	"errors"

	"github.com/gofrs/flock"
)

var errLocked = errors.New("the file is being written by another program")

// lock keeps other calls away from a file while it is replaced.
func lock(path string) (unlock func(), err error) {
	l := flock.New(path, flock.SetFlag(0)) // for reading: it is not ours to create
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errLocked
	}
	return func() { _ = l.Close() }, nil
}
