package fetch

import (
	"fmt"
	"syscall"
	"testing"
)

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128k"); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := serve(t, tagged(string(numbered(1, 20<<10))))
	for run := range 2 {
		c := cached(t, dir)
		for i := range 20 {
			if got := mustGet(t, c, fmt.Sprintf("%s/%d", s.URL, i)); string(got.Body) != string(numbered(1, 20<<10)) {
				t.Errorf("run %d: document %d is another one", run, i)
			}
		}
		c.Cache.Close()
	}
	t.Run("of other documents", func(t *testing.T) {
		c := &Cache{Dir: dir}
		defer c.Close()
		fill(c, 0, 20, 20<<10)
		if c.problem() == nil {
			t.Error("20 documents of 20 KiB found room in 128 KiB")
		}
		for i := range 20 {
			if h := c.load(numberedID(i), 1<<20); h != nil && string(h.body) != string(numbered(i, 20<<10)) {
				t.Errorf("document %d is another one", i)
			}
		}
		check, err := c.Verify(t.Context())
		if err != nil || len(check.Bad) > 0 {
			t.Errorf("found %+v, %v", check.Bad, err)
		}
	})
}
