package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/cli"
)

// What the README shows is what its commands print, in this order; "…" stands
// for lines that it leaves out.
func TestREADMEShowsRealOutput(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", ".."))
	_, rest, _ := strings.Cut(string(readme), "go run ./cmd/recipe-verify ")
	command, rest, _ := strings.Cut(rest, "\n")
	var out bytes.Buffer
	if status := cli.Main(context.Background(), env(), nil, &out, &out, strings.Fields(command)); status != 0 {
		t.Errorf("status %d for %q", status, command)
	}
	if status := cli.Main(context.Background(), env(), nil, &out, &out, []string{"verify", "testdata/recipes/wrong-publisher"}); status != 1 {
		t.Errorf("status %d for the wrong publisher", status)
	}
	printed := out.String()
	blocks := strings.Split(rest, "\n```")
	shown := 0
	for i := 1; i < len(blocks) && shown < 2; i++ {
		block, ok := strings.CutPrefix(blocks[i], "\n")
		if !ok || !strings.Contains(block, "  ") || strings.Contains(block, "\n\n") {
			continue // prose between the blocks
		}
		shown++
		for line := range strings.Lines(block + "\n") {
			if line == "…\n" {
				continue
			}
			_, after, found := strings.Cut(printed, line)
			if !found {
				t.Fatalf("the README shows %q, which is not printed there", line)
			}
			printed = after
		}
	}
	if shown != 2 {
		t.Errorf("found %d blocks of output in the README, wanted 2", shown)
	}
}
