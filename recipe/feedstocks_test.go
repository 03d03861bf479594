package recipe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/recipe-verify/recipe-verify/internal/shared"
)

// A renderedLine is a line of a feedstock's sources.jsonl: what rattler-build
// rendered with one variant file.
type renderedLine struct {
	VariantFile    string `json:"variant_file"`
	TargetPlatform string `json:"target_platform"`
	BuildPlatform  string `json:"build_platform"`
	Outputs        []struct {
		Name, Version string
		Source        []renderedSource
	}
}

type renderedSource struct {
	URL             stringOrList `json:"url"`
	SHA256          string       `json:"sha256"`
	MD5             string       `json:"md5"`
	FileName        string       `json:"file_name"`
	TargetDirectory string       `json:"target_directory"`
	Git             string       `json:"git"`
	Rev             string       `json:"rev"`
	Path            string       `json:"path"`
}

type stringOrList []string

func (s *stringOrList) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(s))
	}
	*s = make([]string, 1)
	return json.Unmarshal(data, &(*s)[0])
}

// wrongInData are lines that contradict the rest of the data, each with the
// reason. They must differ in just the way that the reason says.
var wrongInData = map[string]string{
	"pyamrex linux_aarch64_mpimpichpyamrex_precisiondppython3.10.____cpython.yaml": "the recipe has one output, and " +
		"its build.skip holds; rendered is no output at all, where vllm's only output is rendered although its " +
		"build.skip holds too (linux_64_cuda_compiler_version12.9python3.10.____cpython.yaml); build.skip drops " +
		"outputs of recipes with several outputs only",
}

// TestFeedstocks compares all sources of real recipes with what rattler-build
// rendered.
func TestFeedstocks(t *testing.T) {
	root := shared.Path(t, "recipes", "feedstocks")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	names := make(chan string)
	var mutex sync.Mutex
	same, lines := 0, 0
	var failures []string
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for name := range names {
				n, err := checkFeedstock(filepath.Join(root, name))
				mutex.Lock()
				lines += n
				if err != nil {
					failures = append(failures, fmt.Sprintf("%s: %v", name, err))
				} else {
					same++
				}
				mutex.Unlock()
			}
		})
	}
	for _, f := range folders {
		names <- f.Name()
	}
	close(names)
	workers.Wait()
	slices.Sort(failures)
	for name, reason := range wrongInData {
		t.Logf("wrong in the data: %s: %s", name, reason)
	}
	for i, f := range failures {
		if i == 25 {
			t.Errorf("and %d more", len(failures)-i)
			break
		}
		t.Error(f)
	}
	t.Logf("%d of %d feedstocks agree, in %d lines", same, len(folders), lines)
	if len(folders) < 2000 {
		t.Errorf("found %d feedstocks, wanted at least 2,000", len(folders))
	}
}

// checkFeedstock compares each line of a feedstock and gives their number.
func checkFeedstock(folder string) (int, error) {
	path := filepath.Join(folder, "recipe.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(filepath.Join(folder, "sources.jsonl"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 64<<20)
	lines := 0
	for scanner.Scan() {
		lines++
		var line renderedLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return lines, err
		}
		err := checkLine(path, data, line)
		if _, wrong := wrongInData[filepath.Base(folder)+" "+line.VariantFile]; wrong {
			if err == nil || len(line.Outputs) > 0 {
				return lines, fmt.Errorf("%s: is listed as wrong in the data, and is not", line.VariantFile)
			}
			continue
		}
		if err != nil {
			return lines, fmt.Errorf("%s: %w", line.VariantFile, err)
		}
	}
	if lines == 0 {
		return 0, fmt.Errorf("sources.jsonl is empty")
	}
	return lines, scanner.Err()
}

func checkLine(path string, data []byte, line renderedLine) error {
	orLinux := func(p string) string {
		if p == "" {
			return "linux-64"
		}
		return p
	}
	variantFile := filepath.Join(filepath.Dir(path), "variants", line.VariantFile)
	environment, err := cudaOverride(variantFile)
	if err != nil {
		return err
	}
	r, err := Parse(path, data, Options{
		TargetPlatforms: []string{orLinux(line.TargetPlatform)},
		BuildPlatform:   orLinux(line.BuildPlatform),
		VariantFiles:    []string{variantFile},
		LookupEnv:       func(name string) (string, bool) { v, ok := environment[name]; return v, ok },
	})
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, o := range line.Outputs {
		wanted[outputText(o.Name, o.Version, o.Source)] = true
	}
	found := map[string]bool{}
	for _, o := range r.Outputs {
		if o.Staging {
			continue
		}
		sources := make([]renderedSource, len(o.Sources))
		for i, s := range o.Sources {
			if s.Err != nil {
				return s.Err
			}
			sources[i] = rendered(s)
		}
		found[outputText(o.Name, o.Version, sources)] = true
	}
	if diff := cmp.Diff(wanted, found); diff != "" {
		return fmt.Errorf("outputs differ (-rattler-build +this):\n%s", diff)
	}
	return nil
}

func outputText(name, version string, sources []renderedSource) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", name, version)
	for _, s := range sources {
		fmt.Fprintf(&b, "\n  %+v", s)
	}
	return b.String()
}

func rendered(s Source) renderedSource {
	r := renderedSource{FileName: s.FileName, TargetDirectory: s.TargetDirectory, Path: s.Path.Value}
	for _, u := range s.URLs {
		r.URL = append(r.URL, u.Value)
	}
	if s.HasSHA256 {
		r.SHA256 = s.SHA256.String()
	}
	if s.HasMD5 {
		r.MD5 = s.MD5.String()
	}
	if s.Git != nil {
		r.Git = s.Git.URL.Value
		r.Rev = s.Git.Reference()
	}
	return r
}

// cudaOverride is the environment that a variant file was rendered in.
func cudaOverride(path string) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil {
		return nil, err
	}
	versions := lookup(n.Content[0], "cuda_compiler_version")
	if versions == nil || len(versions.Content) == 0 || versions.Content[0].Value == "None" {
		return nil, nil
	}
	return map[string]string{"CONDA_OVERRIDE_CUDA": versions.Content[0].Value}, nil
}
