package main

// What becomes of it in a run.
var ofAudit = []mutation{
	{
		"the archive has the pinned SHA-256", "audit/source.go",
		`case res.Verdict == Verified && a.SHA256 != res.Evidence.SHA256() || a.SHA256 != src.SHA256:`, `case false:`, testGate, "",
	},
	{
		"the archive has the pinned MD5", "audit/source.go",
		`case src.HasMD5 && (!a.HasMD5 || a.MD5 != src.MD5):`, `case false:`, testGate, "",
	},
	{
		"evidence that is required and not named is missing", "audit/demand.go",
		`	case d.Required:`, `	case false:`, testGate, "",
	},
	{
		"a policy's publishers need a pin", "audit/demand.go",
		`case !src.HasSHA256 && !src.EmptyDigest:`, `case false:`, testGate, "",
	},
	{
		"a policy that cannot be applied is an error", "audit/demand.go",
		`case d.Err != nil:`, `case false:`, testGate, "",
	},
	{
		"a policy's terms reach the verifier", "audit/demand.go",
		` Terms: d.Terms, Bound: d.Bound,`, ` Bound: d.Bound,`, testGate, "",
	},
	{
		"a policy's binding publishers reach the verifier", "audit/demand.go",
		` Terms: d.Terms, Bound: d.Bound,`, ` Terms: d.Terms,`, testGate, "",
	},
	{
		"a policy's word on releases reaches the verifier", "audit/demand.go",
		`		NoImmutableReleases: d.NoImmutableReleases,`, ``, testGate, "",
	},
	{
		"evidence that does not exist is missing", "audit/source.go",
		`return res.with(Missing, CodeNoEvidence, none.Error(), none.Hint())`,
		`return res.with(Unattested, CodeNoEvidence, none.Error(), none.Hint())`, testGate, "",
	},
	{
		"evidence that cannot be obtained is unavailable", "audit/source.go",
		`return res.with(Unavailable, CodeFetchFailed, message, hintOf(err))`,
		`return res.with(Unattested, CodeFetchFailed, message, hintOf(err))`, testGate, "",
	},
	{
		"provenance is taken from PyPI alone", "pypi/simple.go",
		`u.Scheme != "https" || u.Host != "pypi.org" || u.User != nil {`, `u.Scheme != "https" {`, testPyPI, "",
	},
	{
		"provenance is of the file of the address", "pypi/resolver.go",
		`candidates[i].MatchSubject = file.SameFile`, `candidates[i].Index = i`, testPyPI, "",
	},
	{
		"what is neither yes nor no does not close the gate", "gate/experimental.go",
		`return false, &EnvError{EnvExperimental, value}`, `return false, nil`, testGate, "Enabled",
	},
}

