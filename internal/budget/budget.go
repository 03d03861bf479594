// Package budget says in tests whether hostile input stays cheap: below 256 MiB
// of memory and 5 seconds, whatever it holds (spec/threats.md, "Transport and
// resources").
package budget

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// Bounds of what reading anything may cost. Memory is the heap, garbage
// included, above what it was before.
const (
	MaxMemory = 256 << 20
	MaxTime   = 5 * time.Second
)

// busy is how many times longer work may take on a machine that runs other tests
// at the same time.
const busy = 4

// Check runs a function and fails the test where it costs too much. The race
// detector makes work some ten times slower and larger, which says nothing about
// the input, so that only a hang fails there.
func Check(t testing.TB, work func()) {
	t.Helper()
	runtime.GC()
	before := heap()
	// Garbage is collected in time where there is little memory, as it would be
	// on a machine that has no more.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(int64(before) + MaxMemory*3/4))
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			most = max(most, heap())
			select {
			case <-stop:
				result <- most
				return
			case <-time.After(200 * time.Microsecond):
			}
		}
	}()
	began := time.Now()
	work()
	spent := time.Since(began)
	close(stop)
	if used := <-result; used > before+MaxMemory && !raceEnabled {
		t.Errorf("took %d MiB, wanted at most %d", (used-before)>>20, MaxMemory>>20)
	}
	if spent > busy*MaxTime && !raceEnabled || spent > 10*MaxTime {
		t.Errorf("took %v, wanted at most %v", spent, MaxTime)
	}
}

// SkipWithRace skips a test of large inputs under the race detector, which takes
// a minute for them and measures nothing.
func SkipWithRace(t testing.TB) {
	t.Helper()
	if raceEnabled {
		t.Skip("what input costs is measured without the race detector")
	}
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
