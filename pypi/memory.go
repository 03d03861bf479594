package pypi

import (
	"container/list"
	"context"
	"sync"
)

// Limits of what a resolver remembers.
const (
	smallIndex  = 2 << 20 // bytes of an answer of the Simple API that others are read beside
	maxRemember = 8 << 20 // bytes of what is kept of answers, about
	maxCounted  = 100_000 // projects whose files are counted

	projectCost = 256 // bytes of a project beside its files, about
	entryCost   = 96  // bytes of a file beside its strings, about
)

// anyLarge is no project's name, and stands for all whose answers are large.
const anyLarge = "/"

// indexes remembers the projects that were asked for last, and lets one caller at
// a time ask for one of them. The zero value is ready to use.
type indexes struct {
	mu     sync.Mutex
	files  map[string]int // asked for by name, by project
	taken  map[string]*turn
	known  map[string]*list.Element // of *remembered
	recent *list.List               // the last one used first
	size   int64
}

type remembered struct {
	project string
	*projectIndex
}

// turn is held by the one who asks for a project.
type turn struct {
	held chan struct{}
	want int // holders and those who wait
}

// counts counts a file of a project, and gives how many there were.
func (x *indexes) counts(project string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.files == nil {
		x.files = map[string]int{}
	}
	if n := x.files[project]; n > 0 || len(x.files) < maxCounted {
		x.files[project] = n + 1
	}
	return x.files[project]
}

// take waits until nobody else asks for a project.
func (x *indexes) take(ctx context.Context, project string) (release func(), err error) {
	x.mu.Lock()
	if x.taken == nil {
		x.taken = map[string]*turn{}
	}
	t := x.taken[project]
	if t == nil {
		t = &turn{held: make(chan struct{}, 1)}
		x.taken[project] = t
	}
	t.want++
	x.mu.Unlock()
	leave := func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if t.want--; t.want == 0 {
			delete(x.taken, project)
		}
	}
	select {
	case t.held <- struct{}{}:
		return func() { <-t.held; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}

// get gives what is remembered of a project, or nil.
func (x *indexes) get(project string) *projectIndex {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.known[project]
	if !ok {
		return nil
	}
	x.recent.MoveToFront(e)
	return e.Value.(remembered).projectIndex
}

// put remembers a project, and forgets those that were not used for longest.
func (x *indexes) put(project string, p *projectIndex) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known == nil {
		x.known, x.recent = map[string]*list.Element{}, list.New()
	}
	if _, ok := x.known[project]; ok || p.size() > maxRemember {
		return
	}
	x.known[project] = x.recent.PushFront(remembered{project, p})
	for x.size += p.size(); x.size > maxRemember; {
		last := x.recent.Remove(x.recent.Back()).(remembered)
		delete(x.known, last.project)
		x.size -= last.size()
	}
}
