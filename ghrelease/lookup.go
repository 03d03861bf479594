package ghrelease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
)

const (
	apiHost    = "api.github.com"
	apiAccept  = "application/vnd.github+json"
	blobAccept = "application/x-snappy, application/json;q=0.9, */*;q=0.1"
	perPage    = "100" // the most that GitHub gives
)

var (
	// GitHub REST API, "List attestations" of a repository, organization or user.
	lookupPath = regexp.MustCompile(`^/(?:repos/[^/]+/[^/]+|orgs/[^/]+|users/[^/]+)/attestations/sha256:([0-9a-f]{64})$`)
	// Links to further pages may name the repository by its number.
	numberedPath = regexp.MustCompile(`^/repositories/[0-9]+/attestations/sha256:([0-9a-f]{64})$`)
)

// lookupAddress is where GitHub is asked for the attestations of a digest.
func lookupAddress(owner, repository string, d digest.SHA256) string {
	return fmt.Sprintf("https://%s/repos/%s/%s/attestations/sha256:%s", apiHost, url.PathEscape(owner), url.PathEscape(repository), d)
}

// parseLookup reads an address as a look-up of a digest, and of no other.
func parseLookup(address string, d digest.SHA256) (*url.URL, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Host != apiHost {
		return nil, false
	}
	m := lookupPath.FindStringSubmatch(u.Path)
	if m == nil || m[1] != d.String() {
		return nil, false
	}
	query := u.Query()
	query.Set("per_page", perPage)
	u.RawQuery, u.Fragment, u.RawFragment = query.Encode(), "", ""
	return u, true
}

// lookUp adds the bundles that GitHub's attestations API has for a digest: those
// of all pages, wherever they lie. A nil error means that the API was read to its
// end; no bundles that there are none.
func (c *collected) lookUp(ctx context.Context, first *url.URL) error {
	next := first
	for page := 0; next != nil; page++ {
		address := next.String()
		if page == MaxPages {
			return &attestation.FormatError{Origin: address, Index: -1, Problem: fmt.Sprintf("the answer has more than %d pages", MaxPages)}
		}
		c.answer.Addresses = append(c.answer.Addresses, address)
		doc, err := c.api(ctx, address, c.get)
		switch {
		case err != nil && page > 0 && absent(err):
			return &attestation.FormatError{Origin: address, Index: -1, Problem: "a further page that the answer names is not there"}
		case err != nil && absent(err):
			return nil
		case err != nil:
			return err
		}
		if err := c.page(ctx, address, doc.Body); err != nil {
			return err
		}
		next, err = nextPage(doc.Header, first)
		if err != nil {
			return err
		}
	}
	return nil
}

// page adds the bundles of one page.
func (c *collected) page(ctx context.Context, address string, body []byte) error {
	if isEmptyList(body) {
		return nil
	}
	d, err := attestation.Read(address, body)
	if err != nil {
		return err
	}
	if d.Format != attestation.GitHubFormat {
		return &attestation.FormatError{Origin: address, Index: -1, Problem: fmt.Sprintf("it is no answer of GitHub's attestations API: found the form %s", d.Format)}
	}
	if err := c.bound(len(d.Candidates) + len(d.Elsewhere)); err != nil {
		return err
	}
	for i := range d.Candidates {
		d.Candidates[i].Pooled = true
	}
	if err := c.add(d.Candidates); err != nil {
		return err
	}
	for _, ref := range d.Elsewhere {
		if err := c.blob(ctx, ref); err != nil {
			return err
		}
	}
	return nil
}

// blob adds the one bundle that lies elsewhere. Its address holds a signature
// that is new each time, so that it is never shown.
func (c *collected) blob(ctx context.Context, ref attestation.Reference) error {
	shown := fetch.Redact(ref.URL)
	c.answer.Addresses = append(c.answer.Addresses, shown)
	doc, err := c.get(ctx, ref.URL, fetch.DocumentOptions{Accept: blobAccept, Foreign: true})
	if err != nil && absent(err) {
		// Not "there is none": the API says that there is.
		return fmt.Errorf("a bundle that GitHub's API names cannot be had: %v", err)
	}
	if err != nil {
		return err
	}
	d, err := attestation.Read(shown, doc.Body)
	if err != nil {
		return err
	}
	if d.Format != attestation.BundleFormat {
		return &attestation.FormatError{Origin: shown, Index: -1, Problem: fmt.Sprintf("it is not one bundle: found the form %s", d.Format)}
	}
	d.Candidates[0].Pooled = true
	return c.add(d.Candidates)
}

// isEmptyList tells whether the API says with status 200 that it has nothing.
func isEmptyList(body []byte) bool {
	var answer struct {
		Attestations []json.RawMessage `json:"attestations"`
	}
	return json.Unmarshal(body, &answer) == nil && answer.Attestations != nil && len(answer.Attestations) == 0
}

// api asks GitHub's API. A token may turn an answer that is public into a
// refusal, since its owner's rules do not allow it there; then it is asked once
// more without (spec/evidence.md, "GitHub").
func (r *Resolver) api(ctx context.Context, address string, get func(context.Context, string, fetch.DocumentOptions) (*fetch.Document, error)) (*fetch.Document, error) {
	doc, err := get(ctx, address, fetch.DocumentOptions{Accept: apiAccept})
	if !r.tokenRefused(err) || r.anonymous.Add(1) > maxAnonymous {
		return doc, err
	}
	return get(ctx, address, fetch.DocumentOptions{Accept: apiAccept, Anonymous: true})
}

func (r *Resolver) tokenRefused(err error) bool {
	var quota *fetch.QuotaError
	var away *fetch.UnavailableError
	if errors.As(err, &quota) || !errors.As(err, &away) {
		return false
	}
	// Without a token, 401 is about a password in a netrc file.
	return away.Status == http.StatusUnauthorized || away.Status == http.StatusForbidden && r.Client.Tokens[apiHost] != ""
}

// nextPage gives the address of the next page, nil if there is none (RFC 8288).
// It must be a page of the same look-up.
func nextPage(h http.Header, first *url.URL) (*url.URL, error) {
	target := ""
	for _, value := range h.Values("Link") {
		for rest := value; target == ""; {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			var address, parameters string
			address, rest, _ = strings.Cut(after, ">")
			parameters, _, _ = strings.Cut(rest, "<")
			if isNext(parameters) {
				target = address
			}
		}
	}
	if target == "" {
		return nil, nil
	}
	refused := &fetch.RefusedError{
		URL: first.String(), Target: fetch.Redact(target),
		Found: "a link to a next page that is no page of this look-up", Wanted: "an https address on " + apiHost + " for the same digest",
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Host != apiHost {
		return nil, refused
	}
	if u.Path != first.Path {
		numbered, asked := numberedPath.FindStringSubmatch(u.Path), lookupPath.FindStringSubmatch(first.Path)
		if numbered == nil || asked == nil || numbered[1] != asked[1] {
			return nil, refused
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// isNext tells whether a link's parameters say rel="next".
func isNext(parameters string) bool {
	for _, p := range strings.Split(strings.TrimRight(parameters, ", "), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, relation := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
	}
	return false
}
