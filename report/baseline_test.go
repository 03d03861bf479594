package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/report"
)

// baseline reads an earlier report of these records.
func baseline(t *testing.T, records ...*report.Record) *report.Baseline {
	t.Helper()
	h := &report.Header{Schema: report.AuditSchema, Recipes: len(records)}
	r, err := report.NewReader("last.json", bytes.NewReader(write(t, *h, records, all)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := report.ReadBaseline(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func kinds(changes []report.Change) string {
	var list []string
	for _, c := range changes {
		kind := string(c.Kind)
		if c.Downgrade {
			kind += "!"
		}
		list = append(list, kind)
	}
	return strings.Join(list, " ")
}

// flask is a verified source on PyPI; change may alter it.
func flask(version string, change func(*report.Record)) *report.Record {
	r := record(0, "flask", "pypi.org", audit.Verified, "https://pypi.org/packages/source/f/flask/flask-"+version+".tar.gz")
	r.Bundles = signedBy("pallets/flask")
	if change != nil {
		change(r)
	}
	return r
}

func verdict(v audit.Verdict, code audit.Code) func(*report.Record) {
	return func(r *report.Record) { r.Verdict, r.Code, r.Bundles = v, code, nil }
}

// unattested is a source without a block, with what was found if not "".
func unattested(kind audit.FindingKind, genuine bool) func(*report.Record) {
	return func(r *report.Record) {
		r.Verdict, r.Code = audit.Unattested, audit.CodeNoBlock
		if !genuine {
			r.Bundles = nil
		}
		if kind != "" {
			r.Finding = &report.FindingDocument{Kind: kind, Genuine: genuine, Detail: "a detail"}
		}
	}
}

func content(change func(*report.ContentDocument)) func(*report.Record) {
	return func(r *report.Record) { change(r.Bundles[0].Verified) }
}

func extension(change func(*report.ExtensionsDocument)) func(*report.Record) {
	return content(func(c *report.ContentDocument) { change(c.Extensions) })
}

func person(san string) func(*report.Record) {
	return content(func(c *report.ContentDocument) { c.Extensions, c.SAN, c.SANType = nil, san, "email" })
}

func released(repository, id, owner string) func(*report.Record) {
	return content(func(c *report.ContentDocument) {
		c.Extensions, c.SAN, c.Issuer = nil, "https://dotcom.releases.github.com", "https://fulcio.githubapp.com"
		c.Release = &publishers.Release{Repository: repository, Tag: "v1", RepositoryID: id, OwnerID: owner}
	})
}

func TestCompare(t *testing.T) {
	type change = func(*report.Record)
	same := func(*report.Record) {}
	for _, c := range []struct {
		name        string
		before, now change
		want        string
	}{
		{"nothing", same, same, ""},
		{"other case of the repository", same, extension(func(x *report.ExtensionsDocument) { x.SourceRepository = "https://GitHub.com/Pallets/Flask" }), ""},
		{
			"a letter that folds to another", extension(func(x *report.ExtensionsDocument) { x.SourceRepository = "https://github.com/kk/k" }),
			extension(func(x *report.ExtensionsDocument) { x.SourceRepository = "https://github.com/\u212a\u212a/k" }), "publisher-changed!",
		},
		{"other ref", same, extension(func(x *report.ExtensionsDocument) {
			x.BuildConfigURI = strings.Replace(x.BuildConfigURI, "@refs/tags/v1", "@refs/tags/pkg@2", 1)
		}), ""},

		{"evidence gone, with a block", same, verdict(audit.Missing, audit.CodeNoEvidence), "evidence-disappeared! new-failure!"},
		{"evidence gone, that had been found", unattested(audit.Attestable, true), unattested(audit.NoEvidence, false), "evidence-disappeared!"},
		{"evidence gone, with a new block", unattested(audit.Attestable, true), verdict(audit.Missing, audit.CodeNoEvidence), "evidence-disappeared!"},
		{"bytes that nobody can attest", unattested(audit.Attestable, true), unattested(audit.NotAttestable, false), "evidence-disappeared!"},
		{"block removed, nobody looked", same, unattested("", false), "evidence-disappeared!"},
		{"block removed, no place known", same, unattested(audit.NotAsked, false), "evidence-disappeared!"},
		{"block removed, no answer", same, unattested(audit.Unknown, false), "evidence-disappeared!"},
		{"block removed, policy requires it", same, verdict(audit.Missing, audit.CodeNoBlock), "evidence-disappeared! new-failure!"},
		{"block removed, evidence is there", same, unattested(audit.Attestable, true), ""},
		{"excepted now", same, verdict(audit.Unattested, audit.CodeExcepted), "evidence-disappeared!"},
		{"nobody looked", unattested(audit.Attestable, true), unattested("", false), ""},
		{"nobody could look", unattested(audit.Attestable, true), unattested(audit.NotAsked, false), ""},
		{"no answer", unattested(audit.Attestable, true), unattested(audit.Unknown, false), ""},
		{"required now, and nobody looked", unattested(audit.Attestable, true), verdict(audit.Missing, audit.CodeNoBlock), ""},
		{"unavailable", same, verdict(audit.Unavailable, audit.CodeFetchFailed), ""},
		{"never was any", unattested(audit.NoEvidence, false), unattested(audit.NoEvidence, false), ""},
		{"what had not verified is gone", unattested(audit.Attestable, false), unattested(audit.NoEvidence, false), ""},
		{"evidence appeared", unattested(audit.NoEvidence, false), same, ""},
		{"block added", unattested(audit.Attestable, true), same, ""},

		{"publisher", same, func(r *report.Record) { r.Bundles = signedBy("evil/flask") }, "publisher-changed!"},
		{"publisher and identifiers", same, func(r *report.Record) {
			r.Bundles = signedBy("evil/flask")
			r.Bundles[0].Verified.Extensions.SourceRepositoryID, r.Bundles[0].Verified.Extensions.SourceOwnerID = "666", "667"
		}, "publisher-changed! repository-id-changed! owner-id-changed!"},
		{"publisher of what was found", unattested(audit.Attestable, true), func(r *report.Record) {
			unattested(audit.Attestable, true)(r)
			r.Bundles = signedBy("evil/flask")
		}, "publisher-changed!"},
		{"publisher, and the block removed", same, func(r *report.Record) {
			unattested(audit.Attestable, true)(r)
			r.Bundles = signedBy("evil/flask")
		}, "publisher-changed!"},
		{"people", person("a@example.org"), person("b@example.org"), "publisher-changed!"},
		{"people in another case", person("a@example.org"), person("A@example.org"), "publisher-changed!"},
		{"the same person", person("a@example.org"), person("a@example.org"), ""},
		{"a repository called like a person", person("a"), extension(func(x *report.ExtensionsDocument) {
			*x = report.ExtensionsDocument{SourceRepository: "a"}
		}), "publisher-changed!"},
		{"a person in place of a repository", same, person("a@example.org"), "publisher-changed! workflow-changed"},
		{
			"certificates without extensions", content(func(c *report.ContentDocument) { c.Extensions = nil }),
			extension(func(x *report.ExtensionsDocument) { x.BuildConfigURI = "" }), "",
		},

		{"issuer", same, content(func(c *report.ContentDocument) { c.Issuer = "https://evil.example" }), "issuer-changed!"},
		{"issuer gone", same, content(func(c *report.ContentDocument) { c.Issuer = "" }), "issuer-changed!"},
		{"workflow", same, extension(func(x *report.ExtensionsDocument) {
			x.BuildConfigURI = "https://github.com/pallets/flask/.github/workflows/other.yaml@refs/tags/v1"
		}), "workflow-changed"},
		{"workflow of another repository", same, extension(func(x *report.ExtensionsDocument) {
			x.BuildConfigURI = "https://github.com/other/flask/.github/workflows/release.yaml@refs/tags/v1"
		}), "workflow-changed"},
		{"a ref of a workflow whose name has an @", extension(func(x *report.ExtensionsDocument) {
			x.BuildConfigURI = "https://github.com/pallets/flask/.github/workflows/a@b.yaml@refs/tags/v1"
		}), extension(func(x *report.ExtensionsDocument) {
			x.BuildConfigURI = "https://github.com/pallets/flask/.github/workflows/a@c.yaml@refs/tags/v1"
		}), "workflow-changed"},
		{"predicate", same, content(func(c *report.ContentDocument) { c.PredicateType = "https://slsa.dev/provenance/v1" }), "predicate-changed"},

		{"registered again", same, extension(func(x *report.ExtensionsDocument) { x.SourceRepositoryID = "101" }), "repository-id-changed!"},
		{"registered again by another", same, extension(func(x *report.ExtensionsDocument) { x.SourceRepositoryID, x.SourceOwnerID = "101", "8" }), "repository-id-changed! owner-id-changed!"},
		{"owner", same, extension(func(x *report.ExtensionsDocument) { x.SourceOwnerID = "8" }), "owner-id-changed!"},
		{"identifiers not known before", extension(func(x *report.ExtensionsDocument) { x.SourceRepositoryID, x.SourceOwnerID = "", "" }), same, ""},
		{"identifiers not known now", same, extension(func(x *report.ExtensionsDocument) { x.SourceRepositoryID, x.SourceOwnerID = "", "" }), ""},
		{"renamed", same, extension(func(x *report.ExtensionsDocument) {
			x.SourceRepository = "https://github.com/pallets/renamed"
			x.BuildConfigURI = "https://github.com/pallets/renamed/.github/workflows/release.yaml@refs/tags/v2"
		}), "publisher-changed!"},

		{"GitHub's release attestation in place of the workflow's", same, released("Pallets/flask", "100", "7"), "workflow-changed"},
		{"of another repository", same, released("evil/flask", "100", "7"), "publisher-changed! workflow-changed"},
		{"release of a repository registered again", released("pallets/flask", "100", "7"), released("pallets/flask", "101", "8"), "repository-id-changed! owner-id-changed!"},

		{"mismatch", same, verdict(audit.Mismatch, "identity-mismatch"), "new-failure!"},
		{"mismatch, with a bundle of another", same, func(r *report.Record) {
			r.Verdict, r.Bundles = audit.Mismatch, signedBy("evil/flask")
		}, "new-failure!"},
		{"invalid", same, verdict(audit.Invalid, "signature"), "new-failure!"},
		{"error", same, verdict(audit.Error, audit.CodeTooLarge), "new-failure!"},
		{"the archive is gone, its evidence is not", same, verdict(audit.Missing, audit.CodeArchiveMissing), "new-failure!"},
		{"an old failure", verdict(audit.Mismatch, "x"), verdict(audit.Mismatch, "x"), ""},
		{"another failure", verdict(audit.Unavailable, "x"), verdict(audit.Mismatch, "x"), ""},
		{"what was found does not verify any more", unattested(audit.Attestable, true), unattested(audit.Attestable, false), "new-failure!"},
		{"block removed, what is there does not verify", same, unattested(audit.Attestable, false), "new-failure!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes := baseline(t, flask("3.1.0", c.before)).Compare(flask("3.1.1", c.now))
			if got := kinds(changes); got != c.want {
				t.Errorf("got %q, wanted %q: %+v", got, c.want, changes)
			}
			for _, c := range changes {
				if c.Before == "" && c.After == "" {
					t.Errorf("%s says nothing", c.Kind)
				}
			}
		})
	}
}

func TestChangesSayWhat(t *testing.T) {
	renamed := flask("3.1.1", extension(func(x *report.ExtensionsDocument) {
		x.SourceRepository, x.BuildConfigURI = "https://github.com/pallets/other", ""
	}))
	got := baseline(t, flask("3.1.0", nil)).Compare(renamed)
	want := []report.Change{
		{Kind: report.PublisherChanged, Before: "https://github.com/pallets/flask", After: "https://github.com/pallets/other (the same repository, renamed or transferred)", Downgrade: true},
		{Kind: report.WorkflowChanged, Before: ".github/workflows/release.yaml"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A source is compared with the one that it is a version of.
func TestCounterparts(t *testing.T) {
	// source is one that a publisher of its own signed, so that a change shows
	// which it is compared with.
	source := func(recipe string, at int, signer string, urls ...string) *report.Record {
		r := record(0, recipe, "h.example", audit.Verified, urls...)
		r.Place = [2]int{0, at}
		if strings.Contains(recipe, "second") {
			r.Place[0] = 1
		}
		r.Bundles = signedBy("o/" + signer)
		return r
	}
	pypi := func(version string) string {
		return "https://pypi.org/packages/source/f/flask/flask-" + version + ".tar.gz"
	}
	asset := func(version, name string) string {
		return "https://github.com/o/r/releases/download/v" + version + "/" + name
	}
	for _, c := range []struct {
		name   string
		before []*report.Record
		now    *report.Record
		want   string // of whom it is a version; "" for nobody
	}{
		{
			"another spelling of the project",
			[]*report.Record{source("a", 0, "x", "https://pypi.org/packages/source/f/foo.bar/foo.bar-1.0.tar.gz")},
			source("a", 0, "n", "https://pypi.org/packages/source/f/foo_bar/foo_bar-2.0.tar.gz"), "x",
		},
		{
			"the digest's path on PyPI",
			[]*report.Record{source("a", 3, "x", pypi("1.0"))},
			source("a", 0, "n", "https://files.pythonhosted.org/packages/ab/cd/"+strings.Repeat("e", 60)+"/flask-2.0.tar.gz"), "x",
		},
		{
			"release and archive",
			[]*report.Record{source("a", 0, "x", asset("1", "r-1.tar.gz")), source("a", 1, "y", "https://h.example/z")},
			source("a", 5, "n", "https://github.com/O/R/archive/refs/tags/v2.tar.gz"), "x",
		},
		{
			"an address with versions",
			[]*report.Record{source("a", 0, "x", "https://ftp.example/hello/2.12/hello-2.12.1-rc1.tar.gz"), source("a", 1, "y", "https://ftp.example/other/other-1.tar.gz")},
			source("a", 7, "n", "https://FTP.example/hello/v3/hello-3.0.tar.gz"), "x",
		},
		{
			"a commit",
			[]*report.Record{source("a", 0, "x", "https://h.example/"+strings.Repeat("ab", 20)+"/a.tgz"), source("a", 1, "y", "https://h.example/y")},
			source("a", 7, "n", "https://h.example/"+strings.Repeat("c", 40)+"/a.tgz"), "x",
		},
		{
			"the first address that has an origin",
			[]*report.Record{source("a", 0, "x", pypi("1")), source("a", 1, "y", asset("1", "r"))},
			source("a", 5, "n", "https://mirror.example/flask.tar.gz", pypi("2")), "x",
		},
		{"a moved recipe", []*report.Record{source("a", 0, "x", pypi("1"))}, func() *report.Record {
			r := source("a", 0, "n", pypi("2"))
			r.Recipe = "elsewhere/recipe.yaml"
			return r
		}(), "x"},
		{"the same path before the same package", []*report.Record{source("a", 0, "x", pypi("1")), func() *report.Record {
			r := source("second", 0, "y", pypi("1"))
			r.Package = "a"
			return r
		}()}, source("a", 0, "n", pypi("2")), "x"},
		{"another recipe", []*report.Record{source("a", 0, "x", pypi("1"))}, source("b", 0, "n", pypi("2")), ""},
		{"another project, of the recipe's only source", []*report.Record{source("a", 0, "x", pypi("1"))}, source("a", 0, "n", asset("2", "r-2.tar.gz")), "x"},
		{"another project, of a second source", []*report.Record{source("a", 0, "x", pypi("1"))}, source("a", 1, "n", asset("2", "r-2.tar.gz")), ""},
		{"another project, of one of several", []*report.Record{source("a", 0, "x", pypi("1")), source("a", 1, "y", "https://h.example/y")}, source("a", 0, "n", asset("2", "r-2.tar.gz")), ""},
		{
			"several files, by name",
			[]*report.Record{source("a", 0, "x", asset("1", "linux.tgz")), source("a", 1, "y", asset("1", "mac.tgz"))},
			source("a", 0, "n", asset("2", "mac.tgz")), "y",
		},
		{
			"several files, by name before order",
			[]*report.Record{source("a", 0, "x", asset("1", "r-cp310.whl")), source("a", 1, "y", asset("1", "r-cp311.whl"))},
			source("a", 0, "n", asset("2", "r-cp311.whl")), "y",
		},
		{
			"a file of PyPI that names no project",
			[]*report.Record{source("a", 0, "x", "https://files.pythonhosted.org/packages/ab/cd/"+strings.Repeat("e", 60)+"/odd.v1"), source("a", 1, "y", "https://h.example/y")},
			source("a", 5, "n", "https://files.pythonhosted.org/packages/12/34/"+strings.Repeat("5", 60)+"/odd.v2"), "x",
		},
		{"the same path before a nearer one of the same package", []*report.Record{source("a", 4, "x", pypi("1")), func() *report.Record {
			r := source("second", 0, "y", pypi("2"))
			r.Package = "a"
			return r
		}()}, source("a", 0, "n", pypi("2")), "x"},
		{
			"several files, by shape",
			[]*report.Record{source("a", 0, "x", asset("1", "r-1.0-linux.tgz")), source("a", 1, "y", asset("1", "r-1.0-mac.tgz"))},
			source("a", 0, "n", asset("2", "r-2.0rc1-mac.tgz")), "y",
		},
		{
			"several files, by order",
			[]*report.Record{source("a", 0, "x", asset("1", "r1.tgz")), source("a", 4, "y", asset("1", "r2.tgz"))},
			source("a", 3, "n", asset("2", "r7.tgz")), "y",
		},
		{
			"the same version in the other of two recipes",
			[]*report.Record{source("a", 0, "x", pypi("1")), source("second", 0, "y", pypi("1"))},
			source("second", 0, "n", pypi("2")), "y",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, change := range baseline(t, c.before...).Compare(c.now) {
				if change.Kind == report.PublisherChanged {
					got = strings.TrimSuffix(strings.TrimPrefix(change.Before, "https://github.com/o/"), " ")
				}
			}
			if got != c.want {
				t.Errorf("compared with %q, wanted %q", got, c.want)
			}
		})
	}
}

// A recipe that is broken now hides no evidence that it had.
func TestCompareABrokenRecipe(t *testing.T) {
	broken := record(0, "flask", "", audit.Error)
	got := baseline(t, record(0, "flask", "h", audit.Unattested, "https://h.example/a"), func() *report.Record {
		r := flask("3.1.0", nil)
		r.Place[1] = 1
		return r
	}()).Compare(broken)
	if kinds(got) != "new-failure!" {
		t.Errorf("got %+v", got)
	}
	empty := record(0, "flask", "", audit.Unattested)
	empty.Code = audit.CodeNoSources
	if got := baseline(t, flask("3.1.0", nil)).Compare(empty); got != nil {
		t.Errorf("of a recipe without sources: %+v", got)
	}
	if got := baseline(t, broken).Compare(broken); got != nil {
		t.Errorf("got %+v", got)
	}
}

func TestComparedWithItselfNothingChanges(t *testing.T) {
	_, records := varied()
	_, more := sample(50)
	for i, r := range more {
		r.Place[0] += 100
		r.Other = fmt.Sprintf("git https://h.example/r%d", i/4)
		if i%3 == 0 {
			r.Bundles = signedBy(fmt.Sprintf("o/r%d", i))
		}
	}
	records = append(records, more...)
	// Files of one name in one recipe, of several publishers.
	for i := range 5 {
		r := flask("1.0", nil)
		r.Place, r.Bundles = [2]int{1000, i}, signedBy(fmt.Sprintf("o/r%d", i))
		records = append(records, r)
	}
	h := hostileRecord(audit.Verified, strings.Repeat(hostile, 100))
	h.Place, h.Bundles = [2]int{2000, 0}, signedBy(strings.Repeat(hostile, 100))
	records = append(records, h)
	b := baseline(t, records...)
	for _, r := range records {
		if got := b.Compare(r); len(got) > 0 {
			t.Errorf("%s: %+v", r.Position, got)
		}
	}
}

// Texts that differ behind what is kept of them are not the same.
func TestCompareLongTexts(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	name := func(s string) func(*report.Record) {
		return extension(func(x *report.ExtensionsDocument) { x.SourceRepository, x.BuildConfigURI = s, "" })
	}
	b := baseline(t, flask("1", name(long+"a")))
	if got := b.Compare(flask("2", name(long+"a"))); got != nil {
		t.Errorf("got %d changes", len(got))
	}
	got := b.Compare(flask("2", name(long+"b")))
	if kinds(got) != "publisher-changed!" || len(got[0].Before) > 1024 {
		t.Errorf("got %s", kinds(got))
	}
}

func TestBaselineWarnings(t *testing.T) {
	h, records := sample(3)
	whole := write(t, *h, records, all)
	shard := *h
	shard.Shard = "1/2"
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"whole", whole, ""},
		{"incomplete", bytes.Replace(whole, []byte(`"complete":true`), []byte(`"complete":false`), 1), "last.json is incomplete; sources that it does not have are not compared"},
		{"cut", whole[:len(whole)/2], "last.json ends in the middle;"},
		{"cut between lines", whole[:bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1], "last.json ends in the middle;"},
		{"a shard", write(t, shard, records, all), "last.json is shard 1/2 of a report;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := report.NewReader("last.json", bytes.NewReader(c.data))
			if err != nil {
				t.Fatal(err)
			}
			b, err := report.ReadBaseline(r)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(b.Warnings(), "\n")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, wanted %q", got, c.want)
			}
			records[0].Verdict = audit.Error // it has no address, so that the recipe is broken
			if got := b.Compare(records[0]); kinds(got) != "new-failure!" {
				t.Errorf("what is there is not compared: %+v", got)
			}
			records[0].Verdict = audit.Verified
		})
	}
}

func TestBaselineErrors(t *testing.T) {
	h, records := sample(2)
	data := append(write(t, *h, records, all), "{}\n"...)
	r, err := report.NewReader("last.json", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var format *report.FormatError
	if _, err := report.ReadBaseline(r); !errors.As(err, &format) {
		t.Errorf("got %v", err)
	}
}

// Fifteen thousand sources take less than 10 MiB, and do not share any text.
func TestBaselineMemory(t *testing.T) {
	const n = 15_000
	r, w := io.Pipe()
	go func() {
		lines := &report.Lines{W: w}
		footer := report.NewFooter()
		footer.Complete = true
		err := lines.Header(&report.Header{Schema: report.AuditSchema, Recipes: n})
		for i := range n {
			one := flask(fmt.Sprintf("3.%d", i), nil)
			one.Place, one.Recipe, one.Package = [2]int{i, 0}, fmt.Sprintf("recipes/package-%d/recipe.yaml", i), fmt.Sprintf("package-%d", i)
			one.URLs[0] = fmt.Sprintf("https://pypi.org/packages/source/p/package-%d/package_%d-3.%d.tar.gz", i, i, i)
			one.Bundles = signedBy(fmt.Sprintf("owner-%d/package-%d", i, i))
			x := one.Bundles[0].Verified.Extensions
			x.SourceRepositoryID, x.SourceOwnerID = fmt.Sprint(i), fmt.Sprint(n+i)
			err = errors.Join(err, lines.Record(one))
		}
		w.CloseWithError(errors.Join(err, lines.Footer(footer)))
	}()
	reader, err := report.NewReader("last.json", r)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b, err := report.ReadBaseline(reader)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	took := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d bytes a source", took/n)
	if took > 10<<20 {
		t.Errorf("it takes %d bytes", took)
	}
	runtime.KeepAlive(b)
}

func FuzzCompare(f *testing.F) {
	_, records := varied()
	for _, r := range records {
		data, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &report.Record{}
		if json.Unmarshal(data, r) != nil || r.Place[0] < 0 || r.Place[1] < 0 {
			return
		}
		// A report read back is what it says of itself.
		if got := baseline(t, r).Compare(r); len(got) > 0 {
			t.Errorf("compared with itself: %+v", got)
		}
	})
}
