package attestation_test

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/recipe-verify/recipe-verify/attestation"
)

// fill repeats text until it has n bytes.
func fill(text string, n int) string { return strings.Repeat(text, n/len(text)) }

// Hostile documents of the largest size cost bounded memory and time
// (spec/threats.md, "Transport and resources").
func TestHostileDocumentsAreCheap(t *testing.T) {
	const most = attestation.MaxDocument / slowness
	const inStatement = most/4*3 - 1000 // bytes of a statement in base64
	b := bundleOf(statement(subject))
	keys := func(n int) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `"%x":1,`, i)
		}
		return text.String() + `"z":1`
	}
	for _, c := range []struct {
		name     string
		accepted bool // the document is read
		document func() string
	}{
		{"tlog entries", false, func() string {
			return `{"mediaType":"m","verificationMaterial":{"tlogEntries":[` + fill("{},", most-100) + `{}]}}`
		}},
		{"tlog entries of PEP 740", false, func() string {
			return `{"version":1,"verification_material":{"certificate":"","transparency_entries":[` + fill("{},", most-200) + `{}]},"envelope":{}}`
		}},
		{"nested lists", false, func() string { return strings.Repeat("[", 10000) + strings.Repeat("]", 10000) }},
		{"lists, without end", false, func() string { return fill("[", most) }},
		{"lists in a bundle", false, func() string { return `{"mediaType":"m","x":` + fill("[", most-100) }},
		{"closed lists in a bundle", false, func() string { return `{"mediaType":"m","x":` + fill("[", most/2-100) + fill("]", most/2-100) + `}` }},
		{"objects, without end", false, func() string { return fill(`{"a":`, most) }},
		{"objects in an item", false, func() string { return `{"attestations":[` + fill(`{"a":`, most-100) }},
		{"bundles", false, func() string { return "[" + fill("{},", most-10) + "{}]" }},
		{"lines", false, func() string { return fill("{}\n", most) }},
		{"items", false, func() string { return `{"attestations":[` + fill("{},", most-100) + "{}]}" }},
		{"attestation bundles", false, func() string { return `{"version":1,"attestation_bundles":[` + fill("{},", most-100) + "{}]}" }},
		{"attestations", false, func() string {
			return `{"version":1,"attestation_bundles":[{"attestations":[` + fill("{},", most-100) + "{}]}]}"
		}},
		{"subjects", false, func() string { return bundleOf(statement(strings.TrimSuffix(fill(`{},`, inStatement), ","))) }},
		{"digests of a subject", false, func() string { return bundleOf(statement(`{"digest":{` + keys(800_000/slowness) + `}}`)) }},
		{"equal keys of a statement", false, func() string { return bundleOf(`{` + fill(`"a":1,`, inStatement) + `"b":1}`) }},
		{"keys of a statement", false, func() string { return bundleOf(`{` + keys(1_000_000/slowness) + `}`) }},
		{"keys of a document", false, func() string { return `{` + keys(1_000_000/slowness) + `}` }},
		{"keys of a bundle", false, func() string { return `{"mediaType":"m",` + keys(1_000_000/slowness) + `}` }},
		{"equal keys of a bundle", false, func() string { return `{` + fill(`"mediaType":"m",`, most-100) + `"x":1}` }},
		{"one number", false, func() string { return `{"mediaType":` + fill("1", most-100) + `}` }},
		{"exponent", false, func() string { return `{"mediaType":"m","x":1e` + fill("9", most-100) + `}` }},
		{"version of PEP 740", false, func() string { return `{"version":1e` + fill("9", most-100) + `,"attestation_bundles":[]}` }},
		{"repository id", true, func() string {
			return `{"attestations":[{"repository_id":` + fill("9", most-1000) + `,"bundle_url":"https://x"}]}`
		}},
		{"one string", false, func() string { return `"` + fill("a", most-10) + `"` }},
		{"escapes", false, func() string { return `{"mediaType":"` + fill(`\u2028`, most-100) + `"}` }},
		{"invalid UTF-8", false, func() string { return `{"mediaType":"` + fill("\xff", most-100) + `"}` }},
		{"white space", false, func() string { return fill(" ", most) }},
		{"over the limit", false, func() string { return fill(" ", attestation.MaxDocument+1) }},
		{"64 bundles of many values", false, func() string {
			return "[" + strings.TrimSuffix(strings.Repeat(`{"mediaType":"m","x":[`+fill("1,", 8000/slowness)+`1]},`, 64), ",") + "]"
		}},
		{"64 bundles of long text", false, func() string {
			return "[" + strings.TrimSuffix(strings.Repeat(`{"mediaType":"m","x":"`+fill("a", 250<<10/slowness)+`"},`, 64), ",") + "]"
		}},
		{"a predicate of lists", true, func() string {
			return bundleOf(strings.Replace(statement(subject), `"predicate":{}`, `"predicate":{"buildDefinition":{"resolvedDependencies":[`+fill("[],", inStatement-1000)+`[]]}}`, 1))
		}},
		{"a nested predicate", true, func() string {
			return bundleOf(strings.Replace(statement(subject), `"predicate":{}`, `"predicate":`+fill("[", 9000)+fill("]", 9000), 1))
		}},
		{"64 long predicates", true, func() string {
			return "[" + strings.TrimSuffix(strings.Repeat(bundleOf(strings.Replace(statement(subject), `"predicate":{}`,
				`"predicate":{"buildDefinition":{"externalParameters":{"workflow":{"x":[`+fill("0,", 180<<10/slowness)+`0]}}}}`, 1))+",", 64), ",") + "]"
		}},
		{"snappy, of lists", false, func() string { return pack(fill("[", most)) }},
		{"snappy, of white space", true, func() string { return pack(fill(" ", most-len(b)) + b) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			document := []byte(c.document())
			peak := watchHeap()
			start := time.Now()
			d, err := attestation.Read("", document)
			for _, candidate := range d.Candidates {
				var claims attestation.Claims
				if claims, err = candidate.Unverified(); err == nil {
					claims.Facts()
				}
			}
			spent := time.Since(start)
			used := peak()
			if c.accepted != (err == nil) {
				t.Errorf("error %v", err)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			if used > 256<<20 {
				t.Errorf("held %d MiB", used>>20)
			}
			if spent > 4*slowness*5*time.Second { // a busy machine's time is longer
				t.Errorf("took %v", spent)
			}
		})
	}
}

// watchHeap begins to look at the heap, garbage included, and gives the largest
// size since when it is called.
func watchHeap() (peak func() uint64) {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-stop:
				result <- most
				return
			case <-time.After(200 * time.Microsecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-result
	}
}
