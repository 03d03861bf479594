package fetch

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/digest"
)

// ask is what an attempt asked for.
type ask struct{ Range, IfRange string }

// flaky serves one answer an attempt, the last one for all further ones.
func flaky(answers ...http.HandlerFunc) http.HandlerFunc {
	next := make(chan http.HandlerFunc, len(answers))
	for _, a := range answers {
		next <- a
	}
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case a := <-next:
			a(w, r)
		default:
			answers[len(answers)-1](w, r)
		}
	}
}

// whole announces content and sends n bytes of it.
func whole(content string, n int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		set(w, headers)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		io.WriteString(w, content[:n])
		if n < len(content) {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

// rest answers 206 with content from one byte to another (exclusive), and
// breaks off after n of them.
func rest(content string, from, to, n int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(content)))
		w.Header().Set("Content-Length", strconv.Itoa(to-from))
		set(w, headers)
		w.WriteHeader(http.StatusPartialContent)
		io.WriteString(w, content[from:from+n])
		if n < to-from {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

// unannounced answers 206 in chunks, so that nothing but Content-Range says how
// much there is.
func unannounced(contentRange, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		set(w, []string{"ETag", `"one"`, "Content-Range", contentRange})
		w.WriteHeader(http.StatusPartialContent)
		w.(http.Flusher).Flush()
		io.WriteString(w, body)
	}
}

func set(w http.ResponseWriter, headers []string) {
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			w.Header().Del(headers[i])
		} else {
			w.Header().Set(headers[i], headers[i+1])
		}
	}
}

func answer(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestResumption(t *testing.T) {
	// What the handler flushed reaches the client, so the amounts are exact.
	const size, half = 1 << 20, 1 << 19
	file := sample(size)
	other := strings.Repeat("z", size)
	modified := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	justNow := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	half2 := fmt.Sprintf("bytes=%d-", half)
	tag := []string{"ETag", `"one"`}
	for _, tt := range []struct {
		name    string
		answers []http.HandlerFunc
		want    string // content, or the outcome
		asks    []ask
	}{
		{
			"with an ETag",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size, half, tag...)},
			file,
			[]ask{{}, {half2, `"one"`}},
		},
		{
			"broken off twice",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size, 1000, tag...), rest(file, half+1000, size, half-1000, tag...)},
			file,
			[]ask{{}, {half2, `"one"`}, {fmt.Sprintf("bytes=%d-", half+1000), `"one"`}},
		},
		{
			"with a date",
			[]http.HandlerFunc{whole(file, half, "Last-Modified", modified), rest(file, half, size, half)},
			file,
			[]ask{{}, {half2, modified}},
		},
		{
			"503 in between",
			[]http.HandlerFunc{whole(file, half, tag...), answer(503), rest(file, half, size, half, tag...)},
			file,
			[]ask{{}, {half2, `"one"`}, {half2, `"one"`}},
		},
		{
			"the file changed: 200",
			[]http.HandlerFunc{whole(file, half, tag...), whole(other, size, "ETag", `"two"`)},
			other,
			[]ask{{}, {half2, `"one"`}},
		},
		{
			"the file changed: 200 that breaks off",
			[]http.HandlerFunc{whole(file, half, tag...), whole(other, half, "ETag", `"two"`), rest(other, half, size, half, "ETag", `"two"`)},
			other,
			[]ask{{}, {half2, `"one"`}, {half2, `"two"`}},
		},
		{
			"206 of another ETag",
			[]http.HandlerFunc{whole(file, half, tag...), rest(other, half, size, half, "ETag", `"two"`), whole(other, size)},
			other,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 without ETag",
			[]http.HandlerFunc{whole(file, half, tag...), rest(other, half, size, half), whole(other, size)},
			other,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 of another date",
			[]http.HandlerFunc{whole(file, half, "Last-Modified", modified), rest(other, half, size, half, "Last-Modified", justNow), whole(other, size)},
			other,
			[]ask{{}, {half2, modified}, {}},
		},
		{
			"206 of another part",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half+1, size, half-1, tag...), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 of an earlier part",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, 0, size, size, tag...), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 of too little",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size-1, half-1, tag...), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 with another total",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file+"x", half, size+1, half+1, tag...), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 without total",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size, half, "ETag", `"one"`, "Content-Range", fmt.Sprintf("bytes %d-%d/*", half, size-1)), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 without Content-Range",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size, half, "ETag", `"one"`, "Content-Range", ""), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 whose Content-Range is not what it sends",
			[]http.HandlerFunc{whole(file, half, tag...), unannounced(fmt.Sprintf("bytes %d-%d/%d", half-10, size-1, size), file[half:]), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 that ends early, in good order",
			[]http.HandlerFunc{whole(file, half, tag...), unannounced(fmt.Sprintf("bytes %d-%d/%d", half, size-1, size), file[half:size-10]), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 that goes on",
			[]http.HandlerFunc{whole(file, half, tag...), unannounced(fmt.Sprintf("bytes %d-%d/%d", half, size-1, size), file[half:]+"more"), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"206 in a coding",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size, half, "ETag", `"one"`, "Content-Encoding", "gzip")},
			"unavailable",
			[]ask{{}, {half2, `"one"`}},
		},
		{
			"416",
			[]http.HandlerFunc{whole(file, half, tag...), answer(416), whole(file, size)},
			file,
			[]ask{{}, {half2, `"one"`}, {}},
		},
		{
			"404 in between",
			[]http.HandlerFunc{whole(file, half, tag...), answer(404)},
			"not found",
			[]ask{{}, {half2, `"one"`}},
		},
		{
			"a weak ETag",
			[]http.HandlerFunc{whole(file, half, "ETag", `W/"one"`), whole(file, size)},
			file,
			[]ask{{}, {}},
		},
		{
			"a date that is too young",
			[]http.HandlerFunc{whole(file, half, "Last-Modified", justNow), whole(file, size)},
			file,
			[]ask{{}, {}},
		},
		{
			"nothing to hold on to",
			[]http.HandlerFunc{whole(file, half), whole(file, size)},
			file,
			[]ask{{}, {}},
		},
		{
			"a server that does not want it",
			[]http.HandlerFunc{whole(file, half, "ETag", `"one"`, "Accept-Ranges", "none"), whole(file, size)},
			file,
			[]ask{{}, {}},
		},
		{
			"broken before the first byte",
			[]http.HandlerFunc{whole(file, 0, tag...), whole(file, size)},
			file,
			[]ask{{}, {}},
		},
		{
			"over and over",
			[]http.HandlerFunc{whole(file, half, tag...), rest(file, half, size, 0, tag...)},
			"unavailable",
			[]ask{{}, {half2, `"one"`}, {half2, `"one"`}, {half2, `"one"`}, {half2, `"one"`}},
		},
		{
			"never the same file",
			[]http.HandlerFunc{whole(file, half, "ETag", `"1"`), whole(other, half, "ETag", `"2"`), whole(file, half, "ETag", `"3"`), whole(other, half, "ETag", `"4"`), whole(file, half, "ETag", `"5"`)},
			"unavailable",
			[]ask{{}, {half2, `"1"`}, {half2, `"2"`}, {half2, `"3"`}, {half2, `"4"`}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, flaky(tt.answers...))
			got, err := quick(t).Archive(t.Context(), []string{s.URL}, ArchiveOptions{})
			var asks []ask
			for _, r := range s.requests() {
				asks = append(asks, ask{r.Header.Get("Range"), r.Header.Get("If-Range")})
			}
			if diff := cmp.Diff(tt.asks, asks); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if len(tt.want) < size {
				if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
					t.Errorf("outcome (-want +got):\n%s%v", diff, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.SHA256 != digest.SHA256(sha256.Sum256([]byte(tt.want))) || got.Size != size {
				t.Errorf("found %d bytes with the digest of neither file alone", got.Size)
			}
		})
	}
}

