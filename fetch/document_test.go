package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// outcomeOf names the kind of an error.
func outcomeOf(err error) string {
	var (
		missing *NotFoundError
		away    *UnavailableError
		refused *RefusedError
		large   *TooLargeError
	)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &missing):
		return "not found"
	case errors.As(err, &away):
		return "unavailable"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &large):
		return "too large"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "other: " + err.Error()
}

func TestDocumentStatus(t *testing.T) {
	for _, tt := range []struct {
		status   int
		want     string
		requests int
	}{
		{200, "ok", 1},
		{204, "unavailable", 1},
		{206, "unavailable", 1},
		{300, "unavailable", 1},
		{304, "unavailable", 1},
		{400, "unavailable", 1},
		{401, "unavailable", 1},
		{403, "unavailable", 1},
		{404, "not found", 1},
		{410, "not found", 1},
		{418, "unavailable", 1},
		{429, "unavailable", 5},
		{500, "unavailable", 5},
		{501, "unavailable", 5},
		{503, "unavailable", 5},
		{999, "unavailable", 5},
	} {
		t.Run(status(tt.status), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) })
			_, err := quick(t).Document(t.Context(), s.URL+"/d", DocumentOptions{})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if got := len(s.requests()); got != tt.requests {
				t.Errorf("%d requests, wanted %d", got, tt.requests)
			}
		})
	}
}

func TestDocumentIsWhatWasSent(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Kept", "yes")
		io.WriteString(w, "body of "+r.URL.RequestURI())
	})
	asked := s.URL + "/d?key=secret#part"
	got, err := quick(t).Document(t.Context(), asked, DocumentOptions{Accept: "application/x-test"})
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{URL: asked, Address: s.URL + "/d?key=xxxxx", Body: []byte("body of /d?key=secret")}
	header := got.Header.Get("X-Kept")
	got.Header = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if header != "yes" {
		t.Errorf("header %q, wanted %q", header, "yes")
	}
	sent := s.requests()[0].Header
	sent.Del("Range")
	wantHeader := http.Header{"Accept": {"application/x-test"}, "Accept-Encoding": {"identity"}, "User-Agent": {DefaultUserAgent}}
	if diff := cmp.Diff(wantHeader, sent); diff != "" {
		t.Errorf("request header (-want +got):\n%s", diff)
	}
}

func TestDocumentLimits(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
				return
			}
		}
	}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		max     int64
		want    string
	}{
		{"at the limit", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "12345") }, 5, "ok"},
		{"at the limit, chunked", chunked("123", "45"), 5, "ok"},
		{"over the limit by announcement", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "123456") }, 5, "too large"},
		{"over the limit, chunked", chunked("123", "456"), 5, "too large"},
		{"endless", endless, 1 << 20, "too large"},
		{"endless, default limit", endless, 0, "too large"},
		{"gzip that was not asked for", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "12345")
		}, 5, "unavailable"},
		{"identity spelled out", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "Identity")
			io.WriteString(w, "12345")
		}, 5, "ok"},
		{"a header without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeader))
		}, 5, "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.handler)
			_, err := quick(t).Document(t.Context(), s.URL, DocumentOptions{MaxBytes: tt.max})
			if diff := cmp.Diff(tt.want, outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func chunked(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range parts {
			io.WriteString(w, p)
			w.(http.Flusher).Flush()
		}
	}
}

func TestDocumentOverTLS(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			s := startTLS(t, protocol == "HTTP/2.0", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
			c := quick(t)
			c.RootCAs = s.roots()
			got, err := c.Document(t.Context(), s.URL, DocumentOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != protocol {
				t.Errorf("fetched over %s, wanted %s", got.Body, protocol)
			}
		})
	}
	t.Run("an unknown authority is not tried again", func(t *testing.T) {
		s := startTLS(t, false, func(http.ResponseWriter, *http.Request) {})
		_, err := quick(t).Document(t.Context(), s.URL, DocumentOptions{})
		var away *UnavailableError
		if !errors.As(err, &away) {
			t.Fatalf("%v, wanted an UnavailableError", err)
		}
		if away.Attempts != 1 {
			t.Errorf("%d attempts, wanted 1", away.Attempts)
		}
	})
	t.Run("no TLS at all is not tried again", func(t *testing.T) {
		s := serve(t, func(http.ResponseWriter, *http.Request) {})
		_, err := quick(t).Document(t.Context(), "https"+strings.TrimPrefix(s.URL, "http"), DocumentOptions{})
		var away *UnavailableError
		if !errors.As(err, &away) || away.Attempts != 1 {
			t.Errorf("%v, wanted an UnavailableError after 1 attempt", err)
		}
	})
}

func TestUnusableURLs(t *testing.T) {
	for _, u := range []string{
		"", "x", "/etc/passwd", "ftp://host/a", "gopher://host/", "data:,x", "http://", "https:///a", "http:opaque",
		"http://host:port/", "http://[::1/", "http://a b/", "file://server/share/a", "file:relative", "javascript:1",
		"http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.0.0.1.5/",
		"http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[::ffff:169.254.169.254]/",
		"http://0.0.0.0/", "http://[::]/", "http://224.0.0.1/", "http://[ff02::1]/", "http://255.255.255.255/",
		"http://metadata.google.internal/", "http://[fd00:ec2::254]/", "http://[64:ff9b::a9fe:a9fe]/",
	} {
		t.Run(u, func(t *testing.T) {
			began := time.Now()
			_, err := quick(t).Document(t.Context(), u, DocumentOptions{})
			if diff := cmp.Diff("refused", outcomeOf(err)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s%v", diff, err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}
