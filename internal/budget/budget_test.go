package budget

import (
	"testing"
	"time"
)

// A recorder is a test that notes whether it failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestCheck(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector lifts the bounds")
	}
	for name, c := range map[string]struct {
		work func()
		want bool
	}{
		"nothing": {func() {}, false},
		"much memory": {func() {
			b := make([]byte, MaxMemory+1<<20)
			for i := range b {
				b[i] = 1
			}
			time.Sleep(5 * time.Millisecond)
			keep = b
		}, true},
	} {
		r := &recorder{TB: t}
		Check(r, c.work)
		if r.failed != c.want {
			t.Errorf("%s: failed is %v", name, r.failed)
		}
		keep = nil
	}
}

// keep makes the compiler believe that the memory is needed.
var keep []byte