func TestDocumentStartsAgain(t *testing.T) {
	s := serve(t, flaky(whole("one", 2, "ETag", `"1"`), whole("two", 3)))
	got, err := quick(t).Document(t.Context(), s.URL, DocumentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Body) != "two" {
		t.Errorf("body %q, wanted %q", got.Body, "two")
	}
	if diff := cmp.Diff([]string{"", ""}, s.headers("Range")); diff != "" {
		t.Errorf("Range (-want +got):\n%s", diff)
	}
}

func TestContentRange(t *testing.T) {
	type result struct {
		From, To, Total int64
		OK              bool
	}
	for in, want := range map[string]result{
		"bytes 0-4/5":                     {0, 4, 5, true},
		"bytes 3-3/9":                     {3, 3, 9, true},
		"bytes 0-5/5":                     {0, 5, 5, false},
		"bytes 4-3/5":                     {4, 3, 5, false},
		"bytes 0-4/*":                     {},
		"bytes */5":                       {},
		"bytes -1-4/5":                    {},
		"bytes 0-4":                       {},
		"items 0-4/5":                     {},
		"bytes 0-4/99999999999999999999":  {},
		"bytes 0-4/9223372036854775808":   {},
		"bytes +0-4/5":                    {},
		"":                                {},
		"bytes 0-4/9223372036854775807":   {0, 4, 1<<63 - 1, true},
		"bytes 0-18446744073709551615/10": {},
	} {
		var got result
		got.From, got.To, got.Total, got.OK = contentRange(in)
		if !got.OK && !want.OK {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}
