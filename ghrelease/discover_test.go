package ghrelease_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

const releasePredicate = "https://in-toto.io/attestation/release/v0.2"

func next(address string) string {
	return fmt.Sprintf(`<%s>; rel="next", <https://api.github.com/last>; rel="last"`, address)
}

func TestDiscoverAsset(t *testing.T) {
	type replies = map[string]reply
	all := append([]string{asked}, beside...)
	page2 := asked + "&after=2"
	numbered := "https://api.github.com/repositories/7/attestations/sha256:" + pinned + "?after=2"
	type found struct {
		Bundles    int
		Pooled     bool
		BundleURLs []string
	}
	pool := func(n int) found { return found{n, true, []string{lookup}} }
	sidecar := func(i int) found { return found{1, false, []string{beside[i]}} }
	for _, c := range []struct {
		name    string
		replies replies
		asked   []string
		want    found
		kind    any // what the error must be; nil for none
	}{
		{"by digest", replies{asked: {body: items(good)}}, []string{asked}, pool(1), nil},
		{"of a repository with another number", replies{asked: {body: strings.Replace(items(good), `"repository_id":0`, `"repository_id":666`, 1)}}, []string{asked}, pool(1), nil},
		{"several, one of another digest", replies{asked: {body: items(good, bad)}}, []string{asked}, pool(2), nil},
		{"two pages", replies{asked: {link: next(page2), body: items(good)}, page2: {body: items(good)}}, []string{asked, page2}, pool(2), nil},
		{"two pages, by the repository's number", replies{asked: {link: next(numbered), body: items(good)}, numbered: {body: items(good)}}, []string{asked, numbered}, pool(2), nil},
		{"first page empty", replies{asked: {link: next(page2), body: items()}, page2: {body: items(good)}}, []string{asked, page2}, pool(1), nil},
		{"links, none to a next page", replies{asked: {link: `<` + page2 + `>; rel="prev", <x>; title="next"`, body: items(good)}}, []string{asked}, pool(1), nil},
		{"bundle elsewhere, as JSON", replies{asked: {body: items("https://blob.example/b?sig=x")}, "https://blob.example/b?sig=x": {body: good}}, []string{asked, "https://blob.example/b?sig=x"}, pool(1), nil},
		{"bundles here and elsewhere, as snappy blocks", replies{asked: {body: items(good, "https://blob.example/b", "https://blob.example/c")}, "https://blob.example/b": {body: pack(good)}, "https://blob.example/c": {body: pack(good)}}, []string{asked, "https://blob.example/b", "https://blob.example/c"}, pool(3), nil},

		{"none", nil, all, found{}, nil},
		{"none, as an empty list", replies{asked: {body: items()}}, all, found{}, nil},
		{"of another digest only", replies{asked: {body: items(bad)}}, all, found{}, nil},
		{"first sidecar", replies{beside[0]: {body: good}, beside[1]: {body: good}}, all[:2], sidecar(0), nil},
		{"second sidecar", replies{beside[1]: {body: good}}, all[:3], sidecar(1), nil},
		{"third sidecar", replies{beside[2]: {body: good}}, all[:4], sidecar(2), nil},
		{"last sidecar", replies{beside[3]: {body: bad + "\n" + good}}, all, found{2, false, []string{beside[3]}}, nil},
		{"sidecar of another digest", replies{beside[0]: {body: bad}, beside[2]: {body: good}}, all[:4], sidecar(2), nil},
		{"unreadable sidecar before a good one", replies{beside[1]: {body: "-----BEGIN PGP SIGNATURE-----"}, beside[2]: {body: good}}, all[:4], sidecar(2), nil},
		{"sidecar out of order before a good one", replies{beside[0]: {status: 500}, beside[1]: {body: good}}, all[:3], sidecar(1), nil},
		{"unreadable sidecar", replies{beside[0]: {body: "<html>"}}, all, found{}, new(*attestation.FormatError)},
		{"sidecar of which nobody knows what it speaks of", replies{beside[0]: {body: `{"mediaType":"m"}`}}, all, found{}, new(*attestation.FormatError)},
		{"sidecar out of order", replies{beside[0]: {body: "<html>"}, beside[2]: {status: 500}}, all, found{}, new(*fetch.UnavailableError)},

		{"immutable release, and a sidecar", replies{asked: {body: items(listing(pinned, releasePredicate))}, beside[0]: {body: good}}, all[:2], found{2, true, []string{lookup, beside[0]}}, nil},
		{"immutable release alone", replies{asked: {body: items(listing(pinned, releasePredicate))}}, all, pool(1), nil},
		{"immutable release, sidecars out of order", replies{asked: {body: items(listing(pinned, releasePredicate))}, beside[0]: {status: 500}}, all, pool(1), nil},
		{"immutable release and provenance", replies{asked: {body: items(listing(pinned, releasePredicate), good)}}, []string{asked}, pool(2), nil},

		{"API out of order, sidecar", replies{asked: {status: 500}, beside[0]: {body: good}}, all[:2], sidecar(0), nil},
		{"API out of order", replies{asked: {status: 500}}, all, found{}, new(*fetch.UnavailableError)},
		{"API forbidden", replies{asked: {status: 403}}, all, found{}, new(*fetch.UnavailableError)},
		{"API out of quota, sidecar", replies{asked: {status: 403, header: quota}, beside[1]: {body: good}}, all[:3], sidecar(1), nil},
		{"API out of quota", replies{asked: {status: 403, header: quota}}, all, found{}, new(*fetch.QuotaError)},
		{"too many requests", replies{asked: {status: 429, header: map[string]string{"Retry-After": "60"}}}, all, found{}, new(*fetch.QuotaError)},
		{"API and sidecar out of order", replies{asked: {status: 403, header: quota}, beside[1]: {status: 500}}, all, found{}, new(*fetch.QuotaError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGitHub(t, c.replies)
			d, err := g.Discover(t.Context(), query(t, assetURL))
			if c.kind == nil && err != nil {
				t.Fatal(err)
			}
			if c.kind != nil && !errors.As(err, c.kind) {
				t.Fatalf("error %T %v, wanted %T", err, err, c.kind)
			}
			if diff := cmp.Diff(c.asked, g.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, found{len(d.Candidates), d.Pooled, d.BundleURLs}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, candidate := range d.Candidates {
				if beside := strings.HasPrefix(candidate.Origin, "https://github.com/"); candidate.Pooled == beside {
					t.Errorf("the candidate of %s is pooled: %v", candidate.Origin, candidate.Pooled)
				}
			}
			if len(d.Addresses) != len(c.asked) || strings.Contains(fmt.Sprint(d.Addresses), "sig=x ") {
				t.Errorf("the addresses are %v", d.Addresses)
			}
			if d.Unattestable != "" || d.Replacement != "" {
				t.Errorf("%q %q", d.Unattestable, d.Replacement)
			}
		})
	}
}

var quota = map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}

