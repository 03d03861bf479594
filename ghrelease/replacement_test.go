package ghrelease_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/ghrelease"
)

// assets is an answer of GitHub's API for a release. A name may be followed by
// its digest or state.
func assets(names ...string) string {
	var list []string
	for _, n := range names {
		name, more, _ := strings.Cut(n, " ")
		a := fmt.Sprintf(`{"name":%q,"state":"uploaded","browser_download_url":"https://evil.org/x"`, name)
		switch more {
		case "digest":
			a += `,"digest":"sha256:00"`
		case "starter":
			a = strings.Replace(a, "uploaded", "starter", 1)
		}
		list = append(list, a+"}")
	}
	return fmt.Sprintf(`{"tag_name":"x","assets":[%s]}`, strings.Join(list, ","))
}

func TestDiscoverArchive(t *testing.T) {
	const (
		archive  = "https://github.com/o/my.Repo/archive/refs/tags/v1.2.0.tar.gz"
		releases = "https://api.github.com/repos/o/my.Repo/releases/tags/"
		base     = "https://github.com/o/my.Repo/releases/download/"
	)
	body := func(tag string, names ...string) map[string]reply {
		return map[string]reply{releases + tag: {body: assets(names...)}}
	}
	for _, c := range []struct {
		name, url   string
		replies     map[string]reply
		replacement string
		asked       int
		reason      string // that the release could not be looked at
	}{
		{"by the tag", archive, body("v1.2.0", "my.Repo-v1.2.0.tar.gz"), base + "v1.2.0/my.Repo-v1.2.0.tar.gz", 1, ""},
		{"by the version", archive, body("v1.2.0", "my_repo-1.2.0.tgz", "checksums.txt"), base + "v1.2.0/my_repo-1.2.0.tgz", 1, ""},
		{"named as source", archive, body("v1.2.0", "my-repo-1.2.0-src.tar.xz", "my-repo-1.2.0-linux-x86_64.tar.gz"), base + "v1.2.0/my-repo-1.2.0-src.tar.xz", 1, ""},
		{"tag without a v", "https://github.com/o/my.Repo/archive/1.2.0.zip", body("1.2.0", "my.Repo-1.2.0.zip"), base + "1.2.0/my.Repo-1.2.0.zip", 1, ""},
		{"tag with the project", "https://github.com/o/my.Repo/archive/my.Repo-1.2.0.tar.gz", body("my.Repo-1.2.0", "my.repo-1.2.0.tar.gz"), base + "my.Repo-1.2.0/my.repo-1.2.0.tar.gz", 1, ""},
		{"tag with a slash", "https://github.com/o/my.Repo/archive/refs/tags/a/v1.2.0.tar.gz", body("a/v1.2.0", "my.Repo-1.2.0.tar.gz"), base + "a/v1.2.0/my.Repo-1.2.0.tar.gz", 1, ""},
		{"codeload", "https://codeload.github.com/o/my.Repo/tar.gz/refs/tags/v1.2.0", body("v1.2.0", "my.Repo-1.2.0.tar.gz"), base + "v1.2.0/my.Repo-1.2.0.tar.gz", 1, ""},
		{"evidence beside one", archive, body("v1.2.0", "my.Repo-1.2.0.tar.gz digest", "my.Repo-v1.2.0.tar.gz", "my.Repo-v1.2.0.tar.gz.intoto.jsonl"), base + "v1.2.0/my.Repo-v1.2.0.tar.gz", 1, ""},
		{"digest of one", archive, body("v1.2.0", "my.Repo-1.2.0.tar.gz", "my.Repo-v1.2.0.tar.gz digest"), base + "v1.2.0/my.Repo-v1.2.0.tar.gz", 1, ""},
		{"format of the archive", archive, body("v1.2.0", "my.Repo-1.2.0.zip", "my.Repo-1.2.0.tar.gz", "my.Repo-1.2.0.tar.xz"), base + "v1.2.0/my.Repo-1.2.0.tar.gz", 1, ""},
		{"format of the archive, zip", "https://github.com/o/my.Repo/archive/v1.2.0.zip", body("v1.2.0", "my.Repo-1.2.0.zip", "my.Repo-1.2.0.tar.gz"), base + "v1.2.0/my.Repo-1.2.0.zip", 1, ""},

		{"two alike", archive, body("v1.2.0", "my.Repo-1.2.0.tar.gz", "my.Repo-v1.2.0.tar.gz"), "", 1, ""},
		{"other formats only", archive, body("v1.2.0", "my.Repo-1.2.0.zip", "my.Repo-1.2.0.tar.xz"), "", 1, ""},
		{"binaries, wheels, checksums", archive, body("v1.2.0", "my.Repo-1.2.0-linux.tar.gz", "my_repo-1.2.0-py3-none-any.whl", "my.Repo-1.2.0.tar.gz.sha256", "my.Repo-1.2.0.exe", "my.Repo-1.2.0", "my.Repo.tar.gz"), "", 1, ""},
		{"another version", archive, body("v1.2.0", "my.Repo-1.2.tar.gz", "my.Repo-1.2.0.1.tar.gz", "my.Repo-11.2.0.tar.gz"), "", 1, ""},
		{"another project", archive, body("v1.2.0", "my.Repository-1.2.0.tar.gz", "x-my.Repo-1.2.0.tar.gz"), "", 1, ""},
		{"not uploaded yet", archive, body("v1.2.0", "my.Repo-1.2.0.tar.gz starter"), "", 1, ""},
		{"a name that leads elsewhere", archive, body("v1.2.0", "../my.Repo-1.2.0.tar.gz", "my.Repo/1.2.0.tar.gz", "my Repo-1.2.0.tar.gz", "my.Repo-1.2.0\u202e.tar.gz", "my.Repo-1.2.0?.tar.gz"), "", 1, ""},
		{"no asset", archive, body("v1.2.0"), "", 1, ""},
		{"no release", archive, nil, "", 1, ""},
		{"commit", "https://github.com/o/my.Repo/archive/" + strings.Repeat("0a", 20) + ".tar.gz", nil, "", 0, ""},
		{"branch", "https://github.com/o/my.Repo/archive/refs/heads/main.tar.gz", nil, "", 0, ""},

		{"out of quota", archive, map[string]reply{releases + "v1.2.0": {status: 403, header: quota}}, "", 1, "answers no more requests now"},
		{"forbidden", archive, map[string]reply{releases + "v1.2.0": {status: 403}}, "", 1, "could not be looked at"},
		{"out of order", archive, map[string]reply{releases + "v1.2.0": {status: 500}}, "", 1, "could not be looked at"},
		{"no JSON", archive, map[string]reply{releases + "v1.2.0": {body: "<html>"}}, "", 1, "malformed"},
		{"too long", archive, map[string]reply{releases + "v1.2.0": {body: strings.Repeat(" ", ghrelease.MaxRelease+1)}}, "", 1, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGitHub(t, c.replies)
			d, err := g.Discover(t.Context(), query(t, c.url))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.replacement, d.Replacement); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(g.asked) != c.asked || len(d.Addresses) != c.asked {
				t.Errorf("asked %v", g.asked)
			}
			_, reason, _ := strings.Cut(d.Unattestable, "attests none of them")
			if !strings.HasPrefix(d.Unattestable, "GitHub makes archives") || !strings.Contains(reason, c.reason) || (c.reason == "") != (reason == "") {
				t.Errorf("reason %q", d.Unattestable)
			}
			if len(d.Candidates)+len(d.BundleURLs) > 0 {
				t.Errorf("evidence %v", d)
			}
		})
	}
}

// An asset of a release comes before an archive among a source's addresses.
func TestDiscoverPrefersAssets(t *testing.T) {
	g := newGitHub(t, map[string]reply{asked: {body: items(good)}})
	d, err := g.Discover(t.Context(), query(t, "https://example.org/x", "https://github.com/o/r/archive/v1.0.tar.gz", assetURL))
	if err != nil || d.Unattestable != "" || len(d.Candidates) != 1 {
		t.Errorf("%v, error %v", d, err)
	}
}
