package html

import (
	"fmt"
	"slices"
	"time"
)

// The drawing of coverage over time, in its own units.
const (
	drawingWidth  = 960
	drawingBase   = 220 // where columns stand
	drawingHeight = 250
	drawingLeft   = 44
	drawingTop    = 12
	widestColumn  = 64
	maxLabels     = 12
)

// history is coverage over time as columns, the oldest first.
type history struct {
	About         string
	Width, Height int
	Base          int
	Lines         []gridLine
	Columns       []timeColumn
}

type gridLine struct {
	Y     int
	Label string
}

type timeColumn struct {
	Name   string // for the table
	Label  string // below the column; "" where there is no space for it
	Middle string
	Parts  []columnPart
	Counts Tally
	All    int
}

type columnPart struct {
	Class               string
	X, Y, Width, Height string
}

// historyOf draws the earlier reports and this one; nil if there are none.
func historyOf(earlier []*Snapshot, now *Snapshot) *history {
	if len(earlier) == 0 {
		return nil
	}
	all := slices.SortedStableFunc(slices.Values(earlier), func(a, b *Snapshot) int { return a.day.Compare(b.day) })
	all = append(all, now)
	h := &history{Width: drawingWidth, Height: drawingHeight, Base: drawingBase, About: trend(all)}
	for _, p := range []int{0, 25, 50, 75, 100} {
		y := drawingBase - p*(drawingBase-drawingTop)/100
		h.Lines = append(h.Lines, gridLine{y, fmt.Sprintf("%d %%", p)})
	}
	step := float64(drawingWidth-drawingLeft) / float64(len(all))
	width := min(step*0.7, widestColumn)
	every := (len(all) + maxLabels - 1) / maxLabels
	for i, s := range all {
		middle := drawingLeft + step*(float64(i)+0.5)
		c := timeColumn{
			Name: s.name(), Middle: fmt.Sprintf("%.1f", middle), Counts: s.tally, All: s.tally.All(),
			Parts: columnParts(s.tally, middle-width/2, width),
		}
		if (len(all)-1-i)%every == 0 {
			c.Label = c.Name
		}
		h.Columns = append(h.Columns, c)
	}
	return h
}

func (s *Snapshot) name() string {
	if s.day.IsZero() {
		return "this report"
	}
	return s.day.UTC().Format(time.DateOnly)
}

// columnParts draws the classes from the bottom up.
func columnParts(t Tally, x, width float64) []columnPart {
	if t.All() == 0 {
		return nil
	}
	var parts []columnPart
	unit := float64(drawingBase-drawingTop) / float64(t.All())
	y := float64(drawingBase)
	for c, n := range t {
		if n == 0 {
			continue
		}
		height := float64(n) * unit
		y -= height
		parts = append(parts, columnPart{
			Class: Class(c).info().Class,
			X:     fmt.Sprintf("%.1f", x), Y: fmt.Sprintf("%.2f", y),
			Width: fmt.Sprintf("%.1f", width), Height: fmt.Sprintf("%.2f", height),
		})
	}
	return parts
}

// trend says in words what the drawing shows.
func trend(all []*Snapshot) string {
	first, last := all[0], all[len(all)-1]
	return fmt.Sprintf("Shares of the classes in %d reports. Attested and verified were %s of %s at first, and are %s of %s now.",
		len(all), zero(share(first.tally[Attested], first.tally.All())), count(first.tally.All(), "source"),
		zero(share(last.tally[Attested], last.tally.All())), count(last.tally.All(), "source"))
}

func zero(share string) string {
	if share == "" {
		return "none"
	}
	return share
}
