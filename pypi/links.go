package pypi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
)

// Limits of a release's links. An answer that goes over one is refused.
const (
	// MaxMetadata is the most bytes of what PyPI says of a release, which holds
	// the project's whole description.
	MaxMetadata = 4 << 20
	// MaxLinks is the most links of a release.
	MaxLinks = 64
	// MaxLink is the most bytes of an address, and of its label.
	MaxLink = 2 << 10
)

// homePage is the label of the metadata's Home-page field.
const homePage = "Homepage"

// Links implements [attestation.Linker]: the project links of the archive's
// release (PyPI documentation, "JSON API"), sorted by label. Those that are no
// address of a page are left out.
func (r *Resolver) Links(ctx context.Context, q attestation.Query) ([]attestation.Link, error) {
	file, ok := firstFile(q)
	if !ok {
		return nil, attestation.ErrNotMine
	}
	address := fmt.Sprintf("%s/pypi/%s/%s/json", index, url.PathEscape(file.Project), url.PathEscape(file.Version))
	doc, err := r.Client.Document(ctx, address, fetch.DocumentOptions{Accept: "application/json", MaxBytes: MaxMetadata})
	var absent *fetch.NotFoundError
	if errors.As(err, &absent) {
		return nil, &attestation.NoneError{Where: "PyPI", What: "the links of " + file.Name}
	}
	if err != nil {
		return nil, err
	}
	links, err := parseLinks(doc.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s is malformed: %w", address, err)
	}
	return links, nil
}

// parseLinks reads the links of an answer of the JSON API.
func parseLinks(body []byte) ([]attestation.Link, error) {
	var answer struct {
		Info *struct {
			HomePage    linkAddress  `json:"home_page"`
			ProjectURLs projectLinks `json:"project_urls"`
		} `json:"info"`
	}
	err := json.Unmarshal(body, &answer)
	if errors.Is(err, errManyLinks) {
		return nil, err
	}
	if err != nil || answer.Info == nil {
		return nil, errors.New("it is no release of PyPI's JSON API")
	}
	links := answer.Info.ProjectURLs
	links.add(homePage, answer.Info.HomePage)
	slices.SortFunc(links, func(a, b attestation.Link) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.URL, b.URL))
	})
	return links, nil
}

var errManyLinks = fmt.Errorf("it has more than %d project links", MaxLinks)

// projectLinks are read one at a time: a map would hold as many as somebody sends.
type projectLinks []attestation.Link

// UnmarshalJSON implements json.Unmarshaler.
func (p *projectLinks) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil // null: there are none
	}
	for n := 0; dec.More(); n++ {
		if n == MaxLinks {
			return errManyLinks
		}
		label, err := dec.Token()
		if err != nil {
			return err
		}
		var address linkAddress
		if err := dec.Decode(&address); err != nil {
			return err
		}
		text, _ := label.(string)
		p.add(text, address)
	}
	return nil
}

func (p *projectLinks) add(label string, address linkAddress) {
	l := attestation.Link{Label: printable(label), URL: strings.TrimSpace(string(address))}
	if isPage(l.URL) && len(label) <= MaxLink && !slices.Contains(*p, l) {
		*p = append(*p, l)
	}
}

// A linkAddress is a text, or "" for anything else that stands in its place.
type linkAddress string

// UnmarshalJSON implements json.Unmarshaler.
func (l *linkAddress) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*l = linkAddress(text)
	}
	return nil
}

// isPage tells whether an address is one that a person could follow, and that is
// what it looks like when it is printed.
func isPage(address string) bool {
	if len(address) > MaxLink || address != printable(address) || strings.ContainsAny(address, " \\") {
		return false
	}
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// printable replaces what does not print, and what would change the order of what
// does.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
