package edit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/recipe-verify/recipe-verify/edit"
)

func TestDiff(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"nothing", "a\n", "a\n", ""},
		{"an added line", "a\nb\n", "a\nc\nb\n", "--- a/r.yaml\n+++ b/r.yaml\n@@ -1,2 +1,3 @@\n a\n+c\n b\n"},
		{"at the end", "a\n", "a\nc\n", "--- a/r.yaml\n+++ b/r.yaml\n@@ -1 +1,2 @@\n a\n+c\n"},
		{"a changed line", "a\n", "b\n", "--- a/r.yaml\n+++ b/r.yaml\n@@ -1 +1 @@\n-a\n+b\n"},
		{
			"no line end", "a", "a\nb",
			"--- a/r.yaml\n+++ b/r.yaml\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n",
		},
		{"line ends", "a\r\n", "a\r\nb\r\n", "--- a/r.yaml\n+++ b/r.yaml\n@@ -1 +1,2 @@\n a\r\n+b\r\n"},
		{"UTF-16", "\xff\xfea\x00", "\xff\xfea\x00\n\x00", "--- a/r.yaml\n+++ b/r.yaml\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, edit.Diff("r.yaml", []byte(tt.before), []byte(tt.after))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A hundred additions and more among lines that are alike are additions still.
func TestDiffOfManyAdditions(t *testing.T) {
	before := strings.Repeat("- url: a\n  sha256: b\n\n", 500)
	after := strings.Repeat("- url: a\n  sha256: b\n  c:\n    d\n\n", 500)
	d := edit.Diff("/r.yaml", []byte(before), []byte(after))
	if strings.Contains(d, "\n-") && !strings.HasPrefix(d, "--- a/r.yaml\n") || strings.Count(d, "\n+  c:") != 500 {
		t.Error("lines are shown as removed")
	}
	for line := range strings.Lines(strings.TrimPrefix(d, "--- a/r.yaml\n")) {
		if strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "- url") {
			t.Fatalf("removed: %q", line)
		}
	}
}
