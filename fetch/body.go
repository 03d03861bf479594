package fetch

import (
	"bytes"
	"crypto/md5" //nolint:gosec // measured because recipes pin it, never relied on alone
	"crypto/sha256"
	"hash"
)

// body is where the bytes of a transfer go. Reset forgets all that were
// written, for a transfer that starts again.
type body interface {
	Write(p []byte) (int, error)
	Reset()
}

// documentBody keeps the bytes.
type documentBody struct{ bytes.Buffer }

// archiveBody keeps the digests alone.
type archiveBody struct {
	sha hash.Hash
	md5 hash.Hash // nil unless wanted
}

func newArchiveBody(withMD5 bool) *archiveBody {
	b := &archiveBody{sha: sha256.New()}
	if withMD5 {
		b.md5 = md5.New() //nolint:gosec // see above
	}
	return b
}

func (b *archiveBody) Write(p []byte) (int, error) {
	b.sha.Write(p)
	if b.md5 != nil {
		b.md5.Write(p)
	}
	return len(p), nil
}

func (b *archiveBody) Reset() {
	b.sha.Reset()
	if b.md5 != nil {
		b.md5.Reset()
	}
}

func (b *archiveBody) sums(a *Archive) {
	b.sha.Sum(a.SHA256[:0])
	if b.md5 != nil {
		b.md5.Sum(a.MD5[:0])
	}
}
