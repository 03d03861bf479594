package fetch

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParseEntry reads entries that somebody has written who can make the
// checksum too: what is taken for good can be written again, and is the same.
func FuzzParseEntry(f *testing.F) {
	id := numberedID(1)
	for _, e := range []entry{
		{Status: http.StatusNotFound, Checked: time.Unix(1, 0).UTC()},
		{Status: http.StatusOK, Blob: sumOf(nil), ETag: `W/"1"`, Header: http.Header{"Link": {"a"}}},
	} {
		file, err := e.marshal(id)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file[len(entryMagic)+64+1:])
	}
	for _, s := range []string{"", "{}", "null", "[]", `{"status":200,"size":-1}`, `{"status":500}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parseEntry(append([]byte(entryMagic+sumOf(data)+"\n"), data...), id)
		if err != nil {
			return
		}
		if e.Status == http.StatusOK && (e.Size < 0 || e.blob.String() != e.Blob) {
			t.Errorf("found a body of %d bytes with the digest %q", e.Size, e.Blob)
		}
		file, err := e.marshal(id)
		if err != nil {
			t.Skip("a time that JSON does not have")
		}
		again, err := parseEntry(file, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, again, cmp.AllowUnexported(entry{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
	})
}
