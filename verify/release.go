package verify

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/publishers"
)

// GitHub's own attestation of an immutable release (GitHub documentation,
// "Immutable releases").
const (
	releaseV01    = "https://in-toto.io/attestation/release/v0.1"
	releaseV02    = "https://in-toto.io/attestation/release/v0.2"
	releaseSigner = "https://dotcom.releases.github.com"
)

// releaseOf reads the release that a statement of GitHub's own speaks of; nil
// for all other statements. The certificate carries no issuer: that GitHub
// issued it follows from the trust domain.
func releaseOf(claims attestation.Claims, cert Certificate) *publishers.Release {
	if claims.PredicateType != releaseV01 && claims.PredicateType != releaseV02 ||
		cert.SAN != releaseSigner || cert.SANKind != publishers.URIName || cert.Issuer != "" {
		return nil
	}
	var predicate struct {
		Repository   string      `json:"repository"`
		Tag          string      `json:"tag"`
		RepositoryID json.Number `json:"repositoryId"` // a string or a number
		OwnerID      json.Number `json:"ownerId"`
	}
	if json.Unmarshal(claims.Predicate, &predicate) != nil || predicate.Repository == "" || predicate.Tag == "" {
		return nil
	}
	return &publishers.Release{
		Repository: predicate.Repository, Tag: predicate.Tag,
		RepositoryID: predicate.RepositoryID.String(), OwnerID: predicate.OwnerID.String(),
	}
}

// inRelease tells whether one of the archive's addresses is an asset of the
// release with the name that the statement gives it.
func inRelease(r publishers.Release, listed []attestation.Subject, addresses []string) bool {
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || !strings.EqualFold(u.Host, "github.com") {
			continue
		}
		parts := strings.SplitN(strings.TrimPrefix(u.Path, "/"), "/", 5)
		if len(parts) != 5 || parts[2] != "releases" || parts[3] != "download" ||
			!strings.EqualFold(parts[0]+"/"+parts[1], r.Repository) {
			continue
		}
		asset, ok := strings.CutPrefix(parts[4], r.Tag+"/")
		for _, s := range listed {
			if ok && s.Name == asset {
				return true
			}
		}
	}
	return false
}
