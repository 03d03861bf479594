package cli

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows on a terminal how far all downloads together have come. It
// implements audit.Progress; without a terminal it shows nothing.
type progress struct {
	mu     sync.Mutex
	w      io.Writer
	on     bool
	bar    *progressbar.ProgressBar
	bytes  map[string]int64
	totals map[string]int64
	done   int64 // bytes of archives that have ended
}

func newProgress(w io.Writer, on bool) *progress {
	return &progress{w: w, on: on, bytes: map[string]int64{}, totals: map[string]int64{}}
}

// Update implements audit.Progress.
func (p *progress) Update(address string, bytes, total int64) {
	if !p.on {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes[address], p.totals[address] = bytes, total
	p.show()
}

// Done implements audit.Progress.
func (p *progress) Done(address string) {
	if !p.on {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += p.bytes[address]
	delete(p.bytes, address)
	delete(p.totals, address)
	if len(p.bytes) == 0 {
		p.clear()
	}
}

func (p *progress) show() {
	now, total := p.done, p.done
	for address, n := range p.bytes {
		now += n
		if t := p.totals[address]; t >= 0 && total >= 0 {
			total += t
		} else {
			total = -1
		}
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription("fetching"),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(20),
		)
	}
	if total != p.bar.GetMax64() {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(now) // a bar that cannot be drawn is no reason to stop
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar, p.done = nil, 0
	}
}

// aside runs f with the bar out of the way.
func (p *progress) aside(f func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return f()
}

func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = false
	p.clear()
}
