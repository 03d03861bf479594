package main

var testBump = []string{"./bump"}

// Two versions of a recipe, and the revisions that they are read from.
var ofBumps = []mutation{
	{
		"a source with evidence must not go", "bump/compare.go",
		`if old.Evidence == Genuine || old.Evidence == Refused {`, `if false {`, testBump, "",
	},
	{
		"a block must not go", "bump/compare.go",
		`if old.Demanded && !now.Demanded {`, `if false {`, testBump, "",
	},
	{
		"a failure cannot be accepted", "bump/compare.go",
		`fails && (c.Kind == NewFailure || !slices.Contains(accept, c.Kind))`, `fails && !slices.Contains(accept, c.Kind)`, testBump, "",
	},
	{
		"lost evidence is a change", "bump/compare.go",
		`case before && (now.Evidence == None || now.Verdict == audit.Missing):`, `case false:`, testBump, "",
	},
	{
		"evidence that was good and does not count any more is a failure", "bump/compare.go",
		`case before && now.Evidence == NotCounted:`, `case false:`, testBump, "",
	},
	{
		"what was not seen is not the same", "bump/compare.go",
		`func (s *Source) unseen() bool { return s.has(Unseen) }`, `func (s *Source) unseen() bool { return false }`, testBump, "",
	},
	{
		"statements of other kinds are no evidence", "bump/compare.go",
		`case verify.CodeOtherDigest, verify.CodePredicate, `, `case verify.CodeOtherDigest, `, testBump, "",
	},
	{
		"a bare name is no folder", "bump/find.go",
		`!strings.Contains(text, ":") && (strings.HasSuffix(slashed, "/") ||`, `existing(text) == text || !strings.Contains(text, ":") && (strings.HasSuffix(slashed, "/") ||`, testBump, "",
	},
	{
		"what lies beside a recipe belongs to its revision", "bump/version.go",
		`o.Folder = dir`, `_ = dir`, testBump, "",
	},
	{
		"the policy is the older version's", "bump/policy.go",
		`	if ok && !old.tree.SameFile(name) {`, `	if ok && name == "" {`, testBump, "",
	},
	{
		"the older version's policy is still there", "bump/policy.go",
		`if before := old.policy(); before != "" && before != name {`, `if before := old.policy(); false {`, testBump, "",
	},
	{
		"trusted roots of the policy are the older version's", "bump/policy.go",
		`if name, ok := inside(file); ok && !old.tree.SameFile(name) {`, `if name, ok := inside(file); ok && name == "" {`, testBump, "",
	},
	{
		"replaced objects are not taken", "internal/repository/git.go",
		`"GIT_NO_REPLACE_OBJECTS=1", `, ``, testRepository, "TestReplacedObjectsAreNotTaken",
	},
	{
		"names in a tree lead nowhere else", "internal/repository/revision.go",
		`case !fs.ValidPath(rel) || rel == "." || !filepath.IsLocal(filepath.FromSlash(rel)):`, `case false:`, testRepository, "TestHostileTrees",
	},
	{
		"a recipe that is a link is not followed", "internal/repository/revision.go",
		`case b.link && slices.Contains(wanted, rel):`, `case false:`, testRepository, "TestExtract",
	},
	{
		"a folder with a file more is another", "internal/repository/revision.go",
		`if b := t.find(rel); !ok || b == nil || !b.isFile(file, d) {`, `if b := t.find(rel); b == nil { return nil } else if !ok || !b.isFile(file, d) {`, testRepository, "TestSameOnDisk",
	},
	{
		"a folder with a file less is another", "internal/repository/revision.go",
		`return err == nil && seen == len(want)`, `return err == nil && len(want) > 0`, testRepository, "TestSameOnDisk",
	},
}
