package pypi

import (
	"fmt"
	"testing"

	"github.com/recipe-verify/recipe-verify/digest"
)

// However many projects and files there are, what is remembered is bounded; what
// was used last is kept.
func TestMemoryIsBounded(t *testing.T) {
	var x indexes
	link := "https://pypi.org/integrity/p/1/f/provenance"
	projectOf := func(n int) *projectIndex {
		p := &projectIndex{provenance: map[digest.SHA256]string{}, names: map[string]bool{}}
		for i := range n {
			p.provenance[digest.SHA256{byte(i), byte(i >> 8)}] = link
			p.names[fmt.Sprint(i)] = true
		}
		return p
	}
	x.put("used", projectOf(10))
	for i := range 3000 {
		x.put(fmt.Sprint("p", i), projectOf(20))
		if x.get("used") == nil {
			t.Fatalf("what is used was forgotten after %d projects", i)
		}
	}
	if x.size > maxRemember || len(x.known) != x.recent.Len() || len(x.known) > 2900 {
		t.Errorf("%d bytes, %d projects, %d listed", x.size, len(x.known), x.recent.Len())
	}
	if x.get("p0") != nil || x.get("p2999") == nil {
		t.Error("the wrong projects were forgotten")
	}
	x.put("huge", projectOf(60_000))
	if x.get("huge") != nil || x.get("used") == nil {
		t.Error("a project that is too large put out others")
	}
	for i := range maxCounted + 10 {
		x.counts(fmt.Sprint(i))
	}
	if len(x.files) > maxCounted {
		t.Errorf("%d projects are counted", len(x.files))
	}
	if n := x.counts("0"); n != 2 {
		t.Errorf("found %d files, wanted 2", n)
	}
}
