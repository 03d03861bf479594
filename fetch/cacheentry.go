package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/recipe-verify/recipe-verify/digest"
)

// entryMagic begins the file of an entry, with the format's version. What
// follows on the first line is the SHA-256 of all other lines.
const entryMagic = "recipe-verify-cache-1 "

// keptHeaders are the fields of an answer that are kept beside its body.
var keptHeaders = [...]string{"Content-Type", "Etag", "Last-Modified", "Link"}

// requestID is what makes two requests the same one, hashed.
type requestID [sha256.Size]byte

// entry is what was answered to a request, without the body.
type entry struct {
	Identity string    `json:"identity"`       // its own, so that it is good in its own place only
	URL      string    `json:"url"`            // redacted, for those who look
	Address  string    `json:"address"`        // where it was found, redacted
	Status   int       `json:"status"`         // 200, 404 or 410
	Checked  time.Time `json:"checked"`        // when the server last said so
	Blob     string    `json:"blob,omitempty"` // SHA-256 of the body
	Size     int64     `json:"size,omitempty"` // bytes
	// ETag and Modified are the answer's validators, of Resource.
	ETag     string      `json:"etag,omitempty"`
	Modified string      `json:"modified,omitempty"`
	Resource string      `json:"resource,omitempty"`
	Header   http.Header `json:"header,omitempty"` // of keptHeaders

	blob digest.SHA256 // Blob, read
}

// marshal gives the file of an entry.
func (e entry) marshal(id requestID) ([]byte, error) {
	e.Identity = hex.EncodeToString(id[:])
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	data = append(data, '\n')
	return append([]byte(entryMagic+sumOf(data)+"\n"), data...), nil
}

// parseEntry reads the file of an entry. It is good if its checksum is, and it
// is of the wanted requestID.
func parseEntry(file []byte, id requestID) (*entry, error) {
	first, data, ok := bytes.Cut(file, []byte("\n"))
	sum, magic := strings.CutPrefix(string(first), entryMagic)
	switch {
	case !ok, !magic:
		return nil, errors.New("found another format, wanted " + strings.TrimSpace(entryMagic))
	case sum != sumOf(data):
		return nil, errors.New("found other bytes than were written")
	}
	e := &entry{}
	if err := json.Unmarshal(data, e); err != nil {
		return nil, errors.New("found no JSON of an entry")
	}
	if e.Identity != hex.EncodeToString(id[:]) {
		return nil, errors.New("found the entry of another request")
	}
	switch e.Status {
	case http.StatusOK:
		var err error
		if e.blob, err = digest.ParseSHA256(e.Blob); err != nil || e.Size < 0 || e.blob.String() != e.Blob {
			return nil, errors.New("found no digest and size of a body")
		}
	case http.StatusNotFound, http.StatusGone:
	default:
		return nil, fmt.Errorf("found %s, wanted one that is kept", status(e.Status))
	}
	return e, nil
}

func sumOf(data []byte) string { return digest.SHA256(sha256.Sum256(data)).String() }

// keep gives the fields of a header that an entry keeps.
func keep(h http.Header) http.Header {
	kept := http.Header{}
	for _, name := range keptHeaders {
		if values := h.Values(name); len(values) > 0 {
			kept[name] = values
		}
	}
	return kept
}

// storable tells whether an answer may be kept (RFC 9111, section 3): the
// server does not forbid it, and it depends on nothing that the requestID of a
// request leaves out. A cache for one user may keep what is private.
func storable(h http.Header) bool {
	for _, list := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(list, ",") {
			name, _, _ := strings.Cut(directive, "=")
			if strings.EqualFold(strings.TrimSpace(name), "no-store") {
				return false
			}
		}
	}
	for _, list := range h.Values("Vary") {
		if strings.Contains(list, "*") {
			return false
		}
	}
	return true
}

// sameTag compares entity tags weakly (RFC 9110, section 8.8.3.2).
func sameTag(a, b string) bool {
	return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

func entryPath(id requestID) string { return namedPath(entriesFolder, id) }

func blobPath(sum digest.SHA256) string { return namedPath(blobsFolder, sum) }

func namedPath(folder string, name [sha256.Size]byte) string {
	text := hex.EncodeToString(name[:])
	return folder + "/" + text[:2] + "/" + text[2:]
}

// nameOf reads the two parts of a path that namedPath made.
func nameOf(folder, file string) (name [sha256.Size]byte, ok bool) {
	text := folder + file
	if len(folder) != 2 || len(text) != hex.EncodedLen(len(name)) || text != strings.ToLower(text) {
		return name, false
	}
	_, err := hex.Decode(name[:], []byte(text))
	return name, err == nil
}
