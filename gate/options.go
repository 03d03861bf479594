package gate

import (
	"slices"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// WithPolicy gives the options with what their policy says about a whole run in
// the place of what they leave zero; what it says about sources stays in the
// policy. [Run] and [Verify] do it themselves. Errors are *[policy.Error]: a
// value that cannot be used, or an exception that is too long.
func (o Options) WithPolicy() (Options, error) {
	if o.Policy == nil {
		return o, nil
	}
	if err := o.Policy.Check(time.Now()); err != nil {
		return o, err
	}
	p := *o.Policy
	o.Offline = o.Offline || p.Offline
	o.CacheDir = first(o.CacheDir, p.CacheDir)
	o.Timeout = first(o.Timeout, p.Timeout)
	o.MaxArchive = first(o.MaxArchive, p.MaxArchive)
	o.Mirrors = slices.Clone(o.Mirrors)
	for _, m := range p.Mirrors {
		mirror, err := fetch.NewMirror(m.From, m.To)
		if err != nil {
			return o, &policy.Error{Position: m.Position, Problem: err.Error()}
		}
		if !slices.ContainsFunc(o.Mirrors, func(given fetch.Mirror) bool { return given.From == mirror.From }) {
			o.Mirrors = append(o.Mirrors, mirror)
		}
	}
	if t := o.Trust; t.PublicGood == nil && len(t.Roots) == 0 && len(t.TUF) == 0 {
		from, err := policyTrust(p.Trust)
		if err != nil {
			return o, err
		}
		o.Trust.PublicGood, o.Trust.Roots, o.Trust.TUF = from.PublicGood, from.Roots, from.TUF
	}
	p.Trust, p.Mirrors, p.Offline, p.CacheDir, p.Timeout, p.MaxArchive = policy.Trust{}, nil, false, "", 0, 0
	o.Policy = &p
	return o, nil
}

// first gives the first value that is not zero.
func first[T comparable](given, policy T) T {
	var zero T
	if given != zero {
		return given
	}
	return policy
}

func policyTrust(t policy.Trust) (trust.Config, error) {
	c := trust.Config{PublicGood: t.PublicGood}
	for _, r := range t.Roots {
		file := trust.RootFile{Path: r.Path}
		for _, name := range r.InsecureWithout {
			log, err := trust.ParseLog(name)
			if err != nil {
				return c, &policy.Error{Position: r.Position, Problem: err.Error()}
			}
			file.InsecureWithout = append(file.InsecureWithout, log)
		}
		c.Roots = append(c.Roots, file)
	}
	for _, r := range t.TUF {
		c.TUF = append(c.TUF, trust.TUFRepository{URL: r.URL, RootPath: r.Root})
	}
	return c, nil
}

// TrustConfig is Trust with the options that it shares with the gate.
func (o Options) TrustConfig() trust.Config {
	c := o.Trust
	c.Offline, c.CacheDir, c.Timeout = o.Offline, o.CacheDir, 0
	if o.Timeout != fetch.DefaultTimeout {
		c.Timeout = o.Timeout
	}
	return c
}

// Demands says what a run with these options enforces, for a report. Use it with
// options that [Options.WithPolicy] gave.
func (o Options) Demands() audit.Policy {
	p := audit.Policy{
		Match:               o.Match,
		RequireAttestations: o.RequireAttestations,
		NoDownload:          o.NoDownload,
		Locked:              o.Lock != nil,
		Offline:             o.Offline,
		PredicateTypes:      verify.DefaultPredicateTypes(),
		TrustedRoots:        o.TrustConfig().Places(),
		File:                o.Policy,
	}
	if o.Policy != nil {
		p.ConfigFile = o.Policy.Path
		p.RequireAttestations = p.RequireAttestations || o.Policy.RequiresAll()
		if o.Policy.PredicateTypes != nil {
			p.PredicateTypes = o.Policy.PredicateTypes
		}
		if p.Match == 0 && o.Policy.Match == policy.All {
			p.Match = verify.All
		}
	}
	if p.Match == 0 {
		p.Match = verify.Any
	}
	for _, m := range o.Mirrors {
		to := m.To
		if strings.Contains(to, "://") { // a folder's path is no address
			to = fetch.Redact(to)
		}
		p.Mirrors = append(p.Mirrors, m.From+"="+to)
	}
	return p
}
