package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

// release is a file that a fictional project has released.
type release struct {
	// name is the archive's.
	name string
	// files are its content; replaced, if any, is what the server gives today.
	files, replaced tree
	// addresses are where it is served, host/path.
	addresses []string
	// evidence is where its evidence is, if there is any, and sign makes that.
	evidence string
	sign     func(s *sigstoretest.Sigstore, file string, archive []byte) []byte
}

// prefix is the archive's top folder.
func (r release) prefix() string { return strings.TrimSuffix(r.name, ".tar.gz") }

// releases are all files of the demonstration.
func releases() []release {
	harbour := sigstoretest.GitHubRun{
		Repository: "harbour-lights/harbour-lights", Ref: "refs/tags/v2.4.1",
		Commit: "8d1f0c6a5b3e4792a0c4d9e85f7b21603c5ad4e9", Environment: "pypi",
		RepositoryID: "731204418", OwnerID: "158204417", RunID: "13859204416",
	}
	anchor := sigstoretest.GitHubRun{
		Repository: "tidewater/anchor", Ref: "refs/tags/v1.9.0", Trigger: "push",
		Commit:       "b4a9c17e60d2f38514ce7a96d0f3852b1e6c49a7",
		RepositoryID: "684120533", OwnerID: "139927405", RunID: "14420918837",
	}
	breakwater := sigstoretest.GitHubRun{
		Repository: "tidewater/breakwater", Ref: "refs/tags/v1.1.0",
		Commit:       "0c7e5d2f94b81a63e7d05f1c8b29a4603d5e7f18",
		RepositoryID: "684120601", OwnerID: "139927405", RunID: "14611023498",
	}
	lagoon := sigstoretest.GitHubRun{
		Repository: "lagoon-project/lagoon", Ref: "refs/tags/v0.7.2",
		Commit:       "e2b7f4c0a916d3582cf0b4e7916a83d5c24f7a0b",
		RepositoryID: "702218854", OwnerID: "147730192", RunID: "14770315542",
	}
	tides := sigstoretest.GitLabJob{
		Project: "lagoon/tools/tides", Ref: "refs/tags/v0.7.2",
		Commit:    "5f9d3b7a1c80e4624fa6c2d89b0e7315d8a4c6f2",
		ProjectID: "61830417", NamespaceID: "84410926", JobID: "9120447731",
	}
	charts := sigstoretest.GitHubRun{
		Repository: "lagoon-project/charts", Ref: "refs/tags/v3.1.0", Trigger: "push",
		Commit:       "91c6e0d4b7f2a8355d1e3c9f60b8274a5e7d1c03",
		RepositoryID: "702219007", OwnerID: "147730192", RunID: "14798220164",
	}
	return []release{
		pypi("harbour-lights", "2.4.1", harbour.Identity(), date(time.March, 14), harbour.Provenance),
		bundled("tidewater/anchor/releases/download/v1.9.0/anchor-1.9.0.tar.gz", ".sigstore.json", anchor, date(time.April, 12)),
		pypi("lagoon", "0.7.2", lagoon.Identity(), date(time.April, 30), nil),
		pypi("lagoon-tides", "0.7.2", tides.Identity(), date(time.April, 30), nil),
		bundled("lagoon-project/charts/releases/download/v3.1.0/charts-3.1.0.tar.gz", ".intoto.jsonl", charts, date(time.May, 2)),
		{
			name: "sounds-0.7.2.tar.gz", files: project("sounds", "0.7.2"),
			addresses: []string{"github.com/lagoon-project/sounds/archive/refs/tags/v0.7.2.tar.gz"},
		},
		replaced(pypi("breakwater", "1.1.0", breakwater.Identity(), date(time.May, 6), nil)),
	}
}

// date is noon of a day in the instance's first year.
func date(month time.Month, day int) time.Time {
	return time.Date(2025, month, day, 12, 0, 0, 0, time.UTC)
}

// pypi is a file on PyPI, at both of its hosts, with a publish attestation in
// Rekor v1, and a build provenance too if build is given.
func pypi(name, version string, id sigstoretest.Identity, at time.Time, build func(...sigstoretest.Subject) sigstoretest.Statement) release {
	stem := strings.ReplaceAll(name, "-", "_") + "-" + version
	file := stem + ".tar.gz"
	source := fmt.Sprintf("/packages/source/%s/%s/%s", name[:1], name, file)
	return release{
		name: file, files: project(name, version),
		addresses: []string{"pypi.org" + source, "files.pythonhosted.org" + source},
		evidence:  fmt.Sprintf("pypi.org/integrity/%s/%s/%s/provenance", name, version, file),
		sign: func(s *sigstoretest.Sigstore, file string, archive []byte) []byte {
			bundles := []*sigstoretest.Bundle{s.Sign(sigstoretest.Attest(file, archive), id, sigstoretest.RekorV1, sigstoretest.At(at))}
			if build != nil {
				bundles = append(bundles, s.Sign(build(sigstoretest.File(file, archive)), id, sigstoretest.RekorV1, sigstoretest.At(at.Add(3*time.Second))))
			}
			return sigstoretest.Provenance(bundles...)
		},
	}
}

// bundled is an asset of a GitHub release with a build provenance in Rekor v2:
// alone in a bundle beside the asset, or as JSON Lines beside that of another
// asset of the release.
func bundled(asset, ending string, run sigstoretest.GitHubRun, at time.Time) release {
	name := asset[strings.LastIndex(asset, "/")+1:]
	stem := strings.TrimSuffix(name, ".tar.gz")
	tool, version, _ := strings.Cut(stem, "-")
	r := release{name: name, files: project(tool, version), addresses: []string{"github.com/" + asset}}
	one := func(s *sigstoretest.Sigstore, name string, content []byte) *sigstoretest.Bundle {
		return s.Sign(run.Provenance(sigstoretest.File(name, content)), run.Identity(), sigstoretest.RekorV2, sigstoretest.At(at))
	}
	if ending == ".sigstore.json" {
		r.evidence = "github.com/" + asset + ending
		r.sign = func(s *sigstoretest.Sigstore, name string, archive []byte) []byte {
			return one(s, name, archive).JSON()
		}
		return r
	}
	r.evidence = "github.com/" + strings.TrimSuffix(asset, ".tar.gz") + ending
	r.sign = func(s *sigstoretest.Sigstore, name string, archive []byte) []byte {
		return sigstoretest.JSONLines(one(s, stem+".zip", []byte("another asset of the release")), one(s, name, archive))
	}
	return r
}

// replaced is a release whose archive was changed on the server.
func replaced(r release) release {
	r.replaced = tree{}
	for name, text := range r.files {
		r.replaced[name] = text
	}
	r.replaced["setup.py"] = "# This line was not in the archive that the project published.\n"
	return r
}

// project is the content of an archive.
func project(name, version string) tree {
	return tree{
		"README.md": "# " + name + " " + version + "\n\n" +
			"This archive belongs to the demonstration of recipe-verify. The project\n" +
			"doesn't exist, and there is nothing to build. See testdata/README.md.\n",
		"VERSION": version + "\n",
	}
}
