// Package gate is the whole of recipe-verify in one call, for build tools that
// embed it: it puts the resolvers, the fetcher, the trusted roots and the
// verifier together in the one way that is safe.
//
//	report, err := gate.Verify(ctx, "recipe.yaml", gate.Options{})
//	if err != nil {
//		return err // the build must not start
//	}
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/audit"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/lock"
	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/pypi"
	"github.com/recipe-verify/recipe-verify/recipe"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Options configure a gate. The zero value is the strict default: one of a
// source's publishers must have signed it, archives are fetched and hashed, and
// trust comes from Sigstore's public-good instance.
type Options struct {
	// Recipe says for which platform and variant the recipe is evaluated; the
	// zero value stands for this machine's.
	Recipe recipe.Options
	// Policy says what is demanded of sources and their signers; nil for nothing
	// beyond what recipes ask for. What it says about a whole run (trust,
	// mirrors, offline, limits) is used where these options leave it zero.
	Policy *policy.Policy
	// Match is the policy's if zero, or verify.Any.
	Match verify.Match
	// RequireAttestations demands evidence of every source that the policy does
	// not except.
	RequireAttestations bool
	// NoDownload verifies evidence against the pinned digests and leaves the
	// archives to the builder.
	NoDownload bool
	// Offline forbids every network connection: archives and evidence come
	// from mirrors that are folders, trust from files, the cache or the embedded
	// snapshot.
	Offline bool
	// Trust says whom to believe. Its Offline, CacheDir and Timeout are taken
	// from these options.
	Trust trust.Config
	// CacheDir keeps TUF metadata; "" stands for the user's cache folder.
	CacheDir string
	Mirrors  []fetch.Mirror
	// Timeout is the longest time without progress of one request; see
	// fetch.Client. 0 stands for its default. If it is another than that, it
	// also limits a whole attempt to reach a TUF repository, which otherwise
	// gets trust.DefaultTimeout: there is something to fall back on.
	Timeout time.Duration
	// MaxArchive is the most bytes that an archive may have; 0 for the default.
	MaxArchive int64
	// Jobs is how many sources are worked on at a time; 0 for the default.
	Jobs int
	// UserAgent names the program that embeds the gate; "" for this one.
	UserAgent string
	Progress  audit.Progress
	Logger    *slog.Logger
	// NoHistory asks nobody for the release before a verified one, which is for
	// a warning only.
	NoHistory bool

	// What follows is for audits of many recipes.

	// Evidence keeps evidence on disk for later runs; nil for nothing.
	Evidence *fetch.Cache
	// Limits say how often hosts are asked, and MaxWait how long a host may ask
	// to be left alone; see fetch.Client.
	Limits  map[string]fetch.Limit
	MaxWait time.Duration
	// Shard leaves the sources of other shards out.
	Shard audit.Shard
	// Known tells whether a result is at hand from earlier; see audit.Options.
	Known func(key string) bool
	// Lock gives the lock file of the recipe at a path, such as lock.Beside, and
	// makes sources that were not signed by those whom it names a mismatch; nil
	// for no lock. See audit.Options.
	Lock func(recipePath string) (*lock.File, error)
	// Discover looks for evidence of sources for which nobody names publishers;
	// see audit.Options.
	Discover bool
	// Propose is Discover for somebody who is to write attestation blocks; see
	// audit.Options.
	Propose bool
	// Read reads recipes that somebody has at hand; see audit.Options.
	Read func(path string) (*recipe.Recipe, error)
	// Archives, Fetch and KeepCandidates are for those who keep archives and
	// evidence; see audit.Options.
	Archives       bool
	Fetch          func(ctx context.Context, client *fetch.Client, w audit.Wanted) (*fetch.Archive, error)
	KeepCandidates bool
	// Resolver gives the evidence in the place of all resolvers, for somebody who
	// has it at hand; nobody else is asked for evidence then. What it gives is
	// verified as any other.
	Resolver attestation.Resolver
	// Roots loads the trust domains in the place of Trust; nil for Trust.
	Roots func(context.Context) (*trust.Roots, error)
	// GitHubToken is sent to GitHub's API and to nobody else; "" for none.
	GitHubToken string
	// Watch is given, before anything is asked, what counts the requests.
	Watch func(stats func() fetch.Stats)
}

// A Report is the outcome of a run.
type Report struct {
	Results []audit.Result
	Summary audit.Summary
}

// A Refusal is the error of a run in which some source is not as it should be.
// The results that are to blame are in it.
type Refusal struct {
	Status  int // the exit status that the command would end with
	Results []audit.Result
}

// Error implements error. It gives a line for each result.
func (e *Refusal) Error() string {
	var lines []string
	for _, r := range e.Results {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", r.Position, r.Verdict, r.Message))
	}
	return strings.Join(lines, "\n")
}

// Verify verifies every source of one recipe: a file, or a folder as
// [recipe.Find] takes it. A nil error proves that every URL source with an
// attestation block, or with publishers that the policy names, is verified, and
// that sources without either are allowed by the options and the policy. A source that is not as it should be makes the error a
// *[Refusal]; the report is complete even then. The context's error ends the
// run.
func Verify(ctx context.Context, path string, o Options) (Report, error) {
	var report Report
	summary, err := Run(ctx, []string{path}, o, func(r audit.Result) error {
		report.Results = append(report.Results, r)
		return nil
	})
	report.Summary = summary
	if err != nil {
		return report, err
	}
	refusal := &Refusal{Status: summary.Status}
	for _, r := range report.Results {
		if r.Verdict.Status() != audit.StatusOK {
			refusal.Results = append(refusal.Results, r)
		}
	}
	switch {
	case len(refusal.Results) > 0:
		return report, refusal
	case summary.Status != audit.StatusOK:
		return report, errors.New("the run ended without a verdict")
	}
	return report, nil
}

// Run verifies the sources of several recipes and hands over each result in
// order. Its error is for options that nothing can be verified with (trusted
// root files that cannot be read, a policy that cannot be carried out), handle's
// own and the context's; look at the summary's status for the verdicts.
func Run(ctx context.Context, paths []string, o Options, handle func(audit.Result) error) (audit.Summary, error) {
	o, err := o.WithPolicy()
	if err != nil {
		return audit.Summary{Status: audit.StatusError}, err
	}
	s, err := o.open()
	if err != nil {
		return audit.Summary{Status: audit.StatusError}, err
	}
	defer s.client.Close()
	return s.auditor(o).Run(ctx, paths, handle)
}

func (o Options) historians(index *pypi.Resolver) []attestation.Historian {
	if o.NoHistory {
		return nil
	}
	return []attestation.Historian{index}
}

// roots gives what loads the trust domains. Files are read at once, since one
// that cannot be read is a mistake in the options; TUF is asked when a source
// needs it.
func (o Options) roots() (func(context.Context) (*trust.Roots, error), error) {
	if o.Roots != nil {
		return o.Roots, nil
	}
	loader, err := o.TrustConfig().Open()
	if err != nil {
		return nil, err
	}
	return loader.Load, nil
}