// Where requests go, and what is kept of the answers.
var ofFetch = []mutation{
	{
		"a name's address is checked when it is dialled", "fetch/transport.go",
		`if is := g.classify(ap.Addr()); is > limit {`, `if is := g.classify(ap.Addr()); is > limit && false {`, testFetch, "Redirect|Reach|Rebinding|Pooled|Metadata|Foreign",
	},
	{
		"an address that is written out is checked", "fetch/transport.go",
		`	case is > limit:`, `	case is > forbidden:`, testFetch, "Redirect|Reach|Rebinding|Pooled|Metadata|Foreign|Proxy|Unicode",
	},
	{
		"an address that an answer names is public", "fetch/transport.go",
		`	case t.foreign:`, `	case false:`, testFetch, "Foreign",
	},
	{
		"redirects do not lead from https to http", "fetch/transport.go",
		`if v.URL.Scheme == "https" {`, `if v.URL.Scheme == "never" {`, testFetch, "Redirect",
	},
	{
		"redirects are ten at most", "fetch/transport.go",
		`if hops > MaxRedirects {`, `if false {`, testFetch, "Redirect",
	},
	{
		"credentials stay at their origin", "fetch/transport.go",
		`if !sameOrigin(r.URL, via[0].URL) {`, `if false {`, testFetch, "Credentials|Token|Subdomain|Redirect|Mirror",
	},
	{
		"a redirect names no user", "fetch/transport.go",
		`	r.URL.User = nil`, ``, testFetch, "Credentials|Token|Subdomain|Redirect|Mirror",
	},
	{
		"a mirror does not send back to whom it stands for", "fetch/transport.go",
		`if canonicalHost(r.URL) == t.standsFor {`, `if false {`, testFetch, "Mirror",
	},
	{
		"tokens do not go to mirrors", "fetch/credentials.go",
		`token != "" && !mirrored {`, `token != "" {`, testFetch, "Credentials|Token|Mirror",
	},
	{
		"tokens do not travel in the clear", "fetch/credentials.go",
		`if err != nil || !addr.IsLoopback() {`, `if err != nil && addr.IsLoopback() {`, testFetch, "Credentials|Token",
	},
	{
		"netrc's default is for nobody", "fetch/credentials.go",
		`if m.IsDefault || l.user == "" || l.password == "" {`, `if l.user == "" || l.password == "" {`, testFetch, "Netrc|Credentials",
	},
	{
		"requests that shall be anonymous are", "fetch/transfer.go",
		`if !t.asked.anonymous {`, `if true {`, testFetch, "Credentials|Token|Foreign|Anonymous",
	},
	{
		"metadata services are refused", "fetch/reach.go",
		`reserved.Contains(a), isMetadata(a):`, `reserved.Contains(a):`, testFetch, "Reach|Metadata",
	},
	{
		"IPv4 addresses in IPv6 ones count", "fetch/reach.go",
		`if v4, ok := embedded(a); ok {`, `if v4, ok := embedded(a); ok && false {`, testFetch, "Reach",
	},
	{
		"numbers are no hosts", "fetch/reach.go",
		`case endsInNumber(host):`, `case false:`, testFetch, "Reach",
	},
	{
		"a body is below the limit", "fetch/transfer.go",
		`if t.have.size+int64(n) > t.asked.limit {`, `if false {`, testFetch, "Limit|Archive|Document",
	},
	{
		"bodies are not unpacked", "fetch/transfer.go",
		`len(coding) > 0 && !identity(coding) {`, `false {`, testFetch, "Document|Archive|Crafted",
	},
	{
		"the rest of a file is of the same file", "fetch/transfer.go",
		`if problem := t.have.differs(resp); problem != "" {`, `if problem := t.have.differs(resp); problem != "" && false {`, testFetch, "Resum|Rest|Range",
	},
	{
		"a pause that a server asks for is capped", "fetch/transfer.go",
		`if t.pause > maxRetryAfter {`, `if false {`, testFetch, "Retry|Pause",
	},
	{
		"a cached body has its digest", "fetch/cache.go",
		` || sha256.Sum256(data) != sum) {`, `) {`, testFetch, "Damaged|Cache|Entry",
	},
	{
		"a cache entry has its digest", "fetch/cacheentry.go",
		`case sum != sumOf(data):`, `case sum == "":`, testFetch, "Damaged|Cache|Entry",
	},
	{
		"a cache entry is of the request", "fetch/cacheentry.go",
		`if e.Identity != hex.EncodeToString(id[:]) {`, `if false {`, testFetch, "Damaged|Cache|Entry",
	},
	{
		"what a token obtained serves nobody without", "fetch/cached.go",
		`class, credentials = "credentials", true`, `credentials = true`, testFetch, "Cache|Told|Credentials|Kept",
	},
	{
		"what a mirror's credentials obtained is not kept for others", "fetch/cached.go",
		`case got.credentials && !credentials:`, `case false:`, testFetch, "Cache|Told|Credentials|Kept",
	},
	{
		"\"not modified\" is of the document that is held", "fetch/cached.go",
		`return got.resource == h.Resource && (`, `return (`, testFetch, "NotModified",
	},
}

// Which roots are trusted.
var ofTrust = []mutation{
	{
		"an authority in two domains is in equal ones", "trust/conflict.go",
		`o.Require != d.Require {`, `o.Require != d.Require && false {`, testTrust, "Weaker|Attack|Conflict",
	},
	{
		"logs of public instances cannot be waived", "trust/waive.go",
		`whose != "" {`, `whose != "" && false {`, testTrust, "Insecure|Waiver|Weaker|Parse|Mixed",
	},
	{
		"logs that are there cannot be waived", "trust/waive.go",
		`if l.in(tr) {`, `if false {`, testTrust, "Insecure|Waiver|Weaker|Parse|Mixed",
	},
	{
		"instead of a log there is a time-stamp authority", "trust/waive.go",
		`if len(tr.TimestampingAuthorities()) == 0 {`, `if false {`, testTrust, "Insecure|Waiver|Weaker|Parse|Mixed",
	},
	{
		"only GitHub's own certificates do without logs", "trust/classify.go",
		`if o := cert.Subject.Organization; len(o) != 1 || o[0] != gitHubOrganization {`, `if o := cert.Subject.Organization; len(o) > 99 {`, testTrust, "Logs|Mixed|Roots|Parse|Weaker",
	},
	{
		"the public-good instance never does without a log", "trust/refresh.go",
		`if d.Require.LogEntries == 0 {`, `if false {`, testTrust, "",
	},
	{
		"TUF metadata does not go back", "trust/refresh.go",
		`if r.found < r.old && (`, `if false && (`, testTrust, "Rolled|Forward|Rotat",
	},
	{
		"nobody can hide a rotation of keys", "trust/refresh.go",
		"	if l.cached != nil {\n\t\t// Roots", "	if false {\n\t\t// Roots", testTrust, "Rolled|Forward|Rotat",
	},
	{
		"TUF repositories do not redirect elsewhere", "trust/refresh.go",
		`req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {`, `req.URL.Scheme != first.Scheme {`, testTrust, "",
	},
	{
		"TUF metadata is below the limit", "trust/refresh.go",
		"	maxLength = min(maxLength, maxFile)\n\tdata", "	data", testTrust, "",
	},
	{
		"a TUF cache is of its repository", "trust/cache.go",
		`r.Schema != recordSchema || r.Repository != repository {`, `r.Schema != recordSchema {`, testTrust, "",
	},
}

