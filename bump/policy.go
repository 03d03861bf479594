package bump

import (
	"path"

	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/signer"
)

// PolicyChanges tells in what a policy, as it lies on disk, differs from what the
// older version of a pair has in its revision: the policy's file, the trusted
// roots that it names, or which file it is, if it was found by its place. Who
// proposes a new version must not choose whom to believe. It says nothing of
// older versions on disk, and of files outside of the checkout.
func (p Pair) PolicyChanges(used *policy.Policy, found bool) []signer.Change {
	old := p.Old
	if old == nil || old.tree == nil {
		return nil
	}
	var changes []signer.Change
	differs := func(before, after string) {
		changes = append(changes, signer.Change{Kind: PolicyChanged, Before: before, After: after, Downgrade: true})
	}
	inside := func(file string) (string, bool) {
		if file == "" {
			return "", false
		}
		return old.checkout.Name(file)
	}
	name, ok := inside(used.Path)
	if found {
		if before := old.policy(); before != "" && before != name {
			differs(old.Revision+":"+before, used.Path)
		}
	}
	if ok && !old.tree.SameFile(name) {
		differs(old.had(name), used.Path)
	}
	files := make([]string, 0, len(used.Trust.Roots)+len(used.Trust.TUF))
	for _, r := range used.Trust.Roots {
		files = append(files, r.Path)
	}
	for _, t := range used.Trust.TUF {
		files = append(files, t.Root)
	}
	for _, file := range files {
		if name, ok := inside(file); ok && !old.tree.SameFile(name) {
			differs(old.had(name), file)
		}
	}
	return changes
}

// had names a file of the version's revision, or says that it has none.
func (v *Version) had(name string) string {
	if v.tree.Has(name) {
		return v.Revision + ":" + name
	}
	return ""
}

// policy is the policy file that holds for the recipe in its revision, "" for none.
func (v *Version) policy() string {
	for dir := path.Dir(v.Name); ; dir = path.Dir(dir) {
		if name := path.Join(dir, policy.FileName); v.tree.Has(name) {
			return name
		}
		if dir == "." {
			return ""
		}
	}
}
