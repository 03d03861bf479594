package main

var (
	testSuggest      = []string{"./suggest"}
	testSuggestGate  = []string{"./gate"}
	suggestTests     = "Suggest"
	testSuggestWrite = []string{"./internal/cli"}
)

// What may be proposed, and written.
var ofSuggest = []mutation{
	{
		"a block that does not verify is no proposal", "suggest/finish.go",
		`		default:
			p.say(Refused, res.Hint`, `		case "":
			p.say(Refused, res.Hint`, testSuggest, "",
	},
	{
		"every rendering of a place is verified", "suggest/finish.go",
		`if len(p.verified) != len(p.sources) {`, `if false {`, testSuggest, "",
	},
	{
		"a verdict without evidence proves nothing", "suggest/finish.go",
		`if len(signers) == 0 {`, `if false {`, testSuggest, "",
	},
	{
		"publishers whom the policy names are not replaced", "suggest/finish.go",
		`len(named) > 0 && !anySigned(r, d, s, signers)`, `false`, testSuggestGate, suggestTests,
	},
	{
		"whom nothing confirms is not written", "suggest/finish.go",
		`	case prop.Confirmed:
`, `	case true:
`, testSuggestGate, suggestTests,
	},
	{
		"what is not proposed is not written", "suggest/finish.go",
		`if p.Kind == Proposed {`, `if p.Proposal != nil {`, testSuggestGate, suggestTests,
	},
	{
		"a name that was registered anew confirms nothing", "suggest/plausible.go",
		`if len(w.renamed) > 0 {`, `if false {`, testSuggestGate, suggestTests,
	},
	{
		"the index's links confirm nobody against the recipe", "suggest/plausible.go",
		`link && !contradicted`, `link && (!contradicted || true)`, testSuggestGate, suggestTests,
	},
	{
		"repositories are compared whole", "suggest/plausible.go",
		`s.Says, s.Agrees = named.String(), named.Is(w.signer)`, `s.Says, s.Agrees = named.String(), named.Host == w.signer.Host`, testSuggestGate, suggestTests,
	},
	{
		"the release before was signed by the same repository", "suggest/plausible.go",
		`s.Agrees = s.Agrees && same`, `s.Agrees = s.Agrees && (same || true)`, testSuggestGate, suggestTests,
	},
	{
		"one block is for all platforms", "suggest/place.go",
		`return !slices.ContainsFunc(res.Finding.Publishers, func(b publishers.Publisher) bool { return samePublisher(a, b) })`, `return samePublisher(a, res.Finding.Publishers[0]) && false`, testSuggestGate, suggestTests,
	},
	{
		"one block needs evidence for all platforms", "suggest/place.go",
		`	if worst < 0 {
		return true
	}`, `	if worst < 0 || genuine > 0 {
		return true
	}`, testSuggestGate, suggestTests,
	},
	{
		"a publisher is no template", "suggest/place.go",
		`if c.IsZero() || !writable(c) || `, `if c.IsZero() || `, testSuggestGate, suggestTests,
	},
	{
		"rattler-build takes shorthands alone", "suggest/place.go",
		` || !r.CEP && !isShorthand(c) {`, ` {`, testSuggestGate, suggestTests,
	},
	{
		"a bundle_url comes back as it is", "suggest/edition.go",
		`a.BundleURLs[0].Value != way:`, `false:`, testSuggest, "",
	},
	{
		"nothing is written if a recipe cannot be read", "internal/cli/suggest.go",
		`written := f.write && result.Readable() && len(files) > 0`, `written := f.write && len(files) > 0`, testSuggestWrite, "TestScripts/demo/suggest",
	},
	{
		"a diff acts on no terminal", "internal/cli/suggest.go",
		`if env.IsTerminal(out.stream) {`, `if false {`, testSuggestWrite, "TestSuggest",
	},
	{
		"names in a diff write no lines", "edit/diff.go",
		`	case plain:
		return name
`, `	default:
		return name
`,
		[]string{"./edit"},
		"Names",
	},
}
