package ghrelease_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// proposed is what a proposal finds, and what it asked.
type proposed struct {
	Bundles  int
	Pooled   bool
	At       string // the one bundle_url
	Unasked  int
	Asked    []string
	Unattest bool
	Replaced string
}

const (
	archiveURL = "https://github.com/o/r/archive/refs/tags/v1.0.tar.gz"
	rawURL     = "https://raw.githubusercontent.com/o/r/0123456/r.h"
	elsewhere  = "https://example.org/r-1.0.tar.gz"
	release    = "https://api.github.com/repos/o/r/releases/tags/v1.0"
)

func lookupIn(repository string) string {
	return "https://api.github.com/repos/" + repository + "/attestations/sha256:" + pinned
}

func redirect(to string) reply {
	return reply{status: http.StatusFound, header: map[string]string{"Location": to}}
}

func TestPropose(t *testing.T) {
	type replies = map[string]reply
	all := append(append([]string{}, beside...), asked)
	huge := strings.Repeat(" ", 1<<20)
	quota := reply{status: http.StatusForbidden, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4000000000"}}
	in := func(repository string) string { return lookupIn(repository) + "?per_page=100" }
	for _, c := range []struct {
		name         string
		urls         []string
		repositories []string
		without      []string
		replies      replies
		want         proposed
		kind         any // what the error must be; nil for none
	}{
		{
			"the file beside before the API",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: good}, asked: {body: items(good)}},
			proposed{Bundles: 1, At: beside[0], Asked: all[:1]},
			nil,
		},
		{
			"the second file beside",
			[]string{assetURL},
			nil, nil,
			replies{beside[1]: {body: good}, asked: {body: items(good)}},
			proposed{Bundles: 1, At: beside[1], Asked: all[:2]},
			nil,
		},
		{
			"all bundles of the place, as whoever names it gets them",
			[]string{assetURL},
			nil, nil,
			replies{beside[3]: {body: bad + "\n" + good}},
			proposed{Bundles: 2, At: beside[3], Asked: all[:4]},
			nil,
		},
		{
			"one place only",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: listing(pinned, releasePredicate)}, asked: {body: items(good)}},
			proposed{Bundles: 1, At: beside[0], Asked: all[:1]},
			nil,
		},
		{
			"the API last",
			[]string{assetURL},
			nil, nil,
			replies{asked: {body: items(good, bad)}},
			proposed{Bundles: 2, Pooled: true, At: lookup, Asked: all},
			nil,
		},
		{
			"a file beside of another archive",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: bad}, asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: all},
			nil,
		},
		{"none", []string{assetURL}, nil, nil, nil, proposed{Asked: all}, nil},
		{"of another digest only", []string{assetURL}, nil, nil, replies{asked: {body: items(bad)}, beside[2]: {body: bad}}, proposed{Asked: all}, nil},
		{
			"an asset that is no first address",
			[]string{elsewhere, assetURL},
			nil, nil,
			replies{beside[0]: {body: good}},
			proposed{Bundles: 1, At: beside[0], Asked: all[:1]},
			nil,
		},
		{"an asset beside the archive of a tag", []string{archiveURL, assetURL}, nil, nil, nil, proposed{Asked: all}, nil},
		{
			"asset of the latest release, by http and www",
			[]string{"http://www.github.com/o/r/releases/latest/download/r.tgz?x=y"},
			nil, nil,
			replies{"https://github.com/o/r/releases/latest/download/r.tgz.sigstore.json": {body: good}},
			proposed{Bundles: 1, At: "https://github.com/o/r/releases/latest/download/r.tgz.sigstore.json", Asked: []string{"https://github.com/o/r/releases/latest/download/r.tgz.sigstore.json"}},
			nil,
		},

		{
			"a file that cannot be read is noted",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: "-----BEGIN PGP SIGNATURE-----"}, asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Unasked: 1, Asked: all},
			nil,
		},
		{
			"a file that cannot be had is noted",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {status: 403}, beside[1]: {status: 500}, beside[2]: {body: good}},
			proposed{Bundles: 1, At: beside[2], Unasked: 2, Asked: all[:3]},
			nil,
		},
		{
			"a file that leads in circles is noted",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: redirect(strings.TrimPrefix(beside[0], "https://github.com")), beside[1]: {body: good}},
			proposed{Bundles: 1, At: beside[1], Unasked: 1, Asked: append(slices.Repeat(beside[:1], 1+fetch.MaxRedirects), beside[1])},
			nil,
		},
		{
			"a file that leads to the disk is noted",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: redirect("file:///etc/passwd"), asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Unasked: 1, Asked: all},
			nil,
		},
		{
			"files that cannot be read, and nothing else",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: "<html>"}},
			proposed{Unasked: 1, Asked: all},
			new(*attestation.FormatError),
		},
		{
			"the API may not be asked",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: "<html>"}, asked: quota},
			proposed{Unasked: 2, Asked: all},
			new(*fetch.QuotaError),
		},
		{
			"a page that links away",
			[]string{assetURL},
			nil, nil,
			replies{asked: {link: next("https://evil.example/x"), body: items(good)}},
			proposed{Unasked: 1, Asked: all},
			new(*fetch.RefusedError),
		},
		{
			"a bundle elsewhere that is gone",
			[]string{assetURL},
			nil, nil,
			replies{asked: {body: items("https://blob.example/b")}},
			proposed{Unasked: 1, Asked: append(append([]string{}, all...), "https://blob.example/b")},
			new(error),
		},
		{
			"an answer of the API that is no such",
			[]string{assetURL},
			nil, nil,
			replies{asked: {body: good}},
			proposed{Unasked: 1, Asked: all},
			new(*attestation.FormatError),
		},
		{
			"too large for the first try",
			[]string{assetURL},
			nil, nil,
			replies{beside[0]: {body: good + huge}, asked: {body: items(good)}},
			proposed{Asked: all[:1]},
			new(*fetch.TooLargeError),
		},

		{
			"without the first place",
			[]string{assetURL},
			nil, beside[:1],
			replies{beside[0]: {body: good}, beside[2]: {body: good}},
			proposed{Bundles: 1, At: beside[2], Asked: all[1:3]},
			nil,
		},
		{
			"without places in the midst",
			[]string{assetURL},
			nil, beside[1:3],
			replies{beside[0]: {body: good}, beside[2]: {body: good}, asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: all[3:]},
			nil,
		},
		{"without the last place", []string{assetURL}, nil, []string{lookup}, replies{asked: {body: items(good)}}, proposed{}, nil},
		{
			"without what is nowhere",
			[]string{assetURL},
			nil,
			[]string{elsewhere},
			replies{beside[0]: {body: good}},
			proposed{Bundles: 1, At: beside[0], Asked: all[:1]},
			nil,
		},

		{
			"archive of a tag",
			[]string{archiveURL},
			nil, nil,
			replies{asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: []string{asked}},
			nil,
		},
		{
			"archive of a commit",
			[]string{"https://codeload.github.com/o/r/tar.gz/" + strings.Repeat("a", 40)},
			nil, nil,
			replies{asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: []string{asked}},
			nil,
		},
		{
			"archive that nobody attested",
			[]string{archiveURL},
			nil, nil,
			replies{release: {body: `{"assets":[{"name":"r-1.0.tar.gz"}]}`}},
			proposed{Asked: []string{asked, release}, Unattest: true, Replaced: assetURL},
			nil,
		},
		{
			"archive of which the API says nothing now",
			[]string{archiveURL},
			nil, nil,
			replies{asked: quota, release: {body: `{"assets":[{"name":"r-1.0.tar.gz"}]}`}},
			proposed{Unasked: 1, Asked: []string{asked}},
			new(*fetch.QuotaError),
		},
		{"archive whose evidence is not wanted", []string{archiveURL}, nil, []string{lookup}, replies{asked: {body: items(good)}}, proposed{}, nil},
		{
			"archive, and another repository that the recipe states",
			[]string{archiveURL},
			[]string{"other/r"},
			nil,
			replies{in("other/r"): {body: items(good)}},
			proposed{Asked: []string{asked, release}, Unattest: true},
			nil,
		},

		{"raw file", []string{rawURL}, nil, nil, replies{asked: {body: items(good)}}, proposed{Bundles: 1, Pooled: true, At: lookup, Asked: []string{asked}}, nil},
		{"raw file that nobody attested", []string{rawURL}, []string{"other/r"}, nil, nil, proposed{Asked: []string{asked}}, nil},
		{
			"raw file by GitHub's page",
			[]string{"https://github.com/o/r/raw/main/r.h"},
			nil, nil,
			replies{asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: []string{asked}},
			nil,
		},

		{"elsewhere", []string{elsewhere}, nil, nil, nil, proposed{}, attestation.ErrNotMine},
		{
			"elsewhere, in the repository that the recipe states",
			[]string{elsewhere},
			[]string{"o/r"},
			nil,
			replies{asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: []string{asked}},
			nil,
		},
		{
			"elsewhere, in the second repository",
			[]string{elsewhere},
			[]string{"o/x", "o/r"},
			nil,
			replies{asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Asked: []string{in("o/x"), asked}},
			nil,
		},
		{
			"elsewhere, in three repositories at most",
			[]string{elsewhere},
			[]string{"o/a", "o/b", "o/b", "o/c", "o/r"},
			nil,
			replies{asked: {body: items(good)}},
			proposed{Asked: []string{in("o/a"), in("o/b"), in("o/c")}},
			nil,
		},
		{
			"elsewhere, one repository cannot be asked",
			[]string{elsewhere},
			[]string{"o/x", "o/r"},
			nil,
			replies{in("o/x"): {status: 500}, asked: {body: items(good)}},
			proposed{Bundles: 1, Pooled: true, At: lookup, Unasked: 1, Asked: []string{in("o/x"), asked}},
			nil,
		},
		{
			"names that are no repositories",
			[]string{elsewhere},
			[]string{"", "o", "/r", "o/", "o/r/../../x", "o/r?x", "o/..", "https://github.com/o/r", "o/r\n"},
			nil, nil,
			proposed{},
			attestation.ErrNotMine,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGitHub(t, c.replies)
			g.Propose = true
			q := query(t, c.urls...)
			q.Repositories, q.Without = c.repositories, c.without
			d, err := g.Discover(context.Background(), q)
			target, sentinel := c.kind.(error)
			switch {
			case c.kind == nil && err != nil:
				t.Fatal(err)
			case sentinel && !errors.Is(err, target), c.kind != nil && !sentinel && !errors.As(err, c.kind):
				t.Fatalf("error %T %v", err, err)
			}
			if len(d.BundleURLs) > 1 || len(d.BundleURLs) == 1 && len(d.Candidates) == 0 {
				t.Errorf("bundle_urls %v", d.BundleURLs)
			}
			got := proposed{Bundles: len(d.Candidates), Pooled: d.Pooled, Unasked: len(d.Unasked), Asked: g.asked, Unattest: d.Unattestable != "", Replaced: d.Replacement}
			if len(d.BundleURLs) > 0 {
				got.At = d.BundleURLs[0]
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if c.name != "a file that leads in circles is noted" && len(d.Addresses) != len(g.asked) {
				t.Errorf("addresses %v, asked %v", d.Addresses, g.asked)
			}
			for _, b := range d.Candidates {
				if b.Pooled != d.Pooled {
					t.Errorf("pooled: %t", b.Pooled)
				}
			}
			if got.At == "" {
				return
			}
			// A block with that one address finds the same.
			q.BundleURLs = d.BundleURLs
			answer, err := g.Resolve(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(d.Candidates, answer.Candidates, cmp.Comparer(func(a, b func(string) bool) bool { return (a == nil) == (b == nil) })); diff != "" {
				t.Errorf("by the block (-proposed +found):\n%s", diff)
			}
		})
	}
}

// Without Propose what only a proposal heeds changes nothing.
func TestDiscoverHeedsNoRepositories(t *testing.T) {
	g := newGitHub(t, map[string]reply{asked: {body: items(good)}})
	q := query(t, elsewhere)
	q.Repositories = []string{"o/r"}
	if _, err := g.Discover(context.Background(), q); !errors.Is(err, attestation.ErrNotMine) || len(g.asked) > 0 {
		t.Errorf("%v, asked %v", err, g.asked)
	}
	q = query(t, assetURL)
	q.Without = []string{lookup}
	if d, err := g.Discover(context.Background(), q); err != nil || len(d.Candidates) != 1 {
		t.Errorf("%v, %d candidates", err, len(d.Candidates))
	}
}

// An interrupted proposal finds nothing, and asks nothing more.
func TestProposeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := newGitHub(t, nil)
	g.Propose = true
	cancel()
	d, err := g.Discover(ctx, query(t, assetURL))
	if !errors.Is(err, context.Canceled) || len(d.Candidates) > 0 || len(g.asked) > 0 {
		t.Errorf("%v, %v, asked %v", d, err, g.asked)
	}
}
