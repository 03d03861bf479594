package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/policy"
	"github.com/recipe-verify/recipe-verify/recipe"
)

// policyFlags say which policy holds for the recipes that are named.
type policyFlags struct {
	policy   string
	noPolicy bool
}

func (f *policyFlags) register(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.policy, "policy", "", "read the policy from `FILE` instead of the recipe-verify.yaml beside or above the recipe")
	s.BoolVar(&f.noPolicy, "no-policy", false, "read no recipe-verify.yaml")
	c.MarkFlagsMutuallyExclusive("policy", "no-policy")
}

// read finds and reads the policy for recipes. One without a path stands for
// none. Recipes below different files are refused: each file is for its own.
func (f *policyFlags) read(c *cobra.Command, recipes []string) (*policy.Policy, error) {
	switch {
	case f.noPolicy:
		return &policy.Policy{}, nil
	case c.Flags().Changed("policy") && f.policy == "":
		// Most likely a variable that is not set: its rules would not be enforced.
		return nil, wrongValue(c, "--policy", f.policy, "a file, or --no-policy for none")
	case f.policy != "":
		return policy.Read(f.policy)
	}
	found := ""
	for i, arg := range recipes {
		path, err := policy.Find(folderOf(arg))
		if err != nil {
			return nil, err
		}
		if i > 0 && !sameFile(path, found) {
			return nil, &usageError{
				fmt.Errorf("the recipes have different policies, %s and %s", orNone(found), orNone(path)),
				"verify them one by one, or name one file with --policy FILE, or none with --no-policy",
			}
		}
		if i == 0 {
			found = path
		}
	}
	if found == "" {
		return &policy.Policy{}, nil
	}
	return policy.Read(found)
}

// above is as read, for folders of many recipes: the policy lies in the folders
// that are named or above them. Those below are for single recipes, and an audit
// does not take what it demands from what it audits.
func (f *policyFlags) above(c *cobra.Command, dirs []string) (*policy.Policy, error) {
	if len(dirs) == 0 {
		dirs = []string{"."}
	}
	var recipes []string
	for _, d := range dirs {
		if info, err := os.Stat(d); err == nil && info.IsDir() {
			d = filepath.Join(d, recipeFile)
		}
		recipes = append(recipes, d)
	}
	return f.read(c, recipes)
}

// recipeFile stands for a recipe directly in a folder.
const recipeFile = "recipe.yaml"

func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

func orNone(path string) string {
	if path == "" {
		return "none"
	}
	return path
}

// folderOf is the folder that a recipe lies in.
func folderOf(arg string) string {
	path, err := recipe.Find(arg)
	if err != nil {
		return filepath.Dir(arg) // the run reports what is wrong with it
	}
	return filepath.Dir(path)
}
