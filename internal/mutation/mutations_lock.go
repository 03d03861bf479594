package main

var (
	testSigner = []string{"./signer"}
	testLock   = []string{"./lock"}
)

// Who signed before, and what lock files demand.
var ofLocks = []mutation{
	{
		"repositories differ by their identifiers", "signer/compare.go",
		`if s.RepositoryID != now.RepositoryID {`, `if false {`, testSigner, "",
	},
	{
		"an owner who is registered again is another", "signer/compare.go",
		`if s.OwnerID != now.OwnerID {`, `if false {`, testSigner, "",
	},
	{
		"people are compared to the letter", "signer/signer.go",
		`	if s.Person {
		return s.Publisher
	}
	return lowerASCII(s.Publisher)`, `	return lowerASCII(s.Publisher)`, testSigner, "",
	},
	{
		"a workflow of a repository with a longer name is elsewhere", "signer/signer.go",
		`len(file) > n && file[n] == '/' && `, `len(file) > n && `, testSigner, "",
	},
	{
		"a signer stands for one signer before", "signer/compare.go",
		`if list[c.before].after == nil && !taken[c.now] {`, `if list[c.before].after == nil {`, testSigner, "",
	},
	{
		"an entry without signers lets nothing through", "lock/lock.go",
		`if len(e.Signers) == 0 { // which`, `if false { // which`, testLock, "",
	},
	{
		"renderings have a signer in common", "lock/lock.go",
		`		if len(e.Signers) == 0 {
			return nil,`, `		if false {
			return nil,`, testLock, "",
	},
	{
		"a list of nobody is refused", "lock/read.go",
		`case len(n.Content) == 0:`, `case false:`, testLock, "",
	},
	{
		"a key stands once", "lock/read.go",
		`if line, twice := seen[key.Value]; twice {`, `if line, twice := seen[key.Value]; twice && false {`, testLock, "",
	},
	{
		"another version is refused", "lock/read.go",
		`case version != Version:`, `case version < Version:`, testLock, "",
	},
	{
		"an unfinished merge is refused", "lock/read.go",
		`line := conflict(data); line > 0`, `line := conflict(data); line < 0`, testLock, "",
	},
	{
		"a lock file is a regular file", "lock/read.go",
		`case !info.Mode().IsRegular():`, `case info.IsDir():`, testLock, "",
	},
	{
		"a lock is demanded of recipes that ask for evidence", "audit/locked.go",
		`		if len(all) == 0 {
			return tasks
		}`, `		if len(all) >= 0 {
			return tasks
		}`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"what signed is what is locked", "audit/locked.go",
		`len(changes) == 0 {`, `len(changes) >= 0 {`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"a source has an entry", "audit/locked.go",
		`	if l.entry == nil {
		res = res.withoutEntry(l)`, `	if l.entry != nil {
		res = res.withoutEntry(l)`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"an entry has a source", "audit/locked.go",
		`if !used[e.Source] {`, `if false {`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"a source of another platform has an entry", "audit/locked.go",
		`if l.entry == nil && !here[t.identity()] {`, `if false {`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"a source of another platform can be known", "audit/locked.go",
		`case t.result.Verdict == Error && !here[t.identity()] && file != nil:`, `case false:`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"a lock is part of what is demanded", "audit/shard.go",
		`if t.locked != nil {`, `if false {`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
	{
		"nothing is locked where a source failed", "gate/lock.go",
		`g.failed = true`, `g.failed = false`, testGate, "Lock|Useless|UnderALock|NeedsNoLock",
	},
}
