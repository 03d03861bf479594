package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressShowsBytesRateAndTimeLeftAndIsGoneAtTheEnd(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, true)
	for i := range 4 {
		p.Update("a", int64(i)*1e6, 10e6)
		p.Update("b", int64(i)*1e6, 10e6)
		time.Sleep(120 * time.Millisecond) // the bar is drawn every 100 ms at most
	}
	shown := b.String()
	for _, want := range []string{"/20 MB", "MB/s", "s:"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in %q", want, shown)
		}
	}
	p.close()
	p.Update("a", 5e6, 10e6) // too late
	if screen := lastLine(b.String()); strings.TrimSpace(screen) != "" {
		t.Errorf("%q is left on the terminal", screen)
	}
}

// lastLine is what a terminal shows on its last line after carriage returns.
func lastLine(s string) string {
	screen := []rune{}
	for _, part := range strings.Split(s, "\r") {
		for i, r := range []rune(part) {
			if i < len(screen) {
				screen[i] = r
			} else {
				screen = append(screen, r)
			}
		}
	}
	return string(screen)
}

func TestProgressIsSilentOffATerminal(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, false)
	p.Update("a", 1, 2)
	p.Done("a")
	p.close()
	if b.Len() > 0 {
		t.Errorf("wrote %q", b.String())
	}
}

// Reports go out with the bar out of the way.
func TestProgressMakesWay(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, true)
	p.Update("a", 1e6, 10e6)
	time.Sleep(120 * time.Millisecond)
	p.Update("a", 2e6, 10e6)
	err := p.aside(func() error {
		if screen := lastLine(b.String()); strings.TrimSpace(screen) != "" {
			t.Errorf("%q stands in the way", screen)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
