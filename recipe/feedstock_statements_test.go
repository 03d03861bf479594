package recipe

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/shared"
	"github.com/recipe-verify/recipe-verify/origin"
)

// Asking for the statements of real recipes changes nothing of what they say
// about sources, and nearly all of them state something.
func TestStatementsOfFeedstocks(t *testing.T) {
	root := shared.Path(t, "recipes", "feedstocks")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var read, stating, named atomic.Int64
	names := make(chan string)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for name := range names {
				path := filepath.Join(root, name, "recipe.yaml")
				plain, err := Read(path, Options{TargetPlatforms: []string{"linux-64", "win-64"}})
				asked, askedErr := Read(path, Options{TargetPlatforms: []string{"linux-64", "win-64"}, Statements: true})
				if err != nil || askedErr != nil {
					if err == nil || askedErr == nil || err.Error() != askedErr.Error() {
						t.Errorf("%s: %v, with statements %v", name, err, askedErr)
					}
					continue
				}
				read.Add(1)
				if !reflect.DeepEqual(plain.Outputs, asked.Outputs) || !reflect.DeepEqual(plain.Warnings, asked.Warnings) {
					t.Errorf("%s: other outputs or warnings with statements", name)
				}
				if len(asked.Statements) > 0 {
					stating.Add(1)
				}
				for _, s := range asked.Statements {
					if _, ok := origin.RepositoryOf(s.Value); ok {
						named.Add(1)
						break
					}
				}
			}
		})
	}
	for i, f := range folders {
		if raceEnabled && i%10 != 0 {
			continue
		}
		names <- f.Name()
	}
	close(names)
	workers.Wait()
	t.Logf("%d of %d recipes state where their project is, %d name a repository", stating.Load(), read.Load(), named.Load())
	if read.Load() == 0 || stating.Load() < read.Load()*99/100 || named.Load() < read.Load()/2 {
		t.Errorf("too few")
	}
}
