package pypi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/pypi"
)

const metadata = "/pypi/flask/3.1.1/json"

func TestLinks(t *testing.T) {
	info := func(fields string) map[string]string {
		return map[string]string{metadata: `{"info":{"description":"x",` + fields + `},"urls":[{"url":"https://evil.example/x"}]}`}
	}
	urls := func(pairs string) map[string]string { return info(`"home_page":"","project_urls":{` + pairs + `}`) }
	var many []string
	for i := range pypi.MaxLinks + 1 {
		many = append(many, fmt.Sprintf(`"l%03d":"https://example.org/"`, i))
	}
	type links = []attestation.Link
	source := links{{Label: "Source", URL: "https://github.com/pallets/flask"}}
	const good = `"Source":"https://github.com/pallets/flask"`
	for _, c := range []struct {
		name    string
		answers map[string]string
		want    links
		kind    any // what the error must be, or have in its text; nil for none
	}{
		{"sorted by label", urls(good + `,"Changes":"https://flask/changes"`), append(links{{Label: "Changes", URL: "https://flask/changes"}}, source...), nil},
		{"home page", info(`"home_page":" http://flask/ ","project_urls":null`), links{{Label: "Homepage", URL: "http://flask/"}}, nil},
		{"home page twice", info(`"home_page":"https://flask","project_urls":{"Homepage":"https://flask"}`), links{{Label: "Homepage", URL: "https://flask"}}, nil},
		{"label twice", urls(good + `,"Source":"https://flask/other"`), append(links{{Label: "Source", URL: "https://flask/other"}}, source...), nil},
		{"none", info(`"home_page":null,"project_urls":null`), nil, nil},
		{"none, without the keys", info(`"x":1`), nil, nil},
		{"as many as may be", urls(strings.Join(many[1:], ",")), func() (l links) {
			for i := 1; i <= pypi.MaxLinks; i++ {
				l = append(l, attestation.Link{Label: fmt.Sprintf("l%03d", i), URL: "https://example.org/"})
			}
			return l
		}(), nil},

		{"label that drives a terminal", urls(`"So\u001b[31mur\nce\u202e":"https://github.com/pallets/flask"`), links{{Label: "So\ufffd[31mur\ufffdce\ufffd", URL: source[0].URL}}, nil},
		{"address that drives a terminal", urls(`"a":"https://github.com/\u001b[31m","b":"https://github.com/x\ny","c":"https://github.com/\u202ex",` + good), source, nil},
		{"address of something else", urls(`"a":"javascript:alert(1)","b":"file:///etc/passwd","c":"/x","d":"","e":"ftp://x/y","f":"https:///x","g":"mailto:a@b",` + good), source, nil},
		{"address with userinfo", urls(`"a":"https://github.com@evil.example/","b":"https://a:b@github.com/",` + good), source, nil},
		{"address with blanks and backslashes", urls(`"a":"https://github.com/a b","b":"https://evil.example\\@github.com/",` + good), source, nil},
		{"address that is none", urls(`"a":"https://[::1","b":"https://%zz/",` + good), source, nil},
		{"address that is no text", urls(`"a":7,"b":{"c":[]},"d":null,"e":["https://x"],` + good), source, nil},
		{"address too long", urls(`"a":"https://example.org/` + strings.Repeat("a", pypi.MaxLink) + `",` + good), source, nil},
		{"label too long", urls(`"` + strings.Repeat("a", pypi.MaxLink+1) + `":"https://example.org/",` + good), source, nil},
		{"links that are no object", info(`"home_page":["https://x"],"project_urls":["https://x"]`), nil, nil},

		{"too many", urls(strings.Join(many, ",")), nil, "is malformed: "},
		{"no JSON", map[string]string{metadata: "<html>"}, nil, "is malformed: "},
		{"cut off", map[string]string{metadata: `{"info":{"project_urls":{"a":"https://`}, nil, "is malformed: "},
		{"more behind it", map[string]string{metadata: `{"info":{}} {}`}, nil, "is malformed: "},
		{"no release", map[string]string{metadata: `{"message":"Not Found"}`}, nil, "is malformed: "},
		{"info is no object", map[string]string{metadata: `{"info":"https://x"}`}, nil, "is malformed: "},
		{"nested deep", map[string]string{metadata: `{"info":` + strings.Repeat("[", 100_000)}, nil, "is malformed: "},
		{"too large", map[string]string{metadata: `{"info":{}}` + strings.Repeat(" ", pypi.MaxMetadata)}, nil, new(*fetch.TooLargeError)},
		{"unknown to the index", nil, nil, new(*attestation.NoneError)},
		{"refused", map[string]string{metadata: "403"}, nil, new(*fetch.UnavailableError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			resolver, asked := index(t, c.answers)
			got, err := resolver.Links(context.Background(), query(t, "https://example.org/x", flask))
			switch text, ok := c.kind.(string); {
			case c.kind == nil && err != nil:
				t.Fatal(err)
			case ok:
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Fatalf("error %v, wanted %q in it", err, text)
				}
			case c.kind != nil && !errors.As(err, c.kind):
				t.Fatalf("error %T %v, wanted %T", err, err, c.kind)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{metadata + " application/json"}, *asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// Nobody is asked for the links of what is not on PyPI.
func TestLinksOfOthers(t *testing.T) {
	resolver, asked := index(t, nil)
	for _, address := range []string{
		"https://example.org/flask-3.1.1.tar.gz", "https://github.com/pallets/flask/archive/3.1.1.tar.gz",
		"https://pypi.org/project/flask", "https://pypi.org/packages/source/f/flask/..%2f..%2fx-1.tar.gz",
	} {
		if links, err := resolver.Links(context.Background(), query(t, address)); !errors.Is(err, attestation.ErrNotMine) || links != nil {
			t.Errorf("%s: %v, %v", address, links, err)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("asked %v", *asked)
	}
}

// An answer with very many links costs no more than its bytes.
func TestLinksCostLittle(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"info":{"project_urls":{`)
	for i := 0; body.Len() < pypi.MaxMetadata-100; i++ {
		fmt.Fprintf(&body, `"%d":"",`, i)
	}
	body.WriteString(`"x":""}}}`)
	resolver, _ := index(t, map[string]string{metadata: body.String()})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := resolver.Links(context.Background(), query(t, flask))
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than 64 project links") {
		t.Errorf("error %v", err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 {
		t.Errorf("%d MiB for an answer of 4", spent>>20)
	}
}

// A server that never answers is left when the caller's time is over.
func TestLinksEndWithTheContext(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	client := &fetch.Client{Mirrors: []fetch.Mirror{{From: "https://pypi.org/", To: server.URL + "/"}}, Timeout: time.Minute}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := (&pypi.Resolver{Client: client}).Links(ctx, query(t, flask)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
