package trust

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExportReadsBack: names, instances and requirements are the same where the
// file is used.
func TestExportReadsBack(t *testing.T) {
	indented := edit(t, private(), func(map[string]any) {})
	repo := newRepo(t)
	repo.Publish(private(), born.Add(lifetime))
	tuf := private1(t, repo)
	tuf.PublicGood = yes()
	tuf.Offline = false
	for _, tc := range []struct {
		name string
		c    Config
		want []string
	}{
		{"the snapshot", offline(t, Config{}), []string{PublicGood}},
		{
			"all kinds", offline(t, Config{PublicGood: yes(), Roots: RootFiles(rootFile(t, "exported.json", private(), gitHubRoot(t), indented))}),
			[]string{PublicGood, "exported", GitHub, "exported:2"},
		},
		{"by TUF", func() Config { c := tuf; c.PublicGood = no(); return c }(), []string{"exported"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			roots, err := tc.c.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			data, without, err := Export(roots.Domains)
			if err != nil || without != nil {
				t.Fatalf("found %v, %v", without, err)
			}
			if n := bytes.Count(data, []byte("\n")); n != len(roots.Domains) {
				t.Errorf("found %d lines for %d roots", n, len(roots.Domains))
			}
			back, err := FromFiles(rootFile(t, "exported.jsonl", bytes.TrimSuffix(data, []byte("\n"))))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, names(back)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			for i, d := range back.Domains {
				o := roots.Domains[i]
				if d.Instance != o.Instance || d.Require != o.Require {
					t.Errorf("%s: found %q with %+v, wanted %q with %+v", d.Name, d.Instance, d.Require, o.Instance, o.Require)
				}
				if diff := cmp.Diff(o.Contents(), d.Contents()); diff != "" {
					t.Errorf("%s: contents (-want +got):\n%s", d.Name, diff)
				}
			}
			again, _, err := Export(back.Domains)
			if err != nil || !bytes.Equal(again, data) {
				t.Errorf("written again it is another file (%v)", err)
			}
		})
	}
}

// TestExportWithoutLogs: a file cannot say that its roots lack logs, and what is
// said of a file is said of all in it.
func TestExportWithoutLogs(t *testing.T) {
	waived := RootFile{Path: rootFile(t, "lesser.json", private(noLog)), InsecureWithout: []Log{TransparencyLog}}
	roots, err := offline(t, Config{PublicGood: yes(), Roots: []RootFile{waived}}).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if data, _, err := Export(roots.Domains); err == nil || data != nil || !strings.Contains(err.Error(), "--domain NAME") {
		t.Errorf("beside public good: found %d bytes, error %v", len(data), err)
	}
	data, without, err := Export(roots.Domains[1:])
	if err != nil || !cmp.Equal(without, []Log{TransparencyLog}) {
		t.Fatalf("alone: found %v, %v", without, err)
	}
	path := rootFile(t, "back.json", data)
	if _, err := FromFiles(path); err == nil {
		t.Error("the exported file is accepted without the configuration's word")
	}
	back, err := Config{Roots: []RootFile{{Path: path, InsecureWithout: without}}}.Load(t.Context())
	if err != nil || back.Domains[0].Require != roots.Domains[1].Require {
		t.Errorf("found %v, %v", back, err)
	}
}

func TestExportNothing(t *testing.T) {
	if data, _, err := Export(nil); err == nil || data != nil {
		t.Errorf("found %q, %v", data, err)
	}
}
