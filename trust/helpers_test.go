package trust

import (
	"encoding/json"
	"testing"
)

// edit changes a trusted root's JSON.
func edit(t testing.TB, data []byte, change func(map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func withoutLogs(t testing.TB, data []byte) []byte {
	return edit(t, data, func(m map[string]any) { delete(m, "tlogs"); delete(m, "ctlogs") })
}