// What an answer of the API may not do, whoever wrote it.
func TestHostileLookups(t *testing.T) {
	blob := "https://blob.example/b"
	var many []string
	for range 40 {
		many = append(many, good)
	}
	bomb := "\x80\x80\x80\x04" // a snappy block of 8 MiB
	for _, c := range []struct {
		name    string
		replies map[string]reply
		kind    any
		not     string // what must not be asked
	}{
		{"next page on another host", map[string]reply{asked: {link: next("https://blob.example/p"), body: items(good)}, "https://blob.example/p": {body: items(good)}}, new(*fetch.RefusedError), "blob.example"},
		{"next page without https", map[string]reply{asked: {link: next("http://api.github.com" + strings.TrimPrefix(asked, "https://api.github.com") + "&x"), body: items(good)}}, new(*fetch.RefusedError), "&x"},
		{"next page with userinfo", map[string]reply{asked: {link: next("https://api.github.com@blob.example/p"), body: items(good)}}, new(*fetch.RefusedError), "blob.example"},
		{"next page of another repository", map[string]reply{asked: {link: next(strings.Replace(asked, "/o/r/", "/o/x/", 1)), body: items(good)}}, new(*fetch.RefusedError), "/o/x/"},
		{"next page of another digest", map[string]reply{asked: {link: next(strings.Replace(asked, pinned, foreign, 1)), body: items(good)}}, new(*fetch.RefusedError), foreign},
		{"next page of another digest, by number", map[string]reply{asked: {link: next("https://api.github.com/repositories/7/attestations/sha256:" + foreign), body: items(good)}}, new(*fetch.RefusedError), foreign},
		{"next page is a file", map[string]reply{asked: {link: next("file:///etc/passwd"), body: items(good)}}, new(*fetch.RefusedError), "passwd"},
		{"next page is relative", map[string]reply{asked: {link: next("/x"), body: items(good)}}, new(*fetch.RefusedError), "/x"},
		{"next page is absent", map[string]reply{asked: {link: next(asked + "&after=2"), body: items(good)}}, new(*attestation.FormatError), ""},
		{"pages without end", map[string]reply{asked: {link: next(asked), body: items()}}, new(*attestation.FormatError), ""},
		{"too many bundles on two pages", map[string]reply{asked: {link: next(asked + "&after=2"), body: items(many...)}, asked + "&after=2": {body: items(many...)}}, new(*attestation.FormatError), ""},
		{"too many bundles elsewhere", map[string]reply{asked: {link: next(asked + "&after=2"), body: items(many...)}, asked + "&after=2": {body: items(slices.Repeat([]string{blob}, 40)...)}}, new(*attestation.FormatError), "blob.example"},
		{"a bundle in place of an answer", map[string]reply{asked: {body: good}}, new(*attestation.FormatError), ""},
		{"HTML", map[string]reply{asked: {body: "<html>"}}, new(*attestation.FormatError), ""},
		{"list of nothing", map[string]reply{asked: {body: `{"attestations":null}`}}, new(*attestation.FormatError), ""},

		{"blob is absent", map[string]reply{asked: {body: items(blob)}}, nil, ""},
		{"blob without https", map[string]reply{asked: {body: items("http://blob.example/b")}}, new(*fetch.RefusedError), "blob.example"},
		{"blob is a file", map[string]reply{asked: {body: items("file:///etc/passwd")}}, new(*fetch.RefusedError), ""},
		{"blob with userinfo", map[string]reply{asked: {body: items("https://user:password@blob.example/b")}}, new(*fetch.RefusedError), "blob.example"},
		{"blob on this machine", map[string]reply{asked: {body: items("https://127.0.0.1/b")}}, new(*fetch.RefusedError), ""},
		{"blob on a private address", map[string]reply{asked: {body: items("https://10.0.0.1/b")}}, new(*fetch.RefusedError), ""},
		{"blob of several bundles", map[string]reply{asked: {body: items(blob)}, blob: {body: good + good}}, new(*attestation.FormatError), ""},
		{"blob that is an answer", map[string]reply{asked: {body: items(blob)}, blob: {body: items(blob)}}, new(*attestation.FormatError), ""},
		{"blob out of order", map[string]reply{asked: {body: items(blob)}, blob: {status: 503}}, new(*fetch.UnavailableError), ""},
		{"blob that claims 4 GiB", map[string]reply{asked: {body: items(blob)}, blob: {body: "\xff\xff\xff\xff\x0f" + strings.Repeat("a", 100)}}, new(*attestation.FormatError), ""},
		{"blob that claims more than is left", map[string]reply{asked: {body: items(blob)}, blob: {body: bomb + strings.Repeat("a", 200<<10)}}, new(*fetch.TooLargeError), ""},
		{"blob that becomes more than is left", map[string]reply{asked: {body: items(blob)}, blob: {body: pack(good + strings.Repeat(" ", 2<<20))}}, new(*fetch.TooLargeError), ""},
		{"blobs that become more than is left together", map[string]reply{asked: {body: items(blob, blob)}, blob: {body: pack(good + strings.Repeat(" ", 600<<10))}}, new(*fetch.TooLargeError), ""},
		{"a long answer", map[string]reply{asked: {body: items(good) + strings.Repeat(" ", 2<<20)}}, new(*fetch.TooLargeError), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGitHub(t, c.replies)
			d, err := g.Discover(t.Context(), query(t, assetURL))
			var absent *fetch.NotFoundError
			if err == nil || errors.As(err, &absent) || c.kind != nil && !errors.As(err, c.kind) {
				t.Fatalf("error %T %v, wanted %T", err, err, c.kind)
			}
			if len(d.Candidates) > 0 || len(d.BundleURLs) > 0 {
				t.Errorf("%d candidates beside the error %v", len(d.Candidates), err)
			}
			if len(g.asked) > 25 {
				t.Errorf("%d requests", len(g.asked))
			}
			for _, a := range g.asked {
				if c.not != "" && strings.Contains(a, c.not) {
					t.Errorf("%s was asked", a)
				}
			}
		})
	}
}