// What a policy demands.
var ofPolicy = []mutation{
	{
		"unknown keys are errors", "policy/yaml.go",
		`		case !ok:
			return r.fail(key, "known keys: "+known.String(), "unknown key %q", key.Value)`,
		`		case !ok:
			continue`, testPolicy, "",
	},
	{
		"keys of a policy stand once", "policy/yaml.go",
		`case seen[key.Value]:`, `case false:`, testPolicy, "",
	},
	{
		"a policy has no aliases", "policy/yaml.go",
		`case n.Kind == yaml.AliasNode, n.Anchor != "":`, `case n.Kind == 0:`, testPolicy, "",
	},
	{
		"a policy is one document", "policy/yaml.go",
		`err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {`, `err := dec.Decode(new(yaml.Node)); err != nil && false {`, testPolicy, "",
	},
	{
		"empty lists are errors", "policy/yaml.go",
		`case len(n.Content) == 0:`, `case false:`, testPolicy, "",
	},
	{
		"exceptions end", "policy/apply.go",
		`case e.Ended(now):`, `case false:`, testPolicy, "",
	},
	{
		"exceptions have a reason", "policy/demands.go",
		`case e.Reason == "":`, `case false:`, testPolicy, "",
	},
	{
		"exceptions have an end", "policy/demands.go",
		`case e.Until.IsZero():`, `case false:`, testPolicy, "",
	},
	{
		"exceptions are of the whole source", "policy/selection.go",
		`(len(s.URLs) == 0 || every(src.URLs, s.hasExactly))`, `(len(s.URLs) == 0 || slices.ContainsFunc(src.URLs, s.hasExactly))`, testPolicy, "",
	},
	{
		"an address more does not lift a demand", "policy/apply.go",
		`if own == nil && partly != nil {`, `if false {`, testPolicy, "",
	},
	{
		"a requirement requires something", "policy/demands.go",
		`case !q.All && q.IsZero():`, `case false:`, testPolicy, "",
	},
}

// What a recipe can do.
var ofRecipe = []mutation{
	{
		"a recipe sees the variables that it may", "recipe/environment.go",
		`if !strings.HasPrefix(name, "CONDA_OVERRIDE_") && !slices.Contains(o.AllowEnv, name) {`,
		`if false && !slices.Contains([]string{argument(name)}, name) {`, testRecipe, "Environment|Hostile|Nasty",
	},
	{
		"a recipe reads files below its folder", "recipe/environment.go",
		`root.Stat(path); err != nil || !info.Mode().IsRegular() {
		return jinja.Value{}, outside
	}
	f, err := root.Open(path)`,
		`root.Stat("."); err != nil || !info.IsDir() {
		return jinja.Value{}, outside
	}
	f, err := os.Open(filepath.Join(filepath.Dir(ev.doc.path), path))`, testRecipe, "LoadFromFile",
	},
	{
		"a block needs a digest beside it", "recipe/attestation.go",
		`if s.Attestation == nil || s.HasSHA256 {`, `if true {`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"a block names publishers", "recipe/attestation.go",
		`if !found && len(r.faults) == before {`, `if !found && len(r.faults) < before {`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"a block's list of publishers is not empty", "recipe/attestation.go",
		`case len(a.Publishers) == 0:`, `case false:`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"unknown keys of a block are errors", "recipe/attestation.go",
		`		default:
			r.fault(k, didYouMean(k.Value, attestationKeys()),`,
		`		case "never":
			r.fault(k, didYouMean(k.Value, attestationKeys()),`, testRecipe, "Attestation|FaultyBlock",
	},
	{
		"keys of a recipe stand once", "recipe/yaml.go",
		`if first := seen[key.Value]; first != nil {`, `if first := seen[key.Value]; first != nil && false {`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe has no anchors", "recipe/yaml.go",
		`	case n.Anchor != "":`, `	case false:`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe does not nest deep", "recipe/yaml.go",
		`	case depth > MaxDepth:`, `	case false:`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe is below the limit", "recipe/yaml.go",
		`	if len(data) > MaxSize {`, `	if false {`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"a recipe has few values", "recipe/yaml.go",
		`	if nodes > MaxNodes {`, `	if false {`, testRecipe, "Faults|Hostile|Nasty",
	},
	{
		"combinations of variants are few", "recipe/evaluate.go",
		`if *count++; *count > MaxCombinations {`, `if *count++; false {`, testRecipe, "Hostile",
	},
}
