package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// sigstoreOrganization is the subject organization of all certificates of
// Sigstore's own instances, the public-good one and staging. A new authority of
// theirs that the snapshot does not know yet has it too.
const sigstoreOrganization = "sigstore.dev"

// waive gives the requirements of a root whose instance lacks logs, as its
// owner says. Whatever the root does have stays demanded.
func waive(tr, known *root.TrustedRoot, authorities []chain, without []Log) (Requirements, error) {
	for _, l := range without {
		if _, err := ParseLog(string(l)); err != nil {
			return Requirements{}, fmt.Errorf("a kind of log: %w", err)
		}
		if whose := recognize(authorities, known); whose != "" {
			return Requirements{}, &WaiverError{Log: l, Because: "it holds a certificate of " + whose}
		}
		if l.in(tr) {
			return Requirements{}, &WaiverError{Log: l, Because: "it has one"}
		}
	}
	if err := lacking(tr, without); err != nil {
		return Requirements{}, err
	}
	r := Requirements{SCTs: 1, LogEntries: 1, ObserverTimestamps: 1}
	if slices.Contains(without, CertificateLog) {
		r.SCTs = 0
	}
	if slices.Contains(without, TransparencyLog) {
		r.LogEntries, r.ObserverTimestamps, r.SignedTimestamps = 0, 0, 1
		if len(tr.TimestampingAuthorities()) == 0 {
			return Requirements{}, errors.New("found no time-stamp authority, wanted one in the place of the transparency log")
		}
	}
	return r, nil
}

// recognize names the public instance that an authority is of, or "". Keys
// decide; names are looked at as well, for authorities that are newer than this
// program.
func recognize(authorities []chain, known *root.TrustedRoot) string {
	keys := map[string]bool{}
	for _, c := range (Domain{Root: known}).authorities() {
		keys[keyOf(c)] = true
	}
	for _, chain := range authorities {
		for _, c := range chain {
			for _, o := range c.Subject.Organization {
				if strings.EqualFold(o, gitHubOrganization) {
					return "GitHub's instance"
				}
				if strings.EqualFold(o, sigstoreOrganization) {
					return "Sigstore's own instances"
				}
			}
			if keys[keyOf(c)] {
				return "Sigstore's public-good instance"
			}
		}
	}
	return ""
}
