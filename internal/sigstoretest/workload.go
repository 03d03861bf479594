package sigstoretest

import (
	"path"
	"strings"
)

// GitHubRun is a run of a workflow on GitHub, from which an identity follows as
// Fulcio derives it from the run's token. The zero value of each field but
// Repository stands for the default that its comment gives.
type GitHubRun struct {
	// Repository is "owner/name".
	Repository string
	// Workflow is the file within the repository; ".github/workflows/release.yml".
	Workflow string
	// Name is the workflow's name; "Release".
	Name string
	// Ref is what the run was started on; "refs/tags/v1.0.0".
	Ref string
	// Commit is the commit of Ref, 40 hexadecimal digits.
	Commit string
	// Trigger is the event; "release".
	Trigger string
	// Runner is "github-hosted" or "self-hosted"; the first.
	Runner string
	// RepositoryID and OwnerID are the numbers that survive a renaming;
	// "596532921" and "16748505".
	RepositoryID, OwnerID string
	// RunID is the run's number; "10112233445".
	RunID string
	// Visibility is "public", "private" or "internal"; the first.
	Visibility string
	// Environment is the deployment environment, which the run need not have.
	Environment string
	// SignerRepository, SignerWorkflow, SignerRef and SignerCommit are those of
	// the reusable workflow that signs, where it is not the run's own.
	SignerRepository, SignerWorkflow, SignerRef, SignerCommit string
	// Host is where the repositories are, with a slash at its end;
	// "https://github.com/".
	Host string
	// Issuer is "https://token.actions.githubusercontent.com".
	Issuer string
}

// GitHub is the identity of a release run in the repository "owner/name", with
// changes to the run.
func GitHub(repository string, change ...func(*GitHubRun)) Identity {
	r := GitHubRun{Repository: repository}
	for _, c := range change {
		c(&r)
	}
	return r.Identity()
}

// Provenance is GitHub's build provenance of files (SLSA v1). The predicate has
// the parts that a reader looks for, and nothing that a verdict relies on.
func (r GitHubRun) Provenance(files ...Subject) Statement {
	r.setDefaults()
	return Statement{
		Subjects:      files,
		PredicateType: SLSAProvenance,
		Predicate: map[string]any{
			"buildDefinition": map[string]any{
				"buildType": "https://actions.github.io/buildtypes/workflow/v1",
				"externalParameters": map[string]any{"workflow": map[string]any{
					"ref": r.Ref, "repository": r.Host + r.Repository, "path": r.Workflow,
				}},
				"resolvedDependencies": []any{map[string]any{
					"uri":    "git+" + r.Host + r.Repository + "@" + r.Ref,
					"digest": map[string]any{"gitCommit": r.Commit},
				}},
			},
			"runDetails": map[string]any{
				"builder":  map[string]any{"id": r.signer()},
				"metadata": map[string]any{"invocationId": r.invocation()},
			},
		},
	}
}

// setDefaults fills what is empty.
func (r *GitHubRun) setDefaults() {
	fill(&r.Workflow, defaultWorkflow)
	fill(&r.Name, "Release")
	fill(&r.Ref, defaultRef)
	fill(&r.Commit, defaultCommit)
	fill(&r.Trigger, "release")
	fill(&r.Runner, "github-hosted")
	fill(&r.RepositoryID, "596532921")
	fill(&r.OwnerID, "16748505")
	fill(&r.RunID, "10112233445")
	fill(&r.Visibility, "public")
	fill(&r.Host, gitHubHost)
	fill(&r.Issuer, gitHubIssuer)
	fill(&r.SignerRepository, r.Repository)
	fill(&r.SignerWorkflow, r.Workflow)
	fill(&r.SignerRef, r.Ref)
	fill(&r.SignerCommit, r.Commit)
}

// signer is the address of the workflow that signs.
func (r *GitHubRun) signer() string {
	return r.Host + r.SignerRepository + "/" + r.SignerWorkflow + "@" + r.SignerRef
}

// invocation is the address of the run.
func (r *GitHubRun) invocation() string {
	return r.Host + r.Repository + "/actions/runs/" + r.RunID + "/attempts/1"
}

