package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/recipe-verify/recipe-verify/trust"
)

// Limits of one bundle. Real ones have one or two of each; verifying each costs
// about a millisecond, for each bundle of a document.
const (
	maxEntries = 8
	maxStamps  = 8
)

// checkEntries demands of every log entry what sigstore-go demands of one, or
// of none: an inclusion proof whose numbers are those of its checkpoint, of the
// very body that the bundle carries, under the kind and version that the body
// names. Unsigned numbers are refused, so that no report can quote one. That
// the checkpoint is signed, and that the entry is of this signature, sigstore-go
// checks.
func checkEntries(dom trust.Domain, b *opened) *InvalidError {
	entries := b.entries()
	if dom.Require.LogEntries == 0 {
		if len(entries) > 0 {
			return invalid(CodeLogEntry, "it carries a log entry, and its authority %q has no transparency log", dom.Name)
		}
		return nil
	}
	if len(entries) == 0 {
		return invalid(CodeLogEntry, "it has no transparency log entry")
	}
	if len(entries) > maxEntries {
		return invalid(CodeLogEntry, "it has %d transparency log entries, the limit is %d", len(entries), maxEntries)
	}
	for _, e := range entries {
		if fail := checkProof(e, b.uncertified); fail != nil {
			return fail
		}
		if fail := checkUnsigned(e); fail != nil {
			return fail
		}
	}
	return nil
}

// checkProof demands an inclusion proof with a checkpoint; or, where
// [openPromised] took one without out of the entry, that this one at least
// agrees with itself.
func checkProof(e *rekorpb.TransparencyLogEntry, uncertified *rekorpb.InclusionProof) *InvalidError {
	p := uncertified
	if p == nil {
		p = e.GetInclusionProof()
		if p == nil || p.GetCheckpoint().GetEnvelope() == "" {
			return noCheckpoint()
		}
		size, hash, ok := readCheckpoint(p.GetCheckpoint().GetEnvelope())
		if !ok || size != p.GetTreeSize() || !bytes.Equal(hash, p.GetRootHash()) {
			return invalid(CodeLogEntry, "its inclusion proof is of another tree than its checkpoint")
		}
	}
	if p.GetTreeSize() < 1 || p.GetLogIndex() < 0 {
		return invalid(CodeLogEntry, "its inclusion proof has negative numbers")
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(e.GetCanonicalizedBody())
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.GetLogIndex()), uint64(p.GetTreeSize()), leaf, p.GetHashes(), p.GetRootHash()); err != nil {
		return invalid(CodeLogEntry, "its log entry is not the one that its inclusion proof is of").because(err)
	}
	return nil
}

// checkUnsigned refuses what a bundle says beside the signed parts of an entry.
func checkUnsigned(e *rekorpb.TransparencyLogEntry) *InvalidError {
	var body struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	kind := e.GetKindVersion()
	if json.Unmarshal(e.GetCanonicalizedBody(), &body) != nil || body.Kind != kind.GetKind() || body.APIVersion != kind.GetVersion() {
		return invalid(CodeLogEntry, "its log entry is called %+q, and is %+q",
			clip(kind.GetKind()+" "+kind.GetVersion()), clip(body.Kind+" "+body.APIVersion))
	}
	if len(e.GetInclusionPromise().GetSignedEntryTimestamp()) > 0 {
		return nil // the promise signs time and index
	}
	if e.GetIntegratedTime() != 0 {
		return invalid(CodeLogEntry, "its log entry has a time that nothing signed (no inclusion promise)")
	}
	if index := e.GetInclusionProof().GetLogIndex(); isRekorV2(e) && e.GetLogIndex() != index {
		return invalid(CodeLogEntry, "its log entry has the index %d, and its inclusion proof is of entry %d", e.GetLogIndex(), index)
	}
	return nil
}

// isRekorV2 tells entries of Rekor's second version, which carry no time, from
// those of the first.
func isRekorV2(e *rekorpb.TransparencyLogEntry) bool {
	return e.GetKindVersion().GetVersion() == "0.0.2" && e.GetKindVersion().GetKind() != "intoto"
}

// readCheckpoint reads size and root hash of a checkpoint (C2SP tlog-checkpoint:
// origin, size and base64 root hash are its first three lines).
func readCheckpoint(envelope string) (size int64, hash []byte, ok bool) {
	lines := strings.SplitN(envelope, "\n", 4)
	if len(lines) < 4 {
		return 0, nil, false
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, nil, false
	}
	hash, err = base64.StdEncoding.DecodeString(lines[2])
	return size, hash, err == nil
}
