package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recipe-verify/recipe-verify/recipe"
)

// evaluationFlags say for what recipes are evaluated, and what they may see.
type evaluationFlags struct {
	platforms      []string
	buildPlatform  string
	variantConfigs []string
	variants       []string
	env            []string
	lenient        bool
}

func (f *evaluationFlags) register(c *cobra.Command, platforms string) {
	s := c.Flags()
	s.StringArrayVar(&f.platforms, "target-platform", nil,
		"evaluate for `PLATFORM`, such as linux-64, or for all that conda-forge builds for (may be repeated; default: "+platforms+")")
	s.StringVar(&f.buildPlatform, "build-platform", "", "the `PLATFORM` that the build runs on (default: this machine's)")
	s.StringArrayVarP(&f.variantConfigs, "variant-config", "m", nil, "read variants from `FILE` (may be repeated; later ones win key by key)")
	s.StringArrayVar(&f.variants, "variant", nil, "set a variant, given as `KEY=VALUE[,VALUE]` (may be repeated)")
	s.StringArrayVar(&f.env, "env", nil, "let recipes read the environment variable `NAME`, beside those that begin with CONDA_OVERRIDE_ (may be repeated)")
	s.BoolVar(&f.lenient, "lenient", false, "report the faults of single sources, and go on with the rest of the recipe")
}

func (f *evaluationFlags) options(env Env) (recipe.Options, error) {
	variants, err := parseVariants(f.variants)
	return recipe.Options{
		TargetPlatforms: f.platforms,
		BuildPlatform:   f.buildPlatform,
		VariantFiles:    f.variantConfigs,
		Variants:        variants,
		AllowEnv:        f.env,
		LookupEnv:       env.LookupEnv,
		Lenient:         f.lenient,
	}, err
}

func parseVariants(list []string) (map[string][]string, error) {
	variants := map[string][]string{}
	for _, s := range list {
		key, values, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, flagError("--variant", fmt.Errorf("found %q, wanted KEY=VALUE", s))
		}
		variants[key] = strings.Split(values, ",")
	}
	return variants, nil
}