// Identity derives the certificate's names and extensions.
func (r GitHubRun) Identity() Identity {
	r.setDefaults()
	owner, _, _ := strings.Cut(r.Repository, "/")
	var environment any
	if r.Environment != "" {
		environment = r.Environment
	}
	return Identity{
		SANs: []SAN{{URISAN, r.signer()}},
		Extensions: map[int]string{
			ExtIssuerV1:               r.Issuer,
			ExtTriggerV1:              r.Trigger,
			ExtCommitV1:               r.Commit,
			ExtWorkflowNameV1:         r.Name,
			ExtRepositoryV1:           r.Repository,
			ExtRefV1:                  r.Ref,
			ExtIssuer:                 r.Issuer,
			ExtBuildSignerURI:         r.signer(),
			ExtBuildSignerDigest:      r.SignerCommit,
			ExtRunnerEnvironment:      r.Runner,
			ExtSourceRepositoryURI:    r.Host + r.Repository,
			ExtSourceRepositoryDigest: r.Commit,
			ExtSourceRepositoryRef:    r.Ref,
			ExtSourceRepositoryID:     r.RepositoryID,
			ExtSourceOwnerURI:         r.Host + owner,
			ExtSourceOwnerID:          r.OwnerID,
			ExtBuildConfigURI:         r.Host + r.Repository + "/" + r.Workflow + "@" + r.Ref,
			ExtBuildConfigDigest:      r.Commit,
			ExtBuildTrigger:           r.Trigger,
			ExtRunInvocationURI:       r.invocation(),
			ExtVisibility:             r.Visibility,
		},
		publisher: map[string]any{
			"kind": "GitHub", "repository": r.Repository,
			"workflow": path.Base(r.Workflow), "environment": environment,
		},
	}.With(ExtEnvironment, r.Environment)
}

// GitLabJob is a job of a pipeline on GitLab. The zero value of each field but
// Project stands for a default.
type GitLabJob struct {
	// Project is the path with its groups, e.g. "group/sub/project".
	Project string
	// Config is the pipeline's file; ".gitlab-ci.yml".
	Config string
	// Ref is "refs/tags/v1.0.0".
	Ref string
	// Commit is 40 hexadecimal digits.
	Commit string
	// Trigger is the pipeline's source; "push".
	Trigger string
	// Runner is "gitlab-hosted" or "self-hosted"; the first.
	Runner string
	// ProjectID, NamespaceID and JobID are GitLab's numbers.
	ProjectID, NamespaceID, JobID string
	// Visibility is "public" or "private"; the first.
	Visibility string
	// Host is "https://gitlab.com/".
	Host string
	// Issuer is "https://gitlab.com".
	Issuer string
}

// GitLab is the identity of a release job in a project, with changes to the
// job.
func GitLab(project string, change ...func(*GitLabJob)) Identity {
	j := GitLabJob{Project: project}
	for _, c := range change {
		c(&j)
	}
	return j.Identity()
}

// Identity derives the certificate's names and extensions. The double slash
// before the file is GitLab's own.
func (j GitLabJob) Identity() Identity {
	fill(&j.Config, ".gitlab-ci.yml")
	fill(&j.Ref, defaultRef)
	fill(&j.Commit, defaultCommit)
	fill(&j.Trigger, "push")
	fill(&j.Runner, "gitlab-hosted")
	fill(&j.ProjectID, "55235664")
	fill(&j.NamespaceID, "12885801")
	fill(&j.JobID, "8415754949")
	fill(&j.Visibility, "public")
	fill(&j.Host, gitLabHost)
	fill(&j.Issuer, gitLabIssuer)

	config := j.Host + j.Project + "//" + j.Config + "@" + j.Ref
	return Identity{
		SANs: []SAN{{URISAN, config}},
		Extensions: map[int]string{
			ExtIssuerV1:               j.Issuer,
			ExtIssuer:                 j.Issuer,
			ExtBuildSignerURI:         config,
			ExtBuildSignerDigest:      j.Commit,
			ExtRunnerEnvironment:      j.Runner,
			ExtSourceRepositoryURI:    j.Host + j.Project,
			ExtSourceRepositoryDigest: j.Commit,
			ExtSourceRepositoryRef:    j.Ref,
			ExtSourceRepositoryID:     j.ProjectID,
			ExtSourceOwnerURI:         j.Host + path.Dir(j.Project),
			ExtSourceOwnerID:          j.NamespaceID,
			ExtBuildConfigURI:         config,
			ExtBuildConfigDigest:      j.Commit,
			ExtBuildTrigger:           j.Trigger,
			ExtRunInvocationURI:       j.Host + j.Project + "/-/jobs/" + j.JobID,
			ExtVisibility:             j.Visibility,
		},
		publisher: map[string]any{
			"kind": "GitLab", "repository": j.Project,
			"workflow_filepath": j.Config, "environment": nil,
		},
	}
}

// fill sets *s to its default if it is empty.
func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}
