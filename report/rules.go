package report

import (
	"strings"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/verify"
)

// A rule is a kind of alert. Its identifier is the code of a verdict, or one of
// those below.
type rule struct {
	id    string
	level level
	short string // one sentence
	help  string // what it means and what to do
}

// Rules beside the codes of verdicts.
const (
	ruleAttestable = "attestable"
	ruleOther      = "other"
	changeRule     = "since-" // before the kind of a change
)

// name gives the rule's name in PascalCase, or "" if it would be the identifier
// but for that: SARIF wants two that differ, or one.
func (r *rule) name() string {
	var b strings.Builder
	for word := range strings.SplitSeq(r.id, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if name := b.String(); len(name) != len(r.id) {
		return name
	}
	return ""
}

// ruleFor gives the rule with an identifier, or that for what has none: reports
// may be of other versions of the program.
func ruleFor(id string) *rule {
	for i := range rules {
		if rules[i].id == id {
			return &rules[i]
		}
	}
	return &rules[len(rules)-1]
}

// index gives the rule's place in the list.
func (r *rule) index() int {
	for i := range rules {
		if &rules[i] == r {
			return i
		}
	}
	return len(rules) - 1
}

const (
	helpTampered = "The evidence lists the archive's digest and does not verify: it was altered, or is incomplete. Do not build. Ask the project about its release."
	helpPolicy   = "The evidence is genuine and of a publisher that the recipe names, but breaks a rule of the policy file. The message names the rule and its line. Find out why the release was made in another way than before; change the rule only if the project says so."
	helpSigner   = "The evidence is genuine, and somebody else signed it. If the project moved, or the recipe names it wrongly, correct publishers. If you do not know the signer, do not build."
	helpNoAnswer = "This says nothing about the source. Try again later; audit --resume takes over what is finished."
	helpChange   = "The source, or an earlier version of it, was otherwise in the report that this one was compared with. Find out why before the new version is built; a taken-over project looks like this."
)

// rules are all rules, that for everything else last. They are not changed.
var rules = []rule{ //nolint:gochecknoglobals // a constant list
	{string(verify.CodeMalformed), levelError, "The evidence cannot be read.", "The document is damaged, or is no attestation of this archive. Look at what the address serves, with recipe-verify inspect. Do not build until the project explains it."},
	{string(verify.CodeNoCertificate), levelError, "The evidence has no certificate.", "It was signed with a bare key, which says nothing about who holds it. Only evidence with a certificate of a Sigstore authority counts."},
	{string(verify.CodeUnknownAuthority), levelError, "No trusted root vouches for the evidence.", "Only evidence of a known Sigstore instance counts. Name a private instance's root in the policy file, or with --trusted-root FILE."},
	{string(verify.CodeCertificate), levelError, "The certificate was not valid when the evidence was signed.", helpTampered},
	{string(verify.CodeSCT), levelError, "The certificate is in no trusted certificate log.", helpTampered},
	{string(verify.CodeLogEntry), levelError, "The transparency log's entry does not verify.", helpTampered},
	{string(verify.CodeTimestamp), levelError, "Nothing proves when the evidence was signed.", helpTampered},
	{string(verify.CodeSignature), levelError, "The signature does not verify.", helpTampered},
	{string(verify.CodeOtherDigest), levelError, "The evidence is of other archives.", "No evidence lists the digest that the recipe pins. Either the recipe's sha256 is of another file than the project signed, or the project did not sign this one. Compare it with the project's release."},
	{string(verify.CodePredicate), levelError, "The evidence makes a statement of another type.", "The recipe or the policy accepts other predicate types. Look at what the evidence says, with recipe-verify inspect, and accept the type if it is one that vouches for the archive's origin."},
	{string(verify.CodeSubjectName), levelError, "The evidence is of these bytes under another name.", "The project signed these bytes as another file. Compare the recipe's url and sha256 with the release."},
	{string(verify.CodeIdentity), levelError, "Somebody else signed the archive.", helpSigner},
	{string(verify.CodeIssuer), levelError, "The signer's identity was vouched for by another issuer.", helpSigner},
	{string(verify.CodeRef), levelError, "The archive was built from another ref.", "Correct the ref after \"@\" in publishers, or find out why the release was built from another ref."},
	{string(verify.CodeReusableWorkflow), levelError, "A workflow of another repository signed.", "The project uses a reusable workflow. If that is known and wanted, name the workflow in the policy file, under reusable_workflows."},
	{string(verify.CodeRelease), levelError, "The evidence is of another release.", "Point the recipe's url at the asset of the release that was signed."},
	{string(verify.CodeNotAllPublishers), levelError, "Not every publisher has signed.", "The policy asks for all of the recipe's publishers. Find out why one has not signed, or name those only that sign."},
	{string(verify.CodeBound), levelError, "The policy binds the package to another publisher.", "The recipe names a publisher that the policy does not accept for this package. " + helpSigner},
	{string(verify.CodeReleaseNotAllowed), levelError, "The policy does not accept GitHub's attestations of releases.", "GitHub attests immutable releases itself, and the policy says that this does not count. The project would have to attest its builds."},
	{string(verify.CodeWorkflow), levelError, "Another workflow signed than the policy accepts.", helpPolicy},
	{string(verify.CodeTrigger), levelError, "The workflow was started in a way that the policy does not accept.", helpPolicy},
	{string(verify.CodeRunner), levelError, "The workflow ran on a machine that the policy does not accept.", helpPolicy},
	{string(verify.CodeEnvironment), levelError, "The workflow ran in a deployment environment that the policy does not accept.", helpPolicy},
	{string(verify.CodeVersion), levelError, "The tag that was built does not fit the recipe's version.", helpPolicy},
	{string(verify.CodeRepositoryID), levelError, "The repository has another identifier than the policy demands.", helpPolicy + " A repository that was deleted and registered again has its old name and a new identifier."},
	{string(verify.CodeOwnerID), levelError, "The repository's owner has another identifier than the policy demands.", helpPolicy + " An account that was deleted and registered again has its old name and a new identifier."},

	{string(audit.CodeNoBlock), levelError, "The source has no attestation block.", "Evidence is required. Add an attestation block with publishers to the source; audit --discover finds out who signs it. Or except the source in the policy file, with a reason and an end date."},
	{string(audit.CodePolicy), levelError, "The policy cannot be applied to the source.", "Correct the policy file; recipe-verify policy check shows what applies to a recipe and why."},
	{string(audit.CodeNoEvidence), levelError, "There is no evidence.", "Evidence is demanded, and where it would be there is none. If the project has stopped to attest its releases, find out why before you remove the block."},
	{string(audit.CodeNoAddress), levelError, "It is not known where evidence would be.", "Add bundle_url to the attestation block: the address of the release's .sigstore.json or .intoto.jsonl file."},
	{string(audit.CodeArchiveDigest), levelError, "The archive is not the one that the recipe pins.", "The archive was replaced after the recipe was written, or damaged on its way. Do not update the recipe before you know why."},
	{string(audit.CodeArchiveMD5), levelError, "The archive's md5 is not the one that the recipe gives.", "The sha256 agrees, so the recipe's md5 is wrong. Correct or remove it."},
	{string(audit.CodeArchiveMissing), levelError, "The archive does not exist.", "Correct the source's url."},
	{string(audit.CodeFetchFailed), levelWarning, "The source or its evidence could not be obtained.", helpNoAnswer},
	{string(audit.CodeTrust), levelWarning, "No trusted root could be obtained.", helpNoAnswer + " Or name a trusted root with --trusted-root FILE."},
	{string(audit.CodeInterrupted), levelWarning, "The run was interrupted before this source was finished.", helpNoAnswer},
	{string(audit.CodeTooLarge), levelError, "The archive or the evidence is larger than allowed.", "No real attestation is as large. If the archive really is, raise --max-archive-size."},
	{string(audit.CodeRefused), levelError, "The address is not asked.", "It leads where recipes must not lead, such as to a private network or from https to http. Correct the recipe's addresses."},
	{string(audit.CodeLock), levelError, "The lock file is missing, or cannot be read.", "With --locked the recipe must have a lock file that says who signs its sources. Look at who does, and write it with recipe-verify lock."},
	{string(audit.CodeLockOutdated), levelError, "The lock file does not speak of the recipe's sources.", "A source was added, moved to another project, or lost its attestation block. Look at what has changed in the recipe and why; then write the lock file again with recipe-verify lock, and have the change reviewed."},
	{string(audit.CodeLockedSigner), levelError, "The archive was signed otherwise than is locked.", "The evidence is genuine, and repository, owner, workflow, issuer or type of statement are not those of the lock file. A taken-over project, or a name that somebody else has registered again, looks like this. Find out why from the project, not from the evidence; if it is right, write the lock file again with recipe-verify lock."},
	{string(audit.CodeRecipe), levelError, "The recipe is wrong.", "The recipe cannot be evaluated as rattler-build would. Correct it; nothing can be said of its sources until then."},

	{ruleAttestable, levelNote, "The source has evidence that the recipe does not ask for.", "There is evidence for this archive. If the signer is who should sign it, add an attestation block, so that a release by somebody else is caught."},

	{changeRule + string(EvidenceDisappeared), levelError, "Evidence has disappeared.", helpChange},
	{changeRule + string(PublisherChanged), levelError, "Another publisher signs than before.", helpChange},
	{changeRule + string(IssuerChanged), levelError, "Another issuer vouches for the signer than before.", helpChange},
	{changeRule + string(WorkflowChanged), levelNote, "Another workflow signs than before.", helpChange},
	{changeRule + string(PredicateChanged), levelNote, "The evidence makes a statement of another type than before.", helpChange},
	{changeRule + string(RepositoryIDChanged), levelError, "The repository's identifier has changed.", helpChange + " A repository that was deleted and registered again has its old name and a new identifier."},
	{changeRule + string(OwnerIDChanged), levelError, "The owner's identifier has changed.", helpChange + " An account that was deleted and registered again has its old name and a new identifier."},
	{changeRule + string(NewFailure), levelError, "The source was verified before and is not any more.", helpChange},

	{ruleOther, levelError, "The source is not as it should be.", "The message says why. It is of a kind that this version of recipe-verify does not know."},
}