func TestDiscoverIsNotMine(t *testing.T) {
	g := newGitHub(t, nil)
	for _, address := range []string{
		"https://example.org/o/r/releases/download/v1.0/r-1.0.tar.gz",
		"https://github.com.evil.org/o/r/releases/download/v1.0/r-1.0.tar.gz",
		"https://github.com:8443/o/r/releases/download/v1.0/r-1.0.tar.gz",
		"https://gitlab.com/g/p/-/archive/v1.0/p-v1.0.tar.gz",
	} {
		if _, err := g.Discover(t.Context(), query(t, address)); !errors.Is(err, attestation.ErrNotMine) {
			t.Errorf("%s: error %v", address, err)
		}
	}
	if len(g.asked) > 0 {
		t.Errorf("asked %v", g.asked)
	}
}

// Names in an address are names in the API's, whatever characters they have.
func TestDiscoverEscapes(t *testing.T) {
	g := newGitHub(t, nil)
	if _, err := g.Discover(t.Context(), query(t, "https://github.com/o%3Fx=/r%23y/releases/download/v1/2/a%20b.tgz?token=sesame#x")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"https://api.github.com/repos/o%3Fx=/r%23y/attestations/sha256:" + pinned + "?per_page=100",
		"https://github.com/o%3Fx=/r%23y/releases/download/v1/2/a%20b.tgz.sigstore.json",
		"https://github.com/o%3Fx=/r%23y/releases/download/v1/2/a%20b.tgz.sigstore",
		"https://github.com/o%3Fx=/r%23y/releases/download/v1/2/a%20b.tgz.intoto.jsonl",
		"https://github.com/o%3Fx=/r%23y/releases/download/v1/2/multiple.intoto.jsonl",
	}
	if diff := cmp.Diff(want, g.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A question that is given up is no answer.
func TestDiscoverCancelled(t *testing.T) {
	g := newGitHub(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, address := range []string{assetURL, "https://github.com/o/r/archive/v1.0.tar.gz"} {
		if _, err := g.Discover(ctx, query(t, address)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", address, err)
		}
	}
	if len(g.asked) > 0 {
		t.Errorf("asked %v", g.asked)
	}
}

// An address that Discover gives is one that Resolve finds the same at, as a pool.
func TestResolveOfALookup(t *testing.T) {
	page2, blob := asked+"&after=2", "https://blob.example/b?sig=x"
	g := newGitHub(t, map[string]reply{
		asked: {link: next(page2), body: items(good)}, page2: {body: items(blob)}, blob: {body: pack(good)},
		beside[0]: {body: good},
	})
	q := query(t, assetURL)
	q.BundleURLs = []string{lookup, beside[0]}
	answer, err := g.Resolve(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var pooled []bool
	for _, c := range answer.Candidates {
		pooled = append(pooled, c.Pooled)
		if strings.Contains(c.Origin, "sig=x ") {
			t.Errorf("the origin %s has a signature", c.Origin)
		}
	}
	if diff := cmp.Diff([]bool{true, true, false}, pooled); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{asked, page2, fetch.Redact(blob), beside[0]}, answer.Addresses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// Neither another digest's look-up nor another host is a pool of this source.
	for _, address := range []string{
		strings.Replace(lookup, pinned, foreign, 1),
		strings.Replace(lookup, "api.github.com", "github.com", 1),
		lookup + "/x",
	} {
		g := newGitHub(t, map[string]reply{address: {body: items(good)}})
		q.BundleURLs = []string{address}
		answer, err := g.Resolve(t.Context(), q)
		if err != nil || len(answer.Candidates) != 1 || answer.Candidates[0].Pooled {
			t.Errorf("%s: %d candidates, error %v", address, len(answer.Candidates), err)
		}
	}

	// Nothing there is "none"; what cannot be had is not.
	var none *attestation.NoneError
	q.BundleURLs = []string{lookup}
	for _, body := range []string{"", items()} {
		replies := map[string]reply{}
		if body != "" {
			replies[asked] = reply{body: body}
		}
		if _, err := newGitHub(t, replies).Resolve(t.Context(), q); !errors.As(err, &none) {
			t.Errorf("%q: error %v", body, err)
		}
	}
	for _, body := range []string{items(good, "https://blob.example/absent"), items("https://blob.example/absent")} {
		answer, err := newGitHub(t, map[string]reply{asked: {body: body}}).Resolve(t.Context(), q)
		var absent *fetch.NotFoundError
		if err == nil || errors.As(err, &none) || errors.As(err, &absent) || len(answer.Candidates) > 0 {
			t.Errorf("%d candidates, error %v", len(answer.Candidates), err)
		}
	}
}
