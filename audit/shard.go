package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// A Shard is one of several parts of a run, each on a machine of its own. The
// zero value is the whole run.
type Shard struct {
	Index int // from 1
	Count int // 0 for a run in one part
}

// maxShards is the most parts of a run.
const maxShards = 10_000

// ParseShard reads "I/N", the I-th of N parts.
func ParseShard(s string) (Shard, error) {
	i, n, ok := strings.Cut(s, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || index < 1 || count < index || count > maxShards {
		return Shard{}, fmt.Errorf("found the shard %q, wanted I/N, such as 2/4 for the second of four", s)
	}
	return Shard{index, count}, nil
}

// String gives "I/N", or "" for the whole run.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// takes tells whether a source is of the shard. Every source is of exactly one
// of N, which depends on nothing but the source and N.
func (s Shard) takes(k itemKey) bool {
	if s.Count == 0 {
		return true
	}
	return binary.BigEndian.Uint64(k[:8])%uint64(s.Count) == uint64(s.Index-1)
}

// An itemKey is what two sources have in common if and only if the same bytes
// and the same evidence are meant.
type itemKey [sha256.Size]byte

func sourceKey(src recipe.Source, urls []string) itemKey {
	h := sha256.New()
	add := func(fields ...string) {
		for _, f := range fields {
			fmt.Fprintf(h, "%d:%s,", len(f), f)
		}
		io.WriteString(h, ";") //nolint:errcheck // a hash takes everything
	}
	add("url")
	add(urls...)
	add(src.SHA256.String(), src.MD5.String(), strconv.FormatBool(src.HasMD5))
	if src.Attestation != nil {
		for _, u := range src.Attestation.BundleURLs {
			add(u.Value)
		}
	}
	return itemKey(h.Sum(nil))
}

// recipeKey is the key of a result that is known from the recipe alone.
func recipeKey(r Result) itemKey {
	return sha256.Sum256([]byte("recipe\x00" + r.Recipe))
}

// keyOf is the key of a task's result. Rules are written out by their values:
// whatever is demanded is in it. So is the verdict of a source that is only looked
// at for what a recipe could ask of it: what a policy requires of one recipe's it
// may not require of another's.
func (r *run) keyOf(t task) string {
	h := sha256.New()
	h.Write(t.key[:]) //nolint:errcheck // a hash takes everything
	if !t.done {
		fmt.Fprintf(h, "%v", r.rules(t))
		if t.locked != nil {
			fmt.Fprintf(h, "locked %s", t.locked.demands())
		}
	} else {
		fmt.Fprintf(h, "%q %q %q", t.result.Verdict, t.result.Code, t.result.Message)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
