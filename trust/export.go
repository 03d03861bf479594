package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Export writes roots as a file that [FromFiles] reads: one a line, in their
// order. A nil error means that the file was read back, and gave the same
// instances with the same requirements; names of private instances are those
// that a file gives.
//
// Roots that do without logs by the configuration's word keep needing that
// word, which a file cannot hold: without is what to say of the file, and nil
// for others. Beside roots that have all logs they are an error, since what is
// said of a file is said of all in it.
func Export(domains []Domain) (file []byte, without []Log, err error) {
	if len(domains) == 0 {
		return nil, nil, errors.New("there is no trusted root to write")
	}
	var b bytes.Buffer
	for i, d := range domains {
		lacks := d.waived()
		if i > 0 && !slices.Equal(lacks, without) {
			return nil, nil, fmt.Errorf("the trusted roots %q and %q cannot be in one file: they do not lack the same logs\n"+
				"hint: write them one by one, with --domain NAME", domains[0].Name, d.Name)
		}
		without = lacks
		if err := json.Compact(&b, d.JSON); err != nil {
			return nil, nil, fmt.Errorf("trusted root %q: %w", d.Name, err)
		}
		b.WriteByte('\n')
	}
	back, err := parse("", b.Bytes(), without)
	if err != nil {
		return nil, nil, fmt.Errorf("what was to be written does not read back: %w", err)
	}
	for i, d := range domains {
		if i >= len(back) || back[i].Require != d.Require {
			return nil, nil, fmt.Errorf("what was to be written does not read back: the trusted root %q would have other requirements", d.Name)
		}
	}
	return b.Bytes(), without, nil
}

// waived are the logs that a domain does without by the configuration's word.
func (d Domain) waived() []Log {
	if d.Instance != "" {
		return nil
	}
	var without []Log
	if d.Require.LogEntries == 0 {
		without = append(without, TransparencyLog)
	}
	if d.Require.SCTs == 0 {
		without = append(without, CertificateLog)
	}
	return without
}
